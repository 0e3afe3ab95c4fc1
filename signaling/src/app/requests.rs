//! Requests that are left (留言) when nobody is on duty: work items for the hall's agents, answered later.
//!
//! Text, number and answer are sealed under a key of the request's own: the visit's dies a day after the visit, and an
//! answer may take a weekend. Never shows the text to anybody but the agent who claimed it and the citizen.

use super::{App, Caller, appointments, auth, desk, queue};
use crate::problem::{AppError, no};
use domain::{
    id::{HallId, Id as _, KeyId, RequestId, StaffId},
    identifiers::Mobile,
    limits,
    pii::Pii,
    time::Span,
};
use protocol::{LeaveRequest, RequestFull, RequestItem, RequestState, RequestView, Role};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Tx, keys, request};

/// From the answer to the end of the key.
const ERASE_AFTER: Span = Span::seconds(30 * 24 * 3600);
/// Keys destroyed in one sweep.
const BATCH: i64 = 64;
/// Requests that one person may have open at a time.
const OPEN_MAX: usize = 3;

#[derive(Clone, Serialize, Deserialize)]
struct Body {
    text: Pii<String>,
    contact: Pii<String>,
    identity: Option<auth::Identity>,
}

fn state_view(s: &str) -> RequestState {
    match s {
        "done" => RequestState::Done,
        "claimed" => RequestState::Claimed,
        _ => RequestState::Open,
    }
}

fn item(q: &request::Request) -> RequestItem {
    RequestItem {
        id: q.id.to_string(),
        state: state_view(&q.state),
        queue: q.queue.clone(),
        item: q.item.clone(),
        created_at: q.created_at.rfc3339(),
        claimed_by: q.claimed_by.as_ref().map(ToString::to_string),
    }
}

/// The answer, while its key lives.
async fn answer_of(
    app: &App,
    tx: &mut Tx,
    q: &request::Request,
) -> Result<Option<String>, AppError> {
    let Some(sealed) = &q.answer_enc else {
        return Ok(None);
    };
    match app.vault.key(tx, &q.key_id).await {
        Ok(k) => k.open(sealed).map(Some),
        Err(e) if e.code() == "not_found" => Ok(None),
        Err(e) => Err(e),
    }
}

async fn view(app: &App, tx: &mut Tx, q: &request::Request) -> Result<RequestView, AppError> {
    Ok(RequestView {
        id: q.id.to_string(),
        state: state_view(&q.state),
        queue: q.queue.clone(),
        item: q.item.clone(),
        created_at: q.created_at.rfc3339(),
        answer: answer_of(app, tx, q).await?,
        answered_at: q.answered_at.map(domain::time::Timestamp::rfc3339),
    })
}

fn text_of(text: &str) -> Result<String, AppError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(no("field_required"));
    }
    if text.chars().count() > limits::CHAT_CHARS {
        return Err(no("field_too_long"));
    }
    Ok(text.to_owned())
}

/// By a citizen's visit, to its hall.
///
/// Codes: `field_required`, `field_too_long`, `mobile_format`, `item_unknown`, `slow_down` beyond three that are open.
pub async fn leave(
    app: &App,
    caller: &Caller,
    body: LeaveRequest,
) -> Result<RequestView, AppError> {
    let me = caller.who.citizen()?.clone();
    let text = text_of(&body.text)?;
    let contact = Mobile::parse(body.contact.trim())?;
    let contact = contact.expose().to_owned();
    let (key, wrapped) = app.vault.make(app.id::<KeyId>());
    // The key of a repeat is never kept: the claim of the idempotency key comes first.
    app.command(caller, "requests.leave", &body.clone(), move |tx, w| {
        let (me, key, wrapped) = (me.clone(), key.clone(), wrapped.clone());
        let (text, contact, wanted) = (text.clone(), contact.clone(), body.item.clone());
        Box::pin(async move {
            let v = queue::open_visit(tx, &me).await?;
            let queue = queue::queue_of(tx, wanted.as_deref(), None).await?;
            let person = appointments::person(&v);
            let before = request::of_person(tx, &person, limits::PAGE_MAX).await?;
            if before.iter().filter(|q| q.state != "done").count() >= OPEN_MAX {
                return Err(no("slow_down"));
            }
            let sealed = key.seal(&Body {
                text: Pii::new(text),
                contact: Pii::new(contact),
                identity: auth::identity_of(&w.app, tx, &v).await?,
            })?;
            keys::insert(tx, key.id(), wrapped, w.now).await?;
            let q = request::Request {
                id: w.id(),
                hall_id: v.hall_id,
                person,
                queue,
                item: wanted,
                key_id: key.id().clone(),
                body_enc: sealed,
                state: "open".into(),
                claimed_by: None,
                answer_enc: None,
                created_at: w.now,
                answered_at: None,
            };
            request::insert(tx, &q).await?;
            w.audit(tx, "request.left", q.id.as_str(), json!({"queue": q.queue}))
                .await?;
            w.wake(&q.hall_id);
            view(&w.app.clone(), tx, &q).await
        })
    })
    .await
}

/// The citizen's own, newest first.
pub async fn mine(app: &App, caller: &Caller) -> Result<Vec<RequestView>, AppError> {
    let me = caller.who.citizen()?.clone();
    let a = app.clone();
    app.read(|tx| {
        Box::pin(async move {
            let v = queue::open_visit(tx, &me).await?;
            let mut out = vec![];
            for q in request::of_person(tx, &appointments::person(&v), limits::PAGE_MAX).await? {
                out.push(view(&a, tx, &q).await?);
            }
            Ok(out)
        })
    })
    .await
}

/// An agent and their hall.
fn agent(caller: &Caller) -> Result<(StaffId, HallId), AppError> {
    let me = caller.who.staff(Role::Agent)?.clone();
    match &caller.who {
        super::token::Principal::Staff { hall, .. } => Ok((me, hall.clone())),
        _ => Err(no("role_missing")),
    }
}

/// What the hall's agents have to answer, oldest first.
pub async fn open(app: &App, caller: &Caller) -> Result<Vec<RequestItem>, AppError> {
    let (_, hall) = agent(caller)?;
    app.read(|tx| {
        Box::pin(async move {
            let all = request::of_hall(tx, &hall, limits::PAGE_MAX).await?;
            Ok(all.iter().map(item).collect())
        })
    })
    .await
}

async fn of_hall(tx: &mut Tx, id: &RequestId, hall: &HallId) -> Result<request::Request, AppError> {
    request::get(tx, id)
        .await?
        .filter(|q| q.hall_id == *hall)
        .ok_or_else(|| no("not_found"))
}

async fn full(app: &App, tx: &mut Tx, q: &request::Request) -> Result<RequestFull, AppError> {
    let body: Body = app.vault.key(tx, &q.key_id).await?.open(&q.body_enc)?;
    Ok(RequestFull {
        request: item(q),
        text: body.text.expose().clone(),
        contact: body.contact.expose().clone(),
        identity: body.identity.map(|i| i.view()),
        answer: answer_of(app, tx, q).await?,
    })
}

/// For its claimer alone; each look is in the audit log.
///
/// Codes: `not_found`, `claim_first`.
pub async fn get(app: &App, caller: &Caller, id: RequestId) -> Result<RequestFull, AppError> {
    let (me, hall) = agent(caller)?;
    app.write(me.clone().as_str(), move |tx, w| {
        let (id, me, hall) = (id.clone(), me.clone(), hall.clone());
        Box::pin(async move {
            let q = of_hall(tx, &id, &hall).await?;
            if q.claimed_by.as_ref() != Some(&me) {
                return Err(no("claim_first"));
            }
            w.audit(tx, "request.read", id.as_str(), json!({})).await?;
            full(&w.app.clone(), tx, &q).await
        })
    })
    .await
}

/// Codes: `not_found`, `request_claimed`.
pub async fn claim(app: &App, caller: &Caller, id: RequestId) -> Result<RequestFull, AppError> {
    let (me, hall) = agent(caller)?;
    let (route, rid) = (format!("requests.claim:{id}"), id.clone());
    // Only the id is in the stored answer: the text is read again.
    app.command(caller, &route, &json!({}), move |tx, w| {
        let (id, me, hall) = (id.clone(), me.clone(), hall.clone());
        Box::pin(async move {
            let q = of_hall(tx, &id, &hall).await?;
            if !request::claim(tx, &id, &me).await? {
                return Err(no("request_claimed"));
            }
            w.wake(&q.hall_id);
            w.audit(tx, "request.claimed", id.as_str(), json!({})).await
        })
    })
    .await?;
    get(app, caller, rid).await
}

/// Gives it back. Codes: `not_found`, `claim_first`.
pub async fn release(app: &App, caller: &Caller, id: RequestId) -> Result<RequestItem, AppError> {
    let (me, hall) = agent(caller)?;
    let route = format!("requests.release:{id}");
    app.command(caller, &route, &json!({}), move |tx, w| {
        let (id, me, hall) = (id.clone(), me.clone(), hall.clone());
        Box::pin(async move {
            of_hall(tx, &id, &hall).await?;
            if !request::release(tx, &id, &me).await? {
                return Err(no("claim_first"));
            }
            w.wake(&hall);
            w.audit(tx, "request.released", id.as_str(), json!({}))
                .await?;
            Ok(item(&of_hall(tx, &id, &hall).await?))
        })
    })
    .await
}

/// Codes: `not_found`, `claim_first`, `field_required`, `field_too_long`.
pub async fn done(
    app: &App,
    caller: &Caller,
    id: RequestId,
    answer: &str,
) -> Result<RequestItem, AppError> {
    let (me, hall) = agent(caller)?;
    let answer = text_of(answer)?;
    let route = format!("requests.done:{id}");
    let body = json!({"answer": answer});
    app.command(caller, &route, &body, move |tx, w| {
        let (id, me, hall, answer) = (id.clone(), me.clone(), hall.clone(), answer.clone());
        Box::pin(async move {
            let q = of_hall(tx, &id, &hall).await?;
            let sealed = w.app.vault.key(tx, &q.key_id).await?.seal(&answer)?;
            if !request::done(tx, &id, &me, sealed, w.now, w.now + ERASE_AFTER).await? {
                return Err(no("claim_first"));
            }
            w.wake(&hall);
            w.audit(tx, "request.done", id.as_str(), json!({})).await?;
            w.outbox(tx, "request.done", id.as_str(), json!({})).await?;
            Ok(item(&of_hall(tx, &id, &hall).await?))
        })
    })
    .await
}

/// Destroys the keys of what was answered long ago. For the sweep; nodes may race.
pub async fn sweep(app: &App) -> Result<(), AppError> {
    let now = app.now();
    let due = app
        .read(move |tx| Box::pin(async move { Ok(request::erasable(tx, now, BATCH).await?) }))
        .await?;
    for (id, key) in due {
        let r = app.write("server", move |tx, w| {
            let (id, key) = (id.clone(), key.clone());
            Box::pin(async move {
                if request::settle(tx, &id).await? && keys::destroy(tx, &key, w.now).await? {
                    w.audit(
                        tx,
                        "key.destroyed",
                        key.as_str(),
                        json!({"request": id.as_str()}),
                    )
                    .await?;
                }
                Ok(())
            })
        });
        desk::lost_race_is_fine(r.await)?;
    }
    Ok(())
}
