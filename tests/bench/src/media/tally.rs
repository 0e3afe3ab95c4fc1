//! What one page makes of the packets that arrive: which of the source's they are, how late, how many never came.
//!
//! A server may number packets anew, by a constant. The page learns that constant without reading payloads: a packet cannot be younger
//! than the last one sent before it arrived, so the constant is the largest difference seen, and it is exact as soon as one packet has
//! arrived before the next was sent.

/// Latencies in steps of 10 µs up to a second.
pub struct Histogram {
    buckets: Vec<u64>,
    n: u64,
}

const STEP_NS: u64 = 10_000;
const STEPS: usize = 100_000;

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: vec![0; STEPS + 1],
            n: 0,
        }
    }
}

impl Histogram {
    pub fn add(&mut self, ns: u64) {
        let step = usize::try_from(ns / STEP_NS).unwrap_or(STEPS).min(STEPS);
        self.buckets[step] += 1;
        self.n += 1;
    }

    pub fn clear(&mut self) {
        self.buckets.fill(0);
        self.n = 0;
    }

    #[must_use]
    pub fn count(&self) -> u64 {
        self.n
    }

    /// Nearest rank, in milliseconds: the upper edge of the step that holds it.
    #[must_use]
    pub fn percentile_ms(&self, p: f64) -> Option<f64> {
        let rank = ((p / 100.0 * self.n as f64).ceil() as u64).max(1);
        let mut seen = 0;
        let step = self.buckets.iter().position(|n| {
            seen += n;
            seen >= rank
        })?;
        Some((step as u64 + 1) as f64 * STEP_NS as f64 / 1e6)
    }
}

/// One stream at one page.
#[derive(Default)]
pub struct Tally {
    /// Highest sequence number so far, with the wraps counted.
    highest: Option<i64>,
    /// Number at this page − number at the source.
    offset: Option<i64>,
    /// Packets of the window.
    pub received: u64,
    /// Of them, those that had come before.
    pub twice: u64,
    seen: Vec<u64>,
}

impl Tally {
    /// The number without wraps (RFC 3550 §A.1): the one nearest to the highest so far.
    fn extend(&mut self, sequence: u16) -> i64 {
        let extended = match self.highest {
            None => i64::from(sequence),
            Some(h) => h + i64::from(sequence.wrapping_sub(h as u16) as i16),
        };
        self.highest = Some(self.highest.map_or(extended, |h| h.max(extended)));
        extended
    }

    /// Forgets the constant and the window; the wraps stay counted.
    pub fn restart(&mut self) {
        self.offset = None;
        self.received = 0;
        self.twice = 0;
        self.seen.clear();
    }

    /// The highest number as receiver reports want it (RFC 3550 §6.4.1).
    #[must_use]
    pub fn highest(&self) -> u32 {
        self.highest.unwrap_or_default() as u32
    }

    /// A packet before the window: learns the constant. `sent`: when the source's packets left.
    pub fn learn(&mut self, sequence: u16, at: u64, sent: &[u64]) {
        let extended = self.extend(sequence);
        let before = sent.partition_point(|t| *t <= at) as i64;
        if before > 0 {
            let offset = extended - (before - 1);
            self.offset = Some(self.offset.map_or(offset, |o| o.max(offset)));
        }
    }

    /// A packet of any time; `from` is the first of the window. Its latency (ns) if it counts.
    pub fn count(&mut self, sequence: u16, at: u64, sent: &[u64], from: usize) -> Option<u64> {
        let index = self.extend(sequence) - self.offset?;
        let index = usize::try_from(index).ok()?;
        let left = *sent.get(index)?;
        let place = index.checked_sub(from)?;
        let (word, bit) = (place / 64, 1 << (place % 64));
        if word >= self.seen.len() {
            self.seen.resize(word + 1, 0);
        }
        if self.seen[word] & bit != 0 {
            self.twice += 1;
            return None;
        }
        self.seen[word] |= bit;
        self.received += 1;
        Some(at.saturating_sub(left))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Bursts of four, 33 ms apart, each packet 5 ms on its way, numbered by the server from `first`.
    fn world(packets: u64) -> Vec<u64> {
        (0..packets)
            .map(|n| 1_000_000_000 + n / 4 * 33_000_000 + n % 4 * 1_000)
            .collect()
    }

    const LATE: u64 = 5_000_000;

    #[test]
    fn the_constant_is_learnt_from_bursts_and_survives_the_wrap() {
        let sent = world(4_000);
        let mut tally = Tally::default();
        let number = |n: usize| (n as u16).wrapping_add(64_000);
        for n in 0..1_000 {
            // A packet of a burst arrives after its younger brothers have left.
            tally.learn(number(n), sent[n] + LATE, &sent[..(n / 4 + 1) * 4]);
        }
        for n in 1_000..4_000 {
            assert_eq!(
                tally.count(number(n), sent[n] + LATE, &sent, 1_200),
                (n >= 1_200).then_some(LATE)
            );
        }
        assert_eq!(tally.received, 2_800);
    }

    #[test]
    fn what_never_came_is_not_counted_and_what_came_twice_counts_once() {
        let sent = world(400);
        let mut tally = Tally::default();
        for n in 0..100u16 {
            tally.learn(
                n,
                sent[usize::from(n)] + LATE,
                &sent[..(usize::from(n) / 4 + 1) * 4],
            );
        }
        for n in (100..400u16).filter(|n| n % 10 != 3) {
            tally.count(n, sent[usize::from(n)] + LATE, &sent, 100);
            tally.count(n, sent[usize::from(n)] + LATE, &sent, 100);
        }
        assert_eq!((tally.received, tally.twice), (270, 270));
    }

    #[test]
    fn a_server_that_closes_the_numbers_over_a_hole_still_lost_packets() {
        let sent = world(400);
        let mut tally = Tally::default();
        for n in 0..100u16 {
            tally.learn(
                n,
                sent[usize::from(n)] + LATE,
                &sent[..(usize::from(n) / 4 + 1) * 4],
            );
        }
        // 40 packets dropped, the numbers go on without a gap.
        for n in 140..400u16 {
            tally.count(n - 40, sent[usize::from(n)] + LATE, &sent, 100);
        }
        assert_eq!(tally.received, 260);
    }

    #[test]
    fn percentiles_are_nearest_rank_at_the_steps_upper_edge() {
        let mut h = Histogram::default();
        assert_eq!(h.percentile_ms(50.0), None);
        for ms in 1..=100u64 {
            h.add(ms * 1_000_000);
        }
        assert_eq!(h.percentile_ms(50.0), Some(50.01));
        assert_eq!(h.percentile_ms(99.0), Some(99.01));
        h.add(u64::MAX);
        assert_eq!(h.percentile_ms(100.0), Some(1_000.01));
        h.clear();
        assert_eq!(h.count(), 0);
    }
}
