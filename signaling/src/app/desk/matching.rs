//! Who is rung for whom: waiting tickets and ready seats of a hall, in the transaction that changed either. Never chooses
//! itself (`domain::pairing`).

use super::{
    super::{Work, lanes},
    offers::offer,
};
use crate::problem::AppError;
use domain::{
    id::{HallId, Id as _, StaffId, TicketId},
    limits, pairing as rule,
    routing::{Demand, TEXT_SKILL},
    seat::lanes::may_begin,
    time::Timestamp,
};
use std::collections::{HashMap, HashSet};
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
    // What was held back for a call that is rung elsewhere now may be next.
    Ok(taken || made >= most || (held && made > 0))
}

/// Takes away lanes of seats that owe themselves to a call in line: each call that has waited too long owes one seat that
/// could serve it (`domain::seat::lanes::may_begin`). Where texts stand before that call, one lane of the seat stays, for the
/// first of them. True: a lane was held back.
async fn leave_to_calls(
    tx: &mut Tx,
    w: &Work,
    hall: &HallId,
    calls: &[Asked],
    lines: &[(Demand, Vec<(TicketId, i64)>)],
    seats: &mut Vec<seat::Ready>,
) -> Result<bool, AppError> {
    // Nobody sits at two seats.
    let mut texting: Vec<seat::Seat> = vec![];
    let mut looked: HashSet<StaffId> = HashSet::new();
    for s in seats.iter().filter(|s| s.lane > 0) {
        if looked.insert(s.staff_id.clone()) {
            texting.extend(seat::main_of(tx, &s.id).await?.filter(lanes::texting));
        }
    }
    if texting.is_empty() {
        return Ok(false);
    }
    texting.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
    let fits = |demand: &Demand, m: &seat::Seat| {
        let staff = m.staff_id.as_ref().map_or("", |s| s.as_str());
        demand.fits(staff, &m.skills.0)
    };
    let mut overdue: Vec<(i64, &Demand)> = vec![];
    for (demand, text, over) in calls {
        if texting.iter().any(|m| fits(demand, m)) {
            let most = texting.len() as i64;
            let first = ticket::of_demand(tx, hall, text, *over, most).await?;
            overdue.extend(first.into_iter().map(|(_, at)| (at, demand)));
        }
    }
    let late = |at: i64| !may_begin(Timestamp(i64::MAX), Some(Timestamp(at)), w.now);
    overdue.retain(|c| late(c.0));
    overdue.sort();
    // By whose seat: the call that it owes itself to, and whether one of its lanes stays already.
    let mut owed: HashMap<StaffId, (Timestamp, bool)> = HashMap::new();
    for (at, demand) in overdue {
        let free = |m: &&seat::Seat| !m.staff_id.as_ref().is_none_or(|s| owed.contains_key(s));
        let one = texting.iter().filter(free).find(|m| fits(demand, m));
        if let Some(staff) = one.and_then(|m| m.staff_id.clone()) {
            owed.insert(staff, (Timestamp(at), false));
        }
    }
    let before = seats.len();
    seats.retain(|s| {
        let Some((call, stays)) = owed.get_mut(&s.staff_id).filter(|_| s.lane > 0) else {
            return true;
        };
        let oldest = lines
            .iter()
            .filter(|(demand, _)| demand.fits(s.staff_id.as_str(), &s.skills.0))
            .filter_map(|(_, tickets)| tickets.first().map(|t| Timestamp(t.1)))
            .min();
        let begins = oldest.is_some_and(|t| may_begin(t, Some(*call), w.now));
        begins && !std::mem::replace(stays, true)
    });
    Ok(seats.len() < before)
}
