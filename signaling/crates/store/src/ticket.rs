//! Tickets (排队号): the queue is an index over the waiting ones.

use crate::{Row, StoreError, Tx, args};
use domain::{
    id::{HallId, SessionId, TicketId, VisitId},
    ladder::Mode,
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
    pub enqueued_at: Timestamp,
    /// What it asks of a seat now: `domain::routing::Demand::key`.
    pub demand: String,
    /// When its demand changes.
    pub stage_at: Option<Timestamp>,
    /// Its place in the order of service: `domain::ticket::order_key`.
    pub order_at: i64,
    /// Another hall that may serve it too.
    pub overflow_hall: Option<HallId>,
    pub language: Option<String>,
    /// How the citizen wants to talk: the rung on which the session begins. Never the telephone.
    pub mode: Mode,
    /// The connection whose loss starts the grace: the newest page that watches it.
    pub holder: Option<String>,
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

const INSERT: &str = "INSERT INTO tickets (id, hall_id, visit_id, number, skill, item, needs, channel, state, version, class, enqueued_at, estimate_low, estimate_high,
  demand, stage_at, order_at, overflow_hall, language, mode) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)";
const GET: &str = "SELECT * FROM tickets WHERE id = $1";
const OF_VISIT: &str =
    "SELECT * FROM tickets WHERE visit_id = $1 AND state IN ('waiting', 'offered', 'paired')";
// A walk over the index from one demand to the next: as many steps as there are demands, however many tickets wait.
const DEMANDS: &str = "WITH RECURSIVE d (demand) AS (SELECT min(demand) FROM tickets WHERE hall_id = $1 AND state = 'waiting'
  UNION ALL SELECT (SELECT min(t.demand) FROM tickets t WHERE t.hall_id = $1 AND t.state = 'waiting' AND t.demand > d.demand) FROM d WHERE d.demand IS NOT NULL)
  SELECT demand FROM d WHERE demand IS NOT NULL";
const DEMANDS_OVER: &str = "WITH RECURSIVE d (demand) AS (SELECT min(demand) FROM tickets WHERE overflow_hall = $1 AND state = 'waiting'
  UNION ALL SELECT (SELECT min(t.demand) FROM tickets t WHERE t.overflow_hall = $1 AND t.state = 'waiting' AND t.demand > d.demand) FROM d WHERE d.demand IS NOT NULL)
  SELECT demand FROM d WHERE demand IS NOT NULL";
const OF_DEMAND: &str = "SELECT id, order_at FROM tickets WHERE hall_id = $1 AND demand = $2 AND state = 'waiting' ORDER BY order_at, id LIMIT $3";
const OF_DEMAND_OVER: &str = "SELECT id, order_at FROM tickets WHERE overflow_hall = $1 AND demand = $2 AND state = 'waiting'
  AND EXISTS (SELECT 1 FROM hall_accepts a WHERE a.hall_id = $1 AND a.from_hall = tickets.hall_id) ORDER BY order_at, id LIMIT $3";
const MOVE: &str = "UPDATE tickets SET state = $3, version = version + 1, session_id = $4, next_ticket = $5, reason = $6, paired_at = $7, ended_at = $8,
  grace_until = CASE WHEN $3 IN ('waiting', 'offered') THEN grace_until ELSE NULL END
  WHERE id = $1 AND state = $2";
const STAGE: &str = "UPDATE tickets SET demand = $3, stage_at = $4, overflow_hall = $5, version = version + 1 WHERE id = $1 AND version = $2 AND state IN ('waiting', 'offered')";
const MODE: &str =
    "UPDATE tickets SET mode = $3, version = version + 1 WHERE id = $1 AND version = $2";
const STAGE_DUE: &str =
    "SELECT * FROM tickets WHERE stage_at <= $1 AND state = 'waiting' ORDER BY stage_at LIMIT 64";
const HAND_OVER: &str = "UPDATE tickets SET state = $3, version = version + 1, skill = $4, class = $5, order_at = $6, demand = $7, stage_at = $8, overflow_hall = $9
  WHERE id = $1 AND version = $2";
const AHEAD: &str = "SELECT count(*) AS n FROM tickets WHERE hall_id = $1 AND skill = $2 AND state IN ('waiting', 'offered')
  AND (order_at < $3 OR (order_at = $3 AND id < $4)) AND CASE WHEN mode = 'text' THEN 1 ELSE 0 END = $5";
const LINES: &str = "SELECT skill, count(*) AS n, min(enqueued_at) AS oldest FROM tickets WHERE hall_id = $1 AND state IN ('waiting', 'offered') GROUP BY skill";
const PLACES: &str = "SELECT id, skill, mode FROM tickets WHERE hall_id = $1 AND state IN ('waiting', 'offered') ORDER BY skill, order_at, id";
const LEAVE_OVERFLOW: &str =
    "UPDATE tickets SET overflow_hall = NULL, stage_at = $3, version = version + 1
  WHERE hall_id = $1 AND overflow_hall = $2 AND state IN ('waiting', 'offered')";
const HOLD: &str = "UPDATE tickets SET holder = $3, grace_until = NULL WHERE id = $1 AND visit_id = $2 AND state IN ('waiting', 'offered')";
const LET_GO: &str = "UPDATE tickets SET holder = NULL, grace_until = $3 WHERE id = $1 AND holder = $2 AND state IN ('waiting', 'offered')";
// As for seats and the members of sessions: a holder is `<node>.<secret>`.
const HELD_BY_GONE: &str = "SELECT t.id, t.holder FROM tickets t WHERE t.holder IS NOT NULL AND t.state IN ('waiting', 'offered') AND NOT EXISTS (
    SELECT 1 FROM nodes n WHERE n.heartbeat > $1 AND substr(t.holder, 1, length(n.id) + 1) = n.id || '.')
  ORDER BY t.id LIMIT $2";
const GRACE_DUE: &str = "SELECT * FROM tickets WHERE grace_until <= $1 AND state IN ('waiting', 'offered') ORDER BY grace_until LIMIT 64";
const RECENT: &str = "SELECT t.estimate_low, t.estimate_high, t.enqueued_at, t.paired_at, s.started_at, s.ended_at FROM sessions s
  JOIN tickets t ON t.id = s.ticket_id WHERE s.hall_id = $1 AND s.ended_at IS NOT NULL AND t.paired_at IS NOT NULL ORDER BY s.ended_at DESC LIMIT 50";
pub const QUERIES: &[&str] = &[
    INSERT,
    GET,
    OF_VISIT,
    DEMANDS,
    DEMANDS_OVER,
    OF_DEMAND,
    OF_DEMAND_OVER,
    MOVE,
    STAGE,
    MODE,
    STAGE_DUE,
    HAND_OVER,
    AHEAD,
    LINES,
    PLACES,
    LEAVE_OVERFLOW,
    HOLD,
    LET_GO,
    HELD_BY_GONE,
    GRACE_DUE,
    RECENT,
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
        enqueued_at: r.time("enqueued_at")?,
        demand: r.text("demand")?,
        stage_at: r.opt_time("stage_at")?,
        order_at: r.int("order_at")?,
        overflow_hall: r.opt_id("overflow_hall")?,
        language: r.opt_text("language")?,
        mode: r.word("mode", Mode::parse)?,
        holder: r.opt_text("holder")?,
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
            t.enqueued_at,
            t.estimate_low,
            t.estimate_high,
            &t.demand,
            t.stage_at,
            t.order_at,
            t.overflow_hall.as_ref(),
            t.language.clone(),
            t.mode.as_str()
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

/// What is asked by those waiting for this hall's seats: each demand once, and whether its tickets are another hall's.
pub async fn demands(tx: &mut Tx, hall: &HallId) -> Result<Vec<(String, bool)>, StoreError> {
    let mut out = vec![];
    for (sql, over) in [(DEMANDS, false), (DEMANDS_OVER, true)] {
        let found = tx.all(sql, args![hall], |r| r.text("demand")).await?;
        out.extend(found.into_iter().map(|d| (d, over)));
    }
    Ok(out)
}

/// Tickets that ask this, in order of service, with their order keys.
pub async fn of_demand(
    tx: &mut Tx,
    hall: &HallId,
    demand: &str,
    overflow: bool,
    limit: i64,
) -> Result<Vec<(TicketId, i64)>, StoreError> {
    let sql = if overflow { OF_DEMAND_OVER } else { OF_DEMAND };
    tx.all(sql, args![hall, demand, limit], |r| {
        Ok((r.id("id")?, r.int("order_at")?))
    })
    .await
}

/// Keeps another demand, its end and the overflow hall; false: the ticket changed or left the queue.
pub async fn save_stage(tx: &mut Tx, t: &Ticket) -> Result<bool, StoreError> {
    let n = tx
        .exec(
            STAGE,
            args![
                &t.id,
                t.version,
                &t.demand,
                t.stage_at,
                t.overflow_hall.as_ref()
            ],
        )
        .await?;
    Ok(n == 1)
}

/// Another way to talk; false: the ticket changed.
pub async fn set_mode(tx: &mut Tx, t: &Ticket, mode: Mode) -> Result<bool, StoreError> {
    Ok(tx
        .exec(MODE, args![&t.id, t.version, mode.as_str()])
        .await?
        == 1)
}

/// Waiting tickets whose demand changes now.
pub async fn stage_over(tx: &mut Tx, now: Timestamp) -> Result<Vec<Ticket>, StoreError> {
    tx.all(STAGE_DUE, args![now], row).await
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

/// Keeps another place in line, of another queue perhaps: state, queue, class, order, demand. False: the ticket changed.
pub async fn hand_over(tx: &mut Tx, t: &Ticket) -> Result<bool, StoreError> {
    let n = tx
        .exec(
            HAND_OVER,
            args![
                &t.id,
                t.version,
                t.state.as_str(),
                &t.skill,
                t.class.rank(),
                t.order_at,
                &t.demand,
                t.stage_at,
                t.overflow_hall.as_ref()
            ],
        )
        .await?;
    Ok(n == 1)
}

/// People of the same queue who will be served before this one: by text, or by call.
pub async fn ahead(tx: &mut Tx, t: &Ticket) -> Result<i64, StoreError> {
    let text = i64::from(t.mode == Mode::Text);
    Ok(tx
        .one(
            AHEAD,
            args![&t.hall_id, &t.skill, t.order_at, &t.id, text],
            |r| r.int("n"),
        )
        .await?
        .unwrap_or(0))
}

/// Who waits in a queue: its code, how many, since when the first.
pub async fn lines(
    tx: &mut Tx,
    hall: &HallId,
) -> Result<Vec<(String, i64, Timestamp)>, StoreError> {
    tx.all(LINES, args![hall], |r| {
        Ok((r.text("skill")?, r.int("n")?, r.time("oldest")?))
    })
    .await
}

/// Everybody in line, queue by queue in order of service: ticket, queue, and whether by text (other seats serve those).
pub async fn places(
    tx: &mut Tx,
    hall: &HallId,
) -> Result<Vec<(TicketId, String, bool)>, StoreError> {
    tx.all(PLACES, args![hall], |r| {
        let by_text = r.word("mode", Mode::parse)? == Mode::Text;
        Ok((r.id("id")?, r.text("skill")?, by_text))
    })
    .await
}

/// `there` serves `home`'s people no longer: nobody in line stands there any more, and they enter their stage anew.
pub async fn leave_overflow(
    tx: &mut Tx,
    home: &HallId,
    there: &HallId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    tx.exec(LEAVE_OVERFLOW, args![home, there, now]).await
}

/// A page of this visit watches the ticket: no grace runs. False: another's, or no longer in line.
pub async fn hold(
    tx: &mut Tx,
    id: &TicketId,
    visit: &VisitId,
    connection: &str,
) -> Result<bool, StoreError> {
    Ok(tx.exec(HOLD, args![id, visit, connection]).await? == 1)
}

/// The page that held it is gone; the place is kept until then (`None`: it needs no page). False: another holds it by now.
pub async fn let_go(
    tx: &mut Tx,
    id: &TicketId,
    connection: &str,
    until: Option<Timestamp>,
) -> Result<bool, StoreError> {
    Ok(tx.exec(LET_GO, args![id, connection, until]).await? == 1)
}

/// Tickets in line whose page was at a node that has not beaten since `alive_since`, or is in no row; and its connection.
pub async fn held_by_gone(
    tx: &mut Tx,
    alive_since: Timestamp,
    limit: i64,
) -> Result<Vec<(TicketId, String)>, StoreError> {
    tx.all(HELD_BY_GONE, args![alive_since, limit], |r| {
        Ok((r.id("id")?, r.text("holder")?))
    })
    .await
}

pub async fn grace_over(tx: &mut Tx, now: Timestamp) -> Result<Vec<Ticket>, StoreError> {
    tx.all(GRACE_DUE, args![now], row).await
}

/// The 50 whose talk ended last, newest first. Of those that were paired last only the short talks would be over: seats
/// would look faster than they are.
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
