//! What an agent and their page do with a seat: open it, be ready or away, hold it, lose it.

use super::{
    super::{App, Caller, Work, lanes},
    matching::match_hall,
    moves::move_seat,
    offers::unoffer,
    views::view,
};
use crate::problem::{AppError, no};
use domain::{
    id::{Id as _, SeatId, StaffId},
    pairing as rule,
    routing::is_reserved,
    seat as seat_rule,
    time::Span,
};
use protocol::{Role, SeatView};
use serde_json::json;
use store::{Tx, dialect, pairing, seat, staff};

/// Reasons an agent may give for being away.
pub const AWAY_REASONS: &[&str] = &["break", "meal", "meeting", "training", "other"];
/// What a wrap-up may be made longer by, once.
const WRAP_UP_MORE: Span = Span::seconds(60);

pub(in crate::app) async fn own_seat(
    tx: &mut Tx,
    id: &SeatId,
    staff: &StaffId,
) -> Result<seat::Seat, AppError> {
    let s = seat::get(tx, id).await?.ok_or_else(|| no("not_found"))?;
    dialect::lock_hall(tx, &s.hall_id).await?;
    let s = seat::get(tx, id).await?.ok_or_else(|| no("not_found"))?;
    if s.staff_id.as_ref() != Some(staff) {
        return Err(no("seat_not_yours"));
    }
    Ok(s)
}

/// Leaves the seat where the agent sits now; refused during a session.
async fn leave_other_seat(
    tx: &mut Tx,
    w: &mut Work,
    staff: &StaffId,
    target: &SeatId,
) -> Result<(), AppError> {
    let Some(mut old) = seat::of_staff(tx, staff).await? else {
        return Ok(());
    };
    if old.id == *target {
        return Ok(());
    }
    if old.state == seat_rule::State::Busy && !lanes::texting(&old) {
        return Err(no("session_live"));
    }
    if old.takes_text {
        lanes::clear(tx, w, &old.id).await?;
        old = seat::get(tx, &old.id)
            .await?
            .ok_or_else(|| no("not_found"))?;
    }
    if let Some(mut p) = pairing::live_of_seat(tx, &old.id).await? {
        unoffer(
            tx,
            w,
            &mut p,
            rule::Cmd::Cancel,
            seat_rule::Cmd::Lost,
            "moved",
        )
        .await?;
        old = seat::get(tx, &old.id)
            .await?
            .ok_or_else(|| no("not_found"))?;
    }
    if old.state == seat_rule::State::Offline {
        return Ok(());
    }
    move_seat(tx, w, &mut old, seat_rule::Cmd::Close, None).await
}

pub async fn open(
    app: &App,
    caller: &Caller,
    id: SeatId,
    body: protocol::OpenSeat,
) -> Result<SeatView, AppError> {
    let me = caller.who.staff(Role::Agent)?.clone();
    let seat_id = id.clone();
    app.command(
        caller,
        &format!("seats.open:{id}"),
        &body.clone(),
        move |tx, w| {
            let (id, me, body) = (id.clone(), me.clone(), body.clone());
            Box::pin(async move {
                let who = staff::get(tx, &me).await?.ok_or_else(|| no("signed_out"))?;
                if body.skills.iter().any(|k| is_reserved(k)) {
                    return Err(no("skill_reserved"));
                }
                if body.skills.is_empty() || body.skills.iter().any(|k| !who.skills.has(k)) {
                    return Err(no("skill_unknown"));
                }
                let s = seat::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
                if s.hall_id != who.hall_id {
                    return Err(no("not_found"));
                }
                if s.lane > 0 {
                    return Err(no("seat_lane"));
                }
                dialect::lock_hall(tx, &s.hall_id).await?;
                let open_now = seat::of_staff(tx, &me).await?;
                // The same seat again, from a page that was reloaded, is no conflict unless another page still holds it.
                let elsewhere = open_now.as_ref().is_some_and(|o| {
                    o.id != id || (o.holder.is_some() && o.silent_since.is_none())
                });
                if elsewhere && !body.take_over {
                    return Err(no("seat_open_elsewhere")
                        .with_current(json!({"seat": open_now.map(|o| o.id.to_string())})));
                }
                leave_other_seat(tx, w, &me, &id).await?;
                let mut s = seat::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
                if s.staff_id.as_ref().is_some_and(|o| *o != me) {
                    return Err(no("seat_taken"));
                }
                let chosen = who.skills.0.iter().filter(|(k, _)| body.skills.contains(k));
                s.skills = chosen.map(|(k, level)| (k.as_str(), *level)).collect();
                s.staff_id = Some(me.clone());
                s.auto_answer = body.auto_answer;
                // Texts that go on keep their lanes.
                s.takes_text = body.text || lanes::texting(&s);
                match s.state {
                    seat_rule::State::Offline => {
                        move_seat(tx, w, &mut s, seat_rule::Cmd::Open, None).await?;
                    }
                    seat_rule::State::Away => {
                        move_seat(tx, w, &mut s, seat_rule::Cmd::Ready, None).await?;
                    }
                    seat_rule::State::Ready
                    | seat_rule::State::Ringing
                    | seat_rule::State::Busy
                    | seat_rule::State::WrapUp => {
                        if !seat::save(tx, &s).await? {
                            return Err(store::StoreError::Retry.into());
                        }
                        s.version += 1;
                        w.wake(&s.id);
                    }
                }
                lanes::open(tx, w, &mut s).await?;
                // A page that holds the seat already may be rung at once, with its new skills.
                if s.holder.is_some() && s.silent_since.is_none() {
                    match_hall(tx, w, &s.hall_id).await?;
                }
                w.audit(
                    tx,
                    "seat.opened",
                    id.as_str(),
                    json!({"skills": body.skills, "text": body.text}),
                )
                .await
            })
        },
    )
    .await?;
    view(app, seat_id).await
}

/// What an agent may ask of their seat.
#[derive(Clone)]
pub enum Ask {
    Ready,
    Away(String),
    Close,
}

pub async fn ask(app: &App, caller: &Caller, id: SeatId, ask: Ask) -> Result<SeatView, AppError> {
    let me = caller.who.staff(Role::Agent)?.clone();
    let (seat_id, route, body) = match &ask {
        Ask::Ready => (id.clone(), format!("seats.ready:{id}"), json!({})),
        Ask::Away(r) => (id.clone(), format!("seats.away:{id}"), json!({"reason": r})),
        Ask::Close => (id.clone(), format!("seats.close:{id}"), json!({})),
    };
    app.command(caller, &route, &body, move |tx, w| {
        let (id, me, ask) = (id.clone(), me.clone(), ask.clone());
        Box::pin(async move {
            let mut s = own_seat(tx, &id, &me).await?;
            if let Ask::Away(r) = &ask
                && !AWAY_REASONS.contains(&r.as_str())
            {
                return Err(no("reason_invalid"));
            }
            match &ask {
                _ if s.lane > 0 => lanes::ask(tx, w, &mut s, &ask).await?,
                _ if lanes::texting(&s) => lanes::say(tx, w, &mut s, &me, &ask).await?,
                Ask::Ready => move_seat(tx, w, &mut s, seat_rule::Cmd::Ready, None).await?,
                Ask::Away(r) => move_seat(tx, w, &mut s, seat_rule::Cmd::Away, Some(r)).await?,
                Ask::Close => move_seat(tx, w, &mut s, seat_rule::Cmd::Close, None).await?,
            }
            match_hall(tx, w, &s.hall_id).await
        })
    })
    .await?;
    view(app, seat_id).await
}

/// A minute more to finish the notes, once.
pub async fn extend_wrap_up(app: &App, caller: &Caller, id: SeatId) -> Result<SeatView, AppError> {
    let me = caller.who.staff(Role::Agent)?.clone();
    let seat_id = id.clone();
    app.command(
        caller,
        &format!("seats.extend:{id}"),
        &json!({}),
        move |tx, w| {
            let (id, me) = (id.clone(), me.clone());
            Box::pin(async move {
                let mut s = own_seat(tx, &id, &me).await?;
                let Some(due) = s.due_at.filter(|_| s.state == seat_rule::State::WrapUp) else {
                    return Err(no("seat_state"));
                };
                if s.extended {
                    return Err(no("wrap_up_extended"));
                }
                s.due_at = Some(due + WRAP_UP_MORE);
                s.extended = true;
                if !seat::save(tx, &s).await? {
                    return Err(store::StoreError::Retry.into());
                }
                w.wake(&s.id);
                w.audit(tx, "seat.wrap_up_extended", id.as_str(), json!({}))
                    .await
            })
        },
    )
    .await?;
    view(app, seat_id).await
}

/// A page holds the seat from now on; whoever held it before is told so.
pub async fn hold(
    app: &App,
    staff_id: &StaffId,
    id: SeatId,
    connection: &str,
) -> Result<(), AppError> {
    let (me, conn, topic) = (staff_id.clone(), connection.to_owned(), id.to_string());
    let before = app
        .write(staff_id.as_str(), move |tx, w| {
            let (id, me, conn) = (id.clone(), me.clone(), conn.clone());
            Box::pin(async move {
                let s = own_seat(tx, &id, &me).await?;
                seat::hold(tx, &id, &conn).await?;
                if s.lane > 0 || s.takes_text {
                    let mut held = own_seat(tx, &id, &me).await?;
                    lanes::settle(tx, w, &mut held, None).await?;
                }
                // A ready seat that was passed over while its page was away can be rung again.
                match_hall(tx, w, &s.hall_id).await?;
                Ok(s.holder)
            })
        })
        .await?;
    if let Some(loser) = before.filter(|b| b != connection) {
        app.bus
            .live(crate::cluster::Live::Superseded { topic, loser })
            .await;
    }
    Ok(())
}

/// The page is gone: at once where it closed, after the silence where it only fell silent. A ring goes back to the queue.
pub async fn page_gone(
    app: &App,
    id: SeatId,
    connection: &str,
    closed: bool,
) -> Result<(), AppError> {
    let conn = connection.to_owned();
    app.write("server", move |tx, w| {
        let (id, conn) = (id.clone(), conn.clone());
        Box::pin(async move {
            if !seat::silent(tx, &id, &conn, w.now).await? {
                return Ok(());
            }
            if closed {
                lose(tx, w, &id).await
            } else {
                Ok(())
            }
        })
    })
    .await
}

/// The seat goes away because nobody is there; a session's own grace is the session's business.
pub(super) async fn lose(tx: &mut Tx, w: &mut Work, id: &SeatId) -> Result<(), AppError> {
    let Some(s) = seat::get(tx, id).await? else {
        return Ok(());
    };
    dialect::lock_hall(tx, &s.hall_id).await?;
    let Some(mut s) = seat::get(tx, id).await? else {
        return Ok(());
    };
    if s.silent_since.is_none() {
        return Ok(());
    }
    match s.state {
        seat_rule::State::Ringing => {
            if let Some(mut p) = pairing::live_of_seat(tx, id).await? {
                unoffer(
                    tx,
                    w,
                    &mut p,
                    rule::Cmd::Cancel,
                    seat_rule::Cmd::Lost,
                    "page_closed",
                )
                .await?;
            }
        }
        seat_rule::State::Ready | seat_rule::State::WrapUp => {
            move_seat(tx, w, &mut s, seat_rule::Cmd::Lost, Some("page_closed")).await?;
        }
        seat_rule::State::Busy if lanes::texting(&s) => {
            lanes::lose(tx, w, &mut s).await?;
            if s.state == seat_rule::State::Ready {
                move_seat(tx, w, &mut s, seat_rule::Cmd::Lost, Some("page_closed")).await?;
            }
        }
        seat_rule::State::Offline | seat_rule::State::Busy | seat_rule::State::Away => {}
    }
    Ok(())
}
