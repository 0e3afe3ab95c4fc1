//! A citizen's presence at a booth or on a phone.

use crate::{Row, StoreError, Tx, args};
use domain::{
    id::{BoothId, HallId, KeyId, RecordingId, VisitId},
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    pub id: VisitId,
    /// `booth` or `phone`.
    pub channel: String,
    pub hall_id: HallId,
    pub booth_id: Option<BoothId>,
    pub language: String,
    pub elder: bool,
    pub key_id: KeyId,
    /// {name, number} under the visit's key, once a card was read.
    pub identity_enc: Option<Vec<u8>>,
    /// HMAC of the identity number.
    pub citizen_index: Option<String>,
    /// The recording that was proven live while the card was read.
    pub identified_in: Option<RecordingId>,
    pub card_nonce: Option<String>,
    pub ended: bool,
    pub created_at: Timestamp,
}

const INSERT: &str = "INSERT INTO visits (id, channel, hall_id, booth_id, language, elder, key_id, card_nonce, state, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open', $9)";
const GET: &str = "SELECT * FROM visits WHERE id = $1";
// A card that is read once more beside a recording takes nothing away.
const IDENTIFY: &str = "UPDATE visits SET identity_enc = $2, citizen_index = $3, card_nonce = $4, identified_in = COALESCE($6, identified_in)
  WHERE id = $1 AND state = 'open' AND card_nonce = $5";
const NONCE: &str = "UPDATE visits SET card_nonce = $2 WHERE id = $1 AND state = 'open'";
const END: &str = "UPDATE visits SET state = 'ended', ended_at = $2, erase_at = $3, card_nonce = NULL WHERE id = $1 AND state = 'open'";
const LAPSED: &str = "SELECT id FROM visits v WHERE v.state = 'open' AND v.created_at < $1 AND NOT EXISTS (
    SELECT 1 FROM tickets t WHERE t.visit_id = v.id AND t.state IN ('waiting', 'offered', 'paired')) ORDER BY v.created_at, v.id LIMIT $2";
const ERASABLE: &str = "SELECT id, key_id FROM visits v WHERE v.erase_at <= $1 AND NOT EXISTS (
    SELECT 1 FROM sessions s WHERE s.visit_id = v.id AND s.state <> 'ended') ORDER BY v.erase_at, v.id LIMIT $2";
const SETTLED: &str = "UPDATE visits SET erase_at = NULL WHERE id = $1 AND erase_at IS NOT NULL";
pub const QUERIES: &[&str] = &[INSERT, GET, IDENTIFY, NONCE, END, LAPSED, ERASABLE, SETTLED];

fn row(r: &Row) -> Result<Visit, StoreError> {
    Ok(Visit {
        id: r.id("id")?,
        channel: r.text("channel")?,
        hall_id: r.id("hall_id")?,
        booth_id: r.opt_id("booth_id")?,
        language: r.text("language")?,
        elder: r.bool("elder")?,
        key_id: r.id("key_id")?,
        identity_enc: r.opt_blob("identity_enc")?,
        citizen_index: r.opt_text("citizen_index")?,
        identified_in: r.opt_id("identified_in")?,
        card_nonce: r.opt_text("card_nonce")?,
        ended: r.text("state")? == "ended",
        created_at: r.time("created_at")?,
    })
}

pub async fn insert(tx: &mut Tx, v: &Visit) -> Result<(), StoreError> {
    tx.exec(
        INSERT,
        args![
            &v.id,
            &v.channel,
            &v.hall_id,
            v.booth_id.as_ref(),
            &v.language,
            v.elder,
            &v.key_id,
            v.card_nonce.clone(),
            v.created_at
        ],
    )
    .await
    .map(|_| ())
}

pub async fn get(tx: &mut Tx, id: &VisitId) -> Result<Option<Visit>, StoreError> {
    tx.one(GET, args![id], row).await
}

/// Spends the nonce that the card read was signed over; false: it was not this visit's, or is spent. `during`: the recording that is
/// live now.
pub async fn identify(
    tx: &mut Tx,
    id: &VisitId,
    identity_enc: Vec<u8>,
    index: &str,
    next_nonce: &str,
    nonce: &str,
    during: Option<&RecordingId>,
) -> Result<bool, StoreError> {
    Ok(tx
        .exec(
            IDENTIFY,
            args![id, identity_enc, index, next_nonce, nonce, during],
        )
        .await?
        == 1)
}

pub async fn set_nonce(tx: &mut Tx, id: &VisitId, nonce: &str) -> Result<(), StoreError> {
    tx.exec(NONCE, args![id, nonce]).await.map(|_| ())
}

/// False: it had ended before. `erase_at`: when its key is destroyed unless a case has adopted it.
pub async fn end(
    tx: &mut Tx,
    id: &VisitId,
    now: Timestamp,
    erase_at: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.exec(END, args![id, now, erase_at]).await? == 1)
}

/// Open visits begun before then, of people who neither wait nor talk; the oldest first.
pub async fn lapsed(
    tx: &mut Tx,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<VisitId>, StoreError> {
    tx.all(LAPSED, args![before, limit], |r| r.id("id")).await
}

/// Ended visits whose keys are due, with the keys. One with a live session waits for its end.
pub async fn erasable(
    tx: &mut Tx,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(VisitId, KeyId)>, StoreError> {
    tx.all(ERASABLE, args![now, limit], |r| {
        Ok((r.id("id")?, r.id("key_id")?))
    })
    .await
}

/// The key was destroyed, or is a case's and stays. False: somebody else was first.
pub async fn settle(tx: &mut Tx, id: &VisitId) -> Result<bool, StoreError> {
    Ok(tx.exec(SETTLED, args![id]).await? == 1)
}
