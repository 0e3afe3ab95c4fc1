//! Tickets (排队号): the queue is an index over the waiting ones.

use crate::{Row, StoreError, Tx, args};
use domain::{
    id::{HallId, SessionId, TicketId, VisitId},
    ticket::{Class, State},
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    pub id: TicketId,
    pub hall_id: HallId,
    pub visit_id: VisitId,
    pub number: String,
    pub skill: String,
    pub item: Option<String>,
    pub needs: Vec<String>,
    pub channel: String,
    pub state: State,
    pub version: i64,
    pub class: Class,
    /// -1 for those sent back to the head of their class.
    pub head: i64,
    pub enqueued_at: Timestamp,
    pub grace_until: Option<Timestamp>,
    pub session_id: Option<SessionId>,
    pub next_ticket: Option<TicketId>,
    pub reason: Option<String>,
    /// What the citizen was told first, in seconds.
    pub estimate_low: Option<i64>,
    pub estimate_high: Option<i64>,
    pub paired_at: Option<Timestamp>,
}

/// How one recent ticket fared: what it was told and what it waited, how long it was served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    pub estimate: Option<(i64, i64)>,
    pub waited_us: i64,
    pub served_us: Option<i64>,
}

const INSERT: &str = "INSERT INTO tickets (id, hall_id, visit_id, number, skill, item, needs, channel, state, version, class, head, enqueued_at, estimate_low, estimate_high)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $11, $12, $13, $14)";
const GET: &str = "SELECT * FROM tickets WHERE id = $1";
const OF_VISIT: &str =
    "SELECT * FROM tickets WHERE visit_id = $1 AND state IN ('waiting', 'offered', 'paired')";
const QUEUE_SKILL: &str = "SELECT * FROM tickets WHERE hall_id = $1 AND skill = $2 AND state = 'waiting' ORDER BY class, head, enqueued_at, id LIMIT $3";
const MOVE: &str = "UPDATE tickets SET state = $3, version = version + 1, head = $4, session_id = $5, next_ticket = $6, reason = $7, paired_at = $8, ended_at = $9, grace_until = NULL
  WHERE id = $1 AND state = $2";
const AHEAD: &str = "SELECT count(*) AS n FROM tickets WHERE hall_id = $1 AND skill = $2 AND state IN ('waiting', 'offered')
  AND (class < $3 OR (class = $3 AND (head < $4 OR (head = $4 AND (enqueued_at < $5 OR (enqueued_at = $5 AND id < $6))))))";
const WAITING: &str = "SELECT skill, count(*) AS n, min(enqueued_at) AS oldest FROM tickets WHERE hall_id = $1 AND state IN ('waiting', 'offered') GROUP BY skill";
const GRACE: &str =
    "UPDATE tickets SET grace_until = $2 WHERE id = $1 AND state IN ('waiting', 'offered')";
const GRACE_DUE: &str = "SELECT * FROM tickets WHERE grace_until <= $1 AND state IN ('waiting', 'offered') ORDER BY grace_until LIMIT 64";
const RECENT: &str = "SELECT t.estimate_low, t.estimate_high, t.enqueued_at, t.paired_at, s.started_at, s.ended_at FROM tickets t
  LEFT JOIN sessions s ON s.id = t.session_id WHERE t.hall_id = $1 AND t.paired_at IS NOT NULL ORDER BY t.paired_at DESC LIMIT 50";
const WATCHED: &str =
    "SELECT id FROM tickets WHERE hall_id = $1 AND state IN ('waiting', 'offered')";
pub const QUERIES: &[&str] = &[
    INSERT,
    GET,
    OF_VISIT,
    QUEUE_SKILL,
    MOVE,
    AHEAD,
    WAITING,
    GRACE,
    GRACE_DUE,
    RECENT,
    WATCHED,
];

fn row(r: &Row) -> Result<Ticket, StoreError> {
    Ok(Ticket {
        id: r.id("id")?,
        hall_id: r.id("hall_id")?,
        visit_id: r.id("visit_id")?,
        number: r.text("number")?,
        skill: r.text("skill")?,
        item: r.opt_text("item")?,
        needs: r.json("needs")?,
        channel: r.text("channel")?,
        state: r.word("state", State::parse)?,
        version: r.int("version")?,
        class: Class::from_rank(r.int("class")?)
            .ok_or_else(|| StoreError::Corrupt("class".into()))?,
        head: r.int("head")?,
        enqueued_at: r.time("enqueued_at")?,
        grace_until: r.opt_time("grace_until")?,
        session_id: r.opt_id("session_id")?,
        next_ticket: r.opt_id("next_ticket")?,
        reason: r.opt_text("reason")?,
        estimate_low: r.opt_int("estimate_low")?,
        estimate_high: r.opt_int("estimate_high")?,
        paired_at: r.opt_time("paired_at")?,
    })
}

pub async fn insert(tx: &mut Tx, t: &Ticket) -> Result<(), StoreError> {
    tx.exec(
        INSERT,
        args![
            &t.id,
            &t.hall_id,
            &t.visit_id,
            &t.number,
            &t.skill,
            t.item.clone(),
            crate::staff::words(&t.needs),
            &t.channel,
            t.state.as_str(),
            t.class.rank(),
            t.head,
            t.enqueued_at,
            t.estimate_low,
            t.estimate_high
        ],
    )
    .await
    .map(|_| ())
}

pub async fn get(tx: &mut Tx, id: &TicketId) -> Result<Option<Ticket>, StoreError> {
    tx.one(GET, args![id], row).await
}

/// The visit's live ticket.
pub async fn of_visit(tx: &mut Tx, visit: &VisitId) -> Result<Option<Ticket>, StoreError> {
    tx.one(OF_VISIT, args![visit], row).await
}

/// Waiting tickets of one skill in order of service.
pub async fn queue_of_skill(
    tx: &mut Tx,
    hall: &HallId,
    skill: &str,
    limit: i64,
) -> Result<Vec<Ticket>, StoreError> {
    tx.all(QUEUE_SKILL, args![hall, skill, limit], row).await
}

/// Keeps what `t` has become since it was `was`; false: a lost race.
pub async fn save(tx: &mut Tx, t: &Ticket, was: State, now: Timestamp) -> Result<bool, StoreError> {
    let ended = t.state.is_terminal().then_some(now);
    let n = tx
        .exec(
            MOVE,
            args![
                &t.id,
                was.as_str(),
                t.state.as_str(),
                t.head,
                t.session_id.as_ref(),
                t.next_ticket.as_ref(),
                t.reason.clone(),
                t.paired_at,
                ended
            ],
        )
        .await?;
    Ok(n == 1)
}

/// People of the same skill who will be served before this one.
pub async fn ahead(tx: &mut Tx, t: &Ticket) -> Result<i64, StoreError> {
    Ok(tx
        .one(
            AHEAD,
            args![
                &t.hall_id,
                &t.skill,
                t.class.rank(),
                t.head,
                t.enqueued_at,
                &t.id
            ],
            |r| r.int("n"),
        )
        .await?
        .unwrap_or(0))
}

/// (skill, waiting, enqueue time of the longest waiting).
pub async fn waiting(
    tx: &mut Tx,
    hall: &HallId,
) -> Result<Vec<(String, i64, Timestamp)>, StoreError> {
    tx.all(WAITING, args![hall], |r| {
        Ok((r.text("skill")?, r.int("n")?, r.time("oldest")?))
    })
    .await
}

/// The page went away (`Some`) or came back (`None`).
pub async fn set_grace(
    tx: &mut Tx,
    id: &TicketId,
    until: Option<Timestamp>,
) -> Result<(), StoreError> {
    tx.exec(GRACE, args![id, until]).await.map(|_| ())
}

pub async fn grace_over(tx: &mut Tx, now: Timestamp) -> Result<Vec<Ticket>, StoreError> {
    tx.all(GRACE_DUE, args![now], row).await
}

/// The last 50 that were paired, newest first.
pub async fn recent(tx: &mut Tx, hall: &HallId) -> Result<Vec<Sample>, StoreError> {
    tx.all(RECENT, args![hall], |r| {
        let served = match (r.opt_time("started_at")?, r.opt_time("ended_at")?) {
            (Some(a), Some(b)) => Some(b.micros() - a.micros()),
            _ => None,
        };
        Ok(Sample {
            estimate: r.opt_int("estimate_low")?.zip(r.opt_int("estimate_high")?),
            waited_us: r.time("paired_at")?.micros() - r.time("enqueued_at")?.micros(),
            served_us: served,
        })
    })
    .await
}

/// Live tickets whose position may have changed.
pub async fn in_queue(tx: &mut Tx, hall: &HallId) -> Result<Vec<TicketId>, StoreError> {
    tx.all(WATCHED, args![hall], |r| r.id("id")).await
}
