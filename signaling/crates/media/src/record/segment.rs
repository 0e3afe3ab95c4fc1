//! One encrypted segment: written record by record, read back as far as it is whole. The format stands in [`crate::record`].
//!
//! A segment has a key of its own, so record numbers can be nonces: no nonce is used twice under one key (NIST SP 800-38D §8.2.1).

use super::manifest::{Cue, EventEntry, Gap, TrackEntry};
use super::plan::RecordingKey;
use super::sink::{Segment, SegmentName, SegmentSink};
use crate::event::Source;
use crate::forward::MemberRole;
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use hmac::{Hmac, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::io;

pub(crate) const MAGIC: &[u8; 4] = b"CBR1";
pub(crate) const SALT: usize = 16;
pub(crate) const HASH: usize = 32;
/// Before the WebM bytes of a media record.
const SPAN: usize = 24;

/// A hash or link of the chain.
pub(crate) type Link = [u8; HASH];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Type {
    Media = 1,
    Notes = 2,
    End = 3,
}

/// What must outlast a crash besides the media.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Note {
    /// First of a segment.
    Meta(Meta),
    /// Where one may start to play in a part.
    Cue(u32, Cue),
    /// Open or closed; a later one of the same kind and beginning takes its place.
    Gap(Gap),
    /// What happened to the recording.
    Event(EventEntry),
    /// Who is not on any leg.
    LeftOut(LeftOut),
}

/// Somebody, or something shown, that came when the recording had no leg left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct LeftOut {
    pub member: String,
    #[serde(default, skip_serializing_if = "Source::is_person")]
    pub source: Source,
    pub role: MemberRole,
    pub from_ms: u64,
}

/// Whose a segment is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Meta {
    pub started_at_ms: i64,
    pub member: String,
    pub role: MemberRole,
    #[serde(default, skip_serializing_if = "Source::is_person")]
    pub source: Source,
    /// All required members of the recording.
    pub required: Vec<String>,
    pub part: u32,
    pub part_from_ms: u64,
    pub head_bytes: u64,
    pub tracks: Vec<TrackEntry>,
}

/// What a media record spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub first_ms: u64,
    pub last_ms: u64,
    /// Frames by kind.
    pub frames: [u32; 2],
}

pub(crate) fn first_link(recording: &str, leg: u16) -> Link {
    let mut hash = Sha256::new();
    hash.update(b"cloud-booth recording 1\0");
    hash.update(recording.as_bytes());
    hash.update([0]);
    hash.update(leg.to_be_bytes());
    hash.finalize().into()
}

pub(crate) fn next_link(previous: &Link, file: &Link) -> Link {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(file);
    hash.finalize().into()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

pub(crate) fn cipher(key: &RecordingKey, header: &[u8]) -> Aes256Gcm {
    #[allow(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key.bytes()).expect("any length is a key");
    mac.update(header);
    mac.update(&[1]);
    let derived: [u8; 32] = mac.finalize().into_bytes().into();
    Aes256Gcm::new(&derived.into())
}

pub(crate) fn nonce(number: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&number.to_be_bytes());
    nonce
}

fn header(recording: &str, name: SegmentName, previous: &Link, salt: &[u8; SALT]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(salt);
    out.extend_from_slice(&name.leg.to_be_bytes());
    out.extend_from_slice(&name.index.to_be_bytes());
    out.push(recording.len() as u8); // checked by the plan
    out.extend_from_slice(recording.as_bytes());
    out.extend_from_slice(previous);
    out
}

/// A segment being written.
pub(crate) struct Writer {
    file: Box<dyn Segment>,
    cipher: Aes256Gcm,
    aad: Vec<u8>,
    number: u64,
    hash: Sha256,
    pub bytes: u64,
    pub clear_bytes: u64,
}

impl Writer {
    pub(crate) fn create(
        sink: &mut dyn SegmentSink,
        key: &RecordingKey,
        recording: &str,
        name: SegmentName,
        previous: &Link,
    ) -> io::Result<Self> {
        let header = header(recording, name, previous, &rand::random());
        let mut file = sink.open(name)?;
        file.append(&header)?;
        let mut hash = Sha256::new();
        hash.update(&header);
        let bytes = header.len() as u64;
        let cipher = cipher(key, &header);
        let mut aad = header;
        aad.push(0);
        Ok(Self {
            file,
            cipher,
            aad,
            number: 0,
            hash,
            bytes,
            clear_bytes: 0,
        })
    }

    pub(crate) fn media(&mut self, span: Span, webm: &[u8]) -> io::Result<()> {
        let mut clear = Vec::with_capacity(SPAN + webm.len());
        clear.extend_from_slice(&span.first_ms.to_be_bytes());
        clear.extend_from_slice(&span.last_ms.to_be_bytes());
        clear.extend_from_slice(&span.frames[0].to_be_bytes());
        clear.extend_from_slice(&span.frames[1].to_be_bytes());
        clear.extend_from_slice(webm);
        self.record(Type::Media, &clear)?;
        self.clear_bytes += webm.len() as u64;
        Ok(())
    }

    pub(crate) fn notes(&mut self, notes: &[Note]) -> io::Result<()> {
        let json = serde_json::to_vec(notes).map_err(io::Error::other)?;
        self.record(Type::Notes, &json)
    }

    fn record(&mut self, kind: Type, clear: &[u8]) -> io::Result<()> {
        if let Some(last) = self.aad.last_mut() {
            *last = kind as u8;
        }
        let payload = Payload {
            msg: clear,
            aad: &self.aad,
        };
        let sealed = self
            .cipher
            .encrypt(&Nonce::from(nonce(self.number)), payload)
            .map_err(|_| io::Error::other("a record too long to be sealed"))?;
        let mut out = Vec::with_capacity(4 + sealed.len());
        let length = u32::try_from(sealed.len())
            .ok()
            .filter(|l| *l < 1 << 24)
            .ok_or_else(|| io::Error::other("a record too long"))?;
        out.extend_from_slice(&(length | u32::from(kind as u8) << 24).to_be_bytes());
        out.extend_from_slice(&sealed);
        self.file.append(&out)?;
        self.number += 1;
        self.hash.update(&out);
        self.bytes += out.len() as u64;
        Ok(())
    }

    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }

    /// Hash of what has been written so far.
    pub(crate) fn hash(&self) -> Link {
        self.hash.clone().finalize().into()
    }

    /// Writes the end and syncs.
    pub(crate) fn finish(mut self) -> io::Result<(Link, u64)> {
        self.record(Type::End, &[])?;
        self.file.sync()?;
        let (hash, bytes) = (self.hash(), self.bytes);
        self.file.finish()?;
        Ok((hash, bytes))
    }
}

/// The links that a file would make behind `previous` if it ended there, in the order of `ends`.
pub(crate) fn links(previous: &Link, file: &[u8], ends: &[u64]) -> Vec<(usize, Link)> {
    let (mut hash, mut at) = (Sha256::new(), 0);
    let mut out = Vec::with_capacity(ends.len());
    for end in ends {
        let end = (*end as usize).min(file.len());
        hash.update(&file[at..end]);
        at = end;
        out.push((end, next_link(previous, &hash.clone().finalize().into())));
    }
    out
}

/// Hash of a whole file.
pub(crate) fn hash_of(bytes: &[u8]) -> Link {
    Sha256::digest(bytes).into()
}
