//! Service items (事项) as citizens and agents read them, and as forms are built from them.
//!
//! Owns publishing (lints, CEL checks) and the cache of parsed versions. A published version never changes. No personal data.

use super::{App, cel};
use crate::problem::{AppError, no};
use domain::{
    catalogue::{FieldType, Item, Necessity, Outcome, ServiceObject, Text},
    error::Rejected,
};
use protocol::{
    Bilingual, CorrectionTemplate, FieldKind, ItemCard, ItemList, ItemMaterialView, ItemView,
};
use std::{
    collections::HashMap,
    ops::Deref,
    sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError},
};
use store::{Tx, catalogue};

/// Parsed versions that are kept; more start the cache anew.
const CACHED: usize = 256;
/// Items of one list.
const LIST: i64 = 500;
/// Characters of a search.
const QUERY_CHARS: usize = 64;
/// Cards that are offered before anyone searches, until calls are counted by item.
const POPULAR: usize = 8;
/// One item document (bytes).
pub const DOCUMENT_BYTES: usize = 512 * 1024;

/// One version of an item, with its programs once they were needed.
#[derive(Debug)]
pub struct Published {
    item: Item,
    pub(super) compiled: OnceLock<cel::Compiled>,
}

impl Deref for Published {
    type Target = Item;
    fn deref(&self) -> &Item {
        &self.item
    }
}

/// Shared; reads like an [`Item`].
pub type ItemRef = Arc<Published>;

/// An item that no row holds: for tests of what it would do.
#[cfg(test)]
pub(super) fn unpublished(item: Item) -> ItemRef {
    Arc::new(Published {
        item,
        compiled: OnceLock::new(),
    })
}

type Cache = HashMap<(String, i64), (String, ItemRef)>;
static CACHE: LazyLock<Mutex<Cache>> = LazyLock::new(Mutex::default);

/// Parses a row, or finds it parsed. The text decides, so that two databases in one process never mix.
fn parsed(row: catalogue::Item) -> Result<ItemRef, AppError> {
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (row.id, row.version);
    if let Some((doc, item)) = cache.get(&key)
        && *doc == row.doc
    {
        return Ok(item.clone());
    }
    let item = serde_json::from_str(&row.doc).map_err(|e| {
        tracing::error!(item = key.0, version = key.1, error = %e, "a stored item cannot be read");
        no("internal")
    })?;
    let item = Arc::new(Published {
        item,
        compiled: OnceLock::new(),
    });
    if cache.len() >= CACHED {
        cache.clear();
    }
    cache.insert(key, (row.doc, item.clone()));
    Ok(item)
}

/// The published version. `item_unknown`.
pub async fn item_in(tx: &mut Tx, id: &str) -> Result<(ItemRef, i64), AppError> {
    let row = catalogue::get_published(tx, id)
        .await?
        .ok_or_else(|| no("item_unknown"))?;
    let version = row.version;
    Ok((parsed(row)?, version))
}

/// A version that a form or a case was begun with, whatever became of it. `item_unknown`.
pub async fn item_at(tx: &mut Tx, id: &str, version: i64) -> Result<ItemRef, AppError> {
    parsed(
        catalogue::get(tx, id, version)
            .await?
            .ok_or_else(|| no("item_unknown"))?,
    )
}

#[must_use]
pub fn bilingual(t: &Text) -> Bilingual {
    Bilingual {
        zh: t.zh.clone(),
        en: t.en.clone(),
    }
}

fn all(v: &[Text]) -> Vec<Bilingual> {
    v.iter().map(bilingual).collect()
}

#[must_use]
pub const fn kind_view(k: FieldType) -> FieldKind {
    match k {
        FieldType::Text => FieldKind::Text,
        FieldType::Name => FieldKind::Name,
        FieldType::IdNumber => FieldKind::IdNumber,
        FieldType::Uscc => FieldKind::Uscc,
        FieldType::Mobile => FieldKind::Mobile,
        FieldType::Date => FieldKind::Date,
        FieldType::Select => FieldKind::Select,
        FieldType::Multiline => FieldKind::Multiline,
        FieldType::Integer => FieldKind::Integer,
        FieldType::Boolean => FieldKind::Boolean,
        FieldType::Address => FieldKind::Address,
        FieldType::Region => FieldKind::Region,
    }
}

fn subject(item: &Item) -> String {
    if item.service_objects.contains(&ServiceObject::NaturalPerson) {
        "person"
    } else {
        "company"
    }
    .to_owned()
}

const fn necessity(n: Necessity) -> &'static str {
    match n {
        Necessity::Required => "required",
        Necessity::Optional => "optional",
        Necessity::Deferrable => "later",
    }
}

/// For lists of published items elsewhere, such as the administrator's overview.
#[must_use]
pub fn card(item: &Item, popular: bool) -> ItemCard {
    ItemCard {
        id: item.id.clone(),
        title: bilingual(&item.name),
        department: bilingual(&item.department.name),
        skill: item.skill.clone(),
        subject: subject(item),
        popular,
    }
}

#[must_use]
pub fn view(item: &Item, version: i64) -> ItemView {
    let free = Bilingual {
        zh: "不收费".into(),
        en: "Free of charge".into(),
    };
    let opinions = |o| {
        item.opinions
            .iter()
            .filter(|p| p.outcome == o)
            .map(|p| bilingual(&p.text))
            .collect()
    };
    ItemView {
        id: item.id.clone(),
        version,
        code: item.code.clone(),
        title: bilingual(&item.name),
        summary: bilingual(&item.summary),
        department: bilingual(&item.department.name),
        skill: item.skill.clone(),
        subject: subject(item),
        statutory_days: item.statutory_days,
        promise_days: item.promise_days,
        fee: item
            .fee
            .basis
            .as_ref()
            .filter(|_| item.fee.charged)
            .map_or(free, bilingual),
        conditions: item.conditions.iter().map(|c| bilingual(&c.text)).collect(),
        materials: item
            .materials
            .iter()
            .map(|m| ItemMaterialView {
                code: m.id.clone(),
                name: bilingual(&m.name),
                necessity: necessity(m.necessity).into(),
                licence_type: m.licence_type.clone(),
                camera_ok: m.camera_ok,
                help: Some(bilingual(&m.note)),
            })
            .collect(),
        papers: all(&item.papers),
        steps: all(&item.next_steps),
        legal_basis: all(&item.legal_bases),
        result_name: bilingual(&item.result.name),
        opinions: opinions(Outcome::Grant),
        correction_reasons: item
            .correction_reasons
            .iter()
            .map(|r| CorrectionTemplate {
                zh: r.text.zh.clone(),
                en: r.text.en.clone(),
                target: r.field.clone().or_else(|| r.material.clone()),
            })
            .collect(),
        refusal_reasons: opinions(Outcome::Refuse),
    }
}

fn matches(item: &Item, words: &[String]) -> bool {
    let hay = [
        &item.name.zh,
        &item.name.en,
        &item.summary.zh,
        &item.summary.en,
        &item.department.name.zh,
        &item.department.name.en,
        &item.id,
        &item.code,
    ]
    .map(|s| s.to_lowercase())
    .join("\n");
    words.iter().all(|w| hay.contains(w))
}

/// Published items; `q`: words that must all occur in name, summary, department, id or code.
pub async fn list(app: &App, q: Option<String>) -> Result<ItemList, AppError> {
    let words: Vec<String> = q
        .unwrap_or_default()
        .chars()
        .take(QUERY_CHARS)
        .collect::<String>()
        .to_lowercase()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    app.read(|tx| {
        Box::pin(async move {
            let mut items = Vec::new();
            for (n, row) in catalogue::list_published(tx, "", LIST)
                .await?
                .into_iter()
                .enumerate()
            {
                let item = parsed(row)?;
                if matches(&item, &words) {
                    items.push(card(&item, n < POPULAR));
                }
            }
            Ok(ItemList { items })
        })
    })
    .await
}

/// The guide of one item.
pub async fn get(app: &App, id: String) -> Result<ItemView, AppError> {
    app.read(|tx| {
        Box::pin(async move {
            let (item, version) = item_in(tx, &id).await?;
            Ok(view(&item, version))
        })
    })
    .await
}

/// Compiles every published item's programs, so that the first form of the day does not wait.
pub async fn warm(app: &App) -> Result<(), AppError> {
    let rows = app
        .read(|tx| Box::pin(async move { Ok(catalogue::list_published(tx, "", LIST).await?) }))
        .await?;
    for row in rows {
        cel::warm(&parsed(row)?).await?;
    }
    Ok(())
}

/// Every finding about a document, or the item that may be published.
pub async fn check(doc: &str) -> Result<Item, AppError> {
    if doc.len() > DOCUMENT_BYTES {
        return Err(no("too_large"));
    }
    let item: Item = serde_json::from_str(doc).map_err(|_| no("body_invalid"))?;
    let mut findings: Vec<Rejected> = item.check().err().unwrap_or_default();
    findings.extend(cel::check_item(&item).await?);
    if findings.is_empty() {
        Ok(item)
    } else {
        Err(no("item_invalid").with_fields(findings))
    }
}

/// Checks and publishes a document as the item's version that it names. False: that version is published already and stays.
pub async fn publish(app: &App, actor: &str, doc: String) -> Result<bool, AppError> {
    let item = check(&doc).await?;
    let (id, version) = (item.id, i64::from(item.version));
    app.write(actor, move |tx, w| {
        let (id, doc) = (id.clone(), doc.clone());
        Box::pin(async move {
            if !catalogue::put(tx, &id, version, &doc).await?
                || !catalogue::publish(tx, &id, version, w.now).await?
            {
                return Ok(false);
            }
            w.audit(
                tx,
                "item.published",
                &id,
                serde_json::json!({"version": version}),
            )
            .await?;
            Ok(true)
        })
    })
    .await
}
