//! Help from another hall (跨域通办): with its consent, and of this one session alone.

use crate::shared::{
    agent_of, ask, end, look, out, put, rung, seat, session_where, step, three, wrap_up,
};
use domain::id::HallId;
use it::{
    county::{Node, named},
    http::Http,
    people::{Agent, Citizen, hall, staff},
};
use protocol::{
    Colleagues, EventBody, HallConsents, MemberPart, SeatState, SeatView, SessionState, TicketState,
};
use serde_json::{Value, json};

fn there() -> String {
    named::<HallId>("hall", "nanxian")
}

async fn sit_there(node: &Node) -> Agent {
    Agent::sit(node, "agent5", "nanxian-1").await
}

/// Nan County says whether it serves Yuanjiang's people.
async fn consent(node: &Node, accept: bool) -> HallConsents {
    let boss = staff(node, "supervisor2").await;
    let path = format!("/halls/{}/consents/{}", there(), hall());
    put(&boss, &path, json!({"accept": accept})).await.unwrap()
}

fn far_queue() -> Value {
    json!({"to": "queue", "skill": "general", "hall": there()})
}

async fn colleagues(http: &Http) -> Colleagues {
    http.get(&format!("/halls/{}/colleagues", hall()))
        .await
        .unwrap()
}

both!(a_colleague_of_another_hall_is_asked_by_name, |county| {
    let node = county.start("a").await;
    let (mut citizen, a, _b, session, _) = Box::pin(three(&node)).await;
    let mut far = sit_there(&node).await;
    let seen = colleagues(&a.http).await;
    assert!(seen.items.iter().all(|c| c.seat != a.seat), "not oneself");
    let states: Vec<_> = seen.items.iter().map(|c| (c.own, c.state)).collect();
    assert_eq!(
        states,
        [(true, SeatState::Ready), (false, SeatState::Ready)]
    );
    let c = seen.items.last().unwrap();
    assert_eq!(
        (c.seat.as_str(), c.hall.id.as_str()),
        (far.seat.as_str(), there().as_str())
    );
    assert!(!c.name.is_empty() && c.department.is_some() && c.skills == ["general"]);
    let halls: Vec<_> = seen.halls.iter().map(|h| (h.own, h.queues.len())).collect();
    assert_eq!(halls, [(true, 1), (false, 1)]);
    assert_eq!(seen.halls[1].queues[0].on_duty, 1);

    let by_name = json!({"to": "staff", "id": c.staff});
    ask(&a, &session, "consult", by_name).await.unwrap();
    let ring = rung(&mut far).await;
    assert_eq!(ring.from_hall.as_ref().unwrap().id, hall());
    let taken = step(&far.http, &ring, "accept").await.unwrap();
    far.line.join(&session, 0).await;
    session_where(&mut citizen.line, "the hold", |s| s.hold).await;
    step(&a.http, &taken, "finish").await.unwrap();
    far.seat(SeatState::Ready).await;
    let p = far
        .http
        .get::<Value>(&format!("/sessions/{session}"))
        .await
        .unwrap_err();
    assert_eq!(p.code, "not_a_member");

    // For agents of the hall alone.
    let path = format!("/halls/{}/colleagues", hall());
    for http in [&citizen.http, &far.http, &staff(&node, "admin").await] {
        let p = http.get::<Value>(&path).await.unwrap_err();
        assert_eq!(p.status, 403, "{}", p.code);
    }
    county.close(node).await;
});

both!(a_warm_transfer_goes_over_to_the_other_hall, |county| {
    let node = county.start("a").await;
    let (mut citizen, mut a, b, session, _) = Box::pin(three(&node)).await;
    let mut far = sit_there(&node).await;
    citizen.line.chat(&session, "您好").await;
    ask(&a, &session, "transfer_warm", seat("nanxian-1"))
        .await
        .unwrap();
    let ring = rung(&mut far).await;
    let taken = step(&far.http, &ring, "accept").await.unwrap();
    far.line.join(&session, 0).await;
    let shown = step(&a.http, &taken, "introduce").await.unwrap();
    step(&a.http, &shown, "finish").await.unwrap();
    out(&mut a.line, &session).await;
    session_where(&mut far.line, "the new agent", |s| {
        s.me.as_deref().is_some_and(|me| agent_of(s) == [me])
    })
    .await;
    let all = far.line.join(&session, 0).await;
    assert!(
        all.events
            .iter()
            .any(|e| matches!(&e.body, EventBody::Chat { text } if text == "您好"))
    );
    assert_eq!(wrap_up(&a.http, &session).await.state, SeatState::Ready);
    // And home again: one's own people need nobody's word.
    ask(&far, &session, "transfer_cold", seat("seat-2"))
        .await
        .unwrap();
    let mut b = b;
    let offer = b.rung().await;
    assert_eq!(b.accept(&offer).await, session);
    b.line.join(&session, 0).await;
    session_where(&mut citizen.line, "somebody at home", |s| {
        !s.hold && s.state == SessionState::Active && agent_of(s).len() == 1
    })
    .await;
    assert_eq!(wrap_up(&far.http, &session).await.state, SeatState::Ready);
    end(&b.http, &session, "finished").await;
    citizen.ticket(TicketState::Closed).await;
    county.close(node).await;
});

both!(a_cold_transfer_rings_the_other_hall_alone, |county| {
    let node = county.start("a").await;
    let (mut citizen, mut a, b, session, ticket) = Box::pin(three(&node)).await;
    // Another talk is nothing to the other hall.
    let mut c = Agent::sit(&node, "agent3", "seat-3").await;
    let mut far = sit_there(&node).await;
    let path = format!("/sessions/{session}/notes");
    let _: Value = a
        .http
        .post(&path, json!({"text": "缺一份证明"}))
        .await
        .unwrap();
    ask(&a, &session, "transfer_cold", far_queue())
        .await
        .unwrap();
    out(&mut a.line, &session).await;
    let offer = far.rung().await;
    assert_eq!(offer.ticket, ticket);
    for home in [&b, &c] {
        assert_eq!(home.look().await.state, SeatState::Ready);
    }
    assert_eq!(far.accept(&offer).await, session);
    far.line.join(&session, 0).await;
    session_where(&mut citizen.line, "the new agent", |s| {
        !s.hold && s.state == SessionState::Active
    })
    .await;
    let notes: Value = far.http.get(&path).await.unwrap();
    assert_eq!(notes["items"][0]["text"], "缺一份证明");
    assert_eq!(wrap_up(&a.http, &session).await.state, SeatState::Ready);
    // Exactly this one.
    let mut next = Citizen::arrive(&node).await;
    let other = next.queue().await;
    let seated = b.look().await.offer.is_some();
    let mut home = if seated { b } else { a };
    let offer = match home.look().await.offer {
        Some(o) => o,
        None => c.rung().await,
    };
    assert_eq!(offer.ticket, other.id);
    let taken: protocol::Accepted = if c.look().await.offer.is_some() {
        let path = format!("/pairings/{}/accept", offer.pairing);
        c.http.post(&path, json!({})).await.unwrap()
    } else {
        protocol::Accepted {
            session: home.accept(&offer).await,
        }
    };
    let p = far
        .http
        .get::<Value>(&format!("/sessions/{}", taken.session))
        .await
        .unwrap_err();
    assert_eq!(p.code, "not_a_member");
    end(&far.http, &session, "finished").await;
    citizen.ticket(TicketState::Closed).await;
    assert_eq!(wrap_up(&far.http, &session).await.state, SeatState::Ready);
    county.close(node).await;
});

both!(
    nobody_there_takes_it_and_the_first_queue_is_home,
    |county| {
        let node = county.start("a").await;
        let (mut citizen, a, mut b, session, ticket) = Box::pin(three(&node)).await;
        let mut far = sit_there(&node).await;
        ask(&a, &session, "transfer_cold", far_queue())
            .await
            .unwrap();
        let offer = far.rung().await;
        let path = format!("/pairings/{}/decline", offer.pairing);
        let _: SeatView = far
            .http
            .post(&path, json!({"reason": "busy"}))
            .await
            .unwrap();
        citizen.ticket(TicketState::Waiting).await;
        assert_eq!(b.look().await.state, SeatState::Ready, "not theirs to take");
        node.sql("UPDATE invites SET due_at = 1 WHERE kind = 'transfer_cold'")
            .await;
        let offer = b.rung().await;
        assert_eq!(offer.ticket, ticket);
        assert_eq!(b.accept(&offer).await, session);
        county.close(node).await;
    }
);

both!(without_consent_nobody_there_is_asked, |county| {
    let node = county.start("a").await;
    let (mut citizen, a, mut b, session, ticket) = Box::pin(three(&node)).await;
    let mut far = sit_there(&node).await;
    consent(&node, false).await;
    let skill = json!({"to": "skill", "code": "general", "hall": there()});
    for (kind, target) in [
        ("consult", seat("nanxian-1")),
        ("join", skill.clone()),
        ("transfer_warm", skill.clone()),
        ("transfer_cold", skill),
        ("transfer_cold", seat("nanxian-1")),
        ("transfer_cold", far_queue()),
    ] {
        let p = ask(&a, &session, kind, target.clone()).await.unwrap_err();
        assert_eq!(
            (p.status, p.code.as_str()),
            (403, "hall_consent_missing"),
            "{kind} {target}"
        );
    }
    let s = look(&a.http, &session).await;
    assert!(s.invites.is_empty() && !s.hold && s.members.len() == 2);
    let seen = colleagues(&a.http).await;
    assert!(seen.items.iter().all(|c| c.own) && seen.halls.len() == 1);

    // Taken back while it rings there: the ring is over, and nobody is away for it.
    consent(&node, true).await;
    let made = ask(&a, &session, "join", seat("nanxian-1"))
        .await
        .unwrap()
        .invite;
    far.seat(SeatState::Ringing).await;
    consent(&node, false).await;
    far.seat(SeatState::Ready).await;
    let p = step(&far.http, &made, "accept").await.unwrap_err();
    assert_eq!(p.status, 409, "{p:?}");
    consent(&node, true).await;
    ask(&a, &session, "transfer_cold", far_queue())
        .await
        .unwrap();
    assert_eq!(far.rung().await.ticket, ticket);
    consent(&node, false).await;
    // At once, not after two minutes.
    assert_eq!(b.rung().await.ticket, ticket);
    far.seat(SeatState::Ready).await;
    session_where(&mut citizen.line, "still the talk", |s| {
        s.hold && s.members.iter().all(|m| m.part == MemberPart::Citizen)
    })
    .await;
    county.close(node).await;
});
