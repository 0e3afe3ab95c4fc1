//! Who may be in a room, and as what: the room follows the rows.

use super::MediaPlane;
use crate::{
    app::{App, call_flow, invites, recording, token::Principal},
    problem::{AppError, no},
};
use domain::{
    id::{Id as _, TicketId},
    invite::Member as Part,
    pairing as pairing_rule,
    session::State,
    supervision::Mode,
    ticket as ticket_rule,
};
use media::{Engine as _, MediaEngine, MemberRole, record::Ended};
use std::sync::Arc;
use store::{Tx, pairing, session, ticket};

/// A member's name in the room.
pub(in crate::app) fn room_name(m: &session::Member) -> String {
    m.visit_id
        .as_ref()
        .map(ToString::to_string)
        .or_else(|| m.staff_id.as_ref().map(ToString::to_string))
        .unwrap_or_else(|| m.id.to_string())
}

/// Their part in the room now.
const fn role_of(m: &session::Member, hold: bool) -> MemberRole {
    match m.part {
        Part::Agent => MemberRole::Agent,
        Part::Consulted => MemberRole::Consulted,
        // A private talk is of those who are asked into it.
        Part::Supervisor if hold => MemberRole::Aside,
        Part::Supervisor => MemberRole::Listener,
        Part::Citizen | Part::Colleague | Part::Interpreter | Part::Guest if hold => {
            MemberRole::Held
        }
        Part::Citizen => MemberRole::Citizen,
        Part::Colleague => MemberRole::Colleague,
        Part::Interpreter | Part::Guest => MemberRole::Guest,
    }
}

/// The same for those whose part does not say it: a supervisor is heard by the agents while they whisper.
async fn role_in(
    tx: &mut Tx,
    s: &session::Session,
    m: &session::Member,
    hold: bool,
) -> Result<MemberRole, AppError> {
    let role = role_of(m, hold);
    if role != MemberRole::Listener || m.is_out() {
        return Ok(role);
    }
    let live = store::supervision::live(tx, &s.id).await?;
    let whispers = live.is_some_and(|v| v.member_id == m.id && v.mode == Mode::Whisper);
    Ok(if whispers { MemberRole::Whisper } else { role })
}

/// Who the caller is in a ticket's room, if anyone.
pub(super) async fn entitled(
    tx: &mut Tx,
    who: &Principal,
    id: &TicketId,
) -> Result<(MemberRole, bool), AppError> {
    let t = ticket::get(tx, id).await?.ok_or_else(|| no("not_found"))?;
    if let Some(s) = session::by_ticket(tx, id).await? {
        if s.state == State::Ended {
            return Err(no("room_closed"));
        }
        // The seat that is rung for a session on its way is no member yet, and warms up like any other.
        let rung = s.parked && matches!(who, Principal::Staff { .. });
        if !rung {
            let (s, _, me) = call_flow::membership(tx, who, &s.id).await?;
            let hold = invites::on_hold(tx, &s).await?;
            return Ok((role_in(tx, &s, &me, hold).await?, true));
        }
    }
    let queued = matches!(
        t.state,
        ticket_rule::State::Waiting | ticket_rule::State::Offered
    );
    match who {
        Principal::Citizen { visit } if t.visit_id == *visit && queued => {
            Ok((MemberRole::Citizen, false))
        }
        Principal::Staff { id: me, .. } => {
            let p = pairing::live_of_ticket(tx, id)
                .await?
                .filter(|p| p.state == pairing_rule::State::Offered)
                .ok_or_else(|| no("not_found"))?;
            let seat = store::seat::get(tx, &p.seat_id).await?;
            if seat.is_some_and(|s| s.staff_id.as_ref() == Some(me)) {
                Ok((MemberRole::Agent, false))
            } else {
                Err(no("not_found"))
            }
        }
        _ => Err(no("not_found")),
    }
}

impl MediaPlane {
    /// Brings the room in line with the rows: who left, who hears whom, what the call carries.
    pub(super) async fn shape_here(
        &self,
        app: &App,
        engine: &Arc<MediaEngine>,
        room: &str,
    ) -> Result<(), AppError> {
        let Some(id) = TicketId::parse(room) else {
            return Ok(());
        };
        let _shaping = self.shaping.lock().await;
        let found = app
            .read(|tx| {
                Box::pin(async move {
                    let Some(s) = session::by_ticket(tx, &id).await? else {
                        return Ok(None);
                    };
                    let hold = invites::on_hold(tx, &s).await?;
                    let mut members = vec![];
                    for m in session::members(tx, &s.id).await? {
                        let role = role_in(tx, &s, &m, hold).await?;
                        members.push((m, role));
                    }
                    Ok(Some((s, members)))
                })
            })
            .await?;
        let Some((s, members)) = found else {
            return Ok(());
        };
        if s.state == State::Ended {
            // Over without a word to the media plane: a citizen who left on the way to another seat.
            self.record_close(app, engine, room, Ended::Finished).await;
            engine.close_room(room).await;
            return Ok(());
        }
        let carried = media::SentMedia {
            mic: s.ladder.mode.has_audio(),
            camera: s.ladder.mode.has_video(),
        };
        engine.set_carried(room, carried).await;
        let all: Vec<_> = members.iter().map(|(m, _)| m.clone()).collect();
        engine
            .require_in_recording(room, recording::required(&all))
            .await;
        for (m, role) in members {
            let name = room_name(&m);
            if m.is_out() {
                engine.leave(room, &name).await;
            } else {
                engine.set_role(room, &name, role).await;
            }
        }
        Ok(())
    }
}
