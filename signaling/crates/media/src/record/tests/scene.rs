//! A recording in virtual time: members who send, a network that loses, a disk that fails.

use crate::event::{Kind, Source as Shown};
use crate::forward::MemberRole;
use crate::record::clock::Report;
use crate::record::core::Core;
use crate::record::jitter::InPacket;
use crate::record::leg::Flow;
use crate::record::{
    Codec, Ended, EventEntry, GapReason, Manifest, RECORDED_ROLES, RecordingKey, RecordingPlan,
    Segment, SegmentName, SegmentSink, SegmentSource,
};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

pub(crate) fn key() -> RecordingKey {
    RecordingKey::new([7; 32])
}

/// Segments in memory, and a switch for a disk that is full.
#[derive(Clone, Default)]
pub(crate) struct MemorySink {
    files: Arc<Mutex<BTreeMap<SegmentName, Vec<u8>>>>,
    /// How much of each outlasts a power cut.
    synced: Arc<Mutex<BTreeMap<SegmentName, usize>>>,
    pub full: Arc<AtomicBool>,
}

struct MemorySegment(MemorySink, SegmentName);

impl MemorySink {
    pub(crate) fn file(&self, name: SegmentName) -> Vec<u8> {
        self.files.lock().unwrap()[&name].clone()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.files.lock().unwrap().values().map(Vec::len).sum()
    }

    pub(crate) fn change(&self, name: SegmentName, act: impl FnOnce(&mut Vec<u8>)) {
        act(self.files.lock().unwrap().get_mut(&name).unwrap());
    }

    pub(crate) fn remove(&self, name: SegmentName) {
        self.files.lock().unwrap().remove(&name);
    }

    pub(crate) fn names(&self) -> Vec<SegmentName> {
        self.files.lock().unwrap().keys().copied().collect()
    }

    /// What a power cut would leave, as files.
    pub(crate) fn power_cut(&self, dir: &Path) {
        let synced = self.synced.lock().unwrap();
        for (name, bytes) in self.files.lock().unwrap().iter() {
            let length = synced.get(name).copied().unwrap_or(0);
            std::fs::write(dir.join(name.file_name()), &bytes[..length]).unwrap();
        }
    }
}

impl SegmentSink for MemorySink {
    fn open(&mut self, name: SegmentName) -> io::Result<Box<dyn Segment>> {
        let mut files = self.files.lock().unwrap();
        assert!(!files.contains_key(&name), "created twice");
        files.insert(name, Vec::new());
        Ok(Box::new(MemorySegment(self.clone(), name)))
    }
}

impl Segment for MemorySegment {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        // A full disk takes the first half, as disks do.
        let full = self.0.full.load(Ordering::SeqCst);
        let taken = if full { bytes.len() / 2 } else { bytes.len() };
        self.0
            .change(self.1, |f| f.extend_from_slice(&bytes[..taken]));
        if full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.0.full.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let length = self.0.file(self.1).len();
        self.0.synced.lock().unwrap().insert(self.1, length);
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

impl SegmentSource for MemorySink {
    fn read(&self, name: SegmentName) -> io::Result<Vec<u8>> {
        let files = self.files.lock().unwrap();
        files
            .get(&name)
            .cloned()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// One member's page and network.
pub(crate) struct Source {
    pub leg: u16,
    pub sends: [bool; 2],
    pub codec: Codec,
    /// H.264 parameter sets and a keyframe come with this profile byte.
    pub level: u8,
    sequence: [u16; 2],
    ssrc: u32,
    wanted: bool,
    /// Loses the next packets of a kind.
    pub lose: [u32; 2],
    /// How much longer pictures take (ms).
    pub video_delay: u64,
    late: Vec<(u64, Kind, InPacket)>,
}

/// A recording and its members, moved on by hand.
pub(crate) struct Scene {
    pub core: Core,
    pub sink: MemorySink,
    pub now: u64,
    pub sources: Vec<Source>,
    pub events: Vec<EventEntry>,
}

pub(crate) const ON: Flow = Flow { off: [None, None] };
pub(crate) const DOWN: Flow = Flow {
    off: [Some(GapReason::LegDown), Some(GapReason::LegDown)],
};
pub(crate) const SOUND_ONLY: Flow = Flow {
    off: [None, Some(GapReason::Mode)],
};
/// One way of the network (ms).
const WAY: u64 = 30;
const STEP: u64 = 20;

impl Scene {
    pub(crate) fn new(required: &[&str]) -> Self {
        let sink = MemorySink::default();
        let core = Core::new(RecordingPlan {
            recording: "rec_1".into(),
            required: required.iter().map(|m| (*m).to_owned()).collect(),
            roles: RECORDED_ROLES.to_vec(),
            key: key(),
            sink: Box::new(sink.clone()),
            started_at_ms: 1_795_300_000_000,
        });
        Self {
            core,
            sink,
            now: 0,
            sources: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Two members who are there from the start.
    pub(crate) fn call() -> Self {
        let mut scene = Self::new(&["citizen", "agent"]);
        scene.join("citizen", MemberRole::Citizen, ON);
        scene.join("agent", MemberRole::Agent, ON);
        scene
    }

    pub(crate) fn join(&mut self, member: &str, role: MemberRole, flow: Flow) {
        self.enter(member, Shown::Camera, role, flow);
    }

    /// A member shows papers beside themselves.
    pub(crate) fn show(&mut self, member: &str, role: MemberRole) {
        let off = [Some(GapReason::Paused), None];
        self.enter(member, Shown::Document, role, Flow { off });
        self.sources.last_mut().unwrap().sends = [false, true];
    }

    fn enter(&mut self, member: &str, shown: Shown, role: MemberRole, flow: Flow) {
        self.core
            .join(member.to_owned(), shown, role, flow, self.now);
        let leg = self.sources.len() as u16 + 1;
        self.sources.push(Source {
            leg,
            sends: [true, true],
            codec: Codec::Vp8,
            level: 31,
            sequence: [60_000, 65_500],
            ssrc: u32::from(leg) * 1_000,
            wanted: false,
            lose: [0, 0],
            video_delay: 0,
            late: Vec::new(),
        });
    }

    pub(crate) fn flow(&mut self, leg: u16, flow: Flow) {
        self.core.flow(leg, flow, self.now);
    }

    /// Comes back with a new connection.
    pub(crate) fn reconnect(&mut self, leg: u16) {
        let source = &mut self.sources[usize::from(leg) - 1];
        source.ssrc += 7;
        source.sequence = [source.sequence[0].wrapping_add(30_000), 3];
        self.flow(leg, ON);
    }

    pub(crate) fn run(&mut self, ms: u64) {
        let end = self.now + ms;
        while self.now < end {
            self.now += STEP;
            for source in &mut self.sources {
                source.step(&mut self.core, self.now);
            }
            if self.now.is_multiple_of(3 * STEP) {
                self.core.tick(self.now);
                for leg in self.core.take_wishes(self.now) {
                    self.sources[usize::from(leg) - 1].wanted = true;
                }
                self.events.extend(self.core.take_events());
            }
        }
    }

    pub(crate) fn stop(&mut self) -> Manifest {
        let manifest = self.core.stop(Ended::Finished, self.now);
        self.events.extend(self.core.take_events());
        manifest
    }
}

impl Source {
    fn step(&mut self, core: &mut Core, now: u64) {
        let ms = now - STEP;
        if self.sends[0] {
            let opus = [&[0xfc][..], &ms.to_be_bytes()].concat();
            self.send(core, Kind::Audio, ms, false, opus, now);
        }
        if self.sends[1] && ms.is_multiple_of(40) {
            let key = std::mem::take(&mut self.wanted);
            for (marker, payload) in self.picture(key, ms) {
                self.send(core, Kind::Video, ms, marker, payload, now);
            }
        }
        if ms % 1_000 == 500 {
            for kind in [Kind::Audio, Kind::Video] {
                let report = Report {
                    ssrc: self.ssrc + kind as u32,
                    ntp: ((3_900_000_000_000 + u128::from(ms)) * 4_294_967_296 / 1_000) as u64,
                    rtp: timestamp(kind, ms),
                    at_ms: ms + WAY,
                };
                core.report(self.leg, report);
            }
        }
        let mut due = Vec::new();
        self.late.retain(|(at, kind, packet)| {
            if *at <= now {
                due.push((*kind, packet.clone()));
            }
            *at > now
        });
        for (kind, packet) in due {
            let codec = match kind {
                Kind::Audio => Codec::Opus,
                Kind::Video => self.codec,
            };
            core.packet(self.leg, kind, codec, packet);
        }
    }

    /// One frame in two packets; its time is written into it.
    fn picture(&self, key: bool, ms: u64) -> Vec<(bool, Vec<u8>)> {
        let time = ms.to_be_bytes();
        match self.codec {
            Codec::H264 => {
                let mut out = Vec::new();
                if key {
                    let mut sps = super::super::h264::tests::SPS_640.to_vec();
                    sps[3] = self.level;
                    out.push((false, sps));
                    out.push((false, super::super::h264::tests::PPS.to_vec()));
                }
                let slice = if key { 0x65 } else { 0x41 };
                out.push((true, [&[slice][..], &time].concat()));
                out
            }
            _ => {
                let head: &[u8] = if key {
                    &[0x10, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 64, 0, 48, 0]
                } else {
                    &[0x10, 0x11, 0, 0]
                };
                vec![
                    (false, head.to_vec()),
                    (true, [&[0x00][..], &time].concat()),
                ]
            }
        }
    }

    fn send(
        &mut self,
        _: &mut Core,
        kind: Kind,
        ms: u64,
        marker: bool,
        payload: Vec<u8>,
        now: u64,
    ) {
        let n = kind as usize;
        self.sequence[n] = self.sequence[n].wrapping_add(1);
        if self.lose[n] > 0 {
            self.lose[n] -= 1;
            return;
        }
        let delay = if kind == Kind::Video {
            self.video_delay
        } else {
            0
        };
        let packet = InPacket {
            ssrc: self.ssrc + kind as u32,
            sequence: self.sequence[n],
            timestamp: timestamp(kind, ms),
            marker,
            payload: payload.into(),
            at_ms: ms + WAY + delay,
        };
        self.late.push((now + delay, kind, packet));
    }
}

fn timestamp(kind: Kind, ms: u64) -> u32 {
    let start = if kind == Kind::Audio {
        4_294_000_000u32
    } else {
        123
    };
    start.wrapping_add((ms * u64::from(kind.clock_rate()) / 1_000) as u32)
}
