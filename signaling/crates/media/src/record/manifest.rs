//! What a recording holds and what it does not: the list that the server signs. A gap is listed, never hidden.
//!
//! Whole numbers only, so that the canonical form (RFC 8785) is the same everywhere. Times are milliseconds since the recording's
//! start unless the name says otherwise; hashes are SHA-256 in lower-case hexadecimal.

use crate::event::{Kind, Source};
use crate::forward::MemberRole;
use serde::{Deserialize, Serialize};

/// Version of the manifest and of the segments' format.
pub const FORMAT: u32 = 1;

/// The whole recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// The recording's id.
    pub recording: String,
    /// Wall clock at the start (ms since 1970, UTC).
    pub started_at_ms: i64,
    /// Length in milliseconds; after a crash, the last moment that is on disk.
    pub duration_ms: u64,
    /// Why it ended.
    pub ended: Ended,
    /// One for each member, in order of appearance.
    pub legs: Vec<LegEntry>,
    /// What happened to the recording as a whole.
    pub events: Vec<EventEntry>,
}

/// Why a recording ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// The session was over, or went elsewhere.
    Finished,
    /// Consent was withdrawn.
    Withdrawn,
    /// The room was closed, or the server shut down in order.
    Closed,
    /// The process ended without a word; the manifest was made afterwards from what was on disk.
    Crash,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegEntry {
    /// Number of the leg, from 1.
    pub leg: u16,
    /// Member id.
    pub member: String,
    /// The part in which the member was first recorded; none if it never came.
    pub role: Option<MemberRole>,
    /// What of the member: papers and screens have legs of their own, without sound, and are never required.
    #[serde(default, skip_serializing_if = "Source::is_person")]
    pub source: Source,
    /// Without it the recording is not proven.
    pub required: bool,
    /// The WebM streams, one after another; a new one begins when tracks or codecs change.
    pub parts: Vec<PartEntry>,
    /// The encrypted files in order: those of the first part, then of the second.
    pub segments: Vec<SegmentEntry>,
    /// What is missing, in order of its beginning.
    pub gaps: Vec<Gap>,
    /// The last link of the chain.
    pub chain: String,
}

/// One WebM stream of a leg. Its own time begins at zero, which is `from_ms` of the recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartEntry {
    /// Number of the part, from 1.
    pub part: u32,
    /// First block.
    pub from_ms: u64,
    /// Last block.
    pub to_ms: u64,
    /// Length of the stream as it was written (bytes).
    pub bytes: u64,
    /// Length of the part before the first cluster (bytes).
    pub head_bytes: u64,
    /// What it holds.
    pub tracks: Vec<TrackEntry>,
    /// Where one may start to play.
    pub cues: Vec<Cue>,
}

/// A cluster that begins with a keyframe, or any in a part without video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cue {
    /// Time of the cluster (ms since the part's beginning).
    pub ms: u64,
    /// Offset in the stream as it was written (bytes).
    pub at: u64,
}

/// One track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackEntry {
    /// Audio or video.
    pub kind: Kind,
    /// Codec.
    pub codec: Codec,
    /// Size of the first picture (pixels); none for sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Size of the first picture (pixels); none for sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Sample rate (Hz); none for pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_rate: Option<u32>,
    /// Frames written.
    pub frames: u64,
}

/// How a track is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Codec {
    /// RFC 6716.
    Opus,
    /// RFC 6386.
    Vp8,
    /// ITU-T H.264.
    H264,
}

/// One encrypted file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentEntry {
    /// Number within the leg, from 1.
    pub index: u32,
    /// Part to whose stream it belongs.
    pub part: u32,
    /// First block.
    pub first_ms: u64,
    /// Last block.
    pub last_ms: u64,
    /// Length of the file (bytes).
    pub bytes: u64,
    /// Length of the stream that it holds (bytes).
    pub clear_bytes: u64,
    /// Hash of the file.
    pub sha256: String,
    /// Hash of the previous link and of this file's hash.
    pub chain: String,
    /// Whether the file has its end; `false` after a crash or a disk that refused.
    pub complete: bool,
}

/// What is not there, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Which track; none means both.
    pub kind: Option<Kind>,
    /// Beginning.
    pub from_ms: u64,
    /// End; none if nobody knows (the process ended, or it lasted to the recording's end).
    pub to_ms: Option<u64>,
    /// Why.
    pub reason: GapReason,
}

/// Why something is not in the recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// Packets did not arrive; of video also what could not be decoded without them.
    Loss,
    /// The member was not connected, or nothing came.
    LegDown,
    /// The disk was full or failed.
    Disk,
    /// The disk was too slow.
    Queue,
    /// The process ended.
    Crash,
    /// A file is missing, or not what was written: what hung on it counts no more.
    Damaged,
    /// The recording had no leg left for the member.
    NoLeg,
    /// Camera or microphone off, or the call's rung did not carry it.
    Mode,
    /// The room was held, or the member was in a part that is not recorded.
    Paused,
}

impl GapReason {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::LegDown => "leg_down",
            Self::Disk => "disk",
            Self::Queue => "queue",
            Self::Crash => "crash",
            Self::Damaged => "damaged",
            Self::NoLeg => "no_leg",
            Self::Mode => "mode",
            Self::Paused => "paused",
        }
    }
}

/// Something that happened to the recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventEntry {
    /// When.
    pub at_ms: u64,
    /// What.
    #[serde(flatten)]
    pub what: Happening,
}

/// What happened to a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Happening {
    /// Sound of every required member, and pictures where they are carried, were synced to disk.
    Proven,
    /// A required member's media is no longer written.
    Interrupted {
        /// Leg.
        leg: u16,
        /// Why.
        reason: GapReason,
    },
    /// All required media is on disk again.
    Resumed,
    /// Nothing is written any more.
    Stopped {
        /// Why.
        reason: Ended,
    },
}

impl Manifest {
    /// The bytes that the application signs: JSON in canonical form (RFC 8785).
    ///
    /// # Errors
    /// None that can be met: the shape has text and whole numbers only.
    pub fn canonical(&self) -> serde_json::Result<Vec<u8>> {
        serde_json_canonicalizer::to_vec(self)
    }
}
