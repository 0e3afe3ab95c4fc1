//! The end of a review: 不予, 准予, or the citizen's withdrawal before either.
//!
//! Owns the decision's record. Never decides a transition (`domain::case`).

use super::{
    App, Caller, Work,
    case_core::DecisionRecord,
    cases::{TEXT_CHARS, change, check_texts, held_by},
    result_paper,
};
use crate::problem::{AppError, no};
use domain::{
    case::{Actor, Cmd, Duty, Rules},
    error::Rejected,
    id::CaseId,
};
use protocol::{Bilingual, CaseView, DecisionView, Grant, Refuse, Role};

const REASONS_MAX: usize = 20;

fn decision(
    w: &Work,
    kind: &str,
    by: String,
    opinion: String,
    reasons: Vec<Bilingual>,
    remedies: Vec<Bilingual>,
) -> DecisionView {
    DecisionView {
        kind: kind.into(),
        at: w.now.rfc3339(),
        by,
        opinion,
        reasons,
        remedies,
    }
}

/// By the reviewer who holds the case: 不予, with reasons and remedies (§38).
///
/// Codes: `reasons_required`, `text_too_long`, and those of [`claim`].
pub async fn refuse(
    app: &App,
    caller: &Caller,
    id: CaseId,
    body: Refuse,
) -> Result<CaseView, AppError> {
    check_texts(&body.reasons, REASONS_MAX, "reasons_required", "reasons")?;
    if body.opinion.chars().count() > TEXT_CHARS {
        return Err(Rejected::at("text_too_long", "/opinion").into());
    }
    let version = body.version;
    let given = body.clone();
    change(
        app,
        caller,
        &id,
        "refuse",
        version,
        &body,
        move |tx, w, o, v| {
            let body = given.clone();
            Box::pin(async move {
                let (who, me) = o.may(&v, Duty::Decided, Role::Reviewer)?;
                held_by(o, &me)?;
                let (remedies, told) = w.app.county.remedies();
                let reasons = body
                    .reasons
                    .iter()
                    .map(|r| r.zh.trim())
                    .collect::<Vec<_>>()
                    .join("；")
                    .chars()
                    .take(4_000)
                    .collect();
                o.apply(
                    tx,
                    w,
                    &Actor::Staff(me),
                    &Rules::default(),
                    Cmd::Refuse { reasons, remedies },
                )
                .await?;
                let view = decision(
                    w,
                    "refused",
                    who.name,
                    body.opinion.trim().to_owned(),
                    body.reasons,
                    told,
                );
                o.put_decision(&DecisionRecord {
                    view,
                    plan: None,
                    review_body: Some(w.app.county.review_body.clone()),
                })?;
                o.row.claimed_by = None;
                o.event(tx, w, "refused", None).await
            })
        },
    )
    .await
}

/// By the reviewer who holds the case: 准予, with an opinion. The result's numbers are set aside here, so that what the issuer
/// sees before issuing is the paper that is issued.
///
/// Codes: `opinion_required`, `text_too_long`, and those of [`claim`].
pub async fn grant(
    app: &App,
    caller: &Caller,
    id: CaseId,
    body: Grant,
) -> Result<CaseView, AppError> {
    let opinion = body.opinion.trim().to_owned();
    if opinion.is_empty() {
        return Err(Rejected::at("opinion_required", "/opinion").into());
    }
    if opinion.chars().count() > TEXT_CHARS {
        return Err(Rejected::at("text_too_long", "/opinion").into());
    }
    let version = body.version;
    change(
        app,
        caller,
        &id,
        "grant",
        version,
        &body,
        move |tx, w, o, v| {
            let opinion = opinion.clone();
            Box::pin(async move {
                let (who, me) = o.may(&v, Duty::Decided, Role::Reviewer)?;
                held_by(o, &me)?;
                o.apply(
                    tx,
                    w,
                    &Actor::Staff(me),
                    &Rules::default(),
                    Cmd::Grant {
                        opinion: opinion.clone(),
                    },
                )
                .await?;
                let plan = result_paper::plan(tx, w, o).await?;
                let view = decision(w, "granted", who.name, opinion, vec![], vec![]);
                o.put_decision(&DecisionRecord {
                    view,
                    plan: Some(plan),
                    review_body: None,
                })?;
                o.row.claimed_by = None;
                o.event(tx, w, "granted", None).await
            })
        },
    )
    .await
}

/// By the citizen, before the decision.
///
/// Codes: `citizen_only`, `illegal_transition`, `version_stale`.
pub async fn withdraw(
    app: &App,
    caller: &Caller,
    id: CaseId,
    version: i64,
) -> Result<CaseView, AppError> {
    change(app, caller, &id, "withdraw", version, &(), |tx, w, o, v| {
        Box::pin(async move {
            if v.is_staff() {
                return Err(no("citizen_only"));
            }
            let actor = o.as_applicant()?;
            o.apply(
                tx,
                w,
                &actor,
                &Rules::default(),
                Cmd::Withdraw {
                    reason: String::new(),
                },
            )
            .await?;
            o.row.claimed_by = None;
            o.event(tx, w, "withdrawn", None).await
        })
    })
    .await
}
