//! What of one slot's source goes on: all, the base layer alone, or nothing; and what the source makes.
//!
//! Pure; under the slot's lock. Sound always passes.

use crate::budget::Level;
use crate::layers::{Closing, layer};
use rtc::rtp::Header;

/// RTP and UDP over IPv4, for each packet (bytes).
const OVERHEAD: u64 = 12 + 8 + 20;
/// Rates are of at least so long (µs).
const PERIOD_US: u64 = 300_000;

#[derive(Debug, Default)]
pub(crate) struct Gate {
    level: Level,
    /// The level that is wanted; another one begins where a decoder can follow.
    wanted: Level,
    closing: Option<Closing>,
    layered: bool,
    bytes: u64,
    base_bytes: u64,
    measured_us: Option<u64>,
    rates: Rates,
    /// What this slot's page takes of the source (bit/s); none: not known, or all; 0: nothing comes.
    pub share: Option<u32>,
}

/// bit/s.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Rates {
    pub full: u32,
    pub thin: Option<u32>,
}

impl Gate {
    pub(crate) fn is_paused(&self) -> bool {
        self.wanted == Level::Paused
    }

    /// `true` if the stream must begin anew, at a keyframe.
    pub(crate) fn set(&mut self, level: Level) -> bool {
        let changed = (self.wanted == Level::Paused) != (level == Level::Paused);
        self.wanted = level;
        if changed {
            self.level = level;
        }
        changed
    }

    /// A new stretch of the stream begins: what was left out before it, maybe long ago, is behind numbers that are given already.
    pub(crate) fn restart(&mut self) {
        self.closing = None;
    }

    /// Another source: measured anew, numbered anew.
    pub(crate) fn forget(&mut self) {
        *self = Self {
            level: self.level,
            wanted: self.wanted,
            share: self.share,
            ..Self::default()
        };
    }

    /// Whether a packet goes on; its number is closed up behind those that did not. `vp8`: it may have layers.
    pub(crate) fn pass(&mut self, header: &mut Header, payload: &[u8], vp8: bool) -> bool {
        let size = payload.len() as u64 + OVERHEAD;
        self.bytes += size;
        let layer = if vp8 { layer(payload) } else { None };
        match layer {
            None => self.base_bytes += size,
            Some(layer) if layer.id == 0 => self.base_bytes += size,
            Some(_) => self.layered = true,
        }
        // Down between two pictures; up at one that refers to the base alone.
        let up = self.wanted > self.level;
        if layer.is_some_and(|l| l.start && (!up || (l.id > 0 && l.sync))) {
            self.level = self.wanted;
        }
        match self.level {
            Level::Paused => return false,
            Level::Thin if layer.is_some_and(|l| l.id > 0) => {
                self.closing
                    .get_or_insert_default()
                    .drop(header.sequence_number);
                return false;
            }
            // Without layers there is nothing to wait for.
            Level::Thin if layer.is_none() => self.level = self.wanted,
            Level::Thin | Level::Full => {}
        }
        self.number(header, true)
    }

    /// Gives a packet that is sent again the number that it had.
    pub(crate) fn again(&mut self, header: &mut Header) -> bool {
        self.number(header, false)
    }

    fn number(&mut self, header: &mut Header, keep: bool) -> bool {
        let Some(closing) = &mut self.closing else {
            return true;
        };
        let number = if keep {
            closing.keep(header.sequence_number)
        } else {
            closing.number(header.sequence_number)
        };
        if let Some(number) = number {
            header.sequence_number = number;
        }
        number.is_some()
    }

    /// The source's number of what went on under this one.
    pub(crate) fn source(&self, sequence: u16) -> Option<u16> {
        match &self.closing {
            Some(closing) => closing.source(sequence),
            None => Some(sequence),
        }
    }

    /// What the source makes, with what is around each packet.
    pub(crate) fn rates(&mut self, now_us: u64) -> Rates {
        let Some(since) = self.measured_us else {
            (self.measured_us, self.bytes, self.base_bytes) = (Some(now_us), 0, 0);
            return self.rates;
        };
        let span = now_us.saturating_sub(since);
        if span >= PERIOD_US {
            let rate = |bytes: u64| u32::try_from(bytes * 8_000_000 / span).unwrap_or(u32::MAX);
            // Half of what was: a keyframe is no change.
            let smooth = |before: u32, now: u32| match before {
                0 => now,
                _ => before / 2 + now / 2,
            };
            let (full, base) = (rate(self.bytes), rate(self.base_bytes));
            self.rates = Rates {
                full: smooth(self.rates.full, full),
                thin: self
                    .layered
                    .then(|| smooth(self.rates.thin.unwrap_or_default(), base)),
            };
            (self.measured_us, self.bytes, self.base_bytes) = (Some(now_us), 0, 0);
        }
        self.rates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(sequence_number: u16) -> Header {
        Header {
            sequence_number,
            ..Header::default()
        }
    }

    /// A packet of a layer: descriptor with T alone.
    fn of(layer: u8, sync: bool) -> [u8; 4] {
        [0x90, 0x20, layer << 6 | u8::from(sync) << 5, 1]
    }

    fn pass(gate: &mut Gate, sequence: u16, payload: &[u8]) -> Option<u16> {
        let mut header = header(sequence);
        gate.pass(&mut header, payload, true)
            .then_some(header.sequence_number)
    }

    #[test]
    fn the_upper_layer_is_left_out_and_comes_back_where_it_can() {
        let mut gate = Gate::default();
        assert_eq!(pass(&mut gate, 10, &of(0, false)), Some(10));
        assert_eq!(pass(&mut gate, 11, &of(1, true)), Some(11));
        assert!(!gate.set(Level::Thin), "no keyframe is needed");
        let mut rest = of(1, false);
        rest[0] = 0x80;
        assert_eq!(
            pass(&mut gate, 12, &rest),
            Some(12),
            "of a picture that has begun"
        );
        assert_eq!(pass(&mut gate, 13, &of(1, false)), None);
        assert_eq!(pass(&mut gate, 14, &of(0, false)), Some(13));
        assert!(!gate.set(Level::Full));
        assert_eq!(
            pass(&mut gate, 15, &of(1, false)),
            None,
            "refers to what was left out"
        );
        assert_eq!(pass(&mut gate, 16, &of(0, false)), Some(14));
        assert_eq!(pass(&mut gate, 17, &of(1, true)), Some(15));
        assert_eq!(gate.source(14), Some(16));
        let mut again = header(16);
        assert!(gate.again(&mut again));
        assert_eq!(again.sequence_number, 14);
        assert!(!gate.again(&mut header(13)), "was never sent");
    }

    #[test]
    fn a_pause_stops_all_and_its_end_begins_anew() {
        let mut gate = Gate::default();
        assert!(gate.set(Level::Paused));
        assert!(gate.is_paused());
        assert_eq!(pass(&mut gate, 1, &[0x10, 0]), None);
        assert!(!gate.set(Level::Paused));
        assert!(gate.set(Level::Full));
        assert_eq!(pass(&mut gate, 2, &[0x10, 0]), Some(2));
    }

    #[test]
    fn a_stream_without_layers_is_whole_again_at_once() {
        let mut gate = Gate::default();
        gate.set(Level::Thin);
        gate.set(Level::Full);
        assert_eq!(pass(&mut gate, 2, &[0x10, 0]), Some(2));
        assert_eq!(gate.level, Level::Full);
    }

    #[test]
    fn rates_count_what_is_made_not_what_goes_on() {
        let mut gate = Gate::default();
        gate.rates(0);
        gate.set(Level::Paused);
        for n in 0..200u64 {
            let layer = (n % 2) as u8;
            let mut payload = [0; 960];
            payload[..4].copy_from_slice(&of(layer, false));
            pass(&mut gate, n as u16, &payload);
            gate.rates(n * 10_000);
        }
        let rates = gate.rates(2_000_000);
        assert!((760_000..=810_000).contains(&rates.full), "{rates:?}");
        let thin = rates.thin.unwrap_or_default();
        assert!((370_000..=410_000).contains(&thin), "{rates:?}");
    }
}
