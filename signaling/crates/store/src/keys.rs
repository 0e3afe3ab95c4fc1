//! Wrapped data keys. Destroying the wrapped bytes is the erasure of all that they protect.

use crate::{StoreError, Tx, args};
use domain::{id::KeyId, time::Timestamp};

const INSERT: &str = "INSERT INTO data_keys (id, wrapped, created_at) VALUES ($1, $2, $3)";
const SELECT: &str = "SELECT wrapped FROM data_keys WHERE id = $1";
const DESTROY: &str =
    "UPDATE data_keys SET wrapped = NULL, destroyed_at = $2 WHERE id = $1 AND wrapped IS NOT NULL";
const DESTROY_UNADOPTED: &str =
    "UPDATE data_keys SET wrapped = NULL, destroyed_at = $2 WHERE id = $1 AND wrapped IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM cases c WHERE c.key_id = $1)";
pub const QUERIES: &[&str] = &[INSERT, SELECT, DESTROY, DESTROY_UNADOPTED];

pub async fn insert(
    tx: &mut Tx,
    id: &KeyId,
    wrapped: Vec<u8>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.exec(INSERT, args![id, wrapped, now]).await.map(|_| ())
}

/// None: never was, or destroyed.
pub async fn wrapped(tx: &mut Tx, id: &KeyId) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(tx
        .one(SELECT, args![id], |r| r.opt_blob("wrapped"))
        .await?
        .flatten())
}

/// True if the key lived until now.
pub async fn destroy(tx: &mut Tx, id: &KeyId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.exec(DESTROY, args![id, now]).await? == 1)
}

/// True if the key lived until now and no case has adopted it.
pub async fn destroy_unadopted(
    tx: &mut Tx,
    id: &KeyId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.exec(DESTROY_UNADOPTED, args![id, now]).await? == 1)
}
