//! The desk in virtual time against theory: one skill, Poisson arrivals, exponential handling, nobody leaves (M/M/n).
//!
//! What decides is the product's own: order of service, the choice of pairs, the range that a citizen is told. Only the clock,
//! the rows and the people are made up here; the rows are those that the server would read.

use domain::{
    erlang,
    id::{Id as _, SeatId, StaffId, TicketId},
    pairing::{Group, ReadySeat, choose_by_demand},
    routing::{Plan, Preferred, Rule},
    ticket::{Class, order_key},
    time::{Span, Timestamp},
    wait,
};
use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap, HashMap, VecDeque},
};

/// GB/T 33358: answered within 15 s.
pub const WITHIN_S: f64 = 15.0;
/// Tickets that the server looks back at for an estimate.
const RECENT: usize = 50;
/// Kept for either way of looking back.
const KEPT: usize = 200;
/// Candidates of one look.
const CANDIDATES: usize = domain::limits::MATCH_CANDIDATES as usize;

/// Which tickets an estimate looks back at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Recent {
    /// Those paired last (`store::ticket::recent`). Of these only the short talks are over, so seats look faster than they are.
    Paired,
    /// Those whose talk ended last.
    Ended,
}

#[derive(Debug, Clone, Copy)]
pub struct Desk {
    pub seats: u32,
    /// Seconds.
    pub handling_s: f64,
    /// 0 to 1.
    pub occupancy: f64,
    /// Measured after a tenth as many that only fill the desk.
    pub arrivals: usize,
    pub seed: u64,
    pub recent: Recent,
}

#[derive(Debug, Clone, Default)]
pub struct Outcome {
    pub arrivals: usize,
    pub within: usize,
    /// Had to wait for a seat.
    pub waited: usize,
    pub waited_s: f64,
    /// Of those: told a range and waited outside it, and how far in all.
    pub outside: usize,
    pub missed_s: f64,
    /// Moments at which somebody waited beside a ready seat.
    pub idle_while_matchable: usize,
}

impl Outcome {
    #[must_use]
    pub fn answered_pct(&self) -> f64 {
        100.0 * self.within as f64 / self.arrivals.max(1) as f64
    }
    #[must_use]
    pub fn outside_pct(&self) -> f64 {
        100.0 * self.outside as f64 / self.waited.max(1) as f64
    }
    /// Mean distance from the range, of the mean wait of those who had to wait.
    #[must_use]
    pub fn estimate_error_pct(&self) -> f64 {
        100.0 * self.missed_s / self.waited_s.max(f64::MIN_POSITIVE)
    }
}

impl Desk {
    #[must_use]
    pub fn erlangs(&self) -> f64 {
        self.occupancy * f64::from(self.seats)
    }
    /// The share answered in time that Erlang C promises, in percent.
    #[must_use]
    pub fn erlang_pct(&self) -> f64 {
        100.0 * erlang::service_level(self.erlangs(), self.seats, self.handling_s, WITHIN_S)
    }
}

/// SplitMix64: the same sequence with every version of every library.
struct Rng(u64);

impl Rng {
    fn exponential(&mut self, mean: f64) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let u = ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64;
        -mean * (1.0 - u).ln()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrival,
    Free(usize),
}

struct Waiting {
    came: Timestamp,
    told: Option<(u32, u32)>,
    measured: bool,
}

/// A ticket that was paired, as the server's rows show it later.
struct Served {
    told: Option<(u32, u32)>,
    waited: Span,
    began: Timestamp,
    ends: Timestamp,
}

struct Hall {
    desk: Desk,
    rng: Rng,
    now: Timestamp,
    events: BinaryHeap<Reverse<(Timestamp, Event)>>,
    line: BTreeSet<(i64, TicketId)>,
    tickets: HashMap<TicketId, Waiting>,
    /// Since when each seat is ready, or busy.
    ready: Vec<(Timestamp, usize)>,
    busy: HashMap<usize, Timestamp>,
    recent: VecDeque<Served>,
    plan: domain::routing::Demand,
    seats: Vec<ReadySeat>,
    out: Outcome,
}

fn span(s: f64) -> Span {
    Span((s * 1e6) as i64)
}

/// Plays the desk. The same `desk` gives the same outcome.
///
/// # Errors
/// A demand that the domain refuses.
pub fn run(desk: Desk) -> Result<Outcome, domain::error::Rejected> {
    let rule = Rule::of_skill("general");
    let plan = Plan::new(&rule, &[], None, &Preferred::default())?;
    let seats = (0..desk.seats as usize).map(|n| ReadySeat {
        seat: SeatId::make(0, n as u128),
        staff: StaffId::make(0, n as u128).to_string(),
        skills: [("general".to_owned(), 3)].into_iter().collect(),
    });
    let mut hall = Hall {
        desk,
        rng: Rng(desk.seed),
        now: Timestamp(0),
        events: BinaryHeap::new(),
        line: BTreeSet::new(),
        tickets: HashMap::new(),
        ready: (0..desk.seats as usize)
            .map(|n| (Timestamp(0), n))
            .collect(),
        busy: HashMap::new(),
        recent: VecDeque::new(),
        plan: plan.at(Span(0)).demand,
        seats: seats.collect(),
        out: Outcome::default(),
    };
    hall.play();
    Ok(hall.out)
}

impl Hall {
    fn play(&mut self) {
        let warm_up = self.desk.arrivals / 10;
        let all = warm_up + self.desk.arrivals;
        let gap = self.desk.handling_s / self.desk.erlangs();
        let mut arrived = 0;
        self.events.push(Reverse((self.now, Event::Arrival)));
        while let Some(Reverse((at, event))) = self.events.pop() {
            self.now = at;
            match event {
                Event::Arrival => {
                    arrived += 1;
                    self.arrive(arrived, arrived > warm_up);
                    if arrived < all {
                        let next = self.now + span(self.rng.exponential(gap));
                        self.events.push(Reverse((next, Event::Arrival)));
                    }
                }
                Event::Free(seat) => {
                    self.busy.remove(&seat);
                    self.ready.push((self.now, seat));
                }
            }
            self.pair();
            // One skill: whoever waits may be served by whoever is ready.
            let idle = !self.line.is_empty() && !self.ready.is_empty();
            self.out.idle_while_matchable += usize::from(idle);
        }
    }

    fn arrive(&mut self, nth: usize, measured: bool) {
        let id = TicketId::make(self.now.millis(), nth as u128);
        let samples = self.samples();
        let ages: Vec<Span> = self.busy.values().map(|b| self.now.since(*b)).collect();
        let told = wait::estimate(&wait::Queue {
            ahead: self.line.len() as u32,
            seats: self.desk.seats,
            in_service: &ages,
            recent: &samples,
            between: Span(0),
        });
        self.line
            .insert((order_key(Class::Normal, self.now), id.clone()));
        let waiting = Waiting {
            came: self.now,
            told: told.map(|e| (e.low_s, e.high_s)),
            measured,
        };
        self.tickets.insert(id, waiting);
    }

    /// What the rows say of recent tickets, latest first.
    fn samples(&self) -> Vec<wait::Sample> {
        let over = |s: &&Served| s.ends <= self.now;
        let rows: Vec<&Served> = match self.desk.recent {
            Recent::Paired => self.recent.iter().take(RECENT).collect(),
            Recent::Ended => {
                let mut ended: Vec<_> = self.recent.iter().filter(over).collect();
                ended.sort_unstable_by_key(|s| Reverse(s.ends));
                ended.truncate(RECENT);
                ended
            }
        };
        rows.into_iter()
            .map(|s| wait::Sample {
                told_s: s.told,
                waited: s.waited,
                // Of a talk that goes on, the rows do not say how long it will be.
                served: over(&s).then(|| s.ends.since(s.began)),
            })
            .collect()
    }

    fn pair(&mut self) {
        if self.line.is_empty() || self.ready.is_empty() {
            return;
        }
        let first: Vec<_> = self
            .line
            .iter()
            .take(CANDIDATES)
            .map(|(key, id)| (id.clone(), *key))
            .collect();
        self.ready.sort_unstable();
        let ready: Vec<_> = self
            .ready
            .iter()
            .map(|(_, n)| self.seats[*n].clone())
            .collect();
        let group = Group {
            demand: self.plan.clone(),
            tickets: &first,
        };
        for (ticket, seat) in choose_by_demand(&[group], &ready) {
            let Some(n) = self.seats.iter().position(|s| s.seat == seat) else {
                continue;
            };
            self.begin(&ticket, n);
        }
    }

    fn begin(&mut self, id: &TicketId, seat: usize) {
        let Some(t) = self.tickets.remove(id) else {
            return;
        };
        self.line
            .remove(&(order_key(Class::Normal, t.came), id.clone()));
        self.ready.retain(|r| r.1 != seat);
        self.busy.insert(seat, self.now);
        let ends = self.now + span(self.rng.exponential(self.desk.handling_s));
        self.events.push(Reverse((ends, Event::Free(seat))));
        let waited = self.now.since(t.came);
        self.recent.push_front(Served {
            told: t.told,
            waited,
            began: self.now,
            ends,
        });
        self.recent.truncate(match self.desk.recent {
            Recent::Paired => RECENT,
            Recent::Ended => KEPT,
        });
        if !t.measured {
            return;
        }
        let s = waited.0 as f64 / 1e6;
        let o = &mut self.out;
        o.arrivals += 1;
        o.within += usize::from(s <= WITHIN_S);
        if waited > Span(0) {
            o.waited += 1;
            o.waited_s += s;
            if let Some((low, high)) = t.told {
                let miss = (f64::from(low) - s).max(s - f64::from(high)).max(0.0);
                o.missed_s += miss;
                o.outside += usize::from(miss > 0.0);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_desk_answers_as_erlang_says_and_leaves_nobody_beside_a_ready_seat() {
        let desk = Desk {
            seats: 10,
            handling_s: 300.0,
            occupancy: 0.7,
            arrivals: 30_000,
            seed: 5,
            recent: Recent::Ended,
        };
        let o = run(desk).unwrap();
        assert_eq!((o.arrivals, o.idle_while_matchable), (30_000, 0));
        assert!(
            (o.answered_pct() - desk.erlang_pct()).abs() < 2.0,
            "{} against {}",
            o.answered_pct(),
            desk.erlang_pct()
        );
        assert!(o.waited > 1_000 && o.outside <= o.waited);
        assert_eq!(run(desk).unwrap().missed_s, o.missed_s);
    }
}
