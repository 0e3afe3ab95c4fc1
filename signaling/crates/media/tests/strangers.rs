//! Malformed packets and offers at the engine's own door, beside a live call: nothing panics, the call loses nothing.
//!
//! A mutation of what is valid gets deeper than noise: each kind starts from a well-formed packet and has bytes changed, cut, doubled or
//! moved. It comes from addresses that nobody knows and from the very address of a member of the call; in the name of a page that never
//! connects it is signed as its own. Two seconds in the gate; `make fuzz` sets CLOUD_BOOTH_FUZZ_SECONDS (and prints the seed that it ran with;
//! CLOUD_BOOTH_FUZZ_SEED repeats it).
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/stun.rs"]
mod stun;
#[path = "faults/wire.rs"]
#[allow(dead_code)]
mod wire;

use common::{Client, start};
use media::MemberRole::{Agent, Citizen};
use media::{Engine, Kind, MediaConfig, MediaEngine};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use stun::Credentials;
use wire::{Translator, by_way_of};

/// What strangers send each second beside a call that must not suffer.
const PER_SECOND: u64 = 20_000;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|v| v.parse().ok())
        .unwrap_or(default)
}

fn mutate(rng: &mut StdRng, bytes: &mut Vec<u8>) {
    for _ in 0..rng.random_range(1..6) {
        let at = rng.random_range(0..bytes.len().max(1));
        match rng.random_range(0..7) {
            0 if !bytes.is_empty() => bytes[at] = rng.random(),
            1 if !bytes.is_empty() => bytes[at] ^= 1 << rng.random_range(0..8),
            2 => bytes.truncate(at),
            3 => bytes.insert(at.min(bytes.len()), rng.random()),
            4 if bytes.len() > at + 2 => {
                bytes[at..at + 2].copy_from_slice(&[0xff, 0xff]);
            }
            5 if bytes.len() < 1_000 => {
                let again = bytes[at.min(bytes.len())..].to_vec();
                bytes.extend(again);
            }
            _ => bytes.extend((0..rng.random_range(0..40)).map(|_| rng.random::<u8>())),
        }
    }
    bytes.truncate(1_400);
}

/// Well-formed beginnings of each kind that shares the port (RFC 7983 §7).
fn seeds() -> Vec<Vec<u8>> {
    let mut dtls = vec![
        22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60, 1, 0, 0, 48, 0, 0, 0, 0, 0, 0, 0, 48,
    ];
    dtls.extend([0xfe, 0xfd]);
    dtls.extend([5; 46]);
    let mut rtp = vec![
        0x90, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, 0xbe, 0xde, 0, 1, 0x10, 1, 0, 0,
    ];
    rtp.extend([3; 600]);
    let report = vec![0x81, 200, 0, 12, 0, 0, 0, 7];
    let mut rtcp = report;
    rtcp.extend([1; 44]);
    let nack = vec![0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 7, 0, 1, 0xff, 0xff];
    let closing = vec![
        21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 1, 0, // DTLS alert: close_notify
    ];
    vec![dtls, closing, rtp, rtcp, nack, vec![0; 4], vec![]]
}

/// Whose checks are imitated: members of the live call by who has not their password, and a page that never connects by who has.
#[derive(Clone)]
struct Names {
    live: Vec<Credentials>,
    held: Credentials,
}

impl Names {
    fn packet(&self, rng: &mut StdRng, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut packet = match rng.random_range(0..seeds.len() + 4) {
            // What is wrong is wrong before it is signed: it gets past the integrity.
            0 => {
                let mut packet = self.held.unsigned();
                mutate(rng, &mut packet);
                return self.held.sign(packet);
            }
            1 => self.held.check(),
            2 | 3 => self.live[rng.random_range(0..self.live.len())].forged(),
            n => seeds[n - 4].clone(),
        };
        mutate(rng, &mut packet);
        packet
    }
}

/// Where it comes from: mostly strangers' own addresses, and one packet in so many from the address of somebody in the call.
const FROM_A_MEMBER: u32 = 8;

/// What the flood is told and what it tells.
struct Flood {
    names: Mutex<Names>,
    stop: AtomicBool,
    sent: AtomicU64,
    from_a_member: AtomicU64,
}

impl Flood {
    /// Sends at the strangers' pace until told to stop.
    fn run(&self, to: SocketAddr, member: &UdpSocket, seed: u64) {
        let mut rng = StdRng::seed_from_u64(seed);
        let strangers: Vec<_> = (0..8)
            .map(|_| UdpSocket::bind(("127.0.0.1", 0)).unwrap())
            .collect();
        let seeds = seeds();
        let started = Instant::now();
        let mut n = 0u64;
        while !self.stop.load(Ordering::Relaxed) {
            let due = (started.elapsed().as_secs_f64() * PER_SECOND as f64) as u64;
            if n >= due {
                std::thread::sleep(Duration::from_micros(500));
                continue;
            }
            let packet = self.names.lock().unwrap().packet(&mut rng, &seeds);
            let (socket, count) = if rng.random_ratio(1, FROM_A_MEMBER) {
                (member, &self.from_a_member)
            } else {
                (&strangers[rng.random_range(0..strangers.len())], &self.sent)
            };
            n += 1;
            if socket.send_to(&packet, to).is_ok() {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Lost packets of what a client received since it last forgot, by the gaps in the numbers; and how many came.
fn loss(client: &Client, kind: Kind, mark: u8) -> (u64, u64) {
    let mut numbers: Vec<u16> = client
        .received()
        .iter()
        .filter(|g| g.kind == kind && g.packet.payload.last() == Some(&mark))
        .map(|g| g.packet.header.sequence_number)
        .collect();
    let came = numbers.len() as u64;
    numbers.dedup();
    let gaps = numbers
        .windows(2)
        .map(|w| u64::from(w[1].wrapping_sub(w[0]).saturating_sub(1)))
        .filter(|gap| *gap < 10_000)
        .sum();
    (gaps, came)
}

async fn offers(engine: &Arc<MediaEngine>, good: &str, rng: &mut StdRng) {
    let mut text = good.as_bytes().to_vec();
    if rng.random_bool(0.5) {
        // Whole lines lost, doubled or moved: still readable, seldom acceptable.
        let mut lines: Vec<&str> = good.lines().collect();
        for _ in 0..rng.random_range(1..4) {
            let (a, b) = (
                rng.random_range(0..lines.len()),
                rng.random_range(0..lines.len()),
            );
            match rng.random_range(0..3) {
                0 => drop(lines.remove(a)),
                1 => lines.swap(a, b),
                _ => lines.insert(a, lines[b]),
            }
        }
        text = lines.join("\r\n").into_bytes();
    } else {
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(0..text.len());
            text[at] = rng.random_range(32..127);
        }
    }
    let text = String::from_utf8_lossy(&text);
    if let Err(error) = engine.offer("strangers", "s", Citizen, &text).await {
        assert!(
            ["sdp_invalid", "codec_unsupported"].contains(&error.code()),
            "{error}"
        );
    }
    engine.leave("strangers", "s").await;
}

/// A page that offers and never connects.
async fn held(engine: &Arc<MediaEngine>) -> (Credentials, String) {
    let offer = Client::new(3, false).await.offer_sdp(false).await;
    let answer = engine.offer("held", "x", Citizen, &offer).await.unwrap();
    (Credentials::of(&offer, &answer), offer)
}

fn say(figure: &str, value: f64, unit: &str, n: u64) {
    let line = serde_json::json!({"figure": figure, "value": value, "unit": unit, "n": n});
    println!("{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_goes_on_beside_whatever_strangers_send() {
    let asked = std::env::var_os("CLOUD_BOOTH_FUZZ_SECONDS").is_some();
    let seconds = setting("CLOUD_BOOTH_FUZZ_SECONDS", 2);
    let seed = setting("CLOUD_BOOTH_FUZZ_SEED", rand::rng().random());
    println!("CLOUD_BOOTH_FUZZ_SEED={seed}");
    let config = MediaConfig::default();
    // In time, so that the page that never connects is there for all of a long run.
    let renewal = config.connect_timeout / 2;
    let (engine, mut events) = start(config).await;
    let translator = Translator::before(engine.udp_addr()).await;
    let mut citizen = Client::new(1, false).await;
    let of_citizen = citizen.offer_sdp(false).await;
    let answer = engine
        .offer("room", "c", Citizen, &of_citizen)
        .await
        .unwrap();
    let mut live = vec![Credentials::of(&of_citizen, &answer)];
    citizen
        .accept(&by_way_of(&answer, "udp", translator.addr))
        .await;
    let mut agent = Client::new(2, false).await;
    let of_agent = agent.offer_sdp(false).await;
    let answer = engine.offer("room", "a", Agent, &of_agent).await.unwrap();
    live.push(Credentials::of(&of_agent, &answer));
    agent.accept(&answer).await;
    events.connected("c").await;
    events.connected("a").await;
    engine.set_forwarding("room", true).await.unwrap();
    agent.hears(1, 5).await;
    citizen.hears(2, 5).await;
    agent.forget();
    citizen.forget();
    let before = engine.stats();

    let (page, good) = held(&engine).await;
    let flood = Arc::new(Flood {
        names: Mutex::new(Names { live, held: page }),
        stop: AtomicBool::new(false),
        sent: AtomicU64::new(0),
        from_a_member: AtomicU64::new(0),
    });
    let (to, far, theirs) = (engine.udp_addr(), translator.far(), flood.clone());
    let began = Instant::now();
    let flooding = std::thread::spawn(move || theirs.run(to, &far, seed));
    let mut rng = StdRng::seed_from_u64(seed ^ 1);
    let (mut offered, mut renewed) = (0, Instant::now());
    while began.elapsed() < Duration::from_secs(seconds) {
        offers(&engine, &good, &mut rng).await;
        offered += 1;
        events.forget();
        if renewed.elapsed() >= renewal {
            let (page, _) = held(&engine).await;
            flood.names.lock().unwrap().held = page;
            renewed = Instant::now();
        }
    }
    flood.stop.store(true, Ordering::Relaxed);
    flooding.join().unwrap();
    let took = began.elapsed().as_secs_f64();

    let after = engine.stats();
    let from_a_member = flood.from_a_member.load(Ordering::Relaxed);
    let sent = flood.sent.load(Ordering::Relaxed) + from_a_member;
    let rate = sent as f64 / took;
    say("strangers_packets_per_s", rate, "1/s", sent);
    let as_a_member = from_a_member as f64 / took;
    say(
        "strangers_packets_as_a_member_per_s",
        as_a_member,
        "1/s",
        from_a_member,
    );
    say("strangers_offers", f64::from(offered), "", 1);
    if asked {
        assert!(
            rate >= PER_SECOND as f64 * 0.9,
            "only {rate} a second were sent"
        );
    }
    assert!(
        after.datagrams_in > before.datagrams_in + sent / 2,
        "they reached the engine"
    );
    let heard = |s: &media::EngineStats| s.datagrams_in - s.datagrams_ignored;
    assert!(
        heard(&after) > heard(&before) + from_a_member / 2,
        "what came from the member's address reached their connection"
    );
    // The call still runs, both ways, and hardly anything was lost meanwhile.
    for (way, who, mark) in [("up", &agent, 1), ("down", &citizen, 2)] {
        let n = who.received().len();
        who.until("media after the flood", |got| got.len() > n + 10)
            .await;
        for (name, kind) in [("sound", Kind::Audio), ("picture", Kind::Video)] {
            let (lost, came) = loss(who, kind, mark);
            let pct = lost as f64 * 100.0 / came.max(1) as f64;
            say(&format!("strangers_{name}_loss_{way}_pct"), pct, "%", came);
            assert!(
                came as f64 > 30.0 * seconds as f64,
                "{way}: {came} {kind:?} packets came"
            );
            assert!(
                lost as f64 <= (came as f64 / 1_000.0).max(1.0),
                "{way}: {lost} of {came} {kind:?} lost"
            );
        }
    }
    // Neither was thrown out; who was would not be back.
    assert_eq!(engine.stats().connected, 2);
}
