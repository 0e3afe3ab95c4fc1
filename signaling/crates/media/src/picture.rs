//! Where a stretch of packets can be begun: at a picture that needs no other. Pure; malformed input is none.

use crate::record::Codec;

const IDR: u8 = 5;
const SPS: u8 = 7;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

/// Whether a decoder that has seen nothing yet can begin with this packet. Sound always can.
pub(crate) fn begins(codec: Codec, payload: &[u8]) -> bool {
    match codec {
        Codec::Opus => true,
        Codec::Vp8 => vp8(payload).unwrap_or(false),
        Codec::H264 => h264(payload).unwrap_or(false),
    }
}

/// The first packet of a keyframe (RFC 7741 §4.2, §4.3).
fn vp8(p: &[u8]) -> Option<bool> {
    let first = *p.first()?;
    if first & 0x10 == 0 || first & 0x07 != 0 {
        return Some(false); // not the start of partition 0
    }
    let mut at = 1;
    if first & 0x80 != 0 {
        let extension = *p.get(at)?;
        at += 1;
        if extension & 0x80 != 0 {
            at += if *p.get(at)? & 0x80 != 0 { 2 } else { 1 };
        }
        if extension & 0x40 != 0 {
            at += 1;
        }
        if extension & 0x30 != 0 {
            at += 1;
        }
    }
    Some(*p.get(at)? & 0x01 == 0)
}

/// A parameter set, which senders put before each IDR picture, or the picture itself where the sets went before (RFC 6184 §5.6: alone;
/// §5.7.1: several in one packet; §5.8: the first fragment of one).
fn h264(p: &[u8]) -> Option<bool> {
    let starts = |nal: u8| matches!(nal & 0x1f, IDR | SPS);
    let (first, rest) = p.split_first()?;
    match first & 0x1f {
        STAP_A => {
            let mut rest = rest;
            while let Some((length, more)) = rest.split_first_chunk::<2>() {
                let (nal, more) =
                    more.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
                if starts(*nal.first()?) {
                    return Some(true);
                }
                rest = more;
            }
            Some(false)
        }
        FU_A => {
            let header = *rest.first()?;
            Some(header & 0x80 != 0 && starts(header))
        }
        _ => Some(starts(*first)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vp8_keyframes_are_told_from_the_descriptor() {
        let begins = |p: &[u8]| begins(Codec::Vp8, p);
        assert!(begins(&[0x10, 0x00, 0x9d]));
        assert!(!begins(&[0x10, 0x01, 0x00]));
        assert!(!begins(&[0x00, 0x00])); // continuation
        assert!(!begins(&[0x11, 0x00])); // partition 1
        let full = [0x90, 0xf0, 0x81, 0x02, 0x03, 0x04, 0x00]; // 15-bit picture id, TL0, TID
        assert!(begins(&full));
        assert!(begins(&[0x90, 0x80, 0x01, 0x00])); // 7-bit picture id
        assert!(!begins(&[0x90, 0x80, 0x01, 0x01]));
        for cut in 0..6 {
            assert!(!begins(&full[..cut]));
        }
    }

    #[test]
    fn h264_begins_with_its_parameters_or_an_idr_picture() {
        let begins = |p: &[u8]| begins(Codec::H264, p);
        assert!(begins(&[0x67, 0x42, 0xe0, 0x1f]), "parameters alone");
        assert!(begins(&[0x65, 0x88]), "a small IDR picture");
        assert!(!begins(&[0x61, 0x9a]), "another picture");
        assert!(
            !begins(&[0x68, 0xce]),
            "the second set: the first is missing"
        );
        assert!(!begins(&[0x09, 0x10]), "a delimiter");
        // Both sets in one packet, as browsers send them; then a picture and another.
        let sets = [0x78, 0, 4, 0x67, 0x42, 0xe0, 0x1f, 0, 2, 0x68, 0xce];
        assert!(begins(&sets));
        assert!(begins(&[0x78, 0, 2, 0x09, 0x10, 0, 2, 0x65, 0x88]));
        assert!(!begins(&[0x78, 0, 2, 0x61, 0x9a, 0, 2, 0x41, 0x9a]));
        // Fragments: the first of an IDR picture, a later one, the first of another.
        assert!(begins(&[0x7c, 0x85, 0x88]));
        assert!(!begins(&[0x7c, 0x05, 0x88]));
        assert!(!begins(&[0x7c, 0x81, 0x9a]));
        for cut in 0..4 {
            assert!(!begins(&sets[..cut]));
        }
        assert!(!begins(&[0x78, 0, 9, 0x67]), "longer than the packet");
        assert!(!begins(&[0x7c]));
    }
}
