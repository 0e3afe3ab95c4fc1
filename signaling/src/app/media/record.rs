//! Recording on the node of a room: where the bytes go, and that they stop.
//!
//! Start and stop of one room take turns, so that a stop never overtakes the start that it is to end. The key never travels: the
//! node opens it with the installation's master key.

use super::{MediaPlane, NodeCommand, lock, refused};
use crate::{
    app::{App, recording},
    problem::{AppError, no},
};
use domain::id::{Id as _, RecordingId, TicketId};
use media::{
    Engine as _, MediaEngine,
    record::{Ended, FileSink, RECORDED_ROLES, RecordingPlan},
};
use std::{collections::HashMap, io, path::PathBuf, sync::Arc, sync::Mutex as Lock};
use tokio::sync::Mutex;

/// What is recorded on this node, by room.
#[derive(Default)]
pub(super) struct Recorded(Lock<HashMap<String, Arc<Mutex<Option<RecordingId>>>>>);

impl Recorded {
    fn of(&self, room: &str) -> Arc<Mutex<Option<RecordingId>>> {
        lock(&self.0).entry(room.to_owned()).or_default().clone()
    }

    pub(super) fn rooms(&self) -> Vec<String> {
        lock(&self.0).keys().cloned().collect()
    }

    fn forget(&self, room: &str) {
        lock(&self.0).remove(room);
    }
}

/// Files for one recording, in a directory of its own.
async fn sink(dir: PathBuf) -> io::Result<FileSink> {
    tokio::task::spawn_blocking(move || FileSink::new(dir))
        .await
        .map_err(io::Error::other)?
}

impl MediaPlane {
    /// Begins a recording on the node of the room.
    pub(in crate::app) async fn record(
        &self,
        app: &App,
        room: &TicketId,
        id: &RecordingId,
    ) -> Result<(), AppError> {
        let command = NodeCommand::RecordStart {
            room: room.to_string(),
            recording: id.clone(),
        };
        self.ask(app, command, true).await.map(|_| ())
    }

    /// Ends a recording on the node that writes it, which need not hold the room's lease any more. A node that is gone writes
    /// nothing: what it wrote is made good from its files.
    pub(in crate::app) async fn end_recording(
        &self,
        app: &App,
        node: &str,
        room: &TicketId,
        id: &RecordingId,
        reason: Ended,
    ) -> Result<(), AppError> {
        let command = NodeCommand::RecordStop {
            room: room.to_string(),
            recording: id.clone(),
            reason,
        };
        if node == app.bus.node() {
            return self.here(app, command).await.map(|_| ());
        }
        let name = node.to_owned();
        let found = app
            .read(move |tx| Box::pin(async move { Ok(store::node::get(tx, &name).await?) }))
            .await?;
        match found {
            Some(n) => self.there(&n.internal_url, &command).await.map(|_| ()),
            None => Ok(()),
        }
    }

    /// On the node of the room: the row first, then the bytes.
    pub(super) async fn record_here(
        &self,
        app: &App,
        engine: &Arc<MediaEngine>,
        room: &str,
        id: &RecordingId,
    ) -> Result<(), AppError> {
        let turn = self.recorded.of(room);
        let mut now = turn.lock().await;
        match now.as_ref() {
            Some(running) if running == id => return Ok(()),
            // The last one's end is not confirmed yet.
            Some(_) => return Err(no("recording_open")),
            None => {}
        }
        let Some(begun) = recording::begin(app, id).await? else {
            return Ok(());
        };
        let sink = match sink(recording::folder(app, id)).await {
            Ok(sink) => sink,
            Err(e) => {
                tracing::error!(recording = %id, error = %e, "a recording has no place to be written to");
                recording::not_begun(app, id, true).await?;
                return Err(no("recording_failed"));
            }
        };
        let plan = RecordingPlan {
            recording: id.to_string(),
            required: begun.required,
            roles: RECORDED_ROLES.to_vec(),
            key: begun.key,
            sink: Box::new(sink),
            started_at_ms: begun.started_at_ms,
        };
        if let Err(e) = engine.start_recording(room, plan).await {
            recording::not_begun(app, id, false).await?;
            return Err(refused(&e));
        }
        *now = Some(id.clone());
        // A room that is recorded stays with this node, whoever is connected.
        lock(&self.slots).entry(room.to_owned()).or_default();
        Ok(())
    }

    /// Ends what is recorded of a room, or the one that is meant; nothing is written once this returns.
    pub(super) async fn record_stop_here(
        &self,
        app: &App,
        engine: &Arc<MediaEngine>,
        room: &str,
        id: Option<&RecordingId>,
        reason: Ended,
    ) -> Result<(), AppError> {
        let turn = self.recorded.of(room);
        let mut now = turn.lock().await;
        let Some(running) = now.clone().filter(|r| id.is_none_or(|id| id == r)) else {
            return Ok(());
        };
        match engine.stop_recording(room, reason).await {
            Ok(manifest) => {
                *now = None;
                drop(now);
                match manifest {
                    Some(m) => recording::stopped(app, &running, &m).await,
                    // Its end is on its way as an event.
                    None => Ok(()),
                }
            }
            Err(e) => {
                tracing::error!(recording = %running, code = e.code(), "a recording's end was not confirmed");
                Err(refused(&e))
            }
        }
    }

    /// The engine says that it is over.
    pub(super) async fn record_over(&self, room: &str, id: &RecordingId) {
        let turn = self.recorded.of(room);
        let mut now = turn.lock().await;
        if now.as_ref() == Some(id) {
            *now = None;
        }
    }

    /// The room is closed: what was recorded of it ends first.
    pub(super) async fn record_close(
        &self,
        app: &App,
        engine: &Arc<MediaEngine>,
        room: &str,
        reason: Ended,
    ) {
        if let Err(e) = self.record_stop_here(app, engine, room, None, reason).await {
            tracing::error!(code = e.code(), "a recording was not ended before its room");
        }
        self.recorded.forget(room);
    }
}

/// A word of the engine about a recording.
pub(super) async fn on_event(
    app: &App,
    room: &str,
    recording: &str,
    at_ms: u64,
    event: media::RecordingEvent,
) -> Result<(), AppError> {
    let Some(id) = RecordingId::parse(recording) else {
        return Ok(());
    };
    let over = match &event {
        media::RecordingEvent::Stopped { .. } => true,
        // Its thread is gone.
        media::RecordingEvent::Interrupted { leg, .. } => *leg == 0,
        media::RecordingEvent::Proven | media::RecordingEvent::Resumed => false,
    };
    if over {
        app.media.record_over(room, &id).await;
    }
    recording::happened(app, &id, at_ms, event).await
}
