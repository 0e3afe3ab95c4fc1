//! Supervision of live sessions, and what a hall tells of it.
//!
//! What constraints hold here: one live supervisor a session, one live session a supervisor, nobody their own, and whom
//! somebody hears is shown to them.

use crate::{Row, StoreError, Tx, args};
use domain::{
    id::{HallId, MemberId, SessionId, StaffId, SupervisionId},
    supervision::{Mode, Told},
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supervision {
    pub id: SupervisionId,
    pub session_id: SessionId,
    pub staff_id: StaffId,
    /// Who they are in the session.
    pub member_id: MemberId,
    /// The session's when it began.
    pub hall_id: HallId,
    pub mode: Mode,
    pub version: i64,
    /// Whose pages have shown it.
    pub told: Told,
    pub started_at: Timestamp,
    pub changed_at: Timestamp,
    /// End of the grace of a supervisor who is not there.
    pub due_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub end_reason: Option<String>,
}

const INSERT: &str = "INSERT INTO supervisions (id, session_id, staff_id, member_id, hall_id, mode, version, told_agent, told_citizen, started_at, changed_at, due_at)
  VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8, $9, $9, $10)";
const SAVE: &str = "UPDATE supervisions SET version = version + 1, mode = $3, told_agent = $4, told_citizen = $5, changed_at = $6, due_at = $7, ended_at = $8, end_reason = $9
  WHERE id = $1 AND version = $2";
const LIVE: &str = "SELECT * FROM supervisions WHERE session_id = $1 AND ended_at IS NULL";
const LIVE_STAFF: &str = "SELECT * FROM supervisions WHERE staff_id = $1 AND ended_at IS NULL";
const OF_SESSION: &str = "SELECT * FROM supervisions WHERE session_id = $1 ORDER BY id";
const OF_HALL: &str = "SELECT v.*, f.name FROM supervisions v JOIN sessions s ON s.id = v.session_id JOIN staff f ON f.id = v.staff_id
  WHERE s.hall_id = $1 AND v.ended_at IS NULL ORDER BY v.id";
const SET_DUE: &str = "UPDATE supervisions SET due_at = $2 WHERE id = $1 AND ended_at IS NULL";
const DUE: &str = "SELECT * FROM supervisions WHERE due_at <= $1 ORDER BY due_at LIMIT 64";
pub const QUERIES: &[&str] = &[
    INSERT, SAVE, LIVE, LIVE_STAFF, OF_SESSION, OF_HALL, SET_DUE, DUE,
];

fn row(r: &Row) -> Result<Supervision, StoreError> {
    Ok(Supervision {
        id: r.id("id")?,
        session_id: r.id("session_id")?,
        staff_id: r.id("staff_id")?,
        member_id: r.id("member_id")?,
        hall_id: r.id("hall_id")?,
        mode: r.word("mode", Mode::parse)?,
        version: r.int("version")?,
        told: Told {
            agent: r.bool("told_agent")?,
            citizen: r.bool("told_citizen")?,
        },
        started_at: r.time("started_at")?,
        changed_at: r.time("changed_at")?,
        due_at: r.opt_time("due_at")?,
        ended_at: r.opt_time("ended_at")?,
        end_reason: r.opt_text("end_reason")?,
    })
}

/// A constraint refuses a second live one for the session or the supervisor, and the session's own agent.
pub async fn insert(tx: &mut Tx, v: &Supervision) -> Result<(), StoreError> {
    tx.exec(
        INSERT,
        args![
            &v.id,
            &v.session_id,
            &v.staff_id,
            &v.member_id,
            &v.hall_id,
            v.mode.as_str(),
            v.told.agent,
            v.told.citizen,
            v.started_at,
            v.due_at
        ],
    )
    .await
    .map(|_| ())
}

/// Keeps what it has become since `v.version` (the old one); false: a lost race.
pub async fn save(tx: &mut Tx, v: &Supervision) -> Result<bool, StoreError> {
    let n = tx
        .exec(
            SAVE,
            args![
                &v.id,
                v.version,
                v.mode.as_str(),
                v.told.agent,
                v.told.citizen,
                v.changed_at,
                v.due_at,
                v.ended_at,
                v.end_reason.clone()
            ],
        )
        .await?;
    Ok(n == 1)
}

/// The one under way in a session.
pub async fn live(tx: &mut Tx, session: &SessionId) -> Result<Option<Supervision>, StoreError> {
    tx.one(LIVE, args![session], row).await
}

/// The one that this person is in, wherever.
pub async fn live_of_staff(
    tx: &mut Tx,
    staff: &StaffId,
) -> Result<Option<Supervision>, StoreError> {
    tx.one(LIVE_STAFF, args![staff], row).await
}

/// All of a session, over or not, oldest first.
pub async fn of_session(tx: &mut Tx, session: &SessionId) -> Result<Vec<Supervision>, StoreError> {
    tx.all(OF_SESSION, args![session], row).await
}

/// Those under way in the sessions of a hall, with the supervisor's name.
pub async fn of_hall(tx: &mut Tx, hall: &HallId) -> Result<Vec<(Supervision, String)>, StoreError> {
    tx.all(OF_HALL, args![hall], |r| Ok((row(r)?, r.text("name")?)))
        .await
}

pub async fn set_due(
    tx: &mut Tx,
    id: &SupervisionId,
    due: Option<Timestamp>,
) -> Result<(), StoreError> {
    tx.exec(SET_DUE, args![id, due]).await.map(|_| ())
}

/// Supervisors who have not come, or dropped and have not come back.
pub async fn due(tx: &mut Tx, now: Timestamp) -> Result<Vec<Supervision>, StoreError> {
    tx.all(DUE, args![now], row).await
}
