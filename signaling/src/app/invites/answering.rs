//! Answering: whoever is rung, and the agent who asked, take the next step.

use super::{ARRIVE, consenting, end, enter, hold_told, on_hold, settle, views};
use crate::{
    app::{App, Caller, Work, desk, transfer},
    problem::{AppError, no},
};
use domain::{
    id::{InviteId, MemberId, SessionId},
    invite::{self as rule, Cmd, Kind},
    seat as seat_rule,
    session::Role,
};
use protocol::{InviteStep, InviteView, Step};
use serde_json::json;
use store::{Tx, dialect, invite, seat, session, staff};

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
                            let before = s.hall_id.clone();
                            transfer::warm(tx, w, &mut s, &actor, &mut i).await?;
                            desk::match_hall(tx, w, &before).await?;
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
    views::view(app, iid).await
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
    let x = seat::get(tx, x).await?.ok_or_else(|| no("not_found"))?;
    dialect::lock_hall(tx, &x.hall_id).await?;
    let mut x = seat::get(tx, &x.id).await?.ok_or_else(|| no("not_found"))?;
    // Taken back while it rang: nobody of that hall comes in any more.
    consenting(tx, s, &x.hall_id).await?;
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
