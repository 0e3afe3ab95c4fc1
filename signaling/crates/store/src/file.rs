//! Content-addressed files: what lies in the file store, and under which key. The bytes are not here.

use crate::{Row, StoreError, Tx, args};
use domain::{
    id::{Id as _, KeyId},
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// SM3 of the plain bytes, small hex. With the key it is the file's name: two citizens never share a stored file.
    pub sm3: String,
    pub key_id: KeyId,
    pub bytes: i64,
    pub media_type: String,
    pub created_at: Timestamp,
}

const INSERT: &str =
    "INSERT INTO files (sm3, key_id, bytes, media_type, created_at) VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (sm3, key_id) DO NOTHING";
const GET: &str = "SELECT * FROM files WHERE sm3 = $1 AND key_id = $2";
const OF_KEY: &str = "SELECT * FROM files WHERE key_id = $1 AND sm3 > $2 ORDER BY sm3 LIMIT $3";
const ERASED: &str =
    "SELECT f.* FROM files f JOIN data_keys k ON k.id = f.key_id WHERE k.destroyed_at IS NOT NULL
  AND (f.key_id, f.sm3) > ($1, $2) ORDER BY f.key_id, f.sm3 LIMIT $3";
const REMOVE: &str = "DELETE FROM files WHERE sm3 = $1 AND key_id = $2";
pub const QUERIES: &[&str] = &[INSERT, GET, OF_KEY, ERASED, REMOVE];

fn row(r: &Row) -> Result<File, StoreError> {
    Ok(File {
        sm3: r.text("sm3")?,
        key_id: r.id("key_id")?,
        bytes: r.int("bytes")?,
        media_type: r.text("media_type")?,
        created_at: r.time("created_at")?,
    })
}

/// False: it was known already.
pub async fn insert(tx: &mut Tx, f: &File) -> Result<bool, StoreError> {
    let n = tx
        .exec(
            INSERT,
            args![&f.sm3, &f.key_id, f.bytes, &f.media_type, f.created_at],
        )
        .await?;
    Ok(n == 1)
}

pub async fn get(tx: &mut Tx, sm3: &str, key: &KeyId) -> Result<Option<File>, StoreError> {
    tx.one(GET, args![sm3, key], row).await
}

/// What must go from the disk when a key dies, a page at a time (`after` empty: from the start).
pub async fn of_key(
    tx: &mut Tx,
    key: &KeyId,
    after: &str,
    limit: i64,
) -> Result<Vec<File>, StoreError> {
    tx.all(OF_KEY, args![key, after, limit], row).await
}

/// Files whose key is destroyed: nobody can read them, and they must go from the disk. `after`: the last of the page before.
pub async fn erased(
    tx: &mut Tx,
    after: Option<&File>,
    limit: i64,
) -> Result<Vec<File>, StoreError> {
    let (key, sm3) = after.map_or(("", ""), |f| (f.key_id.as_str(), f.sm3.as_str()));
    tx.all(ERASED, args![key, sm3, limit], row).await
}

/// The row, once the bytes are gone.
pub async fn remove(tx: &mut Tx, sm3: &str, key: &KeyId) -> Result<bool, StoreError> {
    Ok(tx.exec(REMOVE, args![sm3, key]).await? == 1)
}
