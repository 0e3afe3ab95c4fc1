//! A network that goes and comes back: the same member, the same room, media again within three seconds.

use crate::common::{Client, start};
use crate::place::Place;
use crate::wire::{Translator, by_way_of};
use crate::{Call, call, join_from};
use media::MemberRole::{Agent, Citizen};
use media::{EndReason, Engine as _, Kind, MediaConfig, MediaEvent};
use std::time::{Duration, Instant};

/// The bound.
const BACK: Duration = Duration::from_secs(3);
/// How long the cable is out.
const DOWN: Duration = Duration::from_secs(10);

fn say(figure: &str, took: Duration) {
    let ms = took.as_millis() as u64;
    println!(
        "{}",
        serde_json::json!({"figure": figure, "value": ms, "unit": "ms", "n": 1})
    );
}

/// Sound of this mark again, both ways, since now.
async fn back(agent: &Client, citizen: &Client, of_citizen: u8) -> Duration {
    let since = Instant::now();
    agent.forget();
    citizen.forget();
    tokio::join!(agent.hears(of_citizen, 3), citizen.hears(2, 3));
    since.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_was_down_for_ten_seconds_carries_the_same_connection_on() {
    let Some(place) = Place::new() else { return };
    // The server waits longer than the page is gone: nothing is negotiated.
    let config = MediaConfig {
        silence: DOWN * 2,
        ..MediaConfig::default()
    };
    let Call {
        engine,
        mut events,
        citizen,
        agent,
    } = call(&place, config).await;
    place.plug(false);
    tokio::time::sleep(DOWN).await;
    place.plug(true);
    let took = back(&agent, &citizen, 1).await;
    say("link_down_10_s_same_connection_ms", took);
    assert!(took <= BACK, "{took:?}");
    let of_citizen = |e: &MediaEvent, quiet| match e {
        MediaEvent::Quiet { member, .. } => quiet && member == "c",
        MediaEvent::Heard { member, .. } => !quiet && member == "c",
        _ => false,
    };
    for quiet in [true, false] {
        events.wait(|e| of_citizen(e, quiet)).await;
    }
    assert!(
        !events
            .seen
            .iter()
            .any(|e| matches!(e, MediaEvent::Disconnected { .. }))
    );
    assert_eq!(engine.stats().members, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_who_was_given_up_comes_back_as_the_same_in_the_same_slots() {
    let Some(place) = Place::new() else { return };
    let config = MediaConfig {
        silence: Duration::from_secs(4),
        ..MediaConfig::default()
    };
    let Call {
        engine,
        mut events,
        citizen,
        agent,
    } = call(&place, config).await;
    let before = events.slots("a", "c").await;
    place.plug(false);
    assert_eq!(events.ended("c").await, EndReason::Silent);
    drop(citizen);
    place.plug(true);
    let since = Instant::now();
    // What a page does when its line is back: a new connection, for the same member.
    let again = join_from(&place, &engine, "c", Citizen, 4).await;
    events.connected("c").await;
    back(&agent, &again, 4).await;
    let took = since.elapsed();
    say("link_down_rejoin_ms", took);
    assert!(took <= BACK, "{took:?}");
    assert_eq!(engine.stats().rooms, 1);
    let mids: Vec<String> = agent
        .received()
        .iter()
        .filter(|g| g.kind == Kind::Audio && g.packet.payload.last() == Some(&4))
        .map(|g| g.mid.clone())
        .collect();
    let slot = before
        .iter()
        .find(|s| s.kind == Kind::Audio && s.member == "c")
        .unwrap();
    assert!(mids.iter().all(|m| *m == slot.mid), "the same slot");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_whose_address_changes_stays_in_the_call() {
    let (engine, mut events) = start(MediaConfig::default()).await;
    engine.set_forwarding("room", true).await.unwrap();
    let translator = Translator::before(engine.udp_addr()).await;
    let mut citizen = Client::new(1, false).await;
    let sdp = citizen.offer_sdp(false).await;
    let answer = engine.offer("room", "c", Citizen, &sdp).await.unwrap();
    citizen
        .accept(&by_way_of(&answer, "udp", translator.addr))
        .await;
    let mut agent = Client::new(2, false).await;
    agent.join(&engine, "room", "a", Agent).await;
    events.connected("c").await;
    events.connected("a").await;
    agent.hears(1, 10).await;
    citizen.hears(2, 10).await;

    // Three times, as on a train: each is asked back at once.
    for n in 0..3 {
        translator.move_away();
        let took = back(&agent, &citizen, 1).await;
        say(&format!("address_change_{n}_ms"), took);
        assert!(took <= BACK, "change {n}: {took:?}");
    }
    assert!(
        !events
            .seen
            .iter()
            .any(|e| matches!(e, MediaEvent::Disconnected { .. }))
    );
    engine.leave("room", "c").await;
    assert_eq!(
        events.ended("c").await,
        EndReason::Left,
        "the changes did not end it"
    );
}
