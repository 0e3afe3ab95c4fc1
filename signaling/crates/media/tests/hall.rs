//! How many one room holds is the caller's to say.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Client, start};
use media::MemberRole::{Agent, Listener};
use media::{Engine, MediaConfig, MediaError};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_holds_as_many_as_the_configuration_says() {
    let (engine, _events) = start(MediaConfig {
        members_per_room: 2,
        ..MediaConfig::default()
    })
    .await;
    let mut agent = Client::new(1, false).await;
    agent.join(&engine, "hall", "a", Agent).await;
    let mut viewer = Client::new(2, false).await;
    viewer.join(&engine, "hall", "v", Listener).await;
    let sdp = Client::new(3, false).await.offer_sdp(false).await;
    let refused = engine.offer("hall", "w", Listener, &sdp).await;
    assert_eq!(refused, Err(MediaError::RoomFull));
    assert_eq!(engine.stats().members, 2);
    // Another room has places of its own.
    engine.offer("hall2", "w", Listener, &sdp).await.unwrap();
}
