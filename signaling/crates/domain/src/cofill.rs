//! The form document that citizen and agent fill together (co-filling, 帮填).
//!
//! Owns per-field versions, origins (the ledger, 填写台账), confirmation by the citizen and the masking of
//! sensitive values before they leave the server. [`check`] holds value checks, [`view`] masks, ledger and
//! readiness. Imports `catalogue` alone among the nouns: an item is the form's vocabulary.
//!
//! Never runs CEL (its results come in as [`Evaluation`]), never stores, never decides who holds a consent.
//! A wrong identity number is kept and named in [`Field::problem`] so that both sides see it; a problem or
//! a failing rule blocks confirmation and signature, not writing.

pub mod check;
mod steps;
#[cfg(test)]
mod tests;
pub mod view;

use crate::catalogue::Item;
use crate::error::Rejected;
use crate::id::{CaseId, ConsentId, LicenceId};
use crate::pii::Pii;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use steps::{citizen, confirm, confirm_group, confirmable, fill, refuse, set};

/// Checks one value by its kind (`id_number`, `uscc`, `mobile`: [`crate::catalogue::FieldType::as_str`]);
/// the product injects `identifiers::check_format`.
pub type FormatCheck = fn(&str, &str) -> Result<(), Rejected>;

/// In what capacity somebody touches the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Citizen,
    Agent,
    /// The server itself: computed values, prefill that a consent released.
    System,
}

/// Who did it: the capacity and the member's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    pub role: Role,
    pub id: String,
}

/// Where a value came from; the badge beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    Typed {
        by: Role,
    },
    Licence {
        licence_id: LicenceId,
        licence_type: String,
        /// The licence's version, three digits from 001.
        version: String,
        consent_id: ConsentId,
        /// The day on which the licence's data were issued, `YYYY-MM-DD`.
        date: String,
    },
    EarlierCase {
        case_id: CaseId,
    },
    Computed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    pub by: Actor,
    pub at: Timestamp,
}

/// One field's value and history's last step. A cleared field stays, with `null`, so that its version goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    pub value: Pii<Value>,
    /// 1 for the first write; 0 is the base of a field that nobody has written.
    pub version: u64,
    pub actor: Actor,
    pub at: Timestamp,
    pub source: Origin,
    pub confirmed: Option<Confirmation>,
    /// 已改，请再看: changed after the citizen had confirmed it.
    pub changed_since_confirm: bool,
    /// Code of a format problem.
    pub problem: Option<String>,
}

impl Field {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.value.expose().is_null()
    }
}

/// The document: item, its version and the fields that have been written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doc {
    pub item: String,
    pub item_version: u32,
    pub fields: BTreeMap<String, Field>,
}

impl Doc {
    #[must_use]
    pub fn new(item: &Item) -> Self {
        Self {
            item: item.id.clone(),
            item_version: item.version,
            fields: BTreeMap::new(),
        }
    }
    /// The version to base the next write on.
    #[must_use]
    pub fn version_of(&self, path: &str) -> u64 {
        self.fields.get(path).map_or(0, |f| f.version)
    }
    /// The value, if the field is filled.
    #[must_use]
    pub fn value(&self, path: &str) -> Option<&Value> {
        self.fields
            .get(path)
            .map(|f| f.value.expose())
            .filter(|v| !v.is_null())
    }
}

/// What CEL said about the document as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evaluation {
    pub visible: BTreeSet<String>,
    pub required: BTreeSet<String>,
    /// Path → indices of its rules that are not true.
    pub failing: BTreeMap<String, Vec<usize>>,
}

impl Evaluation {
    /// What the item says without any CEL; the server starts from this and applies the expressions.
    #[must_use]
    pub fn plain(item: &Item) -> Self {
        let paths = |keep: fn(&crate::catalogue::Field) -> bool| {
            item.fields
                .iter()
                .filter(|f| keep(f))
                .map(|f| f.path.clone())
                .collect()
        };
        Self {
            visible: paths(|f| f.visible_when.is_none()),
            required: paths(|f| f.required && f.visible_when.is_none()),
            failing: BTreeMap::new(),
        }
    }
}

/// A change of the document. Values sit in [`Pii`], so a command may be logged.
#[derive(Debug, Clone, PartialEq)]
pub enum Cmd {
    /// Somebody typed. `null` or an empty text clears the field.
    Set {
        path: String,
        base_version: u64,
        value: Pii<Value>,
    },
    /// Values of one licence that a consent has just released. A value that the citizen typed is kept.
    Prefill {
        values: Vec<(String, Pii<Value>)>,
        licence: LicenceSource,
    },
    /// Values of the citizen's earlier case. A value that the citizen typed is kept.
    Reuse {
        values: Vec<(String, Pii<Value>)>,
        case_id: CaseId,
    },
    /// Results of computed expressions.
    Compute { values: Vec<(String, Pii<Value>)> },
    /// 都对: the versions that the citizen saw; a field changed meanwhile is refused with its value.
    ConfirmGroup {
        group: String,
        seen: BTreeMap<String, u64>,
    },
    /// A deciding fact, or one field alone.
    ConfirmField { path: String, version: u64 },
    /// 有不对的: takes the group's confirmations back.
    Unconfirm { group: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenceSource {
    pub licence_id: LicenceId,
    pub licence_type: String,
    pub version: String,
    pub consent_id: ConsentId,
    pub date: String,
}

/// Everything that a command needs beside the document.
pub struct Ctx<'a> {
    pub item: &'a Item,
    pub actor: &'a Actor,
    pub now: Timestamp,
    /// CEL results of the document before the command.
    pub cel: &'a Evaluation,
    pub check: FormatCheck,
}

/// What changed; the application sends it and writes the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    Changed {
        path: String,
        version: u64,
    },
    /// A prefill left the citizen's own value alone.
    Kept {
        path: String,
    },
    Confirmed {
        path: String,
        version: u64,
    },
    Unconfirmed {
        path: String,
    },
    GroupConfirmed {
        group: String,
    },
    GroupDisputed {
        group: String,
    },
}

/// Why a command was refused.
#[derive(Debug, Clone, PartialEq)]
pub enum Refusal {
    /// The base was not the current version. `current` is `None` when nobody has written the field;
    /// mask it with [`view::view_field`] before it leaves the server.
    Stale {
        path: String,
        current: Option<Box<Field>>,
    },
    Rejected(Rejected),
}

impl Refusal {
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Stale { .. } => "stale_version",
            Self::Rejected(r) => r.code,
        }
    }
}

impl From<Rejected> for Refusal {
    fn from(r: Rejected) -> Self {
        Self::Rejected(r)
    }
}

/// The only way in which a document changes. All or nothing: a refusal leaves the document as it was.
///
/// Codes: `stale_version`, `field_unknown`, `field_hidden`, `citizen_only`, `citizen_confirms`,
/// `masked_value`, `value_type`, `value_too_long`, `value_characters`, `value_option`, `group_unknown`,
/// `group_empty`, `field_required`, `field_problem`, `rule_failed`, `mapping_unknown`, `role_forbidden`,
/// `item_mismatch`.
pub fn apply(doc: Doc, cmd: Cmd, ctx: &Ctx) -> Result<(Doc, Vec<Effect>), Refusal> {
    if doc.item != ctx.item.id || doc.item_version != ctx.item.version {
        return Err(Rejected::new("item_mismatch").into());
    }
    let mut doc = doc;
    let mut effects = Vec::new();
    match cmd {
        Cmd::Set {
            path,
            base_version,
            value,
        } => {
            set(
                &mut doc,
                &mut effects,
                ctx,
                path,
                base_version,
                value.into_inner(),
            )?;
        }
        Cmd::Prefill { values, licence } => {
            for (path, _) in &values {
                let mapped = ctx
                    .item
                    .mapped_from(&licence.licence_type)
                    .any(|(f, _)| f.path == *path);
                if !mapped {
                    return Err(refuse("mapping_unknown", path));
                }
            }
            let LicenceSource {
                licence_id,
                licence_type,
                version,
                consent_id,
                date,
            } = licence;
            let source = Origin::Licence {
                licence_id,
                licence_type,
                version,
                consent_id,
                date,
            };
            fill(&mut doc, &mut effects, ctx, values, &source)?;
        }
        Cmd::Reuse { values, case_id } => fill(
            &mut doc,
            &mut effects,
            ctx,
            values,
            &Origin::EarlierCase { case_id },
        )?,
        Cmd::Compute { values } => {
            if ctx.actor.role != Role::System {
                return Err(Rejected::new("role_forbidden").into());
            }
            fill(&mut doc, &mut effects, ctx, values, &Origin::Computed)?;
        }
        Cmd::ConfirmGroup { group, seen } => {
            confirm_group(&mut doc, &mut effects, ctx, &group, &seen)?;
        }
        Cmd::ConfirmField { path, version } => {
            citizen(ctx)?;
            if !ctx.cel.visible.contains(&path) {
                return Err(refuse("field_hidden", &path));
            }
            let f = doc
                .fields
                .get(&path)
                .filter(|f| !f.is_empty())
                .ok_or_else(|| refuse("field_required", &path))?;
            confirmable(ctx, &path, f, version)?;
            confirm(&mut doc, &mut effects, ctx, &path);
        }
        Cmd::Unconfirm { group } => {
            citizen(ctx)?;
            let g = ctx
                .item
                .group(&group)
                .ok_or_else(|| refuse("group_unknown", &group))?;
            for path in &g.fields {
                if let Some(f) = doc.fields.get_mut(path)
                    && f.confirmed.take().is_some()
                {
                    effects.push(Effect::Unconfirmed { path: path.clone() });
                }
            }
            effects.push(Effect::GroupDisputed { group });
        }
    }
    Ok((doc, effects))
}
