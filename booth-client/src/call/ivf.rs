//! IVF, the container of the VP8 tools: a header of 32 bytes, then 12 bytes before each frame (little endian).
//! Reads files from strangers: every length is checked before it is used, nothing is allocated after a length in the file.

use super::clip::{BadFile, Frame, Video, bad};
use bytes::Bytes;
use std::time::Duration;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 12;
/// Largest frame, bytes: far beyond a keyframe of a camera.
const FRAME_MAX: usize = 1 << 20;
/// Twenty minutes at 30 frames a second.
const FRAMES_MAX: usize = 36_000;
/// Between two frames: more than 200 a second would only burn the processor, and a longer pause is no film.
const STEP: std::ops::RangeInclusive<Duration> = Duration::from_millis(5)..=Duration::from_secs(10);
/// Of a file with one frame.
const ALONE: Duration = Duration::from_millis(100);

fn u16_at(b: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([b[at], b[at + 1]])
}
fn u32_at(b: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([b[at], b[at + 1], b[at + 2], b[at + 3]])
}

/// The frames of a file.
///
/// # Errors
/// Not IVF, not VP8, cut short, times that do not grow, or over a limit; says where.
pub fn read(file: Bytes) -> Result<Video, BadFile> {
    if file.len() < HEADER || &file[..4] != b"DKIF" {
        return Err(bad("不是IVF文件", "not an IVF file"));
    }
    let header = usize::from(u16_at(&file, 6));
    if u16_at(&file, 4) != 0 || header < HEADER || header > file.len() {
        return Err(bad("IVF文件头不对", "the IVF header is wrong"));
    }
    if &file[8..12] != b"VP80" {
        let codec = String::from_utf8_lossy(&file[8..12]).into_owned();
        let codec = codec.escape_default();
        return Err(bad(
            format!("编码是{codec}，需要VP8"),
            format!("the codec is {codec}; VP8 is needed"),
        ));
    }
    let (rate, scale) = (u32_at(&file, 16), u32_at(&file, 20));
    if rate == 0 || scale == 0 {
        return Err(bad("IVF时间基为零", "the IVF time base is zero"));
    }
    let mut frames: Vec<Frame> = Vec::new();
    let mut before: Option<u64> = None;
    let mut at = header;
    while at < file.len() {
        let n = frames.len() + 1;
        if file.len() - at < FRAME_HEADER {
            return Err(cut(n));
        }
        let size = u32_at(&file, at) as usize;
        let stamp = u64::from(u32_at(&file, at + 4)) | u64::from(u32_at(&file, at + 8)) << 32;
        at += FRAME_HEADER;
        if size > FRAME_MAX {
            return Err(bad(
                format!("第{n}帧超过1 MiB"),
                format!("frame {n} is larger than 1 MiB"),
            ));
        }
        if file.len() - at < size {
            return Err(cut(n));
        }
        let data = file.slice(at..at + size);
        at += size;
        if size == 0 {
            // An encoder that dropped a frame writes none; the one before lasts on.
            continue;
        }
        if frames.len() == FRAMES_MAX {
            return Err(bad(
                format!("超过{FRAMES_MAX}帧"),
                format!("more than {FRAMES_MAX} frames"),
            ));
        }
        if let (Some(last), Some(was)) = (frames.last_mut(), before) {
            last.lasts = step(was, stamp, rate, scale)
                .filter(|d| STEP.contains(d))
                .ok_or_else(|| {
                    bad(
                        format!("第{n}帧的时间不对"),
                        format!("the time of frame {n} is wrong"),
                    )
                })?;
        }
        before = Some(stamp);
        let key = keyframe(&data)
            .ok_or_else(|| bad(format!("第{n}帧不是VP8"), format!("frame {n} is not VP8")))?;
        frames.push(Frame {
            data,
            key,
            lasts: ALONE,
        });
    }
    match frames.first() {
        None => return Err(bad("没有一帧画面", "there is no frame in it")),
        Some(f) if !f.key => {
            return Err(bad("第一帧不是关键帧", "the first frame is not a keyframe"));
        }
        Some(_) => {}
    }
    // Nothing says how long the last one lasts: as long as the one before.
    if let [.., one, last] = frames.as_mut_slice() {
        last.lasts = one.lasts;
    }
    Ok(Video {
        frames,
        width: u16_at(&file, 12),
        height: u16_at(&file, 14),
    })
}

fn cut(n: usize) -> BadFile {
    bad(
        format!("文件在第{n}帧处断了"),
        format!("the file is cut at frame {n}"),
    )
}

fn step(was: u64, now: u64, rate: u32, scale: u32) -> Option<Duration> {
    let ticks = u128::from(now.checked_sub(was)?);
    let nanos = ticks * u128::from(scale) * 1_000_000_000 / u128::from(rate);
    Some(Duration::from_nanos(u64::try_from(nanos).ok()?))
}

/// Whether a decoder can begin with the frame; none: no VP8 frame (RFC 6386 §9.1: three bytes of tag, start code of keyframes).
fn keyframe(frame: &[u8]) -> Option<bool> {
    match frame {
        [tag, _, _, ..] if tag & 1 == 1 => Some(false),
        [_, _, _, 0x9d, 0x01, 0x2a, _, _, _, _, ..] => Some(true),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub const KEY: &[u8] = &[0x10, 2, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00, 7];
    const DELTA: &[u8] = &[0x11, 2, 0, 8];

    pub fn file(frames: &[(u64, &[u8])]) -> Vec<u8> {
        let mut f = b"DKIF\0\0\x20\0VP80\x40\x01\xf0\x00".to_vec();
        f.extend(30u32.to_le_bytes());
        f.extend(1u32.to_le_bytes());
        f.extend([0; 8]);
        for (stamp, data) in frames {
            f.extend((data.len() as u32).to_le_bytes());
            f.extend(stamp.to_le_bytes());
            f.extend(*data);
        }
        f
    }
    fn refused(f: Vec<u8>) -> String {
        read(f.into()).unwrap_err().en
    }

    #[test]
    fn frames_come_with_their_times() {
        let v = read(file(&[(0, KEY), (1, DELTA), (3, &[]), (4, KEY)]).into()).unwrap();
        assert_eq!((v.width, v.height, v.frames.len()), (320, 240, 3));
        let ms: Vec<u128> = v.frames.iter().map(|f| f.lasts.as_millis()).collect();
        assert_eq!(ms, [33, 100, 100]);
        let keys: Vec<bool> = v.frames.iter().map(|f| f.key).collect();
        assert_eq!(keys, [true, false, true]);
        assert_eq!(v.frames[1].data, DELTA);
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(refused(b"RIFF".to_vec()), "not an IVF file");
        let mut other = file(&[(0, KEY)]);
        other[8..12].copy_from_slice(b"VP90");
        assert!(refused(other).contains("VP90"));
        let mut timeless = file(&[(0, KEY)]);
        timeless[16..20].fill(0);
        assert!(refused(timeless).contains("time base"));
        assert!(refused(file(&[])).contains("no frame"));
        assert!(refused(file(&[(0, DELTA)])).contains("keyframe"));
        assert!(refused(file(&[(5, KEY), (5, DELTA)])).contains("time of frame 2"));
        assert!(refused(file(&[(0, KEY), (301, DELTA)])).contains("time of frame 2"));
        assert!(refused(file(&[(0, KEY), (1, &[0x10, 0])])).contains("frame 2 is not VP8"));
        let mut cut = file(&[(0, KEY), (1, KEY)]);
        cut.truncate(cut.len() - 1);
        assert!(refused(cut).contains("cut at frame 2"));
        // A length that would ask for four gigabytes.
        let mut huge = file(&[(0, KEY)]);
        huge[32..36].fill(0xff);
        assert!(refused(huge).contains("larger"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fall_over(cut in 0usize..200, spoil in proptest::collection::vec((0usize..200, any::<u8>()), 0..8)) {
            let mut f = file(&[(0, KEY), (1, DELTA), (2, KEY), (9, DELTA), (10, KEY)]);
            for (at, to) in spoil {
                let n = f.len();
                f[at % n] = to;
            }
            f.truncate(cut.min(f.len()));
            if let Ok(v) = read(f.into()) {
                prop_assert!(v.frames[0].key);
                prop_assert!(v.frames.iter().all(|f| f.lasts >= *STEP.start()));
            }
        }
    }
}
