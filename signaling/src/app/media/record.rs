//! Recording on the node of a room: where the bytes go, and that they stop.
//!
//! Start and stop of one room take turns, so that a stop never overtakes the start that it is to end. What is recorded here is
//! remembered until its row knows that it is over: see [`super::super::recording`]'s `agree.rs`. The key never travels: the node
//! opens it with the installation's master key.

use super::{MediaPlane, NodeCommand, lock, refused};
use crate::{
    app::{App, recording},
    problem::{AppError, no},
};
use domain::id::{Id as _, RecordingId, TicketId};
use media::{
    Engine as _, MediaEngine,
    record::{Ended, FileSink, RECORDED_ROLES, RecordingPlan, RecordingWatch, Standing},
};
use std::{collections::HashMap, io, path::PathBuf, sync::Arc, sync::Mutex as Lock};
use tokio::sync::Mutex;

/// What is recorded on this node, by room.
#[derive(Default)]
pub(super) struct Recorded(Lock<HashMap<String, Turn>>);

/// Whoever holds it may begin or end what is recorded of the room.
type Turn = Arc<Mutex<Option<Running>>>;

#[derive(Clone)]
struct Running {
    id: RecordingId,
    watch: RecordingWatch,
}

/// A recording of this node, and where it stands.
pub(in crate::app) struct Here {
    pub room: TicketId,
    pub id: RecordingId,
    pub standing: Standing,
}

impl Recorded {
    fn of(&self, room: &str) -> Turn {
        lock(&self.0).entry(room.to_owned()).or_default().clone()
    }

    fn find(&self, room: &str) -> Option<Turn> {
        lock(&self.0).get(room).cloned()
    }

    pub(super) fn rooms(&self) -> Vec<String> {
        lock(&self.0).keys().cloned().collect()
    }

    /// Lets go of a room of which nothing is recorded and whose turn nobody waits for.
    fn forget(&self, room: &str) {
        let mut all = lock(&self.0);
        let idle = all.get(room).is_some_and(|turn| {
            Arc::strong_count(turn) == 1 && turn.try_lock().is_ok_and(|now| now.is_none())
        });
        if idle {
            all.remove(room);
        }
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

    /// On the node of the room: the place, then the row, then the bytes. A row that names a node has a directory: where that is not
    /// to be found the disk is missing, and not what was recorded.
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
            Some(running) if running.id == *id => return Ok(()),
            // The last one's end is not kept yet.
            Some(_) => return Err(no("recording_open")),
            None => {}
        }
        if !recording::is_awaited(app, id).await? {
            return Ok(());
        }
        let sink = match sink(recording::folder(app, id)).await {
            Ok(sink) => sink,
            Err(e) => {
                tracing::error!(recording = %id, error = %e, "a recording has no place to be written to");
                recording::not_begun(app, id, true).await?;
                return Err(no("recording_failed"));
            }
        };
        let Some(begun) = recording::begin(app, id).await? else {
            return Ok(());
        };
        let plan = RecordingPlan {
            recording: id.to_string(),
            required: begun.required,
            roles: RECORDED_ROLES.to_vec(),
            key: begun.key,
            sink: Box::new(sink),
            started_at_ms: begun.started_at_ms,
        };
        let watch = match engine.start_recording(room, plan).await {
            Ok(watch) => watch,
            Err(e) => {
                recording::not_begun(app, id, false).await?;
                return Err(refused(&e));
            }
        };
        let id = id.clone();
        *now = Some(Running { id, watch });
        // A room that is recorded stays with this node, whoever is connected.
        lock(&self.slots).entry(room.to_owned()).or_default();
        Ok(())
    }

    /// Ends what is recorded of a room, or the one that is meant; nothing is written once this returns, and the row knows it.
    pub(super) async fn record_stop_here(
        &self,
        app: &App,
        engine: &Arc<MediaEngine>,
        room: &str,
        id: Option<&RecordingId>,
        reason: Ended,
    ) -> Result<(), AppError> {
        let Some(turn) = self.recorded.find(room) else {
            return Ok(());
        };
        let mut now = turn.lock().await;
        let meant = now.clone().filter(|r| id.is_none_or(|id| *id == r.id));
        let ended = match meant {
            Some(running) => {
                let ended = end(app, engine, room, &running, reason).await;
                if ended.is_ok() {
                    *now = None;
                }
                ended
            }
            None => Ok(()),
        };
        drop(now);
        drop(turn);
        self.recorded.forget(room);
        ended
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
    }

    /// Everything that is recorded here; what begins or ends at this moment is left out.
    pub(in crate::app) fn recordings(&self) -> Vec<Here> {
        let turns: Vec<_> = lock(&self.recorded.0)
            .iter()
            .map(|(room, turn)| (room.clone(), turn.clone()))
            .collect();
        let here = |(room, turn): (String, Turn)| {
            let running = turn.try_lock().ok()?.clone()?;
            Some(Here {
                room: TicketId::parse(&room)?,
                standing: running.watch.now(),
                id: running.id,
            })
        };
        turns.into_iter().filter_map(here).collect()
    }

    /// Whether it is recorded here, once nothing begins or ends in its room.
    pub(in crate::app) async fn is_recording(&self, room: &TicketId, id: &RecordingId) -> bool {
        let Some(turn) = self.recorded.find(&room.to_string()) else {
            return false;
        };
        let now = turn.lock().await;
        now.as_ref().is_some_and(|running| running.id == *id)
    }
}

/// Ends one and sees to it that its row knows: until then it is remembered here, so that no manifest is lost with a database that
/// refuses.
async fn end(
    app: &App,
    engine: &Arc<MediaEngine>,
    room: &str,
    running: &Running,
    reason: Ended,
) -> Result<(), AppError> {
    let id = &running.id;
    if let Err(e) = engine.stop_recording(room, reason).await {
        tracing::error!(recording = %id, code = e.code(), "a recording's end was not confirmed");
        return Err(refused(&e));
    }
    match running.watch.now() {
        Standing::Stopped { manifest } => recording::stopped(app, id, &manifest).await,
        // Nothing is written any more; what its files cannot say now they are asked again.
        Standing::Failed => {
            if let Err(e) = recording::broken_off(app, id).await {
                tracing::error!(code = e.code(), recording = %id, "a recording that failed waits");
            }
            Ok(())
        }
        // Told to end before, and the disk has not answered yet.
        Standing::Proving | Standing::Proven { .. } | Standing::Interrupted { .. } => {
            Err(no("recording_failed"))
        }
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
    let (Some(id), Some(engine)) = (RecordingId::parse(recording), app.media.engine()) else {
        return Ok(());
    };
    let over = match &event {
        media::RecordingEvent::Stopped { .. } => true,
        // Its thread is gone.
        media::RecordingEvent::Interrupted { leg, .. } => *leg == 0,
        media::RecordingEvent::Proven | media::RecordingEvent::Resumed => false,
    };
    if over {
        let (media, meant) = (&app.media, Some(&id));
        return media
            .record_stop_here(app, engine, room, meant, Ended::Crash)
            .await;
    }
    recording::happened(app, &id, at_ms, &event).await
}
