//! One WebM stream of a leg while it is written: frames in order of time become blocks and clusters.
//!
//! Pure: bytes gather in [`Part::pending`] until the leg takes them. Limit: [`CLUSTER_MS`].

use super::limits::CLUSTER_MS;
use super::manifest::{Cue, PartEntry, TrackEntry};
use super::segment::Span;
use super::track::Timed;
use super::webm::{self, TrackHead};
use crate::event::Kind;

pub(crate) struct Part {
    number: u32,
    pub from_ms: u64,
    heads: Vec<TrackHead>,
    frames: [u64; 2],
    last_ms: [Option<u64>; 2],
    /// Frames and last block that the store has, and those that were synced.
    flushed: ([u64; 2], u64),
    safe: ([u64; 2], u64),
    cluster_ms: Option<u64>,
    /// Not yet handed to the store.
    pub pending: Vec<u8>,
    pub span: Option<Span>,
    /// With what is pending.
    bytes: u64,
    pub head_bytes: u64,
    cues: Vec<Cue>,
    to_ms: u64,
}

impl Part {
    pub(crate) fn new(number: u32, heads: Vec<TrackHead>, from_ms: u64) -> Self {
        let pending = webm::head(&heads);
        let head_bytes = pending.len() as u64;
        Self {
            number,
            from_ms,
            heads,
            frames: [0; 2],
            last_ms: [None; 2],
            flushed: ([0; 2], from_ms),
            safe: ([0; 2], from_ms),
            cluster_ms: None,
            pending,
            span: None,
            bytes: head_bytes,
            head_bytes,
            cues: Vec::new(),
            to_ms: from_ms,
        }
    }

    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.heads.iter().any(|h| h.kind == kind)
    }

    /// Whether a frame belongs to a track of it.
    pub(crate) fn takes(&self, t: &Timed) -> bool {
        let mut heads = self.heads.iter();
        heads.any(|h| h.kind == t.kind && h.config == t.config)
    }

    /// Adds a frame; gives its time in the recording and, if one may start to play here, where.
    pub(crate) fn add(&mut self, t: &Timed) -> (u64, Option<Cue>) {
        let index = t.kind as usize;
        // Never backwards, and no two of one track at the same time.
        let after = self.last_ms[index].map_or(0, |last| last + 1);
        let ms = t.ms.max(self.to_ms).max(after);
        let at = ms - self.from_ms;
        let before = self.pending.len();
        let key = t.kind == Kind::Video && t.frame.key;
        let old = |c: u64| at.saturating_sub(c) >= CLUSTER_MS;
        let mut cue = None;
        if key || self.cluster_ms.is_none_or(old) {
            if key || !self.has(Kind::Video) {
                cue = Some(Cue {
                    ms: at,
                    at: self.bytes,
                });
            }
            self.cluster_ms = Some(at);
            webm::cluster(&mut self.pending, at);
        }
        self.cues.extend(cue);
        let relative = at - self.cluster_ms.unwrap_or(at).min(at);
        let relative = i16::try_from(relative).unwrap_or(i16::MAX); // under CLUSTER_MS
        let out = &mut self.pending;
        webm::block(out, t.kind, relative, t.frame.key, &t.frame.data);
        self.bytes += (self.pending.len() - before) as u64;
        self.frames[index] += 1;
        self.last_ms[index] = Some(ms);
        self.to_ms = ms;
        let span = self.span.get_or_insert(Span {
            first_ms: ms,
            ..Span::default()
        });
        span.last_ms = ms;
        span.frames[index] += 1;
        (ms, cue)
    }

    /// What is to be handed to the store, which has it from now on.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.flushed = (self.frames, self.to_ms);
        std::mem::take(&mut self.pending)
    }

    /// What the store had is on disk.
    pub(crate) fn synced(&mut self) {
        self.safe = self.flushed;
    }

    pub(crate) fn tracks(&self, frames: [u64; 2]) -> Vec<TrackEntry> {
        let entry = |h: &TrackHead| {
            let video = h.kind == Kind::Video;
            TrackEntry {
                kind: h.kind,
                codec: h.config.codec,
                width: video.then_some(h.size.0),
                height: video.then_some(h.size.1),
                sample_rate: (!video).then_some(h.kind.clock_rate()),
                frames: frames[h.kind as usize],
            }
        };
        self.heads.iter().map(entry).collect()
    }

    /// What of it is known to be on disk; none if nothing is.
    pub(crate) fn end(self) -> Option<PartEntry> {
        let (frames, to_ms) = self.safe;
        let kept = |c: &Cue| self.from_ms + c.ms <= to_ms;
        (frames != [0; 2]).then(|| PartEntry {
            part: self.number,
            from_ms: self.from_ms,
            to_ms,
            bytes: 0, // counted at the end, from the segments
            head_bytes: self.head_bytes,
            tracks: self.tracks(frames),
            cues: self.cues.iter().copied().filter(kept).collect(),
        })
    }
}
