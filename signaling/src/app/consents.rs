//! Consent (授权): the agent asks, the citizen answers on their own screen, and what was released fills the form at once.
//!
//! Owns the way from question to reading: one transaction holds grant, access record, values and use (PIPL §14, §15). Before a grant
//! nobody learns whether the citizen holds a licence. A refusal changes nothing but the question itself.

use super::{
    App, Caller, Work,
    call_flow::{journal, live},
    forms, licence_copy,
    licences::{self, Found, Opened, Query},
};
use crate::problem::{AppError, no};
use domain::{
    catalogue::{FieldType, Item},
    cofill::{self, Actor, Cmd as FormCmd, Effect, LicenceSource, check::normalise},
    consent::{Cmd, Consent, Purpose, Scope, State, Who},
    error::Rejected,
    id::{ConsentId, Id as _, SessionId},
    identifiers::Uscc,
    pii::Pii,
    session::Role,
};
use protocol::{CommandReply, EventBody};
use serde_json::{Value, json};
use store::{Tx, consent, session, visit};

pub use super::consent_view::views;

/// Version of the privacy notice that the pages show; a consent names the one that was read.
pub const POLICY_VERSION: &str = "2026-11";
/// Questions of one session.
const ASKED_MAX: usize = 50;

/// The row as the domain knows it.
fn domain_of(c: &consent::Consent) -> Result<Consent, AppError> {
    Ok(Consent {
        id: c.id.clone(),
        scope: Scope {
            session: c.session_id.clone(),
            visit: c.visit_id.clone(),
            item: c.item.clone(),
            item_version: 0,
            purpose: Purpose::parse(&c.purpose).ok_or_else(|| no("internal"))?,
            licence_type: c.licence_type.clone(),
            attributes: c.fields.clone(),
            asked_by: c.asked_by.clone(),
            policy_version: c.policy_version.clone(),
        },
        state: c.state,
        version: 1,
        asked_at: c.asked_at,
        answered_at: c.decided_at,
        expires_at: c.expires_at,
        ended_at: None,
    })
}

fn refused(r: Rejected) -> AppError {
    match r.code {
        "illegal_transition" => no("consent_state"),
        "consent_not_yours" => no("citizen_only"),
        "consent_expired" => no("consent_required"),
        _ => r.into(),
    }
}

/// Moves the row by the domain's rules; a lost race is run again.
async fn step(
    tx: &mut Tx,
    w: &Work,
    row: &mut consent::Consent,
    who: &Who,
    cmd: &Cmd,
) -> Result<(), AppError> {
    let was = row.state;
    let (c, _) = domain_of(row)?.apply(w.now, who, cmd).map_err(refused)?;
    row.state = c.state;
    row.decided_at = c.answered_at.or(row.decided_at).or(Some(w.now));
    row.expires_at = c.expires_at;
    if c.state == State::Used {
        row.used_at = Some(w.now);
    }
    if consent::save(tx, row, was).await? {
        Ok(())
    } else {
        Err(store::StoreError::Retry.into())
    }
}

/// What one licence type is wanted for in an item: purpose and attributes. None: the item does not use it.
fn wanted(
    item: &Item,
    licence_type: &str,
    kind: &licences::Type,
) -> Option<(Purpose, Vec<String>)> {
    let mut attributes: Vec<String> = Vec::new();
    for (_, a) in item.mapped_from(licence_type) {
        if !attributes.iter().any(|x| x == a) {
            attributes.push(a.to_owned());
        }
    }
    let paper = item
        .materials
        .iter()
        .any(|m| m.licence_type.as_deref() == Some(licence_type));
    match (attributes.is_empty(), paper) {
        (false, true) => Some((Purpose::PrefillWithCopy, attributes)),
        (false, false) => Some((Purpose::Prefill, attributes)),
        // The sheet lists what the copy will show.
        (true, true) => Some((
            Purpose::Copy,
            kind.doc.attributes.iter().map(|a| a.id.clone()).collect(),
        )),
        (true, false) => None,
    }
}

/// By the agent: a question to the citizen. One open question a licence type.
///
/// Codes: `agent_only`, `form_not_open`, `form_frozen`, `licence_type_unknown`, `company_required`, `identity_required`, `consent_open`, `slow_down`.
pub async fn ask(
    app: &App,
    caller: &Caller,
    id: SessionId,
    licence_type: String,
    company: Option<String>,
) -> Result<CommandReply, AppError> {
    let who = caller.who.clone();
    app.command(
        caller,
        &format!("consent_ask:{id}"),
        &json!({"licence_type": licence_type, "company": company}),
        move |tx, w| {
            let (id, who, licence_type, company) = (
                id.clone(),
                who.clone(),
                licence_type.clone(),
                company.clone(),
            );
            Box::pin(async move {
                let (s, me) = live(tx, &who, &id).await?;
                if me.role != Role::Agent {
                    return Err(no("agent_only"));
                }
                forms::thawed(&s)?;
                let d = forms::document(&w.app, tx, &id)
                    .await?
                    .ok_or_else(|| no("form_not_open"))?;
                let types = licences::types(tx).await?;
                let kind = types
                    .get(&licence_type)
                    .ok_or_else(|| no("licence_type_unknown"))?;
                let (purpose, attributes) = wanted(&d.item, &licence_type, kind)
                    .ok_or_else(|| no("licence_type_unknown"))?;
                let company = if kind.of_company() {
                    Some(company_code(&d, company)?)
                } else {
                    None
                };
                let v = visit::get(tx, &s.visit_id)
                    .await?
                    .ok_or_else(|| no("visit_ended"))?;
                let open = consent::of_session(tx, &id).await?;
                if open
                    .iter()
                    .any(|c| c.state == State::Asked && c.licence_type == licence_type)
                {
                    return Err(no("consent_open"));
                }
                if open.len() >= ASKED_MAX {
                    return Err(no("slow_down"));
                }
                let scope = Scope {
                    session: id.clone(),
                    visit: s.visit_id.clone(),
                    item: d.item.id.clone(),
                    item_version: d.item.version,
                    purpose,
                    licence_type,
                    attributes,
                    asked_by: me.id.clone(),
                    policy_version: POLICY_VERSION.to_owned(),
                };
                let c = Consent::ask(w.id(), scope, v.citizen_index.is_some(), w.now)?;
                let row = consent::Consent {
                    id: c.id,
                    session_id: c.scope.session,
                    visit_id: c.scope.visit,
                    licence_type: c.scope.licence_type,
                    company,
                    item: c.scope.item,
                    fields: c.scope.attributes,
                    purpose: purpose.as_str().to_owned(),
                    policy_version: c.scope.policy_version,
                    state: c.state,
                    asked_by: c.scope.asked_by,
                    asked_at: c.asked_at,
                    decided_at: None,
                    used_at: None,
                    expires_at: None,
                    outcome: None,
                };
                consent::insert(tx, &row).await?;
                session::touch(tx, &id).await?;
                w.audit(
                    tx,
                    "consent.asked",
                    row.id.as_str(),
                    json!({"licence_type": row.licence_type, "purpose": row.purpose}),
                )
                .await?;
                journal(
                    tx,
                    w,
                    &s,
                    Some(&me.id),
                    &EventBody::ConsentAsked {
                        consent: row.id.to_string(),
                    },
                )
                .await?;
                Ok(CommandReply::Consent {
                    consent: row.id.to_string(),
                })
            })
        },
    )
    .await
}

/// The code that was given, or the one that stands in the form.
fn company_code(d: &forms::Document, given: Option<String>) -> Result<String, AppError> {
    let typed = || {
        d.item
            .fields
            .iter()
            .find(|f| f.kind == FieldType::Uscc)
            .and_then(|f| d.doc().value(&f.path))
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let code = given
        .filter(|c| !c.trim().is_empty())
        .or_else(typed)
        .ok_or_else(|| no("company_required"))?;
    Uscc::parse(&code)
        .map(|u| u.as_str().to_owned())
        .map_err(|_| no("company_required"))
}

/// By the citizen. A grant is carried out at once, in the same transaction; a copy of the licence follows as a material.
///
/// Codes: `citizen_only`, `not_found`, `consent_state`, `form_frozen`.
pub async fn answer(
    app: &App,
    caller: &Caller,
    id: SessionId,
    consent_id: ConsentId,
    grant: bool,
) -> Result<CommandReply, AppError> {
    let (who, sid, cid) = (caller.who.clone(), id.clone(), consent_id.clone());
    let reply = app
        .command(
            caller,
            &format!("consent_answer:{id}"),
            &json!({"consent": consent_id.to_string(), "grant": grant}),
            move |tx, w| {
                let (id, who, cid) = (sid.clone(), who.clone(), cid.clone());
                Box::pin(async move {
                    let (s, me) = live(tx, &who, &id).await?;
                    if me.role != Role::Citizen {
                        return Err(no("citizen_only"));
                    }
                    forms::thawed(&s)?;
                    let mut row = consent::get(tx, &cid)
                        .await?
                        .filter(|c| c.session_id == id)
                        .ok_or_else(|| no("not_found"))?;
                    let citizen = Who::Citizen {
                        session: id.clone(),
                        visit: s.visit_id.clone(),
                    };
                    let consent = row.id.to_string();
                    if grant {
                        step(tx, w, &mut row, &citizen, &Cmd::Grant).await?;
                        w.audit(tx, "consent.granted", &consent, json!({})).await?;
                        journal(
                            tx,
                            w,
                            &s,
                            Some(&me.id),
                            &EventBody::ConsentGranted { consent },
                        )
                        .await?;
                        carry_out(tx, w, &s, &me, &citizen, &mut row).await?;
                    } else {
                        step(tx, w, &mut row, &citizen, &Cmd::Refuse).await?;
                        w.audit(tx, "consent.refused", &consent, json!({})).await?;
                        journal(
                            tx,
                            w,
                            &s,
                            Some(&me.id),
                            &EventBody::ConsentRefused { consent },
                        )
                        .await?;
                    }
                    session::touch(tx, &id).await?;
                    w.wake(&id);
                    Ok(CommandReply::Done {})
                })
            },
        )
        .await?;
    if grant && let Err(e) = licence_copy::attach(app, &id, &consent_id).await {
        // The form is filled; only the paper is missing, and `missing` says so.
        tracing::error!(code = e.code(), consent = %consent_id, "a licence copy could not be made");
    }
    Ok(reply)
}

/// The one reading that the grant allows.
async fn carry_out(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
    me: &session::Member,
    citizen: &Who,
    row: &mut consent::Consent,
) -> Result<(), AppError> {
    let v = visit::get(tx, &s.visit_id)
        .await?
        .ok_or_else(|| no("visit_ended"))?;
    let index = v.citizen_index.ok_or_else(|| no("identity_required"))?;
    let mut d = forms::document(&w.app, tx, &s.id)
        .await?
        .filter(|d| d.row.item == row.item)
        .ok_or_else(|| no("form_not_open"))?;
    let cause = licences::cause(&d.item.name.zh)?;
    // The citizen allowed it; the one who reads is the agent who asked.
    let actor = row.asked_by.to_string();
    let query = Query {
        session: &s.id,
        visit: &s.visit_id,
        consent: &row.id,
        licence_type: &row.licence_type,
        citizen_index: &index,
        company: row.company.as_deref(),
        attributes: &row.fields,
        cause: &cause,
        actor: &actor,
        today: w.now.beijing_date(),
    };
    let (opened, word) = match licences::library().open(w, tx, &query).await? {
        Found::Licence(o) => (Some(o), "filled"),
        Found::Nothing => (None, "nothing_found"),
        Found::NotEntitled => (None, "not_entitled"),
    };
    let purpose = domain_of(row)?.scope.purpose;
    // The one look that was allowed has been taken, whatever it brought: another needs another grant.
    let used = Cmd::Use {
        purpose,
        licence_type: row.licence_type.clone(),
        attributes: row.fields.clone(),
    };
    row.outcome = Some(word.to_owned());
    step(tx, w, row, citizen, &used).await?;
    let Some(opened) = opened else { return Ok(()) };
    if purpose == Purpose::Copy {
        return Ok(());
    }
    let cmd = FormCmd::Prefill {
        values: values_of(&d.item, row, &opened),
        licence: source_of(row, &opened),
    };
    let server = Actor {
        role: cofill::Role::System,
        id: row.asked_by.to_string(),
    };
    let effects = forms::apply(tx, w, s, me, &server, &mut d, cmd).await?;
    let paths = effects
        .into_iter()
        .filter_map(|e| {
            if let Effect::Changed { path, .. } = e {
                Some(path)
            } else {
                None
            }
        })
        .collect();
    journal(
        tx,
        w,
        s,
        Some(&me.id),
        &EventBody::Prefilled {
            consent: row.id.to_string(),
            paths,
        },
    )
    .await?;
    Ok(())
}

fn source_of(row: &consent::Consent, o: &Opened) -> LicenceSource {
    LicenceSource {
        licence_id: o.id.clone(),
        licence_type: row.licence_type.clone(),
        version: format!("{:03}", o.version),
        consent_id: row.id.clone(),
        date: o.issued_on.clone(),
    }
}

/// The released attributes as the form's values; what the form cannot hold is left for the citizen to type.
fn values_of(item: &Item, row: &consent::Consent, o: &Opened) -> Vec<(String, Pii<Value>)> {
    let value = |f: &domain::catalogue::Field, text: &str| {
        let v = match f.kind {
            FieldType::Integer => json!(text.trim().parse::<i64>().ok()?),
            FieldType::Boolean => json!(matches!(text, "true" | "是" | "1")),
            _ => json!(text),
        };
        normalise(f, v).ok().filter(|v| !v.is_null())
    };
    item.mapped_from(&row.licence_type)
        .filter(|(_, a)| row.fields.iter().any(|x| x == a))
        .filter_map(|(f, a)| {
            Some((
                f.path.clone(),
                Pii::new(value(f, o.data.attributes.get(a)?.expose())?),
            ))
        })
        .collect()
}

/// By the citizen: a grant that was not used yet is taken back. Codes: `citizen_only`, `not_found`, `consent_state`.
pub async fn withdraw(
    app: &App,
    caller: &Caller,
    id: SessionId,
    consent_id: ConsentId,
) -> Result<CommandReply, AppError> {
    let who = caller.who.clone();
    app.command(
        caller,
        &format!("consent_withdraw:{id}"),
        &json!({"consent": consent_id.to_string()}),
        move |tx, w| {
            let (id, who, cid) = (id.clone(), who.clone(), consent_id.clone());
            Box::pin(async move {
                let (s, me) = live(tx, &who, &id).await?;
                if me.role != Role::Citizen {
                    return Err(no("citizen_only"));
                }
                let mut row = consent::get(tx, &cid)
                    .await?
                    .filter(|c| c.session_id == id)
                    .ok_or_else(|| no("not_found"))?;
                let citizen = Who::Citizen {
                    session: id.clone(),
                    visit: s.visit_id.clone(),
                };
                step(tx, w, &mut row, &citizen, &Cmd::Withdraw).await?;
                session::touch(tx, &id).await?;
                w.audit(tx, "consent.withdrawn", row.id.as_str(), json!({}))
                    .await?;
                journal(
                    tx,
                    w,
                    &s,
                    Some(&me.id),
                    &EventBody::ConsentWithdrawn {
                        consent: row.id.to_string(),
                    },
                )
                .await?;
                Ok(CommandReply::Done {})
            })
        },
    )
    .await
}

/// The session is over: silence is a no, and what was granted and not used expires.
pub async fn lapse_all(tx: &mut Tx, w: &mut Work, s: &session::Session) -> Result<(), AppError> {
    for mut row in consent::of_session(tx, &s.id).await? {
        if !row.state.is_terminal() {
            step(tx, w, &mut row, &Who::System, &Cmd::Lapse).await?;
        }
    }
    Ok(())
}

/// Ends grants whose hour is over. For the timers.
pub async fn expire_due(app: &App) -> Result<(), AppError> {
    app.write("server", |tx, w| {
        Box::pin(async move {
            for c in consent::expire_due(tx, w.now).await? {
                session::touch(tx, &c.session_id).await?;
                w.wake(&c.session_id);
            }
            Ok(())
        })
    })
    .await
}
