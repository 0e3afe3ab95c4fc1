//! 一次性告知书 (行政许可法 §32: everything to correct is told at one time), 不予受理 and 不予许可决定书 (§38: reasons and remedies).

use super::{Text, as_date, as_date_opt, as_instant, date_en, date_zh, opaque_debug};
use crate::{
    DocumentError, Fonts, Pdf,
    render::{Paper, render},
};
use serde::Serialize;
use serde_json::{Value, json};
use time::{Date, OffsetDateTime};

/// What is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// 不予受理: the application is not taken up.
    NotAccepted,
    /// 不予许可: the decision after review.
    Refused,
}

/// Where the applicant can turn. Periods: 行政复议法 §20 (60 days), 行政诉讼法 §46 (6 months).
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Remedies {
    /// Body that reviews (复议机关).
    pub review_body: Text,
    /// Days to ask for review; 60 unless a law gives more.
    pub review_days: u16,
    /// Court that hears a suit.
    pub court: Text,
    /// Months to sue; 6 unless a law says otherwise.
    pub suit_months: u16,
}

/// A written refusal.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct RefusalDoc {
    /// What is refused.
    pub kind: RefusalKind,
    /// Number of the decision.
    pub number: String,
    /// The case.
    pub case_number: String,
    /// Applicant as printed.
    pub applicant: String,
    /// The service item.
    pub item: Text,
    /// When the application was received or accepted; printed as Beijing time.
    #[serde(serialize_with = "as_instant")]
    pub applied_at: OffsetDateTime,
    /// Reasons, at least one.
    pub reasons: Vec<Text>,
    /// Provisions it rests on (《…》第…条); may be empty.
    pub legal_basis: Vec<String>,
    /// Where to turn.
    pub remedies: Remedies,
    /// The body that decides; also in the seal.
    pub authority: Text,
    /// Day of the decision.
    #[serde(serialize_with = "as_date")]
    pub decided_on: Date,
    /// Number for questions, or empty.
    pub phone: String,
    /// Where the QR code leads: the progress page.
    pub qr_url: String,
}

/// One thing to correct.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Correction {
    /// Material or field.
    pub subject: Text,
    /// What is wrong or missing.
    pub problem: Text,
    /// What to do.
    pub remedy: Text,
}

/// A one-time notice of everything to correct.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct CorrectionNotice {
    /// Number of the notice.
    pub number: String,
    /// The case.
    pub case_number: String,
    /// Applicant as printed.
    pub applicant: String,
    /// The service item.
    pub item: Text,
    /// When the papers were received; printed as Beijing time.
    #[serde(serialize_with = "as_instant")]
    pub received_at: OffsetDateTime,
    /// Everything to correct, at least one.
    pub corrections: Vec<Correction>,
    /// Last day to hand in, or `None`.
    #[serde(serialize_with = "as_date_opt")]
    pub deadline: Option<Date>,
    /// The body that gives notice; also in the seal.
    pub authority: Text,
    /// Day of the notice.
    #[serde(serialize_with = "as_date")]
    pub given_on: Date,
    /// Agent as printed.
    pub agent: String,
    /// Number for questions, or empty.
    pub phone: String,
    /// Where the QR code leads: the page that takes the corrections.
    pub qr_url: String,
}

opaque_debug!(Remedies, RefusalDoc, Correction, CorrectionNotice);

impl RefusalDoc {
    /// Sets the refusal as PDF.
    ///
    /// # Errors
    /// As [`DocumentError`] says: a field's bound (a refusal without reasons is one), a QR code that is too long, too many pages.
    pub fn render(&self, fonts: &Fonts) -> Result<Pdf, DocumentError> {
        render(self, fonts)
    }

    /// How to challenge it, in the wording that such decisions carry.
    #[must_use]
    pub fn remedies_text(&self) -> Text {
        let r = &self.remedies;
        Text {
            zh: format!(
                "如不服本决定，可以自收到本决定书之日起{}日内向{}申请行政复议，也可以在{}个月内依法向{}提起行政诉讼。",
                r.review_days, r.review_body.zh, r.suit_months, r.court.zh
            ),
            en: format!(
                "You may apply to {} for administrative review within {} days of receiving this decision, or bring an \
                 administrative lawsuit before {} within {} months.",
                or_zh(&r.review_body),
                r.review_days,
                or_zh(&r.court),
                r.suit_months
            ),
        }
    }
}

impl CorrectionNotice {
    /// Sets the notice as PDF.
    ///
    /// # Errors
    /// As [`DocumentError`] says: a field's bound (a notice without corrections is one), a QR code that is too long, too many pages.
    pub fn render(&self, fonts: &Fonts) -> Result<Pdf, DocumentError> {
        render(self, fonts)
    }
}

fn or_zh(text: &Text) -> &str {
    if text.en.is_empty() {
        &text.zh
    } else {
        &text.en
    }
}

impl Paper for RefusalDoc {
    const TEMPLATE: &'static str = "refusal.typ";
    const REQUIRED: &'static [&'static str] = &[
        "/number",
        "/case_number",
        "/applicant",
        "/item/zh",
        "/reasons",
        "/remedies/review_body/zh",
        "/remedies/court/zh",
        "/authority/zh",
        "/qr_url",
    ];

    fn ident(&self) -> String {
        format!("refusal:{}", self.number)
    }

    fn qr_url(&self) -> Option<&str> {
        Some(&self.qr_url)
    }

    fn derived(&self) -> Value {
        json!({ "remedies": self.remedies_text() })
    }
}

impl Paper for CorrectionNotice {
    const TEMPLATE: &'static str = "correction.typ";
    const REQUIRED: &'static [&'static str] = &[
        "/number",
        "/case_number",
        "/applicant",
        "/item/zh",
        "/corrections",
        "/authority/zh",
        "/qr_url",
    ];

    fn ident(&self) -> String {
        format!("correction:{}", self.number)
    }

    fn qr_url(&self) -> Option<&str> {
        Some(&self.qr_url)
    }

    fn derived(&self) -> Value {
        let closing = self.deadline.map(|day| Text {
            zh: format!(
                "请于{}前一次补齐；逾期未补正的，本次申请将退回，材料补齐后可以重新申请。",
                date_zh(day)
            ),
            en: format!(
                "Please hand in everything by {}. After that the application is returned; you may apply again.",
                date_en(day)
            ),
        });
        json!({ "closing": closing })
    }
}
