//! Issuance (出证): a granted case's result, previewed, made, sealed and registered.
//!
//! Owns the order of architecture decision 9: begin, render, hash, fsync the file, then one transaction {certificate, licence,
//! issued, journal, audit, notice}. A failed attempt goes back to granted. Numbers were set aside with the grant, so the preview is
//! the paper. Never renders within a transaction.

use super::{
    App, Caller, Work,
    case_core::{self, DecisionRecord, Open, Plan},
    case_view, correction, files, forms,
    licences::{self, NewLicence},
    token::Principal,
    vault,
};
use crate::problem::{AppError, no};
use documents::{CertificateDoc, CertificateStyle, LocalSeal, Row, Seal, SealProvider as _, Text};
use domain::{
    case::{Actor, Cmd, Duty, Rules, State},
    catalogue::{self as rules, Item},
    cofill::Doc,
    id::{CaseId, CertificateId, Id as _, KeyId, LicenceId, StaffId},
    identifiers::LicenceIdentifier,
    issuance::{CertificateNumber, Issuance, IssueCmd, Rendered, licence_identifier},
    licence::{Expiry, Holder, HolderCodeType, Metadata, Status, TrustLevel},
    pii::Pii,
};
use protocol::{CaseView, Role};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use store::{Tx, case, certificate};
use time::{Date, Month};

/// Crockford base 32 without the letters that read as digits.
const CODE_ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CODE_CHARS: usize = 8;
/// Files looked at in one sweep.
const SWEEP_MAX: usize = 10_000;
/// 文号 of one agency: characters of its short name.
const AGENCY_CHARS: usize = 12;

/// The code beside the QR code: 40 random bits, which only a holder of the paper knows.
#[must_use]
pub fn verify_code() -> String {
    vault::random::<CODE_CHARS>().iter().map(|b| char::from(CODE_ALPHABET[usize::from(b & 31)])).collect()
}

/// The seal of this installation.
pub fn seal(app: &App) -> Result<LocalSeal, AppError> {
    LocalSeal::from_hex(&domain::audit::hex(app.vault.seal_secret())).map_err(|e| {
        tracing::error!(error = %e, "the seal's key cannot be used");
        no("seal_failed")
    })
}

/// What is sealed beside the file.
#[must_use]
pub fn seal_metadata(number: &str, identifier: &str, issued_at: &str) -> Value {
    json!({"certificate": number, "licence": identifier, "issued_at": issued_at, "scheme": "cloud-booth/certificate/1"})
}

/// Where the paper's QR code leads; the fragment never reaches a server's log.
#[must_use]
pub fn verify_url(app: &App, number: &str, code: &str) -> String {
    format!("{}/verify/#n={}&v={code}", app.public_url.trim_end_matches('/'), percent(number))
}

fn percent(s: &str) -> String {
    s.bytes().fold(String::new(), |mut out, b| {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(b));
        } else {
            use std::fmt::Write as _;
            let _ = write!(out, "%{b:02X}");
        }
        out
    })
}

/// 沅江市公安局 → 沅江公安证字: the agency word of a certificate number.
fn agency(name: &str) -> String {
    let plain: String = name.trim_end_matches('局').chars().filter(|c| c.is_alphabetic() && *c != '市').take(AGENCY_CHARS).collect();
    format!("{plain}证字")
}

/// Sets the result's numbers aside, in the transaction of the grant.
pub(super) async fn plan(tx: &mut Tx, w: &Work, o: &Open) -> Result<Plan, AppError> {
    let item = super::catalogue::item_at(tx, &o.row.item, o.row.item_version).await?;
    let day = w.now.beijing_date();
    let serial = |n: i64| u32::try_from(n).map_err(|_| no("internal"));
    let agency = agency(&item.department.name.zh);
    let n = serial(case::next_number(tx, &format!("certificate:{agency}{}", day.year())).await?)?;
    let m = serial(case::next_number(tx, &format!("licence:{}{day}", item.department.code)).await?)?;
    Ok(Plan {
        number: CertificateNumber::build(&agency, day.year(), n)?.to_string(),
        identifier: licence_identifier(&item.result.licence_type, &item.department.code, day, m)?.to_string(),
        verify_code: verify_code(),
        issuance: Issuance::default(),
    })
}

/// The last day of a validity of some months that begins on `from`: the day before its namesake, or the month's last day.
fn last_day(from: Date, months: u32) -> Option<Date> {
    let n = from.year() * 12 + i32::from(u8::from(from.month())) - 1 + i32::try_from(months).ok()?;
    let (year, month) = (n.div_euclid(12), Month::try_from(u8::try_from(n.rem_euclid(12) + 1).ok()?).ok()?);
    match Date::from_calendar_date(year, month, from.day()) {
        Ok(d) => d.previous_day(),
        Err(_) => Date::from_calendar_date(year, month, month.length(year)).ok(),
    }
}

fn day_zh(d: Date) -> String {
    format!("{}年{}月{}日", d.year(), u8::from(d.month()), d.day())
}

/// A value as it is printed: a choice by its label.
fn shown(item: &Item, doc: &Doc, path: &str, en: bool) -> String {
    let pick = |t: &rules::Text| if en { t.en.clone() } else { t.zh.clone() };
    match (item.field(path), doc.value(path)) {
        (Some(f), Some(Value::String(s))) => f.options.iter().find(|o| o.code == *s).map_or_else(|| s.clone(), |o| pick(&o.label)),
        (_, Some(Value::Bool(b))) => match (b, en) {
            (true, false) => "是".into(),
            (false, false) => "否".into(),
            (true, true) => "yes".into(),
            (false, true) => "no".into(),
        },
        (_, Some(Value::Number(n))) => n.to_string(),
        (_, Some(Value::Null | Value::Array(_) | Value::Object(_)) | None) | (None, Some(Value::String(_))) => "—".into(),
    }
}

/// What the paper and the licence are made of, read in one go.
pub(super) struct Source {
    pub open: Open,
    pub form: forms::Document,
    pub decision: DecisionRecord,
}

impl Source {
    pub async fn read(app: &App, tx: &mut Tx, id: &CaseId) -> Result<Self, AppError> {
        let open = case_core::open(app, tx, id, false).await?;
        let form = case_core::form_of(app, tx, &open).await?;
        let decision = open.decision()?.ok_or_else(|| no("illegal_transition"))?;
        Ok(Self { open, form, decision })
    }
    fn plan(&self) -> Result<&Plan, AppError> {
        self.decision.plan.as_ref().ok_or_else(|| no("illegal_transition"))
    }
    fn until(&self, day: Date) -> Option<Date> {
        self.form.item.result.validity_months.and_then(|m| last_day(day, m))
    }
    fn text(&self, path: &str) -> String {
        self.form.doc().value(path).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

/// The paper of a granted case, as of a day.
pub(super) fn paper(app: &App, s: &Source, day: Date) -> Result<CertificateDoc, AppError> {
    let (item, doc, plan) = (&s.form.item, s.form.doc(), s.plan()?);
    let r = &item.result;
    let until = s.until(day);
    let word = |name: &str, en: bool| -> Option<String> {
        let date = |d: Date| if en { d.to_string() } else { day_zh(d) };
        Some(match name {
            "certificate_number" => plan.number.clone(),
            "case_number" => s.open.row.number.clone(),
            "department" => if en { item.department.name.en.clone() } else { item.department.name.zh.clone() },
            "issued_on" | "valid_from" => date(day),
            "valid_until" => until.map_or_else(|| if en { "further notice".into() } else { "长期".into() }, date),
            path => item.field(path).map(|f| shown(item, doc, &f.path, en))?,
        })
    };
    let style = match r.certificate.as_str() {
        c if c.ends_with("licence") => CertificateStyle::Licence,
        c if c.ends_with("certificate") => CertificateStyle::Letter,
        _ => CertificateStyle::Filing,
    };
    let body = |t: &rules::Text| -> Result<Text, AppError> {
        Ok(Text::new(rules::render(&t.zh, |n| word(n, false))?, rules::render(&t.en, |n| word(n, true))?))
    };
    let row = |a: &rules::ResultAttribute| {
        let label = item.field(&a.path).map_or_else(|| rules::Text { zh: a.attribute.clone(), en: a.attribute.clone() }, |f| f.label.clone());
        Row::new(label.zh, label.en, shown(item, doc, &a.path, false))
    };
    let rows = match style {
        CertificateStyle::Letter => vec![],
        CertificateStyle::Filing | CertificateStyle::Licence => r.attributes.iter().filter(|a| a.path != r.holder_name && doc.value(&a.path).is_some()).map(row).collect(),
    };
    let paragraphs = match style {
        CertificateStyle::Licence => vec![],
        CertificateStyle::Letter | CertificateStyle::Filing => r.body.iter().map(body).collect::<Result<_, _>>()?,
    };
    Ok(CertificateDoc {
        style,
        title: Text::new(&r.title.zh, &r.title.en),
        number: plan.number.clone(),
        licence_identifier: plan.identifier.clone(),
        holder: s.text(&r.holder_name),
        paragraphs,
        rows,
        issuer: Text::new(&item.department.name.zh, &item.department.name.en),
        issued_on: day,
        valid_until: until,
        qr_url: verify_url(app, &plan.number, &plan.verify_code),
        notice: Some(Text::new(format!("核验码：{}", plan.verify_code), format!("Verification code: {}", plan.verify_code))),
    })
}

/// The licence that goes into the library with the result.
fn new_licence(s: &Source, day: Date, w: &Work, id: LicenceId) -> Result<NewLicence, AppError> {
    let (item, plan) = (&s.form.item, s.plan()?);
    let r = &item.result;
    let identifier = LicenceIdentifier::parse(&plan.identifier)?;
    let holder_type = HolderCodeType::parse(&r.holder_code_type).ok_or_else(|| no("internal"))?;
    let until = s.until(day);
    let type_name = if holder_type.is_company() { "统一社会信用代码" } else { "公民身份号码" };
    let holder_code = Pii::new(s.text(&r.holder_code));
    let attributes: BTreeMap<String, Pii<String>> =
        r.attributes.iter().filter(|a| s.form.doc().value(&a.path).is_some()).map(|a| (a.attribute.clone(), Pii::new(shown(item, s.form.doc(), &a.path, false)))).collect();
    let applicant = s.open.applicant()?;
    let metadata = Metadata {
        name: r.name.zh.clone(),
        type_name: r.name.zh.clone(),
        type_code: r.licence_type.clone(),
        number: Pii::new(plan.number.clone()),
        identifier,
        authority_name: item.department.name.zh.clone(),
        authority_code: item.department.code.clone(),
        issued: day,
        effective: Some(day),
        expiring: until.map_or(Expiry::LongTerm, Expiry::On),
        holders: vec![Holder { name: Pii::new(s.text(&r.holder_name)), code: holder_code.clone(), code_type_name: type_name.into(), code_type: holder_type }],
        area_code: item.department.code.get(2..8).unwrap_or_default().to_owned(),
        copy: None,
    };
    Ok(NewLicence {
        id,
        holder_type,
        holder_code,
        // The person who applied for the company is its legal representative: the item asks for that.
        representative_number: holder_type.is_company().then(|| applicant.number.clone()),
        version: 1,
        status: Status::Valid,
        trust: TrustLevel::A,
        valid_until: until.map(|d| d.to_string()),
        case_id: Some(s.open.row.id.clone()),
        created_at: w.now,
        data: licences::Data { metadata, attributes, representative: None },
    })
}

/// The holder as the register shows them.
#[derive(Clone, Serialize, Deserialize)]
pub struct HolderRecord {
    pub name: Pii<String>,
    pub company: bool,
}

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
pub async fn issue(app: &App, caller: &Caller, id: CaseId, version: i64) -> Result<CaseView, AppError> {
    let me = caller.who.staff(Role::Issuer).cloned();
    let ran = Arc::new(AtomicBool::new(false));
    let (who, case, flag) = (caller.who.clone(), id.clone(), ran.clone());
    let begun: Begun = app
        .command(caller, &format!("cases.issue:{id}"), &json!({"version": version}), move |tx, w| {
            let (who, case, flag) = (who.clone(), case.clone(), flag.clone());
            Box::pin(async move {
                flag.store(true, Ordering::Release);
                begin(tx, w, &who, &case, version).await
            })
        })
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

async fn begin(tx: &mut Tx, w: &mut Work, who: &Principal, id: &CaseId, version: i64) -> Result<Begun, AppError> {
    let app = w.app.clone();
    let mut o = case_core::open(&app, tx, id, true).await?;
    let v = case_core::viewer(tx, who, &o.row).await?;
    let (_, me) = o.may(&v, Duty::Issued, Role::Issuer)?;
    o.at_version(version)?;
    let mut record = o.decision()?.ok_or_else(|| no("illegal_transition"))?;
    let plan = record.plan.as_mut().ok_or_else(|| no("illegal_transition"))?;
    let (issuance, _) = plan.issuance.clone().apply(w.now, IssueCmd::Begin { issuer: me.staff.clone() })?;
    plan.issuance = issuance;
    if o.row.state == State::Issuing {
        // A node died over it: the attempt is taken over, the case stays where it is.
        w.audit(tx, "case.issuing_taken_over", id.as_str(), json!({})).await?;
    } else {
        let d = case_core::form_of(&app, tx, &o).await?;
        let missing = correction::deferred_missing(tx, &o, &d).await?;
        let deferred_missing = u32::try_from(missing.len()).unwrap_or(u32::MAX);
        o.apply(tx, w, &Actor::Staff(me), &Rules::default(), Cmd::BeginIssuing { deferred_missing }).await?;
    }
    o.put_decision(&record)?;
    o.save(tx, w).await?;
    Ok(Begun { version: o.row.version })
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
    let source = app.read(|tx| Box::pin(async move { Source::read(&a, tx, &case).await })).await?;
    let issued_at = app.now();
    let day = issued_at.beijing_date();
    let doc = paper(app, &source, day)?;
    let pdf = app.papers.render(move |f| doc.render(f)).await?;
    if !pdf.missing_glyphs.is_empty() {
        tracing::error!(case = id.as_str(), missing = pdf.missing_glyphs.len(), "fonts lack characters of a certificate");
        return Err(no("glyph_missing"));
    }
    let plan = source.plan()?;
    let (provider, metadata) = (seal(app)?, seal_metadata(&plan.number, &plan.identifier, &issued_at.rfc3339()));
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
    Ok(Made { source, day, rendered: Rendered { sm3, bytes: size }, issued_at, seal })
}

/// Renders and registers, or puts the case back to granted.
async fn attempt(app: &App, me: &StaffId, id: &CaseId, version: i64) -> Result<(), AppError> {
    let done = match make(app, id).await {
        Ok(made) => register(app, me, id, version, made).await,
        Err(e) => Err(e),
    };
    let Err(e) = done else { return Ok(()) };
    let code: &'static str = if e.code() == "glyph_missing" { "glyph_missing" } else { "seal_failed" };
    tracing::error!(case = id.as_str(), code = e.code(), "a result was not issued");
    let case = id.clone();
    app.write(me.as_str(), move |tx, w| {
        let case = case.clone();
        Box::pin(async move { fail(tx, w, &case, version, code).await })
    })
    .await?;
    Err(no(code))
}

async fn fail(tx: &mut Tx, w: &mut Work, id: &CaseId, version: i64, code: &str) -> Result<(), AppError> {
    let app = w.app.clone();
    let mut o = case_core::open(&app, tx, id, true).await?;
    // Somebody took the attempt over meanwhile: it is theirs now.
    if o.row.version != version || o.row.state != State::Issuing {
        return Ok(());
    }
    let mut record = o.decision()?.ok_or_else(|| no("internal"))?;
    if let Some(plan) = record.plan.as_mut() {
        plan.issuance = plan.issuance.clone().apply(w.now, IssueCmd::Fail { code: code.to_owned() })?.0;
    }
    o.apply(tx, w, &Actor::System, &Rules::default(), Cmd::FailIssuing { code: code.to_owned() }).await?;
    o.put_decision(&record)?;
    o.event(tx, w, "issue_failed", None).await?;
    o.save(tx, w).await
}

/// The closing transaction: all of it or nothing.
async fn register(app: &App, me: &StaffId, id: &CaseId, version: i64, made: Made) -> Result<(), AppError> {
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
            let (issuance, _) = plan.issuance.clone().apply(w.now, IssueCmd::Rendered(made.rendered.clone()))?;
            plan.issuance = issuance.apply(w.now, IssueCmd::Finish { certificate: certificate_id.clone() })?.0;
            let item = &made.source.form.item;
            let licence_id: LicenceId = w.id();
            licences::register(tx, w, &new_licence(&made.source, made.day, w, licence_id.clone())?).await?;
            let company = HolderCodeType::parse(&item.result.holder_code_type).is_some_and(HolderCodeType::is_company);
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
                holder_enc: o.key.seal(&HolderRecord { name: Pii::new(made.source.text(&item.result.holder_name)), company })?,
                issued_at: made.issued_at,
                valid_until: made.source.until(made.day).map(|d| d.to_string()),
            };
            certificate::insert(tx, &row).await?;
            files::record(tx, w, &o.row.key_id, &made.rendered.sm3, usize::try_from(made.rendered.bytes).unwrap_or(usize::MAX), "application/pdf").await?;
            o.apply(tx, w, &Actor::System, &Rules::default(), Cmd::FinishIssuing { certificate: certificate_id.clone() }).await?;
            o.put_decision(&record)?;
            o.event(tx, w, "issued", None).await?;
            w.audit(tx, "certificate.issued", certificate_id.as_str(), json!({"case": case.as_str(), "sm3": row.sm3, "licence": row.licence_id.as_str()})).await?;
            w.outbox(tx, "certificate.issued", certificate_id.as_str(), json!({"case": case.as_str()})).await?;
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
    let old = tokio::task::spawn_blocking(move || old_files(&dir)).await.map_err(|_| no("internal"))?;
    let mut removed = 0;
    for (path, sm3, key) in old {
        let known = app.read(|tx| Box::pin(async move { Ok(store::file::get(tx, &sm3, &key).await?.is_some()) })).await?;
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
    let entries = |d: &Path| std::fs::read_dir(d).map(|r| r.flatten().map(|e| e.path()).collect::<Vec<_>>()).unwrap_or_default();
    let is_old = |p: &Path| std::fs::metadata(p).and_then(|m| m.modified()).is_ok_and(|t| t.elapsed().is_ok_and(|a| a.as_secs() > 3600));
    let named = |p: PathBuf| {
        let (sm3, key) = p.file_name()?.to_str()?.split_once('-')?;
        let (sm3, key) = (sm3.to_owned(), KeyId::parse(key)?);
        Some((p, sm3, key))
    };
    entries(dir).iter().flat_map(|d| entries(d)).filter(|p| is_old(p)).filter_map(named).take(SWEEP_MAX).collect()
}

/// Whether a seal that stands in a row fits file and certificate.
pub fn seal_fits(app: &App, c: &certificate::Certificate, file: &[u8]) -> bool {
    let Ok(stored) = serde_json::from_str::<Seal>(&c.seal) else { return false };
    let metadata = seal_metadata(&c.number, &c.licence_identifier, &c.issued_at.rfc3339());
    seal(app).is_ok_and(|s| s.verify(file, &metadata, &stored).unwrap_or(false))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn validity_ends_the_day_before_its_namesake() {
        assert_eq!(last_day(date!(2026 - 11 - 22), 6), Some(date!(2027 - 05 - 21)));
        assert_eq!(last_day(date!(2026 - 08 - 31), 6), Some(date!(2027 - 02 - 28)));
        assert_eq!(last_day(date!(2026 - 11 - 22), 48), Some(date!(2030 - 11 - 21)));
        assert_eq!(last_day(date!(2026 - 12 - 01), 1), Some(date!(2026 - 12 - 31)));
    }

    #[test]
    fn agency_words_make_certificate_numbers() {
        for (name, word) in [("沅江市公安局", "沅江公安证字"), ("沅江市医疗保障局", "沅江医疗保障证字"), ("沅江市卫生健康局", "沅江卫生健康证字")] {
            assert_eq!(agency(name), word);
            assert!(CertificateNumber::build(&agency(name), 2026, 1).is_ok());
        }
    }

    #[test]
    fn codes_are_eight_unmistakable_characters() {
        let c = verify_code();
        assert!(c.len() == 8 && c.bytes().all(|b| CODE_ALPHABET.contains(&b)));
        assert_ne!(c, verify_code());
        assert_eq!(percent("沅〔1〕"), "%E6%B2%85%E3%80%941%E3%80%95");
    }

    #[test]
    fn choices_are_printed_by_their_label() {
        use domain::cofill::{Actor as Who, Cmd, Ctx, Evaluation, Role, apply};
        let item: Item = serde_json::from_str(include_str!("../../demo/catalogue/no-criminal-record.json")).unwrap();
        let who = Who { role: Role::Citizen, id: "mem".into() };
        let cel = Evaluation::plain(&item);
        let ctx = Ctx { item: &item, actor: &who, now: domain::time::Timestamp(0), cel: &cel, check: domain::identifiers::check_format };
        let set = Cmd::Set { path: "purpose.kind".into(), base_version: 0, value: Pii::new(json!("employment")) };
        let doc = apply(Doc::new(&item), set, &ctx).unwrap().0;
        assert_eq!(shown(&item, &doc, "purpose.kind", false), "求职入职");
        assert_eq!(shown(&item, &doc, "purpose.kind", true), "Employment");
        assert_eq!(shown(&item, &doc, "purpose.recipient", false), "—");
    }

    #[test]
    fn dates_read_back() {
        assert_eq!(domain::identifiers::parse_date("2026-11-22").map(day_zh).as_deref(), Some("2026年11月22日"));
    }
}
