//! A place in a queue (排队号): waiting → offered → paired → closed. Never knows who serves it.

use crate::{
    error::Rejected,
    time::{Span, Timestamp},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Waiting,
    Offered,
    Paired,
    Closed,
    Abandoned,
    Expired,
    CalledBack,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cmd {
    /// A seat was found.
    Offer,
    /// The seat did not take it: back to the head of its class.
    Requeue,
    /// The seat accepted.
    Pair,
    /// The session is over.
    Close,
    /// The citizen cancelled or left.
    Abandon,
    /// Handed over cold: the citizen waits again within their session.
    HandOver,
    /// Grace or opening hours are over.
    Expire,
    /// A new ticket takes its place, with its class and enqueue time.
    CallBack,
}

impl State {
    pub const ALL: [Self; 7] = [
        Self::Waiting,
        Self::Offered,
        Self::Paired,
        Self::Closed,
        Self::Abandoned,
        Self::Expired,
        Self::CalledBack,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Offered => "offered",
            Self::Paired => "paired",
            Self::Closed => "closed",
            Self::Abandoned => "abandoned",
            Self::Expired => "expired",
            Self::CalledBack => "called_back",
        }
    }
    #[must_use]
    pub fn parse(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.as_str() == s)
    }
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Closed | Self::Abandoned | Self::Expired | Self::CalledBack
        )
    }

    /// The one place that says what a ticket may become.
    pub const fn apply(self, cmd: Cmd) -> Result<Self, Rejected> {
        match (self, cmd) {
            (Self::Waiting, Cmd::Offer) => Ok(Self::Offered),
            (Self::Offered, Cmd::Requeue) => Ok(Self::Waiting),
            (Self::Offered, Cmd::Pair) => Ok(Self::Paired),
            (Self::Paired, Cmd::Close) => Ok(Self::Closed),
            (Self::Paired, Cmd::HandOver) => Ok(Self::Waiting),
            (Self::Waiting | Self::Offered, Cmd::Abandon) => Ok(Self::Abandoned),
            (Self::Waiting | Self::Offered, Cmd::Expire) => Ok(Self::Expired),
            (Self::Waiting | Self::Offered, Cmd::CallBack) => Ok(Self::CalledBack),
            (
                Self::Waiting
                | Self::Offered
                | Self::Paired
                | Self::Closed
                | Self::Abandoned
                | Self::Expired
                | Self::CalledBack,
                _,
            ) => Err(Rejected::new("ticket_state")),
        }
    }
}

/// Order of service; FIFO inside a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// An appointment that is due (预约).
    Appointment,
    /// Came back after a drop that was not theirs.
    Returned,
    /// 老、弱、病、残、孕
    Priority,
    Normal,
}

impl Class {
    pub const ALL: [Self; 4] = [
        Self::Appointment,
        Self::Returned,
        Self::Priority,
        Self::Normal,
    ];
    /// As the queue's index sorts it.
    #[must_use]
    pub const fn rank(self) -> i64 {
        match self {
            Self::Appointment => 0,
            Self::Returned => 1,
            Self::Priority => 2,
            Self::Normal => 3,
        }
    }
    #[must_use]
    pub fn from_rank(r: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.rank() == r)
    }
    /// The head start: as if they had come so much earlier.
    #[must_use]
    pub const fn boost(self) -> Span {
        match self {
            Self::Appointment => Span::seconds(60 * 60),
            Self::Returned => Span::seconds(40 * 60),
            Self::Priority => Span::seconds(15 * 60),
            Self::Normal => Span::seconds(0),
        }
    }
}

/// Where a ticket stands in the order of service: smaller first, ties by id. Microseconds: the enqueue time less the
/// head start of its class.
///
/// Two promises follow. Inside a class it is first come, first served. Across classes overtaking is bounded: nobody who
/// comes more than an hour later (the largest head start) goes first, whatever the class, so nobody starves. The key
/// never changes while the ticket lives: a ticket that was rung in vain keeps its time and so stands at the head of its
/// class again, and an index can hold the order.
#[must_use]
pub const fn order_key(class: Class, enqueued_at: Timestamp) -> i64 {
    enqueued_at.micros().saturating_sub(class.boost().0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cmd() -> impl Strategy<Value = Cmd> {
        prop::sample::select(vec![
            Cmd::Offer,
            Cmd::Requeue,
            Cmd::Pair,
            Cmd::Close,
            Cmd::Abandon,
            Cmd::Expire,
            Cmd::CallBack,
        ])
    }

    proptest! {
        #[test]
        fn a_terminal_state_is_never_left(cmds in prop::collection::vec(cmd(), 0..40)) {
            let mut s = State::Waiting;
            for c in cmds {
                let before = s;
                if let Ok(next) = s.apply(c) { s = next; }
                if before.is_terminal() { prop_assert_eq!(before, s); }
                prop_assert_eq!(State::parse(s.as_str()), Some(s));
            }
        }
    }

    fn class() -> impl Strategy<Value = Class> {
        prop::sample::select(Class::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn first_come_first_served_inside_a_class(c in class(), a in 0i64..i64::MAX / 2, later in 1i64..1 << 40) {
            let (first, second) = (Timestamp(a), Timestamp(a + later));
            prop_assert!(order_key(c, first) < order_key(c, second));
        }

        /// Nobody starves: an hour after a ticket came, no newcomer of any class goes before it.
        #[test]
        fn overtaking_is_bounded_by_an_hour(mine in class(), theirs in class(), at in 0i64..1 << 50, later in 0i64..1 << 50) {
            let (me, them) = (Timestamp(at), Timestamp(at + Span::seconds(3600).0 + 1 + later));
            prop_assert!(order_key(mine, me) < order_key(theirs, them));
        }

        /// Who came together is served by class.
        #[test]
        fn at_one_time_the_class_decides(a in class(), b in class(), at in 0i64..1 << 50) {
            let t = Timestamp(at);
            prop_assert_eq!(order_key(a, t).cmp(&order_key(b, t)), a.rank().cmp(&b.rank()));
        }
    }

    #[test]
    fn an_elderly_citizen_goes_before_whoever_came_up_to_a_quarter_of_an_hour_earlier() {
        let t = Timestamp::from_millis(1_790_000_000_000);
        let minutes = |m: i64| Span::seconds(m * 60);
        let priority = order_key(Class::Priority, t);
        assert!(priority < order_key(Class::Normal, t - minutes(14)));
        assert!(priority > order_key(Class::Normal, t - minutes(16)));
    }

    #[test]
    fn closed_only_after_paired() {
        for s in State::ALL {
            assert_eq!(s.apply(Cmd::Close).is_ok(), s == State::Paired);
        }
    }
}
