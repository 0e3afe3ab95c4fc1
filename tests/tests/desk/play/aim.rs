//! What a command means at this moment: whom it is about, and the calls that it comes to.

use super::{Cmd, Play, SEATS};
use crate::{
    booking::Booking,
    calls::{Call, Who},
    help::Help,
    keep::Keep,
    look::Session,
    world::{NEXT_DOOR, SLOT_S, SLOTS, next_door, seat_id, staff_id},
};
use domain::{
    appointment, callback,
    id::{
        AppointmentId, Id as _, InviteId, PairingId, SeatId, SessionId, StaffId, TicketId, VisitId,
    },
    invite, pairing, seat, session, ticket,
    time::{Span, Timestamp},
};
use protocol::{InviteKind, InviteTarget, Step as Answer};

/// Of the seats of both halls.
fn number(n: usize) -> usize {
    if n < SEATS { n } else { NEXT_DOOR + n - SEATS }
}

impl Play {
    #[expect(clippy::unused_self, reason = "reads like the others")]
    pub(super) fn opens(&self, staff: usize, seat: usize) -> Vec<Call> {
        let (staff, seat) = (staff_id(number(staff)), seat_id(number(seat)));
        vec![
            Call::Open(staff.clone(), seat.clone()),
            Call::Hold(staff, seat),
        ]
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
    pub(super) async fn holder(
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
    pub(super) async fn calls(&mut self, cmd: &Cmd) -> Option<Vec<Call>> {
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
        Some(vec![call])
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

    /// Whether a command that is well aimed at what the rows say may not be refused.
    pub(super) fn must(&self, call: &Call) -> bool {
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
}
