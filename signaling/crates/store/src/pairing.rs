//! Offers of tickets to seats (派单). Invariant 1 is three partial unique indexes here.

use crate::{Row, StoreError, Tx, args};
use domain::{
    id::{HallId, PairingId, SeatId, TicketId, VisitId},
    pairing::State,
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pairing {
    pub id: PairingId,
    pub hall_id: HallId,
    pub ticket_id: TicketId,
    pub seat_id: SeatId,
    pub visit_id: VisitId,
    pub state: State,
    pub offered_at: Timestamp,
    pub due_at: Timestamp,
}

const INSERT: &str = "INSERT INTO pairings (id, hall_id, ticket_id, seat_id, visit_id, state, offered_at, due_at) VALUES ($1, $2, $3, $4, $5, 'offered', $6, $7)";
const GET: &str = "SELECT * FROM pairings WHERE id = $1";
const LIVE_SEAT: &str =
    "SELECT * FROM pairings WHERE seat_id = $1 AND state IN ('offered', 'accepted')";
const LIVE_TICKET: &str =
    "SELECT * FROM pairings WHERE ticket_id = $1 AND state IN ('offered', 'accepted')";
const DECIDE: &str = "UPDATE pairings SET state = $3, decided_at = coalesce(decided_at, $4), ended_at = CASE WHEN $3 = 'accepted' THEN NULL ELSE $4 END, reason = $5 WHERE id = $1 AND state = $2";
const DUE: &str =
    "SELECT * FROM pairings WHERE state = 'offered' AND due_at <= $1 ORDER BY due_at LIMIT 64";
const OFFERED_BETWEEN: &str = "SELECT p.* FROM pairings p JOIN tickets t ON t.id = p.ticket_id
  WHERE p.hall_id = $1 AND p.state = 'offered' AND t.hall_id = $2 ORDER BY p.offered_at, p.id";
const MOVE_SEAT: &str = "UPDATE pairings SET seat_id = $2, hall_id = (SELECT hall_id FROM seats WHERE id = $2) WHERE id = $1 AND state = 'accepted'";
pub const QUERIES: &[&str] = &[
    INSERT,
    GET,
    LIVE_SEAT,
    LIVE_TICKET,
    DECIDE,
    DUE,
    OFFERED_BETWEEN,
    MOVE_SEAT,
];

fn row(r: &Row) -> Result<Pairing, StoreError> {
    Ok(Pairing {
        id: r.id("id")?,
        hall_id: r.id("hall_id")?,
        ticket_id: r.id("ticket_id")?,
        seat_id: r.id("seat_id")?,
        visit_id: r.id("visit_id")?,
        state: r.word("state", State::parse)?,
        offered_at: r.time("offered_at")?,
        due_at: r.time("due_at")?,
    })
}

pub async fn insert(tx: &mut Tx, p: &Pairing) -> Result<(), StoreError> {
    tx.exec(
        INSERT,
        args![
            &p.id,
            &p.hall_id,
            &p.ticket_id,
            &p.seat_id,
            &p.visit_id,
            p.offered_at,
            p.due_at
        ],
    )
    .await
    .map(|_| ())
}

pub async fn get(tx: &mut Tx, id: &PairingId) -> Result<Option<Pairing>, StoreError> {
    tx.one(GET, args![id], row).await
}

pub async fn live_of_seat(tx: &mut Tx, seat: &SeatId) -> Result<Option<Pairing>, StoreError> {
    tx.one(LIVE_SEAT, args![seat], row).await
}

pub async fn live_of_ticket(tx: &mut Tx, ticket: &TicketId) -> Result<Option<Pairing>, StoreError> {
    tx.one(LIVE_TICKET, args![ticket], row).await
}

/// Compare-and-set on the state; false: a lost race.
pub async fn save(
    tx: &mut Tx,
    p: &Pairing,
    was: State,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx
        .exec(
            DECIDE,
            args![&p.id, was.as_str(), p.state.as_str(), now, reason],
        )
        .await?
        == 1)
}

/// Another seat serves the same citizen from now on; false: the pairing is over.
pub async fn move_seat(tx: &mut Tx, id: &PairingId, seat: &SeatId) -> Result<bool, StoreError> {
    Ok(tx.exec(MOVE_SEAT, args![id, seat]).await? == 1)
}

/// Rings at seats of `there` for tickets of `home` that nobody has answered yet: at most one a seat.
pub async fn offered_between(
    tx: &mut Tx,
    there: &HallId,
    home: &HallId,
) -> Result<Vec<Pairing>, StoreError> {
    tx.all(OFFERED_BETWEEN, args![there, home], row).await
}

pub async fn ring_over(tx: &mut Tx, now: Timestamp) -> Result<Vec<Pairing>, StoreError> {
    tx.all(DUE, args![now], row).await
}
