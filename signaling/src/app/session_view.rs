//! One session as one viewer may see it: masked before it leaves the server.

use super::{App, call_flow, consents, desk, forms, materials, signing, token::Principal};
use crate::problem::{AppError, no};
use domain::{
    id::SessionId,
    limits,
    session::{Role, State},
    time::Timestamp,
};
use protocol::{
    Bilingual, Channel, EventBody, FormView, MemberRole, MemberView, SessionEvent, SessionState,
    SessionView,
};
use store::{Tx, session, ticket, visit};

/// Journal entries in one answer: with the longest texts they still fit into the write buffer of a connection. Who gets as
/// many as this asks for more.
pub const PAGE: usize = 150;
const _: () = assert!(PAGE as i64 <= limits::RESUME_EVENTS);

#[must_use]
pub const fn role_view(r: Role) -> MemberRole {
    match r {
        Role::Citizen => MemberRole::Citizen,
        Role::Agent => MemberRole::Agent,
        Role::Guest => MemberRole::Guest,
        Role::Supervisor => MemberRole::Supervisor,
    }
}

const fn state_view(s: State) -> SessionState {
    match s {
        State::Connecting => SessionState::Connecting,
        State::Active => SessionState::Active,
        State::Reconnecting => SessionState::Reconnecting,
        State::Ended => SessionState::Ended,
    }
}

/// The session for a member, who may also be one who has left.
pub async fn view_in(
    app: &App,
    tx: &mut Tx,
    who: &Principal,
    id: &SessionId,
) -> Result<SessionView, AppError> {
    let (s, members, me) = call_flow::membership(tx, who, id).await?;
    let v = visit::get(tx, &s.visit_id)
        .await?
        .ok_or_else(|| no("not_found"))?;
    let t = ticket::get(tx, &s.ticket_id)
        .await?
        .ok_or_else(|| no("not_found"))?;
    let identity = super::auth::identity_of(app, tx, &v)
        .await?
        .map(|i| i.view());
    let citizen = identity.as_ref().map_or_else(
        || Bilingual {
            zh: "匿名".into(),
            en: "Anonymous".into(),
        },
        |i| Bilingual {
            zh: i.name_masked.clone(),
            en: i.name_masked.clone(),
        },
    );
    let mine = me.role == Role::Citizen;
    let open = s.state != State::Ended;
    let missing = if me.role == Role::Agent && s.case_id.is_none() {
        signing::missing(app, tx, &s).await?
    } else {
        vec![]
    };
    Ok(SessionView {
        id: s.id.to_string(),
        room: s.ticket_id.to_string(),
        state: state_view(s.state),
        end_reason: s.end_reason.clone(),
        seq: s.seq,
        version: s.version,
        started_at: s.started_at.rfc3339(),
        ended_at: s.ended_at.map(Timestamp::rfc3339),
        grace_until: s.due_at.map(Timestamp::rfc3339),
        me: Some(me.id.to_string()),
        members: members
            .into_iter()
            .map(|m| MemberView {
                id: m.id.to_string(),
                role: role_view(m.role),
                name: if m.role == Role::Citizen {
                    citizen.clone()
                } else {
                    Bilingual {
                        zh: m.name.clone(),
                        en: m.name,
                    }
                },
                present: m.present,
                mic_on: m.mic_on,
                camera_on: m.camera_on,
            })
            .collect(),
        channel: if v.channel == "booth" {
            Channel::Booth
        } else {
            Channel::Phone
        },
        needs: desk::needs_view(&t.needs),
        identity,
        card_nonce: (mine && open && v.booth_id.is_some())
            .then_some(v.card_nonce)
            .flatten(),
        item: s.item.clone(),
        form_open: s.item_version.is_some(),
        consents: consents::views(tx, &s).await?,
        sign: signing::view(tx, &s).await?,
        materials: materials::views(tx, &s).await?,
        case: s.case_id.as_ref().map(ToString::to_string),
        missing,
    })
}

pub async fn get(app: &App, who: &Principal, id: SessionId) -> Result<SessionView, AppError> {
    let (a, who) = (app.clone(), who.clone());
    app.read(|tx| Box::pin(async move { view_in(&a, tx, &who, &id).await }))
        .await
}

/// Journal entries after `seq`, opened for a member.
pub async fn events_in(
    app: &App,
    tx: &mut Tx,
    s: &session::Session,
    after: i64,
) -> Result<Vec<SessionEvent>, AppError> {
    let rows = session::events_after(tx, &s.id, after, PAGE as i64).await?;
    if rows.is_empty() {
        return Ok(vec![]);
    }
    let key = app.vault.key(tx, &s.key_id).await?;
    rows.into_iter()
        .map(|r| {
            Ok(SessionEvent {
                seq: r.seq,
                at: r.at.rfc3339(),
                actor: r.actor.map(|a| a.to_string()),
                body: key.open::<EventBody>(&r.payload_enc)?,
            })
        })
        .collect()
}

/// What a member who joins needs: snapshot, form, journal.
pub async fn joined(
    app: &App,
    who: &Principal,
    id: SessionId,
    after: i64,
) -> Result<(SessionView, Option<FormView>, Vec<SessionEvent>), AppError> {
    let (a, who) = (app.clone(), who.clone());
    app.read(move |tx| {
        Box::pin(async move {
            let view = view_in(&a, tx, &who, &id).await?;
            let (s, _, me) = call_flow::membership(tx, &who, &id).await?;
            let form = forms::view_in(&a, tx, &s, &me).await?;
            let events = events_in(&a, tx, &s, after).await?;
            Ok((view, form, events))
        })
    })
    .await
}

/// The form alone.
pub async fn form(app: &App, who: &Principal, id: SessionId) -> Result<FormView, AppError> {
    let (a, who) = (app.clone(), who.clone());
    app.read(|tx| {
        Box::pin(async move {
            let (s, _, me) = call_flow::membership(tx, &who, &id).await?;
            forms::view_in(&a, tx, &s, &me)
                .await?
                .ok_or_else(|| no("form_not_open"))
        })
    })
    .await
}
