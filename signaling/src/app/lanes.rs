//! Text lanes of a seat: carries out what `domain::seat::lanes` says, in the transaction that moved either, under the lock
//! of their hall. Opens and closes lanes with their seat, and keeps an agent's word until the last text is over.
//!
//! Never moves a lane that serves: only its own ring, session and notes do.

use super::{
    App, Caller, Work,
    desk::{self, Ask, Forced},
    routing,
};
use crate::problem::{AppError, no};
use domain::{
    id::{Id as _, SeatId, StaffId},
    ladder::Mode,
    pairing,
    routing::TEXT_SKILL,
    seat::{
        Cmd, State,
        lanes::{self as rule, LANES_MAX, MAIN, TEXT},
    },
};
use store::{Tx, dialect, seat, session, staff};

/// Busy, and with texts alone.
pub(super) fn texting(s: &seat::Seat) -> bool {
    s.lane == 0 && s.state == State::Busy && s.away_reason.as_deref() == Some(TEXT)
}

/// What an ended ring without an answer leaves as a lane's reason; others go with their cause.
fn rests(s: &seat::Seat) -> bool {
    let own = |r: &str| r != MAIN && r != "page_closed";
    s.state == State::Away && s.away_reason.as_deref().is_some_and(own)
}

/// Open lanes of a seat, in order.
pub(super) async fn open_of(tx: &mut Tx, main: &SeatId) -> Result<Vec<seat::Seat>, AppError> {
    let mut all = seat::lanes(tx, main).await?;
    all.retain(|l| l.state != State::Offline);
    Ok(all)
}

/// Moves whatever `moved` (a seat or a lane) drags along, and shows in it what has become of itself. `unanswered`: why its
/// ring ended just now, where nobody answered it.
pub(super) async fn settle(
    tx: &mut Tx,
    w: &mut Work,
    moved: &mut seat::Seat,
    unanswered: Option<&str>,
) -> Result<(), AppError> {
    dialect::lock_hall(tx, &moved.hall_id).await?;
    let mut main = match &moved.main_seat {
        Some(id) => seat::get(tx, id).await?.ok_or_else(|| no("internal"))?,
        None => moved.clone(),
    };
    let mut lanes = open_of(tx, &main.id).await?;
    let mut seen = Vec::with_capacity(lanes.len());
    for l in &lanes {
        let live = match l.state {
            State::Busy => session::live_of_seat(tx, &l.id).await?,
            _ => None,
        };
        seen.push(rule::Lane {
            state: l.state,
            unanswered: rests(l),
            silent: l.silent_since.is_some(),
            climbed: live.is_some_and(|s| s.ladder.mode != Mode::Text),
        });
    }
    let word = Forced::of(&main).filter(|f| f.after_session);
    let view = rule::Main {
        state: main.state,
        texting: texting(&main),
        silent: main.silent_since.is_some(),
        next: word.as_ref().and_then(Forced::next),
    };
    let moves = rule::settle(view, &seen, unanswered.is_some() && moved.lane > 0);
    if let Some(cmd) = moves.main {
        let reason = match (cmd, &word) {
            (Cmd::TextBegins, _) => Some(TEXT.to_owned()),
            (Cmd::TextOver(State::Away | State::Offline), Some(f)) => Some(f.reason.clone()),
            (Cmd::TextOver(State::Away), None) => unanswered.map(str::to_owned),
            _ => None,
        };
        desk::step(tx, w, &mut main, cmd, reason.as_deref()).await?;
    }
    for (i, cmd) in moves.lanes {
        if let Some(l) = lanes.get_mut(i) {
            let reason = (cmd == Cmd::Away).then_some(MAIN);
            desk::step(tx, w, l, cmd, reason).await?;
        }
    }
    if moved.id == main.id {
        *moved = main;
    } else if let Some(l) = lanes.into_iter().find(|l| l.id == moved.id) {
        *moved = l;
    }
    Ok(())
}

/// Opens the lanes of a seat that was opened for texts, with what the queues' rules allow on each; closes idle ones that are
/// not allowed any more. Whoever serves goes on.
pub(super) async fn open(tx: &mut Tx, w: &mut Work, main: &mut seat::Seat) -> Result<(), AppError> {
    let have = seat::lanes(tx, &main.id).await?;
    if !main.takes_text && have.iter().all(|l| l.state == State::Offline) {
        return Ok(());
    }
    let mut slots = vec![];
    for code in main.skills.0.keys().filter(|_| main.takes_text) {
        // A language or an access need has no queue: it is known on every lane.
        let n = if code.contains(':') {
            LANES_MAX
        } else {
            routing::rule(tx, &main.hall_id, code).await?.text_slots
        };
        slots.push((code.clone(), n));
    }
    for n in 1..=LANES_MAX {
        let of = |code: &String| slots.iter().any(|(c, most)| c == code && n <= *most);
        let mut skills = main.skills.clone();
        skills.0.retain(|code, _| of(code));
        let wanted = skills.0.keys().any(|c| !c.contains(':'));
        skills.0.insert(TEXT_SKILL.to_owned(), 1);
        let known = have.iter().find(|l| l.lane == i64::from(n));
        if known.is_none() && !wanted {
            continue;
        }
        let mut l = match known {
            Some(l) => l.clone(),
            None => {
                let id: SeatId = w.id();
                seat::insert_lane(tx, &id, main, i64::from(n), w.now).await?;
                seat::get(tx, &id).await?.ok_or_else(|| no("internal"))?
            }
        };
        if wanted {
            l.skills = skills;
            l.staff_id.clone_from(&main.staff_id);
            l.auto_answer = main.auto_answer;
            if l.state == State::Offline {
                desk::step(tx, w, &mut l, Cmd::Open, None).await?;
            } else {
                if !seat::save(tx, &l).await? {
                    return Err(store::StoreError::Retry.into());
                }
                w.wake(&l.id);
            }
        } else if matches!(l.state, State::Ready | State::Away) {
            desk::step(tx, w, &mut l, Cmd::Close, None).await?;
        }
    }
    w.wake(&main.id);
    settle(tx, w, main, None).await
}

/// Ends what does not serve: rings go back to their line, notes and idle lanes are closed. Before the agent leaves the seat.
///
/// # Errors
/// `session_live`: somebody is being served by text.
pub(super) async fn clear(tx: &mut Tx, w: &mut Work, main: &SeatId) -> Result<(), AppError> {
    let lanes = open_of(tx, main).await?;
    if lanes.iter().any(|l| l.state == State::Busy) {
        return Err(no("session_live"));
    }
    // The idle ones first: a ring that goes back must not come back to its neighbour.
    let (ringing, idle): (Vec<_>, Vec<_>) =
        lanes.into_iter().partition(|l| l.state == State::Ringing);
    for mut l in idle {
        desk::step(tx, w, &mut l, Cmd::Close, None).await?;
    }
    for l in ringing {
        unring(tx, w, &l.id, Cmd::RingUnanswered, "moved").await?;
    }
    let mut s = seat::get(tx, main).await?.ok_or_else(|| no("not_found"))?;
    settle(tx, w, &mut s, None).await
}

async fn unring(
    tx: &mut Tx,
    w: &mut Work,
    lane: &SeatId,
    cmd: Cmd,
    why: &str,
) -> Result<(), AppError> {
    if let Some(mut p) = store::pairing::live_of_seat(tx, lane).await? {
        desk::unoffer(tx, w, &mut p, pairing::Cmd::Cancel, cmd, why).await?;
    }
    Ok(())
}

/// The seat's page is gone: what rings on its lanes goes back at once. Sessions have their own grace.
pub(super) async fn lose(tx: &mut Tx, w: &mut Work, main: &mut seat::Seat) -> Result<(), AppError> {
    // None of them takes more, so a ring that goes back is not rung here again.
    settle(tx, w, main, None).await?;
    for l in open_of(tx, &main.id).await? {
        if l.state == State::Ringing {
            unring(tx, w, &l.id, Cmd::Lost, "page_closed").await?;
        }
    }
    *main = seat::get(tx, &main.id)
        .await?
        .ok_or_else(|| no("not_found"))?;
    Ok(())
}

/// The agent's word to a seat that is busy with texts: it waits until the last is over; `ready` takes it back.
///
/// # Errors
/// `seat_state`: a supervisor's word waits already, or there is nothing to take back.
pub(super) async fn say(
    tx: &mut Tx,
    w: &mut Work,
    main: &mut seat::Seat,
    me: &StaffId,
    ask: &Ask,
) -> Result<(), AppError> {
    let word = Forced::of(main).filter(|f| f.after_session);
    if word.as_ref().is_some_and(|f| !f.own) {
        return Err(no("seat_state"));
    }
    let (to, reason) = match ask {
        Ask::Ready if word.is_some() => {
            main.forced = None;
            return keep(tx, w, main).await;
        }
        Ask::Ready => return Err(no("seat_state")),
        Ask::Away(r) => (State::Away, r.as_str()),
        Ask::Close => (State::Offline, "closed"),
    };
    let name = staff::get(tx, me)
        .await?
        .map_or_else(String::new, |p| p.name);
    main.forced = Forced {
        state: to.as_str().to_owned(),
        reason: reason.to_owned(),
        by: name,
        at: w.now.micros(),
        after_session: true,
        own: true,
    }
    .text();
    keep(tx, w, main).await
}

async fn keep(tx: &mut Tx, w: &mut Work, main: &mut seat::Seat) -> Result<(), AppError> {
    if !seat::save(tx, main).await? {
        return Err(store::StoreError::Retry.into());
    }
    main.version += 1;
    w.wake(&main.id);
    w.wake(&main.hall_id);
    settle(tx, w, main, None).await
}

/// What may be asked of a lane alone: `ready` ends its notes, or its rest after a ring that nobody answered.
///
/// # Errors
/// `seat_lane`.
pub(super) async fn ask(
    tx: &mut Tx,
    w: &mut Work,
    lane: &mut seat::Seat,
    ask: &Ask,
) -> Result<(), AppError> {
    match (ask, lane.state) {
        (Ask::Ready, State::WrapUp) => desk::move_seat(tx, w, lane, Cmd::Ready, None).await,
        // Whether it is rung then is its seat's business.
        (Ask::Ready, State::Away) if rests(lane) => {
            desk::move_seat(tx, w, lane, Cmd::Ready, None).await
        }
        _ => Err(no("seat_lane")),
    }
}

/// The notes are written. `then_away`: the agent has a break, once nobody else is being served.
pub(super) async fn noted(
    tx: &mut Tx,
    w: &mut Work,
    s: &mut seat::Seat,
    then_away: bool,
) -> Result<(), AppError> {
    if let (Some(main), Some(me), true) = (s.main_seat.clone(), s.staff_id.clone(), then_away) {
        let mut main = seat::get(tx, &main).await?.ok_or_else(|| no("internal"))?;
        let held = Forced::of(&main).is_some_and(|f| f.after_session);
        if texting(&main) && !held {
            say(tx, w, &mut main, &me, &Ask::Away("break".to_owned())).await?;
        }
        *s = seat::get(tx, &s.id).await?.ok_or_else(|| no("internal"))?;
        return desk::move_seat(tx, w, s, Cmd::Ready, None).await;
    }
    let (cmd, why) = if then_away {
        (Cmd::Away, Some("break"))
    } else {
        (Cmd::Ready, None)
    };
    desk::move_seat(tx, w, s, cmd, why).await
}

/// A session moved on the ladder: its neighbours wait while it is more than text.
pub(super) async fn climbed(tx: &mut Tx, w: &mut Work, at: &SeatId) -> Result<(), AppError> {
    let Some(mut s) = seat::get(tx, at).await?.filter(|s| s.lane > 0) else {
        return Ok(());
    };
    settle(tx, w, &mut s, None).await?;
    desk::match_hall(tx, w, &s.hall_id).await
}

/// A waiting citizen wants to talk in another way; the place in line is kept.
///
/// Codes: `not_found`, `ticket_state` once a seat rings, while a call-back is kept, or on the way in a transfer.
pub async fn set_mode(
    app: &App,
    caller: &Caller,
    id: domain::id::TicketId,
    body: protocol::SetTicketMode,
) -> Result<protocol::TicketView, AppError> {
    use domain::ticket::State as TicketState;
    use store::{callback, ticket, visit};
    let me = caller.who.citizen()?.clone();
    let (route, tid) = (format!("tickets.mode:{id}"), id.clone());
    app.command(caller, &route, &body, move |tx, w| {
        let (id, me) = (id.clone(), me.clone());
        Box::pin(async move {
            let mine = |t: Option<ticket::Ticket>| {
                t.filter(|t| t.visit_id == me)
                    .ok_or_else(|| no("not_found"))
            };
            let t = mine(ticket::get(tx, &id).await?)?;
            dialect::lock_hall(tx, &t.hall_id).await?;
            let t = mine(ticket::get(tx, &id).await?)?;
            let mode = super::ladder::of_ticket(body.mode);
            if t.mode == mode {
                return Ok(());
            }
            let on_its_way = t.session_id.is_some();
            if t.state != TicketState::Waiting
                || on_its_way
                || callback::get(tx, &id).await?.is_some()
            {
                return Err(no("ticket_state"));
            }
            if !ticket::set_mode(tx, &t, mode).await? {
                return Err(store::StoreError::Retry.into());
            }
            let mut t = mine(ticket::get(tx, &id).await?)?;
            let v = visit::get(tx, &me)
                .await?
                .ok_or_else(|| no("visit_ended"))?;
            let stage = routing::stage(tx, w, &t, &v).await?;
            routing::enter(&mut t, stage);
            if !ticket::save_stage(tx, &t).await? {
                return Err(store::StoreError::Retry.into());
            }
            w.audit(
                tx,
                "ticket.mode",
                id.as_str(),
                serde_json::json!({"mode": mode.as_str()}),
            )
            .await?;
            w.wake(&t.id);
            routing::match_for(tx, w, &t).await
        })
    })
    .await?;
    super::queue::view(app, tid).await
}
