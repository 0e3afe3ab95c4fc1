//! H.264's sequence parameter set, as far as a container needs it. Malformed input is none.

pub(crate) struct Sps {
    pub chroma: u8,
    pub depth_luma: u8,
    pub depth_chroma: u8,
    pub width: u32,
    pub height: u32,
}

impl Sps {
    /// Reads a sequence parameter set (ITU-T H.264 §7.3.2.1.1) as far as the cropping.
    pub(crate) fn read(nal: &[u8]) -> Option<Self> {
        let profile = *nal.get(1)?;
        let mut b = Bits::new(nal.get(4..)?);
        b.ue()?; // id
        let (mut chroma, mut depth_luma, mut depth_chroma, mut separate) = (1, 0, 0, false);
        if matches!(
            profile,
            100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135
        ) {
            chroma = b.ue()?;
            if chroma == 3 {
                separate = b.bit()?;
            }
            depth_luma = b.ue()?;
            depth_chroma = b.ue()?;
            b.bit()?; // lossless bypass
            if b.bit()? {
                for n in 0..if chroma == 3 { 12 } else { 8 } {
                    if b.bit()? {
                        b.skip_scaling_list(if n < 6 { 16 } else { 64 })?;
                    }
                }
            }
        }
        b.ue()?; // log2_max_frame_num
        match b.ue()? {
            0 => {
                b.ue()?;
            }
            1 => {
                b.bit()?;
                b.se()?;
                b.se()?;
                for _ in 0..b.ue()?.min(255) {
                    b.se()?;
                }
            }
            _ => {}
        }
        b.ue()?; // reference frames
        b.bit()?; // gaps allowed
        let width = b.ue()?.checked_add(1)?.checked_mul(16)?;
        let units = b.ue()?.checked_add(1)?.checked_mul(16)?;
        let frames_only = b.bit()?;
        let height = units.checked_mul(if frames_only { 1 } else { 2 })?;
        if !frames_only {
            b.bit()?; // field adaptive
        }
        b.bit()?; // direct 8×8
        let mut crop = [0; 4];
        if b.bit()? {
            for side in &mut crop {
                *side = b.ue()?;
            }
        }
        let (unit_x, unit_y) = match (chroma, separate) {
            (1, _) => (2, 2),
            (2, _) => (2, 1),
            _ => (1, 1),
        };
        let unit_y = if frames_only { unit_y } else { unit_y * 2 };
        let cut = |a: u32, b: u32, unit: u32| a.checked_add(b)?.checked_mul(unit);
        Some(Self {
            chroma: u8::try_from(chroma).ok().filter(|c| *c <= 3)?,
            depth_luma: u8::try_from(depth_luma).ok().filter(|d| *d <= 6)?,
            depth_chroma: u8::try_from(depth_chroma).ok().filter(|d| *d <= 6)?,
            width: width
                .checked_sub(cut(crop[0], crop[1], unit_x)?)
                .filter(|w| (1..=16_384).contains(w))?,
            height: height
                .checked_sub(cut(crop[2], crop[3], unit_y)?)
                .filter(|h| (1..=16_384).contains(h))?,
        })
    }
}

/// Bits of an RBSP, emulation prevention taken out (§7.4.1.1), with Exp-Golomb codes (§9.1).
struct Bits {
    bytes: Vec<u8>,
    at: usize,
}

impl Bits {
    fn new(nal: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(nal.len());
        let mut zeros = 0;
        for &b in nal {
            if zeros >= 2 && b == 3 {
                zeros = 0;
                continue;
            }
            zeros = if b == 0 { zeros + 1 } else { 0 };
            bytes.push(b);
        }
        Self { bytes, at: 0 }
    }

    fn bit(&mut self) -> Option<bool> {
        let byte = *self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1 == 1;
        self.at += 1;
        Some(bit)
    }

    fn ue(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.bit()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        let mut value = 1u64;
        for _ in 0..zeros {
            value = value << 1 | u64::from(self.bit()?);
        }
        u32::try_from(value - 1).ok()
    }

    fn se(&mut self) -> Option<i64> {
        let code = i64::from(self.ue()?);
        Some(if code % 2 == 0 {
            -code / 2
        } else {
            (code + 1) / 2
        })
    }

    fn skip_scaling_list(&mut self, size: usize) -> Option<()> {
        let (mut last, mut next) = (8i64, 8i64);
        for _ in 0..size {
            if next != 0 {
                next = (last + self.se()? + 256).rem_euclid(256);
            }
            last = if next == 0 { last } else { next };
        }
        Some(())
    }
}
