//! Asking for help: `domain::invite::Ask` says whether it may be asked, then somebody is rung or the citizen goes into line.

use super::{
    LINK,
    targets::{is_interpreter, ready_seat, target_of},
    views,
};
use crate::{
    app::{
        App, Caller,
        call_flow::{allowed, journal, live},
        desk, guests, supervision, transfer,
    },
    problem::{AppError, no},
};
use domain::{
    id::{Id as _, InviteId, SessionId},
    invite::{self as rule, Ask, Kind, Permission, Target},
    limits, seat as seat_rule,
};
use protocol::{EventBody, InviteTarget, Invited, NewInvite};
use serde_json::json;
use store::{dialect, invite, session};

/// By the session's agent: help is asked for, or the citizen handed over.
///
/// Codes: `session_ended`, `not_a_member`, `role_missing`, `transfer_self`, `invite_target`, `invite_inside`, `invite_open`,
/// `room_full`, `seat_not_ready`, `skill_unknown`, `hall_consent_missing`, `nobody_else_on_duty`.
pub async fn create(
    app: &App,
    caller: &Caller,
    id: SessionId,
    body: NewInvite,
) -> Result<Invited, AppError> {
    let key = caller.key.clone().ok_or_else(|| no("key_required"))?;
    let kind = views::kind_of(body.kind);
    let code = (kind == Kind::Guest).then(|| guests::code(app, &id, caller.who.name(), &key));
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
                    let listener = supervision::listener(tx, &s).await?;
                    let mut members = session::members(tx, &id).await?;
                    members.retain(|m| Some(&m.id) != listener.as_ref());
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
                            invite_kind: views::kind_view(kind),
                        },
                    )
                    .await?;
                    // Another hall whose line or seat has changed.
                    let mut elsewhere = None;
                    match kind {
                        Kind::Guest => invite::insert(tx, &i).await?,
                        Kind::TransferCold => {
                            elsewhere = transfer::cold(tx, w, &mut s, &me, &mut i, &target).await?;
                        }
                        Kind::Consult | Kind::Join | Kind::TransferWarm => {
                            let x = ready_seat(tx, &s, &target).await?;
                            dialect::lock_hall(tx, &x.hall_id).await?;
                            // Read again under its hall's lock.
                            let mut x = ready_seat(tx, &s, &Target::Seat(x.id)).await?;
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
                    if let Some(h) = elsewhere {
                        desk::match_hall(tx, w, &h).await?;
                    }
                    Ok(i.id)
                })
            },
        )
        .await?;
    if kind == Kind::TransferCold {
        app.media.shape(app, &sid).await;
    }
    let link = code.map(|c| guests::link(app, c)).transpose()?;
    Ok(Invited {
        invite: views::view(app, made).await?,
        link,
    })
}
