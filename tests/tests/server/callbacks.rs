//! When no seat is free: a call-back, the ticket on the phone, a request that is left.

use it::{
    booth::Booth,
    http::{Http, key},
    line::Line,
    people::{Agent, Citizen, staff},
};
use protocol::{
    Accepted, CallBackState, CallBackTaken, CallBackView, CarryCode, PriorityClass, RequestFull,
    RequestItem, RequestState, RequestView, SeatState, SeatView, ServerFrame, TicketState,
    TicketView, VisitToken,
};
use serde_json::json;

#[derive(serde::Deserialize)]
struct Items<T> {
    items: Vec<T>,
}

async fn call_back(c: &Citizen, ticket: &str) -> CallBackTaken {
    c.http
        .post(&format!("/tickets/{ticket}/call-back"), json!({}))
        .await
        .unwrap()
}

async fn frame(c: &mut Citizen, state: CallBackState) -> CallBackView {
    c.line
        .until(&format!("a call-back {state:?}"), |f| match f {
            ServerFrame::CallBack { call_back } if call_back.state == state => {
                Some(call_back.clone())
            }
            _ => None,
        })
        .await
}

/// The rung agent rings the citizen's phone.
async fn ring(agent: &mut Agent) -> SeatView {
    let offer = agent.rung().await;
    assert!(offer.call_back);
    let path = format!("/pairings/{}/accept", offer.pairing);
    let early = agent.http.post::<Accepted>(&path, json!({})).await;
    assert_eq!(early.unwrap_err().code, "call_first");
    let path = format!("/pairings/{}/call", offer.pairing);
    agent.http.post(&path, json!({})).await.unwrap()
}

both!(a_call_back_keeps_its_place_without_a_page, |county| {
    let node = county.start("a").await;
    let mut citizen = Citizen::arrive(&node).await;
    let ticket = citizen.queue().await;
    let mut later = Citizen::arrive(&node).await;
    later.queue().await;
    let taken = call_back(&citizen, &ticket.id).await;
    assert_eq!(
        (taken.ticket.class, &taken.ticket.number, taken.ticket.ahead),
        (PriorityClass::Normal, &ticket.number, 0)
    );
    assert_eq!(taken.ticket.enqueued_at, ticket.enqueued_at);
    let old = citizen.ticket(TicketState::CalledBack).await;
    assert_eq!(old.next_ticket.as_deref(), Some(taken.ticket.id.as_str()));
    let path = format!("/tickets/{}/call-back", taken.ticket.id);
    let twice = citizen.http.post::<CallBackTaken>(&path, json!({})).await;
    assert_eq!(twice.err().unwrap().code, "call_back_open");
    // The page closes; no grace runs. It comes back with the token that it kept.
    citizen.watch(&taken.ticket.id).await;
    frame(&mut citizen, CallBackState::Waiting).await;
    let mut citizen = Citizen {
        http: node.http().with(&taken.access_token),
        visit: citizen.visit,
        line: {
            citizen.line.close().await;
            Line::open(&node.http().with(&taken.access_token)).await
        },
    };
    let graces = node
        .sql("UPDATE tickets SET grace_until = 1 WHERE grace_until IS NOT NULL")
        .await;
    assert_eq!(graces, 0);
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let seat = ring(&mut agent).await;
    assert_eq!(seat.state, SeatState::Ringing);
    assert!(seat.offer.unwrap().calling_until.is_some());
    citizen.watch(&taken.ticket.id).await;
    let rings = frame(&mut citizen, CallBackState::Ringing).await;
    assert!(rings.ring_until.is_some());
    let path = format!("/call-backs/{}/answer", taken.ticket.id);
    let stranger = later.http.post::<Accepted>(&path, json!({})).await;
    assert_eq!(stranger.unwrap_err().code, "not_found");
    let a: Accepted = citizen.http.post(&path, json!({})).await.unwrap();
    agent.seat(SeatState::Busy).await;
    citizen.line.join(&a.session, 0).await;
    agent.line.join(&a.session, 0).await;
    citizen
        .line
        .session_state(protocol::SessionState::Active)
        .await;
    // Who talks already is not called back.
    let path = format!("/tickets/{}/call-back", taken.ticket.id);
    let paired = citizen.http.post::<CallBackTaken>(&path, json!({})).await;
    assert_eq!(paired.err().unwrap().code, "call_back_open");
    county.close(node).await;
});

both!(a_paired_ticket_is_not_called_back, |county| {
    let node = county.start("a").await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&node).await;
    let (_, ticket) = it::people::call(&mut citizen, &mut agent).await;
    let path = format!("/tickets/{ticket}/call-back");
    let e = citizen.http.post::<CallBackTaken>(&path, json!({})).await;
    assert_eq!(e.err().unwrap().code, "ticket_state");
    let path = format!("/tickets/{ticket}/carry");
    let e = citizen.http.post::<CarryCode>(&path, json!({})).await;
    assert_eq!(e.err().unwrap().code, "ticket_state");
    county.close(node).await;
});

both!(two_tries_in_vain_and_the_seat_is_free_at_once, |county| {
    let node = county.start("a").await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&node).await;
    let ticket = citizen.queue().await;
    agent.rung().await;
    // While a seat rings for it: the new ticket is rung in its place.
    let taken = call_back(&citizen, &ticket.id).await;
    let id = taken.ticket.id;
    citizen.watch(&id).await;
    frame(&mut citizen, CallBackState::Waiting).await;
    let mut before = String::new();
    for n in 1..=2 {
        let path = format!("/call-backs/{id}");
        let offer = agent
            .line
            .until("the ring", |f| match f {
                ServerFrame::Seat { seat } => seat
                    .offer
                    .clone()
                    .filter(|o| o.ticket == id && o.pairing != before),
                _ => None,
            })
            .await;
        before.clone_from(&offer.pairing);
        let call = format!("/pairings/{}/call", offer.pairing);
        let _: SeatView = agent.http.post(&call, json!({})).await.unwrap();
        let again = agent.http.post::<SeatView>(&call, json!({})).await;
        assert_eq!(again.unwrap_err().code, "callback_state");
        frame(&mut citizen, CallBackState::Ringing).await;
        // A minute later.
        node.sql("UPDATE call_backs SET due_at = 1").await;
        node.sql("UPDATE pairings SET due_at = 1 WHERE state = 'offered'")
            .await;
        if n == 1 {
            let missed = frame(&mut citizen, CallBackState::Waiting).await;
            assert_eq!(missed.tries, 1);
            let next = missed.next_try_at.unwrap();
            assert!(next > node.app().now().rfc3339());
            agent.seat(SeatState::Ready).await;
            // Nobody is called in the pause, though a seat is free; an answer is not possible.
            let e = citizen
                .http
                .post::<Accepted>(&format!("{path}/answer"), json!({}))
                .await;
            assert_eq!(e.unwrap_err().code, "callback_state");
            assert!(agent.look().await.offer.is_none());
            // Five minutes later.
            node.sql("UPDATE call_backs SET due_at = 1").await;
            node.sql("UPDATE tickets SET stage_at = 1 WHERE state = 'waiting'")
                .await;
        } else {
            frame(&mut citizen, CallBackState::Closed).await;
            let t = citizen.ticket(TicketState::Expired).await;
            assert_eq!(t.reason.as_deref(), Some("call_back_unanswered"));
            agent.seat(SeatState::Ready).await;
            let e = citizen
                .http
                .post::<Accepted>(&format!("{path}/answer"), json!({}))
                .await;
            assert_eq!(e.unwrap_err().code, "callback_over");
        }
    }
    county.close(node).await;
});

both!(a_console_that_closes_costs_no_try, |county| {
    let node = county.start("a").await;
    let mut citizen = Citizen::arrive(&node).await;
    let ticket = citizen.queue().await;
    let taken = call_back(&citizen, &ticket.id).await;
    citizen.watch(&taken.ticket.id).await;
    frame(&mut citizen, CallBackState::Waiting).await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    ring(&mut agent).await;
    frame(&mut citizen, CallBackState::Ringing).await;
    agent.line.close().await;
    assert_eq!(frame(&mut citizen, CallBackState::Waiting).await.tries, 0);
    let mut other = Agent::sit(&node, "agent2", "seat-2").await;
    ring(&mut other).await;
    frame(&mut citizen, CallBackState::Ringing).await;
    // A refusal: the seat is free, the ticket has left.
    let path = format!("/call-backs/{}/cancel", taken.ticket.id);
    let c: CallBackView = citizen.http.post(&path, json!({})).await.unwrap();
    assert_eq!(c.state, CallBackState::Cancelled);
    other.seat(SeatState::Ready).await;
    county.close(node).await;
});

both!(a_ring_is_told_not_now_and_then_no_more, |county| {
    let node = county.start("a").await;
    let mut citizen = Citizen::arrive(&node).await;
    let ticket = citizen.queue().await;
    let id = call_back(&citizen, &ticket.id).await.ticket.id;
    citizen.watch(&id).await;
    frame(&mut citizen, CallBackState::Waiting).await;
    let path = format!("/call-backs/{id}/decline");
    let (later, no_more) = (json!({"answer": "later"}), json!({"answer": "no_more"}));
    for body in [&later, &no_more] {
        let early = citizen.http.post::<CallBackView>(&path, body).await;
        assert_eq!(early.unwrap_err().code, "callback_state");
    }
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let first = ring(&mut agent).await.offer.unwrap().pairing;
    frame(&mut citizen, CallBackState::Ringing).await;
    let stranger = Citizen::arrive(&node).await;
    let e = stranger.http.post::<CallBackView>(&path, &later).await;
    assert_eq!(e.unwrap_err().code, "not_found");
    let e = citizen
        .http
        .post::<CallBackView>(&path, json!({"answer": "perhaps"}))
        .await;
    assert_eq!(e.unwrap_err().status, 422);
    let said: CallBackView = citizen.http.post_as("later", &path, &later).await.unwrap();
    assert_eq!((said.state, said.tries), (CallBackState::Waiting, 1));
    assert!(said.next_try_at.is_some());
    let again: CallBackView = citizen.http.post_as("later", &path, &later).await.unwrap();
    assert_eq!(again, said, "a repeat costs nothing");
    agent.seat(SeatState::Ready).await;
    frame(&mut citizen, CallBackState::Waiting).await;
    // Five minutes later.
    node.sql("UPDATE call_backs SET due_at = 1").await;
    node.sql("UPDATE tickets SET stage_at = 1 WHERE state = 'waiting'")
        .await;
    let second = agent
        .line
        .until("the second ring", |f| match f {
            ServerFrame::Seat { seat } => seat.offer.clone().filter(|o| o.pairing != first),
            _ => None,
        })
        .await;
    let call = format!("/pairings/{}/call", second.pairing);
    let _: SeatView = agent.http.post(&call, json!({})).await.unwrap();
    frame(&mut citizen, CallBackState::Ringing).await;
    let said: CallBackView = citizen.http.post(&path, &no_more).await.unwrap();
    assert_eq!((said.state, said.tries), (CallBackState::Cancelled, 2));
    let t = citizen.ticket(TicketState::Abandoned).await;
    assert_eq!(t.reason.as_deref(), Some("call_back_declined"));
    agent.seat(SeatState::Ready).await;
    let seat = agent.look().await;
    assert_eq!((seat.wrap_up_until, seat.offer), (None, None));
    let told = node
        .sql("UPDATE outbox SET kind = kind WHERE kind = 'call_back.closed'")
        .await;
    assert_eq!(told, 1, "closed with a message");
    county.close(node).await;
});

both!(a_ticket_goes_to_the_phone_and_the_booth_is_free, |county| {
    let node = county.start("a").await;
    let (mut booth, _) = Booth::of(&county, "booth-1").arrive(&node).await;
    let ticket = booth.queue().await;
    let path = format!("/tickets/{}/call-back", ticket.id);
    let e = booth.http.post::<CallBackTaken>(&path, json!({})).await;
    assert_eq!(e.err().unwrap().code, "call_back_phone");
    let path = format!("/tickets/{}/carry", ticket.id);
    let code: CarryCode = booth.http.post(&path, json!({})).await.unwrap();
    assert!(code.url.ends_with(&format!("#t={}", code.code)));
    let body = json!({"code": code.code});
    let key = key();
    let mut tokens = vec![];
    for _ in 0..2 {
        let v: VisitToken = node
            .http()
            .post_as(&key, "/tickets/carry", &body)
            .await
            .unwrap();
        assert_eq!(v.visit.ticket.as_deref(), Some(ticket.id.as_str()));
        tokens.push(v);
    }
    assert_eq!(tokens[0].access_token, tokens[1].access_token);
    let used = node
        .http()
        .post::<VisitToken>("/tickets/carry", &body)
        .await;
    assert_eq!(used.err().unwrap().code, "code_invalid");
    // The booth learns it by itself, and its token is dead.
    booth
        .line
        .until("the sign-out", |f| {
            matches!(f, ServerFrame::SignedOut {}).then_some(())
        })
        .await;
    let dead = booth
        .http
        .get::<TicketView>(&format!("/tickets/{}", ticket.id))
        .await;
    assert_eq!(dead.unwrap_err().code, "visit_ended");
    let token = tokens.remove(0);
    let http: Http = node.http().with(&token.access_token);
    let mut phone = Citizen {
        line: Line::open(&http).await,
        http,
        visit: token.visit.id,
    };
    phone.watch(&ticket.id).await;
    phone.ticket(TicketState::Waiting).await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let offer = agent.rung().await;
    assert_eq!(offer.number, ticket.number);
    let session = agent.accept(&offer).await;
    phone.ticket(TicketState::Paired).await;
    phone.line.join(&session, 0).await;
    county.close(node).await;
});

both!(a_request_is_left_and_answered, |county| {
    let node = county.start("a").await;
    let citizen = Citizen::arrive(&node).await;
    for (text, contact, code) in [
        (" ", "13800000001", "field_required"),
        (&"长".repeat(2001), "13800000001", "field_too_long"),
        ("户口怎么迁", "12345", "mobile_format"),
    ] {
        let body = json!({"text": text, "contact": contact});
        let e = citizen.http.post::<RequestView>("/requests", body).await;
        assert_eq!(e.err().unwrap().code, code);
    }
    let body = json!({"text": "户口怎么迁", "contact": "13800000001"});
    let mut left = vec![];
    for _ in 0..2 {
        let r: RequestView = citizen
            .http
            .post_as("leave", "/requests", &body)
            .await
            .unwrap();
        left.push(r.id);
    }
    assert_eq!(left[0], left[1]);
    let (a, b) = (staff(&node, "agent1").await, staff(&node, "agent2").await);
    let list: Items<RequestItem> = a.get("/requests").await.unwrap();
    assert_eq!(list.items.len(), 1);
    let path = format!("/requests/{}", left[0]);
    let unread = a.get::<RequestFull>(&path).await;
    assert_eq!(unread.err().unwrap().code, "claim_first");
    let full: RequestFull = a.post(&format!("{path}/claim"), json!({})).await.unwrap();
    assert_eq!(
        (full.text.as_str(), full.contact.as_str()),
        ("户口怎么迁", "13800000001")
    );
    let taken = b
        .post::<RequestFull>(&format!("{path}/claim"), json!({}))
        .await;
    assert_eq!(taken.err().unwrap().code, "request_claimed");
    let answer = json!({"answer": "带身份证和户口簿来"});
    let not_mine = b
        .post::<RequestItem>(&format!("{path}/done"), &answer)
        .await;
    assert_eq!(not_mine.err().unwrap().code, "claim_first");
    let done: RequestItem = a.post(&format!("{path}/done"), &answer).await.unwrap();
    assert_eq!(done.state, RequestState::Done);
    let mine: Items<RequestView> = citizen.http.get("/requests/mine").await.unwrap();
    assert_eq!(mine.items[0].answer.as_deref(), Some("带身份证和户口簿来"));
    let stranger = Citizen::arrive(&node).await;
    let none: Items<RequestView> = stranger.http.get("/requests/mine").await.unwrap();
    assert!(none.items.is_empty());
    county.close(node).await;
});
