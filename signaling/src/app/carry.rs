//! A waiting citizen leaves the booth with the ticket on their phone: a code that works once, for ten minutes.
//!
//! The phone gets a visit of its own under the same key; the booth's ends, so that nothing of it stays there. Never puts a
//! code into a row or a log: only its hash is kept.

use super::{
    App, Caller, appointments, auth, queue,
    token::{self, Principal},
};
use crate::problem::{AppError, no};
use domain::{
    id::{Id as _, TicketId, VisitId},
    limits,
    ticket::State,
    time::{Span, Timestamp},
};
use protocol::{CarryCode, VisitToken};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{carry, dialect, pairing, ticket, visit};

/// Characters of a code: 40 hexadecimal digits of an HMAC, 160 bits.
const CODE_CHARS: usize = 40;
/// Life of a code.
const LIFE: Span = Span::seconds(600);

#[derive(Serialize, Deserialize)]
struct Made {
    expires_at: String,
}

const fn queued(s: State) -> bool {
    matches!(s, State::Waiting | State::Offered)
}

/// By the ticket's citizen. The same idempotency key gives the same code, which is derived and not stored.
///
/// Codes: `not_found`, `ticket_state`.
pub async fn make(app: &App, caller: &Caller, id: TicketId) -> Result<CarryCode, AppError> {
    let me = caller.who.citizen()?.clone();
    let key = caller.key.clone().ok_or_else(|| no("key_required"))?;
    let mut code = app.vault.secret_hash(&format!("carry/{id}/{me}/{key}"));
    code.truncate(CODE_CHARS);
    let hash = app.vault.secret_hash(&code);
    let route = format!("tickets.carry:{id}");
    let made: Made = app
        .command(caller, &route, &json!({}), move |tx, w| {
            let (id, me, hash) = (id.clone(), me.clone(), hash.clone());
            Box::pin(async move {
                let t = ticket::get(tx, &id)
                    .await?
                    .filter(|t| t.visit_id == me)
                    .ok_or_else(|| no("not_found"))?;
                // On the way in a transfer the session knows this visit alone.
                if !queued(t.state) || t.session_id.is_some() {
                    return Err(no("ticket_state"));
                }
                let expires = w.now + LIFE;
                carry::insert(tx, &hash, &id, expires).await?;
                w.audit(tx, "ticket.carry_made", id.as_str(), json!({}))
                    .await?;
                Ok(Made {
                    expires_at: expires.rfc3339(),
                })
            })
        })
        .await?;
    let url = format!("{}/phone/#t={code}", app.public_url.trim_end_matches('/'));
    let qr_svg = documents::qr_svg(&url).map_err(|_| no("internal"))?;
    Ok(CarryCode {
        code,
        url,
        qr_svg,
        expires_at: made.expires_at,
    })
}

/// What the exchange was: the token follows from it, so a repeat gives the same one.
#[derive(Serialize, Deserialize)]
struct Carried {
    visit: VisitId,
    /// Microseconds since the epoch: when the token's life began.
    at: i64,
}

/// By whoever holds the code, once; with the same idempotency key again, for a phone that lost the answer on its way.
///
/// Codes: `key_required`, `key_invalid`; `code_invalid` for one that is unknown, used or over, or whose ticket is no longer
/// in line: which, is nobody's business.
pub async fn exchange(app: &App, key: Option<&str>, code: &str) -> Result<VisitToken, AppError> {
    if code.len() != CODE_CHARS || !code.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(no("code_invalid"));
    }
    let hash = app.vault.secret_hash(code);
    // The code is in the route: a key says nothing without it, and two phones with the same key do not meet.
    let route = format!("tickets.carried:{hash}");
    let done: Carried = app
        .command_of("carry", key, &route, &json!({}), move |tx, w| {
            let hash = hash.clone();
            Box::pin(async move {
                let id = carry::take(tx, &hash, w.now)
                    .await?
                    .ok_or_else(|| no("code_invalid"))?;
                let t = ticket::get(tx, &id)
                    .await?
                    .ok_or_else(|| no("code_invalid"))?;
                dialect::lock_hall(tx, &t.hall_id).await?;
                // An accept may have been first, and it is bound to the old visit.
                let t = ticket::get(tx, &id)
                    .await?
                    .filter(|t| queued(t.state) && t.session_id.is_none())
                    .ok_or_else(|| no("code_invalid"))?;
                let old = queue::open_visit(tx, &t.visit_id).await?;
                let new = visit::Visit {
                    id: w.id(),
                    channel: "phone".into(),
                    booth_id: None,
                    card_nonce: Some(auth::secret()),
                    created_at: w.now,
                    ..old.clone()
                };
                visit::insert(tx, &new).await?;
                let grace = w.now + limits::TICKET_GRACE;
                if !carry::carry(tx, &id, &old.id, &new.id, w.now, grace).await? {
                    return Err(store::StoreError::Retry.into());
                }
                appointments::carried(tx, &old, &new).await?;
                w.audit(
                    tx,
                    "ticket.carried",
                    id.as_str(),
                    json!({"from": old.id.as_str(), "to": new.id.as_str()}),
                )
                .await?;
                w.wake(&old.id);
                w.wake(&id);
                if let Some(p) = pairing::live_of_ticket(tx, &id).await? {
                    w.wake(&p.seat_id);
                }
                Ok(Carried {
                    visit: new.id,
                    at: w.now.micros(),
                })
            })
        })
        .await?;
    let who = Principal::Citizen {
        visit: done.visit.clone(),
    };
    let began = Timestamp::from_micros(done.at);
    let (access_token, end) = token::issue(&app.vault, &who, began, limits::CITIZEN_LIFE)?;
    Ok(VisitToken {
        access_token,
        expires_at: end.rfc3339(),
        visit: auth::visit_view(app, done.visit).await?,
    })
}
