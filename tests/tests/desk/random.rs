//! Random commands of citizens, agents, pages and the clock, one after another and two at once, with crashes between, on both
//! databases. After each step the rows are looked at; at the end everybody leaves, and every ticket has ended once.

use crate::{
    calls::{Ask, Call, Who, cut, perform, refused, visit},
    look::Look,
    world::{On, QUEUES, World, seat_id, staff_id},
};
use domain::{
    id::{SeatId, SessionId, StaffId, TicketId, VisitId},
    pairing, session, ticket,
};
use proptest::{
    prelude::*,
    test_runner::{Config, FileFailurePersistence, TestCaseError, TestRunner},
};
use std::collections::HashSet;

/// Inputs that failed once: played first, on both databases.
const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/desk/regressions.txt");
const CITIZENS: usize = 6;
const SEATS: usize = 7;

/// Who does what; a command that makes no sense now is passed over.
#[derive(Debug, Clone)]
enum Cmd {
    Take(usize, Option<&'static str>, bool, bool),
    Cancel(usize),
    Page(usize, bool),
    EndVisit(usize),
    /// A member of staff opens a seat, their own or another's.
    Open(usize, usize),
    Ask(usize, Ask),
    Hold(usize),
    Gone(usize, bool),
    Accept(usize),
    Decline(usize),
    /// The citizen and the agent of a seat's session come, or one of them goes.
    Join(usize),
    Drop(usize, bool),
    /// By the agent, or by the citizen.
    End(usize, bool),
    WrapUp(usize, bool),
}

#[derive(Debug, Clone)]
enum Step {
    One(Cmd),
    Both(Cmd, Cmd),
    /// The last command that was accepted comes again with its key.
    Again,
    /// Seconds pass, then the timers run.
    Pass(i64),
    /// The node dies within the command, which the page then repeats.
    Crash(Cmd, usize),
}

fn command() -> impl Strategy<Value = Cmd> {
    let (c, s) = (|| 0..CITIZENS, || 0..SEATS);
    let queue = prop::sample::select(vec![None, None, Some(QUEUES[0]), Some(QUEUES[1])]);
    prop_oneof![
        8 => (c(), queue, prop::bool::weighted(0.2), prop::bool::weighted(0.3)).prop_map(|(c, q, n, p)| Cmd::Take(c, q, n, p)),
        2 => c().prop_map(Cmd::Cancel),
        2 => (c(), any::<bool>()).prop_map(|(c, h)| Cmd::Page(c, h)),
        1 => c().prop_map(Cmd::EndVisit),
        6 => s().prop_map(|s| Cmd::Open(s, s)),
        1 => (s(), s()).prop_map(|(a, b)| Cmd::Open(a, b)),
        3 => (s(), prop::sample::select(vec![Ask::Ready, Ask::Ready, Ask::Away, Ask::Close])).prop_map(|(s, a)| Cmd::Ask(s, a)),
        2 => s().prop_map(Cmd::Hold),
        2 => (s(), any::<bool>()).prop_map(|(s, closed)| Cmd::Gone(s, closed)),
        8 => s().prop_map(Cmd::Accept),
        2 => s().prop_map(Cmd::Decline),
        5 => s().prop_map(Cmd::Join),
        2 => (s(), any::<bool>()).prop_map(|(s, agent)| Cmd::Drop(s, agent)),
        4 => (s(), any::<bool>()).prop_map(|(s, agent)| Cmd::End(s, agent)),
        4 => (s(), prop::bool::weighted(0.2)).prop_map(|(s, away)| Cmd::WrapUp(s, away)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        16 => command().prop_map(Step::One),
        4 => (command(), command()).prop_map(|(a, b)| Step::Both(a, b)),
        2 => Just(Step::Again),
        3 => prop::sample::select(vec![1i64, 5, 31, 50, 95, 130, 610]).prop_map(Step::Pass),
        1 => (command(), 0usize..8).prop_map(|(c, n)| Step::Crash(c, n)),
    ]
}

struct Play {
    world: World,
    look: Look,
    visits: Vec<VisitId>,
    /// Keys given out.
    keys: u32,
    last: Option<(Call, String, String)>,
    taken: HashSet<String>,
}

type Checked<T> = Result<T, String>;

impl Play {
    async fn new(on: On) -> Self {
        let world = World::new(on, SEATS).await;
        let mut visits = vec![];
        for _ in 0..CITIZENS {
            visits.push(visit(&world.app).await);
        }
        let look = Look::take(&world.app).await;
        Self {
            world,
            look,
            visits,
            keys: 0,
            last: None,
            taken: HashSet::new(),
        }
    }

    fn key(&mut self) -> String {
        self.keys += 1;
        format!("k{}", self.keys)
    }

    fn queued(&self, c: usize) -> Option<TicketId> {
        let mut live = self.look.live().filter(|t| t.1.visit == self.visits[c]);
        live.next().map(|t| t.0.clone())
    }

    fn sits(&self, s: usize) -> Option<StaffId> {
        self.look.seats[&seat_id(s)].staff.clone()
    }

    fn talk(&self, seat: &SeatId) -> Option<(SessionId, StaffId, VisitId)> {
        let live = |s: &&crate::look::Session| s.state != session::State::Ended;
        self.look
            .sessions
            .iter()
            .find(|(_, s)| s.seat == *seat && live(s))
            .map(|(id, s)| (id.clone(), s.staff.clone(), s.visit.clone()))
    }

    async fn holder(&self, id: &SessionId, agent: bool) -> Option<String> {
        let id = id.clone();
        let members = self
            .world
            .app
            .read(|tx| Box::pin(async move { Ok(store::session::members(tx, &id).await?) }));
        let members = members.await.unwrap();
        let m = members
            .into_iter()
            .find(|m| m.staff_id.is_some() == agent && m.present);
        m.and_then(|m| m.holder)
    }

    /// What the command means now; nothing: it makes no sense.
    async fn calls(&mut self, cmd: &Cmd) -> Option<Vec<Call>> {
        let one = |c| Some(vec![c]);
        match cmd.clone() {
            Cmd::Take(c, item, need, priority) => {
                let ended = self.visit_ended(c).await;
                if ended {
                    self.visits[c] = visit(&self.world.app).await;
                }
                let visit = self.visits[c].clone();
                one(Call::Take {
                    visit,
                    item,
                    need,
                    priority,
                })
            }
            Cmd::Cancel(c) => one(Call::Cancel(self.visits[c].clone(), self.queued(c)?)),
            Cmd::Page(c, here) => one(Call::Page(self.queued(c)?, here)),
            Cmd::EndVisit(c) => one(Call::EndVisit(self.visits[c].clone())),
            Cmd::Open(staff, seat) => {
                let (staff, seat) = (staff_id(staff), seat_id(seat));
                Some(vec![
                    Call::Open(staff.clone(), seat.clone()),
                    Call::Hold(staff, seat),
                ])
            }
            Cmd::Ask(s, ask) => one(Call::Ask(self.sits(s)?, seat_id(s), ask)),
            Cmd::Hold(s) => one(Call::Hold(self.sits(s)?, seat_id(s))),
            Cmd::Gone(s, closed) => one(Call::Gone(seat_id(s), closed)),
            Cmd::Accept(s) | Cmd::Decline(s) => {
                let seat = seat_id(s);
                let offered = |p: &&crate::look::Pairing| p.state == pairing::State::Offered;
                let id = self
                    .look
                    .pairings
                    .iter()
                    .find(|(_, p)| p.seat == seat && offered(p))
                    .map(|p| p.0.clone())?;
                let staff = self.sits(s)?;
                one(if matches!(cmd, Cmd::Accept(_)) {
                    Call::Accept(staff, id)
                } else {
                    Call::Decline(staff, id)
                })
            }
            Cmd::Join(s) => {
                let (id, staff, visit) = self.talk(&seat_id(s))?;
                Some(vec![
                    Call::Join(Who::Citizen(visit), id.clone()),
                    Call::Join(Who::Agent(staff), id),
                ])
            }
            Cmd::Drop(s, agent) => {
                let (id, ..) = self.talk(&seat_id(s))?;
                let conn = self.holder(&id, agent).await?;
                one(Call::Drop(id, conn))
            }
            Cmd::End(s, agent) => {
                let (id, staff, visit) = self.talk(&seat_id(s))?;
                let who = if agent {
                    Who::Agent(staff)
                } else {
                    Who::Citizen(visit)
                };
                one(Call::End(who, id))
            }
            Cmd::WrapUp(s, away) => {
                let id = self.look.seats[&seat_id(s)].wrap_up.clone()?;
                one(Call::WrapUp(self.sits(s)?, id, away))
            }
        }
    }

    async fn visit_ended(&self, c: usize) -> bool {
        let id = self.visits[c].clone();
        let v = self
            .world
            .app
            .read(|tx| Box::pin(async move { Ok(store::visit::get(tx, &id).await?) }));
        v.await.unwrap().is_none_or(|v| v.ended)
    }

    /// One call after another until one is refused; the answer of the first.
    async fn run(&self, calls: &[Call], key: &str) -> Checked<Option<String>> {
        let mut first = None;
        for c in calls {
            match perform(&self.world.app, c, key).await {
                Ok(a) => first = first.or(Some(a)),
                Err(e) if refused(&e) => break,
                Err(e) => return Err(format!("{c:?}: {e}")),
            }
        }
        Ok(first)
    }

    /// Keeps what an accepted command answered.
    fn accepted(&mut self, calls: &[Call], key: String, answer: Option<String>) {
        let (Some(call), Some(answer)) = (calls.first(), answer) else {
            return;
        };
        if matches!(call, Call::Take { .. }) {
            self.taken.insert(answer.clone());
        }
        if call.keyed() {
            self.last = Some((call.clone(), key, answer));
        }
    }

    async fn step(&mut self, step: &Step) -> Checked<()> {
        match step {
            Step::One(c) => {
                let Some(calls) = self.calls(c).await else {
                    return Ok(());
                };
                let key = self.key();
                let answer = self.run(&calls, &key).await?;
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
            }
            Step::Again => return self.again().await,
            Step::Pass(s) => {
                self.world.pass(*s);
                self.run(&[Call::Due], "").await?;
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
        self.look().await
    }

    async fn look(&mut self) -> Checked<()> {
        let now = Look::take(&self.world.app).await;
        now.check()?;
        now.check_since(&self.look)?;
        for t in &self.taken {
            if !now.tickets.keys().any(|id| id.to_string() == *t) {
                return Err(format!("{t} was taken and is not there"));
            }
        }
        self.look = now;
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
    async fn leave(&mut self) -> Checked<()> {
        for _ in 0..10 {
            if self.look.live().next().is_none() {
                break;
            }
            let mut calls = vec![];
            for (id, t) in self.look.live() {
                if t.state != ticket::State::Paired {
                    calls.push(Call::Page(id.clone(), false));
                }
            }
            for s in 0..SEATS {
                let Some((id, ..)) = self.talk(&seat_id(s)) else {
                    continue;
                };
                for agent in [true, false] {
                    if let Some(h) = self.holder(&id, agent).await {
                        calls.push(Call::Drop(id.clone(), h));
                    }
                }
            }
            self.run(&calls, "").await?;
            for _ in 0..3 {
                self.world.pass(601);
                self.run(&[Call::Due], "").await?;
                self.look().await?;
            }
        }
        let left: Vec<_> = self.look.live().map(|t| t.0).collect();
        if !left.is_empty() {
            return Err(format!("never ended: {left:?}"));
        }
        // Taken by somebody, or in the place of one whose agent was lost: no other tickets.
        let again = self.look.tickets.values().filter(|t| t.next.is_some());
        let known = self.taken.len() + again.count();
        if known != self.look.tickets.len() {
            return Err(format!("{known} tickets, {} rows", self.look.tickets.len()));
        }
        Ok(())
    }
}

async fn play(on: On, steps: &[Step]) -> Checked<()> {
    let mut p = Play::new(on).await;
    let mut r = Ok(());
    for (i, s) in steps.iter().enumerate() {
        r = p.step(s).await.map_err(|e| format!("step {i}, {s:?}: {e}"));
        if r.is_err() {
            break;
        }
    }
    if r.is_ok() {
        r = p.leave().await;
    }
    p.world.end().await;
    r
}

fn commands(on: On, cases: u32, steps: usize) {
    // Further cases on demand: CLOUD_BOOTH_DESK_CASES=500.
    let cases = std::env::var("CLOUD_BOOTH_DESK_CASES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(cases);
    let config = Config {
        cases,
        max_shrink_iters: 200,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(KEPT))),
        source_file: Some(file!()),
        ..Config::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let all = prop::collection::vec(step(), 1..steps);
    let played = TestRunner::new(config).run(&all, |steps| {
        runtime
            .block_on(play(on, &steps))
            .map_err(TestCaseError::fail)
    });
    if let Err(e) = played {
        panic!("{e}");
    }
}

#[test]
fn random_commands_break_no_invariant_on_sqlite() {
    commands(On::Sqlite, 48, 70);
}

#[test]
fn random_commands_break_no_invariant_on_postgres() {
    commands(On::Postgres, 12, 50);
}
