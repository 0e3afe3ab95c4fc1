//! How long a seat was in which state: one row a stretch, no gaps while somebody sits there, one open row a seat.

use crate::{StoreError, Tx, args};
use domain::{
    id::{Id as _, SeatId, StaffId},
    seat::{Row, State},
    time::Timestamp,
};

// The sum keeps SQLite to the index of open stretches: by the key it would walk through all that the seat ever did.
const CLOSE: &str =
    "UPDATE seat_states SET to_at = $2 WHERE seat_id = $1 AND to_at IS NULL AND from_at + 0 < $2";
// Two moves at one instant, or a clock that stepped back: the open stretch becomes the newer one, and nothing overlaps.
const OPEN: &str = "INSERT INTO seat_states (seat_id, from_at, state, reason, staff_id) VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (seat_id) WHERE to_at IS NULL DO UPDATE SET state = $3, reason = $4, staff_id = $5";
// Stretches follow each other: nothing before the one that was open at the start can reach into the span.
const BETWEEN: &str = "SELECT state, reason, from_at, to_at, staff_id FROM seat_states WHERE seat_id = $1 AND from_at < $3 AND (to_at IS NULL OR to_at > $2)
  AND from_at >= coalesce((SELECT max(b.from_at) FROM seat_states b WHERE b.seat_id = $1 AND b.from_at <= $2), $2)
  ORDER BY from_at LIMIT $4";
pub const QUERIES: &[&str] = &[CLOSE, OPEN, BETWEEN];

/// The seat is in this state from now on.
pub async fn moved(
    tx: &mut Tx,
    seat: &SeatId,
    state: State,
    reason: Option<&str>,
    staff: Option<&StaffId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.exec(CLOSE, args![seat, now]).await?;
    tx.exec(OPEN, args![seat, now, state.as_str(), reason, staff])
        .await
        .map(|_| ())
}

/// The stretches that touch the span, in order; the open one ends at `to`. `of`: those of one person alone.
pub async fn between(
    tx: &mut Tx,
    seat: &SeatId,
    of: Option<&StaffId>,
    from: Timestamp,
    to: Timestamp,
    limit: i64,
) -> Result<Vec<Row>, StoreError> {
    let rows = tx
        .all(BETWEEN, args![seat, from, to, limit], |r| {
            let row = Row {
                state: r.word("state", State::parse)?,
                reason: r.opt_text("reason")?,
                from: r.time("from_at")?,
                to: r.opt_time("to_at")?.unwrap_or(to),
            };
            Ok((row, r.opt_text("staff_id")?))
        })
        .await?;
    Ok(rows
        .into_iter()
        .filter(|(_, who)| of.is_none_or(|o| who.as_deref() == Some(o.as_str())))
        .map(|(row, _)| row)
        .collect())
}
