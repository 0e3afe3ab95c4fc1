//! Offers that a room refuses, and what becomes of a connection that had too many of them.

use super::{Bench, VP8, offer};
use crate::config::REFUSED_MOST;
use crate::event::{EndReason, MediaEvent};
use crate::forward::MemberRole::{Agent, Citizen, Guest};
use std::sync::atomic::Ordering;

#[tokio::test]
async fn a_connection_that_refused_too_much_is_replaced_by_the_next_offer_that_fits() {
    let b = Bench::new();
    let old = b.join("c", Citizen).await;
    old.leg.refuse.store(true, Ordering::SeqCst);
    for _ in 0..REFUSED_MOST {
        assert!(b.try_join("c", Citizen, "c", 5).await.is_err());
    }
    let made = || b.fakes.made.lock().unwrap().len();
    assert_eq!(made(), 1, "the connection is the same until then");
    assert!(!old.leg.closed.load(Ordering::SeqCst));
    b.try_join("c", Citizen, "c", 5).await.unwrap();
    assert_eq!(made(), 2);
    let replaced = |e: &MediaEvent| matches!(e, MediaEvent::Disconnected { reason, .. } if *reason == EndReason::Replaced);
    assert!(b.events().await.iter().any(replaced));
    tokio::task::yield_now().await;
    assert!(old.leg.closed.load(Ordering::SeqCst), "nothing of it stays");
    // The new one counts afresh.
    b.try_join("c", Citizen, "c", 5).await.unwrap();
    assert_eq!(made(), 2);
}

#[tokio::test]
async fn the_ice_password_of_somebody_else_in_the_room_is_refused() {
    let b = Bench::new();
    let with = |identity: &str, password: u8| {
        let mut offer = offer(identity, 5, VP8, &[]);
        offer.passwords = vec![[password; 32]];
        offer
    };
    b.offer("c", Citizen, with("c", 1)).await.unwrap();
    b.offer("a", Agent, with("a", 2)).await.unwrap();
    let stolen = b.offer("g", Guest, with("g", 1)).await.unwrap_err();
    assert!(stolen.to_string().contains("ICE credentials"), "{stolen}");
    assert_eq!(b.room.count().0, 2);
    // Their own again is no theft; and after an ICE restart it is the new one that counts.
    b.offer("c", Citizen, with("c", 1)).await.unwrap();
    b.offer("c", Citizen, with("c", 3)).await.unwrap();
    assert!(b.offer("g", Guest, with("g", 3)).await.is_err());
    b.offer("g", Guest, with("g", 4)).await.unwrap();
    assert!(b.offer("a", Agent, with("a", 4)).await.is_err());
}
