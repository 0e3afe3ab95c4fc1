//! A recording that was agreed to: it begins on the node of the room, and what the media plane says of it becomes the row.

use super::{locked, save, step, tell};
use crate::{
    app::{App, media::room_name},
    problem::{AppError, no},
};
use domain::{
    id::{Id as _, RecordingId, SessionId, TicketId},
    invite::Member as Part,
    recording::{Cmd, State},
    time::{Span, Timestamp},
};
use media::{
    RecordingEvent,
    record::{RecordingKey, Standing},
};
use protocol::EventBody;
use serde_json::json;
use store::{Tx, recording as kept, session};

/// What the node of a room needs to begin.
pub(in crate::app) struct Begun {
    /// Names in the room of those without whom it is not proven.
    pub required: Vec<String>,
    pub key: RecordingKey,
    pub started_at_ms: i64,
}

/// The citizen and who serves them now, by their names in the room.
pub(in crate::app) fn required(members: &[session::Member]) -> Vec<String> {
    members
        .iter()
        .filter(|m| matches!(m.part, Part::Citizen | Part::Agent) && !m.is_out())
        .map(room_name)
        .collect()
}

/// The room of a recording.
pub(super) async fn room_of(app: &App, id: &RecordingId) -> Result<TicketId, AppError> {
    let id = id.clone();
    app.read(move |tx| {
        Box::pin(async move {
            let r = kept::get(tx, &id)
                .await?
                .ok_or_else(|| no("recording_not_found"))?;
            let s = session::get(tx, &r.session_id).await?;
            Ok(s.ok_or_else(|| no("recording_not_found"))?.ticket_id)
        })
    })
    .await
}

/// Asks the node of the room to begin.
pub(super) async fn start(app: &App, id: &RecordingId) -> Result<(), AppError> {
    let room = room_of(app, id).await?;
    app.media.record(app, &room, id).await
}

/// Whether it is agreed to and nobody has begun it.
pub(in crate::app) async fn is_awaited(app: &App, id: &RecordingId) -> Result<bool, AppError> {
    let id = id.clone();
    app.read(move |tx| {
        Box::pin(async move {
            let r = kept::get(tx, &id).await?;
            Ok(r.is_some_and(|r| r.state.is_running() && r.node.is_none()))
        })
    })
    .await
}

/// On the node of the room, before the first byte: the row says who writes, and from when the clock runs. None: it was withdrawn,
/// or has begun already.
pub(in crate::app) async fn begin(app: &App, id: &RecordingId) -> Result<Option<Begun>, AppError> {
    let (id, me) = (id.clone(), app.bus.node().to_owned());
    app.write("server", move |tx, w| {
        let (id, me) = (id.clone(), me.clone());
        Box::pin(async move {
            let Some(mut r) = locked(tx, &id)
                .await?
                .filter(|r| r.state.is_running() && r.node.is_none())
            else {
                return Ok(None);
            };
            let now = Timestamp::from_millis(w.now.millis());
            (r.node, r.started_at) = (Some(me), Some(now));
            save(tx, &mut r).await?;
            let required = required(&session::members(tx, &r.session_id).await?);
            let key = w.app.vault.recording_key(tx, &r.key_id).await?;
            Ok(Some(Begun {
                required,
                key,
                started_at_ms: now.millis(),
            }))
        })
    })
    .await
}

/// The node could not begin: it is tried again, and a disk that refuses is shown.
pub(in crate::app) async fn not_begun(
    app: &App,
    id: &RecordingId,
    disk: bool,
) -> Result<(), AppError> {
    let id = id.clone();
    app.write("server", move |tx, w| {
        let id = id.clone();
        Box::pin(async move {
            let Some(mut r) = locked(tx, &id).await?.filter(|r| r.state.is_running()) else {
                return Ok(());
            };
            let news = disk && r.state == State::Starting;
            if r.node.take().is_none() && !news {
                return Ok(());
            }
            if news {
                step(&mut r, Cmd::Interrupt)?;
                r.interrupted = Some("disk".into());
            }
            save(tx, &mut r).await?;
            if news {
                let body = EventBody::RecordingInterrupted {
                    recording: r.id.to_string(),
                    reason: "disk".into(),
                };
                tell(tx, w, &r, None, &body).await?;
            }
            Ok(())
        })
    })
    .await
}

/// One step of the row for one word of the media plane; a word that comes too late changes nothing.
async fn note(
    app: &App,
    id: &RecordingId,
    cmd: Cmd,
    at_ms: u64,
    reason: Option<&'static str>,
) -> Result<(), AppError> {
    let id = id.clone();
    app.write("server", move |tx, w| {
        let id = id.clone();
        Box::pin(async move {
            let Some(mut r) = locked(tx, &id).await? else {
                return Ok(());
            };
            if step(&mut r, cmd).is_err() {
                return Ok(());
            }
            r.interrupted = reason.map(str::to_owned);
            let at = r.started_at.map(|t| t + Span::millis(millis(at_ms)));
            if r.state == State::Live {
                r.proven_at = r.proven_at.or(at).or(Some(w.now));
            }
            save(tx, &mut r).await?;
            let recording = r.id.to_string();
            let (body, action) = match (cmd, reason) {
                (_, Some(reason)) => (
                    EventBody::RecordingInterrupted {
                        recording,
                        reason: reason.into(),
                    },
                    "recording.interrupted",
                ),
                (Cmd::Resume, None) => (
                    EventBody::RecordingResumed { recording },
                    "recording.resumed",
                ),
                (_, None) => (
                    EventBody::RecordingStarted { recording },
                    "recording.proven",
                ),
            };
            w.audit(
                tx,
                action,
                r.id.as_str(),
                json!({"session": r.session_id.as_str(), "at_ms": at_ms, "reason": reason}),
            )
            .await?;
            tell(tx, w, &r, None, &body).await
        })
    })
    .await
}

pub(super) fn millis(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX / 1_000)
}

/// What the media plane says of a recording of this node that goes on. Its end is in `media/record.rs`.
pub(in crate::app) async fn happened(
    app: &App,
    id: &RecordingId,
    at_ms: u64,
    event: &RecordingEvent,
) -> Result<(), AppError> {
    match event {
        RecordingEvent::Proven => note(app, id, Cmd::Prove, at_ms, None).await,
        RecordingEvent::Resumed => note(app, id, Cmd::Resume, at_ms, None).await,
        RecordingEvent::Interrupted { reason, .. } => {
            note(app, id, Cmd::Interrupt, at_ms, Some(reason.as_str())).await
        }
        RecordingEvent::Stopped { .. } => Ok(()),
    }
}

/// What was said and could not be kept: the row becomes what the recording is.
pub(super) async fn catch_up(
    app: &App,
    r: &kept::Recording,
    standing: &Standing,
) -> Result<(), AppError> {
    let id = &r.id;
    match (r.state, standing) {
        (State::Starting | State::Interrupted, Standing::Proven { since_ms }) => {
            let cmd = if r.proven_at.is_some() {
                Cmd::Resume
            } else {
                Cmd::Prove
            };
            note(app, id, cmd, *since_ms, None).await
        }
        (
            State::Starting | State::Live,
            Standing::Interrupted {
                since_ms,
                reason,
                proven_ms,
            },
        ) => {
            if let Some(at_ms) = proven_ms.filter(|_| r.proven_at.is_none()) {
                note(app, id, Cmd::Prove, at_ms, None).await?;
            }
            note(app, id, Cmd::Interrupt, *since_ms, Some(reason.as_str())).await
        }
        (
            State::Asked
            | State::Refused
            | State::Starting
            | State::Live
            | State::Interrupted
            | State::Sealing
            | State::Sealed
            | State::Deleted,
            Standing::Proving
            | Standing::Proven { .. }
            | Standing::Interrupted { .. }
            | Standing::Stopped { .. }
            | Standing::Failed,
        ) => Ok(()),
    }
}

/// The session's newest recording and where its clock stands, if it is proven live.
pub(super) async fn live(
    tx: &mut Tx,
    id: &RecordingId,
    session: &SessionId,
    now: Timestamp,
) -> Result<(kept::Recording, i64), AppError> {
    let r = kept::get(tx, id)
        .await?
        .filter(|r| r.session_id == *session)
        .ok_or_else(|| no("recording_not_found"))?;
    match r.started_at {
        Some(zero) if r.state == State::Live => {
            let ms = now.since(zero).0 / 1_000;
            Ok((r, ms.max(0)))
        }
        Some(_) | None => Err(no("recording_not_live")),
    }
}

/// The node that wrote it is dead.
pub(super) async fn note_crash(app: &App, id: &RecordingId) -> Result<(), AppError> {
    note(app, id, Cmd::Interrupt, 0, Some("crash")).await
}
