//! Help within a session: invitations, transfers, guests, notes, the citizen's history.

use crate::{Bilingual, HallRef, SeatState};
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
    /// Whoever is ready with it: `police`, `lang:en`, `need:sign_language`; in the session's hall, or in another that serves
    /// its people.
    Skill {
        code: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hall: Option<String>,
    },
    /// The line of a hall for this skill; cold transfers alone.
    Queue {
        skill: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hall: Option<String>,
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
    /// Where they sit, if that is another hall than the rung seat's.
    pub from_hall: Option<HallRef>,
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

/// `GET /api/v1/halls/{id}/colleagues`: who could be asked for help, and where a citizen could be handed over to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Colleagues {
    /// Those who are seated now, never oneself: the own hall's first.
    pub items: Vec<ColleagueView>,
    /// The own hall, then those that serve its people.
    pub halls: Vec<ColleagueHall>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ColleagueView {
    pub staff: String,
    pub name: String,
    pub hall: HallRef,
    /// Of the own hall.
    pub own: bool,
    pub seat: String,
    pub seat_name: Bilingual,
    /// Only `ready` can be rung.
    pub state: SeatState,
    pub away_reason: Option<String>,
    pub skills: Vec<String>,
    pub department: Option<Bilingual>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ColleagueHall {
    pub id: String,
    pub name: Bilingual,
    pub own: bool,
    /// Those that somebody else on duty serves.
    pub queues: Vec<ColleagueQueue>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ColleagueQueue {
    pub code: String,
    pub name: Bilingual,
    /// Others on duty with this skill.
    pub on_duty: u32,
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
