//! The licence library (证照库): finding a licence that a consent covers, recording who read it, and registering new ones.
//!
//! Owns the rule that a value is opened only after its access row stands (the database refuses the row without a live consent).
//! Never decides about consent, never shows a value. Sources: GB/T 36906 (purpose of use), GB/T 36903 (metadata).

use super::{App, Work, vault::DataKey};
use crate::problem::AppError;
use async_trait::async_trait;
use domain::{
    digest::canonical,
    id::{CaseId, ConsentId, Id as _, KeyId, LicenceId, SessionId, VisitId},
    identifiers::parse_date,
    licence::{HolderCodeType, Metadata, Representative, Status, TrustLevel, UseCause},
    pii::Pii,
    time::Timestamp,
};
use protocol::Bilingual;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use store::{Tx, keys, licence};
use time::Date;

/// What is sealed in a licence's row. Status and trust stand in the row alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Data {
    pub metadata: Metadata,
    /// 照面信息 beyond the metadata: name → value.
    pub attributes: BTreeMap<String, Pii<String>>,
    #[serde(default)]
    pub representative: Option<Representative>,
}

/// A licence type as the library describes it (the row's document).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TypeDoc {
    pub holder_code_type: HolderCodeType,
    pub attributes: Vec<Attribute>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Attribute {
    pub id: String,
    pub label: Bilingual,
}

/// A type, parsed.
#[derive(Debug, Clone)]
pub struct Type {
    pub name: Bilingual,
    pub doc: TypeDoc,
}

impl Type {
    /// Held by a company: opens to its legal representative alone.
    #[must_use]
    pub const fn of_company(&self) -> bool {
        self.doc.holder_code_type.is_company()
    }
    #[must_use]
    pub fn label(&self, attribute: &str) -> Bilingual {
        self.doc
            .attributes
            .iter()
            .find(|a| a.id == attribute)
            .map_or_else(
                || Bilingual {
                    zh: attribute.into(),
                    en: attribute.into(),
                },
                |a| a.label.clone(),
            )
    }
}

/// Every type by code; a type whose document cannot be read is left out and reported.
pub async fn types(tx: &mut Tx) -> Result<HashMap<String, Type>, AppError> {
    let rows = licence::types(tx).await?;
    Ok(rows
        .into_iter()
        .filter_map(|t| match serde_json::from_str(&t.doc) {
            Ok(doc) => Some((
                t.code,
                Type {
                    name: Bilingual {
                        zh: t.name_zh,
                        en: t.name_en,
                    },
                    doc,
                },
            )),
            Err(e) => {
                tracing::error!(licence_type = t.code, error = %e, "a licence type cannot be read");
                None
            }
        })
        .collect())
}

/// Who may open what, for which purpose: everything that a library must be told (GB/T 36906).
pub struct Query<'a> {
    pub session: &'a SessionId,
    pub visit: &'a VisitId,
    /// Granted and live.
    pub consent: &'a ConsentId,
    pub licence_type: &'a str,
    /// HMAC of the citizen's number.
    pub citizen_index: &'a str,
    /// The company's credit code, for a company's licence.
    pub company: Option<&'a str>,
    pub attributes: &'a [String],
    pub cause: &'a UseCause,
    pub actor: &'a str,
    pub today: Date,
}

/// What a library answered.
pub enum Found {
    Licence(Box<Opened>),
    /// There is none, or none that stands today.
    Nothing,
    /// There is one, and this citizen is not its legal representative.
    NotEntitled,
}

/// A licence whose access row stands.
pub struct Opened {
    pub id: LicenceId,
    pub identifier: String,
    pub version: i64,
    pub issued_on: String,
    pub trust: TrustLevel,
    pub data: Data,
}

/// One door to licences, whoever keeps them.
#[async_trait]
pub trait LicenceLibrary: Send + Sync {
    /// Finds, records the access, opens: in this order, within the caller's transaction.
    async fn open(&self, w: &Work, tx: &mut Tx, q: &Query<'_>) -> Result<Found, AppError>;
}

/// The library in our own database.
pub struct LocalLibrary;

#[async_trait]
impl LicenceLibrary for LocalLibrary {
    async fn open(&self, w: &Work, tx: &mut Tx, q: &Query<'_>) -> Result<Found, AppError> {
        let holder = match q.company {
            Some(code) => w.app.vault.index("company", code),
            None => q.citizen_index.to_owned(),
        };
        let rows = licence::of_holder(tx, &holder, q.licence_type).await?;
        let Some(row) = rows.into_iter().find(|l| stands(l, q.today)) else {
            return Ok(Found::Nothing);
        };
        if q.company.is_some() && row.legal_rep_index.as_deref() != Some(q.citizen_index) {
            return Ok(Found::NotEntitled);
        }
        record(w, tx, &row.id, q).await?;
        let data = open_row(&w.app, tx, &row).await?;
        Ok(Found::Licence(Box::new(Opened {
            id: row.id,
            identifier: row.identifier,
            version: row.version,
            issued_on: row.issued_on,
            trust: row.trust,
            data,
        })))
    }
}

/// In force on a day; a licence without a last day is 长期.
fn stands(l: &licence::Licence, today: Date) -> bool {
    l.status == Status::Valid
        && l.trust.usable_directly()
        && l.valid_until
            .as_deref()
            .is_none_or(|d| parse_date(d).is_some_and(|d| today <= d))
}

async fn record(
    w: &Work,
    tx: &mut Tx,
    licence_id: &LicenceId,
    q: &Query<'_>,
) -> Result<(), AppError> {
    let mut access = licence::Access {
        id: format!(
            "acc_{}",
            w.id::<LicenceId>().as_str().trim_start_matches("lic_")
        ),
        licence_id: licence_id.clone(),
        consent_id: q.consent.clone(),
        session_id: q.session.clone(),
        case_id: None,
        visit_id: q.visit.clone(),
        actor: q.actor.to_owned(),
        purpose: q.cause.as_str().to_owned(),
        fields: q.attributes.to_vec(),
        at: w.now,
        signature: String::new(),
    };
    access.signature = access_signature(&w.app, &access)?;
    licence::record_access(tx, &access).await?;
    w.audit(
        tx,
        "licence.read",
        licence_id.as_str(),
        serde_json::json!({"consent": q.consent.as_str(), "fields": q.attributes.len()}),
    )
    .await
}

/// HMAC-SHA-256 over the RFC 8785 form of an access row: who read which licence for what cannot be rewritten in the table.
pub fn access_signature(app: &App, a: &licence::Access) -> Result<String, AppError> {
    let bytes = canonical(&serde_json::json!({
        "scheme": "cloud-booth/licence-access/1", "id": a.id, "licence": a.licence_id.as_str(), "consent": a.consent_id.as_str(),
        "session": a.session_id.as_str(), "visit": a.visit_id.as_str(), "actor": a.actor, "purpose": a.purpose, "fields": a.fields, "at": a.at.micros(),
    }))?;
    Ok(domain::audit::hex(&app.vault.audit_mac(&bytes)))
}

async fn open_row(app: &App, tx: &mut Tx, row: &licence::Licence) -> Result<Data, AppError> {
    app.vault.key(tx, &row.key_id).await?.open(&row.data_enc)
}

/// A licence that was read under this consent, once more for its copy: the access that covers both is on record.
pub async fn reopen(
    app: &App,
    tx: &mut Tx,
    visit: &VisitId,
    consent: &ConsentId,
) -> Result<Option<Opened>, AppError> {
    let Some(access) = licence::accesses_of_visit(tx, visit)
        .await?
        .into_iter()
        .find(|a| a.consent_id == *consent)
    else {
        return Ok(None);
    };
    let Some(row) = licence::get(tx, &access.licence_id).await? else {
        return Ok(None);
    };
    let data = open_row(app, tx, &row).await?;
    Ok(Some(Opened {
        id: row.id,
        identifier: row.identifier,
        version: row.version,
        issued_on: row.issued_on,
        trust: row.trust,
        data,
    }))
}

/// 用证事由 of a consent, as it is recorded and printed on copies.
pub fn cause(item: &str) -> Result<UseCause, AppError> {
    UseCause::new(&format!("办理{item}")).map_err(Into::into)
}

/// The library's own key: a citizen's erasure must not take a licence that stands.
pub async fn library_key(tx: &mut Tx, w: &Work) -> Result<DataKey, AppError> {
    let id = KeyId::make(0, u128::from_be_bytes(*b"licence library\0"));
    if keys::wrapped(tx, &id).await?.is_none() {
        let (_, wrapped) = w.app.vault.make(id.clone());
        keys::insert(tx, &id, wrapped, w.now).await?;
    }
    w.app.vault.key(tx, &id).await
}

/// A licence that enters the library.
#[derive(Clone)]
pub struct NewLicence {
    pub id: LicenceId,
    pub holder_type: HolderCodeType,
    /// Identity number or credit code.
    pub holder_code: Pii<String>,
    pub representative_number: Option<Pii<String>>,
    pub version: i64,
    pub status: Status,
    pub trust: TrustLevel,
    /// `YYYY-MM-DD`; none: 长期.
    pub valid_until: Option<String>,
    pub case_id: Option<CaseId>,
    pub created_at: Timestamp,
    pub data: Data,
}

impl NewLicence {
    async fn row(&self, tx: &mut Tx, w: &Work) -> Result<licence::Licence, AppError> {
        let v = &w.app.vault;
        let kind = if self.holder_type.is_company() {
            "company"
        } else {
            "citizen"
        };
        let key = library_key(tx, w).await?;
        Ok(licence::Licence {
            id: self.id.clone(),
            identifier: self.data.metadata.identifier.to_string(),
            type_code: self.data.metadata.type_code.clone(),
            version: self.version,
            holder_type: self.holder_type,
            holder_index: v.index(kind, self.holder_code.expose()),
            legal_rep_index: self
                .representative_number
                .as_ref()
                .map(|n| v.index("citizen", n.expose())),
            status: self.status,
            trust: self.trust,
            issued_on: self.data.metadata.issued.to_string(),
            valid_until: self.valid_until.clone(),
            key_id: key.id().clone(),
            data_enc: key.seal(&self.data)?,
            case_id: self.case_id.clone(),
            created_at: self.created_at,
        })
    }
}

/// Registers a newly issued licence. An identifier that is taken is a constraint.
pub async fn register(tx: &mut Tx, w: &Work, l: &NewLicence) -> Result<(), AppError> {
    let row = l.row(tx, w).await?;
    licence::insert(tx, &row).await?;
    w.audit(
        tx,
        "licence.registered",
        l.id.as_str(),
        serde_json::json!({"type": row.type_code}),
    )
    .await
}

/// Loads or replaces a licence by its identifier: for importing a library.
pub async fn load(tx: &mut Tx, w: &Work, l: &NewLicence) -> Result<LicenceId, AppError> {
    let row = l.row(tx, w).await?;
    licence::upsert(tx, &row).await.map_err(Into::into)
}

/// The library that this installation uses.
#[must_use]
pub const fn library() -> &'static dyn LicenceLibrary {
    &LocalLibrary
}
