//! Issuance (出证): a granted case's result, previewed, made, sealed and registered.
//!
//! Owns the order of architecture decision 9: begin, render, hash, fsync the file, then one transaction {certificate, licence,
//! issued, journal, audit, notice}. A failed attempt goes back to granted. Numbers were set aside with the grant, so the preview is
//! the paper. Never renders within a transaction.

use super::{
    App, Caller, Work, case_core, case_view, correction, files, licences,
    result_paper::{HolderRecord, Source, new_licence, paper, seal, seal_metadata},
    token::Principal,
};
use crate::problem::{AppError, no};
use documents::{Seal, SealProvider as _};
use domain::{
    case::{Actor, Cmd, Duty, Rules, State},
    id::{CaseId, CertificateId, Id as _, KeyId, LicenceId, StaffId},
    issuance::{IssueCmd, Rendered},
    licence::HolderCodeType,
    pii::Pii,
};
use protocol::{CaseView, Role};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use store::{Tx, certificate};
use time::Date;

/// Files looked at in one sweep.
const SWEEP_MAX: usize = 10_000;

/// The PDF as it would be issued now, for an issuer of the department.
///
/// Codes: `role_missing`, `not_found`, `illegal_transition` (not granted).
pub async fn preview(app: &App, who: &Principal, id: CaseId) -> Result<Vec<u8>, AppError> {
    let (a, who) = (app.clone(), who.clone());
    let source = app
        .read(|tx| {
            Box::pin(async move {
                let s = case_core::open(&a, tx, &id, false).await?;
                let v = case_core::viewer(tx, &who, &s.row).await?;
                if !v.has(Role::Issuer) && !v.has(Role::Reviewer) {
                    return Err(no("role_missing"));
                }
                if !matches!(s.row.state, State::Granted | State::Issuing) {
                    return Err(no("illegal_transition"));
                }
                Source::read(&a, tx, &id).await
            })
        })
        .await?;
    let doc = paper(app, &source, app.now().beijing_date())?;
    Ok(app.papers.render(move |f| doc.render(f)).await?.bytes)
}

/// What a begun attempt works on.
#[derive(Clone, Serialize, Deserialize)]
struct Begun {
    version: i64,
}

/// By an issuer: makes, seals and registers the result. Spans two transactions; between them the case is `issuing`.
///
/// Codes: `duty_conflict`, `own_case`, `role_missing`, `deferred_materials_missing`, `issuing_in_progress`, `issuing_attempts`,
/// `illegal_transition`, `version_stale`; `glyph_missing`, `seal_failed`: nothing was issued, it may be tried again.
pub async fn issue(
    app: &App,
    caller: &Caller,
    id: CaseId,
    version: i64,
) -> Result<CaseView, AppError> {
    let me = caller.who.staff(Role::Issuer).cloned();
    let ran = Arc::new(AtomicBool::new(false));
    let (who, case, flag) = (caller.who.clone(), id.clone(), ran.clone());
    let begun: Begun = app
        .command(
            caller,
            &format!("cases.issue:{id}"),
            &json!({"version": version}),
            move |tx, w| {
                let (who, case, flag) = (who.clone(), case.clone(), flag.clone());
                Box::pin(async move {
                    flag.store(true, Ordering::Release);
                    begin(tx, w, &who, &case, version).await
                })
            },
        )
        .await?;
    let me = me?;
    if ran.load(Ordering::Acquire) {
        attempt(app, &me, &id, begun.version).await?;
        return case_view::get(app, &caller.who, id).await;
    }
    // The same command again: its outcome stands in the case.
    let view = case_view::get(app, &caller.who, id).await?;
    match view.card.state {
        protocol::CaseState::Issuing => Err(no("issuing_in_progress")),
        protocol::CaseState::Granted => Err(no("seal_failed")),
        _ => Ok(view),
    }
}

async fn begin(
    tx: &mut Tx,
    w: &mut Work,
    who: &Principal,
    id: &CaseId,
    version: i64,
) -> Result<Begun, AppError> {
    let app = w.app.clone();
    let mut o = case_core::open(&app, tx, id, true).await?;
    let v = case_core::viewer(tx, who, &o.row).await?;
    let (_, me) = o.may(&v, Duty::Issued, Role::Issuer)?;
    o.at_version(version)?;
    let mut record = o.decision()?.ok_or_else(|| no("illegal_transition"))?;
    let plan = record
        .plan
        .as_mut()
        .ok_or_else(|| no("illegal_transition"))?;
    let (issuance, _) = plan.issuance.clone().apply(
        w.now,
        IssueCmd::Begin {
            issuer: me.staff.clone(),
        },
    )?;
    plan.issuance = issuance;
    if o.row.state == State::Issuing {
        // A node died over it: the attempt is taken over, the case stays where it is.
        w.audit(tx, "case.issuing_taken_over", id.as_str(), json!({}))
            .await?;
    } else {
        let d = case_core::form_of(&app, tx, &o).await?;
        let missing = correction::deferred_missing(tx, &o, &d).await?;
        let deferred_missing = u32::try_from(missing.len()).unwrap_or(u32::MAX);
        o.apply(
            tx,
            w,
            &Actor::Staff(me),
            &Rules::default(),
            Cmd::BeginIssuing { deferred_missing },
        )
        .await?;
    }
    o.put_decision(&record)?;
    o.save(tx, w).await?;
    Ok(Begun {
        version: o.row.version,
    })
}

/// A rendered and sealed paper whose file is on disk.
struct Made {
    source: Source,
    day: Date,
    rendered: Rendered,
    issued_at: domain::time::Timestamp,
    seal: Seal,
}

async fn make(app: &App, id: &CaseId) -> Result<Made, AppError> {
    let (a, case) = (app.clone(), id.clone());
    let source = app
        .read(|tx| Box::pin(async move { Source::read(&a, tx, &case).await }))
        .await?;
    let issued_at = app.now();
    let day = issued_at.beijing_date();
    let doc = paper(app, &source, day)?;
    let pdf = app.papers.render(move |f| doc.render(f)).await?;
    if !pdf.missing_glyphs.is_empty() {
        tracing::error!(
            case = id.as_str(),
            missing = pdf.missing_glyphs.len(),
            "fonts lack characters of a certificate"
        );
        return Err(no("glyph_missing"));
    }
    let plan = source.plan()?;
    let (provider, metadata) = (
        seal(app)?,
        seal_metadata(&plan.number, &plan.identifier, &issued_at.rfc3339()),
    );
    let (bytes, seal) = tokio::task::spawn_blocking(move || {
        let seal = provider.sign(&pdf.bytes, &metadata);
        (pdf.bytes, seal)
    })
    .await
    .map_err(|_| no("seal_failed"))?;
    let seal = seal.map_err(|e| {
        tracing::error!(error = %e, "a certificate could not be sealed");
        no("seal_failed")
    })?;
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let sm3 = files::put(app, &source.open.key, bytes).await?;
    Ok(Made {
        source,
        day,
        rendered: Rendered { sm3, bytes: size },
        issued_at,
        seal,
    })
}

/// Renders and registers, or puts the case back to granted.
async fn attempt(app: &App, me: &StaffId, id: &CaseId, version: i64) -> Result<(), AppError> {
    let done = match make(app, id).await {
        Ok(made) => register(app, me, id, version, made).await,
        Err(e) => Err(e),
    };
    let Err(e) = done else { return Ok(()) };
    let code: &'static str = if e.code() == "glyph_missing" {
        "glyph_missing"
    } else {
        "seal_failed"
    };
    tracing::error!(
        case = id.as_str(),
        code = e.code(),
        "a result was not issued"
    );
    let case = id.clone();
    app.write(me.as_str(), move |tx, w| {
        let case = case.clone();
        Box::pin(async move { fail(tx, w, &case, version, code).await })
    })
    .await?;
    Err(no(code))
}

async fn fail(
    tx: &mut Tx,
    w: &mut Work,
    id: &CaseId,
    version: i64,
    code: &str,
) -> Result<(), AppError> {
    let app = w.app.clone();
    let mut o = case_core::open(&app, tx, id, true).await?;
    // Somebody took the attempt over meanwhile: it is theirs now.
    if o.row.version != version || o.row.state != State::Issuing {
        return Ok(());
    }
    let mut record = o.decision()?.ok_or_else(|| no("internal"))?;
    if let Some(plan) = record.plan.as_mut() {
        plan.issuance = plan
            .issuance
            .clone()
            .apply(
                w.now,
                IssueCmd::Fail {
                    code: code.to_owned(),
                },
            )?
            .0;
    }
    o.apply(
        tx,
        w,
        &Actor::System,
        &Rules::default(),
        Cmd::FailIssuing {
            code: code.to_owned(),
        },
    )
    .await?;
    o.put_decision(&record)?;
    o.event(tx, w, "issue_failed", None).await?;
    o.save(tx, w).await
}

/// The closing transaction: all of it or nothing.
async fn register(
    app: &App,
    me: &StaffId,
    id: &CaseId,
    version: i64,
    made: Made,
) -> Result<(), AppError> {
    let (made, case) = (Arc::new(made), id.clone());
    app.write(me.as_str(), move |tx, w| {
        let (made, case) = (made.clone(), case.clone());
        Box::pin(async move {
            let app = w.app.clone();
            let mut o = case_core::open(&app, tx, &case, true).await?;
            o.at_version(version)?;
            let mut record = o.decision()?.ok_or_else(|| no("internal"))?;
            let plan = record.plan.as_mut().ok_or_else(|| no("internal"))?;
            let certificate_id: CertificateId = w.id();
            let (issuance, _) = plan
                .issuance
                .clone()
                .apply(w.now, IssueCmd::Rendered(made.rendered.clone()))?;
            plan.issuance = issuance
                .apply(
                    w.now,
                    IssueCmd::Finish {
                        certificate: certificate_id.clone(),
                    },
                )?
                .0;
            let item = &made.source.form.item;
            let licence_id: LicenceId = w.id();
            licences::register(
                tx,
                w,
                &new_licence(&made.source, made.day, w, licence_id.clone())?,
            )
            .await?;
            let company = HolderCodeType::parse(&item.result.holder_code_type)
                .is_some_and(HolderCodeType::is_company);
            let row = certificate::Certificate {
                id: certificate_id.clone(),
                case_id: case.clone(),
                number: plan.number.clone(),
                licence_id,
                licence_identifier: plan.identifier.clone(),
                key_id: o.row.key_id.clone(),
                sm3: made.rendered.sm3.clone(),
                seal: serde_json::to_string(&made.seal).map_err(|_| no("internal"))?,
                verify_code: plan.verify_code.clone(),
                status: "valid".into(),
                title_zh: item.result.title.zh.clone(),
                title_en: item.result.title.en.clone(),
                issuer_zh: item.department.name.zh.clone(),
                issuer_en: item.department.name.en.clone(),
                holder_enc: o.key.seal(&HolderRecord {
                    name: Pii::new(made.source.text(&item.result.holder_name)),
                    company,
                })?,
                issued_at: made.issued_at,
                valid_until: made.source.until(made.day).map(|d| d.to_string()),
            };
            certificate::insert(tx, &row).await?;
            files::record(
                tx,
                w,
                &o.row.key_id,
                &made.rendered.sm3,
                usize::try_from(made.rendered.bytes).unwrap_or(usize::MAX),
                "application/pdf",
            )
            .await?;
            o.apply(
                tx,
                w,
                &Actor::System,
                &Rules::default(),
                Cmd::FinishIssuing {
                    certificate: certificate_id.clone(),
                },
            )
            .await?;
            o.put_decision(&record)?;
            o.event(tx, w, "issued", None).await?;
            w.audit(
                tx,
                "certificate.issued",
                certificate_id.as_str(),
                json!({"case": case.as_str(), "sm3": row.sm3, "licence": row.licence_id.as_str()}),
            )
            .await?;
            w.outbox(
                tx,
                "certificate.issued",
                certificate_id.as_str(),
                json!({"case": case.as_str()}),
            )
            .await?;
            o.save(tx, w).await
        })
    })
    .await
}

/// Removes files that belong to nothing: left by attempts that failed before their row stood.
///
/// A file younger than an hour may be about to get its row.
pub async fn sweep(app: &App) -> Result<(), AppError> {
    let dir = app.files_dir.clone();
    let old = tokio::task::spawn_blocking(move || old_files(&dir))
        .await
        .map_err(|_| no("internal"))?;
    let mut removed = 0;
    for (path, sm3, key) in old {
        let known = app
            .read(|tx| {
                Box::pin(async move { Ok(store::file::get(tx, &sm3, &key).await?.is_some()) })
            })
            .await?;
        if !known && tokio::fs::remove_file(&path).await.is_ok() {
            removed += 1;
        }
    }
    if removed > 0 {
        tracing::info!(removed, "orphan files were swept");
    }
    Ok(())
}

/// Names of at most [`SWEEP_MAX`] files that are older than an hour.
fn old_files(dir: &Path) -> Vec<(PathBuf, String, KeyId)> {
    let entries = |d: &Path| {
        std::fs::read_dir(d)
            .map(|r| r.flatten().map(|e| e.path()).collect::<Vec<_>>())
            .unwrap_or_default()
    };
    let is_old = |p: &Path| {
        std::fs::metadata(p)
            .and_then(|m| m.modified())
            .is_ok_and(|t| t.elapsed().is_ok_and(|a| a.as_secs() > 3600))
    };
    let named = |p: PathBuf| {
        let (sm3, key) = p.file_name()?.to_str()?.split_once('-')?;
        let (sm3, key) = (sm3.to_owned(), KeyId::parse(key)?);
        Some((p, sm3, key))
    };
    entries(dir)
        .iter()
        .flat_map(|d| entries(d))
        .filter(|p| is_old(p))
        .filter_map(named)
        .take(SWEEP_MAX)
        .collect()
}
