//! Members who misbehave: the others are not to notice.

use crate::common::{Client, Got, PATIENCE, start};
use crate::wire::{Tap, by_way_of};
use media::MemberRole::{Agent, Citizen, Guest};
use media::{Engine as _, Kind, MediaConfig};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Longest run of lost sound of a mark, in packets, and how many came.
pub fn sound(got: &[Got], mark: u8) -> (u64, usize) {
    let mut numbers: Vec<u16> = got
        .iter()
        .filter(|g| g.kind == Kind::Audio && g.packet.payload.last() == Some(&mark))
        .map(|g| g.packet.header.sequence_number)
        .collect();
    numbers.dedup();
    let longest = numbers
        .windows(2)
        .map(|w| u64::from(w[1].wrapping_sub(w[0]).saturating_sub(1)))
        .max();
    (longest.unwrap_or(0), numbers.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leg_that_stops_reading_holds_nobody_up() {
    let (engine, mut events) = start(MediaConfig::default()).await;
    engine.set_forwarding("room", true).await.unwrap();
    let tap = Tap::before(engine.tcp_addr().unwrap()).await;
    let mut citizen = Client::new(1, true).await;
    let sdp = citizen.offer_sdp(false).await;
    let answer = engine.offer("room", "c", Citizen, &sdp).await.unwrap();
    citizen.accept(&by_way_of(&answer, "tcp", tap.addr)).await;
    let mut agent = Client::new(2, false).await;
    let mut guest = Client::new(3, false).await;
    agent.join(&engine, "room", "a", Agent).await;
    guest.join(&engine, "room", "g", Guest).await;
    for who in ["c", "a", "g"] {
        events.connected(who).await;
    }
    let mut four = Client::new(4, false).await;
    let mut five = Client::new(5, false).await;
    four.join(&engine, "room", "d", Guest).await;
    five.join(&engine, "room", "e", Guest).await;
    // Enough that the silent reader's buffers are full within seconds.
    for sender in [&agent, &guest, &four, &five] {
        sender.weight.store(1_800, Ordering::SeqCst);
    }
    citizen.hears(2, 10).await;
    guest.hears(2, 10).await;

    tap.shut();
    citizen.forget();
    guest.forget();
    let dropped = engine.stats().rtp_dropped;
    // It chokes: what it cannot take is dropped, there and nowhere else.
    tokio::time::timeout(PATIENCE, async {
        while engine.stats().rtp_dropped == dropped {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .unwrap_or_else(|_| panic!("the silent reader was never full: {:?}", engine.stats()));
    let from = guest.received().len();
    let got = guest
        .until("two seconds more", |got| sound(&got[from..], 2).1 >= 100)
        .await;
    let (longest, came) = sound(&got, 2);
    assert!(longest <= 1, "{longest} of {came} in a row were lost");
    agent.hears(3, 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_that_never_sends_a_keyframe_is_heard_and_holds_nobody_up() {
    let (engine, mut events) = start(MediaConfig::default()).await;
    engine.set_forwarding("room", true).await.unwrap();
    let mut citizen = Client::new(1, false).await;
    citizen.keyframes.store(false, Ordering::SeqCst);
    let mut agent = Client::new(2, false).await;
    let mut guest = Client::new(3, false).await;
    citizen.join(&engine, "room", "c", Citizen).await;
    agent.join(&engine, "room", "a", Agent).await;
    guest.join(&engine, "room", "g", Guest).await;
    for who in ["c", "a", "g"] {
        events.connected(who).await;
    }
    // The others have each other whole, and the citizen's sound.
    guest.hears(2, 20).await;
    agent.hears(3, 20).await;
    let asked = citizen.plis.load(Ordering::SeqCst);
    let since = Instant::now();
    let of = |g: &Got, kind| g.kind == kind && g.packet.payload.last() == Some(&1);
    let from = agent
        .received()
        .iter()
        .filter(|g| of(g, Kind::Audio))
        .count();
    let got = agent
        .until("three seconds of the citizen's sound", |got| {
            got.iter().filter(|g| of(g, Kind::Audio)).count() >= from + 150
        })
        .await;
    assert!(
        !got.iter().any(|g| of(g, Kind::Video)),
        "a picture that no decoder can begin with is not forwarded"
    );
    // It is asked again, and not flooded.
    let asked = citizen.plis.load(Ordering::SeqCst) - asked;
    let most = since.elapsed().as_millis() as usize / 300 + 2;
    assert!(
        (2..=most).contains(&asked),
        "asked {asked} times, at most {most}"
    );
    // Once it can, the picture comes.
    citizen.keyframes.store(true, Ordering::SeqCst);
    agent
        .until("the picture", |got| got.iter().any(|g| of(g, Kind::Video)))
        .await;
    let silence = Duration::from_secs(10);
    assert_eq!(
        MediaConfig::default().silence,
        silence,
        "nobody was thrown out for it"
    );
    assert_eq!(engine.stats().connected, 3);
}
