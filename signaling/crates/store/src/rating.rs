//! Ratings (好差评): one a case, never changed.

use crate::{Row, StoreError, Tx, args};
use domain::{
    id::{CaseId, RatingId},
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rating {
    pub id: RatingId,
    pub case_id: CaseId,
    /// `starLevel` of the national tags: 5 is the best.
    pub stars: i64,
    /// National tag codes.
    pub tags: Vec<u16>,
    /// Free words under the case's key.
    pub comment_enc: Option<Vec<u8>>,
    /// Nobody answered in time: counted in no rate.
    pub is_default: bool,
    pub at: Timestamp,
}

const INSERT: &str = "INSERT INTO ratings (id, case_id, stars, tags, comment_enc, is_default, at) VALUES ($1, $2, $3, $4, $5, $6, $7)
  ON CONFLICT (case_id) DO NOTHING";
const GET: &str = "SELECT * FROM ratings WHERE case_id = $1";
pub const QUERIES: &[&str] = &[INSERT, GET];

fn row(r: &Row) -> Result<Rating, StoreError> {
    Ok(Rating {
        id: r.id("id")?,
        case_id: r.id("case_id")?,
        stars: r.int("stars")?,
        tags: r.json("tags")?,
        comment_enc: r.opt_blob("comment_enc")?,
        is_default: r.bool("is_default")?,
        at: r.time("at")?,
    })
}

/// False: the case was rated before, and that rating stays.
pub async fn insert(tx: &mut Tx, r: &Rating) -> Result<bool, StoreError> {
    let tags = serde_json::to_string(&r.tags).unwrap_or_else(|_| "[]".into());
    let n = tx
        .exec(
            INSERT,
            args![
                &r.id,
                &r.case_id,
                r.stars,
                tags,
                r.comment_enc.clone(),
                r.is_default,
                r.at
            ],
        )
        .await?;
    Ok(n == 1)
}

pub async fn of_case(tx: &mut Tx, case: &CaseId) -> Result<Option<Rating>, StoreError> {
    tx.one(GET, args![case], row).await
}
