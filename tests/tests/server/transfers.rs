//! The same citizen in the same session, served by another: warm, cold, and when nobody comes.

use crate::invites::{ask, out, rung, seat, session_where, step, three};
use protocol::{
    EventBody, InviteState, MemberPart, SeatState, SeatView, SessionState, SessionView, TicketState,
};
use serde_json::{Value, json};

fn agent_of(s: &SessionView) -> Vec<&str> {
    s.members
        .iter()
        .filter(|m| m.part == MemberPart::Agent)
        .map(|m| m.id.as_str())
        .collect()
}

both!(warm_introduces_and_then_leaves, |county| {
    let node = county.start("a").await;
    let (mut citizen, mut a, mut b, session, _) = three(&node).await;
    citizen.line.chat(&session, "您好").await;
    ask(&a, &session, "transfer_warm", seat("seat-2"))
        .await
        .unwrap();
    let ring = rung(&mut b).await;
    let taken = step(&b.http, &ring, "accept").await.unwrap();
    let early = step(&a.http, &taken, "finish").await.unwrap_err();
    assert_eq!(early.code, "invite_state");
    session_where(&mut citizen.line, "the hold", |s| s.hold).await;
    let shown = step(&a.http, &taken, "introduce").await.unwrap();
    let absent = step(&a.http, &shown, "finish").await.unwrap_err();
    assert_eq!(absent.code, "invite_absent");
    b.line.join(&session, 0).await;
    session_where(&mut a.line, "three", |s| {
        s.members.iter().filter(|m| m.present).count() == 3
    })
    .await;
    let now: SessionView = a.http.get(&format!("/sessions/{session}")).await.unwrap();
    let done = step(&a.http, &now.invites[0], "finish").await.unwrap();
    assert_eq!(done.state, InviteState::Done);
    out(&mut a.line, &session).await;
    let wrap = a.seat(SeatState::WrapUp).await;
    assert_eq!(wrap.wrap_up_session.as_deref(), Some(session.as_str()));
    assert_eq!(b.look().await.session.as_deref(), Some(session.as_str()));
    let mine = session_where(&mut b.line, "the new agent", |s| {
        s.me.as_deref().is_some_and(|me| agent_of(s) == [me])
    })
    .await;
    assert!(!mine.hold && mine.state == SessionState::Active);
    // What was said is there; the old agent is out, and writes down what was done.
    let all = b.line.join(&session, 0).await;
    assert!(
        all.events
            .iter()
            .any(|e| matches!(&e.body, EventBody::Chat { text } if text == "您好"))
    );
    let path = format!("/sessions/{session}/wrap-up");
    let body = json!({"disposition": "wrong_desk", "note": "转给二号"});
    let s: SeatView = a.http.post(&path, body).await.unwrap();
    assert_eq!(s.state, SeatState::Ready);
    let notes: Value = b
        .http
        .get(&format!("/sessions/{session}/notes"))
        .await
        .unwrap();
    assert_eq!(notes["items"][0]["kind"], "wrap_up");
    let end = format!("/sessions/{session}/end");
    let p = a
        .http
        .post::<SessionView>(&end, json!({"reason": "finished"}))
        .await
        .unwrap_err();
    assert_eq!(p.code, "not_a_member");
    let _: SessionView = b
        .http
        .post(&end, json!({"reason": "finished"}))
        .await
        .unwrap();
    citizen.ticket(TicketState::Closed).await;
    b.seat(SeatState::WrapUp).await;
    county.close(node).await;
});

both!(cold_hands_the_same_session_to_the_next_seat, |county| {
    let node = county.start("a").await;
    let (mut citizen, mut a, mut b, session, ticket) = three(&node).await;
    ask(&a, &session, "transfer_cold", seat("seat-2"))
        .await
        .unwrap();
    out(&mut a.line, &session).await;
    a.seat(SeatState::WrapUp).await;
    session_where(&mut citizen.line, "the hold", |s| {
        s.hold && agent_of(s).is_empty()
    })
    .await;
    let offer = b.rung().await;
    assert_eq!(offer.ticket, ticket);
    assert_eq!(b.accept(&offer).await, session);
    let j = b.line.join(&session, 0).await;
    assert_eq!(agent_of(&j.session), [j.session.me.as_deref().unwrap()]);
    session_where(&mut citizen.line, "the new agent", |s| {
        !s.hold && s.state == SessionState::Active
    })
    .await;
    let _: SessionView = b
        .http
        .post(
            &format!("/sessions/{session}/end"),
            json!({"reason": "finished"}),
        )
        .await
        .unwrap();
    citizen.ticket(TicketState::Closed).await;
    county.close(node).await;
});

both!(what_nobody_takes_comes_back_to_the_first_queue, |county| {
    let node = county.start("a").await;
    let (mut citizen, mut a, b, session, ticket) = three(&node).await;
    // Nobody sits there with this skill.
    let target = json!({"to": "queue", "skill": "police"});
    ask(&a, &session, "transfer_cold", target).await.unwrap();
    out(&mut a.line, &session).await;
    let body = json!({"disposition": "wrong_desk"});
    // The second seat is taken out, so that the first agent is the next.
    let away = format!("/seats/{}/away", b.seat);
    let _: SeatView = b
        .http
        .post(&away, json!({"reason": "break"}))
        .await
        .unwrap();
    let _: SeatView = a
        .http
        .post(&format!("/sessions/{session}/wrap-up"), body)
        .await
        .unwrap();
    assert_eq!(a.look().await.state, SeatState::Ready, "not theirs to take");
    node.sql("UPDATE invites SET due_at = 1 WHERE kind = 'transfer_cold'")
        .await;
    let offer = a.rung().await;
    assert_eq!(
        (offer.ticket.as_str(), offer.class),
        (ticket.as_str(), protocol::PriorityClass::Returned)
    );
    assert_eq!(a.accept(&offer).await, session);
    a.line.join(&session, 0).await;
    session_where(&mut citizen.line, "the agent again", |s| {
        !s.hold && s.state == SessionState::Active && agent_of(s).len() == 1
    })
    .await;
    county.close(node).await;
});

both!(a_citizen_may_leave_on_the_way, |county| {
    let node = county.start("a").await;
    let (mut citizen, mut a, mut b, session, _) = three(&node).await;
    ask(&a, &session, "transfer_cold", seat("seat-2"))
        .await
        .unwrap();
    b.rung().await;
    let _: SessionView = citizen
        .http
        .post(
            &format!("/sessions/{session}/end"),
            json!({"reason": "citizen_left"}),
        )
        .await
        .unwrap();
    citizen.ticket(TicketState::Abandoned).await;
    b.seat(SeatState::Ready).await;
    a.seat(SeatState::WrapUp).await;
    county.close(node).await;
});
