//! Snapshots (抓拍): what was taken of whom, when, and where it lies on a recording's clock. The picture is a sealed file.

use crate::{Row, StoreError, Tx, args};
use domain::{
    id::{KeyId, MemberId, RecordingId, SessionId, SnapshotId},
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub id: SnapshotId,
    pub session_id: SessionId,
    /// Whose picture.
    pub member_id: MemberId,
    pub taken_by: MemberId,
    /// The session's.
    pub key_id: KeyId,
    /// Of the watermarked picture.
    pub sm3: String,
    pub bytes: i64,
    pub width: i64,
    pub height: i64,
    pub at: Timestamp,
    /// The recording that ran, and milliseconds of its clock.
    pub recording: Option<(RecordingId, i64)>,
}

const INSERT: &str = "INSERT INTO snapshots (id, session_id, member_id, taken_by, key_id, sm3, bytes, width, height, at, recording_id, at_ms)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
const GET: &str = "SELECT * FROM snapshots WHERE id = $1";
const OF_SESSION: &str = "SELECT * FROM snapshots WHERE session_id = $1 ORDER BY id LIMIT 200";
const OF_RECORDING: &str = "SELECT * FROM snapshots WHERE recording_id = $1 ORDER BY id LIMIT 200";
const COUNT: &str = "SELECT count(*) AS n FROM snapshots WHERE session_id = $1";
pub const QUERIES: &[&str] = &[INSERT, GET, OF_SESSION, OF_RECORDING, COUNT];

fn row(r: &Row) -> Result<Snapshot, StoreError> {
    let at_ms = r.opt_int("at_ms")?;
    Ok(Snapshot {
        id: r.id("id")?,
        session_id: r.id("session_id")?,
        member_id: r.id("member_id")?,
        taken_by: r.id("taken_by")?,
        key_id: r.id("key_id")?,
        sm3: r.text("sm3")?,
        bytes: r.int("bytes")?,
        width: r.int("width")?,
        height: r.int("height")?,
        at: r.time("at")?,
        recording: r.opt_id("recording_id")?.zip(at_ms),
    })
}

pub async fn insert(tx: &mut Tx, s: &Snapshot) -> Result<(), StoreError> {
    let (recording, at_ms) = s.recording.as_ref().map(|(r, ms)| (r, *ms)).unzip();
    tx.exec(
        INSERT,
        args![
            &s.id,
            &s.session_id,
            &s.member_id,
            &s.taken_by,
            &s.key_id,
            &s.sm3,
            s.bytes,
            s.width,
            s.height,
            s.at,
            recording,
            at_ms
        ],
    )
    .await
    .map(|_| ())
}

pub async fn get(tx: &mut Tx, id: &SnapshotId) -> Result<Option<Snapshot>, StoreError> {
    tx.one(GET, args![id], row).await
}

/// In the order of their taking.
pub async fn of_session(tx: &mut Tx, id: &SessionId) -> Result<Vec<Snapshot>, StoreError> {
    tx.all(OF_SESSION, args![id], row).await
}

/// Those that lie on its clock, in order.
pub async fn of_recording(tx: &mut Tx, id: &RecordingId) -> Result<Vec<Snapshot>, StoreError> {
    tx.all(OF_RECORDING, args![id], row).await
}

pub async fn count(tx: &mut Tx, id: &SessionId) -> Result<i64, StoreError> {
    Ok(tx.one(COUNT, args![id], |r| r.int("n")).await?.unwrap_or(0))
}
