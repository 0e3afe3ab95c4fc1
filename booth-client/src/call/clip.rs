//! What is played: a picture and a sound, whole in memory, with the time that each piece lasts.

use super::{ivf, ogg};
use bytes::Bytes;
use std::{fs::File, io::Read as _, path::Path, time::Duration};

/// Longest file read, bytes.
pub const FILE_MAX: u64 = 64 << 20;

/// Why a file cannot be played, for the person who gave it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{zh} · {en}")]
pub struct BadFile {
    pub zh: String,
    pub en: String,
}

pub(super) fn bad(zh: impl Into<String>, en: impl Into<String>) -> BadFile {
    BadFile {
        zh: zh.into(),
        en: en.into(),
    }
}

/// One VP8 frame (RFC 6386).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub data: Bytes,
    /// A decoder can begin here.
    pub key: bool,
    pub lasts: Duration,
}

/// Frames of which the first is a keyframe; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Video {
    pub frames: Vec<Frame>,
    pub width: u16,
    pub height: u16,
}

impl Video {
    /// The first keyframe at or after `from`, around the end if need be.
    #[must_use]
    pub fn next_key(&self, from: usize) -> usize {
        let n = self.frames.len();
        (0..n)
            .map(|i| (from + i) % n)
            .find(|&i| self.frames[i].key)
            .unwrap_or(0)
    }
}

/// One Opus packet (RFC 6716).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sound {
    pub data: Bytes,
    pub lasts: Duration,
}

/// Packets in order; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audio {
    pub packets: Vec<Sound>,
}

/// Reads an IVF file with VP8.
///
/// # Errors
/// Not readable, too large, or not such a file.
pub fn video(path: &Path) -> Result<Video, BadFile> {
    named(path, bytes(path).and_then(ivf::read))
}

/// Reads an Ogg file with Opus.
///
/// # Errors
/// As for [`video`].
pub fn audio(path: &Path) -> Result<Audio, BadFile> {
    named(path, bytes(path).and_then(|b| ogg::read(&b)))
}

fn named<T>(path: &Path, read: Result<T, BadFile>) -> Result<T, BadFile> {
    read.map_err(|e| {
        bad(
            format!("{}：{}", path.display(), e.zh),
            format!("{}: {}", path.display(), e.en),
        )
    })
}

/// Never more than the limit, whatever the file is: a device or a pipe has no length.
fn bytes(path: &Path) -> Result<Bytes, BadFile> {
    let mut all = Vec::new();
    File::open(path)
        .and_then(|f| f.take(FILE_MAX + 1).read_to_end(&mut all))
        .map_err(|e| bad(format!("读不了（{e}）"), format!("cannot be read ({e})")))?;
    if all.len() as u64 > FILE_MAX {
        return Err(bad("文件超过64 MiB", "the file is longer than 64 MiB"));
    }
    Ok(all.into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_next_keyframe_may_be_around_the_end() {
        let frame = |key| Frame {
            data: Bytes::new(),
            key,
            lasts: Duration::from_millis(33),
        };
        let v = Video {
            frames: [true, false, true, false].map(frame).to_vec(),
            width: 0,
            height: 0,
        };
        assert_eq!([0, 1, 2, 3, 4].map(|i| v.next_key(i)), [0, 2, 2, 0, 0]);
    }

    #[test]
    fn a_file_that_is_missing_or_too_long_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let missing = video(&dir.path().join("none.ivf")).unwrap_err();
        assert!(missing.en.contains("none.ivf"), "{missing}");
        let long = dir.path().join("long.ogg");
        File::create(&long).unwrap().set_len(FILE_MAX + 1).unwrap();
        assert!(audio(&long).unwrap_err().en.contains("64 MiB"));
    }
}
