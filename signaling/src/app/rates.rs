//! How often one caller may ask for what costs: a fixed window of a minute, in the memory of the node that is asked.
//!
//! Never written down: a restart forgives. Limit: [`limits::RATES_KEPT`] callers; beyond it, strangers to the list wait.

use crate::problem::{AppError, no};
use domain::{
    limits,
    time::{Span, Timestamp},
};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

const WINDOW: Span = Span::seconds(60);

#[derive(Default)]
pub struct Rates(Mutex<HashMap<(&'static str, String), Window>>);

struct Window {
    since: Timestamp,
    taken: u32,
}

impl Rates {
    /// Counts one `what` of `who`; `slow_down` beyond `most` within the window.
    pub fn take(
        &self,
        what: &'static str,
        who: &str,
        most: u32,
        now: Timestamp,
    ) -> Result<(), AppError> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (what, who.to_owned());
        if !all.contains_key(&key) && all.len() >= limits::RATES_KEPT {
            all.retain(|_, w| now < w.since + WINDOW);
            if all.len() >= limits::RATES_KEPT {
                return Err(no("slow_down"));
            }
        }
        let window = all.entry(key).or_insert(Window {
            since: now,
            taken: 0,
        });
        if now >= window.since + WINDOW {
            *window = Window {
                since: now,
                taken: 0,
            };
        }
        if window.taken >= most {
            return Err(no("slow_down"));
        }
        window.taken += 1;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_waits_for_the_next_minute_and_nobody_else_does() {
        let (r, t) = (Rates::default(), Timestamp::from_millis(0));
        for _ in 0..3 {
            r.take("check", "vis_1", 3, t).unwrap();
        }
        assert_eq!(
            r.take("check", "vis_1", 3, t).unwrap_err().code(),
            "slow_down"
        );
        r.take("check", "vis_2", 3, t).unwrap();
        r.take("relay", "vis_1", 3, t).unwrap();
        assert!(
            r.take("check", "vis_1", 3, t + Span::millis(59_999))
                .is_err()
        );
        r.take("check", "vis_1", 3, t + WINDOW).unwrap();
    }

    #[test]
    fn the_list_is_bounded_and_clears_itself() {
        let (r, t) = (Rates::default(), Timestamp::from_millis(0));
        for n in 0..limits::RATES_KEPT {
            r.take("check", &n.to_string(), 1, t).unwrap();
        }
        assert!(r.take("check", "one more", 1, t).is_err());
        r.take("check", "one more", 1, t + WINDOW).unwrap();
        assert_eq!(r.0.lock().unwrap().len(), 1);
    }
}
