//! Halls, tickets, seats and pairings.

use crate::{Bilingual, Channel, ForcedView, IdentityView};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /api/v1/halls`, `GET /api/v1/halls/{id}`: public.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct HallView {
    pub id: String,
    pub name: Bilingual,
    pub skills: Vec<SkillView>,
    /// Seats that are ready, ringing, busy or in wrap-up.
    pub seats_on_duty: u32,
    pub waiting: u32,
    /// What a ticket taken now would be told.
    pub estimate: Option<WaitEstimate>,
    pub open_now: bool,
    /// `09:00`, Beijing time.
    pub opens: String,
    pub closes: String,
    pub telephone: String,
    /// Nearest window, for when the service is away.
    pub address: Bilingual,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SkillView {
    pub code: String,
    pub name: Bilingual,
}

/// A range, not a promise, and how wrong it has been lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WaitEstimate {
    pub low_s: u32,
    pub high_s: u32,
    /// Mean distance of recent waits from the range shown, in seconds; absent while there are too few.
    pub recent_error_s: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TicketState {
    Waiting,
    Offered,
    Paired,
    Closed,
    Abandoned,
    Expired,
    CalledBack,
}

/// Order of service; FIFO inside a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PriorityClass {
    Appointment,
    Returned,
    Priority,
    Normal,
}

/// What eases the talk; shown to the agent before answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccessNeed {
    LargeText,
    SlowSpeech,
    SignLanguage,
    TextOnly,
}

/// How the citizen wants to talk; the session begins so, and can change (the ladder).
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TicketMode {
    #[default]
    Video,
    Audio,
    /// Served on a text lane: an agent may have several at once.
    Text,
}

/// `PUT /api/v1/tickets/{id}/mode`: the place in line is kept.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetTicketMode {
    pub mode: TicketMode,
}

/// `POST /api/v1/tickets`: the visit queues.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeTicket {
    /// Item slug; absent: "I don't know, ask someone".
    #[serde(default)]
    pub item: Option<String>,
    #[serde(default)]
    pub needs: Vec<AccessNeed>,
    /// 老、弱、病、残、孕: self-declared.
    #[serde(default)]
    pub priority: bool,
    #[serde(default)]
    pub mode: TicketMode,
}

/// Snapshot for the citizen: HTTP answers and the `ticket` frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TicketView {
    pub id: String,
    /// What is called out: `A023`.
    pub number: String,
    pub state: TicketState,
    pub version: i64,
    pub item: Option<String>,
    pub class: PriorityClass,
    pub mode: TicketMode,
    /// People ahead who wait for the same skill; 0 = next.
    pub ahead: u32,
    pub waiting: u32,
    pub seats_on_duty: u32,
    pub estimate: Option<WaitEstimate>,
    pub enqueued_at: String,
    /// Set once paired.
    pub session: Option<String>,
    /// Set when the ticket was re-opened as a new one (`called_back`).
    pub next_ticket: Option<String>,
    /// Why a terminal state, as a stable word: `cancelled`, `grace_over`, `served`, …
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeatState {
    Offline,
    Ready,
    Ringing,
    Busy,
    WrapUp,
    Away,
}

/// A text lane of a seat: watched with `watch_seat` on a connection of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LaneView {
    pub seat: String,
    /// 1 to 8.
    pub lane: u8,
}

/// Snapshot for the agent: HTTP answers and the `seat` frame. A text lane has the shape of a seat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SeatView {
    pub id: String,
    /// `3号席`
    pub name: Bilingual,
    pub hall: String,
    pub state: SeatState,
    /// `break`, `meal`, `no_answer`, `page_closed`, … while away; `main` at a lane that its seat keeps from ringing. `text` while
    /// busy with texts alone.
    pub away_reason: Option<String>,
    pub since: String,
    pub version: i64,
    pub staff: Option<String>,
    pub skills: Vec<String>,
    pub offer: Option<OfferView>,
    /// A colleague asks for help, or has it.
    pub invite: Option<crate::InviteView>,
    pub session: Option<String>,
    /// End of wrap-up.
    pub wrap_up_until: Option<String>,
    pub wrap_up_session: Option<String>,
    /// The wrap-up was made longer once; it cannot be again.
    pub wrap_up_extended: bool,
    /// The agent chose at the opening that calls are answered by themselves: the page accepts.
    pub auto_answer: bool,
    /// The agent takes text sessions beside each other too.
    pub text: bool,
    /// 0: a seat. 1 to 8: a text lane, and `main` is its seat.
    pub lane: u8,
    pub main: Option<String>,
    /// Open text lanes of the seat.
    pub lanes: Vec<LaneView>,
    /// A supervisor's word, until the agent moves on; or the agent's own, until the last text is over.
    pub forced: Option<ForcedView>,
    /// People who wait for one of this seat's skills, and the longest wait.
    pub waiting: u32,
    pub longest_wait_s: u32,
}

/// What rings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OfferView {
    pub pairing: String,
    pub ticket: String,
    pub number: String,
    pub item: Option<String>,
    pub item_title: Option<Bilingual>,
    pub channel: Channel,
    pub identity: Option<IdentityView>,
    pub class: PriorityClass,
    pub mode: TicketMode,
    pub needs: Vec<AccessNeed>,
    pub waited_s: u32,
    pub offered_at: String,
    /// A call-back: `POST /pairings/{id}/call` rings the citizen's phone; their answer begins the session.
    pub call_back: bool,
    /// The citizen's phone rings until then.
    pub calling_until: Option<String>,
    /// The ring ends here.
    pub due_at: String,
}

/// `POST /api/v1/seats/{id}/open`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenSeat {
    /// Subset of what the person may serve.
    pub skills: Vec<String>,
    /// Calls are to be answered by themselves: the page accepts the offer when it comes.
    #[serde(default)]
    pub auto_answer: bool,
    /// Take text sessions beside each other too, as many as the queues' rules allow.
    #[serde(default)]
    pub text: bool,
    /// Move here a seat that is open in another tab or at another desk.
    #[serde(default)]
    pub take_over: bool,
}

/// `POST /api/v1/seats/{id}/away`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GoAway {
    pub reason: String,
}

/// `POST /api/v1/pairings/{id}/decline`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decline {
    pub reason: String,
}

/// Answer of `POST /api/v1/pairings/{id}/accept`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Accepted {
    pub session: String,
}
