//! A desk where an agent serves (坐席). Never knows the ticket that it serves.
//!
//! `seat/lanes.rs` text sessions beside each other · `seat/state_time.rs` how long it was in which state.

pub mod lanes;
mod state_time;

pub use state_time::{REASON_CHARS, Row, StateTime, Total};

use crate::error::Rejected;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Offline,
    Ready,
    Ringing,
    Busy,
    WrapUp,
    Away,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cmd {
    /// An agent sits down with skills.
    Open,
    Ready,
    Away,
    Ring,
    /// The ring stopped for a reason that is not the agent's.
    RingCancelled,
    /// 30 s without an answer, or declined.
    RingUnanswered,
    Answer,
    /// The session is over: 整理.
    WrapUp,
    /// The page closed or fell silent.
    Lost,
    Close,
    /// A supervisor's word: ready, away or offline (see [`State::force`]). A busy seat stays busy.
    Force(State),
    /// A text rings on one of its lanes: no call is rung meanwhile (see [`lanes::settle`]).
    TextBegins,
    /// The last of its texts is over: ready, or where it was to go (away, offline).
    TextOver(State),
}

/// What a supervisor's word does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forced {
    Now(State),
    /// The citizen is not cut off: kept as the seat's `forced_next` until session and wrap-up are over.
    AfterSession(State),
}

impl State {
    pub const ALL: [Self; 6] = [
        Self::Offline,
        Self::Ready,
        Self::Ringing,
        Self::Busy,
        Self::WrapUp,
        Self::Away,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::Ready => "ready",
            Self::Ringing => "ringing",
            Self::Busy => "busy",
            Self::WrapUp => "wrap_up",
            Self::Away => "away",
        }
    }
    #[must_use]
    pub fn parse(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.as_str() == s)
    }

    /// What forcing this seat into a state does. A ringing seat may be forced away or offline: its ticket then goes back to
    /// the head of its class, as after [`Cmd::Lost`].
    ///
    /// # Errors
    /// `seat_force`: nobody is forced to ring, to be busy or to wrap up; `seat_state`: it is there already, or nobody sits
    /// there to be made ready.
    pub const fn force(self, to: Self) -> Result<Forced, Rejected> {
        match (self, to) {
            (_, Self::Ringing | Self::Busy | Self::WrapUp) => Err(Rejected::new("seat_force")),
            (Self::Busy, Self::Ready | Self::Away | Self::Offline) => Ok(Forced::AfterSession(to)),
            (Self::Away | Self::WrapUp, Self::Ready)
            | (Self::Ready | Self::Ringing | Self::WrapUp, Self::Away)
            | (Self::Ready | Self::Ringing | Self::WrapUp | Self::Away, Self::Offline) => {
                Ok(Forced::Now(to))
            }
            (Self::Offline | Self::Ready | Self::Ringing, Self::Ready)
            | (Self::Offline | Self::Away, Self::Away)
            | (Self::Offline, Self::Offline) => Err(Rejected::new("seat_state")),
        }
    }

    /// Where a seat goes when its wrap-up ends: where a supervisor wanted it, else ready.
    #[must_use]
    pub const fn after_wrap_up(forced_next: Option<Self>) -> Self {
        match forced_next {
            Some(Self::Away) => Self::Away,
            Some(Self::Offline) => Self::Offline,
            Some(Self::Ready | Self::Ringing | Self::Busy | Self::WrapUp) | None => Self::Ready,
        }
    }

    /// The one place that says what a seat may become.
    pub fn apply(self, cmd: Cmd) -> Result<Self, Rejected> {
        match (self, cmd) {
            (Self::Offline, Cmd::Open) => Ok(Self::Ready),
            (Self::Away | Self::WrapUp, Cmd::Ready) => Ok(Self::Ready),
            (Self::Ready | Self::WrapUp, Cmd::Away) => Ok(Self::Away),
            (Self::Ready, Cmd::Ring) => Ok(Self::Ringing),
            (Self::Ringing, Cmd::RingCancelled) => Ok(Self::Ready),
            (Self::Ringing, Cmd::RingUnanswered) => Ok(Self::Away),
            (Self::Ringing, Cmd::Answer) => Ok(Self::Busy),
            (Self::Busy, Cmd::WrapUp) => Ok(Self::WrapUp),
            (Self::Ready | Self::Ringing | Self::WrapUp, Cmd::Lost) => Ok(Self::Away),
            (Self::Ready | Self::WrapUp | Self::Away, Cmd::Close) => Ok(Self::Offline),
            (Self::Ready, Cmd::TextBegins) => Ok(Self::Busy),
            (Self::Busy, Cmd::TextOver(to @ (Self::Ready | Self::Away | Self::Offline))) => Ok(to),
            (_, Cmd::Force(to)) => match self.force(to) {
                Ok(Forced::Now(s)) => Ok(s),
                Ok(Forced::AfterSession(_)) => Ok(self),
                Err(e) => Err(e),
            },
            (
                Self::Offline
                | Self::Ready
                | Self::Ringing
                | Self::Busy
                | Self::WrapUp
                | Self::Away,
                _,
            ) => Err(Rejected::new("seat_state")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_forced_to_serve_and_no_citizen_is_cut_off() {
        for from in State::ALL {
            for to in [State::Ringing, State::Busy, State::WrapUp] {
                assert_eq!(
                    from.apply(Cmd::Force(to)),
                    Err(Rejected::new("seat_force")),
                    "{from:?}"
                );
            }
            for to in [State::Ready, State::Away, State::Offline] {
                let r = from.apply(Cmd::Force(to));
                match from.force(to) {
                    Ok(Forced::AfterSession(next)) => {
                        assert_eq!((from, r), (State::Busy, Ok(State::Busy)));
                        assert_eq!(State::after_wrap_up(Some(next)), to);
                    }
                    Ok(Forced::Now(next)) => assert_eq!((r, next), (Ok(to), to)),
                    Err(e) => assert_eq!((r, e.code), (Err(e.clone()), "seat_state")),
                }
            }
        }
        assert_eq!(State::after_wrap_up(None), State::Ready);
        assert!(State::Offline.force(State::Ready).is_err());
    }

    #[test]
    fn only_a_ready_seat_rings_and_only_a_ringing_one_answers() {
        for s in State::ALL {
            assert_eq!(s.apply(Cmd::Ring).is_ok(), s == State::Ready);
            assert_eq!(s.apply(Cmd::Answer).is_ok(), s == State::Ringing);
            assert_eq!(s.apply(Cmd::WrapUp).is_ok(), s == State::Busy);
        }
    }

    #[test]
    fn a_busy_seat_cannot_be_closed_under_the_citizen() {
        assert_eq!(
            State::Busy.apply(Cmd::Close),
            Err(Rejected::new("seat_state"))
        );
        assert_eq!(
            State::Busy.apply(Cmd::Lost),
            Err(Rejected::new("seat_state"))
        );
    }
}
