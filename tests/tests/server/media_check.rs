//! How a page reaches the media port, and how often it may try: relay credentials, the check before a call, the echo, offers.

use crate::peer;
use domain::limits;
use futures::{SinkExt as _, StreamExt as _};
use it::{
    PATIENCE,
    county::{County, Node, Target},
    http::Http,
    people::{Citizen, staff},
};
use media::{Engine as _, EngineStats};
use protocol::{CheckAnswer, IceServers, Problem};
use serde_json::{Value, json};
use signaling::config::Secret;
use std::time::Instant;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _, http::HeaderValue},
};
use webrtc::peer_connection::{RTCPeerConnectionState, RTCSessionDescription};

const RELAY: &str = "turn:relay.example:3478?transport=udp";

async fn one() -> (County, Node) {
    let county = County::new(Target::Sqlite).await;
    let node = county.start("a").await;
    (county, node)
}

fn stats(node: &Node) -> EngineStats {
    node.app().media.engine().unwrap().stats()
}

/// An offer that nobody could answer.
async fn nonsense(http: &Http) -> Problem {
    http.post::<Value>("/media/check", json!({"sdp": "v=0"}))
        .await
        .unwrap_err()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_connects_alone_and_nothing_stays() {
    let (county, node) = one().await;
    let mut page = peer::Client::new(1, false).await;
    let sdp = page.offer_sdp(false).await;
    let a: CheckAnswer = node
        .http()
        .post("/media/check", json!({"sdp": sdp}))
        .await
        .unwrap();
    let udp: String = a
        .sdp
        .lines()
        .filter(|l| !l.contains(" tcp "))
        .map(|l| format!("{l}\r\n"))
        .collect();
    page.pc
        .set_remote_description(RTCSessionDescription::answer(udp).unwrap())
        .await
        .unwrap();
    let connected = |s: &RTCPeerConnectionState| *s == RTCPeerConnectionState::Connected;
    tokio::time::timeout(PATIENCE, page.state.wait_for(connected))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stats(&node).rooms, 1);
    // Nobody hears it, and no row knows of it: the heartbeat renews the leases of calls alone.
    assert!(page.received().is_empty());
    assert_eq!(
        node.sql("UPDATE leases SET name = name WHERE name LIKE 'room:%'")
            .await,
        0
    );
    page.close().await;
    let start = Instant::now();
    while stats(&node).rooms > 0 {
        assert!(start.elapsed() < PATIENCE, "the room outlives its page");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    county.close(node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_tries_too_often_waits_and_costs_nobody_else() {
    let (county, node) = one().await;
    let (a, b) = (Citizen::arrive(&node).await, Citizen::arrive(&node).await);
    for _ in 0..limits::CHECKS_PER_MIN {
        assert_eq!(nonsense(&a.http).await.code, "sdp_invalid");
    }
    let p = nonsense(&a.http).await;
    assert_eq!(
        (p.status, p.code.as_str(), p.retry_after),
        (429, "slow_down", Some(1))
    );
    for _ in 0..limits::STRANGERS_PER_MIN {
        assert_eq!(nonsense(&node.http()).await.code, "sdp_invalid");
    }
    assert_eq!(nonsense(&node.http()).await.code, "slow_down");
    // Neither the first nor all strangers together take from the second; and refused offers hold no room.
    assert_eq!(nonsense(&b.http).await.code, "sdp_invalid");
    assert_eq!(stats(&node).rooms, 0);
    let long = "a".repeat(limits::WS_MESSAGE_BYTES / 2 + 1);
    let p = b
        .http
        .post::<Value>("/media/check", json!({"sdp": long}))
        .await
        .unwrap_err();
    assert_eq!(p.code, "too_large");
    county.close(node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_have_a_share_of_the_rooms() {
    let (county, node) = one().await;
    let mut page = peer::Client::new(1, false).await;
    let offer = json!({"sdp": page.offer_sdp(false).await});
    let stranger = node.http();
    for _ in 0..limits::STRANGERS_ROOMS {
        let a = stranger.post::<CheckAnswer>("/media/check", &offer);
        a.await.unwrap();
    }
    let p = stranger.post::<Value>("/media/check", &offer).await;
    assert_eq!(p.unwrap_err().code, "slow_down");
    assert_eq!(stats(&node).rooms, limits::STRANGERS_ROOMS as u64);
    let citizen = Citizen::arrive(&node).await;
    let a = citizen.http.post::<CheckAnswer>("/media/check", &offer);
    a.await.unwrap();
    page.close().await;
    county.close(node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_offers_into_calls_too_often_waits_and_costs_nobody_else() {
    let (county, node) = one().await;
    let (mut a, mut b) = (Citizen::arrive(&node).await, Citizen::arrive(&node).await);
    let (mine, theirs) = (a.queue().await.id, b.queue().await.id);
    let bad = || "v=0".to_owned();
    for _ in 0..limits::OFFERS_PER_MIN {
        let p = a.line.offer(&mine, bad()).await.unwrap_err();
        assert_eq!(p.code, "sdp_invalid");
    }
    let p = a.line.offer(&mine, bad()).await.unwrap_err();
    assert_eq!(
        (p.status, p.code.as_str(), p.retry_after),
        (429, "slow_down", Some(1))
    );
    // The other one's offers are their own, and so is a check before a call.
    let p = b.line.offer(&theirs, bad()).await.unwrap_err();
    assert_eq!(p.code, "sdp_invalid");
    assert_eq!(nonsense(&a.http).await.code, "sdp_invalid");
    assert_eq!(stats(&node).rooms, 0);
    county.close(node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_are_for_callers_and_say_not_who_they_are() {
    let county = County::new(Target::Sqlite).await;
    let node = county
        .start_with("a", |c| {
            c.media.turn.urls = vec![RELAY.into()];
            c.media.turn.secret = Secret::new("s".repeat(40));
            c.media.turn.ttl_s = 900;
        })
        .await;
    let p = node
        .http()
        .get::<Value>("/media/ice-servers")
        .await
        .unwrap_err();
    assert_eq!((p.status, p.code.as_str()), (401, "signed_out"));

    let citizen = Citizen::arrive(&node).await;
    let agent = staff(&node, "agent1").await;
    let mut names = vec![];
    for http in [&citizen.http, &citizen.http, &agent] {
        let s: IceServers = http.get("/media/ice-servers").await.unwrap();
        assert_eq!((s.ttl_s, s.ice_servers.len()), (900, 1));
        let relay = &s.ice_servers[0];
        assert_eq!(relay.urls, [RELAY]);
        let name = relay.username.clone().unwrap();
        assert!(!name.contains(&citizen.visit) && !name.contains("agent1"));
        names.push(name.split_once(':').unwrap().1.to_owned());
    }
    // The relay counts one caller's allocations, and tells callers apart.
    assert!(names[0] == names[1] && names[1] != names[2], "{names:?}");

    // A stranger's end with the check; and to the relay all strangers are one, who has one quota.
    let mut strangers = vec![];
    for _ in 0..2 {
        let s: IceServers = node.http().get("/media/check").await.unwrap();
        assert_eq!(s.ttl_s * 1_000_000, limits::CHECK_CREDENTIAL_LIFE.0);
        let name = s.ice_servers[0].username.clone().unwrap();
        strangers.push(name.split_once(':').unwrap().1.to_owned());
    }
    assert_eq!(strangers[0], strangers[1]);
    assert!(!names.contains(&strangers[0]));
    // A visit that is over is nobody's.
    let _: Value = citizen
        .http
        .post(&format!("/visits/{}/end", citizen.visit), json!({}))
        .await
        .unwrap();
    for path in ["/media/ice-servers", "/media/check"] {
        let p = citizen.http.get::<Value>(path).await.unwrap_err();
        assert_eq!(p.code, "visit_ended", "{path}");
    }
    county.close(node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_relay_the_list_is_empty() {
    let (county, node) = one().await;
    let s: IceServers = node.http().get("/media/check").await.unwrap();
    assert!(s.ice_servers.is_empty() && s.ttl_s > 0);
    county.close(node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_echo_says_back_a_few_short_words() {
    let (county, node) = one().await;
    let url = format!("{}/ws/check", node.base.replacen("http", "ws", 1));
    let (mut line, _) = connect_async(&url).await.unwrap();
    for n in 0..limits::ECHO_MESSAGES {
        line.send(Message::text(n.to_string())).await.unwrap();
        let said = line.next().await.unwrap().unwrap();
        assert_eq!(said.into_text().unwrap().as_str(), n.to_string());
    }
    let last = line.next().await.unwrap().unwrap();
    assert!(last.is_close(), "{last:?}");

    let (mut line, _) = connect_async(&url).await.unwrap();
    line.send(Message::text("x".repeat(limits::ECHO_BYTES + 1)))
        .await
        .unwrap();
    // No echo: the connection ends.
    assert!(!matches!(
        line.next().await,
        Some(Ok(Message::Text(_) | Message::Binary(_)))
    ));

    let mut request = url.into_client_request().unwrap();
    request
        .headers_mut()
        .insert("origin", HeaderValue::from_static("https://evil.example"));
    match connect_async(request).await {
        Err(Error::Http(r)) => assert_eq!(r.status(), 403),
        other => panic!("{:?}", other.map(|_| ())),
    }
    county.close(node).await;
}
