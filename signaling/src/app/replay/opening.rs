//! Opening a recording: the reason, the audit, the cookie; and what the player is shown of it.

use super::{
    access::{self, Seen, entitled, staff_of},
    export, ffmpeg, legs, lines, marks, sealed,
};
use crate::{
    app::{App, Caller, auth, token::Principal},
    problem::{AppError, no},
};
use domain::{
    id::{Id as _, RecordingId, ReplayId, StaffId},
    limits,
    time::Span,
};
use protocol::{OpenReplay, ReplayView};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use store::{
    Tx,
    replay::{self as kept, Replay},
};
use tokio::sync::Semaphore;

/// Recordings whose chain is checked at one time: each is read from its first byte to its last.
static CHECKS: Semaphore = Semaphore::const_new(1);

/// A replay and the secret of its cookie.
pub struct Opened {
    pub view: ReplayView,
    pub secret: String,
    pub life: Span,
}

#[derive(Clone, Serialize, Deserialize)]
struct Made {
    id: ReplayId,
}

/// For those entitled, with a reason. The same command again gives the same replay and a new secret; the one before is not good any more.
///
/// Codes: `purpose_invalid`, and those of [`entitled`] and [`access::playable`].
pub async fn open(
    app: &App,
    caller: &Caller,
    id: RecordingId,
    body: OpenReplay,
) -> Result<Opened, AppError> {
    let me = staff_of(&caller.who)?;
    let purpose = body.purpose.trim().to_owned();
    if !(2..=limits::REASON_CHARS).contains(&purpose.chars().count()) {
        return Err(no("purpose_invalid"));
    }
    // Audit entries and idempotency keys hold no words of people: a keyed hash says whether a reason is the one that was given.
    let print = app.vault.secret_hash(&purpose);
    let integrity = if seal_fits(app, &me, &id).await? {
        "unchecked"
    } else {
        "broken"
    };
    let fresh = Arc::new(AtomicBool::new(false));
    let (ran, hash, who) = (fresh.clone(), print.clone(), me.clone());
    let route = format!("recordings.replay:{id}");
    let made: Made = app
        .command(
            caller,
            &route,
            &json!({"purpose": print}),
            move |tx, w| {
                let (id, me, purpose, hash) =
                    (id.clone(), who.clone(), purpose.clone(), hash.clone());
                let ran = ran.clone();
                Box::pin(async move {
                    let app = w.app.clone();
                    let seen = entitled(&app, tx, &me, &id).await?;
                    access::playable(&seen)?;
                    let r = &seen.line.recording;
                    let key = sealed::words(&app, tx, r).await?;
                    let row = Replay {
                        id: w.id(),
                        recording_id: id.clone(),
                        staff_id: me,
                        token_hash: String::new(),
                        purpose_enc: key.seal(&purpose)?,
                        integrity: integrity.into(),
                        opened_at: w.now,
                        expires_at: w.now + limits::REPLAY_LIFE,
                    };
                    kept::insert(tx, &row).await?;
                    let detail = json!({"replay": row.id.as_str(), "purpose": hash, "case": seen.line.case_id.as_ref().map(|c| c.as_str())});
                    w.audit(tx, "recording.replayed", id.as_str(), detail).await?;
                    ran.store(true, Ordering::Release);
                    Ok(Made { id: row.id })
                })
            },
        )
        .await?;
    let secret = auth::secret();
    let (hash, id) = (app.vault.secret_hash(&secret), made.id.clone());
    app.write(me.as_str(), move |tx, _| {
        let (id, hash) = (id.clone(), hash.clone());
        Box::pin(async move { Ok(kept::arm(tx, &id, &hash).await?) })
    })
    .await?;
    if fresh.load(Ordering::Acquire) {
        let (a, id, who) = (app.clone(), made.id.clone(), caller.who.clone());
        tokio::spawn(async move {
            if let Err(e) = check(&a, &who, id).await {
                tracing::warn!(error = %e, "a recording's chain was not checked");
            }
        });
    }
    Ok(Opened {
        view: get(app, &caller.who, made.id).await?,
        secret,
        life: limits::REPLAY_LIFE,
    })
}

/// Whether the manifest is as it was signed. Curve arithmetic: never within a transaction.
async fn seal_fits(app: &App, me: &StaffId, id: &RecordingId) -> Result<bool, AppError> {
    let (a, me, id) = (app.clone(), me.clone(), id.clone());
    let r = app
        .read(|tx| {
            Box::pin(async move {
                let seen = entitled(&a, tx, &me, &id).await?;
                access::playable(&seen)?;
                Ok(seen.line.recording)
            })
        })
        .await?;
    let a = app.clone();
    tokio::task::spawn_blocking(move || sealed::seal_fits(&a, &r))
        .await
        .map_err(|_| no("internal"))
}

/// Reads the whole recording against its manifest and keeps what came of it.
async fn check(app: &App, who: &Principal, id: ReplayId) -> Result<(), AppError> {
    let _one = CHECKS.acquire().await.map_err(|_| no("internal"))?;
    let (a, w, i) = (app.clone(), who.clone(), id.clone());
    let found = app
        .read(|tx| {
            Box::pin(async move {
                let (r, seen) = access::of_staff(&a, tx, &w, &i).await?;
                if r.integrity != "unchecked" {
                    return Ok(None);
                }
                sealed::open(&a, tx, &seen.line.recording).await.map(Some)
            })
        })
        .await?;
    let Some(sealed) = found else { return Ok(()) };
    let fits = tokio::task::spawn_blocking(move || sealed.check())
        .await
        .map_err(|_| no("internal"))?;
    let word = match fits {
        Ok(()) => "valid",
        Err(e) => {
            tracing::error!(code = e.code(), error = %e, "a recording does not fit its manifest");
            "broken"
        }
    };
    app.write("server", move |tx, _| {
        let id = id.clone();
        Box::pin(async move { Ok(kept::set_integrity(tx, &id, word).await?) })
    })
    .await
}

async fn view(
    app: &App,
    tx: &mut Tx,
    r: &Replay,
    seen: &Seen,
    can_export: bool,
) -> Result<ReplayView, AppError> {
    let rec = &seen.line.recording;
    let manifest = sealed::manifest(rec)?;
    let started = rec.started_at.ok_or_else(|| no("recording_not_sealed"))?;
    let cast = legs::cast(app, tx, &seen.session).await?;
    Ok(ReplayView {
        id: r.id.to_string(),
        expires_at: r.expires_at.rfc3339(),
        recording: lines::view(app, tx, &seen.line).await?,
        started_at: started.rfc3339(),
        duration_ms: i64::try_from(manifest.duration_ms).unwrap_or(i64::MAX),
        legs: legs::views(&r.id, &manifest, &cast),
        timeline: marks::all(app, tx, seen, &manifest, &cast).await?,
        integrity: r.integrity.clone(),
        can_export,
        export: export::latest(tx, r).await?,
    })
}

/// For who has opened it. Codes: `not_found`, `replay_over`, and those of [`entitled`] and [`access::playable`].
pub async fn get(app: &App, who: &Principal, id: ReplayId) -> Result<ReplayView, AppError> {
    let (a, who, can_export) = (app.clone(), who.clone(), ffmpeg::available().await);
    app.read(move |tx| {
        Box::pin(async move {
            let (r, seen) = access::of_staff(&a, tx, &who, &id).await?;
            view(&a, tx, &r, &seen, can_export).await
        })
    })
    .await
}
