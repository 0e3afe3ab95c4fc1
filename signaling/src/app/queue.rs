//! Taking a number, waiting, leaving the queue.

use super::{
    App, Caller, Work, call_flow, callbacks, desk,
    hall_now::{self, Fresh, HallNow},
    halls, routing,
};
use crate::problem::{AppError, no};
use domain::{
    id::{Id as _, TicketId, VisitId},
    ladder::Mode,
    limits,
    routing::Demand,
    session::State as SessionState,
    ticket::{Class, Cmd, State, order_key},
    time::Timestamp,
};
use protocol::{AccessNeed, TakeTicket, TicketState, TicketView};
use serde_json::json;
use std::sync::Arc;
use store::{Tx, catalogue, hall, session, ticket, visit};

/// Who does not know which item to pick is served by the general desk (综合服务).
pub const GENERAL_SKILL: &str = "general";

const fn state_view(s: State) -> TicketState {
    match s {
        State::Waiting => TicketState::Waiting,
        State::Offered => TicketState::Offered,
        State::Paired => TicketState::Paired,
        State::Closed => TicketState::Closed,
        State::Abandoned => TicketState::Abandoned,
        State::Expired => TicketState::Expired,
        State::CalledBack => TicketState::CalledBack,
    }
}

pub(super) async fn open_visit(tx: &mut Tx, id: &VisitId) -> Result<visit::Visit, AppError> {
    visit::get(tx, id)
        .await?
        .filter(|v| !v.ended)
        .ok_or_else(|| no("visit_ended"))
}

/// The visit's hall as it looked a moment ago.
pub(super) async fn lately(app: &App, visit: &VisitId) -> Result<Arc<HallNow>, AppError> {
    let id = visit.clone();
    let hall = app
        .read(|tx| Box::pin(async move { Ok(open_visit(tx, &id).await?.hall_id) }))
        .await?;
    hall_now::get(app, &hall, Fresh::AsSeen).await
}

/// What somebody queues for.
pub(super) struct Wanted {
    /// Queue.
    pub skill: String,
    pub item: Option<String>,
    /// Words of `protocol::AccessNeed`.
    pub needs: Vec<String>,
    pub class: Class,
    pub mode: Mode,
}

/// The queue of an item; without one the queue that is named, or the general desk.
///
/// Codes: `item_unknown`, `queue_unknown`.
pub(super) async fn queue_of(
    tx: &mut Tx,
    item: Option<&str>,
    queue: Option<&str>,
) -> Result<String, AppError> {
    if let Some(i) = item {
        return Ok(catalogue::get_published(tx, i)
            .await?
            .and_then(|d| serde_json::from_str::<domain::catalogue::Item>(&d.doc).ok())
            .ok_or_else(|| no("item_unknown"))?
            .skill);
    }
    match queue {
        None => Ok(GENERAL_SKILL.to_owned()),
        Some(q) => hall::skills(tx)
            .await?
            .into_iter()
            .find(|s| s.code == q)
            .map(|s| s.code)
            .ok_or_else(|| no("queue_unknown")),
    }
}

pub(super) fn need_words(needs: &[AccessNeed]) -> Vec<String> {
    needs
        .iter()
        .filter_map(|n| serde_json::to_value(n).ok()?.as_str().map(str::to_owned))
        .collect()
}

/// Puts a visit into line, within a transaction of the caller's.
///
/// Codes: `ticket_open`.
pub(super) async fn enter(
    tx: &mut Tx,
    w: &mut Work,
    v: &visit::Visit,
    wanted: Wanted,
    seen: &HallNow,
) -> Result<TicketId, AppError> {
    // Under the lock: of two at once by one citizen, the second sees the first.
    store::dialect::lock_hall(tx, &v.hall_id).await?;
    if ticket::of_visit(tx, &v.id).await?.is_some() {
        return Err(no("ticket_open"));
    }
    let no_of_day = hall::next_ticket_no(tx, &v.hall_id, &w.now.beijing_date().to_string()).await?;
    let mut t = ticket::Ticket {
        id: w.id(),
        hall_id: v.hall_id.clone(),
        visit_id: v.id.clone(),
        number: format!(
            "{}{no_of_day:03}",
            if v.channel == "booth" { 'A' } else { 'P' }
        ),
        skill: wanted.skill,
        item: wanted.item,
        needs: wanted.needs,
        channel: v.channel.clone(),
        state: State::Waiting,
        version: 1,
        class: wanted.class,
        enqueued_at: w.now,
        demand: String::new(),
        stage_at: None,
        order_at: order_key(wanted.class, w.now),
        overflow_hall: None,
        language: (v.language != "zh").then(|| v.language.clone()),
        mode: wanted.mode,
        holder: None,
        grace_until: None,
        session_id: None,
        next_ticket: None,
        reason: None,
        estimate_low: None,
        estimate_high: None,
        paired_at: None,
    };
    let stage = routing::stage(tx, w, &t, v).await?;
    // What the hall looked like a moment ago is new enough for a range.
    let ahead = u32::try_from(ticket::ahead(tx, &t).await?).unwrap_or(0);
    let told = seen.estimate(&stage.demand, ahead, w.now);
    t.estimate_low = told.map(|e| i64::from(e.low_s));
    t.estimate_high = told.map(|e| i64::from(e.high_s));
    routing::enter(&mut t, stage);
    ticket::insert(tx, &t).await?;
    w.audit(
        tx,
        "ticket.taken",
        t.id.as_str(),
        json!({"skill": t.skill, "item": t.item}),
    )
    .await?;
    w.wake(&t.id);
    routing::match_for(tx, w, &t).await?;
    Ok(t.id)
}

pub async fn take(app: &App, caller: &Caller, body: TakeTicket) -> Result<TicketView, AppError> {
    let me = caller.who.citizen()?.clone();
    let seen = lately(app, &me).await?;
    let id = app
        .command(caller, "tickets.take", &body.clone(), move |tx, w| {
            let (me, body, seen) = (me.clone(), body.clone(), seen.clone());
            Box::pin(async move {
                let v = open_visit(tx, &me).await?;
                let wanted = Wanted {
                    skill: queue_of(tx, body.item.as_deref(), None).await?,
                    item: body.item,
                    needs: need_words(&body.needs),
                    class: if body.priority || v.elder {
                        Class::Priority
                    } else {
                        Class::Normal
                    },
                    mode: super::ladder::of_ticket(body.mode),
                };
                enter(tx, w, &v, wanted, &seen).await
            })
        })
        .await?;
    view(app, id).await
}

/// What the citizen sees of their ticket.
async fn seen(
    app: &App,
    t: ticket::Ticket,
    ahead: u32,
    fresh: Fresh,
) -> Result<TicketView, AppError> {
    let hall = hall_now::get(app, &t.hall_id, fresh).await?;
    let queued = matches!(t.state, State::Waiting | State::Offered);
    let demand = Demand::parse(&t.demand)?;
    let open = Demand::new(demand.skills().clone(), vec![])?;
    let ahead = if queued { ahead } else { 0 };
    Ok(TicketView {
        id: t.id.to_string(),
        number: t.number,
        state: state_view(t.state),
        version: t.version,
        item: t.item,
        class: desk::class_view(t.class),
        mode: super::ladder::ticket_view(t.mode),
        ahead,
        waiting: if queued {
            hall.line(&t.skill).map_or(0, |l| l.waiting)
        } else {
            0
        },
        seats_on_duty: hall.fitting(&open),
        estimate: queued
            .then(|| hall.estimate(&demand, ahead, app.now()).map(halls::told))
            .flatten(),
        enqueued_at: t.enqueued_at.rfc3339(),
        session: t.session_id.map(|s| s.to_string()),
        next_ticket: t.next_ticket.map(|n| n.to_string()),
        reason: t.reason,
    })
}

async fn read(app: &App, id: TicketId) -> Result<(ticket::Ticket, u32), AppError> {
    app.read(|tx| {
        Box::pin(async move {
            let t = ticket::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
            let ahead = ticket::ahead(tx, &t).await?;
            Ok((t, u32::try_from(ahead).unwrap_or(0)))
        })
    })
    .await
}

pub async fn view(app: &App, id: TicketId) -> Result<TicketView, AppError> {
    Ok(watched(app, id).await?.0)
}

/// A ticket as it was last read for a page that watches it: what [`again`] needs.
pub struct Watched(ticket::Ticket);

impl Watched {
    /// The topic whose wakes move its position.
    #[must_use]
    pub fn hall(&self) -> String {
        self.0.hall_id.to_string()
    }

    /// In line, and the page that held it is gone: another page that watches it holds it next.
    #[must_use]
    pub fn is_let_go(&self) -> bool {
        self.0.holder.is_none() && matches!(self.0.state, State::Waiting | State::Offered)
    }
}

pub async fn watched(app: &App, id: TicketId) -> Result<(TicketView, Watched), AppError> {
    let (t, ahead) = read(app, id).await?;
    Ok((seen(app, t.clone(), ahead, Fresh::Now).await?, Watched(t)))
}

/// The same ticket after its hall moved: positions come from the hall's look, not from a count a ticket. None: it is no
/// longer in line, so it must be read.
pub async fn again(app: &App, Watched(last): &Watched) -> Result<Option<TicketView>, AppError> {
    let places = hall_now::places(app, &last.hall_id).await?;
    match places.get(&last.id) {
        Some(&ahead) => Ok(Some(seen(app, last.clone(), ahead, Fresh::Lately).await?)),
        None => Ok(None),
    }
}

/// For its citizen alone.
pub async fn own(app: &App, me: &VisitId, id: TicketId) -> Result<TicketView, AppError> {
    let (t, ahead) = read(app, id).await?;
    if t.visit_id != *me {
        return Err(no("not_found"));
    }
    seen(app, t, ahead, Fresh::Now).await
}

/// Ends a queued ticket.
pub(super) async fn leave(
    tx: &mut Tx,
    w: &mut Work,
    t: &mut ticket::Ticket,
    cmd: Cmd,
    reason: &str,
) -> Result<(), AppError> {
    if let Some(id) = t.session_id.clone() {
        // On the way to another seat: who gives up the place leaves the session, too.
        store::dialect::lock_session(tx, &id).await?;
        let on_its_way = |s: &session::Session| s.state != SessionState::Ended && s.parked;
        if let Some(mut s) = session::get(tx, &id).await?.filter(on_its_way) {
            return Box::pin(call_flow::finish(tx, w, &mut s, None, "citizen_left")).await;
        }
    }
    store::dialect::lock_hall(tx, &t.hall_id).await?;
    if let Some(fresh) = ticket::get(tx, &t.id).await? {
        *t = fresh;
    }
    let was = t.state;
    t.state = was.apply(cmd)?;
    t.reason = Some(reason.to_owned());
    if !ticket::save(tx, t, was, w.now).await? {
        return Err(store::StoreError::Retry.into());
    }
    callbacks::left(tx, w, &t.id).await?;
    desk::cancel_offer_of(tx, w, t).await?;
    if was == State::Waiting {
        // A call that leaves the line frees the lanes that were left to it.
        routing::match_for(tx, w, t).await?;
    }
    w.wake(&t.id);
    w.wake(&t.hall_id);
    w.audit(tx, "ticket.left", t.id.as_str(), json!({"reason": reason}))
        .await
}

pub async fn cancel(app: &App, caller: &Caller, id: TicketId) -> Result<TicketView, AppError> {
    let me = caller.who.citizen()?.clone();
    let tid = id.clone();
    app.command(
        caller,
        &format!("tickets.cancel:{id}"),
        &json!({}),
        move |tx, w| {
            let (id, me) = (id.clone(), me.clone());
            Box::pin(async move {
                let mut t = ticket::get(tx, &id)
                    .await?
                    .filter(|t| t.visit_id == me)
                    .ok_or_else(|| no("not_found"))?;
                leave(tx, w, &mut t, Cmd::Abandon, "cancelled").await
            })
        },
    )
    .await?;
    view(app, tid).await
}

/// A page of the citizen's watches the ticket, the newest of them by this connection: no grace runs.
pub async fn hold(app: &App, me: &VisitId, id: TicketId, connection: &str) -> Result<(), AppError> {
    let (me, conn) = (me.clone(), connection.to_owned());
    app.write("server", move |tx, _| {
        let (id, me, conn) = (id.clone(), me.clone(), conn.clone());
        Box::pin(async move { Ok(ticket::hold(tx, &id, &me, &conn).await.map(|_| ())?) })
    })
    .await
}

/// A connection is gone. The place is kept for the grace, if it was the one that held the ticket; a call-back keeps its
/// place without a page.
pub async fn page_gone(app: &App, id: TicketId, connection: &str) -> Result<(), AppError> {
    let conn = connection.to_owned();
    app.write("server", move |tx, w| {
        let (id, conn) = (id.clone(), conn.clone());
        Box::pin(async move {
            let Some(t) = ticket::get(tx, &id)
                .await?
                .filter(|t| t.holder.as_ref() == Some(&conn))
            else {
                return Ok(());
            };
            let grace = if t.channel == "booth" {
                limits::BOOTH_TICKET_GRACE
            } else {
                limits::TICKET_GRACE
            };
            let place = store::callback::get(tx, &id).await?;
            let until: Option<Timestamp> = place.is_none().then_some(w.now + grace);
            if ticket::let_go(tx, &id, &conn, until).await? {
                // An older page may be there still.
                w.wake(&id);
            }
            Ok(())
        })
    })
    .await
}

/// Tickets whose page stayed away.
pub async fn due(app: &App) -> Result<(), AppError> {
    let now = app.now();
    let over = app
        .read(move |tx| Box::pin(async move { Ok(ticket::grace_over(tx, now).await?) }))
        .await?;
    for t in over {
        let r = app
            .write("server", move |tx, w| {
                let mut t = t.clone();
                Box::pin(async move {
                    // They may have come back between the look and the lock.
                    if ticket::get(tx, &t.id)
                        .await?
                        .is_none_or(|f| f.grace_until.is_none_or(|g| g > w.now))
                    {
                        return Ok(());
                    }
                    leave(tx, w, &mut t, Cmd::Expire, "grace_over").await
                })
            })
            .await;
        desk::lost_race_is_fine(r)?;
    }
    Ok(())
}
