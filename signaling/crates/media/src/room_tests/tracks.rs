//! Codecs of a room, and several pictures of one member.

use super::*;
use crate::event::{Slot, Source};
use Codec::{H264, Vp8};

const BOTH: &[(Codec, u8)] = &[(Vp8, 96), (H264, 102)];
const ONLY_H264: &[(Codec, u8)] = &[(H264, 125)];
/// The first packet of a keyframe: parameters, and the picture.
const IDR: &[u8] = &[0x67, 0x42, 0xe0, 0x1f];

impl Bench {
    async fn join_as(&self, member: &str, role: MemberRole, video: &[(Codec, u8)]) -> Peer {
        self.offer(member, role, offer(member, 5, video, &[]))
            .await
            .unwrap();
        let (leg, sink) = self.fakes.made.lock().unwrap().last().cloned().unwrap();
        sink.on_connected();
        Peer { leg, sink }
    }

    async fn asked_to_renegotiate(&self) -> Vec<String> {
        let events = self.events().await.into_iter();
        let asked = events.filter_map(|e| match e {
            MediaEvent::Renegotiate { member, .. } => Some(member),
            _ => None,
        });
        asked.collect()
    }
}

/// What a member is told of others' papers and screens, if anything: m-line, member, source.
fn shown(events: &[MediaEvent], to: &str) -> Option<Vec<(String, String, Source)>> {
    let slots = events.iter().rev().find_map(|e| match e {
        MediaEvent::Slots { member, slots, .. } if member == to => Some(slots),
        _ => None,
    })?;
    let shown = slots.iter().filter(|s| s.source != Source::Camera);
    let one = |s: &Slot| (s.mid.clone(), s.member.clone(), s.source);
    Some(shown.map(one).collect())
}

impl Peer {
    /// Payload types of what arrived in a slot.
    fn numbers(&self, slot: usize) -> Vec<u8> {
        let sent = self.leg.sent.lock().unwrap();
        let of = sent.iter().filter(|(s, _)| *s == slot);
        of.map(|(_, p)| p.header.payload_type).collect()
    }
}

#[tokio::test]
async fn who_has_no_codec_in_common_is_told_what_the_room_needs_and_may_come_with_voice_alone() {
    let b = Bench::new();
    b.join_as("c", Citizen, VP8).await;
    b.join_as("a", Agent, BOTH).await;
    b.events().await;
    let refused = b.offer("g", MemberRole::Guest, offer("g", 5, ONLY_H264, &[]));
    assert_eq!(refused.await, Err(MediaError::CodecNeeded(Vp8)));
    assert_eq!(b.room.count().0, 2);
    assert!(b.events().await.is_empty(), "nothing has changed");

    let mut voice = offer("g", 1, &[], &[]);
    voice.sections.truncate(1);
    b.offer("g", MemberRole::Guest, voice).await.unwrap();
    assert_eq!(b.room.count().0, 3);
    assert!(b.asked_to_renegotiate().await.is_empty());
}

#[tokio::test]
async fn a_room_moves_to_the_codec_that_all_have_and_everybody_is_asked_once() {
    let b = Bench::new();
    b.room.set_live(true);
    let citizen = b.join_as("c", Citizen, BOTH).await;
    let agent = b.join_as("a", Agent, BOTH).await;
    citizen.key(10);
    assert_eq!(agent.numbers(1), [96]);
    assert!(b.asked_to_renegotiate().await.is_empty());

    let guest = b.join_as("g", MemberRole::Guest, ONLY_H264).await;
    assert_eq!(b.asked_to_renegotiate().await, ["c", "a"]);
    assert_eq!(*guest.leg.preferred.lock().unwrap(), [H264]);
    // Until the citizen's page has answered, the guest gets none of what it cannot decode, and asks for nothing.
    let before = citizen.plis();
    citizen.key(11);
    assert_eq!(agent.numbers(1), [96, 96]);
    assert!(guest.numbers(1).is_empty());
    assert_eq!(citizen.plis(), before);

    b.offer("c", Citizen, offer("c", 5, BOTH, &[]))
        .await
        .unwrap();
    assert_eq!(*citizen.leg.preferred.lock().unwrap(), [Vp8, H264]);
    citizen.coded(Lane::Camera, H264, 12, &[0x61, 0x9a]);
    citizen.coded(Lane::Camera, H264, 13, IDR);
    citizen.coded(Lane::Camera, H264, 14, &[0x61, 0x9a]);
    // Each page by its own numbers, from the keyframe on, without a hole.
    assert_eq!(agent.numbers(1), [96, 96, 102, 102]);
    assert_eq!(guest.numbers(1), [125, 125]);
    let numbers: Vec<u16> = agent.got().iter().map(|(_, n)| *n).collect();
    assert_eq!(numbers, [10, 11, 12, 13]);
    // A repetition is what was sent, under the number that it was sent with.
    agent.sink.on_lost(1, &[13]);
    assert_eq!(agent.numbers(1), [96, 96, 102, 102, 102]);

    assert!(b.asked_to_renegotiate().await.is_empty());
    b.room.leave("g");
    b.join_as("d", MemberRole::Guest, BOTH).await;
    assert!(b.asked_to_renegotiate().await.is_empty(), "it stays");
}

#[tokio::test]
async fn a_second_picture_goes_to_the_office_alone_and_leaves_the_first_as_it_was() {
    let b = Bench::new();
    b.room.set_live(true);
    let citizen = b.join("c", Citizen).await;
    let agent = b.join("a", Agent).await;
    let guest = b.join("g", MemberRole::Guest).await;
    let colleague = b.join("k", MemberRole::Colleague).await;
    citizen.key(10);
    b.events().await;
    let shows = || offer("c", 5, VP8, &[Lane::Document]);
    b.offer("c", Citizen, shows()).await.unwrap();
    assert_eq!(b.fakes.made.lock().unwrap().len(), 4, "the same connection");
    let document = [("9".to_owned(), "c".to_owned(), Source::Document)];
    let events = b.events().await;
    assert_eq!(shown(&events, "a").unwrap(), document);
    assert_eq!(shown(&events, "k").unwrap(), document);
    assert_eq!(shown(&events, "g"), None, "nothing has changed for them");

    citizen.rtp(Lane::Document, 501, &[0x10, 0x00]);
    citizen.delta(11);
    // Slot 9 is the last line of pictures; the camera goes on in slot 1.
    assert_eq!(agent.got(), [(1, 10), (9, 501), (1, 11)]);
    assert_eq!(colleague.got(), [(1, 10), (9, 501), (1, 11)]);
    assert_eq!(guest.got(), [(1, 10), (1, 11)]);

    // Who cannot decode the document has the document's keyframe asked for, and gets the document again.
    agent.sink.on_lost(9, &[501]);
    assert_eq!(agent.got().last(), Some(&(9, 501)));
    // The line's opening has asked for one already.
    tokio::time::sleep(KEYFRAME_GAP).await;
    citizen.leg.asked.lock().unwrap().clear();
    agent.sink.on_keyframe_wanted(9);
    assert_eq!(*citizen.leg.asked.lock().unwrap(), [Lane::Document]);

    // The camera off does not take the document away; the rung of sound takes both.
    b.room.set_media(
        "c",
        SentMedia {
            mic: true,
            camera: false,
        },
    );
    citizen.key(12);
    citizen.rtp(Lane::Document, 502, &[0x10, 0x01]);
    assert_eq!(agent.got().last(), Some(&(9, 502)));
    b.room.set_carried(SentMedia {
        mic: true,
        camera: false,
    });
    let before = agent.got().len();
    citizen.rtp(Lane::Document, 503, &[0x10, 0x00]);
    assert_eq!(agent.got().len(), before);
    b.room.set_carried(SentMedia::default());

    // Taken away: the line is free, and what still comes reaches nobody.
    let before = agent.got().len();
    b.offer("c", Citizen, offer("c", 5, VP8, &[]))
        .await
        .unwrap();
    citizen.rtp(Lane::Document, 504, &[0x10, 0x00]);
    assert_eq!(agent.got().len(), before);
    assert_eq!(shown(&b.events().await, "a").unwrap(), []);
}

#[tokio::test]
async fn where_lines_are_few_people_go_before_papers() {
    let b = Bench::new();
    b.offer("c", Citizen, offer("c", 2, VP8, &[Lane::Document]))
        .await
        .unwrap();
    // Two lines of pictures: one person and the document.
    b.offer("a", Agent, offer("a", 2, VP8, &[])).await.unwrap();
    let document = [("3".to_owned(), "c".to_owned(), Source::Document)];
    assert_eq!(shown(&b.events().await, "a").unwrap(), document);
    b.offer("g", MemberRole::Guest, offer("g", 2, VP8, &[]))
        .await
        .unwrap();
    let map = b.map_of("a").await;
    assert_eq!(
        map,
        [("0", "c"), ("1", "c"), ("2", "g"), ("3", "g")].map(|(m, w)| (m.into(), w.into()))
    );
    b.room.leave("g");
    assert_eq!(shown(&b.events().await, "a").unwrap(), document);
}
