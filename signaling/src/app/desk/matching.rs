//! Who is rung for whom: waiting tickets and ready seats of a hall, in the transaction that changed either. Never chooses
//! itself (`domain::pairing`).

use super::{
    super::{Work, lanes},
    offers::offer,
};
use crate::problem::AppError;
use domain::{
    id::{HallId, Id as _, SeatId, TicketId},
    limits, pairing as rule,
    routing::{Demand, TEXT_SKILL},
    seat::lanes::may_begin,
    time::Timestamp,
};
use std::collections::HashMap;
use store::{Tx, dialect, seat, ticket};

/// What is asked, its text in the rows, and whether it is another hall's.
type Asked = (Demand, String, bool);

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
    let mut calls: Vec<Asked> = vec![];
    for (text, over) in asked {
        let demand = Demand::parse(&text)?;
        if !demand.allows_hall(hall) {
            continue;
        }
        if !demand.skills().contains_key(TEXT_SKILL) {
            calls.push((demand.clone(), text.clone(), over));
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
    let held = leave_to_calls(tx, w, hall, &calls, &lines, &mut seats).await?;
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
    // A lane that was held for this round alone may be next.
    Ok(taken || made >= most || (held && made > 0))
}

/// Takes away lanes of seats that owe themselves to a call in line (`domain::seat::lanes::may_begin`). Where texts stand
/// before the call, one lane a seat stays, for the first of them. True: one was held for that alone.
async fn leave_to_calls(
    tx: &mut Tx,
    w: &Work,
    hall: &HallId,
    calls: &[Asked],
    lines: &[(Demand, Vec<(TicketId, i64)>)],
    seats: &mut Vec<seat::Ready>,
) -> Result<bool, AppError> {
    // By seat: the first call that it could serve, and whether one of its lanes stays already.
    let mut owed: HashMap<SeatId, (Option<Timestamp>, bool)> = HashMap::new();
    let mut held = false;
    let mut kept = Vec::with_capacity(seats.len());
    for s in seats.drain(..) {
        let main = match s.lane {
            0 => None,
            _ => seat::main_of(tx, &s.id).await?,
        };
        let Some(main) = main.filter(lanes::texting) else {
            kept.push(s);
            continue;
        };
        let staff = s.staff_id.as_str();
        if !owed.contains_key(&main.id) {
            let mut first: Option<i64> = None;
            for (demand, text, over) in calls {
                if demand.fits(staff, &main.skills.0) {
                    let of = ticket::of_demand(tx, hall, text, *over, 1).await?;
                    first = first.into_iter().chain(of.first().map(|c| c.1)).min();
                }
            }
            owed.insert(main.id.clone(), (first.map(Timestamp), false));
        }
        let Some((call, stays)) = owed.get_mut(&main.id) else {
            continue;
        };
        let oldest = lines
            .iter()
            .filter(|(demand, _)| demand.fits(staff, &s.skills.0))
            .filter_map(|(_, tickets)| tickets.first().map(|t| t.1))
            .min()
            .map(Timestamp);
        let overdue = !may_begin(Timestamp(i64::MAX), *call, w.now);
        if !oldest.is_none_or(|t| may_begin(t, *call, w.now)) {
            continue;
        }
        if overdue && *stays {
            held = true;
            continue;
        }
        *stays = true;
        kept.push(s);
    }
    *seats = kept;
    Ok(held)
}
