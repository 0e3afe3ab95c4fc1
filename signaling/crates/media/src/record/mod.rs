//! # Recording 双录: each member's media on disk, before it is forwarded
//!
//! A recording has one *leg* for each member and one for papers or a screen that a member shows; a leg has *parts* (append-only WebM streams, no transcoding), and the bytes of a leg
//! are cut into encrypted, hash-chained *segments*. What is missing is listed as a *gap* with its reason; nothing is repaired.
//!
//! ## How a packet gets to disk
//! `feed` (on the media path: a bounded queue that never waits) → the recording's own thread (`recorder`) → `jitter` (order) →
//! `frames` with `vp8` (RFC 7741) and `h264` (RFC 6184) → `clock` (sender reports, RFC 3550 §6.4.1) → `leg` (interleaving, parts, clusters of `webm`,
//! RFC 9559) → `segment` (AES-256-GCM, chain) → the application's [`SegmentSink`].
//!
//! Bytes are synced at least every second. A recording is *proven* once sound of every required member, and pictures where they
//! are carried, are synced.
//!
//! ## Format of a segment
//! Header: `CBR1` ‖ salt (16) ‖ leg (u16) ‖ index (u32) ‖ length of the recording's id (u8) ‖ id ‖ previous link (32).
//! Then records: type (u8: 1 media, 2 notes, 3 end) ‖ length of the sealed bytes (u24) ‖ sealed bytes with tag (16). Numbers are big-endian.
//! Key = HMAC-SHA-256(case key, header ‖ 0x01), which is RFC 5869's expand for 32 bytes; nonce = record number (96 bits);
//! associated data = header ‖ type. A media record is first ms (u64) ‖ last ms (u64) ‖ frames of sound (u32) ‖ of pictures (u32) ‖ WebM bytes,
//! whole blocks only. Notes are JSON: what the manifest needs after a crash. The first record of a segment says whose it is.
//! Link 0 = SHA-256(`cloud-booth recording 1` ‖ 0 ‖ recording id ‖ 0 ‖ leg (u16)); link n = SHA-256(link n−1 ‖ SHA-256(file n)).
//!
//! ## Never
//! Makes the media path wait; asks the clock inside the rules (times are handed in); logs ids of people or keys; overwrites.
//!
//! ## 中文
//! 每位成员一路，转发之前先写盘：WebM 封装，不转码；分段加密（AES-256-GCM），哈希成链；缺口必列原因。断电前已同步的内容可读。

pub mod manifest;
pub mod plan;
pub mod read;
pub mod recover;
pub mod sink;
pub mod standing;

mod clock;
mod core;
mod feed;
mod frames;
mod h264;
#[cfg(feature = "inside")]
pub(crate) mod inside;
mod jitter;
mod leg;
mod part;
mod phase;
mod recorder;
mod segment;
mod sps;
mod store;
#[cfg(test)]
mod tests;
mod track;
mod unseal;
mod vp8;
mod webm;

pub use manifest::{
    Codec, Cue, Ended, EventEntry, FORMAT, Gap, GapReason, Happening, LegEntry, Manifest,
    PartEntry, SegmentEntry, TrackEntry,
};
pub use plan::{RECORDED_ROLES, RecordingKey, RecordingPlan};
pub use read::{FileSource, PartReader, ReadError, SegmentSource, verify};
pub use recover::recover;
pub use sink::{FileSink, Segment, SegmentName, SegmentSink};
pub use standing::{RecordingWatch, Standing};

pub(crate) use feed::Feed;
pub(crate) use recorder::{Present, Recorder};

/// Limits: name, unit, reason.
pub(crate) mod limits {
    /// Packets that wait for the thread of one recording: about two seconds of six members at 1 Mbit/s.
    pub const QUEUE_PACKETS: usize = 4_096;
    /// Longest wait for a packet that is missing (ms): two round trips of a bad network, so that a repeated one still counts.
    pub const REORDER_MS: u64 = 200;
    /// Packets held while one is missing.
    pub const REORDER_PACKETS: usize = 512;
    /// A jump in sequence numbers beyond this is a new stream.
    pub const SEQUENCE_JUMP: i64 = 3_000;
    /// Frames wait this long to be put in order with the other track's (ms); more than [`REORDER_MS`].
    pub const INTERLEAVE_MS: u64 = 300;
    /// A part waits this long for a track that should come (ms).
    pub const HEAD_WAIT_MS: u64 = 2_000;
    /// Largest frame (bytes); a 1080p keyframe has about 300 KiB.
    pub const FRAME_BYTES: usize = 2 * 1024 * 1024;
    /// A record is sealed at this size (bytes) or after [`FLUSH_MS`].
    pub const RECORD_BYTES: usize = 64 * 1024;
    /// Longest time that a frame is in memory alone, and between two syncs (ms).
    pub const FLUSH_MS: u64 = 1_000;
    /// A segment ends at this size (bytes) …
    pub const SEGMENT_BYTES: u64 = 4 * 1024 * 1024;
    /// … or this age (ms).
    pub const SEGMENT_MS: u64 = 10_000;
    /// A cluster ends after this, or at a keyframe (ms); block times are 16 bits.
    pub const CLUSTER_MS: u64 = 5_000;
    /// A track that should flow and does not for this long (ms) is a gap.
    pub const SILENT_MS: u64 = 3_000;
    /// After a failure the disk is tried again after this (ms).
    pub const DISK_RETRY_MS: u64 = 5_000;
    /// Period of the recording's thread (ms).
    pub const TICK_MS: u64 = 50;
    /// Legs of one recording: members come and go in a long session. Who comes later is listed as not recorded.
    pub const LEGS: usize = 32;
}
