//! One case as one viewer may see it: staff of the department in full, its agent and its citizen masked.
//!
//! Owns the putting together; the words are `case_words`'. Never changes anything.

use super::{
    App,
    case_core::{self, DecisionRecord, EventNote, Open, Viewer},
    case_words::{actions, both, event_text, look_first, state_view, steps},
    catalogue::{self, bilingual},
    consents, correction, form_view, forms, licences, result_paper,
    token::Principal,
};
use crate::problem::AppError;
use domain::{
    case::State,
    id::{CaseId, Id as _, MemberId, StaffId},
    time::Timestamp,
};
use protocol::{
    Bilingual, CaseCard, CaseEventView, CaseView, CertificateView, DutyView, FormView, Language,
    LicenceAccessView, MaterialView, RatingView, SignatureView,
};
use std::collections::HashMap;
use store::{Tx, case, certificate, hall, licence, material, rating, session, signature, staff};

/// Journal entries shown.
const EVENTS: i64 = 500;

async fn name_of(tx: &mut Tx, id: &StaffId) -> Result<String, AppError> {
    Ok(staff::get(tx, id)
        .await?
        .map(|s| s.name)
        .unwrap_or_default())
}

/// A line of a work list. A case whose key was destroyed still has its line, without a name.
pub async fn card(app: &App, tx: &mut Tx, row: &case::Case) -> Result<CaseCard, AppError> {
    match case_core::open(app, tx, &row.id, false).await {
        Ok(o) => card_of(app, tx, &o).await,
        Err(e) if e.code() == "not_found" => {
            let item = catalogue::item_at(tx, &row.item, row.item_version).await?;
            Ok(plain_card(
                row,
                bilingual(&item.name),
                "—".into(),
                None,
                None,
            ))
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
    Ok(plain_card(
        &o.row,
        bilingual(&item.name),
        o.applicant()?.masked(),
        left,
        claimed_by,
    ))
}

fn plain_card(
    row: &case::Case,
    item_title: Bilingual,
    applicant_masked: String,
    days_left: Option<i32>,
    claimed_by: Option<String>,
) -> CaseCard {
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

pub(super) fn material_view(m: material::Material) -> MaterialView {
    MaterialView {
        id: m.id.to_string(),
        code: m.code,
        name: Bilingual {
            zh: m.name_zh,
            en: m.name_en,
        },
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
    async fn of(
        tx: &mut Tx,
        o: &Open,
        events: &[case::Event],
        accesses: &[licence::Access],
    ) -> Result<Self, AppError> {
        let mut out = HashMap::new();
        for m in session::members(tx, &o.row.session_id).await? {
            let name = if m.name.is_empty() {
                Self::citizen()
            } else {
                both(&m.name, &m.name)
            };
            out.insert(m.id.to_string(), name);
        }
        let actors = events
            .iter()
            .map(|e| &e.actor)
            .chain(accesses.iter().map(|a| &a.actor));
        for id in actors
            .filter_map(|a| StaffId::parse(a))
            .collect::<std::collections::BTreeSet<_>>()
        {
            let name = name_of(tx, &id).await?;
            out.insert(id.to_string(), both(&name, &name));
        }
        out.insert(o.row.visit_id.to_string(), Self::citizen());
        out.insert(o.row.id.to_string(), Self::citizen());
        Ok(Self(out))
    }
    fn get(&self, id: &str) -> Bilingual {
        let unknown = if MemberId::parse(id).is_some() {
            both("工作人员", "Staff")
        } else {
            both("系统", "The system")
        };
        self.0.get(id).cloned().unwrap_or(unknown)
    }
}

async fn accesses(
    tx: &mut Tx,
    rows: &[licence::Access],
    names: &Names,
) -> Result<Vec<LicenceAccessView>, AppError> {
    if rows.is_empty() {
        return Ok(vec![]);
    }
    let types = licences::types(tx).await?;
    let mut out = Vec::with_capacity(rows.len());
    for a in rows {
        let known = licence::get(tx, &a.licence_id)
            .await?
            .and_then(|l| types.get(&l.type_code).map(|t| t.name.clone()));
        out.push(LicenceAccessView {
            licence_name: known.unwrap_or_else(|| both("电子证照", "Electronic licence")),
            at: a.at.rfc3339(),
            by: names.get(&a.actor),
            purpose: Bilingual {
                zh: a.purpose.clone(),
                en: a.purpose.clone(),
            },
        });
    }
    Ok(out)
}

fn certificate_view(app: &App, id: &CaseId, c: &certificate::Certificate) -> CertificateView {
    CertificateView {
        number: c.number.clone(),
        licence_identifier: c.licence_identifier.clone(),
        title: Bilingual {
            zh: c.title_zh.clone(),
            en: c.title_en.clone(),
        },
        issued_at: c.issued_at.rfc3339(),
        valid_until: c.valid_until.clone(),
        sm3: c.sm3.clone(),
        pdf_url: format!("/api/v1/cases/{id}/certificate.pdf"),
        verify_url: result_paper::verify_url(app, &c.number, &c.verify_code),
    }
}

pub(super) fn rating_view(
    key: &super::vault::DataKey,
    r: rating::Rating,
) -> Result<RatingView, AppError> {
    let comment = r
        .comment_enc
        .map(|c| key.open::<String>(&c))
        .transpose()?
        .unwrap_or_default();
    Ok(RatingView {
        stars: u8::try_from(r.stars).unwrap_or(0),
        tags: r.tags,
        comment,
        at: r.at.rfc3339(),
        is_default: r.is_default,
    })
}

async fn duties(tx: &mut Tx, o: &Open) -> Result<Vec<DutyView>, AppError> {
    let mut out = vec![];
    for e in o.machine.duties.entries() {
        out.push(DutyView {
            duty: e.duty.as_str().into(),
            staff: e.person.staff.to_string(),
            name: name_of(tx, &e.person.staff).await?,
            at: e.at.rfc3339(),
        });
    }
    Ok(out)
}

fn timeline(
    o: &Open,
    events: Vec<case::Event>,
    names: &Names,
) -> Result<Vec<CaseEventView>, AppError> {
    let mut out = Vec::with_capacity(events.len());
    for e in events {
        let mut text = event_text(&e.kind);
        let note = e
            .payload_enc
            .map(|p| o.key.open::<EventNote>(&p))
            .transpose()?
            .and_then(|n| n.text);
        if let Some(n) = note {
            text = Bilingual {
                zh: format!("{}：{n}", text.zh),
                en: format!("{}: {n}", text.en),
            };
        }
        out.push(CaseEventView {
            at: e.at.rfc3339(),
            kind: e.kind,
            text,
            by: Some(names.get(&e.actor)),
        });
    }
    Ok(out)
}

async fn form(
    tx: &mut Tx,
    s: &session::Session,
    d: &forms::Document,
    v: &Viewer,
) -> Result<FormView, AppError> {
    // The citizen's phone may be anybody's next: sensitive values stay masked there, as for the agent.
    let who = match v {
        Viewer::Office { .. } => form_view::Viewer::Official,
        Viewer::Agent { .. } | Viewer::Applicant => form_view::Viewer::Staff {
            member: "",
            writes: false,
        },
    };
    form_view::build(tx, s, d, who).await
}

/// The case for one viewer, within a reading.
pub async fn view_in(
    app: &App,
    tx: &mut Tx,
    who: &Principal,
    id: &CaseId,
) -> Result<CaseView, AppError> {
    let o = case_core::open(app, tx, id, false).await?;
    let v = case_core::viewer(tx, who, &o.row).await?;
    let s = session::get(tx, &o.row.session_id)
        .await?
        .ok_or_else(|| crate::problem::no("not_found"))?;
    let d = case_core::form_of(app, tx, &o).await?;
    let form = form(tx, &s, &d, &v).await?;
    let materials: Vec<MaterialView> = material::of_case(tx, id)
        .await?
        .into_iter()
        .map(material_view)
        .collect();
    let events = case::events(tx, id, 0, EVENTS).await?;
    let read = licence::accesses_of_case(tx, id).await?;
    let names = Names::of(tx, &o, &events, &read).await?;
    let signed = signature::of_case(tx, id).await?;
    let correction = o.correction()?;
    let decision: Option<DecisionRecord> = o.decision()?;
    let cert = certificate::by_case(tx, id).await?;
    let rated = rating::of_case(tx, id)
        .await?
        .map(|r| rating_view(&o.key, r))
        .transpose()?;
    let deferred = o.row.state == State::Granted
        && !correction::deferred_missing(tx, &o, &d).await?.is_empty();
    let (actions, blocked) = actions(&o, &v, rated.is_some(), deferred);
    let place = hall::get(tx, &o.row.hall_id).await?;
    Ok(CaseView {
        card: card_of(app, tx, &o).await?,
        accepted_at: o.row.accepted_at.map(Timestamp::rfc3339),
        hall: place
            .map(|h| Bilingual {
                zh: h.name_zh,
                en: h.name_en,
            })
            .unwrap_or_default(),
        department: bilingual(&d.item.department.name),
        duties: duties(tx, &o).await?,
        steps: steps(&o, cert.as_ref().map(|c| c.issued_at)),
        timeline: timeline(&o, events, &names)?,
        look_first: if v.is_staff() {
            look_first(&form, &materials, correction.as_ref())
        } else {
            vec![]
        },
        materials,
        form: Some(form),
        consents: consents::views(tx, &s).await?,
        signature: signed.and_then(|x| {
            Some(SignatureView {
                signed_at: x.signed_at?.rfc3339(),
                digest: x.digest,
                language: if x.language == "en" {
                    Language::En
                } else {
                    Language::Zh
                },
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
    app.read(|tx| Box::pin(async move { view_in(&a, tx, &who, &id).await }))
        .await
}
