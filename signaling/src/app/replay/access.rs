//! Who may replay a recording: supervisors and administrators of its hall; and who has to review, decide or issue its case now.

use crate::{
    app::{App, auth, case_core, token::Principal, vault},
    problem::{AppError, no},
};
use domain::{
    case::{Duty, State as CaseState},
    id::{RecordingId, ReplayId, StaffId},
    invite::Member as Part,
    recording::State,
};
use protocol::Role;
use store::{
    Tx,
    replay::{self as kept, Line, Replay},
    session::{self, Session},
    staff::Staff,
};

/// A recording as somebody entitled sees it.
pub struct Seen {
    pub line: Line,
    pub session: Session,
    /// With whose eyes they read what was said and typed: supervisors as supervisors do; the department reads what the citizen could read.
    pub lens: Part,
}

/// A supervisor or administrator, by the row.
pub(super) fn keeps(me: &Staff) -> bool {
    auth::staff_view(me)
        .roles
        .iter()
        .any(|r| matches!(r, Role::Supervisor | Role::Admin))
}

/// Whether a case is this person's to review, decide or issue now.
pub(super) async fn on_duty(
    app: &App,
    tx: &mut Tx,
    me: &Staff,
    case: &domain::id::CaseId,
) -> Result<bool, AppError> {
    let o = match case_core::open(app, tx, case, false).await {
        Ok(o) => o,
        Err(AppError::Rejected { .. }) => return Ok(false),
        Err(e) => return Err(e),
    };
    let v = match case_core::viewer(tx, &auth::principal(me), &o.row).await {
        Ok(v) => v,
        Err(AppError::Rejected { .. }) => return Ok(false),
        Err(e) => return Err(e),
    };
    let claimed = o.row.claimed_by.as_ref() == Some(&me.id);
    let (duty, role, theirs) = match o.row.state {
        CaseState::Accepted | CaseState::InReview | CaseState::Extended => {
            (Duty::Reviewed, Role::Reviewer, claimed)
        }
        CaseState::Granted | CaseState::Issuing => (Duty::Issued, Role::Issuer, true),
        CaseState::Draft
        | CaseState::Received
        | CaseState::PreCheck
        | CaseState::Correction
        | CaseState::NotAccepted
        | CaseState::Transferred
        | CaseState::Suspended
        | CaseState::Refused
        | CaseState::Issued
        | CaseState::Delivered
        | CaseState::Archived
        | CaseState::Withdrawn
        | CaseState::Returned => return Ok(false),
    };
    Ok(theirs && o.may(&v, duty, role).is_ok())
}

/// The recording, if it is this person's to see. Of others nobody learns, not even that they are there.
///
/// Codes: `recording_not_found`, `signed_out`.
pub async fn entitled(
    app: &App,
    tx: &mut Tx,
    staff: &StaffId,
    id: &RecordingId,
) -> Result<Seen, AppError> {
    let me = case_core::active_staff(tx, staff).await?;
    let line = kept::line(tx, id)
        .await?
        .ok_or_else(|| no("recording_not_found"))?;
    let session = session::get(tx, &line.recording.session_id)
        .await?
        .ok_or_else(|| no("recording_not_found"))?;
    let lens = if keeps(&me) && me.hall_id == line.recording.hall_id {
        Part::Supervisor
    } else {
        match &line.case_id {
            Some(case) if on_duty(app, tx, &me, case).await? => Part::Citizen,
            Some(_) | None => return Err(no("recording_not_found")),
        }
    };
    Ok(Seen {
        line,
        session,
        lens,
    })
}

/// Codes: `recording_deleted`, `recording_not_sealed`.
pub(super) fn playable(seen: &Seen) -> Result<(), AppError> {
    match seen.line.recording.state {
        State::Sealed => Ok(()),
        State::Deleted => Err(no("recording_deleted")),
        State::Asked
        | State::Refused
        | State::Starting
        | State::Live
        | State::Interrupted
        | State::Sealing => Err(no("recording_not_sealed")),
    }
}

pub(super) fn staff_of(who: &Principal) -> Result<StaffId, AppError> {
    match who {
        Principal::Staff { id, .. } => Ok(id.clone()),
        Principal::Booth { .. }
        | Principal::Citizen { .. }
        | Principal::Case { .. }
        | Principal::Guest { .. } => Err(no("role_missing")),
    }
}

/// A replay that is not over, its opener's alone, and still theirs to see.
///
/// Codes: `not_found`, `replay_over`, and those of [`entitled`] and [`playable`].
async fn live(
    app: &App,
    tx: &mut Tx,
    r: Option<Replay>,
    mine: impl Fn(&Replay) -> bool,
) -> Result<(Replay, Seen), AppError> {
    let r = r.filter(|r| mine(r)).ok_or_else(|| no("not_found"))?;
    let seen = entitled(app, tx, &r.staff_id, &r.recording_id).await?;
    playable(&seen)?;
    if r.expires_at <= app.now() {
        return Err(no("replay_over"));
    }
    Ok((r, seen))
}

/// The replay in which this person has the recording open now.
///
/// Codes: `replay_needed`, and those of [`entitled`] and [`playable`].
pub async fn opened(
    app: &App,
    tx: &mut Tx,
    staff: &StaffId,
    id: &RecordingId,
) -> Result<Replay, AppError> {
    playable(&entitled(app, tx, staff, id).await?)?;
    let r = kept::open_of(tx, id, staff, app.now()).await?;
    r.ok_or_else(|| no("replay_needed"))
}

/// By who has opened it.
pub(super) async fn of_staff(
    app: &App,
    tx: &mut Tx,
    who: &Principal,
    id: &ReplayId,
) -> Result<(Replay, Seen), AppError> {
    let me = staff_of(who)?;
    let r = kept::get(tx, id).await?;
    live(app, tx, r, |r| r.staff_id == me).await
}

/// By the cookie alone: players send no other word.
pub(super) async fn of_cookie(
    app: &App,
    tx: &mut Tx,
    secret: &str,
    id: &ReplayId,
) -> Result<(Replay, Seen), AppError> {
    let hash = app.vault.secret_hash(secret);
    let r = kept::get(tx, id).await?;
    live(app, tx, r, |r| {
        vault::same(r.token_hash.as_bytes(), hash.as_bytes())
    })
    .await
}
