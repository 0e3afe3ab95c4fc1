//! Leases with a fencing epoch: who may do a thing now, and proof that an older holder may not.

use crate::{StoreError, Tx, args};
use domain::time::{Span, Timestamp};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub holder: String,
    pub epoch: i64,
    pub expires_at: Timestamp,
}

const TAKE: &str = "INSERT INTO leases (name, holder, epoch, expires_at) VALUES ($1, $2, 1, $4)
  ON CONFLICT (name) DO UPDATE SET holder = $2, expires_at = $4,
    epoch = CASE WHEN leases.holder = $2 AND leases.expires_at >= $3 THEN leases.epoch ELSE leases.epoch + 1 END
  WHERE leases.holder = $2 OR leases.expires_at < $3 RETURNING holder, epoch, expires_at";
const SELECT: &str = "SELECT holder, epoch, expires_at FROM leases WHERE name = $1";
const RELEASE: &str = "DELETE FROM leases WHERE name = $1 AND holder = $2";
const SWEEP: &str = "DELETE FROM leases WHERE expires_at < $1";
pub const QUERIES: &[&str] = &[TAKE, SELECT, RELEASE, SWEEP];

fn row(r: &crate::Row) -> Result<Lease, StoreError> {
    Ok(Lease {
        holder: r.text("holder")?,
        epoch: r.int("epoch")?,
        expires_at: r.time("expires_at")?,
    })
}

/// Takes or renews; None: another holds it.
pub async fn take(
    tx: &mut Tx,
    name: &str,
    holder: &str,
    now: Timestamp,
    life: Span,
) -> Result<Option<Lease>, StoreError> {
    tx.one(TAKE, args![name, holder, now, now + life], row)
        .await
}

pub async fn get(tx: &mut Tx, name: &str) -> Result<Option<Lease>, StoreError> {
    tx.one(SELECT, args![name], row).await
}

pub async fn release(tx: &mut Tx, name: &str, holder: &str) -> Result<(), StoreError> {
    tx.exec(RELEASE, args![name, holder]).await.map(|_| ())
}

pub async fn sweep(tx: &mut Tx, before: Timestamp) -> Result<(), StoreError> {
    tx.exec(SWEEP, args![before]).await.map(|_| ())
}
