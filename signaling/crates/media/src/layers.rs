//! Fewer pictures a second from one stream: VP8's upper temporal layers are left out and the numbers closed up (RFC 7741 §4.2).
//!
//! Pure. A number that was given away stays given away: two packets under one number would be two texts under one nonce. What comes
//! too late to know its number is dropped. Picture ids are left alone: a decoder of the base layer goes by the layer's own index, and
//! an upper layer comes back only where it refers to the base alone. Limits: [`DROPS`],
//! [`REACH`].

use std::collections::VecDeque;

/// Dropped packets remembered: beyond them a late packet's new number is not known any more.
const DROPS: usize = 512;
/// Numbers farther back than this are too late; far less than half a turn, so that before and behind stay clear.
const REACH: u16 = 8_192;

/// What a VP8 payload descriptor says of temporal layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layer {
    /// 0 is the base.
    pub id: u8,
    /// Refers to nothing but the base (Y).
    pub sync: bool,
    /// First packet of a picture.
    pub start: bool,
}

/// None: not VP8 with temporal layers, or malformed.
pub(crate) fn layer(payload: &[u8]) -> Option<Layer> {
    let first = *payload.first()?;
    if first & 0x80 == 0 {
        return None;
    }
    let extension = *payload.get(1)?;
    if extension & 0x20 == 0 {
        return None;
    }
    let mut at = 2;
    if extension & 0x80 != 0 {
        at += if *payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
    }
    if extension & 0x40 != 0 {
        at += 1;
    }
    let layer = *payload.get(at)?;
    Some(Layer {
        id: layer >> 6,
        sync: layer & 0x20 != 0,
        start: first & 0x10 != 0 && first & 0x07 == 0,
    })
}

/// New numbers for the packets that are kept.
#[derive(Debug, Default)]
pub(crate) struct Closing {
    highest: Option<u16>,
    /// Dropped numbers of the source, in order, behind the oldest that is still known.
    drops: VecDeque<u16>,
    /// Dropped before those.
    forgotten: u16,
    /// Numbers from before this are not known any more.
    known_from: Option<u16>,
}

fn before(a: u16, b: u16) -> bool {
    (a.wrapping_sub(b) as i16) < 0
}

impl Closing {
    /// The packet is not forwarded. A late one's number was left free already, and stays free.
    pub(crate) fn drop(&mut self, sequence: u16) {
        if self.highest.is_some_and(|h| !before(h, sequence)) {
            return;
        }
        self.drops.push_back(sequence);
        self.advance(sequence);
    }

    fn advance(&mut self, highest: u16) {
        self.highest = Some(highest);
        let far = |n: u16| highest.wrapping_sub(n) > REACH;
        while self.drops.len() > DROPS || self.drops.front().is_some_and(|d| far(*d)) {
            self.known_from = self.drops.pop_front();
            self.forgotten = self.forgotten.wrapping_add(1);
        }
        self.known_from = self.known_from.filter(|n| !far(*n));
    }

    /// The packet's new number; none: too late to know it.
    pub(crate) fn keep(&mut self, sequence: u16) -> Option<u16> {
        if self.highest.is_none_or(|h| before(h, sequence)) {
            self.advance(sequence);
        }
        self.number(sequence)
    }

    /// The new number of a packet that was kept.
    pub(crate) fn number(&self, sequence: u16) -> Option<u16> {
        let late = self
            .highest
            .is_some_and(|h| !before(h, sequence) && h.wrapping_sub(sequence) > REACH);
        if late || self.known_from.is_some_and(|from| before(sequence, from)) {
            return None;
        }
        let dropped = self.drops.partition_point(|d| before(*d, sequence));
        if self.drops.get(dropped) == Some(&sequence) {
            return None;
        }
        Some(sequence.wrapping_sub(self.forgotten.wrapping_add(dropped as u16)))
    }

    /// The source's number of a packet that was sent under this one.
    pub(crate) fn source(&self, number: u16) -> Option<u16> {
        let base = number.wrapping_add(self.forgotten);
        // Before it lie as many drops as are found at or before the number that it then has.
        let (mut dropped, mut beyond) = (0, self.drops.len());
        while dropped < beyond {
            let middle = (dropped + beyond) / 2;
            if before(base.wrapping_add(middle as u16), self.drops[middle]) {
                beyond = middle;
            } else {
                dropped = middle + 1;
            }
        }
        let source = base.wrapping_add(dropped as u16);
        (self.number(source) == Some(number)).then_some(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn layers_are_read_from_the_descriptor() {
        let read = |p: &[u8]| layer(p).map(|l| (l.id, l.sync, l.start));
        // X, then I L T K; 15-bit picture id, TL0PICIDX, TID|Y|KEYIDX.
        let long = [0x90, 0xf0, 0x81, 0x02, 0x03, 0x64, 0x00];
        assert_eq!(read(&long), Some((1, true, true)));
        assert_eq!(read(&[0x80, 0xb0, 0x01, 0x80, 0]), Some((2, false, false)));
        assert_eq!(read(&[0x90, 0x20, 0x00]), Some((0, false, true)));
        assert_eq!(read(&[0x90, 0x80, 0x01, 0x00]), None, "no layers");
        assert_eq!(read(&[0x10, 0x00]), None);
        for cut in 0..6 {
            assert_eq!(read(&long[..cut]), None);
        }
    }

    #[test]
    fn numbers_close_up_behind_what_is_dropped() {
        let mut closing = Closing::default();
        assert_eq!(closing.keep(65_533), Some(65_533));
        closing.drop(65_534);
        // One is missing: it may still come and be kept.
        assert_eq!(closing.keep(0), Some(65_535));
        closing.drop(1);
        assert_eq!(closing.keep(2), Some(0));
        assert_eq!(closing.keep(65_535), Some(65_534), "late");
        closing.drop(65_532);
        assert_eq!(closing.keep(3), Some(1), "a late drop moves nothing");
        for (sent, source) in [
            (65_533, 65_533),
            (65_534, 65_535),
            (65_535, 0),
            (0, 2),
            (1, 3),
        ] {
            assert_eq!(closing.source(sent), Some(source));
        }
        assert_eq!(closing.number(1), None, "never sent");
    }

    #[test]
    fn a_drop_of_long_ago_is_one_number_for_ever() {
        let mut closing = Closing::default();
        closing.keep(10);
        closing.drop(11);
        for n in 12..200_000u32 {
            assert_eq!(closing.keep(n as u16), Some((n - 1) as u16), "{n}");
        }
        let highest = 199_999u32 as u16;
        assert_eq!(closing.keep(highest.wrapping_sub(REACH + 1)), None);
        assert!(closing.keep(highest.wrapping_sub(REACH)).is_some());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// Whatever is dropped, late or lost: no number twice, and each leads back to its packet.
        #[test]
        fn no_number_is_given_twice(start: u16, fates in prop::collection::vec((0u8..4, 0u16..40), 1..3_000)) {
            let mut closing = Closing::default();
            let mut given = std::collections::HashMap::new();
            let mut late = Vec::new();
            let mut met = |closing: &mut Closing, sequence: u16, keep: bool| {
                if !keep {
                    closing.drop(sequence);
                } else if let Some(number) = closing.keep(sequence) {
                    if let Some(other) = given.insert(number, sequence) {
                        assert_eq!(other, sequence, "under one number");
                    }
                    if sequence.is_multiple_of(16) {
                        assert_eq!(closing.source(number), Some(sequence));
                    }
                }
            };
            for (n, (fate, delay)) in fates.iter().enumerate() {
                let sequence = start.wrapping_add(n as u16);
                match fate {
                    0 => late.push((n + usize::from(*delay), sequence)),
                    1 => met(&mut closing, sequence, false),
                    _ => met(&mut closing, sequence, true),
                }
                while let Some(at) = late.iter().position(|(due, _)| *due <= n) {
                    let (_, sequence) = late.swap_remove(at);
                    met(&mut closing, sequence, sequence % 3 != 0);
                }
            }
        }
    }
}
