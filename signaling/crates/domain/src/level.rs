//! Service level and connection rate: how the hotline standard judges a desk.
//!
//! Owns the counts and the shares made of them (GB/T 33358-2016 政府热线服务规范: answered within 15 s; connection rate at
//! least 95 %). Numerators are kept, so that halls and hours add up without averaging averages. Never estimates
//! (`erlang`, `wait`) and counts nothing twice: a ticket that waits still is in no share.

use crate::time::Span;
use std::ops::Add;

/// Answered within this time counts for the service level.
pub const ANSWER_WITHIN: Span = Span::seconds(15);
/// Connection rate that the standard asks for (percent).
pub const CONNECTION_TARGET_PCT: u64 = 95;
/// Who leaves before this never really waited: counted apart, and left out of the connection rate.
pub const SHORT_ABANDON: Span = Span::seconds(5);

/// How a ticket fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A seat took it.
    Answered,
    /// The citizen left.
    Abandoned,
    /// Lost for a reason that is the desk's: grace, closing time, nobody came.
    Lost,
    /// Still waiting or ringing.
    Open,
}

/// One ticket, and how long it waited until that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    pub outcome: Outcome,
    pub waited: Span,
}

/// A share with its counts; the percentage is made last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    pub of: u64,
    pub all: u64,
}

impl Share {
    /// Tenths of a percent, rounded half up; `None` when there is nothing to judge.
    #[must_use]
    pub fn per_mille(self) -> Option<u16> {
        (self.all > 0)
            .then(|| u16::try_from((self.of * 2_000 + self.all) / (self.all * 2)).unwrap_or(1_000))
    }
    /// Compared in whole counts, so that 94.96 % is not 95 %; true when there is nothing to judge.
    #[must_use]
    pub const fn at_least_pct(self, pct: u64) -> bool {
        self.of * 100 >= self.all * pct
    }
}

/// The counts of a span of time; they add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Level {
    pub answered: u64,
    /// Of those, within [`ANSWER_WITHIN`].
    pub answered_in_time: u64,
    /// Left after [`SHORT_ABANDON`] or later.
    pub abandoned: u64,
    pub abandoned_short: u64,
    pub lost: u64,
    pub open: u64,
    /// Sum of the waits of those answered.
    pub waited: Span,
    pub longest: Span,
}

impl Level {
    #[must_use]
    pub fn from_rows(rows: impl IntoIterator<Item = Row>) -> Self {
        rows.into_iter().fold(Self::default(), |l, r| l + r.into())
    }

    /// Tickets that ended and really waited: the base of the shares.
    #[must_use]
    pub const fn offered(&self) -> u64 {
        self.answered + self.abandoned + self.lost
    }
    /// Answered within 15 s, of all offered: who gave up is not left out.
    #[must_use]
    pub const fn service_level(&self) -> Share {
        Share {
            of: self.answered_in_time,
            all: self.offered(),
        }
    }
    /// Answered, of all offered (接通率).
    #[must_use]
    pub const fn connection_rate(&self) -> Share {
        Share {
            of: self.answered,
            all: self.offered(),
        }
    }
    /// Left, of all offered.
    #[must_use]
    pub const fn abandon_rate(&self) -> Share {
        Share {
            of: self.abandoned,
            all: self.offered(),
        }
    }
    #[must_use]
    pub const fn meets_standard(&self) -> bool {
        self.connection_rate().at_least_pct(CONNECTION_TARGET_PCT)
    }
    /// Mean wait of those answered, whole seconds.
    #[must_use]
    pub fn mean_wait_s(&self) -> Option<u32> {
        let n = i64::try_from(self.answered).ok().filter(|n| *n > 0)?;
        u32::try_from(self.waited.0 / n / 1_000_000).ok()
    }
}

impl From<Row> for Level {
    fn from(r: Row) -> Self {
        let waited = r.waited.max(Span(0));
        let mut l = Self {
            longest: waited,
            ..Self::default()
        };
        match r.outcome {
            Outcome::Answered => {
                l.answered = 1;
                l.answered_in_time = u64::from(waited <= ANSWER_WITHIN);
                l.waited = waited;
            }
            Outcome::Abandoned if waited < SHORT_ABANDON => l.abandoned_short = 1,
            Outcome::Abandoned => l.abandoned = 1,
            Outcome::Lost => l.lost = 1,
            Outcome::Open => l.open = 1,
        }
        l
    }
}

impl Add for Level {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        Self {
            answered: self.answered + o.answered,
            answered_in_time: self.answered_in_time + o.answered_in_time,
            abandoned: self.abandoned + o.abandoned,
            abandoned_short: self.abandoned_short + o.abandoned_short,
            lost: self.lost + o.lost,
            open: self.open + o.open,
            waited: Span(self.waited.0.saturating_add(o.waited.0)),
            longest: self.longest.max(o.longest),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(outcome: Outcome, ms: i64) -> Row {
        Row {
            outcome,
            waited: Span::millis(ms),
        }
    }

    #[test]
    fn fifteen_seconds_are_in_time_and_a_hair_more_is_not() {
        let l = Level::from_rows([
            row(Outcome::Answered, 15_000),
            row(Outcome::Answered, 15_001),
            row(Outcome::Abandoned, 4_999),
            row(Outcome::Abandoned, 5_000),
            row(Outcome::Lost, 600_000),
            row(Outcome::Open, 900_000),
        ]);
        assert_eq!(l.service_level(), Share { of: 1, all: 4 });
        assert_eq!(l.connection_rate(), Share { of: 2, all: 4 });
        assert_eq!(
            (l.abandoned, l.abandoned_short, l.lost, l.open),
            (1, 1, 1, 1)
        );
        assert_eq!(l.mean_wait_s(), Some(15));
        assert_eq!(l.longest, Span::seconds(900));
    }

    #[test]
    fn just_under_the_target_is_under_it() {
        let answered = |n, lost| {
            Level::from_rows(
                (0..n)
                    .map(|_| row(Outcome::Answered, 0))
                    .chain((0..lost).map(|_| row(Outcome::Lost, 0))),
            )
        };
        assert!(answered(95, 5).meets_standard());
        let under = answered(9_496, 504);
        assert!(!under.meets_standard());
        assert_eq!(under.connection_rate().per_mille(), Some(950));
        assert_eq!(Level::default().service_level().per_mille(), None);
        assert!(Level::default().meets_standard());
    }

    fn any_row() -> impl Strategy<Value = Row> {
        (
            prop::sample::select(vec![
                Outcome::Answered,
                Outcome::Abandoned,
                Outcome::Lost,
                Outcome::Open,
            ]),
            0i64..40_000,
        )
            .prop_map(|(o, ms)| row(o, ms))
    }

    proptest! {
        #[test]
        fn every_row_is_counted_once_and_hours_add_up(rows in prop::collection::vec(any_row(), 0..60), cut in 0usize..60) {
            let all = Level::from_rows(rows.iter().copied());
            prop_assert_eq!(all.offered() + all.abandoned_short + all.open, rows.len() as u64);
            let cut = cut.min(rows.len());
            prop_assert_eq!(Level::from_rows(rows[..cut].iter().copied()) + Level::from_rows(rows[cut..].iter().copied()), all);
            for s in [all.service_level(), all.connection_rate(), all.abandon_rate()] { prop_assert!(s.of <= s.all); }
        }
    }
}
