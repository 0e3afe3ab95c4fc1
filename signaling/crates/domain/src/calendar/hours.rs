//! Opening hours by the working-day calendar (办公时间).
//!
//! Owns the question "open at this instant?" and "when next?". Never guesses: a year without a published arrangement
//! answers `calendar_missing`, except where every day is open alike. Times of day are Beijing time.

use super::Calendar;
use crate::{
    error::Rejected,
    time::{BEIJING, Span, Timestamp},
};
use serde::{Deserialize, Serialize};
use time::Date;

/// How far [`next_open`] looks ahead (days): longer than the longest run of days off (国庆 and 春节: 8 or 9).
pub const OPEN_LOOKAHEAD_DAYS: u16 = 30;
const DAY_MIN: u16 = 24 * 60;

/// A minute of the day, written `"HH:MM"`; `"24:00"` is the day's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// `None` unless exactly `HH:MM` up to `24:00`.
    #[must_use]
    pub fn parse(s: &str) -> Option<Self> {
        let b = s.as_bytes();
        if b.len() != 5 || b[2] != b':' {
            return None;
        }
        let two = |a: u8, b: u8| {
            (a.is_ascii_digit() && b.is_ascii_digit())
                .then(|| u16::from(a - b'0') * 10 + u16::from(b - b'0'))
        };
        let (h, m) = (two(b[0], b[1])?, two(b[3], b[4])?);
        (m < 60 && h * 60 + m <= DAY_MIN).then_some(Self(h * 60 + m))
    }
    /// Minutes since midnight, 0 to 1440.
    #[must_use]
    pub const fn minutes(self) -> u16 {
        self.0
    }
    /// This time on a Beijing day.
    #[must_use]
    pub fn on(self, day: Date) -> Timestamp {
        let midnight = day.midnight().assume_offset(BEIJING).unix_timestamp();
        Timestamp::from_micros(midnight * 1_000_000) + Span::seconds(i64::from(self.0) * 60)
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = &'static str;
    fn try_from(s: String) -> Result<Self, Self::Error> {
        Self::parse(&s).ok_or("not a time of day, HH:MM")
    }
}

impl From<TimeOfDay> for String {
    fn from(t: TimeOfDay) -> Self {
        format!("{:02}:{:02}", t.0 / 60, t.0 % 60)
    }
}

/// Which days a line of opening hours is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Days {
    /// Days that offices work, weekends worked in lieu (调休) included.
    Workdays,
    /// Days off: weekends and public holidays.
    Weekend,
    All,
}

impl Days {
    const fn meets(self, other: Self) -> bool {
        !matches!(
            (self, other),
            (Self::Workdays, Self::Weekend) | (Self::Weekend, Self::Workdays)
        )
    }
    fn holds(self, calendar: &Calendar, day: Date) -> Result<bool, Rejected> {
        match self {
            Self::All => Ok(true),
            Self::Workdays => calendar.is_working_day(day),
            Self::Weekend => calendar.is_working_day(day).map(|w| !w),
        }
    }
}

/// One line of opening hours: from inclusive, to exclusive, within one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    pub days: Days,
    pub from: TimeOfDay,
    pub to: TimeOfDay,
}

impl Hours {
    /// Opening and closing instants on a day, `None` when this line is not for it.
    ///
    /// # Errors
    /// `calendar_missing`.
    pub fn on(
        &self,
        calendar: &Calendar,
        day: Date,
    ) -> Result<Option<(Timestamp, Timestamp)>, Rejected> {
        Ok(self
            .days
            .holds(calendar, day)?
            .then(|| (self.from.on(day), self.to.on(day))))
    }
}

/// Whether two lines can hold at the same minute of the same day.
#[must_use]
pub fn hours_overlap(a: &Hours, b: &Hours) -> bool {
    a.days.meets(b.days) && a.from < b.to && b.from < a.to
}

/// Whether any line holds now; no lines: never open.
///
/// # Errors
/// `calendar_missing`.
pub fn open_at(hours: &[Hours], calendar: &Calendar, now: Timestamp) -> Result<bool, Rejected> {
    let day = now.beijing_date();
    for h in hours {
        // The time of day first: an unknown year matters only to a line that would be open.
        if (h.from.on(day)..h.to.on(day)).contains(&now) && h.days.holds(calendar, day)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// When it is open next: `now` itself while open, `None` when not within [`OPEN_LOOKAHEAD_DAYS`].
///
/// # Errors
/// `calendar_missing`.
pub fn next_open(
    hours: &[Hours],
    calendar: &Calendar,
    now: Timestamp,
) -> Result<Option<Timestamp>, Rejected> {
    let mut day = now.beijing_date();
    for _ in 0..=OPEN_LOOKAHEAD_DAYS {
        let mut best: Option<Timestamp> = None;
        for h in hours {
            if let Some((from, to)) = h.on(calendar, day)?
                && now < to
            {
                let at = from.max(now);
                best = Some(best.map_or(at, |b| b.min(at)));
            }
        }
        if best.is_some() {
            return Ok(best);
        }
        day = day.next_day().ok_or(Rejected::new("calendar_missing"))?;
    }
    Ok(None)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn line(days: Days, from: &str, to: &str) -> Hours {
        Hours {
            days,
            from: TimeOfDay::parse(from).unwrap(),
            to: TimeOfDay::parse(to).unwrap(),
        }
    }
    fn at(s: &str) -> Timestamp {
        Timestamp::parse_rfc3339(s).unwrap()
    }

    #[test]
    fn a_time_of_day_is_hh_mm_and_nothing_else() {
        for bad in [
            "9:00", "09:60", "24:01", "25:00", "+9:00", "09-00", "０9:00",
        ] {
            assert_eq!(TimeOfDay::parse(bad), None, "{bad}");
        }
        let noon: TimeOfDay = serde_json::from_str("\"12:05\"").unwrap();
        assert_eq!(noon.minutes(), 725);
        assert_eq!(serde_json::to_string(&noon).unwrap(), "\"12:05\"");
    }

    #[test]
    fn lines_overlap_only_on_a_day_that_both_have() {
        let morning = line(Days::Workdays, "09:00", "12:00");
        assert!(!hours_overlap(
            &morning,
            &line(Days::Workdays, "12:00", "17:00")
        ));
        assert!(!hours_overlap(
            &morning,
            &line(Days::Weekend, "09:00", "12:00")
        ));
        assert!(hours_overlap(&morning, &line(Days::All, "11:59", "13:00")));
    }

    #[test]
    fn holidays_are_closed_and_weekends_worked_in_lieu_are_open() {
        let hours = [line(Days::Workdays, "09:00", "17:00")];
        let cal = Calendar::vendored();
        let open = |t: &str| open_at(&hours, cal, at(t)).unwrap();
        assert!(open("2026-09-20T09:00:00+08:00"), "a Sunday worked in lieu");
        assert!(!open("2026-10-01T10:00:00+08:00"), "国庆");
        assert!(!open("2026-11-20T08:59:59+08:00"));
        assert!(!open("2026-11-20T17:00:00+08:00"));
        assert!(!open_at(&[], cal, at("2026-11-20T10:00:00+08:00")).unwrap());
    }

    #[test]
    fn an_unpublished_year_is_missing_unless_every_day_is_alike() {
        let t = at("2027-03-01T10:00:00+08:00");
        let cal = Calendar::vendored();
        let e = open_at(&[line(Days::Workdays, "09:00", "17:00")], cal, t).unwrap_err();
        assert_eq!(e.code, "calendar_missing");
        assert!(open_at(&[line(Days::All, "09:00", "17:00")], cal, t).unwrap());
    }

    #[test]
    fn the_next_opening_skips_the_holiday() {
        let hours = [
            line(Days::Workdays, "13:00", "17:00"),
            line(Days::Workdays, "09:00", "12:00"),
        ];
        let next = |t: &str| next_open(&hours, Calendar::vendored(), at(t)).unwrap();
        assert_eq!(
            next("2026-09-30T17:00:00+08:00"),
            Some(at("2026-10-08T09:00:00+08:00"))
        );
        assert_eq!(
            next("2026-11-20T12:30:00+08:00"),
            Some(at("2026-11-20T13:00:00+08:00"))
        );
        assert_eq!(
            next("2026-11-20T10:00:00+08:00"),
            Some(at("2026-11-20T10:00:00+08:00"))
        );
        assert_eq!(
            next_open(&[], Calendar::vendored(), at("2026-11-20T10:00:00+08:00")).unwrap(),
            None
        );
    }
}
