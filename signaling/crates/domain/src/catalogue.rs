//! The catalogue's item document (事项): what a city publishes about one service and the form it asks for.
//!
//! Owns the typed model of the document, its JSON form (unknown members are refused) and the template
//! placeholders. [`codes`] holds the national code tables, [`check`] the lints, [`schema`] the JSON Schema 2020-12 view that pages read.
//! Never runs CEL (the server compiles and runs it), never reads a file, never holds personal data.
//!
//! CEL convention: `form` is the nested object of all field paths, an unset field is `null`; `today` is
//! the Beijing date as `YYYY-MM-DD`. A rule holds when its expression is `true`; the server skips a
//! rule while its own field is empty.

pub mod check;
pub mod codes;
#[cfg(test)]
pub(crate) mod demo;
pub mod recording;
pub mod schema;

pub use codes::*;
pub use recording::{Asks, LegalStep, Prompt, RecordingRule};

use crate::error::Rejected;
use serde::{Deserialize, Serialize};

/// CEL has no cost limit of its own; short sources keep the compiler's stack small (bytes).
pub const CEL_BYTES: usize = 2 * 1024;
/// A group fits one glance and one press of 都对 (interface.md §4).
pub const GROUP_FIELDS_MAX: usize = 7;
pub const GROUPS_MAX: usize = 40;
pub const FIELDS_MAX: usize = 200;
pub const MATERIALS_MAX: usize = 40;
pub const OPTIONS_MAX: usize = 200;
pub const RULES_MAX: usize = 10;
/// Conditions, legal bases, steps, papers, opinions and reasons: entries of one list.
pub const LIST_MAX: usize = 50;
/// A text of the document (characters, each language).
pub const TEXT_CHARS: usize = 4_000;
/// A field path (bytes).
pub const PATH_BYTES: usize = 64;

/// The same words in both languages; Chinese decides in law.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    pub zh: String,
    pub en: String,
}

/// One item (事项), one version of it. Published versions never change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// 实施编码, 31 characters: 18 USCC of the implementing body + 1 level + 12 base code.
    pub code: String,
    /// Slug, the same in addresses of pages and in the API.
    pub id: String,
    pub version: u32,
    pub name: Text,
    /// One spoken sentence for the citizen's list.
    pub summary: Text,
    pub department: Department,
    pub kind: ItemKind,
    pub level: Level,
    pub service_objects: Vec<ServiceObject>,
    pub handling: Handling,
    pub channels: Vec<Channel>,
    /// 到现场次数 and, when not zero, the reason.
    pub visits: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visits_reason: Option<Text>,
    /// 法定办结时限 (working days).
    pub statutory_days: u32,
    /// 承诺办结时限 (working days); 0 = on the spot.
    pub promise_days: u32,
    pub fee: Fee,
    /// 设定依据
    pub legal_bases: Vec<Text>,
    /// 受理条件
    pub conditions: Vec<Condition>,
    pub materials: Vec<MaterialSpec>,
    pub groups: Vec<Group>,
    pub fields: Vec<Field>,
    /// What the citizen signs, word for word.
    pub declaration: Text,
    /// What must be recorded (双录); none: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<RecordingRule>,
    pub result: ResultSpec,
    /// 审查要点
    pub review_points: Vec<Text>,
    pub opinions: Vec<Opinion>,
    pub correction_reasons: Vec<CorrectionReason>,
    pub next_steps: Vec<Text>,
    /// Skill code that a seat needs to take the call.
    pub skill: String,
    /// Papers to have ready, shown while waiting.
    pub papers: Vec<Text>,
    /// "About ten minutes": how long the call takes.
    pub duration: Text,
}

/// 实施主体
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Department {
    /// Key in the county's list of departments.
    pub id: String,
    /// USCC; the first 18 characters of the item's code.
    pub code: String,
    pub name: Text,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fee {
    pub charged: bool,
    /// Required when charged: the basis and the amount in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Text>,
}

/// 受理条件; with CEL the server can tell at once, without it the agent asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    pub id: String,
    pub text: Text,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cel: Option<String>,
}

/// 申请材料
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaterialSpec {
    pub id: String,
    pub name: Text,
    pub necessity: Necessity,
    pub source: MaterialSource,
    /// 免证: the licence type that replaces the paper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence_type: Option<String>,
    /// A still from the booth's camera is good enough.
    #[serde(default)]
    pub camera_ok: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_when: Option<String>,
    /// 受理标准 and how to prepare it.
    pub note: Text,
}

/// Fields that are read and confirmed together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    pub id: String,
    pub title: Text,
    /// Paths, in the order of the page.
    pub fields: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Dotted lower-case path, e.g. `applicant.name`; no path is a prefix of another.
    pub path: String,
    #[serde(rename = "type")]
    pub kind: FieldType,
    pub label: Text,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<Text>,
    #[serde(default)]
    pub required: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_when: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visible_when: Option<String>,
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Characters; the product's bound applies when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<usize>,
    #[serde(default)]
    pub options: Vec<Choice>,
    #[serde(default = "no_mask")]
    pub sensitive: Mask,
    #[serde(default = "anybody")]
    pub who: WhoFills,
    /// A deciding fact: confirmed by itself, never with its group.
    #[serde(default)]
    pub confirm_single: bool,
    /// Where the value may come from, best source first.
    #[serde(default)]
    pub licence: Vec<LicenceMapping>,
}

const fn no_mask() -> Mask {
    Mask::None
}
const fn anybody() -> WhoFills {
    WhoFills::Any
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub cel: String,
    pub message: Text,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    pub code: String,
    pub label: Text,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LicenceMapping {
    /// Licence type code, 21 characters (GB/T 36904).
    pub licence_type: String,
    pub attribute: String,
}

/// What is issued and what is registered in the licence library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResultSpec {
    /// Stable kind, e.g. `no_criminal_record_certificate`.
    pub certificate: String,
    pub name: Text,
    pub title: Text,
    /// Paragraphs; `{path}` and the names in [`RESULT_WORDS`] are replaced.
    pub body: Vec<Text>,
    /// Licence type registered on issue.
    pub licence_type: String,
    /// Months of validity; none = until changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity_months: Option<u32>,
    /// Paths of the holder's name and number, and the holder code type (001 USCC, 111 citizen id; GB/T 36903).
    pub holder_name: String,
    pub holder_code: String,
    pub holder_code_type: String,
    /// Attributes of the registered licence, each from one field.
    pub attributes: Vec<ResultAttribute>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResultAttribute {
    pub attribute: String,
    pub path: String,
}

/// Placeholders of a result's text that are not fields.
pub const RESULT_WORDS: &[&str] = &[
    "certificate_number",
    "case_number",
    "department",
    "issued_on",
    "valid_from",
    "valid_until",
];

/// A reviewer's text template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opinion {
    pub id: String,
    pub outcome: Outcome,
    pub text: Text,
}

/// One precise thing that a correction notice may ask for: a material or a field, never "see the guide".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorrectionReason {
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub material: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    pub text: Text,
}

impl Item {
    #[must_use]
    pub fn field(&self, path: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.path == path)
    }
    #[must_use]
    pub fn group(&self, id: &str) -> Option<&Group> {
        self.groups.iter().find(|g| g.id == id)
    }
    #[must_use]
    pub fn group_of(&self, path: &str) -> Option<&Group> {
        self.groups
            .iter()
            .find(|g| g.fields.iter().any(|p| p == path))
    }
    #[must_use]
    pub fn material(&self, id: &str) -> Option<&MaterialSpec> {
        self.materials.iter().find(|m| m.id == id)
    }
    /// Licence types that the form can be filled from, in order of first use.
    #[must_use]
    pub fn licence_types(&self) -> Vec<&str> {
        let mut out: Vec<&str> = Vec::new();
        for m in self.fields.iter().flat_map(|f| &f.licence) {
            if !out.contains(&m.licence_type.as_str()) {
                out.push(&m.licence_type);
            }
        }
        out
    }
    /// The fields that one licence type fills: (field, attribute). This is what a consent sheet lists.
    pub fn mapped_from<'a>(
        &'a self,
        licence_type: &'a str,
    ) -> impl Iterator<Item = (&'a Field, &'a str)> {
        self.fields.iter().filter_map(move |f| {
            let m = f.licence.iter().find(|m| m.licence_type == licence_type)?;
            Some((f, m.attribute.as_str()))
        })
    }
}

/// The names between braces, in order. An unclosed or empty brace is `template_brace`.
pub fn placeholders(template: &str) -> Result<Vec<&str>, Rejected> {
    let mut out = Vec::new();
    let mut rest = template;
    while let Some(i) = rest.find(['{', '}']) {
        let after = rest[i..]
            .strip_prefix('{')
            .ok_or(Rejected::new("template_brace"))?;
        let end = after
            .find(['{', '}'])
            .ok_or(Rejected::new("template_brace"))?;
        if end == 0 || !after[end..].starts_with('}') {
            return Err(Rejected::new("template_brace"));
        }
        out.push(&after[..end]);
        rest = &after[end + 1..];
    }
    Ok(out)
}

/// Replaces every placeholder; one without a value is `template_placeholder` at its name. Values are
/// put in as they are: text in a value that looks like a placeholder is not replaced again.
pub fn render(template: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, Rejected> {
    placeholders(template)?;
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (name, tail) = after
            .split_once('}')
            .ok_or(Rejected::new("template_brace"))?;
        out.push_str(&value(name).ok_or_else(|| Rejected::at("template_placeholder", name))?);
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}
