//! Working days in China: weekends, public holidays, weekends worked in lieu.
//!
//! Owns counting them (行政许可法 §82: its periods are working days; 民法典 §201: the opening day is not counted, §203: a last
//! day that is off moves to the next working day). Never guesses: a year whose arrangement is not published answers
//! `calendar_missing`. Days are Beijing days. Data: `data/chinese-days.json` (MIT), 2004 to 2026; later years are added
//! by [`Calendar::with_extra`] from an upload of the same shape. Shared basic: `case` and `rating` count with it.
//!
//! `calendar/hours.rs` opening hours by that calendar.

mod hours;

pub use hours::{Days, Hours, OPEN_LOOKAHEAD_DAYS, TimeOfDay, hours_overlap, next_open, open_at};

use crate::{error::Rejected, identifiers::parse_date};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use time::{Date, Month, Weekday};

const VENDORED: &str = include_str!("../data/chinese-days.json");
/// Longest count that any rule here asks for (days): a larger one is a mistake in the catalogue.
pub const DAYS_MAX: u32 = 1_000;
/// An uploaded calendar (bytes): the 23 vendored years take 37 KB.
pub const UPLOAD_BYTES: usize = 256 * 1024;

static CALENDAR: LazyLock<Calendar> =
    LazyLock::new(|| Calendar::parse(VENDORED).unwrap_or_default());

/// Which days are worked. Cheap to share, costly to build: build once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendar {
    off: BTreeSet<Date>,
    worked: BTreeSet<Date>,
    years: BTreeSet<i32>,
}

/// The npm package's file: date → "English,中文,days". `inLieuDays` is a part of `holidays` and not needed.
#[derive(Deserialize)]
struct File {
    holidays: BTreeMap<String, String>,
    workdays: BTreeMap<String, String>,
}

impl Calendar {
    /// The vendored calendar, 2004 to 2026, parsed at first use.
    #[must_use]
    pub fn vendored() -> &'static Self {
        &CALENDAR
    }

    /// Reads a file of the vendored shape: `{"holidays": {"2027-01-01": "…"}, "workdays": {…}}`.
    /// A year counts as known when both its 1 January and its 1 October are listed: the December and January days that
    /// spill over from a neighbour's arrangement do not make a year.
    ///
    /// # Errors
    /// `calendar_format`: not that shape, a bad date, a day both off and worked, a weekday "worked in lieu", or too large.
    pub fn parse(json: &str) -> Result<Self, Rejected> {
        let bad = || Rejected::new("calendar_format");
        if json.len() > UPLOAD_BYTES {
            return Err(bad());
        }
        let file: File = serde_json::from_str(json).map_err(|_| bad())?;
        let days = |m: &BTreeMap<String, String>| {
            m.keys()
                .map(|k| parse_date(k).ok_or_else(bad))
                .collect::<Result<BTreeSet<_>, _>>()
        };
        let (off, worked) = (days(&file.holidays)?, days(&file.workdays)?);
        if !off.is_disjoint(&worked) || worked.iter().any(|d| !is_weekend(*d)) {
            return Err(bad());
        }
        let on =
            |year, month| Date::from_calendar_date(year, month, 1).is_ok_and(|d| off.contains(&d));
        let years: BTreeSet<i32> = off
            .iter()
            .map(|d| d.year())
            .filter(|y| on(*y, Month::January) && on(*y, Month::October))
            .collect();
        Ok(Self { off, worked, years })
    }

    /// This calendar with the years of another file: they replace years already known, as an amended arrangement does.
    ///
    /// # Errors
    /// As [`Calendar::parse`], and `calendar_format` when the file completes no year.
    pub fn with_extra(&self, json: &str) -> Result<Self, Rejected> {
        let extra = Self::parse(json)?;
        if extra.years.is_empty() {
            return Err(Rejected::new("calendar_format"));
        }
        let mut out = self.clone();
        out.off.retain(|d| !extra.years.contains(&d.year()));
        out.worked.retain(|d| !extra.years.contains(&d.year()));
        // A later arrangement may turn a day of the December before it from off into worked, or back.
        out.off.retain(|d| !extra.worked.contains(d));
        out.worked.retain(|d| !extra.off.contains(d));
        out.off.extend(extra.off);
        out.worked.extend(extra.worked);
        out.years.extend(extra.years);
        Ok(out)
    }

    /// The years that can be counted in.
    pub fn years(&self) -> impl Iterator<Item = i32> + '_ {
        self.years.iter().copied()
    }

    /// Whether offices work on a day.
    ///
    /// # Errors
    /// `calendar_missing`.
    pub fn is_working_day(&self, d: Date) -> Result<bool, Rejected> {
        if !self.years.contains(&d.year()) {
            return Err(Rejected::new("calendar_missing"));
        }
        Ok(self.worked.contains(&d) || (!is_weekend(d) && !self.off.contains(&d)))
    }

    /// The n-th working day after `start`, which itself is not counted (§201). Zero gives the last-day rule for `start`.
    ///
    /// # Errors
    /// `calendar_missing`; `days_too_many` above [`DAYS_MAX`].
    pub fn add_working_days(&self, start: Date, n: u32) -> Result<Date, Rejected> {
        if n > DAYS_MAX {
            return Err(Rejected::new("days_too_many"));
        }
        if n == 0 {
            return self.last_day(start);
        }
        let (mut day, mut left) = (start, n);
        while left > 0 {
            day = next(day)?;
            left -= u32::from(self.is_working_day(day)?);
        }
        Ok(day)
    }

    /// Working days in (start, end]; zero when `end` is not after `start`.
    ///
    /// # Errors
    /// `calendar_missing`; `days_too_many` when the two are more than [`DAYS_MAX`] working days apart.
    pub fn working_days_between(&self, start: Date, end: Date) -> Result<u32, Rejected> {
        let (mut day, mut n) = (start, 0);
        while day < end {
            day = next(day)?;
            n += u32::from(self.is_working_day(day)?);
            if n > DAYS_MAX {
                return Err(Rejected::new("days_too_many"));
            }
        }
        Ok(n)
    }

    /// The last-day rule (§203): `day` itself when it is worked, else the next working day.
    ///
    /// # Errors
    /// `calendar_missing`.
    pub fn last_day(&self, day: Date) -> Result<Date, Rejected> {
        let mut day = day;
        while !self.is_working_day(day)? {
            day = next(day)?;
        }
        Ok(day)
    }

    /// A period of natural days (some items promise them): start + n days, then the last-day rule.
    ///
    /// # Errors
    /// `calendar_missing`, `days_too_many`.
    pub fn add_natural_days(&self, start: Date, n: u32) -> Result<Date, Rejected> {
        if n > DAYS_MAX {
            return Err(Rejected::new("days_too_many"));
        }
        let end = start.checked_add(time::Duration::days(i64::from(n)));
        self.last_day(end.ok_or(Rejected::new("calendar_missing"))?)
    }

    /// Working days left from `today` to `due`: positive before it, zero on it, negative after it.
    ///
    /// # Errors
    /// `calendar_missing`, `days_too_many`.
    pub fn days_left(&self, today: Date, due: Date) -> Result<i32, Rejected> {
        let signed = |n: u32| i32::try_from(n).map_err(|_| Rejected::new("days_too_many"));
        if today <= due {
            signed(self.working_days_between(today, due)?)
        } else {
            // A due date that a weekend follows is already missed on the Saturday, though no working day has passed.
            Ok(-signed(self.working_days_between(due, today)?)?.max(1))
        }
    }
}

fn is_weekend(d: Date) -> bool {
    matches!(d.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn next(d: Date) -> Result<Date, Rejected> {
    d.next_day().ok_or(Rejected::new("calendar_missing"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::date;

    fn cal() -> &'static Calendar {
        Calendar::vendored()
    }

    #[test]
    fn vendored_years_are_2004_to_2026() {
        assert!(cal().years().eq(2004..=2026));
    }

    #[test]
    fn vectors_of_2026() {
        let add = |d, n| cal().add_working_days(d, n).unwrap();
        assert_eq!(add(date!(2026 - 02 - 09), 5), date!(2026 - 02 - 14));
        assert_eq!(add(date!(2026 - 02 - 09), 20), date!(2026 - 03 - 13));
        assert_eq!(add(date!(2026 - 09 - 18), 10), date!(2026 - 10 - 09));
        assert_eq!(add(date!(2026 - 09 - 18), 20), date!(2026 - 10 - 22));
        assert_eq!(add(date!(2026 - 04 - 28), 20), date!(2026 - 05 - 28));
        let pause = cal()
            .working_days_between(date!(2026 - 05 - 11), date!(2026 - 05 - 20))
            .unwrap();
        assert_eq!(pause, 7);
        assert_eq!(add(date!(2026 - 05 - 28), pause), date!(2026 - 06 - 08));
        assert_eq!(add(date!(2026 - 05 - 28), 10), date!(2026 - 06 - 11));
    }

    #[test]
    fn worked_in_lieu_2026() {
        let worked = [
            date!(2026 - 01 - 04),
            date!(2026 - 02 - 14),
            date!(2026 - 02 - 28),
            date!(2026 - 05 - 09),
            date!(2026 - 09 - 20),
            date!(2026 - 10 - 10),
        ];
        for d in worked {
            assert!(cal().is_working_day(d).unwrap(), "{d}");
        }
        assert!(!cal().is_working_day(date!(2026 - 10 - 01)).unwrap());
        assert!(!cal().is_working_day(date!(2026 - 11 - 21)).unwrap());
    }

    #[test]
    fn last_day_moves_past_the_holiday() {
        assert_eq!(
            cal().last_day(date!(2026 - 10 - 03)).unwrap(),
            date!(2026 - 10 - 08)
        );
        assert_eq!(
            cal().last_day(date!(2026 - 10 - 09)).unwrap(),
            date!(2026 - 10 - 09)
        );
        assert_eq!(
            cal().add_natural_days(date!(2026 - 09 - 21), 12).unwrap(),
            date!(2026 - 10 - 08)
        );
        assert_eq!(
            cal().add_working_days(date!(2026 - 10 - 03), 0).unwrap(),
            date!(2026 - 10 - 08)
        );
    }

    #[test]
    fn unpublished_years_are_missing_not_guessed() {
        for e in [
            cal().is_working_day(date!(2027 - 03 - 01)).unwrap_err(),
            cal()
                .add_working_days(date!(2026 - 12 - 25), 10)
                .unwrap_err(),
            cal().is_working_day(date!(2003 - 12 - 31)).unwrap_err(),
        ] {
            assert_eq!(e.code, "calendar_missing");
        }
        assert_eq!(
            cal().add_working_days(date!(2026 - 12 - 25), 4).unwrap(),
            date!(2026 - 12 - 31)
        );
    }

    #[test]
    fn an_upload_adds_a_year() {
        let json = r#"{"holidays":{"2027-01-01":"","2027-10-01":""},"workdays":{"2026-12-27":""}}"#;
        let more = cal().with_extra(json).unwrap();
        assert!(more.is_working_day(date!(2026 - 12 - 27)).unwrap());
        assert_eq!(
            more.add_working_days(date!(2026 - 12 - 31), 1).unwrap(),
            date!(2027 - 01 - 04)
        );
        assert!(more.years().eq(2004..=2027));
    }

    #[test]
    fn bad_uploads_are_refused() {
        for bad in [
            "",
            "[]",
            r#"{"holidays":{"2027-13-01":""},"workdays":{}}"#,
            r#"{"holidays":{"2027-01-02":""},"workdays":{"2027-01-02":""}}"#,
            r#"{"holidays":{},"workdays":{"2027-01-04":""}}"#,
            r#"{"holidays":{"2027-01-01":""},"workdays":{}}"#,
        ] {
            assert_eq!(
                cal().with_extra(bad).unwrap_err().code,
                "calendar_format",
                "{bad}"
            );
        }
    }

    #[test]
    fn days_left_is_signed() {
        let left = |today| cal().days_left(today, date!(2026 - 11 - 20)).unwrap();
        assert_eq!(left(date!(2026 - 11 - 18)), 2);
        assert_eq!(left(date!(2026 - 11 - 20)), 0);
        assert_eq!(left(date!(2026 - 11 - 21)), -1);
        assert_eq!(left(date!(2026 - 11 - 24)), -2);
        assert_eq!(
            cal()
                .add_working_days(date!(2026 - 01 - 01), 1_001)
                .unwrap_err()
                .code,
            "days_too_many"
        );
    }

    proptest! {
        #[test]
        fn counting_back_gives_the_number(day in 0i64..8_000, n in 1u32..120) {
            let start = date!(2004 - 01 - 01) + time::Duration::days(day);
            prop_assume!(start.year() < 2026);
            let end = cal().add_working_days(start, n).unwrap();
            prop_assert!(cal().is_working_day(end).unwrap());
            prop_assert_eq!(cal().working_days_between(start, end).unwrap(), n);
        }

        #[test]
        fn steps_add_up(day in 0i64..7_500, a in 1u32..60, b in 1u32..60) {
            let start = date!(2004 - 01 - 01) + time::Duration::days(day);
            let two = cal().add_working_days(cal().add_working_days(start, a).unwrap(), b).unwrap();
            prop_assert_eq!(two, cal().add_working_days(start, a + b).unwrap());
        }
    }
}
