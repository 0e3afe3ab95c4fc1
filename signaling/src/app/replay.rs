//! Replay of recordings (回放): who may, what they see, and a file of it.
//!
//! Who opens one says why; that is audited, and so is every file that is made. A replay is a cookie of two hours for one person and one
//! recording; whether they may is asked anew at each request, from the rows: a duty that is over or another hall ends it at once.
//!
//! `replay/access.rs` who may; `lines.rs` lists, hold and the manifest; `opening.rs` open and look; `legs.rs` what there is to play; `marks.rs`
//! and `words.rs` the timeline; `parts.rs` and `warm.rs` the bytes; `export.rs`, `making.rs`, `ffmpeg.rs`, `vessel.rs` one file of all legs. Keeping and
//! deletion are `retention`.

pub mod access;
pub mod export;
mod ffmpeg;
mod legs;
pub mod lines;
mod making;
mod marks;
pub mod opening;
pub mod parts;
mod sealed;
mod vessel;
mod warm;
mod words;

pub use ffmpeg::available as can_export;
pub(super) use sealed::manifest;
