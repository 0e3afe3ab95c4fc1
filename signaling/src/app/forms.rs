//! Co-filling (帮填): one form a session, filled by citizen and agent together, field by field.
//!
//! Owns the sealed document's row, who may write it, and the way from a domain command to journal and wake-up. What a value may
//! be is the domain's (`cofill`), what each viewer sees is `form_view`'s. Every change voids a signature; after hand-off nothing changes here.

use super::{
    App, Caller, Work,
    call_flow::{journal, live},
    catalogue::{self, ItemRef},
    cel, consents, form_view, signing,
    token::Principal,
    vault::DataKey,
};
use crate::problem::{AppError, no};
use domain::{
    cofill::{self, Actor, Cmd, Ctx, Doc, Effect, Field, Refusal, view},
    error::Rejected,
    id::{Id as _, SessionId},
    identifiers::check_format,
    pii::Pii,
    session::Role,
};
use protocol::{CommandReply, EventBody, FieldCurrent, FormView, MemberRole};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use store::{Tx, form, session};

/// What is sealed in the row: the document (readable as such), and what confirmation needs beside it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stored {
    #[serde(flatten)]
    pub doc: Doc,
    /// Path → version of the form in which it last changed: a group is confirmed as it stood on the citizen's screen.
    #[serde(default)]
    pub changed_in: BTreeMap<String, i64>,
    /// Groups where the citizen pressed 有不对的.
    #[serde(default)]
    pub disputed: BTreeSet<String>,
}

/// A form as it stands, opened.
pub struct Document {
    pub row: form::Form,
    pub stored: Stored,
    pub item: ItemRef,
    pub facts: cel::Facts,
    pub key: DataKey,
}

impl Document {
    #[must_use]
    pub const fn doc(&self) -> &Doc {
        &self.stored.doc
    }
}

/// The form of a session (and later of its case), with what CEL says of it; none before one was opened.
pub async fn document(
    app: &App,
    tx: &mut Tx,
    id: &SessionId,
) -> Result<Option<Document>, AppError> {
    let Some(row) = form::get(tx, id).await? else {
        return Ok(None);
    };
    let key = app.vault.key(tx, &row.key_id).await?;
    let stored: Stored = key.open(&row.doc_enc)?;
    let item = catalogue::item_at(tx, &row.item, row.item_version).await?;
    let facts = cel::facts(&item, &stored.doc, app.now().beijing_date()).await?;
    Ok(Some(Document {
        row,
        stored,
        item,
        facts,
        key,
    }))
}

/// Keeps a changed document; a lost race is run again.
pub async fn keep(tx: &mut Tx, w: &Work, d: &mut Document) -> Result<(), AppError> {
    d.row.doc_enc = d.key.seal(&d.stored)?;
    d.row.updated_at = w.now;
    if !form::save(tx, &d.row).await? {
        return Err(store::StoreError::Retry.into());
    }
    d.row.version += 1;
    Ok(())
}

/// Who fills, in the form's words. Guests and supervisors only look.
fn actor(me: &session::Member) -> Result<Actor, AppError> {
    let role = match me.role {
        Role::Citizen => cofill::Role::Citizen,
        Role::Agent => cofill::Role::Agent,
        Role::Guest | Role::Supervisor => return Err(no("role_missing")),
    };
    Ok(Actor {
        role,
        id: me.id.to_string(),
    })
}

/// Refuses what comes after the hand-off.
pub fn thawed(s: &session::Session) -> Result<(), AppError> {
    if s.case_id.is_some() {
        Err(no("form_frozen"))
    } else {
        Ok(())
    }
}

pub(super) const fn by_view(role: cofill::Role) -> MemberRole {
    match role {
        cofill::Role::Citizen => MemberRole::Citizen,
        // Values of the server itself reach the form at the agent's request.
        cofill::Role::Agent | cofill::Role::System => MemberRole::Agent,
    }
}

/// The domain's codes in the words of the wire.
fn refused(r: Refusal, d: &Document, me: &session::Member) -> AppError {
    match r {
        Refusal::Stale { path, current } => {
            let view = current.as_deref().map(|f: &Field| {
                (
                    form_view::clear_for(&path, f, &d.item, me),
                    by_view(f.actor.role),
                )
            });
            let (value, version, by) = view.map_or(
                (serde_json::Value::Null, 0, MemberRole::Agent),
                |(v, by)| (v.value.into_inner(), v.version, by),
            );
            let current = FieldCurrent {
                path: path.clone(),
                value,
                version: i64::try_from(version).unwrap_or(i64::MAX),
                by,
            };
            let e: AppError = Rejected::at("field_stale", path).into();
            e.with_current(serde_json::to_value(current).unwrap_or_default())
        }
        Refusal::Rejected(r) => {
            let code = match r.code {
                "value_type" | "value_option" => "field_kind",
                "value_too_long" => "field_too_long",
                "value_characters" => "field_characters",
                "masked_value" => "field_masked",
                "citizen_confirms" => "citizen_only",
                "field_required" | "field_problem" | "rule_failed" | "group_empty" => {
                    "confirm_incomplete"
                }
                other => other,
            };
            Rejected {
                code,
                pointer: r.pointer,
            }
            .into()
        }
    }
}

/// Runs a domain command on an opened form: document, confirmation bookkeeping, row, signature, wake-up. The journal is the caller's.
pub async fn apply(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
    me: &session::Member,
    as_actor: &Actor,
    d: &mut Document,
    cmd: Cmd,
) -> Result<Vec<Effect>, AppError> {
    let ctx = Ctx {
        item: &d.item,
        actor: as_actor,
        now: w.now,
        cel: &d.facts.evaluation,
        check: check_format,
    };
    let (doc, effects) = match cofill::apply(d.stored.doc.clone(), cmd, &ctx) {
        Ok(done) => done,
        Err(r) => return Err(refused(r, d, me)),
    };
    if effects.iter().all(|e| matches!(e, Effect::Kept { .. })) {
        return Ok(effects);
    }
    d.stored.doc = doc;
    let next = d.row.version + 1;
    for e in &effects {
        match e {
            Effect::Changed { path, .. } => {
                d.stored.changed_in.insert(path.clone(), next);
            }
            Effect::GroupConfirmed { group } => {
                d.stored.disputed.remove(group);
            }
            Effect::GroupDisputed { group } => {
                d.stored.disputed.insert(group.clone());
            }
            Effect::Kept { .. } | Effect::Confirmed { .. } | Effect::Unconfirmed { .. } => {}
        }
    }
    keep(tx, w, d).await?;
    signing::void(tx, w, s).await?;
    session::touch(tx, &s.id).await?;
    w.wake(&s.id);
    Ok(effects)
}

/// The caller, the session and its form, ready for a command.
async fn begin(
    tx: &mut Tx,
    w: &Work,
    who: &Principal,
    id: &SessionId,
) -> Result<(session::Session, session::Member, Actor, Document), AppError> {
    let (s, me) = live(tx, who, id).await?;
    let actor = actor(&me)?;
    thawed(&s)?;
    let d = document(&w.app, tx, id)
        .await?
        .ok_or_else(|| no("form_not_open"))?;
    Ok((s, me, actor, d))
}

/// By the agent: an item's form on both screens. The same item again changes nothing; another one only while nothing is filled.
///
/// Codes: `agent_only`, `item_unknown`, `form_open_other`, `form_frozen`.
pub async fn open(
    app: &App,
    caller: &Caller,
    id: SessionId,
    item: String,
) -> Result<CommandReply, AppError> {
    // Compiling takes longer than a transaction may.
    let name = item.clone();
    let (found, _) = app
        .read(|tx| Box::pin(async move { catalogue::item_in(tx, &name).await }))
        .await?;
    cel::warm(&found).await?;
    let who = caller.who.clone();
    app.command(
        caller,
        &format!("form_open:{id}"),
        &json!({"item": item}),
        move |tx, w| {
            let (id, who, item) = (id.clone(), who.clone(), item.clone());
            Box::pin(async move {
                let (mut s, me) = live(tx, &who, &id).await?;
                if me.role != Role::Agent {
                    return Err(no("agent_only"));
                }
                thawed(&s)?;
                let (found, version) = catalogue::item_in(tx, &item).await?;
                let stored = Stored {
                    doc: Doc::new(&found),
                    changed_in: BTreeMap::new(),
                    disputed: BTreeSet::new(),
                };
                match document(&w.app, tx, &id).await? {
                    Some(d) if d.row.item == item => return Ok(CommandReply::Done {}),
                    Some(d) if d.doc().fields.values().any(|f| !f.is_empty()) => {
                        return Err(no("form_open_other"));
                    }
                    Some(mut d) => {
                        // What was asked for the other item is not asked any more.
                        consents::lapse_all(tx, w, &s).await?;
                        d.row.item.clone_from(&item);
                        d.row.item_version = version;
                        d.stored = stored;
                        keep(tx, w, &mut d).await?;
                    }
                    None => {
                        let doc_enc = w.app.vault.key(tx, &s.key_id).await?.seal(&stored)?;
                        let row = form::Form {
                            id: id.clone(),
                            item: item.clone(),
                            item_version: version,
                            key_id: s.key_id.clone(),
                            doc_enc,
                            version: 1,
                            updated_at: w.now,
                        };
                        form::insert(tx, &row).await?;
                    }
                }
                s.item = Some(item.clone());
                s.item_version = Some(version);
                if !session::save(tx, &s).await? {
                    return Err(store::StoreError::Retry.into());
                }
                w.audit(
                    tx,
                    "form.opened",
                    id.as_str(),
                    json!({"item": item, "version": version}),
                )
                .await?;
                journal(tx, w, &s, Some(&me.id), &EventBody::FormOpened { item }).await?;
                Ok(CommandReply::Done {})
            })
        },
    )
    .await
}

/// A value, typed. A stale base is `field_stale` with the value that stands, masked for the caller.
///
/// Codes: `form_not_open`, `form_frozen`, `field_unknown`, `field_hidden`, `citizen_only`, `field_kind`, `field_too_long`,
/// `field_characters`, `field_masked`, `field_stale`. A wrong number or a failing rule is no refusal: it stands at the field.
pub async fn set(
    app: &App,
    caller: &Caller,
    id: SessionId,
    path: String,
    base_version: i64,
    value: serde_json::Value,
) -> Result<CommandReply, AppError> {
    let who = caller.who.clone();
    // The stored hash of the body is keyed: a plain one would give short values away.
    let body = json!({"path": path, "base": base_version, "value": app.vault.secret_hash(&value.to_string())});
    let value = Pii::new(value);
    let base = u64::try_from(base_version).map_err(|_| no("body_invalid"))?;
    app.command(caller, &format!("form_set:{id}"), &body, move |tx, w| {
        let (id, who, path, value) = (id.clone(), who.clone(), path.clone(), value.clone());
        Box::pin(async move {
            let (s, me, actor, mut d) = begin(tx, w, &who, &id).await?;
            let cmd = Cmd::Set {
                path: path.clone(),
                base_version: base,
                value,
            };
            let effects = apply(tx, w, &s, &me, &actor, &mut d, cmd).await?;
            let version = i64::try_from(d.doc().version_of(&path)).unwrap_or(i64::MAX);
            if !effects.is_empty() {
                journal(
                    tx,
                    w,
                    &s,
                    Some(&me.id),
                    &EventBody::FieldSet {
                        path: path.clone(),
                        version,
                    },
                )
                .await?;
            }
            Ok(CommandReply::FieldVersion { path, version })
        })
    })
    .await
}

/// By the citizen: 都对, for a group as it stood in the form's version on their screen.
///
/// Codes: `citizen_only`, `group_unknown`, `confirm_incomplete` (at the field), `field_stale`.
pub async fn confirm(
    app: &App,
    caller: &Caller,
    id: SessionId,
    group: String,
    form_version: i64,
) -> Result<CommandReply, AppError> {
    let who = caller.who.clone();
    app.command(
        caller,
        &format!("form_confirm:{id}"),
        &json!({"group": group, "version": form_version}),
        move |tx, w| {
            let (id, who, group) = (id.clone(), who.clone(), group.clone());
            Box::pin(async move {
                let (s, me, actor, mut d) = begin(tx, w, &who, &id).await?;
                let fields = d
                    .item
                    .group(&group)
                    .ok_or_else(|| no("group_unknown"))?
                    .fields
                    .clone();
                let seen = fields
                    .into_iter()
                    .filter(|p| d.stored.changed_in.get(p).copied().unwrap_or(0) <= form_version)
                    .map(|p| {
                        let v = d.doc().version_of(&p);
                        (p, v)
                    })
                    .collect();
                apply(
                    tx,
                    w,
                    &s,
                    &me,
                    &actor,
                    &mut d,
                    Cmd::ConfirmGroup {
                        group: group.clone(),
                        seen,
                    },
                )
                .await?;
                journal(
                    tx,
                    w,
                    &s,
                    Some(&me.id),
                    &EventBody::GroupConfirmed { group },
                )
                .await?;
                Ok(CommandReply::Done {})
            })
        },
    )
    .await
}

/// By the citizen: one deciding fact.
///
/// Codes: `citizen_only`, `field_hidden`, `confirm_incomplete`, `field_stale`.
pub async fn confirm_field(
    app: &App,
    caller: &Caller,
    id: SessionId,
    path: String,
    field_version: i64,
) -> Result<CommandReply, AppError> {
    let who = caller.who.clone();
    let version = u64::try_from(field_version).map_err(|_| no("body_invalid"))?;
    app.command(
        caller,
        &format!("form_confirm_field:{id}"),
        &json!({"path": path, "version": field_version}),
        move |tx, w| {
            let (id, who, path) = (id.clone(), who.clone(), path.clone());
            Box::pin(async move {
                let (s, me, actor, mut d) = begin(tx, w, &who, &id).await?;
                let effects = apply(
                    tx,
                    w,
                    &s,
                    &me,
                    &actor,
                    &mut d,
                    Cmd::ConfirmField {
                        path: path.clone(),
                        version,
                    },
                )
                .await?;
                if !effects.is_empty() {
                    journal(tx, w, &s, Some(&me.id), &EventBody::FieldConfirmed { path }).await?;
                }
                Ok(CommandReply::Done {})
            })
        },
    )
    .await
}

/// By the citizen: 有不对的; the group's confirmations are taken back and the agent sees it.
pub async fn dispute(
    app: &App,
    caller: &Caller,
    id: SessionId,
    group: String,
) -> Result<CommandReply, AppError> {
    let who = caller.who.clone();
    app.command(
        caller,
        &format!("form_dispute:{id}"),
        &json!({"group": group}),
        move |tx, w| {
            let (id, who, group) = (id.clone(), who.clone(), group.clone());
            Box::pin(async move {
                let (s, me, actor, mut d) = begin(tx, w, &who, &id).await?;
                apply(
                    tx,
                    w,
                    &s,
                    &me,
                    &actor,
                    &mut d,
                    Cmd::Unconfirm {
                        group: group.clone(),
                    },
                )
                .await?;
                journal(tx, w, &s, Some(&me.id), &EventBody::GroupDisputed { group }).await?;
                Ok(CommandReply::Done {})
            })
        },
    )
    .await
}

/// The form as this member may see it; none before one was opened.
pub async fn view_in(
    app: &App,
    tx: &mut Tx,
    s: &session::Session,
    me: &session::Member,
) -> Result<Option<FormView>, AppError> {
    let Some(d) = document(app, tx, &s.id).await? else {
        return Ok(None);
    };
    form_view::build(tx, s, &d, form_view::Viewer::of(me))
        .await
        .map(Some)
}

/// The same for whoever asks; `not_a_member` for strangers.
pub async fn view(app: &App, who: &Principal, id: SessionId) -> Result<Option<FormView>, AppError> {
    let (a, who) = (app.clone(), who.clone());
    app.read(|tx| {
        Box::pin(async move {
            let (s, _, me) = super::call_flow::membership(tx, &who, &id).await?;
            super::call_flow::allowed(&me, domain::invite::Permission::ReadForm)?;
            view_in(&a, tx, &s, &me).await
        })
    })
    .await
}

/// The form as those see it who are entitled to all of it: officials who decide the case, and the citizen on the phone.
pub async fn view_entitled(
    app: &App,
    tx: &mut Tx,
    s: &session::Session,
) -> Result<Option<FormView>, AppError> {
    let Some(d) = document(app, tx, &s.id).await? else {
        return Ok(None);
    };
    form_view::build(tx, s, &d, form_view::Viewer::Official)
        .await
        .map(Some)
}

/// 填写台账: filled and visible fields in page order, with value, origin and confirmation. Empty before a form was opened.
pub async fn ledger(
    app: &App,
    tx: &mut Tx,
    id: &SessionId,
) -> Result<Vec<view::LedgerEntry>, AppError> {
    Ok(document(app, tx, id)
        .await?
        .map(|d| view::ledger_to_sign(d.doc(), &d.item, &d.facts.evaluation))
        .unwrap_or_default())
}
