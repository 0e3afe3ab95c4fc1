//! Erasure: what was said and typed in a visit that led to no case dies with the visit's key.
//!
//! The day between end and erasure is for those who still work on it: the agent's wrap-up note, repeats of commands (their
//! answers live as long), a complaint about the call. A case adopts the key of its session, and then the case's own period
//! counts. Rows stay: without the key nobody can read them; sealed files leave the disk. Never touches a visit that is not
//! over, nor a recording of it: that was agreed to for itself, has a key of its own and its own days (`retention`).

use super::{App, desk, files};
use crate::problem::AppError;
use domain::{
    id::{Id as _, KeyId, VisitId},
    limits,
};
use serde_json::json;
use store::{file, keys, visit};

/// Visits of one call, each kind; files of one reading.
const BATCH: i64 = 64;
/// Readings of files of one call: the next call goes on.
const ROUNDS: usize = 64;

/// Ends visits that nobody can come back to, then destroys the keys that are due. For the sweep; nodes may race.
pub async fn sweep(app: &App) -> Result<(), AppError> {
    let now = app.now();
    let (lapsed, due) = app
        .read(move |tx| {
            Box::pin(async move {
                Ok((
                    visit::lapsed(tx, now - limits::CITIZEN_LIFE, BATCH).await?,
                    visit::erasable(tx, now, BATCH).await?,
                ))
            })
        })
        .await?;
    for id in lapsed {
        desk::lost_race_is_fine(end(app, id).await)?;
    }
    for (id, key) in due {
        desk::lost_race_is_fine(destroy(app, id, key).await)?;
    }
    erased_files(app).await
}

/// Takes from the disk what was sealed under a key that is destroyed, whatever it belonged to. The bytes go before the row, so
/// a stop between the two is made good by the next call; a file that cannot be removed holds up no other.
async fn erased_files(app: &App) -> Result<(), AppError> {
    let mut after = None;
    for _ in 0..ROUNDS {
        let last = after.take();
        let page = app
            .read(move |tx| {
                Box::pin(async move { Ok(file::erased(tx, last.as_ref(), BATCH).await?) })
            })
            .await?;
        let Some(last) = page.last().cloned() else {
            return Ok(());
        };
        for f in page {
            if let Err(e) = files::remove(app, &f.key_id, &f.sm3).await {
                tracing::error!(error = %e, "an erased file could not be removed; it is tried again");
                continue;
            }
            app.write("server", move |tx, _| {
                let f = f.clone();
                Box::pin(async move { Ok(file::remove(tx, &f.sm3, &f.key_id).await.map(|_| ())?) })
            })
            .await?;
        }
        after = Some(last);
    }
    Ok(())
}

/// A page that was closed without a goodbye: its token is over, so nobody will say it.
async fn end(app: &App, id: VisitId) -> Result<(), AppError> {
    app.write("server", move |tx, w| {
        let id = id.clone();
        Box::pin(async move {
            if !visit::end(tx, &id, w.now, w.now + limits::ERASE_AFTER).await? {
                return Ok(());
            }
            w.wake(&id);
            w.audit(tx, "visit.ended", id.as_str(), json!({"reason": "lapsed"}))
                .await
        })
    })
    .await
}

async fn destroy(app: &App, id: VisitId, key: KeyId) -> Result<(), AppError> {
    app.write("server", move |tx, w| {
        let (id, key) = (id.clone(), key.clone());
        Box::pin(async move {
            if !visit::settle(tx, &id).await? || !keys::destroy_unadopted(tx, &key, w.now).await? {
                return Ok(());
            }
            w.audit(
                tx,
                "key.destroyed",
                key.as_str(),
                json!({"visit": id.as_str()}),
            )
            .await
        })
    })
    .await
}
