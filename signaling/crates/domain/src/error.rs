//! The one way in which a rule says no.

use std::fmt;

/// A refused command: a stable code (catalogued with its HTTP status and both languages' texts by the
/// server) and, where one field is to blame, a JSON pointer to it. Never carries personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    pub code: &'static str,
    pub pointer: Option<String>,
}

impl Rejected {
    #[must_use]
    pub const fn new(code: &'static str) -> Self {
        Self {
            code,
            pointer: None,
        }
    }

    #[must_use]
    pub fn at(code: &'static str, pointer: impl Into<String>) -> Self {
        Self {
            code,
            pointer: Some(pointer.into()),
        }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.pointer {
            Some(p) => write!(f, "{} at {p}", self.code),
            None => f.write_str(self.code),
        }
    }
}

impl std::error::Error for Rejected {}
