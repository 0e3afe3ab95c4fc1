//! One case as one viewer may see it: staff of the department in full, its agent and its citizen masked.
//!
//! Owns the words of steps and journal, what a viewer may do now and why not. Never changes anything.

use super::{
    App,
    case_core::{self, CorrectionRecord, DecisionRecord, EventNote, Open, Viewer},
    catalogue::{self, bilingual},
    consents, correction, form_view, forms, issue, licences,
    token::Principal,
};
use crate::problem::{AppError, kind_of};
use domain::{
    case::{CmdKind, Duty, State},
    id::{CaseId, Id as _, MemberId, StaffId},
    time::Timestamp,
};
use protocol::{
    Bilingual, BlockedAction, CaseCard, CaseEventView, CaseState, CaseView, CertificateView, DutyView, FormView, Language, LicenceAccessView, LookFirst, MaterialView, OriginView, RatingView,
    Role, SignatureView, StepView,
};
use std::collections::HashMap;
use store::{Tx, case, certificate, hall, licence, material, rating, session, signature, staff};

/// Journal entries shown, and things to look at first.
const EVENTS: i64 = 500;
const LOOK_FIRST: usize = 12;

pub(super) fn both(zh: &str, en: &str) -> Bilingual {
    Bilingual { zh: zh.to_owned(), en: en.to_owned() }
}

const fn state_view(s: State) -> CaseState {
    match s {
        State::Draft => CaseState::Draft,
        State::Received => CaseState::Received,
        State::PreCheck => CaseState::PreCheck,
        State::Correction => CaseState::Correction,
        State::NotAccepted => CaseState::NotAccepted,
        State::Transferred => CaseState::Transferred,
        State::Accepted => CaseState::Accepted,
        State::InReview => CaseState::InReview,
        State::Extended => CaseState::Extended,
        State::Suspended => CaseState::Suspended,
        State::Granted => CaseState::Granted,
        State::Refused => CaseState::Refused,
        State::Issuing => CaseState::Issuing,
        State::Issued => CaseState::Issued,
        State::Delivered => CaseState::Delivered,
        State::Archived => CaseState::Archived,
        State::Withdrawn => CaseState::Withdrawn,
        State::Returned => CaseState::Returned,
    }
}

async fn name_of(tx: &mut Tx, id: &StaffId) -> Result<String, AppError> {
    Ok(staff::get(tx, id).await?.map(|s| s.name).unwrap_or_default())
}

/// A line of a work list. A case whose key was destroyed still has its line, without a name.
pub async fn card(app: &App, tx: &mut Tx, row: &case::Case) -> Result<CaseCard, AppError> {
    match case_core::open(app, tx, &row.id, false).await {
        Ok(o) => card_of(app, tx, &o).await,
        Err(e) if e.code() == "not_found" => {
            let item = catalogue::item_at(tx, &row.item, row.item_version).await?;
            Ok(plain_card(row, bilingual(&item.name), "—".into(), None, None))
        }
        Err(e) => Err(e),
    }
}

async fn card_of(app: &App, tx: &mut Tx, o: &Open) -> Result<CaseCard, AppError> {
    let item = catalogue::item_at(tx, &o.row.item, o.row.item_version).await?;
    let claimed_by = match &o.row.claimed_by {
        Some(s) => Some(name_of(tx, s).await?),
        None => None,
    };
    let left = o.machine.days_left(app.now(), &app.calendar).ok().flatten();
    Ok(plain_card(&o.row, bilingual(&item.name), o.applicant()?.masked(), left, claimed_by))
}

fn plain_card(row: &case::Case, item_title: Bilingual, applicant_masked: String, days_left: Option<i32>, claimed_by: Option<String>) -> CaseCard {
    CaseCard {
        id: row.id.to_string(),
        number: row.number.clone(),
        item: row.item.clone(),
        item_title,
        applicant_masked,
        state: state_view(row.state),
        version: row.version,
        received_at: row.received_at.rfc3339(),
        due_on: row.due_on.clone(),
        days_left,
        claimed_by,
        corrected: row.corrected,
    }
}

/// What the journal says of each kind.
fn event_text(kind: &str) -> Bilingual {
    match kind {
        "received" => both("收件", "Received"),
        "accepted" => both("受理，开始计时", "Accepted; the clock has started"),
        "review_begun" => both("开始审查", "Review has begun"),
        "correction_asked" => both("一次性告知补正", "One-time notice of what to correct"),
        "corrected" => both("补正已交", "The correction was handed in"),
        "material_added" => both("补交了材料", "A paper was added"),
        "refused" => both("决定不予办理", "Refused"),
        "granted" => both("准予，转出证", "Granted; sent to issuance"),
        "issue_failed" => both("签发未成功，将重试", "Issuing did not succeed; it will be tried again"),
        "issued" => both("已出证，可在手机上领取", "Issued; it is on your phone"),
        "withdrawn" => both("申请人撤回", "Withdrawn by the applicant"),
        _ => both("办理中", "In progress"),
    }
}

/// Where each step stands: done since, current, still to come, or stopped.
fn steps(o: &Open, issued_at: Option<Timestamp>) -> Vec<StepView> {
    let s = o.row.state;
    let stopped = matches!(s, State::Refused | State::NotAccepted | State::Transferred | State::Withdrawn | State::Returned);
    let accepted = o.row.accepted_at;
    let decided = o.machine.decided_at;
    let step = |id: &str, label: Bilingual, at: Option<Timestamp>, current: bool| {
        let status = if at.is_some() {
            "done"
        } else if stopped {
            "stopped"
        } else if current {
            "current"
        } else {
            "next"
        };
        StepView { id: id.into(), label, status: status.into(), at: at.map(Timestamp::rfc3339) }
    };
    vec![
        step("receive", both("收件", "Received"), Some(o.row.received_at), false),
        step("accept", both("受理", "Accepted"), accepted, accepted.is_none()),
        step("review", both("审查", "Review"), decided, accepted.is_some()),
        step("issue", both("出证", "Issue"), issued_at, decided.is_some()),
        // The result reaches the phone with the moment of issue (电子送达).
        step("deliver", both("送达", "Deliver"), issued_at, false),
    ]
}

/// Acts of staff, the duty each would be, the role it needs, and whether the state knows it.
fn staff_acts(o: &Open) -> [(&'static str, Duty, Role, bool); 6] {
    let s = o.row.state;
    let open_review = matches!(s, State::InReview | State::Extended);
    let fresh = o.machine.correction.is_none();
    [
        ("claim", Duty::Reviewed, Role::Reviewer, o.row.claimed_by.is_none() && (s == State::Accepted || open_review)),
        ("release", Duty::Reviewed, Role::Reviewer, o.row.claimed_by.is_some() && case_core::is_open(s)),
        ("correct", Duty::Reviewed, Role::Reviewer, open_review && fresh),
        ("refuse", Duty::Decided, Role::Reviewer, s.allows(CmdKind::Refuse)),
        ("grant", Duty::Decided, Role::Reviewer, s.allows(CmdKind::Grant)),
        ("issue", Duty::Issued, Role::Issuer, s.allows(CmdKind::BeginIssuing)),
    ]
}

fn blocked(action: &str, code: &str) -> BlockedAction {
    let k = kind_of(code);
    BlockedAction { action: action.into(), code: code.into(), message: both(k.zh, k.en) }
}

/// What a viewer may do now, and what not because of who they are.
fn actions(o: &Open, v: &Viewer, rated: bool, deferred: bool) -> (Vec<String>, Vec<BlockedAction>) {
    let (mut may, mut not) = (vec![], vec![]);
    let Some(me) = v.staff() else {
        if o.row.state == State::Correction {
            may.push("reply".to_owned());
        }
        if o.row.state.allows(CmdKind::Withdraw) {
            may.push("withdraw".to_owned());
        }
        if !rated {
            may.push("rate".to_owned());
        }
        return (may, not);
    };
    let mine = o.row.claimed_by.as_ref() == Some(&me.id);
    for (act, duty, role, possible) in staff_acts(o) {
        if !possible && !matches!(o.row.state, State::Accepted) {
            continue;
        }
        match o.may(v, duty, role) {
            Err(e) if matches!(e.code(), "duty_conflict" | "own_case") => {
                if act != "release" {
                    not.push(blocked(act, e.code()));
                }
            }
            Ok(_) if act == "issue" && deferred => not.push(blocked(act, "deferred_materials_missing")),
            Ok(_) if possible && (matches!(act, "claim" | "issue") || mine) => may.push(act.to_owned()),
            Ok(_) | Err(_) => {}
        }
    }
    (may, not)
}

/// What was typed, changed or uploaded: changed first, papers next, then what was typed.
fn look_first(form: &FormView, materials: &[MaterialView], correction: Option<&CorrectionRecord>) -> Vec<LookFirst> {
    let fields = || form.groups.iter().flat_map(|g| &g.fields).filter(|f| f.visible && !f.value.is_null());
    let changed = |p: &str| correction.is_some_and(|c| c.changed.iter().any(|x| x == p));
    let of = |f: &protocol::FieldView, why: &str| LookFirst { target: f.path.clone(), why: why.into(), label: f.label.clone() };
    let mut out: Vec<LookFirst> = fields().filter(|f| f.changed_since_confirm || changed(&f.path)).map(|f| of(f, "changed")).collect();
    out.extend(materials.iter().filter(|m| m.source != "licence_copy").map(|m| LookFirst { target: m.id.clone(), why: "uploaded".into(), label: m.name.clone() }));
    let typed = |f: &&protocol::FieldView| matches!(f.origin, Some(OriginView::Typed { .. })) && !changed(&f.path) && !f.changed_since_confirm;
    out.extend(fields().filter(typed).map(|f| of(f, "typed")));
    out.truncate(LOOK_FIRST);
    out
}

pub(super) fn material_view(m: material::Material) -> MaterialView {
    MaterialView {
        id: m.id.to_string(),
        code: m.code,
        name: Bilingual { zh: m.name_zh, en: m.name_en },
        source: m.source,
        media_type: m.media_type,
        bytes: m.bytes,
        sm3: m.sm3,
        at: m.at.rfc3339(),
    }
}

/// Names of those who appear in a case's records, by id.
struct Names(HashMap<String, Bilingual>);

impl Names {
    fn citizen() -> Bilingual {
        both("申请人", "The applicant")
    }
    async fn of(tx: &mut Tx, o: &Open, events: &[case::Event], accesses: &[licence::Access]) -> Result<Self, AppError> {
        let mut out = HashMap::new();
        for m in session::members(tx, &o.row.session_id).await? {
            let name = if m.name.is_empty() { Self::citizen() } else { both(&m.name, &m.name) };
            out.insert(m.id.to_string(), name);
        }
        let actors = events.iter().map(|e| &e.actor).chain(accesses.iter().map(|a| &a.actor));
        for id in actors.filter_map(|a| StaffId::parse(a)).collect::<std::collections::BTreeSet<_>>() {
            let name = name_of(tx, &id).await?;
            out.insert(id.to_string(), both(&name, &name));
        }
        out.insert(o.row.visit_id.to_string(), Self::citizen());
        out.insert(o.row.id.to_string(), Self::citizen());
        Ok(Self(out))
    }
    fn get(&self, id: &str) -> Bilingual {
        let unknown = if MemberId::parse(id).is_some() { both("工作人员", "Staff") } else { both("系统", "The system") };
        self.0.get(id).cloned().unwrap_or(unknown)
    }
}

async fn accesses(tx: &mut Tx, rows: &[licence::Access], names: &Names) -> Result<Vec<LicenceAccessView>, AppError> {
    if rows.is_empty() {
        return Ok(vec![]);
    }
    let types = licences::types(tx).await?;
    let mut out = Vec::with_capacity(rows.len());
    for a in rows {
        let known = licence::get(tx, &a.licence_id).await?.and_then(|l| types.get(&l.type_code).map(|t| t.name.clone()));
        out.push(LicenceAccessView {
            licence_name: known.unwrap_or_else(|| both("电子证照", "Electronic licence")),
            at: a.at.rfc3339(),
            by: names.get(&a.actor),
            purpose: Bilingual { zh: a.purpose.clone(), en: a.purpose.clone() },
        });
    }
    Ok(out)
}

fn certificate_view(app: &App, id: &CaseId, c: &certificate::Certificate) -> CertificateView {
    CertificateView {
        number: c.number.clone(),
        licence_identifier: c.licence_identifier.clone(),
        title: Bilingual { zh: c.title_zh.clone(), en: c.title_en.clone() },
        issued_at: c.issued_at.rfc3339(),
        valid_until: c.valid_until.clone(),
        sm3: c.sm3.clone(),
        pdf_url: format!("/api/v1/cases/{id}/certificate.pdf"),
        verify_url: issue::verify_url(app, &c.number, &c.verify_code),
    }
}

pub(super) fn rating_view(key: &super::vault::DataKey, r: rating::Rating) -> Result<RatingView, AppError> {
    let comment = r.comment_enc.map(|c| key.open::<String>(&c)).transpose()?.unwrap_or_default();
    Ok(RatingView { stars: u8::try_from(r.stars).unwrap_or(0), tags: r.tags, comment, at: r.at.rfc3339(), is_default: r.is_default })
}

async fn duties(tx: &mut Tx, o: &Open) -> Result<Vec<DutyView>, AppError> {
    let mut out = vec![];
    for e in o.machine.duties.entries() {
        out.push(DutyView { duty: e.duty.as_str().into(), staff: e.person.staff.to_string(), name: name_of(tx, &e.person.staff).await?, at: e.at.rfc3339() });
    }
    Ok(out)
}

fn timeline(o: &Open, events: Vec<case::Event>, names: &Names) -> Result<Vec<CaseEventView>, AppError> {
    let mut out = Vec::with_capacity(events.len());
    for e in events {
        let mut text = event_text(&e.kind);
        let note = e.payload_enc.map(|p| o.key.open::<EventNote>(&p)).transpose()?.and_then(|n| n.text);
        if let Some(n) = note {
            text = Bilingual { zh: format!("{}：{n}", text.zh), en: format!("{}: {n}", text.en) };
        }
        out.push(CaseEventView { at: e.at.rfc3339(), kind: e.kind, text, by: Some(names.get(&e.actor)) });
    }
    Ok(out)
}

async fn form(tx: &mut Tx, s: &session::Session, d: &forms::Document, v: &Viewer) -> Result<FormView, AppError> {
    // The citizen's phone may be anybody's next: sensitive values stay masked there, as for the agent.
    let who = match v {
        Viewer::Office { .. } => form_view::Viewer::Official,
        Viewer::Agent { .. } | Viewer::Applicant => form_view::Viewer::Staff { member: "", writes: false },
    };
    form_view::build(tx, s, d, who).await
}

/// The case for one viewer, within a reading.
pub async fn view_in(app: &App, tx: &mut Tx, who: &Principal, id: &CaseId) -> Result<CaseView, AppError> {
    let o = case_core::open(app, tx, id, false).await?;
    let v = case_core::viewer(tx, who, &o.row).await?;
    let s = session::get(tx, &o.row.session_id).await?.ok_or_else(|| crate::problem::no("not_found"))?;
    let d = case_core::form_of(app, tx, &o).await?;
    let form = form(tx, &s, &d, &v).await?;
    let materials: Vec<MaterialView> = material::of_case(tx, id).await?.into_iter().map(material_view).collect();
    let events = case::events(tx, id, 0, EVENTS).await?;
    let read = licence::accesses_of_case(tx, id).await?;
    let names = Names::of(tx, &o, &events, &read).await?;
    let signed = signature::of_case(tx, id).await?;
    let correction = o.correction()?;
    let decision: Option<DecisionRecord> = o.decision()?;
    let cert = certificate::by_case(tx, id).await?;
    let rated = rating::of_case(tx, id).await?.map(|r| rating_view(&o.key, r)).transpose()?;
    let deferred = o.row.state == State::Granted && !correction::deferred_missing(tx, &o, &d).await?.is_empty();
    let (actions, blocked) = actions(&o, &v, rated.is_some(), deferred);
    let place = hall::get(tx, &o.row.hall_id).await?;
    Ok(CaseView {
        card: card_of(app, tx, &o).await?,
        accepted_at: o.row.accepted_at.map(Timestamp::rfc3339),
        hall: place.map(|h| Bilingual { zh: h.name_zh, en: h.name_en }).unwrap_or_default(),
        department: bilingual(&d.item.department.name),
        duties: duties(tx, &o).await?,
        steps: steps(&o, cert.as_ref().map(|c| c.issued_at)),
        timeline: timeline(&o, events, &names)?,
        look_first: if v.is_staff() { look_first(&form, &materials, correction.as_ref()) } else { vec![] },
        materials,
        form: Some(form),
        consents: consents::views(tx, &s).await?,
        signature: signed.and_then(|x| {
            Some(SignatureView {
                signed_at: x.signed_at?.rfc3339(),
                digest: x.digest,
                language: if x.language == "en" { Language::En } else { Language::Zh },
                image_url: format!("/api/v1/cases/{id}/signature.png"),
            })
        }),
        correction: correction.map(|c| c.view),
        decision: decision.map(|d| d.view),
        certificate: cert.as_ref().map(|c| certificate_view(app, id, c)),
        rating: rated,
        actions,
        blocked,
        licence_accesses: accesses(tx, &read, &names).await?,
    })
}

/// The case for one viewer; `not_found` for strangers.
pub async fn get(app: &App, who: &Principal, id: CaseId) -> Result<CaseView, AppError> {
    let (a, who) = (app.clone(), who.clone());
    app.read(|tx| Box::pin(async move { view_in(&a, tx, &who, &id).await })).await
}
