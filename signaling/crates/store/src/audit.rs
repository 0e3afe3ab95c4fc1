//! The audit log's rows. Entries go in unsequenced with the transaction that they tell of; one leased sequencer numbers
//! them and extends the Merkle tree (RFC 6962), so no commit waits for a chain.

use crate::{StoreError, Tx, args};
use domain::{id::AuditId, time::Timestamp};

/// Ids and codes only; never a name, number or value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub id: AuditId,
    pub at: Timestamp,
    pub actor: String,
    pub action: String,
    pub object: String,
    /// JSON.
    pub detail: String,
    pub seq: Option<i64>,
    pub leaf: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    pub size: i64,
    pub root: String,
    pub at: Timestamp,
    pub signature: String,
}

const INSERT: &str = "INSERT INTO audit_entries (id, at, actor, action, object, detail) VALUES ($1, $2, $3, $4, $5, $6)";
const FRESH: &str = "SELECT * FROM audit_entries WHERE seq IS NULL ORDER BY id LIMIT 128";
const NUMBER: &str = "UPDATE audit_entries SET seq = $2, leaf = $3 WHERE id = $1 AND seq IS NULL";
const NEXT: &str = "SELECT coalesce(max(seq), -1) + 1 AS n FROM audit_entries";
const PAGE: &str = "SELECT * FROM audit_entries WHERE seq >= $1 ORDER BY seq LIMIT $2";
const CHECKPOINT: &str = "INSERT INTO audit_checkpoints (size, root, at, signature) VALUES ($1, $2, $3, $4) ON CONFLICT (size) DO NOTHING";
const CHECKPOINTS: &str = "SELECT * FROM audit_checkpoints ORDER BY size";
const OF_OBJECT: &str = "SELECT * FROM audit_entries WHERE object = $1 ORDER BY at, id LIMIT 500";
const LAST: &str = "SELECT * FROM audit_entries WHERE object = $1 AND action = $2 ORDER BY at DESC, id DESC LIMIT 1";
pub const QUERIES: &[&str] = &[
    INSERT,
    FRESH,
    NUMBER,
    NEXT,
    PAGE,
    CHECKPOINT,
    CHECKPOINTS,
    OF_OBJECT,
    LAST,
];

fn row(r: &crate::Row) -> Result<Entry, StoreError> {
    Ok(Entry {
        id: r.id("id")?,
        at: r.time("at")?,
        actor: r.text("actor")?,
        action: r.text("action")?,
        object: r.text("object")?,
        detail: r.text("detail")?,
        seq: r.opt_int("seq")?,
        leaf: r.opt_text("leaf")?,
    })
}

pub async fn insert(tx: &mut Tx, e: &Entry) -> Result<(), StoreError> {
    tx.exec(
        INSERT,
        args![&e.id, e.at, &e.actor, &e.action, &e.object, &e.detail],
    )
    .await
    .map(|_| ())
}

pub async fn unsequenced(tx: &mut Tx) -> Result<Vec<Entry>, StoreError> {
    tx.all(FRESH, args![], row).await
}

pub async fn number(tx: &mut Tx, id: &AuditId, seq: i64, leaf: &str) -> Result<bool, StoreError> {
    Ok(tx.exec(NUMBER, args![id, seq, leaf]).await? == 1)
}

pub async fn next_seq(tx: &mut Tx) -> Result<i64, StoreError> {
    Ok(tx.one(NEXT, args![], |r| r.int("n")).await?.unwrap_or(0))
}

pub async fn page(tx: &mut Tx, from: i64, limit: i64) -> Result<Vec<Entry>, StoreError> {
    tx.all(PAGE, args![from, limit], row).await
}

pub async fn of_object(tx: &mut Tx, object: &str) -> Result<Vec<Entry>, StoreError> {
    tx.all(OF_OBJECT, args![object], row).await
}

/// The newest entry of one act on an object.
pub async fn last(tx: &mut Tx, object: &str, action: &str) -> Result<Option<Entry>, StoreError> {
    tx.one(LAST, args![object, action], row).await
}

pub async fn insert_checkpoint(tx: &mut Tx, c: &Checkpoint) -> Result<(), StoreError> {
    tx.exec(CHECKPOINT, args![c.size, &c.root, c.at, &c.signature])
        .await
        .map(|_| ())
}

pub async fn checkpoints(tx: &mut Tx) -> Result<Vec<Checkpoint>, StoreError> {
    tx.all(CHECKPOINTS, args![], |r| {
        Ok(Checkpoint {
            size: r.int("size")?,
            root: r.text("root")?,
            at: r.time("at")?,
            signature: r.text("signature")?,
        })
    })
    .await
}
