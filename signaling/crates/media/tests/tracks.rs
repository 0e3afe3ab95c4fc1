//! One video codec a room and several pictures of one member, with real WebRTC clients over the engine's ports.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Client, number_of, start};
use media::MemberRole::{Agent, Citizen, Guest};
use media::record::Codec::{self, H264, Vp8};
use media::{Engine, Kind, MediaConfig, MediaError, MediaEvent, SentTrack, Source};
use std::collections::HashSet;

/// Nothing but the camera and the microphone.
async fn plain(_: &Client) -> Vec<SentTrack> {
    Vec::new()
}

async fn with_document(client: &Client) -> Vec<SentTrack> {
    vec![
        SentTrack {
            mid: "1".into(),
            source: Source::Camera,
        },
        SentTrack {
            mid: client.document_line().await,
            source: Source::Document,
        },
    ]
}

fn pictures<'a>(
    got: &'a [common::Got],
    mark: u8,
) -> impl Iterator<Item = &'a common::Got> + use<'a> {
    got.iter()
        .filter(move |g| g.kind == Kind::Video && g.packet.payload.last() == Some(&mark))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_pages_without_a_common_codec_do_not_meet_and_the_second_is_told_why() {
    let (engine, mut events) = start(MediaConfig::default()).await;
    engine.set_forwarding("room", true).await.unwrap();
    for (first, second) in [(Vp8, H264), (H264, Vp8)] {
        let mut citizen = Client::knowing(1, &[first]).await;
        citizen.join(&engine, "room", "c", Citizen).await;
        events.connected("c").await;
        let mut agent = Client::knowing(2, &[second]).await;
        let refused = agent
            .offer_showing(&engine, "room", "a", Agent, plain)
            .await;
        let error = refused.unwrap_err();
        assert_eq!(error, MediaError::CodecNeeded(first));
        assert_eq!(error.code(), "codec_unsupported");
        assert_eq!(engine.stats().members, 1);
        engine.leave("room", "c").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_moves_to_h264_for_who_has_nothing_else() {
    let (engine, mut events) = start(MediaConfig::default()).await;
    engine.set_forwarding("room", true).await.unwrap();
    let both: &[Codec] = &[Vp8, H264];
    let mut citizen = Client::knowing(1, both).await;
    let mut agent = Client::knowing(2, both).await;
    citizen.join(&engine, "room", "c", Citizen).await;
    agent.join(&engine, "room", "a", Agent).await;
    let got = agent.hears(1, 10).await;
    let numbers = |got: &[common::Got]| -> HashSet<u8> {
        pictures(got, 1)
            .map(|g| g.packet.header.payload_type)
            .collect()
    };
    assert_eq!(numbers(&got), HashSet::from([number_of(Vp8, 2)]));

    // Somebody joins who knows H.264 alone: both are asked to offer again, and what they send changes within the same stream.
    let mut guest = Client::knowing(3, &[H264]).await;
    guest.join(&engine, "room", "g", Guest).await;
    for who in ["c", "a"] {
        events
            .wait(|e| matches!(e, MediaEvent::Renegotiate { member, .. } if member == who))
            .await;
    }
    citizen
        .negotiate(&engine, "room", "c", Citizen, false)
        .await;
    agent.negotiate(&engine, "room", "a", Agent, false).await;
    let h264 = |g: &&common::Got| g.packet.header.payload_type == number_of(H264, 3);
    let got = guest
        .until("H.264 of the citizen", |got| {
            pictures(got, 1).filter(h264).count() >= 10
        })
        .await;
    assert_eq!(numbers(&got), HashSet::from([number_of(H264, 3)]));
    let first = pictures(&got, 1).next().unwrap();
    assert_eq!(
        first.packet.payload[3] & 0x1f,
        7,
        "it begins with parameters"
    );
    // The agent, who had VP8, sees it go on in the same line and stream, in order.
    let to_agent = |g: &&common::Got| g.packet.header.payload_type == number_of(H264, 2);
    let got = agent
        .until("H.264 at the agent", |got| {
            pictures(got, 1).filter(to_agent).count() >= 10
        })
        .await;
    let lines: HashSet<_> = pictures(&got, 1).map(|g| g.mid.clone()).collect();
    let streams: HashSet<_> = pictures(&got, 1).map(|g| g.packet.header.ssrc).collect();
    assert_eq!((lines.len(), streams.len()), (1, 1));
    let count: Vec<u16> = pictures(&got, 1)
        .map(|g| g.packet.header.sequence_number)
        .collect();
    assert!(
        count.windows(2).all(|w| w[1] == w[0].wrapping_add(1)),
        "without a hole"
    );
    citizen.hears(3, 5).await;
    agent.hears(3, 5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_is_added_and_taken_away_while_the_call_goes_on() {
    let (engine, mut events) = start(MediaConfig::default()).await;
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
    agent.hears(1, 10).await;
    guest.hears(1, 10).await;
    let keyframes = |got: &[common::Got]| {
        let key = |g: &&common::Got| g.packet.payload[1] & 1 == 0;
        pictures(got, 1).filter(key).count()
    };

    events.seen.clear();
    citizen.add_document(9).await;
    citizen
        .offer_showing(&engine, "room", "c", Citizen, with_document)
        .await
        .unwrap();
    let got = agent
        .until("the document", |got| pictures(got, 9).count() >= 10)
        .await;
    let slots = events
        .wait(|e| matches!(e, MediaEvent::Slots { member, slots, .. } if member == "a" && slots.iter().any(|s| s.source == Source::Document)))
        .await;
    let MediaEvent::Slots { slots, .. } = slots else {
        unreachable!()
    };
    let line = slots.iter().find(|s| s.source == Source::Document).unwrap();
    assert_eq!((line.member.as_str(), line.kind), ("c", Kind::Video));
    let lines: HashSet<_> = pictures(&got, 9).map(|g| g.mid.clone()).collect();
    assert_eq!(lines, HashSet::from([line.mid.clone()]));
    let first = pictures(&got, 9).next().unwrap();
    assert_eq!(first.packet.payload[1] & 1, 0, "it begins at a keyframe");
    // The camera went on without a new keyframe: nobody had to begin again.
    let before = keyframes(&got);
    let got = agent
        .until("more", |got| pictures(got, 1).count() >= 60)
        .await;
    assert_eq!(keyframes(&got), before);
    let sounds = got
        .iter()
        .filter(|g| g.kind == Kind::Audio && g.packet.payload.last() == Some(&1));
    let sounds: Vec<u16> = sounds.map(|g| g.packet.header.sequence_number).collect();
    assert!(
        sounds.windows(2).all(|w| w[1] == w[0].wrapping_add(1)),
        "without a hole"
    );
    // An interpreter or a relative has nothing of it.
    assert_eq!(pictures(&guest.received(), 9).count(), 0);

    // The page still sends, but says that it shows it no more.
    citizen
        .offer_showing(&engine, "room", "c", Citizen, plain)
        .await
        .unwrap();
    events
        .wait(|e| matches!(e, MediaEvent::Slots { member, slots, .. } if member == "a" && slots.iter().all(|s| s.source == Source::Camera)))
        .await;
    agent.forget();
    agent.hears(1, 30).await;
    let late = pictures(&agent.received(), 9).count();
    assert!(late <= 1, "what was under way at most: {late}");
}
