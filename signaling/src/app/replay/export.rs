//! One film of all legs, for those who may replay: made by ffmpeg where it is installed, sealed as it comes out, gone after a day.
//!
//! One at a time on a node, at low priority, bounded in time. Every part reaches ffmpeg through a named pipe of its own in a private
//! directory; the film leaves it through another: clear bytes are in memory alone. What fails leaves neither file nor key.

use super::{
    access,
    ffmpeg::{self, Layout},
    making, sealed,
    vessel::{self, Reader},
};
use crate::{
    app::{App, Caller, Work, retention, token::Principal, vault::DataKey},
    problem::{AppError, no},
};
use bytes::Bytes;
use domain::{
    id::{Id as _, KeyId, ReplayExportId, ReplayId},
    limits,
};
use futures::{Stream, stream};
use protocol::ExportView;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    io,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use store::{
    Tx, keys,
    replay::{self as kept, Export, Replay},
};
use tokio::sync::Semaphore;

/// Films that are made at one time here.
static ONE: Semaphore = Semaphore::const_new(1);
pub(super) const KIND: &str = "video/mp4";

/// As it is reached from a replay.
fn view(e: &Export, replay: &ReplayId) -> ExportView {
    let done = e.state == "done";
    ExportView {
        id: e.id.to_string(),
        state: e.state.clone(),
        percent: u8::try_from(e.percent).unwrap_or(100),
        bytes: e.bytes,
        sm3: e.sm3.clone(),
        src: done.then(|| format!("/api/v1/replays/{replay}/exports/{}/file", e.id)),
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct Made {
    id: ReplayExportId,
}

/// By who has opened the replay.
///
/// Codes: `export_unavailable`, `export_running`, `export_too_long`, and those of [`super::opening::get`].
pub async fn begin(app: &App, caller: &Caller, replay: ReplayId) -> Result<ExportView, AppError> {
    if !ffmpeg::available().await {
        return Err(no("export_unavailable"));
    }
    let ran = Arc::new(AtomicBool::new(false));
    let permit = ONE.try_acquire().ok();
    let free = permit.is_some();
    let (who, id, fresh) = (caller.who.clone(), replay.clone(), ran.clone());
    let made: Made = app
        .command(
            caller,
            &format!("replays.export:{replay}"),
            &json!({}),
            move |tx, w| {
                let (who, id, fresh) = (who.clone(), id.clone(), fresh.clone());
                Box::pin(async move {
                    let app = w.app.clone();
                    let (r, seen) = access::of_staff(&app, tx, &who, &id).await?;
                    // After the rights: who may not see it learns nothing of what goes on.
                    if !free {
                        return Err(no("export_running"));
                    }
                    let parts = Layout::of(&sealed::manifest(&seen.line.recording)?).inputs;
                    if parts.is_empty() || parts.len() > limits::EXPORT_PARTS {
                        return Err(no("export_too_long"));
                    }
                    let under_way = kept::exports_of(tx, &r.recording_id).await?;
                    if under_way.iter().any(|e| e.state == "running") {
                        return Err(no("export_running"));
                    }
                    let key_id: KeyId = w.id();
                    let (_, wrapped) = app.vault.make(key_id.clone());
                    keys::insert(tx, &key_id, wrapped, w.now).await?;
                    let row = Export {
                        id: w.id(),
                        replay_id: r.id.clone(),
                        recording_id: r.recording_id.clone(),
                        key_id,
                        state: "running".into(),
                        percent: 0,
                        bytes: None,
                        sm3: None,
                        node: app.bus.node().to_owned(),
                        started_at: w.now,
                        expires_at: w.now + limits::EXPORT_TIME,
                    };
                    kept::insert_export(tx, &row).await?;
                    let detail = json!({"replay": r.id.as_str(), "export": row.id.as_str()});
                    w.audit(tx, "recording.exported", r.recording_id.as_str(), detail)
                        .await?;
                    fresh.store(true, Ordering::Release);
                    Ok(Made { id: row.id })
                })
            },
        )
        .await?;
    if ran.load(Ordering::Acquire)
        && let Some(permit) = permit
    {
        let (a, id) = (app.clone(), made.id.clone());
        tokio::spawn(async move { making::make(a, id, permit).await });
    }
    get(app, &caller.who, replay, made.id).await
}

/// Whether the film was asked for by who looks now. It outlives the replay in which it was begun, so any of theirs reaches it.
async fn theirs(tx: &mut Tx, e: &Export, r: &Replay) -> Result<bool, AppError> {
    if e.replay_id == r.id {
        return Ok(true);
    }
    let begun = kept::get(tx, &e.replay_id).await?;
    Ok(e.recording_id == r.recording_id && begun.is_some_and(|b| b.staff_id == r.staff_id))
}

async fn reached(tx: &mut Tx, id: &ReplayExportId, r: &Replay) -> Result<Export, AppError> {
    match kept::export(tx, id).await? {
        Some(e) if theirs(tx, &e, r).await? => Ok(e),
        Some(_) | None => Err(no("not_found")),
    }
}

/// The newest that can be reached from a replay, under way or there.
pub(super) async fn latest(tx: &mut Tx, r: &Replay) -> Result<Option<ExportView>, AppError> {
    for e in kept::exports_of(tx, &r.recording_id).await?.iter().rev() {
        if theirs(tx, e, r).await? {
            return Ok(Some(view(e, &r.id)));
        }
    }
    Ok(None)
}

/// How far it is; for who has opened the replay. Codes: `not_found`, `export_over`, and those of [`super::opening::get`].
pub async fn get(
    app: &App,
    who: &Principal,
    replay: ReplayId,
    id: ReplayExportId,
) -> Result<ExportView, AppError> {
    let (a, who) = (app.clone(), who.clone());
    app.read(|tx| {
        Box::pin(async move {
            let (r, _) = access::of_staff(&a, tx, &who, &replay).await?;
            let e = reached(tx, &id, &r).await?;
            if e.state == "expired" {
                return Err(no("export_over"));
            }
            Ok(view(&e, &replay))
        })
    })
    .await
}

/// By what a film is asked for.
#[derive(Clone)]
struct Ticket {
    secret: String,
    replay: ReplayId,
    id: ReplayExportId,
}

/// The film and its key, if they may have it now.
async fn admitted(app: &App, t: &Ticket) -> Result<(Export, DataKey), AppError> {
    let (a, t) = (app.clone(), t.clone());
    app.read(|tx| {
        Box::pin(async move {
            let (r, _) = access::of_cookie(&a, tx, &t.secret, &t.replay).await?;
            let e = reached(tx, &t.id, &r).await?;
            match e.state.as_str() {
                "done" if e.expires_at > a.now() => {}
                "running" => return Err(no("export_running")),
                "done" | "expired" => return Err(no("export_over")),
                _ => return Err(no("not_found")),
            }
            let key = a.vault.key(tx, &e.key_id).await?;
            Ok((e, key))
        })
    })
    .await
}

/// A film that may be read as long as the replay is theirs and the film is there.
pub struct Film {
    reader: Reader,
    ticket: Ticket,
}

/// For whoever holds the replay's cookie. Codes: `not_found`, `export_over`, `export_running`, and those of [`super::opening::get`].
pub async fn file(
    app: &App,
    secret: &str,
    replay: ReplayId,
    id: ReplayExportId,
) -> Result<Film, AppError> {
    let ticket = Ticket {
        secret: secret.to_owned(),
        replay,
        id,
    };
    let (e, key) = admitted(app, &ticket).await?;
    let dir = app.files_dir.clone();
    let reader = tokio::task::spawn_blocking(move || {
        let bytes = u64::try_from(e.bytes.unwrap_or_default()).unwrap_or_default();
        Reader::open(&dir, &e.sm3.unwrap_or_default(), bytes, key)
    })
    .await
    .map_err(|_| no("internal"))??;
    Ok(Film { reader, ticket })
}

impl Film {
    #[must_use]
    pub fn length(&self) -> u64 {
        self.reader.length()
    }

    #[must_use]
    pub const fn content_type(&self) -> &'static str {
        KIND
    }

    /// The bytes of a range, piece by piece; before each it is asked anew whether they may.
    pub fn bytes(
        self,
        app: App,
        range: Range<u64>,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let ticket = Arc::new(self.ticket);
        stream::try_unfold((self.reader, range), move |(mut reader, range)| {
            let (app, ticket) = (app.clone(), ticket.clone());
            async move {
                if range.is_empty() {
                    return Ok(None);
                }
                admitted(&app, &ticket).await.map_err(sealed::cut_off)?;
                let asked = range.clone();
                let done = tokio::task::spawn_blocking(move || {
                    let piece = reader.read(asked);
                    (reader, piece)
                });
                let (reader, piece) = done.await.map_err(io::Error::other)?;
                let piece = piece.map_err(|e| io::Error::other(e.to_string()))?;
                if piece.is_empty() {
                    return Err(io::Error::other("the film is shorter than it says"));
                }
                let from = range.start + piece.len() as u64;
                Ok(Some((Bytes::from(piece), (reader, from..range.end))))
            }
        })
    }
}

/// A film's end: its key dies, and the file goes with the next sweep of files whose key is dead (`erasure`).
pub(in crate::app) async fn end(tx: &mut Tx, w: &Work, e: &Export) -> Result<(), AppError> {
    let ended = match e.state.as_str() {
        "done" => kept::export_expired(tx, &e.id).await?,
        _ => kept::export_failed(tx, &e.id).await?,
    };
    if ended {
        keys::destroy(tx, &e.key_id, w.now).await?;
    }
    Ok(())
}

/// Films past their day, those whose making was cut off, and what that left behind.
pub(in crate::app) async fn sweep(app: &App) -> Result<(), AppError> {
    app.write("server", |tx, w| {
        Box::pin(async move {
            let alive = retention::alive_since(&w.app);
            for e in kept::exports_over(tx, w.now, alive).await? {
                end(tx, w, &e).await?;
            }
            Ok(())
        })
    })
    .await?;
    let (dir, age) = (
        app.files_dir.clone(),
        2 * limits::EXPORT_TIME.0.unsigned_abs() / 1_000_000,
    );
    let swept = tokio::task::spawn_blocking(move || vessel::sweep(&dir, age)).await;
    swept
        .map_err(|_| no("internal"))?
        .map_err(|_| no("unavailable"))
}
