//! The script (双录话术): the agent reads, the citizen answers; each has its place on the recording's clock.

use super::{gate, running};
use crate::{
    app::{App, Caller, call_flow},
    problem::{AppError, no},
};
use domain::{
    catalogue::Asks,
    id::{Id as _, RecordingId, SessionId},
    session::Role,
};
use protocol::{CommandReply, EventBody, PromptAnswer};
use serde_json::json;
use store::{
    recording::{self as kept, Answer, Prompt},
    session, signature,
};

/// By the agent: this prompt has been read out. Read again, its row stays where it was first read; the journal tells each time,
/// and the citizen's page asks again.
///
/// Codes: `agent_only`, `recording_not_found`, `recording_not_live`, `prompt_unknown`.
pub async fn read(
    app: &App,
    caller: &Caller,
    id: SessionId,
    recording: RecordingId,
    prompt: String,
) -> Result<CommandReply, AppError> {
    let who = caller.who.clone();
    app.command(
        caller,
        &format!("prompt_read:{id}"),
        &json!({"recording": recording.as_str(), "prompt": prompt}),
        move |tx, w| {
            let (id, who, rid, prompt) =
                (id.clone(), who.clone(), recording.clone(), prompt.clone());
            Box::pin(async move {
                let (s, me) = call_flow::live(tx, &who, &id).await?;
                if me.role != Role::Agent {
                    return Err(no("agent_only"));
                }
                let (r, ms) = running::live(tx, &rid, &id, w.now).await?;
                let (rule, item) = gate::rule_of(tx, &s)
                    .await?
                    .ok_or_else(|| no("prompt_unknown"))?;
                let p = rule.prompt(&prompt).ok_or_else(|| no("prompt_unknown"))?;
                let row = Prompt {
                    recording_id: r.id.clone(),
                    item,
                    prompt: p.id.clone(),
                    text_zh: p.text.zh.clone(),
                    text_en: p.text.en.clone(),
                    asks: p.asks.as_str().to_owned(),
                    read_at: w.now,
                    read_ms: ms,
                    again_ms: None,
                    answer: None,
                };
                kept::read(tx, &row).await?;
                session::touch(tx, &id).await?;
                let body = EventBody::PromptRead {
                    recording: r.id.to_string(),
                    prompt: row.prompt,
                };
                call_flow::journal(tx, w, &s, Some(&me.id), &body).await?;
                Ok(CommandReply::Done {})
            })
        },
    )
    .await
}

/// By the citizen on their own screen, or by the agent who heard it. A new answer replaces the last, until the signature.
///
/// Codes: `role_missing`, `recording_not_found`, `recording_not_live`, `prompt_unknown`, `prompt_not_read`, `prompt_final`.
pub async fn answer(
    app: &App,
    caller: &Caller,
    id: SessionId,
    recording: RecordingId,
    prompt: String,
    answer: PromptAnswer,
) -> Result<CommandReply, AppError> {
    let who = caller.who.clone();
    app.command(
        caller,
        &format!("prompt_answer:{id}"),
        &json!({"recording": recording.as_str(), "prompt": prompt, "answer": answer}),
        move |tx, w| {
            let (id, who, rid, prompt) =
                (id.clone(), who.clone(), recording.clone(), prompt.clone());
            Box::pin(async move {
                let (s, me) = call_flow::live(tx, &who, &id).await?;
                let by = match me.role {
                    Role::Citizen => "citizen",
                    Role::Agent => "agent",
                    Role::Guest | Role::Supervisor => return Err(no("role_missing")),
                };
                let (r, ms) = running::live(tx, &rid, &id, w.now).await?;
                let (rule, item) = gate::rule_of(tx, &s)
                    .await?
                    .ok_or_else(|| no("prompt_unknown"))?;
                let p = rule
                    .prompt(&prompt)
                    .filter(|p| p.asks == Asks::YesNo)
                    .ok_or_else(|| no("prompt_unknown"))?;
                let signed = signature::live(tx, &id)
                    .await?
                    .is_some_and(|x| x.state == "signed");
                if signed {
                    return Err(no("prompt_final"));
                }
                let row = Answer {
                    at: w.now,
                    ms,
                    answer: word(answer).to_owned(),
                    by: by.to_owned(),
                };
                if !kept::answer(tx, &r.id, &item, &p.id, &row).await? {
                    return Err(no("prompt_not_read"));
                }
                session::touch(tx, &id).await?;
                let body = EventBody::PromptAnswered {
                    recording: r.id.to_string(),
                    prompt: p.id.clone(),
                    answer,
                };
                call_flow::journal(tx, w, &s, Some(&me.id), &body).await?;
                Ok(CommandReply::Done {})
            })
        },
    )
    .await
}

const fn word(a: PromptAnswer) -> &'static str {
    match a {
        PromptAnswer::Yes => "yes",
        PromptAnswer::No => "no",
    }
}
