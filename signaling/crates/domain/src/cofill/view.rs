//! What leaves the server: masked views, the ledger, the values that are signed, and what is still open.

use super::*;
use crate::catalogue::Mask;
use crate::pii::{mask_name, mask_number, mask_phone};
use serde_json::Map;

/// Who looks.
#[derive(Debug, Clone, Copy)]
pub enum Viewer<'a> {
    /// The citizen whose form it is, or an official who decides the case: everything.
    Entitled,
    /// An agent: sensitive values masked, but for what this member typed and what the citizen has just unmasked.
    Agent {
        id: &'a str,
        unmasked: &'a BTreeSet<String>,
    },
}

/// One field as a viewer may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldView {
    pub value: Pii<Value>,
    pub masked: bool,
    pub version: u64,
    pub actor: Actor,
    pub source: Origin,
    pub confirmed: Option<Confirmation>,
    pub changed_since_confirm: bool,
    pub problem: Option<String>,
}

/// The whole document for one viewer.
#[must_use]
pub fn masked(doc: &Doc, item: &Item, viewer: Viewer) -> BTreeMap<String, FieldView> {
    doc.fields
        .iter()
        .map(|(p, f)| (p.clone(), view_field(p, f, item, viewer)))
        .collect()
}

/// One field for one viewer; a path that the item does not know is masked wholly.
#[must_use]
pub fn view_field(path: &str, f: &Field, item: &Item, viewer: Viewer) -> FieldView {
    let clear = match viewer {
        Viewer::Entitled => true,
        Viewer::Agent { id, unmasked } => {
            let typed_it = f.actor.role == Role::Agent
                && f.actor.id == id
                && f.source == Origin::Typed { by: Role::Agent };
            let open = item.field(path).is_some_and(|s| s.sensitive == Mask::None);
            open || typed_it || unmasked.contains(path)
        }
    };
    let masked = !clear && !f.is_empty();
    let mask = item.field(path).map(|s| s.sensitive);
    let value = if masked {
        mask_value(mask, f.value.expose())
    } else {
        f.value.expose().clone()
    };
    FieldView {
        value: Pii::new(value),
        masked,
        version: f.version,
        actor: f.actor.clone(),
        source: f.source.clone(),
        confirmed: f.confirmed.clone(),
        changed_since_confirm: f.changed_since_confirm,
        problem: f.problem.clone(),
    }
}

fn mask_value(mask: Option<Mask>, value: &Value) -> Value {
    let Some(s) = value.as_str() else {
        return Value::Null;
    };
    let out = match mask {
        Some(Mask::IdNumber) => mask_number(s),
        Some(Mask::Mobile) => mask_phone(s),
        Some(Mask::Name) => mask_name(s),
        Some(Mask::Address) => mask_address(s),
        Some(Mask::None) | None => "*".repeat(4),
    };
    Value::String(out)
}

/// 湖南省沅江市琼湖街道… → 湖南省沅江市****: province to county, never the street.
#[must_use]
pub fn mask_address(address: &str) -> String {
    let chars: Vec<char> = address.chars().collect();
    // A county's name ends within the first dozen characters; a street may hold the same signs later.
    let cut = chars
        .iter()
        .take(12)
        .rposition(|c| matches!(c, '省' | '市' | '县' | '区' | '州'))
        .map_or(0, |i| i + 1);
    // A mask that hides next to nothing is none.
    let head: String = if cut + 2 > chars.len() {
        String::new()
    } else {
        chars[..cut].iter().collect()
    };
    format!("{head}****")
}

/// One line of the ledger (填写台账).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    pub path: String,
    pub value: Pii<Value>,
    pub version: u64,
    pub origin: Origin,
    pub actor: Actor,
    pub confirmed: Option<Confirmation>,
}

/// Filled fields in the order of the form's pages.
#[must_use]
pub fn ledger(doc: &Doc, item: &Item) -> Vec<LedgerEntry> {
    let order = item.groups.iter().flat_map(|g| &g.fields);
    order
        .filter_map(|path| {
            let f = doc.fields.get(path).filter(|f| !f.is_empty())?;
            Some(LedgerEntry {
                path: path.clone(),
                value: f.value.clone(),
                version: f.version,
                origin: f.source.clone(),
                actor: f.actor.clone(),
                confirmed: f.confirmed.clone(),
            })
        })
        .collect()
}

/// The ledger without fields that CEL hides: what is signed and handed off.
#[must_use]
pub fn ledger_to_sign(doc: &Doc, item: &Item, cel: &Evaluation) -> Vec<LedgerEntry> {
    ledger(doc, item)
        .into_iter()
        .filter(|e| cel.visible.contains(&e.path))
        .collect()
}

/// Path → value of the filled, visible fields: the values of the signing digest and of the case.
#[must_use]
pub fn values_to_sign(doc: &Doc, cel: &Evaluation) -> Map<String, Value> {
    doc.fields
        .iter()
        .filter(|(p, f)| !f.is_empty() && cel.visible.contains(*p))
        .map(|(p, f)| (p.clone(), f.value.expose().clone()))
        .collect()
}

/// The nested object that CEL knows as `form`; every field of the item is there, unset ones as `null`.
#[must_use]
pub fn cel_form(doc: &Doc, item: &Item) -> Value {
    let mut root = Map::new();
    for f in &item.fields {
        let value = doc.value(&f.path).cloned().unwrap_or(Value::Null);
        let mut parts: Vec<&str> = f.path.split('.').collect();
        let Some(leaf) = parts.pop() else { continue };
        let mut at = Some(&mut root);
        for part in parts {
            at = at.and_then(|m| {
                m.entry(part)
                    .or_insert_with(|| Value::Object(Map::new()))
                    .as_object_mut()
            });
        }
        if let Some(m) = at {
            m.insert(leaf.to_owned(), value);
        }
    }
    Value::Object(root)
}

/// Why a field keeps the citizen from signing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    Missing,
    Problem,
    RuleFailed,
    Unconfirmed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    pub path: String,
    pub why: Why,
}

/// What is missing, wrong or unconfirmed, in page order; empty = the citizen may sign.
#[must_use]
pub fn ready_to_sign(doc: &Doc, item: &Item, cel: &Evaluation) -> Vec<Open> {
    let mut open = Vec::new();
    for path in item
        .groups
        .iter()
        .flat_map(|g| &g.fields)
        .filter(|p| cel.visible.contains(*p))
    {
        let why = match doc.fields.get(path).filter(|f| !f.is_empty()) {
            None => cel.required.contains(path).then_some(Why::Missing),
            Some(f) if f.problem.is_some() => Some(Why::Problem),
            Some(_) if cel.failing.get(path).is_some_and(|r| !r.is_empty()) => {
                Some(Why::RuleFailed)
            }
            Some(f) => f.confirmed.is_none().then_some(Why::Unconfirmed),
        };
        if let Some(why) = why {
            open.push(Open {
                path: path.clone(),
                why,
            });
        }
    }
    open
}
