//! The desk's rows as they are, and what must hold of them: the invariants of the architecture, said without the server's own
//! queries.

use domain::{
    id::{PairingId, SeatId, SessionId, StaffId, TicketId, VisitId},
    pairing,
    routing::Demand,
    seat, session, ticket,
};
use futures::FutureExt as _;
use signaling::app::App;
use std::collections::{BTreeMap, HashMap, HashSet};
use store::{StoreError, Tx, args};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    pub visit: VisitId,
    /// Who stands in the same line: queue and needs. What is asked relaxes with the wait alone, so within one of these lines
    /// whoever came first may be served by every seat that may serve a later one.
    pub line: String,
    pub class: i64,
    pub order: i64,
    pub demand: String,
    pub state: ticket::State,
    pub next: Option<TicketId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    pub state: seat::State,
    pub staff: Option<StaffId>,
    pub skills: BTreeMap<String, u8>,
    pub silent: bool,
    pub wrap_up: Option<SessionId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pairing {
    pub ticket: TicketId,
    pub seat: SeatId,
    pub visit: VisitId,
    pub state: pairing::State,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub ticket: TicketId,
    pub seat: SeatId,
    pub staff: StaffId,
    pub visit: VisitId,
    pub state: session::State,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Look {
    pub tickets: BTreeMap<TicketId, Ticket>,
    pub seats: BTreeMap<SeatId, Seat>,
    pub pairings: BTreeMap<PairingId, Pairing>,
    pub sessions: BTreeMap<SessionId, Session>,
    /// Accepted commands that were kept with their answers.
    pub keys: i64,
}

async fn rows(tx: &mut Tx) -> Result<Look, StoreError> {
    let tickets = tx.all("SELECT * FROM tickets", args![], |r| {
        let t = Ticket {
            visit: r.id("visit_id")?,
            line: format!("{} {}", r.text("skill")?, r.text("needs")?),
            class: r.int("class")?,
            order: r.int("order_at")?,
            demand: r.text("demand")?,
            state: r.word("state", ticket::State::parse)?,
            next: r.opt_id("next_ticket")?,
        };
        Ok((r.id("id")?, t))
    });
    let tickets = tickets.await?.into_iter().collect();
    let seats = tx.all("SELECT * FROM seats", args![], |r| {
        let s = Seat {
            state: r.word("state", seat::State::parse)?,
            staff: r.opt_id("staff_id")?,
            skills: r.json("skills")?,
            silent: r.opt_time("silent_since")?.is_some(),
            wrap_up: r.opt_id("wrap_up_session")?,
        };
        Ok((r.id("id")?, s))
    });
    let seats = seats.await?.into_iter().collect();
    let pairings = tx.all("SELECT * FROM pairings", args![], |r| {
        let p = Pairing {
            ticket: r.id("ticket_id")?,
            seat: r.id("seat_id")?,
            visit: r.id("visit_id")?,
            state: r.word("state", pairing::State::parse)?,
        };
        Ok((r.id("id")?, p))
    });
    let pairings = pairings.await?.into_iter().collect();
    let sessions = tx.all("SELECT * FROM sessions", args![], |r| {
        let s = Session {
            ticket: r.id("ticket_id")?,
            seat: r.id("seat_id")?,
            staff: r.id("staff_id")?,
            visit: r.id("visit_id")?,
            state: r.word("state", session::State::parse)?,
        };
        Ok((r.id("id")?, s))
    });
    let sessions = sessions.await?.into_iter().collect();
    let keys = tx.one("SELECT count(*) AS n FROM idempotency", args![], |r| {
        r.int("n")
    });
    let keys = keys.await?.unwrap_or(0);
    Ok(Look {
        tickets,
        seats,
        pairings,
        sessions,
        keys,
    })
}

impl Look {
    pub async fn take(app: &App) -> Self {
        let look = app.store.read(|tx| rows(tx).boxed());
        look.await.unwrap()
    }

    pub fn live(&self) -> impl Iterator<Item = (&TicketId, &Ticket)> {
        self.tickets.iter().filter(|t| !t.1.state.is_terminal())
    }

    fn fits(&self, t: &Ticket, s: &SeatId) -> bool {
        let s = &self.seats[s];
        Demand::parse(&t.demand).unwrap().fits(
            &s.staff
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            &s.skills,
        )
    }

    /// What holds at every moment. The error says what does not.
    pub fn check(&self) -> Result<(), String> {
        let live: Vec<_> = self
            .pairings
            .iter()
            .filter(|p| p.1.state.is_live())
            .collect();
        let (mut seats, mut visits, mut tickets) = (HashMap::new(), HashSet::new(), HashMap::new());
        for (id, p) in &live {
            if seats.insert(&p.seat, p.state).is_some() {
                return Err(format!("{} has two live pairings", p.seat));
            }
            if !visits.insert(&p.visit) || tickets.insert(&p.ticket, p.state).is_some() {
                return Err(format!("{id}: its citizen is in two live pairings"));
            }
        }
        for (id, s) in &self.seats {
            let want = match s.state {
                seat::State::Ringing => Some(pairing::State::Offered),
                seat::State::Busy => Some(pairing::State::Accepted),
                _ => None,
            };
            if seats.get(id).copied() != want {
                return Err(format!(
                    "{id} is {:?}, its pairing {:?}",
                    s.state,
                    seats.get(id)
                ));
            }
        }
        for (id, t) in &self.tickets {
            let want = match t.state {
                ticket::State::Offered => Some(pairing::State::Offered),
                ticket::State::Paired => Some(pairing::State::Accepted),
                _ => None,
            };
            if tickets.get(id).copied() != want {
                return Err(format!(
                    "{id} is {:?}, its pairing {:?}",
                    t.state,
                    tickets.get(id)
                ));
            }
            let talks = self
                .sessions
                .values()
                .any(|s| s.ticket == *id && s.state != session::State::Ended);
            if talks != (t.state == ticket::State::Paired) {
                return Err(format!("{id} is {:?}, in a live session: {talks}", t.state));
            }
            if t.next
                .as_ref()
                .is_some_and(|n| !self.tickets.contains_key(n))
            {
                return Err(format!("{id} goes on as a ticket that is not there"));
            }
        }
        for (sid, s) in &self.seats {
            if s.state != seat::State::Ready || s.silent {
                continue;
            }
            for (tid, t) in &self.tickets {
                if t.state == ticket::State::Waiting && self.fits(t, sid) {
                    return Err(format!("{tid} waits beside {sid}, which is ready and fits"));
                }
            }
        }
        Ok(())
    }

    /// What holds between two moments with one step between them.
    pub fn check_since(&self, before: &Self) -> Result<(), String> {
        for (id, was) in &before.tickets {
            let Some(t) = self.tickets.get(id) else {
                return Err(format!("{id} is lost"));
            };
            if was.state.is_terminal() && was.state != t.state {
                return Err(format!("{id} was {:?} and is {:?}", was.state, t.state));
            }
        }
        let new: Vec<_> = self
            .pairings
            .iter()
            .filter(|p| !before.pairings.contains_key(p.0))
            .map(|p| p.1)
            .collect();
        let waits = |l: &Self, id: &TicketId| {
            l.tickets
                .get(id)
                .is_some_and(|t| t.state == ticket::State::Waiting)
        };
        for p in &new {
            let Some(served) = self.tickets.get(&p.ticket) else {
                return Err(format!("{} is lost", p.ticket));
            };
            // Who waited all the time: not those whom the same step offered, took back or brought.
            let passed = self.tickets.iter().find(|(id, t)| {
                (&t.line, t.class) == (&served.line, served.class)
                    && (t.order, *id) < (served.order, &p.ticket)
                    && waits(before, id)
                    && waits(self, id)
                    && !new.iter().any(|n| n.ticket == **id)
            });
            if let Some((id, _)) = passed {
                return Err(format!("{} went before {id}, which came first", p.ticket));
            }
        }
        Ok(())
    }
}
