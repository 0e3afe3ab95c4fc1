//! Signing in: staff, booths, visits; and the WebSocket's single-use ticket.

use super::{App, Caller, recording, token, token::Principal, vault};
use crate::problem::{AppError, no};
use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    id::{BoothId, HallId, Id as _, KeyId, StaffId, VisitId},
    identifiers::CitizenId,
    limits,
    pii::{Pii, mask_name, mask_number},
    session::State,
    time::{Span, Timestamp},
};
use protocol::{
    Bilingual, BoothLogin, BoothNonce, BoothToken, BoothView, CardRead, Channel, IdentityView,
    Language, OpenVisit, Role, StaffToken, StaffView, VisitToken, VisitView, WsTicket,
};
use serde::{Deserialize, Serialize};
use std::num::NonZero;
use store::{Tx, booth, session, staff, ticket, visit};
use tokio::sync::Semaphore;

/// 32 random bytes, base64url.
#[must_use]
pub fn secret() -> String {
    URL_SAFE_NO_PAD.encode(vault::random::<32>())
}

/// argon2id with the crate's recommended cost; slow on purpose, so never in a transaction.
pub fn hash_password(password: &str) -> Result<String, AppError> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|h| h.to_string())
        .map_err(|_| no("internal"))
}

fn password_fits(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|h| {
        Argon2::default()
            .verify_password(password.as_bytes(), &h)
            .is_ok()
    })
}

/// Password checks under way: one a core. Each takes 19 MiB on purpose, so strangers who press "sign in" must not decide how
/// many there are.
pub struct Checks(Semaphore);

impl Default for Checks {
    fn default() -> Self {
        Self(Semaphore::new(
            std::thread::available_parallelism().map_or(2, NonZero::get),
        ))
    }
}

impl Checks {
    /// No hash: the time of a wrong password, and no.
    async fn fits(&self, password: Pii<String>, hash: Option<String>) -> Result<bool, AppError> {
        let _one = self.0.acquire().await.map_err(|_| no("internal"))?;
        tokio::task::spawn_blocking(move || match hash {
            Some(h) => password_fits(password.expose(), &h),
            None => {
                let _ = hash_password(password.expose());
                false
            }
        })
        .await
        .map_err(|_| no("internal"))
    }
}

fn role_of(word: &str) -> Option<Role> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
}

#[must_use]
pub fn staff_view(s: &staff::Staff) -> StaffView {
    StaffView {
        id: s.id.to_string(),
        account: s.account.clone(),
        name: s.name.clone(),
        roles: s.roles.iter().filter_map(|r| role_of(r)).collect(),
        hall: s.hall_id.to_string(),
        department: s.department.clone(),
        skills: s.skills.codes(),
    }
}

pub(super) fn principal(s: &staff::Staff) -> Principal {
    Principal::Staff {
        id: s.id.clone(),
        roles: s.roles.iter().filter_map(|r| role_of(r)).collect(),
        hall: s.hall_id.clone(),
        department: s.department.clone(),
    }
}

/// The access token for the body, the refresh token for the cookie.
pub struct SignedIn {
    pub token: StaffToken,
    pub refresh: String,
}

async fn sign_in(app: &App, s: staff::Staff, family: String) -> Result<SignedIn, AppError> {
    let now = app.now();
    let (access_token, end) = token::issue(&app.vault, &principal(&s), now, limits::ACCESS_LIFE)?;
    let refresh = secret();
    let row = staff::Refresh {
        hash: app.vault.secret_hash(&refresh),
        family,
        staff_id: s.id.clone(),
        expires_at: now + limits::REFRESH_LIFE,
        used_at: None,
        revoked: false,
    };
    app.write(s.id.as_str(), move |tx, w| {
        let row = row.clone();
        Box::pin(async move {
            staff::insert_refresh(tx, &row).await?;
            staff::succeeded(tx, &row.staff_id).await?;
            w.audit(
                tx,
                "staff.signed_in",
                row.staff_id.as_str(),
                serde_json::json!({}),
            )
            .await
        })
    })
    .await?;
    Ok(SignedIn {
        token: StaffToken {
            access_token,
            expires_at: end.rfc3339(),
            staff: staff_view(&s),
        },
        refresh,
    })
}

/// An unknown account costs the same time as a wrong password.
pub async fn login(
    app: &App,
    account: String,
    password: Pii<String>,
) -> Result<SignedIn, AppError> {
    let row = app
        .read(|tx| Box::pin(async move { Ok(staff::by_account(tx, &account).await?) }))
        .await?;
    let hash = row.as_ref().map(|s| s.password_hash.clone());
    let fits = app.checks.fits(password, hash).await?;
    let Some(s) = row.filter(|s| s.active) else {
        return Err(no("login_failed"));
    };
    let now = app.now();
    if s.locked_until.is_some_and(|t| t > now) {
        return Err(no("login_locked"));
    }
    if !fits {
        let id = s.id.clone();
        app.write(s.id.as_str(), move |tx, w| {
            let id = id.clone();
            Box::pin(async move {
                staff::failed(tx, &id, limits::LOGIN_FAILURES, w.now + limits::LOGIN_LOCK).await?;
                w.audit(tx, "staff.login_failed", id.as_str(), serde_json::json!({}))
                    .await
            })
        })
        .await?;
        return Err(no("login_failed"));
    }
    sign_in(app, s, secret()).await
}

/// Rotation: each refresh token works once; a second use ends the whole family (RFC 9700 §4.14).
pub async fn refresh(app: &App, token: &str) -> Result<SignedIn, AppError> {
    let hash = app.vault.secret_hash(token);
    let (s, family) = app
        .write("refresh", move |tx, w| {
            let hash = hash.clone();
            Box::pin(async move {
                let Some(r) = staff::refresh(tx, &hash).await? else {
                    return Ok(None);
                };
                if r.revoked || r.expires_at <= w.now {
                    return Ok(None);
                }
                if !staff::use_refresh(tx, &hash, w.now).await? {
                    staff::revoke_family(tx, &r.family).await?;
                    w.audit(
                        tx,
                        "staff.refresh_reused",
                        r.staff_id.as_str(),
                        serde_json::json!({}),
                    )
                    .await?;
                    return Ok(None);
                }
                Ok(staff::get(tx, &r.staff_id)
                    .await?
                    .filter(|s| s.active)
                    .map(|s| (s, r.family)))
            })
        })
        .await?
        .ok_or_else(|| no("signed_out"))?;
    sign_in(app, s, family).await
}

pub async fn logout(app: &App, token: &str) -> Result<(), AppError> {
    let hash = app.vault.secret_hash(token);
    app.write("logout", move |tx, _| {
        let hash = hash.clone();
        Box::pin(async move {
            if let Some(r) = staff::refresh(tx, &hash).await? {
                staff::revoke_family(tx, &r.family).await?;
            }
            Ok(())
        })
    })
    .await
}

pub async fn me(app: &App, id: StaffId) -> Result<StaffView, AppError> {
    app.read(|tx| {
        Box::pin(async move {
            staff::get(tx, &id)
                .await?
                .map(|s| staff_view(&s))
                .ok_or_else(|| no("not_found"))
        })
    })
    .await
}

#[must_use]
pub fn booth_view(b: &booth::Booth) -> BoothView {
    BoothView {
        id: b.id.to_string(),
        name: Bilingual {
            zh: b.name_zh.clone(),
            en: b.name_en.clone(),
        },
        hall: b.hall_id.to_string(),
    }
}

pub async fn booth_challenge(app: &App, booth_id: &str) -> Result<BoothNonce, AppError> {
    let id = BoothId::parse(booth_id).ok_or_else(|| no("booth_unknown"))?;
    let nonce = secret();
    let n = nonce.clone();
    app.write(id.clone().as_str(), move |tx, w| {
        let (id, n) = (id.clone(), n.clone());
        Box::pin(async move {
            if booth::get(tx, &id).await?.is_none_or(|b| !b.active) {
                return Err(no("booth_unknown"));
            }
            Ok(booth::insert_nonce(tx, &n, &id, w.now + Span::seconds(60)).await?)
        })
    })
    .await?;
    Ok(BoothNonce { nonce })
}

pub async fn booth_login(app: &App, body: BoothLogin) -> Result<BoothToken, AppError> {
    let id = BoothId::parse(&body.booth).ok_or_else(|| no("booth_unknown"))?;
    let nonce = body.nonce.clone();
    let b = app
        .write(id.clone().as_str(), move |tx, w| {
            let (id, nonce) = (id.clone(), nonce.clone());
            Box::pin(async move {
                if !booth::spend_nonce(tx, &nonce, &id, w.now).await? {
                    return Ok(None);
                }
                Ok(booth::get(tx, &id).await?.filter(|b| b.active))
            })
        })
        .await?
        .ok_or_else(|| no("booth_unknown"))?;
    protocol::verify_device(
        &b.public_key,
        &protocol::booth_login_bytes(&body.booth, &body.nonce),
        &body.signature,
    )
    .map_err(|_| no("booth_unknown"))?;
    let who = Principal::Booth {
        id: b.id.clone(),
        hall: b.hall_id.clone(),
    };
    let (access_token, end) = token::issue(&app.vault, &who, app.now(), limits::REFRESH_LIFE)?;
    Ok(BoothToken {
        access_token,
        expires_at: end.rfc3339(),
        booth: booth_view(&b),
    })
}

/// A citizen's name and number, as sealed in the visit.
#[derive(Clone, Serialize, Deserialize)]
pub struct Identity {
    pub name: Pii<String>,
    pub number: Pii<String>,
}

impl Identity {
    #[must_use]
    pub fn view(&self) -> IdentityView {
        IdentityView {
            name_masked: mask_name(self.name.expose()),
            number_masked: mask_number(self.number.expose()),
            assurance: "card".into(),
        }
    }
}

/// The identity of a visit, if a card was read.
pub async fn identity_of(
    app: &App,
    tx: &mut Tx,
    v: &visit::Visit,
) -> Result<Option<Identity>, AppError> {
    let Some(sealed) = &v.identity_enc else {
        return Ok(None);
    };
    app.vault.key(tx, &v.key_id).await?.open(sealed).map(Some)
}

pub async fn open_visit(
    app: &App,
    caller: Option<&Principal>,
    body: OpenVisit,
) -> Result<VisitToken, AppError> {
    let hall = HallId::parse(&body.hall).ok_or_else(|| no("not_found"))?;
    let booth_id = match (body.channel, caller) {
        (Channel::Booth, Some(Principal::Booth { id, hall: h })) if *h == hall => Some(id.clone()),
        (Channel::Booth, _) => return Err(no("booth_unknown")),
        (Channel::Phone, _) => None,
    };
    let (data_key, wrapped) = app.vault.make(app.id::<KeyId>());
    let v = visit::Visit {
        id: app.id(),
        channel: if booth_id.is_some() { "booth" } else { "phone" }.into(),
        hall_id: hall,
        booth_id,
        language: if body.language == Language::En {
            "en"
        } else {
            "zh-CN"
        }
        .into(),
        elder: body.elder,
        key_id: data_key.id().clone(),
        identity_enc: None,
        citizen_index: None,
        identified_in: None,
        card_nonce: Some(secret()),
        ended: false,
        created_at: app.now(),
    };
    let row = v.clone();
    app.write(v.id.as_str(), move |tx, w| {
        let (row, wrapped) = (row.clone(), wrapped.clone());
        Box::pin(async move {
            if store::hall::get(tx, &row.hall_id).await?.is_none() {
                return Err(no("not_found"));
            }
            store::keys::insert(tx, &row.key_id, wrapped, w.now).await?;
            visit::insert(tx, &row).await?;
            w.audit(
                tx,
                "visit.opened",
                row.id.as_str(),
                serde_json::json!({"channel": row.channel}),
            )
            .await
        })
    })
    .await?;
    let (access_token, end) = token::issue(
        &app.vault,
        &Principal::Citizen {
            visit: v.id.clone(),
        },
        app.now(),
        limits::CITIZEN_LIFE,
    )?;
    let view = visit_view(app, v.id).await?;
    Ok(VisitToken {
        access_token,
        expires_at: end.rfc3339(),
        visit: view,
    })
}

/// A citizen's token is worth as much as the visit behind it.
pub async fn still_open(app: &App, id: VisitId) -> Result<(), AppError> {
    let open = app
        .read(|tx| {
            Box::pin(async move { Ok(visit::get(tx, &id).await?.is_some_and(|v| !v.ended)) })
        })
        .await?;
    if open { Ok(()) } else { Err(no("visit_ended")) }
}

pub async fn visit_view(app: &App, id: VisitId) -> Result<VisitView, AppError> {
    let app2 = app.clone();
    app.read(|tx| {
        Box::pin(async move {
            let v = visit::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
            if v.ended {
                return Err(no("visit_ended"));
            }
            let identity = identity_of(&app2, tx, &v).await?;
            let t = ticket::of_visit(tx, &id).await?;
            let s = session::newest_of_visit(tx, &id)
                .await?
                .filter(|s| s.state != domain::session::State::Ended);
            Ok(VisitView {
                id: v.id.to_string(),
                channel: if v.channel == "booth" {
                    Channel::Booth
                } else {
                    Channel::Phone
                },
                hall: v.hall_id.to_string(),
                identity: identity.map(|i| i.view()),
                card_nonce: v.booth_id.is_some().then_some(v.card_nonce).flatten(),
                ticket: t.map(|t| t.id.to_string()),
                session: s.map(|s| s.id.to_string()),
            })
        })
    })
    .await
}

/// Checks a card read and attaches it to the visit, within a transaction of the caller's. `s`: the live session of the visit, whose
/// item may bind the card to a recording; the visit keeps in which one it was read.
pub async fn identify(
    tx: &mut Tx,
    w: &mut super::Work,
    id: &VisitId,
    s: Option<&session::Session>,
    read: &CardRead,
) -> Result<(), AppError> {
    let during = match s {
        Some(s) => recording::card_read(tx, s).await?,
        None => None,
    };
    let v = visit::get(tx, id).await?.ok_or_else(|| no("not_found"))?;
    if v.ended {
        return Err(no("visit_ended"));
    }
    let Some(booth_id) = v.booth_id.as_ref().filter(|b| b.as_str() == read.booth) else {
        return Err(no("card_refused"));
    };
    let b = booth::get(tx, booth_id)
        .await?
        .filter(|b| b.active)
        .ok_or_else(|| no("booth_unknown"))?;
    let bytes = protocol::card_read_bytes(
        &read.nonce,
        &read.name,
        &read.number,
        &read.read_at,
        &read.booth,
    );
    let at = Timestamp::parse_rfc3339(&read.read_at).ok_or_else(|| no("card_refused"))?;
    let age = w.now.micros() - at.micros();
    // A booth's clock may be a little ahead.
    if !(-5_000_000..=limits::CARD_READ_LIFE.0).contains(&age)
        || protocol::verify_device(&b.public_key, &bytes, &read.signature).is_err()
    {
        return Err(no("card_refused"));
    }
    let number = CitizenId::parse(&read.number).map_err(|_| no("card_refused"))?;
    let index = w.app.vault.index("citizen", number.expose());
    if v.citizen_index.as_ref().is_some_and(|i| *i != index) {
        return Err(no("card_other"));
    }
    let identity = Identity {
        name: Pii::new(read.name.clone()),
        number: Pii::new(number.expose().to_owned()),
    };
    let sealed = w.app.vault.key(tx, &v.key_id).await?.seal(&identity)?;
    let next = secret();
    if !visit::identify(tx, id, sealed, &index, &next, &read.nonce, during.as_ref()).await? {
        return Err(no("card_refused"));
    }
    let recording = during.as_ref().map(|r| r.as_str());
    w.audit(
        tx,
        "visit.identified",
        id.as_str(),
        serde_json::json!({"booth": booth_id.as_str(), "recording": recording}),
    )
    .await
}

pub async fn identify_visit(
    app: &App,
    caller: &Caller,
    id: VisitId,
    read: CardRead,
) -> Result<VisitView, AppError> {
    if caller.who.citizen()? != &id {
        return Err(no("not_found"));
    }
    let key = id.clone();
    let body = serde_json::json!({"visit": id.as_str(), "nonce": read.nonce});
    app.command(caller, "visits.identity", &body, move |tx, w| {
        let (id, read) = (id.clone(), read.clone());
        Box::pin(async move {
            // Beside the session's own door, the same lock.
            let s = session::newest_of_visit(tx, &id).await?;
            let s = s.filter(|s| s.state != State::Ended);
            identify(tx, w, &id, s.as_ref(), &read).await
        })
    })
    .await?;
    visit_view(app, key).await
}

pub async fn ws_ticket(app: &App, who: &Principal) -> Result<WsTicket, AppError> {
    let ticket = secret();
    let hash = app.vault.secret_hash(&ticket);
    let text = serde_json::to_string(who).map_err(|_| no("internal"))?;
    let end = app.now() + limits::WS_TICKET_LIFE;
    app.write(who.name(), move |tx, _| {
        let (hash, text) = (hash.clone(), text.clone());
        Box::pin(async move { Ok(staff::insert_ws_ticket(tx, &hash, &text, end).await?) })
    })
    .await?;
    Ok(WsTicket {
        ticket,
        expires_at: end.rfc3339(),
    })
}

/// The principal behind a WebSocket ticket, once.
pub async fn spend_ws_ticket(app: &App, ticket: &str) -> Result<Principal, AppError> {
    let hash = app.vault.secret_hash(ticket);
    let text = app
        .write("ws", move |tx, w| {
            let hash = hash.clone();
            Box::pin(async move { Ok(staff::take_ws_ticket(tx, &hash, w.now).await?) })
        })
        .await?
        .ok_or_else(|| no("signed_out"))?;
    serde_json::from_str(&text).map_err(|_| no("signed_out"))
}
