//! Who sees a supervision: in the snapshot, in the journal then and later, in the supervisors' list; and the notice with
//! which a call begins. Never decides it: the policy did when the mode began, and the row keeps it.

use super::mode_view;
use crate::{
    app::{App, hall_policy},
    problem::{AppError, no},
};
use domain::{
    id::{HallId, MemberId, SessionId, StaffId, SupervisionId},
    invite::{Member as Part, Permission, may},
    session::Role,
    supervision as rule,
    time::Timestamp,
};
use protocol::{Bilingual, EventBody, LiveSupervision, SupervisionTold, SupervisionView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use store::{
    Tx, session,
    supervision::{self as kept, Supervision},
};

/// As a journal entry keeps it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(in crate::app) struct Told {
    pub agent: bool,
    pub citizen: bool,
}

impl From<rule::Told> for Told {
    fn from(t: rule::Told) -> Self {
        Self {
            agent: t.agent,
            citizen: t.citizen,
        }
    }
}

/// Supervisors of a session by who they are in it, as their last time there was told.
pub(in crate::app) type Seen = HashMap<MemberId, Told>;

/// Whether somebody with this part is told.
pub(in crate::app) fn sees(told: Told, part: Part) -> bool {
    match part {
        Part::Supervisor => true,
        p if may(p, Permission::StaffTalk) => told.agent,
        _ => told.citizen,
    }
}

pub(in crate::app) async fn told(
    tx: &mut Tx,
    s: &session::Session,
    members: &[session::Member],
) -> Result<Seen, AppError> {
    // Most sessions never have a supervisor.
    if members.iter().all(|m| m.role != Role::Supervisor) {
        return Ok(Seen::new());
    }
    let all = kept::of_session(tx, &s.id).await?;
    Ok(all
        .into_iter()
        .map(|v| (v.member_id, v.told.into()))
        .collect())
}

/// Whether a member is shown to another: a supervisor to whom the policy said, everybody else always.
pub(in crate::app) fn shown(seen: &Seen, m: &session::Member, to: &session::Member) -> bool {
    m.role != Role::Supervisor
        || m.id == to.id
        || seen.get(&m.id).is_some_and(|t| sees(*t, to.part))
}

/// Who may read an entry of the journal that is about a supervisor; `None`: it is about nobody of theirs.
pub(in crate::app) async fn of_entry(
    tx: &mut Tx,
    s: &session::Session,
    body: &EventBody,
) -> Result<Option<Told>, AppError> {
    let (member, theirs) = match body {
        EventBody::SupervisionStarted { member, .. }
        | EventBody::SupervisionChanged { member, .. }
        | EventBody::SupervisionEnded { member, .. } => (member, true),
        EventBody::MemberJoined { member }
        | EventBody::MemberDropped { member, .. }
        | EventBody::MemberBack { member }
        | EventBody::MemberLeft { member, .. }
        | EventBody::MediaConnected { member }
        | EventBody::MediaLost { member } => (member, false),
        _ => return Ok(None),
    };
    let id = |m: &MemberId| m.to_string() == *member;
    let members = session::members(tx, &s.id).await?;
    let supervises = |m: &session::Member| id(&m.id) && m.role == Role::Supervisor;
    if !theirs && !members.iter().any(supervises) {
        return Ok(None);
    }
    let mut all = kept::of_session(tx, &s.id).await?.into_iter();
    Ok(all.rfind(|v| id(&v.member_id)).map(|v| v.told.into()))
}

fn view_of(v: Supervision, s: &session::Session, name: &str) -> SupervisionView {
    SupervisionView {
        id: v.id.to_string(),
        session: v.session_id.to_string(),
        room: s.ticket_id.to_string(),
        member: v.member_id.to_string(),
        name: Bilingual {
            zh: name.to_owned(),
            en: name.to_owned(),
        },
        mode: mode_view(v.mode),
        told: SupervisionTold {
            agent: v.told.agent,
            citizen: v.told.citizen,
        },
        since: v.started_at.rfc3339(),
        changed_at: v.changed_at.rfc3339(),
        ended_at: v.ended_at.map(Timestamp::rfc3339),
        end_reason: v.end_reason,
    }
}

fn name_in<'a>(members: &'a [session::Member], id: &MemberId) -> &'a str {
    let found = members.iter().find(|m| m.id == *id);
    found.map_or("", |m| m.name.as_str())
}

/// The one under way, for a viewer who is told of it.
pub(in crate::app) async fn view_for(
    tx: &mut Tx,
    s: &session::Session,
    members: &[session::Member],
    me: &session::Member,
) -> Result<Option<SupervisionView>, AppError> {
    if members.iter().all(|m| m.role != Role::Supervisor) {
        return Ok(None);
    }
    let live = kept::live(tx, &s.id).await?;
    Ok(live
        .filter(|v| v.member_id == me.id || sees(v.told.into(), me.part))
        .map(|v| {
            let name = name_in(members, &v.member_id);
            view_of(v, s, name)
        }))
}

/// For the supervisor, over or not.
pub(super) async fn view(
    app: &App,
    session: &SessionId,
    id: SupervisionId,
) -> Result<SupervisionView, AppError> {
    let session = session.clone();
    app.read(|tx| {
        Box::pin(async move {
            let s = session::get(tx, &session)
                .await?
                .ok_or_else(|| no("not_found"))?;
            let members = session::members(tx, &session).await?;
            let all = kept::of_session(tx, &session).await?;
            let v = all
                .into_iter()
                .find(|v| v.id == id)
                .ok_or_else(|| no("not_found"))?;
            let name = name_in(&members, &v.member_id);
            Ok(view_of(v, &s, name))
        })
    })
    .await
}

/// Who supervises which session of a hall.
pub(in crate::app) async fn line_views(
    tx: &mut Tx,
    hall: &HallId,
    me: &StaffId,
) -> Result<HashMap<SessionId, LiveSupervision>, AppError> {
    let all = kept::of_hall(tx, hall).await?;
    Ok(all
        .into_iter()
        .map(|(v, name)| {
            let view = LiveSupervision {
                name,
                mode: mode_view(v.mode),
                mine: v.staff_id == *me,
            };
            (v.session_id, view)
        })
        .collect())
}

/// What the citizen's side is told at the start of every call.
pub(in crate::app) async fn notice(
    tx: &mut Tx,
    s: &session::Session,
    me: Part,
) -> Result<Option<Bilingual>, AppError> {
    if may(me, Permission::StaffTalk) {
        return Ok(None);
    }
    let (p, _) = hall_policy::of::<rule::Policy>(tx, &s.hall_id).await?;
    Ok(p.standing.then_some(Bilingual {
        zh: p.text_zh,
        en: p.text_en,
    }))
}
