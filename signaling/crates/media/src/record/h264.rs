//! H.264 in RTP (RFC 6184: single NAL units, STAP-A, FU-A) and as Matroska wants it: NAL units with a length of four bytes before
//! each, parameter sets apart in an `avcC` record (ISO/IEC 14496-15 §5.3.3.1). Malformed input is none.

use super::limits::FRAME_BYTES;
use super::sps::Sps;

const IDR: u8 = 5;
const SPS: u8 = 7;
const PPS: u8 = 8;

/// One picture being put together.
#[derive(Debug, Default)]
pub(crate) struct AccessUnit {
    /// NAL units with their lengths.
    pub data: Vec<u8>,
    pub key: bool,
    fragment: Option<Vec<u8>>,
}

/// The parameter sets that came last.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct ParameterSets {
    sps: Vec<u8>,
    pps: Vec<u8>,
}

impl AccessUnit {
    /// Adds a packet; `false` if it cannot be used, and the picture with it.
    pub(crate) fn push(&mut self, payload: &[u8], sets: &mut ParameterSets) -> bool {
        let Some(first) = payload.first() else {
            return true; // padding
        };
        match first & 0x1f {
            1..=23 => self.nal(payload, sets),
            24 => {
                let mut rest = &payload[1..];
                while !rest.is_empty() {
                    let Some((length, more)) = rest.split_first_chunk::<2>() else {
                        return false;
                    };
                    let length = usize::from(u16::from_be_bytes(*length));
                    let Some((nal, more)) = more.split_at_checked(length) else {
                        return false;
                    };
                    if !self.nal(nal, sets) {
                        return false;
                    }
                    rest = more;
                }
                true
            }
            28 => {
                let Some(header) = payload.get(1) else {
                    return false;
                };
                if header & 0x80 != 0 {
                    self.fragment = Some(vec![(first & 0xe0) | (header & 0x1f)]);
                }
                let Some(fragment) = &mut self.fragment else {
                    return false; // its beginning is missing
                };
                fragment.extend_from_slice(&payload[2..]);
                if fragment.len() > FRAME_BYTES {
                    return false;
                }
                if header & 0x40 != 0 {
                    let nal = self.fragment.take().unwrap_or_default();
                    return self.nal(&nal, sets);
                }
                true
            }
            _ => false, // not negotiated (packetization-mode 1)
        }
    }

    /// Whether every fragment has its end and there is a picture at all.
    pub(crate) fn is_whole(&self) -> bool {
        self.fragment.is_none() && !self.data.is_empty()
    }

    fn nal(&mut self, nal: &[u8], sets: &mut ParameterSets) -> bool {
        let Some(first) = nal.first() else {
            return false;
        };
        match first & 0x1f {
            SPS => sets.sps = nal.to_vec(),
            PPS => sets.pps = nal.to_vec(),
            9 | 12 => {} // access unit delimiter, filler: the container has no use for them
            kind => {
                self.key |= kind == IDR;
                self.data
                    .extend_from_slice(&(nal.len() as u32).to_be_bytes());
                self.data.extend_from_slice(nal);
            }
        }
        self.data.len() <= FRAME_BYTES
    }
}

impl ParameterSets {
    /// The `avcC` record; none before both sets are here.
    pub(crate) fn avcc(&self) -> Option<Vec<u8>> {
        let [_, profile, compatibility, level, ..] = *self.sps.as_slice() else {
            return None;
        };
        if self.pps.is_empty() {
            return None;
        }
        let mut out = vec![1, profile, compatibility, level, 0xff, 0xe1];
        for (n, set) in [&self.sps, &self.pps].into_iter().enumerate() {
            if n == 1 {
                out.push(1);
            }
            out.extend_from_slice(&u16::try_from(set.len()).ok()?.to_be_bytes());
            out.extend_from_slice(set);
        }
        if matches!(profile, 100 | 110 | 122 | 144) {
            let sps = Sps::read(&self.sps)?;
            out.extend_from_slice(&[
                0xfc | sps.chroma,
                0xf8 | sps.depth_luma,
                0xf8 | sps.depth_chroma,
                0,
            ]);
        }
        Some(out)
    }

    /// Width and height (pixels).
    pub(crate) fn size(&self) -> Option<(u32, u32)> {
        Sps::read(&self.sps).map(|s| (s.width, s.height))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Constrained baseline, 640×480, as browsers' encoders write it.
    pub(crate) const SPS_640: &[u8] = &[
        0x67, 0x42, 0xc0, 0x1f, 0xda, 0x02, 0x80, 0xf6, 0x84, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00,
        0x00, 0x03, 0x00, 0xca, 0x3c, 0x60, 0xca, 0x80,
    ];
    pub(crate) const PPS: &[u8] = &[0x68, 0xce, 0x3c, 0x80];

    /// Bits written the other way round, to make parameter sets of known content.
    #[derive(Default)]
    struct Writer(Vec<bool>);
    impl Writer {
        fn bits(mut self, value: u32, count: u32) -> Self {
            self.0.extend((0..count).rev().map(|n| value >> n & 1 == 1));
            self
        }
        fn ue(self, value: u32) -> Self {
            let length = 32 - (value + 1).leading_zeros();
            self.bits(0, length - 1).bits(value + 1, length)
        }
        fn bytes(self) -> Vec<u8> {
            let mut bits = self.0;
            bits.push(true);
            while !bits.len().is_multiple_of(8) {
                bits.push(false);
            }
            bits.chunks(8)
                .map(|c| c.iter().fold(0, |b, bit| b << 1 | u8::from(*bit)))
                .collect()
        }
    }

    fn sets(sps: &[u8]) -> ParameterSets {
        let mut sets = ParameterSets::default();
        let mut unit = AccessUnit::default();
        assert!(unit.push(sps, &mut sets));
        assert!(unit.push(PPS, &mut sets));
        assert!(!unit.is_whole(), "parameter sets are no picture");
        sets
    }

    #[test]
    fn the_record_holds_both_sets_and_the_size_is_read() {
        let sets = sets(SPS_640);
        assert_eq!(sets.size(), Some((640, 480)));
        let avcc = sets.avcc().unwrap();
        assert_eq!(&avcc[..8], [1, 0x42, 0xc0, 0x1f, 0xff, 0xe1, 0, 23]);
        assert_eq!(&avcc[8..31], SPS_640);
        assert_eq!(&avcc[31..], [&[1, 0, 4][..], PPS].concat());
        assert_eq!(ParameterSets::default().avcc(), None);
    }

    #[test]
    fn cropping_and_high_profile_are_understood() {
        // High, 4:2:0, 1920×1088 cropped to 1080.
        let body = Writer::default()
            .ue(0) // id
            .ue(1) // chroma
            .ue(0)
            .ue(0)
            .bits(0, 2)
            .ue(0)
            .ue(2) // order count type
            .ue(1)
            .bits(0, 1)
            .ue(119)
            .ue(67)
            .bits(0b11, 2) // frames only, direct
            .bits(1, 1)
            .ue(0)
            .ue(0)
            .ue(0)
            .ue(4)
            .bits(0, 1)
            .bytes();
        let sps = [&[0x67, 100, 0, 40][..], &body].concat();
        let sets = sets(&sps);
        assert_eq!(sets.size(), Some((1920, 1080)));
        let avcc = sets.avcc().unwrap();
        assert_eq!(avcc[avcc.len() - 4..], [0xfd, 0xf8, 0xf8, 0]);
    }

    #[test]
    fn single_units_aggregates_and_fragments_give_the_same_picture() {
        let idr: Vec<u8> = [0x65]
            .into_iter()
            .chain((0..200u8).map(|n| n ^ 0x55))
            .collect();
        let mut expected = (idr.len() as u32).to_be_bytes().to_vec();
        expected.extend_from_slice(&idr);

        let mut sets = ParameterSets::default();
        let mut single = AccessUnit::default();
        assert!(single.push(&idr, &mut sets));
        assert!(single.is_whole() && single.key);
        assert_eq!(single.data, expected);

        let mut stap = vec![0x78];
        for nal in [SPS_640, PPS, &idr] {
            stap.extend_from_slice(&(nal.len() as u16).to_be_bytes());
            stap.extend_from_slice(nal);
        }
        let mut unit = AccessUnit::default();
        assert!(unit.push(&stap, &mut sets));
        assert_eq!(unit.data, expected);
        assert!(sets.avcc().is_some());
        assert!(!AccessUnit::default().push(&stap[..stap.len() - 1], &mut sets));

        let mut unit = AccessUnit::default();
        let chunks: Vec<&[u8]> = idr[1..].chunks(60).collect();
        for (n, chunk) in chunks.iter().enumerate() {
            let flags =
                if n == 0 { 0x80 } else { 0 } | if n + 1 == chunks.len() { 0x40 } else { 0 };
            assert!(!unit.is_whole());
            assert!(unit.push(&[&[0x7c, flags | 5][..], chunk].concat(), &mut sets));
        }
        assert!(unit.is_whole() && unit.key);
        assert_eq!(unit.data, expected);
        // A fragment without its beginning.
        assert!(!AccessUnit::default().push(&[0x7c, 0x45, 1], &mut sets));
    }

    proptest! {
        #[test]
        fn nothing_panics(packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 1..8)) {
            let mut sets = ParameterSets::default();
            let mut unit = AccessUnit::default();
            for p in &packets {
                unit.push(p, &mut sets);
            }
            let _ = (sets.avcc(), sets.size(), unit.is_whole());
        }

        #[test]
        fn no_parameter_set_panics(profile in prop::sample::select(vec![66u8, 77, 100, 244]), body in prop::collection::vec(any::<u8>(), 0..60)) {
            let sps = [&[0x67, profile, 0, 30][..], &body].concat();
            let _ = Sps::read(&sps).map(|s| (s.width, s.height));
        }
    }
}
