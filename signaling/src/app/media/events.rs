//! What the engine tells, carried to the people and kept.

use super::{lock, parts::room_name, record};
use crate::{
    app::{App, call_flow, netcheck, quality},
    cluster::Live,
    problem::AppError,
};
use domain::{
    id::{Id as _, TicketId},
    session::State,
};
use media::MediaEvent;
use protocol::{EventBody, SlotView};
use std::collections::HashMap;
use store::session;
use tokio::sync::mpsc;

/// The session of a room and its members by the name that they have in the room.
async fn members_of(
    app: &App,
    room: &str,
) -> Result<Option<(session::Session, HashMap<String, String>)>, AppError> {
    let Some(id) = TicketId::parse(room) else {
        return Ok(None);
    };
    app.read(|tx| {
        Box::pin(async move {
            let Some(s) = session::by_ticket(tx, &id).await? else {
                return Ok(None);
            };
            let names = session::members(tx, &s.id)
                .await?
                .into_iter()
                .map(|m| (room_name(&m), m.id.to_string()))
                .collect();
            Ok(Some((s, names)))
        })
    })
    .await
}

pub(super) async fn announce(
    app: &App,
    room: &str,
    member: &str,
    slots: &[media::Slot],
) -> Result<(), AppError> {
    let Some((s, names)) = members_of(app, room).await? else {
        return Ok(());
    };
    let Some(to) = names.get(member) else {
        return Ok(());
    };
    let slots = slots
        .iter()
        .filter_map(|x| {
            let media = if x.kind == media::Kind::Audio {
                "audio"
            } else {
                "video"
            };
            Some(SlotView {
                mid: x.mid.clone(),
                member: names.get(&x.member)?.clone(),
                media: media.into(),
                source: x.source.as_str().into(),
                paused: x.paused,
            })
        })
        .collect();
    app.bus
        .live(Live::Slots {
            session: s.id.to_string(),
            member: to.clone(),
            slots,
        })
        .await;
    Ok(())
}

/// Asks a member's page to offer again, if there is a session to ask in; whoever joins later is asked then.
pub(super) async fn renegotiate(app: &App, room: &str, member: &str) -> Result<(), AppError> {
    if let Some((s, names)) = members_of(app, room).await?
        && let Some(to) = names.get(member)
    {
        app.bus
            .live(Live::Renegotiate {
                session: s.id.to_string(),
                member: to.clone(),
            })
            .await;
    }
    Ok(())
}

async fn on_event(app: &App, quality: &quality::Intake, e: MediaEvent) -> Result<(), AppError> {
    match e {
        // A check has no lease to keep and nobody to tell.
        MediaEvent::Slots { room, .. }
        | MediaEvent::Connected { room, .. }
        | MediaEvent::Quiet { room, .. }
        | MediaEvent::Heard { room, .. }
            if netcheck::owns(&room) =>
        {
            Ok(())
        }
        MediaEvent::Disconnected { room, .. } if netcheck::owns(&room) => {
            netcheck::left(app, &room).await;
            Ok(())
        }
        MediaEvent::Slots {
            room,
            member,
            slots,
        } => {
            lock(&app.media.slots)
                .entry(room.clone())
                .or_default()
                .insert(member.clone(), slots.clone());
            announce(app, &room, &member, &slots).await
        }
        MediaEvent::Renegotiate { room, member } => {
            lock(&app.media.stale).insert((room.clone(), member.clone()));
            renegotiate(app, &room, &member).await
        }
        MediaEvent::Connected { room, member } => {
            lock(&app.media.slots).entry(room.clone()).or_default();
            quality.back(room.clone(), member.clone());
            note(app, &room, &member, |m| EventBody::MediaConnected {
                member: m,
            })
            .await
        }
        MediaEvent::Quiet { room, member } => {
            quality.ended(room, member);
            Ok(())
        }
        MediaEvent::Heard { room, member } => {
            quality.back(room, member);
            Ok(())
        }
        MediaEvent::Disconnected {
            room,
            member,
            reason,
        } => {
            tracing::info!(room, ?reason, "a member's media ended");
            // Another page took over: its own line is measured.
            if reason != media::EndReason::Replaced {
                quality.ended(room.clone(), member.clone());
            }
            note(app, &room, &member, |m| EventBody::MediaLost { member: m }).await
        }
        MediaEvent::Quality {
            room,
            member,
            loss_pct,
            jitter_ms,
            rtt_ms,
        } => {
            quality.measured(room, member, loss_pct, jitter_ms, rtt_ms);
            Ok(())
        }
        MediaEvent::Recording {
            room,
            recording,
            at_ms,
            event,
        } => record::on_event(app, &room, &recording, at_ms, event).await,
    }
}

/// Notes a change of a member's media in the journal of a live session.
async fn note(
    app: &App,
    room: &str,
    member: &str,
    body: impl Fn(String) -> EventBody,
) -> Result<(), AppError> {
    let Some((s, names)) = members_of(app, room).await? else {
        return Ok(());
    };
    let Some(m) = names.get(member).filter(|_| s.state != State::Ended) else {
        return Ok(());
    };
    let (id, of, body) = (s.id, m.clone(), body(m.clone()));
    app.write("server", move |tx, w| {
        let (id, of, body) = (id.clone(), of.clone(), body.clone());
        Box::pin(async move {
            store::dialect::lock_session(tx, &id).await?;
            let Some(s) = session::get(tx, &id)
                .await?
                .filter(|s| s.state != State::Ended)
            else {
                return Ok(());
            };
            // Who left needs no word about their line.
            let gone = session::members(tx, &id)
                .await?
                .iter()
                .any(|m| m.left_at.is_some() && m.id.as_str() == of);
            if !gone {
                call_flow::journal(tx, w, &s, None, &body).await?;
            }
            Ok(())
        })
    })
    .await
}

/// Carries the engine's events to the people, until the engine stops.
pub fn listen(app: App, mut events: mpsc::Receiver<MediaEvent>) -> tokio::task::JoinHandle<()> {
    let quality = quality::Intake::open(&app);
    tokio::spawn(async move {
        while let Some(e) = events.recv().await {
            if let Err(e) = on_event(&app, &quality, e).await {
                tracing::warn!(error = %e, "a media event was not kept");
            }
        }
    })
}
