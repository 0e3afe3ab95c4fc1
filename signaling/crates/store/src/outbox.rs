//! Messages that must leave after the commit that caused them: notices and webhooks. They go in without a number, as audit
//! entries do; the leased sequencer numbers them without a gap, and only what has a number is delivered.

use crate::{Row, StoreError, Tx, args};
use domain::{
    id::{Id as _, OutboxId},
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: OutboxId,
    pub at: Timestamp,
    /// Place among the messages of its transaction, from 0.
    pub nth: i64,
    pub kind: String,
    /// The object's id.
    pub subject: String,
    /// Ids and codes, no names.
    pub payload: String,
    pub attempts: i64,
    /// Place among all, from 0 without a gap; none until the sequencer was there.
    pub seq: Option<i64>,
}

const INSERT: &str = "INSERT INTO outbox (id, at, nth, kind, subject, payload, due_at) VALUES ($1, $2, $3, $4, $5, $6, $2)";
const FRESH: &str = "SELECT * FROM outbox WHERE seq IS NULL ORDER BY at, nth, id LIMIT 512";
const NUMBER: &str = "UPDATE outbox SET seq = $2 WHERE id = $1 AND seq IS NULL";
const NEXT: &str = "SELECT coalesce(max(seq), -1) + 1 AS n FROM outbox";
const DUE: &str = "SELECT * FROM outbox WHERE delivered_at IS NULL AND seq IS NOT NULL AND due_at <= $1 ORDER BY seq LIMIT 64";
const DELIVERED: &str = "UPDATE outbox SET delivered_at = $2 WHERE id = $1";
const LATER: &str = "UPDATE outbox SET attempts = attempts + 1, due_at = $2 WHERE id = $1";
const OPEN: &str = "SELECT count(*) AS n FROM outbox WHERE delivered_at IS NULL";
// The last number stays: the next one follows it.
const SWEEP: &str =
    "DELETE FROM outbox WHERE delivered_at < $1 AND seq < (SELECT max(o.seq) FROM outbox o)";
pub const QUERIES: &[&str] = &[
    INSERT, FRESH, NUMBER, NEXT, DUE, DELIVERED, LATER, OPEN, SWEEP,
];

fn row(r: &Row) -> Result<Message, StoreError> {
    Ok(Message {
        id: r.id("id")?,
        at: r.time("at")?,
        nth: r.int("nth")?,
        kind: r.text("kind")?,
        subject: r.text("subject")?,
        payload: r.text("payload")?,
        attempts: r.int("attempts")?,
        seq: r.opt_int("seq")?,
    })
}

pub async fn insert(tx: &mut Tx, m: &Message) -> Result<(), StoreError> {
    tx.exec(
        INSERT,
        args![&m.id, m.at, m.nth, &m.kind, &m.subject, &m.payload],
    )
    .await
    .map(|_| ())
}

/// In the order of their numbers to come: by time, and within a transaction as they were written.
pub async fn unsequenced(tx: &mut Tx) -> Result<Vec<Message>, StoreError> {
    tx.all(FRESH, args![], row).await
}

/// False: another sequencer was here.
pub async fn number(tx: &mut Tx, id: &OutboxId, seq: i64) -> Result<bool, StoreError> {
    Ok(tx.exec(NUMBER, args![id, seq]).await? == 1)
}

pub async fn next_seq(tx: &mut Tx) -> Result<i64, StoreError> {
    Ok(tx.one(NEXT, args![], |r| r.int("n")).await?.unwrap_or(0))
}

/// What has a number and is to leave by now, in that order.
pub async fn due(tx: &mut Tx, now: Timestamp) -> Result<Vec<Message>, StoreError> {
    tx.all(DUE, args![now], row).await
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

/// Messages that were delivered before then.
pub async fn sweep(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.exec(SWEEP, args![before]).await
}
