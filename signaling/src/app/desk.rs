//! Seats and offers: who sits where, who is rung, what happens when nobody answers. Matching runs in the transaction that
//! changed its input, so a pairing follows its cause at once.

use super::{
    App, Caller, Work, call_flow,
    hall_now::{self, Fresh, HallNow},
    routing,
};
use crate::problem::{AppError, no};
use domain::time::{Span, Timestamp};
use domain::{
    id::{HallId, Id as _, PairingId, SeatId, StaffId, TicketId},
    limits, pairing as rule,
    routing::Demand,
    seat as seat_rule, ticket as ticket_rule,
};
use protocol::{
    Accepted, AccessNeed, Bilingual, Channel, ForcedView, OfferView, PriorityClass, Role,
    SeatState, SeatView,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Tx, catalogue, dialect, pairing, seat, seat_state, session, staff, ticket, visit};

/// Reasons an agent may give for being away.
pub const AWAY_REASONS: &[&str] = &["break", "meal", "meeting", "training", "other"];
/// What a wrap-up may be made longer by, once.
const WRAP_UP_MORE: Span = Span::seconds(60);
/// Reasons for a decline.
pub const DECLINE_REASONS: &[&str] = &["busy", "not_my_skill", "know_the_person", "other"];

pub(super) const fn class_view(c: ticket_rule::Class) -> PriorityClass {
    match c {
        ticket_rule::Class::Appointment => PriorityClass::Appointment,
        ticket_rule::Class::Returned => PriorityClass::Returned,
        ticket_rule::Class::Priority => PriorityClass::Priority,
        ticket_rule::Class::Normal => PriorityClass::Normal,
    }
}

pub(super) fn needs_view(words: &[String]) -> Vec<AccessNeed> {
    words
        .iter()
        .filter_map(|w| serde_json::from_value(json!(w)).ok())
        .collect()
}

pub(super) const fn state_view(s: seat_rule::State) -> SeatState {
    match s {
        seat_rule::State::Offline => SeatState::Offline,
        seat_rule::State::Ready => SeatState::Ready,
        seat_rule::State::Ringing => SeatState::Ringing,
        seat_rule::State::Busy => SeatState::Busy,
        seat_rule::State::WrapUp => SeatState::WrapUp,
        seat_rule::State::Away => SeatState::Away,
    }
}

/// A supervisor's word about a seat, as its row keeps it until the agent moves on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Forced {
    pub state: String,
    pub reason: String,
    /// The supervisor's name.
    pub by: String,
    /// Microseconds.
    pub at: i64,
    pub after_session: bool,
}

impl Forced {
    pub(super) fn of(s: &seat::Seat) -> Option<Self> {
        serde_json::from_str(s.forced.as_deref()?).ok()
    }
    pub(super) fn next(&self) -> Option<seat_rule::State> {
        seat_rule::State::parse(&self.state)
    }
    pub(super) fn text(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }
    fn view(&self) -> Option<ForcedView> {
        Some(ForcedView {
            state: state_view(self.next()?),
            reason: self.reason.clone(),
            by: self.by.clone(),
            at: Timestamp(self.at).rfc3339(),
            after_session: self.after_session,
        })
    }
}

/// What a supervisor wanted of a busy seat comes true when the wrap-up ends, whoever ends it.
fn after_wrap_up(s: &mut seat::Seat, cmd: seat_rule::Cmd) -> (seat_rule::Cmd, Option<String>) {
    let ends = matches!(cmd, seat_rule::Cmd::Ready | seat_rule::Cmd::Away);
    let held = Forced::of(s).filter(|f| f.after_session);
    match (s.state, held) {
        (seat_rule::State::WrapUp, Some(mut f)) if ends => {
            let next = seat_rule::State::after_wrap_up(f.next());
            f.after_session = false;
            s.forced = f.text();
            let reason = (next != seat_rule::State::Ready).then(|| f.reason.clone());
            (seat_rule::Cmd::Force(next), reason)
        }
        _ => (cmd, None),
    }
}

/// Moves a seat by the rule and keeps it, with the record of its time; the watchers are woken.
pub(super) async fn move_seat(
    tx: &mut Tx,
    w: &mut Work,
    s: &mut seat::Seat,
    cmd: seat_rule::Cmd,
    reason: Option<&str>,
) -> Result<(), AppError> {
    let (cmd, forced) = after_wrap_up(s, cmd);
    s.state = s.state.apply(cmd)?;
    s.since = w.now;
    s.away_reason = forced.or_else(|| reason.map(str::to_owned));
    if !matches!(cmd, seat_rule::Cmd::Force(_)) {
        let waits = matches!(s.state, seat_rule::State::Busy | seat_rule::State::WrapUp)
            && Forced::of(s).is_some_and(|f| f.after_session);
        s.forced = s.forced.take().filter(|_| waits);
    }
    if s.state == seat_rule::State::WrapUp {
        if let Some(session) = &s.wrap_up_session {
            s.due_at = Some(w.now + routing::wrap_up(tx, session).await?);
        }
    } else {
        s.due_at = None;
        s.wrap_up_session = None;
        s.extended = false;
    }
    if s.state == seat_rule::State::Offline {
        s.staff_id = None;
        s.auto_answer = false;
    }
    seat_state::moved(
        tx,
        &s.id,
        s.state,
        s.away_reason.as_deref(),
        s.staff_id.as_ref(),
        w.now,
    )
    .await?;
    if !seat::save(tx, s).await? {
        return Err(store::StoreError::Retry.into());
    }
    s.version += 1;
    w.wake(&s.id);
    w.wake(&s.hall_id);
    Ok(())
}

/// Offers waiting tickets to ready seats until none fits. Call it after any change that could make a pair.
pub(super) async fn match_hall(tx: &mut Tx, w: &mut Work, hall: &HallId) -> Result<(), AppError> {
    dialect::lock_hall(tx, hall).await?;
    while match_some(tx, w, hall).await? {}
    Ok(())
}

/// One round over as many seats as one look takes. True: there may be more.
async fn match_some(tx: &mut Tx, w: &mut Work, hall: &HallId) -> Result<bool, AppError> {
    let asked = ticket::demands(tx, hall).await?;
    if asked.is_empty() {
        return Ok(false);
    }
    let kinds = seat::ready_skills(tx, hall).await?;
    if kinds.is_empty() {
        return Ok(false);
    }
    let most = limits::MATCH_CANDIDATES;
    let mut wanted = vec![];
    // Only kinds of seats that some demand fits, and named people, are looked at: five thousand others may wait beside.
    let mut useful = vec![false; kinds.len()];
    let mut named: Vec<seat::Ready> = vec![];
    for (text, over) in asked {
        let demand = Demand::parse(&text)?;
        let mut fits = false;
        if demand.only().is_empty() {
            for (kind, useful) in kinds.iter().zip(&mut useful) {
                if demand.fits("", &kind.0) {
                    (*useful, fits) = (true, true);
                }
            }
        }
        for staff in demand.only() {
            if let Some(s) = seat::ready_of_staff(tx, hall, staff).await?
                && demand.fits(staff, &s.skills.0)
            {
                fits = true;
                named.push(s);
            }
        }
        if fits {
            wanted.push((demand, text, over));
        }
    }
    let mut lines = vec![];
    for (demand, text, over) in wanted {
        let tickets = ticket::of_demand(tx, hall, &text, over, most).await?;
        lines.push((demand, tickets));
    }
    // Each ticket takes one seat: of each kind no more can be needed.
    let enough = lines
        .iter()
        .map(|l| l.1.len() as i64)
        .sum::<i64>()
        .min(most);
    let mut seats = vec![];
    for (kind, _) in kinds.iter().zip(useful).filter(|(_, useful)| *useful) {
        seats.extend(seat::ready(tx, hall, kind, enough).await?);
    }
    for s in named {
        if !seats.contains(&s) {
            seats.push(s);
        }
    }
    seats.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
    let groups: Vec<_> = lines
        .iter()
        .map(|(demand, tickets)| rule::Group {
            demand: demand.clone(),
            tickets,
        })
        .collect();
    let ready: Vec<_> = seats
        .iter()
        .map(|s| rule::ReadySeat {
            seat: s.id.clone(),
            staff: s.staff_id.to_string(),
            skills: s.skills.0.clone(),
        })
        .collect();
    let pairs = rule::choose_by_demand(&groups, &ready);
    let made = pairs.len() as i64;
    for (tid, sid) in pairs {
        offer(tx, w, hall, &tid, &sid).await?;
    }
    Ok(made >= most)
}

async fn offer(
    tx: &mut Tx,
    w: &mut Work,
    hall: &HallId,
    tid: &TicketId,
    sid: &SeatId,
) -> Result<(), AppError> {
    let (Some(mut t), Some(mut s)) = (ticket::get(tx, tid).await?, seat::get(tx, sid).await?)
    else {
        return Err(store::StoreError::Retry.into());
    };
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
    Ok(())
}

/// Ends an offer that was not accepted: the ticket goes to the head of its class, the seat where `seat_cmd` leads.
pub(super) async fn unoffer(
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
    let mut home = None;
    if let Some(mut t) = ticket::get(tx, &p.ticket_id)
        .await?
        .filter(|t| t.state == ticket_rule::State::Offered)
    {
        home = Some(t.hall_id.clone()).filter(|h| *h != p.hall_id);
        let was = t.state;
        t.state = was.apply(ticket_rule::Cmd::Requeue)?;
        ticket::save(tx, &t, was, w.now).await?;
        super::callbacks::requeued(tx, w, &t.id).await?;
        w.wake(&t.id);
    }
    if let Some(mut s) = seat::get(tx, &p.seat_id)
        .await?
        .filter(|s| s.state == seat_rule::State::Ringing)
    {
        move_seat(tx, w, &mut s, seat_cmd, Some(reason)).await?;
    }
    match_hall(tx, w, &p.hall_id).await?;
    match home {
        // Another hall's ticket: a seat at home may have become ready while this one rang.
        Some(home) => match_hall(tx, w, &home).await,
        None => Ok(()),
    }
}

/// The ticket left while a seat rang: the seat is ready again.
pub(super) async fn cancel_offer_of(
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

pub(super) async fn own_seat(
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
    if old.state == seat_rule::State::Busy {
        return Err(no("session_live"));
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
                if body.skills.is_empty() || body.skills.iter().any(|k| !who.skills.has(k)) {
                    return Err(no("skill_unknown"));
                }
                let s = seat::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
                if s.hall_id != who.hall_id {
                    return Err(no("not_found"));
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
                        seat::save(tx, &s).await?;
                        w.wake(&s.id);
                    }
                }
                // A page that holds the seat already may be rung at once, with its new skills.
                if s.holder.is_some() && s.silent_since.is_none() {
                    match_hall(tx, w, &s.hall_id).await?;
                }
                w.audit(
                    tx,
                    "seat.opened",
                    id.as_str(),
                    json!({"skills": body.skills}),
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
            match &ask {
                Ask::Ready => move_seat(tx, w, &mut s, seat_rule::Cmd::Ready, None).await?,
                Ask::Away(r) if !AWAY_REASONS.contains(&r.as_str()) => {
                    return Err(no("reason_invalid"));
                }
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
async fn lose(tx: &mut Tx, w: &mut Work, id: &SeatId) -> Result<(), AppError> {
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
        seat_rule::State::Offline | seat_rule::State::Busy | seat_rule::State::Away => {}
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
                    if store::callback::get(tx, &p.ticket_id).await?.is_some() {
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

/// Timers of the desk: rings, silences, wrap-ups. Each is a compare-and-set, so nodes may race.
pub async fn due(app: &App) -> Result<(), AppError> {
    let now = app.now();
    let (rings, silent, wraps) = app
        .read(move |tx| {
            Box::pin(async move {
                Ok((
                    pairing::ring_over(tx, now).await?,
                    seat::silent_until(tx, now - limits::SEAT_SILENCE).await?,
                    seat::wrap_up_over(tx, now).await?,
                ))
            })
        })
        .await?;
    for p in rings {
        let r = app
            .write("server", move |tx, w| {
                let mut p = p.clone();
                Box::pin(async move {
                    if super::callbacks::unanswered(tx, w, &mut p).await? {
                        return Ok(());
                    }
                    unoffer(
                        tx,
                        w,
                        &mut p,
                        rule::Cmd::TimeOut,
                        seat_rule::Cmd::RingUnanswered,
                        "no_answer",
                    )
                    .await?;
                    w.audit(tx, "pairing.timed_out", p.id.as_str(), json!({}))
                        .await
                })
            })
            .await;
        lost_race_is_fine(r)?;
    }
    for s in silent {
        let r = app.write("server", move |tx, w| {
            let id = s.id.clone();
            Box::pin(async move { lose(tx, w, &id).await })
        });
        lost_race_is_fine(r.await)?;
    }
    for s in wraps {
        let r = app.write("server", move |tx, w| {
            let id = s.id.clone();
            Box::pin(async move {
                let Some(mut s) = seat::get(tx, &id)
                    .await?
                    .filter(|s| s.due_at.is_some_and(|d| d <= w.now))
                else {
                    return Ok(());
                };
                dialect::lock_hall(tx, &s.hall_id).await?;
                move_seat(tx, w, &mut s, seat_rule::Cmd::Ready, None).await?;
                match_hall(tx, w, &s.hall_id).await
            })
        });
        lost_race_is_fine(r.await)?;
    }
    Ok(())
}

/// Another node, or the person, was first.
pub(super) fn lost_race_is_fine(r: Result<(), AppError>) -> Result<(), AppError> {
    match r {
        Err(AppError::Rejected { .. }) | Ok(()) => Ok(()),
        Err(e) => Err(e),
    }
}

async fn offer_view(app: &App, tx: &mut Tx, p: &pairing::Pairing) -> Result<OfferView, AppError> {
    let t = ticket::get(tx, &p.ticket_id)
        .await?
        .ok_or_else(|| no("not_found"))?;
    let v = visit::get(tx, &t.visit_id)
        .await?
        .ok_or_else(|| no("not_found"))?;
    let identity = super::auth::identity_of(app, tx, &v).await?;
    let kept = store::callback::get(tx, &t.id).await?;
    let item_title = match &t.item {
        Some(i) => catalogue::get_published(tx, i)
            .await?
            .and_then(|d| serde_json::from_str::<domain::catalogue::Item>(&d.doc).ok())
            .map(|i| Bilingual {
                zh: i.name.zh,
                en: i.name.en,
            }),
        None => None,
    };
    Ok(OfferView {
        pairing: p.id.to_string(),
        ticket: t.id.to_string(),
        number: t.number,
        item: t.item,
        item_title,
        channel: if t.channel == "booth" {
            Channel::Booth
        } else {
            Channel::Phone
        },
        identity: identity.map(|i| i.view()),
        class: class_view(t.class),
        needs: needs_view(&t.needs),
        waited_s: u32::try_from(p.offered_at.seconds_since(t.enqueued_at)).unwrap_or(0),
        offered_at: p.offered_at.rfc3339(),
        due_at: p.due_at.rfc3339(),
        call_back: kept.is_some(),
        calling_until: kept
            .filter(|k| k.call_back.state == domain::callback::State::Ringing)
            .and_then(|k| k.call_back.due_at)
            .map(Timestamp::rfc3339),
    })
}

/// A seat without its view of the queues: see [`with_queues`].
pub(crate) async fn view_in(app: &App, tx: &mut Tx, s: seat::Seat) -> Result<SeatView, AppError> {
    let live = pairing::live_of_seat(tx, &s.id).await?;
    let offer = match live.as_ref().filter(|p| p.state == rule::State::Offered) {
        Some(p) => Some(offer_view(app, tx, p).await?),
        None => None,
    };
    let session = session::live_of_seat(tx, &s.id).await?;
    let forced = Forced::of(&s).and_then(|f| f.view());
    Ok(SeatView {
        id: s.id.to_string(),
        name: Bilingual {
            zh: s.name_zh,
            en: s.name_en,
        },
        hall: s.hall_id.to_string(),
        state: state_view(s.state),
        away_reason: s.away_reason,
        since: s.since.rfc3339(),
        version: s.version,
        staff: s.staff_id.map(|i| i.to_string()),
        skills: s.skills.codes(),
        offer,
        invite: super::invites::at_seat(tx, &s.id).await?,
        session: session.map(|s| s.id.to_string()),
        wrap_up_until: s.due_at.map(domain::time::Timestamp::rfc3339),
        wrap_up_session: s.wrap_up_session.map(|i| i.to_string()),
        wrap_up_extended: s.extended,
        auto_answer: s.auto_answer,
        forced,
        waiting: 0,
        longest_wait_s: 0,
    })
}

/// How many wait for one of the seat's skills, and how long the first has waited.
pub(crate) fn with_queues(mut v: SeatView, hall: &HallNow, now: Timestamp) -> SeatView {
    let line = hall.for_skills(&v.skills);
    v.waiting = line.waiting;
    v.longest_wait_s = if line.waiting == 0 {
        0
    } else {
        u32::try_from(now.seconds_since(line.oldest)).unwrap_or(0)
    };
    v
}

/// The same seat after its hall moved: nothing of the seat itself is read again.
pub(crate) async fn again(app: &App, last: &SeatView, fresh: Fresh) -> Result<SeatView, AppError> {
    let hall = HallId::parse(&last.hall).ok_or_else(|| no("not_found"))?;
    let now = hall_now::get(app, &hall, fresh).await?;
    Ok(with_queues(last.clone(), &now, app.now()))
}

pub async fn view(app: &App, id: SeatId) -> Result<SeatView, AppError> {
    let a = app.clone();
    let v = app
        .read(|tx| {
            Box::pin(async move {
                let s = seat::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
                view_in(&a, tx, s).await
            })
        })
        .await?;
    // An offer is not held up by a count of the others.
    again(app, &v, Fresh::AsSeen).await
}

/// The seats of a hall.
pub async fn list(app: &App, hall: HallId) -> Result<Vec<SeatView>, AppError> {
    let (a, h) = (app.clone(), hall.clone());
    let seats = app
        .read(|tx| {
            Box::pin(async move {
                let mut out = vec![];
                for s in seat::of_hall(tx, &h).await? {
                    out.push(view_in(&a, tx, s).await?);
                }
                Ok(out)
            })
        })
        .await?;
    let hall = hall_now::get(app, &hall, Fresh::Now).await?;
    let now = app.now();
    Ok(seats
        .into_iter()
        .map(|v| with_queues(v, &hall, now))
        .collect())
}
