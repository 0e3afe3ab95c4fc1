//! The desk's rows as they are, read without the server's own queries. What must hold of them: `holds` at every moment,
//! `moves` between two.

use domain::{
    appointment, callback,
    id::{
        AppointmentId, HallId, InviteId, MemberId, PairingId, SeatId, SessionId, StaffId, TicketId,
        VisitId,
    },
    invite, pairing,
    routing::Demand,
    seat, session, ticket,
    time::Timestamp,
};
use futures::FutureExt as _;
use signaling::app::App;
use std::collections::{BTreeMap, BTreeSet};
use store::{Row, StoreError, Tx, args};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    pub visit: VisitId,
    pub hall: HallId,
    pub overflow: Option<HallId>,
    /// Who stands in the same line: queue and needs. What is asked relaxes with the wait alone, so within one of these lines
    /// whoever came first may be served by every seat that may serve a later one.
    pub line: String,
    pub class: ticket::Class,
    pub came: Timestamp,
    pub order: i64,
    pub demand: String,
    /// When the demand is to change.
    pub stage: Option<Timestamp>,
    pub grace: Option<Timestamp>,
    /// A page watches it.
    pub held: bool,
    pub state: ticket::State,
    pub next: Option<TicketId>,
    pub session: Option<SessionId>,
    pub reason: Option<String>,
    pub ended: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    pub hall: HallId,
    pub state: seat::State,
    pub staff: Option<StaffId>,
    pub skills: BTreeMap<String, u8>,
    pub silent: bool,
    pub wrap_up: Option<SessionId>,
    pub due: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pairing {
    pub ticket: TicketId,
    pub seat: SeatId,
    pub visit: VisitId,
    pub state: pairing::State,
    pub due: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub ticket: TicketId,
    pub pairing: PairingId,
    pub seat: SeatId,
    pub staff: StaffId,
    pub visit: VisitId,
    pub state: session::State,
    pub parked: bool,
    pub due: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub session: SessionId,
    pub role: session::Role,
    pub staff: Option<StaffId>,
    pub present: bool,
    /// Has not left for good.
    pub inside: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    pub session: SessionId,
    pub kind: invite::Kind,
    pub state: invite::State,
    pub seat: Option<SeatId>,
    pub staff: Option<StaffId>,
    pub member: Option<MemberId>,
    pub due: Option<Timestamp>,
    pub version: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallBack {
    pub state: callback::State,
    pub tries: i64,
    pub due: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appointment {
    pub hall: HallId,
    pub person: String,
    pub queue: String,
    pub starts: Timestamp,
    pub state: appointment::State,
    pub ticket: Option<TicketId>,
}

/// One stretch of a seat's day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    pub from: Timestamp,
    pub to: Option<Timestamp>,
    pub state: seat::State,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Look {
    pub tickets: BTreeMap<TicketId, Ticket>,
    pub seats: BTreeMap<SeatId, Seat>,
    pub pairings: BTreeMap<PairingId, Pairing>,
    pub sessions: BTreeMap<SessionId, Session>,
    pub members: BTreeMap<MemberId, Member>,
    pub invites: BTreeMap<InviteId, Invite>,
    pub call_backs: BTreeMap<TicketId, CallBack>,
    pub appointments: BTreeMap<AppointmentId, Appointment>,
    /// Places that are taken, a queue and slot.
    pub places: BTreeMap<(String, i64), i64>,
    /// Who serves whose citizens, and the queues that a supervisor lets another hall serve.
    pub accepts: BTreeSet<(HallId, HallId)>,
    pub overflows: BTreeMap<String, HallId>,
    pub times: BTreeMap<SeatId, Vec<Stretch>>,
    /// Accepted commands that were kept with their answers.
    pub keys: i64,
}

fn ticket(r: &Row) -> Result<(TicketId, Ticket), StoreError> {
    let t = Ticket {
        visit: r.id("visit_id")?,
        hall: r.id("hall_id")?,
        overflow: r.opt_id("overflow_hall")?,
        line: format!("{} {}", r.text("skill")?, r.text("needs")?),
        class: ticket::Class::from_rank(r.int("class")?).unwrap(),
        came: r.time("enqueued_at")?,
        order: r.int("order_at")?,
        demand: r.text("demand")?,
        stage: r.opt_time("stage_at")?,
        grace: r.opt_time("grace_until")?,
        held: r.opt_text("holder")?.is_some(),
        state: r.word("state", ticket::State::parse)?,
        next: r.opt_id("next_ticket")?,
        session: r.opt_id("session_id")?,
        reason: r.opt_text("reason")?,
        ended: r.opt_time("ended_at")?.is_some(),
    };
    Ok((r.id("id")?, t))
}

fn seat(r: &Row) -> Result<(SeatId, Seat), StoreError> {
    let s = Seat {
        hall: r.id("hall_id")?,
        state: r.word("state", seat::State::parse)?,
        staff: r.opt_id("staff_id")?,
        skills: r.json("skills")?,
        silent: r.opt_time("silent_since")?.is_some(),
        wrap_up: r.opt_id("wrap_up_session")?,
        due: r.opt_time("due_at")?,
    };
    Ok((r.id("id")?, s))
}

fn pairing(r: &Row) -> Result<(PairingId, Pairing), StoreError> {
    let p = Pairing {
        ticket: r.id("ticket_id")?,
        seat: r.id("seat_id")?,
        visit: r.id("visit_id")?,
        state: r.word("state", pairing::State::parse)?,
        due: r.time("due_at")?,
    };
    Ok((r.id("id")?, p))
}

fn session(r: &Row) -> Result<(SessionId, Session), StoreError> {
    let s = Session {
        ticket: r.id("ticket_id")?,
        pairing: r.id("pairing_id")?,
        seat: r.id("seat_id")?,
        staff: r.id("staff_id")?,
        visit: r.id("visit_id")?,
        state: r.word("state", session::State::parse)?,
        parked: r.bool("parked")?,
        due: r.opt_time("due_at")?,
    };
    Ok((r.id("id")?, s))
}

fn member(r: &Row) -> Result<(MemberId, Member), StoreError> {
    let m = Member {
        session: r.id("session_id")?,
        role: r.word("role", session::Role::parse)?,
        staff: r.opt_id("staff_id")?,
        present: r.bool("present")?,
        inside: r.opt_time("left_at")?.is_none(),
    };
    Ok((r.id("id")?, m))
}

fn invite(r: &Row) -> Result<(InviteId, Invite), StoreError> {
    let i = Invite {
        session: r.id("session_id")?,
        kind: r.word("kind", invite::Kind::parse)?,
        state: r.word("state", invite::State::parse)?,
        seat: r.opt_id("seat_id")?,
        staff: r.opt_id("staff_id")?,
        member: r.opt_id("member_id")?,
        due: r.opt_time("due_at")?,
        version: r.int("version")?,
    };
    Ok((r.id("id")?, i))
}

fn appointment(r: &Row) -> Result<(AppointmentId, Appointment), StoreError> {
    let a = Appointment {
        hall: r.id("hall_id")?,
        person: r.text("person")?,
        queue: r.text("queue")?,
        starts: r.time("starts_at")?,
        state: r.word("state", appointment::State::parse)?,
        ticket: r.opt_id("ticket_id")?,
    };
    Ok((r.id("id")?, a))
}

async fn all<K: Ord + Send, V: Send>(
    tx: &mut Tx,
    sql: &'static str,
    row: impl Fn(&Row) -> Result<(K, V), StoreError> + Send + Sync + Copy,
) -> Result<BTreeMap<K, V>, StoreError> {
    Ok(tx.all(sql, args![], row).await?.into_iter().collect())
}

async fn rows(tx: &mut Tx) -> Result<Look, StoreError> {
    let call_back = |r: &Row| {
        let c = CallBack {
            state: r.word("state", callback::State::parse)?,
            tries: r.int("tries")?,
            due: r.opt_time("due_at")?,
        };
        Ok((r.id("ticket_id")?, c))
    };
    let place = |r: &Row| Ok(((r.text("queue")?, r.int("starts_at")?), r.int("taken")?));
    let accepts = |r: &Row| Ok(((r.id("hall_id")?, r.id("from_hall")?), ()));
    let overflow = |r: &Row| Ok((r.text("code")?, r.id("to_hall")?));
    let stretch = |r: &Row| {
        let s = Stretch {
            from: r.time("from_at")?,
            to: r.opt_time("to_at")?,
            state: r.word("state", seat::State::parse)?,
        };
        Ok(((r.id::<SeatId>("seat_id")?, s.from), s))
    };
    let mut times: BTreeMap<SeatId, Vec<Stretch>> = BTreeMap::new();
    for ((seat, _), s) in all(tx, "SELECT * FROM seat_states", stretch).await? {
        times.entry(seat).or_default().push(s);
    }
    let keys = tx.one("SELECT count(*) AS n FROM idempotency", args![], |r| {
        r.int("n")
    });
    let keys = keys.await?.unwrap_or(0);
    let accepts = all(tx, "SELECT * FROM hall_accepts", accepts).await?;
    Ok(Look {
        tickets: all(tx, "SELECT * FROM tickets", ticket).await?,
        seats: all(tx, "SELECT * FROM seats", seat).await?,
        pairings: all(tx, "SELECT * FROM pairings", pairing).await?,
        sessions: all(tx, "SELECT * FROM sessions", session).await?,
        members: all(tx, "SELECT * FROM session_members", member).await?,
        invites: all(tx, "SELECT * FROM invites", invite).await?,
        call_backs: all(tx, "SELECT * FROM call_backs", call_back).await?,
        appointments: all(tx, "SELECT * FROM appointments", appointment).await?,
        places: all(tx, "SELECT * FROM slot_counts", place).await?,
        accepts: accepts.into_keys().collect(),
        overflows: all(tx, "SELECT * FROM queue_overflows", overflow).await?,
        times,
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

    /// Sessions that are not over.
    pub fn talks(&self) -> impl Iterator<Item = (&SessionId, &Session)> {
        let live = |s: &(&SessionId, &Session)| s.1.state != session::State::Ended;
        self.sessions.iter().filter(live)
    }

    /// Invitations that are not over.
    pub fn asked(&self) -> impl Iterator<Item = (&InviteId, &Invite)> {
        self.invites.iter().filter(|i| i.1.state.is_live())
    }

    pub fn inside<'a>(
        &'a self,
        id: &'a SessionId,
    ) -> impl Iterator<Item = (&'a MemberId, &'a Member)> {
        let here = move |m: &(&MemberId, &Member)| m.1.session == *id && m.1.inside;
        self.members.iter().filter(here)
    }

    /// Whether this seat may serve this ticket now.
    pub fn fits(&self, t: &Ticket, s: &Seat) -> bool {
        let reached = t.hall == s.hall || t.overflow.as_ref() == Some(&s.hall);
        let staff = s.staff.as_ref().map(ToString::to_string);
        let demand = Demand::parse(&t.demand).unwrap();
        reached && demand.allows_hall(&s.hall) && demand.fits(&staff.unwrap_or_default(), &s.skills)
    }
}
