//! When a sender is told how much of its pictures anybody can take (REMB, draft-alvestrand-rmcat-remb-03). Pure.
//!
//! In a call of two this makes the far encoder follow the near network: the smaller picture comes before any pause.

use std::time::{Duration, Instant};

/// Told again after this: a report may be lost.
const AGAIN: Duration = Duration::from_secs(2);
/// A change by less than this part is none.
const CHANGE: f64 = 0.03;
/// "As much as you like" (bit/s).
const OPEN: u32 = 10_000_000;
/// Beside the pictures, for the sender's own sound and repetitions (bit/s).
const SOUND: u32 = 64_000;

#[derive(Debug, Default)]
pub(crate) struct Cap {
    told: Option<(u32, Instant)>,
}

impl Cap {
    /// What to tell now (bit/s, all of the sender's streams), if anything. `pictures`: the most that anybody can take; none: no limit.
    pub(crate) fn due(&mut self, now: Instant, pictures: Option<u32>) -> Option<u32> {
        let wanted = pictures.map_or(OPEN, |p| p.saturating_add(SOUND).min(OPEN));
        let due = match self.told {
            None => wanted < OPEN,
            Some((told, at)) => {
                let change = f64::from(told.abs_diff(wanted)) / f64::from(told.max(1));
                change > CHANGE || (wanted < OPEN && now.saturating_duration_since(at) >= AGAIN)
            }
        };
        if !due {
            return None;
        }
        self.told = Some((wanted, now));
        Some(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_told_at_once_and_limits_again() {
        let mut cap = Cap::default();
        let t0 = Instant::now();
        let at = |ms| t0 + Duration::from_millis(ms);
        assert_eq!(
            cap.due(at(0), None),
            None,
            "who was never limited hears nothing"
        );
        assert_eq!(cap.due(at(10), Some(500_000)), Some(564_000));
        assert_eq!(cap.due(at(20), Some(505_000)), None);
        assert_eq!(cap.due(at(30), Some(300_000)), Some(364_000));
        assert_eq!(cap.due(at(2_000), Some(300_000)), None);
        assert_eq!(cap.due(at(2_030), Some(300_000)), Some(364_000));
        assert_eq!(cap.due(at(2_040), None), Some(OPEN));
        assert_eq!(cap.due(at(9_000), None), None);
    }
}
