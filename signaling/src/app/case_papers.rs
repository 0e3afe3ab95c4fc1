//! The papers of a case: receipt, notice, decision, result, materials, signature. Made when someone asks, from what is recorded.
//!
//! Never decides what a paper says about the law; never renders within a transaction.

use super::{
    App, call_flow,
    case_core::{self, CorrectionRecord, DecisionRecord, Open, Viewer},
    catalogue::ItemRef,
    files, issue,
    token::Principal,
};
use crate::problem::{AppError, no};
use documents::{
    Correction, CorrectionNotice, ReceiptDoc, ReceiptKind, ReceiptMaterial, RefusalDoc,
    RefusalKind, Remedies, Text,
};
use domain::{
    case::State,
    catalogue as rules,
    id::{CaseId, MaterialId, SessionId},
    identifiers::parse_date,
    time::Timestamp,
};
use protocol::{Bilingual, Role};
use store::{Tx, certificate, hall, material, signature, staff};

fn text(t: &rules::Text) -> Text {
    Text::new(&t.zh, &t.en)
}

fn words(b: &Bilingual) -> Text {
    Text::new(&b.zh, &b.en)
}

/// What every paper of a case is made of.
struct File {
    open: Open,
    viewer: Viewer,
    item: ItemRef,
    hall: hall::Hall,
    agent: String,
    applicant: String,
    materials: Vec<material::Material>,
}

async fn file(app: &App, tx: &mut Tx, who: &Principal, id: &CaseId) -> Result<File, AppError> {
    let open = case_core::open(app, tx, id, false).await?;
    let viewer = case_core::viewer(tx, who, &open.row).await?;
    let item = super::catalogue::item_at(tx, &open.row.item, open.row.item_version).await?;
    let hall = hall::get(tx, &open.row.hall_id)
        .await?
        .ok_or_else(|| no("internal"))?;
    let accepter = open
        .machine
        .duties
        .entries()
        .iter()
        .find(|e| e.duty == domain::case::Duty::Accepted)
        .map(|e| e.person.staff.clone());
    let agent = match accepter {
        Some(s) => staff::get(tx, &s)
            .await?
            .map(|s| s.name)
            .unwrap_or_default(),
        None => String::new(),
    };
    let applicant = open.applicant()?.masked();
    let materials = material::of_case(tx, id).await?;
    Ok(File {
        open,
        viewer,
        item,
        hall,
        agent,
        applicant,
        materials,
    })
}

async fn load(app: &App, who: &Principal, id: CaseId) -> Result<File, AppError> {
    let (a, who) = (app.clone(), who.clone());
    app.read(|tx| Box::pin(async move { file(&a, tx, &who, &id).await }))
        .await
}

/// The progress page of the phone. Who scans it without having the case's own code is asked for it there.
fn progress_url(app: &App, f: &File) -> String {
    format!(
        "{}/phone/#case={}",
        app.public_url.trim_end_matches('/'),
        f.open.row.id
    )
}

fn came_as(source: &str) -> Text {
    match source {
        "licence_copy" => Text::new("电子证照", "Electronic licence"),
        "camera" => Text::new("现场拍摄", "Taken on the spot"),
        _ => Text::new("电子文件", "Electronic file"),
    }
}

fn receipt_doc(app: &App, f: &File) -> ReceiptDoc {
    let row = &f.open.row;
    let accepted = row.accepted_at.is_some();
    ReceiptDoc {
        kind: if accepted {
            ReceiptKind::Accepted
        } else {
            ReceiptKind::Received
        },
        number: row.number.clone(),
        item: text(&f.item.name),
        applicant: f.applicant.clone(),
        authority: text(&f.item.department.name),
        at: row.accepted_at.unwrap_or(row.received_at).utc(),
        due: row
            .due_on
            .as_deref()
            .and_then(parse_date)
            .filter(|_| accepted),
        promised_days: u16::try_from(f.item.promise_days).ok(),
        hall: Text::new(&f.hall.name_zh, &f.hall.name_en),
        agent: f.agent.clone(),
        // A receipt confirms what was there when it was given: later papers are not on it.
        materials: f
            .materials
            .iter()
            .filter(|m| m.at <= row.received_at)
            .map(|m| ReceiptMaterial {
                name: Text::new(&m.name_zh, &m.name_en),
                form: came_as(&m.source),
                copies: 1,
            })
            .collect(),
        next_steps: f.item.next_steps.iter().map(text).collect(),
        phone: f.hall.telephone.clone(),
        qr_url: progress_url(app, f),
    }
}

/// 受理通知书 (§32), PDF: for the citizen and for staff of the case.
pub async fn receipt(app: &App, who: &Principal, id: CaseId) -> Result<Vec<u8>, AppError> {
    let doc = receipt_doc(app, &load(app, who, id).await?);
    Ok(app.papers.render(move |f| doc.render(f)).await?.bytes)
}

/// The same, asked for within the session.
///
/// Codes: `not_a_member`, `no_case`.
pub async fn receipt_of_session(
    app: &App,
    who: &Principal,
    session: SessionId,
) -> Result<Vec<u8>, AppError> {
    let asker = who.clone();
    let case = app
        .read(|tx| {
            Box::pin(async move {
                let (s, _, _) = call_flow::membership(tx, &asker, &session).await?;
                s.case_id.ok_or_else(|| no("no_case"))
            })
        })
        .await?;
    receipt(app, who, case).await
}

/// The result: for an issuer before the issue the preview, afterwards the issued bytes for everybody of the case.
///
/// Codes: `not_found`, `illegal_transition` (no result yet).
pub async fn certificate(app: &App, who: &Principal, id: CaseId) -> Result<Vec<u8>, AppError> {
    let (a, asker, case) = (app.clone(), who.clone(), id.clone());
    let (viewer, row) = app
        .read(|tx| {
            Box::pin(async move {
                let o = case_core::open(&a, tx, &case, false).await?;
                let v = case_core::viewer(tx, &asker, &o.row).await?;
                Ok((v, certificate::by_case(tx, &case).await?))
            })
        })
        .await?;
    match row {
        Some(c) => files::get_under(app, &c.key_id, &c.sm3).await,
        None if viewer.has(Role::Issuer) || viewer.has(Role::Reviewer) => {
            issue::preview(app, who, id).await
        }
        None => Err(no("illegal_transition")),
    }
}

fn refusal_doc(app: &App, f: &File, d: &DecisionRecord) -> Result<RefusalDoc, AppError> {
    let row = &f.open.row;
    let decided = f.open.machine.decided_at.ok_or_else(|| no("internal"))?;
    let mut reasons: Vec<Text> = d.view.reasons.iter().map(words).collect();
    if !d.view.opinion.is_empty() {
        reasons.push(Text::zh(&d.view.opinion));
    }
    Ok(RefusalDoc {
        kind: if row.state == State::NotAccepted {
            RefusalKind::NotAccepted
        } else {
            RefusalKind::Refused
        },
        number: format!("{}-不予", row.number),
        case_number: row.number.clone(),
        applicant: f.applicant.clone(),
        item: text(&f.item.name),
        applied_at: row.received_at.utc(),
        reasons,
        legal_basis: f.item.legal_bases.iter().map(|b| b.zh.clone()).collect(),
        remedies: Remedies {
            review_body: words(d.review_body.as_ref().unwrap_or(&app.county.review_body)),
            review_days: 60,
            court: Text::new(
                "有管辖权的人民法院",
                "the people's court that has jurisdiction",
            ),
            suit_months: 6,
        },
        authority: text(&f.item.department.name),
        decided_on: decided.beijing_date(),
        phone: f.hall.telephone.clone(),
        qr_url: progress_url(app, f),
    })
}

fn notice_doc(app: &App, f: &File, c: &CorrectionRecord) -> CorrectionNotice {
    let row = &f.open.row;
    let subject = |t: Option<&str>| match t {
        Some(t) => f
            .item
            .field(t)
            .map(|x| text(&x.label))
            .or_else(|| f.item.material(t).map(|m| text(&m.name))),
        None => None,
    };
    let point = |p: &protocol::CorrectionPoint| Correction {
        subject: subject(p.target.as_deref()).unwrap_or_else(|| Text::new("总体", "General")),
        problem: words(&p.text),
        remedy: Text::new(
            "请在手机上办事进度页补交",
            "Answer on the progress page of your phone",
        ),
    };
    CorrectionNotice {
        number: format!("{}-补正", row.number),
        case_number: row.number.clone(),
        applicant: f.applicant.clone(),
        item: text(&f.item.name),
        received_at: row.received_at.utc(),
        corrections: c.view.points.iter().map(point).collect(),
        deadline: parse_date(&c.view.due_on),
        authority: text(&f.item.department.name),
        given_on: Timestamp::beijing_date(c.noticed_at),
        agent: String::new(),
        phone: f.hall.telephone.clone(),
        qr_url: progress_url(app, f),
    }
}

/// 不予决定书 once refused, 补正告知书 while or after a correction was asked.
///
/// Codes: `not_found` where there is neither.
pub async fn decision(app: &App, who: &Principal, id: CaseId) -> Result<Vec<u8>, AppError> {
    let f = load(app, who, id).await?;
    let decided = f.open.decision()?;
    if let Some(d) = decided.filter(|d| d.view.kind == "refused") {
        let doc = refusal_doc(app, &f, &d)?;
        return Ok(app.papers.render(move |x| doc.render(x)).await?.bytes);
    }
    let c = f.open.correction()?.ok_or_else(|| no("not_found"))?;
    let doc = notice_doc(app, &f, &c);
    Ok(app.papers.render(move |x| doc.render(x)).await?.bytes)
}

/// A material of the case: media type and bytes. Not for the agent once the case was handed in: the department's staff and the
/// citizen read it.
pub async fn material(
    app: &App,
    who: &Principal,
    case: CaseId,
    id: MaterialId,
) -> Result<(String, Vec<u8>), AppError> {
    let f = load(app, who, case.clone()).await?;
    if matches!(f.viewer, Viewer::Agent { .. }) {
        return Err(no("not_found"));
    }
    let m = f
        .materials
        .into_iter()
        .find(|m| m.id == id)
        .ok_or_else(|| no("material_unknown"))?;
    let bytes = files::get_under(app, &m.key_id, &m.sm3).await?;
    Ok((m.media_type, bytes))
}

/// The handwritten signature that the case was handed in with, PNG.
pub async fn signature_png(app: &App, who: &Principal, id: CaseId) -> Result<Vec<u8>, AppError> {
    let (a, who) = (app.clone(), who.clone());
    app.read(|tx| {
        Box::pin(async move {
            let o = case_core::open(&a, tx, &id, false).await?;
            if matches!(
                case_core::viewer(tx, &who, &o.row).await?,
                Viewer::Agent { .. }
            ) {
                return Err(no("not_found"));
            }
            let s = signature::of_case(tx, &id)
                .await?
                .ok_or_else(|| no("not_found"))?;
            o.key
                .open_bytes(&s.image_enc.ok_or_else(|| no("not_found"))?)
        })
    })
    .await
}
