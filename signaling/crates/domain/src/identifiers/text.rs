//! Stable texts: enums as the database and the wire write them, and dates as papers write them (YYYY-MM-DD).
//! Owns no rule of any noun.

use time::{Date, Month};

/// Declares an enum whose variants have one stable text each: `as_str`, `parse`, `ALL`, Display and serde all agree.
macro_rules! text_enum {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        $vis enum $name { $($(#[$vmeta])* #[serde(rename = $text)] $variant,)+ }

        impl $name {
            /// Every value, in order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The stable text kept by the database and sent on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
            /// Reads what [`Self::as_str`] writes; anything else is `None`.
            #[must_use]
            pub fn parse(s: &str) -> Option<Self> {
                match s { $($text => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.as_str()) }
        }
    };
}
pub(crate) use text_enum;

/// Reads `YYYY-MM-DD`, strictly.
#[must_use]
pub fn parse_date(s: &str) -> Option<Date> {
    let b = s.as_bytes();
    if b.len() != 10 || b[4] != b'-' || b[7] != b'-' {
        return None;
    }
    ymd(s.get(..4)?, s.get(5..7)?, s.get(8..)?)
}

/// Reads year, month and day given as digits.
pub(super) fn ymd(y: &str, m: &str, d: &str) -> Option<Date> {
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if !(digits(y) && digits(m) && digits(d)) {
        return None;
    }
    let month = Month::try_from(m.parse::<u8>().ok()?).ok()?;
    Date::from_calendar_date(y.parse().ok()?, month, d.parse().ok()?).ok()
}

/// `#[serde(with = "iso_date")]`: the `time` crate's own form depends on which features another crate switches on.
pub mod iso_date {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use time::Date;

    pub fn serialize<S: Serializer>(d: &Date, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(d)
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Date, D::Error> {
        let s = std::borrow::Cow::<'de, str>::deserialize(d)?;
        super::parse_date(&s).ok_or_else(|| D::Error::custom("not a YYYY-MM-DD date"))
    }
}

/// The same for an optional date.
pub mod iso_date_opt {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use time::Date;

    pub fn serialize<S: Serializer>(d: &Option<Date>, s: S) -> Result<S::Ok, S::Error> {
        match d {
            Some(d) => s.collect_str(d),
            None => s.serialize_none(),
        }
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Date>, D::Error> {
        match Option::<std::borrow::Cow<'de, str>>::deserialize(d)? {
            None => Ok(None),
            Some(s) => super::parse_date(&s)
                .map(Some)
                .ok_or_else(|| D::Error::custom("not a YYYY-MM-DD date")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    text_enum! {
        enum Colour { Red = "red", DarkBlue = "dark_blue", }
    }

    #[test]
    fn texts_round_trip_and_serde_agrees() {
        for c in Colour::ALL {
            assert_eq!(Colour::parse(c.as_str()), Some(*c));
            assert_eq!(serde_json::json!(c), serde_json::json!(c.as_str()));
        }
        assert_eq!(Colour::parse("Red"), None);
    }

    #[test]
    fn dates_are_strict() {
        assert_eq!(
            parse_date("2024-02-29").map(|d| d.to_string()).as_deref(),
            Some("2024-02-29")
        );
        for bad in [
            "2023-02-29",
            "2024-2-9",
            "2024/02/09",
            "+024-02-09",
            "２024-02-0",
            "",
        ] {
            assert_eq!(parse_date(bad), None, "{bad}");
        }
    }
}
