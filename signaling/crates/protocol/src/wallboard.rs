//! The supervisor's live view: queues, seats and the day so far. Counts go out beside every share, so that a page can show
//! what a percentage is made of.

use crate::{Bilingual, MemberRole, SeatState, SessionState, SupervisionMode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /api/v1/halls/{id}/wallboard` and the `wallboard` frame: a whole snapshot each time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Wallboard {
    pub hall: String,
    pub name: Bilingual,
    /// When it was read.
    pub at: String,
    /// Beijing day that the figures are of.
    pub date: String,
    pub targets: Targets,
    pub waiting: u32,
    pub longest_since: Option<String>,
    pub queues: Vec<QueueNow>,
    pub seats: Vec<SeatNow>,
    /// The whole day.
    pub day: LevelView,
    /// By the hour in which the number was taken; hours without a ticket are left out.
    pub hours: Vec<HourView>,
}

/// What the standard asks (GB/T 33358).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Targets {
    /// A call answered within this counts for the service level.
    pub answer_within_s: u32,
    pub connection_pct: u32,
    /// Who leaves before this never really waited, and is in no share.
    pub short_abandon_s: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QueueNow {
    pub code: String,
    pub name: Bilingual,
    pub waiting: u32,
    /// Since when the first in line has waited: the page counts on.
    pub longest_since: Option<String>,
    /// Seats on duty with the queue's skill.
    pub seats_on_duty: u32,
    pub overflow_now: Option<String>,
    pub level: LevelView,
}

/// Counts of tickets and the shares made of them; shares in tenths of a percent, absent when there is nothing to judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct LevelView {
    /// Ended and really waited: answered + abandoned + lost; the base of the shares.
    pub offered: u64,
    pub answered: u64,
    pub answered_in_time: u64,
    pub abandoned: u64,
    /// Left before they really waited.
    pub abandoned_short: u64,
    /// Grace or closing time ended it.
    pub lost: u64,
    /// Waiting or ringing now.
    pub open: u64,
    pub service_level_permille: Option<u16>,
    pub connection_permille: Option<u16>,
    pub abandoned_permille: Option<u16>,
    pub mean_wait_s: Option<u32>,
    pub longest_wait_s: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SeatNow {
    pub id: String,
    pub name: Bilingual,
    pub state: SeatState,
    pub since: String,
    pub reason: Option<String>,
    pub staff: Option<String>,
    pub staff_name: Option<String>,
    pub session: Option<String>,
    /// Text sessions that the agent holds beside each other.
    pub texts: u32,
    /// Where a supervisor wants it after the session.
    pub forced_next: Option<SeatState>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HourView {
    /// 0 to 23, Beijing time.
    pub hour: u8,
    pub level: LevelView,
}

/// `GET /api/v1/halls/{id}/sessions`: one live session; nothing of the citizen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LiveSession {
    pub id: String,
    pub ticket: String,
    pub number: String,
    pub queue: String,
    pub item: Option<String>,
    pub seat: String,
    pub seat_name: Bilingual,
    pub state: SessionState,
    pub since: String,
    pub members: Vec<LiveMember>,
    /// Who supervises it now.
    pub supervision: Option<LiveSupervision>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LiveSupervision {
    pub name: String,
    pub mode: SupervisionMode,
    /// The caller's own.
    pub mine: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LiveMember {
    pub role: MemberRole,
    /// Staff by name; everybody else: empty.
    pub name: String,
    pub present: bool,
}
