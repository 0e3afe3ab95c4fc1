//! What people, pages and timers ask of the server, as values: a call can be made again with its key, and cut off midway.

use crate::{
    booking::{self, Booking},
    help::{self, Help},
    keep::{self, Keep},
    world::{agent, by, hall_id},
};
use domain::id::{Id as _, MemberId, PairingId, SeatId, SessionId, StaffId, TicketId, VisitId};
use futures::future::BoxFuture;
use protocol::{Channel, Language, OpenVisit};
use serde_json::json;
use signaling::{
    app::{
        App, appointments, auth, call_flow, callbacks, desk, invites, queue, routing,
        token::Principal,
    },
    problem::AppError,
};
use std::{future::Future, pin::pin};

#[derive(Debug, Clone)]
pub enum Call {
    /// `item`: none leads to the general queue.
    Take {
        visit: VisitId,
        item: Option<&'static str>,
        need: bool,
        priority: bool,
    },
    Cancel(VisitId, TicketId),
    /// The citizen's page came or went.
    Page(TicketId, bool),
    EndVisit(VisitId),
    /// The page that opened it holds it next.
    Open(StaffId, SeatId),
    Ask(StaffId, SeatId, Ask),
    /// A page holds the seat: a new connection.
    Hold(StaffId, SeatId),
    /// The page that holds it went: closed, or fell silent.
    Gone(SeatId, bool),
    Accept(StaffId, PairingId),
    Decline(StaffId, PairingId),
    Join(Who, SessionId),
    /// This connection is gone from the session.
    Drop(SessionId, String),
    End(Who, SessionId),
    WrapUp(StaffId, SessionId, bool),
    Booking(Booking),
    Help(Help),
    Keep(Keep),
    /// Every timer of the desk, once.
    Due,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    Ready,
    Away,
    Close,
}

#[derive(Debug, Clone)]
pub enum Who {
    Agent(StaffId),
    Citizen(VisitId),
    Guest(SessionId, MemberId),
}

impl Who {
    fn principal(&self) -> Principal {
        match self {
            Self::Agent(s) => agent(s),
            Self::Citizen(v) => Principal::Citizen { visit: v.clone() },
            Self::Guest(s, m) => Principal::Guest {
                session: s.clone(),
                member: m.clone(),
            },
        }
    }
}

impl Call {
    /// Commands carry a key; what pages and timers do does not.
    pub const fn keyed(&self) -> bool {
        !matches!(
            self,
            Self::Page(..)
                | Self::Hold(..)
                | Self::Gone(..)
                | Self::Join(..)
                | Self::Drop(..)
                | Self::Due
        )
    }
}

/// A citizen's phone says hello.
pub async fn visit(app: &App) -> VisitId {
    let open = OpenVisit {
        channel: Channel::Phone,
        hall: hall_id().to_string(),
        language: Language::Zh,
        elder: false,
    };
    let token = auth::open_visit(app, None, open).await.unwrap();
    VisitId::parse(&token.visit.id).unwrap()
}

/// Makes the call; answers what a repeat must answer again.
pub fn perform<'a>(
    app: &'a App,
    call: &'a Call,
    key: &'a str,
) -> BoxFuture<'a, Result<String, AppError>> {
    // Large: on the heap.
    Box::pin(asked(app, call, key))
}

async fn asked(app: &App, call: &Call, key: &str) -> Result<String, AppError> {
    let done = "done".to_owned();
    match call.clone() {
        Call::Take {
            visit,
            item,
            need,
            priority,
        } => {
            let needs = if need {
                json!(["slow_speech"])
            } else {
                json!([])
            };
            let body = json!({"item": item, "needs": needs, "priority": priority});
            let body = serde_json::from_value(body).unwrap();
            let me = Principal::Citizen { visit };
            Ok(queue::take(app, &by(me, key), body).await?.id)
        }
        Call::Cancel(visit, ticket) => {
            let me = Principal::Citizen { visit };
            queue::cancel(app, &by(me, key), ticket).await?;
            Ok(done)
        }
        Call::Page(ticket, here) => page(app, ticket, here).await.map(|()| done),
        Call::EndVisit(visit) => {
            let me = Principal::Citizen {
                visit: visit.clone(),
            };
            call_flow::end_visit(app, &by(me, key), visit).await?;
            Ok(done)
        }
        Call::Open(staff, seat) => {
            let who = store_staff(app, &staff).await?;
            let body = json!({"skills": who.skills.codes(), "take_over": true});
            let body = serde_json::from_value(body).unwrap();
            desk::open(app, &by(agent(&staff), key), seat, body).await?;
            Ok(done)
        }
        Call::Ask(staff, seat, ask) => {
            let ask = match ask {
                Ask::Ready => desk::Ask::Ready,
                Ask::Away => desk::Ask::Away("break".into()),
                Ask::Close => desk::Ask::Close,
            };
            desk::ask(app, &by(agent(&staff), key), seat, ask).await?;
            Ok(done)
        }
        Call::Hold(staff, seat) => hold(app, &staff, seat).await.map(|()| done),
        Call::Gone(seat, closed) => {
            let id = seat.clone();
            let holder = app
                .read(|tx| Box::pin(async move { Ok(store::seat::get(tx, &id).await?) }))
                .await?
                .and_then(|s| s.holder);
            if let Some(h) = holder {
                desk::page_gone(app, seat, &h, closed).await?;
            }
            Ok(done)
        }
        Call::Accept(staff, pairing) => Ok(desk::accept(app, &by(agent(&staff), key), pairing)
            .await?
            .session),
        Call::Decline(staff, pairing) => {
            desk::decline(app, &by(agent(&staff), key), pairing, "busy".into()).await?;
            Ok(done)
        }
        Call::Join(who, session) => {
            let conn = signaling::app::nodes::connection_id(app);
            call_flow::join(app, &who.principal(), session, &conn, 0).await?;
            Ok(done)
        }
        Call::Drop(session, conn) => call_flow::dropped(app, session, &conn).await.map(|()| done),
        Call::End(who, session) => {
            let caller = by(who.principal(), key);
            call_flow::end(app, &caller, session, "finished".into()).await?;
            Ok(done)
        }
        Call::WrapUp(staff, session, then_away) => {
            let body = json!({"disposition": "answered", "then_away": then_away});
            let body = serde_json::from_value(body).unwrap();
            call_flow::wrap_up(app, &by(agent(&staff), key), session, body).await?;
            Ok(done)
        }
        Call::Booking(c) => booking::perform(app, c, key).await,
        Call::Help(c) => help::perform(app, c, key).await,
        Call::Keep(c) => keep::perform(app, c, key).await.map(|()| done),
        // In the order of the server's own job.
        Call::Due => {
            desk::due(app).await?;
            queue::due(app).await?;
            appointments::due(app).await?;
            callbacks::due(app).await?;
            routing::due(app).await?;
            call_flow::due(app).await?;
            invites::due(app).await?;
            Ok(done)
        }
    }
}

/// A page comes, or the one that holds the ticket goes; where none does, it came and went.
async fn page(app: &App, ticket: TicketId, here: bool) -> Result<(), AppError> {
    let id = ticket.clone();
    let t = app
        .read(|tx| Box::pin(async move { Ok(store::ticket::get(tx, &id).await?.unwrap()) }))
        .await?;
    let conn = match t.holder.filter(|_| !here) {
        Some(held) => held,
        None => {
            let conn = signaling::app::nodes::connection_id(app);
            queue::hold(app, &t.visit_id, ticket.clone(), &conn).await?;
            conn
        }
    };
    if here {
        return Ok(());
    }
    queue::page_gone(app, ticket, &conn).await
}

async fn hold(app: &App, staff: &StaffId, seat: SeatId) -> Result<(), AppError> {
    let conn = signaling::app::nodes::connection_id(app);
    desk::hold(app, staff, seat, &conn).await
}

async fn store_staff(app: &App, id: &StaffId) -> Result<store::staff::Staff, AppError> {
    let id = id.clone();
    app.read(|tx| Box::pin(async move { Ok(store::staff::get(tx, &id).await?.unwrap()) }))
        .await
}

/// A refusal is an answer; anything else is a fault of the server.
pub fn refused(e: &AppError) -> bool {
    matches!(e, AppError::Rejected { .. })
}

/// Drives `f` until it has waited `times` times, then lets go of it: the server died there. True: it came to its end.
pub async fn cut(f: impl Future, times: usize) -> bool {
    let mut f = pin!(f);
    let mut left = times;
    let ended = std::future::poll_fn(|cx| {
        if left == 0 {
            return std::task::Poll::Ready(false);
        }
        left -= 1;
        f.as_mut().poll(cx).map(|_| true)
    });
    ended.await
}
