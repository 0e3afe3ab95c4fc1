//! What somebody was writing who cannot say any more how it ended: the files say it.

use super::{
    ending::{self, BATCH, stopped},
    folder, locked, running, save, tell,
};
use crate::{
    app::App,
    problem::{AppError, no},
};
use domain::{
    id::RecordingId,
    limits::{NODE_DEAD_AFTER, NODE_FORGOTTEN_AFTER},
    recording::{End, State},
};
use media::record;
use store::recording as kept;

/// Makes the manifest from the files alone. What was proven to be on disk and is not to be found waits for its disk and its key:
/// nobody signs that there was nothing.
pub(super) async fn recover(app: &App, id: &RecordingId) -> Result<(), AppError> {
    let (a, rid) = (app.clone(), id.clone());
    let found = app
        .read(move |tx| {
            Box::pin(async move {
                let r = kept::get(tx, &rid).await?;
                let Some(r) = r.filter(|r| {
                    r.manifest.is_none() && (r.state.is_running() || r.state == State::Sealing)
                }) else {
                    return Ok(None);
                };
                let key = a.vault.recording_key(tx, &r.key_id).await?;
                Ok(Some((r, key)))
            })
        })
        .await?;
    let Some((mut r, key)) = found else {
        return Ok(());
    };
    let dir = folder(app, id);
    let read = tokio::task::spawn_blocking(move || record::recover(&dir, &key));
    let manifest = read.await.map_err(|_| no("internal"))?.map_err(|e| {
        tracing::error!(code = e.code(), recording = %id, error = %e, "a recording cannot be read back; it is tried again");
        no("unavailable")
    })?;
    let manifest = match manifest {
        Some(m) => m,
        None if r.proven_at.is_some() => {
            tracing::error!(recording = %id, "a recording cannot be read back; nothing of it is to be found under its key, and it is tried again");
            return Err(no("unavailable"));
        }
        None => {
            r.end_reason = r.end_reason.take().or(Some(End::Crash.as_str().into()));
            ending::nothing(&r)
        }
    };
    tracing::warn!(recording = %id, "a recording that nobody ended was made good from its files");
    stopped(app, id, &manifest).await
}

/// Nobody writes it any more. Those in the session see it before the files have been read; where they cannot be read, it is over
/// all the same and another may be asked for, and its manifest waits.
pub(in crate::app) async fn broken_off(app: &App, id: &RecordingId) -> Result<(), AppError> {
    running::note_crash(app, id).await?;
    let read = recover(app, id).await;
    if read.is_err() {
        over(app, id).await?;
    }
    read
}

/// The row of one whose files cannot be read now.
async fn over(app: &App, id: &RecordingId) -> Result<(), AppError> {
    let id = id.clone();
    app.write("server", move |tx, w| {
        let id = id.clone();
        Box::pin(async move {
            let Some(mut r) = locked(tx, &id).await?.filter(|r| r.state.is_running()) else {
                return Ok(());
            };
            ending::close(&mut r, End::Crash, w.now)?;
            save(tx, &mut r).await?;
            tell(tx, w, &r, None, &ending::told(&r)).await
        })
    })
    .await
}

/// What the nodes that died were writing. Only a `steady` node takes an old heartbeat for a death (see `nodes::release`).
pub async fn recover_gone(app: &App, steady: bool) -> Result<(), AppError> {
    let silence = if steady {
        NODE_DEAD_AFTER
    } else {
        NODE_FORGOTTEN_AFTER
    };
    let alive_since = app.now() - silence;
    let mut after: Option<RecordingId> = None;
    loop {
        let last = after.take();
        let gone = app
            .read(move |tx| {
                Box::pin(
                    async move { Ok(kept::of_gone(tx, alive_since, last.as_ref(), BATCH).await?) },
                )
            })
            .await?;
        for r in &gone {
            // One that cannot be read holds up no other.
            if let Err(e) = broken_off(app, &r.id).await {
                tracing::error!(code = e.code(), recording = %r.id, "a recording of a dead node waits");
            }
        }
        match gone.last() {
            Some(r) if gone.len() as i64 == BATCH => after = Some(r.id.clone()),
            Some(_) | None => return Ok(()),
        }
    }
}
