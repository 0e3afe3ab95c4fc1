//! What holds of the desk's rows at every moment: the invariants of the architecture, in the words of the domain.

use crate::{
    look::{Invite, Look, Session},
    world::SLOTS,
};
use domain::{
    appointment, callback,
    id::{SeatId, SessionId},
    invite, pairing,
    routing::Demand,
    seat, session, ticket,
    time::Timestamp,
};
use std::collections::{BTreeMap, HashMap, HashSet};

pub type Checked = Result<(), String>;

/// `Err` with the words, where `fine` is false.
macro_rules! must {
    ($fine:expr, $($words:tt)*) => {
        if !$fine {
            return Err(format!($($words)*));
        }
    };
}

impl Look {
    /// The error says what does not hold.
    pub fn check(&self) -> Checked {
        self.one_pairing_each()?;
        self.seats_do_what_they_are_in()?;
        self.no_ticket_is_lost()?;
        self.sessions_have_their_agent()?;
        self.helpers_are_inside_while_asked()?;
        self.call_backs_follow_their_tickets()?;
        self.slots_hold_their_capacity()?;
        self.overflow_is_consented()?;
        self.times_add_up()?;
        self.nobody_waits_beside_a_seat()
    }

    fn one_pairing_each(&self) -> Checked {
        let (mut seats, mut visits, mut tickets) = (HashSet::new(), HashSet::new(), HashSet::new());
        for (id, p) in self.pairings.iter().filter(|p| p.1.state.is_live()) {
            must!(seats.insert(&p.seat), "{} has two live pairings", p.seat);
            must!(
                visits.insert(&p.visit) && tickets.insert(&p.ticket),
                "{id}: its citizen is in two live pairings"
            );
        }
        Ok(())
    }

    /// A seat rings or is busy for one thing: a ticket, or help in another's session.
    fn seats_do_what_they_are_in(&self) -> Checked {
        let paired: HashMap<&SeatId, pairing::State> = self
            .pairings
            .values()
            .filter(|p| p.state.is_live())
            .map(|p| (&p.seat, p.state))
            .collect();
        let mut helps: HashMap<&SeatId, &Invite> = HashMap::new();
        for (id, i) in self.asked() {
            if let Some(s) = &i.seat {
                must!(helps.insert(s, i).is_none(), "{id}: {s} is asked twice");
            }
        }
        for (id, s) in &self.seats {
            let does = (paired.get(id), helps.get(id).map(|i| i.state));
            use {invite::State as I, pairing::State as P, seat::State as S};
            let fine = match s.state {
                S::Ringing => matches!(does, (Some(P::Offered), None) | (None, Some(I::Ringing))),
                S::Busy => matches!(
                    does,
                    (Some(P::Accepted), None) | (None, Some(I::Accepted | I::Introduced))
                ),
                S::Offline | S::Ready | S::WrapUp | S::Away => does == (None, None),
            };
            must!(fine, "{id} is {:?}, pairing and help are {does:?}", s.state);
            must!(
                s.staff.is_some() == (s.state != S::Offline),
                "{id} is {:?}, and who sits there: {:?}",
                s.state,
                s.staff
            );
        }
        Ok(())
    }

    fn no_ticket_is_lost(&self) -> Checked {
        let mut paired = HashMap::new();
        for p in self.pairings.values().filter(|p| p.state.is_live()) {
            paired.insert(&p.ticket, p.state);
        }
        let mut successors = HashSet::new();
        for (id, t) in &self.tickets {
            let want = match t.state {
                ticket::State::Offered => Some(pairing::State::Offered),
                ticket::State::Paired => Some(pairing::State::Accepted),
                _ => None,
            };
            let is = paired.get(id).copied();
            must!(is == want, "{id} is {:?}, its pairing {is:?}", t.state);
            if t.state.is_terminal() {
                must!(
                    t.ended && t.reason.is_some(),
                    "{id} is {:?} without a time or a reason",
                    t.state
                );
            } else {
                must!(!t.ended, "{id} ended and is {:?}", t.state);
            }
            must!(
                t.state != ticket::State::CalledBack
                    || t.next
                        .as_ref()
                        .is_some_and(|n| self.call_backs.contains_key(n)),
                "{id} was called back and nothing stands in its place"
            );
            if let Some(n) = &t.next {
                let there = self.tickets.get(n);
                must!(
                    there.is_some_and(|n| n.came == t.came) && successors.insert(n),
                    "{id} goes on as {n}, which is lost, twice, or came at another time"
                );
            }
            // The session that it is in: one, and on its way to another seat where the ticket is in line.
            let mut talks = self.talks().filter(|s| s.1.ticket == *id);
            let (talk, second) = (talks.next(), talks.next());
            must!(second.is_none(), "{id} is in two live sessions");
            let parked = talk.map(|s| s.1.parked);
            let fine = match t.state {
                ticket::State::Paired => parked == Some(false),
                ticket::State::Waiting | ticket::State::Offered => {
                    parked != Some(false) && (t.session.is_some() == parked.is_some())
                }
                // Who gave up the place on the way is told so when the transfer's time is over.
                _ => talk.is_none_or(|s| s.1.parked && self.cold(s.0).is_some()),
            };
            must!(
                fine,
                "{id} is {:?} in session {:?}, whose live one is parked: {parked:?}",
                t.state,
                t.session
            );
        }
        Ok(())
    }

    /// The cold transfer that is under way, with its deadline.
    pub fn cold(&self, id: &SessionId) -> Option<Timestamp> {
        let i = self
            .asked()
            .find(|(_, i)| i.session == *id && i.kind == invite::Kind::TransferCold);
        i.and_then(|(_, i)| i.due)
    }

    /// One citizen and one agent; on the way to another seat no agent, but a deadline or a place in the first line.
    fn sessions_have_their_agent(&self) -> Checked {
        for (id, s) in &self.sessions {
            let of = |role| self.inside(id).filter(move |m| m.1.role == role);
            let agents: Vec<_> = of(session::Role::Agent)
                .filter_map(|m| m.1.staff.as_ref())
                .collect();
            if s.state == session::State::Ended {
                must!(
                    self.inside(id).next().is_none(),
                    "{id} is over and somebody is in it"
                );
                continue;
            }
            must!(
                of(session::Role::Citizen).count() == 1,
                "{id} has no citizen, or two"
            );
            let p = &self.pairings[&s.pairing];
            if s.parked {
                let line = self.tickets.get(&s.ticket).is_some_and(|t| {
                    matches!(t.state, ticket::State::Waiting | ticket::State::Offered)
                });
                let back = self.tickets.get(&s.ticket).is_some_and(|t| {
                    Demand::parse(&t.demand).is_ok_and(|d| d.excepted().is_none())
                });
                must!(
                    self.cold(id).is_some() || back || !line,
                    "{id} came back from a transfer and asks for its target still"
                );
                must!(
                    agents.is_empty() && (line || self.cold(id).is_some()),
                    "{id} is handed over: agents {agents:?}, in line: {line}, and no deadline"
                );
            } else {
                must!(
                    agents == [&s.staff],
                    "{id}: agents {agents:?}, not {}",
                    s.staff
                );
                must!(
                    p.state == pairing::State::Accepted
                        && p.seat == s.seat
                        && self.seats[&s.seat].staff.as_ref() == Some(&s.staff),
                    "{id} is at {}, its pairing {:?} at {}",
                    s.seat,
                    p.state,
                    p.seat
                );
                must!(
                    self.cold(id).is_none(),
                    "{id} has an agent and is handed over"
                );
            }
            self.present_or_due(id, s)?;
        }
        Ok(())
    }

    /// Whoever is awaited in a session is awaited until some time.
    fn present_or_due(&self, id: &SessionId, s: &Session) -> Checked {
        let awaited = self.inside(id).any(|m| {
            !m.1.present && matches!(m.1.role, session::Role::Citizen | session::Role::Agent)
        });
        must!(
            !awaited || s.due.is_some(),
            "{id} waits for somebody without an end"
        );
        Ok(())
    }

    /// Whoever was asked is in the session exactly while the invitation is accepted or introduced.
    fn helpers_are_inside_while_asked(&self) -> Checked {
        let mut helping = HashSet::new();
        for (id, i) in self.asked() {
            let s = &self.sessions[&i.session];
            must!(
                s.state != session::State::Ended,
                "{id} outlives its session"
            );
            must!(
                i.state != invite::State::Ringing || i.due.is_some(),
                "{id} rings without an end"
            );
            if i.state == invite::State::Ringing {
                continue;
            }
            let m = i.member.as_ref().and_then(|m| self.members.get(m));
            let Some(m) = m.filter(|m| m.inside && m.session == i.session) else {
                return Err(format!("{id} is {:?} and its helper is not there", i.state));
            };
            must!(
                m.role == session::Role::Guest && m.staff == i.staff,
                "{id}: {:?} came as {:?}",
                m.staff,
                m.role
            );
            must!(
                m.present || i.due.is_some(),
                "{id} waits for its helper without an end"
            );
            helping.extend(&i.member);
        }
        for (id, m) in self.members.iter().filter(|m| m.1.inside) {
            let own = matches!(m.role, session::Role::Citizen | session::Role::Agent);
            must!(
                own || helping.contains(id),
                "{id} is in {} and nobody asked for them",
                m.session
            );
        }
        Ok(())
    }

    fn call_backs_follow_their_tickets(&self) -> Checked {
        for (id, c) in &self.call_backs {
            let Some(t) = self.tickets.get(id) else {
                return Err(format!("{id} is to be called and is lost"));
            };
            use {callback::State as C, ticket::State as T};
            let fine = match c.state {
                C::Waiting => matches!(t.state, T::Waiting | T::Offered) && t.session.is_none(),
                C::Ringing => t.state == T::Offered && c.due.is_some(),
                C::Answered => t.session.is_some(),
                C::Closed => t.state == T::Expired && c.tries == 2,
                C::Cancelled => matches!(t.state, T::Abandoned | T::Expired),
            };
            must!(
                fine && c.tries <= 2,
                "{id}: the call-back is {:?} after {} tries, its ticket {:?}",
                c.state,
                c.tries,
                t.state
            );
            // In the pause between two tries nobody is rung for it.
            must!(
                c.state != C::Waiting || c.due.is_none() || c.tries > 0,
                "{id} pauses before the first try"
            );
        }
        Ok(())
    }

    fn slots_hold_their_capacity(&self) -> Checked {
        let mut live = HashSet::new();
        let mut held: BTreeMap<(String, i64), i64> = BTreeMap::new();
        for (id, a) in &self.appointments {
            must!(
                a.state.is_terminal() || live.insert((&a.hall, &a.person)),
                "{id}: {} has two live appointments",
                a.person
            );
            must!(
                matches!(
                    a.state,
                    appointment::State::Booked | appointment::State::Cancelled
                ) == (a.ticket.is_none() && a.state != appointment::State::NoShow),
                "{id} is {:?}, its ticket {:?}",
                a.state,
                a.ticket
            );
            must!(
                a.ticket
                    .as_ref()
                    .is_none_or(|t| self.tickets.contains_key(t)),
                "{id} was checked in and its ticket is lost"
            );
            // Whoever came and left has used the place.
            if a.state.holds_place() || a.ticket.is_some() {
                *held
                    .entry((a.queue.clone(), a.starts.micros()))
                    .or_default() += 1;
            }
        }
        for (slot, taken) in &self.places {
            let capacity = SLOTS.iter().find(|s| s.0 == slot.0).map_or(0, |s| s.1);
            must!(
                *taken <= i64::from(capacity),
                "{slot:?} has {capacity} places and {taken} are taken"
            );
            let held = held.remove(slot).unwrap_or(0);
            must!(
                held == *taken,
                "{slot:?}: {taken} places are taken for {held} people"
            );
        }
        must!(held.is_empty(), "nobody counted {held:?}");
        Ok(())
    }

    fn overflow_is_consented(&self) -> Checked {
        for (queue, to) in &self.overflows {
            must!(
                self.accepts.iter().any(|a| a.0 == *to),
                "{queue} overflows to {to}, which does not want it"
            );
        }
        for (id, t) in self.live() {
            let there = t.overflow.clone().map(|to| (to, t.hall.clone()));
            must!(
                t.state == ticket::State::Paired
                    || there.is_none_or(|pair| self.accepts.contains(&pair)),
                "{id} stands in a line that does not want it"
            );
        }
        Ok(())
    }

    /// A seat's stretches meet, the last lasts still and says what the seat is.
    fn times_add_up(&self) -> Checked {
        for (id, s) in &self.seats {
            let Some(all) = self.times.get(id) else {
                must!(s.state == seat::State::Offline, "{id} has no times");
                continue;
            };
            must!(
                all.windows(2).all(|w| w[0].to == Some(w[1].from)),
                "{id}: its times have a gap or overlap: {all:?}"
            );
            must!(
                all.last()
                    .is_some_and(|l| l.to.is_none() && l.state == s.state),
                "{id} is {:?}, its times say {:?}",
                s.state,
                all.last()
            );
        }
        Ok(())
    }

    fn nobody_waits_beside_a_seat(&self) -> Checked {
        for (sid, s) in &self.seats {
            if s.state != seat::State::Ready || s.silent {
                continue;
            }
            for (tid, t) in &self.tickets {
                must!(
                    t.state != ticket::State::Waiting || !self.fits(t, s),
                    "{tid} waits beside {sid}, which is ready and fits"
                );
            }
        }
        Ok(())
    }

    /// After every timer has run: nothing is left whose time was over before.
    pub fn check_timers(&self, now: Timestamp) -> Checked {
        let over = |d: Option<Timestamp>| d.is_some_and(|d| d <= now);
        for (id, p) in &self.pairings {
            let rings = p.state == pairing::State::Offered;
            must!(!rings || p.due > now, "{id} still rings");
        }
        for (id, s) in &self.seats {
            must!(
                s.state != seat::State::WrapUp || !over(s.due),
                "{id} still wraps up"
            );
        }
        for (id, t) in self.live() {
            must!(
                t.state == ticket::State::Paired || !over(t.grace),
                "{id} is kept after its grace"
            );
            must!(
                t.state != ticket::State::Waiting || !over(t.stage),
                "{id} asks what it asked before"
            );
        }
        for (id, s) in self.talks() {
            must!(!over(s.due), "{id} is awaited after its grace");
        }
        for (id, i) in self.asked() {
            must!(!over(i.due), "{id} is {:?} after its time", i.state);
        }
        for (id, a) in &self.appointments {
            let release = appointment::release_at(a.starts);
            must!(
                a.state != appointment::State::Booked || release >= now,
                "{id} keeps a place that nobody came for"
            );
        }
        Ok(())
    }
}
