//! Booths (云晓屋) and their device keys.

use crate::{Row, StoreError, Tx, args};
use domain::{
    id::{BoothId, HallId},
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booth {
    pub id: BoothId,
    pub hall_id: HallId,
    pub name_zh: String,
    pub name_en: String,
    /// SM2 public key, base64url.
    pub public_key: String,
    pub active: bool,
}

const UPSERT: &str =
    "INSERT INTO booths (id, hall_id, name_zh, name_en, public_key) VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (id) DO UPDATE SET hall_id = $2, name_zh = $3, name_en = $4, public_key = $5";
const GET: &str = "SELECT * FROM booths WHERE id = $1";
const ALL: &str = "SELECT * FROM booths ORDER BY id";
const NONCE: &str = "INSERT INTO booth_nonces (nonce, booth_id, expires_at) VALUES ($1, $2, $3)";
const SPEND: &str =
    "DELETE FROM booth_nonces WHERE nonce = $1 AND booth_id = $2 AND expires_at > $3";
const SWEEP: &str = "DELETE FROM booth_nonces WHERE expires_at <= $1";
pub const QUERIES: &[&str] = &[UPSERT, GET, ALL, NONCE, SPEND, SWEEP];

fn row(r: &Row) -> Result<Booth, StoreError> {
    Ok(Booth {
        id: r.id("id")?,
        hall_id: r.id("hall_id")?,
        name_zh: r.text("name_zh")?,
        name_en: r.text("name_en")?,
        public_key: r.text("public_key")?,
        active: r.bool("active")?,
    })
}

pub async fn upsert(tx: &mut Tx, b: &Booth) -> Result<(), StoreError> {
    tx.exec(
        UPSERT,
        args![&b.id, &b.hall_id, &b.name_zh, &b.name_en, &b.public_key],
    )
    .await
    .map(|_| ())
}

pub async fn get(tx: &mut Tx, id: &BoothId) -> Result<Option<Booth>, StoreError> {
    tx.one(GET, args![id], row).await
}

pub async fn all(tx: &mut Tx) -> Result<Vec<Booth>, StoreError> {
    tx.all(ALL, args![], row).await
}

pub async fn insert_nonce(
    tx: &mut Tx,
    nonce: &str,
    id: &BoothId,
    expires: Timestamp,
) -> Result<(), StoreError> {
    tx.exec(SWEEP, args![expires - domain::time::Span::seconds(3600)])
        .await?;
    tx.exec(NONCE, args![nonce, id, expires]).await.map(|_| ())
}

/// True once.
pub async fn spend_nonce(
    tx: &mut Tx,
    nonce: &str,
    id: &BoothId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.exec(SPEND, args![nonce, id, now]).await? == 1)
}
