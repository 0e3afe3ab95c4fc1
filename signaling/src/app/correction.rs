//! The citizen's answer to a one-time notice: values and papers, only where the notice points.
//!
//! Owns which targets a notice opens and when it counts as answered. The form stays what was signed but for these fields; each
//! keeps its origin (typed by the citizen) and its confirmation in the ledger.

use super::{
    App, Caller, case_core,
    case_core::{CorrectionRecord, Open},
    case_view, cases, cel, files, forms,
};
use crate::problem::{AppError, no};
use domain::{
    case::{Rules, State},
    catalogue::Item,
    cofill::{self, Actor, Cmd, Ctx, Effect, Refusal, Role},
    error::Rejected,
    id::{CaseId, Id as _, MaterialId},
    identifiers::check_format,
    limits,
    material::{MediaType, check_room},
    pii::Pii,
    time::Timestamp,
};
use protocol::{CaseView, CorrectionPoint, Done, FieldValue, ReplyCorrection};
use serde_json::json;
use std::collections::BTreeSet;
use store::{Tx, material};

const NOTE_CHARS: usize = 500;
const NAME_CHARS: usize = 80;
const CODE_CHARS: usize = 64;

/// Where a point leads, as the file of the case writes it: a field, `/materials/<code>`, or nothing in particular. None: the item
/// knows no such target.
#[must_use]
pub fn pointer(item: &Item, target: Option<&str>) -> Option<String> {
    match target.map(str::trim).filter(|t| !t.is_empty()) {
        None => Some(String::new()),
        Some(t) if item.field(t).is_some() => Some(format!("/{}", t.replace('.', "/"))),
        Some(t) if item.material(t).is_some() => Some(format!("/materials/{t}")),
        Some(_) => None,
    }
}

fn code_of(code: &'static str) -> &'static str {
    match code {
        "value_type" | "value_option" => "field_kind",
        "value_too_long" => "field_too_long",
        other => other,
    }
}

/// Points that neither a value nor a paper answers; a word of explanation answers them all.
fn unanswered(
    points: &[CorrectionPoint],
    item: &Item,
    values: &[FieldValue],
    papers: &BTreeSet<String>,
    note: &str,
) -> Vec<Rejected> {
    if !note.trim().is_empty() {
        return vec![];
    }
    let open = |(i, p): (usize, &CorrectionPoint)| {
        let t = p.target.as_deref().unwrap_or_default();
        let done = if item.field(t).is_some() {
            values.iter().any(|v| v.path == t)
        } else {
            papers.contains(t)
        };
        (!done).then(|| {
            Rejected::at(
                "correction_incomplete",
                if t.is_empty() {
                    format!("/points/{i}")
                } else {
                    t.to_owned()
                },
            )
        })
    };
    points.iter().enumerate().filter_map(open).collect()
}

/// Writes the values as the citizen's own, confirmed: handing them in is the confirmation.
async fn write_values(
    d: &mut forms::Document,
    values: &[FieldValue],
    actor: &Actor,
    now: Timestamp,
) -> Result<(), AppError> {
    let mut doc = d.stored.doc.clone();
    let mut wrong: Vec<Rejected> = vec![];
    let mut run = |doc: &mut cofill::Doc, cel: &cofill::Evaluation, path: &str, cmd: Cmd| {
        let ctx = Ctx {
            item: &d.item,
            actor,
            now,
            cel,
            check: check_format,
        };
        match cofill::apply(doc.clone(), cmd, &ctx) {
            Ok((next, effects)) => {
                *doc = next;
                effects
            }
            Err(r) => {
                let code = match r {
                    Refusal::Stale { .. } => "field_stale",
                    Refusal::Rejected(r) => code_of(r.code),
                };
                wrong.push(Rejected::at(code, path));
                vec![]
            }
        }
    };
    let mut changed = vec![];
    for v in values {
        let base = doc.version_of(&v.path);
        let cmd = Cmd::Set {
            path: v.path.clone(),
            base_version: base,
            value: Pii::new(v.value.clone()),
        };
        changed.extend(run(&mut doc, &d.facts.evaluation, &v.path, cmd));
    }
    let facts = cel::facts(&d.item, &doc, now.beijing_date()).await?;
    for v in values {
        if doc.value(&v.path).is_none() {
            continue;
        }
        let version = doc.version_of(&v.path);
        run(
            &mut doc,
            &facts.evaluation,
            &v.path,
            Cmd::ConfirmField {
                path: v.path.clone(),
                version,
            },
        );
    }
    if !wrong.is_empty() {
        return Err(no("field_invalid").with_fields(wrong));
    }
    let next = d.row.version + 1;
    for e in changed {
        if let Effect::Changed { path, .. } = e {
            d.stored.changed_in.insert(path, next);
        }
    }
    d.stored.doc = doc;
    d.facts = facts;
    Ok(())
}

/// By the citizen: the answer. Every point needs its value or paper, or a note says why not.
///
/// Codes: `citizen_only`, `correction_target`, `correction_incomplete`, `correction_overdue`, `field_invalid` (with what is wrong
/// at which field), `text_too_long`, `illegal_transition`, `version_stale`.
pub async fn reply(
    app: &App,
    caller: &Caller,
    id: CaseId,
    body: ReplyCorrection,
) -> Result<CaseView, AppError> {
    if body.note.chars().count() > NOTE_CHARS {
        return Err(Rejected::at("text_too_long", "/note").into());
    }
    if body.values.len() > domain::catalogue::FIELDS_MAX {
        return Err(no("too_large"));
    }
    let version = body.version;
    let given = body.clone();
    cases::change(
        app,
        caller,
        &id,
        "correction_reply",
        version,
        &body,
        move |tx, w, o, v| {
            let body = given.clone();
            Box::pin(async move {
                if v.is_staff() {
                    return Err(no("citizen_only"));
                }
                if o.row.state != State::Correction {
                    return Err(no("illegal_transition"));
                }
                let mut record = o.correction()?.ok_or_else(|| no("illegal_transition"))?;
                let mut d = case_core::form_of(&w.app, tx, o).await?;
                let open: BTreeSet<&str> = record
                    .view
                    .points
                    .iter()
                    .filter_map(|p| p.target.as_deref())
                    .collect();
                let strange: Vec<Rejected> = body
                    .values
                    .iter()
                    .filter(|v| !open.contains(v.path.as_str()))
                    .map(|v| Rejected::at("correction_target", v.path.clone()))
                    .collect();
                if !strange.is_empty() {
                    return Err(no("correction_target").with_fields(strange));
                }
                let papers = new_papers(tx, o, &record).await?;
                let left = unanswered(
                    &record.view.points,
                    &d.item,
                    &body.values,
                    &papers,
                    &body.note,
                );
                if !left.is_empty() {
                    return Err(no("correction_incomplete").with_fields(left));
                }
                let actor = Actor {
                    role: Role::Citizen,
                    id: o.row.visit_id.to_string(),
                };
                if !body.values.is_empty() {
                    write_values(&mut d, &body.values, &actor, w.now).await?;
                    forms::keep(tx, w, &mut d).await?;
                }
                let applicant = o.as_applicant()?;
                o.apply(
                    tx,
                    w,
                    &applicant,
                    &Rules::default(),
                    domain::case::Cmd::SubmitCorrection,
                )
                .await?;
                record.view.answered_at = Some(w.now.rfc3339());
                record.note = body.note.trim().to_owned();
                record.changed = body.values.into_iter().map(|v| v.path).collect();
                o.put_correction(&record)?;
                o.row.corrected = true;
                let note = Some(record.note).filter(|n| !n.is_empty());
                o.event(tx, w, "corrected", note).await
            })
        },
    )
    .await
}

async fn new_papers(
    tx: &mut Tx,
    o: &Open,
    r: &CorrectionRecord,
) -> Result<BTreeSet<String>, AppError> {
    Ok(material::of_case(tx, &o.row.id)
        .await?
        .into_iter()
        .filter(|m| m.at >= r.noticed_at)
        .map(|m| m.code)
        .collect())
}

/// Materials that were put off (容缺) and have not come; nothing is issued before they do.
pub async fn deferred_missing(
    tx: &mut Tx,
    o: &Open,
    d: &forms::Document,
) -> Result<Vec<String>, AppError> {
    if d.facts.deferred.is_empty() {
        return Ok(vec![]);
    }
    let there: BTreeSet<String> = material::of_case(tx, &o.row.id)
        .await?
        .into_iter()
        .map(|m| m.code)
        .collect();
    Ok(d.facts
        .deferred
        .iter()
        .filter(|m| !there.contains(*m))
        .cloned()
        .collect())
}

/// Whether a paper may come in now: for a point of the open notice, or one that is missing and was put off.
async fn admits(app: &App, tx: &mut Tx, o: &Open, code: &str) -> Result<(), AppError> {
    if o.row.state == State::Correction {
        let record = o.correction()?.ok_or_else(|| no("illegal_transition"))?;
        // A general point may be answered by any paper of the item.
        let fits = record.view.points.iter().any(|p| {
            p.target
                .as_deref()
                .is_none_or(|t| t.is_empty() || t == code)
        });
        return if fits {
            Ok(())
        } else {
            Err(no("correction_target"))
        };
    }
    if !matches!(
        o.row.state,
        State::Accepted | State::InReview | State::Extended | State::Suspended | State::Granted
    ) {
        return Err(no("illegal_transition"));
    }
    let d = case_core::form_of(app, tx, o).await?;
    if deferred_missing(tx, o, &d).await?.iter().any(|c| c == code) {
        Ok(())
    } else {
        Err(no("illegal_transition"))
    }
}

/// By the citizen: a photo or PDF for the case.
///
/// Codes: `citizen_only`, `material_unknown`, `material_type`, `too_large`, `materials_full`, `correction_target`, `illegal_transition`.
pub async fn add_material(
    app: &App,
    caller: &Caller,
    id: CaseId,
    code: String,
    name: String,
    bytes: Vec<u8>,
) -> Result<CaseView, AppError> {
    if bytes.len() > limits::MATERIAL_BYTES {
        return Err(no("too_large"));
    }
    let media = MediaType::sniff(&bytes).ok_or_else(|| no("material_type"))?;
    if code.is_empty() || code.len() > CODE_CHARS {
        return Err(no("material_unknown"));
    }
    let name: String = name.trim().chars().take(NAME_CHARS).collect();
    let who = caller.who.clone();
    let (a, who2, id2, code2) = (app.clone(), who.clone(), id.clone(), code.clone());
    let key = app
        .read(|tx| {
            Box::pin(async move {
                let o = case_core::open(&a, tx, &id2, false).await?;
                if case_core::viewer(tx, &who2, &o.row).await?.is_staff() {
                    return Err(no("citizen_only"));
                }
                admits(&a, tx, &o, &code2).await?;
                Ok(o.key)
            })
        })
        .await?;
    let size = bytes.len();
    let sm3 = files::put(app, &key, bytes).await?;
    let (who, case, print) = (
        caller.who.clone(),
        id.clone(),
        json!({"code": code, "sm3": sm3}),
    );
    app.command(
        caller,
        &format!("cases.materials:{id}"),
        &print,
        move |tx, w| {
            let (who, case, code, name, sm3) = (
                who.clone(),
                case.clone(),
                code.clone(),
                name.clone(),
                sm3.clone(),
            );
            Box::pin(async move {
                let app = w.app.clone();
                let o = case_core::open(&app, tx, &case, true).await?;
                if case_core::viewer(tx, &who, &o.row).await?.is_staff() {
                    return Err(no("citizen_only"));
                }
                admits(&app, tx, &o, &code).await?;
                let held = material::count_of_case(tx, &case).await?;
                check_room(usize::try_from(held).unwrap_or(usize::MAX))
                    .map_err(|_| no("materials_full"))?;
                let d = case_core::form_of(&app, tx, &o).await?;
                let spec = d
                    .item
                    .material(&code)
                    .ok_or_else(|| no("material_unknown"))?;
                files::record(tx, w, &o.row.key_id, &sm3, size, media.as_str()).await?;
                let row = material::Material {
                    id: w.id::<MaterialId>(),
                    session_id: Some(o.row.session_id.clone()),
                    case_id: Some(case.clone()),
                    key_id: o.row.key_id.clone(),
                    code,
                    name_zh: if name.is_empty() {
                        spec.name.zh.clone()
                    } else {
                        name
                    },
                    name_en: spec.name.en.clone(),
                    source: "upload".into(),
                    media_type: media.as_str().into(),
                    bytes: i64::try_from(size).unwrap_or(i64::MAX),
                    sm3,
                    trust: "C".into(),
                    licence_id: None,
                    added_by: w.actor.clone(),
                    at: w.now,
                    removed_at: None,
                };
                material::insert(tx, &row).await?;
                w.audit(
                    tx,
                    "case.material_added",
                    case.as_str(),
                    json!({"material": row.id.as_str(), "sm3": row.sm3}),
                )
                .await?;
                o.event(tx, w, "material_added", None).await?;
                w.wake(&case);
                Ok(Done {})
            })
        },
    )
    .await?;
    case_view::get(app, &caller.who, id).await
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use protocol::Bilingual;

    fn item() -> Item {
        serde_json::from_str(include_str!("../../demo/catalogue/no-criminal-record.json")).unwrap()
    }
    fn point(target: Option<&str>) -> CorrectionPoint {
        CorrectionPoint {
            target: target.map(str::to_owned),
            text: Bilingual {
                zh: "请补".into(),
                en: String::new(),
            },
        }
    }

    #[test]
    fn targets_are_fields_and_materials_of_the_item() {
        let i = item();
        assert_eq!(
            pointer(&i, Some("purpose.recipient")).as_deref(),
            Some("/purpose/recipient")
        );
        assert_eq!(
            pointer(&i, Some("purpose-proof")).as_deref(),
            Some("/materials/purpose-proof")
        );
        assert_eq!(pointer(&i, None).as_deref(), Some(""));
        assert_eq!(pointer(&i, Some("../x")), None);
    }

    #[test]
    fn each_point_wants_its_answer_or_a_note() {
        let i = item();
        let points = [
            point(Some("purpose.recipient")),
            point(Some("purpose-proof")),
            point(None),
        ];
        let value = [FieldValue {
            path: "purpose.recipient".into(),
            value: json!("湖南大学"),
        }];
        let papers = BTreeSet::from(["purpose-proof".to_owned()]);
        let open = |v: &[FieldValue], p: &BTreeSet<String>, n: &str| {
            unanswered(&points, &i, v, p, n)
                .into_iter()
                .filter_map(|r| r.pointer)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            open(&[], &BTreeSet::new(), ""),
            ["purpose.recipient", "purpose-proof", "/points/2"]
        );
        assert_eq!(open(&value, &papers, ""), ["/points/2"]);
        assert!(open(&value, &papers, "已说明").is_empty());
    }
}
