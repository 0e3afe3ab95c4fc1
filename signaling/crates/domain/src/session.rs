//! A live conversation (会话): connecting → active ↔ reconnecting → ended.

use crate::error::Rejected;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Connecting,
    Active,
    Reconnecting,
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cmd {
    /// Citizen and agent are both here.
    AllPresent,
    /// One of them dropped.
    SomeoneGone,
    End,
}

impl State {
    pub const ALL: [Self; 4] = [
        Self::Connecting,
        Self::Active,
        Self::Reconnecting,
        Self::Ended,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Active => "active",
            Self::Reconnecting => "reconnecting",
            Self::Ended => "ended",
        }
    }
    #[must_use]
    pub fn parse(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.as_str() == s)
    }

    pub const fn apply(self, cmd: Cmd) -> Result<Self, Rejected> {
        match (self, cmd) {
            (Self::Connecting | Self::Active | Self::Reconnecting, Cmd::AllPresent) => {
                Ok(Self::Active)
            }
            (Self::Connecting | Self::Active | Self::Reconnecting, Cmd::SomeoneGone) => {
                Ok(Self::Reconnecting)
            }
            (Self::Connecting | Self::Active | Self::Reconnecting, Cmd::End) => Ok(Self::Ended),
            (Self::Ended, Cmd::AllPresent | Cmd::SomeoneGone | Cmd::End) => {
                Err(Rejected::new("session_ended"))
            }
        }
    }
}

/// Who a member is, and so what they may see and do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    Citizen,
    Agent,
    Guest,
    Supervisor,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Citizen, Self::Agent, Self::Guest, Self::Supervisor];
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Citizen => "citizen",
            Self::Agent => "agent",
            Self::Guest => "guest",
            Self::Supervisor => "supervisor",
        }
    }
    #[must_use]
    pub fn parse(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.as_str() == s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_session_stays_ended() {
        for c in [Cmd::AllPresent, Cmd::SomeoneGone, Cmd::End] {
            assert!(State::Ended.apply(c).is_err());
        }
    }
}
