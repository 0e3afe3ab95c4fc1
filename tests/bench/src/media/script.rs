//! The stream that every server is given: VP8 of 1 Mbit/s in packets of 1,200 bytes, 30 frames a second, each frame a burst, and Opus
//! of 50 packets a second. The same bytes each time; only SSRCs are the caller's.
//!
//! A keyframe a second, as large as the other frames: who joins late begins at one (RFC 7741), and the load does not depend on who
//! asked for a picture when.

use super::Kind;

/// One RTP packet of video, header included (bytes).
pub const VIDEO_PACKET: usize = 1_200;
/// One RTP packet of audio: 80 bytes of Opus, 32 kbit/s.
pub const AUDIO_PACKET: usize = RTP_HEADER + 80;
/// Fixed RTP header (RFC 3550 §5.1).
pub const RTP_HEADER: usize = 12;
const VIDEO_BITS_PER_S: u64 = 1_000_000;
const FRAMES_PER_S: u64 = 30;
const AUDIO_NS: u64 = 20_000_000;
const SECOND_NS: u64 = 1_000_000_000;

/// Packets of video until the end of so many frames.
fn packets_after(frames: u64) -> u64 {
    frames * VIDEO_BITS_PER_S / (FRAMES_PER_S * 8 * VIDEO_PACKET as u64)
}

/// What comes next of the stream, and when.
pub struct Script {
    ssrc: [u32; 2],
    frames: u64,
    audio: u64,
    buffer: [u8; VIDEO_PACKET],
}

impl Script {
    /// `ssrc`: of audio, of video.
    #[must_use]
    pub fn new(ssrc: [u32; 2]) -> Self {
        let mut buffer = [0; VIDEO_PACKET];
        let mut x = 0x9e37_79b9_u32;
        for b in &mut buffer {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            *b = x as u8;
        }
        Self {
            ssrc,
            frames: 0,
            audio: 0,
            buffer,
        }
    }

    #[must_use]
    pub fn ssrc(&self) -> [u32; 2] {
        self.ssrc
    }

    fn frame_due(&self) -> u64 {
        self.frames * SECOND_NS / FRAMES_PER_S
    }

    fn audio_due(&self) -> u64 {
        // Between two frames, not at one.
        self.audio * AUDIO_NS + AUDIO_NS / 4
    }

    /// When the next burst is due (ns since the stream's beginning).
    #[must_use]
    pub fn due(&self) -> u64 {
        self.frame_due().min(self.audio_due())
    }

    /// Gives the packets of the next burst, one after the other.
    pub fn burst(&mut self, mut send: impl FnMut(Kind, &[u8])) {
        if self.audio_due() <= self.frame_due() {
            let n = self.audio;
            self.audio += 1;
            self.header(Kind::Audio, n, (n * 960) as u32, true);
            send(Kind::Audio, &self.buffer[..AUDIO_PACKET]);
            return;
        }
        let frame = self.frames;
        self.frames += 1;
        let (from, to) = (packets_after(frame), packets_after(frame + 1));
        for n in from..to {
            let timestamp = (frame * 90_000 / FRAMES_PER_S) as u32;
            self.header(Kind::Video, n, timestamp, n + 1 == to);
            self.descriptor(frame, n == from);
            send(Kind::Video, &self.buffer);
        }
    }

    fn header(&mut self, kind: Kind, n: u64, timestamp: u32, marker: bool) {
        let b = &mut self.buffer;
        b[0] = 0x80;
        b[1] = kind.payload_type() | if marker { 0x80 } else { 0 };
        b[2..4].copy_from_slice(&(n as u16).to_be_bytes());
        b[4..8].copy_from_slice(&timestamp.to_be_bytes());
        b[8..12].copy_from_slice(&self.ssrc[kind as usize].to_be_bytes());
    }

    /// VP8 payload descriptor with a 15-bit picture id (RFC 7741 §4.2) and, at a frame's start, the frame's tag (RFC 6386 §9.1).
    fn descriptor(&mut self, frame: u64, start: bool) {
        let picture = (frame as u16) & 0x7fff;
        let [high, low] = picture.to_be_bytes();
        let descriptor = [if start { 0x90 } else { 0x80 }, 0x80, 0x80 | high, low];
        self.buffer[12..16].copy_from_slice(&descriptor);
        // A continuation is any bytes; these are no start code.
        let tag = if !start {
            [0x5a; 10]
        } else if frame.is_multiple_of(FRAMES_PER_S) {
            [0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01] // key, shown, 640 × 360
        } else {
            [0x11, 0x02, 0x00, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a]
        };
        self.buffer[16..26].copy_from_slice(&tag);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_a_megabit_of_video_and_fifty_packets_of_audio() {
        let mut script = Script::new([7, 9]);
        let (mut bytes, mut count, mut keys, mut last) = ([0; 2], [0u64; 2], 0, 0);
        while script.due() < 6 * SECOND_NS {
            assert!(script.due() >= last, "time goes on");
            last = script.due();
            script.burst(|kind, p| {
                assert_eq!(Kind::of(p[1] & 0x7f), Some(kind));
                assert_eq!(
                    u16::from_be_bytes([p[2], p[3]]),
                    count[kind as usize] as u16
                );
                assert_eq!(p[11], [7, 9][kind as usize]);
                bytes[kind as usize] += p.len();
                count[kind as usize] += 1;
                // Start of partition 0 and the frame's inverse key bit, as a forwarder reads them.
                keys += u32::from(kind == Kind::Video && p[12] & 0x10 != 0 && p[16] & 1 == 0);
            });
        }
        assert_eq!(bytes, [300 * AUDIO_PACKET, 750_000]);
        assert_eq!(count, [300, 625]);
        assert_eq!(keys, 6);
    }

    #[test]
    fn a_frame_ends_with_the_marker_and_keeps_its_timestamp() {
        let mut script = Script::new([1, 2]);
        let mut frames: Vec<Vec<(bool, u32)>> = vec![];
        for _ in 0..60 {
            let mut frame = vec![];
            script.burst(|kind, p| {
                if kind == Kind::Video {
                    let timestamp = u32::from_be_bytes([p[4], p[5], p[6], p[7]]);
                    frame.push((p[1] & 0x80 != 0, timestamp));
                }
            });
            frames.extend((!frame.is_empty()).then_some(frame));
        }
        for (n, frame) in frames.iter().enumerate() {
            assert!(frame.len() == 3 || frame.len() == 4);
            for (i, (marker, timestamp)) in frame.iter().enumerate() {
                assert_eq!(*marker, i + 1 == frame.len());
                assert_eq!(*timestamp, n as u32 * 3_000);
            }
        }
    }
}
