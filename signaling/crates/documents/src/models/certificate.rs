//! Results: certificates, filing receipts, licences. One generic model; the catalogue's data says what is in it.

use super::{Row, Text, as_date, as_date_opt, opaque_debug};
use crate::{
    DocumentError, Fonts, Pdf,
    render::{Paper, render},
};
use serde::Serialize;
use time::Date;

/// How the paper looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateStyle {
    /// 证明: upright, running text first (无犯罪记录证明).
    Letter,
    /// 备案回执: upright, table first (异地就医备案).
    Filing,
    /// 许可证: A4 across with a double frame (公共场所卫生许可证).
    Licence,
}

/// A result. Always printed as 样例/核验件 with a 样章: the legal original is made by the issuing body's own system.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct CertificateDoc {
    /// How it looks.
    pub style: CertificateStyle,
    /// Its title: 无犯罪记录证明 / Certificate of No Criminal Record.
    pub title: Text,
    /// Certificate number.
    pub number: String,
    /// Licence identifier after GB/T 36904 (`1.2.156.3005.2…`), or empty where none was given.
    pub licence_identifier: String,
    /// Holder as printed: the first row of a filing or licence. A letter names the holder in its paragraphs.
    pub holder: String,
    /// Running text, in order; may be empty for a licence.
    pub paragraphs: Vec<Text>,
    /// Labelled values, in order.
    pub rows: Vec<Row>,
    /// Issuing body; also in the seal.
    pub issuer: Text,
    /// Day of issue.
    #[serde(serialize_with = "as_date")]
    pub issued_on: Date,
    /// Last day of validity; `None` prints nothing, as for a certificate that states a fact of a day.
    #[serde(serialize_with = "as_date_opt")]
    pub valid_until: Option<Date>,
    /// Where the QR code leads: the public verification page.
    pub qr_url: String,
    /// A closing note, or `None`.
    pub notice: Option<Text>,
}

opaque_debug!(CertificateDoc);

impl CertificateDoc {
    /// Sets the certificate as PDF. Before it is issued, [`Pdf::missing_glyphs`] must be empty.
    ///
    /// # Errors
    /// As [`DocumentError`] says: a field's bound, a QR code that is too long, too many pages.
    pub fn render(&self, fonts: &Fonts) -> Result<Pdf, DocumentError> {
        render(self, fonts)
    }
}

impl Paper for CertificateDoc {
    const TEMPLATE: &'static str = "certificate.typ";
    const REQUIRED: &'static [&'static str] =
        &["/title/zh", "/number", "/holder", "/issuer/zh", "/qr_url"];

    fn ident(&self) -> String {
        format!("certificate:{}", self.number)
    }

    fn qr_url(&self) -> Option<&str> {
        Some(&self.qr_url)
    }
}
