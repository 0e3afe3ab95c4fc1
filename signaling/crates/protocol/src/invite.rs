//! Help within a session: invitations, transfers, guests, notes, the citizen's history.

use crate::Bilingual;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InviteKind {
    /// A private word with a colleague; the citizen is on hold.
    Consult,
    /// A colleague, another department or an interpreter takes part.
    Join,
    /// A family member, by link.
    Guest,
    TransferWarm,
    TransferCold,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InviteState {
    Ringing,
    Accepted,
    Introduced,
    Done,
    Declined,
    TimedOut,
    Cancelled,
    Returned,
}

/// Whom it goes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "to", rename_all = "snake_case", deny_unknown_fields)]
pub enum InviteTarget {
    Staff {
        id: String,
    },
    Seat {
        id: String,
    },
    /// Whoever is ready with it: `police`, `lang:en`, `need:sign_language`.
    Skill {
        code: String,
    },
    /// The line of the hall for this skill; cold transfers alone.
    Queue {
        skill: String,
    },
    /// Whoever opens the link; guests alone.
    Link {},
}

/// `POST /api/v1/sessions/{id}/invites`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvite {
    pub kind: InviteKind,
    pub target: InviteTarget,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// By whoever is rung.
    Accept,
    /// By whoever is rung.
    Decline,
    /// By the agent, before it was answered.
    Cancel,
    /// By the agent: the private talk is over, the citizen hears both.
    Introduce,
    /// They leave; a transfer: the new agent takes over and the old one leaves.
    Finish,
    /// By the agent: a warm transfer is taken back.
    Return,
}

/// `POST /api/v1/invites/{id}/step`
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteStep {
    pub step: Step,
    /// The version that was on the screen.
    pub version: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InviteView {
    pub id: String,
    pub version: i64,
    pub kind: InviteKind,
    pub state: InviteState,
    pub session: String,
    pub target: InviteTarget,
    /// The agent who asks.
    pub from: String,
    /// Who is rung or takes part; nobody yet for a link or a cold transfer.
    pub to: Option<String>,
    pub seat: Option<String>,
    /// Once accepted.
    pub member: Option<String>,
    pub item: Option<String>,
    pub item_title: Option<Bilingual>,
    pub interpreter: bool,
    pub asked_at: String,
    /// End of the ring.
    pub until: Option<String>,
}

/// For the family member; the code works once.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct GuestLink {
    pub code: String,
    pub url: String,
    /// The URL as a QR code, SVG.
    pub qr_svg: String,
}

/// Answer of `POST /api/v1/sessions/{id}/invites`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Invited {
    pub invite: InviteView,
    pub link: Option<GuestLink>,
}

/// `POST /api/v1/guests`
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExchangeGuest {
    pub code: String,
    /// As the others will see it, 1 to 20 characters.
    pub name: String,
}

/// A token for this one session.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct GuestToken {
    pub access_token: String,
    pub expires_at: String,
    pub session: String,
    pub member: String,
}

/// `POST /api/v1/sessions/{id}/notes`
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNote {
    pub text: String,
}

/// For staff of the session alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NoteView {
    pub id: String,
    pub at: String,
    /// Name of who wrote it.
    pub by: String,
    /// `note`; `wrap_up`: of an agent who handed the citizen over.
    pub kind: String,
    pub text: String,
}

/// The citizen's earlier visits and cases: no name, no whole number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryView {
    pub sessions: Vec<EarlierSession>,
    pub cases: Vec<EarlierCase>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EarlierSession {
    pub at: String,
    pub minutes: Option<i64>,
    pub item: Option<String>,
    pub item_title: Option<Bilingual>,
    pub end_reason: Option<String>,
    pub disposition: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EarlierCase {
    /// Its last four characters.
    pub number: String,
    pub item: String,
    pub item_title: Option<Bilingual>,
    pub state: String,
    pub received_at: String,
}
