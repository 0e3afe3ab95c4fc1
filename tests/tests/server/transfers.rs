//! The same citizen in the same session, served by another: warm, cold, and when nobody comes.

use crate::shared::{
    agent_of, ask, end, look, out, put, rung, seat, session_where, step, three, wrap_up,
};
use domain::id::StaffId;
use it::{
    county::named,
    people::{Agent, hall, staff},
};
use protocol::{
    EventBody, InviteState, QueueView, SeatState, SeatView, SessionState, SessionView, TicketState,
};
use serde_json::{Value, json};

both!(warm_introduces_and_then_leaves, |county| {
    let node = county.start("a").await;
    let (mut citizen, mut a, mut b, session, _) = Box::pin(three(&node)).await;
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
    let now = look(&a.http, &session).await;
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
    assert_eq!(wrap_up(&a.http, &session).await.state, SeatState::Ready);
    let notes: Value = b
        .http
        .get(&format!("/sessions/{session}/notes"))
        .await
        .unwrap();
    assert_eq!(notes["items"][0]["kind"], "wrap_up");
    let p = a
        .http
        .post::<SessionView>(
            &format!("/sessions/{session}/end"),
            json!({"reason": "finished"}),
        )
        .await
        .unwrap_err();
    assert_eq!(p.code, "not_a_member");
    end(&b.http, &session, "finished").await;
    citizen.ticket(TicketState::Closed).await;
    b.seat(SeatState::WrapUp).await;
    county.close(node).await;
});

both!(cold_hands_the_same_session_to_the_next_seat, |county| {
    let node = county.start("a").await;
    let (mut citizen, mut a, mut b, session, ticket) = Box::pin(three(&node)).await;
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
    end(&b.http, &session, "finished").await;
    citizen.ticket(TicketState::Closed).await;
    county.close(node).await;
});

both!(who_took_over_is_lost_and_anybody_serves_next, |county| {
    let node = county.start("a").await;
    let (mut citizen, mut a, mut b, session, _) = Box::pin(three(&node)).await;
    ask(&a, &session, "transfer_cold", seat("seat-2"))
        .await
        .unwrap();
    out(&mut a.line, &session).await;
    session_where(&mut citizen.line, "the hold", |s| s.hold).await;
    assert_eq!(wrap_up(&a.http, &session).await.state, SeatState::Ready);
    let offer = b.rung().await;
    b.accept(&offer).await;
    b.line.join(&session, 0).await;
    session_where(&mut citizen.line, "the new agent", |s| {
        !s.hold && s.state == SessionState::Active
    })
    .await;
    let Agent { line, .. } = b;
    drop(line);
    let gone = |e: &protocol::SessionEvent| matches!(e.body, EventBody::MemberDropped { .. });
    citizen.line.event_where(gone).await;
    let due = "UPDATE sessions SET due_at = 1 WHERE due_at IS NOT NULL";
    assert_eq!(node.sql(due).await, 1);
    let old = citizen.ticket(TicketState::Closed).await;
    // The second seat alone was asked for; that is over.
    assert_eq!(Some(a.rung().await.ticket), old.next_ticket);
    county.close(node).await;
});

both!(what_nobody_takes_comes_back_to_the_first_queue, |county| {
    let node = county.start("a").await;
    let (mut citizen, mut a, mut b, session, ticket) = Box::pin(three(&node)).await;
    let target = json!({"to": "queue", "skill": "general"});
    ask(&a, &session, "transfer_cold", target).await.unwrap();
    out(&mut a.line, &session).await;
    // Back in line, and who handed over is not rung for it.
    let offer = b.rung().await;
    let path = format!("/pairings/{}/decline", offer.pairing);
    let _: SeatView = b.http.post(&path, json!({"reason": "busy"})).await.unwrap();
    citizen.ticket(TicketState::Waiting).await;
    assert_eq!(wrap_up(&a.http, &session).await.state, SeatState::Ready);
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

both!(a_new_rule_does_not_turn_who_is_on_the_way, |county| {
    let node = county.start("a").await;
    let (mut citizen, a, mut b, session, ticket) = Box::pin(three(&node)).await;
    ask(&a, &session, "transfer_cold", seat("seat-2"))
        .await
        .unwrap();
    let offer = b.rung().await;
    let path = format!("/pairings/{}/decline", offer.pairing);
    let _: SeatView = b.http.post(&path, json!({"reason": "busy"})).await.unwrap();
    citizen.ticket(TicketState::Waiting).await;
    let mut c = Agent::sit(&node, "agent3", "seat-3").await;
    let boss = staff(&node, "supervisor").await;
    let queue = format!("/halls/{}/queues", hall());
    let all: crate::shared::Items<QueueView> = boss.get(&queue).await.unwrap();
    let kept = all.items.iter().find(|q| q.code == "general").unwrap();
    let rule = json!({"required": [{"code": "general", "level": 1}], "ring_s": 20});
    let body = json!({"version": kept.version, "rule": rule});
    let _: QueueView = put(&boss, &format!("{queue}/general"), body).await.unwrap();
    // All of the line looks anew, and this one still asks for the second seat.
    signaling::app::routing::due(node.app()).await.unwrap();
    assert_eq!(c.look().await.state, SeatState::Ready);
    node.sql("UPDATE invites SET due_at = 1 WHERE kind = 'transfer_cold'")
        .await;
    assert_eq!(c.rung().await.ticket, ticket);
    county.close(node).await;
});

both!(a_transfer_that_cannot_be_changes_nothing, |county| {
    let node = county.start("a").await;
    let (citizen, a, b, session, _) = Box::pin(three(&node)).await;
    let unchanged = async |what: &str| {
        let s = look(&citizen.http, &session).await;
        assert!(!s.hold && s.members.len() == 2, "{what}");
        assert_eq!(agent_of(&s).len(), 1, "{what}");
        assert_eq!(a.look().await.session.as_deref(), Some(session.as_str()));
    };
    let away = format!("/seats/{}/away", b.seat);
    let gone: SeatView = b
        .http
        .post(&away, json!({"reason": "break"}))
        .await
        .unwrap();
    assert_eq!(gone.state, SeatState::Away);
    let me = json!({"to": "staff", "id": named::<StaffId>("staff", "agent1")});
    for (target, code) in [
        (me, "transfer_self"),
        (seat("seat-1"), "transfer_self"),
        (seat("seat-2"), "seat_not_ready"),
        (seat("seat-4"), "seat_not_ready"),
        (
            json!({"to": "queue", "skill": "general"}),
            "nobody_else_on_duty",
        ),
        (
            json!({"to": "skill", "code": "general"}),
            "nobody_else_on_duty",
        ),
        (json!({"to": "queue", "skill": "nothing"}), "skill_unknown"),
    ] {
        let p = ask(&a, &session, "transfer_cold", target.clone())
            .await
            .unwrap_err();
        assert_eq!(p.code, code, "{target}");
        unchanged(code).await;
    }
    // A step from a screen that is old.
    let ready = format!("/seats/{}/ready", b.seat);
    let _: SeatView = b.http.post(&ready, json!({})).await.unwrap();
    let made = ask(&a, &session, "transfer_warm", seat("seat-2"))
        .await
        .unwrap()
        .invite;
    step(&b.http, &made, "accept").await.unwrap();
    let p = step(&a.http, &made, "introduce").await.unwrap_err();
    assert_eq!((p.status, p.code.as_str()), (409, "version_stale"));
    let now = look(&a.http, &session).await;
    assert_eq!(now.invites[0].state, InviteState::Accepted);
    county.close(node).await;
});

both!(a_citizen_may_leave_on_the_way, |county| {
    let node = county.start("a").await;
    let (mut citizen, mut a, mut b, session, _) = Box::pin(three(&node)).await;
    ask(&a, &session, "transfer_cold", seat("seat-2"))
        .await
        .unwrap();
    b.rung().await;
    end(&citizen.http, &session, "citizen_left").await;
    citizen.ticket(TicketState::Abandoned).await;
    b.seat(SeatState::Ready).await;
    a.seat(SeatState::WrapUp).await;
    county.close(node).await;
});
