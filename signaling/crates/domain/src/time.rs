//! Instants as integer microseconds since the Unix epoch, UTC. The clock itself lives in the server.

use serde::{Deserialize, Serialize};
use std::ops::{Add, Sub};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// Working days and dates on papers are Beijing time (UTC+8, no daylight saving since 1991).
pub const BEIJING: UtcOffset = match UtcOffset::from_hms(8, 0, 0) {
    Ok(o) => o,
    Err(_) => UtcOffset::UTC,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    #[must_use]
    pub const fn from_micros(us: i64) -> Self {
        Self(us)
    }
    #[must_use]
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms * 1000)
    }
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0 / 1000
    }
    /// Seconds from `earlier` to `self`, never negative.
    #[must_use]
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        let d = (self.0 - earlier.0) / 1_000_000;
        if d < 0 { 0 } else { d }
    }
    /// RFC 3339 in UTC with milliseconds at most.
    #[must_use]
    pub fn rfc3339(self) -> String {
        self.utc()
            .replace_microsecond(0)
            .ok()
            .and_then(|t| {
                t.replace_millisecond((self.0.rem_euclid(1_000_000) / 1000) as u16)
                    .ok()
            })
            .and_then(|t| t.format(&Rfc3339).ok())
            .unwrap_or_default()
    }
    pub fn parse_rfc3339(s: &str) -> Option<Self> {
        let t = OffsetDateTime::parse(s, &Rfc3339).ok()?;
        i64::try_from(t.unix_timestamp_nanos() / 1000)
            .ok()
            .map(Self)
    }
    #[must_use]
    pub fn utc(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
    #[must_use]
    pub fn beijing(self) -> OffsetDateTime {
        self.utc().to_offset(BEIJING)
    }
    /// The calendar day in Beijing.
    #[must_use]
    pub fn beijing_date(self) -> time::Date {
        self.beijing().date()
    }
}

/// A span in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(pub i64);

impl Span {
    #[must_use]
    pub const fn seconds(s: i64) -> Self {
        Self(s * 1_000_000)
    }
    #[must_use]
    pub const fn millis(ms: i64) -> Self {
        Self(ms * 1000)
    }
}

impl Timestamp {
    /// Time since `earlier`; negative when that is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0 - earlier.0)
    }
}

impl Add<Span> for Timestamp {
    type Output = Self;
    fn add(self, s: Span) -> Self {
        Self(self.0.saturating_add(s.0))
    }
}

impl Sub<Span> for Timestamp {
    type Output = Self;
    fn sub(self, s: Span) -> Self {
        Self(self.0.saturating_sub(s.0))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.rfc3339())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let s = std::borrow::Cow::<'de, str>::deserialize(d)?;
        Self::parse_rfc3339(&s).ok_or_else(|| serde::de::Error::custom("not an RFC 3339 time"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_round_trip_keeps_milliseconds() {
        let t = Timestamp::from_millis(1_790_000_000_123);
        assert_eq!(Timestamp::parse_rfc3339(&t.rfc3339()), Some(t));
        assert!(t.rfc3339().ends_with(".123Z"), "{}", t.rfc3339());
    }

    #[test]
    fn beijing_day_starts_at_sixteen_utc() {
        let t = Timestamp::parse_rfc3339("2026-11-20T16:00:00Z").unwrap();
        assert_eq!(t.beijing_date().to_string(), "2026-11-21");
    }
}
