//! Seats (坐席), and their text lanes: rows of their own under a seat. A list of seats holds no lanes unless it says so.

use crate::{Row, StoreError, Tx, args, staff::Skills};
use domain::{
    id::{HallId, SeatId, SessionId, StaffId},
    seat::State,
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    pub id: SeatId,
    pub hall_id: HallId,
    pub name_zh: String,
    pub name_en: String,
    pub state: State,
    pub away_reason: Option<String>,
    pub since: Timestamp,
    pub version: i64,
    pub staff_id: Option<StaffId>,
    pub skills: Skills,
    /// The connection that holds the seat; a newer one takes it over.
    pub holder: Option<String>,
    /// End of wrap-up.
    pub due_at: Option<Timestamp>,
    pub wrap_up_session: Option<SessionId>,
    /// No page has been there since.
    pub silent_since: Option<Timestamp>,
    pub auto_answer: bool,
    /// The wrap-up was made longer.
    pub extended: bool,
    /// A supervisor's word, or the agent's own that waits for the end of texts, as JSON.
    pub forced: Option<String>,
    /// Of a text lane: the seat that it is a part of.
    pub main_seat: Option<SeatId>,
    /// 0: a seat; 1 to 8: a text lane.
    pub lane: i64,
    /// Opened for texts too.
    pub takes_text: bool,
}

const INSERT: &str = "INSERT INTO seats (id, hall_id, name_zh, name_en, state, since, version, skills) VALUES ($1, $2, $3, $4, 'offline', $5, 1, '{}')
  ON CONFLICT (id) DO UPDATE SET name_zh = $3, name_en = $4";
const GET: &str = "SELECT * FROM seats WHERE id = $1";
const OF_HALL: &str = "SELECT * FROM seats WHERE hall_id = $1 AND lane = 0 ORDER BY id";
const OF_STAFF: &str =
    "SELECT * FROM seats WHERE staff_id = $1 AND lane = 0 AND state <> 'offline'";
const WRAPPING_UP: &str =
    "SELECT * FROM seats WHERE staff_id = $1 AND state <> 'offline' AND wrap_up_session = $2";
const LANE: &str = "INSERT INTO seats (id, hall_id, name_zh, name_en, state, since, version, skills, main_seat, lane) VALUES ($1, $2, $3, $4, 'offline', $5, 1, '{}', $6, $7)";
const MAIN_OF: &str = "SELECT m.* FROM seats m JOIN seats l ON l.main_seat = m.id WHERE l.id = $1";
const LANES: &str = "SELECT * FROM seats WHERE main_seat = $1 ORDER BY lane";
// From one set of skills to the next over the index, as with the tickets' demands.
const READY_SKILLS: &str = "WITH RECURSIVE k (skills) AS (SELECT min(skills) FROM seats WHERE hall_id = $1 AND state = 'ready' AND silent_since IS NULL
  UNION ALL SELECT (SELECT min(s.skills) FROM seats s WHERE s.hall_id = $1 AND s.state = 'ready' AND s.silent_since IS NULL AND s.skills > k.skills) FROM k WHERE k.skills IS NOT NULL)
  SELECT skills FROM k WHERE skills IS NOT NULL";
const READY: &str = "SELECT id, staff_id, lane, since FROM seats WHERE hall_id = $1 AND skills = $2 AND state = 'ready' AND silent_since IS NULL ORDER BY lane, since, id LIMIT $3";
const READY_STAFF: &str = "SELECT id, staff_id, lane, since, skills FROM seats WHERE staff_id = $2 AND hall_id = $1 AND state = 'ready' AND silent_since IS NULL
  ORDER BY lane";
// An idle lane beside a call is on duty as its seat is: it serves again after the call.
const ON_DUTY: &str = "SELECT s.staff_id, s.lane, s.state, s.since, s.skills FROM seats s WHERE s.hall_id = $1 AND (s.state IN ('ready', 'ringing', 'busy', 'wrap_up')
  OR (s.state = 'away' AND s.away_reason = $2 AND EXISTS (SELECT 1 FROM seats m WHERE m.id = s.main_seat AND m.state IN ('ringing', 'busy', 'wrap_up'))))";
const SAVE: &str = "UPDATE seats SET state = $3, away_reason = $4, since = $5, version = version + 1, staff_id = $6, skills = $7, due_at = $8, wrap_up_session = $9, auto_answer = $10, extended = $11, forced = $12, takes_text = $13
  WHERE id = $1 AND version = $2";
const HOLDER: &str = "UPDATE seats SET holder = $2, silent_since = NULL WHERE id = $1";
const SILENT: &str = "UPDATE seats SET silent_since = $3 WHERE id = $1 AND holder = $2";
const SILENT_DUE: &str = "SELECT * FROM seats WHERE silent_since <= $1 AND state IN ('ready', 'ringing', 'wrap_up') ORDER BY silent_since LIMIT 64";
const DUE: &str =
    "SELECT * FROM seats WHERE due_at <= $1 AND state = 'wrap_up' ORDER BY due_at LIMIT 64";
// As for the members of sessions; a seat that is silent already is left alone.
const HELD_BY_GONE: &str = "SELECT s.id, s.holder FROM seats s WHERE s.holder IS NOT NULL AND s.silent_since IS NULL AND NOT EXISTS (
    SELECT 1 FROM nodes n WHERE n.heartbeat > $1 AND substr(s.holder, 1, length(n.id) + 1) = n.id || '.')
  ORDER BY s.id LIMIT $2";
pub const QUERIES: &[&str] = &[
    INSERT,
    GET,
    OF_HALL,
    OF_STAFF,
    WRAPPING_UP,
    LANE,
    MAIN_OF,
    LANES,
    READY_SKILLS,
    READY,
    READY_STAFF,
    ON_DUTY,
    SAVE,
    HOLDER,
    SILENT,
    SILENT_DUE,
    DUE,
    HELD_BY_GONE,
];

fn row(r: &Row) -> Result<Seat, StoreError> {
    Ok(Seat {
        id: r.id("id")?,
        hall_id: r.id("hall_id")?,
        name_zh: r.text("name_zh")?,
        name_en: r.text("name_en")?,
        state: r.word("state", State::parse)?,
        away_reason: r.opt_text("away_reason")?,
        since: r.time("since")?,
        version: r.int("version")?,
        staff_id: r.opt_id("staff_id")?,
        skills: r.json("skills")?,
        holder: r.opt_text("holder")?,
        due_at: r.opt_time("due_at")?,
        wrap_up_session: r.opt_id("wrap_up_session")?,
        silent_since: r.opt_time("silent_since")?,
        auto_answer: r.bool("auto_answer")?,
        extended: r.bool("extended")?,
        forced: r.opt_text("forced")?,
        main_seat: r.opt_id("main_seat")?,
        lane: r.int("lane")?,
        takes_text: r.bool("takes_text")?,
    })
}

/// Furniture: id, hall and name; its state stays.
pub async fn upsert(
    tx: &mut Tx,
    id: &SeatId,
    hall: &HallId,
    zh: &str,
    en: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.exec(INSERT, args![id, hall, zh, en, now])
        .await
        .map(|_| ())
}

pub async fn get(tx: &mut Tx, id: &SeatId) -> Result<Option<Seat>, StoreError> {
    tx.one(GET, args![id], row).await
}

pub async fn of_hall(tx: &mut Tx, hall: &HallId) -> Result<Vec<Seat>, StoreError> {
    tx.all(OF_HALL, args![hall], row).await
}

pub async fn of_staff(tx: &mut Tx, staff: &StaffId) -> Result<Option<Seat>, StoreError> {
    tx.one(OF_STAFF, args![staff], row).await
}

/// The seat or lane at which this person writes up this session.
pub async fn wrapping_up(
    tx: &mut Tx,
    staff: &StaffId,
    session: &SessionId,
) -> Result<Option<Seat>, StoreError> {
    tx.one(WRAPPING_UP, args![staff, session], row).await
}

/// A text lane of the seat, closed until it is opened.
pub async fn insert_lane(
    tx: &mut Tx,
    id: &SeatId,
    main: &Seat,
    lane: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let zh = format!("{} · 文字{lane}", main.name_zh);
    let en = format!("{} · text {lane}", main.name_en);
    tx.exec(LANE, args![id, &main.hall_id, zh, en, now, &main.id, lane])
        .await
        .map(|_| ())
}

/// The seat that a lane belongs to.
pub async fn main_of(tx: &mut Tx, lane: &SeatId) -> Result<Option<Seat>, StoreError> {
    tx.one(MAIN_OF, args![lane], row).await
}

/// The seat's lanes, open or not, in order.
pub async fn lanes(tx: &mut Tx, main: &SeatId) -> Result<Vec<Seat>, StoreError> {
    tx.all(LANES, args![main], row).await
}

/// A ready seat or lane, as matching needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    pub id: SeatId,
    pub staff_id: StaffId,
    pub lane: i64,
    pub since: Timestamp,
    pub skills: Skills,
}

/// The sets of skills that ready seats have: each once.
pub async fn ready_skills(tx: &mut Tx, hall: &HallId) -> Result<Vec<Skills>, StoreError> {
    tx.all(READY_SKILLS, args![hall], |r| r.json("skills"))
        .await
}

/// Ready seats with exactly these skills, longest ready first (of lanes: every agent's first before anybody's second); a seat whose page is gone is not rung.
pub async fn ready(
    tx: &mut Tx,
    hall: &HallId,
    skills: &Skills,
    limit: i64,
) -> Result<Vec<Ready>, StoreError> {
    tx.all(READY, args![hall, skills.text(), limit], |r| {
        Ok(Ready {
            id: r.id("id")?,
            staff_id: r.id("staff_id")?,
            lane: r.int("lane")?,
            since: r.time("since")?,
            skills: skills.clone(),
        })
    })
    .await
}

/// The seat and lanes of this person that are ready.
pub async fn ready_of_staff(
    tx: &mut Tx,
    hall: &HallId,
    staff: &str,
) -> Result<Vec<Ready>, StoreError> {
    tx.all(READY_STAFF, args![hall, staff], |r| {
        Ok(Ready {
            id: r.id("id")?,
            staff_id: r.id("staff_id")?,
            lane: r.int("lane")?,
            since: r.time("since")?,
            skills: r.json("skills")?,
        })
    })
    .await
}

/// A seat or lane on duty: who, since when in which state, with which skills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnDuty {
    pub staff_id: Option<StaffId>,
    /// 0: a seat. Who counts seats leaves the lanes out; what a demand fits tells them apart by itself.
    pub lane: i64,
    pub state: State,
    pub since: Timestamp,
    pub skills: Skills,
}

pub async fn on_duty(tx: &mut Tx, hall: &HallId) -> Result<Vec<OnDuty>, StoreError> {
    tx.all(ON_DUTY, args![hall, domain::seat::lanes::MAIN], |r| {
        Ok(OnDuty {
            staff_id: r.opt_id("staff_id")?,
            lane: r.int("lane")?,
            state: r.word("state", State::parse)?,
            since: r.time("since")?,
            skills: r.json("skills")?,
        })
    })
    .await
}

/// Keeps what the seat has become since `s.version`; false: a lost race. The caller's `version` is the old one.
pub async fn save(tx: &mut Tx, s: &Seat) -> Result<bool, StoreError> {
    let n = tx
        .exec(
            SAVE,
            args![
                &s.id,
                s.version,
                s.state.as_str(),
                s.away_reason.clone(),
                s.since,
                s.staff_id.as_ref(),
                s.skills.text(),
                s.due_at,
                s.wrap_up_session.as_ref(),
                s.auto_answer,
                s.extended,
                s.forced.clone(),
                s.takes_text
            ],
        )
        .await?;
    Ok(n == 1)
}

/// A page holds the seat now.
pub async fn hold(tx: &mut Tx, id: &SeatId, connection: &str) -> Result<(), StoreError> {
    tx.exec(HOLDER, args![id, connection]).await.map(|_| ())
}

/// The page that held it is gone; nothing happens if another holds it by now.
pub async fn silent(
    tx: &mut Tx,
    id: &SeatId,
    connection: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.exec(SILENT, args![id, connection, now]).await? == 1)
}

pub async fn silent_until(tx: &mut Tx, before: Timestamp) -> Result<Vec<Seat>, StoreError> {
    tx.all(SILENT_DUE, args![before], row).await
}

pub async fn wrap_up_over(tx: &mut Tx, now: Timestamp) -> Result<Vec<Seat>, StoreError> {
    tx.all(DUE, args![now], row).await
}

/// Seats whose page was at a node that has not beaten since `alive_since`, or is in no row; and that page's connection.
pub async fn held_by_gone(
    tx: &mut Tx,
    alive_since: Timestamp,
    limit: i64,
) -> Result<Vec<(SeatId, String)>, StoreError> {
    tx.all(HELD_BY_GONE, args![alive_since, limit], |r| {
        Ok((r.id("id")?, r.text("holder")?))
    })
    .await
}
