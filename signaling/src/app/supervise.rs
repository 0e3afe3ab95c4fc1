//! What a hall's supervisor does: force a seat's state, speak to a seat, move a ticket, look at live sessions and at how
//! long seats were in which state. Every act is audited with its reason; nobody's call is cut off and no ticket is lost by it.
//!
//! Never decides what a state may become (`domain::seat`) nor who is offered what (`desk`).

use super::{App, Caller, Work, desk, invites, lanes, routing, supervision, token::Principal};
use crate::problem::{AppError, no};
use domain::{
    error::Rejected,
    id::{HallId, Id as _, NoticeId, SeatId, StaffId, TicketId},
    pairing as rule,
    seat::{self as seat_rule, StateTime},
    ticket::{Class, State, order_key},
    time::{Span, Timestamp},
};
use protocol::{
    Bilingual, ForceSeat, LiveMember, LiveSession, MoveTicket, NoticeView, PriorityClass, Role,
    SeatState, SeatTime, SeatTimes, SeatView, SendNotice, TicketLine,
};
use serde_json::json;
use store::{
    Tx, dialect, hall, notice, pairing, seat, seat_state, staff, ticket, visit, wallboard,
};

/// Reasons that a supervisor may give for a state.
const FORCE_REASONS: &[&str] = &[
    "break",
    "meal",
    "meeting",
    "training",
    "unattended",
    "shift_over",
    "needed",
    "other",
];
/// One notice (characters).
const NOTICE_CHARS: usize = 200;
/// Tickets and sessions that one look shows.
const LOOK: i64 = 200;
/// Stretches of one seat's day; a busy seat has a few hundred.
const STRETCHES: i64 = 20_000;

/// A supervisor of this hall.
pub(super) fn supervisor(who: &Principal, hall: &HallId) -> Result<StaffId, AppError> {
    of_hall(who, hall, &[Role::Supervisor])
}

/// Whoever keeps the hall's rules: its supervisors and administrators.
pub(super) fn keeper(who: &Principal, hall: &HallId) -> Result<StaffId, AppError> {
    of_hall(who, hall, &[Role::Supervisor, Role::Admin])
}

pub(super) fn of_hall(who: &Principal, hall: &HallId, any: &[Role]) -> Result<StaffId, AppError> {
    match who {
        Principal::Staff {
            id, roles, hall: h, ..
        } if h == hall && any.iter().any(|r| roles.contains(r)) => Ok(id.clone()),
        _ => Err(no("role_missing")),
    }
}

/// The seat, for a supervisor of its hall; its hall takes turns from here.
async fn seat_of(tx: &mut Tx, who: &Principal, id: &SeatId) -> Result<seat::Seat, AppError> {
    let s = seat::get(tx, id).await?.ok_or_else(|| no("not_found"))?;
    supervisor(who, &s.hall_id)?;
    dialect::lock_hall(tx, &s.hall_id).await?;
    seat::get(tx, id).await?.ok_or_else(|| no("not_found"))
}

const fn state_of(s: SeatState) -> seat_rule::State {
    match s {
        SeatState::Offline => seat_rule::State::Offline,
        SeatState::Ready => seat_rule::State::Ready,
        SeatState::Ringing => seat_rule::State::Ringing,
        SeatState::Busy => seat_rule::State::Busy,
        SeatState::WrapUp => seat_rule::State::WrapUp,
        SeatState::Away => seat_rule::State::Away,
    }
}

const fn class_of(c: PriorityClass) -> Class {
    match c {
        PriorityClass::Appointment => Class::Appointment,
        PriorityClass::Returned => Class::Returned,
        PriorityClass::Priority => Class::Priority,
        PriorityClass::Normal => Class::Normal,
    }
}

/// The seats of the hall, for whoever keeps it.
pub async fn seats(app: &App, who: &Principal, hall: HallId) -> Result<Vec<SeatView>, AppError> {
    keeper(who, &hall)?;
    desk::list(app, hall).await
}

/// Puts a seat into a state; a busy one follows when its citizen has been served.
pub async fn force(
    app: &App,
    caller: &Caller,
    id: SeatId,
    body: ForceSeat,
) -> Result<SeatView, AppError> {
    if !FORCE_REASONS.contains(&body.reason.as_str()) {
        return Err(no("reason_invalid"));
    }
    let who = caller.who.clone();
    let seat_id = id.clone();
    app.command(
        caller,
        &format!("seats.force:{id}"),
        &body.clone(),
        move |tx, w| {
            let (id, who, body) = (id.clone(), who.clone(), body.clone());
            Box::pin(async move {
                let mut s = seat_of(tx, &who, &id).await?;
                let by = supervisor(&who, &s.hall_id)?;
                let to = state_of(body.state);
                if s.lane > 0 {
                    return Err(no("seat_lane"));
                }
                let forced = s.state.force(to)?;
                if s.state == seat_rule::State::Ringing
                    && let Some(i) = store::invite::live_of_seat(tx, &id).await?
                {
                    // To who asked for help it is a ring that nobody answered.
                    invites::unanswered(tx, w, i).await?;
                    s = seat_of(tx, &who, &id).await?;
                }
                let name = staff::get(tx, &by)
                    .await?
                    .map_or_else(String::new, |p| p.name);
                let word = desk::Forced {
                    state: to.as_str().to_owned(),
                    reason: body.reason.clone(),
                    by: name,
                    at: w.now.micros(),
                    after_session: matches!(forced, seat_rule::Forced::AfterSession(_)),
                    own: false,
                };
                s.forced = word.text();
                let reason = (to != seat_rule::State::Ready).then_some(body.reason.as_str());
                let ringing = s.state == seat_rule::State::Ringing;
                match (forced, pairing::live_of_seat(tx, &id).await?) {
                    (seat_rule::Forced::Now(_), Some(mut p)) if ringing => {
                        keep(tx, w, &s).await?;
                        // The ticket goes back to the head of its class before the seat goes.
                        let why = body.reason.as_str();
                        desk::unoffer(
                            tx,
                            w,
                            &mut p,
                            rule::Cmd::Cancel,
                            seat_rule::Cmd::Force(to),
                            why,
                        )
                        .await?;
                    }
                    (seat_rule::Forced::Now(seat_rule::State::Away), _)
                        if s.state == seat_rule::State::Away =>
                    {
                        s.away_reason = reason.map(str::to_owned);
                        keep(tx, w, &s).await?;
                    }
                    (seat_rule::Forced::Now(_), _) => {
                        desk::move_seat(tx, w, &mut s, seat_rule::Cmd::Force(to), reason).await?;
                        desk::match_hall(tx, w, &s.hall_id).await?;
                    }
                    (seat_rule::Forced::AfterSession(_), _) => {
                        keep(tx, w, &s).await?;
                        if s.takes_text {
                            s.version += 1;
                            lanes::settle(tx, w, &mut s, None).await?;
                        }
                    }
                }
                w.audit(
                    tx,
                    "seat.forced",
                    id.as_str(),
                    json!({"state": to.as_str(), "reason": body.reason}),
                )
                .await
            })
        },
    )
    .await?;
    desk::view(app, seat_id).await
}

async fn keep(tx: &mut Tx, w: &mut Work, s: &seat::Seat) -> Result<(), AppError> {
    if !seat::save(tx, s).await? {
        return Err(store::StoreError::Retry.into());
    }
    w.wake(&s.id);
    w.wake(&s.hall_id);
    Ok(())
}

/// What the page of a seat is woken with when somebody speaks to it.
#[must_use]
pub fn notice_topic(seat: &SeatId) -> String {
    format!("notices:{seat}")
}

fn notice_view(n: notice::Notice) -> NoticeView {
    NoticeView {
        id: n.id.to_string(),
        seat: n.seat_id.to_string(),
        from: n.from_name,
        at: n.at.rfc3339(),
        text: n.text,
        read_at: n.read_at.map(Timestamp::rfc3339),
    }
}

pub async fn send_notice(
    app: &App,
    caller: &Caller,
    id: SeatId,
    body: SendNotice,
) -> Result<NoticeView, AppError> {
    let text = body.text.trim().to_owned();
    if text.is_empty() || text.chars().count() > NOTICE_CHARS {
        return Err(Rejected::at("text_too_long", "/text").into());
    }
    let who = caller.who.clone();
    app.command(
        caller,
        &format!("seats.notice:{id}"),
        &body.clone(),
        move |tx, w| {
            let (id, who, text) = (id.clone(), who.clone(), text.clone());
            Box::pin(async move {
                let s = seat_of(tx, &who, &id).await?;
                let by = supervisor(&who, &s.hall_id)?;
                let n: NoticeId = w.id();
                notice::insert(tx, &n, &id, &by, &text, w.now).await?;
                w.wakes.push(notice_topic(&id));
                w.audit(
                    tx,
                    "seat.notice_sent",
                    id.as_str(),
                    json!({"notice": n.as_str()}),
                )
                .await?;
                let kept = notice::get(tx, &n).await?.ok_or_else(|| no("internal"))?;
                Ok(notice_view(kept))
            })
        },
    )
    .await
}

/// The seat for whoever sits there or supervises its hall; true: they sit there.
async fn own_or_supervised(
    tx: &mut Tx,
    who: &Principal,
    id: &SeatId,
) -> Result<(seat::Seat, bool), AppError> {
    let s = seat::get(tx, id).await?.ok_or_else(|| no("not_found"))?;
    let sits = matches!(who, Principal::Staff { id, .. } if s.staff_id.as_ref() == Some(id));
    if !sits {
        supervisor(who, &s.hall_id)?;
    }
    Ok((s, sits))
}

pub async fn notices(app: &App, who: &Principal, id: SeatId) -> Result<Vec<NoticeView>, AppError> {
    let who = who.clone();
    app.read(move |tx| {
        Box::pin(async move {
            own_or_supervised(tx, &who, &id).await?;
            let all = notice::of_seat(tx, &id).await?;
            Ok(all.into_iter().map(notice_view).collect())
        })
    })
    .await
}

/// Unread ones, oldest first, for the page that holds the seat.
pub async fn unread(app: &App, id: SeatId) -> Result<Vec<NoticeView>, AppError> {
    app.read(move |tx| {
        Box::pin(async move {
            let all = notice::of_seat(tx, &id).await?;
            Ok(all
                .into_iter()
                .rev()
                .filter(|n| n.read_at.is_none())
                .map(notice_view)
                .collect())
        })
    })
    .await
}

pub async fn read_notice(app: &App, caller: &Caller, id: NoticeId) -> Result<NoticeView, AppError> {
    let me = caller.who.staff(Role::Agent)?.clone();
    app.command(
        caller,
        &format!("notices.read:{id}"),
        &json!({}),
        move |tx, w| {
            let (id, me) = (id.clone(), me.clone());
            Box::pin(async move {
                let n = notice::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
                let s = seat::get(tx, &n.seat_id).await?;
                if s.and_then(|s| s.staff_id).as_ref() != Some(&me) {
                    return Err(no("seat_not_yours"));
                }
                notice::read(tx, &id, w.now).await?;
                let kept = notice::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
                Ok(notice_view(kept))
            })
        },
    )
    .await
}

/// Midnight in Beijing of a day and of the next.
pub(super) fn day_of(date: &str) -> Result<(Timestamp, Timestamp), AppError> {
    let start = Timestamp::parse_rfc3339(&format!("{date}T00:00:00+08:00"))
        .filter(|_| date.len() == 10)
        .ok_or_else(|| AppError::from(Rejected::at("date_format", "/date")))?;
    Ok((start, start + Span::seconds(24 * 3600)))
}

/// A seat's day by state. An agent sees their own time there; the rest counts as offline.
pub async fn times(
    app: &App,
    who: &Principal,
    id: SeatId,
    date: Option<String>,
) -> Result<SeatTimes, AppError> {
    let now = app.now();
    let date = date.unwrap_or_else(|| now.beijing_date().to_string());
    let (from, end) = day_of(&date)?;
    let to = end.min(now).max(from);
    let (who, seat) = (who.clone(), id.to_string());
    let rows = app
        .read(move |tx| {
            Box::pin(async move {
                let (s, sits) = own_or_supervised(tx, &who, &id).await?;
                let of = s
                    .staff_id
                    .filter(|_| sits && supervisor(&who, &s.hall_id).is_err());
                Ok(seat_state::between(tx, &id, of.as_ref(), from, to, STRETCHES).await?)
            })
        })
        .await?;
    let t = StateTime::of(from, to, rows);
    let (work, duty) = t.occupancy();
    Ok(SeatTimes {
        seat,
        date,
        from: from.rfc3339(),
        to: to.rfc3339(),
        totals: t
            .totals()
            .into_iter()
            .map(|t| SeatTime {
                state: desk::state_view(t.state),
                reason: t.reason,
                time_us: t.time.0,
            })
            .collect(),
        work_us: work.0,
        duty_us: duty.0,
    })
}

fn line_view(t: ticket::Ticket) -> Result<TicketLine, AppError> {
    Ok(TicketLine {
        id: t.id.to_string(),
        number: t.number,
        queue: t.skill,
        item: t.item,
        class: desk::class_view(t.class),
        state: word(t.state.as_str())?,
        enqueued_at: t.enqueued_at.rfc3339(),
        overflow_hall: t.overflow_hall.map(|h| h.to_string()),
    })
}

/// Who is in line, in order of service.
pub async fn tickets(
    app: &App,
    who: &Principal,
    hall: HallId,
) -> Result<Vec<TicketLine>, AppError> {
    supervisor(who, &hall)?;
    app.read(move |tx| {
        Box::pin(async move {
            let mut out = vec![];
            for id in store::queue::in_line(tx, &hall, LOOK).await? {
                out.extend(ticket::get(tx, &id).await?.map(line_view).transpose()?);
            }
            Ok(out)
        })
    })
    .await
}

/// Puts a waiting ticket into another queue, another class, or at the head.
pub async fn move_ticket(
    app: &App,
    caller: &Caller,
    id: TicketId,
    body: MoveTicket,
) -> Result<TicketLine, AppError> {
    if body.queue.is_none() && body.class.is_none() && !body.head {
        return Err(no("move_empty"));
    }
    let who = caller.who.clone();
    app.command(
        caller,
        &format!("tickets.move:{id}"),
        &body.clone(),
        move |tx, w| {
            let (id, who, body) = (id.clone(), who.clone(), body.clone());
            Box::pin(async move {
                let t = ticket::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
                supervisor(&who, &t.hall_id)?;
                dialect::lock_hall(tx, &t.hall_id).await?;
                let mut t = ticket::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
                if t.state != State::Waiting {
                    return Err(no("ticket_state"));
                }
                if let Some(q) = &body.queue {
                    let known = hall::skills(tx).await?.into_iter().any(|s| s.code == *q);
                    if !known || q.contains(':') {
                        return Err(no("queue_unknown"));
                    }
                    t.skill.clone_from(q);
                }
                if let Some(c) = body.class {
                    t.class = class_of(c);
                    t.order_at = order_key(t.class, t.enqueued_at);
                }
                if body.head
                    && let Some(first) = store::queue::first(tx, &t.hall_id, &t.skill).await?
                {
                    t.order_at = t.order_at.min(first.saturating_sub(1));
                }
                if !store::queue::place(tx, &id, t.version, &t.skill, t.class, t.order_at).await? {
                    return Err(store::StoreError::Retry.into());
                }
                let v = visit::get(tx, &t.visit_id)
                    .await?
                    .ok_or_else(|| no("visit_ended"))?;
                let mut t = ticket::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
                let stage = routing::stage(tx, w, &t, &v).await?;
                routing::enter(&mut t, stage);
                if !ticket::save_stage(tx, &t).await? {
                    return Err(store::StoreError::Retry.into());
                }
                // A call-back between two tries asks for nobody, wherever it stands.
                if let Some(k) = store::callback::get(tx, &id).await? {
                    super::callbacks::hold(tx, &k, w.now).await?;
                }
                w.wake(&t.id);
                w.audit(
                    tx,
                    "ticket.moved",
                    id.as_str(),
                    json!({"queue": t.skill, "class": t.class.rank(), "head": body.head}),
                )
                .await?;
                routing::match_for(tx, w, &t).await?;
                let kept = ticket::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
                line_view(kept)
            })
        },
    )
    .await
}

/// Live sessions of the hall: who of the staff, since when; nothing of the citizens.
pub async fn sessions(
    app: &App,
    who: &Principal,
    hall: HallId,
) -> Result<Vec<LiveSession>, AppError> {
    let me = supervisor(who, &hall)?;
    let (sessions, members, mut supervised) = app
        .read(move |tx| {
            Box::pin(async move {
                Ok((
                    wallboard::sessions(tx, &hall, LOOK).await?,
                    wallboard::members(tx, &hall).await?,
                    supervision::line_views(tx, &hall, &me).await?,
                ))
            })
        })
        .await?;
    let mut out = vec![];
    for s in sessions {
        let mut inside = vec![];
        for (_, role, name, present) in members.iter().filter(|m| m.0 == s.id) {
            let staff = matches!(
                role,
                domain::session::Role::Agent | domain::session::Role::Supervisor
            );
            inside.push(LiveMember {
                role: word(role.as_str())?,
                // A guest's or citizen's name is theirs.
                name: if staff { name.clone() } else { String::new() },
                present: *present,
            });
        }
        out.push(LiveSession {
            id: s.id.to_string(),
            ticket: s.ticket_id.to_string(),
            number: s.number,
            queue: s.skill,
            item: s.item,
            seat: s.seat_id.to_string(),
            seat_name: Bilingual {
                zh: s.seat_zh,
                en: s.seat_en,
            },
            state: word(s.state.as_str())?,
            since: s.since.rfc3339(),
            members: inside,
            supervision: supervised.remove(&s.id),
        });
    }
    Ok(out)
}

/// A stable word as the protocol's enum of the same words.
fn word<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, AppError> {
    serde_json::from_value(json!(text)).map_err(|_| no("internal"))
}
