//! The shared form as one viewer sees it.

use crate::{Bilingual, FieldProblem, MemberRole};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Snapshot: the `form` frame and `GET /api/v1/sessions/{id}/form`. Values are masked for the viewer before they leave the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FormView {
    pub item: String,
    pub item_version: i64,
    pub title: Bilingual,
    /// Grows with every change.
    pub version: i64,
    pub groups: Vec<GroupView>,
    /// Counts over the visible fields.
    pub filled: u32,
    pub confirmed: u32,
    pub total: u32,
    pub errors: u32,
    /// Everything required is filled, right and confirmed.
    pub ready_to_sign: bool,
    /// The licences that could prefill this item: what the item maps, never what the citizen holds.
    pub prefills: Vec<PrefillView>,
    pub signed: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PrefillView {
    pub licence_type: String,
    pub licence_name: Bilingual,
    /// Paths that it would fill.
    pub fields: Vec<String>,
    /// Needs the company's credit code before it can be asked.
    pub needs_company: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GroupView {
    pub id: String,
    pub title: Bilingual,
    pub fields: Vec<FieldView>,
    pub confirmed: bool,
    /// The citizen pressed 有不对的 here.
    pub disputed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    Text,
    Name,
    IdNumber,
    Uscc,
    Mobile,
    Date,
    Select,
    Multiline,
    Integer,
    Boolean,
    Address,
    Region,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OptionView {
    pub value: String,
    pub label: Bilingual,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FieldView {
    /// Dotted path within the form: `applicant.name`.
    pub path: String,
    pub kind: FieldKind,
    pub label: Bilingual,
    pub help: Option<Bilingual>,
    pub options: Vec<OptionView>,
    pub max_chars: u32,
    pub visible: bool,
    pub required: bool,
    /// The viewer may write it.
    pub writable: bool,
    /// Only the citizen may fill it.
    pub citizen_only: bool,
    /// A deciding fact: confirmed by itself, not with its group.
    pub confirm_single: bool,
    /// Text, integer, boolean or null; masked text where `masked`.
    #[schema(value_type = Option<Object>)]
    pub value: serde_json::Value,
    pub masked: bool,
    pub version: i64,
    pub origin: Option<OriginView>,
    pub confirmed: bool,
    /// Changed by another since it was confirmed: 已改，请再看.
    pub changed_since_confirm: bool,
    /// What is wrong with the value, in both languages.
    pub error: Option<FieldErrorView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldErrorView {
    pub code: String,
    pub message: Bilingual,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OriginView {
    Typed {
        by: MemberRole,
        name: Bilingual,
        at: String,
    },
    Licence {
        licence_type: String,
        licence_name: Bilingual,
        licence: String,
        version: i64,
        consent: String,
        at: String,
    },
    EarlierCase {
        case: String,
        at: String,
    },
    Computed {
        at: String,
    },
}

/// Answer of `form_set` where the base version was stale: `Problem.current` has this shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FieldCurrent {
    pub path: String,
    #[schema(value_type = Option<Object>)]
    pub value: serde_json::Value,
    pub version: i64,
    pub by: MemberRole,
}

/// Values that a citizen sends from the phone for a correction.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldValue {
    pub path: String,
    #[schema(value_type = Option<Object>)]
    pub value: serde_json::Value,
}

/// Reported for a refused bulk of values.
pub type FieldProblems = Vec<FieldProblem>;
