//! Family members by link (亲友): no account, a typed name, a token for one session.
//!
//! Never puts a code or a name into a row or a log: the code's hash is kept, the name is sealed.

use super::{
    App, invites,
    token::{self, Principal},
};
use crate::problem::{AppError, no};
use domain::{
    id::{Id as _, MemberId, SessionId},
    invite::{Cmd, Member as Part, State as InviteState},
    limits,
    session::{Role, State},
    time::Timestamp,
};
use protocol::{ExchangeGuest, GuestLink, GuestToken};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{dialect, invite, session};

const NAME_CHARS: usize = 20;
/// Characters of a code: 40 hexadecimal digits of an HMAC, 160 bits.
const CODE_CHARS: usize = 40;

/// The code of a link. The same key gives the same code, which is derived and not stored.
pub(super) fn code(app: &App, session: &SessionId, who: &str, key: &str) -> String {
    let mut c = app
        .vault
        .secret_hash(&format!("guest/{session}/{who}/{key}"));
    c.truncate(CODE_CHARS);
    c
}

/// What the family member opens.
pub(super) fn link(app: &App, code: String) -> Result<GuestLink, AppError> {
    let url = format!("{}/phone/#g={code}", app.public_url.trim_end_matches('/'));
    let qr_svg = documents::qr_svg(&url).map_err(|_| no("internal"))?;
    Ok(GuestLink { code, url, qr_svg })
}

/// What the exchange was: the token follows from it, so a repeat gives the same one.
#[derive(Serialize, Deserialize)]
struct Entered {
    session: SessionId,
    member: MemberId,
    /// Microseconds since the epoch: when the token's life began.
    at: i64,
}

/// By whoever holds the link, once; with the same idempotency key again, for a phone that lost the answer on its way.
///
/// Codes: `key_required`, `field_invalid` (the name); `code_invalid` for a link that is unknown, used, taken back or over.
pub async fn exchange(
    app: &App,
    key: Option<&str>,
    body: ExchangeGuest,
) -> Result<GuestToken, AppError> {
    let name = body.name.trim().to_owned();
    if name.is_empty()
        || name.chars().count() > NAME_CHARS
        || name.chars().any(|c| c.is_control() || "<>&\"'".contains(c))
    {
        return Err(no("name_characters"));
    }
    let code = body.code;
    if code.len() != CODE_CHARS || !code.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(no("code_invalid"));
    }
    let hash = app.vault.secret_hash(&code);
    // The code is in the route: a key says nothing without it.
    let route = format!("guests.exchange:{hash}");
    let done: Entered = app
        .command_of(
            "guest",
            key,
            &route,
            &json!({"name": name}),
            move |tx, w| {
                let (hash, name) = (hash.clone(), name.clone());
                Box::pin(async move {
                    let bad = || no("code_invalid");
                    let found = invite::by_code(tx, &hash).await?.ok_or_else(bad)?;
                    dialect::lock_session(tx, &found.session_id).await?;
                    let s = session::get(tx, &found.session_id)
                        .await?
                        .filter(|s| s.state != State::Ended)
                        .ok_or_else(bad)?;
                    let mut i = invite::by_code(tx, &hash)
                        .await?
                        .filter(|i| {
                            i.state == InviteState::Ringing && i.due_at.is_some_and(|d| d > w.now)
                        })
                        .ok_or_else(bad)?;
                    let sealed = w.app.vault.key(tx, &s.key_id).await?.seal(&name)?;
                    let m = invites::enter(tx, w, &s, None, Role::Guest, Part::Guest, Some(sealed))
                        .await?;
                    i.member_id = Some(m.clone());
                    i.due_at = Some(w.now + limits::CITIZEN_GRACE);
                    invites::settle(tx, w, &s, &mut i, Cmd::Accept, Some(&m)).await?;
                    Ok(Entered {
                        session: s.id,
                        member: m,
                        at: w.now.micros(),
                    })
                })
            },
        )
        .await?;
    let who = Principal::Guest {
        session: done.session.clone(),
        member: done.member.clone(),
    };
    let began = Timestamp::from_micros(done.at);
    let (access_token, end) = token::issue(&app.vault, &who, began, limits::CITIZEN_LIFE)?;
    Ok(GuestToken {
        access_token,
        expires_at: end.rfc3339(),
        session: done.session.as_str().to_owned(),
        member: done.member.as_str().to_owned(),
    })
}
