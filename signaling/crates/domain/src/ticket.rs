//! A place in a queue (排队号): waiting → offered → paired → closed. Never knows who serves it.

use crate::error::Rejected;

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

    #[test]
    fn closed_only_after_paired() {
        for s in State::ALL {
            assert_eq!(s.apply(Cmd::Close).is_ok(), s == State::Paired);
        }
    }
}
