//! Halls, skills and departments.

use crate::{Row, StoreError, Tx, args};
use domain::id::HallId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hall {
    pub id: HallId,
    pub name_zh: String,
    pub name_en: String,
    /// `09:00`, Beijing time.
    pub opens: String,
    pub closes: String,
    pub telephone: String,
    pub address_zh: String,
    pub address_en: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub code: String,
    pub zh: String,
    pub en: String,
}

const UPSERT: &str = "INSERT INTO halls (id, name_zh, name_en, opens, closes, telephone, address_zh, address_en) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
  ON CONFLICT (id) DO UPDATE SET name_zh = $2, name_en = $3, opens = $4, closes = $5, telephone = $6, address_zh = $7, address_en = $8";
// The hall with the most seats first: a phone that was told of no hall begins there, and an id says nothing.
const ALL: &str = "SELECT h.* FROM halls h ORDER BY (SELECT count(*) FROM seats s WHERE s.hall_id = h.id) DESC, h.id";
const GET: &str = "SELECT * FROM halls WHERE id = $1";
const NEXT_NO: &str = "UPDATE halls SET ticket_no = CASE WHEN ticket_day = $2 THEN ticket_no + 1 ELSE 1 END, ticket_day = $2 WHERE id = $1 RETURNING ticket_no";
const SKILL: &str = "INSERT INTO skills (code, name_zh, name_en) VALUES ($1, $2, $3) ON CONFLICT (code) DO UPDATE SET name_zh = $2, name_en = $3";
const SKILLS: &str = "SELECT code, name_zh, name_en FROM skills ORDER BY code";
const DEPARTMENT: &str = "INSERT INTO departments (id, name_zh, name_en) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET name_zh = $2, name_en = $3";
const DEPARTMENTS: &str = "SELECT id AS code, name_zh, name_en FROM departments ORDER BY id";
const ACCEPTS: &str =
    "SELECT count(*) AS n FROM hall_accepts WHERE hall_id = $1 AND from_hall = $2";
const ACCEPT: &str = "INSERT INTO hall_accepts (hall_id, from_hall) VALUES ($1, $2) ON CONFLICT (hall_id, from_hall) DO NOTHING";
const REFUSE: &str = "DELETE FROM hall_accepts WHERE hall_id = $1 AND from_hall = $2";
const ACCEPTED_BY: &str = "SELECT h.* FROM halls h JOIN hall_accepts a ON a.hall_id = h.id WHERE a.from_hall = $1 ORDER BY h.id";
const ACCEPTED: &str = "SELECT h.* FROM halls h JOIN hall_accepts a ON a.from_hall = h.id WHERE a.hall_id = $1 ORDER BY h.id";
pub const QUERIES: &[&str] = &[
    UPSERT,
    ALL,
    GET,
    NEXT_NO,
    SKILL,
    SKILLS,
    DEPARTMENT,
    DEPARTMENTS,
    ACCEPTS,
    ACCEPT,
    REFUSE,
    ACCEPTED_BY,
    ACCEPTED,
];

fn row(r: &Row) -> Result<Hall, StoreError> {
    Ok(Hall {
        id: r.id("id")?,
        name_zh: r.text("name_zh")?,
        name_en: r.text("name_en")?,
        opens: r.text("opens")?,
        closes: r.text("closes")?,
        telephone: r.text("telephone")?,
        address_zh: r.text("address_zh")?,
        address_en: r.text("address_en")?,
    })
}

fn named(r: &Row) -> Result<Named, StoreError> {
    Ok(Named {
        code: r.text("code")?,
        zh: r.text("name_zh")?,
        en: r.text("name_en")?,
    })
}

pub async fn upsert(tx: &mut Tx, h: &Hall) -> Result<(), StoreError> {
    tx.exec(
        UPSERT,
        args![
            &h.id,
            &h.name_zh,
            &h.name_en,
            &h.opens,
            &h.closes,
            &h.telephone,
            &h.address_zh,
            &h.address_en
        ],
    )
    .await
    .map(|_| ())
}

pub async fn all(tx: &mut Tx) -> Result<Vec<Hall>, StoreError> {
    tx.all(ALL, args![], row).await
}

pub async fn get(tx: &mut Tx, id: &HallId) -> Result<Option<Hall>, StoreError> {
    tx.one(GET, args![id], row).await
}

/// The next number of the day, from 1.
pub async fn next_ticket_no(tx: &mut Tx, id: &HallId, day: &str) -> Result<i64, StoreError> {
    tx.one(NEXT_NO, args![id, day], |r| r.int("ticket_no"))
        .await?
        .ok_or_else(|| StoreError::Corrupt("no such hall".into()))
}

pub async fn upsert_skill(tx: &mut Tx, n: &Named) -> Result<(), StoreError> {
    tx.exec(SKILL, args![&n.code, &n.zh, &n.en])
        .await
        .map(|_| ())
}

pub async fn skills(tx: &mut Tx) -> Result<Vec<Named>, StoreError> {
    tx.all(SKILLS, args![], named).await
}

pub async fn upsert_department(tx: &mut Tx, n: &Named) -> Result<(), StoreError> {
    tx.exec(DEPARTMENT, args![&n.code, &n.zh, &n.en])
        .await
        .map(|_| ())
}

pub async fn departments(tx: &mut Tx) -> Result<Vec<Named>, StoreError> {
    tx.all(DEPARTMENTS, args![], named).await
}

/// Whether `hall` has said that it serves citizens of `from`.
pub async fn accepts_from(tx: &mut Tx, hall: &HallId, from: &HallId) -> Result<bool, StoreError> {
    Ok(tx
        .one(ACCEPTS, args![hall, from], |r| r.int("n"))
        .await?
        .is_some_and(|n| n > 0))
}

/// The hall's consent to serve another's citizens, given or taken back.
pub async fn set_accepts(
    tx: &mut Tx,
    hall: &HallId,
    from: &HallId,
    accept: bool,
) -> Result<(), StoreError> {
    let sql = if accept { ACCEPT } else { REFUSE };
    tx.exec(sql, args![hall, from]).await.map(|_| ())
}

/// Halls that serve citizens of `from` too.
pub async fn accepted_by(tx: &mut Tx, from: &HallId) -> Result<Vec<Hall>, StoreError> {
    tx.all(ACCEPTED_BY, args![from], row).await
}

/// Halls whose citizens `hall` serves too.
pub async fn accepted(tx: &mut Tx, hall: &HallId) -> Result<Vec<Hall>, StoreError> {
    tx.all(ACCEPTED, args![hall], row).await
}
