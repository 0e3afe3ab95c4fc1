//! Help within a session (咨询、邀请、转接): who is rung, what an answer means for seat, member and the citizen's hold.
//!
//! What an invitation may become and what a member may see is the domain's (`invite`). A seat that rings for help or helps is
//! offered no ticket: constraints say so too. Never moves media itself: the room follows the rows (`media::shape`).

use super::{
    App, Caller, Work,
    call_flow::{allowed, journal, live},
    desk, transfer,
};
use crate::problem::{AppError, no};
use domain::{
    id::{Id as _, InviteId, MemberId, SeatId, SessionId},
    invite::{self as rule, Ask, Cmd, Kind, Member as Part, Permission, Target},
    limits, seat as seat_rule,
    session::{Role, State},
    time::{Span, Timestamp},
};
use protocol::{
    Bilingual, EventBody, GuestLink, InviteKind, InviteState, InviteStep, InviteTarget, InviteView,
    Invited, NewInvite, Step,
};
use serde_json::json;
use std::collections::HashMap;
use store::{Tx, catalogue, dialect, invite, seat, session, staff};

/// Time to arrive after the accept.
const ARRIVE: Span = Span::seconds(60);
/// A guest's link that nobody opens is dead after this.
const LINK: Span = Span::seconds(600);
/// Characters of a guest's code: 40 hexadecimal digits of an HMAC, 160 bits.
pub(super) const CODE_CHARS: usize = 40;

const fn kind_of(k: InviteKind) -> Kind {
    match k {
        InviteKind::Consult => Kind::Consult,
        InviteKind::Join => Kind::Join,
        InviteKind::Guest => Kind::Guest,
        InviteKind::TransferWarm => Kind::TransferWarm,
        InviteKind::TransferCold => Kind::TransferCold,
    }
}

const fn kind_view(k: Kind) -> InviteKind {
    match k {
        Kind::Consult => InviteKind::Consult,
        Kind::Join => InviteKind::Join,
        Kind::Guest => InviteKind::Guest,
        Kind::TransferWarm => InviteKind::TransferWarm,
        Kind::TransferCold => InviteKind::TransferCold,
    }
}

const fn state_view(s: rule::State) -> InviteState {
    match s {
        rule::State::Ringing => InviteState::Ringing,
        rule::State::Accepted => InviteState::Accepted,
        rule::State::Introduced => InviteState::Introduced,
        rule::State::Done => InviteState::Done,
        rule::State::Declined => InviteState::Declined,
        rule::State::TimedOut => InviteState::TimedOut,
        rule::State::Cancelled => InviteState::Cancelled,
        rule::State::Returned => InviteState::Returned,
    }
}

/// In the domain's words; a queue is the session's own hall's.
fn target_of(t: &InviteTarget, s: &session::Session) -> Result<Target, AppError> {
    let bad = || no("invite_target");
    Ok(match t {
        InviteTarget::Staff { id } => {
            Target::Staff(domain::id::StaffId::parse(id).ok_or_else(bad)?)
        }
        InviteTarget::Seat { id } => Target::Seat(SeatId::parse(id).ok_or_else(bad)?),
        InviteTarget::Skill { code } => Target::Skill(code.clone()),
        InviteTarget::Queue { skill } => Target::Queue {
            hall: s.hall_id.clone(),
            skill: skill.clone(),
        },
        InviteTarget::Link {} => Target::Link,
    })
}

fn is_interpreter(t: &Target) -> bool {
    matches!(t, Target::Skill(c) if c.starts_with("lang:") || c.starts_with("dialect:") || c == "need:sign_language")
}

/// The seat that can be rung now, or `seat_not_ready`.
pub(super) async fn ready_seat(
    tx: &mut Tx,
    s: &session::Session,
    target: &Target,
) -> Result<seat::Seat, AppError> {
    let free = |x: &seat::Seat| x.state == seat_rule::State::Ready && x.silent_since.is_none();
    let found = match target {
        Target::Staff(id) => seat::of_staff(tx, id).await?,
        Target::Seat(id) => Some(seat::get(tx, id).await?.ok_or_else(|| no("not_found"))?),
        Target::Skill(code) => seat::of_hall(tx, &s.hall_id)
            .await?
            .into_iter()
            .filter(|x| free(x) && x.skills.has(code))
            .min_by_key(|x| (x.since, x.id.clone())),
        Target::Queue { .. } | Target::Link => None,
    };
    match found {
        Some(x) if x.hall_id != s.hall_id => Err(no("not_found")),
        Some(x) if free(&x) => Ok(x),
        Some(x) => Err(no("seat_not_ready").with_current(json!({"state": x.state.as_str()}))),
        None => Err(no("seat_not_ready")),
    }
}

/// Whether the citizen hears music or a message now.
pub async fn on_hold(tx: &mut Tx, s: &session::Session) -> Result<bool, AppError> {
    Ok(s.parked
        || invite::live(tx, &s.id)
            .await?
            .iter()
            .any(|i| i.kind.citizen_on_hold(i.state)))
}

async fn hold_told(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
    before: bool,
) -> Result<(), AppError> {
    let on = on_hold(tx, s).await?;
    if on != before {
        journal(tx, w, s, None, &EventBody::Hold { on }).await?;
    }
    Ok(())
}

/// Who is invited comes into the session as somebody, new or again.
pub(super) async fn enter(
    tx: &mut Tx,
    w: &Work,
    s: &session::Session,
    who: Option<&staff::Staff>,
    role: Role,
    part: Part,
    name_enc: Option<Vec<u8>>,
) -> Result<MemberId, AppError> {
    let again = match who {
        Some(x) => session::members(tx, &s.id)
            .await?
            .into_iter()
            .find(|m| m.staff_id.as_ref() == Some(&x.id)),
        None => None,
    };
    if let Some(m) = again {
        let m = session::Member {
            role,
            part,
            present: false,
            holder: None,
            left_at: None,
            dropped_at: None,
            ..m
        };
        session::save_member(tx, &m).await?;
        return Ok(m.id);
    }
    let m = session::Member {
        id: w.id(),
        session_id: s.id.clone(),
        role,
        staff_id: who.map(|x| x.id.clone()),
        visit_id: None,
        name: who.map(|x| x.name.clone()).unwrap_or_default(),
        present: false,
        mic_on: true,
        camera_on: true,
        joined_at: None,
        left_at: None,
        holder: None,
        dropped_at: None,
        part,
        served: role == Role::Agent,
        name_enc,
    };
    session::insert_member(tx, &m).await?;
    Ok(m.id)
}

/// Keeps what an invitation becomes, and says so. The session's version moves on by one: a caller that keeps it, too, counts.
pub(super) async fn settle(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
    i: &mut invite::Invite,
    cmd: Cmd,
    actor: Option<&MemberId>,
) -> Result<(), AppError> {
    i.state = i.state.apply(i.kind, cmd)?;
    i.decided_at = i.decided_at.or(Some(w.now));
    if !i.state.is_live() {
        (i.ended_at, i.due_at) = (Some(w.now), None);
    }
    if !invite::save(tx, i).await? {
        return Err(store::StoreError::Retry.into());
    }
    i.version += 1;
    session::touch(tx, &s.id).await?;
    if s.state != State::Ended {
        journal(
            tx,
            w,
            s,
            actor,
            &EventBody::InviteChanged {
                invite: i.id.to_string(),
                state: state_view(i.state),
            },
        )
        .await?;
    }
    if let Some(x) = &i.seat_id {
        w.wake(x);
    }
    w.audit(
        tx,
        "invite.changed",
        i.id.as_str(),
        json!({"state": i.state.as_str()}),
    )
    .await
}

/// The seat that rang or helped is free: ready again, or away when nobody answered there.
async fn free_seat(
    tx: &mut Tx,
    w: &mut Work,
    i: &invite::Invite,
    unanswered: Option<&str>,
) -> Result<(), AppError> {
    let Some(id) = &i.seat_id else { return Ok(()) };
    let Some(mut x) = seat::get(tx, id).await? else {
        return Ok(());
    };
    match (x.state, unanswered) {
        (seat_rule::State::Ringing, Some(why)) => {
            desk::move_seat(tx, w, &mut x, seat_rule::Cmd::RingUnanswered, Some(why)).await?;
        }
        (seat_rule::State::Ringing, None) => {
            desk::move_seat(tx, w, &mut x, seat_rule::Cmd::RingCancelled, None).await?;
        }
        (seat_rule::State::Busy, _) => {
            // A word with a colleague leaves nothing to write down.
            desk::move_seat(tx, w, &mut x, seat_rule::Cmd::WrapUp, None).await?;
            let (cmd, why) = if x.silent_since.is_some() {
                (seat_rule::Cmd::Lost, Some("page_closed"))
            } else {
                (seat_rule::Cmd::Ready, None)
            };
            desk::move_seat(tx, w, &mut x, cmd, why).await?;
        }
        (
            seat_rule::State::Offline
            | seat_rule::State::Ready
            | seat_rule::State::WrapUp
            | seat_rule::State::Away,
            _,
        ) => {}
    }
    Ok(())
}

/// The invited member is out of the session.
async fn out(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
    i: &invite::Invite,
) -> Result<(), AppError> {
    let Some(mut m) = session::members(tx, &s.id)
        .await?
        .into_iter()
        .find(|m| i.member_id.as_ref() == Some(&m.id) && !m.is_out())
    else {
        return Ok(());
    };
    (m.present, m.holder, m.left_at) = (false, None, Some(w.now));
    session::save_member(tx, &m).await?;
    journal(
        tx,
        w,
        s,
        Some(&m.id),
        &EventBody::MemberLeft {
            member: m.id.to_string(),
        },
    )
    .await
    .map(|_| ())
}

/// Ends an invitation and lets go of what it held.
async fn end(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
    i: &mut invite::Invite,
    cmd: Cmd,
    actor: Option<&MemberId>,
) -> Result<(), AppError> {
    let before = on_hold(tx, s).await?;
    settle(tx, w, s, i, cmd, actor).await?;
    out(tx, w, s, i).await?;
    let unanswered = match cmd {
        Cmd::Decline => Some("declined"),
        Cmd::TimeOut => Some("no_answer"),
        Cmd::Accept
        | Cmd::Cancel
        | Cmd::Introduce
        | Cmd::Finish
        | Cmd::Return
        | Cmd::SessionEnded => None,
    };
    free_seat(tx, w, i, unanswered).await?;
    if transfer::returns_to_line(i) {
        transfer::back_to_queue(tx, w, s).await?;
    }
    hold_told(tx, w, s, before).await?;
    desk::match_hall(tx, w, &s.hall_id).await
}

/// The session is over: whatever hung on it is, too. Matching is the caller's.
pub(super) async fn end_all(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
) -> Result<(), AppError> {
    for mut i in invite::live(tx, &s.id).await? {
        settle(tx, w, s, &mut i, Cmd::SessionEnded, None).await?;
        free_seat(tx, w, &i, None).await?;
    }
    Ok(())
}

async fn of_member(
    tx: &mut Tx,
    s: &session::Session,
    me: &session::Member,
) -> Result<Option<invite::Invite>, AppError> {
    Ok(invite::live(tx, &s.id)
        .await?
        .into_iter()
        .find(|i| i.member_id.as_ref() == Some(&me.id)))
}

/// Who was invited is there.
pub(super) async fn came(
    tx: &mut Tx,
    s: &session::Session,
    me: &session::Member,
) -> Result<(), AppError> {
    if let Some(i) = of_member(tx, s, me).await?.filter(|i| i.due_at.is_some()) {
        invite::set_due(tx, &i.id, None).await?;
    }
    Ok(())
}

/// Who was invited dropped; they may come back for a while.
pub(super) async fn dropped(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
    me: &session::Member,
) -> Result<(), AppError> {
    if let Some(i) = of_member(tx, s, me).await? {
        let grace = if me.staff_id.is_some() {
            limits::AGENT_GRACE
        } else {
            limits::CITIZEN_GRACE
        };
        invite::set_due(tx, &i.id, Some(w.now + grace)).await?;
    }
    Ok(())
}

/// By the session's agent: help is asked for, or the citizen handed over.
///
/// Codes: `session_ended`, `not_a_member`, `role_missing`, `transfer_self`, `invite_target`, `invite_inside`, `invite_open`,
/// `room_full`, `seat_not_ready`, `skill_unknown`.
pub async fn create(
    app: &App,
    caller: &Caller,
    id: SessionId,
    body: NewInvite,
) -> Result<Invited, AppError> {
    let key = caller.key.clone().ok_or_else(|| no("key_required"))?;
    let kind = kind_of(body.kind);
    // The same key gives the same code, which is derived and not stored.
    let code = (kind == Kind::Guest).then(|| {
        let mut c = app
            .vault
            .secret_hash(&format!("guest/{id}/{}/{key}", caller.who.name()));
        c.truncate(CODE_CHARS);
        c
    });
    let hash = code.as_ref().map(|c| app.vault.secret_hash(c));
    let (who, sid) = (caller.who.clone(), id.clone());
    let made: InviteId = app
        .command(
            caller,
            &format!("sessions.invites:{id}"),
            &body.clone(),
            move |tx, w| {
                let (id, who, asked, hash) =
                    (id.clone(), who.clone(), body.target.clone(), hash.clone());
                Box::pin(async move {
                    let (mut s, me) = live(tx, &who, &id).await?;
                    allowed(&me, Permission::Invite)?;
                    dialect::lock_hall(tx, &s.hall_id).await?;
                    let target = target_of(&asked, &s)?;
                    let members = session::members(tx, &id).await?;
                    let inside: Vec<_> = members
                        .iter()
                        .filter(|m| !m.is_out())
                        .filter_map(|m| m.staff_id.clone())
                        .collect();
                    let mut going = vec![];
                    for i in invite::live(tx, &id).await? {
                        // Those who came are counted as members.
                        let t: InviteTarget =
                            serde_json::from_str(&i.target).map_err(|_| no("internal"))?;
                        going.push((i.kind, target_of(&t, &s)?));
                    }
                    Ask {
                        kind,
                        target: &target,
                        by: &s.staff_id,
                        by_seat: Some(&s.seat_id),
                        live: &going,
                        staff_inside: &inside,
                        members: members.iter().filter(|m| !m.is_out()).count(),
                    }
                    .check()?;
                    let mut i = invite::Invite {
                        id: w.id(),
                        session_id: id.clone(),
                        version: 1,
                        kind,
                        state: rule::State::Ringing,
                        target: serde_json::to_string(&asked).map_err(|_| no("internal"))?,
                        interpreter: is_interpreter(&target),
                        by_member: me.id.clone(),
                        by_staff: s.staff_id.clone(),
                        by_seat: s.seat_id.clone(),
                        seat_id: None,
                        staff_id: None,
                        member_id: None,
                        code_hash: hash,
                        asked_at: w.now,
                        due_at: Some(
                            w.now
                                + if kind == Kind::Guest {
                                    LINK
                                } else {
                                    limits::RING
                                },
                        ),
                        decided_at: None,
                        ended_at: None,
                    };
                    journal(
                        tx,
                        w,
                        &s,
                        Some(&me.id),
                        &EventBody::Invited {
                            invite: i.id.to_string(),
                            invite_kind: kind_view(kind),
                        },
                    )
                    .await?;
                    match kind {
                        Kind::Guest => invite::insert(tx, &i).await?,
                        Kind::TransferCold => {
                            transfer::cold(tx, w, &mut s, &me, &mut i, &target).await?;
                        }
                        Kind::Consult | Kind::Join | Kind::TransferWarm => {
                            let mut x = ready_seat(tx, &s, &target).await?;
                            i.seat_id = Some(x.id.clone());
                            i.staff_id.clone_from(&x.staff_id);
                            if x.staff_id.as_ref().is_some_and(|p| inside.contains(p)) {
                                return Err(no("invite_inside"));
                            }
                            desk::move_seat(tx, w, &mut x, seat_rule::Cmd::Ring, None).await?;
                            invite::insert(tx, &i).await?;
                        }
                    }
                    session::touch(tx, &id).await?;
                    w.wake(&id);
                    w.audit(
                        tx,
                        "invite.made",
                        i.id.as_str(),
                        json!({"session": id.as_str(), "kind": kind.as_str()}),
                    )
                    .await?;
                    desk::match_hall(tx, w, &s.hall_id).await?;
                    Ok(i.id)
                })
            },
        )
        .await?;
    if kind == Kind::TransferCold {
        app.media.shape(app, &sid).await;
    }
    let link = match code {
        Some(code) => {
            let url = format!("{}/phone/#g={code}", app.public_url.trim_end_matches('/'));
            let qr_svg = documents::qr_svg(&url).map_err(|_| no("internal"))?;
            Some(GuestLink { code, url, qr_svg })
        }
        None => None,
    };
    Ok(Invited {
        invite: view(app, made).await?,
        link,
    })
}

const fn cmd_of(s: Step) -> Cmd {
    match s {
        Step::Accept => Cmd::Accept,
        Step::Decline => Cmd::Decline,
        Step::Cancel => Cmd::Cancel,
        Step::Introduce => Cmd::Introduce,
        Step::Finish => Cmd::Finish,
        Step::Return => Cmd::Return,
    }
}

/// By whoever is rung, or by the session's agent.
///
/// Codes: `not_found` for everybody else, `invite_over` (an answer after the time-out too), `invite_state`, `version_stale`,
/// `invite_absent` (a transfer to somebody who is not there).
pub async fn step(
    app: &App,
    caller: &Caller,
    id: InviteId,
    body: InviteStep,
) -> Result<InviteView, AppError> {
    let me = caller.who.staff(protocol::Role::Agent)?.clone();
    let (iid, what) = (id.clone(), body.step);
    let session: SessionId = app
        .command(
            caller,
            &format!("invites.step:{id}"),
            &body,
            move |tx, w| {
                let (id, me) = (id.clone(), me.clone());
                Box::pin(async move {
                    let i = invite::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
                    dialect::lock_session(tx, &i.session_id).await?;
                    let mut s = session::get(tx, &i.session_id)
                        .await?
                        .ok_or_else(|| no("not_found"))?;
                    dialect::lock_hall(tx, &s.hall_id).await?;
                    let mut i = invite::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
                    let rung = i.staff_id.as_ref() == Some(&me);
                    // Who asked and has handed over since still learns that it is over.
                    let agent = s.staff_id == me || (i.by_staff == me && !i.state.is_live());
                    let theirs = match what {
                        Step::Accept | Step::Decline => rung,
                        Step::Cancel | Step::Introduce | Step::Return => agent,
                        Step::Finish => agent || (rung && !i.kind.is_transfer()),
                    };
                    if !theirs {
                        return Err(no("not_found"));
                    }
                    let cmd = cmd_of(what);
                    i.state.apply(i.kind, cmd)?;
                    if s.parked && agent && !rung {
                        return Err(no("invite_state"));
                    }
                    if i.version != body.version {
                        return Err(no("version_stale").with_current(json!({"version": i.version})));
                    }
                    let actor = session::members(tx, &s.id)
                        .await?
                        .into_iter()
                        .find(|m| m.staff_id.as_ref() == Some(&me) && !m.is_out());
                    let by = actor.as_ref().map(|m| m.id.clone());
                    match what {
                        Step::Accept => accept(tx, w, &s, &mut i).await?,
                        Step::Introduce => introduce(tx, w, &s, &mut i, by.as_ref()).await?,
                        Step::Finish if i.kind == Kind::TransferWarm => {
                            let actor = actor.ok_or_else(|| no("not_a_member"))?;
                            transfer::warm(tx, w, &mut s, &actor, &mut i).await?;
                            desk::match_hall(tx, w, &s.hall_id).await?;
                        }
                        Step::Decline | Step::Cancel | Step::Finish | Step::Return => {
                            end(tx, w, &s, &mut i, cmd, by.as_ref()).await?;
                        }
                    }
                    Ok(i.session_id)
                })
            },
        )
        .await?;
    app.media.shape(app, &session).await;
    view(app, iid).await
}

async fn accept(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
    i: &mut invite::Invite,
) -> Result<(), AppError> {
    let (Some(x), Some(who)) = (&i.seat_id, &i.staff_id) else {
        return Err(no("invite_state"));
    };
    let mut x = seat::get(tx, x).await?.ok_or_else(|| no("not_found"))?;
    if x.staff_id.as_ref() != Some(who) {
        return Err(no("seat_not_yours"));
    }
    let who = staff::get(tx, who).await?.ok_or_else(|| no("signed_out"))?;
    let before = on_hold(tx, s).await?;
    desk::move_seat(tx, w, &mut x, seat_rule::Cmd::Answer, None).await?;
    let next = i.state.apply(i.kind, Cmd::Accept)?;
    let part = rule::member(i.kind, next, i.interpreter).ok_or_else(|| no("invite_state"))?;
    let m = enter(tx, w, s, Some(&who), Role::Guest, part, None).await?;
    i.member_id = Some(m.clone());
    i.due_at = Some(w.now + ARRIVE);
    settle(tx, w, s, i, Cmd::Accept, Some(&m)).await?;
    hold_told(tx, w, s, before).await
}

async fn introduce(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
    i: &mut invite::Invite,
    by: Option<&MemberId>,
) -> Result<(), AppError> {
    let before = on_hold(tx, s).await?;
    settle(tx, w, s, i, Cmd::Introduce, by).await?;
    let part = rule::member(i.kind, i.state, i.interpreter).ok_or_else(|| no("invite_state"))?;
    if let Some(m) = session::members(tx, &s.id)
        .await?
        .into_iter()
        .find(|m| i.member_id.as_ref() == Some(&m.id))
    {
        session::save_member(tx, &session::Member { part, ..m }).await?;
    }
    hold_told(tx, w, s, before).await
}

/// Rings that nobody answered, and people who were invited and did not come or stay.
pub async fn due(app: &App) -> Result<(), AppError> {
    let now = app.now();
    let over = app
        .read(move |tx| Box::pin(async move { Ok(invite::due(tx, now).await?) }))
        .await?;
    for i in over {
        let session = i.session_id.clone();
        let r = app
            .write("server", move |tx, w| {
                let (id, sid) = (i.id.clone(), i.session_id.clone());
                Box::pin(async move {
                    dialect::lock_session(tx, &sid).await?;
                    let Some(s) = session::get(tx, &sid).await? else {
                        return Ok(());
                    };
                    dialect::lock_hall(tx, &s.hall_id).await?;
                    let Some(mut i) = invite::get(tx, &id)
                        .await?
                        .filter(|i| i.state.is_live() && i.due_at.is_some_and(|d| d <= w.now))
                    else {
                        return Ok(());
                    };
                    if i.kind == Kind::TransferCold && transfer::in_line_no_more(tx, &s).await? {
                        // The citizen gave up the place: nobody will come for them.
                        let mut s = s;
                        return super::call_flow::finish(tx, w, &mut s, None, "citizen_left").await;
                    }
                    let cmd = match (i.state, i.kind) {
                        (rule::State::Ringing, _) => Cmd::TimeOut,
                        (_, Kind::TransferWarm) => Cmd::Return,
                        _ => Cmd::Finish,
                    };
                    end(tx, w, &s, &mut i, cmd, None).await
                })
            })
            .await;
        desk::lost_race_is_fine(r)?;
        app.media.shape(app, &session).await;
    }
    Ok(())
}

async fn view_of(tx: &mut Tx, i: invite::Invite) -> Result<InviteView, AppError> {
    let s = session::get(tx, &i.session_id)
        .await?
        .ok_or_else(|| no("not_found"))?;
    let from = staff::get(tx, &i.by_staff).await?.map(|x| x.name);
    let to = match &i.staff_id {
        Some(id) => staff::get(tx, id).await?.map(|x| x.name),
        None => None,
    };
    Ok(InviteView {
        id: i.id.to_string(),
        version: i.version,
        kind: kind_view(i.kind),
        state: state_view(i.state),
        session: i.session_id.to_string(),
        target: serde_json::from_str(&i.target).map_err(|_| no("internal"))?,
        from: from.unwrap_or_default(),
        to,
        seat: i.seat_id.map(|x| x.to_string()),
        member: i.member_id.map(|m| m.to_string()),
        item_title: item_title(tx, s.item.as_deref()).await?,
        item: s.item,
        interpreter: i.interpreter,
        asked_at: i.asked_at.rfc3339(),
        until: i.due_at.map(Timestamp::rfc3339),
    })
}

/// The published item's name.
pub(super) async fn item_title(
    tx: &mut Tx,
    item: Option<&str>,
) -> Result<Option<Bilingual>, AppError> {
    let Some(item) = item else { return Ok(None) };
    Ok(catalogue::get_published(tx, item)
        .await?
        .and_then(|d| serde_json::from_str::<domain::catalogue::Item>(&d.doc).ok())
        .map(|i| Bilingual {
            zh: i.name.zh,
            en: i.name.en,
        }))
}

async fn view(app: &App, id: InviteId) -> Result<InviteView, AppError> {
    app.read(|tx| {
        Box::pin(async move {
            let i = invite::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
            view_of(tx, i).await
        })
    })
    .await
}

/// What rings for help at a seat, or the help that it gives.
pub async fn at_seat(tx: &mut Tx, id: &SeatId) -> Result<Option<InviteView>, AppError> {
    match invite::live_of_seat(tx, id).await? {
        Some(i) => view_of(tx, i).await.map(Some),
        None => Ok(None),
    }
}

/// Those under way, for the session's agent.
pub async fn views(tx: &mut Tx, s: &session::Session) -> Result<Vec<InviteView>, AppError> {
    let mut out = vec![];
    for i in invite::live(tx, &s.id).await? {
        out.push(view_of(tx, i).await?);
    }
    Ok(out)
}

/// Names that guests typed, opened.
pub async fn guest_names(
    app: &App,
    tx: &mut Tx,
    s: &session::Session,
    members: &[session::Member],
) -> Result<HashMap<MemberId, String>, AppError> {
    let sealed: Vec<_> = members
        .iter()
        .filter_map(|m| Some((m.id.clone(), m.name_enc.as_ref()?)))
        .collect();
    if sealed.is_empty() {
        return Ok(HashMap::new());
    }
    let key = app.vault.key(tx, &s.key_id).await?;
    sealed
        .into_iter()
        .map(|(id, n)| Ok((id, key.open::<String>(n)?)))
        .collect()
}
