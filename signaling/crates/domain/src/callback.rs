//! A call-back (回拨): the citizen leaves, the place is kept, and the phone page rings when a seat is free.
//!
//! Owns tries and their times. Never rings (the application does, by page and notice) and never finds a seat. Two tries,
//! then closed with a message.

use crate::{
    error::Rejected,
    time::{Span, Timestamp},
};

/// Tries before it is closed.
pub const TRIES: u8 = 2;
/// One try rings so long.
pub const RING: Span = Span::seconds(60);
/// From a try in vain to the next.
pub const PAUSE: Span = Span::seconds(5 * 60);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Waiting,
    Ringing,
    Answered,
    /// Two tries in vain.
    Closed,
    Cancelled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cmd {
    /// A seat is free for it.
    Ring,
    /// The citizen took it.
    Answer,
    /// The ring's time is over.
    NoAnswer,
    /// The citizen says not now: a try like one that nobody answered, but at once.
    NotNow,
    /// The seat went away while it rang: not the citizen's fault, so the try does not count.
    SeatLost,
    /// The citizen no longer wants it; also a refusal while it rings.
    Cancel,
}

/// A call-back and its clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallBack {
    pub state: State,
    /// Tries that have begun.
    pub tries: u8,
    /// Waiting: not before; ringing: until; `None`: at once, or over.
    pub due_at: Option<Timestamp>,
}

impl State {
    pub const ALL: [Self; 5] = [
        Self::Waiting,
        Self::Ringing,
        Self::Answered,
        Self::Closed,
        Self::Cancelled,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Ringing => "ringing",
            Self::Answered => "answered",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
        }
    }
    #[must_use]
    pub fn parse(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.as_str() == s)
    }
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Answered | Self::Closed | Self::Cancelled)
    }
}

impl Default for CallBack {
    fn default() -> Self {
        Self {
            state: State::Waiting,
            tries: 0,
            due_at: None,
        }
    }
}

impl CallBack {
    /// Whether a free seat may be used for it now.
    #[must_use]
    pub fn may_ring(&self, now: Timestamp) -> bool {
        self.state == State::Waiting && self.due_at.is_none_or(|d| now >= d)
    }

    /// The one place that says what a call-back may become.
    ///
    /// # Errors
    /// `callback_early`: a ring before the pause is over, a timer before its time; `callback_over`: it has ended, or an
    /// answer after the ring's time; else `callback_state`.
    pub fn apply(self, cmd: Cmd, now: Timestamp) -> Result<Self, Rejected> {
        let ended = |state| Self {
            state,
            tries: self.tries,
            due_at: None,
        };
        let over = self.due_at.is_none_or(|d| now >= d);
        match (self.state, cmd) {
            (State::Answered | State::Closed | State::Cancelled, _) => {
                Err(Rejected::new("callback_over"))
            }
            (State::Waiting, Cmd::Ring) if !over => Err(Rejected::new("callback_early")),
            (State::Waiting, Cmd::Ring) => Ok(Self {
                state: State::Ringing,
                tries: self.tries + 1,
                due_at: Some(now + RING),
            }),
            (State::Ringing, Cmd::Answer) if over => Err(Rejected::new("callback_over")),
            (State::Ringing, Cmd::Answer) => Ok(ended(State::Answered)),
            (State::Ringing, Cmd::NoAnswer) if !over => Err(Rejected::new("callback_early")),
            (State::Ringing, Cmd::NoAnswer | Cmd::NotNow) if self.tries >= TRIES => {
                Ok(ended(State::Closed))
            }
            (State::Ringing, Cmd::NoAnswer | Cmd::NotNow) => Ok(Self {
                state: State::Waiting,
                tries: self.tries,
                due_at: Some(now + PAUSE),
            }),
            (State::Ringing, Cmd::SeatLost) => Ok(Self {
                state: State::Waiting,
                tries: self.tries.saturating_sub(1),
                due_at: None,
            }),
            (State::Waiting | State::Ringing, Cmd::Cancel) => Ok(ended(State::Cancelled)),
            (State::Waiting, Cmd::Answer | Cmd::NoAnswer | Cmd::NotNow | Cmd::SeatLost)
            | (State::Ringing, Cmd::Ring) => Err(Rejected::new("callback_state")),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const T: Timestamp = Timestamp::from_millis(1_790_000_000_000);
    fn at(s: i64) -> Timestamp {
        T + Span::seconds(s)
    }

    #[test]
    fn two_tries_five_minutes_apart_then_closed() {
        let c = CallBack::default().apply(Cmd::Ring, at(0)).unwrap();
        assert_eq!(c.due_at, Some(at(60)));
        assert_eq!(
            c.apply(Cmd::NoAnswer, at(59)).unwrap_err().code,
            "callback_early"
        );
        let c = c.apply(Cmd::NoAnswer, at(60)).unwrap();
        assert_eq!((c.state, c.due_at), (State::Waiting, Some(at(360))));
        assert!(!c.may_ring(at(359)) && c.may_ring(at(360)));
        assert_eq!(
            c.apply(Cmd::Ring, at(359)).unwrap_err().code,
            "callback_early"
        );
        let c = c
            .apply(Cmd::Ring, at(400))
            .unwrap()
            .apply(Cmd::NoAnswer, at(460))
            .unwrap();
        assert_eq!((c.state, c.tries), (State::Closed, 2));
    }

    #[test]
    fn not_now_is_a_try_at_once() {
        let c = CallBack::default();
        assert_eq!(
            c.apply(Cmd::NotNow, at(0)).unwrap_err().code,
            "callback_state"
        );
        let c = c.apply(Cmd::Ring, at(0)).unwrap();
        let c = c.apply(Cmd::NotNow, at(3)).unwrap();
        assert_eq!(
            (c.state, c.tries, c.due_at),
            (State::Waiting, 1, Some(at(303)))
        );
        let c = c.apply(Cmd::Ring, at(303)).unwrap();
        assert_eq!(c.apply(Cmd::NotNow, at(304)).unwrap().state, State::Closed);
    }

    #[test]
    fn an_answer_after_the_ring_is_too_late() {
        let c = CallBack::default().apply(Cmd::Ring, at(0)).unwrap();
        assert_eq!(c.apply(Cmd::Answer, at(59)).unwrap().state, State::Answered);
        assert_eq!(
            c.apply(Cmd::Answer, at(60)).unwrap_err().code,
            "callback_over"
        );
    }

    #[test]
    fn a_seat_that_goes_away_costs_the_citizen_no_try() {
        let c = CallBack::default()
            .apply(Cmd::Ring, at(0))
            .unwrap()
            .apply(Cmd::SeatLost, at(5))
            .unwrap();
        assert_eq!((c.state, c.tries), (State::Waiting, 0));
        assert!(c.may_ring(at(5)));
    }

    proptest! {
        #[test]
        fn never_more_than_two_tries_and_an_end_is_an_end(
            cmds in prop::collection::vec((prop::sample::select(vec![Cmd::Ring, Cmd::Answer, Cmd::NoAnswer, Cmd::NotNow, Cmd::SeatLost, Cmd::Cancel]), 0i64..400), 0..40)
        ) {
            let (mut c, mut now) = (CallBack::default(), 0);
            for (cmd, wait) in cmds {
                now += wait;
                let before = c;
                if let Ok(next) = c.apply(cmd, at(now)) { c = next; }
                prop_assert!(c.tries <= TRIES);
                prop_assert!(!before.state.is_terminal() || before == c);
                prop_assert_eq!(c.state == State::Ringing, c.state == State::Ringing && c.due_at.is_some());
                prop_assert_eq!(State::parse(c.state.as_str()), Some(c.state));
            }
        }
    }
}
