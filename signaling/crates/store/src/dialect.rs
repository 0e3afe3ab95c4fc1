//! The few places where the two databases must be told different things.

use crate::{StoreError, Tx, args};
use domain::id::{HallId, Id as _};

/// Matching and seat changes of one hall take turns. SQLite's single writer does that already.
pub async fn lock_hall(tx: &mut Tx, hall: &HallId) -> Result<(), StoreError> {
    // This node's own first, one after another; a hall that is locked already is not asked for again.
    if let Tx::Postgres(open) = tx
        && open.turn(hall.as_str()).await
    {
        tx.exec("SELECT id FROM halls WHERE id = $1 FOR UPDATE", args![hall])
            .await?;
    }
    Ok(())
}

/// Takes turns on one session's journal and form. The row's own UPDATE would do it too, but later than the rules read.
pub async fn lock_session(tx: &mut Tx, session: &domain::id::SessionId) -> Result<(), StoreError> {
    if tx.is_postgres() {
        tx.exec(
            "SELECT id FROM sessions WHERE id = $1 FOR UPDATE",
            args![session],
        )
        .await?;
    }
    Ok(())
}

/// Takes turns on one case.
pub async fn lock_case(tx: &mut Tx, case: &domain::id::CaseId) -> Result<(), StoreError> {
    if tx.is_postgres() {
        tx.exec("SELECT id FROM cases WHERE id = $1 FOR UPDATE", args![case])
            .await?;
    }
    Ok(())
}
