//! 受理回执 and 收件回执. 行政许可法 §32: acceptance needs a dated written receipt with the body's seal.

use super::{Text, as_date_opt, as_instant, beijing, date_en, date_zh, opaque_debug};
use crate::{
    DocumentError, Fonts, Pdf,
    render::{Paper, render},
};
use serde::Serialize;
use serde_json::{Value, json};
use time::{Date, OffsetDateTime};

/// What the receipt confirms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    /// 收件: papers were handed in; no clock runs yet.
    Received,
    /// 受理: the application is accepted; the clock runs from the next working day.
    Accepted,
}

/// One material that was handed in.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ReceiptMaterial {
    /// Its name.
    pub name: Text,
    /// How it came, as printed: 原件, 复印件, 电子证照, 现场拍摄 ….
    pub form: Text,
    /// Copies.
    pub copies: u16,
}

/// A receipt, A4 upright.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ReceiptDoc {
    /// What it confirms.
    pub kind: ReceiptKind,
    /// Case number.
    pub number: String,
    /// The service item.
    pub item: Text,
    /// Applicant's name as printed: masked by the caller (赵**).
    pub applicant: String,
    /// The body that accepts; stands in the head and in the seal.
    pub authority: Text,
    /// When; printed as Beijing time.
    #[serde(serialize_with = "as_instant")]
    pub at: OffsetDateTime,
    /// Last day for the decision; `None` on a 收件回执.
    #[serde(serialize_with = "as_date_opt")]
    pub due: Option<Date>,
    /// Promised working days (承诺办结时限).
    pub promised_days: Option<u16>,
    /// Hall or booth where it was handed in.
    pub hall: Text,
    /// Agent as printed: staff number, or name.
    pub agent: String,
    /// What was handed in; may be empty.
    pub materials: Vec<ReceiptMaterial>,
    /// What happens next, in order.
    pub next_steps: Vec<Text>,
    /// Number for questions and complaints, or empty.
    pub phone: String,
    /// Where the QR code leads: the progress page.
    pub qr_url: String,
}

opaque_debug!(ReceiptMaterial, ReceiptDoc);

impl ReceiptDoc {
    /// Sets the receipt as PDF.
    ///
    /// # Errors
    /// As [`DocumentError`] says: a field's bound, a QR code that is too long, too many pages.
    pub fn render(&self, fonts: &Fonts) -> Result<Pdf, DocumentError> {
        render(self, fonts)
    }
}

impl Paper for ReceiptDoc {
    const TEMPLATE: &'static str = "receipt.typ";
    const REQUIRED: &'static [&'static str] = &[
        "/number",
        "/item/zh",
        "/applicant",
        "/authority/zh",
        "/qr_url",
    ];

    fn ident(&self) -> String {
        format!("receipt:{:?}:{}", self.kind, self.number)
    }

    fn qr_url(&self) -> Option<&str> {
        Some(&self.qr_url)
    }

    fn derived(&self) -> Value {
        let day = beijing(self.at).date();
        json!({ "on": Text::new(date_zh(day), date_en(day)) })
    }
}
