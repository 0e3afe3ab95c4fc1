//! Co-filled forms: one encrypted document a session, adopted by the case. Never sees a value of it.

use crate::{Row, StoreError, Tx, args};
use domain::{
    id::{KeyId, SessionId},
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// The session's own id: a session has one form.
    pub id: SessionId,
    pub item: String,
    pub item_version: i64,
    pub key_id: KeyId,
    /// The co-fill document under that key.
    pub doc_enc: Vec<u8>,
    pub version: i64,
    pub updated_at: Timestamp,
}

const INSERT: &str =
    "INSERT INTO forms (id, item, item_version, key_id, doc_enc, version, updated_at)
  VALUES ($1, $2, $3, $4, $5, 1, $6)";
const GET: &str = "SELECT * FROM forms WHERE id = $1";
const SAVE: &str = "UPDATE forms SET item = $3, item_version = $4, doc_enc = $5, version = version + 1, updated_at = $6
  WHERE id = $1 AND version = $2";
pub const QUERIES: &[&str] = &[INSERT, GET, SAVE];

fn row(r: &Row) -> Result<Form, StoreError> {
    Ok(Form {
        id: r.id("id")?,
        item: r.text("item")?,
        item_version: r.int("item_version")?,
        key_id: r.id("key_id")?,
        doc_enc: r.blob("doc_enc")?,
        version: r.int("version")?,
        updated_at: r.time("updated_at")?,
    })
}

/// Its version is 1, whatever `f` says.
pub async fn insert(tx: &mut Tx, f: &Form) -> Result<(), StoreError> {
    tx.exec(
        INSERT,
        args![
            &f.id,
            &f.item,
            f.item_version,
            &f.key_id,
            f.doc_enc.clone(),
            f.updated_at
        ],
    )
    .await
    .map(|_| ())
}

pub async fn get(tx: &mut Tx, id: &SessionId) -> Result<Option<Form>, StoreError> {
    tx.one(GET, args![id], row).await
}

/// Keeps what the form has become since `f.version` (the old one); false: a lost race. The key stays.
pub async fn save(tx: &mut Tx, f: &Form) -> Result<bool, StoreError> {
    let n = tx
        .exec(
            SAVE,
            args![
                &f.id,
                f.version,
                &f.item,
                f.item_version,
                f.doc_enc.clone(),
                f.updated_at
            ],
        )
        .await?;
    Ok(n == 1)
}
