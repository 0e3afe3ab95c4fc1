//! Queues: a rule for each skill that a hall serves.

use crate::{StoreError, Tx, args};
use domain::{
    id::{HallId, StaffId, TicketId},
    ticket::Class,
    time::Timestamp,
};

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
const OVERFLOW: &str = "SELECT to_hall FROM queue_overflows WHERE hall_id = $1 AND code = $2";
const OVERFLOW_SET: &str = "INSERT INTO queue_overflows (hall_id, code, to_hall) VALUES ($1, $2, $3) ON CONFLICT (hall_id, code) DO UPDATE SET to_hall = $3";
const OVERFLOW_OFF: &str = "DELETE FROM queue_overflows WHERE hall_id = $1 AND code = $2";
const OVERFLOW_FROM: &str =
    "SELECT code FROM queue_overflows WHERE hall_id = $1 AND to_hall = $2 ORDER BY code";
const RESTAGE: &str = "UPDATE tickets SET stage_at = $3 WHERE hall_id = $1 AND skill = $2 AND state IN ('waiting', 'offered')";
const FIRST: &str = "SELECT min(order_at) AS n FROM tickets WHERE hall_id = $1 AND skill = $2 AND state IN ('waiting', 'offered')";
const MOVE: &str = "UPDATE tickets SET skill = $3, class = $4, order_at = $5, version = version + 1 WHERE id = $1 AND version = $2 AND state = 'waiting'";
const IN_LINE: &str = "SELECT id FROM tickets WHERE hall_id = $1 AND state IN ('waiting', 'offered') ORDER BY order_at, id LIMIT $2";
const PAIR: &str = "SELECT item, a_staff, b_staff FROM item_pairs WHERE hall_id = $1 AND item = $2";
const PAIRS: &str =
    "SELECT item, a_staff, b_staff FROM item_pairs WHERE hall_id = $1 ORDER BY item";
const PAIR_SET: &str = "INSERT INTO item_pairs (hall_id, item, a_staff, b_staff) VALUES ($1, $2, $3, $4) ON CONFLICT (hall_id, item) DO UPDATE SET a_staff = $3, b_staff = $4";
const PAIR_OFF: &str = "DELETE FROM item_pairs WHERE hall_id = $1 AND item = $2";
pub const QUERIES: &[&str] = &[
    GET,
    OF_HALL,
    INSERT,
    UPDATE,
    OVERFLOW,
    OVERFLOW_SET,
    OVERFLOW_OFF,
    OVERFLOW_FROM,
    RESTAGE,
    FIRST,
    MOVE,
    IN_LINE,
    PAIR,
    PAIRS,
    PAIR_SET,
    PAIR_OFF,
];

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

/// A hall that a supervisor lets serve this queue too, until switched off or until that hall consents no longer.
pub async fn overflow_now(
    tx: &mut Tx,
    hall: &HallId,
    code: &str,
) -> Result<Option<HallId>, StoreError> {
    tx.one(OVERFLOW, args![hall, code], |r| r.id("to_hall"))
        .await
}

pub async fn set_overflow_now(
    tx: &mut Tx,
    hall: &HallId,
    code: &str,
    to: Option<&HallId>,
) -> Result<(), StoreError> {
    match to {
        Some(to) => tx.exec(OVERFLOW_SET, args![hall, code, to]).await,
        None => tx.exec(OVERFLOW_OFF, args![hall, code]).await,
    }
    .map(|_| ())
}

/// Queues of `hall` that overflow into `to` until switched off.
pub async fn overflows_to(
    tx: &mut Tx,
    hall: &HallId,
    to: &HallId,
) -> Result<Vec<String>, StoreError> {
    tx.all(OVERFLOW_FROM, args![hall, to], |r| r.text("code"))
        .await
}

/// Everybody in line enters their stage anew at the next look of the timers.
pub async fn restage(
    tx: &mut Tx,
    hall: &HallId,
    code: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    tx.exec(RESTAGE, args![hall, code, now]).await
}

/// The smallest order key in line.
pub async fn first(tx: &mut Tx, hall: &HallId, code: &str) -> Result<Option<i64>, StoreError> {
    Ok(tx
        .one(FIRST, args![hall, code], |r| r.opt_int("n"))
        .await?
        .flatten())
}

/// Puts a waiting ticket into a queue, class and place; false: it changed, or waits no longer.
pub async fn place(
    tx: &mut Tx,
    ticket: &TicketId,
    version: i64,
    queue: &str,
    class: Class,
    order_at: i64,
) -> Result<bool, StoreError> {
    let n = tx
        .exec(MOVE, args![ticket, version, queue, class.rank(), order_at])
        .await?;
    Ok(n == 1)
}

/// The hall's tickets in order of service, whatever their queue.
pub async fn in_line(tx: &mut Tx, hall: &HallId, limit: i64) -> Result<Vec<TicketId>, StoreError> {
    tx.all(IN_LINE, args![hall, limit], |r| r.id("id")).await
}

/// AB seats (主办, 协办) of an item: who handles it, and who steps in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub item: String,
    pub a: StaffId,
    pub b: StaffId,
}

fn a_pair(r: &crate::Row) -> Result<Pair, StoreError> {
    Ok(Pair {
        item: r.text("item")?,
        a: r.id("a_staff")?,
        b: r.id("b_staff")?,
    })
}

pub async fn pair(tx: &mut Tx, hall: &HallId, item: &str) -> Result<Option<Pair>, StoreError> {
    tx.one(PAIR, args![hall, item], a_pair).await
}

pub async fn pairs(tx: &mut Tx, hall: &HallId) -> Result<Vec<Pair>, StoreError> {
    tx.all(PAIRS, args![hall], a_pair).await
}

pub async fn save_pair(tx: &mut Tx, hall: &HallId, p: &Pair) -> Result<(), StoreError> {
    tx.exec(PAIR_SET, args![hall, &p.item, &p.a, &p.b])
        .await
        .map(|_| ())
}

pub async fn remove_pair(tx: &mut Tx, hall: &HallId, item: &str) -> Result<(), StoreError> {
    tx.exec(PAIR_OFF, args![hall, item]).await.map(|_| ())
}
