//! What a ticket asks of a seat: the queue's rule, the citizen's needs, who should serve them first. Rules are data of the
//! hall; how they relax is `domain::routing`'s business.

use super::{App, Work};
use crate::problem::{AppError, no};
use domain::{
    id::{HallId, Id as _},
    routing::{Plan, Preferred, Rule, Stage},
};
use std::collections::BTreeSet;
use store::{Tx, hall, queue, seat, session, ticket::Ticket, visit::Visit};

/// The queue's rule; one that nobody has written asks for the queue's own skill.
pub(super) async fn rule(tx: &mut Tx, hall: &HallId, code: &str) -> Result<Rule, AppError> {
    let Some(q) = queue::get(tx, hall, code).await? else {
        return Ok(Rule::of_skill(code));
    };
    serde_json::from_str(&q.rule)
        .map_err(|e| store::StoreError::Corrupt(format!("queue {code}: {e}")).into())
}

/// Access needs and the language that some skill of the county answers to. What nobody could ever have must not keep a
/// citizen waiting for ever: it is shown to the agent instead.
async fn answerable(
    tx: &mut Tx,
    needs: &[String],
    language: Option<&str>,
) -> Result<(Vec<String>, Option<String>), AppError> {
    if needs.is_empty() && language.is_none() {
        return Ok((vec![], None));
    }
    let known: BTreeSet<String> = hall::skills(tx)
        .await?
        .into_iter()
        .map(|s| s.code)
        .collect();
    let needs = needs
        .iter()
        .map(|n| format!("need:{n}"))
        .filter(|n| known.contains(n))
        .collect();
    let language = language
        .map(|l| format!("lang:{l}"))
        .filter(|l| known.contains(l));
    Ok((needs, language))
}

/// Who served this citizen last, if that person is on duty here.
async fn preferred(tx: &mut Tx, hall: &HallId, v: &Visit) -> Result<Preferred, AppError> {
    let last = match &v.citizen_index {
        Some(index) => session::last_agent_of(tx, hall, index).await?,
        None => None,
    };
    let on_duty = seat::on_duty(tx, hall).await?;
    Ok(Preferred {
        last_agent: last
            .filter(|l| on_duty.iter().any(|s| s.staff_id.as_ref() == Some(l)))
            .map(|l| l.to_string()),
        pair: vec![],
    })
}

/// What the ticket asks now, and when that changes.
pub(super) async fn stage(tx: &mut Tx, w: &Work, t: &Ticket, v: &Visit) -> Result<Stage, AppError> {
    let rule = rule(tx, &t.hall_id, &t.skill).await?;
    let (needs, language) = answerable(tx, &t.needs, t.language.as_deref()).await?;
    let preferred = if rule.prefer.last_agent_s > 0 {
        preferred(tx, &t.hall_id, v).await?
    } else {
        Preferred::default()
    };
    let plan = Plan::new(&rule, &needs, language.as_deref(), &preferred)?;
    Ok(plan.at(w.now.since(t.enqueued_at)))
}

/// Puts the stage into the ticket; the caller keeps it.
pub(super) fn enter(t: &mut Ticket, s: Stage) {
    t.demand = s.demand.key();
    t.overflow_hall = s.overflow.as_deref().and_then(HallId::parse);
    t.stage_at = s.next_after.map(|a| t.enqueued_at + a);
}

/// Tickets whose demand changes: they ask less, or other halls may serve them too.
pub async fn due(app: &App) -> Result<(), AppError> {
    let now = app.now();
    let over = app
        .read(move |tx| Box::pin(async move { Ok(store::ticket::stage_over(tx, now).await?) }))
        .await?;
    for t in over {
        let r = app
            .write("server", move |tx, w| {
                let mut t = t.clone();
                Box::pin(async move {
                    store::dialect::lock_hall(tx, &t.hall_id).await?;
                    let v = store::visit::get(tx, &t.visit_id)
                        .await?
                        .ok_or_else(|| no("visit_ended"))?;
                    let s = stage(tx, w, &t, &v).await?;
                    enter(&mut t, s);
                    if !store::ticket::save_stage(tx, &t).await? {
                        return Ok(());
                    }
                    w.wake(&t.id);
                    let halls = std::iter::once(t.hall_id.clone()).chain(t.overflow_hall.clone());
                    for h in halls {
                        w.wake(&h);
                        super::desk::match_hall(tx, w, &h).await?;
                    }
                    Ok(())
                })
            })
            .await;
        super::desk::lost_race_is_fine(r)?;
    }
    Ok(())
}
