//! What time does at the desk: rings that nobody answered, pages that stayed silent, wrap-ups that are over.

use super::{
    super::{App, callbacks},
    lost_race_is_fine,
    matching::match_hall,
    moves::move_seat,
    offers::unoffer,
    seats::lose,
};
use crate::problem::AppError;
use domain::{id::Id as _, limits, pairing as rule, seat as seat_rule};
use serde_json::json;
use store::{dialect, pairing, seat};

/// Timers of the desk: rings, silences, wrap-ups. Each is a compare-and-set, so nodes may race.
pub async fn due(app: &App) -> Result<(), AppError> {
    let now = app.now();
    let (rings, silent, wraps) = app
        .read(move |tx| {
            Box::pin(async move {
                Ok((
                    pairing::ring_over(tx, now).await?,
                    seat::silent_until(tx, now - limits::SEAT_SILENCE).await?,
                    seat::wrap_up_over(tx, now).await?,
                ))
            })
        })
        .await?;
    for p in rings {
        let r = app
            .write("server", move |tx, w| {
                let mut p = p.clone();
                Box::pin(async move {
                    if callbacks::unanswered(tx, w, &mut p).await? {
                        return Ok(());
                    }
                    unoffer(
                        tx,
                        w,
                        &mut p,
                        rule::Cmd::TimeOut,
                        seat_rule::Cmd::RingUnanswered,
                        "no_answer",
                    )
                    .await?;
                    w.audit(tx, "pairing.timed_out", p.id.as_str(), json!({}))
                        .await
                })
            })
            .await;
        lost_race_is_fine(r)?;
    }
    for s in silent {
        let r = app.write("server", move |tx, w| {
            let id = s.id.clone();
            Box::pin(async move { lose(tx, w, &id).await })
        });
        lost_race_is_fine(r.await)?;
    }
    for s in wraps {
        let r = app.write("server", move |tx, w| {
            let id = s.id.clone();
            Box::pin(async move {
                let Some(mut s) = seat::get(tx, &id)
                    .await?
                    .filter(|s| s.due_at.is_some_and(|d| d <= w.now))
                else {
                    return Ok(());
                };
                dialect::lock_hall(tx, &s.hall_id).await?;
                move_seat(tx, w, &mut s, seat_rule::Cmd::Ready, None).await?;
                match_hall(tx, w, &s.hall_id).await
            })
        });
        lost_race_is_fine(r.await)?;
    }
    Ok(())
}
