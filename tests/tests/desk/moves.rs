//! What holds between two moments with one step between them: nothing comes back from its end, nobody is passed by a later
//! one, and no hall is given what it does not accept.

use crate::{
    holds::Checked,
    look::{Look, Pairing, Ticket},
};
use domain::{id::TicketId, routing::Demand, ticket, time::Timestamp};

/// Where the place in line says when and as what somebody came: not moved by hand, in no session, held for nobody.
fn ordinary(l: &Look, id: &TicketId, t: &Ticket) -> bool {
    t.order == ticket::order_key(t.class, t.came)
        && t.session.is_none()
        && !l.call_backs.contains_key(id)
        && Demand::parse(&t.demand).is_ok_and(|d| d.only().is_empty())
}

impl Look {
    /// `at`: the moment before the step.
    pub fn check_since(&self, before: &Self, at: Timestamp) -> Checked {
        for (id, was) in &before.tickets {
            let Some(t) = self.tickets.get(id) else {
                return Err(format!("{id} is lost"));
            };
            if was.state.is_terminal() && was.state != t.state {
                return Err(format!("{id} was {:?} and is {:?}", was.state, t.state));
            }
            // Whose page went keeps the place for a while and no longer; a call-back needs no page, a session has its own.
            let line = matches!(t.state, ticket::State::Waiting | ticket::State::Offered)
                && t.session.is_none()
                && !self.call_backs.contains_key(id);
            if line && (was.held || was.grace.is_some()) && !t.held && t.grace.is_none() {
                return Err(format!("{id} waits without a page and without an end"));
            }
        }
        for (id, was) in &before.invites {
            let now = self.invites.get(id).map(|i| i.state);
            if !was.state.is_live() && now != Some(was.state) {
                return Err(format!("{id} was {:?} and is {now:?}", was.state));
            }
        }
        for (id, was) in &before.appointments {
            let now = self.appointments.get(id).map(|a| a.state);
            if was.state.is_terminal() && now != Some(was.state) {
                return Err(format!("{id} was {:?} and is {now:?}", was.state));
            }
        }
        let made = self.pairings.iter();
        let made: Vec<_> = made
            .filter(|p| !before.pairings.contains_key(p.0))
            .map(|p| p.1)
            .collect();
        for p in &made {
            self.no_inversion(before, at, p, &made)?;
            self.not_back(p)?;
            self.wanted_there(before, p)?;
        }
        Ok(())
    }

    /// Nobody who waited all the time came before the one who was offered, and could have had that seat.
    fn no_inversion(
        &self,
        before: &Self,
        at: Timestamp,
        p: &Pairing,
        made: &[&Pairing],
    ) -> Checked {
        let (Some(served), Some(seat)) = (self.tickets.get(&p.ticket), self.seats.get(&p.seat))
        else {
            return Err(format!("{} or {} is lost", p.ticket, p.seat));
        };
        let same_seat = before
            .seats
            .get(&p.seat)
            .is_some_and(|s| s.staff == seat.staff && s.skills == seat.skills);
        for (id, t) in &self.tickets {
            let Some(was) = before.tickets.get(id) else {
                continue;
            };
            // Not those whom the same step moved, offered or took back.
            let waited = (was.state, t.state) == (ticket::State::Waiting, ticket::State::Waiting)
                && (&was.demand, was.order, &was.overflow, &was.line)
                    == (&t.demand, t.order, &t.overflow, &t.line)
                && !made.iter().any(|n| n.ticket == *id);
            let first = (t.order, id) < (served.order, &p.ticket);
            if !waited || !first {
                continue;
            }
            if same_seat && self.fits(t, seat) {
                return Err(format!(
                    "{} was offered to {}, which {id} could have had, and came first",
                    p.ticket, p.seat
                ));
            }
            // Whatever they ask by now: in one line the first asks no more than those behind.
            let line = (&t.line, t.class) == (&served.line, served.class)
                && t.hall == seat.hall
                && t.stage.is_none_or(|s| s > at)
                && ordinary(self, id, t)
                && ordinary(self, &p.ticket, served);
            if line {
                return Err(format!("{} went before {id}, which came first", p.ticket));
            }
        }
        Ok(())
    }

    /// Who hands over is not rung for the same citizen while the transfer is under way.
    fn not_back(&self, p: &Pairing) -> Checked {
        let from = self
            .talks()
            .find(|(id, s)| s.ticket == p.ticket && s.parked && self.cold(id).is_some());
        let staff = self.seats[&p.seat].staff.as_ref();
        match from {
            Some((id, s)) if staff == Some(&s.staff) => {
                Err(format!("{id} rings whoever handed it over"))
            }
            _ => Ok(()),
        }
    }

    /// A seat of another hall is rung only while that hall accepts this one's people.
    fn wanted_there(&self, before: &Self, p: &Pairing) -> Checked {
        let (t, s) = (&self.tickets[&p.ticket], &self.seats[&p.seat]);
        let pair = (s.hall.clone(), t.hall.clone());
        if t.hall == s.hall || self.accepts.contains(&pair) || before.accepts.contains(&pair) {
            return Ok(());
        }
        Err(format!(
            "{} was offered to {}, whose hall does not accept it",
            p.ticket, p.seat
        ))
    }
}
