//! Calls over bad networks: what is lost is sent again, and where there is too little for all, sound comes first.
#![allow(clippy::unwrap_used)]

mod common;

use common::link::Link;
use common::{Client, Events, Got, PATIENCE, start};
use media::MemberRole::{Agent, Citizen};
use media::{Engine, Kind, MediaConfig, MediaEngine, MediaEvent};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A live call of a citizen (1) and an agent (2), both as browsers are, each behind a network of its own.
struct Call {
    engine: Arc<MediaEngine>,
    events: Events,
    citizen: Client,
    agent: Client,
    from_citizen: Link,
    to_agent: Link,
}

impl Call {
    async fn new() -> Self {
        let (engine, mut events) = start(MediaConfig::default()).await;
        engine.set_forwarding("room", true).await.unwrap();
        let port = engine.udp_addr().port();
        let (from_citizen, to_agent) = (Link::new(port).await, Link::new(port).await);
        let mut citizen = Client::modern(1).await;
        citizen.via = Some((from_citizen.port, port));
        let mut agent = Client::modern(2).await;
        agent.via = Some((to_agent.port, port));
        citizen.join(&engine, "room", "c", Citizen).await;
        agent.join(&engine, "room", "a", Agent).await;
        events.connected("c").await;
        events.connected("a").await;
        agent.hears(1, 10).await;
        Self {
            engine,
            events,
            citizen,
            agent,
            from_citizen,
            to_agent,
        }
    }

    /// Waits until the agent's page is told that the citizen's picture rests, or goes on.
    async fn picture(&mut self, rests: bool) {
        let told = move |e: &MediaEvent| match e {
            MediaEvent::Slots { member, slots, .. } => {
                let picture = slots.iter().find(|s| s.kind == Kind::Video);
                member == "a" && picture.is_some_and(|s| s.paused == rests)
            }
            _ => false,
        };
        self.events.wait(told).await;
    }
}

/// The number that its sender wrote into a packet.
fn number(got: &Got) -> u16 {
    let payload = &got.packet.payload;
    u16::from_be_bytes([payload[payload.len() - 3], payload[payload.len() - 2]])
}

/// Of the packets that were sent between the first and the last that came (less what may be under way), how many came; per cent.
fn came_pct(got: &[Got], kind: Kind, under_way: u16) -> f64 {
    let numbers: BTreeSet<u16> = got.iter().filter(|g| g.kind == kind).map(number).collect();
    let (first, last) = (*numbers.first().unwrap(), *numbers.last().unwrap());
    assert!(last - first > under_way + 50, "enough to count");
    let counted = first..last - under_way;
    let came = numbers.iter().filter(|n| counted.contains(n)).count();
    came as f64 * 100.0 / counted.len() as f64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_is_whole_although_one_packet_in_ten_is_lost_to_its_viewer() {
    let call = Call::new().await;
    call.to_agent.down.lose_every.store(10, Ordering::SeqCst);
    call.agent.forget();
    let got = call.agent.hears(1, 400).await;
    let (sound, picture) = (
        came_pct(&got, Kind::Audio, 0),
        came_pct(&got, Kind::Video, 40),
    );
    assert!((80.0..97.0).contains(&sound), "it was lost indeed: {sound}");
    assert!(picture >= 99.0, "{picture} % of the picture");
    let stats = call.engine.stats();
    assert!(stats.rtp_repeated > 20, "{stats:?}");
    let apart = call.agent.repeated.load(Ordering::SeqCst);
    assert!(apart > 20, "{apart} on a stream of their own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_is_whole_although_one_packet_in_ten_is_lost_from_its_sender() {
    let call = Call::new().await;
    call.from_citizen.up.lose_every.store(10, Ordering::SeqCst);
    call.agent.forget();
    let got = call.agent.hears(1, 400).await;
    let (sound, picture) = (
        came_pct(&got, Kind::Audio, 0),
        came_pct(&got, Kind::Video, 40),
    );
    assert!((80.0..97.0).contains(&sound), "it was lost indeed: {sound}");
    assert!(picture >= 99.0, "{picture} % of the picture");
    // Each once, or twice where it was asked for just before it came: what was repaired is not passed on again and again.
    let pictures = got.iter().filter(|g| g.kind == Kind::Video);
    let numbers: Vec<u16> = pictures.map(number).collect();
    let distinct: BTreeSet<&u16> = numbers.iter().collect();
    assert!(
        numbers.len() - distinct.len() < distinct.len() / 20,
        "{} of {}",
        distinct.len(),
        numbers.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_datagram_that_comes_twice_is_forwarded_once() {
    let call = Call::new().await;
    call.from_citizen.up.twice.store(true, Ordering::SeqCst);
    // Until it takes effect, and what the other page sends.
    call.agent.sending.store(false, Ordering::SeqCst);
    call.agent.forget();
    call.agent.hears(1, 20).await;
    let before = call.engine.stats();
    call.agent.forget();
    let got = call.agent.hears(1, 400).await;
    let after = call.engine.stats();
    let numbers = |kind| {
        let of = got.iter().filter(move |g| g.kind == kind);
        of.map(|g| g.packet.header.sequence_number)
    };
    for kind in [Kind::Audio, Kind::Video] {
        let distinct: BTreeSet<u16> = numbers(kind).collect();
        assert_eq!(distinct.len(), numbers(kind).count(), "{kind:?}");
    }
    // They did come twice, and the second of each got no further than its decryption.
    let (came, taken) = (
        after.datagrams_in - before.datagrams_in,
        after.rtp_in - before.rtp_in,
    );
    assert!(
        came as usize > got.len() * 3 / 2,
        "{came} for {}",
        got.len()
    );
    assert!(
        (taken as usize) < got.len() * 5 / 4,
        "{taken} for {}",
        got.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_there_is_room_for_sound_alone_the_picture_rests_and_comes_back() {
    let mut call = Call::new().await;
    // Over 400 kbit/s of picture, and a viewer's network of 150.
    call.citizen.weight.store(1_000, Ordering::SeqCst);
    call.agent.hears(1, 60).await;
    call.agent.forget();
    call.events.seen.clear();
    call.to_agent.down.rate.store(150_000, Ordering::SeqCst);
    call.picture(true).await;
    let got = call.agent.received();
    let since = got.len();
    let got = call
        .agent
        .until("sound while the picture rests", |got| {
            let sounds = got[since..].iter().filter(|g| g.kind == Kind::Audio);
            sounds.count() >= 250
        })
        .await;
    let sound = came_pct(&got, Kind::Audio, 0);
    assert!(sound > 99.0, "{sound} % of the sound");
    // The far sender is told of the narrow place.
    let cap = call.citizen.cap.load(Ordering::SeqCst);
    assert!((1..=300_000).contains(&cap), "{cap} bit/s");

    call.to_agent.down.rate.store(0, Ordering::SeqCst);
    call.agent.forget();
    call.picture(false).await;
    let got = call.agent.hears(1, 100).await;
    let picture = got.iter().find(|g| g.kind == Kind::Video).unwrap();
    assert_eq!(picture.packet.payload[1] & 1, 0, "it begins at a keyframe");
    tokio::time::timeout(PATIENCE, async {
        while call.citizen.cap.load(Ordering::SeqCst) < 400_000 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .expect("the far sender may send more again");
}
