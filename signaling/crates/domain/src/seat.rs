//! A desk where an agent serves (坐席). Never knows the ticket that it serves.

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

    /// The one place that says what a seat may become.
    pub const fn apply(self, cmd: Cmd) -> Result<Self, Rejected> {
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
