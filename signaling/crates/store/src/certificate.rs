//! Issued results (出证): one a case. A row goes in with the licence and the case's move to issued, in one transaction
//! (invariant 5). The file itself is content-addressed and lies elsewhere.

use crate::{Row, StoreError, Tx, args};
use domain::{
    id::{CaseId, CertificateId, KeyId, LicenceId},
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    pub id: CertificateId,
    pub case_id: CaseId,
    /// 文号.
    pub number: String,
    pub licence_id: LicenceId,
    /// 证照标识 (GB/T 36904).
    pub licence_identifier: String,
    pub key_id: KeyId,
    /// SM3 of the PDF, small hex.
    pub sm3: String,
    /// Detached SM2 signature.
    pub seal: String,
    /// Printed beside the QR code, 8 characters.
    pub verify_code: String,
    /// `valid`, `revoked` or `reissued`.
    pub status: String,
    pub title_zh: String,
    pub title_en: String,
    pub issuer_zh: String,
    pub issuer_en: String,
    /// The holder's name as printed, under the key.
    pub holder_enc: Vec<u8>,
    pub issued_at: Timestamp,
    /// Last valid day, `YYYY-MM-DD`; `None`: 长期.
    pub valid_until: Option<String>,
}

const INSERT: &str = "INSERT INTO certificates (id, case_id, number, licence_id, licence_identifier, key_id, sm3, seal, verify_code, status, title_zh, title_en,
    issuer_zh, issuer_en, holder_enc, issued_at, valid_until)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
const GET: &str = "SELECT * FROM certificates WHERE id = $1";
const BY_CASE: &str = "SELECT * FROM certificates WHERE case_id = $1";
// A number is unique; of several certificates on one licence identifier the newest speaks.
const FIND: &str = "SELECT * FROM certificates WHERE number = $1 OR licence_identifier = $1
  ORDER BY issued_at DESC, id DESC LIMIT 1";
const STATUS: &str = "UPDATE certificates SET status = $3 WHERE id = $1 AND status = $2";
pub const QUERIES: &[&str] = &[INSERT, GET, BY_CASE, FIND, STATUS];

fn row(r: &Row) -> Result<Certificate, StoreError> {
    Ok(Certificate {
        id: r.id("id")?,
        case_id: r.id("case_id")?,
        number: r.text("number")?,
        licence_id: r.id("licence_id")?,
        licence_identifier: r.text("licence_identifier")?,
        key_id: r.id("key_id")?,
        sm3: r.text("sm3")?,
        seal: r.text("seal")?,
        verify_code: r.text("verify_code")?,
        status: r.text("status")?,
        title_zh: r.text("title_zh")?,
        title_en: r.text("title_en")?,
        issuer_zh: r.text("issuer_zh")?,
        issuer_en: r.text("issuer_en")?,
        holder_enc: r.blob("holder_enc")?,
        issued_at: r.time("issued_at")?,
        valid_until: r.opt_text("valid_until")?,
    })
}

/// Constraint where the case has one already.
pub async fn insert(tx: &mut Tx, c: &Certificate) -> Result<(), StoreError> {
    tx.exec(
        INSERT,
        args![
            &c.id,
            &c.case_id,
            &c.number,
            &c.licence_id,
            &c.licence_identifier,
            &c.key_id,
            &c.sm3,
            &c.seal,
            &c.verify_code,
            &c.status,
            &c.title_zh,
            &c.title_en,
            &c.issuer_zh,
            &c.issuer_en,
            c.holder_enc.clone(),
            c.issued_at,
            c.valid_until.clone()
        ],
    )
    .await
    .map(|_| ())
}

pub async fn get(tx: &mut Tx, id: &CertificateId) -> Result<Option<Certificate>, StoreError> {
    tx.one(GET, args![id], row).await
}

pub async fn by_case(tx: &mut Tx, case: &CaseId) -> Result<Option<Certificate>, StoreError> {
    tx.one(BY_CASE, args![case], row).await
}

/// By certificate number or licence identifier, as people type it at the verification page.
pub async fn find(tx: &mut Tx, number: &str) -> Result<Option<Certificate>, StoreError> {
    tx.one(FIND, args![number], row).await
}

/// Compare-and-set on the status; false: a lost race.
pub async fn set_status(
    tx: &mut Tx,
    id: &CertificateId,
    was: &str,
    status: &str,
) -> Result<bool, StoreError> {
    Ok(tx.exec(STATUS, args![id, was, status]).await? == 1)
}
