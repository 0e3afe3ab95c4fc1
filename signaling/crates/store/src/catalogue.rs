//! Versions of service items (事项): one row a version, at most one published. A published document never changes,
//! because cases point at it. Owns no rule of the document itself.

use crate::{Row, StoreError, Tx, args};
use domain::time::Timestamp;

/// One version of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Slug, e.g. `no-criminal-record`.
    pub id: String,
    pub version: i64,
    /// `draft`, `published` or `retired`.
    pub state: String,
    /// The catalogue document, JSON.
    pub doc: String,
    pub published_at: Option<Timestamp>,
}

const PUT: &str = "INSERT INTO items (id, version, state, doc) VALUES ($1, $2, 'draft', $3)
  ON CONFLICT (id, version) DO UPDATE SET doc = $3 WHERE items.state = 'draft'";
const RETIRE: &str =
    "UPDATE items SET state = 'retired' WHERE id = $1 AND state = 'published' AND version <> $2
  AND EXISTS (SELECT 1 FROM items t WHERE t.id = $1 AND t.version = $2)";
const PUBLISH: &str = "UPDATE items SET state = 'published', published_at = $3
  WHERE id = $1 AND version = $2 AND state <> 'published'";
const PUBLISHED: &str = "SELECT * FROM items WHERE id = $1 AND state = 'published'";
const VERSION: &str = "SELECT * FROM items WHERE id = $1 AND version = $2";
const NEWEST: &str = "SELECT coalesce(max(version), 0) AS n FROM items WHERE id = $1";
const LIST: &str = "SELECT * FROM items WHERE state = 'published' AND id > $1 ORDER BY id LIMIT $2";
pub const QUERIES: &[&str] = &[PUT, RETIRE, PUBLISH, PUBLISHED, VERSION, NEWEST, LIST];

fn row(r: &Row) -> Result<Item, StoreError> {
    Ok(Item {
        id: r.text("id")?,
        version: r.int("version")?,
        state: r.text("state")?,
        doc: r.text("doc")?,
        published_at: r.opt_time("published_at")?,
    })
}

/// Keeps a draft, or changes one; false: this version is published or retired, and stays as it is.
pub async fn put(tx: &mut Tx, id: &str, version: i64, doc: &str) -> Result<bool, StoreError> {
    Ok(tx.exec(PUT, args![id, version, doc]).await? == 1)
}

/// Makes this version the published one and retires the other; false: it is so already, or there is no such version.
pub async fn publish(
    tx: &mut Tx,
    id: &str,
    version: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    tx.exec(RETIRE, args![id, version]).await?;
    Ok(tx.exec(PUBLISH, args![id, version, now]).await? == 1)
}

pub async fn get_published(tx: &mut Tx, id: &str) -> Result<Option<Item>, StoreError> {
    tx.one(PUBLISHED, args![id], row).await
}

/// A version in whatever state: cases keep theirs.
pub async fn get(tx: &mut Tx, id: &str, version: i64) -> Result<Option<Item>, StoreError> {
    tx.one(VERSION, args![id, version], row).await
}

/// The highest version, 0 if the item is unknown.
pub async fn newest_version(tx: &mut Tx, id: &str) -> Result<i64, StoreError> {
    Ok(tx
        .one(NEWEST, args![id], |r| r.int("n"))
        .await?
        .unwrap_or(0))
}

/// Published items in order of id, after `after` (empty: from the start).
pub async fn list_published(tx: &mut Tx, after: &str, limit: i64) -> Result<Vec<Item>, StoreError> {
    tx.all(LIST, args![after, limit], row).await
}
