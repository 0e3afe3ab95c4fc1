//! The end of a recording: with the session, by the citizen's word, by the server's stop, or because a node died. Whatever ended
//! it, a manifest says what there is and what is missing, and is signed.

use super::{asking, folder, locked, running, save, seal, step, tell};
use crate::{
    app::{App, Work, call_flow::journal},
    problem::{AppError, no},
};
use domain::{
    id::{Id as _, RecordingId},
    limits::{NODE_DEAD_AFTER, NODE_FORGOTTEN_AFTER},
    recording::{Cmd, End, State},
    time::Span,
};
use media::record::{self, Ended, FORMAT, Manifest};
use protocol::EventBody;
use serde_json::json;
use store::{
    Tx,
    recording::{self as kept, Recording},
    session,
};

/// Rows of one reading.
const BATCH: i64 = 64;
/// A stop that was told to the engine is answered within this; then the files say what there is.
const ANSWERED: Span = Span::seconds(5);

const fn end_of(e: Ended) -> End {
    match e {
        Ended::Finished => End::Finished,
        Ended::Withdrawn => End::Withdrawn,
        Ended::Closed => End::Closed,
        Ended::Crash => End::Crash,
    }
}

fn ended_of(r: &Recording) -> Ended {
    match r.end_reason.as_deref().and_then(End::parse) {
        Some(End::Withdrawn) => Ended::Withdrawn,
        Some(End::Closed) => Ended::Closed,
        Some(End::Crash) => Ended::Crash,
        Some(End::Finished | End::Disk | End::Refused | End::Unanswered) | None => Ended::Finished,
    }
}

/// The session is over, in the transaction that ends it: a question lapses, a recording is written no more.
pub(in crate::app) async fn session_over(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
) -> Result<(), AppError> {
    let newest = kept::newest(tx, &s.id).await?;
    let Some(mut r) = newest.filter(|r| r.state.is_open()) else {
        return Ok(());
    };
    if r.state == State::Asked {
        return asking::lapse(tx, w, &r).await;
    }
    let end = if r.proven_at.is_none() && r.interrupted.as_deref() == Some("disk") {
        End::Disk
    } else {
        End::Finished
    };
    step(&mut r, Cmd::Stop)?;
    (r.ended_at, r.end_reason) = (Some(w.now), Some(end.as_str().into()));
    save(tx, &mut r).await?;
    let body = EventBody::RecordingStopped {
        recording: r.id.to_string(),
        reason: end.as_str().into(),
    };
    journal(tx, w, s, None, &body).await.map(|_| ())
}

/// Tells the node that writes; returns when it does no more.
pub(super) async fn stop_writing(
    app: &App,
    id: &RecordingId,
    reason: Ended,
) -> Result<(), AppError> {
    let (key, room) = (id.clone(), running::room_of(app, id).await?);
    let r = app
        .read(move |tx| Box::pin(async move { Ok(kept::get(tx, &key).await?) }))
        .await?
        .ok_or_else(|| no("recording_not_found"))?;
    match r.node {
        Some(node) => app.media.end_recording(app, &node, &room, id, reason).await,
        None => Ok(()),
    }
}

/// Nothing is written any more, and this is what there is: kept, then signed. A word that comes again changes nothing.
pub(in crate::app) async fn stopped(
    app: &App,
    id: &RecordingId,
    manifest: &Manifest,
) -> Result<(), AppError> {
    let text = manifest
        .canonical()
        .ok()
        .and_then(|b| String::from_utf8(b).ok())
        .ok_or_else(|| no("internal"))?;
    let gaps: usize = manifest.legs.iter().map(|l| l.gaps.len()).sum();
    let bytes = manifest.legs.iter().flat_map(|l| &l.segments);
    let bytes: u64 = bytes.map(|s| s.bytes).sum();
    let (duration, ended) = (running::millis(manifest.duration_ms), manifest.ended);
    let rid = id.clone();
    app.write("server", move |tx, w| {
        let (id, text) = (rid.clone(), text.clone());
        Box::pin(async move {
            let Some(mut r) = locked(tx, &id).await? else {
                return Ok(());
            };
            let over = r.state == State::Sealing;
            if over && r.manifest.is_some() || !over && !r.state.is_running() {
                return Ok(());
            }
            if !over {
                step(&mut r, Cmd::Stop)?;
                let end = end_of(ended);
                let at = r.started_at.map(|t| t + Span::millis(duration));
                r.ended_at = at.map(|t| t.min(w.now)).or(Some(w.now));
                r.end_reason = Some(end.as_str().into());
            }
            r.manifest = Some(text);
            r.duration_ms = Some(duration);
            r.gaps = i64::try_from(gaps).ok();
            r.bytes = i64::try_from(bytes).ok();
            save(tx, &mut r).await?;
            if !over {
                let body = EventBody::RecordingStopped {
                    recording: r.id.to_string(),
                    reason: r.end_reason.clone().unwrap_or_default(),
                };
                tell(tx, w, &r, None, &body).await?;
            }
            Ok(())
        })
    })
    .await?;
    seal::seal(app, id).await
}

/// A recording of which nothing is on disk: that, too, is signed.
fn nothing(r: &Recording) -> Manifest {
    Manifest {
        format: FORMAT,
        recording: r.id.to_string(),
        started_at_ms: r.started_at.map_or(0, |t| t.millis()),
        duration_ms: 0,
        ended: ended_of(r),
        legs: vec![],
        events: vec![],
    }
}

/// Makes the manifest from the files alone: whoever wrote them cannot say it any more.
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
    let read = tokio::task::spawn_blocking(move || {
        if dir.is_dir() {
            record::recover(&dir, &key)
        } else {
            Ok(None)
        }
    });
    let manifest = read.await.map_err(|_| no("internal"))?.map_err(|e| {
        tracing::error!(code = e.code(), recording = %id, error = %e, "a recording cannot be read back; it is tried again");
        no("unavailable")
    })?;
    let manifest = manifest.unwrap_or_else(|| {
        r.end_reason = r.end_reason.take().or(Some(End::Crash.as_str().into()));
        nothing(&r)
    });
    tracing::warn!(recording = %id, "a recording that nobody ended was made good from its files");
    stopped(app, id, &manifest).await
}

/// What the nodes that died were writing. Only a `steady` node takes an old heartbeat for a death (see `nodes::release`).
pub async fn recover_gone(app: &App, steady: bool) -> Result<(), AppError> {
    let silence = if steady {
        NODE_DEAD_AFTER
    } else {
        NODE_FORGOTTEN_AFTER
    };
    let alive_since = app.now() - silence;
    let gone = app
        .read(move |tx| Box::pin(async move { Ok(kept::of_gone(tx, alive_since, BATCH).await?) }))
        .await?;
    for r in gone {
        // Those in the session see it before the files have been read.
        running::note_crash(app, &r.id).await?;
        if let Err(e) = recover(app, &r.id).await {
            tracing::error!(code = e.code(), recording = %r.id, "a recording of a dead node waits");
        }
    }
    Ok(())
}

/// One recording that waits for something.
async fn go_on(app: &App, r: &Recording) -> Result<(), AppError> {
    if r.state.is_running() {
        return running::start(app, &r.id).await;
    }
    match (&r.manifest, r.node.as_deref()) {
        (Some(_), _) => seal::seal(app, &r.id).await,
        (None, None) => stopped(app, &r.id, &nothing(r)).await,
        (None, Some(node)) if node == app.bus.node() => {
            stop_writing(app, &r.id, ended_of(r)).await?;
            if r.ended_at.is_some_and(|t| app.now() >= t + ANSWERED) {
                recover(app, &r.id).await?;
            }
            Ok(())
        }
        // Its own node goes on with it, or is dead and it is recovered.
        (None, Some(_)) => Ok(()),
    }
}

/// Questions that nobody answered; recordings that should run and do not yet; ends that are not signed yet.
pub async fn due(app: &App) -> Result<(), AppError> {
    asking::lapse_due(app).await?;
    let mut after = None;
    loop {
        let last: Option<RecordingId> = after.take();
        let page = app
            .read(move |tx| {
                Box::pin(async move { Ok(kept::pending(tx, last.as_ref(), BATCH).await?) })
            })
            .await?;
        for r in &page {
            // One that cannot go on holds up no other.
            if let Err(e) = go_on(app, r).await {
                tracing::info!(code = e.code(), recording = %r.id, "a recording waits");
            }
        }
        match page.last() {
            Some(r) if page.len() as i64 == BATCH => after = Some(r.id.clone()),
            Some(_) | None => return Ok(()),
        }
    }
}

/// For the audit: what became of it.
pub(super) fn summary(r: &Recording) -> serde_json::Value {
    json!({"session": r.session_id.as_str(), "reason": r.end_reason, "gaps": r.gaps, "bytes": r.bytes, "duration_ms": r.duration_ms})
}
