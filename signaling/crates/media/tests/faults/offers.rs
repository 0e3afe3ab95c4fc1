//! Offers that are somebody else's, or not true: refused with a clear word, or never connected; the call beside them goes on.

use crate::common::{Client, Events, start};
use crate::stun::value;
use media::MemberRole::{Agent, Citizen, Guest};
use media::{EndReason, Engine as _, MediaConfig, MediaEngine, MediaEvent};
use std::sync::Arc;
use std::time::Duration;

/// A call, and the offer that its citizen made.
async fn call() -> (Arc<MediaEngine>, Events, Client, Client, String) {
    let (engine, mut events) = start(MediaConfig {
        connect_timeout: Duration::from_secs(4),
        ..MediaConfig::default()
    })
    .await;
    engine.set_forwarding("room", true).await.unwrap();
    let mut citizen = Client::new(1, false).await;
    let sdp = citizen.offer_sdp(false).await;
    let answer = engine.offer("room", "c", Citizen, &sdp).await.unwrap();
    citizen.accept(&answer).await;
    let mut agent = Client::new(2, false).await;
    agent.join(&engine, "room", "a", Agent).await;
    events.connected("c").await;
    events.connected("a").await;
    agent.hears(1, 10).await;
    (engine, events, citizen, agent, sdp)
}

async fn goes_on(agent: &Client, citizen: &Client, events: &Events) {
    agent.forget();
    citizen.forget();
    agent.hears(1, 20).await;
    citizen.hears(2, 20).await;
    let ended = |e: &&MediaEvent| matches!(e, MediaEvent::Disconnected { member, .. } if member == "c" || member == "a");
    assert!(
        events.seen.iter().find(ended).is_none(),
        "{:?}",
        events.seen
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_that_another_member_made_is_refused() {
    let (engine, events, citizen, agent, sdp) = call().await;
    let session = sdp.lines().find(|l| l.starts_with("o=")).unwrap();
    for stolen in [
        sdp.clone(),
        sdp.replace(session, "o=- 1 2 IN IP4 127.0.0.1"),
    ] {
        let error = engine.offer("room", "g", Guest, &stolen).await.unwrap_err();
        assert_eq!(error.code(), "sdp_invalid");
        assert!(error.to_string().contains("another member's"), "{error}");
    }
    assert_eq!(engine.stats().members, 2);
    goes_on(&agent, &citizen, &events).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_with_another_s_ice_credentials_is_refused() {
    let (engine, events, citizen, agent, sdp) = call().await;
    let own = Client::new(3, false).await.offer_sdp(false).await;
    let password = own.replace(value(&own, "ice-pwd"), value(&sdp, "ice-pwd"));
    let both = password.replace(value(&own, "ice-ufrag"), value(&sdp, "ice-ufrag"));
    for stolen in [password, both] {
        let error = engine.offer("room", "g", Guest, &stolen).await.unwrap_err();
        assert_eq!(error.code(), "sdp_invalid");
        let said = error.to_string();
        assert!(said.contains("another member's ICE credentials"), "{said}");
    }
    assert_eq!(engine.stats().members, 2);
    // With their own they are welcome.
    engine.offer("room", "g", Guest, &own).await.unwrap();
    goes_on(&agent, &citizen, &events).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_fingerprint_never_connects() {
    let (engine, mut events, citizen, agent, _) = call().await;
    let mut liar = Client::new(3, false).await;
    let sdp = liar.offer_sdp(false).await;
    let true_one = value(&sdp, "fingerprint").to_owned();
    let last = if true_one.ends_with('0') { "1" } else { "0" };
    let false_one = format!("{}{last}", &true_one[..true_one.len() - 1]);
    let sdp = sdp.replace(&true_one, &false_one);
    let answer = engine.offer("room", "g", Guest, &sdp).await.unwrap();
    liar.accept(&answer).await;
    let reason = events.ended("g").await;
    assert!(
        matches!(
            reason,
            EndReason::NeverConnected | EndReason::Failed | EndReason::Closed
        ),
        "{reason:?}"
    );
    assert!(
        !events
            .seen
            .iter()
            .any(|e| matches!(e, MediaEvent::Connected { member, .. } if member == "g")),
        "it was let in"
    );
    assert!(liar.received().is_empty(), "it heard something");
    goes_on(&agent, &citizen, &events).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn codecs_that_the_room_does_not_speak_are_named() {
    let (engine, events, citizen, agent, _) = call().await;
    let good = Client::new(3, false).await.offer_sdp(false).await;
    for (sdp, kind) in [
        (good.replace("VP8", "AV1"), "video"),
        (good.replace("opus", "PCMU"), "audio"),
    ] {
        let error = engine.offer("room", "g", Guest, &sdp).await.unwrap_err();
        assert_eq!(error.code(), "codec_unsupported");
        assert!(error.to_string().contains(kind), "{error}");
    }
    assert_eq!(engine.stats().members, 2);
    goes_on(&agent, &citizen, &events).await;
}
