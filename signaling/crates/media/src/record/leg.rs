//! One member's recording: frames of both tracks in order of time, cut into parts and clusters, handed to the store.
//!
//! A part ends when its tracks or their codecs change, or when bytes of it were lost. Limits: [`INTERLEAVE_MS`], [`HEAD_WAIT_MS`],
//! [`FLUSH_MS`].

use super::clock::{LegClock, Report};
use super::jitter::InPacket;
use super::limits::{FLUSH_MS, HEAD_WAIT_MS, INTERLEAVE_MS, RECORD_BYTES};
use super::manifest::{Codec, Gap, GapReason, LegEntry, PartEntry};
use super::part::Part;
use super::plan::RecordingKey;
use super::segment::{Meta, Note, hex};
use super::sink::SegmentSink;
use super::store::Store;
use super::track::{Timed, Track, opus_ms};
use super::webm::TrackHead;
use crate::event::{Kind, Source};
use crate::forward::MemberRole;
use std::io;

const KINDS: [Kind; 2] = [Kind::Audio, Kind::Video];

/// What of a member should flow now: for each kind why it should not, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flow {
    pub off: [Option<GapReason>; 2],
}

/// Whose leg it is, and the recording's own data that each segment repeats.
#[derive(Debug, Clone)]
pub(crate) struct Whose {
    pub recording: String,
    pub started_at_ms: i64,
    pub required_members: Vec<String>,
    pub leg: u16,
    pub member: String,
    pub source: Source,
    pub role: MemberRole,
}

impl Whose {
    /// Papers and screens come and go: nothing hangs on them.
    fn is_required(&self) -> bool {
        self.source.is_person() && self.required_members.contains(&self.member)
    }
}

pub(crate) struct Leg {
    whose: Whose,
    pub required: bool,
    pub tracks: [Track; 2],
    clock: LegClock,
    /// In order of time, waiting for the other track's.
    hold: Vec<Timed>,
    part: Option<Part>,
    parts: Vec<PartEntry>,
    part_number: u32,
    pub store: Store,
    gaps: Vec<Gap>,
    /// Ended by a frame that is not yet synced.
    ended_gaps: Vec<Gap>,
    flushed_ms: u64,
}

impl Leg {
    pub(crate) fn new(whose: Whose, key: RecordingKey, flow: Flow, now_ms: u64) -> Self {
        Self {
            required: whose.is_required(),
            tracks: KINDS.map(|k| Track::new(k, flow.off[k as usize], now_ms)),
            clock: LegClock::new(),
            hold: Vec::new(),
            part: None,
            parts: Vec::new(),
            part_number: 0,
            store: Store::new(&whose.recording, key, whose.leg),
            gaps: Vec::new(),
            ended_gaps: Vec::new(),
            flushed_ms: now_ms,
            whose,
        }
    }

    pub(crate) fn number(&self) -> u16 {
        self.whose.leg
    }

    pub(crate) fn member(&self) -> &str {
        &self.whose.member
    }

    pub(crate) fn require(&mut self, members: &[String]) {
        self.whose.required_members = members.to_vec();
        self.required = self.whose.is_required();
    }

    pub(crate) fn packet(&mut self, kind: Kind, codec: Codec, packet: InPacket) {
        let track = &mut self.tracks[kind as usize];
        // What was under way when it was switched off must not end the gap.
        if track.off.is_none() {
            track.push(codec, packet);
        }
    }

    pub(crate) fn report(&mut self, report: Report) {
        if let Some(track) = self.tracks.iter().find(|t| t.is_of(&report)) {
            self.clock.report(track.kind, report);
        }
    }

    /// Writes what is due; once a second it outlasts a power cut, and at once while that is still to be proven.
    pub(crate) fn tick(&mut self, sink: &mut dyn SegmentSink, now_ms: u64) {
        self.pump(now_ms);
        let mut result = self.release(sink, now_ms, false);
        let unproven = self.tracks.iter().any(|t| t.written && !t.synced);
        if result.is_ok() && (unproven || now_ms.saturating_sub(self.flushed_ms) >= FLUSH_MS) {
            result = self.sync(sink, now_ms);
        }
        self.settle(result, now_ms);
        for track in &mut self.tracks {
            let gap = track.unnoted(now_ms).map(Note::Gap);
            gap.into_iter().for_each(|gap| self.store.note(gap));
        }
        for kind in KINDS {
            if let Some(reason) = self.tracks[kind as usize].silent(now_ms) {
                self.fail(kind, reason, now_ms);
            }
        }
    }

    /// Brings what should flow in line; what stops ends here.
    pub(crate) fn set_flow(&mut self, sink: &mut dyn SegmentSink, flow: Flow, now_ms: u64) {
        if KINDS
            .iter()
            .all(|k| self.tracks[*k as usize].off == flow.off[*k as usize])
        {
            return;
        }
        self.drain(sink, now_ms);
        let some_on = flow.off.iter().any(Option::is_none);
        for kind in KINDS {
            let track = &mut self.tracks[kind as usize];
            match (track.off, flow.off[kind as usize]) {
                (before, now) if before == now => {}
                (_, None) => track.expect(now_ms),
                (_, Some(reason)) => {
                    track.off = Some(reason);
                    track.lost();
                    self.fail(kind, reason, now_ms);
                    // A player would wait for the pictures of a part that has no more of them.
                    if some_on && self.part.as_ref().is_some_and(|p| p.has(kind)) {
                        let ended = self.end_part(sink, now_ms);
                        self.settle(ended, now_ms);
                    }
                }
            }
        }
        let synced = self.sync(sink, now_ms);
        self.settle(synced, now_ms);
    }

    /// Packets of this kind were thrown away unseen.
    pub(crate) fn overflow(&mut self, sink: &mut dyn SegmentSink, kind: Kind, now_ms: u64) {
        self.drain(sink, now_ms);
        self.tracks[kind as usize].lost();
        self.fail(kind, GapReason::Queue, now_ms);
    }

    /// Why a required member's media is not being written; none if all is well or merely not yet there.
    pub(crate) fn broken(&self) -> Option<GapReason> {
        let on = self.tracks.iter().filter(|t| t.off.is_none());
        let failed = on.clone().find_map(|t| match t.gap {
            Some((
                reason @ (GapReason::LegDown
                | GapReason::Disk
                | GapReason::Queue
                | GapReason::Loss
                | GapReason::Crash
                | GapReason::Damaged
                | GapReason::NoLeg),
                _,
            )) => Some(reason),
            Some((GapReason::Mode | GapReason::Paused, _)) | None => None,
        });
        let all_off = (on.count() == 0).then(|| self.tracks[0].off).flatten();
        failed.or(all_off)
    }

    /// Whether everything that should flow is on disk.
    pub(crate) fn well(&self, sound_needed: bool) -> bool {
        let mut on = self.tracks.iter().filter(|t| t.off.is_none()).peekable();
        on.peek().is_some()
            && on.all(|t| t.synced)
            && (!sound_needed || self.tracks[Kind::Audio as usize].synced)
    }

    /// Whether a keyframe of the member would help; not while the disk rests.
    pub(crate) fn wants_key(&self, now_ms: u64) -> bool {
        !self.store.rests(now_ms) && self.tracks.iter().any(Track::wants_key)
    }

    /// Writes the rest and ends the leg.
    pub(crate) fn stop(&mut self, sink: &mut dyn SegmentSink, now_ms: u64) -> LegEntry {
        self.drain(sink, now_ms);
        for kind in KINDS {
            if let Some(reason) = self.tracks[kind as usize].broke_off(now_ms) {
                self.fail(kind, reason, now_ms);
            }
        }
        let ended = self.end_part(sink, now_ms);
        self.settle(ended, now_ms);
        // The files are on disk; that the last lacks its end is in its entry.
        let _ = self.store.finish(now_ms);
        let mut gaps = std::mem::take(&mut self.gaps);
        gaps.extend(self.tracks.iter().filter_map(Track::tail));
        // Papers and screens have no sound that could be missing.
        gaps.retain(|g| self.whose.source.is_person() || g.kind != Some(Kind::Audio));
        gaps.sort_by_key(|g| (g.from_ms, g.kind));
        LegEntry {
            leg: self.whose.leg,
            member: self.whose.member.clone(),
            role: Some(self.whose.role),
            source: self.whose.source,
            required: self.required,
            parts: std::mem::take(&mut self.parts),
            segments: std::mem::take(&mut self.store.entries),
            gaps,
            chain: hex(self.store.link()),
        }
    }

    fn pump(&mut self, now_ms: u64) {
        let mut frames = Vec::new();
        for track in &mut self.tracks {
            track.pop(&mut self.clock, now_ms, &mut frames);
        }
        for frame in frames {
            let at = self.hold.partition_point(|h| h.ms <= frame.ms);
            self.hold.insert(at, frame);
        }
    }

    /// Everything that has come, without waiting for more.
    fn drain(&mut self, sink: &mut dyn SegmentSink, now_ms: u64) {
        self.pump(u64::MAX);
        let result = self.release(sink, now_ms, true);
        self.settle(result, now_ms);
        self.hold.clear();
    }

    fn release(&mut self, sink: &mut dyn SegmentSink, now_ms: u64, all: bool) -> io::Result<()> {
        loop {
            let due = |t: &Timed| all || t.ms.saturating_add(INTERLEAVE_MS) <= now_ms;
            if !self.hold.first().is_some_and(due) {
                return Ok(());
            }
            if self.store.rests(now_ms) {
                let dropped = self.hold.remove(0);
                self.tracks[dropped.kind as usize].lost();
                continue;
            }
            if !self.ready(sink, now_ms, all)? {
                return Ok(());
            }
            if self.hold.is_empty() {
                return Ok(());
            }
            let frame = self.hold.remove(0);
            self.write(sink, &frame, now_ms)?;
        }
    }

    /// Sees to it that there is a part that can take the first frame held; `false` to wait for more.
    fn ready(&mut self, sink: &mut dyn SegmentSink, now_ms: u64, all: bool) -> io::Result<bool> {
        let Some(first) = self.hold.first() else {
            return Ok(false);
        };
        if let Some(part) = &self.part {
            if part.takes(first) {
                return Ok(true);
            }
            self.end_part(sink, now_ms)?;
        }
        // A part's pictures begin at a keyframe; those before it belong to none.
        let key = |t: &Timed| t.kind == Kind::Video && t.frame.key;
        let from = self.hold.iter().position(key).unwrap_or(self.hold.len());
        let mut at = 0;
        let mut dropped = false;
        self.hold.retain(|t| {
            let keep = t.kind != Kind::Video || at >= from;
            dropped |= !keep;
            at += 1;
            keep
        });
        if dropped {
            match self.hold.iter_mut().find(|t| t.kind == Kind::Video) {
                Some(next) => next.after_loss = true,
                None => self.tracks[Kind::Video as usize].lost(),
            }
        }
        let Some(first) = self.hold.first() else {
            return Ok(false);
        };
        let here = |kind: Kind| self.hold.iter().find(|t| t.kind == kind);
        let complete = KINDS
            .iter()
            .all(|k| self.tracks[*k as usize].off.is_some() || here(*k).is_some());
        let waited = now_ms.saturating_sub(first.ms) >= INTERLEAVE_MS + HEAD_WAIT_MS;
        if !(complete || waited || all) {
            return Ok(false);
        }
        let heads: Vec<TrackHead> = [Kind::Video, Kind::Audio]
            .into_iter()
            .filter_map(|kind| {
                here(kind).map(|t| TrackHead {
                    kind,
                    config: t.config.clone(),
                    size: t.frame.size.unwrap_or_default(),
                })
            })
            .collect();
        self.begin_part(heads, first.ms);
        Ok(true)
    }

    fn begin_part(&mut self, heads: Vec<TrackHead>, from_ms: u64) {
        self.part_number += 1;
        // Times never run backwards from one part to the next.
        let from_ms = from_ms.max(self.parts.last().map_or(0, |p| p.to_ms));
        self.part = Some(Part::new(self.part_number, heads, from_ms));
    }

    fn write(&mut self, sink: &mut dyn SegmentSink, t: &Timed, now_ms: u64) -> io::Result<()> {
        let Some(part) = &mut self.part else {
            return Ok(());
        };
        let (ms, cue) = part.add(t);
        if let Some(cue) = cue {
            self.store.note(Note::Cue(self.part_number, cue));
        }
        let length = match t.kind {
            Kind::Audio => opus_ms(&t.frame.data).max(1),
            Kind::Video => 1,
        };
        let full = part.pending.len() >= RECORD_BYTES;
        if let Some(gap) = self.tracks[t.kind as usize].wrote(ms, ms + length, t.after_loss) {
            self.ended_gaps.push(gap);
            self.store.note(Note::Gap(gap));
        }
        if full {
            self.flush(sink, now_ms)?;
        }
        Ok(())
    }

    /// Hands what is pending to the store.
    fn flush(&mut self, sink: &mut dyn SegmentSink, now_ms: u64) -> io::Result<()> {
        let Some(part) = &mut self.part else {
            return Ok(());
        };
        let Some(span) = part.span.take() else {
            return Ok(());
        };
        if self.store.is_full(self.part_number, now_ms) {
            self.store.sync(now_ms)?;
            part.synced();
            self.store.finish(now_ms)?;
        }
        let pending = part.take();
        let part = &*part;
        let meta = || Meta {
            started_at_ms: self.whose.started_at_ms,
            member: self.whose.member.clone(),
            role: self.whose.role,
            source: self.whose.source,
            required: self.whose.required_members.clone(),
            part: self.part_number,
            part_from_ms: part.from_ms,
            head_bytes: part.head_bytes,
            tracks: part.tracks([0; 2]),
        };
        self.store
            .media(sink, meta, self.part_number, span, &pending, now_ms)
    }

    fn sync(&mut self, sink: &mut dyn SegmentSink, now_ms: u64) -> io::Result<()> {
        self.flushed_ms = now_ms;
        self.flush(sink, now_ms)?;
        self.store.sync(now_ms)?;
        if let Some(part) = &mut self.part {
            part.synced();
        }
        self.gaps.append(&mut self.ended_gaps);
        for track in &mut self.tracks {
            track.synced();
        }
        Ok(())
    }

    fn end_part(&mut self, sink: &mut dyn SegmentSink, now_ms: u64) -> io::Result<()> {
        self.sync(sink, now_ms)?;
        self.close_part();
        Ok(())
    }

    /// Enters the part with what is known to be on disk.
    fn close_part(&mut self) {
        let entry = self.part.take().and_then(Part::end);
        self.parts.extend(entry);
    }

    fn fail(&mut self, kind: Kind, reason: GapReason, now_ms: u64) {
        for gap in self.tracks[kind as usize].fail(reason, now_ms) {
            if gap.to_ms.is_some() {
                self.gaps.push(gap);
            }
            self.store.note(Note::Gap(gap));
        }
    }

    /// After a failure of the disk what was not synced counts as lost, and a new part begins when it works again.
    fn settle(&mut self, result: io::Result<()>, now_ms: u64) {
        let Err(error) = result else { return };
        tracing::warn!(recording = %self.whose.recording, leg = self.whose.leg, %error, "a segment could not be written");
        self.hold.clear();
        self.ended_gaps.clear();
        self.close_part();
        for kind in KINDS {
            let track = &mut self.tracks[kind as usize];
            track.unwind();
            track.lost();
            if track.off.is_none() {
                self.fail(kind, GapReason::Disk, now_ms);
            }
        }
    }
}

/// Counts the bytes of each part from the segments that hold them.
pub(crate) fn count_bytes(leg: &mut LegEntry) {
    for part in &mut leg.parts {
        let of_part = leg.segments.iter().filter(|s| s.part == part.part);
        part.bytes = of_part.map(|s| s.clear_bytes).sum();
        part.cues.retain(|c| c.at < part.bytes);
    }
}
