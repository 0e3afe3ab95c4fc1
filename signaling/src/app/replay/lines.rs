//! Recordings in a list, their manifest, and the legal hold (封存) that keeps them.

use super::{
    access::{self, entitled, keeps, on_duty, staff_of},
    sealed,
};
use crate::{
    app::{App, Caller, case_core, case_words::both, invites, queues, retention, token::Principal},
    problem::{AppError, no},
};
use domain::{
    id::{CaseId, HallId, Id as _, RecordingId, SessionId},
    limits,
    recording::State,
    time::{Span, Timestamp},
};
use protocol::{
    Done, PutHold, RecordingLine, RecordingPage, RecordingState, ReplayNote, SignedManifest,
};
use serde_json::json;
use store::{
    Tx, keys,
    recording::{self, Recording},
    replay::{self as kept, Filter, Line},
    staff,
};

const HELD: &str = "recording.held";
const RELEASED: &str = "recording.released";

const fn state_view(s: State) -> RecordingState {
    match s {
        State::Asked => RecordingState::Asked,
        State::Refused => RecordingState::Refused,
        State::Starting => RecordingState::Starting,
        State::Live => RecordingState::Live,
        State::Interrupted => RecordingState::Interrupted,
        State::Sealing => RecordingState::Sealing,
        State::Sealed => RecordingState::Sealed,
        State::Deleted => RecordingState::Deleted,
    }
}

/// Why it is held, in clear.
async fn hold_reason(app: &App, tx: &mut Tx, r: &Recording) -> Result<Option<String>, AppError> {
    match &r.hold {
        Some(h) => sealed::words(app, tx, r).await?.open(&h.reason_enc),
        None => Ok(None),
    }
}

pub(super) async fn view(app: &App, tx: &mut Tx, l: &Line) -> Result<RecordingLine, AppError> {
    let r = &l.recording;
    let delete_at = match r.state {
        State::Deleted => None,
        _ => retention::delete_at(r, l.case_id.is_some())?,
    };
    Ok(RecordingLine {
        id: r.id.to_string(),
        session: r.session_id.to_string(),
        hall: r.hall_id.to_string(),
        case: l.case_id.as_ref().map(ToString::to_string),
        case_number: l.case_number.clone(),
        item_title: invites::item_title(tx, l.item.as_deref()).await?,
        agent: both(&l.agent, &l.agent),
        state: state_view(r.state),
        started_at: r.started_at.map(Timestamp::rfc3339),
        ended_at: r.ended_at.map(Timestamp::rfc3339),
        end_reason: r.end_reason.clone(),
        duration_ms: r.duration_ms,
        gaps: r.gaps,
        held: r.hold.is_some(),
        hold_reason: hold_reason(app, tx, r).await?,
        delete_at: delete_at.map(Timestamp::rfc3339),
        version: r.version,
    })
}

/// What a list is asked for, as it comes.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// None: the caller's own.
    pub hall: Option<String>,
    pub session: Option<String>,
    pub case: Option<String>,
    /// A part of the case's number.
    pub number: Option<String>,
    pub state: Option<String>,
    pub held: bool,
    /// Days in Beijing, both included.
    pub from: Option<String>,
    pub to: Option<String>,
    pub before: Option<String>,
    pub limit: Option<i64>,
}

fn word<T>(text: Option<&String>, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, AppError> {
    text.filter(|t| !t.is_empty())
        .map(|t| read(t).ok_or_else(|| no("body_invalid")))
        .transpose()
}

/// Midnight in Beijing, `days` after the day.
fn midnight(day: Option<&String>, days: i64) -> Result<Option<Timestamp>, AppError> {
    let parsed = word(day, domain::identifiers::parse_date)?;
    Ok(parsed.map(|d| {
        let t = d.midnight().assume_offset(domain::time::BEIJING);
        let micros = t.unix_timestamp().saturating_mul(1_000_000);
        Timestamp::from_micros(micros) + Span::seconds(days * 86_400)
    }))
}

/// Newest first: a hall's for its supervisors and administrators; with `case` also for who has to work on it now.
///
/// Codes: `role_missing`, `body_invalid`.
pub async fn list(app: &App, who: &Principal, q: Asked) -> Result<RecordingPage, AppError> {
    let me = staff_of(who)?;
    let filter = Filter {
        session: word(q.session.as_ref(), SessionId::parse)?,
        case: word(q.case.as_ref(), CaseId::parse)?,
        number: word(q.number.as_ref(), |t| {
            (t.len() <= limits::CASE_NUMBER_CHARS).then(|| t.to_owned())
        })?,
        state: word(q.state.as_ref(), State::parse)?,
        held: q.held,
        from: midnight(q.from.as_ref(), 0)?,
        to: midnight(q.to.as_ref(), 1)?,
    };
    let hall = word(q.hall.as_ref(), HallId::parse)?;
    let before = word(q.before.as_ref(), RecordingId::parse)?;
    let limit = q.limit.unwrap_or(50).clamp(1, limits::PAGE_MAX);
    let a = app.clone();
    app.read(move |tx| {
        Box::pin(async move {
            let me = case_core::active_staff(tx, &me).await?;
            let hall = hall.unwrap_or_else(|| me.hall_id.clone());
            let mut lines = if keeps(&me) && hall == me.hall_id {
                kept::of_hall(tx, &hall, &filter, before.as_ref(), limit + 1).await?
            } else {
                match &filter.case {
                    Some(case) if on_duty(&a, tx, &me, case).await? => {
                        kept::of_case(tx, case, before.as_ref(), limit + 1).await?
                    }
                    Some(_) | None => return Err(no("role_missing")),
                }
            };
            let keep = usize::try_from(limit).unwrap_or(1);
            let more = lines.len() > keep;
            lines.truncate(keep);
            let next = lines
                .last()
                .filter(|_| more)
                .map(|l| l.recording.id.to_string());
            let mut items = Vec::with_capacity(lines.len());
            for l in &lines {
                items.push(view(&a, tx, l).await?);
            }
            Ok(RecordingPage { items, next })
        })
    })
    .await
}

/// What was signed. Codes: those of [`access::entitled`] and [`access::playable`].
pub async fn manifest(
    app: &App,
    who: &Principal,
    id: RecordingId,
) -> Result<SignedManifest, AppError> {
    let (a, me) = (app.clone(), staff_of(who)?);
    app.read(|tx| {
        Box::pin(async move {
            let seen = entitled(&a, tx, &me, &id).await?;
            access::playable(&seen)?;
            let r = seen.line.recording;
            let all = (r.manifest, r.signature, r.public_key, r.sealed_at);
            let (Some(manifest), Some(signature), Some(public_key), Some(at)) = all else {
                return Err(no("recording_not_sealed"));
            };
            Ok(SignedManifest {
                manifest,
                signature,
                public_key,
                signed_at: at.rfc3339(),
            })
        })
    })
    .await
}

/// Who has opened it and why, newest first; for those who keep the hall. Of a deleted one the reasons are gone with its key.
pub async fn replays(
    app: &App,
    who: &Principal,
    id: RecordingId,
) -> Result<Vec<ReplayNote>, AppError> {
    let (a, me) = (app.clone(), staff_of(who)?);
    app.read(|tx| {
        Box::pin(async move {
            let seen = entitled(&a, tx, &me, &id).await?;
            if seen.lens != domain::invite::Member::Supervisor {
                return Err(no("role_missing"));
            }
            let key = match keys::wrapped(tx, &seen.line.recording.key_id).await? {
                Some(_) => Some(a.vault.key(tx, &seen.line.recording.key_id).await?),
                None => None,
            };
            let mut out = vec![];
            for r in kept::of_recording(tx, &id).await? {
                let name = staff::get(tx, &r.staff_id).await?.map(|s| s.name);
                let purpose = key.as_ref().map(|k| k.open::<String>(&r.purpose_enc));
                out.push(ReplayNote {
                    id: r.id.to_string(),
                    staff: r.staff_id.to_string(),
                    name: name.unwrap_or_default(),
                    purpose: purpose.transpose()?,
                    opened_at: r.opened_at.rfc3339(),
                    integrity: r.integrity,
                });
            }
            Ok(out)
        })
    })
    .await
}

/// Legal hold on or off, over the version that was on the screen. While it is on neither the recording nor its key goes.
///
/// Codes: `recording_not_found`, `role_missing`, `reason_required`, `version_stale`, `recording_deleted`, `recording_not_sealed` (nothing was
/// recorded yet).
pub async fn hold(
    app: &App,
    caller: &Caller,
    id: RecordingId,
    body: PutHold,
) -> Result<RecordingLine, AppError> {
    let me = staff_of(&caller.who)?;
    let reason = body.reason.trim().to_owned();
    if body.on && !(1..=limits::REASON_CHARS).contains(&reason.chars().count()) {
        return Err(no("reason_required"));
    }
    // The body's hash is kept: keyed, because a reason may be short and may name somebody.
    let print =
        json!({"on": body.on, "version": body.version, "reason": app.vault.secret_hash(&reason)});
    let route = format!("recordings.hold:{id}");
    let held = id.clone();
    app.command(caller, &route, &print, move |tx, w| {
        let (id, me, reason, body) = (held.clone(), me.clone(), reason.clone(), body.clone());
        Box::pin(async move {
            let app = w.app.clone();
            let seen = entitled(&app, tx, &me, &id).await?;
            if seen.lens != domain::invite::Member::Supervisor {
                return Err(no("role_missing"));
            }
            let mut r = seen.line.recording;
            match r.state {
                State::Deleted => return Err(no("recording_deleted")),
                State::Asked | State::Refused => return Err(no("recording_not_sealed")),
                State::Starting
                | State::Live
                | State::Interrupted
                | State::Sealing
                | State::Sealed => {}
            }
            // What is destroyed cannot be kept.
            let key = sealed::words(&app, tx, &r).await?;
            if r.version != body.version {
                let reason = hold_reason(&app, tx, &r).await?;
                let now =
                    json!({"version": r.version, "held": r.hold.is_some(), "hold_reason": reason});
                let action = if r.hold.is_some() { HELD } else { RELEASED };
                return Err(queues::stale(tx, now, id.as_str(), action).await?);
            }
            let was = r.hold.is_some();
            r.hold = match body.on {
                true => Some(recording::Hold {
                    reason_enc: key.seal(&reason)?,
                    by: me.to_string(),
                    at: w.now,
                }),
                false => None,
            };
            if !recording::save(tx, &r).await? {
                return Err(store::StoreError::Retry.into());
            }
            if was || body.on {
                let action = if body.on { HELD } else { RELEASED };
                w.audit(tx, action, id.as_str(), json!({"version": r.version + 1}))
                    .await?;
            }
            Ok(Done {})
        })
    })
    .await?;
    let a = app.clone();
    app.read(|tx| {
        Box::pin(async move {
            let line = kept::line(tx, &id)
                .await?
                .ok_or_else(|| no("recording_not_found"))?;
            view(&a, tx, &line).await
        })
    })
    .await
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn days_are_beijing_s() {
        let day = "2026-11-22".to_owned();
        let from = midnight(Some(&day), 0).unwrap().unwrap();
        assert_eq!(from.rfc3339(), "2026-11-21T16:00:00Z");
        let to = midnight(Some(&day), 1).unwrap().unwrap();
        assert_eq!(to.since(from), Span::seconds(86_400));
        assert_eq!(midnight(None, 0).unwrap(), None);
        let bad = "22.11.2026".to_owned();
        assert_eq!(midnight(Some(&bad), 0).unwrap_err().code(), "body_invalid");
    }
}
