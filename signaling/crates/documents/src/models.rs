//! The papers. Owns their fields, their fixed legal sentences and the text of the watermark; layout stands in `templates/`.
//!
//! Every document may hold personal data, so none derives Debug: they print their kind only. Names come in as they shall be
//! printed: masking is the caller's.

mod certificate;
mod licence_copy;
mod notice;
mod receipt;

pub use certificate::{CertificateDoc, CertificateStyle};
pub use licence_copy::{LicenceCopyDoc, TrustLevel};
pub use notice::{Correction, CorrectionNotice, RefusalDoc, RefusalKind, Remedies};
pub use receipt::{ReceiptDoc, ReceiptKind, ReceiptMaterial};

use serde::{Serialize, Serializer, ser::SerializeStruct as _};
use time::{Date, OffsetDateTime, UtcOffset};

/// A text in Chinese and English. English may be empty where there is none.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Text {
    /// 中文.
    pub zh: String,
    /// English, or empty.
    pub en: String,
}

impl Text {
    /// Both languages.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            zh: zh.into(),
            en: en.into(),
        }
    }

    /// Chinese alone, for what has no official English text.
    pub fn zh(zh: impl Into<String>) -> Self {
        Self::new(zh, "")
    }
}

/// One labelled value of a certificate or licence.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// What it is.
    pub label: Text,
    /// As printed.
    pub value: String,
}

impl Row {
    /// A row from its three texts.
    pub fn new(
        label_zh: impl Into<String>,
        label_en: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        Self {
            label: Text::new(label_zh, label_en),
            value: value.into(),
        }
    }
}

/// Debug that shows a type's name and nothing of the person.
macro_rules! opaque_debug {
    ($($name:ty),+ $(,)?) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+};
}
pub(crate) use opaque_debug;

opaque_debug!(Text, Row);

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// `2026年11月21日`.
pub(crate) fn date_zh(date: Date) -> String {
    format!(
        "{}年{}月{}日",
        date.year(),
        u8::from(date.month()),
        date.day()
    )
}

/// `21 Nov 2026`.
pub(crate) fn date_en(date: Date) -> String {
    let month = MONTHS[usize::from(u8::from(date.month())) - 1];
    format!("{} {month} {}", date.day(), date.year())
}

/// Beijing time; China has used one offset without summer time since 1992.
pub(crate) fn beijing(at: OffsetDateTime) -> OffsetDateTime {
    const EAST_8: UtcOffset = match UtcOffset::from_hms(8, 0, 0) {
        Ok(offset) => offset,
        Err(_) => UtcOffset::UTC,
    };
    at.to_offset(EAST_8)
}

/// For `serialize_with`: a date as `{zh, en}`.
pub(crate) fn as_date<S: Serializer>(date: &Date, s: S) -> Result<S::Ok, S::Error> {
    pair(date_zh(*date), date_en(*date), s)
}

/// For `serialize_with`: a date as `{zh, en}`, or null.
pub(crate) fn as_date_opt<S: Serializer>(date: &Option<Date>, s: S) -> Result<S::Ok, S::Error> {
    match date {
        Some(date) => as_date(date, s),
        None => s.serialize_none(),
    }
}

/// For `serialize_with`: an instant as Beijing time to the minute, `{zh, en}`.
pub(crate) fn as_instant<S: Serializer>(at: &OffsetDateTime, s: S) -> Result<S::Ok, S::Error> {
    let at = beijing(*at);
    let clock = format!("{:02}:{:02}", at.hour(), at.minute());
    pair(
        format!("{} {clock}", date_zh(at.date())),
        format!("{} {clock}", date_en(at.date())),
        s,
    )
}

fn pair<S: Serializer>(zh: String, en: String, s: S) -> Result<S::Ok, S::Error> {
    let mut out = s.serialize_struct("Text", 2)?;
    out.serialize_field("zh", &zh)?;
    out.serialize_field("en", &en)?;
    out.end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime};

    #[test]
    fn dates_read_as_officials_write_them() {
        assert_eq!(date_zh(date!(2026 - 01 - 05)), "2026年1月5日");
        assert_eq!(date_en(date!(2026 - 12 - 31)), "31 Dec 2026");
    }

    #[test]
    fn instants_are_beijing_time() {
        let late = datetime!(2026-11-21 16:30 UTC);
        assert_eq!(beijing(late).date(), date!(2026 - 11 - 22));
    }

    #[test]
    fn debug_shows_nobody() {
        let row = Row::new("姓名", "Name", "赵小云");
        assert!(!format!("{row:?}").contains('赵'));
    }
}
