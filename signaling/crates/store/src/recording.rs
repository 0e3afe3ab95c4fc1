//! Recordings of sessions, the prompts that were read in them, and what a hall tells and keeps.
//!
//! What constraints hold here: one open a session, nothing begins without a yes, an answer and what was signed stay, what is
//! held neither goes nor loses its key, and a prompt counts while the recording is live.

use crate::{Row, StoreError, Tx, args};
use domain::{
    id::{HallId, KeyId, MemberId, RecordingId, SessionId, VisitId},
    recording::State,
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    pub id: RecordingId,
    pub session_id: SessionId,
    /// The session's when it was asked.
    pub hall_id: HallId,
    pub visit_id: VisitId,
    /// A key of its own: destroying it is deleting the recording.
    pub key_id: KeyId,
    pub state: State,
    pub version: i64,
    /// `domain::recording::Notice` as JSON, as it was shown.
    pub notice: String,
    pub policy_version: String,
    pub asked_by: MemberId,
    pub asked_at: Timestamp,
    pub answered_at: Option<Timestamp>,
    pub granted: Option<bool>,
    /// Zero of the recording's clock, in whole milliseconds.
    pub started_at: Option<Timestamp>,
    pub proven_at: Option<Timestamp>,
    /// What is missing now (`media`'s word for a gap).
    pub interrupted: Option<String>,
    pub ended_at: Option<Timestamp>,
    /// `domain::recording::End`'s word.
    pub end_reason: Option<String>,
    /// The process that writes it.
    pub node: Option<String>,
    /// While sealing the media plane's own, if it has come; then what was signed, as it was signed.
    pub manifest: Option<String>,
    /// SM2, hex.
    pub signature: Option<String>,
    pub public_key: Option<String>,
    pub sealed_at: Option<Timestamp>,
    pub duration_ms: Option<i64>,
    pub gaps: Option<i64>,
    pub bytes: Option<i64>,
    pub delete_at: Option<Timestamp>,
    pub hold: Option<Hold>,
    pub deleted_at: Option<Timestamp>,
}

/// Legal hold (封存).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Why, under the recording's key: it may name a person.
    pub reason_enc: Vec<u8>,
    /// Staff id.
    pub by: String,
    pub at: Timestamp,
}

/// A prompt as it was read; milliseconds are the recording's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    pub recording_id: RecordingId,
    pub item: String,
    pub prompt: String,
    pub text_zh: String,
    pub text_en: String,
    /// `none` or `yes_no`.
    pub asks: String,
    pub read_at: Timestamp,
    pub read_ms: i64,
    /// When it was read out again, last.
    pub again_ms: Option<i64>,
    pub answer: Option<Answer>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub at: Timestamp,
    pub ms: i64,
    /// `yes` or `no`.
    pub answer: String,
    /// `citizen`: on their own screen; `agent`: heard and marked.
    pub by: String,
}

// The lists of states are the partial indexes' own conditions: SQLite uses an index only where they read the same.
const INSERT: &str = "INSERT INTO recordings (id, session_id, hall_id, visit_id, key_id, state, version, notice, policy_version, asked_by, asked_at)
  VALUES ($1, $2, $3, $4, $5, 'asked', 1, $6, $7, $8, $9)";
const SAVE: &str = "UPDATE recordings SET version = version + 1, state = $3, answered_at = $4, granted = $5, started_at = $6, proven_at = $7, interrupted = $8,
  ended_at = $9, end_reason = $10, node = $11, manifest = $12, signature = $13, public_key = $14, sealed_at = $15, duration_ms = $16, gaps = $17, bytes = $18,
  delete_at = $19, hold = $20, hold_reason_enc = $21, hold_by = $22, hold_at = $23, deleted_at = $24 WHERE id = $1 AND version = $2";
const SAVE_ASKED: &str =
    "UPDATE recordings SET version = version + 1, state = 'refused', ended_at = $3, end_reason = $4
  WHERE id = $1 AND version = $2 AND state = 'asked'";
const GET: &str = "SELECT * FROM recordings WHERE id = $1";
const NEWEST: &str = "SELECT * FROM recordings WHERE session_id = $1 ORDER BY id DESC LIMIT 1";
const OF_SESSION: &str = "SELECT * FROM recordings WHERE session_id = $1 ORDER BY id";
const UNANSWERED: &str =
    "SELECT * FROM recordings WHERE state = 'asked' AND asked_at <= $1 ORDER BY asked_at LIMIT $2";
const PENDING: &str = "SELECT * FROM recordings WHERE state IN ('starting', 'live', 'interrupted', 'sealing') AND (node IS NULL OR state = 'sealing')
  AND id > $1 ORDER BY id LIMIT $2";
const OF_GONE: &str = "SELECT * FROM recordings WHERE state IN ('starting', 'live', 'interrupted', 'sealing') AND node IS NOT NULL AND manifest IS NULL
  AND NOT EXISTS (SELECT 1 FROM nodes n WHERE n.id = node AND n.heartbeat > $1) AND id > $2 ORDER BY id LIMIT $3";
const OF_NODE: &str = "SELECT * FROM recordings WHERE state IN ('starting', 'live', 'interrupted', 'sealing') AND state <> 'sealing' AND node = $1
  AND id > $2 ORDER BY id LIMIT $3";
const PROMPTS: &str =
    "SELECT * FROM recording_prompts WHERE recording_id = $1 ORDER BY read_at, item, prompt";
const READ: &str = "INSERT INTO recording_prompts (recording_id, item, prompt, text_zh, text_en, asks, read_at, read_ms)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (recording_id, item, prompt) DO UPDATE SET again_ms = excluded.read_ms";
const ANSWER: &str =
    "UPDATE recording_prompts SET answered_at = $4, answered_ms = $5, answer = $6, answered_by = $7
  WHERE recording_id = $1 AND item = $2 AND prompt = $3";
const FORGET: &str = "DELETE FROM recording_prompts WHERE recording_id = $1";
pub const QUERIES: &[&str] = &[
    INSERT, SAVE, SAVE_ASKED, GET, NEWEST, OF_SESSION, UNANSWERED, PENDING, OF_GONE, OF_NODE,
    PROMPTS, READ, ANSWER, FORGET,
];

/// For `store::replay` as well: every column of a recording.
pub(crate) fn row(r: &Row) -> Result<Recording, StoreError> {
    let granted = match r.opt_time("answered_at")? {
        Some(_) => Some(r.bool("granted")?),
        None => None,
    };
    let hold = if r.bool("hold")? {
        Some(Hold {
            reason_enc: r.blob("hold_reason_enc")?,
            by: r.text("hold_by")?,
            at: r.time("hold_at")?,
        })
    } else {
        None
    };
    Ok(Recording {
        id: r.id("id")?,
        session_id: r.id("session_id")?,
        hall_id: r.id("hall_id")?,
        visit_id: r.id("visit_id")?,
        key_id: r.id("key_id")?,
        state: r.word("state", State::parse)?,
        version: r.int("version")?,
        notice: r.text("notice")?,
        policy_version: r.text("policy_version")?,
        asked_by: r.id("asked_by")?,
        asked_at: r.time("asked_at")?,
        answered_at: r.opt_time("answered_at")?,
        granted,
        started_at: r.opt_time("started_at")?,
        proven_at: r.opt_time("proven_at")?,
        interrupted: r.opt_text("interrupted")?,
        ended_at: r.opt_time("ended_at")?,
        end_reason: r.opt_text("end_reason")?,
        node: r.opt_text("node")?,
        manifest: r.opt_text("manifest")?,
        signature: r.opt_text("signature")?,
        public_key: r.opt_text("public_key")?,
        sealed_at: r.opt_time("sealed_at")?,
        duration_ms: r.opt_int("duration_ms")?,
        gaps: r.opt_int("gaps")?,
        bytes: r.opt_int("bytes")?,
        delete_at: r.opt_time("delete_at")?,
        hold,
        deleted_at: r.opt_time("deleted_at")?,
    })
}

fn prompt(r: &Row) -> Result<Prompt, StoreError> {
    let answer = match r.opt_text("answer")? {
        Some(answer) => Some(Answer {
            at: r.time("answered_at")?,
            ms: r.int("answered_ms")?,
            answer,
            by: r.text("answered_by")?,
        }),
        None => None,
    };
    Ok(Prompt {
        recording_id: r.id("recording_id")?,
        item: r.text("item")?,
        prompt: r.text("prompt")?,
        text_zh: r.text("text_zh")?,
        text_en: r.text("text_en")?,
        asks: r.text("asks")?,
        read_at: r.time("read_at")?,
        read_ms: r.int("read_ms")?,
        again_ms: r.opt_int("again_ms")?,
        answer,
    })
}

/// A question, in state asked and version 1. Constraint `recording_open` where the session has an open one.
pub async fn insert(tx: &mut Tx, v: &Recording) -> Result<(), StoreError> {
    tx.exec(
        INSERT,
        args![
            &v.id,
            &v.session_id,
            &v.hall_id,
            &v.visit_id,
            &v.key_id,
            &v.notice,
            &v.policy_version,
            &v.asked_by,
            v.asked_at
        ],
    )
    .await
    .map(|_| ())
}

/// Keeps what an answered one has become since `v.version` (the old one); false: a lost race.
pub async fn save(tx: &mut Tx, v: &Recording) -> Result<bool, StoreError> {
    let Some(granted) = v.granted else {
        return Err(StoreError::Constraint("recording_consent_needed".into()));
    };
    let hold = v.hold.as_ref();
    let n = tx
        .exec(
            SAVE,
            args![
                &v.id,
                v.version,
                v.state.as_str(),
                v.answered_at,
                granted,
                v.started_at,
                v.proven_at,
                v.interrupted.clone(),
                v.ended_at,
                v.end_reason.clone(),
                v.node.clone(),
                v.manifest.clone(),
                v.signature.clone(),
                v.public_key.clone(),
                v.sealed_at,
                v.duration_ms,
                v.gaps,
                v.bytes,
                v.delete_at,
                hold.is_some(),
                hold.map(|h| h.reason_enc.clone()),
                hold.map(|h| h.by.clone()),
                hold.map(|h| h.at),
                v.deleted_at
            ],
        )
        .await?;
    Ok(n == 1)
}

/// Nobody has answered; false: somebody did.
pub async fn lapse(
    tx: &mut Tx,
    v: &Recording,
    now: Timestamp,
    reason: &str,
) -> Result<bool, StoreError> {
    let n = tx
        .exec(SAVE_ASKED, args![&v.id, v.version, now, reason])
        .await?;
    Ok(n == 1)
}

pub async fn get(tx: &mut Tx, id: &RecordingId) -> Result<Option<Recording>, StoreError> {
    tx.one(GET, args![id], row).await
}

/// The session's newest, whatever has become of it.
pub async fn newest(tx: &mut Tx, session: &SessionId) -> Result<Option<Recording>, StoreError> {
    tx.one(NEWEST, args![session], row).await
}

/// All of a session, oldest first.
pub async fn of_session(tx: &mut Tx, session: &SessionId) -> Result<Vec<Recording>, StoreError> {
    tx.all(OF_SESSION, args![session], row).await
}

/// Asked up to then, and nobody has answered.
pub async fn unanswered(
    tx: &mut Tx,
    until: Timestamp,
    limit: i64,
) -> Result<Vec<Recording>, StoreError> {
    tx.all(UNANSWERED, args![until, limit], row).await
}

/// Where a list goes on: in the order of their ids, after this one (none: from the first).
fn place(after: Option<&RecordingId>) -> &str {
    use domain::id::Id as _;
    after.map_or("", |id| id.as_str())
}

/// Agreed to and not begun, or over and not sealed; after `after`, in the order of their ids.
pub async fn pending(
    tx: &mut Tx,
    after: Option<&RecordingId>,
    limit: i64,
) -> Result<Vec<Recording>, StoreError> {
    tx.all(PENDING, args![place(after), limit], row).await
}

/// Those that a process was writing which has not been heard of since then: their manifest must be made from the files. After
/// `after`, in the order of their ids.
pub async fn of_gone(
    tx: &mut Tx,
    alive_since: Timestamp,
    after: Option<&RecordingId>,
    limit: i64,
) -> Result<Vec<Recording>, StoreError> {
    tx.all(OF_GONE, args![alive_since, place(after), limit], row)
        .await
}

/// Those that run and that this process writes, as far as the rows know; after `after`, in the order of their ids.
pub async fn of_node(
    tx: &mut Tx,
    node: &str,
    after: Option<&RecordingId>,
    limit: i64,
) -> Result<Vec<Recording>, StoreError> {
    tx.all(OF_NODE, args![node, place(after), limit], row).await
}

/// In the order in which they were read.
pub async fn prompts(tx: &mut Tx, id: &RecordingId) -> Result<Vec<Prompt>, StoreError> {
    tx.all(PROMPTS, args![id], prompt).await
}

/// A prompt has been read. Read again, its words and its first place stay. Constraint `recording_not_live`.
pub async fn read(tx: &mut Tx, p: &Prompt) -> Result<(), StoreError> {
    tx.exec(
        READ,
        args![
            &p.recording_id,
            &p.item,
            &p.prompt,
            &p.text_zh,
            &p.text_en,
            &p.asks,
            p.read_at,
            p.read_ms
        ],
    )
    .await?;
    Ok(())
}

/// The answer to a prompt that was read; a new one replaces the last. False: it was not read. Constraint `recording_not_live`.
pub async fn answer(
    tx: &mut Tx,
    id: &RecordingId,
    item: &str,
    prompt: &str,
    a: &Answer,
) -> Result<bool, StoreError> {
    let n = tx
        .exec(
            ANSWER,
            args![id, item, prompt, a.at, a.ms, &a.answer, &a.by],
        )
        .await?;
    Ok(n == 1)
}

/// The prompts and what was answered go with the recording; how many there were.
pub async fn forget_prompts(tx: &mut Tx, id: &RecordingId) -> Result<u64, StoreError> {
    tx.exec(FORGET, args![id]).await
}
