//! What a hall tells of recording and how long it keeps: data with a version, kept by its administrators.

use crate::{
    app::{App, Caller, queues, supervise, token::Principal},
    problem::{AppError, no},
};
use domain::{id::HallId, recording as rule};
use protocol::{Bilingual, PutRecordingPolicy, RecordingPolicy, RecordingPolicyView, Role};
use serde_json::json;
use store::{Tx, hall, recording};

const KEPT: &str = "recording.policy_kept";

/// The policy that holds in a hall, and its version (0: the default).
pub(super) async fn of(tx: &mut Tx, hall: &HallId) -> Result<(rule::Policy, i64), AppError> {
    match recording::policy(tx, hall).await? {
        None => Ok((rule::Policy::default(), 0)),
        Some(p) => {
            let policy = serde_json::from_str(&p.policy).map_err(|_| no("internal"))?;
            Ok((policy, p.version))
        }
    }
}

async fn view(tx: &mut Tx, hall: &HallId) -> Result<RecordingPolicyView, AppError> {
    let (p, version) = of(tx, hall).await?;
    Ok(RecordingPolicyView {
        hall: hall.to_string(),
        version,
        policy: RecordingPolicy {
            text: Bilingual {
                zh: p.text_zh,
                en: p.text_en,
            },
            days_routine: p.days_routine,
            days_case: p.days_case,
        },
    })
}

/// By supervisors and administrators of the hall.
pub async fn get(app: &App, who: &Principal, id: HallId) -> Result<RecordingPolicyView, AppError> {
    supervise::keeper(who, &id)?;
    app.read(move |tx| {
        Box::pin(async move {
            hall::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
            view(tx, &id).await
        })
    })
    .await
}

/// By administrators of the hall. A recording keeps what was told when it was asked for.
///
/// Codes: `role_missing`, `recording_policy_invalid` with every fault, `version_stale`.
pub async fn put(
    app: &App,
    caller: &Caller,
    id: HallId,
    body: PutRecordingPolicy,
) -> Result<RecordingPolicyView, AppError> {
    supervise::of_hall(&caller.who, &id, &[Role::Admin])?;
    let p = &body.policy;
    let policy = rule::Policy {
        text_zh: p.text.zh.trim().to_owned(),
        text_en: p.text.en.trim().to_owned(),
        days_routine: p.days_routine,
        days_case: p.days_case,
    };
    policy
        .check()
        .map_err(|faults| no("recording_policy_invalid").with_fields(faults))?;
    let text = serde_json::to_string(&policy).map_err(|_| no("internal"))?;
    let route = format!("halls.recording_policy:{id}");
    let version = body.version;
    app.command(caller, &route, &body, move |tx, w| {
        let (id, text) = (id.clone(), text.clone());
        Box::pin(async move {
            hall::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
            if !recording::save_policy(tx, &id, &text, version).await? {
                let now = json!(view(tx, &id).await?);
                return Err(queues::stale(tx, now, id.to_string().as_str(), KEPT).await?);
            }
            w.wake(&id);
            w.audit(tx, KEPT, &id.to_string(), json!({"version": version + 1}))
                .await?;
            view(tx, &id).await
        })
    })
    .await
}
