//! Recordings read back: every link verified, any byte of a part's WebM on demand.
//!
//! Blocking. Holds one decrypted segment at a time (at most about 4 MiB and a frame). Never gives a byte that was not genuine.

use super::frames::Config;
use super::manifest::{Codec, LegEntry, Manifest, PartEntry, SegmentEntry, TrackEntry};
use super::plan::RecordingKey;
use super::segment::{self, first_link, hash_of, hex, next_link};
use super::sink::SegmentName;
use super::unseal;
use super::webm::{self, TrackHead};
use crate::event::Kind;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Where segments are read from.
pub trait SegmentSource: Send {
    /// The whole file.
    ///
    /// # Errors
    /// What the storage says; `NotFound` if there is none.
    fn read(&self, name: SegmentName) -> io::Result<Vec<u8>>;
}

/// The directory of a [`super::FileSink`].
#[derive(Debug, Clone)]
pub struct FileSource {
    dir: PathBuf,
}

impl FileSource {
    /// Nothing is opened yet.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }
}

impl SegmentSource for FileSource {
    fn read(&self, name: SegmentName) -> io::Result<Vec<u8>> {
        std::fs::read(self.dir.join(name.file_name()))
    }
}

/// Why a recording cannot be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The storage failed, or a file is missing.
    #[error("segment {segment} of leg {leg} cannot be read: {error}")]
    Storage {
        /// Leg.
        leg: u16,
        /// Segment.
        segment: u32,
        /// Why.
        error: io::Error,
    },
    /// A file is not what the manifest says: changed, cut, exchanged, or sealed under another key.
    #[error("segment {segment} of leg {leg} is not genuine")]
    NotGenuine {
        /// Leg.
        leg: u16,
        /// Segment.
        segment: u32,
    },
    /// The manifest has no such leg or part, or is of another format.
    #[error("no such leg or part")]
    NotFound,
    /// The directory holds segments of more than one recording.
    #[error("the directory holds more than one recording")]
    Mixed,
}

impl ReadError {
    /// Stable code for problem documents.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Storage { .. } => "recording_unreadable",
            Self::NotGenuine { .. } | Self::Mixed => "recording_not_genuine",
            Self::NotFound => "recording_part_unknown",
        }
    }
}

/// Reads and checks one segment: its hash, then every tag.
fn load(
    source: &dyn SegmentSource,
    key: &RecordingKey,
    recording: &str,
    leg: u16,
    entry: &SegmentEntry,
) -> Result<unseal::Opened, ReadError> {
    let segment = entry.index;
    let name = SegmentName {
        leg,
        index: segment,
    };
    let mut file = source.read(name).map_err(|error| ReadError::Storage {
        leg,
        segment,
        error,
    })?;
    let not_genuine = || ReadError::NotGenuine { leg, segment };
    // Behind what a failing disk took there may be half a record.
    let length = usize::try_from(entry.bytes).map_err(|_| not_genuine())?;
    if entry.complete && file.len() != length || file.len() < length {
        return Err(not_genuine());
    }
    file.truncate(length);
    if hex(&hash_of(&file)) != entry.sha256 {
        return Err(not_genuine());
    }
    unseal::open(&file, name, key)
        .filter(|o| {
            o.recording == recording
                && o.good_bytes == entry.bytes
                && o.webm.len() as u64 == entry.clear_bytes
                && (o.complete || !entry.complete)
        })
        .ok_or_else(not_genuine)
}

/// Reads everything once: hashes, links, tags and lengths.
///
/// # Errors
/// The first segment that is missing or not genuine.
pub fn verify(
    source: &dyn SegmentSource,
    key: &RecordingKey,
    manifest: &Manifest,
) -> Result<(), ReadError> {
    for leg in &manifest.legs {
        let mut link = first_link(&manifest.recording, leg.leg);
        for entry in &leg.segments {
            let opened = load(source, key, &manifest.recording, leg.leg, entry)?;
            let expected = opened.previous == link;
            let mut hash = [0; segment::HASH];
            for (n, byte) in hash.iter_mut().enumerate() {
                let pair = entry.sha256.get(2 * n..2 * n + 2);
                *byte = pair
                    .and_then(|p| u8::from_str_radix(p, 16).ok())
                    .unwrap_or_default();
            }
            link = next_link(&link, &hash);
            if !expected || hex(&link) != entry.chain {
                return Err(ReadError::NotGenuine {
                    leg: leg.leg,
                    segment: entry.index,
                });
            }
        }
        if hex(&link) != leg.chain {
            return Err(ReadError::NotGenuine {
                leg: leg.leg,
                segment: 0,
            });
        }
    }
    Ok(())
}

/// One part as a file that browsers play and seek in: duration and index in front, then the clusters as they were written.
pub struct PartReader<S> {
    source: S,
    key: RecordingKey,
    recording: String,
    leg: u16,
    part: PartEntry,
    segments: Vec<SegmentEntry>,
    head: Vec<u8>,
    content_type: &'static str,
    loaded: Option<(u32, Vec<u8>)>,
}

impl<S: SegmentSource> PartReader<S> {
    /// Reads the first segment of the part, for what its codecs need.
    ///
    /// # Errors
    /// No such part, or a segment that is missing or not genuine.
    pub fn open(
        source: S,
        key: &RecordingKey,
        manifest: &Manifest,
        leg: u16,
        part: u32,
    ) -> Result<Self, ReadError> {
        let entry: &LegEntry = manifest
            .legs
            .iter()
            .find(|l| l.leg == leg)
            .ok_or(ReadError::NotFound)?;
        let found = entry.parts.iter().find(|p| p.part == part);
        let found = found.ok_or(ReadError::NotFound)?.clone();
        let of_part = |s: &&SegmentEntry| s.part == part;
        let segments: Vec<_> = entry.segments.iter().filter(of_part).cloned().collect();
        let mut reader = Self {
            source,
            key: key.clone(),
            recording: manifest.recording.clone(),
            leg,
            part: found,
            segments,
            head: Vec::new(),
            content_type: "",
            loaded: None,
        };
        let written = reader.raw(0, reader.part.head_bytes)?;
        let heads = reader.heads(&written)?;
        let clusters = reader.part.bytes.saturating_sub(reader.part.head_bytes);
        let length = reader.part.to_ms - reader.part.from_ms.min(reader.part.to_ms);
        reader.content_type = webm::content_type(&heads);
        reader.head = webm::indexed_head(
            &heads,
            length + 1,
            &reader.part.cues,
            reader.part.head_bytes,
            clusters,
        );
        Ok(reader)
    }

    /// Length of the file (bytes).
    #[must_use]
    pub fn len(&self) -> u64 {
        self.head.len() as u64 + self.part.bytes.saturating_sub(self.part.head_bytes)
    }

    /// Never: there is a head at least.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `video/webm`, `audio/webm`, or `video/x-matroska` where H.264 is in it.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        self.content_type
    }

    /// The bytes from `from` up to `to`, cut at the file's end.
    ///
    /// # Errors
    /// A segment that is missing or not genuine.
    pub fn read_range(&mut self, from: u64, to: u64) -> Result<Vec<u8>, ReadError> {
        let to = to.min(self.len());
        if from >= to {
            return Ok(Vec::new());
        }
        let head = self.head.len() as u64;
        let mut out = Vec::new();
        if from < head {
            let end = to.min(head) as usize;
            out.extend_from_slice(&self.head[from as usize..end]);
        }
        if to > head {
            let skip = self.part.head_bytes;
            out.extend(self.raw(from.max(head) - head + skip, to - head + skip)?);
        }
        Ok(out)
    }

    /// Bytes of the stream as it was written.
    fn raw(&mut self, from: u64, to: u64) -> Result<Vec<u8>, ReadError> {
        let mut out = Vec::new();
        let mut start = 0;
        for n in 0..self.segments.len() {
            let entry = &self.segments[n];
            let end = start + entry.clear_bytes;
            if end > from && start < to {
                let index = entry.index;
                if self.loaded.as_ref().is_none_or(|(i, _)| *i != index) {
                    let opened = load(&self.source, &self.key, &self.recording, self.leg, entry)?;
                    self.loaded = Some((index, opened.webm));
                }
                if let Some((_, webm)) = &self.loaded {
                    let a = from.saturating_sub(start) as usize;
                    let b = (to - start).min(webm.len() as u64) as usize;
                    out.extend_from_slice(&webm[a..b]);
                }
            }
            start = end;
        }
        Ok(out)
    }

    /// The tracks, with what stands in the written head alone (H.264's parameter sets).
    fn heads(&self, written: &[u8]) -> Result<Vec<TrackHead>, ReadError> {
        let not_genuine = || ReadError::NotGenuine {
            leg: self.leg,
            segment: self.segments.first().map_or(0, |s| s.index),
        };
        let private = webm::privates(written).ok_or_else(not_genuine)?;
        if private.len() != self.part.tracks.len() {
            return Err(not_genuine());
        }
        let head = |(t, private): (&TrackEntry, Vec<u8>)| TrackHead {
            kind: t.kind,
            config: Config {
                codec: t.codec,
                private,
            },
            size: (t.width.unwrap_or_default(), t.height.unwrap_or_default()),
        };
        Ok(self.part.tracks.iter().zip(private).map(head).collect())
    }
}

impl PartEntry {
    /// Whether it holds pictures.
    #[must_use]
    pub fn has_video(&self) -> bool {
        self.tracks.iter().any(|t| t.kind == Kind::Video)
    }

    /// The codec of its pictures.
    #[must_use]
    pub fn video_codec(&self) -> Option<Codec> {
        let video = self.tracks.iter().find(|t| t.kind == Kind::Video);
        video.map(|t| t.codec)
    }
}
