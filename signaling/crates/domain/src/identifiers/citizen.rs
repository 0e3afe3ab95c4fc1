//! 公民身份号码 (GB 11643-1999): 6 region + 8 birth date + 3 sequence + 1 check character.
//!
//! The region is that of the first registration, so a code abolished since is as good as any. Residents from Hong Kong,
//! Macao and Taiwan carry 810000, 820000 and 830000. Never says whether a number was really issued.

use super::text::{text_enum, ymd};
use crate::{error::Rejected, pii, pii::Pii};
use std::fmt;
use time::Date;

const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECKS: &[u8; 11] = b"10X98765432";
/// Length of a region code (GB/T 2260).
pub const REGION_CHARS: usize = 6;
/// Nobody alive was born earlier; a smaller year is a typing error.
const FIRST_YEAR: i32 = 1850;

text_enum! {
    /// Sex as the 17th digit tells it (GB/T 2261.1 words).
    pub enum Sex {
        /// 男
        Male = "male",
        /// 女
        Female = "female",
    }
}

/// A well-formed citizen id of 18 characters, check character in upper case. Redacted in Debug.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CitizenId(String);

impl CitizenId {
    /// Reads 18 characters, or 15 of the first generation, which become 18. Surrounding space and a small `x` are forgiven.
    ///
    /// # Errors
    /// `id_number_length`, `id_number_format`, `id_number_region`, `id_number_date`, `id_number_check`.
    pub fn parse(s: &str) -> Result<Self, Rejected> {
        let s = s.trim().to_ascii_uppercase();
        match s.chars().count() {
            15 => Self::from_15(&s),
            18 => Self::from_18(s),
            _ => Err(Rejected::new("id_number_length")),
        }
    }

    fn from_15(s: &str) -> Result<Self, Rejected> {
        if !s.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Rejected::new("id_number_format"));
        }
        let mut body = format!("{}19{}", &s[..REGION_CHARS], &s[REGION_CHARS..]);
        body.push(check_char(body.as_bytes()));
        Self::from_18(body)
    }

    fn from_18(s: String) -> Result<Self, Rejected> {
        let b = s.as_bytes();
        let last_ok = |c: u8| c.is_ascii_digit() || c == b'X';
        if b.len() != 18 || !b[..17].iter().all(u8::is_ascii_digit) || !last_ok(b[17]) {
            return Err(Rejected::new("id_number_format"));
        }
        // No edition of GB/T 2260 used 0 or 9 for a province; anything finer would refuse abolished counties.
        if !(b'1'..=b'8').contains(&b[0]) {
            return Err(Rejected::new("id_number_region"));
        }
        match ymd(&s[6..10], &s[10..12], &s[12..14]) {
            Some(d) if d.year() >= FIRST_YEAR => {}
            Some(_) | None => return Err(Rejected::new("id_number_date")),
        }
        if check_char(&b[..17]) != char::from(b[17]) {
            return Err(Rejected::new("id_number_check"));
        }
        Ok(Self(s))
    }

    /// The number itself: for storage under encryption, hashing, and comparison only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
    #[must_use]
    pub fn to_pii(&self) -> Pii<String> {
        Pii::new(self.0.clone())
    }
    /// 4290**********1513
    #[must_use]
    pub fn masked(&self) -> String {
        pii::mask_number(&self.0)
    }
    /// Region code of the first registration (six digits).
    #[must_use]
    pub fn region(&self) -> &str {
        &self.0[..REGION_CHARS]
    }
    #[must_use]
    pub fn birth_date(&self) -> Date {
        // Both constructors have proved the date; the fallback is never reached.
        ymd(&self.0[6..10], &self.0[10..12], &self.0[12..14]).unwrap_or(Date::MIN)
    }
    #[must_use]
    pub fn sex(&self) -> Sex {
        if self.0.as_bytes()[16] % 2 == 1 {
            Sex::Male
        } else {
            Sex::Female
        }
    }
    /// Full years on a day (civil reckoning: the birthday itself completes the year; 29 February counts on 1 March).
    /// Zero before birth.
    #[must_use]
    pub fn age_on(&self, day: Date) -> u16 {
        let birth = self.birth_date();
        let had = (u8::from(day.month()), day.day()) >= (u8::from(birth.month()), birth.day());
        u16::try_from(day.year() - birth.year() - i32::from(!had)).unwrap_or(0)
    }
    /// Refuses a birth date in the future, which a pure parse cannot see.
    ///
    /// # Errors
    /// `id_number_date`.
    pub fn born_by(&self, today: Date) -> Result<(), Rejected> {
        if self.birth_date() > today {
            Err(Rejected::new("id_number_date"))
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for CitizenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<pii>")
    }
}

/// ISO 7064 MOD 11-2 over the first 17 digits.
fn check_char(first_17: &[u8]) -> char {
    let sum: u32 = first_17
        .iter()
        .zip(WEIGHTS)
        .map(|(b, w)| u32::from(b - b'0') * w)
        .sum();
    char::from(CHECKS[(sum % 11) as usize])
}

/// A valid but invented number for demonstration data and tests: region, birth date, sequence (odd = male).
///
/// # Errors
/// `id_number_region` for a region that is not six digits, `id_number_format` for a sequence above 999.
pub fn fictitious_citizen_id(region: &str, birth: Date, seq: u16) -> Result<CitizenId, Rejected> {
    if region.len() != REGION_CHARS || !region.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Rejected::new("id_number_region"));
    }
    if seq > 999 {
        return Err(Rejected::new("id_number_format"));
    }
    let (y, m, d) = (birth.year(), u8::from(birth.month()), birth.day());
    if !(0..=9999).contains(&y) {
        return Err(Rejected::new("id_number_date"));
    }
    let mut s = format!("{region}{y:04}{m:02}{d:02}{seq:03}");
    s.push(check_char(s.as_bytes()));
    CitizenId::from_18(s)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::date;

    fn code(s: &str) -> &'static str {
        CitizenId::parse(s).unwrap_err().code
    }

    #[test]
    fn standard_vectors() {
        let a = CitizenId::parse("11010519491231002X").unwrap();
        assert_eq!(
            (a.sex(), a.birth_date(), a.region()),
            (Sex::Female, date!(1949 - 12 - 31), "110105")
        );
        let b = CitizenId::parse("429006199003071513").unwrap();
        assert_eq!((b.sex(), b.region()), (Sex::Male, "429006"));
        assert_eq!(
            CitizenId::parse("430903198506150028").unwrap().sex(),
            Sex::Female
        );
        for residence_permit in ["810000199001010019", "830000198812120026"] {
            assert!(CitizenId::parse(residence_permit).is_ok());
        }
    }

    #[test]
    fn first_generation_becomes_18() {
        let a = CitizenId::parse("110105491231002").unwrap();
        assert_eq!(a.expose(), "11010519491231002X");
        assert_eq!(code("11010549123100A"), "id_number_format");
        assert_eq!(code("110105491331002"), "id_number_date");
    }

    #[test]
    fn small_x_and_space_are_forgiven() {
        assert_eq!(
            CitizenId::parse(" 11010519491231002x ").unwrap().expose(),
            "11010519491231002X"
        );
    }

    #[test]
    fn each_fault_has_its_code() {
        assert_eq!(code("1101051949123100"), "id_number_length");
        assert_eq!(code(""), "id_number_length");
        assert_eq!(code("1101051949123１002X"), "id_number_format");
        assert_eq!(code("X10105194912310021"), "id_number_format");
        assert_eq!(code("010105194912310020"), "id_number_region");
        assert_eq!(code("429006199002301513"), "id_number_date");
        assert_eq!(code("429006199003071514"), "id_number_check");
    }

    #[test]
    fn age_turns_on_the_birthday() {
        let a = CitizenId::parse("429006199003071513").unwrap();
        assert_eq!(
            (
                a.age_on(date!(2026 - 03 - 06)),
                a.age_on(date!(2026 - 03 - 07))
            ),
            (35, 36)
        );
        assert_eq!(a.age_on(date!(1980 - 01 - 01)), 0);
        assert_eq!(
            a.born_by(date!(1990 - 03 - 06)).unwrap_err().code,
            "id_number_date"
        );
        assert!(a.born_by(date!(1990 - 03 - 07)).is_ok());
    }

    #[test]
    fn debug_is_redacted_and_mask_keeps_the_ends() {
        let a = CitizenId::parse("429006199003071513").unwrap();
        assert_eq!(format!("{a:?}"), "<pii>");
        assert_eq!(a.masked(), "4290**********1513");
    }

    proptest! {
        #[test]
        fn fictitious_numbers_parse_back(day in 0i64..40_000, seq in 0u16..=999) {
            let birth = date!(1900 - 01 - 01) + time::Duration::days(day);
            let id = fictitious_citizen_id("430981", birth, seq).unwrap();
            let back = CitizenId::parse(id.expose()).unwrap();
            prop_assert_eq!(back.birth_date(), birth);
            prop_assert_eq!(back.sex() == Sex::Male, seq % 2 == 1);
        }

        #[test]
        fn one_wrong_digit_is_always_seen(pos in 0usize..17, by in 1u8..10) {
            let mut b = *b"429006199003071513";
            b[pos] = b'0' + (b[pos] - b'0' + by) % 10;
            prop_assert!(CitizenId::parse(std::str::from_utf8(&b).unwrap()).is_err());
        }

        #[test]
        fn never_panics(s in "\\PC{0,20}") {
            let _ = CitizenId::parse(&s);
        }
    }
}
