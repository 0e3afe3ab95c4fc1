//! Cases (办件) after hand-off: work lists, claim, correction, decision, withdrawal.
//!
//! Owns who may ask for what and the records of notice and decision. Never decides a transition (`domain::case`), never makes a
//! paper or a result (`papers`, `issue`). A clash of duties is refused by the machine first and by the table's trigger again.

pub use super::decide::{grant, refuse, withdraw};
use super::{
    App, Caller, Work,
    case_core::{self, CorrectionRecord, Open, Viewer, departments},
    case_view, correction,
    token::Principal,
};
use crate::problem::{AppError, no};
use domain::{
    case::{Actor, Cmd, CorrectionItem, Duty, Person, Rules, State},
    error::Rejected,
    id::{CaseId, Id as _},
    limits,
};
use futures::future::BoxFuture;
use protocol::{
    AskCorrection, Bilingual, CaseList, CaseView, CorrectionView, Done, ReplyCorrection, Role,
};
use serde::Serialize;
use std::sync::Arc;
use store::{Tx, case};

/// Points of one notice, and working days that may be given for it.
const POINTS_MAX: usize = 40;
const DAYS_MAX: u32 = 60;
/// One official text (characters).
pub(super) const TEXT_CHARS: usize = 2_000;

fn cursor(c: &case::Case) -> String {
    format!("{}~{}", c.due_on.as_deref().unwrap_or("-"), c.id)
}

fn read_cursor(s: &str) -> Result<case::After, AppError> {
    let bad = || no("body_invalid");
    let (day, id) = s.split_once('~').ok_or_else(bad)?;
    let due_on = (day != "-").then(|| day.to_owned());
    Ok(case::After {
        due_on,
        id: CaseId::parse(id).ok_or_else(bad)?,
    })
}

/// A page of a work list: `review` for reviewers, `issue` for issuers, `done` for both; of the caller's own departments.
///
/// Codes: `role_missing`, `body_invalid` (queue or cursor).
pub async fn list(
    app: &App,
    who: &Principal,
    queue: &str,
    after: Option<&str>,
    limit: i64,
) -> Result<CaseList, AppError> {
    let (queue, staff) = match queue {
        "review" | "mine" => (case::Queue::Review, who.staff(Role::Reviewer)?),
        "issue" => (case::Queue::Issue, who.staff(Role::Issuer)?),
        "done" => (
            case::Queue::Done,
            who.staff(Role::Reviewer)
                .or_else(|_| who.staff(Role::Issuer))?,
        ),
        _ => return Err(no("body_invalid")),
    };
    let (a, staff) = (app.clone(), staff.clone());
    let after = after.map(read_cursor).transpose()?;
    let limit = limit.clamp(1, limits::PAGE_MAX);
    app.read(move |tx| {
        Box::pin(async move {
            let me = case_core::active_staff(tx, &staff).await?;
            let mut rows = vec![];
            for d in departments(me.department.as_deref()) {
                rows.extend(case::page(tx, queue, &d, after.as_ref(), limit + 1).await?);
            }
            // Several departments' pages, each sorted, are one page.
            let key = |c: &case::Case| {
                (
                    c.due_on.clone().unwrap_or_else(|| "9999-12-31".into()),
                    c.id.clone(),
                )
            };
            match queue {
                case::Queue::Done => rows.sort_by(|x, y| y.id.cmp(&x.id)),
                case::Queue::Review | case::Queue::Issue => rows.sort_by_key(key),
            }
            let keep = usize::try_from(limit).unwrap_or(1);
            let next = if rows.len() > keep {
                rows.get(keep - 1).map(cursor)
            } else {
                None
            };
            rows.truncate(keep);
            let mut items = Vec::with_capacity(rows.len());
            for row in rows {
                items.push(case_view::card(&a, tx, &row).await?);
            }
            Ok(CaseList { items, next })
        })
    })
    .await
}

/// One case for one viewer; `not_found` for everybody whose case it is not.
pub async fn get(app: &App, who: &Principal, id: CaseId) -> Result<CaseView, AppError> {
    case_view::get(app, who, id).await
}

/// Runs one change of a case under lock, at the version that the caller saw, and answers the new view.
pub(super) async fn change<B, F>(
    app: &App,
    caller: &Caller,
    id: &CaseId,
    verb: &str,
    version: i64,
    body: &B,
    f: F,
) -> Result<CaseView, AppError>
where
    B: Serialize + Sync + ?Sized,
    F: for<'a> Fn(
            &'a mut Tx,
            &'a mut Work,
            &'a mut Open,
            Viewer,
        ) -> BoxFuture<'a, Result<(), AppError>>
        + Send
        + Sync
        + 'static,
{
    // The hash of the body is kept: keyed, because a plain one would give short values away.
    let text = serde_json::to_string(body).map_err(|_| no("body_invalid"))?;
    let print = serde_json::json!({"version": version, "body": app.vault.secret_hash(&text)});
    let (who, case, f) = (caller.who.clone(), id.clone(), Arc::new(f));
    app.command(
        caller,
        &format!("cases.{verb}:{id}"),
        &print,
        move |tx, w| {
            let (who, case, f) = (who.clone(), case.clone(), f.clone());
            Box::pin(async move {
                let app = w.app.clone();
                let mut o = case_core::open(&app, tx, &case, true).await?;
                let v = case_core::viewer(tx, &who, &o.row).await?;
                o.at_version(version)?;
                f(tx, w, &mut o, v).await?;
                o.save(tx, w).await?;
                Ok(Done {})
            })
        },
    )
    .await?;
    case_view::get(app, &caller.who, id.clone()).await
}

pub(super) fn held_by(o: &Open, me: &Person) -> Result<(), AppError> {
    match &o.row.claimed_by {
        Some(s) if *s == me.staff => Ok(()),
        Some(_) => Err(no("case_claimed")),
        None => Err(no("claim_first")),
    }
}

/// By a reviewer: opens the review of an accepted case, or takes one that nobody holds.
///
/// Codes: `duty_conflict`, `own_case`, `role_missing`, `case_claimed`, `illegal_transition`, `version_stale`.
pub async fn claim(
    app: &App,
    caller: &Caller,
    id: CaseId,
    version: i64,
) -> Result<CaseView, AppError> {
    change(app, caller, &id, "claim", version, &(), |tx, w, o, v| {
        Box::pin(async move {
            let (_, me) = o.may(&v, Duty::Reviewed, Role::Reviewer)?;
            if o.row.claimed_by.as_ref().is_some_and(|s| *s != me.staff) {
                return Err(no("case_claimed"));
            }
            match o.row.state {
                State::Accepted => {
                    o.apply(
                        tx,
                        w,
                        &Actor::Staff(me.clone()),
                        &Rules::default(),
                        Cmd::BeginReview,
                    )
                    .await?;
                    o.event(tx, w, "review_begun", None).await?;
                }
                State::InReview | State::Extended => {
                    w.audit(tx, "case.claimed", o.row.id.as_str(), serde_json::json!({}))
                        .await?;
                }
                _ => return Err(no("illegal_transition")),
            }
            o.row.claimed_by = Some(me.staff);
            Ok(())
        })
    })
    .await
}

/// By whoever holds it: somebody else may take it on.
pub async fn release(
    app: &App,
    caller: &Caller,
    id: CaseId,
    version: i64,
) -> Result<CaseView, AppError> {
    change(app, caller, &id, "release", version, &(), |tx, w, o, v| {
        Box::pin(async move {
            let me = case_core::person(v.staff().ok_or_else(|| no("role_missing"))?)?;
            held_by(o, &me)?;
            o.row.claimed_by = None;
            w.audit(
                tx,
                "case.released",
                o.row.id.as_str(),
                serde_json::json!({}),
            )
            .await
        })
    })
    .await
}

pub(super) fn check_texts(
    texts: &[Bilingual],
    max: usize,
    missing: &'static str,
    pointer: &str,
) -> Result<(), AppError> {
    if texts.is_empty() || texts.len() > max {
        return Err(no(missing));
    }
    for (i, t) in texts.iter().enumerate() {
        if t.zh.trim().is_empty() {
            return Err(Rejected::at(missing, format!("/{pointer}/{i}/zh")).into());
        }
        if t.zh.chars().count().max(t.en.chars().count()) > TEXT_CHARS {
            return Err(Rejected::at("text_too_long", format!("/{pointer}/{i}")).into());
        }
    }
    Ok(())
}

/// By the reviewer who holds the case: everything that must be put right, at one time (§32).
///
/// Codes: `points_required`, `correction_days`, `correction_target`, `correction_used`, and those of [`claim`].
pub async fn ask_correction(
    app: &App,
    caller: &Caller,
    id: CaseId,
    body: AskCorrection,
) -> Result<CaseView, AppError> {
    let texts: Vec<Bilingual> = body.points.iter().map(|p| p.text.clone()).collect();
    check_texts(&texts, POINTS_MAX, "points_required", "points")?;
    if !(1..=DAYS_MAX).contains(&body.days) {
        return Err(Rejected::at("correction_days", "/days").into());
    }
    let version = body.version;
    let given = body.clone();
    change(
        app,
        caller,
        &id,
        "correction",
        version,
        &body,
        move |tx, w, o, v| {
            let body = given.clone();
            Box::pin(async move {
                let (_, me) = o.may(&v, Duty::Reviewed, Role::Reviewer)?;
                held_by(o, &me)?;
                let d = case_core::form_of(&w.app, tx, o).await?;
                let mut items = vec![];
                for (i, p) in body.points.iter().enumerate() {
                    let pointer =
                        correction::pointer(&d.item, p.target.as_deref()).ok_or_else(|| {
                            Rejected::at("correction_target", format!("/points/{i}/target"))
                        })?;
                    items.push(CorrectionItem {
                        pointer,
                        zh: p.text.zh.clone(),
                        en: p.text.en.clone(),
                    });
                }
                let rules = Rules {
                    correction_days: u16::try_from(body.days).unwrap_or(u16::MAX),
                    ..Rules::default()
                };
                o.apply(
                    tx,
                    w,
                    &Actor::Staff(me),
                    &rules,
                    Cmd::AskCorrection { items },
                )
                .await?;
                let until = o
                    .machine
                    .correction
                    .as_ref()
                    .map(|c| c.until.to_string())
                    .ok_or_else(|| no("internal"))?;
                let view = CorrectionView {
                    at: w.now.rfc3339(),
                    due_on: until,
                    points: body.points,
                    answered_at: None,
                };
                o.put_correction(&CorrectionRecord {
                    view,
                    noticed_at: w.now,
                    note: String::new(),
                    changed: vec![],
                })?;
                o.event(tx, w, "correction_asked", None).await
            })
        },
    )
    .await
}

/// By the citizen: see [`correction::reply`].
pub async fn reply_correction(
    app: &App,
    caller: &Caller,
    id: CaseId,
    body: ReplyCorrection,
) -> Result<CaseView, AppError> {
    correction::reply(app, caller, id, body).await
}

/// By the citizen: a paper for an open correction, or one that was promised for later (容缺).
pub async fn add_material(
    app: &App,
    caller: &Caller,
    id: CaseId,
    code: String,
    name: String,
    bytes: Vec<u8>,
) -> Result<CaseView, AppError> {
    correction::add_material(app, caller, id, code, name, bytes).await
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_and_nonsense_is_refused() {
        let id = CaseId::make(1, 1);
        let a = read_cursor(&format!("2026-12-01~{id}")).unwrap();
        assert_eq!((a.due_on.as_deref(), &a.id), (Some("2026-12-01"), &id));
        assert_eq!(read_cursor(&format!("-~{id}")).unwrap().due_on, None);
        assert_eq!(read_cursor("x").unwrap_err().code(), "body_invalid");
    }

    #[test]
    fn every_reason_needs_its_chinese_text() {
        let t = |zh: &str| Bilingual {
            zh: zh.into(),
            en: String::new(),
        };
        assert!(check_texts(&[t("不符合")], 20, "reasons_required", "reasons").is_ok());
        assert_eq!(
            check_texts(&[], 20, "reasons_required", "reasons")
                .unwrap_err()
                .code(),
            "reasons_required"
        );
        let e = check_texts(&[t("好"), t(" ")], 20, "reasons_required", "reasons").unwrap_err();
        assert_eq!(
            e.problem(protocol::Language::Zh).errors[0].pointer,
            "/reasons/1/zh"
        );
    }
}
