//! Help within a session (咨询、邀请、转接): who is rung, what an answer means for seat, member and the citizen's hold.
//!
//! What an invitation may become and what a member may see is the domain's (`invite`). A seat that rings for help or helps is
//! offered no ticket: constraints say so too. Never moves media itself: the room follows the rows (`media::shape`).
//!
//! `invites/targets.rs` whom it may go to; `asking.rs` the ring; `answering.rs` the steps; `timers.rs` who is late; `views.rs`
//! what is shown; `colleagues.rs` who could be asked; guests by link are `guests.rs`. Here: what all of them do to the session.

mod answering;
mod asking;
mod colleagues;
mod targets;
mod timers;
mod views;

pub use answering::step;
pub use asking::create;
pub use colleagues::list as colleagues;
pub(super) use targets::{consenting, ready_seat};
pub use timers::due;
pub(super) use timers::{came, dropped};
pub(super) use views::item_title;
pub use views::{at_seat, guest_names, views};

use super::{Work, call_flow::journal, desk, supervision, transfer};
use crate::problem::{AppError, no};
use domain::{
    id::{HallId, Id as _, MemberId},
    invite::{Cmd, Member as Part},
    seat as seat_rule,
    session::{Role, State},
    time::Span,
};
use protocol::EventBody;
use serde_json::json;
use store::{Tx, dialect, invite, seat, session, staff};

/// Time to arrive after the accept.
const ARRIVE: Span = Span::seconds(60);
/// A guest's link that nobody opens is dead after this.
const LINK: Span = Span::seconds(600);

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

/// Whether an entry of the journal is about somebody in private talk: it is for staff alone, then and later.
pub(super) async fn is_private(
    tx: &mut Tx,
    s: &session::Session,
    body: &EventBody,
) -> Result<bool, AppError> {
    let (EventBody::MemberJoined { member }
    | EventBody::MemberDropped { member, .. }
    | EventBody::MemberBack { member }
    | EventBody::MemberLeft { member, .. }
    | EventBody::MediaConnected { member }
    | EventBody::MediaLost { member }) = body
    else {
        return Ok(false);
    };
    Ok(session::members(tx, &s.id).await?.iter().any(|m| {
        // Nor was anybody there who never came.
        let came = m.joined_at.is_some() || !matches!(body, EventBody::MemberLeft { .. });
        m.id.as_str() == member && (m.part == Part::Consulted || !came)
    }))
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
        if role != Role::Supervisor {
            supervision::overtaken(tx, w, s, &m.id).await?;
        }
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
                state: views::state_view(i.state),
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

/// The seat that rang or helped is free: ready again, or away when nobody answered there. Another hall's is matched at once,
/// the session's own by the caller.
async fn free_seat(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
    i: &invite::Invite,
    unanswered: Option<&str>,
) -> Result<(), AppError> {
    let Some(id) = &i.seat_id else { return Ok(()) };
    let Some(x) = seat::get(tx, id).await? else {
        return Ok(());
    };
    dialect::lock_hall(tx, &x.hall_id).await?;
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
    if x.hall_id != s.hall_id {
        desk::match_hall(tx, w, &x.hall_id).await?;
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
            name: None,
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
    free_seat(tx, w, s, i, unanswered).await?;
    if transfer::returns_to_line(i) {
        transfer::back_to_queue(tx, w, s).await?;
    }
    hold_told(tx, w, s, before).await?;
    desk::match_hall(tx, w, &s.hall_id).await
}

/// A ring for help ends as if nobody had answered: its seat is away.
pub(super) async fn unanswered(
    tx: &mut Tx,
    w: &mut Work,
    mut i: invite::Invite,
) -> Result<(), AppError> {
    let s = session::get(tx, &i.session_id)
        .await?
        .ok_or_else(|| no("internal"))?;
    end(tx, w, &s, &mut i, Cmd::TimeOut, None).await
}

/// A hall serves another's people no longer: its seats stop ringing for them, and nobody's fault is it.
pub(super) async fn withdrawn(
    tx: &mut Tx,
    w: &mut Work,
    there: &HallId,
    home: &HallId,
) -> Result<(), AppError> {
    for mut i in invite::rings_between(tx, there, home).await? {
        let s = session::get(tx, &i.session_id)
            .await?
            .ok_or_else(|| no("internal"))?;
        end(tx, w, &s, &mut i, Cmd::Cancel, None).await?;
    }
    Ok(())
}

/// The session is over: whatever hung on it is, too. Matching is the caller's.
pub(super) async fn end_all(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
) -> Result<(), AppError> {
    for mut i in invite::live(tx, &s.id).await? {
        settle(tx, w, s, &mut i, Cmd::SessionEnded, None).await?;
        free_seat(tx, w, s, &i, None).await?;
    }
    Ok(())
}
