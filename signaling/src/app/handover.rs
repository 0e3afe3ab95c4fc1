//! From the booth's last screen to the citizen's phone: a code that works once, for a token of this case alone.
//!
//! Never puts a code into a row or a log: only its hash is kept.

use super::{
    App, Caller, call_flow, case_view,
    token::{self, Principal},
};
use crate::problem::{AppError, no};
use domain::{
    id::{CaseId, Id as _, SessionId},
    limits,
    session::Role,
    time::Timestamp,
};
use protocol::{CaseToken, HandoverCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{handover, visit};

/// Characters of a code: 40 hexadecimal digits of an HMAC, 160 bits.
const CODE_CHARS: usize = 40;

#[derive(Serialize, Deserialize)]
struct Made {
    expires_at: String,
}

/// By the session's citizen after the hand-off. The same idempotency key gives the same code, which is derived and not stored.
///
/// Codes: `citizen_only`, `not_a_member`, `no_case`, `visit_ended`.
pub async fn make(app: &App, caller: &Caller, id: SessionId) -> Result<HandoverCode, AppError> {
    let visit = caller.who.citizen()?.clone();
    let key = caller.key.clone().ok_or_else(|| no("key_required"))?;
    let mut code = app
        .vault
        .secret_hash(&format!("handover/{id}/{visit}/{key}"));
    code.truncate(CODE_CHARS);
    let hash = app.vault.secret_hash(&code);
    let who = caller.who.clone();
    let made: Made = app
        .command(
            caller,
            &format!("sessions.handover_code:{id}"),
            &json!({}),
            move |tx, w| {
                let (id, who, visit, hash) = (id.clone(), who.clone(), visit.clone(), hash.clone());
                Box::pin(async move {
                    let (s, _, me) = call_flow::membership(tx, &who, &id).await?;
                    if me.role != Role::Citizen {
                        return Err(no("citizen_only"));
                    }
                    if visit::get(tx, &visit).await?.is_none_or(|v| v.ended) {
                        return Err(no("visit_ended"));
                    }
                    let case = s.case_id.ok_or_else(|| no("no_case"))?;
                    let expires = w.now + limits::HANDOVER_LIFE;
                    handover::insert(tx, &hash, &case, &visit, expires).await?;
                    w.audit(tx, "case.handover_made", case.as_str(), json!({}))
                        .await?;
                    Ok(Made {
                        expires_at: expires.rfc3339(),
                    })
                })
            },
        )
        .await?;
    let url = format!("{}/phone/#c={code}", app.public_url.trim_end_matches('/'));
    let qr_svg = documents::qr_svg(&url).map_err(|_| no("internal"))?;
    Ok(HandoverCode {
        code,
        url,
        qr_svg,
        expires_at: made.expires_at,
    })
}

/// What the exchange was: the token follows from it, so a repeat gives the same one.
#[derive(Serialize, Deserialize)]
struct Exchanged {
    case: CaseId,
    /// Microseconds since the epoch: when the token's life began.
    at: i64,
}

/// By whoever holds the code, once; with the same idempotency key again, for a phone that lost the answer on its way.
///
/// Codes: `key_required`, `key_invalid`; `code_invalid` for one that is unknown, used or over: which, is nobody's business.
pub async fn exchange(app: &App, key: Option<&str>, code: String) -> Result<CaseToken, AppError> {
    if code.len() != CODE_CHARS || !code.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(no("code_invalid"));
    }
    let hash = app.vault.secret_hash(&code);
    // The code is in the route: a key says nothing without it, and two phones with the same key do not meet.
    let route = format!("handover.exchange:{hash}");
    let done: Exchanged = app
        .command_of("handover", key, &route, &json!({}), move |tx, w| {
            let hash = hash.clone();
            Box::pin(async move {
                let (case, _) = handover::take(tx, &hash, w.now)
                    .await?
                    .ok_or_else(|| no("code_invalid"))?;
                w.audit(tx, "case.handover_used", case.as_str(), json!({}))
                    .await?;
                let at = w.now.micros();
                Ok(Exchanged { case, at })
            })
        })
        .await?;
    let who = Principal::Case {
        case: done.case.clone(),
    };
    let began = Timestamp::from_micros(done.at);
    let (access_token, end) = token::issue(&app.vault, &who, began, limits::CASE_TOKEN_LIFE)?;
    Ok(CaseToken {
        access_token,
        expires_at: end.rfc3339(),
        case: case_view::get(app, &who, done.case).await?,
    })
}
