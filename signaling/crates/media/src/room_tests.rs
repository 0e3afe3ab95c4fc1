//! Rooms with stand-in legs: no network, every packet visible.
#![allow(clippy::unwrap_used)]

use crate::codec::Payloads;
use crate::config::{KEYFRAME_GAP, MEMBERS_PER_ROOM};
use crate::counters::Counters;
use crate::error::MediaError;
use crate::event::{EndReason, Kind, MediaEvent, Outbox, SentMedia};
use crate::forward::MemberRole::{self, Agent, Citizen, Listener, Whisper};
use crate::lane::Lane;
use crate::leg::{Answer, Leg, LegSink, LegSlot, Sent, SlotReport};
use crate::record::Codec;
use crate::room::{Connector, Room};
use crate::sdp::{Offer, Section};
use async_trait::async_trait;
use rtc::rtp::{Header, Packet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

mod offers;
mod path;
mod recording;
mod tracks;

struct FakeLeg {
    waiting: Mutex<Vec<(usize, Packet)>>,
    sent: Mutex<Vec<(usize, Packet)>>,
    reports: Mutex<Vec<(usize, SlotReport)>>,
    full: AtomicBool,
    plis: AtomicUsize,
    /// Which picture was asked for a keyframe, and which codec each answer put first.
    asked: Mutex<Vec<Lane>>,
    preferred: Mutex<Vec<Codec>>,
    caps: Mutex<Vec<u32>>,
    closed: AtomicBool,
    refuse: AtomicBool,
}

#[async_trait]
impl Leg for FakeLeg {
    async fn accept_offer(&self, offer: &Offer) -> Result<Answer, MediaError> {
        if self.refuse.load(Ordering::SeqCst) {
            return Err(MediaError::SdpInvalid("refused"));
        }
        let slots = offer
            .sections
            .iter()
            .map(|s| LegSlot {
                mid: s.mid.clone(),
                kind: s.kind,
                payloads: if s.receives {
                    s.payloads
                } else {
                    Payloads::default()
                },
            })
            .collect();
        self.preferred.lock().unwrap().push(offer.prefer);
        Ok(Answer {
            sdp: "answer".into(),
            slots,
        })
    }

    fn send_rtp(&self, slot: usize, header: Header, payload: &[u8]) -> Sent {
        if self.full.load(Ordering::SeqCst) {
            return Sent::Full;
        }
        let payload = payload.to_vec().into();
        self.waiting
            .lock()
            .unwrap()
            .push((slot, Packet { header, payload }));
        Sent::Queued
    }

    fn flush(&self) {
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap());
        self.sent.lock().unwrap().extend(waiting);
    }

    fn report(&self, slot: usize, report: SlotReport) {
        self.reports.lock().unwrap().push((slot, report));
    }

    fn request_keyframe(&self, lane: Lane) -> bool {
        self.asked.lock().unwrap().push(lane);
        self.plis.fetch_add(1, Ordering::SeqCst);
        true
    }

    fn cap(&self, bitrate: u32) {
        self.caps.lock().unwrap().push(bitrate);
    }

    async fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }
}

type Made = (Arc<FakeLeg>, Arc<dyn LegSink>);

#[derive(Default)]
struct Fakes {
    made: Mutex<Vec<Made>>,
    refuse: bool,
}

#[async_trait]
impl Connector for Fakes {
    async fn connect(&self, sink: Arc<dyn LegSink>) -> Result<Arc<dyn Leg>, MediaError> {
        let leg = Arc::new(FakeLeg {
            waiting: Mutex::default(),
            sent: Mutex::default(),
            reports: Mutex::default(),
            full: AtomicBool::new(false),
            plis: AtomicUsize::new(0),
            asked: Mutex::default(),
            preferred: Mutex::default(),
            caps: Mutex::default(),
            closed: AtomicBool::new(false),
            refuse: AtomicBool::new(self.refuse),
        });
        self.made.lock().unwrap().push((leg.clone(), sink));
        Ok(leg)
    }
}

/// Payload types of a page that knows VP8 alone.
const VP8: &[(Codec, u8)] = &[(Codec::Vp8, 96)];

/// An offer with pairs of lines; what it shows besides the camera comes on lines of their own.
fn offer(identity: &str, pairs: usize, video: &[(Codec, u8)], shares: &[Lane]) -> Offer {
    let mut payloads = [Payloads::default(); 2];
    payloads[0].add(Codec::Opus, 111);
    for (codec, number) in video {
        payloads[1].add(*codec, *number);
    }
    let section = |n: usize| {
        let kind = if n.is_multiple_of(2) && n < pairs * 2 {
            Kind::Audio
        } else {
            Kind::Video
        };
        Section {
            mid: n.to_string(),
            kind,
            receives: true,
            sends: true,
            payloads: payloads[kind as usize],
            formats: Vec::new(),
        }
    };
    let lanes = [(0, Lane::Sound), (1, Lane::Camera)].into_iter();
    let more = shares.iter().enumerate().map(|(n, l)| (pairs * 2 + n, *l));
    Offer {
        sdp: String::new(),
        identity: identity.into(),
        passwords: Vec::new(),
        sections: (0..pairs * 2 + shares.len()).map(section).collect(),
        lanes: lanes.chain(more).map(|(n, l)| (n.to_string(), l)).collect(),
        prefer: Codec::Vp8,
    }
}

struct Bench {
    room: Arc<Room>,
    fakes: Fakes,
    outbox: Arc<Outbox>,
    counters: Arc<Counters>,
}

struct Peer {
    leg: Arc<FakeLeg>,
    sink: Arc<dyn LegSink>,
}

impl Bench {
    fn new() -> Self {
        let (outbox, counters) = (Arc::<Outbox>::default(), Arc::<Counters>::default());
        Self {
            room: Room::new("room", outbox.clone(), counters.clone()),
            fakes: Fakes::default(),
            outbox,
            counters,
        }
    }

    async fn try_join(
        &self,
        member: &str,
        role: MemberRole,
        identity: &str,
        pairs: usize,
    ) -> Result<(), MediaError> {
        self.offer(member, role, offer(identity, pairs, VP8, &[]))
            .await
    }

    async fn offer(&self, member: &str, role: MemberRole, offer: Offer) -> Result<(), MediaError> {
        self.room
            .offer(member, role, offer, &self.fakes)
            .await
            .map(|_| ())
    }

    async fn join(&self, member: &str, role: MemberRole) -> Peer {
        self.try_join(member, role, member, 5).await.unwrap();
        let (leg, sink) = self.fakes.made.lock().unwrap().last().cloned().unwrap();
        sink.on_connected();
        Peer { leg, sink }
    }

    /// Everything told so far.
    async fn events(&self) -> Vec<MediaEvent> {
        let (tx, mut rx) = mpsc::channel(1_000);
        let pump = tokio::spawn(self.outbox.clone().pump(tx));
        let mut events = Vec::new();
        while self.outbox.len() > 0 {
            tokio::task::yield_now().await;
        }
        while let Ok(event) = rx.try_recv() {
            events.push(event);
        }
        pump.abort();
        events
    }

    async fn map_of(&self, member: &str) -> Vec<(String, String)> {
        let events = self.events().await;
        let map = events.into_iter().rev().find_map(|e| match e {
            MediaEvent::Slots {
                member: m, slots, ..
            } if m == member => Some(slots),
            _ => None,
        });
        map.unwrap()
            .into_iter()
            .map(|s| (s.mid, s.member))
            .collect()
    }
}

impl Peer {
    fn audio(&self, n: u16) {
        self.rtp(Lane::Sound, n, &[1]);
    }

    fn key(&self, n: u16) {
        self.rtp(Lane::Camera, n, &[0x10, 0x00]);
    }

    fn delta(&self, n: u16) {
        self.rtp(Lane::Camera, n, &[0x10, 0x01]);
    }

    fn rtp(&self, lane: Lane, n: u16, payload: &'static [u8]) {
        let codec = match lane {
            Lane::Sound => Codec::Opus,
            _ => Codec::Vp8,
        };
        self.coded(lane, codec, n, payload);
    }

    fn coded(&self, lane: Lane, codec: Codec, sequence_number: u16, payload: &'static [u8]) {
        let header = Header {
            version: 2,
            sequence_number,
            ssrc: 7 + lane as u32,
            ..Header::default()
        };
        let payload = payload.into();
        self.sink.on_rtp(lane, codec, &[Packet { header, payload }]);
    }

    fn got(&self) -> Vec<(usize, u16)> {
        self.leg
            .sent
            .lock()
            .unwrap()
            .iter()
            .map(|(slot, p)| (*slot, p.header.sequence_number))
            .collect()
    }

    fn plis(&self) -> usize {
        self.leg.plis.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_held_room_forwards_nothing_and_going_live_asks_everybody_for_a_keyframe() {
    let b = Bench::new();
    let citizen = b.join("c", Citizen).await;
    let agent = b.join("a", Agent).await;
    citizen.audio(1);
    citizen.key(1);
    agent.sink.on_keyframe_wanted(1);
    assert!(agent.got().is_empty());
    assert_eq!((citizen.plis(), agent.plis()), (0, 0));

    b.room.set_live(true);
    assert_eq!((citizen.plis(), agent.plis()), (1, 1));
    citizen.audio(2);
    citizen.delta(2);
    citizen.key(3);
    citizen.delta(4);
    assert_eq!(agent.got(), [(0, 2), (1, 3), (1, 4)]);
    assert!(citizen.got().is_empty());

    b.room.set_live(false);
    citizen.key(5);
    assert_eq!(agent.got().len(), 3);
}

#[tokio::test]
async fn nothing_is_sent_to_a_leg_that_is_not_up() {
    let b = Bench::new();
    b.room.set_live(true);
    let citizen = b.join("c", Citizen).await;
    b.try_join("a", Agent, "a", 1).await.unwrap();
    let (leg, sink) = b.fakes.made.lock().unwrap().last().cloned().unwrap();
    citizen.audio(1);
    assert!(leg.sent.lock().unwrap().is_empty());
    sink.on_connected();
    citizen.audio(2);
    assert_eq!(leg.sent.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn supervisors_hear_but_are_heard_only_as_their_role_says() {
    let b = Bench::new();
    b.room.set_live(true);
    let citizen = b.join("c", Citizen).await;
    let agent = b.join("a", Agent).await;
    let supervisor = b.join("s", Listener).await;
    supervisor.audio(1);
    citizen.audio(1);
    assert_eq!(supervisor.got(), [(0, 1)]);
    assert_eq!((citizen.got(), agent.got().len()), (vec![], 1));

    b.room.set_role("s", Whisper);
    supervisor.audio(2);
    assert_eq!(agent.got().last(), Some(&(2, 2)));
    assert!(citizen.got().is_empty());
    assert_eq!(
        b.map_of("c").await,
        [("0".into(), "a".into()), ("1".into(), "a".into())]
    );
}

#[tokio::test]
async fn a_slow_leg_loses_its_own_packets_and_restarts_at_a_keyframe_without_a_hole() {
    let b = Bench::new();
    b.room.set_live(true);
    let citizen = b.join("c", Citizen).await;
    let slow = b.join("slow", Agent).await;
    let good = b.join("good", Agent).await;
    citizen.key(10);
    slow.leg.full.store(true, Ordering::SeqCst);
    for n in 11..100 {
        citizen.delta(n);
    }
    assert_eq!(good.got().len(), 90);
    assert_eq!(slow.got(), [(1, 10)]);
    // One lost packet stopped the leg: no queueing, no keyframe storm for the others' sake.
    assert_eq!(b.counters.snapshot().rtp_dropped, 89);

    slow.leg.full.store(false, Ordering::SeqCst);
    tokio::time::sleep(crate::config::CONGESTED).await;
    citizen.delta(100);
    citizen.key(101);
    assert_eq!(slow.got(), [(1, 10), (1, 11)]);
    assert_eq!(good.got().last(), Some(&(1, 101)));
}

#[tokio::test]
async fn keyframe_wishes_of_many_receivers_are_coalesced() {
    let b = Bench::new();
    b.room.set_live(true);
    let citizen = b.join("c", Citizen).await;
    let agents = [b.join("a1", Agent).await, b.join("a2", Agent).await];
    tokio::time::sleep(KEYFRAME_GAP * 3).await;
    let before = citizen.plis();
    for _ in 0..50 {
        for agent in &agents {
            agent.sink.on_keyframe_wanted(1);
        }
    }
    assert_eq!(citizen.plis(), before + 1);
    // The wishes of the last 300 ms are served once, after the gap.
    tokio::time::timeout(Duration::from_secs(2), async {
        while citizen.plis() < before + 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .unwrap();
    tokio::time::sleep(KEYFRAME_GAP * 2).await;
    assert_eq!(citizen.plis(), before + 2);
}

#[tokio::test]
async fn slots_stay_where_they_are_when_others_leave_and_come() {
    let b = Bench::new();
    let _a = b.join("a", Agent).await;
    let _c = b.join("c", Citizen).await;
    let _g = b.join("g", MemberRole::Guest).await;
    let pairs = |who: &[(&str, &str)]| {
        who.iter()
            .map(|(m, w)| (m.to_string(), w.to_string()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        b.map_of("a").await,
        pairs(&[("0", "c"), ("1", "c"), ("2", "g"), ("3", "g")])
    );
    b.room.leave("c");
    assert_eq!(b.map_of("a").await, pairs(&[("2", "g"), ("3", "g")]));
    let _d = b.join("d", Citizen).await;
    assert_eq!(
        b.map_of("a").await,
        pairs(&[("0", "d"), ("1", "d"), ("2", "g"), ("3", "g")])
    );
}

#[tokio::test]
async fn a_new_connection_replaces_the_old_and_numbers_go_on_at_the_receiver() {
    let b = Bench::new();
    b.room.set_live(true);
    let agent = b.join("a", Agent).await;
    let old = b.join("c", Citizen).await;
    old.audio(40);
    b.try_join("c", Citizen, "another", 5).await.unwrap();
    let (leg, sink) = b.fakes.made.lock().unwrap().last().cloned().unwrap();
    let new = Peer { leg, sink };
    new.sink.on_connected();
    old.audio(41); // late
    new.audio(900);
    assert_eq!(agent.got(), [(0, 40), (0, 41)]);
    // The old connection's end says nothing about the new one.
    old.sink.on_ended(EndReason::Silent);
    new.audio(901);
    assert_eq!(agent.got().last(), Some(&(0, 42)));
    let ends: Vec<_> = b
        .events()
        .await
        .into_iter()
        .filter_map(|e| match e {
            MediaEvent::Disconnected { member, reason, .. } => Some((member, reason)),
            _ => None,
        })
        .collect();
    assert_eq!(ends, [("c".to_owned(), EndReason::Replaced)]);
    tokio::time::timeout(Duration::from_secs(1), async {
        while !old.leg.closed.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_silence_is_the_present_connection_s_to_tell_and_its_newest_word_counts() {
    let b = Bench::new();
    let quiet = |e: &MediaEvent| matches!(e, MediaEvent::Quiet { member, .. } if member == "c");
    let heard = |e: &MediaEvent| matches!(e, MediaEvent::Heard { member, .. } if member == "c");
    let old = b.join("c", Citizen).await;
    old.sink.on_quiet(true);
    assert_eq!(b.events().await.iter().filter(|e| quiet(e)).count(), 1);
    old.sink.on_quiet(true);
    old.sink.on_quiet(false);
    let events = b.events().await;
    assert!(!events.iter().any(quiet) && events.iter().any(heard));
    b.try_join("c", Citizen, "another", 5).await.unwrap();
    old.sink.on_quiet(true);
    assert!(!b.events().await.iter().any(quiet));
}

#[tokio::test]
async fn a_silent_page_gets_sound_alone_and_its_pictures_back_from_a_keyframe_on() {
    let b = Bench::new();
    b.room.set_live(true);
    let agent = b.join("a", Agent).await;
    let citizen = b.join("c", Citizen).await;
    citizen.key(1);
    citizen.audio(1);
    agent.sink.on_quiet(true);
    citizen.delta(2);
    citizen.audio(2);
    agent.sink.on_quiet(false);
    let asked = citizen.plis();
    citizen.delta(3);
    assert!(citizen.plis() >= asked);
    citizen.key(4);
    citizen.audio(3);
    assert_eq!(agent.got(), [(1, 1), (0, 1), (0, 2), (1, 2), (0, 3)]);
    let told = b.events().await.into_iter().rev().find_map(|e| match e {
        MediaEvent::Slots { member, slots, .. } if member == "a" => Some(slots),
        _ => None,
    });
    assert!(told.unwrap().iter().all(|s| !s.paused));
}

#[tokio::test]
async fn the_same_identity_renegotiates_the_connection() {
    let b = Bench::new();
    b.join("c", Citizen).await;
    b.try_join("c", Citizen, "c", 5).await.unwrap();
    assert_eq!(b.fakes.made.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_ended_member_stays_in_the_room_and_a_full_room_refuses_strangers() {
    let b = Bench::new();
    for n in 0..MEMBERS_PER_ROOM {
        b.join(&n.to_string(), Agent).await;
    }
    assert_eq!(
        b.try_join("x", Agent, "x", 1).await,
        Err(MediaError::RoomFull)
    );
    let sink = b.fakes.made.lock().unwrap()[0].1.clone();
    sink.on_ended(EndReason::Silent);
    assert_eq!(b.room.count(), (6, 5));
    assert_eq!(
        b.try_join("x", Agent, "x", 1).await,
        Err(MediaError::RoomFull)
    );
    b.try_join("0", Agent, "again", 1).await.unwrap();
    b.room.close();
    assert_eq!(
        b.try_join("0", Agent, "late", 1).await.unwrap_err().code(),
        "media_unavailable"
    );
}

#[tokio::test]
async fn a_refused_offer_changes_nothing() {
    let mut b = Bench::new();
    b.join("a", Agent).await;
    b.events().await;
    b.fakes.refuse = true;
    assert_eq!(
        b.try_join("c", Citizen, "c", 1).await.unwrap_err().code(),
        "sdp_invalid"
    );
    assert_eq!(b.room.count(), (1, 1));
    assert!(b.events().await.is_empty());
    assert!(
        b.fakes
            .made
            .lock()
            .unwrap()
            .last()
            .unwrap()
            .0
            .closed
            .load(Ordering::SeqCst)
    );
}

#[tokio::test]
async fn what_a_member_does_not_send_is_dropped_here_too() {
    let b = Bench::new();
    b.room.set_live(true);
    let citizen = b.join("c", Citizen).await;
    let agent = b.join("a", Agent).await;
    b.room.set_media(
        "c",
        SentMedia {
            mic: false,
            camera: true,
        },
    );
    citizen.audio(1);
    citizen.key(1);
    assert_eq!(agent.got(), [(1, 1)]);
    b.room.set_media("c", SentMedia::default());
    citizen.audio(2);
    assert_eq!(agent.got(), [(1, 1), (0, 2)]);
}

#[tokio::test]
async fn a_private_talk_stays_private_and_the_one_on_hold_hears_nothing() {
    let b = Bench::new();
    b.room.set_live(true);
    let citizen = b.join("c", Citizen).await;
    let agent = b.join("a", Agent).await;
    let colleague = b.join("k", MemberRole::Consulted).await;
    b.room.set_role("c", MemberRole::Held);
    agent.audio(1);
    colleague.audio(1);
    citizen.audio(1);
    assert!(citizen.got().is_empty());
    assert_eq!((agent.got().len(), colleague.got().len()), (1, 1));
    // Introduced: all hear all.
    b.room.set_role("c", Citizen);
    b.room.set_role("k", MemberRole::Guest);
    citizen.audio(2);
    colleague.audio(2);
    assert_eq!(citizen.got().len(), 1);
    assert_eq!((agent.got().len(), colleague.got().len()), (3, 2));
}

#[tokio::test]
async fn a_rung_of_the_ladder_drops_what_it_does_not_carry() {
    let b = Bench::new();
    b.room.set_live(true);
    let citizen = b.join("c", Citizen).await;
    let agent = b.join("a", Agent).await;
    let carry = |mic, camera| b.room.set_carried(SentMedia { mic, camera });
    carry(true, false);
    citizen.audio(1);
    citizen.key(1);
    assert_eq!(agent.got(), [(0, 1)]);
    carry(false, false);
    citizen.audio(2);
    assert_eq!(agent.got().len(), 1);
    carry(true, true);
    citizen.key(2);
    assert_eq!(agent.got().len(), 2);
}

#[tokio::test]
async fn who_missed_a_packet_of_the_picture_gets_it_again_under_the_same_number() {
    let b = Bench::new();
    b.room.set_live(true);
    let citizen = b.join("c", Citizen).await;
    let agent = b.join("a", Agent).await;
    citizen.key(10);
    for n in 11..20 {
        citizen.delta(n);
    }
    citizen.audio(5);
    let before = agent.got();
    // Slot 1 is the picture. What never came, and sound, cannot be repeated.
    agent.sink.on_lost(1, &[13, 15, 99]);
    agent.sink.on_lost(0, &[5]);
    assert_eq!(agent.got()[before.len()..], [(1, 13), (1, 15)]);
    let sent = agent.leg.sent.lock().unwrap();
    assert_eq!(sent[3].1.payload, sent[before.len()].1.payload);
    assert_eq!(b.counters.snapshot().rtp_repeated, 2);
    drop(sent);
    // Nothing goes to who may not hear any more.
    b.room.set_role("a", MemberRole::Held);
    let before = agent.got().len();
    agent.sink.on_lost(1, &[13]);
    assert_eq!(agent.got().len(), before);
}

#[tokio::test]
async fn sender_reports_follow_what_was_sent_on_the_publishers_clock() {
    let b = Bench::new();
    b.room.set_live(true);
    let citizen = b.join("c", Citizen).await;
    let agent = b.join("a", Agent).await;
    citizen.key(10);
    citizen.audio(5);
    citizen.sink.on_report_due();
    assert!(
        agent.leg.reports.lock().unwrap().is_empty(),
        "the publisher has not told its clock yet"
    );
    let theirs = 3_900_000_000u64 << 32;
    for (kind, rtp) in [(Kind::Video, 9_000), (Kind::Audio, 48_000)] {
        let ssrc = 7 + kind as u32;
        citizen
            .sink
            .on_sender_report(ssrc, theirs, rtp, Instant::now());
    }
    citizen.sink.on_report_due();
    let reports = agent.leg.reports.lock().unwrap().clone();
    assert_eq!(reports.len(), 2);
    for (slot, clock) in [(0, 48_000), (1, 9_000)] {
        let (_, report) = reports.iter().find(|(s, _)| *s == slot).unwrap();
        assert_eq!(report.packets, 1);
        // Told at once: no more than the test's own time has passed.
        assert!(report.rtp.wrapping_sub(clock) < 48_000 * 20, "{report:?}");
    }
    assert_eq!(reports[0].1.ntp, reports[1].1.ntp, "one instant for both");
    // Nothing new, nothing told.
    citizen.sink.on_report_due();
    assert_eq!(agent.leg.reports.lock().unwrap().len(), 2);
}
