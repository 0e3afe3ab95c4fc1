//! What time alone brings about, on the held clock: a demand that relaxes, the second try of a call-back, a reminder.

use crate::{
    calls::{Call, perform, visit},
    world::{On, World, agent, by, seat_id, staff_id},
};
use domain::{
    id::{Id as _, PairingId, TicketId, VisitId},
    seat, ticket,
    time::{Span, Timestamp},
};
use futures::FutureExt as _;
use protocol::{CallBackDecline, CallBackState, CallBackTaken, DeclineCallBack};
use serde_json::json;
use signaling::app::{appointments, callbacks, token::Principal};
use store::{StoreError, args, outbox};

/// As many as the other tests of this program have: they share a database to begin with.
const SEATS: usize = 7;

/// `both!(name, |world| { … })`: two tests, `name::sqlite` and `name::postgres`.
macro_rules! both {
    ($name:ident, |$world:ident| $body:block) => {
        mod $name {
            use super::*;
            async fn run($world: &mut World) $body
            async fn on(on: On) {
                let mut world = World::new(on, SEATS).await;
                run(&mut world).await;
                world.end().await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                on(On::Sqlite).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                on(On::Postgres).await;
            }
        }
    };
}

/// So many seconds later, after the timers.
async fn later(w: &World, s: i64) {
    w.pass(s);
    perform(&w.app, &Call::Due, "").await.unwrap();
}

async fn sit(w: &World, n: usize) {
    let (staff, seat) = (staff_id(n), seat_id(n));
    let open = Call::Open(staff.clone(), seat.clone());
    perform(&w.app, &open, &format!("open-{n}")).await.unwrap();
    perform(&w.app, &Call::Hold(staff, seat), "").await.unwrap();
}

async fn take(w: &World, visit: &VisitId, item: Option<&'static str>) -> TicketId {
    let call = Call::Take {
        visit: visit.clone(),
        item,
        need: false,
        priority: false,
    };
    let id = perform(&w.app, &call, "take").await.unwrap();
    TicketId::parse(&id).unwrap()
}

async fn ticket_of(w: &World, id: &TicketId) -> ticket::State {
    let id = id.clone();
    let t = w
        .app
        .read(|tx| Box::pin(async move { Ok(store::ticket::get(tx, &id).await?) }));
    t.await.unwrap().unwrap().state
}

async fn seat_of(w: &World, n: usize) -> seat::State {
    let s = w
        .app
        .read(move |tx| Box::pin(async move { Ok(store::seat::get(tx, &seat_id(n)).await?) }));
    s.await.unwrap().unwrap().state
}

/// What rings at a seat.
async fn rings(w: &World, n: usize) -> Option<PairingId> {
    let p = w.app.read(move |tx| {
        Box::pin(async move { Ok(store::pairing::live_of_seat(tx, &seat_id(n)).await?) })
    });
    p.await.unwrap().map(|p| p.id)
}

/// Kinds of the messages that left, in their order.
async fn messages(w: &World, of: &'static str) -> Vec<String> {
    let sql = "SELECT kind FROM outbox ORDER BY at, nth, id";
    let all = w
        .app
        .store
        .read(move |tx| async move { tx.all(sql, args![], |r| r.text("kind")).await }.boxed());
    let all: Result<Vec<String>, StoreError> = all.await;
    let all = all.unwrap().into_iter();
    all.filter(|k| k.starts_with(of)).collect()
}

both!(a_demand_relaxes_at_its_second, |w| {
    // Knows tax at level 2; the queue asks for 3, after 45 seconds for 2.
    sit(w, 1).await;
    let citizen = visit(&w.app).await;
    let id = take(w, &citizen, Some("tax")).await;
    later(w, 44).await;
    assert_eq!(ticket_of(w, &id).await, ticket::State::Waiting);
    assert_eq!(seat_of(w, 1).await, seat::State::Ready);
    later(w, 1).await;
    assert_eq!(ticket_of(w, &id).await, ticket::State::Offered);
    assert!(rings(w, 1).await.is_some());
});

/// A call-back that rings at seat 0 now.
async fn called_back(w: &World) -> (Principal, TicketId) {
    let citizen = visit(&w.app).await;
    let first = take(w, &citizen, None).await;
    let me = Principal::Citizen { visit: citizen };
    let taken: CallBackTaken = callbacks::take(&w.app, &by(me.clone(), "back"), first)
        .await
        .unwrap();
    sit(w, 0).await;
    (me, TicketId::parse(&taken.ticket.id).unwrap())
}

/// The agent rings the citizen's phone.
async fn ring(w: &World, key: &str) {
    let p = rings(w, 0).await.unwrap();
    callbacks::call(&w.app, &by(agent(&staff_id(0)), key), p)
        .await
        .unwrap();
}

both!(a_second_try_after_five_minutes_then_a_message, |w| {
    let (me, id) = called_back(w).await;
    let look = || async {
        let k = callbacks::own(&w.app, &me, id.clone()).await.unwrap();
        (k.state, k.tries)
    };
    ring(w, "one").await;
    later(w, 59).await;
    assert_eq!(look().await, (CallBackState::Ringing, 1));
    later(w, 1).await;
    assert_eq!(look().await, (CallBackState::Waiting, 1));
    assert_eq!(seat_of(w, 0).await, seat::State::Ready);
    later(w, 299).await;
    assert_eq!(rings(w, 0).await, None, "the pause");
    later(w, 1).await;
    ring(w, "two").await;
    assert_eq!(look().await, (CallBackState::Ringing, 2));
    later(w, 60).await;
    assert_eq!(look().await, (CallBackState::Closed, 2));
    assert_eq!(ticket_of(w, &id).await, ticket::State::Expired);
    assert_eq!(seat_of(w, 0).await, seat::State::Ready);
    assert_eq!(
        messages(w, "call_back").await,
        [
            "call_back.ringing",
            "call_back.missed",
            "call_back.ringing",
            "call_back.closed"
        ]
    );
});

both!(not_now_costs_a_try_and_the_seat_no_time, |w| {
    let (me, id) = called_back(w).await;
    let decline = |key: &'static str, answer| {
        let caller = by(me.clone(), key);
        let (app, id) = (w.app.clone(), id.clone());
        async move { callbacks::decline(&app, &caller, id, DeclineCallBack { answer }).await }
    };
    let early = decline("early", CallBackDecline::Later).await;
    assert_eq!(early.unwrap_err().code(), "callback_state");
    ring(w, "one").await;
    let k = decline("later", CallBackDecline::Later).await.unwrap();
    assert_eq!((k.state, k.tries), (CallBackState::Waiting, 1));
    assert_eq!(seat_of(w, 0).await, seat::State::Ready, "and no wrap-up");
    later(w, 299).await;
    assert_eq!(rings(w, 0).await, None, "the pause");
    later(w, 1).await;
    ring(w, "two").await;
    let k = decline("again", CallBackDecline::Later).await.unwrap();
    assert_eq!((k.state, k.tries), (CallBackState::Closed, 2));
    assert_eq!(ticket_of(w, &id).await, ticket::State::Expired);
    assert_eq!(seat_of(w, 0).await, seat::State::Ready);
    assert_eq!(
        messages(w, "call_back").await.last().unwrap(),
        "call_back.closed"
    );
});

both!(a_reminder_leaves_an_hour_before_and_once, |w| {
    let starts = w.clock.peek() + Span::seconds(5 * 3600);
    let booked = |key: &'static str, starts: Timestamp| {
        let app = w.app.clone();
        async move {
            let me = Principal::Citizen {
                visit: visit(&app).await,
            };
            let body = json!({"starts_at": starts.rfc3339()});
            let body = serde_json::from_value(body).unwrap();
            appointments::book(&app, &by(me, key), body).await.unwrap()
        }
    };
    booked("book", whole(starts)).await;
    w.pass(4 * 3600 - 60);
    appointments::due(&w.app).await.unwrap();
    assert!(
        !messages(w, "appointment.")
            .await
            .contains(&"appointment.reminder".to_owned())
    );
    w.pass(60);
    // Who books within the hour knows it still.
    booked("soon", whole(starts)).await;
    for _ in 0..2 {
        appointments::due(&w.app).await.unwrap();
    }
    assert_eq!(
        messages(w, "appointment.").await,
        [
            "appointment.booked",
            "appointment.booked",
            "appointment.reminder"
        ]
    );
    let open = w
        .app
        .store
        .read(|tx| async move { outbox::open(tx).await }.boxed());
    let open: Result<i64, StoreError> = open.await;
    assert_eq!(open.unwrap(), 3);
});

/// The quarter that this moment is in.
fn whole(t: Timestamp) -> Timestamp {
    let quarter = 900 * 1_000_000;
    Timestamp(t.0 - t.0.rem_euclid(quarter))
}
