//! Calls between real WebRTC clients over the engine's ports, on loopback.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Client, PATIENCE, start};
use media::MemberRole::{Agent, Citizen, Guest};
use media::{EndReason, Engine, Kind, MediaConfig, MediaEvent};
use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_members_hear_and_see_each_other_over_one_port() {
    let (engine, mut events) = start(MediaConfig {
        quality_every: Duration::from_millis(700),
        ..MediaConfig::default()
    })
    .await;
    let mut citizen = Client::new(1, false).await;
    let mut agent = Client::new(2, false).await;
    citizen.join(&engine, "room", "c", Citizen).await;
    agent.join(&engine, "room", "a", Agent).await;
    events.connected("c").await;
    events.connected("a").await;
    engine.set_forwarding("room", true).await.unwrap();

    let at_agent = agent.hears(1, 30).await;
    citizen.hears(2, 30).await;
    // The map said where it would arrive.
    let slots = events.slots("a", "c").await;
    for kind in [Kind::Audio, Kind::Video] {
        let mid = &slots
            .iter()
            .find(|s| s.kind == kind && s.member == "c")
            .unwrap()
            .mid;
        let arrived: HashSet<_> = at_agent
            .iter()
            .filter(|g| g.kind == kind)
            .map(|g| g.mid.clone())
            .collect();
        assert_eq!(arrived, HashSet::from([mid.clone()]));
    }
    let first_video = at_agent.iter().find(|g| g.kind == Kind::Video).unwrap();
    assert_eq!(
        first_video.packet.payload[1] & 1,
        0,
        "video starts at a keyframe"
    );
    assert!(at_agent.iter().all(|g| !g.packet.header.extension));

    let quality = events
        .wait(|e| matches!(e, MediaEvent::Quality { member, .. } if member == "c"))
        .await;
    let MediaEvent::Quality {
        loss_pct,
        jitter_ms,
        ..
    } = quality
    else {
        unreachable!()
    };
    assert!(loss_pct < 50.0 && jitter_ms < 500.0);
    events
        .wait(|e| matches!(e, MediaEvent::Quality { rtt_ms: Some(ms), .. } if *ms < 2_000.0))
        .await;
    let stats = engine.stats();
    assert_eq!((stats.rooms, stats.members, stats.connected), (1, 2, 2));
    assert!(stats.rtp_out > 60 && stats.datagrams_in > 60);
    assert_eq!(stats.tcp_accepted, 0);

    // A page's goodbye is noticed long before the silence.
    let before = Instant::now();
    citizen.close().await;
    assert_eq!(events.ended("c").await, EndReason::Closed);
    assert!(before.elapsed() < Duration::from_secs(5));
    engine.leave("room", "a").await;
    assert_eq!(events.ended("a").await, EndReason::Left);
    engine.close_room("room").await;
    assert_eq!(engine.stats().rooms, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_room_is_silent_and_starts_with_a_keyframe_when_it_goes_live() {
    let (engine, mut events) = start(MediaConfig::default()).await;
    let mut citizen = Client::new(1, false).await;
    let mut agent = Client::new(2, false).await;
    citizen.join(&engine, "room", "c", Citizen).await;
    agent.join(&engine, "room", "a", Agent).await;
    events.connected("c").await;
    events.connected("a").await;
    // Both have been sending for a while: wait until the engine has seen it, then nobody has heard it.
    tokio::time::timeout(PATIENCE, async {
        while engine.stats().rtp_in < 50 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
    assert_eq!(engine.stats().rtp_out, 0);
    assert!(citizen.received().is_empty() && agent.received().is_empty());
    let asked = citizen.plis.load(Ordering::SeqCst);

    engine.set_forwarding("room", true).await.unwrap();
    let got = agent.hears(1, 1).await;
    assert_eq!(
        got.iter()
            .find(|g| g.kind == Kind::Video)
            .unwrap()
            .packet
            .payload[1]
            & 1,
        0
    );
    assert!(
        citizen.plis.load(Ordering::SeqCst) > asked,
        "a keyframe was asked for"
    );

    engine.set_forwarding("room", false).await.unwrap();
    let out = engine.stats().rtp_out;
    let seen = engine.stats().rtp_in;
    tokio::time::timeout(PATIENCE, async {
        while engine.stats().rtp_in < seen + 50 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
    assert!(
        engine.stats().rtp_out <= out + 2,
        "what was under way at most"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_works_over_tcp_alone() {
    let (engine, mut events) = start(MediaConfig {
        udp: false,
        ..MediaConfig::default()
    })
    .await;
    let mut citizen = Client::new(1, true).await;
    let mut agent = Client::new(2, true).await;
    citizen.join(&engine, "room", "c", Citizen).await;
    agent.join(&engine, "room", "a", Agent).await;
    events.connected("c").await;
    events.connected("a").await;
    engine.set_forwarding("room", true).await.unwrap();
    agent.hears(1, 20).await;
    citizen.hears(2, 20).await;
    let stats = engine.stats();
    assert!(stats.tcp_accepted >= 2);
    assert_eq!(stats.datagrams_in, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_vanishes_is_noticed_and_may_come_back() {
    let silence = Duration::from_secs(4);
    let (engine, mut events) = start(MediaConfig {
        silence,
        ..MediaConfig::default()
    })
    .await;
    engine.set_forwarding("room", true).await.unwrap();
    let mut citizen = Client::new(1, false).await;
    let mut agent = Client::new(2, false).await;
    let mut guest = Client::new(3, false).await;
    citizen.join(&engine, "room", "c", Citizen).await;
    agent.join(&engine, "room", "a", Agent).await;
    guest.join(&engine, "room", "g", Guest).await;
    for who in ["c", "a", "g"] {
        events.connected(who).await;
    }
    agent.hears(1, 5).await;

    citizen.vanish();
    let gone = Instant::now();
    // The others are told before it is given up.
    events
        .wait(|e| matches!(e, MediaEvent::Quiet { member, .. } if member == "c"))
        .await;
    assert!(gone.elapsed() < silence);
    assert_eq!(events.ended("c").await, EndReason::Silent);
    assert!(gone.elapsed() >= silence - Duration::from_millis(500) && gone.elapsed() < silence * 3);
    // The absent reader held nobody up.
    agent.forget();
    agent.hears(3, 20).await;
    let before = agent.received();
    let last = |mid: &str, got: &[common::Got]| {
        got.iter()
            .rev()
            .find(|g| g.mid == mid)
            .map(|g| g.packet.header.clone())
    };

    // A new page, another peer connection, the same member: the slot is the same one.
    events.seen.clear();
    let slot = before
        .iter()
        .find(|g| g.kind == Kind::Audio && g.packet.payload.last() == Some(&3))
        .unwrap()
        .mid
        .clone();
    let mut again = Client::new(4, false).await;
    again.join(&engine, "room", "c", Citizen).await;
    events.connected("c").await;
    again.hears(2, 5).await;
    let got = agent.hears(4, 20).await;
    let mids: HashSet<_> = got
        .iter()
        .filter(|g| g.kind == Kind::Audio && g.packet.payload.last() == Some(&4))
        .map(|g| g.mid.clone())
        .collect();
    assert_eq!(mids.len(), 1);
    assert!(!mids.contains(&slot), "the guest's slot stays the guest's");
    assert!(last(&slot, &got).is_some());

    // A second page of the same member takes over from the first at once.
    let mut third = Client::new(5, false).await;
    third.join(&engine, "room", "c", Citizen).await;
    assert_eq!(events.ended("c").await, EndReason::Replaced);
    events.connected("c").await;
    let got = agent.hears(5, 10).await;
    let numbers: Vec<u16> = got
        .iter()
        .filter(|g| g.kind == Kind::Audio && g.packet.payload.last() >= Some(&4))
        .map(|g| g.packet.header.sequence_number)
        .collect();
    assert!(
        numbers.windows(2).all(|w| w[1].wrapping_sub(w[0]) < 100),
        "numbers go on across the change"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_video_packets_are_sent_again() {
    let (engine, mut events) = start(MediaConfig::default()).await;
    engine.set_forwarding("room", true).await.unwrap();
    let mut citizen = Client::new(1, false).await;
    let mut agent = Client::new(2, false).await;
    citizen.join(&engine, "room", "c", Citizen).await;
    agent.join(&engine, "room", "a", Agent).await;
    agent.hears(1, 10).await;
    events.connected("a").await;
    agent.lose_every.store(10, Ordering::SeqCst);
    agent.forget();
    let got = agent.hears(1, 300).await;
    let span = |kind| {
        let numbers: Vec<u16> = got
            .iter()
            .filter(|g| g.kind == kind)
            .map(|g| g.packet.header.sequence_number)
            .collect();
        let first = numbers[0];
        let distinct: HashSet<u16> = numbers
            .iter()
            .map(|n| n.wrapping_sub(first))
            .filter(|n| *n < 250)
            .collect();
        distinct.len()
    };
    assert!(
        span(Kind::Audio) < 240,
        "one in ten was lost: {}",
        span(Kind::Audio)
    );
    assert!(
        span(Kind::Video) > 245,
        "and for video sent again: {}",
        span(Kind::Video)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_address_may_be_bound_and_one_reached() {
    let mut config = MediaConfig::new("0.0.0.0:0".parse().unwrap());
    let (engine, _events) = start(config.clone()).await;
    let candidates = |answer: &str| -> HashSet<String> {
        let words = answer.lines().filter(|l| l.starts_with("a=candidate:"));
        words
            .map(|l| l.split(' ').nth(4).unwrap().to_owned())
            .collect()
    };
    let mut citizen = Client::new(1, false).await;
    let sdp = citizen.offer_sdp(false).await;
    let found = candidates(&engine.offer("room", "c", Citizen, &sdp).await.unwrap());
    assert!(found.len() == 1 && !found.contains("0.0.0.0"), "{found:?}");

    config.public_ips = vec!["203.0.113.9".parse().unwrap(), "127.0.0.1".parse().unwrap()];
    let (engine, mut more) = start(config).await;
    let answer = engine.offer("room", "c", Citizen, &sdp).await.unwrap();
    assert_eq!(
        candidates(&answer),
        HashSet::from(["203.0.113.9", "127.0.0.1"].map(String::from))
    );
    // The unreachable first one does not keep a client from the second.
    let mut agent = Client::new(2, false).await;
    agent.join(&engine, "room", "a", Agent).await;
    more.connected("a").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ice_restart_keeps_the_connection() {
    let (engine, mut events) = start(MediaConfig::default()).await;
    engine.set_forwarding("room", true).await.unwrap();
    let mut citizen = Client::new(1, false).await;
    let mut agent = Client::new(2, false).await;
    citizen.join(&engine, "room", "c", Citizen).await;
    agent.join(&engine, "room", "a", Agent).await;
    agent.hears(1, 10).await;
    citizen.hears(2, 10).await;

    citizen.negotiate(&engine, "room", "c", Citizen, true).await;
    agent.forget();
    citizen.forget();
    agent.hears(1, 50).await;
    citizen.hears(2, 50).await;
    events.connected("c").await;
    engine.leave("room", "c").await;
    assert_eq!(
        events.ended("c").await,
        EndReason::Left,
        "the restart did not end it"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_offers_are_refused_and_leave_nothing_behind() {
    let (engine, _events) = start(MediaConfig::default()).await;
    let good = Client::new(1, false).await.offer_sdp(false).await;
    for (sdp, code) in [
        (String::new(), "sdp_invalid"),
        ("v=0\r\n".repeat(3), "sdp_invalid"),
        ("x".repeat(1_000_000), "sdp_invalid"),
        (
            good.lines()
                .filter(|l| !l.starts_with("a=fingerprint"))
                .collect::<Vec<_>>()
                .join("\r\n"),
            "sdp_invalid",
        ),
        (good.replace("VP8", "VP9"), "codec_unsupported"),
        (good.replace("opus", "PCMA"), "codec_unsupported"),
        (
            good.replace("a=fingerprint:sha-256 ", "a=fingerprint:sha-256 zz "),
            "sdp_invalid",
        ),
    ] {
        let error = engine.offer("room", "c", Citizen, &sdp).await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert_eq!(engine.stats().rooms, 0, "{code}");
    }
    // Every truncation and many mutations: an answer or an error, never a panic.
    let lines: Vec<&str> = good.lines().collect();
    for n in (0..lines.len()).step_by(lines.len() / 12) {
        let _ = engine
            .offer("cut", "c", Citizen, &lines[..n].join("\r\n"))
            .await;
        let mut mangled = lines.clone();
        mangled[n] = "a=ssrc-group:FID";
        let _ = engine
            .offer("cut", "c", Citizen, &mangled.join("\r\n"))
            .await;
    }
    let long = "x".repeat(100);
    assert_eq!(
        engine
            .offer(&long, "c", Citizen, &good)
            .await
            .unwrap_err()
            .code(),
        "media_unavailable"
    );
    engine.close_room("cut").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_of_connections_that_ended() {
    let (engine, mut events) = start(MediaConfig::default()).await;
    engine.set_forwarding("room", true).await.unwrap();
    for round in 0..4 {
        let mut citizen = Client::new(1, round % 2 == 1).await;
        let mut agent = Client::new(2, false).await;
        citizen.join(&engine, "room", "c", Citizen).await;
        agent.join(&engine, "room", "a", Agent).await;
        agent.hears(1, 3).await;
        engine.leave("room", "c").await;
        events.ended("c").await;
        engine.leave("room", "a").await;
        events.ended("a").await;
        assert_eq!(engine.stats().members, 0);
    }
    // A page that goes away while its offer is being answered.
    let sdp = Client::new(3, false).await.offer_sdp(false).await;
    let _ = tokio::time::timeout(Duration::ZERO, engine.offer("room", "c", Citizen, &sdp)).await;
    let refused = sdp
        .replace("a=setup:actpass", "a=setup:actpass\r\na=ssrc-group:FID")
        .replace("sha-256", "sha-999");
    let _ = engine.offer("room", "d", Citizen, &refused).await;
    engine.close_room("room").await;
    tokio::time::timeout(PATIENCE, async {
        while engine.stats().connections > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
    assert_eq!(engine.stats().rooms, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_that_is_never_followed_up_is_given_up() {
    let config = MediaConfig {
        connect_timeout: Duration::from_secs(1),
        ..MediaConfig::default()
    };
    let (engine, mut events) = start(config).await;
    let sdp = Client::new(1, false).await.offer_sdp(false).await;
    engine.offer("room", "c", Citizen, &sdp).await.unwrap();
    assert_eq!(events.ended("c").await, EndReason::NeverConnected);
}

#[tokio::test]
async fn a_taken_port_and_a_wrong_address_are_clear_errors() {
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let config = MediaConfig::new(taken.local_addr().unwrap());
    assert_eq!(
        media::MediaEngine::start(config)
            .await
            .err()
            .unwrap()
            .code(),
        "media_unavailable"
    );
    let config = MediaConfig::new("[::1]:0".parse().unwrap());
    assert_eq!(
        media::MediaEngine::start(config)
            .await
            .err()
            .unwrap()
            .code(),
        "media_unavailable"
    );
}
