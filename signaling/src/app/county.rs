//! What the papers say of the county itself. Data of an installation: `county.json` in the data directory, read at start.

use domain::case::Remedies;
use protocol::Bilingual;
use serde::Deserialize;
use std::path::Path;

/// The file's name in the data directory that all nodes share.
pub const FILE: &str = "county.json";
/// One name (characters).
const NAME_CHARS: usize = 100;

/// `{"review_body": {"zh": "…", "en": "…"}}`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct County {
    /// Where a refusal is taken for administrative review: the government of the county (行政复议法 §24).
    pub review_body: Bilingual,
}

impl Default for County {
    /// True everywhere, and names no one.
    fn default() -> Self {
        Self {
            review_body: Bilingual {
                zh: "本级人民政府".into(),
                en: "the people's government at the same level".into(),
            },
        }
    }
}

impl County {
    /// The file under `dir`, or the default where there is none. Errors are words for whoever edits it.
    pub fn read(dir: &Path) -> Result<Self, String> {
        let path = dir.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(t) => t,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(format!("cannot read {}: {e}", path.display())),
        };
        Self::parse(&text).map_err(|e| format!("{}: {e}", path.display()))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let c: Self = serde_json::from_str(text).map_err(|e| e.to_string())?;
        for name in [&c.review_body.zh, &c.review_body.en] {
            if name.trim().is_empty() || name.chars().count() > NAME_CHARS {
                return Err(format!(
                    "review_body needs a name of 1 to {NAME_CHARS} characters in both languages"
                ));
            }
        }
        Ok(c)
    }

    /// The remedies of §38: whom to ask, how long (行政复议法 §20: 60 days; 行政诉讼法 §46: 6 months). For the machine and for
    /// people.
    #[must_use]
    pub fn remedies(&self) -> (Remedies, Vec<Bilingual>) {
        let Bilingual { zh, en } = &self.review_body;
        let review = Bilingual {
            zh: format!("自收到本决定书之日起60日内，可以向{zh}申请行政复议。"),
            en: format!(
                "Within 60 days of receiving this decision you may apply to {en} for administrative review."
            ),
        };
        let suit = Bilingual {
            zh: "自收到本决定书之日起6个月内，可以向有管辖权的人民法院提起行政诉讼。".into(),
            en: "Within 6 months of receiving this decision you may bring an administrative lawsuit before the people's court that has jurisdiction.".into(),
        };
        let remedies = Remedies {
            reconsideration: review.zh.clone(),
            litigation: suit.zh.clone(),
        };
        (remedies, vec![review, suit])
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_county_names_its_review_body_in_both_languages_or_nobody() {
        let c = County::parse(
            r#"{"review_body": {"zh": "甲市人民政府", "en": "the Government of A"}}"#,
        )
        .unwrap();
        let (machine, told) = c.remedies();
        assert!(machine.reconsideration.contains("向甲市人民政府申请"));
        assert!(told[0].en.contains("apply to the Government of A for"));
        for bad in [
            "{}",
            r#"{"review_body": {"zh": "甲", "en": " "}}"#,
            r#"{"review_body": {"zh": "甲", "en": "A"}, "court": ""}"#,
        ] {
            assert!(County::parse(bad).is_err(), "{bad}");
        }
        let (_, told) = County::default().remedies();
        assert!(told[0].zh.contains("本级人民政府"));
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(County::read(dir.path()), Ok(County::default()));
        std::fs::write(dir.path().join(FILE), "{").unwrap();
        assert!(County::read(dir.path()).unwrap_err().contains(FILE));
    }
}
