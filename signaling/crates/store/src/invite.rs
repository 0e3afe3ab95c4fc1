//! Invitations within a session (咨询、邀请、转接) and the notes that staff leave there.
//!
//! What constraints hold here: one live invitation per seat and per person, one live transfer per session, nobody to themselves,
//! and no seat is rung for help and for a ticket at once.

use crate::{Row, StoreError, Tx, args, staff::Skills};
use domain::{
    id::{HallId, InviteId, MemberId, NoteId, SeatId, SessionId, StaffId},
    invite::{Kind, State},
    seat::State as SeatState,
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    pub id: InviteId,
    pub session_id: SessionId,
    pub version: i64,
    pub kind: Kind,
    pub state: State,
    /// JSON of whom it goes to, as it was asked.
    pub target: String,
    /// Invited for a language or sign language.
    pub interpreter: bool,
    pub by_member: MemberId,
    pub by_staff: StaffId,
    pub by_seat: SeatId,
    /// The seat that rings or takes part, and who sits there.
    pub seat_id: Option<SeatId>,
    pub staff_id: Option<StaffId>,
    /// Who they are in the session, once they accepted.
    pub member_id: Option<MemberId>,
    /// Hash of a guest's one-time code.
    pub code_hash: Option<String>,
    pub asked_at: Timestamp,
    /// End of the ring, of the way to another seat, or of the grace of whoever was invited and dropped.
    pub due_at: Option<Timestamp>,
    pub decided_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
}

/// Somebody who sits where a session's citizen may be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seated {
    pub seat_id: SeatId,
    pub hall_id: HallId,
    pub seat_zh: String,
    pub seat_en: String,
    pub state: SeatState,
    pub away_reason: Option<String>,
    pub skills: Skills,
    pub staff_id: StaffId,
    pub name: String,
    /// Chinese, English.
    pub department: Option<(String, String)>,
}

/// A note for staff: JSON under the session's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub id: NoteId,
    pub session_id: SessionId,
    pub staff_id: StaffId,
    /// `note` or `wrap_up`.
    pub kind: String,
    pub at: Timestamp,
    pub text_enc: Vec<u8>,
}

const INSERT: &str = "INSERT INTO invites (id, session_id, version, kind, state, target, interpreter, by_member, by_staff, by_seat, seat_id, staff_id, code_hash, asked_at, due_at)
  VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
const GET: &str = "SELECT * FROM invites WHERE id = $1";
const LIVE: &str =
    "SELECT * FROM invites WHERE session_id = $1 AND ended_at IS NULL ORDER BY asked_at, id";
const LIVE_SEAT: &str = "SELECT * FROM invites WHERE seat_id = $1 AND ended_at IS NULL";
// Rings in a hall for sessions that belong elsewhere, of people who came to another.
const RINGS_BETWEEN: &str = "SELECT i.* FROM invites i JOIN seats s ON s.id = i.seat_id JOIN sessions e ON e.id = i.session_id JOIN tickets t ON t.id = e.ticket_id
  WHERE i.state = 'ringing' AND s.hall_id = $1 AND t.hall_id = $2 AND e.hall_id <> $1 ORDER BY i.id";
const BY_CODE: &str = "SELECT * FROM invites WHERE code_hash = $1";
const SAVE: &str = "UPDATE invites SET version = version + 1, state = $3, member_id = $4, due_at = $5, decided_at = $6, ended_at = $7
  WHERE id = $1 AND version = $2";
const SET_DUE: &str = "UPDATE invites SET due_at = $2 WHERE id = $1 AND ended_at IS NULL";
const DUE: &str =
    "SELECT * FROM invites WHERE due_at <= $1 AND ended_at IS NULL ORDER BY due_at LIMIT 64";
// Whoever sits in the hall, or in one that serves its people.
const SEATED: &str = "SELECT s.id, s.hall_id, s.name_zh, s.name_en, s.state, s.away_reason, s.skills, p.id AS staff_id, p.name, d.name_zh AS department_zh, d.name_en AS department_en
  FROM seats s JOIN staff p ON p.id = s.staff_id LEFT JOIN departments d ON d.id = p.department
  WHERE s.state <> 'offline' AND s.lane = 0 AND (s.hall_id = $1 OR s.hall_id IN (SELECT a.hall_id FROM hall_accepts a WHERE a.from_hall = $1)) ORDER BY s.name_zh, s.id LIMIT 500";
const NOTE: &str = "INSERT INTO session_notes (id, session_id, staff_id, kind, at, text_enc) VALUES ($1, $2, $3, $4, $5, $6)";
const NOTES: &str = "SELECT * FROM session_notes WHERE session_id = $1 ORDER BY id LIMIT $2";
pub const QUERIES: &[&str] = &[
    INSERT,
    GET,
    LIVE,
    LIVE_SEAT,
    RINGS_BETWEEN,
    BY_CODE,
    SAVE,
    SET_DUE,
    DUE,
    SEATED,
    NOTE,
    NOTES,
];

fn row(r: &Row) -> Result<Invite, StoreError> {
    Ok(Invite {
        id: r.id("id")?,
        session_id: r.id("session_id")?,
        version: r.int("version")?,
        kind: r.word("kind", Kind::parse)?,
        state: r.word("state", State::parse)?,
        target: r.text("target")?,
        interpreter: r.bool("interpreter")?,
        by_member: r.id("by_member")?,
        by_staff: r.id("by_staff")?,
        by_seat: r.id("by_seat")?,
        seat_id: r.opt_id("seat_id")?,
        staff_id: r.opt_id("staff_id")?,
        member_id: r.opt_id("member_id")?,
        code_hash: r.opt_text("code_hash")?,
        asked_at: r.time("asked_at")?,
        due_at: r.opt_time("due_at")?,
        decided_at: r.opt_time("decided_at")?,
        ended_at: r.opt_time("ended_at")?,
    })
}

/// A constraint refuses a second live one for the seat, the person, or the session's transfer.
pub async fn insert(tx: &mut Tx, i: &Invite) -> Result<(), StoreError> {
    tx.exec(
        INSERT,
        args![
            &i.id,
            &i.session_id,
            i.kind.as_str(),
            i.state.as_str(),
            &i.target,
            i.interpreter,
            &i.by_member,
            &i.by_staff,
            &i.by_seat,
            i.seat_id.as_ref(),
            i.staff_id.as_ref(),
            i.code_hash.clone(),
            i.asked_at,
            i.due_at
        ],
    )
    .await
    .map(|_| ())
}

pub async fn get(tx: &mut Tx, id: &InviteId) -> Result<Option<Invite>, StoreError> {
    tx.one(GET, args![id], row).await
}

/// Those under way in a session, oldest first.
pub async fn live(tx: &mut Tx, session: &SessionId) -> Result<Vec<Invite>, StoreError> {
    tx.all(LIVE, args![session], row).await
}

/// The one that rings at a seat or that it takes part in.
pub async fn live_of_seat(tx: &mut Tx, seat: &SeatId) -> Result<Option<Invite>, StoreError> {
    tx.one(LIVE_SEAT, args![seat], row).await
}

/// Seats of `there` that ring for help to people of `home` whom another hall serves.
pub async fn rings_between(
    tx: &mut Tx,
    there: &HallId,
    home: &HallId,
) -> Result<Vec<Invite>, StoreError> {
    tx.all(RINGS_BETWEEN, args![there, home], row).await
}

/// A guest's, by the hash of its code.
pub async fn by_code(tx: &mut Tx, hash: &str) -> Result<Option<Invite>, StoreError> {
    tx.one(BY_CODE, args![hash], row).await
}

/// Keeps what it has become since `i.version` (the old one); false: a lost race.
pub async fn save(tx: &mut Tx, i: &Invite) -> Result<bool, StoreError> {
    let n = tx
        .exec(
            SAVE,
            args![
                &i.id,
                i.version,
                i.state.as_str(),
                i.member_id.as_ref(),
                i.due_at,
                i.decided_at,
                i.ended_at
            ],
        )
        .await?;
    Ok(n == 1)
}

/// Until when whoever was invited may be away; nothing that a screen shows has changed.
pub async fn set_due(tx: &mut Tx, id: &InviteId, due: Option<Timestamp>) -> Result<(), StoreError> {
    tx.exec(SET_DUE, args![id, due]).await.map(|_| ())
}

/// Rings and graces that are over.
pub async fn due(tx: &mut Tx, now: Timestamp) -> Result<Vec<Invite>, StoreError> {
    tx.all(DUE, args![now], row).await
}

/// Who sits in the hall, or in one that serves its people; by the seat's name.
pub async fn seated(tx: &mut Tx, hall: &HallId) -> Result<Vec<Seated>, StoreError> {
    tx.all(SEATED, args![hall], |r| {
        Ok(Seated {
            seat_id: r.id("id")?,
            hall_id: r.id("hall_id")?,
            seat_zh: r.text("name_zh")?,
            seat_en: r.text("name_en")?,
            state: r.word("state", SeatState::parse)?,
            away_reason: r.opt_text("away_reason")?,
            skills: r.json("skills")?,
            staff_id: r.id("staff_id")?,
            name: r.text("name")?,
            department: r
                .opt_text("department_zh")?
                .zip(r.opt_text("department_en")?),
        })
    })
    .await
}

pub async fn insert_note(tx: &mut Tx, n: &Note) -> Result<(), StoreError> {
    tx.exec(
        NOTE,
        args![
            &n.id,
            &n.session_id,
            &n.staff_id,
            &n.kind,
            n.at,
            n.text_enc.clone()
        ],
    )
    .await
    .map(|_| ())
}

/// Oldest first.
pub async fn notes(tx: &mut Tx, session: &SessionId, limit: i64) -> Result<Vec<Note>, StoreError> {
    tx.all(NOTES, args![session, limit], |r| {
        Ok(Note {
            id: r.id("id")?,
            session_id: r.id("session_id")?,
            staff_id: r.id("staff_id")?,
            kind: r.text("kind")?,
            at: r.time("at")?,
            text_enc: r.blob("text_enc")?,
        })
    })
    .await
}
