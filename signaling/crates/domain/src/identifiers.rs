//! Identifiers that the state or a standard defines: citizen id, credit code, mobile, travel papers, licence identifier.
//!
//! Owns their formats and check characters, the stable texts of enums (`text_enum!`) and ISO dates on papers.
//! Never looks anything up and never says who a number belongs to. Values about a person are redacted in Debug.

mod citizen;
mod licence_identifier;
mod other;
mod text;
mod uscc;

pub use citizen::{CitizenId, REGION_CHARS, Sex, fictitious_citizen_id};
pub use licence_identifier::{LICENCE_ROOT, LicenceIdentifier, check_char as mod_37_36};
pub use other::{
    IdKind, Mobile, check_format, check_kind, foreign_permanent, hk_macao_permit, passport,
    taiwan_permit,
};
pub(crate) use text::text_enum;
pub use text::{iso_date, iso_date_opt, parse_date};
pub use uscc::{Uscc, fictitious_uscc};

use serde::{Deserialize, Serialize};
use std::fmt;

/// The keyed hash (HMAC) of an identity number that stands for a person wherever two people must be told apart
/// without the number itself (architecture.md, decision 11). The key lives in the server.
///
/// Debug shows nothing: whoever holds the key could turn it back into a number by trying all of them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdentityIndex(String);

impl IdentityIndex {
    /// Wraps an index computed by the server; the empty text is no identity.
    pub fn new(index: impl Into<String>) -> Option<Self> {
        let index = index.into();
        (!index.is_empty() && index.len() <= 128).then_some(Self(index))
    }
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for IdentityIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<identity>")
    }
}
