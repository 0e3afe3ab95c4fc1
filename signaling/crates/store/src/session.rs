//! Sessions, their members and their journal.

use crate::{Row, StoreError, Tx, args};
use domain::{
    id::{
        CaseId, HallId, KeyId, MemberId, PairingId, SeatId, SessionId, StaffId, TicketId, VisitId,
    },
    invite::Member as Part,
    ladder::{Ladder, Mode},
    session::{Role, State},
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    /// Whose seat serves it now; the citizen's own hall is the ticket's.
    pub hall_id: HallId,
    pub ticket_id: TicketId,
    pub visit_id: VisitId,
    pub pairing_id: PairingId,
    pub seat_id: SeatId,
    /// The agent.
    pub staff_id: StaffId,
    /// The key of all personal data of this session, the visit's.
    pub key_id: KeyId,
    pub state: State,
    pub end_reason: Option<String>,
    pub seq: i64,
    pub version: i64,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// End of the grace of whoever is gone.
    pub due_at: Option<Timestamp>,
    pub item: Option<String>,
    pub item_version: Option<i64>,
    pub case_id: Option<CaseId>,
    /// JSON of what the agent noted.
    pub wrap_up: Option<String>,
    /// On the way to another seat: seat and agent are the last ones, and free.
    pub parked: bool,
    pub ladder: Ladder,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub id: MemberId,
    pub session_id: SessionId,
    pub role: Role,
    pub staff_id: Option<StaffId>,
    pub visit_id: Option<VisitId>,
    /// Staff's name; empty for a citizen.
    pub name: String,
    pub present: bool,
    pub mic_on: bool,
    pub camera_on: bool,
    pub joined_at: Option<Timestamp>,
    pub left_at: Option<Timestamp>,
    pub holder: Option<String>,
    pub dropped_at: Option<Timestamp>,
    /// What they may see and do.
    pub part: Part,
    /// Has been the agent here: that duty stays, whatever they are later. Kept by the store.
    pub served: bool,
    /// A guest's name under the session's key.
    pub name_enc: Option<Vec<u8>>,
}

impl Member {
    /// Left or taken out; who has only dropped is still in it.
    #[must_use]
    pub const fn is_out(&self) -> bool {
        self.left_at.is_some()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub seq: i64,
    pub at: Timestamp,
    pub actor: Option<MemberId>,
    pub kind: String,
    /// JSON under the session's key.
    pub payload_enc: Vec<u8>,
}

const INSERT: &str = "INSERT INTO sessions (id, hall_id, ticket_id, visit_id, pairing_id, seat_id, staff_id, key_id, state, seq, version, started_at, due_at, item, mode)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'connecting', 0, 1, $9, $10, $11, $12)";
const GET: &str = "SELECT * FROM sessions WHERE id = $1";
const BY_TICKET: &str = "SELECT * FROM sessions WHERE ticket_id = $1";
const LIVE_VISIT: &str =
    "SELECT * FROM sessions WHERE visit_id = $1 ORDER BY started_at DESC LIMIT 1";
const LIVE_SEAT: &str =
    "SELECT * FROM sessions WHERE seat_id = $1 AND state <> 'ended' AND NOT parked";
const SAVE: &str = "UPDATE sessions SET state = $3, end_reason = $4, version = version + 1, ended_at = $5, due_at = $6, item = $7, item_version = $8, case_id = $9, wrap_up = $10,
    seat_id = $11, staff_id = $12, pairing_id = $13, parked = $14, mode = $15, mode_asked = $16, hall_id = $17
  WHERE id = $1 AND version = $2";
const TOUCH: &str = "UPDATE sessions SET version = version + 1 WHERE id = $1";
const SEQ: &str = "UPDATE sessions SET seq = seq + 1 WHERE id = $1 RETURNING seq";
const EVENT: &str = "INSERT INTO session_events (session_id, seq, at, actor, kind, payload_enc) VALUES ($1, $2, $3, $4, $5, $6)";
const EVENTS: &str = "SELECT seq, at, actor, kind, payload_enc FROM session_events WHERE session_id = $1 AND seq > $2 ORDER BY seq LIMIT $3";
const DUE: &str =
    "SELECT * FROM sessions WHERE due_at <= $1 AND state <> 'ended' ORDER BY due_at LIMIT 64";
const MEMBER: &str = "INSERT INTO session_members (id, session_id, role, staff_id, visit_id, name, present, mic_on, camera_on, part, name_enc, served) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
const MEMBERS: &str = "SELECT * FROM session_members WHERE session_id = $1 ORDER BY id";
const MEMBER_SAVE: &str = "UPDATE session_members SET present = $2, mic_on = $3, camera_on = $4, joined_at = $5, left_at = $6, holder = $7, dropped_at = $8, role = $9, part = $10, served = $11 WHERE id = $1";
// A holder is `<node>.<secret>`: its node's row says whether the connection can still be there.
const HELD_BY_GONE: &str = "SELECT m.session_id, m.holder FROM session_members m WHERE m.present AND m.holder IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM nodes n WHERE n.heartbeat > $1 AND substr(m.holder, 1, length(n.id) + 1) = n.id || '.')
  ORDER BY m.id LIMIT $2";
const LAST_AGENT: &str = "SELECT s.staff_id FROM sessions s JOIN visits v ON v.id = s.visit_id WHERE v.citizen_index = $2 AND s.hall_id = $1
  ORDER BY s.started_at DESC LIMIT 1";
const EARLIER: &str = "SELECT s.id, s.started_at, s.ended_at, s.item, s.end_reason, s.wrap_up FROM sessions s JOIN visits v ON v.id = s.visit_id
  WHERE v.citizen_index = $1 AND s.id <> $2 ORDER BY s.started_at DESC LIMIT $3";
const EARLIER_CASES: &str = "SELECT number, item, state, received_at FROM cases WHERE applicant_index = $1 ORDER BY received_at DESC LIMIT $2";
pub const QUERIES: &[&str] = &[
    LAST_AGENT,
    EARLIER,
    EARLIER_CASES,
    INSERT,
    GET,
    BY_TICKET,
    LIVE_VISIT,
    LIVE_SEAT,
    SAVE,
    TOUCH,
    SEQ,
    EVENT,
    EVENTS,
    DUE,
    MEMBER,
    MEMBERS,
    MEMBER_SAVE,
    HELD_BY_GONE,
];

fn row(r: &Row) -> Result<Session, StoreError> {
    Ok(Session {
        id: r.id("id")?,
        hall_id: r.id("hall_id")?,
        ticket_id: r.id("ticket_id")?,
        visit_id: r.id("visit_id")?,
        pairing_id: r.id("pairing_id")?,
        seat_id: r.id("seat_id")?,
        staff_id: r.id("staff_id")?,
        key_id: r.id("key_id")?,
        state: r.word("state", State::parse)?,
        end_reason: r.opt_text("end_reason")?,
        seq: r.int("seq")?,
        version: r.int("version")?,
        started_at: r.time("started_at")?,
        ended_at: r.opt_time("ended_at")?,
        due_at: r.opt_time("due_at")?,
        item: r.opt_text("item")?,
        item_version: r.opt_int("item_version")?,
        case_id: r.opt_id("case_id")?,
        wrap_up: r.opt_text("wrap_up")?,
        parked: r.bool("parked")?,
        ladder: Ladder {
            mode: r.word("mode", Mode::parse)?,
            asked: r.opt_text("mode_asked")?.as_deref().and_then(Mode::parse),
        },
    })
}

fn member(r: &Row) -> Result<Member, StoreError> {
    Ok(Member {
        id: r.id("id")?,
        session_id: r.id("session_id")?,
        role: r.word("role", Role::parse)?,
        staff_id: r.opt_id("staff_id")?,
        visit_id: r.opt_id("visit_id")?,
        name: r.text("name")?,
        present: r.bool("present")?,
        mic_on: r.bool("mic_on")?,
        camera_on: r.bool("camera_on")?,
        joined_at: r.opt_time("joined_at")?,
        left_at: r.opt_time("left_at")?,
        holder: r.opt_text("holder")?,
        dropped_at: r.opt_time("dropped_at")?,
        part: r.word("part", Part::parse)?,
        served: r.bool("served")?,
        name_enc: r.opt_blob("name_enc")?,
    })
}

pub async fn insert(tx: &mut Tx, s: &Session) -> Result<(), StoreError> {
    tx.exec(
        INSERT,
        args![
            &s.id,
            &s.hall_id,
            &s.ticket_id,
            &s.visit_id,
            &s.pairing_id,
            &s.seat_id,
            &s.staff_id,
            &s.key_id,
            s.started_at,
            s.due_at,
            s.item.clone(),
            s.ladder.mode.as_str()
        ],
    )
    .await
    .map(|_| ())
}

pub async fn get(tx: &mut Tx, id: &SessionId) -> Result<Option<Session>, StoreError> {
    tx.one(GET, args![id], row).await
}

pub async fn by_ticket(tx: &mut Tx, id: &TicketId) -> Result<Option<Session>, StoreError> {
    tx.one(BY_TICKET, args![id], row).await
}

/// The visit's newest session, ended or not.
pub async fn newest_of_visit(tx: &mut Tx, id: &VisitId) -> Result<Option<Session>, StoreError> {
    tx.one(LIVE_VISIT, args![id], row).await
}

pub async fn live_of_seat(tx: &mut Tx, id: &SeatId) -> Result<Option<Session>, StoreError> {
    tx.one(LIVE_SEAT, args![id], row).await
}

/// Keeps what the session has become since `s.version` (the old one); false: a lost race.
pub async fn save(tx: &mut Tx, s: &Session) -> Result<bool, StoreError> {
    let n = tx
        .exec(
            SAVE,
            args![
                &s.id,
                s.version,
                s.state.as_str(),
                s.end_reason.clone(),
                s.ended_at,
                s.due_at,
                s.item.clone(),
                s.item_version,
                s.case_id.as_ref(),
                s.wrap_up.clone(),
                &s.seat_id,
                &s.staff_id,
                &s.pairing_id,
                s.parked,
                s.ladder.mode.as_str(),
                s.ladder.asked.map(|m| m.as_str().to_owned()),
                &s.hall_id
            ],
        )
        .await?;
    Ok(n == 1)
}

/// Something of the snapshot changed that is kept in another table.
pub async fn touch(tx: &mut Tx, id: &SessionId) -> Result<(), StoreError> {
    tx.exec(TOUCH, args![id]).await.map(|_| ())
}

/// Appends to the journal; the answer is its number. Numbers have no gap.
pub async fn append(
    tx: &mut Tx,
    id: &SessionId,
    at: Timestamp,
    actor: Option<&MemberId>,
    kind: &str,
    payload_enc: Vec<u8>,
) -> Result<i64, StoreError> {
    let seq = tx
        .one(SEQ, args![id], |r| r.int("seq"))
        .await?
        .ok_or_else(|| StoreError::Corrupt("no such session".into()))?;
    tx.exec(EVENT, args![id, seq, at, actor, kind, payload_enc])
        .await?;
    Ok(seq)
}

pub async fn events_after(
    tx: &mut Tx,
    id: &SessionId,
    seq: i64,
    limit: i64,
) -> Result<Vec<Event>, StoreError> {
    tx.all(EVENTS, args![id, seq, limit], |r| {
        Ok(Event {
            seq: r.int("seq")?,
            at: r.time("at")?,
            actor: r.opt_id("actor")?,
            kind: r.text("kind")?,
            payload_enc: r.blob("payload_enc")?,
        })
    })
    .await
}

pub async fn grace_over(tx: &mut Tx, now: Timestamp) -> Result<Vec<Session>, StoreError> {
    tx.all(DUE, args![now], row).await
}

pub async fn insert_member(tx: &mut Tx, m: &Member) -> Result<(), StoreError> {
    tx.exec(
        MEMBER,
        args![
            &m.id,
            &m.session_id,
            m.role.as_str(),
            m.staff_id.as_ref(),
            m.visit_id.as_ref(),
            &m.name,
            m.present,
            m.mic_on,
            m.camera_on,
            m.part.as_str(),
            m.name_enc.clone(),
            m.served || m.role == Role::Agent
        ],
    )
    .await
    .map(|_| ())
}

pub async fn members(tx: &mut Tx, id: &SessionId) -> Result<Vec<Member>, StoreError> {
    tx.all(MEMBERS, args![id], member).await
}

pub async fn save_member(tx: &mut Tx, m: &Member) -> Result<(), StoreError> {
    tx.exec(
        MEMBER_SAVE,
        args![
            &m.id,
            m.present,
            m.mic_on,
            m.camera_on,
            m.joined_at,
            m.left_at,
            m.holder.clone(),
            m.dropped_at,
            m.role.as_str(),
            m.part.as_str(),
            m.served || m.role == Role::Agent
        ],
    )
    .await
    .map(|_| ())
}

/// Sessions with a member whose connection was at a node that has not beaten since `alive_since`, or is in no row; and that
/// connection.
pub async fn held_by_gone(
    tx: &mut Tx,
    alive_since: Timestamp,
    limit: i64,
) -> Result<Vec<(SessionId, String)>, StoreError> {
    tx.all(HELD_BY_GONE, args![alive_since, limit], |r| {
        Ok((r.id("session_id")?, r.text("holder")?))
    })
    .await
}

/// Who served this citizen (HMAC of the identity number) last in this hall.
pub async fn last_agent_of(
    tx: &mut Tx,
    hall: &HallId,
    citizen_index: &str,
) -> Result<Option<StaffId>, StoreError> {
    tx.one(LAST_AGENT, args![hall, citizen_index], |r| r.id("staff_id"))
        .await
}

/// An earlier session of a citizen; nothing in it says who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    pub id: SessionId,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub item: Option<String>,
    pub end_reason: Option<String>,
    pub wrap_up: Option<String>,
}

/// The citizen's (HMAC of the identity number) other sessions, latest first.
pub async fn earlier(
    tx: &mut Tx,
    citizen_index: &str,
    but: &SessionId,
    limit: i64,
) -> Result<Vec<Earlier>, StoreError> {
    tx.all(EARLIER, args![citizen_index, but, limit], |r| {
        Ok(Earlier {
            id: r.id("id")?,
            started_at: r.time("started_at")?,
            ended_at: r.opt_time("ended_at")?,
            item: r.opt_text("item")?,
            end_reason: r.opt_text("end_reason")?,
            wrap_up: r.opt_text("wrap_up")?,
        })
    })
    .await
}

/// Number, item, state and receipt of the citizen's cases, latest first.
pub async fn earlier_cases(
    tx: &mut Tx,
    citizen_index: &str,
    limit: i64,
) -> Result<Vec<(String, String, String, Timestamp)>, StoreError> {
    tx.all(EARLIER_CASES, args![citizen_index, limit], |r| {
        Ok((
            r.text("number")?,
            r.text("item")?,
            r.text("state")?,
            r.time("received_at")?,
        ))
    })
    .await
}
