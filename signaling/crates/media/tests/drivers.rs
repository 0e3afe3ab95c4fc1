//! The tasks that drive the connections die, as a panic in the library under them would have it. A process of its own: all die at once.
#![cfg(feature = "inside")]
#![allow(clippy::unwrap_used)]

mod common;

use common::{Client, start};
use media::MemberRole::{Agent, Citizen, Guest};
use media::{EndReason, Engine as _, MediaConfig, MediaEvent, Slot, inside};
use std::time::{Duration, Instant};

/// Which line carries what of whom.
fn places(slots: &[Slot]) -> Vec<(String, String)> {
    let place = |s: &Slot| (s.mid.clone(), format!("{:?} of {}", s.kind, s.member));
    let mut places: Vec<_> = slots.iter().map(place).collect();
    places.sort();
    places
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_whose_driver_died_are_told_and_come_back_to_the_same_room() {
    let config = MediaConfig {
        silence: Duration::from_secs(4),
        ..MediaConfig::default()
    };
    let (engine, mut events) = start(config).await;
    engine.set_forwarding("room", true).await.unwrap();
    let mut citizen = Client::new(1, false).await;
    let mut agent = Client::new(2, false).await;
    citizen.join(&engine, "room", "c", Citizen).await;
    agent.join(&engine, "room", "a", Agent).await;
    let mut guest = Client::new(3, false).await;
    guest.join(&engine, "room", "g", Guest).await;
    for who in ["c", "a", "g"] {
        events.connected(who).await;
    }
    tokio::join!(agent.hears(1, 10), agent.hears(3, 10));
    let before = places(&events.slots("a", "g").await);
    assert_eq!(before.len(), 4, "sound and picture of both: {before:?}");

    assert!(inside::kill_drivers() >= 3);
    let since = Instant::now();
    for who in ["c", "a", "g"] {
        let reason = events.ended(who).await;
        assert!(
            matches!(
                reason,
                EndReason::Failed | EndReason::Silent | EndReason::Closed
            ),
            "{reason:?}"
        );
    }
    assert!(
        since.elapsed() < Duration::from_secs(12),
        "{:?}",
        since.elapsed()
    );
    drop((citizen, agent, guest));
    let told = |e: &MediaEvent| matches!(e, MediaEvent::Slots { .. });
    events.seen.retain(|e| !told(e));

    // The pages offer again, the later member first: the room is live still, and each has its own place.
    let since = Instant::now();
    let mut guest = Client::new(6, false).await;
    let mut citizen = Client::new(4, false).await;
    let mut agent = Client::new(5, false).await;
    guest.join(&engine, "room", "g", Guest).await;
    citizen.join(&engine, "room", "c", Citizen).await;
    agent.join(&engine, "room", "a", Agent).await;
    tokio::join!(agent.hears(4, 5), agent.hears(6, 5), citizen.hears(5, 5));
    assert!(
        since.elapsed() < Duration::from_secs(3),
        "{:?}",
        since.elapsed()
    );
    assert_eq!(places(&events.slots("a", "c").await), before);
    assert_eq!(engine.stats().rooms, 1);
    assert_eq!(engine.stats().members, 3);
    engine.close_room("room").await;
}
