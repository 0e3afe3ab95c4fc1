//! 电子证照标识 (GB/T 36904-2018): `root.type.issuer.serial.version.check`.
//!
//! Owns building, reading and checking it. Never decides what a type code means. The standard's own column is
//! varchar(128); the longest identifier here has 94 characters.

use crate::error::Rejected;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The object identifier under which every licence identifier stands; it is not part of the check.
pub const LICENCE_ROOT: &str = "1.2.156.3005.2";
const ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// Credit code of the defining body (18) and its own number of the type (3).
const TYPE_CHARS: usize = 21;
/// A credit code, or a shorter code as some provinces write it.
const ISSUER_CHARS: usize = 18;
const SERIAL_CHARS: usize = 32;

/// A licence identifier whose check character is right.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LicenceIdentifier {
    type_code: String,
    issuer: String,
    serial: String,
    version: u16,
    check: char,
}

impl LicenceIdentifier {
    /// Makes one from its parts and computes the check character. Versions count from 1.
    ///
    /// # Errors
    /// `licence_identifier_format` when a part has the wrong length or alphabet.
    pub fn build(
        type_code: &str,
        issuer: &str,
        serial: &str,
        version: u16,
    ) -> Result<Self, Rejected> {
        let ok = type_code.len() == TYPE_CHARS
            && (1..=ISSUER_CHARS).contains(&issuer.len())
            && (1..=SERIAL_CHARS).contains(&serial.len())
            && (1..=999).contains(&version);
        let format = || Rejected::new("licence_identifier_format");
        if !ok {
            return Err(format());
        }
        let check =
            check_char(&format!("{type_code}{issuer}{serial}{version:03}")).ok_or_else(format)?;
        Ok(Self {
            type_code: type_code.into(),
            issuer: issuer.into(),
            serial: serial.into(),
            version,
            check,
        })
    }

    /// Reads one, with or without the root.
    ///
    /// # Errors
    /// `licence_identifier_format`, `licence_identifier_check`.
    pub fn parse(s: &str) -> Result<Self, Rejected> {
        let format = || Rejected::new("licence_identifier_format");
        let s = s.trim();
        let body = s
            .strip_prefix(LICENCE_ROOT)
            .and_then(|r| r.strip_prefix('.'))
            .unwrap_or(s);
        let parts: Vec<&str> = body.splitn(6, '.').collect();
        let [type_code, issuer, serial, version, check] = parts.as_slice() else {
            return Err(format());
        };
        if version.len() != 3 || !version.bytes().all(|b| b.is_ascii_digit()) || check.len() != 1 {
            return Err(format());
        }
        let built = Self::build(
            type_code,
            issuer,
            serial,
            version.parse().map_err(|_| format())?,
        )?;
        if check.starts_with(built.check) {
            Ok(built)
        } else {
            Err(Rejected::new("licence_identifier_check"))
        }
    }

    /// The next version of the same licence, as a renewal makes it.
    ///
    /// # Errors
    /// `licence_identifier_format` after version 999.
    pub fn next_version(&self) -> Result<Self, Rejected> {
        Self::build(
            &self.type_code,
            &self.issuer,
            &self.serial,
            self.version + 1,
        )
    }
    #[must_use]
    pub fn type_code(&self) -> &str {
        &self.type_code
    }
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.serial
    }
    #[must_use]
    pub const fn version(&self) -> u16 {
        self.version
    }
}

impl fmt::Display for LicenceIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            type_code,
            issuer,
            serial,
            version,
            check,
        } = self;
        write!(
            f,
            "{LICENCE_ROOT}.{type_code}.{issuer}.{serial}.{version:03}.{check}"
        )
    }
}

impl TryFrom<String> for LicenceIdentifier {
    type Error = Rejected;
    fn try_from(s: String) -> Result<Self, Self::Error> {
        Self::parse(&s)
    }
}

impl From<LicenceIdentifier> for String {
    fn from(v: LicenceIdentifier) -> Self {
        v.to_string()
    }
}

/// ISO 7064 MOD 37,36 (hybrid system) over `[0-9A-Z]`; `None` for any other character.
#[must_use]
pub fn check_char(s: &str) -> Option<char> {
    let mut p = 36;
    for b in s.bytes() {
        p = (p + ALPHABET.iter().position(|a| *a == b)?) % 36;
        if p == 0 {
            p = 36;
        }
        p = p * 2 % 37;
    }
    Some(char::from(ALPHABET[(37 - p) % 36]))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn iso_7064_vector() {
        assert_eq!(check_char("A12425GABC1234002"), Some('M'));
        assert_eq!(check_char("a"), None);
    }

    #[test]
    fn public_identifiers_pass() {
        for v in [
            "11100000000013338W011.11430000006122244L.20230000403.001.U",
            "11100000000013338W011.11430000006122244L.20230000403.002.S",
            "11100000000013338W009.11330105002500287C.2025052201.002.0",
            "11100000000013338W032.11220000013544541J.2430599.001.F",
            "11100000MB03271699022.340100.000000016.001.9",
        ] {
            let id = LicenceIdentifier::parse(v).unwrap();
            assert_eq!(id.to_string(), format!("{LICENCE_ROOT}.{v}"));
            assert_eq!(LicenceIdentifier::parse(&id.to_string()).unwrap(), id);
        }
    }

    #[test]
    fn builds_the_fictitious_vector() {
        let id = LicenceIdentifier::build(
            "11100000000013338W011",
            "114290060000000192",
            "2026112100000001",
            1,
        )
        .unwrap();
        assert_eq!(
            id.to_string(),
            "1.2.156.3005.2.11100000000013338W011.114290060000000192.2026112100000001.001.R"
        );
        assert_eq!(id.next_version().unwrap().version(), 2);
    }

    #[test]
    fn each_fault_has_its_code() {
        let code = |s: &str| LicenceIdentifier::parse(s).unwrap_err().code;
        let good = "11100000000013338W032.11220000013544541J.2430599.001.F";
        assert_eq!(code(&good.replace(".F", ".G")), "licence_identifier_check");
        assert_eq!(
            code(&good.replace("2430599", "2430598")),
            "licence_identifier_check"
        );
        for bad in [
            &good.replace(".001", ".1"),
            &good.replace(".001", ".000"),
            &good.replace("243", "24-"),
            &good.replace(".F", ""),
            &format!("{good}.X"),
            "",
            "1.2.156.3005.2",
        ] {
            assert_eq!(code(bad), "licence_identifier_format", "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_built_parses_back(serial in "[0-9A-Z]{7,32}", version in 1u16..=999) {
            let id = LicenceIdentifier::build("11100000000013338W011", "114290060000000192", &serial, version).unwrap();
            prop_assert_eq!(LicenceIdentifier::parse(&id.to_string()).unwrap(), id);
        }

        #[test]
        fn never_panics(s in "[0-9A-Z.１]{0,60}") {
            let _ = LicenceIdentifier::parse(&s);
        }
    }
}
