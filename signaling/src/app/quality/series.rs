//! The kept series of a session: for its agent and for the supervisors of the hall that serves it.

use crate::{
    app::{App, call_flow, session_view, supervision, token::Principal},
    problem::{AppError, no},
};
use domain::{
    id::SessionId,
    invite::{self as rule, Member as Part},
    quality::SAMPLES_PER_SESSION,
    session::State,
    time::Timestamp,
};
use protocol::{QualitySample, QualitySeries, QualityView, Role};
use store::{Tx, quality, session};

/// Whom of a session the caller may look at. An agent learns nothing here of a supervisor who is not told to them.
async fn seen(
    tx: &mut Tx,
    who: &Principal,
    id: &SessionId,
) -> Result<Vec<session::Member>, AppError> {
    let of_hall = |s: &session::Session| {
        matches!(who, Principal::Staff { hall, roles, .. }
            if *hall == s.hall_id && roles.contains(&Role::Supervisor))
    };
    if session::get(tx, id).await?.is_some_and(|s| of_hall(&s)) {
        return Ok(session::members(tx, id).await?);
    }
    let (s, members, me) = call_flow::membership(tx, who, id).await?;
    let serves = me.part == Part::Agent || (s.state == State::Ended && me.served);
    if !serves {
        return Err(no("role_missing"));
    }
    let told = supervision::told(tx, &s, &members).await?;
    Ok(members
        .into_iter()
        .filter(|m| supervision::shown(&told, m, &me) && rule::shown(m.part, me.part))
        .collect())
}

/// Codes: `not_a_member` (another hall's supervisor too), `role_missing`.
pub async fn view(app: &App, who: &Principal, id: SessionId) -> Result<QualityView, AppError> {
    let who = who.clone();
    app.read(|tx| {
        Box::pin(async move {
            let members = seen(tx, &who, &id).await?;
            let rows = quality::of_session(tx, &id).await?;
            let full = rows.len() as i64 >= SAMPLES_PER_SESSION;
            let series = members.into_iter().map(|m| QualitySeries {
                samples: rows
                    .iter()
                    .filter(|r| r.member_id == m.id)
                    .map(sample)
                    .collect(),
                member: m.id.to_string(),
                part: session_view::part_view(m.part),
            });
            Ok(QualityView {
                session: id.to_string(),
                // Who never sent or received anything has no series.
                members: series.filter(|s| !s.samples.is_empty()).collect(),
                full,
            })
        })
    })
    .await
}

fn sample(r: &quality::Sample) -> QualitySample {
    let whole = |v: Option<i64>| v.and_then(|v| u32::try_from(v).ok());
    QualitySample {
        at: Timestamp::rfc3339(r.at),
        state: super::state_view(r.state),
        loss_pct: r.loss_bp.map(|v| v as f32 / 100.0),
        jitter_ms: whole(r.jitter_ms),
        rtt_ms: whole(r.rtt_ms),
        freeze_ms: whole(r.freeze_ms),
    }
}
