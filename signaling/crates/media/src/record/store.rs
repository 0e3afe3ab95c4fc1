//! The bytes of one leg on their way to disk: segments one after another, each linked to the one before.
//!
//! Blocking; runs on the recording's thread. A failure gives the segment up at what is known to be good, and rests for
//! [`DISK_RETRY_MS`].

use super::limits::{DISK_RETRY_MS, SEGMENT_BYTES, SEGMENT_MS};
use super::manifest::SegmentEntry;
use super::plan::RecordingKey;
use super::segment::{self, Link, Meta, Note, Span, Writer, first_link, hex, next_link};
use super::sink::{SegmentName, SegmentSink};
use std::io;

pub(crate) struct Store {
    recording: String,
    key: RecordingKey,
    leg: u16,
    link: Link,
    index: u32,
    open: Option<Open>,
    pub entries: Vec<SegmentEntry>,
    /// Not yet written: there was no segment to write them to.
    notes: Vec<Note>,
    retry_at_ms: u64,
}

struct Open {
    writer: Writer,
    part: u32,
    since_ms: u64,
    first_ms: Option<u64>,
    last_ms: u64,
    dirty: bool,
    /// What is known to be on disk: bytes, clear bytes, last ms, hash.
    safe: (u64, u64, u64, Link),
}

impl Open {
    fn mark(&mut self) {
        let w = &self.writer;
        self.safe = (w.bytes, w.clear_bytes, self.last_ms, w.hash());
        self.dirty = false;
    }
}

impl Store {
    pub(crate) fn new(recording: &str, key: RecordingKey, leg: u16) -> Self {
        Self {
            recording: recording.to_owned(),
            key,
            leg,
            link: first_link(recording, leg),
            index: 0,
            open: None,
            entries: Vec::new(),
            notes: Vec::new(),
            retry_at_ms: 0,
        }
    }

    pub(crate) fn link(&self) -> &Link {
        &self.link
    }

    /// Whether the disk is given rest after a failure.
    pub(crate) fn rests(&self, now_ms: u64) -> bool {
        now_ms < self.retry_at_ms
    }

    pub(crate) fn note(&mut self, note: Note) {
        self.notes.push(note);
    }

    /// Whether the open segment must be finished before bytes of this part are appended.
    pub(crate) fn is_full(&self, part: u32, now_ms: u64) -> bool {
        self.open.as_ref().is_some_and(|o| {
            o.part != part
                || o.writer.bytes >= SEGMENT_BYTES
                || now_ms.saturating_sub(o.since_ms) >= SEGMENT_MS
        })
    }

    /// Appends whole blocks of a part; the segment is opened if need be.
    pub(crate) fn media(
        &mut self,
        sink: &mut dyn SegmentSink,
        meta: impl FnOnce() -> Meta,
        part: u32,
        span: Span,
        webm: &[u8],
        now_ms: u64,
    ) -> io::Result<()> {
        let result = self.try_media(sink, meta, part, span, webm, now_ms);
        self.settle(result, now_ms)
    }

    fn try_media(
        &mut self,
        sink: &mut dyn SegmentSink,
        meta: impl FnOnce() -> Meta,
        part: u32,
        span: Span,
        webm: &[u8],
        now_ms: u64,
    ) -> io::Result<()> {
        let open = match &mut self.open {
            Some(open) => open,
            None => {
                self.index += 1;
                let name = SegmentName {
                    leg: self.leg,
                    index: self.index,
                };
                let writer = Writer::create(sink, &self.key, &self.recording, name, &self.link)?;
                let mut open = Open {
                    safe: (0, 0, 0, [0; segment::HASH]),
                    writer,
                    part,
                    since_ms: now_ms,
                    first_ms: None,
                    last_ms: 0,
                    dirty: true,
                };
                open.writer.notes(&[Note::Meta(meta())])?;
                self.open.insert(open)
            }
        };
        open.writer.media(span, webm)?;
        open.first_ms.get_or_insert(span.first_ms);
        open.last_ms = open.last_ms.max(span.last_ms);
        open.dirty = true;
        if !self.notes.is_empty() {
            open.writer.notes(&self.notes)?;
            self.notes.clear();
        }
        Ok(())
    }

    /// Writes waiting notes and makes everything outlast a power cut. `true` if there was something new.
    pub(crate) fn sync(&mut self, now_ms: u64) -> io::Result<bool> {
        let Some(open) = &mut self.open else {
            return Ok(false);
        };
        let mut attempt = || -> io::Result<bool> {
            if !self.notes.is_empty() {
                open.writer.notes(&self.notes)?;
                self.notes.clear();
                open.dirty = true;
            }
            if !open.dirty {
                return Ok(false);
            }
            open.writer.sync()?;
            open.mark();
            Ok(true)
        };
        let result = attempt();
        self.settle(result, now_ms)
    }

    /// Ends the open segment.
    pub(crate) fn finish(&mut self, now_ms: u64) -> io::Result<()> {
        self.sync(now_ms)?;
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        let (first_ms, last_ms, part) = (open.first_ms, open.last_ms, open.part);
        let (clear_bytes, safe) = (open.writer.clear_bytes, open.safe);
        match open.writer.finish() {
            Ok((hash, bytes)) => {
                self.enter(part, (first_ms, last_ms), bytes, clear_bytes, hash, true);
                Ok(())
            }
            Err(error) => {
                // All that it holds was synced: only its end is missing.
                self.enter(part, (first_ms, safe.2), safe.0, safe.1, safe.3, false);
                self.retry_at_ms = now_ms + DISK_RETRY_MS;
                Err(error)
            }
        }
    }

    /// On a failure keeps of the open segment what was synced.
    fn settle<T>(&mut self, result: io::Result<T>, now_ms: u64) -> io::Result<T> {
        if result.is_err() {
            self.retry_at_ms = now_ms + DISK_RETRY_MS;
            if let Some(open) = self.open.take()
                && open.safe.0 > 0
            {
                let (bytes, clear, last_ms, hash) = open.safe;
                self.enter(
                    open.part,
                    (open.first_ms, last_ms),
                    bytes,
                    clear,
                    hash,
                    false,
                );
            }
        }
        result
    }

    fn enter(
        &mut self,
        part: u32,
        (first_ms, last_ms): (Option<u64>, u64),
        bytes: u64,
        clear_bytes: u64,
        hash: Link,
        complete: bool,
    ) {
        self.link = next_link(&self.link, &hash);
        self.entries.push(SegmentEntry {
            index: self.index,
            part,
            first_ms: first_ms.unwrap_or(last_ms),
            last_ms,
            bytes,
            clear_bytes,
            sha256: hex(&hash),
            chain: hex(&self.link),
            complete,
        });
    }
}
