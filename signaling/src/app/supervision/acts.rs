//! Begin to supervise, go on in another mode, leave: by a supervisor of the session's hall, who is no part of it otherwise.

use super::{ARRIVE, end, mode_of, mode_view, take_over, told};
use crate::{
    app::{App, Caller, Work, call_flow::journal, hall_policy, invites, token::Principal},
    problem::{AppError, no},
};
use domain::{
    id::{Id as _, SessionId, StaffId, SupervisionId},
    invite::{MEMBERS_MAX, Member as Part},
    session::{Role, State},
    supervision::{Cmd, Meets, Mode, Policy, State as Phase, Told},
};
use protocol::{EventBody, SetSupervision, SupervisionView};
use serde_json::json;
use store::{
    Tx, dialect, session, staff,
    supervision::{self as kept, Supervision},
};

/// The live session of the caller's hall. Of other halls' sessions nobody learns.
async fn session_of(
    tx: &mut Tx,
    who: &Principal,
    id: &SessionId,
) -> Result<(session::Session, StaffId), AppError> {
    let me = who.staff(protocol::Role::Supervisor)?.clone();
    dialect::lock_session(tx, id).await?;
    let theirs =
        |s: &session::Session| matches!(who, Principal::Staff { hall, .. } if *hall == s.hall_id);
    let s = session::get(tx, id)
        .await?
        .filter(theirs)
        .ok_or_else(|| no("not_found"))?;
    if s.state == State::Ended {
        return Err(no("session_ended"));
    }
    dialect::lock_hall(tx, &s.hall_id).await?;
    Ok((s, me))
}

async fn meets(
    tx: &mut Tx,
    s: &session::Session,
    me: &StaffId,
    live: Option<&Supervision>,
) -> Result<Meets, AppError> {
    let members = session::members(tx, &s.id).await?;
    let here = || members.iter().filter(|m| !m.is_out());
    let mine = |m: &&session::Member| m.staff_id.as_ref() == Some(me);
    Ok(Meets {
        inside: here().filter(mine).any(|m| m.role != Role::Supervisor),
        taken: live.is_some_and(|v| v.staff_id != *me),
        elsewhere: kept::live_of_staff(tx, me)
            .await?
            .is_some_and(|v| v.session_id != s.id),
        private: invites::on_hold(tx, s).await?,
        full: here().filter(|m| !mine(m)).count() >= MEMBERS_MAX,
    })
}

/// Codes: `role_missing`, `not_found` (another hall's too), `session_ended`, `supervision_own`, `supervision_taken`,
/// `supervision_elsewhere`, `supervision_private`, `room_full`, `supervision_unheard`, `supervision_same`; of a take-over
/// `supervision_absent`, `invite_open`, `seat_needed`.
pub async fn set(
    app: &App,
    caller: &Caller,
    id: SessionId,
    body: SetSupervision,
) -> Result<SupervisionView, AppError> {
    let (who, sid, mode, former) = (
        caller.who.clone(),
        id.clone(),
        mode_of(body.mode),
        body.former,
    );
    let route = format!("sessions.supervision:{id}");
    let made: SupervisionId = app
        .command(caller, &route, &body, move |tx, w| {
            let (id, who) = (id.clone(), who.clone());
            Box::pin(async move {
                let (mut s, me) = session_of(tx, &who, &id).await?;
                let live = kept::live(tx, &id).await?;
                meets(tx, &s, &me, live.as_ref()).await?.check(mode)?;
                let phase = live.as_ref().map_or(Phase::Off, |v| Phase::In(v.mode));
                phase.apply(Cmd::To(mode))?;
                let told = hall_policy::of::<Policy>(tx, &s.hall_id)
                    .await?
                    .0
                    .told(mode);
                let v = match live {
                    None => begin(tx, w, &s, &me, mode, told).await?,
                    Some(v) if mode == Mode::TakeOver => {
                        take_over::take_over(tx, w, &mut s, v, former).await?
                    }
                    Some(v) => change(tx, w, &s, v, mode, told).await?,
                };
                session::touch(tx, &id).await?;
                w.wake(&id);
                w.wake(&s.hall_id);
                Ok(v.id)
            })
        })
        .await?;
    app.media.shape(app, &sid).await;
    told::view(app, &sid, made).await
}

/// What they may see and do in this mode: before everybody they are a colleague of the agent.
const fn part_in(mode: Mode) -> Part {
    match mode {
        Mode::Listen | Mode::Whisper => Part::Supervisor,
        Mode::Barge => Part::Colleague,
        Mode::TakeOver => Part::Agent,
    }
}

async fn begin(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
    me: &StaffId,
    mode: Mode,
    told: Told,
) -> Result<Supervision, AppError> {
    let who = staff::get(tx, me).await?.ok_or_else(|| no("signed_out"))?;
    let part = part_in(mode);
    let member = invites::enter(tx, w, s, Some(&who), Role::Supervisor, part, None).await?;
    let v = Supervision {
        id: w.id(),
        session_id: s.id.clone(),
        staff_id: me.clone(),
        member_id: member.clone(),
        hall_id: s.hall_id.clone(),
        mode,
        version: 1,
        told,
        started_at: w.now,
        changed_at: w.now,
        due_at: Some(w.now + ARRIVE),
        ended_at: None,
        end_reason: None,
    };
    kept::insert(tx, &v).await?;
    let body = EventBody::SupervisionStarted {
        member: member.to_string(),
        mode: mode_view(mode),
    };
    journal(tx, w, s, Some(&member), &body).await?;
    w.audit(
        tx,
        "supervision.started",
        v.id.as_str(),
        json!({"session": s.id.as_str(), "mode": mode.as_str()}),
    )
    .await?;
    Ok(v)
}

async fn change(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
    mut v: Supervision,
    mode: Mode,
    told: Told,
) -> Result<Supervision, AppError> {
    let from = v.mode;
    (v.mode, v.changed_at, v.told) = (mode, w.now, v.told.and(told));
    if !kept::save(tx, &v).await? {
        return Err(store::StoreError::Retry.into());
    }
    v.version += 1;
    let found = session::members(tx, &s.id).await?.into_iter();
    if let Some(m) = found.into_iter().find(|m| m.id == v.member_id) {
        let part = part_in(mode);
        session::save_member(tx, &session::Member { part, ..m }).await?;
    }
    let body = EventBody::SupervisionChanged {
        member: v.member_id.to_string(),
        mode: mode_view(mode),
    };
    journal(tx, w, s, Some(&v.member_id), &body).await?;
    w.audit(
        tx,
        "supervision.changed",
        v.id.as_str(),
        json!({"session": s.id.as_str(), "from": from.as_str(), "mode": mode.as_str()}),
    )
    .await?;
    Ok(v)
}

/// Codes: `role_missing`, `not_found`, `session_ended`, `supervision_over`.
pub async fn leave(app: &App, caller: &Caller, id: SessionId) -> Result<SupervisionView, AppError> {
    let (who, sid) = (caller.who.clone(), id.clone());
    let route = format!("sessions.supervision.leave:{id}");
    let left: SupervisionId = app
        .command(caller, &route, &json!({}), move |tx, w| {
            let (id, who) = (id.clone(), who.clone());
            Box::pin(async move {
                let (s, me) = session_of(tx, &who, &id).await?;
                let mine = kept::live(tx, &id).await?.filter(|v| v.staff_id == me);
                let v = mine.ok_or_else(|| no("supervision_over"))?;
                let v = end(tx, w, &s, v, "left").await?;
                w.wake(&s.hall_id);
                Ok(v.id)
            })
        })
        .await?;
    app.media.shape(app, &sid).await;
    told::view(app, &sid, left).await
}
