//! Members of staff, their refresh tokens, and the single-use tickets of the WebSocket.

use crate::{Row, StoreError, Tx, args};
use domain::{
    id::{HallId, StaffId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Skills and how well each is mastered, 1 to 5. As text: JSON with the codes in order, so equal sets are equal texts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Skills(pub BTreeMap<String, u8>);

impl Skills {
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "{}".into())
    }
    #[must_use]
    pub fn has(&self, code: &str) -> bool {
        self.0.contains_key(code)
    }
    #[must_use]
    pub fn codes(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}

impl<S: Into<String>> FromIterator<(S, u8)> for Skills {
    fn from_iter<I: IntoIterator<Item = (S, u8)>>(skills: I) -> Self {
        Self(skills.into_iter().map(|(k, l)| (k.into(), l)).collect())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staff {
    pub id: StaffId,
    pub account: String,
    pub name: String,
    /// HMAC of the person's identity number: separation of duties follows the person.
    pub number_index: String,
    /// argon2id, PHC string.
    pub password_hash: String,
    pub totp_enc: Option<Vec<u8>>,
    pub roles: Vec<String>,
    pub hall_id: HallId,
    pub department: Option<String>,
    pub skills: Skills,
    pub active: bool,
    pub failures: i64,
    pub locked_until: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refresh {
    pub hash: String,
    pub family: String,
    pub staff_id: StaffId,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
    pub revoked: bool,
}

const UPSERT: &str = "INSERT INTO staff (id, account, name, number_index, password_hash, roles, hall_id, department, skills) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
  ON CONFLICT (account) DO UPDATE SET name = $3, number_index = $4, roles = $6, hall_id = $7, department = $8, skills = $9";
const GET: &str = "SELECT * FROM staff WHERE id = $1";
const BY_ACCOUNT: &str = "SELECT * FROM staff WHERE account = $1";
const ALL: &str = "SELECT * FROM staff ORDER BY account";
const OF_HALL: &str = "SELECT * FROM staff WHERE hall_id = $1 ORDER BY account LIMIT 1000";
const FAILED: &str = "UPDATE staff SET failures = failures + 1, locked_until = CASE WHEN failures + 1 >= $2 THEN $3 ELSE locked_until END WHERE id = $1";
const SUCCEEDED: &str = "UPDATE staff SET failures = 0, locked_until = NULL WHERE id = $1";
const PASSWORD: &str =
    "UPDATE staff SET password_hash = $2, failures = 0, locked_until = NULL WHERE account = $1";
const SKILLS: &str = "UPDATE staff SET skills = $2 WHERE id = $1";
const REFRESH: &str =
    "INSERT INTO refresh_tokens (hash, family, staff_id, expires_at) VALUES ($1, $2, $3, $4)";
const REFRESH_GET: &str = "SELECT * FROM refresh_tokens WHERE hash = $1";
const REFRESH_USE: &str =
    "UPDATE refresh_tokens SET used_at = $2 WHERE hash = $1 AND used_at IS NULL";
const REVOKE: &str = "UPDATE refresh_tokens SET revoked = TRUE WHERE family = $1";
const REFRESH_SWEEP: &str = "DELETE FROM refresh_tokens WHERE expires_at < $1";
const WS_INSERT: &str = "INSERT INTO ws_tickets (hash, principal, expires_at) VALUES ($1, $2, $3)";
const WS_TAKE: &str = "DELETE FROM ws_tickets WHERE hash = $1 RETURNING principal, expires_at";
const WS_SWEEP: &str = "DELETE FROM ws_tickets WHERE expires_at < $1";
pub const QUERIES: &[&str] = &[
    UPSERT,
    GET,
    BY_ACCOUNT,
    ALL,
    OF_HALL,
    FAILED,
    SUCCEEDED,
    PASSWORD,
    SKILLS,
    REFRESH,
    REFRESH_GET,
    REFRESH_USE,
    REVOKE,
    REFRESH_SWEEP,
    WS_INSERT,
    WS_TAKE,
    WS_SWEEP,
];

fn row(r: &Row) -> Result<Staff, StoreError> {
    Ok(Staff {
        id: r.id("id")?,
        account: r.text("account")?,
        name: r.text("name")?,
        number_index: r.text("number_index")?,
        password_hash: r.text("password_hash")?,
        totp_enc: r.opt_blob("totp_enc")?,
        roles: r.json("roles")?,
        hall_id: r.id("hall_id")?,
        department: r.opt_text("department")?,
        skills: r.json("skills")?,
        active: r.bool("active")?,
        failures: r.int("failures")?,
        locked_until: r.opt_time("locked_until")?,
    })
}

/// A JSON list of words.
#[must_use]
pub fn words(v: &[String]) -> String {
    serde_json::to_string(v).unwrap_or_else(|_| "[]".into())
}

/// Creates, or updates all but the password.
pub async fn upsert(tx: &mut Tx, s: &Staff) -> Result<(), StoreError> {
    tx.exec(
        UPSERT,
        args![
            &s.id,
            &s.account,
            &s.name,
            &s.number_index,
            &s.password_hash,
            words(&s.roles),
            &s.hall_id,
            s.department.clone(),
            s.skills.text()
        ],
    )
    .await
    .map(|_| ())
}

pub async fn get(tx: &mut Tx, id: &StaffId) -> Result<Option<Staff>, StoreError> {
    tx.one(GET, args![id], row).await
}

pub async fn by_account(tx: &mut Tx, account: &str) -> Result<Option<Staff>, StoreError> {
    tx.one(BY_ACCOUNT, args![account], row).await
}

pub async fn all(tx: &mut Tx) -> Result<Vec<Staff>, StoreError> {
    tx.all(ALL, args![], row).await
}

/// By account; at most a thousand.
pub async fn of_hall(tx: &mut Tx, hall: &HallId) -> Result<Vec<Staff>, StoreError> {
    tx.all(OF_HALL, args![hall], row).await
}

pub async fn failed(
    tx: &mut Tx,
    id: &StaffId,
    limit: i64,
    lock_until: Timestamp,
) -> Result<(), StoreError> {
    tx.exec(FAILED, args![id, limit, lock_until])
        .await
        .map(|_| ())
}

pub async fn succeeded(tx: &mut Tx, id: &StaffId) -> Result<(), StoreError> {
    tx.exec(SUCCEEDED, args![id]).await.map(|_| ())
}

/// True if the account exists.
pub async fn set_password(tx: &mut Tx, account: &str, hash: &str) -> Result<bool, StoreError> {
    Ok(tx.exec(PASSWORD, args![account, hash]).await? == 1)
}

/// True if there is such a person.
pub async fn set_skills(tx: &mut Tx, id: &StaffId, skills: &Skills) -> Result<bool, StoreError> {
    Ok(tx.exec(SKILLS, args![id, skills.text()]).await? == 1)
}

pub async fn insert_refresh(tx: &mut Tx, r: &Refresh) -> Result<(), StoreError> {
    tx.exec(
        REFRESH,
        args![&r.hash, &r.family, &r.staff_id, r.expires_at],
    )
    .await
    .map(|_| ())
}

pub async fn refresh(tx: &mut Tx, hash: &str) -> Result<Option<Refresh>, StoreError> {
    tx.one(REFRESH_GET, args![hash], |r| {
        Ok(Refresh {
            hash: r.text("hash")?,
            family: r.text("family")?,
            staff_id: r.id("staff_id")?,
            expires_at: r.time("expires_at")?,
            used_at: r.opt_time("used_at")?,
            revoked: r.bool("revoked")?,
        })
    })
    .await
}

/// True for the first user alone.
pub async fn use_refresh(tx: &mut Tx, hash: &str, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.exec(REFRESH_USE, args![hash, now]).await? == 1)
}

/// Ends every token that came from one log-in.
pub async fn revoke_family(tx: &mut Tx, family: &str) -> Result<(), StoreError> {
    tx.exec(REVOKE, args![family]).await.map(|_| ())
}

pub async fn sweep(tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
    tx.exec(REFRESH_SWEEP, args![now]).await?;
    tx.exec(WS_SWEEP, args![now]).await.map(|_| ())
}

pub async fn insert_ws_ticket(
    tx: &mut Tx,
    hash: &str,
    principal: &str,
    expires: Timestamp,
) -> Result<(), StoreError> {
    tx.exec(WS_INSERT, args![hash, principal, expires])
        .await
        .map(|_| ())
}

/// The principal, once.
pub async fn take_ws_ticket(
    tx: &mut Tx,
    hash: &str,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    let row = tx
        .one(WS_TAKE, args![hash], |r| {
            Ok((r.text("principal")?, r.time("expires_at")?))
        })
        .await?;
    Ok(row.filter(|(_, expires)| *expires > now).map(|(p, _)| p))
}
