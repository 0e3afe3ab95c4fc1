//! What the line is asked for while a citizen is on the way to another seat: of whom, in which hall, and never of who handed
//! them over. Never moves a ticket or rings.

use crate::{
    app::{Work, invites, routing},
    problem::{AppError, no},
};
use domain::{
    id::{HallId, StaffId},
    invite::{Kind, Target},
    routing::{Demand, Plan, Preferred, Stage},
};
use std::collections::BTreeMap;
use store::{Tx, hall, invite, seat, session, ticket};

/// Whom the citizen goes to.
pub(super) struct Way {
    pub demand: Demand,
    /// Whose seats are asked.
    pub hall: HallId,
}

/// The way to `target`.
///
/// # Errors
/// `seat_not_ready`, `skill_unknown`, `hall_consent_missing`; `nobody_else_on_duty`: but for who hands over, nobody is there who
/// could take it.
pub(super) async fn of(
    tx: &mut Tx,
    w: &Work,
    s: &session::Session,
    t: &ticket::Ticket,
    target: &Target,
) -> Result<Way, AppError> {
    let (mut demand, hall) = match target {
        Target::Staff(_) | Target::Seat(_) => {
            let to = invites::ready_seat(tx, s, target).await?;
            let person: StaffId = to.staff_id.ok_or_else(|| no("seat_not_ready"))?;
            let only = Demand::new(BTreeMap::new(), vec![person.to_string()])?;
            (only, to.hall_id)
        }
        Target::Skill { hall, code } => {
            invites::consenting(tx, s, hall).await?;
            known(tx, code).await?;
            let (needs, language) =
                routing::answerable(tx, &t.needs, t.language.as_deref()).await?;
            let all = needs.into_iter().chain(language).chain([code.clone()]);
            let asked = Demand::new(all.map(|k| (k, 1)).collect(), vec![])?;
            (somebody_else(tx, s, asked, hall).await?, hall.clone())
        }
        Target::Queue { hall, skill } => {
            invites::consenting(tx, s, hall).await?;
            known(tx, skill).await?;
            let rule = routing::rule(tx, hall, skill).await?;
            let (needs, language) =
                routing::answerable(tx, &t.needs, t.language.as_deref()).await?;
            let plan = Plan::new(&rule, &needs, language.as_deref(), &Preferred::default())?;
            let asked = plan.at(w.now.since(t.enqueued_at)).demand;
            (somebody_else(tx, s, asked, hall).await?, hall.clone())
        }
        Target::Link => return Err(no("invite_target")),
    };
    if hall != t.hall_id {
        // The ticket stands in both halls' lines: on this way its own hall is not asked.
        demand = demand.at(&hall);
    }
    Ok(Way { demand, hall })
}

async fn known(tx: &mut Tx, code: &str) -> Result<(), AppError> {
    if hall::skills(tx).await?.iter().any(|s| s.code == code) {
        Ok(())
    } else {
        Err(no("skill_unknown"))
    }
}

/// The demand without who hands over, if anybody else on duty meets it.
async fn somebody_else(
    tx: &mut Tx,
    s: &session::Session,
    asked: Demand,
    hall: &HallId,
) -> Result<Demand, AppError> {
    let asked = asked.but(&s.staff_id);
    let meets = |x: &seat::OnDuty| {
        let who = x.staff_id.as_ref();
        who.is_some_and(|id| asked.fits(&id.to_string(), &x.skills.0))
    };
    if seat::on_duty(tx, hall).await?.iter().any(meets) {
        Ok(asked)
    } else {
        Err(no("nobody_else_on_duty"))
    }
}

/// What a ticket asks that is on its way by a cold transfer: what the transfer asked, whatever its queue's rule says. When the
/// other hall serves its people no longer, the way is over at once: the timer brings it home.
pub(in crate::app) async fn on_the_way(
    tx: &mut Tx,
    w: &Work,
    t: &ticket::Ticket,
) -> Result<Option<Stage>, AppError> {
    let Some(id) = &t.session_id else {
        return Ok(None);
    };
    let live = invite::live(tx, id).await?;
    let Some(i) = live.into_iter().find(|i| i.kind == Kind::TransferCold) else {
        return Ok(None);
    };
    let demand = Demand::parse(&t.demand)?;
    let mut overflow = demand.hall();
    if let Some(there) = &overflow
        && !hall::accepts_from(tx, there, &t.hall_id).await?
    {
        overflow = None;
        invite::set_due(tx, &i.id, Some(w.now)).await?;
    }
    Ok(Some(Stage {
        demand,
        overflow: overflow.map(|h| h.to_string()),
        next_after: None,
    }))
}
