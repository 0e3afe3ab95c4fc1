//! Electronic licences (电子证照) and the record of who read them.
//!
//! Values stand in `data_enc`; people and companies are found by the HMAC of their number. An access row is refused by
//! the database without a live consent of the same session (invariant 3).

use crate::{Row, StoreError, Tx, args, staff::words};
use domain::{
    id::{CaseId, ConsentId, KeyId, LicenceId, SessionId, VisitId},
    licence::{HolderCodeType, Status, TrustLevel},
    time::Timestamp,
};

/// 证照类型.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenceType {
    /// 21 characters (GB/T 36904).
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
    /// Attributes, masks, lives: JSON.
    pub doc: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Licence {
    pub id: LicenceId,
    /// 证照标识 (GB/T 36904).
    pub identifier: String,
    pub type_code: String,
    pub version: i64,
    pub holder_type: HolderCodeType,
    /// HMAC of the holder's number.
    pub holder_index: String,
    /// HMAC of the legal representative's number, on a company's licence.
    pub legal_rep_index: Option<String>,
    pub status: Status,
    pub trust: TrustLevel,
    /// `YYYY-MM-DD`.
    pub issued_on: String,
    /// Last valid day; `None`: 长期.
    pub valid_until: Option<String>,
    pub key_id: KeyId,
    /// Metadata and attributes under that key.
    pub data_enc: Vec<u8>,
    /// The case that issued it, if one of ours.
    pub case_id: Option<CaseId>,
    pub created_at: Timestamp,
}

/// One reading of one licence (谁看过我的证照).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    pub id: String,
    pub licence_id: LicenceId,
    pub consent_id: ConsentId,
    pub session_id: SessionId,
    pub case_id: Option<CaseId>,
    pub visit_id: VisitId,
    pub actor: String,
    /// useCause of GB/T 36906; never empty.
    pub purpose: String,
    pub fields: Vec<String>,
    pub at: Timestamp,
    /// Over the row, by the server's key.
    pub signature: String,
}

const TYPE: &str = "INSERT INTO licence_types (code, name_zh, name_en, doc) VALUES ($1, $2, $3, $4)
  ON CONFLICT (code) DO UPDATE SET name_zh = $2, name_en = $3, doc = $4";
const TYPES: &str = "SELECT * FROM licence_types ORDER BY code";
const TYPE_GET: &str = "SELECT * FROM licence_types WHERE code = $1";
const INSERT: &str = "INSERT INTO licences (id, identifier, type_code, version, holder_type, holder_index, legal_rep_index, status, trust, issued_on, valid_until, key_id, data_enc, case_id, created_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
const UPSERT: &str = "INSERT INTO licences (id, identifier, type_code, version, holder_type, holder_index, legal_rep_index, status, trust, issued_on, valid_until, key_id, data_enc, case_id, created_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
  ON CONFLICT (identifier) DO UPDATE SET type_code = $3, version = $4, holder_type = $5, holder_index = $6, legal_rep_index = $7, status = $8,
    trust = $9, issued_on = $10, valid_until = $11, key_id = $12, data_enc = $13 RETURNING id";
const GET: &str = "SELECT * FROM licences WHERE id = $1";
const BY_IDENTIFIER: &str = "SELECT * FROM licences WHERE identifier = $1";
const OF_HOLDER: &str = "SELECT * FROM licences WHERE holder_index = $1 AND type_code = $2
  ORDER BY CASE WHEN status = 'valid' THEN 0 ELSE 1 END, issued_on DESC, version DESC, id DESC LIMIT 20";
const ALL_OF_HOLDER: &str = "SELECT * FROM licences WHERE holder_index = $1 ORDER BY type_code, issued_on DESC, id DESC LIMIT 200";
const STATUS: &str = "UPDATE licences SET status = $3 WHERE id = $1 AND status = $2";
const ACCESS: &str = "INSERT INTO licence_accesses (id, licence_id, consent_id, session_id, case_id, visit_id, actor, purpose, fields, at, signature)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const OF_CASE: &str = "SELECT * FROM licence_accesses WHERE case_id = $1 ORDER BY at, id LIMIT 200";
const OF_VISIT: &str =
    "SELECT * FROM licence_accesses WHERE visit_id = $1 ORDER BY at, id LIMIT 200";
const ADOPT: &str =
    "UPDATE licence_accesses SET case_id = $2 WHERE session_id = $1 AND case_id IS NULL";
pub const QUERIES: &[&str] = &[
    TYPE,
    TYPES,
    TYPE_GET,
    INSERT,
    UPSERT,
    GET,
    BY_IDENTIFIER,
    OF_HOLDER,
    ALL_OF_HOLDER,
    STATUS,
    ACCESS,
    OF_CASE,
    OF_VISIT,
    ADOPT,
];

fn licence_type(r: &Row) -> Result<LicenceType, StoreError> {
    Ok(LicenceType {
        code: r.text("code")?,
        name_zh: r.text("name_zh")?,
        name_en: r.text("name_en")?,
        doc: r.text("doc")?,
    })
}

fn row(r: &Row) -> Result<Licence, StoreError> {
    Ok(Licence {
        id: r.id("id")?,
        identifier: r.text("identifier")?,
        type_code: r.text("type_code")?,
        version: r.int("version")?,
        holder_type: r.word("holder_type", HolderCodeType::parse)?,
        holder_index: r.text("holder_index")?,
        legal_rep_index: r.opt_text("legal_rep_index")?,
        status: r.word("status", Status::parse)?,
        trust: r.word("trust", TrustLevel::parse)?,
        issued_on: r.text("issued_on")?,
        valid_until: r.opt_text("valid_until")?,
        key_id: r.id("key_id")?,
        data_enc: r.blob("data_enc")?,
        case_id: r.opt_id("case_id")?,
        created_at: r.time("created_at")?,
    })
}

fn access(r: &Row) -> Result<Access, StoreError> {
    Ok(Access {
        id: r.text("id")?,
        licence_id: r.id("licence_id")?,
        consent_id: r.id("consent_id")?,
        session_id: r.id("session_id")?,
        case_id: r.opt_id("case_id")?,
        visit_id: r.id("visit_id")?,
        actor: r.text("actor")?,
        purpose: r.text("purpose")?,
        fields: r.json("fields")?,
        at: r.time("at")?,
        signature: r.text("signature")?,
    })
}

fn values(l: &Licence) -> Vec<crate::Value> {
    args![
        &l.id,
        &l.identifier,
        &l.type_code,
        l.version,
        l.holder_type.as_str(),
        &l.holder_index,
        l.legal_rep_index.clone(),
        l.status.as_str(),
        l.trust.as_str(),
        &l.issued_on,
        l.valid_until.clone(),
        &l.key_id,
        l.data_enc.clone(),
        l.case_id.as_ref(),
        l.created_at
    ]
}

pub async fn upsert_type(tx: &mut Tx, t: &LicenceType) -> Result<(), StoreError> {
    tx.exec(TYPE, args![&t.code, &t.name_zh, &t.name_en, &t.doc])
        .await
        .map(|_| ())
}

/// Every type; a province has some hundreds.
pub async fn types(tx: &mut Tx) -> Result<Vec<LicenceType>, StoreError> {
    tx.all(TYPES, args![], licence_type).await
}

pub async fn get_type(tx: &mut Tx, code: &str) -> Result<Option<LicenceType>, StoreError> {
    tx.one(TYPE_GET, args![code], licence_type).await
}

/// A newly issued licence; an identifier that is taken is a constraint.
pub async fn insert(tx: &mut Tx, l: &Licence) -> Result<(), StoreError> {
    tx.exec(INSERT, values(l)).await.map(|_| ())
}

/// For loading a library: by identifier, a later load replaces what may change. The answer is the id that is kept.
pub async fn upsert(tx: &mut Tx, l: &Licence) -> Result<LicenceId, StoreError> {
    tx.one(UPSERT, values(l), |r| r.id("id"))
        .await?
        .ok_or_else(|| StoreError::Corrupt("no licence came back".into()))
}

pub async fn get(tx: &mut Tx, id: &LicenceId) -> Result<Option<Licence>, StoreError> {
    tx.one(GET, args![id], row).await
}

pub async fn by_identifier(tx: &mut Tx, identifier: &str) -> Result<Option<Licence>, StoreError> {
    tx.one(BY_IDENTIFIER, args![identifier], row).await
}

/// One holder's licences of one type, valid ones first, then the newest. A company is found by the index of its code;
/// whether the person asking may act for it is for the caller to say, from `legal_rep_index`.
pub async fn of_holder(
    tx: &mut Tx,
    holder_index: &str,
    type_code: &str,
) -> Result<Vec<Licence>, StoreError> {
    tx.all(OF_HOLDER, args![holder_index, type_code], row).await
}

/// Every licence of one holder.
pub async fn all_of_holder(tx: &mut Tx, holder_index: &str) -> Result<Vec<Licence>, StoreError> {
    tx.all(ALL_OF_HOLDER, args![holder_index], row).await
}

/// Compare-and-set on the status; false: a lost race.
pub async fn set_status(
    tx: &mut Tx,
    id: &LicenceId,
    was: Status,
    status: Status,
) -> Result<bool, StoreError> {
    Ok(tx
        .exec(STATUS, args![id, was.as_str(), status.as_str()])
        .await?
        == 1)
}

/// Before any value is read. Constraint `consent_required` where no consent of this session is live at `a.at`.
pub async fn record_access(tx: &mut Tx, a: &Access) -> Result<(), StoreError> {
    tx.exec(
        ACCESS,
        args![
            &a.id,
            &a.licence_id,
            &a.consent_id,
            &a.session_id,
            a.case_id.as_ref(),
            &a.visit_id,
            &a.actor,
            &a.purpose,
            words(&a.fields),
            a.at,
            &a.signature
        ],
    )
    .await
    .map(|_| ())
}

pub async fn accesses_of_case(tx: &mut Tx, case: &CaseId) -> Result<Vec<Access>, StoreError> {
    tx.all(OF_CASE, args![case], access).await
}

pub async fn accesses_of_visit(tx: &mut Tx, visit: &VisitId) -> Result<Vec<Access>, StoreError> {
    tx.all(OF_VISIT, args![visit], access).await
}

/// The session's readings belong to its case from now on; the answer is how many.
pub async fn adopt_accesses(
    tx: &mut Tx,
    session: &SessionId,
    case: &CaseId,
) -> Result<u64, StoreError> {
    tx.exec(ADOPT, args![session, case]).await
}
