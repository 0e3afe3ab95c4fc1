//! What lost packets say of the network (draft-ietf-rmcat-gcc-02 §6), by windows of some packets. Pure.
//!
//! A loss that stays after the estimate has fallen thrice is the way's own (a bad radio link): no reason to fall further.

/// A window has at least so many packets and lasts so long (µs).
const PACKETS: u32 = 20;
const WINDOW_US: u64 = 300_000;
/// Beyond this share the network is too full; above the smaller one the estimate does not grow.
const MUCH: f64 = 0.10;
const SOME: f64 = 0.05;
/// Falls without effect before a loss is taken for the way's own, and how long it then is (µs).
const TRIES: u32 = 3;
const OWN_US: u64 = 20_000_000;
/// Receiver reports in a row.
const REPORTS: u32 = 2;

#[derive(Debug, Default)]
pub(crate) struct Loss {
    lost: u32,
    all: u32,
    began_us: u64,
    smooth: Option<f64>,
    own: f64,
    own_until_us: u64,
    tries: u32,
    /// The loss at the first of the tries.
    first: f64,
    fell_us: u64,
    bad_reports: u32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Verdict {
    Fine,
    /// Not more, not less.
    Wait,
    /// So much was lost beyond what is always lost (0 to 1).
    Congested(f64),
}

impl Loss {
    pub(crate) fn add(&mut self, lost: bool) {
        self.all += 1;
        self.lost += u32::from(lost);
    }

    pub(crate) fn judge(&mut self, now: u64, round_trip_us: u64) -> Verdict {
        if self.all < PACKETS || now.saturating_sub(self.began_us) < WINDOW_US {
            return match self.smooth {
                Some(smooth) if smooth - self.own > SOME => Verdict::Wait,
                _ => Verdict::Fine,
            };
        }
        let sample = f64::from(self.lost) / f64::from(self.all);
        (self.lost, self.all, self.began_us) = (0, 0, now);
        let smooth = self.smooth.map_or(sample, |s| 0.6 * s + 0.4 * sample);
        self.smooth = Some(smooth);
        if now > self.own_until_us {
            self.own = 0.0;
        }
        let beyond = smooth.min(sample) - self.own;
        if beyond <= SOME {
            self.tries = 0;
            return Verdict::Fine;
        }
        if beyond <= MUCH {
            return Verdict::Wait;
        }
        if now.saturating_sub(self.fell_us) < WINDOW_US + round_trip_us {
            return Verdict::Wait;
        }
        self.fell_us = now;
        if self.tries == 0 {
            self.first = smooth;
        }
        self.tries += 1;
        if self.tries > TRIES && smooth > 0.7 * self.first && smooth < 0.5 {
            self.own = smooth;
            self.own_until_us = now + OWN_US;
            self.tries = 0;
            return Verdict::Wait;
        }
        Verdict::Congested(beyond)
    }

    /// By receiver reports: the loss in those that are judged together.
    pub(crate) fn reported(&mut self, loss: f64) -> Verdict {
        if loss <= MUCH {
            self.bad_reports = 0;
            return if loss > SOME {
                Verdict::Wait
            } else {
                Verdict::Fine
            };
        }
        self.bad_reports += 1;
        if self.bad_reports < REPORTS {
            return Verdict::Wait;
        }
        self.bad_reports = 0;
        Verdict::Congested(loss)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Windows of fifty packets of which `lost` are lost; the verdicts.
    fn windows(loss: &mut Loss, from: u64, count: u64, lost: u32) -> Vec<Verdict> {
        (0..count)
            .map(|n| {
                for packet in 0..50 {
                    loss.add(packet < lost);
                }
                loss.judge((from + n + 1) * 500_000, 50_000)
            })
            .collect()
    }

    #[test]
    fn a_little_is_fine_some_holds_much_is_congestion() {
        assert_eq!(windows(&mut Loss::default(), 0, 1, 1), [Verdict::Fine]);
        assert_eq!(windows(&mut Loss::default(), 0, 1, 4), [Verdict::Wait]);
        let much = windows(&mut Loss::default(), 0, 1, 20);
        assert_eq!(much, [Verdict::Congested(0.4)]);
    }

    #[test]
    fn a_loss_that_stays_is_the_ways_own_for_a_while() {
        let mut loss = Loss::default();
        let verdicts = windows(&mut loss, 0, 20, 8);
        let falls = verdicts
            .iter()
            .filter(|v| matches!(v, Verdict::Congested(_)));
        assert_eq!(falls.count(), TRIES as usize);
        assert_eq!(verdicts[19], Verdict::Fine, "and growth goes on");
        // More than that is congestion again.
        let worse = windows(&mut loss, 20, 4, 30);
        assert!(worse.iter().any(|v| matches!(v, Verdict::Congested(_))));
    }

    #[test]
    fn two_bad_receiver_reports_in_a_row_are_needed() {
        let mut loss = Loss::default();
        assert_eq!(loss.reported(0.3), Verdict::Wait);
        assert_eq!(loss.reported(0.0), Verdict::Fine);
        assert_eq!(loss.reported(0.3), Verdict::Wait);
        assert_eq!(loss.reported(0.3), Verdict::Congested(0.3));
    }
}
