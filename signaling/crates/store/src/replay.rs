//! Recordings as lists show them, who has opened one for replay, and files that were made of one.

use crate::{Row, StoreError, Tx, args, recording, recording::Recording};
use domain::{
    id::{
        CaseId, HallId, Id as _, KeyId, RecordingId, ReplayExportId, ReplayId, SessionId, StaffId,
    },
    recording::State,
    time::Timestamp,
};

/// A recording with what a list says beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub recording: Recording,
    /// The session's, as far as it has come.
    pub case_id: Option<CaseId>,
    pub case_number: Option<String>,
    pub item: Option<String>,
    /// Who asked.
    pub agent: String,
}

/// Which of a hall's recordings; what is none asks for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub session: Option<SessionId>,
    pub case: Option<CaseId>,
    /// A part of the case's number.
    pub number: Option<String>,
    pub state: Option<State>,
    /// Held ones alone.
    pub held: bool,
    /// Asked since, and before.
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    pub id: ReplayId,
    pub recording_id: RecordingId,
    pub staff_id: StaffId,
    /// Hash of the cookie's secret; empty: none was handed out yet.
    pub token_hash: String,
    /// Under the recording's key.
    pub purpose_enc: Vec<u8>,
    /// `unchecked`, `valid`, `broken`.
    pub integrity: String,
    pub opened_at: Timestamp,
    pub expires_at: Timestamp,
}

/// One file of all legs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    pub id: ReplayExportId,
    pub replay_id: ReplayId,
    pub recording_id: RecordingId,
    /// The file's own.
    pub key_id: KeyId,
    /// `running`, `done`, `failed`, `expired`.
    pub state: String,
    pub percent: i64,
    pub bytes: Option<i64>,
    pub sm3: Option<String>,
    /// The process that makes it.
    pub node: String,
    pub started_at: Timestamp,
    /// End of the file.
    pub expires_at: Timestamp,
}

const LINE: &str = "SELECT r.*, s.case_id AS line_case, s.item AS line_item, c.number AS line_number, m.name AS line_agent FROM recordings r
  JOIN sessions s ON s.id = r.session_id JOIN session_members m ON m.id = r.asked_by LEFT JOIN cases c ON c.id = s.case_id WHERE r.id = $1";
// `replace` finds a part of a number in both dialects alike, and no letter of it means anything else, as it would in a pattern.
const OF_HALL: &str = "SELECT r.*, s.case_id AS line_case, s.item AS line_item, c.number AS line_number, m.name AS line_agent FROM recordings r
  JOIN sessions s ON s.id = r.session_id JOIN session_members m ON m.id = r.asked_by LEFT JOIN cases c ON c.id = s.case_id
  WHERE r.hall_id = $1 AND r.id < $2 AND ($3 = '' OR r.session_id = $3) AND ($4 = '' OR s.case_id = $4) AND ($5 = '' OR r.state = $5)
    AND (NOT $6 OR r.hold) AND r.asked_at >= $7 AND r.asked_at < $8 AND ($9 = '' OR replace(c.number, $9, '') <> c.number)
  ORDER BY r.id DESC LIMIT $10";
const OF_CASE: &str = "SELECT r.*, s.case_id AS line_case, s.item AS line_item, c.number AS line_number, m.name AS line_agent FROM recordings r
  JOIN sessions s ON s.id = r.session_id JOIN session_members m ON m.id = r.asked_by JOIN cases c ON c.id = s.case_id
  WHERE c.id = $1 AND r.id < $2 ORDER BY r.id DESC LIMIT $3";
// As the index `recordings_due` has it.
const DUE: &str = "SELECT * FROM recordings WHERE delete_at IS NOT NULL AND state = 'sealed' AND delete_at <= $1 AND NOT hold
  AND (delete_at, id) > ($2, $3) ORDER BY delete_at, id LIMIT $4";
const UNDATED: &str =
    "SELECT * FROM recordings WHERE state = 'sealed' AND delete_at IS NULL ORDER BY id LIMIT $1";
const INSERT: &str = "INSERT INTO replays (id, recording_id, staff_id, token_hash, purpose_enc, integrity, opened_at, expires_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const GET: &str = "SELECT * FROM replays WHERE id = $1";
const OF_RECORDING: &str =
    "SELECT * FROM replays WHERE recording_id = $1 ORDER BY id DESC LIMIT 200";
const OPEN_OF: &str = "SELECT * FROM replays WHERE recording_id = $1 AND staff_id = $2 AND expires_at > $3 ORDER BY id DESC LIMIT 1";
const ARM: &str = "UPDATE replays SET token_hash = $2 WHERE id = $1";
const INTEGRITY: &str = "UPDATE replays SET integrity = $2 WHERE id = $1";
const CLOSE: &str = "UPDATE replays SET expires_at = CASE WHEN expires_at < $2 THEN expires_at WHEN opened_at > $2 THEN opened_at ELSE $2 END WHERE recording_id = $1";
const EXPORT_INSERT: &str = "INSERT INTO replay_exports (id, replay_id, recording_id, key_id, state, percent, node, started_at, expires_at)
  VALUES ($1, $2, $3, $4, 'running', 0, $5, $6, $7)";
const EXPORT_GET: &str = "SELECT * FROM replay_exports WHERE id = $1";
const EXPORT_PERCENT: &str =
    "UPDATE replay_exports SET percent = $2 WHERE id = $1 AND state = 'running' AND percent < $2";
const EXPORT_DONE: &str = "UPDATE replay_exports SET state = 'done', percent = 100, bytes = $2, sm3 = $3, expires_at = $4 WHERE id = $1 AND state = 'running'";
const EXPORT_FAILED: &str =
    "UPDATE replay_exports SET state = 'failed' WHERE id = $1 AND state = 'running'";
const EXPORT_EXPIRED: &str =
    "UPDATE replay_exports SET state = 'expired' WHERE id = $1 AND state = 'done'";
const EXPORTS_OVER: &str = "SELECT * FROM replay_exports WHERE state IN ('running', 'done') AND (expires_at <= $1 OR state = 'running' AND NOT EXISTS (
    SELECT 1 FROM nodes n WHERE n.id = node AND n.heartbeat > $2)) ORDER BY id LIMIT 64";
const EXPORTS_OF: &str = "SELECT * FROM replay_exports WHERE recording_id = $1 AND state IN ('running', 'done') ORDER BY id";
pub const QUERIES: &[&str] = &[
    LINE,
    OF_HALL,
    OF_CASE,
    DUE,
    UNDATED,
    INSERT,
    GET,
    OF_RECORDING,
    OPEN_OF,
    ARM,
    INTEGRITY,
    CLOSE,
    EXPORT_INSERT,
    EXPORT_GET,
    EXPORT_PERCENT,
    EXPORT_DONE,
    EXPORT_FAILED,
    EXPORT_EXPIRED,
    EXPORTS_OVER,
    EXPORTS_OF,
];

fn as_line(r: &Row) -> Result<Line, StoreError> {
    Ok(Line {
        recording: recording::row(r)?,
        case_id: r.opt_id("line_case")?,
        case_number: r.opt_text("line_number")?,
        item: r.opt_text("line_item")?,
        agent: r.text("line_agent")?,
    })
}

fn row(r: &Row) -> Result<Replay, StoreError> {
    Ok(Replay {
        id: r.id("id")?,
        recording_id: r.id("recording_id")?,
        staff_id: r.id("staff_id")?,
        token_hash: r.text("token_hash")?,
        purpose_enc: r.blob("purpose_enc")?,
        integrity: r.text("integrity")?,
        opened_at: r.time("opened_at")?,
        expires_at: r.time("expires_at")?,
    })
}

fn as_export(r: &Row) -> Result<Export, StoreError> {
    Ok(Export {
        id: r.id("id")?,
        replay_id: r.id("replay_id")?,
        recording_id: r.id("recording_id")?,
        key_id: r.id("key_id")?,
        state: r.text("state")?,
        percent: r.int("percent")?,
        bytes: r.opt_int("bytes")?,
        sm3: r.opt_text("sm3")?,
        node: r.text("node")?,
        started_at: r.time("started_at")?,
        expires_at: r.time("expires_at")?,
    })
}

/// Ids are lower-case: nothing sorts behind this.
fn before(id: Option<&RecordingId>) -> String {
    id.map_or_else(|| "~".to_owned(), ToString::to_string)
}

pub async fn line(tx: &mut Tx, id: &RecordingId) -> Result<Option<Line>, StoreError> {
    tx.one(LINE, args![id], as_line).await
}

/// A hall's, newest first, those older than `older_than`.
pub async fn of_hall(
    tx: &mut Tx,
    hall: &HallId,
    f: &Filter,
    older_than: Option<&RecordingId>,
    limit: i64,
) -> Result<Vec<Line>, StoreError> {
    tx.all(
        OF_HALL,
        args![
            hall,
            before(older_than),
            f.session.as_ref().map_or("", |s| s.as_str()),
            f.case.as_ref().map_or("", |c| c.as_str()),
            f.state.map_or("", State::as_str),
            f.held,
            f.from.map_or(i64::MIN, Timestamp::micros),
            f.to.map_or(i64::MAX, Timestamp::micros),
            f.number.as_deref().unwrap_or_default(),
            limit
        ],
        as_line,
    )
    .await
}

/// Those of the session that a case came from, newest first.
pub async fn of_case(
    tx: &mut Tx,
    case: &CaseId,
    older_than: Option<&RecordingId>,
    limit: i64,
) -> Result<Vec<Line>, StoreError> {
    tx.all(OF_CASE, args![case, before(older_than), limit], as_line)
        .await
}

/// Sealed ones whose time is over and that nobody holds, a page at a time. `after`: the last of the page before.
pub async fn due(
    tx: &mut Tx,
    now: Timestamp,
    after: Option<&Recording>,
    limit: i64,
) -> Result<Vec<Recording>, StoreError> {
    let (at, id) = match after {
        Some(r) => (
            r.delete_at.map_or(i64::MIN, Timestamp::micros),
            r.id.as_str(),
        ),
        None => (i64::MIN, ""),
    };
    tx.all(DUE, args![now, at, id, limit], recording::row).await
}

/// Sealed ones of which nobody has said when they go.
pub async fn undated(tx: &mut Tx, limit: i64) -> Result<Vec<Recording>, StoreError> {
    tx.all(UNDATED, args![limit], recording::row).await
}

pub async fn insert(tx: &mut Tx, v: &Replay) -> Result<(), StoreError> {
    tx.exec(
        INSERT,
        args![
            &v.id,
            &v.recording_id,
            &v.staff_id,
            &v.token_hash,
            v.purpose_enc.clone(),
            &v.integrity,
            v.opened_at,
            v.expires_at
        ],
    )
    .await
    .map(|_| ())
}

pub async fn get(tx: &mut Tx, id: &ReplayId) -> Result<Option<Replay>, StoreError> {
    tx.one(GET, args![id], row).await
}

/// Who has opened it, newest first; at most two hundred.
pub async fn of_recording(tx: &mut Tx, id: &RecordingId) -> Result<Vec<Replay>, StoreError> {
    tx.all(OF_RECORDING, args![id], row).await
}

/// This person's newest of a recording that is not over.
pub async fn open_of(
    tx: &mut Tx,
    recording: &RecordingId,
    staff: &StaffId,
    now: Timestamp,
) -> Result<Option<Replay>, StoreError> {
    tx.one(OPEN_OF, args![recording, staff, now], row).await
}

/// The secret that is good from now on; the one before is not.
pub async fn arm(tx: &mut Tx, id: &ReplayId, token_hash: &str) -> Result<(), StoreError> {
    tx.exec(ARM, args![id, token_hash]).await.map(|_| ())
}

pub async fn set_integrity(tx: &mut Tx, id: &ReplayId, word: &str) -> Result<(), StoreError> {
    tx.exec(INTEGRITY, args![id, word]).await.map(|_| ())
}

/// Ends all replays of a recording.
pub async fn close(tx: &mut Tx, id: &RecordingId, now: Timestamp) -> Result<(), StoreError> {
    tx.exec(CLOSE, args![id, now]).await.map(|_| ())
}

/// Begun. Constraint `replay_export_running` where one of the recording is under way.
pub async fn insert_export(tx: &mut Tx, e: &Export) -> Result<(), StoreError> {
    tx.exec(
        EXPORT_INSERT,
        args![
            &e.id,
            &e.replay_id,
            &e.recording_id,
            &e.key_id,
            &e.node,
            e.started_at,
            e.expires_at
        ],
    )
    .await
    .map(|_| ())
}

pub async fn export(tx: &mut Tx, id: &ReplayExportId) -> Result<Option<Export>, StoreError> {
    tx.one(EXPORT_GET, args![id], as_export).await
}

/// Never goes back.
pub async fn export_percent(
    tx: &mut Tx,
    id: &ReplayExportId,
    percent: i64,
) -> Result<(), StoreError> {
    tx.exec(EXPORT_PERCENT, args![id, percent])
        .await
        .map(|_| ())
}

/// False: it is not under way any more.
pub async fn export_done(
    tx: &mut Tx,
    id: &ReplayExportId,
    bytes: i64,
    sm3: &str,
    expires_at: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx
        .exec(EXPORT_DONE, args![id, bytes, sm3, expires_at])
        .await?
        == 1)
}

/// False: it is not under way any more.
pub async fn export_failed(tx: &mut Tx, id: &ReplayExportId) -> Result<bool, StoreError> {
    Ok(tx.exec(EXPORT_FAILED, args![id]).await? == 1)
}

/// False: there is no file.
pub async fn export_expired(tx: &mut Tx, id: &ReplayExportId) -> Result<bool, StoreError> {
    Ok(tx.exec(EXPORT_EXPIRED, args![id]).await? == 1)
}

/// Past their time, or under way at a process that has not been heard of since `alive_since`.
pub async fn exports_over(
    tx: &mut Tx,
    now: Timestamp,
    alive_since: Timestamp,
) -> Result<Vec<Export>, StoreError> {
    tx.all(EXPORTS_OVER, args![now, alive_since], as_export)
        .await
}

/// Under way or there, of one recording.
pub async fn exports_of(tx: &mut Tx, id: &RecordingId) -> Result<Vec<Export>, StoreError> {
    tx.all(EXPORTS_OF, args![id], as_export).await
}
