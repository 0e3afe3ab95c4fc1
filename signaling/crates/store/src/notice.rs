//! A supervisor's words to a seat, kept as a journal.

use crate::{Row, StoreError, Tx, args};
use domain::{
    id::{NoticeId, SeatId, StaffId},
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub id: NoticeId,
    pub seat_id: SeatId,
    pub from_staff: StaffId,
    /// The supervisor's name.
    pub from_name: String,
    pub at: Timestamp,
    pub text: String,
    pub read_at: Option<Timestamp>,
}

const INSERT: &str =
    "INSERT INTO notices (id, seat_id, from_staff, at, text) VALUES ($1, $2, $3, $4, $5)";
const GET: &str =
    "SELECT n.*, s.name FROM notices n JOIN staff s ON s.id = n.from_staff WHERE n.id = $1";
const OF_SEAT: &str = "SELECT n.*, s.name FROM notices n JOIN staff s ON s.id = n.from_staff WHERE n.seat_id = $1 ORDER BY n.id DESC LIMIT 50";
const READ: &str = "UPDATE notices SET read_at = $2 WHERE id = $1 AND read_at IS NULL";
const SWEEP: &str = "DELETE FROM notices WHERE at < $1";
pub const QUERIES: &[&str] = &[INSERT, GET, OF_SEAT, READ, SWEEP];

fn row(r: &Row) -> Result<Notice, StoreError> {
    Ok(Notice {
        id: r.id("id")?,
        seat_id: r.id("seat_id")?,
        from_staff: r.id("from_staff")?,
        from_name: r.text("name")?,
        at: r.time("at")?,
        text: r.text("text")?,
        read_at: r.opt_time("read_at")?,
    })
}

pub async fn insert(
    tx: &mut Tx,
    id: &NoticeId,
    seat: &SeatId,
    from: &StaffId,
    text: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.exec(INSERT, args![id, seat, from, now, text])
        .await
        .map(|_| ())
}

pub async fn get(tx: &mut Tx, id: &NoticeId) -> Result<Option<Notice>, StoreError> {
    tx.one(GET, args![id], row).await
}

/// The last 50, newest first.
pub async fn of_seat(tx: &mut Tx, seat: &SeatId) -> Result<Vec<Notice>, StoreError> {
    tx.all(OF_SEAT, args![seat], row).await
}

/// Those that were said before then, read or not.
pub async fn sweep(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.exec(SWEEP, args![before]).await
}

/// True for the first time alone.
pub async fn read(tx: &mut Tx, id: &NoticeId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.exec(READ, args![id, now]).await? == 1)
}
