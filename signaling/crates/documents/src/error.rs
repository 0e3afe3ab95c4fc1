//! What can go wrong with a document. Never holds a value of the document: messages are safe to log.

use std::path::PathBuf;

/// Why a document was not made, signed or checked. The text names fields by JSON pointer, never by content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// None of the given files is a readable font with Chinese coverage.
    #[error(
        "no font with Chinese characters among {tried:?}: install fonts-noto-cjk or configure font paths"
    )]
    NoFont {
        /// The paths that were tried, in order.
        tried: Vec<PathBuf>,
    },
    /// A font file exists but is too large, or there are too many of them.
    #[error("font file refused ({reason}): {path:?}")]
    FontRefused {
        /// The file.
        path: PathBuf,
        /// Which bound it broke.
        reason: &'static str,
    },
    /// A field breaks a bound or holds a character that a paper must not show.
    #[error("field {pointer} {reason}")]
    Field {
        /// JSON pointer into the document, as in `/rows/3/value`.
        pointer: String,
        /// What is wrong, without the value.
        reason: &'static str,
    },
    /// The document grew past [`crate::limits::PAGES_MAX`] pages.
    #[error("document has {pages} pages, at most {max} are allowed")]
    TooLong {
        /// Pages that it came to.
        pages: usize,
        /// The bound.
        max: usize,
    },
    /// A template failed: our fault, never the input's.
    #[error("template {template} failed at {place}")]
    Template {
        /// Template file name.
        template: &'static str,
        /// File and byte offset of the first diagnostic; its message may quote a value and is left out.
        place: String,
    },
    /// The text does not fit a QR code.
    #[error("text of {bytes} bytes does not fit a QR code of at most {max}")]
    Qr {
        /// Its length.
        bytes: usize,
        /// The bound.
        max: usize,
    },
    /// A key is not an SM2 key in the expected form.
    #[error("SM2 key: {0}")]
    Key(&'static str),
    /// A seal is malformed, or what it should cover is not acceptable.
    #[error("seal: {0}")]
    Seal(&'static str),
}
