//! The question and the answer, and the answer taken back.

use super::{ending, gate, locked, running, save, step, tell};
use crate::{
    app::{App, Caller, Work, call_flow, desk, hall_policy, signing},
    problem::{AppError, no},
};
use domain::{
    catalogue::LegalStep,
    id::{Id as _, KeyId, RecordingId, SessionId},
    recording::{Cmd, End, PER_SESSION, Policy, State},
    session::Role,
    time::Timestamp,
};
use media::record::Ended;
use protocol::{CommandReply, EventBody};
use serde_json::json;
use store::{
    Tx, keys,
    recording::{self as kept, Recording},
    session,
};

/// By the agent: the citizen sees what would be recorded, why and how long it is kept. One question at a time.
///
/// Codes: `agent_only`, `recording_open`, `recording_mode`, `slow_down`.
pub async fn ask(app: &App, caller: &Caller, id: SessionId) -> Result<CommandReply, AppError> {
    let who = caller.who.clone();
    app.command(
        caller,
        &format!("recording_ask:{id}"),
        &json!({}),
        move |tx, w| {
            let (id, who) = (id.clone(), who.clone());
            Box::pin(async move {
                let (s, me) = call_flow::live(tx, &who, &id).await?;
                if me.role != Role::Agent {
                    return Err(no("agent_only"));
                }
                // Without sound there is nothing that both said.
                if !s.ladder.mode.has_audio() {
                    return Err(no("recording_mode"));
                }
                let all = kept::of_session(tx, &id).await?;
                if all.len() >= PER_SESSION {
                    return Err(no("slow_down"));
                }
                State::apply(all.last().map(|r| r.state), Cmd::Ask)?;
                let (policy, version) = hall_policy::of::<Policy>(tx, &s.hall_id).await?;
                let notice = policy.notice(version);
                let key_id: KeyId = w.id();
                let (_, wrapped) = w.app.vault.make(key_id.clone());
                keys::insert(tx, &key_id, wrapped, w.now).await?;
                let row = Recording {
                    id: w.id(),
                    session_id: id.clone(),
                    hall_id: s.hall_id.clone(),
                    visit_id: s.visit_id.clone(),
                    key_id,
                    state: State::Asked,
                    version: 1,
                    policy_version: notice.policy_version.clone(),
                    notice: serde_json::to_string(&notice).map_err(|_| no("internal"))?,
                    asked_by: me.id.clone(),
                    asked_at: w.now,
                    answered_at: None,
                    granted: None,
                    started_at: None,
                    proven_at: None,
                    interrupted: None,
                    ended_at: None,
                    end_reason: None,
                    node: None,
                    manifest: None,
                    signature: None,
                    public_key: None,
                    sealed_at: None,
                    duration_ms: None,
                    gaps: None,
                    bytes: None,
                    delete_at: None,
                    hold: None,
                    deleted_at: None,
                };
                kept::insert(tx, &row).await?;
                w.audit(
                    tx,
                    "recording.asked",
                    row.id.as_str(),
                    json!({"session": id.as_str(), "policy_version": row.policy_version}),
                )
                .await?;
                let body = EventBody::RecordingAsked {
                    recording: row.id.to_string(),
                };
                tell(tx, w, &row, Some(&me.id), &body).await?;
                Ok(CommandReply::Done {})
            })
        },
    )
    .await
}

/// By the citizen, on their own screen. A yes begins the recording at once.
///
/// Codes: `citizen_only`, `recording_not_found`, `recording_policy_changed`, `recording_state`, `recording_consent_needed`.
pub async fn answer(
    app: &App,
    caller: &Caller,
    id: SessionId,
    recording: RecordingId,
    grant: bool,
    policy_version: String,
) -> Result<CommandReply, AppError> {
    let (who, rid) = (caller.who.clone(), recording.clone());
    let reply = app
        .command(
            caller,
            &format!("recording_answer:{id}"),
            &json!({"recording": rid.as_str(), "grant": grant, "policy_version": policy_version}),
            move |tx, w| {
                let (id, who, rid, shown) =
                    (id.clone(), who.clone(), rid.clone(), policy_version.clone());
                Box::pin(async move {
                    let (_, me) = call_flow::live(tx, &who, &id).await?;
                    if me.role != Role::Citizen {
                        return Err(no("citizen_only"));
                    }
                    let mut r = kept::get(tx, &rid)
                        .await?
                        .filter(|r| r.session_id == id)
                        .ok_or_else(|| no("recording_not_found"))?;
                    // The answer is to what was on the screen, and to nothing else.
                    if r.policy_version != shown {
                        return Err(no("recording_policy_changed"));
                    }
                    step(&mut r, if grant { Cmd::Grant } else { Cmd::Refuse })?;
                    (r.answered_at, r.granted) = (Some(w.now), Some(grant));
                    if grant {
                        r.started_at = Some(Timestamp::from_millis(w.now.millis()));
                    } else {
                        (r.ended_at, r.end_reason) =
                            (Some(w.now), Some(End::Refused.as_str().into()));
                        keys::destroy(tx, &r.key_id, w.now).await?;
                    }
                    save(tx, &mut r).await?;
                    let action = if grant {
                        "recording.granted"
                    } else {
                        "recording.refused"
                    };
                    w.audit(
                        tx,
                        action,
                        r.id.as_str(),
                        json!({"session": id.as_str(), "policy_version": r.policy_version}),
                    )
                    .await?;
                    let body = EventBody::RecordingAnswered {
                        recording: r.id.to_string(),
                        grant,
                    };
                    tell(tx, w, &r, Some(&me.id), &body).await?;
                    Ok(CommandReply::Done {})
                })
            },
        )
        .await?;
    if grant && let Err(e) = running::start(app, &recording).await {
        // Nobody believes that it runs before it is proven; the sweep tries again.
        tracing::warn!(code = e.code(), recording = %recording, "a recording has not begun yet");
    }
    Ok(reply)
}

/// By the citizen: nothing is written any more once this answers. What was signed under it is void, unless it has been handed in.
///
/// Codes: `citizen_only`, `recording_not_found`, `recording_state`, `recording_consent_needed`, `recording_stop_unconfirmed`.
pub async fn withdraw(
    app: &App,
    caller: &Caller,
    id: SessionId,
    recording: RecordingId,
) -> Result<CommandReply, AppError> {
    let (who, rid) = (caller.who.clone(), recording.clone());
    let reply = app
        .command(
            caller,
            &format!("recording_withdraw:{id}"),
            &json!({"recording": rid.as_str()}),
            move |tx, w| {
                let (id, who, rid) = (id.clone(), who.clone(), rid.clone());
                Box::pin(async move {
                    let (s, me) = call_flow::live(tx, &who, &id).await?;
                    if me.role != Role::Citizen {
                        return Err(no("citizen_only"));
                    }
                    let mut r = kept::get(tx, &rid)
                        .await?
                        .filter(|r| r.session_id == id)
                        .ok_or_else(|| no("recording_not_found"))?;
                    // Pressed again because the first press was not confirmed.
                    if r.state == State::Sealing && r.manifest.is_none() {
                        return Ok(CommandReply::Done {});
                    }
                    step(&mut r, Cmd::Withdraw)?;
                    (r.ended_at, r.end_reason) =
                        (Some(w.now), Some(End::Withdrawn.as_str().into()));
                    save(tx, &mut r).await?;
                    let bound = gate::rule_of(tx, &s)
                        .await?
                        .is_some_and(|(rule, _)| rule.steps.contains(&LegalStep::Sign));
                    if bound && s.case_id.is_none() {
                        signing::void(tx, w, &s).await?;
                    }
                    w.audit(
                        tx,
                        "recording.withdrawn",
                        r.id.as_str(),
                        json!({"session": id.as_str()}),
                    )
                    .await?;
                    let body = EventBody::RecordingStopped {
                        recording: r.id.to_string(),
                        reason: End::Withdrawn.as_str().into(),
                    };
                    tell(tx, w, &r, Some(&me.id), &body).await?;
                    Ok(CommandReply::Done {})
                })
            },
        )
        .await?;
    if let Err(e) = ending::stop_writing(app, &recording, Ended::Withdrawn).await {
        // Never said to be stopped when it may not be: the page tells them, and the sweep goes on trying.
        tracing::error!(code = e.code(), recording = %recording, "a withdrawn recording was not confirmed to be stopped");
        return Err(no("recording_stop_unconfirmed"));
    }
    Ok(reply)
}

/// Nobody has answered within the time, or the session is over. The caller changes the session.
pub(super) async fn lapse(tx: &mut Tx, w: &mut Work, r: &Recording) -> Result<(), AppError> {
    State::apply(Some(r.state), Cmd::Lapse)?;
    if !kept::lapse(tx, r, w.now, End::Unanswered.as_str()).await? {
        return Err(store::StoreError::Retry.into());
    }
    keys::destroy(tx, &r.key_id, w.now).await?;
    w.audit(
        tx,
        "recording.unanswered",
        r.id.as_str(),
        json!({"session": r.session_id.as_str()}),
    )
    .await
}

/// Questions that have been open too long.
pub(super) async fn lapse_due(app: &App) -> Result<(), AppError> {
    let until = app.now() - domain::recording::UNANSWERED_AFTER;
    let late = app
        .read(move |tx| Box::pin(async move { Ok(kept::unanswered(tx, until, 64).await?) }))
        .await?;
    for r in late {
        let done = app
            .write("server", move |tx, w| {
                let id = r.id.clone();
                Box::pin(async move {
                    match locked(tx, &id).await?.filter(|r| r.state == State::Asked) {
                        Some(r) => {
                            lapse(tx, w, &r).await?;
                            session::touch(tx, &r.session_id).await?;
                            w.wake(&r.session_id);
                            Ok(())
                        }
                        None => Ok(()),
                    }
                })
            })
            .await;
        desk::lost_race_is_fine(done)?;
    }
    Ok(())
}
