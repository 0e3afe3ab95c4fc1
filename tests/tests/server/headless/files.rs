//! A picture and a sound in the shape of real ones: headers as a decoder wants them, filled with a mark instead of content.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Last byte of every packet.
pub const MARK: u8 = 0x77;
/// CELT, full band, 20 ms, stereo.
pub const OPUS_TOC: u8 = 0xfc;
/// Tag, start code and size (RFC 6386 §9.1): 320 × 240.
pub const KEYFRAME_HEAD: [u8; 10] = [0x10, 2, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00];
/// Over two packets.
pub const KEYFRAME_BYTES: usize = 2_000;
const DELTA_BYTES: usize = 400;
const FPS: u32 = 30;

/// A minute with one keyframe at the start, so that any other was asked for; one second of sound, which goes around.
pub fn write(dir: &Path) -> (PathBuf, PathBuf) {
    let (video, audio) = (dir.join("call.ivf"), dir.join("call.ogg"));
    fs::write(&video, ivf()).unwrap();
    fs::write(&audio, ogg()).unwrap();
    (video, audio)
}

fn ivf() -> Vec<u8> {
    let mut f = b"DKIF\0\0\x20\0VP80\x40\x01\xf0\x00".to_vec();
    f.extend(FPS.to_le_bytes());
    f.extend(1u32.to_le_bytes());
    f.extend([0; 8]);
    for n in 0..u64::from(60 * FPS) {
        let frame = if n == 0 {
            let mut frame = KEYFRAME_HEAD.to_vec();
            frame.resize(KEYFRAME_BYTES, MARK);
            frame
        } else {
            let mut frame = vec![0x11, 2, 0];
            frame.resize(DELTA_BYTES, MARK);
            frame
        };
        f.extend((frame.len() as u32).to_le_bytes());
        f.extend(n.to_le_bytes());
        f.extend(frame);
    }
    f
}

fn ogg() -> Vec<u8> {
    let mut f = page(2, b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0");
    f.extend(page(0, b"OpusTags\x04\0\0\0test\0\0\0\0"));
    for n in 0..50u8 {
        f.extend(page(0, &[OPUS_TOC, n, MARK]));
    }
    f
}

fn page(flags: u8, packet: &[u8]) -> Vec<u8> {
    let mut p = b"OggS\0".to_vec();
    p.push(flags);
    p.extend([0; 8]);
    p.extend(1u32.to_le_bytes());
    p.extend([0; 8]);
    p.extend([1, packet.len() as u8]);
    p.extend(packet);
    // RFC 3533 §6.
    let crc = p.iter().fold(0u32, |crc, &b| {
        (0..8).fold(crc ^ u32::from(b) << 24, |c, _| {
            (c << 1) ^ if c >> 31 == 1 { 0x04c1_1db7 } else { 0 }
        })
    });
    p[22..26].copy_from_slice(&crc.to_le_bytes());
    p
}
