//! A play of random commands: what each means at this moment, and the look at the rows after each step.
//!
//! A command names the how-manyth of those it could be about, so that most of them mean something (`play/aim.rs`).

mod aim;

use crate::{
    booking::Booking,
    calls::{Ask, Call, cut, perform, refused, visit},
    help::Help,
    look::Look,
    world::{NEIGHBOURS, On, World},
};
use domain::{
    callback,
    id::{AppointmentId, Id, InviteId, VisitId},
    pairing, session, ticket,
    time::Timestamp,
};
use futures::FutureExt as _;
use protocol::{CallBackDecline, InviteKind, PriorityClass, SeatState, Step as Answer};
use std::collections::{BTreeMap, HashMap, HashSet};
use store::{StoreError, args};

pub const CITIZENS: usize = 6;
/// In the citizens' own hall.
const SEATS: usize = 7;
pub const ALL_SEATS: usize = SEATS + NEIGHBOURS;

/// Who does what; a command that makes no sense now is passed over.
#[derive(Debug, Clone)]
pub enum Cmd {
    Take(usize, Option<&'static str>, bool, bool),
    Cancel(usize),
    Page(usize, bool),
    EndVisit(usize),
    /// A member of staff opens a seat, their own or another's.
    Open(usize, usize),
    Ask(usize, Ask),
    Hold(usize),
    Gone(usize, bool),
    /// Or the agent rings the citizen, where that is what the offer asks for.
    Accept(usize),
    Decline(usize),
    /// The citizen and the agent of a session come, or one of them goes.
    Join(usize),
    Drop(usize, bool),
    /// By the agent, or by the citizen.
    End(usize, bool),
    WrapUp(usize, bool),
    /// Queue, and how many slots from now.
    Book(usize, usize, i64),
    Unbook(usize),
    /// Somebody comes with the code of a booking, or with a card.
    CheckIn(usize, Option<usize>),
    CallBack(usize),
    Answer(usize),
    Forget(usize),
    NotNow(usize, CallBackDecline),
    Invite(usize, InviteKind, usize),
    /// Whoever is rung answers, comes, goes.
    Helper(usize, Answer),
    Arrive(usize),
    Leave(usize),
    /// What the session's agent does with an invitation.
    Lead(usize, Answer),
    Guest(usize),
    Force(usize, SeatState),
    Move(usize, Option<&'static str>, Option<PriorityClass>, bool),
    Overflow(&'static str, bool),
    Consent(bool),
}

#[derive(Debug, Clone)]
pub enum Step {
    One(Cmd),
    Both(Cmd, Cmd),
    /// The last command that was accepted comes again with its key.
    Again,
    /// Seconds pass, then the timers run.
    Pass(i64),
    /// The node dies within the command, which the page then repeats.
    Crash(Cmd, usize),
}

fn nth<T>(mut all: Vec<T>, n: usize) -> Option<T> {
    let len = all.len();
    (len > 0).then(|| all.swap_remove(n % len))
}

pub type Checked<T> = Result<T, String>;

pub struct Play {
    world: World,
    look: Look,
    visits: Vec<VisitId>,
    /// Keys given out.
    keys: u32,
    last: Option<(Call, String, String)>,
    taken: HashSet<String>,
    booked: BTreeMap<AppointmentId, String>,
    links: BTreeMap<InviteId, String>,
    /// Everything by the order of its first sight.
    seen: HashMap<String, usize>,
}

impl Play {
    /// A hall on duty, but for one seat.
    pub async fn new(on: On) -> Self {
        let world = World::new(on, SEATS).await;
        let look = Look::take(&world.app).await;
        let mut p = Self {
            world,
            look,
            visits: vec![],
            keys: 0,
            last: None,
            taken: HashSet::new(),
            booked: BTreeMap::new(),
            links: BTreeMap::new(),
            seen: HashMap::new(),
        };
        for c in 0..CITIZENS {
            let v = p.comes(c).await;
            p.visits.push(v);
        }
        for n in 1..ALL_SEATS {
            let key = p.key();
            let calls = p.opens(n, n);
            p.run(&calls, &key).await.unwrap().unwrap();
        }
        p.look = Look::take(&p.world.app).await;
        p.note();
        p
    }

    pub async fn end(self) {
        self.world.end().await;
    }

    /// Half of the citizens have shown a card; two of them are one person, at two places.
    async fn comes(&self, c: usize) -> VisitId {
        let v = visit(&self.world.app).await;
        if c < CITIZENS / 2 {
            let (id, person) = (v.clone(), format!("person-{}", c.max(1)));
            let sql = "UPDATE visits SET citizen_index = $2 WHERE id = $1";
            let read = self.world.app.store.write(move |tx| {
                let (id, person) = (id.clone(), person.clone());
                async move {
                    tx.exec(sql, args![&id, person.as_str()]).await?;
                    Ok::<_, StoreError>(())
                }
                .boxed()
            });
            read.await.unwrap();
        }
        v
    }

    fn key(&mut self) -> String {
        self.keys += 1;
        format!("k{}", self.keys)
    }

    /// The how-manyth in the order in which they were seen first: ids are random, and a play is to be the same again.
    fn pick<'a, K: Id, V>(
        &self,
        of: impl Iterator<Item = (&'a K, &'a V)>,
        n: usize,
    ) -> Option<(&'a K, &'a V)> {
        let mut all: Vec<_> = of.collect();
        all.sort_by_key(|(id, _)| self.seen.get(id.as_str()).copied());
        nth(all, n)
    }

    /// Notes what is new: at most one thing a kind and seat, slot or moment.
    fn note(&mut self) {
        let l = &self.look;
        let mut new: Vec<(String, &str)> = vec![];
        new.extend(l.seats.keys().map(|id| (id.to_string(), id.as_str())));
        new.extend(
            l.tickets
                .iter()
                .map(|(id, t)| (t.came.rfc3339(), id.as_str())),
        );
        new.extend(
            l.pairings
                .iter()
                .map(|(id, p)| (p.seat.to_string(), id.as_str())),
        );
        new.extend(
            l.sessions
                .iter()
                .map(|(id, s)| (s.seat.to_string(), id.as_str())),
        );
        new.extend(
            l.invites
                .iter()
                .map(|(id, i)| (format!("{:?}", i.seat), id.as_str())),
        );
        let booked = l.appointments.iter();
        new.extend(booked.map(|(id, a)| (a.starts.rfc3339(), id.as_str())));
        new.retain(|(_, id)| !self.seen.contains_key(*id));
        new.sort();
        for (_, id) in new {
            self.seen.insert(id.to_owned(), self.seen.len());
        }
    }

    /// One call after another until one is refused; the answer of the first, or its refusal.
    async fn run(&self, calls: &[Call], key: &str) -> Checked<Result<String, String>> {
        let mut first = None;
        for c in calls {
            match perform(&self.world.app, c, key).await {
                Ok(a) => first = first.or(Some(Ok(a))),
                Err(e) if refused(&e) => {
                    first = first.or(Some(Err(e.code().to_owned())));
                    break;
                }
                Err(e) => return Err(format!("{c:?}: {e}")),
            }
        }
        Ok(first.unwrap_or_else(|| Err("nothing".into())))
    }

    /// Keeps what an accepted command answered.
    fn accepted(&mut self, calls: &[Call], key: String, answer: Result<String, String>) {
        let (Some(call), Ok(answer)) = (calls.first(), answer) else {
            return;
        };
        let two = || answer.split_once(' ').unwrap();
        match call {
            Call::Take { .. } | Call::Booking(Booking::CheckIn(..)) => {
                self.taken.insert(answer.clone());
            }
            Call::Booking(Booking::Book(..)) => {
                let (id, code) = two();
                let id = AppointmentId::parse(id).unwrap();
                self.booked.insert(id, code.to_owned());
            }
            Call::Help(Help::Ask(_, _, InviteKind::Guest, _)) => {
                let (id, code) = two();
                let id = InviteId::parse(id).unwrap();
                self.links.insert(id, code.to_owned());
            }
            _ => {}
        }
        if call.keyed() {
            self.last = Some((call.clone(), key, answer));
        }
    }

    pub async fn step(&mut self, step: &Step) -> Checked<()> {
        let at = self.world.clock.peek();
        match step {
            Step::One(c) => {
                let Some(calls) = self.calls(c).await else {
                    return Ok(());
                };
                let key = self.key();
                let answer = self.run(&calls, &key).await?;
                if let (true, Err(code)) = (self.must(&calls[0]), &answer) {
                    return Err(format!("{:?} was refused: {code}", calls[0]));
                }
                self.accepted(&calls, key, answer);
            }
            Step::Both(a, b) => {
                let (Some(a), Some(b)) = (self.calls(a).await, self.calls(b).await) else {
                    return Ok(());
                };
                let (ka, kb) = (self.key(), self.key());
                let (ra, rb) = futures::join!(self.run(&a, &ka), self.run(&b, &kb));
                self.accepted(&a, ka, ra?);
                self.accepted(&b, kb, rb?);
                // Whoever ends the visit cannot ask again what the other asked.
                if matches!(
                    (&a[0], &b[0]),
                    (Call::EndVisit(_), _) | (_, Call::EndVisit(_))
                ) {
                    self.last = None;
                }
            }
            Step::Again => return self.again().await,
            Step::Pass(s) => {
                self.world.pass(*s);
                let now = self.world.clock.peek();
                // Twice, as the server's own job would: what one timer ends, another finds at its next look.
                for _ in 0..2 {
                    let at = self.world.clock.peek();
                    let _ = self.run(&[Call::Due], "").await?;
                    self.look(at).await?;
                }
                return self.look.check_timers(now);
            }
            Step::Crash(c, times) => {
                let Some(calls) = self.calls(c).await else {
                    return Ok(());
                };
                let key = self.key();
                cut(self.run(&calls, &key), *times).await;
                self.world.crash().await;
                let answer = self.run(&calls, &key).await?;
                self.accepted(&calls, key, answer);
            }
        }
        self.look(at).await
    }

    async fn look(&mut self, at: Timestamp) -> Checked<()> {
        let now = Look::take(&self.world.app).await;
        now.check()?;
        now.check_since(&self.look, at)?;
        for t in &self.taken {
            if !now.tickets.keys().any(|id| id.to_string() == *t) {
                return Err(format!("{t} was taken and is not there"));
            }
        }
        self.look = now;
        self.note();
        Ok(())
    }

    /// Invariant 6: the same key, the same answer, and nothing is done twice; another request under it is refused.
    async fn again(&mut self) -> Checked<()> {
        let Some((call, key, answer)) = self.last.clone() else {
            return Ok(());
        };
        match perform(&self.world.app, &call, &key).await {
            Ok(a) if a == answer => {}
            other => return Err(format!("{call:?} answered {answer}, again: {other:?}")),
        }
        if let Call::Take {
            visit,
            item,
            need,
            priority,
        } = call
        {
            let priority = !priority;
            let other = Call::Take {
                visit,
                item,
                need,
                priority,
            };
            match perform(&self.world.app, &other, &key).await {
                Err(e) if e.code() == "key_reused" => {}
                other => return Err(format!("another body under {key}: {other:?}")),
            }
        }
        let now = Look::take(&self.world.app).await;
        if now == self.look {
            Ok(())
        } else {
            Err("a repeat changed something".into())
        }
    }

    /// Everybody leaves without a word: graces and timers end all that is open.
    pub async fn leave(&mut self) -> Checked<()> {
        for round in 0..12 {
            if self.look.live().next().is_none() && self.look.talks().next().is_none() {
                break;
            }
            let mut calls = vec![];
            for (id, t) in self.look.live() {
                // A call-back is kept for hours without a page.
                match self.look.call_backs.get(id).map(|c| c.state) {
                    Some(callback::State::Waiting | callback::State::Ringing) if round < 5 => {
                        // Rung, nobody answers.
                        let rings =
                            self.look.pairings.iter().find(|(_, p)| {
                                p.ticket == *id && p.state == pairing::State::Offered
                            });
                        let staff = rings.and_then(|(_, p)| self.look.seats[&p.seat].staff.clone());
                        if let (Some((p, _)), Some(staff)) = (rings, staff) {
                            calls.push(Call::Booking(Booking::Ring(staff, p.clone())));
                        }
                    }
                    Some(callback::State::Waiting | callback::State::Ringing) => {
                        let forget = Booking::Forget(t.visit.clone(), id.clone());
                        calls.push(Call::Booking(forget));
                    }
                    _ if t.state != ticket::State::Paired => {
                        calls.push(Call::Page(id.clone(), false));
                    }
                    _ => {}
                }
            }
            for (id, _) in self.look.talks() {
                for role in [session::Role::Agent, session::Role::Citizen] {
                    if let Some(h) = self.holder(id, |m| m.role == role).await {
                        calls.push(Call::Drop(id.clone(), h));
                    }
                }
            }
            for c in &calls {
                let key = self.key();
                let at = self.world.clock.peek();
                let _ = self.run(std::slice::from_ref(c), &key).await?;
                self.look(at).await.map_err(|e| format!("{c:?}: {e}"))?;
            }
            for _ in 0..3 {
                let pass = self.step(&Step::Pass(601)).await;
                pass.map_err(|e| format!("at the end: {e}"))?;
            }
        }
        let left: Vec<_> = self.look.live().map(|t| t.0).collect();
        if !left.is_empty() {
            return Err(format!("never ended: {left:?}"));
        }
        if let Some((id, _)) = self.look.talks().next() {
            return Err(format!("{id} never ended"));
        }
        // Taken by somebody, or in the place of one that was called back or whose agent was lost: no other tickets.
        let again = self.look.tickets.values().filter(|t| t.next.is_some());
        let known = self.taken.len() + again.count();
        if known != self.look.tickets.len() {
            return Err(format!("{known} tickets, {} rows", self.look.tickets.len()));
        }
        self.times().await
    }

    /// What it came to, a word for each thing: a run that never gets far proves nothing.
    pub fn tally(&self) -> Vec<String> {
        let l = &self.look;
        let tickets = l
            .tickets
            .values()
            .map(|t| format!("ticket {}", t.state.as_str()));
        let pairings = l
            .pairings
            .values()
            .map(|p| format!("pairing {}", p.state.as_str()));
        let sessions = l.sessions.values().map(|_| "session".to_owned());
        let invites = l.invites.values();
        let invites = invites.map(|i| format!("{} {}", i.kind.as_str(), i.state.as_str()));
        let calls = l.call_backs.values();
        let calls = calls.map(|c| format!("call-back {} after {}", c.state.as_str(), c.tries));
        let booked = l.appointments.values();
        let booked = booked.map(|a| format!("appointment {}", a.state.as_str()));
        let far = l
            .pairings
            .values()
            .filter(|p| l.seats[&p.seat].hall != l.tickets[&p.ticket].hall);
        let far = far.map(|p| format!("next door {}", p.state.as_str()));
        let all = tickets.chain(pairings).chain(sessions).chain(invites);
        all.chain(calls).chain(booked).chain(far).collect()
    }

    /// What a supervisor is shown of each seat's day adds up to the day so far.
    async fn times(&self) -> Checked<()> {
        for (id, s) in &self.look.seats {
            let who = crate::world::supervisor(&s.hall);
            let t = signaling::app::supervise::times(&self.world.app, &who, id.clone(), None).await;
            let t = t.map_err(|e| e.to_string())?;
            let at = |s: &str| Timestamp::parse_rfc3339(s).map_or(0, Timestamp::millis);
            let sum: i64 = t.totals.iter().map(|t| t.time_us).sum();
            // The bounds are shown to the millisecond.
            let day = (at(&t.to) - at(&t.from)) * 1000;
            if (sum - day).abs() >= 1000 {
                return Err(format!("{id}: its states take {sum} µs of {day}"));
            }
        }
        Ok(())
    }
}
