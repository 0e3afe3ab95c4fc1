//! The choice over demand classes: waiting tickets grouped by what they ask, ready seats longest ready first.

use crate::{
    id::{SeatId, TicketId},
    routing::Demand,
};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// Tickets that ask the same, in order of service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<'a> {
    pub demand: Demand,
    /// Ticket and its order key (`ticket::order_key`), ascending by key, then id. As many as there are ready seats are enough.
    pub tickets: &'a [(TicketId, i64)],
}

/// A ready seat, and who sits there with which skills (code → level).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadySeat {
    pub seat: SeatId,
    pub staff: String,
    pub skills: BTreeMap<String, u8>,
}

/// Pairs in the order in which they were made. `seats` come longest ready first (ties by id).
///
/// The law is the order of service: tickets are looked at across all groups by order key, and each takes its seat at once:
/// the first of those its demand is held for, in that order, else the one that has been ready longest. So no seat that an
/// earlier ticket could have had goes to a later one, and a ticket that fits nobody holds up no other. More pairs could
/// at times be had by letting a later ticket first; that would be an inversion, and is not done.
///
/// Costs groups × seats plus pairs × (seats + log groups): a group that no seat fits is dropped whole, however long.
#[must_use]
pub fn choose_by_demand(groups: &[Group<'_>], seats: &[ReadySeat]) -> Vec<(TicketId, SeatId)> {
    let mut free: Vec<Option<&ReadySeat>> = seats.iter().map(Some).collect();
    let mut left = seats.len();
    let mut pairs = Vec::new();
    let mut heads: BinaryHeap<Reverse<(i64, &TicketId, usize, usize)>> = groups
        .iter()
        .enumerate()
        .filter_map(|(g, group)| {
            let (id, key) = group.tickets.first()?;
            Some(Reverse((*key, id, g, 0)))
        })
        .collect();
    while left > 0
        && let Some(Reverse((_, id, g, at))) = heads.pop()
    {
        let group = &groups[g];
        // Seats only become fewer: when none fits now, none will fit the rest of the group.
        let Some(i) = best(&group.demand, &free) else {
            continue;
        };
        if let Some(seat) = free[i].take() {
            pairs.push((id.clone(), seat.seat.clone()));
            left -= 1;
        }
        if let Some((id, key)) = group.tickets.get(at + 1) {
            heads.push(Reverse((*key, id, g, at + 1)));
        }
    }
    pairs
}

fn best(demand: &Demand, free: &[Option<&ReadySeat>]) -> Option<usize> {
    let fitting = || {
        free.iter()
            .enumerate()
            .filter_map(|(i, s)| s.map(|s| (i, s)))
            .filter(|(_, s)| demand.fits(&s.staff, &s.skills))
    };
    if demand.only().is_empty() {
        return fitting().map(|(i, _)| i).next();
    }
    fitting()
        .min_by_key(|(i, s)| (demand.only().iter().position(|o| *o == s.staff), *i))
        .map(|(i, _)| i)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::id::{Id as _, StaffId};
    use proptest::prelude::*;
    use std::collections::{HashMap, HashSet};

    fn staff(n: usize) -> String {
        StaffId::make(n as i64, 0).to_string()
    }
    fn ticket(n: usize) -> TicketId {
        TicketId::make(n as i64, 0)
    }
    fn seat(n: usize, skills: &[(&str, u8)]) -> ReadySeat {
        ReadySeat {
            seat: SeatId::make(n as i64, 0),
            staff: staff(n),
            skills: skills.iter().map(|(c, l)| ((*c).to_owned(), *l)).collect(),
        }
    }
    fn demand(key: &str) -> Demand {
        Demand::parse(key).unwrap()
    }

    #[test]
    fn the_pair_is_rung_in_its_order_and_b_when_a_is_not_ready() {
        let d = demand(&format!("general:1|only={},{}", staff(2), staff(1)));
        let g = [(ticket(1), 0)];
        let groups = [Group {
            demand: d,
            tickets: &g,
        }];
        let general = [("general", 1)];
        let (a, b, other) = (seat(2, &general), seat(1, &general), seat(0, &general));
        let chosen = |s: &[ReadySeat]| choose_by_demand(&groups, s).first().map(|p| p.1.clone());
        assert_eq!(chosen(&[other.clone(), b.clone(), a.clone()]), Some(a.seat));
        assert_eq!(chosen(&[other.clone(), b.clone()]), Some(b.seat));
        assert_eq!(chosen(&[other]), None);
    }

    #[test]
    fn the_seat_that_has_been_ready_longest_is_rung_whatever_it_knows_besides() {
        let (expert, plain) = (
            seat(1, &[("general", 5), ("tax", 5)]),
            seat(2, &[("general", 1)]),
        );
        let g = [(ticket(1), 0)];
        let groups = [Group {
            demand: demand("general:1"),
            tickets: &g,
        }];
        let pairs = choose_by_demand(&groups, &[expert.clone(), plain]);
        assert_eq!(pairs, [(ticket(1), expert.seat)]);
    }

    #[test]
    fn order_holds_across_groups_and_a_long_queue_that_fits_nobody_holds_up_no_one() {
        let police: Vec<_> = (0..5_000).map(|i| (ticket(i), i as i64)).collect();
        let tax = [(ticket(9_001), 10_001)];
        let general = [(ticket(9_000), 10_000)];
        let groups = [
            Group {
                demand: demand("police:1"),
                tickets: &police,
            },
            Group {
                demand: demand("tax:1"),
                tickets: &tax,
            },
            Group {
                demand: demand("general:1"),
                tickets: &general,
            },
        ];
        let both = seat(1, &[("general", 1), ("tax", 1)]);
        assert_eq!(
            choose_by_demand(&groups, std::slice::from_ref(&both)),
            [(ticket(9_000), both.seat)]
        );
    }

    fn any_demand() -> impl Strategy<Value = Demand> {
        (
            prop::collection::btree_map(
                prop::sample::select(vec!["general", "police", "need:slow_speech"]),
                1u8..=3,
                0..3,
            ),
            prop::collection::btree_set(0usize..6, 0..3),
        )
            .prop_map(|(skills, only)| {
                let skills = skills.into_iter().map(|(c, l)| (c.to_owned(), l)).collect();
                Demand::new(skills, only.into_iter().map(staff).collect()).unwrap()
            })
    }

    proptest! {
        #[test]
        fn nobody_twice_no_inversion_nobody_left_beside_a_seat_that_fits(
            demands in prop::collection::btree_set(any_demand(), 1..5),
            tickets in prop::collection::vec((0usize..5, 0i64..8), 0..24),
            seats in prop::collection::vec(prop::collection::btree_map(prop::sample::select(vec!["general", "police", "need:slow_speech"]), 1u8..=3, 0..4), 0..10),
        ) {
            let demands: Vec<_> = demands.into_iter().collect();
            let mut lists: Vec<Vec<(TicketId, i64)>> = vec![vec![]; demands.len()];
            let mut all = vec![];
            for (n, (d, key)) in tickets.into_iter().enumerate() {
                let d = d % demands.len();
                lists[d].push((ticket(n), key));
                all.push((key, ticket(n), d));
            }
            all.sort();
            for l in &mut lists { l.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0))); }
            let groups: Vec<_> = demands.iter().zip(&lists).map(|(d, t)| Group { demand: d.clone(), tickets: t }).collect();
            let seats: Vec<_> = seats.into_iter().enumerate().map(|(i, s)| seat(i, &s.into_iter().collect::<Vec<_>>())).collect();

            let pairs = choose_by_demand(&groups, &seats);
            let of: HashMap<_, _> = pairs.iter().cloned().collect();
            let used: HashSet<_> = pairs.iter().map(|p| p.1.clone()).collect();
            prop_assert_eq!((of.len(), used.len()), (pairs.len(), pairs.len()), "nobody twice");
            let fits = |d: usize, s: &ReadySeat| demands[d].fits(&s.staff, &s.skills);
            for (i, (_, t, d)) in all.iter().enumerate() {
                match of.get(t) {
                    Some(s) => {
                        let s = seats.iter().find(|x| x.seat == *s).unwrap();
                        prop_assert!(fits(*d, s), "only a seat that fits");
                        prop_assert!(!all[..i].iter().any(|(_, e, ed)| !of.contains_key(e) && fits(*ed, s)), "an earlier ticket could have had it");
                    }
                    None => {
                        prop_assert!(!seats.iter().any(|s| !used.contains(&s.seat) && fits(*d, s)), "a matchable ticket beside a ready seat");
                        prop_assert!(!all[i + 1..].iter().any(|(_, l, ld)| ld == d && of.contains_key(l)), "a later ticket of the same demand went first");
                    }
                }
            }
        }
    }
}
