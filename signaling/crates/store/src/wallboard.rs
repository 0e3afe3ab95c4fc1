//! What a hall's supervisors look at: seats with who sits there, live sessions, how today's tickets fared. Reads alone.

use crate::{StoreError, Tx, args};
use domain::{
    id::{HallId, SeatId, SessionId, StaffId, TicketId},
    level::{Outcome, Row as LevelRow},
    seat::State as SeatState,
    session::{Role, State as SessionState},
    ticket::State as TicketState,
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    pub id: SeatId,
    pub name_zh: String,
    pub name_en: String,
    pub state: SeatState,
    pub since: Timestamp,
    pub reason: Option<String>,
    pub forced: Option<String>,
    pub staff: Option<(StaffId, String)>,
    pub session: Option<SessionId>,
    /// Text sessions on the lanes of the seat.
    pub texts: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub ticket_id: TicketId,
    pub number: String,
    pub skill: String,
    pub item: Option<String>,
    pub seat_id: SeatId,
    pub seat_zh: String,
    pub seat_en: String,
    pub state: SessionState,
    pub since: Timestamp,
}

/// One ticket of the day: its queue, when it was taken, how it fared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fared {
    pub queue: String,
    pub enqueued_at: Timestamp,
    pub row: LevelRow,
}

const SEATS: &str = "SELECT s.id, s.name_zh, s.name_en, s.state, s.since, s.away_reason, s.forced, s.staff_id, f.name, p.session_id,
  (SELECT count(*) FROM seats l WHERE l.main_seat = s.id AND l.state = 'busy') AS texts FROM seats s
  LEFT JOIN staff f ON f.id = s.staff_id
  LEFT JOIN (SELECT seat_id, max(id) AS session_id FROM sessions WHERE hall_id = $1 AND state <> 'ended' GROUP BY seat_id) p ON p.seat_id = s.id
  WHERE s.hall_id = $1 AND s.lane = 0 ORDER BY s.id";
const SESSIONS: &str = "SELECT s.id, s.ticket_id, t.number, t.skill, s.item, s.seat_id, c.name_zh, c.name_en, s.state, s.started_at FROM sessions s
  JOIN tickets t ON t.id = s.ticket_id JOIN seats c ON c.id = s.seat_id
  WHERE s.hall_id = $1 AND s.state <> 'ended' ORDER BY s.started_at, s.id LIMIT $2";
const MEMBERS: &str = "SELECT m.session_id, m.role, m.name, m.present FROM session_members m JOIN sessions s ON s.id = m.session_id
  WHERE s.hall_id = $1 AND s.state <> 'ended' AND m.left_at IS NULL ORDER BY m.session_id, m.id";
// A call-back's ticket goes on as another that keeps its time, and who returns after a drop was answered once: each is counted once.
const DAY: &str = "SELECT skill, enqueued_at, state, paired_at, ended_at FROM tickets t WHERE hall_id = $1 AND enqueued_at >= $2 AND enqueued_at < $3
  AND NOT EXISTS (SELECT 1 FROM tickets o WHERE o.next_ticket = t.id AND o.paired_at IS NOT NULL) AND (state <> 'called_back' OR paired_at IS NOT NULL)";
pub const QUERIES: &[&str] = &[SEATS, SESSIONS, MEMBERS, DAY];

pub async fn seats(tx: &mut Tx, hall: &HallId) -> Result<Vec<Seat>, StoreError> {
    tx.all(SEATS, args![hall], |r| {
        Ok(Seat {
            id: r.id("id")?,
            name_zh: r.text("name_zh")?,
            name_en: r.text("name_en")?,
            state: r.word("state", SeatState::parse)?,
            since: r.time("since")?,
            reason: r.opt_text("away_reason")?,
            forced: r.opt_text("forced")?,
            staff: r.opt_id("staff_id")?.zip(r.opt_text("name")?),
            session: r.opt_id("session_id")?,
            texts: u32::try_from(r.int("texts")?).unwrap_or(0),
        })
    })
    .await
}

/// Live sessions, longest first.
pub async fn sessions(tx: &mut Tx, hall: &HallId, limit: i64) -> Result<Vec<Session>, StoreError> {
    tx.all(SESSIONS, args![hall, limit], |r| {
        Ok(Session {
            id: r.id("id")?,
            ticket_id: r.id("ticket_id")?,
            number: r.text("number")?,
            skill: r.text("skill")?,
            item: r.opt_text("item")?,
            seat_id: r.id("seat_id")?,
            seat_zh: r.text("name_zh")?,
            seat_en: r.text("name_en")?,
            state: r.word("state", SessionState::parse)?,
            since: r.time("started_at")?,
        })
    })
    .await
}

/// Members of live sessions: role, name, whether they are there.
pub async fn members(
    tx: &mut Tx,
    hall: &HallId,
) -> Result<Vec<(SessionId, Role, String, bool)>, StoreError> {
    tx.all(MEMBERS, args![hall], |r| {
        Ok((
            r.id("session_id")?,
            r.word("role", Role::parse)?,
            r.text("name")?,
            r.bool("present")?,
        ))
    })
    .await
}

/// Tickets taken in the span; who waits still has waited until `now`.
pub async fn day(
    tx: &mut Tx,
    hall: &HallId,
    from: Timestamp,
    to: Timestamp,
    now: Timestamp,
) -> Result<Vec<Fared>, StoreError> {
    tx.all(DAY, args![hall, from, to], |r| {
        let (since, paired) = (r.time("enqueued_at")?, r.opt_time("paired_at")?);
        let (outcome, until) = match (r.word("state", TicketState::parse)?, paired) {
            (_, Some(at)) => (Outcome::Answered, at),
            (TicketState::Abandoned, None) => {
                (Outcome::Abandoned, r.opt_time("ended_at")?.unwrap_or(now))
            }
            (TicketState::Waiting | TicketState::Offered, None) => (Outcome::Open, now),
            (
                TicketState::Expired
                | TicketState::Closed
                | TicketState::Paired
                | TicketState::CalledBack,
                None,
            ) => (Outcome::Lost, r.opt_time("ended_at")?.unwrap_or(now)),
        };
        Ok(Fared {
            queue: r.text("skill")?,
            enqueued_at: since,
            row: LevelRow {
                outcome,
                waited: until.since(since),
            },
        })
    })
    .await
}
