//! A session from accept to wrap-up: members come, drop, return and leave; nothing is lost in between.

use super::{
    App, Caller, Work, desk, invites, lanes, queue, recording, routing, session_view, supervision,
    token::Principal, transfer,
};
use crate::problem::{AppError, no};
use domain::{
    id::{Id as _, MemberId, SessionId, StaffId, VisitId},
    invite::{Member as Part, Permission, may},
    ladder::Ladder,
    limits, pairing as pairing_rule, seat as seat_rule,
    session::{Cmd, Role, State},
    ticket as ticket_rule,
    time::Span,
};
use protocol::{CommandReply, Done, EventBody, SeatView, SessionView};
use serde_json::json;
use store::{Tx, dialect, pairing, seat, session, staff, ticket, visit};

/// Time for both to arrive after the accept.
const ARRIVE: Span = Span::seconds(60);
/// Reasons for which a person may end a session.
pub const END_REASONS: &[&str] = &["finished", "citizen_left", "wiped", "abuse", "technical"];
pub const DISPOSITIONS: &[&str] = &[
    "case_submitted",
    "answered",
    "follow_up",
    "wrong_desk",
    "dropped",
    "other",
];

/// Appends to the journal: the payload is sealed under the session's key.
pub async fn journal(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
    actor: Option<&MemberId>,
    body: &EventBody,
) -> Result<i64, AppError> {
    let mut value = serde_json::to_value(body).map_err(|_| no("internal"))?;
    if invites::is_private(tx, s, body).await? {
        value["private"] = json!(true);
    }
    if let Some(told) = supervision::of_entry(tx, s, body).await? {
        value["told"] = json!(told);
    }
    let kind = value
        .get("kind")
        .and_then(|k| k.as_str())
        .unwrap_or("unknown")
        .to_owned();
    let sealed = w.app.vault.key(tx, &s.key_id).await?.seal(&value)?;
    let seq = session::append(tx, &s.id, w.now, actor, &kind, sealed).await?;
    w.wake(&s.id);
    Ok(seq)
}

/// The seat took the offer: pairing is accepted already; ticket, seat and session follow in the same transaction.
pub(super) async fn begin(
    tx: &mut Tx,
    w: &mut Work,
    p: &pairing::Pairing,
    mut s: seat::Seat,
    agent: &StaffId,
) -> Result<SessionId, AppError> {
    let mut t = ticket::get(tx, &p.ticket_id)
        .await?
        .ok_or_else(|| no("not_found"))?;
    if let Some(id) = t.session_id.clone() {
        // Handed over cold: the citizen is in their session already, another agent comes into it.
        return transfer::take_over(tx, w, p, s, t, id, agent).await;
    }
    let v = visit::get(tx, &t.visit_id)
        .await?
        .ok_or_else(|| no("visit_ended"))?;
    let who = staff::get(tx, agent)
        .await?
        .ok_or_else(|| no("signed_out"))?;
    let row = session::Session {
        id: w.id(),
        hall_id: p.hall_id.clone(),
        ticket_id: t.id.clone(),
        visit_id: t.visit_id.clone(),
        pairing_id: p.id.clone(),
        seat_id: s.id.clone(),
        staff_id: agent.clone(),
        key_id: v.key_id,
        state: State::Connecting,
        end_reason: None,
        seq: 0,
        version: 1,
        started_at: w.now,
        ended_at: None,
        due_at: Some(w.now + ARRIVE),
        item: t.item.clone(),
        item_version: None,
        case_id: None,
        wrap_up: None,
        parked: false,
        ladder: Ladder::at(t.mode),
    };
    session::insert(tx, &row).await?;
    let member = |role, staff_id, visit_id, name: String| session::Member {
        id: w.id(),
        session_id: row.id.clone(),
        role,
        staff_id,
        visit_id,
        name,
        present: false,
        mic_on: true,
        camera_on: true,
        joined_at: None,
        left_at: None,
        holder: None,
        dropped_at: None,
        part: if role == Role::Citizen {
            Part::Citizen
        } else {
            Part::Agent
        },
        served: role == Role::Agent,
        name_enc: None,
    };
    session::insert_member(
        tx,
        &member(Role::Citizen, None, Some(t.visit_id.clone()), String::new()),
    )
    .await?;
    session::insert_member(
        tx,
        &member(Role::Agent, Some(agent.clone()), None, who.name),
    )
    .await?;
    let was = t.state;
    t.state = was.apply(ticket_rule::Cmd::Pair)?;
    t.session_id = Some(row.id.clone());
    t.paired_at = Some(w.now);
    if !ticket::save(tx, &t, was, w.now).await? {
        return Err(no("offer_over"));
    }
    desk::move_seat(tx, w, &mut s, seat_rule::Cmd::Answer, None).await?;
    w.audit(
        tx,
        "session.begun",
        row.id.as_str(),
        json!({"ticket": t.id.as_str(), "seat": s.id.as_str()}),
    )
    .await?;
    w.wake(&t.id);
    w.wake(&row.id);
    Ok(row.id)
}

/// The session and the caller's membership, or `not_a_member`: no one learns of sessions that are not theirs.
pub async fn membership(
    tx: &mut Tx,
    who: &Principal,
    id: &SessionId,
) -> Result<(session::Session, Vec<session::Member>, session::Member), AppError> {
    let s = session::get(tx, id)
        .await?
        .ok_or_else(|| no("not_a_member"))?;
    let members = session::members(tx, id).await?;
    let over = s.state == State::Ended;
    let me = members
        .iter()
        .find(|m| is(who, m) && (over || !m.is_out()))
        .cloned()
        .ok_or_else(|| no("not_a_member"))?;
    Ok((s, members, me))
}

fn is(who: &Principal, m: &session::Member) -> bool {
    match who {
        Principal::Staff { id, .. } => m.staff_id.as_ref() == Some(id),
        Principal::Citizen { visit } => m.visit_id.as_ref() == Some(visit),
        Principal::Guest { session, member } => m.session_id == *session && m.id == *member,
        Principal::Booth { .. } | Principal::Case { .. } => false,
    }
}

/// What is not a member's to see or do is refused with `role_missing`.
pub fn allowed(me: &session::Member, p: Permission) -> Result<(), AppError> {
    if may(me.part, p) {
        Ok(())
    } else {
        Err(no("role_missing"))
    }
}

/// A membership in a live session, for commands.
pub async fn live(
    tx: &mut Tx,
    who: &Principal,
    id: &SessionId,
) -> Result<(session::Session, session::Member), AppError> {
    dialect::lock_session(tx, id).await?;
    let (s, _, me) = membership(tx, who, id).await?;
    if s.state == State::Ended {
        return Err(no("session_ended"));
    }
    Ok((s, me))
}

pub(super) fn all_here(members: &[session::Member]) -> bool {
    members
        .iter()
        .filter(|m| matches!(m.role, Role::Citizen | Role::Agent) && !m.is_out())
        .all(|m| m.present)
}

/// What `join` answers, and which connection lost its place.
pub struct Joined {
    pub reply: CommandReply,
    pub superseded: Option<String>,
    pub member: MemberId,
    pub room: String,
}

/// Enter or come back. The newest connection of a person is the one that counts.
pub async fn join(
    app: &App,
    who: &Principal,
    id: SessionId,
    connection: &str,
    after_seq: i64,
) -> Result<Joined, AppError> {
    let (who2, conn, sid) = (who.clone(), connection.to_owned(), id.clone());
    let (member, before, room) = app
        .write(who.name(), move |tx, w| {
            let (id, who, conn) = (sid.clone(), who2.clone(), conn.clone());
            Box::pin(async move {
                let (mut s, mut me) = live(tx, &who, &id).await?;
                let before = me.holder.clone().filter(|h| *h != conn && me.present);
                let first = me.joined_at.is_none();
                let was_here = me.present;
                me.present = true;
                me.holder = Some(conn);
                me.joined_at = me.joined_at.or(Some(w.now));
                me.dropped_at = None;
                session::save_member(tx, &me).await?;
                if !was_here {
                    let body = if first {
                        EventBody::MemberJoined {
                            member: me.id.to_string(),
                        }
                    } else {
                        EventBody::MemberBack {
                            member: me.id.to_string(),
                        }
                    };
                    journal(tx, w, &s, Some(&me.id), &body).await?;
                }
                if matches!(me.role, Role::Guest | Role::Supervisor) {
                    invites::came(tx, &s, &me).await?;
                    supervision::came(tx, &s, &me).await?;
                }
                if all_here(&session::members(tx, &id).await?) {
                    s.state = s.state.apply(Cmd::AllPresent)?;
                    s.due_at = None;
                }
                session::save(tx, &s).await?;
                w.wake(&id);
                Ok((me.id, before, s.ticket_id.to_string()))
            })
        })
        .await?;
    let (session, form, events) = session_view::joined(app, who, id, after_seq).await?;
    Ok(Joined {
        reply: CommandReply::Joined {
            session: Box::new(session),
            form: form.map(Box::new),
            events,
        },
        superseded: before,
        member,
        room,
    })
}

/// A connection ended: if it still was the person's, they have dropped and the grace runs.
pub async fn dropped(app: &App, id: SessionId, connection: &str) -> Result<(), AppError> {
    let conn = connection.to_owned();
    app.write("server", move |tx, w| {
        let (id, conn) = (id.clone(), conn.clone());
        Box::pin(async move {
            dialect::lock_session(tx, &id).await?;
            let Some(mut s) = session::get(tx, &id)
                .await?
                .filter(|s| s.state != State::Ended)
            else {
                return Ok(());
            };
            let Some(mut me) = session::members(tx, &id)
                .await?
                .into_iter()
                .find(|m| m.present && m.holder.as_deref() == Some(&conn))
            else {
                return Ok(());
            };
            let until = w.now
                + if matches!(me.role, Role::Agent | Role::Supervisor) {
                    limits::AGENT_GRACE
                } else {
                    limits::CITIZEN_GRACE
                };
            me.present = false;
            me.holder = None;
            me.dropped_at = Some(w.now);
            session::save_member(tx, &me).await?;
            journal(
                tx,
                w,
                &s,
                Some(&me.id),
                &EventBody::MemberDropped {
                    member: me.id.to_string(),
                    grace_until: until.rfc3339(),
                },
            )
            .await?;
            if matches!(me.role, Role::Citizen | Role::Agent) {
                s.state = s.state.apply(Cmd::SomeoneGone)?;
                s.due_at = Some(
                    s.due_at
                        .filter(|_| s.state == State::Reconnecting)
                        .map_or(until, |d| d.min(until)),
                );
                session::save(tx, &s).await?;
            } else {
                invites::dropped(tx, w, &s, &me).await?;
                supervision::dropped(tx, w, &s, &me).await?;
            }
            Ok(())
        })
    })
    .await
}

/// Ends a session within a transaction: journal, members, pairing, ticket, seat.
pub(super) async fn finish(
    tx: &mut Tx,
    w: &mut Work,
    s: &mut session::Session,
    actor: Option<&MemberId>,
    reason: &str,
) -> Result<(), AppError> {
    dialect::lock_hall(tx, &s.hall_id).await?;
    recording::session_over(tx, w, s).await?;
    journal(
        tx,
        w,
        s,
        actor,
        &EventBody::Ended {
            reason: reason.to_owned(),
        },
    )
    .await?;
    s.state = s.state.apply(Cmd::End)?;
    s.end_reason = Some(reason.to_owned());
    s.ended_at = Some(w.now);
    s.due_at = None;
    if !session::save(tx, s).await? {
        return Err(store::StoreError::Retry.into());
    }
    invites::end_all(tx, w, s).await?;
    supervision::end_all(tx, w, s).await?;
    for mut m in session::members(tx, &s.id).await? {
        m.present = false;
        m.left_at = m.left_at.or(Some(w.now));
        session::save_member(tx, &m).await?;
    }
    super::consents::lapse_all(tx, w, s).await?;
    if s.parked {
        transfer::leave_line(tx, w, s, reason).await?;
        return over(tx, w, s, reason).await;
    }
    if let Some(mut p) = pairing::get(tx, &s.pairing_id).await? {
        let was = p.state;
        p.state = was.apply(pairing_rule::Cmd::End)?;
        pairing::save(tx, &p, was, Some(reason), w.now).await?;
    }
    let mut t = ticket::get(tx, &s.ticket_id)
        .await?
        .ok_or_else(|| no("not_found"))?;
    let was = t.state;
    t.state = was.apply(ticket_rule::Cmd::Close)?;
    t.reason = Some(reason.to_owned());
    let again = (reason == "agent_lost").then(|| w.id());
    t.next_ticket.clone_from(&again);
    ticket::save(tx, &t, was, w.now).await?;
    if let Some(id) = again {
        requeue(tx, w, &t, id).await?;
    }
    if let Some(mut seat) = seat::get(tx, &s.seat_id).await? {
        seat.wrap_up_session = Some(s.id.clone());
        desk::move_seat(tx, w, &mut seat, seat_rule::Cmd::WrapUp, None).await?;
        if reason == "agent_lost" {
            desk::move_seat(tx, w, &mut seat, seat_rule::Cmd::Lost, Some("page_closed")).await?;
        }
    }
    over(tx, w, s, reason).await
}

async fn over(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
    reason: &str,
) -> Result<(), AppError> {
    w.audit(
        tx,
        "session.ended",
        s.id.as_str(),
        json!({"reason": reason}),
    )
    .await?;
    w.wake(&s.id);
    w.wake(&s.ticket_id);
    desk::match_hall(tx, w, &s.hall_id).await
}

/// The agent was lost: the citizen stands first again, with their old time.
async fn requeue(
    tx: &mut Tx,
    w: &mut Work,
    old: &ticket::Ticket,
    id: domain::id::TicketId,
) -> Result<(), AppError> {
    let class = old.class.min(ticket_rule::Class::Returned);
    let mut t = ticket::Ticket {
        id,
        state: ticket_rule::State::Waiting,
        version: 1,
        class,
        order_at: ticket_rule::order_key(class, old.enqueued_at),
        holder: None,
        grace_until: None,
        session_id: None,
        next_ticket: None,
        reason: None,
        paired_at: None,
        ..old.clone()
    };
    // What a transfer or a text lane asked was for the talk that is over.
    let v = visit::get(tx, &t.visit_id)
        .await?
        .ok_or_else(|| no("visit_ended"))?;
    let stage = routing::stage(tx, w, &t, &v).await?;
    routing::enter(&mut t, stage);
    ticket::insert(tx, &t).await?;
    w.wake(&t.id);
    // The talk may have been in another hall.
    routing::match_for(tx, w, &t).await
}

pub async fn end(
    app: &App,
    caller: &Caller,
    id: SessionId,
    reason: String,
) -> Result<SessionView, AppError> {
    if !END_REASONS.contains(&reason.as_str()) {
        return Err(no("reason_invalid"));
    }
    let (who, sid) = (caller.who.clone(), id.clone());
    app.command(
        caller,
        &format!("sessions.end:{id}"),
        &json!({"reason": reason}),
        move |tx, w| {
            let (id, who, reason) = (id.clone(), who.clone(), reason.clone());
            Box::pin(async move {
                let (mut s, me) = live(tx, &who, &id).await?;
                if !matches!(me.role, Role::Citizen | Role::Agent) {
                    return Err(no("role_missing"));
                }
                finish(tx, w, &mut s, Some(&me.id), &reason).await
            })
        },
    )
    .await?;
    app.media.close(app, &sid).await;
    session_view::get(app, &caller.who, sid).await
}

/// Graces that ran out.
pub async fn due(app: &App) -> Result<(), AppError> {
    let now = app.now();
    let over = app
        .read(move |tx| Box::pin(async move { Ok(session::grace_over(tx, now).await?) }))
        .await?;
    for s in over {
        let id = s.id.clone();
        let r = app
            .write("server", move |tx, w| {
                let id = s.id.clone();
                Box::pin(async move {
                    dialect::lock_session(tx, &id).await?;
                    let Some(mut s) = session::get(tx, &id).await?.filter(|s| {
                        s.state != State::Ended && s.due_at.is_some_and(|d| d <= w.now)
                    }) else {
                        return Ok(());
                    };
                    let gone: Vec<Role> = session::members(tx, &id)
                        .await?
                        .iter()
                        .filter(|m| !m.present && !m.is_out())
                        .map(|m| m.role)
                        .collect();
                    let reason = if gone.contains(&Role::Agent) && !gone.contains(&Role::Citizen) {
                        "agent_lost"
                    } else {
                        "citizen_lost"
                    };
                    finish(tx, w, &mut s, None, reason).await
                })
            })
            .await;
        desk::lost_race_is_fine(r)?;
        app.media.close(app, &id).await;
    }
    Ok(())
}

pub async fn wrap_up(
    app: &App,
    caller: &Caller,
    id: SessionId,
    body: protocol::WrapUp,
) -> Result<SeatView, AppError> {
    if !DISPOSITIONS.contains(&body.disposition.as_str()) {
        return Err(no("reason_invalid"));
    }
    if body.note.chars().count() > limits::CHAT_CHARS
        || body.knowledge_gap.chars().count() > limits::CHAT_CHARS
    {
        return Err(no("field_too_long"));
    }
    let me = caller.who.staff(protocol::Role::Agent)?.clone();
    let seat_id = app
        .command(caller, &format!("sessions.wrap_up:{id}"), &body.clone(), move |tx, w| {
            let (id, me, body) = (id.clone(), me.clone(), body.clone());
            Box::pin(async move {
                let mut s = session::get(tx, &id).await?.ok_or_else(|| no("not_a_member"))?;
                if s.staff_id != me || s.parked {
                    return transfer::wrap_up(tx, w, &s, &me, &body).await;
                }
                if s.state != State::Ended {
                    return Err(no("session_live"));
                }
                dialect::lock_hall(tx, &s.hall_id).await?;
                // The note may hold personal data: sealed like everything of the session.
                let sealed = w.app.vault.key(tx, &s.key_id).await?.seal(&body)?;
                s.wrap_up = Some(json!({"disposition": body.disposition, "item": body.item, "sealed": sealed}).to_string());
                session::save(tx, &s).await?;
                if let Some(mut seat) = seat::get(tx, &s.seat_id).await?.filter(|x| x.wrap_up_session.as_ref() == Some(&id) && x.staff_id.as_ref() == Some(&me)) {
                    lanes::noted(tx, w, &mut seat, body.then_away).await?;
                    desk::match_hall(tx, w, &s.hall_id).await?;
                }
                w.audit(tx, "session.wrapped_up", id.as_str(), json!({"disposition": body.disposition})).await?;
                Ok(s.seat_id)
            })
        })
        .await?;
    desk::view(app, seat_id).await
}

pub async fn chat(
    app: &App,
    caller: &Caller,
    id: SessionId,
    text: String,
) -> Result<CommandReply, AppError> {
    let text = text.trim().to_owned();
    if text.is_empty() {
        return Err(no("body_invalid"));
    }
    if text.chars().count() > limits::CHAT_CHARS {
        return Err(no("field_too_long"));
    }
    let who = caller.who.clone();
    app.command(
        caller,
        &format!("chat:{id}"),
        &json!({"text": text}),
        move |tx, w| {
            let (id, who, text) = (id.clone(), who.clone(), text.clone());
            Box::pin(async move {
                let (s, me) = live(tx, &who, &id).await?;
                allowed(&me, Permission::WriteChat)?;
                journal(tx, w, &s, Some(&me.id), &EventBody::Chat { text }).await?;
                Ok(CommandReply::Done {})
            })
        },
    )
    .await
}

pub async fn media_state(
    app: &App,
    caller: &Caller,
    id: SessionId,
    mic_on: bool,
    camera_on: bool,
) -> Result<CommandReply, AppError> {
    let (who, sid) = (caller.who.clone(), id.clone());
    let reply = app
        .command(
            caller,
            &format!("media_state:{id}"),
            &json!({"mic": mic_on, "camera": camera_on}),
            move |tx, w| {
                let (id, who) = (id.clone(), who.clone());
                Box::pin(async move {
                    let (s, mut me) = live(tx, &who, &id).await?;
                    me.mic_on = mic_on;
                    me.camera_on = camera_on;
                    session::save_member(tx, &me).await?;
                    session::touch(tx, &s.id).await?;
                    w.wake(&s.id);
                    Ok(CommandReply::Done {})
                })
            },
        )
        .await?;
    // What a page still sends while muted is dropped at the server.
    app.media
        .sent(app, &sid, caller.who.name(), mic_on, camera_on)
        .await;
    Ok(reply)
}

/// "End and wipe": the visit and all that is live of it. A case that was handed in lives on.
pub async fn end_visit(app: &App, caller: &Caller, id: VisitId) -> Result<Done, AppError> {
    if caller.who.citizen()? != &id {
        return Err(no("not_found"));
    }
    let live_session = app
        .command(
            caller,
            "visits.end",
            &json!({"visit": id.as_str()}),
            move |tx, w| {
                let id = id.clone();
                Box::pin(async move {
                    let v = visit::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
                    if let Some(mut t) = ticket::of_visit(tx, &id)
                        .await?
                        .filter(|t| t.state != ticket_rule::State::Paired)
                    {
                        queue::leave(tx, w, &mut t, ticket_rule::Cmd::Abandon, "left").await?;
                    }
                    let newest = session::newest_of_visit(tx, &id).await?;
                    let mut closed = None;
                    let mut keep_key = false;
                    if let Some(mut s) = newest {
                        keep_key = s.case_id.is_some();
                        if s.state != State::Ended {
                            dialect::lock_session(tx, &s.id).await?;
                            let me = session::members(tx, &s.id)
                                .await?
                                .into_iter()
                                .find(|m| m.visit_id.as_ref() == Some(&id))
                                .map(|m| m.id);
                            finish(tx, w, &mut s, me.as_ref(), "wiped").await?;
                            closed = Some(s.id);
                        }
                    }
                    visit::end(tx, &id, w.now, w.now + limits::ERASE_AFTER).await?;
                    // Without a case, what was said and typed is erased with its key a day from now: see `erasure`.
                    w.audit(
                        tx,
                        "visit.ended",
                        id.as_str(),
                        json!({"key_kept": keep_key}),
                    )
                    .await?;
                    let _ = v;
                    w.wake(&id);
                    Ok(closed)
                })
            },
        )
        .await?;
    if let Some(s) = live_session {
        app.media.close(app, &s).await;
    }
    Ok(Done {})
}

/// A card read within the session: an anonymous citizen becomes a known one. Codes beside the card's: `recording_not_live`.
pub async fn identify(
    app: &App,
    caller: &Caller,
    id: SessionId,
    read: protocol::CardRead,
) -> Result<CommandReply, AppError> {
    let visit_id = caller.who.citizen()?.clone();
    let who = caller.who.clone();
    app.command(
        caller,
        &format!("identify:{id}"),
        &json!({"nonce": read.nonce}),
        move |tx, w| {
            let (id, who, read, visit_id) =
                (id.clone(), who.clone(), read.clone(), visit_id.clone());
            Box::pin(async move {
                let (s, me) = live(tx, &who, &id).await?;
                super::auth::identify(tx, w, &visit_id, Some(&s), &read).await?;
                journal(tx, w, &s, Some(&me.id), &EventBody::Identified {}).await?;
                session::touch(tx, &id).await?;
                Ok(CommandReply::Done {})
            })
        },
    )
    .await
}
