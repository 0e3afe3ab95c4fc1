//! Commands inside a live session: decode, call the use case, encode.

use crate::{
    app::{App, Caller, call_flow, consents, forms, ladder, materials, media, recording, signing},
    problem::{AppError, no},
};
use domain::id::{ConsentId, Id, MaterialId, RecordingId, SessionId, TicketId};
use protocol::{Command, CommandReply};

pub fn id<T: Id>(text: &str, code: &'static str) -> Result<T, AppError> {
    T::parse(text).ok_or_else(|| no(code))
}

pub fn session(text: &str) -> Result<SessionId, AppError> {
    id(text, "not_a_member")
}

fn recorded(text: &str) -> Result<RecordingId, AppError> {
    id(text, "recording_not_found")
}

/// All but `join`, which belongs to the connection.
pub async fn run(app: &App, caller: &Caller, command: Command) -> Result<CommandReply, AppError> {
    match command {
        Command::Join { .. } => Err(no("internal")),
        Command::MediaOffer { room, sdp } => {
            media::offer(app, &caller.who, id::<TicketId>(&room, "not_found")?, sdp).await
        }
        Command::MediaState {
            session: s,
            mic_on,
            camera_on,
        } => call_flow::media_state(app, caller, session(&s)?, mic_on, camera_on).await,
        Command::Chat { session: s, text } => {
            call_flow::chat(app, caller, session(&s)?, text).await
        }
        Command::FormOpen { session: s, item } => {
            forms::open(app, caller, session(&s)?, item).await
        }
        Command::FormSet {
            session: s,
            path,
            base_version,
            value,
        } => forms::set(app, caller, session(&s)?, path, base_version, value).await,
        Command::FormConfirm {
            session: s,
            group,
            form_version,
        } => forms::confirm(app, caller, session(&s)?, group, form_version).await,
        Command::FormConfirmField {
            session: s,
            path,
            field_version,
        } => forms::confirm_field(app, caller, session(&s)?, path, field_version).await,
        Command::FormDispute { session: s, group } => {
            forms::dispute(app, caller, session(&s)?, group).await
        }
        Command::ConsentAsk {
            session: s,
            licence_type,
            company,
        } => consents::ask(app, caller, session(&s)?, licence_type, company).await,
        Command::ConsentAnswer {
            session: s,
            consent,
            grant,
        } => {
            consents::answer(
                app,
                caller,
                session(&s)?,
                id::<ConsentId>(&consent, "not_found")?,
                grant,
            )
            .await
        }
        Command::ConsentWithdraw {
            session: s,
            consent,
        } => {
            consents::withdraw(
                app,
                caller,
                session(&s)?,
                id::<ConsentId>(&consent, "not_found")?,
            )
            .await
        }
        Command::Identify { session: s, read } => {
            call_flow::identify(app, caller, session(&s)?, read).await
        }
        Command::RecordingAsk { session: s } => recording::ask(app, caller, session(&s)?).await,
        Command::RecordingAnswer {
            session: s,
            recording: r,
            grant,
            policy_version,
        } => {
            recording::answer(
                app,
                caller,
                session(&s)?,
                recorded(&r)?,
                grant,
                policy_version,
            )
            .await
        }
        Command::RecordingWithdraw {
            session: s,
            recording: r,
        } => recording::withdraw(app, caller, session(&s)?, recorded(&r)?).await,
        Command::PromptRead {
            session: s,
            recording: r,
            prompt,
        } => recording::read_prompt(app, caller, session(&s)?, recorded(&r)?, prompt).await,
        Command::PromptAnswer {
            session: s,
            recording: r,
            prompt,
            answer,
        } => {
            recording::answer_prompt(app, caller, session(&s)?, recorded(&r)?, prompt, answer).await
        }
        Command::SignAsk { session: s } => signing::ask(app, caller, session(&s)?).await,
        Command::Sign {
            session: s,
            digest,
            strokes,
            image,
        } => signing::sign(app, caller, session(&s)?, digest, strokes, image).await,
        Command::Mode { session: s, to } => ladder::go(app, caller, session(&s)?, to).await,
        Command::ModeAgree { session: s } => ladder::answer(app, caller, session(&s)?, true).await,
        Command::ModeRefuse { session: s } => {
            ladder::answer(app, caller, session(&s)?, false).await
        }
        Command::SignDecline { session: s } => signing::decline(app, caller, session(&s)?).await,
        Command::MaterialRemove {
            session: s,
            material,
        } => {
            materials::remove(
                app,
                caller,
                session(&s)?,
                id::<MaterialId>(&material, "material_unknown")?,
            )
            .await
        }
    }
}
