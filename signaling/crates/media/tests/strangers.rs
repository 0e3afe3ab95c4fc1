//! Malformed packets and offers at the engine's own door, beside a live call: nothing panics, the call loses nothing.
//!
//! A mutation of what is valid gets deeper than noise: each kind starts from a well-formed packet and has bytes changed, cut, doubled or
//! moved. Two seconds in the gate; `make fuzz` sets CLOUD_BOOTH_FUZZ_SECONDS (and prints the seed that it ran with;
//! CLOUD_BOOTH_FUZZ_SEED repeats it).
#![allow(clippy::unwrap_used)]

mod common;

use common::{Client, start};
use media::MemberRole::{Agent, Citizen};
use media::{Engine, Kind, MediaConfig, MediaEngine};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What a stranger sends each second (issue's figure for the call that must not suffer).
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

/// A STUN binding request for a user fragment (RFC 8489), as ICE sends it, with the wrong key.
fn stun(ufrag: &str) -> Vec<u8> {
    let user = format!("{ufrag}:stranger");
    let mut body = vec![0, 6];
    body.extend((user.len() as u16).to_be_bytes());
    body.extend(user.as_bytes());
    body.resize(body.len().next_multiple_of(4), 0);
    body.extend([0, 0x24, 0, 4, 0x6e, 0, 0, 1]); // PRIORITY
    body.extend([0x80, 0x2a, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]); // ICE-CONTROLLING
    body.extend([0, 0x25, 0, 0]); // USE-CANDIDATE
    body.extend([0, 8, 0, 20]); // MESSAGE-INTEGRITY
    body.extend([7; 20]);
    let mut packet = vec![0, 1];
    packet.extend((body.len() as u16).to_be_bytes());
    packet.extend([0x21, 0x12, 0xa4, 0x42]);
    packet.extend([9; 12]);
    packet.extend(body);
    packet
}

/// Well-formed beginnings of each kind that shares the port (RFC 7983 §7).
fn seeds(ufrag: &str) -> Vec<Vec<u8>> {
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
    vec![stun(ufrag), dtls, rtp, rtcp, nack, vec![0; 4], vec![]]
}

/// Sends at the stranger's pace until told to stop; how many were sent.
fn flood(to: std::net::SocketAddr, ufrag: &str, seed: u64, stop: &AtomicBool, sent: &AtomicU64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let sockets: Vec<_> = (0..8)
        .map(|_| UdpSocket::bind(("127.0.0.1", 0)).unwrap())
        .collect();
    let seeds = seeds(ufrag);
    let started = Instant::now();
    let mut n = 0u64;
    while !stop.load(Ordering::Relaxed) {
        let due = (started.elapsed().as_secs_f64() * PER_SECOND as f64) as u64;
        if n >= due {
            std::thread::sleep(Duration::from_micros(500));
            continue;
        }
        let mut packet = seeds[rng.random_range(0..seeds.len())].clone();
        mutate(&mut rng, &mut packet);
        let socket = &sockets[rng.random_range(0..sockets.len())];
        let _ = socket.send_to(&packet, to);
        n += 1;
        sent.store(n, Ordering::Relaxed);
    }
}

/// Lost packets of what a client received since it last forgot, by the gaps in the numbers; and how many came.
fn loss(client: &Client, kind: Kind) -> (u64, u64) {
    let mut numbers: Vec<u16> = client
        .received()
        .iter()
        .filter(|g| g.kind == kind)
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_goes_on_beside_whatever_strangers_send() {
    let seconds = setting("CLOUD_BOOTH_FUZZ_SECONDS", 2);
    let seed = setting("CLOUD_BOOTH_FUZZ_SEED", rand::rng().random());
    println!("CLOUD_BOOTH_FUZZ_SEED={seed}");
    let (engine, mut events) = start(MediaConfig::default()).await;
    let mut citizen = Client::new(1, false).await;
    let mut agent = Client::new(2, false).await;
    citizen.join(&engine, "room", "c", Citizen).await;
    agent.join(&engine, "room", "a", Agent).await;
    events.connected("c").await;
    events.connected("a").await;
    engine.set_forwarding("room", true).await.unwrap();
    agent.hears(1, 5).await;
    citizen.hears(2, 5).await;
    agent.forget();
    let before = engine.stats();

    // The fragment that the engine answers to, so that what is nearly right reaches a connection.
    let mut stranger = Client::new(3, false).await;
    let good = stranger.offer_sdp(false).await;
    let answer = engine.offer("held", "x", Citizen, &good).await.unwrap();
    let ufrag = answer
        .lines()
        .find_map(|l| l.strip_prefix("a=ice-ufrag:"))
        .unwrap()
        .to_owned();
    let (stop, sent) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let (to, halt, count) = (engine.udp_addr(), stop.clone(), sent.clone());
    let flooding = std::thread::spawn(move || flood(to, &ufrag, seed, &halt, &count));
    let mut rng = StdRng::seed_from_u64(seed ^ 1);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut offered = 0;
    while Instant::now() < end {
        offers(&engine, &good, &mut rng).await;
        offered += 1;
    }
    stop.store(true, Ordering::Relaxed);
    flooding.join().unwrap();

    let after = engine.stats();
    let sent = sent.load(Ordering::Relaxed);
    assert!(
        after.datagrams_in > before.datagrams_in + sent / 2,
        "they reached the engine"
    );
    // The call still runs, both ways, and hardly anything was lost meanwhile.
    citizen.forget();
    citizen.hears(2, 5).await;
    for kind in [Kind::Audio, Kind::Video] {
        let (lost, came) = loss(&agent, kind);
        let name = if kind == Kind::Audio {
            "sound"
        } else {
            "picture"
        };
        println!(
            "{}",
            serde_json::json!({
                "figure": format!("strangers_{name}_loss_pct"),
                "value": lost as f64 * 100.0 / came.max(1) as f64,
                "unit": "%",
                "n": came,
                "packets_per_s": sent / seconds.max(1),
                "offers": offered,
            })
        );
        assert!(
            came as f64 > 30.0 * seconds as f64,
            "{came} {kind:?} packets came"
        );
        assert!(
            lost as f64 <= (came as f64 / 1_000.0).max(1.0),
            "{lost} of {came} {kind:?} lost"
        );
    }
}
