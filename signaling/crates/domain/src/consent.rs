//! A consent (授权): one citizen lets one item read named attributes of one licence, for one purpose, once.
//!
//! asked → granted | refused; granted → withdrawn | used | expired. Only the citizen of the same session
//! answers (PIPL §14: freely given, informed, for one purpose; §15: revocable at any time).
//! Never reads a licence, never knows whether the citizen holds one, never tells time by itself.

use crate::error::Rejected;
use crate::id::{ConsentId, MemberId, SessionId, VisitId};
use crate::limits::CONSENT_LIFE;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Attributes that one consent sheet may list; more cannot be read and understood.
pub const ATTRIBUTES_MAX: usize = 30;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Asked,
    Granted,
    Refused,
    Withdrawn,
    Used,
    Expired,
}

impl State {
    pub const ALL: &'static [Self] = &[
        Self::Asked,
        Self::Granted,
        Self::Refused,
        Self::Withdrawn,
        Self::Used,
        Self::Expired,
    ];
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Granted => "granted",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Used => "used",
            Self::Expired => "expired",
        }
    }
    #[must_use]
    pub fn parse(s: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|v| v.as_str() == s)
    }
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Asked | Self::Granted => false,
            Self::Refused | Self::Withdrawn | Self::Used | Self::Expired => true,
        }
    }
}

/// What the licence is wanted for. One purpose a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Fill the item's form.
    Prefill,
    /// Fill the form and lay a watermarked copy (加注件) beside it as a material.
    PrefillWithCopy,
    /// A watermarked copy alone, in place of a paper (免证).
    Copy,
}

impl Purpose {
    pub const ALL: &'static [Self] = &[Self::Prefill, Self::PrefillWithCopy, Self::Copy];
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prefill => "prefill",
            Self::PrefillWithCopy => "prefill_with_copy",
            Self::Copy => "copy",
        }
    }
    #[must_use]
    pub fn parse(s: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|v| v.as_str() == s)
    }
    /// Does it allow a copy of the licence to be kept as a material?
    #[must_use]
    pub const fn allows_copy(self) -> bool {
        match self {
            Self::Prefill => false,
            Self::PrefillWithCopy | Self::Copy => true,
        }
    }
}

/// Exactly what the sheet said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    pub session: SessionId,
    /// Whose consent: the visit, because a citizen who drops returns as another member.
    pub visit: VisitId,
    /// Item slug and version whose form is filled.
    pub item: String,
    pub item_version: u32,
    pub purpose: Purpose,
    /// Licence type code, 21 characters.
    pub licence_type: String,
    /// Attribute names, none twice.
    pub attributes: Vec<String>,
    pub asked_by: MemberId,
    /// Version of the privacy notice that the citizen had been shown.
    pub policy_version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    pub id: ConsentId,
    pub scope: Scope,
    pub state: State,
    pub version: u64,
    pub asked_at: Timestamp,
    pub answered_at: Option<Timestamp>,
    /// Set on grant; later than this nothing is read.
    pub expires_at: Option<Timestamp>,
    /// Used, withdrawn or lapsed.
    pub ended_at: Option<Timestamp>,
}

/// Who sends a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// A citizen, of this session and visit.
    Citizen {
        session: SessionId,
        visit: VisitId,
    },
    Agent {
        session: SessionId,
    },
    /// The server's timers and the end of a session.
    System,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cmd {
    Grant,
    Refuse,
    Withdraw,
    /// The one reading that the consent allows; what is to be read must be within the scope.
    Use {
        purpose: Purpose,
        licence_type: String,
        attributes: Vec<String>,
    },
    /// Time is over or the session has ended. Silence is a no: an unanswered question becomes a refusal.
    Lapse,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Granted,
    Refused,
    Withdrawn,
    Used,
    Expired,
}

impl Consent {
    /// Asks. `identified`: the citizen's card was read in this session; anonymous people are never asked.
    ///
    /// Codes: `identity_required`, `consent_scope_empty`, `consent_scope`.
    pub fn ask(
        id: ConsentId,
        scope: Scope,
        identified: bool,
        now: Timestamp,
    ) -> Result<Self, Rejected> {
        if !identified {
            return Err(Rejected::new("identity_required"));
        }
        // A copy shows the whole licence, so only it may go without a list.
        if scope.attributes.is_empty() && scope.purpose != Purpose::Copy {
            return Err(Rejected::new("consent_scope_empty"));
        }
        let twice = scope
            .attributes
            .iter()
            .enumerate()
            .any(|(i, a)| scope.attributes[..i].contains(a));
        if twice || scope.attributes.len() > ATTRIBUTES_MAX || scope.licence_type.is_empty() {
            return Err(Rejected::new("consent_scope"));
        }
        Ok(Self {
            id,
            scope,
            state: State::Asked,
            version: 1,
            asked_at: now,
            answered_at: None,
            expires_at: None,
            ended_at: None,
        })
    }

    /// Granted and not over: the only state in which a licence may be read (invariant 3).
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.state == State::Granted && self.expires_at.is_some_and(|e| now < e)
    }

    /// Codes: `illegal_transition`, `consent_not_yours`, `consent_expired`, `consent_scope`.
    pub fn apply(self, now: Timestamp, who: &Who, cmd: &Cmd) -> Result<(Self, Effect), Rejected> {
        match (self.state, cmd) {
            (State::Asked, Cmd::Grant) => {
                self.owner(who)?;
                let mut c = self.to(State::Granted);
                c.answered_at = Some(now);
                c.expires_at = Some(now + CONSENT_LIFE);
                Ok((c, Effect::Granted))
            }
            (State::Asked, Cmd::Refuse) => {
                self.owner(who)?;
                let mut c = self.to(State::Refused);
                c.answered_at = Some(now);
                Ok((c, Effect::Refused))
            }
            (State::Asked, Cmd::Lapse) => {
                system(who)?;
                let mut c = self.to(State::Refused);
                c.ended_at = Some(now);
                Ok((c, Effect::Refused))
            }
            (State::Granted, Cmd::Withdraw) => {
                self.owner(who)?;
                let mut c = self.to(State::Withdrawn);
                c.ended_at = Some(now);
                Ok((c, Effect::Withdrawn))
            }
            (
                State::Granted,
                Cmd::Use {
                    purpose,
                    licence_type,
                    attributes,
                },
            ) => {
                self.may_use(now, who, *purpose, licence_type, attributes)?;
                let mut c = self.to(State::Used);
                c.ended_at = Some(now);
                Ok((c, Effect::Used))
            }
            (State::Granted, Cmd::Lapse) => {
                system(who)?;
                let mut c = self.to(State::Expired);
                c.ended_at = Some(now);
                Ok((c, Effect::Expired))
            }
            (State::Asked, Cmd::Withdraw | Cmd::Use { .. })
            | (State::Granted, Cmd::Grant | Cmd::Refuse)
            | (
                State::Refused | State::Withdrawn | State::Used | State::Expired,
                Cmd::Grant | Cmd::Refuse | Cmd::Withdraw | Cmd::Use { .. } | Cmd::Lapse,
            ) => Err(Rejected::new("illegal_transition")),
        }
    }

    fn to(self, state: State) -> Self {
        Self {
            state,
            version: self.version + 1,
            ..self
        }
    }

    fn owner(&self, who: &Who) -> Result<(), Rejected> {
        match who {
            Who::Citizen { session, visit }
                if *session == self.scope.session && *visit == self.scope.visit =>
            {
                Ok(())
            }
            Who::Citizen { .. } | Who::Agent { .. } | Who::System => {
                Err(Rejected::new("consent_not_yours"))
            }
        }
    }

    fn may_use(
        &self,
        now: Timestamp,
        who: &Who,
        purpose: Purpose,
        licence_type: &str,
        attributes: &[String],
    ) -> Result<(), Rejected> {
        let here = match who {
            Who::Citizen { session, .. } | Who::Agent { session } => *session == self.scope.session,
            Who::System => true,
        };
        if !here {
            return Err(Rejected::new("consent_not_yours"));
        }
        if !self.is_live(now) {
            return Err(Rejected::new("consent_expired"));
        }
        let within = attributes.iter().all(|a| self.scope.attributes.contains(a));
        if purpose != self.scope.purpose || licence_type != self.scope.licence_type || !within {
            return Err(Rejected::new("consent_scope"));
        }
        Ok(())
    }
}

fn system(who: &Who) -> Result<(), Rejected> {
    match who {
        Who::System => Ok(()),
        Who::Citizen { .. } | Who::Agent { .. } => Err(Rejected::new("consent_not_yours")),
    }
}

#[cfg(test)]
mod tests;
