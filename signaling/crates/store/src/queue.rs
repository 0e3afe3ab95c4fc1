//! Queues: a rule for each skill that a hall serves.

use crate::{StoreError, Tx, args};
use domain::id::HallId;

/// A queue's rule as JSON text (`domain::routing::Rule`) and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    pub code: String,
    pub rule: String,
    pub version: i64,
}

const GET: &str = "SELECT code, rule, version FROM queues WHERE hall_id = $1 AND code = $2";
const OF_HALL: &str = "SELECT code, rule, version FROM queues WHERE hall_id = $1 ORDER BY code";
const INSERT: &str = "INSERT INTO queues (hall_id, code, rule, version) VALUES ($1, $2, $3, 1) ON CONFLICT (hall_id, code) DO NOTHING";
const UPDATE: &str = "UPDATE queues SET rule = $4, version = version + 1 WHERE hall_id = $1 AND code = $2 AND version = $3";
pub const QUERIES: &[&str] = &[GET, OF_HALL, INSERT, UPDATE];

fn row(r: &crate::Row) -> Result<Queue, StoreError> {
    Ok(Queue {
        code: r.text("code")?,
        rule: r.text("rule")?,
        version: r.int("version")?,
    })
}

pub async fn get(tx: &mut Tx, hall: &HallId, code: &str) -> Result<Option<Queue>, StoreError> {
    tx.one(GET, args![hall, code], row).await
}

pub async fn of_hall(tx: &mut Tx, hall: &HallId) -> Result<Vec<Queue>, StoreError> {
    tx.all(OF_HALL, args![hall], row).await
}

/// Keeps the rule over the version that the caller saw (0: none yet); false: a lost race.
pub async fn save(
    tx: &mut Tx,
    hall: &HallId,
    code: &str,
    rule: &str,
    version: i64,
) -> Result<bool, StoreError> {
    let n = if version == 0 {
        tx.exec(INSERT, args![hall, code, rule]).await?
    } else {
        tx.exec(UPDATE, args![hall, code, version, rule]).await?
    };
    Ok(n == 1)
}
