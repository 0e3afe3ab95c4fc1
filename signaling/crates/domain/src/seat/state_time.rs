//! How long a seat was in which state: a pure fold of rows into totals that sum to the span exactly.

use super::State;
use crate::time::{Span, Timestamp};
use std::collections::BTreeMap;

/// Longest reason that is kept apart (characters); a longer one is cut.
pub const REASON_CHARS: usize = 40;

/// One stretch of a seat's record, from inclusive, to exclusive; `to` of the row that lasts still: now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub state: State,
    /// Why (away: `break`, `meal`, …).
    pub reason: Option<String>,
    pub from: Timestamp,
    pub to: Timestamp,
}

/// Time in one state for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    pub state: State,
    pub reason: Option<String>,
    pub time: Span,
}

/// Totals over a span of time. Rows are added in order of `from`; what lies outside the span is cut off, what two rows
/// both claim belongs to the earlier, and what none claims was offline. So the totals always sum to the span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateTime {
    from: Timestamp,
    to: Timestamp,
    /// Everything before this is counted.
    counted: Timestamp,
    totals: BTreeMap<(State, Option<String>), Span>,
}

impl StateTime {
    /// An empty record of `from` (inclusive) to `to` (exclusive); an end before the start makes it empty.
    #[must_use]
    pub fn new(from: Timestamp, to: Timestamp) -> Self {
        Self {
            from,
            to: to.max(from),
            counted: from,
            totals: BTreeMap::new(),
        }
    }

    #[must_use]
    pub fn of(from: Timestamp, to: Timestamp, rows: impl IntoIterator<Item = Row>) -> Self {
        let mut t = Self::new(from, to);
        rows.into_iter().for_each(|r| t.add(r));
        t
    }

    pub fn add(&mut self, row: Row) {
        let start = row.from.clamp(self.counted, self.to);
        let end = row.to.clamp(start, self.to);
        self.count(State::Offline, None, start);
        let reason = row
            .reason
            .map(|r| r.chars().take(REASON_CHARS).collect::<String>());
        self.count(row.state, reason, end);
    }

    fn count(&mut self, state: State, reason: Option<String>, until: Timestamp) {
        let time = until.0 - self.counted.0;
        if time > 0 {
            self.totals.entry((state, reason)).or_default().0 += time;
            self.counted = until;
        }
    }

    /// The totals in order of state, then reason; what no row claimed is offline.
    #[must_use]
    pub fn totals(&self) -> Vec<Total> {
        let mut all = self.clone();
        all.count(State::Offline, None, all.to);
        all.totals
            .into_iter()
            .map(|((state, reason), time)| Total {
                state,
                reason,
                time,
            })
            .collect()
    }

    /// Time in a state, whatever the reason.
    #[must_use]
    pub fn in_state(&self, state: State) -> Span {
        Span(
            self.totals()
                .iter()
                .filter(|t| t.state == state)
                .map(|t| t.time.0)
                .sum(),
        )
    }

    #[must_use]
    pub const fn span(&self) -> Span {
        Span(self.to.0 - self.from.0)
    }

    /// Time with or for a citizen (ringing, busy, wrap-up) and time on duty (that and ready): the two counts of occupancy.
    #[must_use]
    pub fn occupancy(&self) -> (Span, Span) {
        let work: i64 = [State::Ringing, State::Busy, State::WrapUp]
            .map(|s| self.in_state(s).0)
            .iter()
            .sum();
        (Span(work), Span(work + self.in_state(State::Ready).0))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(state: State, reason: Option<&str>, from: i64, to: i64) -> Row {
        Row {
            state,
            reason: reason.map(str::to_owned),
            from: Timestamp(from),
            to: Timestamp(to),
        }
    }

    #[test]
    fn a_morning_is_told_by_state_and_reason_and_gaps_are_offline() {
        let t = StateTime::of(
            Timestamp(100),
            Timestamp(200),
            [
                row(State::Ready, None, 50, 120),
                row(State::Ringing, None, 120, 125),
                row(State::Busy, None, 125, 150),
                row(State::Away, Some("meal"), 155, 170),
                row(State::Away, Some("break"), 170, 175),
                row(State::Ready, None, 175, 999),
            ],
        );
        let told: Vec<_> = t
            .totals()
            .into_iter()
            .map(|t| (t.state.as_str(), t.reason.unwrap_or_default(), t.time.0))
            .collect();
        let want = [
            ("offline", "", 5),
            ("ready", "", 45),
            ("ringing", "", 5),
            ("busy", "", 25),
            ("away", "break", 5),
            ("away", "meal", 15),
        ];
        assert_eq!(told, want.map(|(s, r, t)| (s, r.to_owned(), t)));
        assert_eq!(t.in_state(State::Away), Span(20));
        assert_eq!(t.occupancy(), (Span(30), Span(75)));
    }

    proptest! {
        /// Whatever the rows are, overlapping, out of order, outside, upside down: no microsecond is lost or counted twice.
        #[test]
        fn the_totals_sum_to_the_span_exactly(
            rows in prop::collection::vec((prop::sample::select(State::ALL.to_vec()), prop::option::of("[a-z]{1,3}"), -50i64..250, -50i64..250), 0..20),
            from in 0i64..100, len in -10i64..150
        ) {
            let rows = rows.into_iter().map(|(s, r, a, b)| row(s, r.as_deref(), a, b));
            let t = StateTime::of(Timestamp(from), Timestamp(from + len), rows);
            prop_assert_eq!(t.totals().iter().map(|t| t.time.0).sum::<i64>(), len.max(0));
            prop_assert_eq!(t.span(), Span(len.max(0)));
            prop_assert!(t.totals().iter().all(|t| t.time.0 > 0));
        }

        #[test]
        fn rows_without_a_gap_are_told_as_they_are(parts in prop::collection::vec((prop::sample::select(State::ALL.to_vec()), 1i64..50), 1..20)) {
            let (mut at, mut rows, mut want) = (0, vec![], BTreeMap::<State, i64>::new());
            for (s, len) in parts {
                rows.push(row(s, None, at, at + len));
                *want.entry(s).or_default() += len;
                at += len;
            }
            let t = StateTime::of(Timestamp(0), Timestamp(at), rows);
            for s in State::ALL { prop_assert_eq!(t.in_state(s).0, want.get(&s).copied().unwrap_or(0)); }
        }
    }
}
