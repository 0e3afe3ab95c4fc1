//! The tasks that drive the connections die, as a panic in the library under them would have it. A process of its own: all die at once.
#![cfg(feature = "inside")]
#![allow(clippy::unwrap_used)]

mod common;

use common::{Client, start};
use media::MemberRole::{Agent, Citizen};
use media::{EndReason, Engine as _, MediaConfig, inside};
use std::time::{Duration, Instant};

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
    events.connected("c").await;
    events.connected("a").await;
    agent.hears(1, 10).await;
    let slots = events.slots("a", "c").await;

    assert!(inside::kill_drivers() >= 2);
    let since = Instant::now();
    for who in ["c", "a"] {
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
    drop((citizen, agent));

    // The pages offer again: the room is live still, and nobody else's place was taken.
    let since = Instant::now();
    let mut citizen = Client::new(4, false).await;
    let mut agent = Client::new(5, false).await;
    citizen.join(&engine, "room", "c", Citizen).await;
    agent.join(&engine, "room", "a", Agent).await;
    tokio::join!(agent.hears(4, 5), citizen.hears(5, 5));
    assert!(
        since.elapsed() < Duration::from_secs(3),
        "{:?}",
        since.elapsed()
    );
    events
        .seen
        .retain(|e| !matches!(e, media::MediaEvent::Slots { .. }));
    assert_eq!(engine.stats().rooms, 1);
    assert_eq!(engine.stats().members, 2);
    assert!(!slots.is_empty());
    engine.close_room("room").await;
}
