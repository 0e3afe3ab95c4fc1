//! 加注件: after a granted consent, a watermarked copy of the licence goes along as a material, in place of the paper (免证).
//!
//! Rendered after the grant's commit and outside any transaction; running it again adds nothing. Shows the consent's fields alone.

use super::{
    App,
    call_flow::journal,
    files, forms,
    licences::{self, Opened},
    signing,
};
use crate::problem::{AppError, no};
use documents::{LicenceCopyDoc, Row, Text, TrustLevel as Trust};
use domain::{
    catalogue::MaterialSpec,
    consent::{Purpose, State},
    id::{ConsentId, SessionId},
    licence::TrustLevel,
    limits,
    session::State as SessionState,
};
use protocol::EventBody;
use store::{Tx, consent, dialect, material, session};
use time::Duration;

/// A copy may be used this long (days): longer than any promised period of an item.
const COPY_DAYS: i64 = 90;

const fn trust(t: TrustLevel) -> Trust {
    match t {
        TrustLevel::A => Trust::A,
        TrustLevel::B => Trust::B,
        TrustLevel::C => Trust::C,
        TrustLevel::D => Trust::D,
    }
}

/// What the copy is made from, or nothing to do.
struct Plan {
    session: session::Session,
    consent: consent::Consent,
    opened: Opened,
    kind: licences::Type,
    papers: Vec<MaterialSpec>,
    item: String,
}

async fn plan(
    app: &App,
    tx: &mut Tx,
    id: &SessionId,
    consent_id: &ConsentId,
) -> Result<Option<Plan>, AppError> {
    let Some(c) = consent::get(tx, consent_id)
        .await?
        .filter(|c| c.session_id == *id && c.state == State::Used)
    else {
        return Ok(None);
    };
    if !Purpose::parse(&c.purpose).is_some_and(Purpose::allows_copy) {
        return Ok(None);
    }
    let Some(s) = session::get(tx, id).await? else {
        return Ok(None);
    };
    let Some(d) = forms::document(app, tx, id)
        .await?
        .filter(|d| d.row.item == c.item)
    else {
        return Ok(None);
    };
    let Some(opened) = licences::reopen(app, tx, &s.visit_id, consent_id).await? else {
        return Ok(None);
    };
    let Some(kind) = licences::types(tx).await?.remove(&c.licence_type) else {
        return Ok(None);
    };
    let there = material::of_session(tx, id).await?;
    let papers = d
        .item
        .materials
        .iter()
        .filter(|m| m.licence_type.as_ref() == Some(&c.licence_type));
    let papers: Vec<_> = papers
        .filter(|m| {
            !there
                .iter()
                .any(|x| x.code == m.id && x.licence_id.as_ref() == Some(&opened.id))
        })
        .cloned()
        .collect();
    let item = d.item.name.zh.clone();
    Ok((!papers.is_empty()).then_some(Plan {
        session: s,
        consent: c,
        opened,
        kind,
        papers,
        item,
    }))
}

fn paper(app: &App, p: &Plan) -> Result<LicenceCopyDoc, AppError> {
    let (now, meta) = (app.now(), &p.opened.data.metadata);
    let row = |a: &String| {
        let label = p.kind.label(a);
        Some(Row::new(
            label.zh,
            label.en,
            p.opened.data.attributes.get(a)?.expose(),
        ))
    };
    Ok(LicenceCopyDoc {
        title: Text::new(&p.kind.name.zh, &p.kind.name.en),
        number: meta.number.expose().clone(),
        licence_identifier: p.opened.identifier.clone(),
        trust: trust(p.opened.trust),
        rows: p.consent.fields.iter().filter_map(row).collect(),
        provider: meta.authority_name.clone(),
        purpose: format!("办理{}", p.item),
        // The case gets its number later; the consent is what the copy was made under.
        case_number: format!("授权 {}", p.consent.id),
        valid_until: now
            .beijing_date()
            .checked_add(Duration::days(COPY_DAYS))
            .ok_or_else(|| no("internal"))?,
        copied_at: now.utc(),
        qr_url: String::new(),
    })
}

/// Makes the copy that a used consent allows and lays it beside the form. Nothing happens where none is called for.
pub async fn attach(app: &App, id: &SessionId, consent_id: &ConsentId) -> Result<(), AppError> {
    let (a, i, c) = (app.clone(), id.clone(), consent_id.clone());
    let Some(p) = app
        .read(|tx| Box::pin(async move { plan(&a, tx, &i, &c).await }))
        .await?
    else {
        return Ok(());
    };
    let doc = paper(app, &p)?;
    let pdf = app
        .papers
        .render(move |fonts| doc.render(fonts))
        .await?
        .bytes;
    let bytes = pdf.len();
    let key = files::key_of(app, &p.session.key_id).await?;
    let sm3 = files::put(app, &key, pdf).await?;
    let (id, visit, key_id) = (id.clone(), p.session.visit_id, p.session.key_id);
    let (licence_id, level, papers) = (p.opened.id, p.opened.trust, p.papers);
    app.write("server", move |tx, w| {
        let (id, visit, key_id, sm3, licence_id, papers) = (
            id.clone(),
            visit.clone(),
            key_id.clone(),
            sm3.clone(),
            licence_id.clone(),
            papers.clone(),
        );
        Box::pin(async move {
            dialect::lock_session(tx, &id).await?;
            let Some(s) = session::get(tx, &id)
                .await?
                .filter(|s| s.case_id.is_none() && s.state != SessionState::Ended)
            else {
                return Ok(());
            };
            let there = material::of_session(tx, &id).await?;
            files::record(tx, w, &key_id, &sm3, bytes, "application/pdf").await?;
            for (n, m) in papers.iter().enumerate() {
                if there
                    .iter()
                    .any(|x| x.code == m.id && x.licence_id.as_ref() == Some(&licence_id))
                    || there.len() + n >= limits::MATERIALS_PER_CASE
                {
                    continue;
                }
                let row = material::Material {
                    id: w.id(),
                    session_id: Some(id.clone()),
                    case_id: None,
                    key_id: key_id.clone(),
                    code: m.id.clone(),
                    name_zh: m.name.zh.clone(),
                    name_en: m.name.en.clone(),
                    source: "licence_copy".into(),
                    media_type: "application/pdf".into(),
                    bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
                    sm3: sm3.clone(),
                    trust: level.as_str().into(),
                    licence_id: Some(licence_id.clone()),
                    added_by: visit.to_string(),
                    at: w.now,
                    removed_at: None,
                };
                material::insert(tx, &row).await?;
                journal(
                    tx,
                    w,
                    &s,
                    None,
                    &EventBody::MaterialAdded {
                        material: row.id.to_string(),
                    },
                )
                .await?;
            }
            signing::void(tx, w, &s).await?;
            session::touch(tx, &id).await?;
            w.wake(&id);
            Ok(())
        })
    })
    .await
}
