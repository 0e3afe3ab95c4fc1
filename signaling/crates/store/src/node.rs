//! The cluster's members.

use crate::{StoreError, Tx, args};
use domain::time::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub id: String,
    pub internal_url: String,
    pub media_addr: String,
    pub heartbeat: Timestamp,
}

const BEAT: &str =
    "INSERT INTO nodes (id, internal_url, media_addr, heartbeat) VALUES ($1, $2, $3, $4)
  ON CONFLICT (id) DO UPDATE SET internal_url = $2, media_addr = $3, heartbeat = $4";
const SELECT: &str = "SELECT id, internal_url, media_addr, heartbeat FROM nodes WHERE id = $1";
const DELETE: &str = "DELETE FROM nodes WHERE id = $1";
const OTHERS: &str = "DELETE FROM nodes WHERE id <> $1";
const SWEEP: &str = "DELETE FROM nodes WHERE heartbeat < $1";
pub const QUERIES: &[&str] = &[BEAT, SELECT, DELETE, OTHERS, SWEEP];

pub async fn beat(tx: &mut Tx, node: &Node) -> Result<(), StoreError> {
    tx.exec(
        BEAT,
        args![
            &node.id,
            &node.internal_url,
            &node.media_addr,
            node.heartbeat
        ],
    )
    .await
    .map(|_| ())
}

pub async fn get(tx: &mut Tx, id: &str) -> Result<Option<Node>, StoreError> {
    tx.one(SELECT, args![id], |r| {
        Ok(Node {
            id: r.text("id")?,
            internal_url: r.text("internal_url")?,
            media_addr: r.text("media_addr")?,
            heartbeat: r.time("heartbeat")?,
        })
    })
    .await
}

pub async fn remove(tx: &mut Tx, id: &str) -> Result<(), StoreError> {
    tx.exec(DELETE, args![id]).await.map(|_| ())
}

/// For a node that is alone on its database: every other row is a predecessor's. The answer is how many.
pub async fn remove_others(tx: &mut Tx, id: &str) -> Result<u64, StoreError> {
    tx.exec(OTHERS, args![id]).await
}

/// Rows that no node has renewed since then.
pub async fn sweep(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.exec(SWEEP, args![before]).await
}
