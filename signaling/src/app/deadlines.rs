//! Days that pass without anybody acting: a correction that did not come returns its case.
//!
//! Never decides whether a day has passed for a case: that is `domain::case`; the rows only say where to look.

use super::{App, case_core, desk};
use crate::problem::AppError;
use domain::{
    case::{Actor, Cmd, Rules, State},
    id::CaseId,
};
use store::case;

/// Cases of one call: a backlog is worked off over several.
const BATCH: i64 = 64;

/// Returns the cases whose applicants let the last day of their correction pass. For the timers; nodes may race.
pub async fn return_overdue(app: &App) -> Result<(), AppError> {
    let today = app.now().beijing_date().to_string();
    let over = app
        .read(move |tx| Box::pin(async move { Ok(case::overdue(tx, &today, BATCH).await?) }))
        .await?;
    for id in over {
        desk::lost_race_is_fine(return_one(app, id).await)?;
    }
    Ok(())
}

async fn return_one(app: &App, id: CaseId) -> Result<(), AppError> {
    app.write("server", move |tx, w| {
        let id = id.clone();
        Box::pin(async move {
            let app = w.app.clone();
            let mut o = case_core::open(&app, tx, &id, true).await?;
            if o.row.state != State::Correction {
                return Ok(());
            }
            o.apply(tx, w, &Actor::System, &Rules::default(), Cmd::ReturnOverdue)
                .await?;
            o.row.claimed_by = None;
            o.event(tx, w, "returned", None).await?;
            o.save(tx, w).await
        })
    })
    .await
}
