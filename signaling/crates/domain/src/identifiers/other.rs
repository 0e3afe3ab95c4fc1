//! Mobile numbers and travel papers, and one door for form fields that name their format.
//! The patterns are customary, not normative; where a pattern is uncertain the function says so.

use super::{CitizenId, Uscc, text::text_enum};
use crate::{error::Rejected, pii};
use std::fmt;

text_enum! {
    /// Formats that a form field or a holder code may ask for.
    pub enum IdKind {
        /// 公民身份号码
        IdNumber = "id_number",
        /// 统一社会信用代码
        Uscc = "uscc",
        /// 手机号
        Mobile = "mobile",
        /// 护照
        Passport = "passport",
        /// 港澳居民来往内地通行证
        HkMacaoPermit = "hk_macao_permit",
        /// 台湾居民来往大陆通行证
        TaiwanPermit = "taiwan_permit",
        /// 外国人永久居留身份证
        ForeignPermanent = "foreign_permanent",
    }
}

/// A mainland mobile number of eleven digits. Redacted in Debug.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Mobile(String);

impl Mobile {
    /// Reads `1[3-9]` + nine digits; spaces, hyphens and a leading `+86` are dropped.
    ///
    /// # Errors
    /// `mobile_format`.
    pub fn parse(s: &str) -> Result<Self, Rejected> {
        let compact: String = s
            .chars()
            .take(32)
            .filter(|c| !matches!(c, ' ' | '-'))
            .collect();
        let n = compact.strip_prefix("+86").unwrap_or(&compact);
        let b = n.as_bytes();
        let ok = b.len() == 11 && b[0] == b'1' && (b'3'..=b'9').contains(&b[1]) && all_digits(n);
        if ok {
            Ok(Self(n.to_owned()))
        } else {
            Err(Rejected::new("mobile_format"))
        }
    }
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
    /// 138****5678
    #[must_use]
    pub fn masked(&self) -> String {
        pii::mask_phone(&self.0)
    }
}

impl fmt::Debug for Mobile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<pii>")
    }
}

fn all_digits(s: &str) -> bool {
    s.bytes().all(|b| b.is_ascii_digit())
}

fn require(ok: bool, code: &'static str) -> Result<(), Rejected> {
    if ok { Ok(()) } else { Err(Rejected::new(code)) }
}

/// 普通护照: `[EG]` + 8 digits, or `E` + a letter (not I, O) + 7 digits.
///
/// # Errors
/// `passport_format`.
pub fn passport(s: &str) -> Result<(), Rejected> {
    let b = s.as_bytes();
    let old = b.len() == 9 && matches!(b[0], b'E' | b'G') && b[1..].iter().all(u8::is_ascii_digit);
    let new = b.len() == 9
        && b[0] == b'E'
        && b[1].is_ascii_uppercase()
        && !matches!(b[1], b'I' | b'O')
        && b[2..].iter().all(u8::is_ascii_digit);
    require(old || new, "passport_format")
}

/// 港澳居民来往内地通行证: `[HM]` + 8 digits, older papers with 2 more.
///
/// # Errors
/// `hk_macao_permit_format`.
pub fn hk_macao_permit(s: &str) -> Result<(), Rejected> {
    let b = s.as_bytes();
    let ok = matches!(b.len(), 9 | 11)
        && matches!(b[0], b'H' | b'M')
        && b[1..].iter().all(u8::is_ascii_digit);
    require(ok, "hk_macao_permit_format")
}

/// 台湾居民来往大陆通行证: 8 digits, older papers 10.
///
/// # Errors
/// `taiwan_permit_format`.
pub fn taiwan_permit(s: &str) -> Result<(), Rejected> {
    require(
        matches!(s.len(), 8 | 10) && all_digits(s),
        "taiwan_permit_format",
    )
}

/// 外国人永久居留身份证: 3 letters + 12 digits; the newer card `9` + 17 digits. The newer check character is not
/// confirmed by any source read for this project, so only the shape is checked.
///
/// # Errors
/// `foreign_permanent_format`.
pub fn foreign_permanent(s: &str) -> Result<(), Rejected> {
    let b = s.as_bytes();
    let old = b.len() == 15
        && b[..3].iter().all(u8::is_ascii_uppercase)
        && b[3..].iter().all(u8::is_ascii_digit);
    let new = b.len() == 18 && b[0] == b'9' && all_digits(s);
    require(old || new, "foreign_permanent_format")
}

/// Checks a value against a format.
///
/// # Errors
/// The code of that format.
pub fn check_kind(kind: IdKind, value: &str) -> Result<(), Rejected> {
    match kind {
        IdKind::IdNumber => CitizenId::parse(value).map(drop),
        IdKind::Uscc => Uscc::parse(value).map(drop),
        IdKind::Mobile => Mobile::parse(value).map(drop),
        IdKind::Passport => passport(value),
        IdKind::HkMacaoPermit => hk_macao_permit(value),
        IdKind::TaiwanPermit => taiwan_permit(value),
        IdKind::ForeignPermanent => foreign_permanent(value),
    }
}

/// The same for a format named by its text, as catalogue documents do.
///
/// # Errors
/// `format_unknown` for a name that is not in [`IdKind`]; else the code of that format.
pub fn check_format(kind: &str, value: &str) -> Result<(), Rejected> {
    check_kind(
        IdKind::parse(kind).ok_or(Rejected::new("format_unknown"))?,
        value,
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn accepts(kind: &str, good: &[&str], bad: &[&str], code: &str) {
        for g in good {
            assert!(check_format(kind, g).is_ok(), "{kind} {g}");
        }
        for b in bad {
            assert_eq!(check_format(kind, b).unwrap_err().code, code, "{kind} {b}");
        }
    }

    #[test]
    fn formats() {
        accepts(
            "mobile",
            &["13812345678", "+86 138-1234-5678"],
            &["12812345678", "1381234567", "138123456789", ""],
            "mobile_format",
        );
        accepts(
            "passport",
            &["E12345678", "G12345678", "EA1234567"],
            &["EI1234567", "GA1234567", "E1234567", "e12345678"],
            "passport_format",
        );
        accepts(
            "hk_macao_permit",
            &["H12345678", "M1234567801"],
            &["H1234567", "A12345678", "H123456780"],
            "hk_macao_permit_format",
        );
        accepts(
            "taiwan_permit",
            &["12345678", "1234567890"],
            &["123456789", "1234567A"],
            "taiwan_permit_format",
        );
        accepts(
            "foreign_permanent",
            &["ABC123456789012", "912345678901234567"],
            &["AB1234567890123", "812345678901234567"],
            "foreign_permanent_format",
        );
        accepts(
            "id_number",
            &["11010519491231002X"],
            &["110105194912310021"],
            "id_number_check",
        );
        accepts(
            "uscc",
            &["91350100M000100Y43"],
            &["91350100M000100Y44"],
            "uscc_check",
        );
        assert_eq!(
            check_format("shoe_size", "42").unwrap_err().code,
            "format_unknown"
        );
    }

    #[test]
    fn mobile_is_normalised_and_redacted() {
        let m = Mobile::parse("+86 138-1234-5678").unwrap();
        assert_eq!(
            (m.expose(), m.masked().as_str(), format!("{m:?}").as_str()),
            ("13812345678", "138****5678", "<pii>")
        );
    }

    proptest! {
        #[test]
        fn never_panics(s in "\\PC{0,20}") {
            for k in IdKind::ALL {
                let _ = check_kind(*k, &s);
            }
        }
    }
}
