//! VP8 in RTP (RFC 7741 §4.2) and what of its frame header the container needs (RFC 6386 §9.1). Malformed input is none.

/// The VP8 bytes of a packet, and whether a frame begins with them.
pub(crate) fn depacketize(payload: &[u8]) -> Option<(bool, &[u8])> {
    let first = *payload.first()?;
    let mut at = 1;
    if first & 0x80 != 0 {
        let extension = *payload.get(at)?;
        at += 1;
        if extension & 0x80 != 0 {
            at += if *payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
        }
        if extension & 0x40 != 0 {
            at += 1;
        }
        if extension & 0x30 != 0 {
            at += 1;
        }
    }
    let begins = first & 0x10 != 0 && first & 0x07 == 0;
    payload
        .get(at..)
        .filter(|rest| !rest.is_empty())
        .map(|rest| (begins, rest))
}

/// Whether a frame can be decoded without others.
pub(crate) fn is_key(frame: &[u8]) -> bool {
    frame.first().is_some_and(|b| b & 0x01 == 0)
}

/// Width and height of a keyframe (pixels), without the scaling bits.
pub(crate) fn key_size(frame: &[u8]) -> Option<(u32, u32)> {
    let header: &[u8; 10] = frame.first_chunk()?;
    if !is_key(frame) || header[3..6] != [0x9d, 0x01, 0x2a] {
        return None;
    }
    let side = |lo: u8, hi: u8| u32::from(u16::from_le_bytes([lo, hi]) & 0x3fff);
    let size = (side(header[6], header[7]), side(header[8], header[9]));
    (size.0 > 0 && size.1 > 0).then_some(size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn descriptors_of_every_shape_are_taken_off() {
        assert_eq!(depacketize(&[0x10, 7, 8]), Some((true, &[7u8, 8][..])));
        assert_eq!(depacketize(&[0x00, 7]), Some((false, &[7u8][..])));
        assert_eq!(depacketize(&[0x11, 7]), Some((false, &[7u8][..])));
        // 15-bit picture id, TL0PICIDX, TID.
        let full = [0x90, 0xf0, 0x81, 0x02, 0x03, 0x04, 9];
        assert_eq!(depacketize(&full), Some((true, &[9u8][..])));
        for cut in 0..full.len() {
            assert_eq!(depacketize(&full[..cut]), None, "{cut}");
        }
    }

    #[test]
    fn the_size_is_read_without_the_scaling_bits() {
        let key = [0x50, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x42, 0xe0, 0x81];
        assert_eq!(key_size(&key), Some((640, 480)));
        assert_eq!(key_size(&key[..9]), None);
        let mut delta = key;
        delta[0] |= 1;
        assert_eq!(key_size(&delta), None);
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Some((_, rest)) = depacketize(&bytes) {
                prop_assert!(rest.len() < bytes.len());
                let _ = key_size(rest);
            }
        }
    }
}
