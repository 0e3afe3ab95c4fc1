//! The rows and what this node writes are held against each other: a word of the media plane that could not be kept is made good
//! from where the recording stands, nothing is written on of which the row says that it is over, and nothing passes for recorded
//! that nobody writes.

use super::{ending::BATCH, recovery, running};
use crate::{
    app::{App, media::Here},
    problem::AppError,
};
use domain::{id::RecordingId, recording::State};
use media::record::Ended;
use std::collections::HashMap;
use store::recording::{self as kept, Recording};

/// One look at everything of this node.
pub(super) async fn agree(app: &App) -> Result<(), AppError> {
    let rows = rows(app).await?;
    // After the rows: what a row names was begun before.
    let here = app.media.recordings();
    for h in &here {
        if let Err(e) = written(app, h, rows.get(&h.id)).await {
            tracing::warn!(code = e.code(), recording = %h.id, "a recording and its row do not agree yet");
        }
    }
    for r in rows.values() {
        if here.iter().any(|h| h.id == r.id) {
            continue;
        }
        if let Err(e) = unwritten(app, r).await {
            tracing::warn!(code = e.code(), recording = %r.id, "a recording that nobody writes waits");
        }
    }
    Ok(())
}

/// Of which the rows say that this node writes them.
async fn rows(app: &App) -> Result<HashMap<RecordingId, Recording>, AppError> {
    let me = app.bus.node().to_owned();
    let mut all = HashMap::new();
    let mut after: Option<RecordingId> = None;
    loop {
        let (node, last) = (me.clone(), after.take());
        let page = app
            .read(move |tx| {
                Box::pin(async move { Ok(kept::of_node(tx, &node, last.as_ref(), BATCH).await?) })
            })
            .await?;
        if page.len() as i64 == BATCH {
            after = page.last().map(|r| r.id.clone());
        }
        all.extend(page.into_iter().map(|r| (r.id.clone(), r)));
        if after.is_none() {
            return Ok(all);
        }
    }
}

/// One that is written here, and its row if that still runs and names this node.
async fn written(app: &App, h: &Here, row: Option<&Recording>) -> Result<(), AppError> {
    let over = h.standing.is_over();
    if let Some(r) = row.filter(|_| !over) {
        return running::catch_up(app, r, &h.standing).await;
    }
    let me = app.bus.node();
    let id = h.id.clone();
    let now = app
        .read(move |tx| Box::pin(async move { Ok(kept::get(tx, &id).await?) }))
        .await?;
    let own = |r: &Recording| r.node.as_deref() == Some(me) && r.manifest.is_none();
    match now.filter(own).map(|r| r.state) {
        Some(State::Starting | State::Live | State::Interrupted) if !over => Ok(()), // begun since
        // Its end is told by its own reason.
        Some(State::Sealing) if !over => Ok(()),
        Some(
            State::Asked
            | State::Refused
            | State::Starting
            | State::Live
            | State::Interrupted
            | State::Sealing
            | State::Sealed
            | State::Deleted,
        )
        | None => {
            if !over {
                tracing::error!(recording = %h.id, "a recording went on after its end, and is stopped");
            }
            app.media
                .end_recording(app, me, &h.room, &h.id, Ended::Closed)
                .await
        }
    }
}

/// The row says that this node writes it, and it does not: that it did not begin, or how it ended, could not be kept.
async fn unwritten(app: &App, r: &Recording) -> Result<(), AppError> {
    let room = running::room_of(app, &r.id).await?;
    if app.media.is_recording(&room, &r.id).await {
        return Ok(());
    }
    recovery::broken_off(app, &r.id).await
}
