//! Appointments (预约): booked for a slot, checked in by card or code, served when their ticket closes; or released.
//!
//! Never puts a code into a row or a log: only its hash is kept. Who may what is `domain::appointment`'s business; the
//! database holds capacity and one live appointment a person.

use super::{App, Caller, Work, desk, queue, slots};
use crate::problem::{AppError, no};
use domain::{
    appointment::{self as rule, Cmd, State},
    id::{AppointmentId, Id as _},
    limits,
    ticket::{Class, State as TicketState},
    time::{Span, Timestamp},
};
use protocol::{AppointmentState, AppointmentView, BookAppointment, Booked, TicketView};
use serde_json::json;
use store::{Tx, appointment, dialect, visit};

/// The reminder leaves this long before the slot.
const REMIND_BEFORE: Span = Span::seconds(3600);
/// Crockford's alphabet: nothing that looks like something else.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters of a code: 40 bits, of which few are in use at any time.
const CODE_CHARS: usize = 8;

/// Whom an appointment is for: the person where a card was read, else the visit.
pub(super) fn person(v: &visit::Visit) -> String {
    v.citizen_index
        .clone()
        .unwrap_or_else(|| v.id.as_str().to_owned())
}

/// The code of a booking follows from its idempotency key, so a repeat shows it again and no row holds it.
fn code_for(app: &App, visit: &str, key: &str) -> String {
    let hash = app.vault.secret_hash(&format!("appointment/{visit}/{key}"));
    let bits = u64::from_str_radix(hash.get(..10).unwrap_or_default(), 16).unwrap_or_default();
    (0..CODE_CHARS)
        .rev()
        .map(|i| char::from(ALPHABET[((bits >> (i * 5)) & 31) as usize]))
        .collect()
}

/// The hash of a code as somebody typed it. None: it cannot be one.
fn hash_of(app: &App, code: &str) -> Option<String> {
    let code: String = code
        .chars()
        .filter(|c| !matches!(c, ' ' | '-'))
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        })
        .collect();
    let fine = code.len() == CODE_CHARS && code.bytes().all(|b| ALPHABET.contains(&b));
    fine.then(|| app.vault.secret_hash(&format!("appointment-code/{code}")))
}

const fn state_view(s: State) -> AppointmentState {
    match s {
        State::Booked => AppointmentState::Booked,
        State::CheckedIn => AppointmentState::CheckedIn,
        State::Served => AppointmentState::Served,
        State::Cancelled => AppointmentState::Cancelled,
        State::NoShow => AppointmentState::NoShow,
    }
}

fn view(a: &appointment::Appointment) -> AppointmentView {
    AppointmentView {
        id: a.id.to_string(),
        hall: a.hall_id.to_string(),
        queue: a.queue.clone(),
        item: a.item.clone(),
        starts_at: a.starts_at.rfc3339(),
        ends_at: a.ends_at.rfc3339(),
        state: state_view(a.state),
        check_in_from: (a.starts_at - rule::CHECK_IN_BEFORE).rfc3339(),
        check_in_until: rule::release_at(a.starts_at).rfc3339(),
        ticket: a.ticket_id.as_ref().map(ToString::to_string),
    }
}

/// By a citizen's visit, at its hall.
///
/// Codes: `item_unknown`, `queue_unknown`, `field_invalid` for a time that is none, those of `domain::appointment::book`.
pub async fn book(app: &App, caller: &Caller, body: BookAppointment) -> Result<Booked, AppError> {
    let me = caller.who.citizen()?.clone();
    let key = caller.key.clone().ok_or_else(|| no("key_required"))?;
    let starts = Timestamp::parse_rfc3339(&body.starts_at).ok_or_else(|| no("field_invalid"))?;
    let code = code_for(app, me.as_str(), &key);
    let hash = hash_of(app, &code).ok_or_else(|| no("internal"))?;
    let made = app
        .command(caller, "appointments.book", &body.clone(), move |tx, w| {
            let (me, body, hash) = (me.clone(), body.clone(), hash.clone());
            Box::pin(async move {
                let v = queue::open_visit(tx, &me).await?;
                let queue =
                    queue::queue_of(tx, body.item.as_deref(), body.queue.as_deref()).await?;
                dialect::lock_hall(tx, &v.hall_id).await?;
                let day = slots::of_day(&w.app, tx, &v.hall_id, &queue, starts.beijing_date());
                let day = day.await?;
                let person = person(&v);
                let live = appointment::live_of(tx, &v.hall_id, &person).await?;
                let taken =
                    appointment::taken(tx, &v.hall_id, &queue, starts, starts + Span(1)).await?;
                let taken = taken.first().map_or(0, |t| t.1);
                let taken = u32::try_from(taken).unwrap_or(u32::MAX);
                let slot = rule::book(&day, starts, taken, live.is_some(), w.now)?;
                let places = i64::from(slot.capacity);
                if !appointment::take_place(tx, &v.hall_id, &queue, slot.from, places).await? {
                    return Err(no("slot_full"));
                }
                let a = appointment::Appointment {
                    id: w.id(),
                    hall_id: v.hall_id,
                    person,
                    queue,
                    item: body.item,
                    needs: queue::need_words(&body.needs),
                    starts_at: slot.from,
                    ends_at: slot.to,
                    state: State::Booked,
                    code_hash: hash,
                    ticket_id: None,
                    created_at: w.now,
                };
                appointment::insert(tx, &a).await?;
                told(tx, w, &a, "booked").await?;
                Ok(view(&a))
            })
        })
        .await?;
    let url = format!("{}/phone/#a={code}", app.public_url.trim_end_matches('/'));
    let qr_svg = documents::qr_svg(&url).map_err(|_| no("internal"))?;
    Ok(Booked {
        appointment: made,
        code,
        url,
        qr_svg,
    })
}

/// Audit and notice of what an appointment has become.
async fn told(
    tx: &mut Tx,
    w: &mut Work,
    a: &appointment::Appointment,
    what: &str,
) -> Result<(), AppError> {
    let kind = format!("appointment.{what}");
    let detail =
        json!({"hall": a.hall_id.as_str(), "queue": a.queue, "starts_at": a.starts_at.rfc3339()});
    w.audit(tx, &kind, a.id.as_str(), detail.clone()).await?;
    w.outbox(tx, &kind, a.id.as_str(), detail).await
}

/// The citizen's own, latest first.
pub async fn mine(app: &App, caller: &Caller) -> Result<Vec<AppointmentView>, AppError> {
    let me = caller.who.citizen()?.clone();
    app.read(|tx| {
        Box::pin(async move {
            let v = queue::open_visit(tx, &me).await?;
            let all = appointment::of_person(tx, &person(&v), limits::PAGE_MAX).await?;
            Ok(all.iter().map(view).collect())
        })
    })
    .await
}

/// By whoever holds the code, from any citizen's visit.
///
/// Codes: `code_invalid`.
pub async fn find(app: &App, caller: &Caller, code: &str) -> Result<AppointmentView, AppError> {
    caller.who.citizen()?;
    let hash = hash_of(app, code).ok_or_else(|| no("code_invalid"))?;
    app.read(|tx| {
        Box::pin(async move {
            let a = appointment::of_code(tx, &hash).await?;
            a.as_ref().map(view).ok_or_else(|| no("code_invalid"))
        })
    })
    .await
}

/// By its person, or by whoever holds the code.
///
/// Codes: `not_found`, `appointment_state`.
pub async fn cancel(
    app: &App,
    caller: &Caller,
    id: AppointmentId,
    code: Option<String>,
) -> Result<AppointmentView, AppError> {
    let me = caller.who.citizen()?.clone();
    let hash = code.as_deref().and_then(|c| hash_of(app, c));
    let route = format!("appointments.cancel:{id}");
    app.command(caller, &route, &json!({"code": hash}), move |tx, w| {
        let (id, me, hash) = (id.clone(), me.clone(), hash.clone());
        Box::pin(async move {
            let v = queue::open_visit(tx, &me).await?;
            let may = |a: &appointment::Appointment| {
                a.person == person(&v) || hash.as_ref() == Some(&a.code_hash)
            };
            let a = appointment::get(tx, &id)
                .await?
                .filter(may)
                .ok_or_else(|| no("not_found"))?;
            dialect::lock_hall(tx, &a.hall_id).await?;
            let a = release(tx, w, &id, Cmd::Cancel).await?;
            Ok(view(&a))
        })
    })
    .await
}

/// Gives the place of a booked one back, under the hall's lock.
async fn release(
    tx: &mut Tx,
    w: &mut Work,
    id: &AppointmentId,
    cmd: Cmd,
) -> Result<appointment::Appointment, AppError> {
    let mut a = appointment::get(tx, id)
        .await?
        .ok_or_else(|| no("not_found"))?;
    let was = a.state;
    a.state = was.apply(cmd, a.starts_at, w.now)?;
    if !appointment::save(tx, &a, was).await? {
        return Err(store::StoreError::Retry.into());
    }
    appointment::free_place(tx, &a.hall_id, &a.queue, a.starts_at).await?;
    told(tx, w, &a, a.state.as_str()).await?;
    Ok(a)
}

/// By code, or by the card that the visit has read: a ticket of class appointment.
///
/// Codes: `identity_required`, `appointment_none`, `code_invalid`, `appointment_early`, `appointment_late` (both with the
/// slot's beginning), `appointment_state`, `ticket_open`.
pub async fn check_in(
    app: &App,
    caller: &Caller,
    code: Option<String>,
) -> Result<TicketView, AppError> {
    let me = caller.who.citizen()?.clone();
    let hash = match &code {
        Some(c) => Some(hash_of(app, c).ok_or_else(|| no("code_invalid"))?),
        None => None,
    };
    let seen = queue::lately(app, &me).await?;
    let body = json!({"code": hash});
    let id = app
        .command(caller, "appointments.check_in", &body, move |tx, w| {
            let (me, hash, seen) = (me.clone(), hash.clone(), seen.clone());
            Box::pin(async move {
                let v = queue::open_visit(tx, &me).await?;
                dialect::lock_hall(tx, &v.hall_id).await?;
                let mut a = match &hash {
                    Some(h) => appointment::of_code(tx, h)
                        .await?
                        .filter(|a| a.hall_id == v.hall_id)
                        .ok_or_else(|| no("code_invalid"))?,
                    None => of_card(tx, &v, w.now).await?,
                };
                let was = a.state;
                let early_or_late = match was {
                    // The timer was here before the citizen.
                    State::NoShow if a.ticket_id.is_none() => Err(no("appointment_late")),
                    _ => was
                        .apply(Cmd::CheckIn, a.starts_at, w.now)
                        .map_err(AppError::from),
                };
                a.state = early_or_late
                    .map_err(|e| e.with_current(json!({"starts_at": a.starts_at.rfc3339()})))?;
                let wanted = queue::Wanted {
                    skill: a.queue.clone(),
                    item: a.item.clone(),
                    needs: a.needs.clone(),
                    class: Class::Appointment,
                    mode: domain::ladder::Mode::Video,
                };
                let id = queue::enter(tx, w, &v, wanted, &seen).await?;
                a.ticket_id = Some(id.clone());
                if !appointment::save(tx, &a, was).await? {
                    return Err(store::StoreError::Retry.into());
                }
                w.audit(
                    tx,
                    "appointment.checked_in",
                    a.id.as_str(),
                    json!({"ticket": id.as_str(), "by": if hash.is_some() { "code" } else { "card" }}),
                )
                .await?;
                Ok(id)
            })
        })
        .await?;
    queue::view(app, id).await
}

/// The appointment of the card that was read: the live one, or today's that was released.
async fn of_card(
    tx: &mut Tx,
    v: &visit::Visit,
    now: Timestamp,
) -> Result<appointment::Appointment, AppError> {
    let index = v
        .citizen_index
        .as_ref()
        .ok_or_else(|| no("identity_required"))?;
    if let Some(a) = appointment::live_of(tx, &v.hall_id, index).await? {
        return Ok(a);
    }
    appointment::of_person(tx, index, 1)
        .await?
        .into_iter()
        .find(|a| {
            a.hall_id == v.hall_id
                && a.state == State::NoShow
                && a.starts_at.beijing_date() == now.beijing_date()
        })
        .ok_or_else(|| no("appointment_none"))
}

/// Timers: reminders, places of those who did not come, and what became of those who did. Each is a compare-and-set.
pub async fn due(app: &App) -> Result<(), AppError> {
    let now = app.now();
    let (remind, missed, over) = app
        .read(move |tx| {
            Box::pin(async move {
                Ok((
                    appointment::to_remind(tx, now + REMIND_BEFORE).await?,
                    appointment::missed(tx, now - rule::CHECK_IN_AFTER).await?,
                    appointment::over(tx).await?,
                ))
            })
        })
        .await?;
    for a in remind {
        let r = app.write("server", move |tx, w| {
            let a = a.clone();
            Box::pin(async move {
                // Who books within the hour knows it still.
                if appointment::reminded(tx, &a.id, w.now).await?
                    && a.created_at < a.starts_at - REMIND_BEFORE
                {
                    told(tx, w, &a, "reminder").await?;
                }
                Ok(())
            })
        });
        desk::lost_race_is_fine(r.await)?;
    }
    for a in missed {
        let r = app.write("server", move |tx, w| {
            let a = a.clone();
            Box::pin(async move {
                dialect::lock_hall(tx, &a.hall_id).await?;
                release(tx, w, &a.id, Cmd::Release).await.map(|_| ())
            })
        });
        desk::lost_race_is_fine(r.await)?;
    }
    for (a, state, next) in over {
        let r = app.write("server", move |tx, w| {
            let (mut a, state, next) = (a.clone(), state.clone(), next.clone());
            Box::pin(async move {
                let was = a.state;
                if let Some(next) = next {
                    // A call-back, or a return after the agent was lost: the same appointment still.
                    a.ticket_id = Some(next);
                } else {
                    let cmd = match TicketState::parse(&state) {
                        Some(TicketState::Closed) => Cmd::Serve,
                        _ => Cmd::Release,
                    };
                    a.state = was.apply(cmd, a.starts_at, w.now)?;
                }
                if appointment::save(tx, &a, was).await? && a.state != was {
                    told(tx, w, &a, a.state.as_str()).await?;
                }
                Ok(())
            })
        });
        desk::lost_race_is_fine(r.await)?;
    }
    Ok(())
}

/// The ticket's appointment goes on under the visit that took the ticket over, where nobody is identified.
pub(super) async fn carried(
    tx: &mut Tx,
    from: &visit::Visit,
    to: &visit::Visit,
) -> Result<(), AppError> {
    if from.citizen_index.is_none() {
        appointment::rename(tx, from.id.as_str(), to.id.as_str()).await?;
    }
    Ok(())
}
