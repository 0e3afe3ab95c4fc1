//! One-time codes that carry a case from the booth to the citizen's phone. Only the hash is kept.

use crate::{StoreError, Tx, args};
use domain::{
    id::{CaseId, VisitId},
    time::Timestamp,
};

const INSERT: &str =
    "INSERT INTO handover_codes (hash, case_id, visit_id, expires_at) VALUES ($1, $2, $3, $4)";
const TAKE: &str =
    "UPDATE handover_codes SET used_at = $2 WHERE hash = $1 AND used_at IS NULL AND expires_at > $2
  RETURNING case_id, visit_id";
const SWEEP: &str = "DELETE FROM handover_codes WHERE expires_at < $1";
pub const QUERIES: &[&str] = &[INSERT, TAKE, SWEEP];

pub async fn insert(
    tx: &mut Tx,
    hash: &str,
    case: &CaseId,
    visit: &VisitId,
    expires: Timestamp,
) -> Result<(), StoreError> {
    tx.exec(INSERT, args![hash, case, visit, expires])
        .await
        .map(|_| ())
}

/// The case and visit, once. None: unknown, used or over; the caller cannot tell which, and need not.
pub async fn take(
    tx: &mut Tx,
    hash: &str,
    now: Timestamp,
) -> Result<Option<(CaseId, VisitId)>, StoreError> {
    tx.one(TAKE, args![hash, now], |r| {
        Ok((r.id("case_id")?, r.id("visit_id")?))
    })
    .await
}

/// Codes that were over before then.
pub async fn sweep(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.exec(SWEEP, args![before]).await
}
