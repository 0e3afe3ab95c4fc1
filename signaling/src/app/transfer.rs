//! Transfers (转接): the same citizen in the same session, served by another.
//!
//! Warm: the new agent is in the session already, seat and pairing move in one step. Cold: the session's own ticket stands at the
//! head of the line again and the next seat takes over the session; form, chat, consents and notes never move. Whoever served keeps
//! that duty. Never loses the citizen: what nobody takes in time goes back to the first queue, and stays there.
//!
//! `transfer/way.rs` what the line is asked for on the way, and whether it still may.

mod way;

pub(super) use way::on_the_way;

use super::{Work, call_flow::journal, desk, invites, recording, routing, supervision};
use crate::problem::{AppError, no};
use domain::{
    id::{HallId, Id as _, SeatId, SessionId, StaffId},
    invite::{Cmd, Kind, Member as Part, State as InviteState, Target},
    pairing as pairing_rule, seat as seat_rule,
    session::{self as session_rule, Role, State},
    ticket::{self as ticket_rule, Class, order_key},
    time::Span,
};
use protocol::EventBody;
use serde_json::json;
use store::{Tx, dialect, invite, pairing, seat, session, staff, ticket, visit};

/// A cold transfer that nobody takes within this goes back to the first queue.
pub const COLD: Span = Span::seconds(120);
/// Time for the new agent to arrive after the accept.
const ARRIVE: Span = Span::seconds(60);

/// The seat of the agent who leaves: wrap-up of this session.
pub(super) async fn wrap(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
    id: &SeatId,
) -> Result<(), AppError> {
    let mut x = seat::get(tx, id).await?.ok_or_else(|| no("not_found"))?;
    x.wrap_up_session = Some(s.id.clone());
    desk::move_seat(tx, w, &mut x, seat_rule::Cmd::WrapUp, None).await?;
    if x.silent_since.is_some() {
        desk::move_seat(tx, w, &mut x, seat_rule::Cmd::Lost, Some("page_closed")).await?;
    }
    Ok(())
}

pub(super) async fn out(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
    m: &session::Member,
) -> Result<(), AppError> {
    let gone = session::Member {
        present: false,
        holder: None,
        left_at: Some(w.now),
        ..m.clone()
    };
    session::save_member(tx, &gone).await?;
    journal(
        tx,
        w,
        s,
        Some(&m.id),
        &EventBody::MemberLeft {
            member: m.id.to_string(),
            name: None,
        },
    )
    .await
    .map(|_| ())
}

/// Hands the citizen over without a word; the agent is out. `i` is not kept yet. The hall whose seats are asked, if that is
/// another than the session's: the caller looks for seats in both.
pub(super) async fn cold(
    tx: &mut Tx,
    w: &mut Work,
    s: &mut session::Session,
    me: &session::Member,
    i: &mut invite::Invite,
    target: &Target,
) -> Result<Option<HallId>, AppError> {
    let mut t = ticket::get(tx, &s.ticket_id)
        .await?
        .ok_or_else(|| no("not_found"))?;
    let way = way::of(tx, w, s, &t, target).await?;
    let mut p = pairing::get(tx, &s.pairing_id)
        .await?
        .ok_or_else(|| no("not_found"))?;
    let was = p.state;
    p.state = was.apply(pairing_rule::Cmd::End)?;
    pairing::save(tx, &p, was, Some("transferred"), w.now).await?;
    t.state = t.state.apply(ticket_rule::Cmd::HandOver)?;
    // Who has waited once stands before all who have not been served yet.
    t.class = t.class.min(Class::Returned);
    t.order_at = order_key(t.class, t.enqueued_at);
    t.demand = way.demand.key();
    t.stage_at = None;
    t.overflow_hall = Some(way.hall.clone()).filter(|h| *h != t.hall_id);
    if !ticket::hand_over(tx, &t).await? {
        return Err(store::StoreError::Retry.into());
    }
    i.due_at = Some(w.now + COLD);
    invite::insert(tx, i).await?;
    s.parked = true;
    out(tx, w, s, me).await?;
    if session::members(tx, &s.id)
        .await?
        .iter()
        .any(|m| m.role == Role::Citizen && m.present)
    {
        s.state = s.state.apply(session_rule::Cmd::AllPresent)?;
        s.due_at = None;
    }
    if !session::save(tx, s).await? {
        return Err(store::StoreError::Retry.into());
    }
    s.version += 1;
    journal(tx, w, s, None, &EventBody::Hold { on: true }).await?;
    let seat = s.seat_id.clone();
    wrap(tx, w, s, &seat).await?;
    w.wake(&t.id);
    w.wake(&t.hall_id);
    w.wake(&way.hall);
    Ok(Some(way.hall).filter(|h| *h != s.hall_id))
}

/// Nobody took it in time: the first queue again, before those who were never served.
pub(super) async fn back_to_queue(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
) -> Result<(), AppError> {
    let Some(mut t) = ticket::get(tx, &s.ticket_id)
        .await?
        .filter(|t| t.state == ticket_rule::State::Waiting)
    else {
        return Ok(());
    };
    let v = visit::get(tx, &t.visit_id)
        .await?
        .ok_or_else(|| no("visit_ended"))?;
    let stage = routing::stage(tx, w, &t, &v).await?;
    routing::enter(&mut t, stage);
    if !ticket::hand_over(tx, &t).await? {
        return Err(store::StoreError::Retry.into());
    }
    w.wake(&t.id);
    // Wherever the talk was last: the first queue is the home hall's.
    routing::match_for(tx, w, &t).await
}

/// A seat accepted a ticket that was handed over: its agent comes into the session.
pub(super) async fn take_over(
    tx: &mut Tx,
    w: &mut Work,
    p: &pairing::Pairing,
    mut x: seat::Seat,
    mut t: ticket::Ticket,
    id: SessionId,
    agent: &StaffId,
) -> Result<SessionId, AppError> {
    dialect::lock_session(tx, &id).await?;
    let mut s = session::get(tx, &id)
        .await?
        .filter(|s| s.state != State::Ended && s.parked)
        .ok_or_else(|| no("session_ended"))?;
    let was = t.state;
    t.state = was.apply(ticket_rule::Cmd::Pair)?;
    if !ticket::save(tx, &t, was, w.now).await? {
        return Err(no("offer_over"));
    }
    desk::move_seat(tx, w, &mut x, seat_rule::Cmd::Answer, None).await?;
    let from = s.staff_id.clone();
    s.parked = false;
    (s.seat_id, s.staff_id, s.pairing_id) = (x.id.clone(), agent.clone(), p.id.clone());
    s.hall_id = p.hall_id.clone();
    s.state = s.state.apply(session_rule::Cmd::SomeoneGone)?;
    let arrive = w.now + ARRIVE;
    s.due_at = Some(s.due_at.map_or(arrive, |d| d.min(arrive)));
    let who = staff::get(tx, agent)
        .await?
        .ok_or_else(|| no("signed_out"))?;
    let me = invites::enter(tx, w, &s, Some(&who), Role::Agent, Part::Agent, None).await?;
    if let Some(mut i) = invite::live(tx, &id)
        .await?
        .into_iter()
        .find(|i| i.kind == Kind::TransferCold)
    {
        i.state = i.state.apply(i.kind, Cmd::Accept)?;
        i.member_id = Some(me.clone());
        i.decided_at = Some(w.now);
        invites::settle(tx, w, &s, &mut i, Cmd::Finish, None).await?;
        s.version += 1;
    }
    if !session::save(tx, &s).await? {
        return Err(store::StoreError::Retry.into());
    }
    s.version += 1;
    journal(
        tx,
        w,
        &s,
        Some(&me),
        &EventBody::Transferred {
            member: me.to_string(),
        },
    )
    .await?;
    journal(tx, w, &s, None, &EventBody::Hold { on: false }).await?;
    supervision::followed(tx, w, &s).await?;
    recording::followed(tx, w, &s).await?;
    w.audit(
        tx,
        "session.transferred",
        id.as_str(),
        json!({"from": from.as_str(), "to": agent.as_str(), "kind": "cold"}),
    )
    .await?;
    w.wake(&t.id);
    w.wake(&id);
    Ok(id)
}

/// The introduced agent takes the citizen, the old one leaves. The session is the new agent's hall's from then on.
pub(super) async fn warm(
    tx: &mut Tx,
    w: &mut Work,
    s: &mut session::Session,
    me: &session::Member,
    i: &mut invite::Invite,
) -> Result<(), AppError> {
    let (Some(to), Some(x)) = (i.staff_id.clone(), i.seat_id.clone()) else {
        return Err(no("invite_state"));
    };
    let new = session::members(tx, &s.id)
        .await?
        .into_iter()
        .find(|m| i.member_id.as_ref() == Some(&m.id))
        .ok_or_else(|| no("invite_state"))?;
    invites::settle(tx, w, s, i, Cmd::Finish, Some(&me.id)).await?;
    s.version += 1;
    if !new.present {
        return Err(no("invite_absent"));
    }
    let there = seat::get(tx, &x)
        .await?
        .ok_or_else(|| no("invite_state"))?
        .hall_id;
    invites::consenting(tx, s, &there).await?;
    dialect::lock_hall(tx, &there).await?;
    if !pairing::move_seat(tx, &s.pairing_id, &x).await? {
        return Err(store::StoreError::Retry.into());
    }
    let old = s.seat_id.clone();
    (s.seat_id, s.staff_id, s.hall_id) = (x, to.clone(), there);
    if !session::save(tx, s).await? {
        return Err(store::StoreError::Retry.into());
    }
    s.version += 1;
    let agent = session::Member {
        role: Role::Agent,
        part: Part::Agent,
        ..new
    };
    session::save_member(tx, &agent).await?;
    out(tx, w, s, me).await?;
    journal(
        tx,
        w,
        s,
        Some(&agent.id),
        &EventBody::Transferred {
            member: agent.id.to_string(),
        },
    )
    .await?;
    wrap(tx, w, s, &old).await?;
    supervision::followed(tx, w, s).await?;
    recording::followed(tx, w, s).await?;
    w.wake(&s.seat_id);
    w.audit(
        tx,
        "session.transferred",
        s.id.as_str(),
        json!({"from": me.staff_id, "to": to.as_str(), "kind": "warm"}),
    )
    .await
}

/// The session ends while its citizen is in line.
pub(super) async fn leave_line(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
    reason: &str,
) -> Result<(), AppError> {
    let Some(mut t) = ticket::get(tx, &s.ticket_id)
        .await?
        .filter(|t| !t.state.is_terminal())
    else {
        return Ok(());
    };
    let was = t.state;
    t.state = was.apply(ticket_rule::Cmd::Abandon)?;
    t.reason = Some(reason.to_owned());
    if !ticket::save(tx, &t, was, w.now).await? {
        return Err(store::StoreError::Retry.into());
    }
    desk::cancel_offer_of(tx, w, &t).await?;
    w.wake(&t.hall_id);
    Ok(())
}

/// Wrap-up of an agent who handed the citizen over: kept as a note beside the session, which goes on.
pub(super) async fn wrap_up(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
    me: &StaffId,
    body: &protocol::WrapUp,
) -> Result<SeatId, AppError> {
    let mine = |x: &seat::Seat| x.wrap_up_session.as_ref() == Some(&s.id);
    let Some(x) = seat::wrapping_up(tx, me, &s.id).await? else {
        return Err(no("not_a_member"));
    };
    dialect::lock_hall(tx, &x.hall_id).await?;
    let Some(mut x) = seat::get(tx, &x.id).await?.filter(mine) else {
        return Err(no("not_a_member"));
    };
    let text_enc = w.app.vault.key(tx, &s.key_id).await?.seal(&body.note)?;
    invite::insert_note(
        tx,
        &invite::Note {
            id: w.id(),
            session_id: s.id.clone(),
            staff_id: me.clone(),
            kind: "wrap_up".into(),
            at: w.now,
            text_enc,
        },
    )
    .await?;
    super::lanes::noted(tx, w, &mut x, body.then_away).await?;
    desk::match_hall(tx, w, &x.hall_id).await?;
    w.audit(
        tx,
        "session.wrapped_up",
        s.id.as_str(),
        json!({"disposition": body.disposition, "transferred": true}),
    )
    .await?;
    Ok(x.id)
}

/// Whether an invitation's end leaves the citizen in line.
pub(super) fn returns_to_line(i: &invite::Invite) -> bool {
    i.kind == Kind::TransferCold && i.state == InviteState::Returned
}

/// Whether the citizen of a session on its way has left the line.
pub(super) async fn in_line_no_more(tx: &mut Tx, s: &session::Session) -> Result<bool, AppError> {
    Ok(ticket::get(tx, &s.ticket_id)
        .await?
        .is_none_or(|t| t.state.is_terminal()))
}
