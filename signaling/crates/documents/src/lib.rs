//! Official papers of the counter: receipts, notices, certificates, licence copies, their QR codes and their seals.
//!
//! Owns: the typst templates (`templates/`), the fonts they are set in, what a field may hold, the PDF bytes, the detached SM2
//! signature over them. Never does: read a clock, a database or the network; keep a document; decide what a paper says about a
//! case. Everything that is printed comes in through the document structs, and the same input gives the same bytes.
//!
//! **Cost.** A render is pure CPU: 0.2–0.3 s a page in a debug build on two busy cores, 0.8 s for the first of a process, less
//! in release; the fonts take 73 MB. Callers must run it on a blocking thread (`tokio::task::spawn_blocking`) and outside any
//! transaction.
//!
//! **Safety.** Values reach typst as data (`sys.inputs`), never as source text, so `#panic()` in a name is printed as such. The
//! typst world has no file system, no packages and no date. Inputs are bounded by [`limits`], and a document that still grows
//! past [`limits::PAGES_MAX`] pages is refused.
//!
//! **Honesty.** What is rendered here is labelled 样例 / 核验件 (sample, verification copy) and its seal says 样章: a legal
//! licence needs the province's own seal service behind [`SealProvider`].
//!
//! Look next: [`Fonts`], then a document ([`ReceiptDoc`], [`CertificateDoc`], …) and its `render`, then [`SealProvider`].

mod check;
mod error;
mod fonts;
pub mod limits;
mod models;
mod qr;
mod render;
mod seal;
mod stamp;

pub use error::DocumentError;
pub use fonts::{DEFAULT_FONT_PATHS, Fonts};
pub use models::{
    CertificateDoc, CertificateStyle, Correction, CorrectionNotice, LicenceCopyDoc, ReceiptDoc,
    ReceiptKind, ReceiptMaterial, RefusalDoc, RefusalKind, Remedies, Row, Text, TrustLevel,
};
pub use qr::qr_svg;
pub use render::Pdf;
pub use seal::{
    DISTINGUISHING_ID, LocalSeal, SEAL_ALGORITHM, Seal, SealProvider, sm3_hex, verify_seal,
};
pub use stamp::{STAMP_CHARS, Stamp, stamp};
