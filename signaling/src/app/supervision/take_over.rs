//! Take over (接管): the supervisor's seat serves the session from now on, with its form, chat, notes and the consents that are
//! valid. The one who served is in wrap-up, or stays as a colleague.

use crate::{
    app::{Work, call_flow, desk, transfer},
    problem::{AppError, no},
};
use domain::{
    id::{Id as _, SeatId},
    invite::{Cmd as InviteCmd, Kind, Member as Part, State as InviteState},
    seat as seat_rule,
    session::{Cmd, Role},
    supervision::{Mode, Told},
};
use protocol::{EventBody, FormerAgent, InviteTarget, SupervisionMode};
use serde_json::json;
use store::{
    Tx, dialect, invite, pairing, seat, session,
    supervision::{self as kept, Supervision},
};

/// The supervisor's own seat, if it could be rung now and is of the session's hall.
async fn own_seat(
    tx: &mut Tx,
    s: &session::Session,
    v: &Supervision,
) -> Result<seat::Seat, AppError> {
    let free = |x: &seat::Seat| {
        x.hall_id == s.hall_id && x.state == seat_rule::State::Ready && x.silent_since.is_none()
    };
    seat::of_staff(tx, &v.staff_id)
        .await?
        .filter(free)
        .ok_or_else(|| no("seat_needed"))
}

/// The session is the supervisor's.
///
/// # Errors
/// `supervision_absent`: their page is not there; `invite_open`: a transfer is under way; `seat_needed`.
pub(super) async fn take_over(
    tx: &mut Tx,
    w: &mut Work,
    s: &mut session::Session,
    mut v: Supervision,
    former: FormerAgent,
) -> Result<Supervision, AppError> {
    let members = session::members(tx, &s.id).await?;
    let me = members
        .iter()
        .find(|m| m.id == v.member_id && m.present)
        .cloned()
        .ok_or_else(|| no("supervision_absent"))?;
    let live = invite::live(tx, &s.id).await?;
    if live.iter().any(|i| i.kind.is_transfer()) {
        return Err(no("invite_open"));
    }
    let mut x = own_seat(tx, s, &v).await?;
    desk::move_seat(tx, w, &mut x, seat_rule::Cmd::Ring, None).await?;
    desk::move_seat(tx, w, &mut x, seat_rule::Cmd::Answer, None).await?;
    if !pairing::move_seat(tx, &s.pairing_id, &x.id).await? {
        return Err(store::StoreError::Retry.into());
    }
    let (from, old) = (s.staff_id.clone(), s.seat_id.clone());
    (s.seat_id, s.staff_id) = (x.id.clone(), v.staff_id.clone());
    let agent = session::Member {
        role: Role::Agent,
        part: Part::Agent,
        ..me
    };
    session::save_member(tx, &agent).await?;
    (v.mode, v.told, v.changed_at) = (Mode::TakeOver, Told::ALL, w.now);
    (v.ended_at, v.due_at, v.end_reason) = (Some(w.now), None, Some("took_over".into()));
    if !kept::save(tx, &v).await? {
        return Err(store::StoreError::Retry.into());
    }
    v.version += 1;
    let was = members
        .into_iter()
        .find(|m| m.role == Role::Agent && !m.is_out());
    if let Some(was) = &was {
        part_with(tx, w, s, was, &agent, &old, former).await?;
    }
    // An agent who was lost holds up nobody any more.
    if call_flow::all_here(&session::members(tx, &s.id).await?) {
        s.state = s.state.apply(Cmd::AllPresent)?;
        s.due_at = None;
    }
    if !session::save(tx, s).await? {
        return Err(store::StoreError::Retry.into());
    }
    s.version += 1;
    let member = agent.id.to_string();
    let changed = EventBody::SupervisionChanged {
        member: member.clone(),
        mode: SupervisionMode::TakeOver,
    };
    call_flow::journal(tx, w, s, Some(&agent.id), &changed).await?;
    let transferred = EventBody::Transferred { member };
    call_flow::journal(tx, w, s, Some(&agent.id), &transferred).await?;
    w.wake(&s.seat_id);
    w.audit(
        tx,
        "supervision.changed",
        v.id.as_str(),
        json!({"session": s.id.as_str(), "mode": Mode::TakeOver.as_str()}),
    )
    .await?;
    w.audit(
        tx,
        "session.transferred",
        s.id.as_str(),
        json!({"from": from.as_str(), "to": v.staff_id.as_str(), "kind": "take_over"}),
    )
    .await?;
    desk::match_hall(tx, w, &s.hall_id).await?;
    Ok(v)
}

/// The one who served: out and into wrap-up, or beside the new agent as if invited by them.
async fn part_with(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
    was: &session::Member,
    now: &session::Member,
    old: &SeatId,
    former: FormerAgent,
) -> Result<(), AppError> {
    let seat = seat::get(tx, old).await?.ok_or_else(|| no("not_found"))?;
    let stays = former == FormerAgent::Stays && seat.lane == 0;
    let Some(staff) = was.staff_id.clone().filter(|_| stays) else {
        transfer::out(tx, w, s, was).await?;
        return transfer::wrap(tx, w, s, old).await;
    };
    let beside = session::Member {
        role: Role::Guest,
        part: Part::Colleague,
        ..was.clone()
    };
    session::save_member(tx, &beside).await?;
    let target = InviteTarget::Staff {
        id: staff.to_string(),
    };
    // Its end frees the seat, as that of any help.
    let mut i = invite::Invite {
        id: w.id(),
        session_id: s.id.clone(),
        version: 1,
        kind: Kind::Join,
        state: InviteState::Ringing,
        target: serde_json::to_string(&target).map_err(|_| no("internal"))?,
        interpreter: false,
        by_member: now.id.clone(),
        by_staff: s.staff_id.clone(),
        by_seat: s.seat_id.clone(),
        seat_id: Some(old.clone()),
        staff_id: Some(staff),
        member_id: Some(was.id.clone()),
        code_hash: None,
        asked_at: w.now,
        due_at: None,
        decided_at: Some(w.now),
        ended_at: None,
    };
    invite::insert(tx, &i).await?;
    i.state = i.state.apply(i.kind, InviteCmd::Accept)?;
    if !was.present {
        // Whoever is not there has the grace of a helper.
        i.due_at = Some(w.now + domain::limits::AGENT_GRACE);
    }
    if !invite::save(tx, &i).await? {
        return Err(store::StoreError::Retry.into());
    }
    dialect::lock_hall(tx, &seat.hall_id).await?;
    w.wake(old);
    Ok(())
}
