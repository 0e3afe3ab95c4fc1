//! 统一社会信用代码 (GB 32100-2015): 1 registering department + 1 kind of body + 6 region + 9 body code + 1 check character.
//! A company's code is public, yet a sole trader's points at a person: Debug shows only the mask.

use crate::{error::Rejected, pii};
use std::fmt;

const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
const WEIGHTS: [usize; 17] = [
    1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28,
];

/// A well-formed credit code of 18 characters in upper case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uscc(String);

impl Uscc {
    /// Reads a code; surrounding space and small letters are forgiven.
    ///
    /// # Errors
    /// `uscc_length`, `uscc_format` (a character outside the alphabet: I, O, S, V, Z are not in it), `uscc_check`.
    pub fn parse(s: &str) -> Result<Self, Rejected> {
        let s = s.trim().to_ascii_uppercase();
        if s.chars().count() != 18 {
            return Err(Rejected::new("uscc_length"));
        }
        let b = s.as_bytes();
        if b.len() != 18 || value(b[17]).is_none() {
            return Err(Rejected::new("uscc_format"));
        }
        match check_char(&b[..17]) {
            Some(check) if check == char::from(b[17]) => Ok(Self(s)),
            Some(_) => Err(Rejected::new("uscc_check")),
            None => Err(Rejected::new("uscc_format")),
        }
    }
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Region of registration (six digits).
    #[must_use]
    pub fn region(&self) -> &str {
        &self.0[2..8]
    }
    #[must_use]
    pub fn masked(&self) -> String {
        pii::mask_number(&self.0)
    }
}

impl fmt::Debug for Uscc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

fn value(b: u8) -> Option<usize> {
    ALPHABET.iter().position(|a| *a == b)
}

/// Check character over the first 17; `None` when one of them is not in the alphabet.
fn check_char(first_17: &[u8]) -> Option<char> {
    let mut sum = 0;
    for (b, w) in first_17.iter().zip(WEIGHTS) {
        sum += value(*b)? * w;
    }
    Some(char::from(ALPHABET[(31 - sum % 31) % 31]))
}

/// Check character of the nine-character body code (GB 11714): inside the credit code it is the 17th.
fn body_check(body: &[u8]) -> Option<char> {
    const W: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
    let mut sum = 0;
    for (b, w) in body.iter().zip(W) {
        sum += char::from(*b).to_digit(36)? * w;
    }
    match 11 - sum % 11 {
        10 => Some('X'),
        11 => Some('0'),
        n => char::from_digit(n, 10),
    }
}

/// A valid but invented code for demonstration data and tests: two characters of department and kind (`91` = company),
/// six of region, eight of body. Both check characters are computed.
///
/// # Errors
/// `uscc_format` when a part has the wrong length or alphabet.
pub fn fictitious_uscc(kind: &str, region: &str, body: &str) -> Result<Uscc, Rejected> {
    let bad = || Rejected::new("uscc_format");
    if !(kind.is_ascii() && region.is_ascii() && body.is_ascii())
        || (kind.len(), region.len(), body.len()) != (2, 6, 8)
    {
        return Err(bad());
    }
    let mut s = format!("{kind}{region}{body}");
    s.push(body_check(body.as_bytes()).ok_or_else(bad)?);
    s.push(check_char(s.as_bytes()).ok_or_else(bad)?);
    Uscc::parse(&s)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VECTORS: [&str; 5] = [
        "91350100M000100Y43",
        "11100000000013338W",
        "11330105002500287C",
        "11370800MB28559184",
        "12441500196720244T",
    ];

    fn code(s: &str) -> &'static str {
        Uscc::parse(s).unwrap_err().code
    }

    #[test]
    fn published_codes_pass() {
        for v in VECTORS {
            assert_eq!(Uscc::parse(v).unwrap().as_str(), v);
        }
        assert_eq!(
            Uscc::parse("91350100m000100y43").unwrap().region(),
            "350100"
        );
    }

    #[test]
    fn each_fault_has_its_code() {
        assert_eq!(code("91350100M000100Y4"), "uscc_length");
        assert_eq!(code("91350100M000100Y4I"), "uscc_format");
        assert_eq!(code("9135010OM000100Y43"), "uscc_format");
        assert_eq!(code("91350100M000100Y44"), "uscc_check");
        assert_eq!(code("9135010０M00100Y433"), "uscc_format");
        assert_eq!(code("91350100M000100Y4三"), "uscc_format");
        assert_eq!(code("a\u{b01}AAA 0 ꬉ¡𐣴AΣವ  A¡"), "uscc_format");
    }

    #[test]
    fn the_body_code_has_its_own_check() {
        for v in ["91350100M000100Y43", "11370800MB28559184"] {
            assert_eq!(
                fictitious_uscc(&v[..2], &v[2..8], &v[8..16])
                    .unwrap()
                    .as_str(),
                v
            );
        }
        assert_eq!(
            fictitious_uscc("91", "430981", "短").unwrap_err().code,
            "uscc_format"
        );
    }

    proptest! {
        #[test]
        fn one_wrong_character_is_always_seen(v in 0usize..5, pos in 0usize..18, to in 0usize..31) {
            let mut b: Vec<u8> = VECTORS[v].bytes().collect();
            prop_assume!(b[pos] != ALPHABET[to]);
            b[pos] = ALPHABET[to];
            prop_assert!(Uscc::parse(std::str::from_utf8(&b).unwrap()).is_err());
        }

        #[test]
        fn never_panics(s in "\\PC{0,20}") {
            let _ = Uscc::parse(&s);
        }
    }
}
