//! What a hall tells of supervision: data with a version, kept by its administrators.

use crate::{
    app::{App, Caller, queues, supervise, token::Principal},
    problem::{AppError, no},
};
use domain::{id::HallId, supervision as rule};
use protocol::{
    Bilingual, PutSupervisionPolicy, Role, SupervisionPolicy, SupervisionPolicyView,
    SupervisionTold,
};
use serde_json::json;
use store::{Tx, hall, supervision};

const KEPT: &str = "supervision.policy_kept";

/// The policy that holds in a hall, and its version (0: the default).
pub(super) async fn of(tx: &mut Tx, hall: &HallId) -> Result<(rule::Policy, i64), AppError> {
    match supervision::policy(tx, hall).await? {
        None => Ok((rule::Policy::default(), 0)),
        Some(p) => {
            let policy = serde_json::from_str(&p.policy).map_err(|_| no("internal"))?;
            Ok((policy, p.version))
        }
    }
}

const fn told_of(t: SupervisionTold) -> rule::Told {
    rule::Told {
        agent: t.agent,
        citizen: t.citizen,
    }
}

const fn told_view(t: rule::Told) -> SupervisionTold {
    SupervisionTold {
        agent: t.agent,
        citizen: t.citizen,
    }
}

async fn view(tx: &mut Tx, hall: &HallId) -> Result<SupervisionPolicyView, AppError> {
    let (p, version) = of(tx, hall).await?;
    Ok(SupervisionPolicyView {
        hall: hall.to_string(),
        version,
        policy: SupervisionPolicy {
            standing: p.standing,
            text: Bilingual {
                zh: p.text_zh,
                en: p.text_en,
            },
            listen: told_view(p.listen),
            whisper: told_view(p.whisper),
        },
    })
}

/// By supervisors and administrators of the hall.
pub async fn get(
    app: &App,
    who: &Principal,
    id: HallId,
) -> Result<SupervisionPolicyView, AppError> {
    supervise::keeper(who, &id)?;
    app.read(move |tx| {
        Box::pin(async move {
            hall::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
            view(tx, &id).await
        })
    })
    .await
}

/// By administrators of the hall: whoever listens does not decide who is told. Sessions under way keep what was told in them.
///
/// Codes: `role_missing`, `policy_invalid` with every fault, `version_stale`.
pub async fn put(
    app: &App,
    caller: &Caller,
    id: HallId,
    body: PutSupervisionPolicy,
) -> Result<SupervisionPolicyView, AppError> {
    supervise::of_hall(&caller.who, &id, &[Role::Admin])?;
    let p = &body.policy;
    let policy = rule::Policy {
        standing: p.standing,
        text_zh: p.text.zh.trim().to_owned(),
        text_en: p.text.en.trim().to_owned(),
        listen: told_of(p.listen),
        whisper: told_of(p.whisper),
    };
    policy
        .check()
        .map_err(|faults| no("policy_invalid").with_fields(faults))?;
    let text = serde_json::to_string(&policy).map_err(|_| no("internal"))?;
    let route = format!("halls.supervision_policy:{id}");
    let version = body.version;
    app.command(caller, &route, &body, move |tx, w| {
        let (id, text) = (id.clone(), text.clone());
        Box::pin(async move {
            hall::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
            if !supervision::save_policy(tx, &id, &text, version).await? {
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
