//! One answer a key: the row is inserted first, in the same transaction as the work, so a repeat cannot run twice.

use crate::{StoreError, Tx, args};
use domain::time::Timestamp;

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// New: do the work, then [`answer`].
    Fresh,
    /// Done before with the same body: give this answer.
    Replay(String),
    /// Done before with another body.
    Other,
}

const INSERT: &str = "INSERT INTO idempotency (caller, route, key, body_hash, answer, at) VALUES ($1, $2, $3, $4, NULL, $5) ON CONFLICT (caller, route, key) DO NOTHING";
const SELECT: &str =
    "SELECT body_hash, answer FROM idempotency WHERE caller = $1 AND route = $2 AND key = $3";
const ANSWER: &str =
    "UPDATE idempotency SET answer = $4 WHERE caller = $1 AND route = $2 AND key = $3";
const SWEEP: &str = "DELETE FROM idempotency WHERE at < $1";
pub const QUERIES: &[&str] = &[INSERT, SELECT, ANSWER, SWEEP];

pub async fn claim(
    tx: &mut Tx,
    caller: &str,
    route: &str,
    key: &str,
    body_hash: &str,
    now: Timestamp,
) -> Result<Claim, StoreError> {
    // PostgreSQL waits here for another transaction that holds the same key, then sees its row.
    if tx
        .exec(INSERT, args![caller, route, key, body_hash, now])
        .await?
        == 1
    {
        return Ok(Claim::Fresh);
    }
    let row = tx
        .one(SELECT, args![caller, route, key], |r| {
            Ok((r.text("body_hash")?, r.opt_text("answer")?))
        })
        .await?;
    Ok(match row {
        Some((hash, Some(answer))) if hash == body_hash => Claim::Replay(answer),
        Some((hash, None)) if hash == body_hash => Claim::Replay("null".into()),
        Some(_) => Claim::Other,
        None => return Err(StoreError::Retry),
    })
}

pub async fn answer(
    tx: &mut Tx,
    caller: &str,
    route: &str,
    key: &str,
    answer: &str,
) -> Result<(), StoreError> {
    tx.exec(ANSWER, args![caller, route, key, answer])
        .await
        .map(|_| ())
}

pub async fn sweep(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.exec(SWEEP, args![before]).await
}
