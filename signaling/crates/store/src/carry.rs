//! A ticket that goes from the booth to the citizen's phone: one-time codes, of which only the hash is kept.

use crate::{StoreError, Tx, args};
use domain::{
    id::{TicketId, VisitId},
    time::Timestamp,
};

const INSERT: &str = "INSERT INTO carry_codes (hash, ticket_id, expires_at) VALUES ($1, $2, $3)";
const TAKE: &str = "UPDATE carry_codes SET used_at = $2 WHERE hash = $1 AND used_at IS NULL AND expires_at > $2 RETURNING ticket_id";
const SWEEP: &str = "DELETE FROM carry_codes WHERE expires_at < $1";
const IDENTITY: &str = "UPDATE visits SET identity_enc = (SELECT o.identity_enc FROM visits o WHERE o.id = $2), citizen_index = (SELECT o.citizen_index FROM visits o WHERE o.id = $2)
  WHERE id = $1 AND key_id = (SELECT o.key_id FROM visits o WHERE o.id = $2)";
const TICKET: &str = "UPDATE tickets SET visit_id = $2, channel = 'phone', grace_until = $3, holder = NULL, version = version + 1 WHERE id = $1 AND state IN ('waiting', 'offered')";
const PAIRING: &str =
    "UPDATE pairings SET visit_id = $2 WHERE ticket_id = $1 AND state = 'offered'";
// No `erase_at`: the key lives on with the visit that took over, and dies with it.
const END: &str = "UPDATE visits SET state = 'ended', ended_at = $2, card_nonce = NULL WHERE id = $1 AND state = 'open'";
pub const QUERIES: &[&str] = &[INSERT, TAKE, SWEEP, IDENTITY, TICKET, PAIRING, END];

pub async fn insert(
    tx: &mut Tx,
    hash: &str,
    ticket: &TicketId,
    expires: Timestamp,
) -> Result<(), StoreError> {
    tx.exec(INSERT, args![hash, ticket, expires])
        .await
        .map(|_| ())
}

/// The ticket, once. None: unknown, used or over; the caller cannot tell which, and need not.
pub async fn take(tx: &mut Tx, hash: &str, now: Timestamp) -> Result<Option<TicketId>, StoreError> {
    tx.one(TAKE, args![hash, now], |r| r.id("ticket_id")).await
}

/// Codes that were over before then.
pub async fn sweep(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.exec(SWEEP, args![before]).await
}

/// The ticket, its offer and the identity go from one visit to another of the same key; the old one ends. False: the ticket
/// is no longer in line, or the old visit has ended.
pub async fn carry(
    tx: &mut Tx,
    ticket: &TicketId,
    from: &VisitId,
    to: &VisitId,
    now: Timestamp,
    grace_until: Timestamp,
) -> Result<bool, StoreError> {
    if tx.exec(TICKET, args![ticket, to, grace_until]).await? != 1 {
        return Ok(false);
    }
    tx.exec(PAIRING, args![ticket, to]).await?;
    tx.exec(IDENTITY, args![to, from]).await?;
    Ok(tx.exec(END, args![from, now]).await? == 1)
}
