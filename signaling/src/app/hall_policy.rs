//! What a hall has decided of a subject: data with a version, read by its supervisors, kept by its administrators. One rule for
//! all subjects; each says in its own folder what it is (`recording/policy.rs`, `supervision/policy.rs`).

use super::{App, Caller, queues, supervise, token::Principal};
use crate::problem::{AppError, no};
use domain::{error::Rejected, id::HallId};
use protocol::Role;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use store::{
    Tx, hall,
    policy::{self, Subject},
};

pub(super) trait HallPolicy: Serialize + DeserializeOwned + Default {
    const SUBJECT: Subject;
    /// Of the command, for its idempotency key.
    const ROUTE: &'static str;
    /// The audit's action.
    const KEPT: &'static str;
    /// The code of a policy with faults.
    const INVALID: &'static str;
    type Body: Serialize;
    type View: Serialize + DeserializeOwned + Send + 'static;

    /// What a body says, and the version over which it is to be kept.
    fn of_body(body: &Self::Body) -> (Self, i64);
    fn faults(&self) -> Result<(), Vec<Rejected>>;
    fn view(self, hall: &HallId, version: i64) -> Self::View;
}

/// The policy that holds in a hall, and its version (0: the default).
pub(super) async fn of<P: HallPolicy>(tx: &mut Tx, hall: &HallId) -> Result<(P, i64), AppError> {
    match policy::get(tx, hall, P::SUBJECT).await? {
        None => Ok((P::default(), 0)),
        Some(p) => {
            let policy = serde_json::from_str(&p.policy).map_err(|_| no("internal"))?;
            Ok((policy, p.version))
        }
    }
}

async fn view<P: HallPolicy>(tx: &mut Tx, id: &HallId) -> Result<P::View, AppError> {
    let (p, version) = of::<P>(tx, id).await?;
    Ok(p.view(id, version))
}

/// By supervisors and administrators of the hall.
pub(super) async fn get<P: HallPolicy>(
    app: &App,
    who: &Principal,
    id: HallId,
) -> Result<P::View, AppError> {
    supervise::keeper(who, &id)?;
    app.read(move |tx| {
        Box::pin(async move {
            hall::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
            view::<P>(tx, &id).await
        })
    })
    .await
}

/// By administrators of the hall: whoever a policy binds does not decide it. What is under way keeps what was told in it.
///
/// Codes: `role_missing`, the subject's own with every fault, `version_stale`.
pub(super) async fn put<P: HallPolicy>(
    app: &App,
    caller: &Caller,
    id: HallId,
    body: &P::Body,
) -> Result<P::View, AppError> {
    supervise::of_hall(&caller.who, &id, &[Role::Admin])?;
    let (policy, version) = P::of_body(body);
    policy
        .faults()
        .map_err(|faults| no(P::INVALID).with_fields(faults))?;
    let text = serde_json::to_string(&policy).map_err(|_| no("internal"))?;
    let route = format!("{}:{id}", P::ROUTE);
    app.command(caller, &route, body, move |tx, w| {
        let (id, text) = (id.clone(), text.clone());
        Box::pin(async move {
            hall::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
            if !policy::save(tx, &id, P::SUBJECT, &text, version).await? {
                let now = json!(view::<P>(tx, &id).await?);
                return Err(queues::stale(tx, now, id.to_string().as_str(), P::KEPT).await?);
            }
            w.wake(&id);
            w.audit(
                tx,
                P::KEPT,
                &id.to_string(),
                json!({"version": version + 1}),
            )
            .await?;
            view::<P>(tx, &id).await
        })
    })
    .await
}
