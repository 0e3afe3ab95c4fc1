//! How often one packet is sent again, and how much in all: a page that asks on and on, or asks for what is under way, must not crowd out
//! the sound, nor what others get. Pure. Limits: [`HISTORY`], [`REPEATED_BURST`].

use crate::config::{HISTORY, REPEATED_BURST};
use std::time::{Duration, Instant};

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
    /// As long as the history: what can be repeated at one time has a place each. Empty until the first loss.
    ring: Vec<Option<Repeated>>,
    /// Bytes repeated, less half of what was sent since: three packets in ten may be lost, and some of them twice.
    owed: usize,
}

impl Repeats {
    /// Something new was sent (bytes).
    pub(crate) fn sent(&mut self, size: usize) {
        self.owed = self.owed.saturating_sub(size / 2);
    }

    /// Whether a packet that is there may be sent again now; counts it if so.
    pub(crate) fn allow(&mut self, now: Instant, sequence: u16, size: usize) -> bool {
        if self.ring.is_empty() {
            self.ring.resize(HISTORY, None);
        }
        let place = &mut self.ring[usize::from(sequence) % HISTORY];
        let before = place.filter(|r| r.sequence == sequence);
        let times = before.map_or(0, |r| r.times);
        let under_way = before.is_some_and(|r| now.saturating_duration_since(r.at) < UNDER_WAY);
        if under_way || times >= TIMES || self.owed + size > REPEATED_BURST {
            return false;
        }
        self.owed += size;
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
        assert!(repeats.allow(at(0), 7, 100));
        assert!(!repeats.allow(at(10), 7, 100));
        assert!(repeats.allow(at(10), 8, 100), "another");
        let more = (1..100).filter(|n| repeats.allow(at(n * 40), 7, 100));
        assert_eq!(more.count(), usize::from(TIMES) - 1);
        assert!(
            repeats.allow(at(5_000), 7 + HISTORY as u16, 100),
            "in the same place"
        );
    }

    /// A page that asks for all that there is, again and again, gets half as much more, and a burst.
    #[test]
    fn all_repetitions_together_stay_below_half_of_what_is_sent() {
        let mut repeats = Repeats::default();
        let t0 = Instant::now();
        let (mut sent, mut repeated) = (0, 0);
        for n in 0..20_000u32 {
            let now = t0 + Duration::from_millis(u64::from(n) * 10);
            repeats.sent(1_200);
            sent += 1_200;
            for back in 0..64 {
                if repeats.allow(now, (n as u16).wrapping_sub(back * 7), 1_200) {
                    repeated += 1_200;
                }
            }
        }
        assert!(
            repeated <= sent / 2 + REPEATED_BURST,
            "{repeated} of {sent}"
        );
        assert!(repeated > sent * 2 / 5, "{repeated} of {sent}");
    }

    /// One in ten lost, and one in ten of the repetitions.
    #[test]
    fn ordinary_loss_is_repeated_whole() {
        let mut repeats = Repeats::default();
        let t0 = Instant::now();
        for n in 0..20_000u32 {
            let now = t0 + Duration::from_millis(u64::from(n) * 10);
            // A camera of little: the allowance goes by size.
            repeats.sent(200);
            let again = n.checked_sub(8).filter(|n| n % 100 == 0);
            let lost = (n % 10 == 0).then_some(n).into_iter().chain(again);
            for n in lost {
                assert!(repeats.allow(now, n as u16, 200), "{n}");
            }
        }
    }
}
