//! The degrade ladder (降级) of a session: video, sound, text, telephone. The form is not touched; what the room carries follows.

use super::{
    App, Caller,
    call_flow::{journal, live},
    lanes,
};
use crate::problem::AppError;
use domain::{
    id::{Id as _, SessionId},
    invite::Member as Part,
    ladder::{Asker, Cmd, Mode},
};
use protocol::{CallMode, CommandReply, EventBody, TicketMode};
use serde_json::json;
use store::{session, ticket};

#[must_use]
pub const fn view(m: Mode) -> CallMode {
    match m {
        Mode::Video => CallMode::Video,
        Mode::Audio => CallMode::Audio,
        Mode::Text => CallMode::Text,
        Mode::Phone => CallMode::Phone,
    }
}

const fn mode(m: CallMode) -> Mode {
    match m {
        CallMode::Video => Mode::Video,
        CallMode::Audio => Mode::Audio,
        CallMode::Text => Mode::Text,
        CallMode::Phone => Mode::Phone,
    }
}

/// What a ticket may ask for; nobody queues for the telephone.
#[must_use]
pub const fn ticket_view(m: Mode) -> TicketMode {
    match m {
        Mode::Text => TicketMode::Text,
        Mode::Audio => TicketMode::Audio,
        Mode::Video | Mode::Phone => TicketMode::Video,
    }
}

#[must_use]
pub const fn of_ticket(m: TicketMode) -> Mode {
    match m {
        TicketMode::Video => Mode::Video,
        TicketMode::Audio => Mode::Audio,
        TicketMode::Text => Mode::Text,
    }
}

/// Another rung: by the citizen at once, by the agent downwards at once and else as a question.
///
/// Codes: `ladder_same`, `ladder_not_yours`.
pub async fn go(
    app: &App,
    caller: &Caller,
    id: SessionId,
    to: CallMode,
) -> Result<CommandReply, AppError> {
    apply(app, caller, id, json!({"to": to}), move |part| {
        let by = match part {
            Part::Citizen => Asker::Citizen,
            Part::Agent => Asker::Agent,
            Part::Consulted
            | Part::Colleague
            | Part::Interpreter
            | Part::Guest
            | Part::Supervisor => Asker::Other,
        };
        Ok(Cmd::Go(by, mode(to)))
    })
    .await
}

/// The citizen's answer to what the agent asked. Codes: `ladder_not_asked`, `citizen_only`.
pub async fn answer(
    app: &App,
    caller: &Caller,
    id: SessionId,
    agree: bool,
) -> Result<CommandReply, AppError> {
    apply(app, caller, id, json!({"agree": agree}), move |part| {
        if part != Part::Citizen {
            return Err(crate::problem::no("citizen_only"));
        }
        Ok(if agree { Cmd::Agree } else { Cmd::Refuse })
    })
    .await
}

async fn apply(
    app: &App,
    caller: &Caller,
    id: SessionId,
    body: serde_json::Value,
    cmd: impl Fn(Part) -> Result<Cmd, AppError> + Clone + Send + Sync + 'static,
) -> Result<CommandReply, AppError> {
    let (who, sid) = (caller.who.clone(), id.clone());
    let reply = app
        .command(caller, &format!("mode:{id}"), &body, move |tx, w| {
            let (id, who, cmd) = (id.clone(), who.clone(), cmd.clone());
            Box::pin(async move {
                let (mut s, me) = live(tx, &who, &id).await?;
                let was = s.ladder;
                s.ladder = was.apply(cmd(me.part)?)?;
                if !session::save(tx, &s).await? {
                    return Err(store::StoreError::Retry.into());
                }
                if s.ladder.mode != was.mode {
                    // Who climbed from text is handed on as a call: a text lane could not serve it.
                    let t = ticket::get(tx, &s.ticket_id).await?;
                    if let Some(t) = t.filter(|t| t.mode == Mode::Text) {
                        let up = match s.ladder.mode {
                            Mode::Video => Some(Mode::Video),
                            // A telephone takes the whole agent, too.
                            Mode::Audio | Mode::Phone => Some(Mode::Audio),
                            Mode::Text => None,
                        };
                        if let Some(up) = up
                            && !ticket::set_mode(tx, &t, up).await?
                        {
                            return Err(store::StoreError::Retry.into());
                        }
                    }
                    lanes::climbed(tx, w, &s.seat_id).await?;
                }
                let said = if s.ladder.mode != was.mode {
                    EventBody::ModeChanged {
                        mode: view(s.ladder.mode),
                    }
                } else if let Some(m) = s.ladder.asked {
                    EventBody::ModeAsked { mode: view(m) }
                } else {
                    EventBody::ModeRefused {}
                };
                journal(tx, w, &s, Some(&me.id), &said).await?;
                w.audit(
                    tx,
                    "session.mode",
                    id.as_str(),
                    json!({"mode": s.ladder.mode.as_str(), "asked": s.ladder.asked.map(Mode::as_str)}),
                )
                .await?;
                Ok(CommandReply::Done {})
            })
        })
        .await?;
    app.media.shape(app, &sid).await;
    Ok(reply)
}
