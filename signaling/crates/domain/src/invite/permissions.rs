//! What each member of a session may see and do: least first, by role and by how far an invitation has come.

use super::{Kind, State};

/// One thing that a member may do. What is not listed is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// The citizen's picture.
    SeeCitizen,
    /// The citizen's sound and what is said to them.
    HearCitizen,
    /// Be seen and heard by the citizen.
    SpeakToCitizen,
    /// The room's chat.
    ReadChat,
    WriteChat,
    /// Sound and notes among staff that the citizen does not hear or see.
    StaffTalk,
    /// Form values, masked for whom the fields say.
    ReadForm,
    WriteForm,
    /// Photos and files handed in.
    ReadMaterials,
    /// The citizen's earlier visits and cases.
    ReadHistory,
    /// Ask for a consent, a licence, a signature.
    AskCitizen,
    /// Consult, invite, transfer.
    Invite,
    ChangeMode,
    EndSession,
}

impl Permission {
    pub const ALL: [Self; 14] = [
        Self::SeeCitizen,
        Self::HearCitizen,
        Self::SpeakToCitizen,
        Self::ReadChat,
        Self::WriteChat,
        Self::StaffTalk,
        Self::ReadForm,
        Self::WriteForm,
        Self::ReadMaterials,
        Self::ReadHistory,
        Self::AskCitizen,
        Self::Invite,
        Self::ChangeMode,
        Self::EndSession,
    ];
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SeeCitizen => "see_citizen",
            Self::HearCitizen => "hear_citizen",
            Self::SpeakToCitizen => "speak_to_citizen",
            Self::ReadChat => "read_chat",
            Self::WriteChat => "write_chat",
            Self::StaffTalk => "staff_talk",
            Self::ReadForm => "read_form",
            Self::WriteForm => "write_form",
            Self::ReadMaterials => "read_materials",
            Self::ReadHistory => "read_history",
            Self::AskCitizen => "ask_citizen",
            Self::Invite => "invite",
            Self::ChangeMode => "change_mode",
            Self::EndSession => "end_session",
        }
    }
}

/// Who somebody is in a session, as permissions see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Member {
    /// The form, the chat and the session are the citizen's own.
    Citizen,
    /// Serves the citizen.
    Agent,
    /// In private talk with the agent, not before the citizen: nothing of the citizen's.
    Consulted,
    /// A colleague or another department, brought in.
    Colleague,
    /// Hears and speaks for both; needs no papers.
    Interpreter,
    /// A family member by link.
    Guest,
    /// Listens, and whispers to the agent alone.
    Supervisor,
}

impl Member {
    pub const ALL: [Self; 7] = [
        Self::Citizen,
        Self::Agent,
        Self::Consulted,
        Self::Colleague,
        Self::Interpreter,
        Self::Guest,
        Self::Supervisor,
    ];
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Citizen => "citizen",
            Self::Agent => "agent",
            Self::Consulted => "consulted",
            Self::Colleague => "colleague",
            Self::Interpreter => "interpreter",
            Self::Guest => "guest",
            Self::Supervisor => "supervisor",
        }
    }
    #[must_use]
    pub fn parse(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.as_str() == s)
    }
}

/// What the person invited is now; `None`: not in the session. `interpreter`: invited for a language or sign language.
#[must_use]
pub const fn member(kind: Kind, state: State, interpreter: bool) -> Option<Member> {
    match (kind, state) {
        (
            _,
            State::Ringing | State::Declined | State::TimedOut | State::Cancelled | State::Returned,
        ) => None,
        (Kind::TransferWarm | Kind::TransferCold, State::Done) => Some(Member::Agent),
        (Kind::Consult | Kind::Join | Kind::Guest, State::Done) => None,
        (Kind::Consult | Kind::TransferWarm, State::Accepted) => Some(Member::Consulted),
        // The citizen is theirs as soon as they take it; the old agent is gone.
        (Kind::TransferCold, State::Accepted | State::Introduced) => Some(Member::Agent),
        (Kind::Guest, State::Accepted | State::Introduced) => Some(Member::Guest),
        (Kind::Join, State::Accepted | State::Introduced) if interpreter => {
            Some(Member::Interpreter)
        }
        (Kind::Consult, State::Introduced) if interpreter => Some(Member::Interpreter),
        (Kind::Join, State::Accepted | State::Introduced)
        | (Kind::Consult | Kind::TransferWarm, State::Introduced) => Some(Member::Colleague),
    }
}

/// All that a member may do, in the order of [`Permission`].
#[must_use]
pub const fn permissions(member: Member) -> &'static [Permission] {
    use Permission as P;
    match member {
        Member::Citizen => &[
            P::SeeCitizen,
            P::HearCitizen,
            P::SpeakToCitizen,
            P::ReadChat,
            P::WriteChat,
            P::ReadForm,
            P::WriteForm,
            P::ReadMaterials,
            P::ReadHistory,
            P::ChangeMode,
            P::EndSession,
        ],
        Member::Agent => &P::ALL,
        Member::Consulted => &[P::StaffTalk],
        Member::Colleague => &[
            P::SeeCitizen,
            P::HearCitizen,
            P::SpeakToCitizen,
            P::ReadChat,
            P::WriteChat,
            P::StaffTalk,
            P::ReadForm,
        ],
        Member::Interpreter | Member::Guest => &[
            P::SeeCitizen,
            P::HearCitizen,
            P::SpeakToCitizen,
            P::ReadChat,
            P::WriteChat,
        ],
        Member::Supervisor => &[
            P::SeeCitizen,
            P::HearCitizen,
            P::ReadChat,
            P::StaffTalk,
            P::ReadForm,
        ],
    }
}

#[must_use]
pub fn may(member: Member, permission: Permission) -> bool {
    permissions(member).contains(&permission)
}

/// Whether a member is shown to another as being there: who is in private talk is known to staff alone.
#[must_use]
pub fn shown(member: Member, to: Member) -> bool {
    member != Member::Consulted || may(to, Permission::StaffTalk)
}

/// On the agent's side of the wall while staff talk apart.
const fn apart(member: Member) -> bool {
    matches!(
        member,
        Member::Agent | Member::Consulted | Member::Supervisor
    )
}

/// Whether a live hint of one member (in which field they are, that they type) is for another. `hold`: staff talk apart;
/// `in_form`: it is about the form, not about the chat. The same rule as for what is kept: who may not read it learns
/// nothing of who writes it.
#[must_use]
pub fn hint(from: Member, to: Member, hold: bool, in_form: bool) -> bool {
    let (says, reads) = if in_form {
        (Permission::ReadForm, Permission::ReadForm)
    } else {
        (Permission::WriteChat, Permission::ReadChat)
    };
    may(from, says) && may(to, reads) && !(hold && apart(from) != apart(to))
}
