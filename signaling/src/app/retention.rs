//! How long recordings are kept, and how they go: as it was told when the citizen agreed, longer with a case, never while held.
//!
//! Deletion destroys the key first: from then on nobody can read what lies on any disk or backup of files. Then the files go, then the row
//! says so, and the audit keeps the manifest's hashes, the key's id and what there was: a deletion proves itself. Each step may be done
//! again; a stop between two is made good by the next sweep.

use super::{App, Work, desk, recording as taking, replay};
use crate::problem::{AppError, no};
use domain::{
    audit::hex,
    digest::sm3_hex,
    id::{Id as _, RecordingId},
    limits,
    recording::{Cmd, End, Notice, State},
    time::Timestamp,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::path::Path;
use store::{
    Tx, dialect, keys,
    recording::{self as kept, Recording},
    replay as opened, session,
};

/// Recordings of one sweep, each kind.
const BATCH: i64 = 64;

/// When it goes if nobody holds it; none while it runs.
pub(super) fn delete_at(r: &Recording, has_case: bool) -> Result<Option<Timestamp>, AppError> {
    let (Some(ended), Some(true)) = (r.ended_at, r.granted) else {
        return Ok(None);
    };
    let notice: Notice = serde_json::from_str(&r.notice).map_err(|_| no("internal"))?;
    let end = r.end_reason.as_deref().and_then(End::parse);
    Ok(Some(notice.delete_at(
        ended,
        end.unwrap_or(End::Crash),
        has_case,
    )))
}

/// What is over goes. For the sweep; nodes may race.
pub async fn sweep(app: &App) -> Result<(), AppError> {
    let undated = app
        .read(move |tx| Box::pin(async move { Ok(opened::undated(tx, BATCH).await?) }))
        .await?;
    for r in undated {
        desk::lost_race_is_fine(date(app, r.id).await)?;
    }
    delete_due(app).await?;
    replay::export::sweep(app).await
}

/// Page by page, each once: those that cannot go hold up no other, however many they are.
async fn delete_due(app: &App) -> Result<(), AppError> {
    let now = app.now();
    let mut after: Option<Recording> = None;
    loop {
        let last = after.take();
        let page = app
            .read(move |tx| {
                Box::pin(async move { Ok(opened::due(tx, now, last.as_ref(), BATCH).await?) })
            })
            .await?;
        for r in &page {
            if let Err(e) = delete(app, r.id.clone()).await {
                tracing::error!(recording = %r.id, code = e.code(), error = %e, "a recording was not deleted; it is tried again");
            }
        }
        match page.last() {
            Some(r) if page.len() as i64 == BATCH => after = Some(r.clone()),
            Some(_) | None => return Ok(()),
        }
    }
}

/// The row, while its session takes turns, and whether a case came of it.
async fn locked(tx: &mut Tx, id: &RecordingId) -> Result<Option<(Recording, bool)>, AppError> {
    let Some(r) = kept::get(tx, id).await? else {
        return Ok(None);
    };
    dialect::lock_session(tx, &r.session_id).await?;
    let s = session::get(tx, &r.session_id).await?;
    let has_case = s.is_some_and(|s| s.case_id.is_some());
    Ok(kept::get(tx, id).await?.map(|r| (r, has_case)))
}

async fn save(tx: &mut Tx, r: &Recording) -> Result<(), AppError> {
    if kept::save(tx, r).await? {
        Ok(())
    } else {
        Err(store::StoreError::Retry.into())
    }
}

/// Says when it goes.
async fn date(app: &App, id: RecordingId) -> Result<(), AppError> {
    app.write("server", move |tx, _| {
        let id = id.clone();
        Box::pin(async move {
            if let Some((mut r, has_case)) = locked(tx, &id).await?
                && r.state == State::Sealed
                && r.delete_at.is_none()
            {
                r.delete_at = delete_at(&r, has_case)?;
                save(tx, &r).await?;
            }
            Ok(())
        })
    })
    .await
}

/// Takes a directory with everything in it; what is not there is gone.
fn remove(dir: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

async fn delete(app: &App, id: RecordingId) -> Result<(), AppError> {
    let one = id.clone();
    let go = app
        .write("server", move |tx, w| {
            let id = one.clone();
            Box::pin(async move { lock_away(tx, w, &id).await })
        })
        .await?;
    if !go {
        return Ok(());
    }
    let dir = taking::folder(app, &id);
    tokio::task::spawn_blocking(move || remove(&dir))
        .await
        .map_err(|_| no("internal"))?
        .map_err(|e| {
            tracing::error!(error = %e, "the files of a deleted recording are there still");
            no("unavailable")
        })?;
    app.write("server", move |tx, w| {
        let id = id.clone();
        Box::pin(async move { write_off(tx, w, &id).await })
    })
    .await
}

/// The key dies, and with it the files that were made of the recording, and every open replay. False: it stays, after all.
async fn lock_away(tx: &mut Tx, w: &mut Work, id: &RecordingId) -> Result<bool, AppError> {
    let Some((mut r, has_case)) = locked(tx, id).await? else {
        return Ok(false);
    };
    if r.state != State::Sealed || r.hold.is_some() {
        return Ok(false);
    }
    let at = delete_at(&r, has_case)?;
    if at.is_none_or(|t| t > w.now) {
        // A case came of the session after it was dated.
        r.delete_at = at;
        save(tx, &r).await?;
        return Ok(false);
    }
    if keys::destroy(tx, &r.key_id, w.now).await? {
        let detail = json!({"recording": id.as_str()});
        w.audit(tx, "key.destroyed", r.key_id.as_str(), detail)
            .await?;
    }
    opened::close(tx, id, w.now).await?;
    for e in opened::exports_of(tx, id).await? {
        replay::export::end(tx, w, &e).await?;
    }
    // Whoever saw the version before cannot hold it any more.
    save(tx, &r).await?;
    Ok(true)
}

/// The row and the audit say what went.
async fn write_off(tx: &mut Tx, w: &mut Work, id: &RecordingId) -> Result<(), AppError> {
    let Some((mut r, has_case)) = locked(tx, id).await? else {
        return Ok(());
    };
    if r.state != State::Sealed {
        return Ok(());
    }
    r.state = State::apply(Some(r.state), Cmd::Delete)?;
    let media = replay::manifest(&r).ok();
    let manifest = r.manifest.take().unwrap_or_default();
    (r.deleted_at, r.delete_at) = (Some(w.now), None);
    save(tx, &r).await?;
    w.wake(&r.session_id);
    let why = match (has_case, r.end_reason.as_deref()) {
        (true, _) => "case",
        (false, Some("withdrawn")) => "withdrawn",
        (false, _) => "routine",
    };
    // What the citizen said and answered goes with the recording of it.
    let prompts = kept::forget_prompts(tx, id).await?;
    // As it was signed: what still lay there may be the rest that an earlier try left.
    let (mut files, mut bytes) = (0, 0);
    for s in media.iter().flat_map(|m| &m.legs).flat_map(|l| &l.segments) {
        (files, bytes) = (files + 1, bytes + s.bytes);
    }
    let detail = json!({
        "session": r.session_id.as_str(), "key": r.key_id.as_str(), "why": why, "files": files, "bytes": bytes, "prompts": prompts,
        "manifest_sha256": hex(&Sha256::digest(manifest.as_bytes())), "manifest_sm3": sm3_hex(manifest.as_bytes()),
    });
    w.audit(tx, "recording.deleted", id.as_str(), detail).await
}

/// Whether a node is to be believed dead when it has said nothing since then.
pub(super) fn alive_since(app: &App) -> Timestamp {
    app.now() - limits::NODE_DEAD_AFTER
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_goes_with_all_that_is_in_it_and_twice_is_once() {
        let dir = tempfile::tempdir().unwrap();
        let rec = dir.path().join("rec_1");
        std::fs::create_dir(&rec).unwrap();
        std::fs::write(rec.join("leg-01-000001.seg"), [1; 10]).unwrap();
        std::fs::write(rec.join("leg-02-000001.seg"), [1; 5]).unwrap();
        remove(&rec).unwrap();
        assert!(!rec.exists() && dir.path().exists());
        remove(&rec).unwrap();
    }
}
