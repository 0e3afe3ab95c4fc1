//! Rules of a desk as people edit them: queues, consent between halls, AB seats, skills of staff, canned replies.
//!
//! Shapes only: `domain::routing::Rule` decides what a rule may say, and names each fault with a pointer into the body.

use crate::{Bilingual, PriorityClass, Role, SeatState, TicketState};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

const fn ring_s() -> u32 {
    30
}
const fn wrap_up_s() -> u32 {
    90
}
const fn text_slots() -> u8 {
    1
}

/// A skill and how well it must be mastered, 1 to 5.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SkillAsked {
    pub code: String,
    pub level: u8,
}

/// What is eased after a wait; steps add up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueueStep {
    /// Seconds since the ticket was taken, 1 to 3600, rising from step to step.
    pub after_s: u32,
    /// Skills no longer asked for; a need (`need:…`) or language (`lang:…`, `dialect:…`) goes only where it is named here.
    #[serde(default)]
    pub drop: Vec<String>,
    /// Higher levels come down to this one.
    #[serde(default)]
    pub min_level: Option<u8>,
    /// Another hall that may serve it too (跨域通办); that hall must accept this one's citizens.
    #[serde(default)]
    pub overflow: Option<String>,
}

/// Seconds for which a ticket is kept for people who know the matter; zero: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct QueuePrefer {
    /// Who served this citizen last.
    pub last_agent_s: u32,
    /// The AB seats (主办, 协办) of the item, after that.
    pub pair_s: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OpenDays {
    /// Days that offices work, weekends worked in lieu included.
    Workdays,
    /// Weekends and public holidays.
    Weekend,
    All,
}

/// One line of opening hours, `HH:MM` Beijing time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenHours {
    pub days: OpenDays,
    pub from: String,
    pub to: String,
}

/// A queue's rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueueRule {
    pub required: Vec<SkillAsked>,
    #[serde(default)]
    pub steps: Vec<QueueStep>,
    #[serde(default)]
    pub prefer: QueuePrefer,
    /// Empty: no hours of its own.
    #[serde(default)]
    pub hours: Vec<OpenHours>,
    /// 0 to 900.
    #[serde(default = "wrap_up_s")]
    pub wrap_up_s: u32,
    /// 10 to 120.
    #[serde(default = "ring_s")]
    pub ring_s: u32,
    /// Text sessions of this queue that one agent may hold at once, 1 to 8.
    #[serde(default = "text_slots")]
    pub text_slots: u8,
}

/// `GET /api/v1/halls/{id}/queues`: one queue and its rule as it acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueueView {
    pub code: String,
    pub name: Bilingual,
    /// 0: nobody has written a rule; what is shown is the default.
    pub version: i64,
    pub rule: QueueRule,
    /// By the rule's own hours; absent: it has none.
    pub open_now: Option<bool>,
    /// A supervisor lets this hall serve the queue too, until switched off.
    pub overflow_now: Option<String>,
}

/// `PUT /api/v1/halls/{id}/queues/{code}`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutQueue {
    /// The version that was on the screen.
    pub version: i64,
    pub rule: QueueRule,
}

/// `PUT /api/v1/halls/{id}/queues/{code}/overflow`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutOverflow {
    /// Absent: off.
    #[serde(default)]
    pub hall: Option<String>,
}

/// A hall whose citizens another hall serves too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HallRef {
    pub id: String,
    pub name: Bilingual,
}

/// `GET /api/v1/halls/{id}/consents`: between this hall and others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HallConsents {
    /// Halls whose citizens this hall serves.
    pub accepts: Vec<HallRef>,
    /// Halls that serve this hall's citizens: what an overflow may name.
    pub accepted_by: Vec<HallRef>,
}

/// `PUT /api/v1/halls/{id}/consents/{from}`, by a supervisor or administrator of hall `id`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutHallConsent {
    pub accept: bool,
}

/// AB seats of one item: who handles it first (主办) and who steps in (协办).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ItemPair {
    pub item: String,
    pub a_staff: String,
    pub a_name: String,
    pub b_staff: String,
    pub b_name: String,
}

/// `PUT /api/v1/halls/{id}/item-pairs/{item}`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutItemPair {
    pub a_staff: String,
    pub b_staff: String,
    /// What was on the screen; another pair meanwhile is `version_stale`. Absent: not compared.
    #[serde(default)]
    pub seen: Option<PairSeen>,
}

/// The AB seats that a page showed; both empty: there were none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PairSeen {
    pub a_staff: Option<String>,
    pub b_staff: Option<String>,
}

/// `GET /api/v1/staff/{id}/skills`, and the answer to `PUT`: codes and levels 1 to 5. Acts when the person next sits down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StaffSkills {
    pub skills: BTreeMap<String, u8>,
}

/// `PUT /api/v1/staff/{id}/skills`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutStaffSkills {
    pub skills: BTreeMap<String, u8>,
    /// What was on the screen; other skills meanwhile are `version_stale`. Absent: not compared.
    #[serde(default)]
    pub seen: Option<BTreeMap<String, u8>>,
}

/// `GET /api/v1/halls/{id}/staff`: who works in a hall and what they may serve, for those who keep the hall's rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HallStaff {
    pub id: String,
    pub account: String,
    pub name: String,
    pub roles: Vec<Role>,
    pub department: Option<String>,
    /// False: the account is closed.
    pub active: bool,
    /// Codes and levels 1 to 5.
    pub skills: BTreeMap<String, u8>,
}

/// `POST /api/v1/seats/{id}/force`, by a supervisor of the hall.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ForceSeat {
    /// `ready`, `away` or `offline`.
    pub state: SeatState,
    /// `break`, `meal`, `meeting`, `training`, `unattended`, `shift_over`, `needed`, `other`.
    pub reason: String,
}

/// A supervisor's word about a seat, until the agent moves on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ForcedView {
    pub state: SeatState,
    pub reason: String,
    /// The supervisor's name, or one's own.
    pub by: String,
    /// The agent's own wish to leave, kept until the last text is over.
    pub own: bool,
    pub at: String,
    /// It acts only when session and wrap-up are over.
    pub after_session: bool,
}

/// `GET /api/v1/seats/{id}/times?date=2026-01-31`: a Beijing day, up to now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SeatTimes {
    pub seat: String,
    pub date: String,
    pub from: String,
    /// The day's end, or now.
    pub to: String,
    /// They sum to `to` − `from` exactly.
    pub totals: Vec<SeatTime>,
    /// Ringing, busy, wrap-up (µs) and that with ready (µs): occupancy's two counts.
    pub work_us: i64,
    pub duty_us: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SeatTime {
    pub state: SeatState,
    pub reason: Option<String>,
    /// Microseconds.
    pub time_us: i64,
}

/// `POST /api/v1/seats/{id}/notices`: a supervisor's words to a seat.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SendNotice {
    /// 1 to 200 characters; no citizen's data belongs here.
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NoticeView {
    pub id: String,
    pub seat: String,
    /// The supervisor's name.
    pub from: String,
    pub at: String,
    pub text: String,
    pub read_at: Option<String>,
}

/// `POST /api/v1/tickets/{id}/move`, by a supervisor of the ticket's hall; at least one of the three.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MoveTicket {
    pub queue: Option<String>,
    pub class: Option<PriorityClass>,
    /// Before everybody who waits in that queue now.
    pub head: bool,
}

/// `GET /api/v1/halls/{id}/tickets`: one in line, without a person's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TicketLine {
    pub id: String,
    pub number: String,
    pub queue: String,
    pub item: Option<String>,
    pub class: PriorityClass,
    pub state: TicketState,
    pub enqueued_at: String,
    pub overflow_hall: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PhraseScope {
    /// Everybody's of the hall; kept by its supervisors.
    Hall,
    /// The agent's own.
    Own,
}

/// A canned reply. `GET /api/v1/phrases`: the hall's and one's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PhraseView {
    pub id: String,
    pub scope: PhraseScope,
    pub text: Bilingual,
    pub shortcut: String,
}

/// `POST /api/v1/phrases`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPhrase {
    pub scope: PhraseScope,
    /// Chinese is required, English may be empty; 500 characters each.
    pub text: Bilingual,
    /// Up to 16 characters without spaces; unique in its scope.
    pub shortcut: String,
}

/// `PUT /api/v1/phrases/{id}`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutPhrase {
    pub text: Bilingual,
    pub shortcut: String,
}
