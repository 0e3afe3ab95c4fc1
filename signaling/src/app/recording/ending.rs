//! The end of a recording: with the session, by the citizen's word, by the server's stop, or because a node died. Whatever ended
//! it, a manifest says what there is and what is missing, and is signed.

use super::{agree, asking, locked, recovery, running, save, seal, step, tell};
use crate::{
    app::{App, Work, call_flow::journal},
    problem::{AppError, no},
};
use domain::{
    id::{Id as _, RecordingId},
    recording::{Cmd, End, State},
    time::{Span, Timestamp},
};
use media::record::{Ended, FORMAT, Manifest};
use protocol::EventBody;
use serde_json::json;
use store::{
    Tx,
    recording::{self as kept, Recording},
    session,
};

/// Rows of one reading.
pub(super) const BATCH: i64 = 64;
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
        Some(End::Finished | End::Disk | End::Moved | End::Refused | End::Unanswered) | None => {
            Ended::Finished
        }
    }
}

/// The session is over, in the transaction that ends it: a question lapses, a recording is written no more.
pub(in crate::app) async fn session_over(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
) -> Result<(), AppError> {
    match kept::newest(tx, &s.id).await? {
        Some(r) if r.state.is_open() => cease(tx, w, s, r, End::Finished).await,
        Some(_) | None => Ok(()),
    }
}

/// Another serves the citizen now. What was agreed to was the notice of the hall that asked, and its people keep what was recorded:
/// in another hall it ends, and is asked for anew.
pub(in crate::app) async fn followed(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
) -> Result<(), AppError> {
    match kept::newest(tx, &s.id).await? {
        Some(r) if r.state.is_open() && r.hall_id != s.hall_id => {
            cease(tx, w, s, r, End::Moved).await
        }
        Some(_) | None => Ok(()),
    }
}

async fn cease(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
    mut r: Recording,
    why: End,
) -> Result<(), AppError> {
    if r.state == State::Asked {
        return asking::lapse(tx, w, &r).await;
    }
    let never = r.proven_at.is_none() && r.interrupted.as_deref() == Some("disk");
    close(&mut r, if never { End::Disk } else { why }, w.now)?;
    save(tx, &mut r).await?;
    journal(tx, w, s, None, &told(&r)).await.map(|_| ())
}

/// Nothing is written any more; the caller keeps it.
pub(super) fn close(r: &mut Recording, end: End, at: Timestamp) -> Result<(), AppError> {
    step(r, Cmd::Stop)?;
    (r.ended_at, r.end_reason) = (Some(at), Some(end.as_str().into()));
    Ok(())
}

/// That it is over, for those in the session.
pub(super) fn told(r: &Recording) -> EventBody {
    EventBody::RecordingStopped {
        recording: r.id.to_string(),
        reason: r.end_reason.clone().unwrap_or_default(),
    }
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
                let at = r.started_at.map(|t| t + Span::millis(duration));
                let at = at.map_or(w.now, |t| t.min(w.now));
                close(&mut r, end_of(ended), at)?;
            }
            r.manifest = Some(text);
            r.duration_ms = Some(duration);
            r.gaps = i64::try_from(gaps).ok();
            r.bytes = i64::try_from(bytes).ok();
            save(tx, &mut r).await?;
            if over {
                return Ok(());
            }
            tell(tx, w, &r, None, &told(&r)).await
        })
    })
    .await?;
    seal::seal(app, id).await
}

/// A recording of which nothing was ever on disk: that, too, is signed.
pub(super) fn nothing(r: &Recording) -> Manifest {
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
                recovery::recover(app, &r.id).await?;
            }
            Ok(())
        }
        // Its own node goes on with it, or is dead and it is recovered.
        (None, Some(_)) => Ok(()),
    }
}

/// Questions that nobody answered; what of this node is not what its rows say; recordings that should run and do not yet; ends
/// that are not signed yet.
pub async fn due(app: &App) -> Result<(), AppError> {
    asking::lapse_due(app).await?;
    agree::agree(app).await?;
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
