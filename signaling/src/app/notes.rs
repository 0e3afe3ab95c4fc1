//! What staff of a session know beside it: notes for each other, and the citizen's history.
//!
//! Notes are sealed under the session's key and never reach a citizen or guest. The history names nobody: dates, items,
//! outcomes and the end of a number.

use super::{
    App, Caller,
    call_flow::{allowed, journal, live, membership},
    invites,
    token::Principal,
};
use crate::problem::{AppError, no};
use domain::{
    id::{Id as _, SessionId},
    invite::Permission,
    limits,
};
use protocol::{EarlierCase, EarlierSession, EventBody, HistoryView, NewNote, NoteView};
use serde_json::json;
use store::{Tx, invite, session, staff, visit};

/// Notes of one session.
const NOTES: i64 = 200;
/// Earlier sessions and cases that are shown.
const EARLIER: i64 = 20;
/// Characters of a case number that are shown.
const NUMBER_TAIL: usize = 4;

/// By staff of the live session. Codes: `role_missing`, `body_invalid`, `field_too_long`.
pub async fn add(
    app: &App,
    caller: &Caller,
    id: SessionId,
    body: NewNote,
) -> Result<NoteView, AppError> {
    let text = body.text.trim().to_owned();
    if text.is_empty() {
        return Err(no("body_invalid"));
    }
    if text.chars().count() > limits::CHAT_CHARS {
        return Err(no("field_too_long"));
    }
    let (who, sid) = (caller.who.clone(), id.clone());
    let made: domain::id::NoteId = app
        .command(
            caller,
            &format!("sessions.notes:{id}"),
            &json!({"text": text}),
            move |tx, w| {
                let (id, who, text) = (id.clone(), who.clone(), text.clone());
                Box::pin(async move {
                    let (s, me) = live(tx, &who, &id).await?;
                    allowed(&me, Permission::StaffTalk)?;
                    let staff_id = me.staff_id.clone().ok_or_else(|| no("role_missing"))?;
                    if invite::notes(tx, &id, NOTES).await?.len() as i64 >= NOTES {
                        return Err(no("too_large"));
                    }
                    let n = invite::Note {
                        id: w.id(),
                        session_id: id.clone(),
                        staff_id,
                        kind: "note".into(),
                        at: w.now,
                        text_enc: w.app.vault.key(tx, &s.key_id).await?.seal(&text)?,
                    };
                    invite::insert_note(tx, &n).await?;
                    journal(
                        tx,
                        w,
                        &s,
                        Some(&me.id),
                        &EventBody::Noted {
                            note: n.id.to_string(),
                        },
                    )
                    .await?;
                    w.audit(
                        tx,
                        "session.noted",
                        id.as_str(),
                        json!({"note": n.id.as_str()}),
                    )
                    .await?;
                    Ok(n.id)
                })
            },
        )
        .await?;
    let made = made.to_string();
    list(app, &caller.who, sid)
        .await?
        .into_iter()
        .find(|n| n.id == made)
        .ok_or_else(|| no("not_found"))
}

/// Oldest first. Codes: `not_a_member`, `role_missing`.
pub async fn list(app: &App, who: &Principal, id: SessionId) -> Result<Vec<NoteView>, AppError> {
    let (a, who) = (app.clone(), who.clone());
    app.read(|tx| {
        Box::pin(async move {
            let (s, _, me) = membership(tx, &who, &id).await?;
            allowed(&me, Permission::StaffTalk)?;
            let rows = invite::notes(tx, &id, NOTES).await?;
            if rows.is_empty() {
                return Ok(vec![]);
            }
            let key = a.vault.key(tx, &s.key_id).await?;
            let mut out = vec![];
            for n in rows {
                out.push(NoteView {
                    id: n.id.to_string(),
                    at: n.at.rfc3339(),
                    by: name(tx, &n.staff_id).await?,
                    kind: n.kind,
                    text: key.open(&n.text_enc)?,
                });
            }
            Ok(out)
        })
    })
    .await
}

async fn name(tx: &mut Tx, id: &domain::id::StaffId) -> Result<String, AppError> {
    Ok(staff::get(tx, id)
        .await?
        .map(|x| x.name)
        .unwrap_or_default())
}

/// For the agent of the live session alone; each look is in the audit log. Empty for who showed no card.
///
/// Codes: `not_a_member`, `session_ended`, `role_missing`.
pub async fn history(app: &App, who: &Principal, id: SessionId) -> Result<HistoryView, AppError> {
    let (actor, who) = (who.name().to_owned(), who.clone());
    app.write(&actor, move |tx, w| {
        let (id, who) = (id.clone(), who.clone());
        Box::pin(async move {
            let (s, me) = live(tx, &who, &id).await?;
            allowed(&me, Permission::ReadHistory)?;
            if me.staff_id.is_none() {
                return Err(no("agent_only"));
            }
            let v = visit::get(tx, &s.visit_id)
                .await?
                .ok_or_else(|| no("not_found"))?;
            let mut out = HistoryView {
                sessions: vec![],
                cases: vec![],
            };
            if let Some(index) = &v.citizen_index {
                for e in session::earlier(tx, index, &id, EARLIER).await? {
                    let disposition = e
                        .wrap_up
                        .as_deref()
                        .and_then(|t| serde_json::from_str::<serde_json::Value>(t).ok())
                        .and_then(|t| Some(t.get("disposition")?.as_str()?.to_owned()));
                    out.sessions.push(EarlierSession {
                        at: e.started_at.rfc3339(),
                        minutes: e
                            .ended_at
                            .map(|end| (end.micros() - e.started_at.micros()) / 60_000_000),
                        item_title: invites::item_title(tx, e.item.as_deref()).await?,
                        item: e.item,
                        end_reason: e.end_reason,
                        disposition,
                    });
                }
                for (number, item, state, at) in session::earlier_cases(tx, index, EARLIER).await? {
                    let cut = number.chars().count().saturating_sub(NUMBER_TAIL);
                    out.cases.push(EarlierCase {
                        number: format!("…{}", number.chars().skip(cut).collect::<String>()),
                        item_title: invites::item_title(tx, Some(&item)).await?,
                        item,
                        state,
                        received_at: at.rfc3339(),
                    });
                }
            }
            w.audit(
                tx,
                "session.history_read",
                id.as_str(),
                json!({"sessions": out.sessions.len(), "cases": out.cases.len()}),
            )
            .await?;
            Ok(out)
        })
    })
    .await
}
