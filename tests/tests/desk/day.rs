//! A day in virtual time: citizens come as a Poisson process, give up, close the page, drop out of calls; agents answer,
//! decline, miss rings, drop, take breaks; the node dies between any two steps, or within one. From one seed comes one day.
//!
//! Checked after each step: nobody matchable beside a ready seat, nobody in two live pairings. Checked over the whole day: every
//! ticket ended exactly once, none is lost, and nobody was passed by a later one of the same line and class. A day that
//! fails is kept in `seeds.txt` and played first.

use crate::{
    calls::{Ask, Call, Who, cut, perform, refused, visit},
    look::Look,
    world::{On, QUEUES, World, seat_id, staff_id},
};
use domain::{
    id::{Id, PairingId, SeatId, SessionId, StaffId, TicketId, VisitId},
    routing::Demand,
    ticket,
    time::{Span, Timestamp},
};
use futures::FutureExt as _;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap, HashSet},
    io::Write as _,
    time::Instant,
};
use store::{StoreError, Tx, args};

/// `seed tickets seats` a line.
const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/desk/seeds.txt");
/// Arrivals of the day (seconds): nine to five.
const HOURS: f64 = 8.0 * 3600.0;
/// Occupancy that the arrivals are made for, were nobody to drop, decline or break.
const LOAD: f64 = 0.8;
/// One step in so many meets the node's end.
const CRASH_IN: u32 = 150;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    pub seed: u64,
    pub tickets: usize,
    pub seats: usize,
}

/// What happens by itself at some moment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrive,
    /// Patience is over.
    GiveUp(VisitId, TicketId),
    Page(TicketId, bool),
    Answer(SeatId, StaffId, PairingId),
    Decline(StaffId, PairingId),
    Join(SessionId, StaffId, VisitId),
    /// The citizen's connection, or the agent's, is gone.
    Drop(SessionId, bool),
    Back(SessionId, Option<StaffId>, VisitId),
    Over(SessionId, StaffId),
    WrapUp(SessionId, StaffId),
    Sit(usize),
    Hold(usize),
    PageGone(usize, bool),
    Break(usize),
}

/// The few rows that a step may have changed: looked at after each one.
#[derive(Default)]
struct Glance {
    /// An offer that rings: pairing, seat, staff.
    rings: Vec<(PairingId, SeatId, StaffId)>,
    due: Option<Timestamp>,
}

const DUE: &str = "SELECT min(x) AS at FROM (
    SELECT min(due_at) AS x FROM pairings WHERE state = 'offered'
    UNION ALL SELECT min(due_at) FROM seats WHERE state = 'wrap_up' AND due_at IS NOT NULL
    UNION ALL SELECT min(silent_since) + 30000000 FROM seats WHERE silent_since IS NOT NULL AND state IN ('ready', 'ringing', 'wrap_up')
    UNION ALL SELECT min(grace_until) FROM tickets WHERE grace_until IS NOT NULL AND state IN ('waiting', 'offered')
    UNION ALL SELECT min(stage_at) FROM tickets WHERE stage_at IS NOT NULL AND state = 'waiting'
    UNION ALL SELECT min(due_at) FROM sessions WHERE due_at IS NOT NULL AND state <> 'ended') AS d";

/// Who waits beside a ready seat, said by the rows and the domain alone; and what rings.
async fn glance(tx: &mut Tx) -> Result<Result<Glance, String>, StoreError> {
    let demands = tx.all(
        "SELECT DISTINCT demand FROM tickets WHERE state = 'waiting'",
        args![],
        |r| r.text("demand"),
    );
    let demands = demands.await?;
    let ready = tx.all(
        "SELECT id, staff_id, skills FROM seats WHERE state = 'ready' AND silent_since IS NULL",
        args![],
        |r| {
            let skills: BTreeMap<String, u8> = r.json("skills")?;
            Ok((r.text("id")?, r.text("staff_id")?, skills))
        },
    );
    for (id, staff, skills) in ready.await? {
        for d in &demands {
            if Demand::parse(d).is_ok_and(|d| d.fits(&staff, &skills)) {
                return Ok(Err(format!("{id} is ready beside a ticket that asks {d}")));
            }
        }
    }
    let live = tx.all(
        "SELECT p.id, p.seat_id, p.visit_id, p.state, s.staff_id FROM pairings p JOIN seats s ON s.id = p.seat_id
         WHERE p.state IN ('offered', 'accepted')",
        args![],
        |r| {
            let rings = r.text("state")? == "offered";
            Ok((rings, r.id("id")?, r.id("seat_id")?, r.opt_id("staff_id")?, r.text("visit_id")?))
        },
    );
    let (mut seats, mut visits) = (HashSet::new(), HashSet::new());
    let mut out = Glance::default();
    for (rings, pairing, seat, staff, visit) in live.await? {
        let seat: SeatId = seat;
        if !seats.insert(seat.clone()) || !visits.insert(visit) {
            return Ok(Err(format!(
                "{pairing}: its seat or citizen is paired twice"
            )));
        }
        match staff {
            Some(s) if rings => out.rings.push((pairing, seat, s)),
            None => return Ok(Err(format!("{seat} is paired and nobody sits there"))),
            Some(_) => {}
        }
    }
    out.due = tx.one(DUE, args![], |r| r.opt_time("at")).await?.flatten();
    Ok(Ok(out))
}

struct Run {
    day: Day,
    world: World,
    rng: StdRng,
    events: BinaryHeap<Reverse<(Timestamp, u64, Event)>>,
    nth: u64,
    arrived: usize,
    taken: BTreeSet<String>,
    rung: HashSet<PairingId>,
    steps: u32,
    crashes: u32,
}

/// What a day came to.
#[derive(Debug)]
pub struct Report {
    pub steps: u32,
    pub crashes: u32,
    pub ends: BTreeMap<String, usize>,
    pub offers: usize,
}

type Checked<T> = Result<T, String>;

impl Run {
    async fn new(day: Day) -> Self {
        let mut r = Self {
            day,
            world: World::new(On::Sqlite, day.seats).await,
            rng: StdRng::seed_from_u64(day.seed),
            events: BinaryHeap::new(),
            nth: 0,
            arrived: 0,
            taken: BTreeSet::new(),
            rung: HashSet::new(),
            steps: 0,
            crashes: 0,
        };
        for n in 0..day.seats {
            r.after(n as f64 * 0.5, Event::Sit(n));
            let first = r.exponential(2400.0);
            r.after(600.0 + first, Event::Break(n));
        }
        r.after(1.0, Event::Arrive);
        r
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.rng.random::<f64>()).ln()
    }
    fn chance(&mut self, p: f64) -> bool {
        self.rng.random_bool(p)
    }
    fn within(&mut self, a: f64, b: f64) -> f64 {
        self.rng.random_range(a..b)
    }
    fn after(&mut self, s: f64, e: Event) {
        self.nth += 1;
        let at = self.world.clock.peek() + Span((s * 1e6) as i64);
        self.events.push(Reverse((at, self.nth, e)));
    }

    /// One call; now and then the node dies before, within or after it, and the page asks again. None: refused.
    async fn call(&mut self, call: &Call) -> Checked<Option<String>> {
        self.steps += 1;
        let key = format!("k{}", self.steps);
        if self.rng.random_ratio(1, CRASH_IN) {
            let times = self.rng.random_range(0..12);
            cut(perform(&self.world.app, call, &key), times).await;
            self.world.crash().await;
            self.crashes += 1;
            self.rung.clear();
            self.pages_come_back().await;
        }
        match perform(&self.world.app, call, &key).await {
            Ok(a) => Ok(Some(a)),
            Err(e) if refused(&e) => Ok(None),
            Err(e) => Err(format!("{call:?}: {e}")),
        }
    }

    /// Every page notices the dead line and connects again, most of them in time.
    async fn pages_come_back(&mut self) {
        for n in 0..self.day.seats {
            let late = if self.chance(0.05) { 60.0 } else { 0.0 };
            let s = self.within(0.5, 5.0) + late;
            self.after(s, Event::Hold(n));
        }
        let live = self.world.app.store.read(|tx| {
            async move {
                let sql = "SELECT id, staff_id, visit_id FROM sessions WHERE state <> 'ended'";
                let row = |r: &store::Row| Ok((r.id("id")?, r.id("staff_id")?, r.id("visit_id")?));
                tx.all(sql, args![], row).await
            }
            .boxed()
        });
        let live: Result<Vec<(SessionId, StaffId, VisitId)>, StoreError> = live.await;
        for (id, staff, visit) in live.unwrap() {
            for who in [None, Some(staff)] {
                if self.chance(0.95) {
                    let s = self.within(0.5, 8.0);
                    self.after(s, Event::Back(id.clone(), who, visit.clone()));
                }
            }
        }
    }

    async fn happens(&mut self, e: Event) -> Checked<()> {
        match e {
            Event::Arrive => self.arrive().await?,
            Event::GiveUp(v, t) => {
                self.call(&Call::Cancel(v, t)).await?;
            }
            Event::Page(t, here) => {
                self.call(&Call::Page(t, here)).await?;
            }
            Event::Answer(seat, staff, p) => self.answer(seat, staff, p).await?,
            Event::Decline(staff, p) => {
                self.call(&Call::Decline(staff, p)).await?;
            }
            Event::Join(id, staff, visit) => {
                self.call(&Call::Join(Who::Citizen(visit), id.clone()))
                    .await?;
                self.call(&Call::Join(Who::Agent(staff), id)).await?;
            }
            Event::Drop(id, agent) => {
                let s = id.clone();
                let members = self
                    .world
                    .app
                    .read(|tx| Box::pin(async move { Ok(store::session::members(tx, &s).await?) }));
                let members = members.await.map_err(|e| e.to_string())?;
                let m = members
                    .into_iter()
                    .find(|m| m.staff_id.is_some() == agent && m.present);
                if let Some(h) = m.and_then(|m| m.holder) {
                    self.call(&Call::Drop(id, h)).await?;
                }
            }
            Event::Back(id, staff, visit) => {
                let who = staff.map_or(Who::Citizen(visit), Who::Agent);
                self.call(&Call::Join(who, id)).await?;
            }
            Event::Over(id, staff) => {
                let who = Who::Agent(staff.clone());
                if self.call(&Call::End(who, id.clone())).await?.is_some() && self.chance(0.85) {
                    let s = self.within(2.0, 25.0);
                    self.after(s, Event::WrapUp(id, staff));
                }
            }
            Event::WrapUp(id, staff) => {
                let then_away = self.chance(0.03);
                self.call(&Call::WrapUp(staff, id, then_away)).await?;
            }
            Event::Sit(n) => {
                let (staff, seat) = (staff_id(n), seat_id(n));
                // Open where nobody sits, ready where somebody does.
                if self
                    .call(&Call::Ask(staff.clone(), seat.clone(), Ask::Ready))
                    .await?
                    .is_none()
                {
                    self.call(&Call::Open(staff.clone(), seat.clone())).await?;
                    self.call(&Call::Hold(staff, seat)).await?;
                }
            }
            Event::Hold(n) => {
                self.call(&Call::Hold(staff_id(n), seat_id(n))).await?;
            }
            Event::PageGone(n, closed) => {
                self.call(&Call::Gone(seat_id(n), closed)).await?;
                let s = self.within(5.0, 50.0);
                self.after(s, Event::Hold(n));
                self.after(s + 1.0, Event::Sit(n));
            }
            Event::Break(n) => {
                let ask = if self.chance(0.2) {
                    Ask::Close
                } else {
                    Ask::Away
                };
                self.call(&Call::Ask(staff_id(n), seat_id(n), ask)).await?;
                let (rest, next) = (self.within(60.0, 400.0), self.exponential(2400.0));
                self.after(rest, Event::Sit(n));
                self.after(rest + next, Event::Break(n));
                if self.chance(0.2) {
                    let (s, closed) = (self.within(500.0, 900.0), self.chance(0.5));
                    self.after(s, Event::PageGone(n, closed));
                }
            }
        }
        Ok(())
    }

    async fn arrive(&mut self) -> Checked<()> {
        self.arrived += 1;
        if self.arrived < self.day.tickets {
            let gap = self.exponential(HOURS / self.day.tickets as f64);
            self.after(gap, Event::Arrive);
        }
        let item = match self.rng.random_range(0..10) {
            0..=1 => Some(QUEUES[0]),
            2 => Some(QUEUES[1]),
            _ => None,
        };
        let visit = visit(&self.world.app).await;
        let take = Call::Take {
            visit: visit.clone(),
            item,
            need: self.chance(0.08),
            priority: self.chance(0.15),
        };
        let Some(id) = self.call(&take).await? else {
            return Err("a new citizen's ticket was refused".into());
        };
        self.taken.insert(id.clone());
        let id = TicketId::parse(&id).ok_or("no ticket id")?;
        let patience = 30.0 + self.exponential(1500.0);
        self.after(patience, Event::GiveUp(visit, id.clone()));
        if self.chance(0.08) {
            let (gone, away) = (self.within(1.0, 60.0), self.within(10.0, 500.0));
            self.after(gone, Event::Page(id.clone(), false));
            if self.chance(0.6) {
                self.after(gone + away, Event::Page(id, true));
            }
        }
        Ok(())
    }

    async fn answer(&mut self, seat: SeatId, staff: StaffId, p: PairingId) -> Checked<()> {
        let Some(session) = self.call(&Call::Accept(staff.clone(), p)).await? else {
            return Ok(());
        };
        let id = SessionId::parse(&session).ok_or("no session id")?;
        let s = id.clone();
        let row = self
            .world
            .app
            .read(|tx| Box::pin(async move { Ok(store::session::get(tx, &s).await?) }));
        let visit = row
            .await
            .map_err(|e| e.to_string())?
            .ok_or("no session")?
            .visit_id;
        // One in a hundred never arrives: the session ends by its grace.
        if self.chance(0.99) {
            self.after(0.2, Event::Join(id.clone(), staff.clone(), visit.clone()));
        }
        // What a seat's time is made of beside the talk (ring, wrap-up) is taken off.
        let mean = (LOAD * HOURS * self.day.seats as f64 / self.day.tickets as f64 - 25.0).max(5.0);
        let talk = 1.0 + self.exponential(mean);
        self.after(talk, Event::Over(id.clone(), staff.clone()));
        let n = (0..self.day.seats).find(|n| seat_id(*n) == seat);
        if self.chance(0.06) {
            let s = talk * self.within(0.1, 0.9);
            self.after(s, Event::Drop(id.clone(), false));
            if self.chance(0.6) {
                self.after(s + 15.0, Event::Back(id.clone(), None, visit.clone()));
            }
        }
        if self.chance(0.03) {
            let s = talk * self.within(0.1, 0.9);
            self.after(s, Event::Drop(id.clone(), true));
            if let Some(n) = n {
                self.after(s, Event::PageGone(n, false));
            }
            if self.chance(0.5) {
                self.after(s + 12.0, Event::Back(id, Some(staff), visit));
            }
        }
        Ok(())
    }

    /// Looks at what is new, and lets agents hear what rings.
    async fn look(&mut self) -> Checked<Option<Timestamp>> {
        let g = self.world.app.store.read(|tx| glance(tx).boxed()).await;
        let g = g.map_err(|e| e.to_string())??;
        for (p, seat, staff) in g.rings {
            if !self.rung.insert(p.clone()) {
                continue;
            }
            let n = (0..self.day.seats).find(|n| seat_id(*n) == seat);
            let n = n.ok_or("an unknown seat rings")?;
            match self.rng.random_range(0..100) {
                0..=2 => {
                    let s = self.within(1.0, 10.0);
                    self.after(s, Event::Decline(staff, p));
                    self.after(s + 20.0, Event::Sit(n));
                }
                // Nobody hears it.
                3..=5 => {
                    let s = self.within(40.0, 120.0);
                    self.after(s, Event::Sit(n));
                }
                // The page is closed over the ring.
                6 => {
                    let (s, closed) = (self.within(0.5, 20.0), self.chance(0.5));
                    self.after(s, Event::PageGone(n, closed));
                }
                _ => {
                    let s = self.within(0.5, 6.0);
                    self.after(s, Event::Answer(seat, staff, p));
                }
            }
        }
        Ok(g.due)
    }

    async fn live(&self) -> Checked<i64> {
        let n = self.world.app.store.read(|tx| {
            async move {
                let sql = "SELECT count(*) AS n FROM tickets WHERE state IN ('waiting', 'offered', 'paired')";
                tx.one(sql, args![], |r| r.int("n")).await
            }
            .boxed()
        });
        n.await
            .map(|n| n.unwrap_or(0))
            .map_err(|e: StoreError| e.to_string())
    }

    async fn play(&mut self) -> Checked<Report> {
        let mut due = self.look().await?;
        let mut stuck = 0;
        loop {
            let next = self.events.peek().map(|Reverse((at, ..))| *at);
            match (due, next) {
                (Some(d), n) if n.is_none_or(|n| d <= n) => {
                    // A timer that is called and does not move on would hang the day.
                    stuck = if d <= self.world.clock.peek() {
                        stuck + 1
                    } else {
                        0
                    };
                    if stuck > 50 {
                        return Err(format!("a timer of {} never fires", d.rfc3339()));
                    }
                    self.world.clock.reach(d + Span(1));
                    self.call(&Call::Due).await?;
                }
                (_, Some(at)) => {
                    stuck = 0;
                    self.world.clock.reach(at);
                    if let Some(Reverse((_, _, e))) = self.events.pop() {
                        self.happens(e).await?;
                    }
                }
                _ => break,
            }
            due = self.look().await?;
            // Breaks go on for ever: the day is over when everybody has left.
            if self.arrived == self.day.tickets
                && self.steps.is_multiple_of(64)
                && self.live().await? == 0
            {
                break;
            }
        }
        crate::history::check(&self.world.app, &self.taken).await?;
        let all = Look::take(&self.world.app).await;
        all.check()?;
        let mut ends: BTreeMap<String, usize> = BTreeMap::new();
        for t in all.tickets.values() {
            *ends.entry(t.state.as_str().to_owned()).or_default() += 1;
        }
        if ends.contains_key(ticket::State::Waiting.as_str()) {
            return Err("somebody still waits".into());
        }
        Ok(Report {
            steps: self.steps,
            crashes: self.crashes,
            ends,
            offers: all.pairings.len(),
        })
    }
}

/// Plays one day; one that fails is kept.
async fn play(day: Day) {
    let start = Instant::now();
    let mut run = Run::new(day).await;
    let r = run.play().await;
    let at = run.world.clock.peek().rfc3339();
    run.world.end().await;
    match r {
        Ok(r) => eprintln!(
            "{day:?}: {} steps, {} crashes, {} offers, ends {:?}, {:.1} s",
            r.steps,
            r.crashes,
            r.offers,
            r.ends,
            start.elapsed().as_secs_f64()
        ),
        Err(e) => {
            if !kept().contains(&day) {
                let mut f = std::fs::OpenOptions::new()
                    .append(true)
                    .create(true)
                    .open(KEPT)
                    .unwrap();
                writeln!(f, "{} {} {}", day.seed, day.tickets, day.seats).unwrap();
            }
            panic!("{day:?}, {at}: {e}");
        }
    }
}

fn kept() -> Vec<Day> {
    let text = std::fs::read_to_string(KEPT).unwrap_or_default();
    text.lines()
        .filter(|l| !l.starts_with('#'))
        .filter_map(|l| {
            let mut n = l.split_whitespace().map(str::parse::<u64>);
            let mut next = || n.next()?.ok();
            Some(Day {
                seed: next()?,
                tickets: next()? as usize,
                seats: next()? as usize,
            })
        })
        .collect()
}

/// CLOUD_BOOTH_SIM_DAY="seed tickets seats" plays another day; `make sim-desk` one of full size.
#[test]
fn a_day_at_the_desk() {
    crate::with_room(|| crate::runtime().block_on(days()));
}

async fn days() {
    for day in kept() {
        play(day).await;
    }
    let wanted = std::env::var("CLOUD_BOOTH_SIM_DAY").unwrap_or_else(|_| "1 600 8".into());
    let n: Vec<u64> = wanted
        .split_whitespace()
        .map(|n| n.parse().unwrap())
        .collect();
    let [seed, tickets, seats] = n[..] else {
        panic!("CLOUD_BOOTH_SIM_DAY is \"seed tickets seats\"")
    };
    let day = Day {
        seed,
        tickets: tickets as usize,
        seats: seats as usize,
    };
    play(day).await;
}
