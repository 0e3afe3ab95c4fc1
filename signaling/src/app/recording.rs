//! Recording of a session (双录): the citizen is asked and answers, the room's node writes, what was written is signed.
//!
//! Owns the rows and what follows from them; the media plane owns the bytes (`media/record.rs`). A command changes the row first,
//! in one transaction with journal and audit; the media plane is told after the commit, and again by [`due`] until it has
//! answered. Nothing begins but by the citizen's yes.
//!
//! `recording/asking.rs` ask, answer, withdraw; `running.rs` begin, proven, interrupted; `agree.rs` what is made good where a row
//! and what is written have come apart; `ending.rs` the session's end, the manifest; `recovery.rs` what a dead node left; `seal.rs` what is signed; `script.rs` prompts; `gate.rs` which steps are open; `view.rs` who
//! sees what; `policy.rs` what a hall tells and keeps.

mod agree;
mod asking;
mod ending;
mod gate;
mod policy;
mod recovery;
mod running;
mod script;
mod seal;
mod view;

pub use asking::{answer, ask, withdraw};
pub use ending::due;
pub(super) use ending::{followed, session_over, stopped};
pub(super) use gate::{Card, card, card_read, check, check_card, lacking, missing};
pub(super) use recovery::broken_off;
pub use recovery::recover_gone;
pub(super) use running::{begin, happened, is_awaited, not_begun, required};
pub use script::{answer as answer_prompt, read as read_prompt};
pub use seal::is_ours;
pub(super) use view::{sees, views};

use super::{App, Caller, Work, call_flow::journal, hall_policy, token::Principal};
use crate::problem::{AppError, no};
use domain::{
    id::{HallId, Id as _, MemberId, RecordingId},
    recording::{Cmd, Notice, Policy, State},
};
use protocol::{EventBody, PutRecordingPolicy, RecordingPolicyView};
use std::path::PathBuf;
use store::{
    Tx, dialect,
    recording::{self as kept, Recording},
    session,
};

/// Where a recording's segments lie: one directory a recording, the same for all nodes.
#[must_use]
pub fn folder(app: &App, id: &RecordingId) -> PathBuf {
    app.recordings_dir.join(id.as_str())
}

/// The row, while its session takes turns.
async fn locked(tx: &mut Tx, id: &RecordingId) -> Result<Option<Recording>, AppError> {
    let Some(r) = kept::get(tx, id).await? else {
        return Ok(None);
    };
    dialect::lock_session(tx, &r.session_id).await?;
    Ok(kept::get(tx, id).await?)
}

/// Moves it by the domain's rule; the caller keeps it.
fn step(r: &mut Recording, cmd: Cmd) -> Result<(), AppError> {
    r.state = State::apply(Some(r.state), cmd)?;
    if r.state != State::Interrupted {
        r.interrupted = None;
    }
    Ok(())
}

/// Keeps what it has become; a lost race is run again.
async fn save(tx: &mut Tx, r: &mut Recording) -> Result<(), AppError> {
    if !kept::save(tx, r).await? {
        return Err(store::StoreError::Retry.into());
    }
    r.version += 1;
    Ok(())
}

/// Tells everybody in the session; a session whose key is gone has nobody left to tell.
async fn tell(
    tx: &mut Tx,
    w: &mut Work,
    r: &Recording,
    actor: Option<&MemberId>,
    body: &EventBody,
) -> Result<(), AppError> {
    let Some(s) = session::get(tx, &r.session_id).await? else {
        return Ok(());
    };
    session::touch(tx, &s.id).await?;
    w.wake(&s.id);
    match journal(tx, w, &s, actor, body).await {
        Err(e) if e.code() == "not_found" => Ok(()),
        done => done.map(|_| ()),
    }
}

fn notice_of(r: &Recording) -> Result<Notice, AppError> {
    serde_json::from_str(&r.notice).map_err(|_| no("internal"))
}

/// What the hall tells, to its supervisors and administrators.
pub async fn policy(
    app: &App,
    who: &Principal,
    hall: HallId,
) -> Result<RecordingPolicyView, AppError> {
    hall_policy::get::<Policy>(app, who, hall).await
}

/// By administrators of the hall. Codes: see `hall_policy::put`.
pub async fn put_policy(
    app: &App,
    caller: &Caller,
    hall: HallId,
    body: PutRecordingPolicy,
) -> Result<RecordingPolicyView, AppError> {
    hall_policy::put::<Policy>(app, caller, hall, &body).await
}
