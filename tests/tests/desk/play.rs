//! A play of random commands: what each means at this moment, and the look at the rows after each step.
//!
//! A command names the how-manyth of those it could be about, so that most of them mean something.

use crate::{
    booking::Booking,
    calls::{Ask, Call, Who, cut, perform, refused, visit},
    help::Help,
    keep::Keep,
    look::{Look, Session},
    world::{NEIGHBOURS, NEXT_DOOR, On, SLOT_S, SLOTS, World, next_door, seat_id, staff_id},
};
use domain::{
    appointment, callback,
    id::{AppointmentId, Id, InviteId, PairingId, SeatId, SessionId, StaffId, TicketId, VisitId},
    invite, pairing, seat, session, ticket,
    time::{Span, Timestamp},
};
use futures::FutureExt as _;
use protocol::{
    CallBackDecline, InviteKind, InviteTarget, PriorityClass, SeatState, Step as Answer,
};
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

/// Of the seats of both halls.
fn number(n: usize) -> usize {
    if n < SEATS { n } else { NEXT_DOOR + n - SEATS }
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

    #[expect(clippy::unused_self, reason = "reads like the others")]
    fn opens(&self, staff: usize, seat: usize) -> Vec<Call> {
        let (staff, seat) = (staff_id(number(staff)), seat_id(number(seat)));
        vec![
            Call::Open(staff.clone(), seat.clone()),
            Call::Hold(staff, seat),
        ]
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

    fn queued(&self, c: usize) -> Option<TicketId> {
        let mut live = self.look.live().filter(|t| t.1.visit == self.visits[c]);
        live.next().map(|t| t.0.clone())
    }

    /// Seats where somebody sits.
    fn staffed(&self, n: usize) -> Option<(SeatId, StaffId)> {
        let all = self.look.seats.iter().filter(|s| s.1.staff.is_some());
        let (id, s) = self.pick(all, n)?;
        Some((id.clone(), s.staff.clone()?))
    }

    fn talk(&self, n: usize) -> Option<(SessionId, Session)> {
        self.pick(self.look.talks(), n)
            .map(|(id, s)| (id.clone(), s.clone()))
    }

    /// What rings: offer, its ticket, the agent.
    fn ringing(&self, n: usize) -> Option<(PairingId, TicketId, StaffId)> {
        let rings = self.look.pairings.iter();
        let rings = rings.filter(|p| p.1.state == pairing::State::Offered);
        let (id, p) = self.pick(rings, n)?;
        let staff = self.look.seats[&p.seat].staff.clone()?;
        Some((id.clone(), p.ticket.clone(), staff))
    }

    fn call_back(&self, n: usize, state: callback::State) -> Option<(VisitId, TicketId)> {
        let all = self.look.call_backs.iter().filter(|c| c.1.state == state);
        let (id, _) = self.pick(all, n)?;
        Some((self.look.tickets[id].visit.clone(), id.clone()))
    }

    fn asked(&self, n: usize, which: impl Fn(&crate::look::Invite) -> bool) -> Option<InviteId> {
        let all = self.look.asked().filter(|i| which(i.1));
        self.pick(all, n).map(|i| i.0.clone())
    }

    /// The connection that holds a member's place.
    async fn holder(
        &self,
        id: &SessionId,
        which: impl Fn(&store::session::Member) -> bool,
    ) -> Option<String> {
        let id = id.clone();
        let members = self
            .world
            .app
            .read(|tx| Box::pin(async move { Ok(store::session::members(tx, &id).await?) }));
        let members = members.await.unwrap();
        let m = members.into_iter().find(|m| m.present && which(m));
        m.and_then(|m| m.holder)
    }

    async fn visit_ended(&self, c: usize) -> bool {
        let id = self.visits[c].clone();
        let v = self
            .world
            .app
            .read(|tx| Box::pin(async move { Ok(store::visit::get(tx, &id).await?) }));
        v.await.unwrap().is_none_or(|v| v.ended)
    }

    fn slot(&self, ahead: i64) -> Timestamp {
        let now = self.world.clock.peek().micros();
        let length = Span::seconds(SLOT_S).0;
        Timestamp((now / length + 1 + ahead) * length)
    }

    /// Whom an invitation goes to: rather somebody who can be rung.
    fn target(&self, kind: InviteKind, n: usize) -> InviteTarget {
        let queue = SLOTS[n / 4 % 2].0.to_owned();
        let hall = (n / 8).is_multiple_of(3).then(|| next_door().to_string());
        let ready = self.look.seats.iter();
        let ready = ready.filter(|s| s.1.state == seat::State::Ready);
        let ready = self.pick(ready, n / 4);
        match (kind, n % 4, ready) {
            (InviteKind::Guest, ..) => InviteTarget::Link {},
            (InviteKind::TransferCold, 0 | 1, _) => InviteTarget::Queue { skill: queue, hall },
            (_, 1, _) | (_, _, None) => InviteTarget::Skill { code: queue, hall },
            (_, 2, Some((id, _))) => InviteTarget::Seat { id: id.to_string() },
            (_, _, Some((_, s))) => InviteTarget::Staff {
                id: s
                    .staff
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            },
        }
    }

    /// What the command means now; nothing: it makes no sense.
    async fn calls(&mut self, cmd: &Cmd) -> Option<Vec<Call>> {
        let call = match cmd.clone() {
            Cmd::Take(c, item, need, priority) => {
                if self.visit_ended(c).await {
                    self.visits[c] = self.comes(c).await;
                }
                let visit = self.visits[c].clone();
                Call::Take {
                    visit,
                    item,
                    need,
                    priority,
                }
            }
            Cmd::Cancel(c) => Call::Cancel(self.visits[c].clone(), self.queued(c)?),
            Cmd::Page(c, here) => Call::Page(self.queued(c)?, here),
            Cmd::EndVisit(c) => Call::EndVisit(self.visits[c].clone()),
            Cmd::Open(staff, seat) => return Some(self.opens(staff, seat)),
            Cmd::Ask(n, ask) => {
                let (seat, staff) = self.staffed(n)?;
                Call::Ask(staff, seat, ask)
            }
            Cmd::Hold(n) => {
                let (seat, staff) = self.staffed(n)?;
                Call::Hold(staff, seat)
            }
            Cmd::Gone(n, closed) => Call::Gone(self.staffed(n)?.0, closed),
            Cmd::Accept(n) => {
                let (id, ticket, staff) = self.ringing(n)?;
                match self.look.call_backs.get(&ticket).map(|c| c.state) {
                    None | Some(callback::State::Answered) => Call::Accept(staff, id),
                    Some(callback::State::Waiting) => Call::Booking(Booking::Ring(staff, id)),
                    // The citizen's turn.
                    Some(_) => return None,
                }
            }
            Cmd::Decline(n) => {
                let (id, _, staff) = self.ringing(n)?;
                Call::Decline(staff, id)
            }
            Cmd::Join(n) => {
                let (id, s) = self.talk(n)?;
                let mut calls = vec![Call::Join(Who::Citizen(s.visit), id.clone())];
                if !s.parked {
                    calls.push(Call::Join(Who::Agent(s.staff), id));
                }
                return Some(calls);
            }
            Cmd::Drop(n, agent) => {
                let (id, _) = self.talk(n)?;
                let role = if agent {
                    session::Role::Agent
                } else {
                    session::Role::Citizen
                };
                let conn = self.holder(&id, |m| m.role == role).await?;
                Call::Drop(id, conn)
            }
            Cmd::End(n, agent) => {
                let (id, s) = self.talk(n)?;
                let who = if agent && !s.parked {
                    Who::Agent(s.staff)
                } else {
                    Who::Citizen(s.visit)
                };
                Call::End(who, id)
            }
            Cmd::WrapUp(n, away) => {
                let all = self.look.seats.iter().filter(|s| s.1.wrap_up.is_some());
                let (_, s) = self.pick(all, n)?;
                Call::WrapUp(s.staff.clone()?, s.wrap_up.clone()?, away)
            }
            Cmd::Book(c, queue, ahead) => {
                let queue = SLOTS[queue % SLOTS.len()].0;
                let slot = self.slot(ahead);
                Call::Booking(Booking::Book(self.visits[c].clone(), queue, slot))
            }
            Cmd::Unbook(n) => {
                let (id, c) = self.booking(n)?;
                Call::Booking(Booking::Unbook(self.visits[c].clone(), id))
            }
            Cmd::CheckIn(c, code) => {
                let code = match code {
                    Some(n) => Some(self.booked[&self.booking(n)?.0].clone()),
                    None => None,
                };
                Call::Booking(Booking::CheckIn(self.visits[c].clone(), code))
            }
            Cmd::CallBack(c) => {
                let visit = self.visits[c].clone();
                Call::Booking(Booking::CallBack(visit, self.queued(c)?))
            }
            Cmd::Answer(n) => {
                let (visit, id) = self.call_back(n, callback::State::Ringing)?;
                Call::Booking(Booking::Answer(visit, id))
            }
            Cmd::Forget(n) => {
                let (visit, id) = self
                    .call_back(n, callback::State::Waiting)
                    .or_else(|| self.call_back(n, callback::State::Ringing))?;
                Call::Booking(Booking::Forget(visit, id))
            }
            Cmd::NotNow(n, answer) => {
                let (visit, id) = self.call_back(n, callback::State::Ringing)?;
                Call::Booking(Booking::NotNow(visit, id, answer))
            }
            Cmd::Invite(n, kind, to) => {
                let (id, s) = self.pick(self.look.talks().filter(|s| !s.1.parked), n)?;
                let target = self.target(kind, to);
                Call::Help(Help::Ask(s.staff.clone(), id.clone(), kind, target))
            }
            Cmd::Helper(n, step) => {
                let rings = |i: &crate::look::Invite| {
                    i.state == invite::State::Ringing && i.staff.is_some()
                };
                let id = self.asked(n, rings)?;
                let i = &self.look.invites[&id];
                Call::Help(Help::Step(i.staff.clone()?, id, step, i.version))
            }
            Cmd::Arrive(n) => {
                let id = self.asked(n, |i| i.member.is_some())?;
                let i = &self.look.invites[&id];
                let who = match &i.staff {
                    Some(s) => Who::Agent(s.clone()),
                    None => Who::Guest(i.session.clone(), i.member.clone()?),
                };
                Call::Join(who, i.session.clone())
            }
            Cmd::Leave(n) => {
                let id = self.asked(n, |i| i.member.is_some())?;
                let i = &self.look.invites[&id];
                let conn = self.holder(&i.session, |m| Some(&m.id) == i.member.as_ref());
                Call::Drop(i.session.clone(), conn.await?)
            }
            Cmd::Lead(n, step) => {
                let id = self.asked(n, |_| true)?;
                let i = &self.look.invites[&id];
                let by = self.look.sessions[&i.session].staff.clone();
                Call::Help(Help::Step(by, id, step, i.version))
            }
            Cmd::Guest(n) => {
                let open = |i: &crate::look::Invite| {
                    i.kind == invite::Kind::Guest && i.state == invite::State::Ringing
                };
                let code = self.links.get(&self.asked(n, open)?)?.clone();
                Call::Help(Help::Guest(code))
            }
            Cmd::Force(n, to) => {
                let (id, s) = self.pick(self.look.seats.iter(), n)?;
                Call::Keep(Keep::Force(s.hall.clone(), id.clone(), to))
            }
            Cmd::Move(n, queue, class, head) => {
                let waits =
                    |t: &(&TicketId, &crate::look::Ticket)| t.1.state == ticket::State::Waiting;
                let (id, _) = self.pick(self.look.tickets.iter().filter(waits), n)?;
                Call::Keep(Keep::Move(id.clone(), queue, class, head))
            }
            Cmd::Overflow(queue, on) => Call::Keep(Keep::Overflow(queue, on)),
            Cmd::Consent(on) => Call::Keep(Keep::Consent(on)),
        };
        (!self.spared(&call)).then(|| vec![call])
    }

    /// A booking that can still be kept or given back, and the citizen whose it is as far as that is known.
    fn booking(&self, n: usize) -> Option<(AppointmentId, usize)> {
        let all = self.look.appointments.iter();
        let open = all.filter(|(id, a)| {
            a.state == appointment::State::Booked && self.booked.contains_key(id)
        });
        let (id, a) = self.pick(open, n)?;
        let own = self.visits.iter().position(|v| v.as_str() == a.person);
        let c = own.unwrap_or_else(|| usize::from(a.person == "person-2") * 2);
        Some((id.clone(), c))
    }

    /// What the server does not get right yet, so that the rest is still looked at. Each line is a defect that these commands
    /// found; it goes when the defect does.
    fn spared(&self, call: &Call) -> bool {
        let on_the_way = |t: &TicketId| self.look.tickets[t].session.is_some();
        match call {
            // A ticket that is handed over is left or becomes a call-back, and its session stays behind.
            Call::Cancel(_, t) | Call::Page(t, false) => on_the_way(t),
            Call::Booking(Booking::CallBack(_, t)) => on_the_way(t),
            // Who took the call and was handed over since: the next agent's answer is refused with `call_first`.
            Call::Accept(_, p) => {
                let ticket = &self.look.pairings[p].ticket;
                self.look.call_backs.contains_key(ticket)
            }
            // The seat goes and the invitation rings on.
            Call::Keep(Keep::Force(_, seat, _)) => self
                .look
                .asked()
                .any(|(_, i)| i.state == invite::State::Ringing && i.seat.as_ref() == Some(seat)),
            _ => false,
        }
    }

    /// Whether a command that is well aimed at what the rows say may not be refused.
    fn must(&self, call: &Call) -> bool {
        match call {
            Call::Accept(..) | Call::Decline(..) | Call::WrapUp(..) | Call::End(..) => true,
            Call::Help(Help::Step(_, id, Answer::Accept | Answer::Decline, _)) => {
                // The other hall may have taken its word back meanwhile.
                let i = &self.look.invites[id];
                let from = &self.look.seats[&self.look.sessions[&i.session].seat];
                let to = i.seat.as_ref().map(|s| &self.look.seats[s].hall);
                to == Some(&from.hall)
            }
            Call::Help(Help::Guest(_)) => true,
            Call::Booking(Booking::Answer(..) | Booking::Ring(..) | Booking::NotNow(..)) => true,
            _ => false,
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
