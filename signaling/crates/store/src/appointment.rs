//! Appointments (预约), what can be booked, and how much of it is taken.
//!
//! The database holds two rules by itself: a slot never has more bookings than places, and a person has one live
//! appointment at a hall.

use crate::{Row, StoreError, Tx, args};
use domain::{
    appointment::State,
    id::{AppointmentId, HallId, TicketId},
    time::Timestamp,
};

/// What can be booked for a queue, as JSON text, and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotRule {
    pub queue: String,
    pub rule: String,
    pub version: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appointment {
    pub id: AppointmentId,
    pub hall_id: HallId,
    /// HMAC of the identity number, or the visit's id of somebody who is anonymous.
    pub person: String,
    pub queue: String,
    pub item: Option<String>,
    pub needs: Vec<String>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub state: State,
    pub code_hash: String,
    /// The ticket of the check-in.
    pub ticket_id: Option<TicketId>,
    pub created_at: Timestamp,
}

const RULE: &str = "SELECT queue, rule, version FROM slot_rules WHERE hall_id = $1 AND queue = $2";
const RULES: &str = "SELECT queue, rule, version FROM slot_rules WHERE hall_id = $1 ORDER BY queue";
const RULE_INSERT: &str = "INSERT INTO slot_rules (hall_id, queue, rule, version) VALUES ($1, $2, $3, 1) ON CONFLICT (hall_id, queue) DO NOTHING";
const RULE_UPDATE: &str = "UPDATE slot_rules SET rule = $4, version = version + 1 WHERE hall_id = $1 AND queue = $2 AND version = $3";
// Where the rule has fewer places by now than are taken, nothing is added and nothing is lost.
const TAKE: &str = "INSERT INTO slot_counts (hall_id, queue, starts_at, capacity, taken) VALUES ($1, $2, $3, $4, 1)
  ON CONFLICT (hall_id, queue, starts_at) DO UPDATE SET taken = slot_counts.taken + 1, capacity = $4 WHERE slot_counts.taken < $4";
const FREE: &str = "UPDATE slot_counts SET taken = taken - 1 WHERE hall_id = $1 AND queue = $2 AND starts_at = $3 AND taken > 0";
const TAKEN: &str = "SELECT starts_at, taken FROM slot_counts WHERE hall_id = $1 AND queue = $2 AND starts_at >= $3 AND starts_at < $4 ORDER BY starts_at";
const INSERT: &str = "INSERT INTO appointments (id, hall_id, person, queue, item, needs, starts_at, ends_at, state, code_hash, created_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const GET: &str = "SELECT * FROM appointments WHERE id = $1";
const OF_CODE: &str = "SELECT * FROM appointments WHERE code_hash = $1";
const LIVE: &str = "SELECT * FROM appointments WHERE hall_id = $1 AND person = $2 AND state IN ('booked', 'checked_in')";
const OF_PERSON: &str =
    "SELECT * FROM appointments WHERE person = $1 ORDER BY starts_at DESC, id LIMIT $2";
const MOVE: &str =
    "UPDATE appointments SET state = $3, ticket_id = $4 WHERE id = $1 AND state = $2";
const REMIND_DUE: &str = "SELECT * FROM appointments WHERE state = 'booked' AND starts_at <= $1 AND reminded_at IS NULL ORDER BY starts_at LIMIT 64";
const REMIND: &str =
    "UPDATE appointments SET reminded_at = $2 WHERE id = $1 AND reminded_at IS NULL";
const NO_SHOW: &str = "SELECT * FROM appointments WHERE state = 'booked' AND starts_at < $1 ORDER BY starts_at LIMIT 64";
const OVER: &str = "SELECT a.*, t.state AS ticket_state, t.next_ticket AS next_ticket FROM appointments a JOIN tickets t ON t.id = a.ticket_id
  WHERE a.state = 'checked_in' AND t.state NOT IN ('waiting', 'offered', 'paired') ORDER BY a.id LIMIT 64";
const RENAME: &str =
    "UPDATE appointments SET person = $2 WHERE person = $1 AND state IN ('booked', 'checked_in')";
pub const QUERIES: &[&str] = &[
    RULE,
    RULES,
    RULE_INSERT,
    RULE_UPDATE,
    TAKE,
    FREE,
    TAKEN,
    INSERT,
    GET,
    OF_CODE,
    LIVE,
    OF_PERSON,
    MOVE,
    REMIND_DUE,
    REMIND,
    NO_SHOW,
    OVER,
    RENAME,
];

fn rule_row(r: &Row) -> Result<SlotRule, StoreError> {
    Ok(SlotRule {
        queue: r.text("queue")?,
        rule: r.text("rule")?,
        version: r.int("version")?,
    })
}

fn row(r: &Row) -> Result<Appointment, StoreError> {
    Ok(Appointment {
        id: r.id("id")?,
        hall_id: r.id("hall_id")?,
        person: r.text("person")?,
        queue: r.text("queue")?,
        item: r.opt_text("item")?,
        needs: r.json("needs")?,
        starts_at: r.time("starts_at")?,
        ends_at: r.time("ends_at")?,
        state: r.word("state", State::parse)?,
        code_hash: r.text("code_hash")?,
        ticket_id: r.opt_id("ticket_id")?,
        created_at: r.time("created_at")?,
    })
}

pub async fn rule(tx: &mut Tx, hall: &HallId, queue: &str) -> Result<Option<SlotRule>, StoreError> {
    tx.one(RULE, args![hall, queue], rule_row).await
}

pub async fn rules(tx: &mut Tx, hall: &HallId) -> Result<Vec<SlotRule>, StoreError> {
    tx.all(RULES, args![hall], rule_row).await
}

/// Keeps the rule over the version that the caller saw (0: none yet); false: a lost race.
pub async fn save_rule(
    tx: &mut Tx,
    hall: &HallId,
    queue: &str,
    rule: &str,
    version: i64,
) -> Result<bool, StoreError> {
    let n = if version == 0 {
        tx.exec(RULE_INSERT, args![hall, queue, rule]).await?
    } else {
        tx.exec(RULE_UPDATE, args![hall, queue, version, rule])
            .await?
    };
    Ok(n == 1)
}

/// One place of a slot; false: it is full.
pub async fn take_place(
    tx: &mut Tx,
    hall: &HallId,
    queue: &str,
    starts_at: Timestamp,
    capacity: i64,
) -> Result<bool, StoreError> {
    Ok(tx
        .exec(TAKE, args![hall, queue, starts_at, capacity])
        .await?
        == 1)
}

pub async fn free_place(
    tx: &mut Tx,
    hall: &HallId,
    queue: &str,
    starts_at: Timestamp,
) -> Result<(), StoreError> {
    tx.exec(FREE, args![hall, queue, starts_at])
        .await
        .map(|_| ())
}

/// Places taken in the slots that begin from `from` to before `to`; a slot that nobody booked is not in the list.
pub async fn taken(
    tx: &mut Tx,
    hall: &HallId,
    queue: &str,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<(Timestamp, i64)>, StoreError> {
    tx.all(TAKEN, args![hall, queue, from, to], |r| {
        Ok((r.time("starts_at")?, r.int("taken")?))
    })
    .await
}

/// A booking. Constraint where the person has a live one at the hall.
pub async fn insert(tx: &mut Tx, a: &Appointment) -> Result<(), StoreError> {
    tx.exec(
        INSERT,
        args![
            &a.id,
            &a.hall_id,
            &a.person,
            &a.queue,
            a.item.clone(),
            crate::staff::words(&a.needs),
            a.starts_at,
            a.ends_at,
            a.state.as_str(),
            &a.code_hash,
            a.created_at
        ],
    )
    .await
    .map(|_| ())
}

pub async fn get(tx: &mut Tx, id: &AppointmentId) -> Result<Option<Appointment>, StoreError> {
    tx.one(GET, args![id], row).await
}

pub async fn of_code(tx: &mut Tx, hash: &str) -> Result<Option<Appointment>, StoreError> {
    tx.one(OF_CODE, args![hash], row).await
}

/// The person's booked or checked-in appointment at the hall.
pub async fn live_of(
    tx: &mut Tx,
    hall: &HallId,
    person: &str,
) -> Result<Option<Appointment>, StoreError> {
    tx.one(LIVE, args![hall, person], row).await
}

/// Latest slot first.
pub async fn of_person(
    tx: &mut Tx,
    person: &str,
    limit: i64,
) -> Result<Vec<Appointment>, StoreError> {
    tx.all(OF_PERSON, args![person, limit], row).await
}

/// Compare-and-set on the state; false: a lost race.
pub async fn save(tx: &mut Tx, a: &Appointment, was: State) -> Result<bool, StoreError> {
    let n = tx
        .exec(
            MOVE,
            args![&a.id, was.as_str(), a.state.as_str(), a.ticket_id.as_ref()],
        )
        .await?;
    Ok(n == 1)
}

/// Booked, begins by then, and nobody was reminded.
pub async fn to_remind(tx: &mut Tx, by: Timestamp) -> Result<Vec<Appointment>, StoreError> {
    tx.all(REMIND_DUE, args![by], row).await
}

/// False: somebody else reminded.
pub async fn reminded(tx: &mut Tx, id: &AppointmentId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.exec(REMIND, args![id, now]).await? == 1)
}

/// Booked, and began before then.
pub async fn missed(tx: &mut Tx, before: Timestamp) -> Result<Vec<Appointment>, StoreError> {
    tx.all(NO_SHOW, args![before], row).await
}

/// Checked in, and the ticket has ended: with its state's word and the ticket that took its place.
pub async fn over(tx: &mut Tx) -> Result<Vec<(Appointment, String, Option<TicketId>)>, StoreError> {
    tx.all(OVER, args![], |r| {
        Ok((row(r)?, r.text("ticket_state")?, r.opt_id("next_ticket")?))
    })
    .await
}

/// Somebody anonymous goes on under another visit's id.
pub async fn rename(tx: &mut Tx, person: &str, to: &str) -> Result<(), StoreError> {
    tx.exec(RENAME, args![person, to]).await.map(|_| ())
}
