//! Consents (授权): what the citizen was asked and answered. The rows guard every reading of a licence
//! (`licence_accesses` has a trigger on them).

use crate::{Row, StoreError, Tx, args, staff::words};
use domain::{
    consent::State,
    id::{ConsentId, MemberId, SessionId, VisitId},
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    pub id: ConsentId,
    pub session_id: SessionId,
    pub visit_id: VisitId,
    /// Licence type code, 21 characters.
    pub licence_type: String,
    /// Unified social credit code, where a company's licence is asked for.
    pub company: Option<String>,
    pub item: String,
    /// Attribute names.
    pub fields: Vec<String>,
    pub purpose: String,
    /// Version of the privacy notice that was shown.
    pub policy_version: String,
    pub state: State,
    pub asked_by: MemberId,
    pub asked_at: Timestamp,
    pub decided_at: Option<Timestamp>,
    pub used_at: Option<Timestamp>,
    /// Set with the grant.
    pub expires_at: Option<Timestamp>,
    /// After the grant: `filled`, `nothing_found`, `not_entitled`, `library_unavailable`.
    pub outcome: Option<String>,
}

const INSERT: &str = "INSERT INTO consents (id, session_id, visit_id, licence_type, company, item, fields, purpose, policy_version, state, asked_by, asked_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'asked', $10, $11)";
const GET: &str = "SELECT * FROM consents WHERE id = $1";
const OF_SESSION: &str = "SELECT * FROM consents WHERE session_id = $1 ORDER BY id LIMIT 200";
const SAVE: &str =
    "UPDATE consents SET state = $3, decided_at = $4, used_at = $5, expires_at = $6, outcome = $7
  WHERE id = $1 AND state = $2";
const OUTCOME: &str = "UPDATE consents SET outcome = $2 WHERE id = $1";
const LIVE: &str = "SELECT * FROM consents WHERE session_id = $1 AND licence_type = $2 AND item = $3 AND state = 'granted' AND expires_at > $4
  ORDER BY decided_at DESC, id DESC LIMIT 1";
const EXPIRE: &str = "UPDATE consents SET state = 'expired' WHERE id IN (
    SELECT id FROM consents WHERE state = 'granted' AND expires_at <= $1 ORDER BY expires_at LIMIT 64)
  AND state = 'granted' RETURNING *";
pub const QUERIES: &[&str] = &[INSERT, GET, OF_SESSION, SAVE, OUTCOME, LIVE, EXPIRE];

fn row(r: &Row) -> Result<Consent, StoreError> {
    Ok(Consent {
        id: r.id("id")?,
        session_id: r.id("session_id")?,
        visit_id: r.id("visit_id")?,
        licence_type: r.text("licence_type")?,
        company: r.opt_text("company")?,
        item: r.text("item")?,
        fields: r.json("fields")?,
        purpose: r.text("purpose")?,
        policy_version: r.text("policy_version")?,
        state: r.word("state", State::parse)?,
        asked_by: r.id("asked_by")?,
        asked_at: r.time("asked_at")?,
        decided_at: r.opt_time("decided_at")?,
        used_at: r.opt_time("used_at")?,
        expires_at: r.opt_time("expires_at")?,
        outcome: r.opt_text("outcome")?,
    })
}

/// A question, in state asked. Fails with constraint where the same licence is being asked for this item already.
pub async fn insert(tx: &mut Tx, c: &Consent) -> Result<(), StoreError> {
    tx.exec(
        INSERT,
        args![
            &c.id,
            &c.session_id,
            &c.visit_id,
            &c.licence_type,
            c.company.clone(),
            &c.item,
            words(&c.fields),
            &c.purpose,
            &c.policy_version,
            &c.asked_by,
            c.asked_at
        ],
    )
    .await
    .map(|_| ())
}

pub async fn get(tx: &mut Tx, id: &ConsentId) -> Result<Option<Consent>, StoreError> {
    tx.one(GET, args![id], row).await
}

/// In order of asking.
pub async fn of_session(tx: &mut Tx, session: &SessionId) -> Result<Vec<Consent>, StoreError> {
    tx.all(OF_SESSION, args![session], row).await
}

/// Keeps what the consent has become since it was `was`; false: a lost race.
pub async fn save(tx: &mut Tx, c: &Consent, was: State) -> Result<bool, StoreError> {
    let n = tx
        .exec(
            SAVE,
            args![
                &c.id,
                was.as_str(),
                c.state.as_str(),
                c.decided_at,
                c.used_at,
                c.expires_at,
                c.outcome.clone()
            ],
        )
        .await?;
    Ok(n == 1)
}

/// What the reading brought; the state stays.
pub async fn set_outcome(tx: &mut Tx, id: &ConsentId, outcome: &str) -> Result<bool, StoreError> {
    Ok(tx.exec(OUTCOME, args![id, outcome]).await? == 1)
}

/// The grant under which this licence type may be read for this item now.
pub async fn live(
    tx: &mut Tx,
    session: &SessionId,
    licence_type: &str,
    item: &str,
    now: Timestamp,
) -> Result<Option<Consent>, StoreError> {
    tx.one(LIVE, args![session, licence_type, item, now], row)
        .await
}

/// Ends grants whose time is over, 64 a call; the answer is what ended.
pub async fn expire_due(tx: &mut Tx, now: Timestamp) -> Result<Vec<Consent>, StoreError> {
    tx.all(EXPIRE, args![now], row).await
}
