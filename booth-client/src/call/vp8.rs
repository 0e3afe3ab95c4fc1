//! VP8 in RTP (RFC 7741): cutting a frame into payloads, and seeing whole frames in what arrives.

use bytes::{BufMut as _, Bytes, BytesMut};
use std::collections::BTreeSet;

/// Payload of one packet, bytes: with RTP, SRTP, UDP and IP it stays under 1,280.
const PAYLOAD_MAX: usize = 1_180;
/// Extended, with a picture id of 15 bits (RFC 7741 §4.2).
const DESCRIPTOR: usize = 4;
/// Packets of one frame that are remembered.
const PARTS_MAX: usize = 1_024;

/// One frame as RTP payloads, in order.
pub fn payloads(frame: &Bytes, picture_id: u16) -> Vec<Bytes> {
    frame
        .chunks(PAYLOAD_MAX - DESCRIPTOR)
        .enumerate()
        .map(|(i, part)| {
            let mut out = BytesMut::with_capacity(DESCRIPTOR + part.len());
            // X; S where the first partition begins.
            out.put_u8(if i == 0 { 0x90 } else { 0x80 });
            out.put_u8(0x80); // I
            out.put_u16(0x8000 | (picture_id & 0x7fff)); // M
            out.put_slice(part);
            out.freeze()
        })
        .collect()
}

/// What a packet's payload says of its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    KeyStart,
    DeltaStart,
    Rest,
}

/// Reads descriptor and first byte; none: malformed.
#[must_use]
pub fn part(p: &[u8]) -> Option<Part> {
    let first = *p.first()?;
    let mut at = 1;
    if first & 0x80 != 0 {
        let more = *p.get(at)?;
        at += 1;
        if more & 0x80 != 0 {
            at += if *p.get(at)? & 0x80 != 0 { 2 } else { 1 };
        }
        at += usize::from(more & 0x40 != 0) + usize::from(more & 0x30 != 0);
    }
    let byte = *p.get(at)?;
    Some(match (first & 0x10 != 0 && first & 0x07 == 0, byte & 1) {
        (false, _) => Part::Rest,
        (true, 0) => Part::KeyStart,
        (true, _) => Part::DeltaStart,
    })
}

/// Counts frames of which every packet came.
#[derive(Debug, Default)]
pub struct Frames {
    timestamp: u32,
    start: Option<(u16, bool)>,
    end: Option<u16>,
    parts: BTreeSet<u16>,
    pub whole: u64,
    pub keyframes: u64,
}

impl Frames {
    /// True: this packet completes a keyframe.
    pub fn packet(&mut self, sequence: u16, timestamp: u32, marker: bool, payload: &[u8]) -> bool {
        let Some(part) = part(payload) else {
            return false;
        };
        if timestamp != self.timestamp || (self.start.is_none() && self.parts.is_empty()) {
            *self = Self {
                timestamp,
                whole: self.whole,
                keyframes: self.keyframes,
                ..Self::default()
            };
        }
        if self.parts.len() < PARTS_MAX {
            self.parts.insert(sequence);
        }
        if part != Part::Rest {
            self.start = Some((sequence, part == Part::KeyStart));
        }
        if marker {
            self.end = Some(sequence);
        }
        let (Some((start, key)), Some(end)) = (self.start, self.end) else {
            return false;
        };
        if self.parts.len() != usize::from(end.wrapping_sub(start)) + 1 {
            return false;
        }
        self.whole += 1;
        self.keyframes += u64::from(key);
        // Counted once: a packet that comes again does not complete it again.
        self.end = None;
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_cut_and_seen_whole_again() {
        for (first, key) in [(0x10u8, true), (0x11, false)] {
            let mut frame = vec![7u8; 3_000];
            frame[0] = first;
            let parts = payloads(&frame.clone().into(), 40_000);
            assert_eq!(parts.len(), 3);
            assert!(parts.iter().all(|p| p.len() <= PAYLOAD_MAX));
            let back: Vec<u8> = parts
                .iter()
                .flat_map(|p| p[DESCRIPTOR..].to_vec())
                .collect();
            assert_eq!(back, frame);
            assert_eq!(&parts[0][..4], [0x90, 0x80, 0x9c, 0x40]);
            // Out of order and over the wrap.
            let mut seen = Frames::default();
            let last = parts.len() - 1;
            let done: Vec<bool> = [2, 0, 1]
                .map(|i: usize| {
                    seen.packet(65_535u16.wrapping_add(i as u16), 9, i == last, &parts[i])
                })
                .to_vec();
            assert_eq!(done, [false, false, key]);
            assert_eq!((seen.whole, seen.keyframes), (1, u64::from(key)));
            // The same packet again completes nothing.
            assert!(!seen.packet(0, 9, false, &parts[1]));
            assert_eq!(seen.whole, 1);
        }
    }

    #[test]
    fn a_frame_with_a_hole_is_not_whole() {
        let mut frame = vec![7u8; 3_000];
        frame[0] = 0x10;
        let parts = payloads(&frame.into(), 1);
        let mut seen = Frames::default();
        assert!(!seen.packet(1, 9, false, &parts[0]));
        assert!(!seen.packet(3, 9, true, &parts[2]));
        assert!(seen.packet(4, 3_009, true, &[0x10, 0x00, 1]));
        assert_eq!((seen.whole, seen.keyframes), (1, 1));
    }

    #[test]
    fn malformed_payloads_are_nothing() {
        let long = [0x90, 0xf0, 0x81, 0x02, 0x03, 0x04, 0x00];
        assert_eq!(part(&long), Some(Part::KeyStart));
        for cut in 0..long.len() {
            assert_eq!(part(&long[..cut]), None);
        }
        assert_eq!(part(&[0x11, 0x00]), Some(Part::Rest));
        assert_eq!(part(&[0x10, 0x01]), Some(Part::DeltaStart));
    }
}
