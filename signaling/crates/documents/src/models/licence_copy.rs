//! 加注件: a copy of a licence's fields for one purpose and time (GB/T 36903 certificateCopy; trust levels of 国办函〔2016〕108号).

use super::{Row, Text, as_date, as_instant, date_zh, opaque_debug};
use crate::{
    DocumentError, Fonts, Pdf,
    render::{Paper, render},
};
use serde::Serialize;
use serde_json::{Value, json};
use time::{Date, OffsetDateTime};

/// How far a copy can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum TrustLevel {
    /// Issued by the competent body: use directly.
    A,
    /// Checked against the original at a window: reusable.
    B,
    /// Uploaded by the citizen: to be checked.
    C,
    /// Self-made, with a promise.
    D,
}

/// A copy of a licence, watermarked. Never the original.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct LicenceCopyDoc {
    /// The licence's title.
    pub title: Text,
    /// The licence's number.
    pub number: String,
    /// Licence identifier after GB/T 36904.
    pub licence_identifier: String,
    /// How far it can be relied on.
    pub trust: TrustLevel,
    /// The fields that the consent covers, in order.
    pub rows: Vec<Row>,
    /// The body that provides the copy (由××机构提供).
    pub provider: String,
    /// What it may be used for (仅供…使用), without 「仅供」 and 「使用」.
    pub purpose: String,
    /// The case that it belongs to.
    pub case_number: String,
    /// Last day of use.
    #[serde(serialize_with = "as_date")]
    pub valid_until: Date,
    /// When the copy was made; printed as Beijing time.
    #[serde(serialize_with = "as_instant")]
    pub copied_at: OffsetDateTime,
    /// Where the QR code leads: the verification page, or empty for none.
    pub qr_url: String,
}

opaque_debug!(LicenceCopyDoc);

impl LicenceCopyDoc {
    /// The watermark's text, for pages that show the copy on screen: 此件由××机构提供，仅供…使用，有效期至….
    #[must_use]
    pub fn watermark(&self) -> String {
        self.watermark_lines().concat()
    }

    /// The same in its three parts: broken there, it reads well on a slant.
    fn watermark_lines(&self) -> [String; 3] {
        [
            format!("此件由{}提供，", self.provider),
            format!("仅供{}使用，", self.purpose),
            format!("有效期至{}", date_zh(self.valid_until)),
        ]
    }

    /// Sets the copy as PDF, the watermark across every page.
    ///
    /// # Errors
    /// As [`DocumentError`] says: a field's bound, a QR code that is too long, too many pages.
    pub fn render(&self, fonts: &Fonts) -> Result<Pdf, DocumentError> {
        render(self, fonts)
    }
}

impl Paper for LicenceCopyDoc {
    const TEMPLATE: &'static str = "licence_copy.typ";
    const REQUIRED: &'static [&'static str] = &[
        "/title/zh",
        "/licence_identifier",
        "/rows",
        "/provider",
        "/purpose",
        "/case_number",
    ];

    fn ident(&self) -> String {
        format!("copy:{}:{}", self.licence_identifier, self.case_number)
    }

    fn qr_url(&self) -> Option<&str> {
        Some(self.qr_url.as_str()).filter(|url| !url.is_empty())
    }

    fn derived(&self) -> Value {
        json!({ "watermark": self.watermark(), "watermark_lines": self.watermark_lines() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime};

    #[test]
    fn the_watermark_reads_as_the_rule_has_it() {
        let doc = LicenceCopyDoc {
            title: Text::zh("营业执照"),
            number: "1".into(),
            licence_identifier: "1.2.156.3005.2.X".into(),
            trust: TrustLevel::A,
            rows: Vec::new(),
            provider: "云晓县市场监督管理局".into(),
            purpose: "公共场所卫生许可申办".into(),
            case_number: "C1".into(),
            valid_until: date!(2026 - 12 - 31),
            copied_at: datetime!(2026-11-21 02:00 UTC),
            qr_url: String::new(),
        };
        assert_eq!(
            doc.watermark(),
            "此件由云晓县市场监督管理局提供，仅供公共场所卫生许可申办使用，有效期至2026年12月31日"
        );
    }
}
