//! A ring (派单): how it begins, and its end by accept, decline, time, or because either side left.

use super::{
    super::{App, Caller, Work, call_flow, callbacks, routing},
    matching::match_hall,
    moves::move_seat,
    seats::own_seat,
    views::view,
};
use crate::problem::{AppError, no};
use domain::{
    id::{HallId, Id as _, PairingId, SeatId, TicketId},
    pairing as rule, seat as seat_rule, ticket as ticket_rule,
    time::Span,
};
use protocol::{Accepted, Role, SeatView};
use serde_json::json;
use store::{Tx, dialect, pairing, seat, ticket};

/// Reasons for a decline.
pub const DECLINE_REASONS: &[&str] = &["busy", "not_my_skill", "know_the_person", "other"];

/// Rings the seat for the ticket; false: the seat has been taken in this very transaction, by a text beside or a call.
pub(super) async fn offer(
    tx: &mut Tx,
    w: &mut Work,
    hall: &HallId,
    tid: &TicketId,
    sid: &SeatId,
) -> Result<bool, AppError> {
    let (Some(mut t), Some(mut s)) = (ticket::get(tx, tid).await?, seat::get(tx, sid).await?)
    else {
        return Err(store::StoreError::Retry.into());
    };
    if s.state != seat_rule::State::Ready {
        return Ok(false);
    }
    let was = t.state;
    t.state = was.apply(ticket_rule::Cmd::Offer)?;
    if !ticket::save(tx, &t, was, w.now).await? {
        return Err(store::StoreError::Retry.into());
    }
    let ring = routing::rule(tx, &t.hall_id, &t.skill).await?.ring_s;
    let p = pairing::Pairing {
        id: w.id::<PairingId>(),
        hall_id: hall.clone(),
        ticket_id: t.id.clone(),
        seat_id: s.id.clone(),
        visit_id: t.visit_id.clone(),
        state: rule::State::Offered,
        offered_at: w.now,
        due_at: w.now + Span::seconds(i64::from(ring)),
    };
    move_seat(tx, w, &mut s, seat_rule::Cmd::Ring, None).await?;
    pairing::insert(tx, &p).await?;
    w.wake(&t.id);
    Ok(true)
}

/// Ends an offer that was not accepted: the ticket goes to the head of its class, the seat where `seat_cmd` leads.
pub(in crate::app) async fn unoffer(
    tx: &mut Tx,
    w: &mut Work,
    p: &mut pairing::Pairing,
    cmd: rule::Cmd,
    seat_cmd: seat_rule::Cmd,
    reason: &str,
) -> Result<(), AppError> {
    dialect::lock_hall(tx, &p.hall_id).await?;
    let was = p.state;
    p.state = was.apply(cmd)?;
    if !pairing::save(tx, p, was, Some(reason), w.now).await? {
        return Err(no("offer_over"));
    }
    let mut others: Vec<HallId> = vec![];
    if let Some(mut t) = ticket::get(tx, &p.ticket_id)
        .await?
        .filter(|t| t.state == ticket_rule::State::Offered)
    {
        others = std::iter::once(&t.hall_id)
            .chain(&t.overflow_hall)
            .filter(|h| **h != p.hall_id)
            .cloned()
            .collect();
        let was = t.state;
        t.state = was.apply(ticket_rule::Cmd::Requeue)?;
        ticket::save(tx, &t, was, w.now).await?;
        callbacks::requeued(tx, w, &t.id).await?;
        w.wake(&t.id);
    }
    if let Some(mut s) = seat::get(tx, &p.seat_id)
        .await?
        .filter(|s| s.state == seat_rule::State::Ringing)
    {
        move_seat(tx, w, &mut s, seat_cmd, Some(reason)).await?;
    }
    match_hall(tx, w, &p.hall_id).await?;
    // Wherever else it may be served: a seat there may have become ready while this one rang.
    for h in others {
        match_hall(tx, w, &h).await?;
    }
    Ok(())
}

/// The ticket left while a seat rang: the seat is ready again.
pub(in crate::app) async fn cancel_offer_of(
    tx: &mut Tx,
    w: &mut Work,
    t: &ticket::Ticket,
) -> Result<(), AppError> {
    if let Some(mut p) = pairing::live_of_ticket(tx, &t.id)
        .await?
        .filter(|p| p.state == rule::State::Offered)
    {
        unoffer(
            tx,
            w,
            &mut p,
            rule::Cmd::Cancel,
            seat_rule::Cmd::RingCancelled,
            "ticket_left",
        )
        .await?;
    }
    Ok(())
}

pub async fn accept(app: &App, caller: &Caller, id: PairingId) -> Result<Accepted, AppError> {
    let me = caller.who.staff(Role::Agent)?.clone();
    let (accepted, room) = app
        .command(
            caller,
            &format!("pairings.accept:{id}"),
            &json!({}),
            move |tx, w| {
                let (id, me) = (id.clone(), me.clone());
                Box::pin(async move {
                    let p = pairing::get(tx, &id)
                        .await?
                        .ok_or_else(|| no("not_found"))?;
                    let s = own_seat(tx, &p.seat_id, &me).await?;
                    // Read again under the hall's lock: a timer may have been first.
                    let mut p = pairing::get(tx, &id)
                        .await?
                        .ok_or_else(|| no("not_found"))?;
                    // Who took the call and was handed over since is in the session already.
                    let call_back = store::callback::get(tx, &p.ticket_id).await?;
                    if call_back.is_some_and(|k| !k.call_back.state.is_terminal()) {
                        return Err(no("call_first"));
                    }
                    let was = p.state;
                    p.state = was.apply(rule::Cmd::Accept)?;
                    if !pairing::save(tx, &p, was, None, w.now).await? {
                        return Err(no("offer_over"));
                    }
                    let session = call_flow::begin(tx, w, &p, s, &me).await?;
                    Ok((
                        Accepted {
                            session: session.to_string(),
                        },
                        p.ticket_id,
                    ))
                })
            },
        )
        .await?;
    app.media.live(app, &room).await;
    Ok(accepted)
}

pub async fn decline(
    app: &App,
    caller: &Caller,
    id: PairingId,
    reason: String,
) -> Result<SeatView, AppError> {
    let me = caller.who.staff(Role::Agent)?.clone();
    if !DECLINE_REASONS.contains(&reason.as_str()) {
        return Err(no("reason_invalid"));
    }
    let seat_id = app
        .command(
            caller,
            &format!("pairings.decline:{id}"),
            &json!({"reason": reason}),
            move |tx, w| {
                let (id, me, reason) = (id.clone(), me.clone(), reason.clone());
                Box::pin(async move {
                    let p = pairing::get(tx, &id)
                        .await?
                        .ok_or_else(|| no("not_found"))?;
                    own_seat(tx, &p.seat_id, &me).await?;
                    let mut p = pairing::get(tx, &id)
                        .await?
                        .ok_or_else(|| no("not_found"))?;
                    unoffer(
                        tx,
                        w,
                        &mut p,
                        rule::Cmd::Decline,
                        seat_rule::Cmd::RingUnanswered,
                        "declined",
                    )
                    .await?;
                    w.audit(
                        tx,
                        "pairing.declined",
                        id.as_str(),
                        json!({"reason": reason}),
                    )
                    .await?;
                    Ok(p.seat_id)
                })
            },
        )
        .await?;
    view(app, seat_id).await
}
