//! Supervision of a live session (旁听、耳语、插话、接管): a supervisor of the session's hall is a member of it for a while.
//!
//! What it may become, when it may begin and who is told of it is the domain's (`supervision`). Never moves media itself: the
//! room follows the rows (`media::shape`).
//!
//! `supervision/acts.rs` begin, change, leave; `take_over.rs` the session becomes theirs; `told.rs` who sees it; `policy.rs`
//! what a hall tells. Here: what the rest of a session does to it.

mod acts;
mod policy;
mod take_over;
mod told;

pub use acts::{leave, set};
pub(super) use told::{Told, line_views, notice, of_entry, sees, shown, told, view_for};

use super::{App, Caller, Work, call_flow::journal, desk, hall_policy, token::Principal};
use crate::problem::AppError;
use domain::{
    id::{HallId, Id as _, MemberId},
    limits,
    session::State,
    supervision::{Cmd, Mode, Policy, State as Phase},
    time::Span,
};
use protocol::{EventBody, PutSupervisionPolicy, SupervisionMode, SupervisionPolicyView};
use serde_json::json;
use store::{
    Tx, dialect, session,
    supervision::{self as kept, Supervision},
};

/// Time for the supervisor's page to arrive.
const ARRIVE: Span = Span::seconds(60);

const fn mode_of(m: SupervisionMode) -> Mode {
    match m {
        SupervisionMode::Listen => Mode::Listen,
        SupervisionMode::Whisper => Mode::Whisper,
        SupervisionMode::Barge => Mode::Barge,
        SupervisionMode::TakeOver => Mode::TakeOver,
    }
}

const fn mode_view(m: Mode) -> SupervisionMode {
    match m {
        Mode::Listen => SupervisionMode::Listen,
        Mode::Whisper => SupervisionMode::Whisper,
        Mode::Barge => SupervisionMode::Barge,
        Mode::TakeOver => SupervisionMode::TakeOver,
    }
}

/// Keeps how it ended; the member is the caller's.
async fn close(
    tx: &mut Tx,
    w: &Work,
    v: &mut Supervision,
    reason: &'static str,
) -> Result<(), AppError> {
    Phase::In(v.mode).apply(Cmd::End)?;
    (v.ended_at, v.due_at, v.end_reason) = (Some(w.now), None, Some(reason.into()));
    if !kept::save(tx, v).await? {
        return Err(store::StoreError::Retry.into());
    }
    v.version += 1;
    w.audit(
        tx,
        "supervision.ended",
        v.id.as_str(),
        json!({"session": v.session_id.as_str(), "reason": reason}),
    )
    .await
}

/// They are out of the session.
async fn end(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
    mut v: Supervision,
    reason: &'static str,
) -> Result<Supervision, AppError> {
    close(tx, w, &mut v, reason).await?;
    let found = session::members(tx, &s.id).await?.into_iter();
    if let Some(m) = found.into_iter().find(|m| m.id == v.member_id) {
        let gone = session::Member {
            present: false,
            holder: None,
            left_at: Some(w.now),
            ..m
        };
        session::save_member(tx, &gone).await?;
    }
    session::touch(tx, &s.id).await?;
    let body = EventBody::SupervisionEnded {
        member: v.member_id.to_string(),
        reason: reason.into(),
        name: None,
    };
    journal(tx, w, s, Some(&v.member_id), &body).await?;
    Ok(v)
}

/// Another serves the citizen now: whoever supervises stays where the session is still their hall's.
pub(super) async fn followed(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
) -> Result<(), AppError> {
    match kept::live(tx, &s.id).await? {
        Some(v) if v.hall_id != s.hall_id => end(tx, w, s, v, "other_hall").await.map(|_| ()),
        Some(_) | None => Ok(()),
    }
}

/// Who supervises comes in as somebody else, by an invitation or as the next agent: from now on they are that.
pub(super) async fn overtaken(
    tx: &mut Tx,
    w: &Work,
    s: &session::Session,
    member: &MemberId,
) -> Result<(), AppError> {
    let live = kept::live(tx, &s.id).await?;
    match live.filter(|v| v.member_id == *member) {
        Some(mut v) => close(tx, w, &mut v, "joined").await,
        None => Ok(()),
    }
}

/// The session is over; its members are let go by the caller.
pub(super) async fn end_all(tx: &mut Tx, w: &Work, s: &session::Session) -> Result<(), AppError> {
    match kept::live(tx, &s.id).await? {
        Some(mut v) => close(tx, w, &mut v, "session_ended").await,
        None => Ok(()),
    }
}

/// Who only listens: nobody counts them, and asking them in tells nobody that they were there.
pub(super) async fn listener(
    tx: &mut Tx,
    s: &session::Session,
) -> Result<Option<MemberId>, AppError> {
    Ok(kept::live(tx, &s.id)
        .await?
        .filter(|v| v.mode == Mode::Listen)
        .map(|v| v.member_id))
}

/// Their page is there.
pub(super) async fn came(
    tx: &mut Tx,
    s: &session::Session,
    me: &session::Member,
) -> Result<(), AppError> {
    let live = kept::live(tx, &s.id).await?;
    if let Some(v) = live.filter(|v| v.member_id == me.id && v.due_at.is_some()) {
        kept::set_due(tx, &v.id, None).await?;
    }
    Ok(())
}

/// Their page is gone; they may come back for a while.
pub(super) async fn dropped(
    tx: &mut Tx,
    w: &Work,
    s: &session::Session,
    me: &session::Member,
) -> Result<(), AppError> {
    let live = kept::live(tx, &s.id).await?;
    if let Some(v) = live.filter(|v| v.member_id == me.id) {
        kept::set_due(tx, &v.id, Some(w.now + limits::AGENT_GRACE)).await?;
    }
    Ok(())
}

/// Supervisors who have not come, or not come back.
pub async fn due(app: &App) -> Result<(), AppError> {
    let now = app.now();
    let over = app
        .read(move |tx| Box::pin(async move { Ok(kept::due(tx, now).await?) }))
        .await?;
    for v in over {
        let id = v.session_id.clone();
        let r = app
            .write("server", move |tx, w| {
                let id = v.session_id.clone();
                Box::pin(async move {
                    dialect::lock_session(tx, &id).await?;
                    let Some(s) = session::get(tx, &id)
                        .await?
                        .filter(|s| s.state != State::Ended)
                    else {
                        return Ok(());
                    };
                    let late = |v: &Supervision| v.due_at.is_some_and(|d| d <= w.now);
                    if let Some(v) = kept::live(tx, &id).await?.filter(late) {
                        end(tx, w, &s, v, "lost").await?;
                    }
                    Ok(())
                })
            })
            .await;
        desk::lost_race_is_fine(r)?;
        app.media.shape(app, &id).await;
    }
    Ok(())
}

/// What the hall tells, to its supervisors and administrators.
pub async fn policy(
    app: &App,
    who: &Principal,
    hall: HallId,
) -> Result<SupervisionPolicyView, AppError> {
    hall_policy::get::<Policy>(app, who, hall).await
}

/// By administrators of the hall. Codes: see `hall_policy::put`.
pub async fn put_policy(
    app: &App,
    caller: &Caller,
    hall: HallId,
    body: PutSupervisionPolicy,
) -> Result<SupervisionPolicyView, AppError> {
    hall_policy::put::<Policy>(app, caller, hall, &body).await
}
