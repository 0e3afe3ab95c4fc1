//! Messages that must leave after the commit that caused them: notices and webhooks.

use crate::{StoreError, Tx, args};
use domain::{
    id::{Id as _, OutboxId},
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: OutboxId,
    pub at: Timestamp,
    pub kind: String,
    /// The object's id.
    pub subject: String,
    /// Ids and codes, no names.
    pub payload: String,
    pub attempts: i64,
}

const INSERT: &str =
    "INSERT INTO outbox (id, at, kind, subject, payload, due_at) VALUES ($1, $2, $3, $4, $5, $2)";
const DUE: &str = "SELECT id, at, kind, subject, payload, attempts FROM outbox WHERE delivered_at IS NULL AND due_at <= $1 ORDER BY due_at LIMIT 64";
const DELIVERED: &str = "UPDATE outbox SET delivered_at = $2 WHERE id = $1";
const LATER: &str = "UPDATE outbox SET attempts = attempts + 1, due_at = $2 WHERE id = $1";
const OPEN: &str = "SELECT count(*) AS n FROM outbox WHERE delivered_at IS NULL";
pub const QUERIES: &[&str] = &[INSERT, DUE, DELIVERED, LATER, OPEN];

pub async fn insert(tx: &mut Tx, m: &Message) -> Result<(), StoreError> {
    tx.exec(INSERT, args![&m.id, m.at, &m.kind, &m.subject, &m.payload])
        .await
        .map(|_| ())
}

pub async fn due(tx: &mut Tx, now: Timestamp) -> Result<Vec<Message>, StoreError> {
    tx.all(DUE, args![now], |r| {
        Ok(Message {
            id: r.id("id")?,
            at: r.time("at")?,
            kind: r.text("kind")?,
            subject: r.text("subject")?,
            payload: r.text("payload")?,
            attempts: r.int("attempts")?,
        })
    })
    .await
}

pub async fn delivered(tx: &mut Tx, id: &OutboxId, now: Timestamp) -> Result<(), StoreError> {
    tx.exec(DELIVERED, args![id.as_str(), now])
        .await
        .map(|_| ())
}

pub async fn later(tx: &mut Tx, id: &OutboxId, due: Timestamp) -> Result<(), StoreError> {
    tx.exec(LATER, args![id.as_str(), due]).await.map(|_| ())
}

/// Messages not yet delivered.
pub async fn open(tx: &mut Tx) -> Result<i64, StoreError> {
    Ok(tx.one(OPEN, args![], |r| r.int("n")).await?.unwrap_or(0))
}
