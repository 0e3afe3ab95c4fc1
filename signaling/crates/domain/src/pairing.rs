//! Who is offered to whom (派单): a pure choice over tickets in order of service and ready seats, and the offer's states.
//!
//! `pairing/by_demand.rs` the choice over demand classes. Never relaxes a demand (`routing` does).

mod by_demand;

pub use by_demand::{Group, ReadySeat, choose_by_demand};

use crate::error::Rejected;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Offered,
    Accepted,
    Declined,
    TimedOut,
    Cancelled,
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cmd {
    Accept,
    Decline,
    TimeOut,
    Cancel,
    End,
}

impl State {
    pub const ALL: [Self; 6] = [
        Self::Offered,
        Self::Accepted,
        Self::Declined,
        Self::TimedOut,
        Self::Cancelled,
        Self::Ended,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
            Self::Ended => "ended",
        }
    }
    #[must_use]
    pub fn parse(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.as_str() == s)
    }
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Offered | Self::Accepted)
    }

    pub const fn apply(self, cmd: Cmd) -> Result<Self, Rejected> {
        match (self, cmd) {
            (Self::Offered, Cmd::Accept) => Ok(Self::Accepted),
            (Self::Offered, Cmd::Decline) => Ok(Self::Declined),
            (Self::Offered, Cmd::TimeOut) => Ok(Self::TimedOut),
            (Self::Offered, Cmd::Cancel) => Ok(Self::Cancelled),
            (Self::Accepted, Cmd::End) => Ok(Self::Ended),
            (
                Self::Offered
                | Self::Accepted
                | Self::Declined
                | Self::TimedOut
                | Self::Cancelled
                | Self::Ended,
                _,
            ) => Err(Rejected::new("offer_over")),
        }
    }
}
