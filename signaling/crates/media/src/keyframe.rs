//! Keyframe requests to one publisher, coalesced: at once if the last is old enough, else once when it is.
//!
//! Pure: the caller sends and keeps the timer. Limit: [`KEYFRAME_GAP`].

use crate::config::KEYFRAME_GAP;
use std::time::{Duration, Instant};

/// What to do about a wish for a keyframe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    Now,
    /// Call [`Coalescer::due`] after this.
    After(Duration),
    /// One is already on its way.
    Covered,
}

#[derive(Debug, Default)]
pub(crate) struct Coalescer {
    last: Option<Instant>,
    waiting: bool,
}

impl Coalescer {
    pub(crate) fn wish(&mut self, now: Instant) -> Ask {
        if self.waiting {
            return Ask::Covered;
        }
        let due = self.last.map_or(now, |last| last + KEYFRAME_GAP);
        if due <= now {
            self.last = Some(now);
            Ask::Now
        } else {
            self.waiting = true;
            Ask::After(due - now)
        }
    }

    /// The timer of [`Ask::After`] ran out: send.
    pub(crate) fn due(&mut self, now: Instant) {
        self.waiting = false;
        self.last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_becomes_two_requests() {
        let mut c = Coalescer::default();
        let t0 = Instant::now();
        assert_eq!(c.wish(t0), Ask::Now);
        assert_eq!(
            c.wish(t0 + Duration::from_millis(100)),
            Ask::After(Duration::from_millis(200))
        );
        for ms in 101..300 {
            assert_eq!(c.wish(t0 + Duration::from_millis(ms)), Ask::Covered);
        }
        c.due(t0 + KEYFRAME_GAP);
        assert_eq!(c.wish(t0 + KEYFRAME_GAP), Ask::After(KEYFRAME_GAP));
        c.due(t0 + KEYFRAME_GAP * 2);
        assert_eq!(c.wish(t0 + KEYFRAME_GAP * 3), Ask::Now);
    }
}
