//! Who is rung for whom: waiting tickets and ready seats of a hall, in the transaction that changed either. Never chooses
//! itself (`domain::pairing`).

use super::{super::Work, offers::offer};
use crate::problem::AppError;
use domain::{id::HallId, limits, pairing as rule, routing::Demand};
use store::{Tx, dialect, seat, ticket};

/// Offers waiting tickets to ready seats until none fits. Call it after any change that could make a pair.
pub(in crate::app) async fn match_hall(
    tx: &mut Tx,
    w: &mut Work,
    hall: &HallId,
) -> Result<(), AppError> {
    dialect::lock_hall(tx, hall).await?;
    while match_some(tx, w, hall).await? {}
    Ok(())
}

/// One round over as many seats as one look takes. True: there may be more.
async fn match_some(tx: &mut Tx, w: &mut Work, hall: &HallId) -> Result<bool, AppError> {
    let asked = ticket::demands(tx, hall).await?;
    if asked.is_empty() {
        return Ok(false);
    }
    let kinds = seat::ready_skills(tx, hall).await?;
    if kinds.is_empty() {
        return Ok(false);
    }
    let most = limits::MATCH_CANDIDATES;
    let mut wanted = vec![];
    // Only kinds of seats that some demand fits, and named people, are looked at: five thousand others may wait beside.
    let mut useful = vec![false; kinds.len()];
    let mut named: Vec<seat::Ready> = vec![];
    for (text, over) in asked {
        let demand = Demand::parse(&text)?;
        if !demand.allows_hall(hall) {
            continue;
        }
        let mut fits = false;
        if demand.only().is_empty() {
            for (kind, useful) in kinds.iter().zip(&mut useful) {
                if demand.fits("", &kind.0) {
                    (*useful, fits) = (true, true);
                }
            }
        }
        for staff in demand.only() {
            for s in seat::ready_of_staff(tx, hall, staff).await? {
                if demand.fits(staff, &s.skills.0) {
                    fits = true;
                    named.push(s);
                }
            }
        }
        if fits {
            wanted.push((demand, text, over));
        }
    }
    let mut lines = vec![];
    for (demand, text, over) in wanted {
        let tickets = ticket::of_demand(tx, hall, &text, over, most).await?;
        lines.push((demand, tickets));
    }
    // Each ticket takes one seat: of each kind no more can be needed, but for those that a ticket must not have.
    let excepted = lines.iter().filter(|l| l.0.excepted().is_some()).count() as i64;
    let enough = lines
        .iter()
        .map(|l| l.1.len() as i64)
        .sum::<i64>()
        .min(most)
        + excepted;
    let mut seats = vec![];
    for (kind, _) in kinds.iter().zip(useful).filter(|(_, useful)| *useful) {
        seats.extend(seat::ready(tx, hall, kind, enough).await?);
    }
    for s in named {
        if !seats.contains(&s) {
            seats.push(s);
        }
    }
    seats.sort_by(|a, b| (a.lane, a.since, &a.id).cmp(&(b.lane, b.since, &b.id)));
    let groups: Vec<_> = lines
        .iter()
        .map(|(demand, tickets)| rule::Group {
            demand: demand.clone(),
            tickets,
        })
        .collect();
    let ready: Vec<_> = seats
        .iter()
        .map(|s| rule::ReadySeat {
            seat: s.id.clone(),
            staff: s.staff_id.to_string(),
            skills: s.skills.0.clone(),
        })
        .collect();
    let pairs = rule::choose_by_demand(&groups, &ready);
    let made = pairs.len() as i64;
    let mut taken = false;
    for (tid, sid) in pairs {
        // An earlier pair took this seat's lane, or this lane's seat: whoever is left is looked at again.
        taken |= !offer(tx, w, hall, &tid, &sid).await?;
    }
    Ok(taken || made >= most)
}
