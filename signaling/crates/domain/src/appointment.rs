//! An appointment (预约): a slot of a hall that is kept for a citizen: booked → checked in → served.
//!
//! Owns the slots of a day, who may book, when check-in is open and what an appointment may become. Never counts bookings
//! (the caller reads them under the hall's lock; the database holds capacity and one live appointment a person) and never queues: check-in makes a
//! ticket of class `Appointment` (the application does).

use crate::{
    calendar::{Calendar, Hours},
    error::Rejected,
    time::{Span, Timestamp},
};
use time::Date;

/// Check-in opens this long before the slot begins.
pub const CHECK_IN_BEFORE: Span = Span::seconds(30 * 60);
/// Check-in closes this long after the slot began; then the slot is released as a no-show.
pub const CHECK_IN_AFTER: Span = Span::seconds(15 * 60);
/// Length of a slot (minutes), least and most.
pub const SLOT_MIN_MINUTES: u16 = 5;
pub const SLOT_MAX_MINUTES: u16 = 240;
/// Places in one slot.
pub const CAPACITY_MAX: u32 = 500;
/// How far ahead one may book (days).
pub const BOOK_AHEAD_DAYS: i64 = 30;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Booked,
    CheckedIn,
    Served,
    Cancelled,
    /// Did not come, or came and was gone when called; the place is free again.
    NoShow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cmd {
    /// By identity card or QR code (一码预约).
    CheckIn,
    /// The conversation began.
    Serve,
    Cancel,
    /// The time for check-in is over, or nobody answered when called.
    Release,
}

impl State {
    pub const ALL: [Self; 5] = [
        Self::Booked,
        Self::CheckedIn,
        Self::Served,
        Self::Cancelled,
        Self::NoShow,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::CheckedIn => "checked_in",
            Self::Served => "served",
            Self::Cancelled => "cancelled",
            Self::NoShow => "no_show",
        }
    }
    #[must_use]
    pub fn parse(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.as_str() == s)
    }
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Served | Self::Cancelled | Self::NoShow)
    }
    /// Whether it takes a place of its slot.
    #[must_use]
    pub const fn holds_place(self) -> bool {
        matches!(self, Self::Booked | Self::CheckedIn | Self::Served)
    }

    /// The one place that says what an appointment may become. `starts_at` is its slot's beginning.
    ///
    /// # Errors
    /// `appointment_early` or `appointment_late` for a check-in outside its window; `appointment_early` for a release
    /// while the citizen may still come; else `appointment_state`.
    pub fn apply(self, cmd: Cmd, starts_at: Timestamp, now: Timestamp) -> Result<Self, Rejected> {
        match (self, cmd) {
            (Self::Booked, Cmd::CheckIn) if now < starts_at - CHECK_IN_BEFORE => {
                Err(Rejected::new("appointment_early"))
            }
            (Self::Booked, Cmd::CheckIn) if now > release_at(starts_at) => {
                Err(Rejected::new("appointment_late"))
            }
            (Self::Booked, Cmd::CheckIn) => Ok(Self::CheckedIn),
            (Self::Booked, Cmd::Release) if now <= release_at(starts_at) => {
                Err(Rejected::new("appointment_early"))
            }
            (Self::Booked, Cmd::Cancel) => Ok(Self::Cancelled),
            (Self::CheckedIn, Cmd::Serve) => Ok(Self::Served),
            (Self::Booked | Self::CheckedIn, Cmd::Release) => Ok(Self::NoShow),
            (
                Self::Booked | Self::CheckedIn | Self::Served | Self::Cancelled | Self::NoShow,
                Cmd::CheckIn | Cmd::Serve | Cmd::Cancel | Cmd::Release,
            ) => Err(Rejected::new("appointment_state")),
        }
    }
}

/// The last instant of check-in; the server's timer for the release is one microsecond later at the earliest.
#[must_use]
pub fn release_at(starts_at: Timestamp) -> Timestamp {
    starts_at + CHECK_IN_AFTER
}

/// A piece of a day that can be booked, from inclusive, to exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    pub from: Timestamp,
    pub to: Timestamp,
    pub capacity: u32,
}

/// The slots of a Beijing day in order: each line of the opening hours cut into pieces of `slot_min` minutes; a rest that is
/// too short for a slot stays for people who walk in. `capacity`: places in each.
///
/// # Errors
/// `slot_shape`: length or capacity out of bounds; `calendar_missing`.
pub fn slots(
    hours: &[Hours],
    calendar: &Calendar,
    capacity: u32,
    date: Date,
    slot_min: u16,
) -> Result<Vec<Slot>, Rejected> {
    if !(SLOT_MIN_MINUTES..=SLOT_MAX_MINUTES).contains(&slot_min)
        || !(1..=CAPACITY_MAX).contains(&capacity)
    {
        return Err(Rejected::new("slot_shape"));
    }
    let step = Span::seconds(i64::from(slot_min) * 60);
    let mut out: Vec<Slot> = vec![];
    for h in hours {
        let Some((mut from, end)) = h.on(calendar, date)? else {
            continue;
        };
        while from + step <= end {
            out.push(Slot {
                from,
                to: from + step,
                capacity,
            });
            from = from + step;
        }
    }
    out.sort_by_key(|s| s.from);
    Ok(out)
}

/// Whether a citizen may book the slot that begins at `starts_at`. `taken`: places held in it; `has_live`: the citizen has
/// an appointment that is booked or checked in at this hall.
///
/// # Errors
/// `slot_unknown`: no slot begins then; `slot_past`: it has begun; `slot_far`: beyond [`BOOK_AHEAD_DAYS`];
/// `appointment_twice`; `slot_full`.
pub fn book(
    slots: &[Slot],
    starts_at: Timestamp,
    taken: u32,
    has_live: bool,
    now: Timestamp,
) -> Result<Slot, Rejected> {
    let slot = slots
        .iter()
        .find(|s| s.from == starts_at)
        .ok_or(Rejected::new("slot_unknown"))?;
    if slot.from <= now {
        return Err(Rejected::new("slot_past"));
    }
    if slot.from > now + Span::seconds(BOOK_AHEAD_DAYS * 86_400) {
        return Err(Rejected::new("slot_far"));
    }
    if has_live {
        return Err(Rejected::new("appointment_twice"));
    }
    if taken >= slot.capacity {
        return Err(Rejected::new("slot_full"));
    }
    Ok(*slot)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::calendar::{Days, TimeOfDay};
    use proptest::prelude::*;
    use time::macros::date;

    fn hours() -> Vec<Hours> {
        [("13:30", "17:00"), ("09:00", "12:10")]
            .map(|(from, to)| Hours {
                days: Days::Workdays,
                from: TimeOfDay::parse(from).unwrap(),
                to: TimeOfDay::parse(to).unwrap(),
            })
            .to_vec()
    }
    fn of(date: Date) -> Vec<Slot> {
        slots(&hours(), Calendar::vendored(), 2, date, 30).unwrap()
    }
    fn at(s: &str) -> Timestamp {
        Timestamp::parse_rfc3339(s).unwrap()
    }
    fn code(r: Result<Slot, Rejected>) -> &'static str {
        r.err().map_or("ok", |e| e.code)
    }

    #[test]
    fn a_working_day_has_its_slots_and_a_holiday_none() {
        let s = of(date!(2026 - 11 - 20));
        assert_eq!(s.len(), 6 + 7);
        assert_eq!(s[0].from, at("2026-11-20T09:00:00+08:00"));
        assert_eq!(
            s[5].to,
            at("2026-11-20T12:00:00+08:00"),
            "the rest of ten minutes is no slot"
        );
        assert_eq!(s[6].from, at("2026-11-20T13:30:00+08:00"));
        assert!(s.windows(2).all(|w| w[0].to <= w[1].from));
        assert_eq!(of(date!(2026 - 10 - 01)), []);
        for (capacity, minutes) in [(0, 30), (501, 30), (2, 4), (2, 241)] {
            let e = slots(
                &hours(),
                Calendar::vendored(),
                capacity,
                date!(2026 - 11 - 20),
                minutes,
            );
            assert_eq!(e.unwrap_err().code, "slot_shape");
        }
        let e = slots(&hours(), Calendar::vendored(), 2, date!(2027 - 03 - 01), 30);
        assert_eq!(e.unwrap_err().code, "calendar_missing");
    }

    #[test]
    fn booking_is_refused_for_a_named_reason() {
        let s = of(date!(2026 - 11 - 20));
        let (nine, now) = (
            at("2026-11-20T09:00:00+08:00"),
            at("2026-11-19T10:00:00+08:00"),
        );
        assert_eq!(code(book(&s, nine, 1, false, now)), "ok");
        assert_eq!(code(book(&s, nine, 2, false, now)), "slot_full");
        assert_eq!(code(book(&s, nine, 0, true, now)), "appointment_twice");
        assert_eq!(code(book(&s, nine, 0, false, nine)), "slot_past");
        assert_eq!(
            code(book(&s, nine + Span::seconds(1), 0, false, now)),
            "slot_unknown"
        );
        assert_eq!(
            code(book(&s, nine, 0, false, at("2026-09-01T09:00:00+08:00"))),
            "slot_far"
        );
    }

    #[test]
    fn check_in_is_open_from_half_an_hour_before_to_a_quarter_after() {
        let t = at("2026-11-20T09:00:00+08:00");
        let check_in = |m: i64| {
            State::Booked
                .apply(Cmd::CheckIn, t, t + Span::seconds(m * 60))
                .map_err(|e| e.code)
        };
        assert_eq!(check_in(-31), Err("appointment_early"));
        assert_eq!(check_in(-30), Ok(State::CheckedIn));
        assert_eq!(check_in(15), Ok(State::CheckedIn));
        assert_eq!(check_in(16), Err("appointment_late"));
        let release = |m: i64| {
            State::Booked
                .apply(Cmd::Release, t, t + Span::seconds(m * 60))
                .map_err(|e| e.code)
        };
        assert_eq!(release(15), Err("appointment_early"));
        assert_eq!(release(16), Ok(State::NoShow));
    }

    fn cmd() -> impl Strategy<Value = Cmd> {
        prop::sample::select(vec![Cmd::CheckIn, Cmd::Serve, Cmd::Cancel, Cmd::Release])
    }

    proptest! {
        #[test]
        fn it_ends_once_and_is_served_only_after_check_in(cmds in prop::collection::vec((cmd(), -60i64..60), 0..20)) {
            let t = Timestamp::from_millis(1_790_000_000_000);
            let (mut s, mut checked_in) = (State::Booked, false);
            for (c, minute) in cmds {
                let before = s;
                if let Ok(next) = s.apply(c, t, t + Span::seconds(minute * 60)) { s = next; }
                checked_in |= s == State::CheckedIn;
                prop_assert!(!before.is_terminal() || before == s);
                prop_assert!(s != State::Served || checked_in);
                prop_assert_eq!(State::parse(s.as_str()), Some(s));
            }
        }

        #[test]
        fn at_any_moment_one_of_check_in_and_release_is_possible_or_it_is_early(minute in -600i64..600) {
            let t = Timestamp::from_millis(1_790_000_000_000);
            let now = t + Span::seconds(minute * 60);
            let both = [Cmd::CheckIn, Cmd::Release].map(|c| State::Booked.apply(c, t, now).is_ok());
            prop_assert!(both != [true, true]);
            prop_assert_eq!(both == [false, false], minute < -30);
        }
    }
}
