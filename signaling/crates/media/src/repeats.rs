//! How often one packet is sent again: a page that asks on and on, or asks for what is under way, must not crowd out the sound. Pure.

use std::time::{Duration, Instant};

/// Numbers remembered. Divides 65,536.
const KEPT: usize = 128;
/// What was sent again so lately is still under way.
const UNDER_WAY: Duration = Duration::from_millis(25);
/// Then the page has to do without, or with a keyframe.
const TIMES: u8 = 8;

#[derive(Debug, Clone, Copy)]
struct Repeated {
    sequence: u16,
    times: u8,
    at: Instant,
}

#[derive(Debug, Default)]
pub(crate) struct Repeats {
    /// Empty until the first loss.
    ring: Vec<Option<Repeated>>,
}

impl Repeats {
    /// Whether the packet may be sent again now; counts it if so.
    pub(crate) fn allow(&mut self, now: Instant, sequence: u16) -> bool {
        if self.ring.is_empty() {
            self.ring.resize(KEPT, None);
        }
        let place = &mut self.ring[usize::from(sequence) % KEPT];
        let before = place.filter(|r| r.sequence == sequence);
        let times = before.map_or(0, |r| r.times);
        let under_way = before.is_some_and(|r| now.saturating_duration_since(r.at) < UNDER_WAY);
        if under_way || times >= TIMES {
            return false;
        }
        *place = Some(Repeated {
            sequence,
            times: times + 1,
            at: now,
        });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_repeated_some_times_and_not_while_it_is_under_way() {
        let mut repeats = Repeats::default();
        let t0 = Instant::now();
        let at = |ms| t0 + Duration::from_millis(ms);
        assert!(repeats.allow(at(0), 7));
        assert!(!repeats.allow(at(10), 7));
        assert!(repeats.allow(at(10), 8), "another");
        let more = (1..100).filter(|n| repeats.allow(at(n * 40), 7)).count();
        assert_eq!(more, usize::from(TIMES) - 1);
        assert!(
            repeats.allow(at(5_000), 7 + KEPT as u16),
            "in the same place"
        );
    }
}
