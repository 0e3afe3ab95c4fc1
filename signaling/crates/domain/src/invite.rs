//! Help within a session: consult, invite, transfer (咨询, 一对一、多对一, 转接).
//!
//! Owns what an invitation may become, whom it may go to, and what each member may see and do. Never moves media or the
//! form: form, chat, notes and consents that are valid belong to the session and stay where they are.
//!
//! `invite/permissions.rs` what a member may see and do.

mod permissions;

pub use permissions::{Member, Permission, hint, may, member, permissions, shown};

use crate::{
    error::Rejected,
    id::{HallId, SeatId, StaffId},
};

/// People in one room, citizen included (media.md: one peer connection with four recvonly pairs).
pub const MEMBERS_MAX: usize = 5;
/// Invitations under way in one session.
pub const LIVE_MAX: usize = 3;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A private word with a colleague; the citizen hears music or a message.
    Consult,
    /// A colleague, another department or an interpreter takes part.
    Join,
    /// A family member, by link.
    Guest,
    /// Introduce, then leave.
    TransferWarm,
    /// Hand over to a queue, a seat or a skill without a word.
    TransferCold,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The other side is rung; a cold transfer: in the queue or ringing.
    Ringing,
    /// Consult and warm transfer: in private talk; else: in the session.
    Accepted,
    /// Brought before the citizen: consult and warm transfer only.
    Introduced,
    Done,
    Declined,
    TimedOut,
    Cancelled,
    /// The citizen is back with the agent who wanted to hand over.
    Returned,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cmd {
    Accept,
    Decline,
    /// Nobody answered in time.
    TimeOut,
    /// The agent takes it back before it was answered.
    Cancel,
    /// The private talk is over and went well: the citizen hears both.
    Introduce,
    /// Consult, guest, colleague: they leave. Transfer: the new agent is there and the old one leaves.
    Finish,
    /// A transfer that was accepted is taken back, or the new agent never came.
    Return,
    /// The session ended under it.
    SessionEnded,
}

impl Kind {
    pub const ALL: [Self; 5] = [
        Self::Consult,
        Self::Join,
        Self::Guest,
        Self::TransferWarm,
        Self::TransferCold,
    ];
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Consult => "consult",
            Self::Join => "join",
            Self::Guest => "guest",
            Self::TransferWarm => "transfer_warm",
            Self::TransferCold => "transfer_cold",
        }
    }
    #[must_use]
    pub fn parse(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.as_str() == s)
    }
    #[must_use]
    pub const fn is_transfer(self) -> bool {
        matches!(self, Self::TransferWarm | Self::TransferCold)
    }
    /// Whether the citizen hears music or a message while an invitation of this kind stands so: staff talk apart, or the
    /// citizen is on the way to another seat.
    #[must_use]
    pub const fn citizen_on_hold(self, state: State) -> bool {
        matches!(
            (self, state),
            (Self::Consult | Self::TransferWarm, State::Accepted)
                | (Self::TransferCold, State::Ringing | State::Accepted)
        )
    }
}

impl State {
    pub const ALL: [Self; 8] = [
        Self::Ringing,
        Self::Accepted,
        Self::Introduced,
        Self::Done,
        Self::Declined,
        Self::TimedOut,
        Self::Cancelled,
        Self::Returned,
    ];
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ringing => "ringing",
            Self::Accepted => "accepted",
            Self::Introduced => "introduced",
            Self::Done => "done",
            Self::Declined => "declined",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
            Self::Returned => "returned",
        }
    }
    #[must_use]
    pub fn parse(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.as_str() == s)
    }
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Ringing | Self::Accepted | Self::Introduced)
    }

    /// The one place that says what an invitation may become.
    ///
    /// # Errors
    /// `invite_over`: it has ended (an answer after the time-out too); `invite_state`: not now, or not for this kind.
    pub const fn apply(self, kind: Kind, cmd: Cmd) -> Result<Self, Rejected> {
        use {Cmd as C, Kind as K, State as S};
        match (self, cmd) {
            (S::Done | S::Declined | S::TimedOut | S::Cancelled | S::Returned, _) => {
                Err(Rejected::new("invite_over"))
            }
            (S::Ringing, C::Accept) => Ok(S::Accepted),
            // After a cold transfer nobody is with the citizen: no answer brings them back to who sent them.
            (S::Ringing, C::Decline | C::TimeOut | C::Cancel)
                if matches!(kind, K::TransferCold) =>
            {
                Ok(S::Returned)
            }
            (S::Ringing, C::Decline) => Ok(S::Declined),
            (S::Ringing, C::TimeOut) => Ok(S::TimedOut),
            (S::Ringing, C::Cancel) => Ok(S::Cancelled),
            (S::Accepted, C::Introduce) if matches!(kind, K::Consult | K::TransferWarm) => {
                Ok(S::Introduced)
            }
            // Warm means introduced: before that the first agent does not leave.
            (S::Accepted, C::Finish) if matches!(kind, K::TransferWarm) => {
                Err(Rejected::new("invite_state"))
            }
            (S::Accepted | S::Introduced, C::Finish) => Ok(S::Done),
            (S::Accepted | S::Introduced, C::Return) if kind.is_transfer() => Ok(S::Returned),
            (S::Ringing, C::SessionEnded) => Ok(S::Cancelled),
            (S::Accepted | S::Introduced, C::SessionEnded) => Ok(S::Done),
            (
                S::Ringing | S::Accepted | S::Introduced,
                C::Accept
                | C::Decline
                | C::TimeOut
                | C::Cancel
                | C::Introduce
                | C::Finish
                | C::Return,
            ) => Err(Rejected::new("invite_state")),
        }
    }
}

/// Whom an invitation goes to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    Staff(StaffId),
    Seat(SeatId),
    /// Whoever of the hall is ready with this skill (`police`, `lang:en`, `need:sign_language`).
    Skill {
        hall: HallId,
        code: String,
    },
    /// A hall's queue for a skill.
    Queue {
        hall: HallId,
        skill: String,
    },
    /// Whoever opens the link.
    Link,
}

/// A new invitation, and what it meets.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    pub kind: Kind,
    pub target: &'a Target,
    /// Who asks, and where they sit.
    pub by: &'a StaffId,
    pub by_seat: Option<&'a SeatId>,
    /// Invitations of this session that are live.
    pub live: &'a [(Kind, Target)],
    /// Staff who are in the session now, the asker included.
    pub staff_inside: &'a [StaffId],
    /// Everybody in the session now.
    pub members: usize,
}

impl Ask<'_> {
    /// # Errors
    /// `transfer_self`: to oneself or the own seat; `invite_target`: this kind does not go there; `invite_inside`: already
    /// in the session; `invite_open`: the same is under way, or a transfer is; `room_full`.
    pub fn check(&self) -> Result<(), Rejected> {
        let to_self = match self.target {
            Target::Staff(s) => s == self.by,
            Target::Seat(s) => self.by_seat == Some(s),
            Target::Skill { .. } | Target::Queue { .. } | Target::Link => false,
        };
        if to_self {
            return Err(Rejected::new("transfer_self"));
        }
        let goes = match (self.kind, self.target) {
            (Kind::Guest, t) => matches!(t, Target::Link),
            (_, Target::Link) => false,
            // There is nobody to talk to in a queue.
            (Kind::Consult | Kind::Join | Kind::TransferWarm, Target::Queue { .. }) => false,
            (Kind::Consult | Kind::Join | Kind::TransferWarm | Kind::TransferCold, _) => true,
        };
        if !goes {
            return Err(Rejected::new("invite_target"));
        }
        if matches!(self.target, Target::Staff(s) if self.staff_inside.contains(s))
            && !self.kind.is_transfer()
        {
            return Err(Rejected::new("invite_inside"));
        }
        // A transfer is alone: who would belong to which agent while another invitation hangs?
        let clash = self.live.iter().any(|(k, t)| {
            k.is_transfer() || self.kind.is_transfer() || (*k == self.kind && t == self.target)
        });
        if clash || self.live.len() >= LIVE_MAX {
            return Err(Rejected::new("invite_open"));
        }
        // A cold transfer replaces its agent; everybody else comes on top, those under way included.
        if self.kind != Kind::TransferCold && self.members + self.live.len() >= MEMBERS_MAX {
            return Err(Rejected::new("room_full"));
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
