//! Handwritten signatures: asked → signed | declined; asked or signed → void when what is signed changes.
//! One live (asked or signed) a session, by a unique index.

use crate::{Row, StoreError, Tx, args};
use domain::{
    id::{CaseId, KeyId, SessionId, SignatureId},
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    pub id: SignatureId,
    pub session_id: SessionId,
    pub case_id: Option<CaseId>,
    pub key_id: KeyId,
    /// `asked`, `signed`, `declined` or `void`.
    pub state: String,
    /// SM3 (hex) over the RFC 8785 form of what is signed.
    pub digest: String,
    pub language: String,
    pub declaration_zh: String,
    pub declaration_en: String,
    /// The RFC 8785 form itself.
    pub canonical_enc: Vec<u8>,
    pub strokes_enc: Option<Vec<u8>>,
    /// PNG.
    pub image_enc: Option<Vec<u8>>,
    pub asked_at: Timestamp,
    pub signed_at: Option<Timestamp>,
}

// `state IN ('asked', 'signed')` is the partial index's own condition: SQLite uses the index only where it reads so.
const INSERT: &str = "INSERT INTO signatures (id, session_id, key_id, state, digest, language, declaration_zh, declaration_en, canonical_enc, asked_at)
  VALUES ($1, $2, $3, 'asked', $4, $5, $6, $7, $8, $9)";
const GET: &str = "SELECT * FROM signatures WHERE id = $1";
const LIVE: &str =
    "SELECT * FROM signatures WHERE session_id = $1 AND state IN ('asked', 'signed')";
const SIGN: &str =
    "UPDATE signatures SET state = 'signed', strokes_enc = $2, image_enc = $3, signed_at = $4
  WHERE id = $1 AND state = 'asked'";
const DECLINE: &str = "UPDATE signatures SET state = 'declined' WHERE id = $1 AND state = 'asked'";
const VOID: &str = "UPDATE signatures SET state = 'void' WHERE session_id = $1 AND state IN ('asked', 'signed') AND case_id IS NULL";
const OF_CASE: &str =
    "SELECT s.* FROM cases c JOIN signatures s ON s.id = c.signature_id WHERE c.id = $1";
const ADOPT: &str = "UPDATE signatures SET case_id = $2
  WHERE session_id = $1 AND state IN ('asked', 'signed') AND state = 'signed' AND case_id IS NULL";
pub const QUERIES: &[&str] = &[INSERT, GET, LIVE, SIGN, DECLINE, VOID, OF_CASE, ADOPT];

fn row(r: &Row) -> Result<Signature, StoreError> {
    Ok(Signature {
        id: r.id("id")?,
        session_id: r.id("session_id")?,
        case_id: r.opt_id("case_id")?,
        key_id: r.id("key_id")?,
        state: r.text("state")?,
        digest: r.text("digest")?,
        language: r.text("language")?,
        declaration_zh: r.text("declaration_zh")?,
        declaration_en: r.text("declaration_en")?,
        canonical_enc: r.blob("canonical_enc")?,
        strokes_enc: r.opt_blob("strokes_enc")?,
        image_enc: r.opt_blob("image_enc")?,
        asked_at: r.time("asked_at")?,
        signed_at: r.opt_time("signed_at")?,
    })
}

/// A question, in state asked. Constraint `session_id` where the session has a live one: [`void_live`] first.
pub async fn insert(tx: &mut Tx, s: &Signature) -> Result<(), StoreError> {
    tx.exec(
        INSERT,
        args![
            &s.id,
            &s.session_id,
            &s.key_id,
            &s.digest,
            &s.language,
            &s.declaration_zh,
            &s.declaration_en,
            s.canonical_enc.clone(),
            s.asked_at
        ],
    )
    .await
    .map(|_| ())
}

pub async fn get(tx: &mut Tx, id: &SignatureId) -> Result<Option<Signature>, StoreError> {
    tx.one(GET, args![id], row).await
}

/// Asked or signed.
pub async fn live(tx: &mut Tx, session: &SessionId) -> Result<Option<Signature>, StoreError> {
    tx.one(LIVE, args![session], row).await
}

/// False: it was answered or voided before.
pub async fn sign(
    tx: &mut Tx,
    id: &SignatureId,
    strokes_enc: Vec<u8>,
    image_enc: Vec<u8>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx
        .exec(SIGN, args![id, strokes_enc, image_enc, now])
        .await?
        == 1)
}

/// False: it was answered or voided before.
pub async fn decline(tx: &mut Tx, id: &SignatureId) -> Result<bool, StoreError> {
    Ok(tx.exec(DECLINE, args![id]).await? == 1)
}

/// What would be signed has changed. False: there was none, or it belongs to a case and stays.
pub async fn void_live(tx: &mut Tx, session: &SessionId) -> Result<bool, StoreError> {
    Ok(tx.exec(VOID, args![session]).await? == 1)
}

/// The signature that the case was handed in with.
pub async fn of_case(tx: &mut Tx, case: &CaseId) -> Result<Option<Signature>, StoreError> {
    tx.one(OF_CASE, args![case], row).await
}

/// The session's signed signature belongs to its case from now on.
pub async fn adopt(tx: &mut Tx, session: &SessionId, case: &CaseId) -> Result<bool, StoreError> {
    Ok(tx.exec(ADOPT, args![session, case]).await? == 1)
}
