//! One session as one viewer may see it: masked before it leaves the server.

use super::{
    App, call_flow, consents, desk, forms, invites, ladder, materials, recording, signing,
    supervision, token::Principal,
};
use crate::problem::{AppError, no};
use domain::{
    id::{Id as _, SessionId},
    invite::{self as rule, Member as Part, Permission},
    limits,
    session::{Role, State},
    time::Timestamp,
};
use protocol::{
    Bilingual, Channel, EventBody, FormView, MemberPart, MemberRole, MemberView, SessionEvent,
    SessionState, SessionView,
};
use serde::Deserialize;
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

const fn part_view(p: Part) -> MemberPart {
    match p {
        Part::Citizen => MemberPart::Citizen,
        Part::Agent => MemberPart::Agent,
        Part::Consulted => MemberPart::Consulted,
        Part::Colleague => MemberPart::Colleague,
        Part::Interpreter => MemberPart::Interpreter,
        Part::Guest => MemberPart::Guest,
        Part::Supervisor => MemberPart::Supervisor,
    }
}

pub(super) const fn part_of(p: MemberPart) -> Part {
    match p {
        MemberPart::Citizen => Part::Citizen,
        MemberPart::Agent => Part::Agent,
        MemberPart::Consulted => Part::Consulted,
        MemberPart::Colleague => Part::Colleague,
        MemberPart::Interpreter => Part::Interpreter,
        MemberPart::Guest => Part::Guest,
        MemberPart::Supervisor => Part::Supervisor,
    }
}

/// A journal entry as it is kept.
#[derive(Deserialize)]
struct Kept {
    #[serde(flatten)]
    body: EventBody,
    /// Of somebody in private talk: see [`invites::is_private`].
    #[serde(default)]
    private: bool,
    /// Of a supervisor: who is told.
    #[serde(default)]
    told: Option<supervision::Told>,
}

/// Whether somebody is shown as being there. Without staff's knowledge of who is asked, a helper is there once they have come.
fn is_shown(m: &session::Member, to: &session::Member) -> bool {
    let come = m.present || m.dropped_at.is_some() || rule::may(to.part, Permission::StaffTalk);
    let helps = m.role == Role::Guest && m.id != to.id;
    rule::shown(m.part, to.part) && (come || !helps)
}

/// An entry as a member may see it: what is not theirs keeps its number and says nothing.
fn entry(kept: Kept, me: Part) -> EventBody {
    use EventBody as E;
    let Kept {
        body,
        private,
        told,
    } = kept;
    let told = told.is_none_or(|t| supervision::sees(t, me));
    if !told || (private && !rule::may(me, Permission::StaffTalk)) {
        return E::Hidden {};
    }
    let needs = match &body {
        E::Chat { .. } => Permission::ReadChat,
        E::FormOpened { .. }
        | E::FieldSet { .. }
        | E::Prefilled { .. }
        | E::GroupConfirmed { .. }
        | E::FieldConfirmed { .. }
        | E::GroupDisputed { .. }
        | E::ConsentAsked { .. }
        | E::ConsentGranted { .. }
        | E::ConsentRefused { .. }
        | E::ConsentWithdrawn { .. }
        | E::SignAsked {}
        | E::SignDeclined {}
        | E::Signed {}
        | E::HandedOff { .. } => Permission::ReadForm,
        E::RecordingAsked { .. }
        | E::RecordingAnswered { .. }
        | E::RecordingStarted { .. }
        | E::RecordingInterrupted { .. }
        | E::RecordingResumed { .. }
        | E::RecordingStopped { .. }
        | E::RecordingSealed { .. }
        | E::PromptRead { .. }
        | E::PromptAnswered { .. } => {
            return if recording::sees(me) {
                body
            } else {
                E::Hidden {}
            };
        }
        E::MaterialAdded { .. } | E::MaterialRemoved { .. } => Permission::ReadMaterials,
        E::SnapshotTaken { .. } => Permission::SeeCitizen,
        E::Noted { .. } => Permission::StaffTalk,
        E::MemberJoined { .. }
        | E::MemberDropped { .. }
        | E::MemberBack { .. }
        | E::MemberLeft { .. }
        | E::MediaConnected { .. }
        | E::MediaLost { .. }
        | E::Identified {}
        | E::Invited { .. }
        | E::InviteChanged { .. }
        | E::Hold { .. }
        | E::Transferred { .. }
        | E::ModeChanged { .. }
        | E::ModeAsked { .. }
        | E::ModeRefused {}
        | E::SupervisionStarted { .. }
        | E::SupervisionChanged { .. }
        | E::SupervisionEnded { .. }
        | E::Hidden {}
        | E::Ended { .. } => return body,
    };
    if rule::may(me, needs) {
        body
    } else {
        E::Hidden {}
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
    let sees = |p| rule::may(me.part, p);
    let identity = if sees(Permission::SeeCitizen) {
        super::auth::identity_of(app, tx, &v)
            .await?
            .map(|i| i.view())
    } else {
        None
    };
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
    let hold = invites::on_hold(tx, &s).await?;
    let invites = if open && sees(Permission::Invite) && me.role == Role::Agent {
        invites::views(tx, &s).await?
    } else {
        vec![]
    };
    let reads = sees(Permission::ReadForm);
    let supervisors = supervision::told(tx, &s, &members).await?;
    let (supervised, notice) = if open {
        (
            supervision::view_for(tx, &s, &members, &me).await?,
            supervision::notice(tx, &s, me.part).await?,
        )
    } else {
        (None, None)
    };
    let names = invites::guest_names(app, tx, &s, &members).await?;
    let (recording, recording_rule) = recording::views(tx, &s, me.part).await?;
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
            // Of a session that is over, everybody who was in it.
            .filter(|m| {
                supervision::shown(&supervisors, m, &me)
                    && if open {
                        !m.is_out() && is_shown(m, &me)
                    } else {
                        rule::shown(m.part, me.part)
                    }
            })
            .map(|m| MemberView {
                id: m.id.to_string(),
                role: role_view(m.role),
                part: part_view(m.part),
                name: if m.role == Role::Citizen {
                    citizen.clone()
                } else if let Some(n) = names.get(&m.id) {
                    Bilingual {
                        zh: n.clone(),
                        en: n.clone(),
                    }
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
        may: rule::permissions(me.part)
            .iter()
            .map(|p| p.as_str().to_owned())
            .collect(),
        hold: open && hold,
        mode: ladder::view(s.ladder.mode),
        mode_asked: s.ladder.asked.map(ladder::view),
        invites,
        supervision: supervised,
        supervision_notice: notice,
        channel: if v.channel == "booth" {
            Channel::Booth
        } else {
            Channel::Phone
        },
        needs: desk::needs_view(&t.needs),
        // An interpreter or a family member knows whom they help; a number is not needed for that.
        identity: identity.filter(|_| reads),
        card_nonce: (mine && open && v.booth_id.is_some())
            .then_some(v.card_nonce)
            .flatten(),
        item: s.item.clone(),
        form_open: reads && s.item_version.is_some(),
        consents: if reads {
            consents::views(tx, &s).await?
        } else {
            vec![]
        },
        recording,
        recording_rule,
        sign: if reads {
            signing::view(tx, &s).await?
        } else {
            None
        },
        materials: if rule::may(me.part, Permission::ReadMaterials) {
            materials::views(tx, &s).await?
        } else {
            vec![]
        },
        case: s
            .case_id
            .as_ref()
            .filter(|_| reads)
            .map(ToString::to_string),
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
    me: Part,
    after: i64,
) -> Result<Vec<SessionEvent>, AppError> {
    let rows = session::events_after(tx, &s.id, after, PAGE as i64).await?;
    if rows.is_empty() {
        return Ok(vec![]);
    }
    let key = app.vault.key(tx, &s.key_id).await?;
    let mut out = rows
        .into_iter()
        .map(|r| {
            let body = entry(key.open::<Kept>(&r.payload_enc)?, me);
            // Who did what one may not know is not told either, nor who answered in private.
            let told = match &body {
                EventBody::Hidden {} => false,
                EventBody::InviteChanged { .. } => rule::may(me, Permission::StaffTalk),
                _ => true,
            };
            Ok(SessionEvent {
                seq: r.seq,
                at: r.at.rfc3339(),
                actor: r.actor.filter(|_| told).map(|a| a.to_string()),
                body,
            })
        })
        .collect::<Result<Vec<_>, AppError>>()?;
    name_who_left(app, tx, s, &mut out).await?;
    Ok(out)
}

/// Who comes late has never seen those who have left: their names come with the entry.
async fn name_who_left(
    app: &App,
    tx: &mut Tx,
    s: &session::Session,
    events: &mut [SessionEvent],
) -> Result<(), AppError> {
    let left = |e: &SessionEvent| {
        matches!(
            e.body,
            EventBody::MemberLeft { .. } | EventBody::SupervisionEnded { .. }
        )
    };
    if !events.iter().any(left) {
        return Ok(());
    }
    let members = session::members(tx, &s.id).await?;
    let guests = invites::guest_names(app, tx, s, &members).await?;
    for e in events {
        if let EventBody::MemberLeft { member, name }
        | EventBody::SupervisionEnded { member, name, .. } = &mut e.body
            && let Some(m) = members.iter().find(|m| m.id.as_str() == member)
            && m.role != Role::Citizen
        {
            let n = guests.get(&m.id).unwrap_or(&m.name).clone();
            *name = Some(Bilingual {
                zh: n.clone(),
                en: n,
            });
        }
    }
    Ok(())
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
            let form = if rule::may(me.part, Permission::ReadForm) {
                forms::view_in(&a, tx, &s, &me).await?
            } else {
                None
            };
            let events = events_in(&a, tx, &s, me.part, after).await?;
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
            call_flow::allowed(&me, Permission::ReadForm)?;
            forms::view_in(&a, tx, &s, &me)
                .await?
                .ok_or_else(|| no("form_not_open"))
        })
    })
    .await
}
