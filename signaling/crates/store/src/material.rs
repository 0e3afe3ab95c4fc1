//! Materials (材料): what was handed in, first to a session, then adopted by its case. A removed one keeps its row.

use crate::{Row, StoreError, Tx, args};
use domain::{
    id::{CaseId, KeyId, LicenceId, MaterialId, SessionId},
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Material {
    pub id: MaterialId,
    pub session_id: Option<SessionId>,
    pub case_id: Option<CaseId>,
    pub key_id: KeyId,
    /// Which material of the item, or `still`.
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
    /// `licence_copy`, `camera`, `upload`.
    pub source: String,
    pub media_type: String,
    pub bytes: i64,
    pub sm3: String,
    /// `A`, `B`, `C` or `D`.
    pub trust: String,
    pub licence_id: Option<LicenceId>,
    /// A member, visit or staff id.
    pub added_by: String,
    pub at: Timestamp,
    pub removed_at: Option<Timestamp>,
}

const INSERT: &str = "INSERT INTO materials (id, session_id, case_id, key_id, code, name_zh, name_en, source, media_type, bytes, sm3, trust, licence_id, added_by, at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
const GET: &str = "SELECT * FROM materials WHERE id = $1";
const OF_SESSION: &str = "SELECT * FROM materials WHERE session_id = $1 AND removed_at IS NULL ORDER BY at, id LIMIT 200";
const OF_CASE: &str =
    "SELECT * FROM materials WHERE case_id = $1 AND removed_at IS NULL ORDER BY at, id LIMIT 200";
const REMOVE: &str = "UPDATE materials SET removed_at = $2 WHERE id = $1 AND removed_at IS NULL";
const ADOPT: &str = "UPDATE materials SET case_id = $2 WHERE session_id = $1 AND case_id IS NULL AND removed_at IS NULL";
const COUNT_SESSION: &str =
    "SELECT count(*) AS n FROM materials WHERE session_id = $1 AND removed_at IS NULL";
const COUNT_CASE: &str =
    "SELECT count(*) AS n FROM materials WHERE case_id = $1 AND removed_at IS NULL";
pub const QUERIES: &[&str] = &[
    INSERT,
    GET,
    OF_SESSION,
    OF_CASE,
    REMOVE,
    ADOPT,
    COUNT_SESSION,
    COUNT_CASE,
];

fn row(r: &Row) -> Result<Material, StoreError> {
    Ok(Material {
        id: r.id("id")?,
        session_id: r.opt_id("session_id")?,
        case_id: r.opt_id("case_id")?,
        key_id: r.id("key_id")?,
        code: r.text("code")?,
        name_zh: r.text("name_zh")?,
        name_en: r.text("name_en")?,
        source: r.text("source")?,
        media_type: r.text("media_type")?,
        bytes: r.int("bytes")?,
        sm3: r.text("sm3")?,
        trust: r.text("trust")?,
        licence_id: r.opt_id("licence_id")?,
        added_by: r.text("added_by")?,
        at: r.time("at")?,
        removed_at: r.opt_time("removed_at")?,
    })
}

pub async fn insert(tx: &mut Tx, m: &Material) -> Result<(), StoreError> {
    tx.exec(
        INSERT,
        args![
            &m.id,
            m.session_id.as_ref(),
            m.case_id.as_ref(),
            &m.key_id,
            &m.code,
            &m.name_zh,
            &m.name_en,
            &m.source,
            &m.media_type,
            m.bytes,
            &m.sm3,
            &m.trust,
            m.licence_id.as_ref(),
            &m.added_by,
            m.at
        ],
    )
    .await
    .map(|_| ())
}

/// Removed ones too.
pub async fn get(tx: &mut Tx, id: &MaterialId) -> Result<Option<Material>, StoreError> {
    tx.one(GET, args![id], row).await
}

pub async fn of_session(tx: &mut Tx, session: &SessionId) -> Result<Vec<Material>, StoreError> {
    tx.all(OF_SESSION, args![session], row).await
}

pub async fn of_case(tx: &mut Tx, case: &CaseId) -> Result<Vec<Material>, StoreError> {
    tx.all(OF_CASE, args![case], row).await
}

/// False: it was removed before.
pub async fn remove(tx: &mut Tx, id: &MaterialId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.exec(REMOVE, args![id, now]).await? == 1)
}

/// The session's materials belong to its case from now on; the answer is how many.
pub async fn adopt(tx: &mut Tx, session: &SessionId, case: &CaseId) -> Result<u64, StoreError> {
    tx.exec(ADOPT, args![session, case]).await
}

pub async fn count_of_session(tx: &mut Tx, session: &SessionId) -> Result<i64, StoreError> {
    Ok(tx
        .one(COUNT_SESSION, args![session], |r| r.int("n"))
        .await?
        .unwrap_or(0))
}

pub async fn count_of_case(tx: &mut Tx, case: &CaseId) -> Result<i64, StoreError> {
    Ok(tx
        .one(COUNT_CASE, args![case], |r| r.int("n"))
        .await?
        .unwrap_or(0))
}
