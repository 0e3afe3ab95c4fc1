//! Canned replies of a hall, or of one member of its staff.

use crate::{Row, StoreError, Tx, args};
use domain::id::{HallId, PhraseId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    pub id: PhraseId,
    pub hall_id: HallId,
    /// The hall's id, or that of the person whose own it is.
    pub owner: String,
    pub text_zh: String,
    pub text_en: String,
    /// Unique for its owner.
    pub shortcut: String,
}

const INSERT: &str = "INSERT INTO phrases (id, hall_id, owner, text_zh, text_en, shortcut) VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (owner, shortcut) DO NOTHING";
const GET: &str = "SELECT * FROM phrases WHERE id = $1";
const OF_OWNER: &str = "SELECT * FROM phrases WHERE owner = $1 ORDER BY shortcut LIMIT $2";
const SAVE: &str = "UPDATE phrases SET text_zh = $2, text_en = $3, shortcut = $4 WHERE id = $1
  AND NOT EXISTS (SELECT 1 FROM phrases o WHERE o.owner = phrases.owner AND o.shortcut = $4 AND o.id <> $1)";
const REMOVE: &str = "DELETE FROM phrases WHERE id = $1";
pub const QUERIES: &[&str] = &[INSERT, GET, OF_OWNER, SAVE, REMOVE];

fn row(r: &Row) -> Result<Phrase, StoreError> {
    Ok(Phrase {
        id: r.id("id")?,
        hall_id: r.id("hall_id")?,
        owner: r.text("owner")?,
        text_zh: r.text("text_zh")?,
        text_en: r.text("text_en")?,
        shortcut: r.text("shortcut")?,
    })
}

/// False: the owner has this shortcut already.
pub async fn insert(tx: &mut Tx, p: &Phrase) -> Result<bool, StoreError> {
    let n = tx
        .exec(
            INSERT,
            args![
                &p.id,
                &p.hall_id,
                &p.owner,
                &p.text_zh,
                &p.text_en,
                &p.shortcut
            ],
        )
        .await?;
    Ok(n == 1)
}

pub async fn get(tx: &mut Tx, id: &PhraseId) -> Result<Option<Phrase>, StoreError> {
    tx.one(GET, args![id], row).await
}

pub async fn of_owner(tx: &mut Tx, owner: &str, limit: i64) -> Result<Vec<Phrase>, StoreError> {
    tx.all(OF_OWNER, args![owner, limit], row).await
}

/// Keeps texts and shortcut; false: the shortcut is another's of this owner.
pub async fn save(tx: &mut Tx, p: &Phrase) -> Result<bool, StoreError> {
    Ok(tx
        .exec(SAVE, args![&p.id, &p.text_zh, &p.text_en, &p.shortcut])
        .await?
        == 1)
}

pub async fn remove(tx: &mut Tx, id: &PhraseId) -> Result<bool, StoreError> {
    Ok(tx.exec(REMOVE, args![id]).await? == 1)
}
