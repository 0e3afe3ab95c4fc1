//! Call-backs (回拨): a ticket with a row here needs no page to wait.

use crate::{Row, StoreError, Tx, args};
use domain::{
    callback::{CallBack, State},
    id::{PairingId, TicketId},
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub ticket_id: TicketId,
    pub call_back: CallBack,
    /// Nobody could answer after this: the citizen's token is over.
    pub keep_until: Timestamp,
}

const INSERT: &str = "INSERT INTO call_backs (ticket_id, state, tries, due_at, keep_until) VALUES ($1, $2, $3, $4, $5)";
const GET: &str = "SELECT * FROM call_backs WHERE ticket_id = $1";
const MOVE: &str = "UPDATE call_backs SET state = $4, tries = $5, due_at = $6 WHERE ticket_id = $1 AND state = $2 AND tries = $3";
const OVER: &str = "SELECT * FROM call_backs WHERE state = 'waiting' AND keep_until <= $1 ORDER BY keep_until LIMIT 64";
const RING: &str = "UPDATE pairings SET due_at = $2 WHERE id = $1 AND state = 'offered'";
pub const QUERIES: &[&str] = &[INSERT, GET, MOVE, OVER, RING];

fn row(r: &Row) -> Result<Kept, StoreError> {
    Ok(Kept {
        ticket_id: r.id("ticket_id")?,
        call_back: CallBack {
            state: r.word("state", State::parse)?,
            tries: u8::try_from(r.int("tries")?)
                .map_err(|_| StoreError::Corrupt("tries".into()))?,
            due_at: r.opt_time("due_at")?,
        },
        keep_until: r.time("keep_until")?,
    })
}

pub async fn insert(tx: &mut Tx, k: &Kept) -> Result<(), StoreError> {
    tx.exec(
        INSERT,
        args![
            &k.ticket_id,
            k.call_back.state.as_str(),
            i64::from(k.call_back.tries),
            k.call_back.due_at,
            k.keep_until
        ],
    )
    .await
    .map(|_| ())
}

/// None: an ordinary ticket.
pub async fn get(tx: &mut Tx, ticket: &TicketId) -> Result<Option<Kept>, StoreError> {
    tx.one(GET, args![ticket], row).await
}

/// Compare-and-set on state and tries; false: a lost race.
pub async fn save(tx: &mut Tx, k: &Kept, was: CallBack) -> Result<bool, StoreError> {
    let n = tx
        .exec(
            MOVE,
            args![
                &k.ticket_id,
                was.state.as_str(),
                i64::from(was.tries),
                k.call_back.state.as_str(),
                i64::from(k.call_back.tries),
                k.call_back.due_at
            ],
        )
        .await?;
    Ok(n == 1)
}

/// Waiting ones that have waited too long.
pub async fn over(tx: &mut Tx, now: Timestamp) -> Result<Vec<Kept>, StoreError> {
    tx.all(OVER, args![now], row).await
}

/// The offer lasts as long as the citizen's phone rings; false: it is over.
pub async fn ring_until(
    tx: &mut Tx,
    pairing: &PairingId,
    until: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.exec(RING, args![pairing, until]).await? == 1)
}
