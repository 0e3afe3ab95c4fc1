//! When no seat is free: call-backs (回拨), requests that are left (留言), tickets that are carried to the phone.

use crate::{IdentityView, TicketView};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallBackState {
    /// In line, or in the pause between two tries.
    Waiting,
    /// The citizen's phone rings.
    Ringing,
    Answered,
    /// Two tries in vain.
    Closed,
    Cancelled,
}

/// A call-back, named by its ticket: HTTP answers and the `call_back` frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallBackView {
    pub ticket: String,
    pub state: CallBackState,
    /// Tries that have begun.
    pub tries: u8,
    pub tries_max: u8,
    /// Set while it rings.
    pub ring_until: Option<String>,
    /// Set after a try in vain.
    pub next_try_at: Option<String>,
    /// Set once answered.
    pub session: Option<String>,
}

/// `POST /api/v1/call-backs/{id}/decline`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclineCallBack {
    pub answer: CallBackDecline,
}

/// What the citizen says to a ring that comes at the wrong time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallBackDecline {
    /// Not now: a try in vain; the next follows after the pause.
    Later,
    /// Not at all any more.
    NoMore,
}

/// Answer of `POST /api/v1/tickets/{id}/call-back`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct CallBackTaken {
    /// The new ticket, in the old one's place.
    pub ticket: TicketView,
    pub call_back: CallBackView,
    /// For the same visit, as long as the call-back may take: the page keeps it.
    pub access_token: String,
    pub expires_at: String,
}

/// `POST /api/v1/requests`: nobody is on duty, and the answer is to come later.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaveRequest {
    #[serde(default)]
    pub item: Option<String>,
    /// At most 2000 characters.
    pub text: String,
    /// Mobile number for the answer.
    pub contact: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    Open,
    Claimed,
    Done,
}

/// A request as the citizen who left it sees it.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct RequestView {
    pub id: String,
    pub state: RequestState,
    pub queue: String,
    pub item: Option<String>,
    pub created_at: String,
    pub answer: Option<String>,
    pub answered_at: Option<String>,
}

/// A request in the agents' list: neither text nor number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RequestItem {
    pub id: String,
    pub state: RequestState,
    pub queue: String,
    pub item: Option<String>,
    pub created_at: String,
    /// Staff id.
    pub claimed_by: Option<String>,
}

/// A request as the agent who claimed it sees it.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct RequestFull {
    pub request: RequestItem,
    pub text: String,
    pub contact: String,
    pub identity: Option<IdentityView>,
    pub answer: Option<String>,
}

/// `POST /api/v1/requests/{id}/done`
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerRequest {
    /// At most 2000 characters; the citizen reads it.
    pub answer: String,
}

/// Answer of `POST /api/v1/tickets/{id}/carry`: a code that works once.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct CarryCode {
    pub code: String,
    /// What the QR code says: `…/phone/#t=<code>`.
    pub url: String,
    pub qr_svg: String,
    pub expires_at: String,
}
