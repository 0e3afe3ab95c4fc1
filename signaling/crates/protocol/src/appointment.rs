//! Appointments (预约): slots, booking, check-in.

use crate::AccessNeed;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which days a line of hours is for; working days follow the calendar, weekends worked in lieu (调休) included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SlotDays {
    Workdays,
    Weekend,
    All,
}

/// One line of the hours in which people are received by appointment, Beijing time: from inclusive, to exclusive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SlotHours {
    pub days: SlotDays,
    /// `09:00`
    pub from: String,
    /// `12:00`; `24:00` is the day's end.
    pub to: String,
}

/// `PUT /api/v1/halls/{id}/slot-rules/{queue}`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSlotRule {
    /// At most 14 lines that do not overlap; none: nothing can be booked.
    pub hours: Vec<SlotHours>,
    /// 5 to 240.
    pub slot_minutes: u16,
    /// Places in one slot, 1 to 500.
    pub capacity: u32,
    /// The version that was on the screen; 0: there was none.
    pub version: i64,
}

/// What can be booked for one queue of a hall.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SlotRuleView {
    pub queue: String,
    pub hours: Vec<SlotHours>,
    pub slot_minutes: u16,
    pub capacity: u32,
    pub version: i64,
}

/// `GET /api/v1/halls/{id}/slots`: the slots of one Beijing day that have not begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SlotList {
    pub queue: String,
    /// `2026-11-23`
    pub date: String,
    pub items: Vec<SlotTime>,
}

/// A piece of a day that can be booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SlotTime {
    pub from: String,
    pub to: String,
    pub capacity: u32,
    /// Places left; 0: full.
    pub left: u32,
}

/// `POST /api/v1/appointments`: by a citizen's visit, at its hall.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BookAppointment {
    /// Item slug: it says the queue.
    #[serde(default)]
    pub item: Option<String>,
    /// Queue, where there is no item; neither: the general desk.
    #[serde(default)]
    pub queue: Option<String>,
    /// The slot's beginning.
    pub starts_at: String,
    #[serde(default)]
    pub needs: Vec<AccessNeed>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AppointmentState {
    Booked,
    CheckedIn,
    Served,
    Cancelled,
    NoShow,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AppointmentView {
    pub id: String,
    pub hall: String,
    pub queue: String,
    pub item: Option<String>,
    pub starts_at: String,
    pub ends_at: String,
    pub state: AppointmentState,
    /// Check-in is open from here …
    pub check_in_from: String,
    /// … to here; then the place is released.
    pub check_in_until: String,
    /// Set by the check-in.
    pub ticket: Option<String>,
}

/// Answer of a booking. The code is shown once more by a repeat with the same idempotency key, and never otherwise.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct Booked {
    pub appointment: AppointmentView,
    /// Eight characters without I, L, O, U: typed, or read from the QR code (一码预约).
    pub code: String,
    /// What the QR code says: `…/phone/#a=<code>`.
    pub url: String,
    pub qr_svg: String,
}

/// `POST /api/v1/appointments/check-in`, `…/{id}/cancel`: with the code, or by the card that the visit has read.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ByCode {
    #[serde(default)]
    pub code: Option<String>,
}

/// `POST /api/v1/appointments/find`, `POST /api/v1/tickets/carry`
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OneTimeCode {
    pub code: String,
}
