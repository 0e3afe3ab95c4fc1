//! Call-backs (回拨): the citizen leaves, the place is kept, and the phone page rings when a seat is free.
//!
//! A call-back is a ticket with a row of its own: matched like any other, but the seat's agent rings the citizen, and the
//! session begins with the citizen's answer. While the phone rings the offer stays open, so whatever ends an offer ends the
//! ring, too. Tries and pauses are `domain::callback`'s business.

use super::{
    App, Caller, Work, call_flow, desk, queue,
    token::{self, Principal},
};
use crate::problem::{AppError, no};
use domain::{
    callback::{CallBack, Cmd, State, TRIES},
    id::{Id as _, PairingId, StaffId, TicketId},
    limits, pairing as pairing_rule,
    routing::Demand,
    seat as seat_rule,
    ticket::{Cmd as TicketCmd, State as TicketState},
    time::Timestamp,
};
use protocol::{
    Accepted, CallBackDecline, CallBackState, CallBackTaken, CallBackView, DeclineCallBack, Role,
    SeatView,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    Tx,
    callback::{self, Kept},
    dialect, pairing, seat, ticket,
};

const fn state_view(s: State) -> CallBackState {
    match s {
        State::Waiting => CallBackState::Waiting,
        State::Ringing => CallBackState::Ringing,
        State::Answered => CallBackState::Answered,
        State::Closed => CallBackState::Closed,
        State::Cancelled => CallBackState::Cancelled,
    }
}

fn view(k: &Kept, t: &ticket::Ticket) -> CallBackView {
    let due = |s| {
        (k.call_back.state == s)
            .then_some(k.call_back.due_at)
            .flatten()
            .map(Timestamp::rfc3339)
    };
    CallBackView {
        ticket: k.ticket_id.to_string(),
        state: state_view(k.call_back.state),
        tries: k.call_back.tries,
        tries_max: TRIES,
        ring_until: due(State::Ringing),
        next_try_at: due(State::Waiting),
        session: t.session_id.as_ref().map(ToString::to_string),
    }
}

/// None: an ordinary ticket.
pub async fn of_ticket(app: &App, id: TicketId) -> Result<Option<CallBackView>, AppError> {
    app.read(|tx| {
        Box::pin(async move {
            let Some(k) = callback::get(tx, &id).await? else {
                return Ok(None);
            };
            let t = ticket::get(tx, &id).await?;
            Ok(t.map(|t| view(&k, &t)))
        })
    })
    .await
}

/// For its citizen alone.
pub async fn own(app: &App, who: &Principal, id: TicketId) -> Result<CallBackView, AppError> {
    let me = who.citizen()?.clone();
    app.read(|tx| {
        Box::pin(async move {
            let t = mine(tx, &me, &id).await?;
            let k = callback::get(tx, &id).await?;
            k.map(|k| view(&k, &t)).ok_or_else(|| no("not_found"))
        })
    })
    .await
}

async fn mine(
    tx: &mut Tx,
    me: &domain::id::VisitId,
    id: &TicketId,
) -> Result<ticket::Ticket, AppError> {
    ticket::get(tx, id)
        .await?
        .filter(|t| t.visit_id == *me)
        .ok_or_else(|| no("not_found"))
}

/// Moves a call-back by the rule and keeps it.
async fn step(tx: &mut Tx, w: &mut Work, k: &mut Kept, cmd: Cmd) -> Result<(), AppError> {
    let was = k.call_back;
    k.call_back = was.apply(cmd, w.now)?;
    if !callback::save(tx, k, was).await? {
        return Err(store::StoreError::Retry.into());
    }
    w.wake(&k.ticket_id);
    Ok(())
}

async fn notice(tx: &mut Tx, w: &mut Work, k: &Kept, what: &str) -> Result<(), AppError> {
    let kind = format!("call_back.{what}");
    let detail =
        json!({"tries": k.call_back.tries, "due_at": k.call_back.due_at.map(Timestamp::rfc3339)});
    w.audit(tx, &kind, k.ticket_id.as_str(), detail.clone())
        .await?;
    w.outbox(tx, &kind, k.ticket_id.as_str(), detail).await
}

/// What the citizen asked for: the token follows from it, so a repeat gives the same one.
#[derive(Serialize, Deserialize)]
struct Taken {
    ticket: TicketId,
    /// Microseconds since the epoch: when the token's life began.
    at: i64,
}

/// A waiting ticket becomes a call-back: a new ticket with its class, enqueue time and place.
///
/// Codes: `not_found`, `ticket_state`, `call_back_open`, `call_back_phone` at a booth.
pub async fn take(app: &App, caller: &Caller, id: TicketId) -> Result<CallBackTaken, AppError> {
    let me = caller.who.citizen()?.clone();
    let route = format!("tickets.call_back:{id}");
    let taken: Taken = app
        .command(caller, &route, &json!({}), move |tx, w| {
            let (id, me) = (id.clone(), me.clone());
            Box::pin(async move {
                let t = mine(tx, &me, &id).await?;
                dialect::lock_hall(tx, &t.hall_id).await?;
                let mut old = mine(tx, &me, &id).await?;
                if callback::get(tx, &id).await?.is_some() {
                    return Err(no("call_back_open"));
                }
                // Nobody is at a booth any more when it rings.
                if old.session_id.is_some() {
                    return Err(no("ticket_state"));
                }
                if old.channel == "booth" {
                    return Err(no("call_back_phone"));
                }
                let new = ticket::Ticket {
                    id: w.id(),
                    state: TicketState::Waiting,
                    version: 1,
                    holder: None,
                    grace_until: None,
                    ..old.clone()
                };
                let was = old.state;
                old.state = was.apply(TicketCmd::CallBack)?;
                old.next_ticket = Some(new.id.clone());
                old.reason = Some("call_back".to_owned());
                if !ticket::save(tx, &old, was, w.now).await? {
                    return Err(store::StoreError::Retry.into());
                }
                ticket::insert(tx, &new).await?;
                let kept = Kept {
                    ticket_id: new.id.clone(),
                    call_back: CallBack::default(),
                    keep_until: w.now + limits::CITIZEN_LIFE,
                };
                callback::insert(tx, &kept).await?;
                w.audit(
                    tx,
                    "ticket.called_back",
                    id.as_str(),
                    json!({"next": new.id.as_str()}),
                )
                .await?;
                w.wake(&old.id);
                w.wake(&new.id);
                w.wake(&new.hall_id);
                desk::cancel_offer_of(tx, w, &old).await?;
                desk::match_hall(tx, w, &new.hall_id).await?;
                Ok(Taken {
                    ticket: new.id,
                    at: w.now.micros(),
                })
            })
        })
        .await?;
    let began = Timestamp::from_micros(taken.at);
    let (access_token, end) = token::issue(&app.vault, &caller.who, began, limits::CITIZEN_LIFE)?;
    Ok(CallBackTaken {
        call_back: own(app, &caller.who, taken.ticket.clone()).await?,
        ticket: queue::view(app, taken.ticket).await?,
        access_token,
        expires_at: end.rfc3339(),
    })
}

/// By the rung seat's agent: the citizen's phone rings.
///
/// Codes: `not_found`, `seat_not_yours`, `offer_over`, `callback_state` for an offer that is no call-back or rings already,
/// `callback_early`.
pub async fn call(app: &App, caller: &Caller, id: PairingId) -> Result<SeatView, AppError> {
    let me = caller.who.staff(Role::Agent)?.clone();
    let route = format!("pairings.call:{id}");
    let seat = app
        .command(caller, &route, &json!({}), move |tx, w| {
            let (id, me) = (id.clone(), me.clone());
            Box::pin(async move {
                let p = pairing::get(tx, &id)
                    .await?
                    .ok_or_else(|| no("not_found"))?;
                let s = desk::own_seat(tx, &p.seat_id, &me).await?;
                let mut k = callback::get(tx, &p.ticket_id)
                    .await?
                    .ok_or_else(|| no("callback_state"))?;
                // Read again under the hall's lock: a timer may have been first.
                let p = pairing::get(tx, &id)
                    .await?
                    .ok_or_else(|| no("not_found"))?;
                if p.state != pairing_rule::State::Offered {
                    return Err(no("offer_over"));
                }
                step(tx, w, &mut k, Cmd::Ring).await?;
                let until = k.call_back.due_at.ok_or_else(|| no("internal"))?;
                if !callback::ring_until(tx, &id, until).await? {
                    return Err(no("offer_over"));
                }
                w.wake(&s.id);
                notice(tx, w, &k, "ringing").await?;
                Ok(s.id)
            })
        })
        .await?;
    desk::view(app, seat).await
}

/// The citizen takes the call: the session begins.
///
/// Codes: `not_found`, `callback_state`, `callback_over`.
pub async fn answer(app: &App, caller: &Caller, id: TicketId) -> Result<Accepted, AppError> {
    let me = caller.who.citizen()?.clone();
    let route = format!("call_backs.answer:{id}");
    let room = id.clone();
    let accepted = app
        .command(caller, &route, &json!({}), move |tx, w| {
            let (id, me) = (id.clone(), me.clone());
            Box::pin(async move {
                let t = mine(tx, &me, &id).await?;
                // An offer from another hall is under that hall's lock.
                let offered = pairing::live_of_ticket(tx, &id).await?;
                let hall = offered.map_or(t.hall_id, |p| p.hall_id);
                dialect::lock_hall(tx, &hall).await?;
                let mut k = callback::get(tx, &id)
                    .await?
                    .ok_or_else(|| no("not_found"))?;
                step(tx, w, &mut k, Cmd::Answer).await?;
                let mut p = pairing::live_of_ticket(tx, &id)
                    .await?
                    .ok_or_else(|| no("callback_over"))?;
                let was = p.state;
                p.state = was.apply(pairing_rule::Cmd::Accept)?;
                if !pairing::save(tx, &p, was, None, w.now).await? {
                    return Err(no("callback_over"));
                }
                let s = seat::get(tx, &p.seat_id)
                    .await?
                    .ok_or_else(|| no("not_found"))?;
                let agent = s.staff_id.clone().ok_or_else(|| no("callback_over"))?;
                let session = call_flow::begin(tx, w, &p, s, &agent).await?;
                Ok(Accepted {
                    session: session.to_string(),
                })
            })
        })
        .await?;
    app.media.live(app, &room).await;
    Ok(accepted)
}

/// The citizen's word to a ring: not now, which is a try in vain, or no more. The seat is ready again at once, and has no
/// wrap-up.
///
/// Codes: `not_found`, `callback_state` while nothing rings, `callback_over`.
pub async fn decline(
    app: &App,
    caller: &Caller,
    id: TicketId,
    body: DeclineCallBack,
) -> Result<CallBackView, AppError> {
    let me = caller.who.citizen()?.clone();
    let (route, tid) = (format!("call_backs.decline:{id}"), id.clone());
    app.command(caller, &route, &body, move |tx, w| {
        let (id, me) = (id.clone(), me.clone());
        Box::pin(async move {
            let mut t = mine(tx, &me, &id).await?;
            // An offer from another hall is under that hall's lock.
            if let Some(p) = pairing::live_of_ticket(tx, &id).await? {
                dialect::lock_hall(tx, &p.hall_id).await?;
            }
            let k = callback::get(tx, &id)
                .await?
                .ok_or_else(|| no("not_found"))?;
            // Whatever the word, it is said to a ring.
            k.call_back.apply(Cmd::NotNow, w.now)?;
            let mut p = pairing::live_of_ticket(tx, &id)
                .await?
                .ok_or_else(|| no("callback_over"))?;
            match body.answer {
                CallBackDecline::Later => in_vain(tx, w, k, &mut p, Cmd::NotNow).await,
                CallBackDecline::NoMore => {
                    queue::leave(tx, w, &mut t, TicketCmd::Abandon, "call_back_declined").await?;
                    let k = callback::get(tx, &id).await?.unwrap_or(k);
                    notice(tx, w, &k, "closed").await
                }
            }
        })
    })
    .await?;
    own(app, &caller.who, tid).await
}

/// The citizen no longer wants it; also a refusal while it rings.
///
/// Codes: `not_found`, `ticket_state` once it is answered or over.
pub async fn cancel(app: &App, caller: &Caller, id: TicketId) -> Result<CallBackView, AppError> {
    let me = caller.who.citizen()?.clone();
    let (route, tid) = (format!("call_backs.cancel:{id}"), id.clone());
    app.command(caller, &route, &json!({}), move |tx, w| {
        let (id, me) = (id.clone(), me.clone());
        Box::pin(async move {
            let mut t = mine(tx, &me, &id).await?;
            if callback::get(tx, &id).await?.is_none() {
                return Err(no("not_found"));
            }
            queue::leave(tx, w, &mut t, TicketCmd::Abandon, "cancelled").await
        })
    })
    .await?;
    own(app, &caller.who, tid).await
}

/// Its ticket has left the queue otherwise than by an answer.
pub(super) async fn left(tx: &mut Tx, w: &mut Work, id: &TicketId) -> Result<(), AppError> {
    match callback::get(tx, id).await? {
        Some(mut k) if !k.call_back.state.is_terminal() => step(tx, w, &mut k, Cmd::Cancel).await,
        _ => Ok(()),
    }
}

/// A demand that nobody can meet: nobody is called before the pause is over.
fn nobody(demand: &str) -> Result<String, AppError> {
    let skills = Demand::parse(demand)?.skills().clone();
    let staff = StaffId::make(0, 0).to_string();
    Ok(Demand::new(skills, vec![staff])?.key())
}

/// Its offer ended without an answer and it waits again: a seat that went away costs no try; after a try in vain there is a
/// pause. Call it before the next matching.
pub(super) async fn requeued(tx: &mut Tx, w: &mut Work, id: &TicketId) -> Result<(), AppError> {
    let Some(mut k) = callback::get(tx, id).await? else {
        return Ok(());
    };
    match k.call_back.state {
        State::Ringing => step(tx, w, &mut k, Cmd::SeatLost).await,
        State::Waiting => hold(tx, &k, w.now).await.map(|_| ()),
        State::Answered | State::Closed | State::Cancelled => Ok(()),
    }
}

/// Keeps a call-back in its pause away from the seats; true: it is in one. The routing's timer gives it its demand back.
pub(super) async fn hold(tx: &mut Tx, k: &Kept, now: Timestamp) -> Result<bool, AppError> {
    let Some(due) = k.call_back.due_at.filter(|_| !k.call_back.may_ring(now)) else {
        return Ok(false);
    };
    let mut t = ticket::get(tx, &k.ticket_id)
        .await?
        .ok_or_else(|| no("not_found"))?;
    t.demand = nobody(&t.demand)?;
    t.stage_at = Some(due);
    t.overflow_hall = None;
    if !ticket::save_stage(tx, &t).await? {
        return Err(store::StoreError::Retry.into());
    }
    Ok(true)
}

/// A ring at the citizen's phone is over: the seat is ready again at once, without a wrap-up. False: no phone rang.
pub(super) async fn unanswered(
    tx: &mut Tx,
    w: &mut Work,
    p: &mut pairing::Pairing,
) -> Result<bool, AppError> {
    dialect::lock_hall(tx, &p.hall_id).await?;
    let Some(k) = callback::get(tx, &p.ticket_id)
        .await?
        .filter(|k| k.call_back.state == State::Ringing)
    else {
        return Ok(false);
    };
    in_vain(tx, w, k, p, Cmd::NoAnswer).await?;
    Ok(true)
}

/// A try in vain (`cmd`): a pause follows, or the end with a message; the seat that rang is ready.
async fn in_vain(
    tx: &mut Tx,
    w: &mut Work,
    mut k: Kept,
    p: &mut pairing::Pairing,
    cmd: Cmd,
) -> Result<(), AppError> {
    step(tx, w, &mut k, cmd).await?;
    if k.call_back.state == State::Closed {
        notice(tx, w, &k, "closed").await?;
        let mut t = ticket::get(tx, &p.ticket_id)
            .await?
            .ok_or_else(|| no("not_found"))?;
        queue::leave(tx, w, &mut t, TicketCmd::Expire, "call_back_unanswered").await
    } else {
        notice(tx, w, &k, "missed").await?;
        let (cmd, why) = match cmd {
            Cmd::NotNow => (pairing_rule::Cmd::Cancel, "citizen_not_now"),
            _ => (pairing_rule::Cmd::TimeOut, "citizen_no_answer"),
        };
        desk::unoffer(tx, w, p, cmd, seat_rule::Cmd::RingCancelled, why).await
    }
}

/// Call-backs that nobody could answer any more: the citizen's token is over.
pub async fn due(app: &App) -> Result<(), AppError> {
    let now = app.now();
    let over = app
        .read(move |tx| Box::pin(async move { Ok(callback::over(tx, now).await?) }))
        .await?;
    for k in over {
        let r = app.write("server", move |tx, w| {
            let id = k.ticket_id.clone();
            Box::pin(async move {
                let mut t = ticket::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
                queue::leave(tx, w, &mut t, TicketCmd::Expire, "call_back_over").await?;
                match callback::get(tx, &id).await? {
                    Some(k) => notice(tx, w, &k, "closed").await,
                    None => Ok(()),
                }
            })
        });
        desk::lost_race_is_fine(r.await)?;
    }
    Ok(())
}
