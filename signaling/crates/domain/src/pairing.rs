//! Who is offered to whom (派单): a pure choice over tickets in order of service and ready seats, and the offer's states.
//!
//! `pairing/by_demand.rs` the choice over demand classes. Never relaxes a demand (`routing` does).

mod by_demand;

pub use by_demand::{Group, ReadySeat, choose_by_demand};

use crate::{
    error::Rejected,
    id::{SeatId, TicketId},
};

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

/// A waiting ticket, as matching sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub ticket: TicketId,
    pub skill: String,
}

/// A ready seat, as matching sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    pub seat: SeatId,
    pub skills: Vec<String>,
}

/// Pairs in order: the first ticket takes the seat that has been ready longest among those with its skill.
/// `tickets` come in order of service, `seats` longest ready first. A ticket that fits nobody does not hold up the next.
#[must_use]
pub fn choose(tickets: &[Waiting], seats: &[Ready]) -> Vec<(TicketId, SeatId)> {
    let mut free: Vec<&Ready> = seats.iter().collect();
    let mut pairs = Vec::new();
    for t in tickets {
        if free.is_empty() {
            break;
        }
        if let Some(i) = free.iter().position(|s| s.skills.contains(&t.skill)) {
            pairs.push((t.ticket.clone(), free.remove(i).seat.clone()));
        }
    }
    pairs
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::id::Id as _;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn skill() -> impl Strategy<Value = String> {
        prop::sample::select(vec!["general", "police", "medical"]).prop_map(str::to_owned)
    }

    proptest! {
        #[test]
        fn nobody_twice_no_inversion_nobody_left_beside_a_free_seat(
            ts in prop::collection::vec(skill(), 0..20), ss in prop::collection::vec(prop::collection::vec(skill(), 1..3), 0..12)
        ) {
            let tickets: Vec<Waiting> = ts.iter().enumerate().map(|(i, s)| Waiting { ticket: TicketId::make(i as i64, 0), skill: s.clone() }).collect();
            let seats: Vec<Ready> = ss.iter().enumerate().map(|(i, s)| Ready { seat: SeatId::make(i as i64, 0), skills: s.clone() }).collect();
            let pairs = choose(&tickets, &seats);
            let used_t: HashSet<_> = pairs.iter().map(|p| &p.0).collect();
            let used_s: HashSet<_> = pairs.iter().map(|p| &p.1).collect();
            prop_assert_eq!(used_t.len(), pairs.len());
            prop_assert_eq!(used_s.len(), pairs.len());
            for (i, t) in tickets.iter().enumerate() {
                if used_t.contains(&t.ticket) { continue; }
                prop_assert!(!seats.iter().any(|s| !used_s.contains(&s.seat) && s.skills.contains(&t.skill)), "a matchable ticket beside a free seat");
                prop_assert!(!tickets[i + 1..].iter().any(|later| later.skill == t.skill && used_t.contains(&later.ticket)), "a later ticket of the same skill went first");
            }
        }
    }
}
