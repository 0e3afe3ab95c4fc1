//! Personal data in memory: redacted in Debug and Display, so that it cannot reach a log by accident.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A value about a person. Reading it takes a deliberate [`Pii::expose`].
#[derive(Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pii<T>(T);

impl<T> Pii<T> {
    pub const fn new(v: T) -> Self {
        Self(v)
    }
    pub const fn expose(&self) -> &T {
        &self.0
    }
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<pii>")
    }
}

impl<T> fmt::Display for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<pii>")
    }
}

/// 王某某 → 王*某; two characters → 王*. Latin names keep each word's initial.
#[must_use]
pub fn mask_name(name: &str) -> String {
    let name = name.trim();
    if name.is_ascii() {
        return name
            .split_whitespace()
            .map(|w| format!("{}*", &w[..1]))
            .collect::<Vec<_>>()
            .join(" ");
    }
    let chars: Vec<char> = name.chars().collect();
    match chars.as_slice() {
        [] => String::new(),
        [a] => a.to_string(),
        [a, _] => format!("{a}*"),
        [a, mid @ .., z] => format!("{a}{}{z}", "*".repeat(mid.len())),
    }
}

/// Identity and credit codes: first four, ten stars, last four (interface.md §4). Short values keep only their last character.
#[must_use]
pub fn mask_number(number: &str) -> String {
    let c: Vec<char> = number.chars().collect();
    if c.len() >= 12 {
        let head: String = c[..4].iter().collect();
        let tail: String = c[c.len() - 4..].iter().collect();
        return format!("{head}{}{tail}", "*".repeat(c.len() - 8));
    }
    match c.split_last() {
        Some((last, rest)) => format!("{}{last}", "*".repeat(rest.len())),
        None => String::new(),
    }
}

/// 138****5678.
#[must_use]
pub fn mask_phone(phone: &str) -> String {
    let c: Vec<char> = phone.chars().collect();
    if c.len() < 8 {
        return mask_number(phone);
    }
    let head: String = c[..3].iter().collect();
    let tail: String = c[c.len() - 4..].iter().collect();
    format!("{head}{}{tail}", "*".repeat(c.len() - 7))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_value() {
        assert_eq!(
            format!("{:?} {}", Pii::new("王某某"), Pii::new("x")),
            "<pii> <pii>"
        );
    }

    #[test]
    fn masks() {
        assert_eq!(mask_name("王某某"), "王*某");
        assert_eq!(mask_name("李四"), "李*");
        assert_eq!(mask_name("John Smith"), "J* S*");
        assert_eq!(mask_number("429006199003071513"), "4290**********1513");
        assert_eq!(mask_phone("13812345678"), "138****5678");
    }
}
