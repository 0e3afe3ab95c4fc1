//! Requests that are left (留言): text, number and answer under a key of their own, which outlives the visit.

use crate::{Row, StoreError, Tx, args};
use domain::{
    id::{HallId, KeyId, RequestId, StaffId},
    time::Timestamp,
};

/// `open`, `claimed`, `done`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub id: RequestId,
    pub hall_id: HallId,
    /// HMAC of the identity number, or the visit's id of somebody who is anonymous.
    pub person: String,
    pub queue: String,
    pub item: Option<String>,
    pub key_id: KeyId,
    /// Text, number and, where a card was read, the identity.
    pub body_enc: Vec<u8>,
    pub state: String,
    pub claimed_by: Option<StaffId>,
    pub answer_enc: Option<Vec<u8>>,
    pub created_at: Timestamp,
    pub answered_at: Option<Timestamp>,
}

const INSERT: &str = "INSERT INTO requests (id, hall_id, person, queue, item, key_id, body_enc, state, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', $8)";
const GET: &str = "SELECT * FROM requests WHERE id = $1";
const OF_HALL: &str = "SELECT * FROM requests WHERE hall_id = $1 AND state <> 'done' ORDER BY created_at, id LIMIT $2";
const OF_PERSON: &str =
    "SELECT * FROM requests WHERE person = $1 ORDER BY created_at DESC, id LIMIT $2";
const CLAIM: &str =
    "UPDATE requests SET state = 'claimed', claimed_by = $2 WHERE id = $1 AND state = 'open'";
const RELEASE: &str = "UPDATE requests SET state = 'open', claimed_by = NULL WHERE id = $1 AND state = 'claimed' AND claimed_by = $2";
const DONE: &str = "UPDATE requests SET state = 'done', answer_enc = $3, answered_at = $4, erase_at = $5 WHERE id = $1 AND state = 'claimed' AND claimed_by = $2";
const ERASABLE: &str =
    "SELECT id, key_id FROM requests WHERE erase_at <= $1 ORDER BY erase_at LIMIT $2";
const SETTLED: &str = "UPDATE requests SET erase_at = NULL WHERE id = $1 AND erase_at IS NOT NULL";
pub const QUERIES: &[&str] = &[
    INSERT, GET, OF_HALL, OF_PERSON, CLAIM, RELEASE, DONE, ERASABLE, SETTLED,
];

fn row(r: &Row) -> Result<Request, StoreError> {
    Ok(Request {
        id: r.id("id")?,
        hall_id: r.id("hall_id")?,
        person: r.text("person")?,
        queue: r.text("queue")?,
        item: r.opt_text("item")?,
        key_id: r.id("key_id")?,
        body_enc: r.blob("body_enc")?,
        state: r.text("state")?,
        claimed_by: r.opt_id("claimed_by")?,
        answer_enc: r.opt_blob("answer_enc")?,
        created_at: r.time("created_at")?,
        answered_at: r.opt_time("answered_at")?,
    })
}

/// An open one.
pub async fn insert(tx: &mut Tx, q: &Request) -> Result<(), StoreError> {
    tx.exec(
        INSERT,
        args![
            &q.id,
            &q.hall_id,
            &q.person,
            &q.queue,
            q.item.clone(),
            &q.key_id,
            q.body_enc.clone(),
            q.created_at
        ],
    )
    .await
    .map(|_| ())
}

pub async fn get(tx: &mut Tx, id: &RequestId) -> Result<Option<Request>, StoreError> {
    tx.one(GET, args![id], row).await
}

/// Those that are not done, oldest first.
pub async fn of_hall(tx: &mut Tx, hall: &HallId, limit: i64) -> Result<Vec<Request>, StoreError> {
    tx.all(OF_HALL, args![hall, limit], row).await
}

/// Newest first.
pub async fn of_person(tx: &mut Tx, person: &str, limit: i64) -> Result<Vec<Request>, StoreError> {
    tx.all(OF_PERSON, args![person, limit], row).await
}

/// False: it is not open.
pub async fn claim(tx: &mut Tx, id: &RequestId, staff: &StaffId) -> Result<bool, StoreError> {
    Ok(tx.exec(CLAIM, args![id, staff]).await? == 1)
}

/// False: it is not this person's.
pub async fn release(tx: &mut Tx, id: &RequestId, staff: &StaffId) -> Result<bool, StoreError> {
    Ok(tx.exec(RELEASE, args![id, staff]).await? == 1)
}

/// False: it is not this person's. `erase_at`: when its key is destroyed.
pub async fn done(
    tx: &mut Tx,
    id: &RequestId,
    staff: &StaffId,
    answer_enc: Vec<u8>,
    now: Timestamp,
    erase_at: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx
        .exec(DONE, args![id, staff, answer_enc, now, erase_at])
        .await?
        == 1)
}

/// Answered ones whose keys are due.
pub async fn erasable(
    tx: &mut Tx,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(RequestId, KeyId)>, StoreError> {
    tx.all(ERASABLE, args![now, limit], |r| {
        Ok((r.id("id")?, r.id("key_id")?))
    })
    .await
}

/// The key was destroyed. False: somebody else was first.
pub async fn settle(tx: &mut Tx, id: &RequestId) -> Result<bool, StoreError> {
    Ok(tx.exec(SETTLED, args![id]).await? == 1)
}
