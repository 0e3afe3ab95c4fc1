//! How good each member's line was: a few rows a minute of a session, bounded, gone with what was said in it.

use crate::{Row, StoreError, Tx, args};
use domain::{
    id::{MemberId, SessionId, VisitId},
    quality::State,
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    pub session_id: SessionId,
    pub member_id: MemberId,
    pub at: Timestamp,
    pub state: State,
    /// Hundredths of a per cent; none while lost.
    pub loss_bp: Option<i64>,
    pub jitter_ms: Option<i64>,
    pub rtt_ms: Option<i64>,
    /// Of the last period, by the member's own page.
    pub freeze_ms: Option<i64>,
}

// The casts say of which type a parameter is: PostgreSQL takes those of a SELECT for text.
const INSERT: &str = "INSERT INTO quality_samples (session_id, member_id, at, state, loss_bp, jitter_ms, rtt_ms, freeze_ms)
  SELECT $1, $2, CAST($3 AS BIGINT), $4, CAST($5 AS BIGINT), CAST($6 AS BIGINT), CAST($7 AS BIGINT), CAST($8 AS BIGINT)
  WHERE (SELECT COUNT(*) FROM quality_samples WHERE session_id = $1) < CAST($9 AS BIGINT) ON CONFLICT DO NOTHING";
const OF_SESSION: &str =
    "SELECT * FROM quality_samples WHERE session_id = $1 ORDER BY member_id, at";
const FORGET: &str =
    "DELETE FROM quality_samples WHERE session_id IN (SELECT id FROM sessions WHERE visit_id = $1)";
pub const QUERIES: &[&str] = &[INSERT, OF_SESSION, FORGET];

fn row(r: &Row) -> Result<Sample, StoreError> {
    Ok(Sample {
        session_id: r.id("session_id")?,
        member_id: r.id("member_id")?,
        at: r.time("at")?,
        state: r.word("state", State::parse)?,
        loss_bp: r.opt_int("loss_bp")?,
        jitter_ms: r.opt_int("jitter_ms")?,
        rtt_ms: r.opt_int("rtt_ms")?,
        freeze_ms: r.opt_int("freeze_ms")?,
    })
}

/// False: the session has `most` rows already, or the member has one of that moment.
pub async fn insert(tx: &mut Tx, s: &Sample, most: i64) -> Result<bool, StoreError> {
    let n = tx
        .exec(
            INSERT,
            args![
                &s.session_id,
                &s.member_id,
                s.at,
                s.state.as_str(),
                s.loss_bp,
                s.jitter_ms,
                s.rtt_ms,
                s.freeze_ms,
                most
            ],
        )
        .await?;
    Ok(n == 1)
}

/// Member by member, oldest first.
pub async fn of_session(tx: &mut Tx, id: &SessionId) -> Result<Vec<Sample>, StoreError> {
    tx.all(OF_SESSION, args![id], row).await
}

/// Of all the visit's sessions.
pub async fn forget(tx: &mut Tx, visit: &VisitId) -> Result<u64, StoreError> {
    tx.exec(FORGET, args![visit]).await
}
