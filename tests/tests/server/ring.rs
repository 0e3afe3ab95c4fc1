//! From the number to the wrap-up, and every way in which somebody is lost between.

use it::{
    line::Line,
    people::{Agent, Citizen, call},
};
use protocol::{
    ClientFrame, Command, Done, EventBody, MemberRole, PriorityClass, SeatState, SeatView,
    ServerFrame, SessionState, SessionView, TicketState, TicketView,
};
use serde_json::json;

fn chats(events: &[protocol::SessionEvent]) -> Vec<String> {
    events
        .iter()
        .filter_map(|e| match &e.body {
            EventBody::Chat { text } => Some(text.clone()),
            _ => None,
        })
        .collect()
}

both!(a_call_from_the_ring_to_the_wrap_up, |county| {
    let node = county.start("a").await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&node).await;
    let ticket = citizen.queue().await;
    assert_eq!((ticket.ahead, ticket.seats_on_duty), (0, 1));
    let offer = agent.rung().await;
    assert_eq!((&offer.ticket, &offer.number), (&ticket.id, &ticket.number));
    assert!(offer.identity.is_none());
    citizen.ticket(TicketState::Offered).await;
    let session = agent.accept(&offer).await;
    assert_eq!(
        citizen.ticket(TicketState::Paired).await.session.as_deref(),
        Some(session.as_str())
    );
    agent.seat(SeatState::Busy).await;

    let first = citizen.line.join(&session, 0).await;
    assert_eq!(first.session.state, SessionState::Connecting);
    let second = agent.line.join(&session, 0).await;
    assert_eq!(second.session.state, SessionState::Active);
    citizen.line.session_state(SessionState::Active).await;
    citizen.line.chat(&session, "您好").await;
    agent.line.chat(&session, "Good morning").await;
    let is_chat = |e: &protocol::SessionEvent| matches!(e.body, EventBody::Chat { .. });
    for line in [&mut citizen.line, &mut agent.line] {
        let both = [
            line.event_where(is_chat).await,
            line.event_where(is_chat).await,
        ];
        assert_eq!(chats(&both), ["您好", "Good morning"]);
        assert_eq!(both[0].seq + 1, both[1].seq);
    }
    // A muted microphone is seen by the other.
    let muted = Command::MediaState {
        session: session.clone(),
        mic_on: false,
        camera_on: true,
    };
    citizen.line.command(muted).await.unwrap();
    agent
        .line
        .until("the muted citizen", |f| match f {
            ServerFrame::Session { session } => session
                .members
                .iter()
                .any(|m| m.role == MemberRole::Citizen && !m.mic_on)
                .then_some(()),
            _ => None,
        })
        .await;

    // The citizen's network goes; what is said meanwhile is there when they are back, and nothing twice.
    let known = first.session.seq + 3;
    citizen.reconnect(&node).await;
    citizen.watch(&ticket.id).await;
    agent
        .line
        .event_where(|e| matches!(e.body, EventBody::MemberDropped { .. }))
        .await;
    let gone = agent.line.session_state(SessionState::Reconnecting).await;
    assert!(gone.grace_until.is_some());
    agent.line.chat(&session, "Are you there?").await;
    let back = citizen.line.join(&session, known).await;
    assert_eq!(back.session.state, SessionState::Active);
    let seqs: Vec<i64> = back.events.iter().map(|e| e.seq).collect();
    assert_eq!(seqs, (known + 1..=back.session.seq).collect::<Vec<_>>());
    assert_eq!(chats(&back.events).last().unwrap(), "Are you there?");
    agent
        .line
        .event_where(|e| matches!(e.body, EventBody::MemberBack { .. }))
        .await;

    let path = format!("/sessions/{session}/end");
    let over: SessionView = agent
        .http
        .post(&path, json!({"reason": "finished"}))
        .await
        .unwrap();
    assert_eq!(over.end_reason.as_deref(), Some("finished"));
    citizen.line.session_state(SessionState::Ended).await;
    assert_eq!(
        citizen.ticket(TicketState::Closed).await.reason.as_deref(),
        Some("finished")
    );
    let again = agent
        .http
        .post::<SessionView>(&path, json!({"reason": "finished"}))
        .await
        .unwrap_err();
    assert_eq!(again.code, "session_ended");
    let refused = citizen
        .line
        .command(Command::Chat {
            session: session.clone(),
            text: "late".into(),
        })
        .await
        .unwrap_err();
    assert_eq!(refused.code, "session_ended");

    let wrap = agent.seat(SeatState::WrapUp).await;
    assert_eq!(wrap.wrap_up_session.as_deref(), Some(session.as_str()));
    let path = format!("/sessions/{session}/wrap-up");
    let body = json!({"disposition": "answered", "note": "问了开门时间"});
    for _ in 0..2 {
        let seat: SeatView = agent.http.post_as("wrap", &path, &body).await.unwrap();
        assert_eq!(seat.state, SeatState::Ready);
    }
    county.close(node).await;
});

both!(a_declined_ring_goes_back_to_the_head, |county| {
    let node = county.start("a").await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let (mut first, mut second) = (Citizen::arrive(&node).await, Citizen::arrive(&node).await);
    let ticket = first.queue().await;
    let offer = agent.rung().await;
    second.queue().await;
    let path = format!("/pairings/{}/decline", offer.pairing);
    let refused = agent
        .http
        .post::<SeatView>(&path, json!({"reason": "no idea"}))
        .await
        .unwrap_err();
    assert_eq!(refused.code, "reason_invalid");
    let seat: SeatView = agent
        .http
        .post(&path, json!({"reason": "busy"}))
        .await
        .unwrap();
    assert_eq!(
        (seat.state, seat.away_reason.as_deref()),
        (SeatState::Away, Some("declined"))
    );
    let late = agent
        .http
        .post::<protocol::Accepted>(&format!("/pairings/{}/accept", offer.pairing), json!({}))
        .await
        .unwrap_err();
    assert_eq!(late.status, 409, "{late:?}");
    assert_eq!(first.ticket(TicketState::Waiting).await.ahead, 0);
    let behind: TicketView = second
        .line
        .until("the second's place", |f| match f {
            ServerFrame::Ticket { ticket } if ticket.ahead == 1 => Some(ticket.clone()),
            _ => None,
        })
        .await;
    assert_eq!(behind.waiting, 2);
    // The agent is back: the same citizen, before the other.
    let _: SeatView = agent
        .http
        .post(&format!("/seats/{}/ready", agent.seat), json!({}))
        .await
        .unwrap();
    assert_eq!(agent.rung().await.ticket, ticket.id);
    county.close(node).await;
});

both!(a_ring_that_nobody_answers_ends, |county| {
    let node = county.start("a").await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&node).await;
    citizen.queue().await;
    let offer = agent.rung().await;
    citizen.ticket(TicketState::Offered).await;
    assert_eq!(node.sql("UPDATE pairings SET due_at = 1").await, 1);
    let seat = agent.seat(SeatState::Away).await;
    assert_eq!(seat.away_reason.as_deref(), Some("no_answer"));
    let waiting = citizen.ticket(TicketState::Waiting).await;
    assert_eq!(waiting.ahead, 0);
    // Too late, and nothing changes.
    let late = agent
        .http
        .post::<protocol::Accepted>(&format!("/pairings/{}/accept", offer.pairing), json!({}))
        .await
        .unwrap_err();
    assert_eq!((late.status, late.code.as_str()), (409, "offer_over"));
    let path = format!("/tickets/{}", waiting.id);
    let after: TicketView = citizen.http.get(&path).await.unwrap();
    assert_eq!((after.state, after.session), (TicketState::Waiting, None));
    let seats: serde_json::Value = agent.http.get("/seats").await.unwrap();
    let seat = seats["items"].as_array().unwrap().iter();
    let seat = seat.filter(|s| s["id"] == *agent.seat).collect::<Vec<_>>();
    assert_eq!((seat.len(), &seat[0]["state"]), (1, &json!("away")));
    county.close(node).await;
});

both!(
    a_console_that_closes_while_it_rings_loses_nobody,
    |county| {
        let node = county.start("a").await;
        let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
        let (mut first, mut second) = (Citizen::arrive(&node).await, Citizen::arrive(&node).await);
        let ticket = first.queue().await;
        agent.rung().await;
        first.ticket(TicketState::Offered).await;
        second.queue().await;
        let Agent {
            http, seat, line, ..
        } = agent;
        line.close().await;
        assert_eq!(first.ticket(TicketState::Waiting).await.ahead, 0);
        #[derive(serde::Deserialize)]
        struct Seats {
            items: Vec<SeatView>,
        }
        let all: Seats = http.get("/seats").await.unwrap();
        let mine = all.items.iter().find(|s| s.id == seat).unwrap();
        assert_eq!(
            (mine.state, mine.away_reason.as_deref()),
            (SeatState::Away, Some("page_closed"))
        );
        let mut other = Agent::sit(&node, "agent2", "seat-2").await;
        assert_eq!(other.rung().await.ticket, ticket.id);
        county.close(node).await;
    }
);

both!(a_lost_agent_gives_the_citizen_the_next_one, |county| {
    let node = county.start("a").await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&node).await;
    let (session, ticket) = call(&mut citizen, &mut agent).await;
    let before: TicketView = citizen
        .http
        .get(&format!("/tickets/{ticket}"))
        .await
        .unwrap();
    let Agent { http, line, .. } = agent;
    drop(line);
    citizen.line.session_state(SessionState::Reconnecting).await;
    assert_eq!(
        node.sql("UPDATE sessions SET due_at = 1 WHERE due_at IS NOT NULL")
            .await,
        1
    );
    let over = citizen.line.session_state(SessionState::Ended).await;
    assert_eq!(over.end_reason.as_deref(), Some("agent_lost"));
    let old = citizen.ticket(TicketState::Closed).await;
    let next = old.next_ticket.unwrap();
    citizen.watch(&next).await;
    let new = citizen.ticket(TicketState::Waiting).await;
    assert_eq!(
        (new.class, &new.number, &new.enqueued_at, new.ahead),
        (
            PriorityClass::Returned,
            &before.number,
            &before.enqueued_at,
            0
        )
    );
    // Before another who came earlier than now.
    let mut other = Agent::sit(&node, "agent2", "seat-2").await;
    assert_eq!(other.rung().await.ticket, next);
    let mine: SessionView = http.get(&format!("/sessions/{session}")).await.unwrap();
    assert_eq!(mine.state, SessionState::Ended);
    county.close(node).await;
});

both!(a_waiting_page_that_stays_away_loses_its_place, |county| {
    let node = county.start("a").await;
    let mut citizen = Citizen::arrive(&node).await;
    let ticket = citizen.queue().await;
    citizen.ticket(TicketState::Waiting).await;
    let path = format!("/tickets/{}", ticket.id);
    // Back within the grace: nothing is lost.
    citizen.reconnect(&node).await;
    citizen.watch(&ticket.id).await;
    citizen.ticket(TicketState::Waiting).await;
    citizen.line.close().await;
    let start = std::time::Instant::now();
    loop {
        // The page's end is noted by itself; then the grace is over.
        node.sql("UPDATE tickets SET grace_until = 1 WHERE grace_until IS NOT NULL")
            .await;
        let t: TicketView = citizen.http.get(&path).await.unwrap();
        if t.state == TicketState::Expired {
            assert_eq!(t.reason.as_deref(), Some("grace_over"));
            break;
        }
        assert!(start.elapsed() < it::PATIENCE, "{t:?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    county.close(node).await;
});

both!(ending_the_visit_ends_all_that_is_live_of_it, |county| {
    let node = county.start("a").await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&node).await;
    let (session, _) = call(&mut citizen, &mut agent).await;
    let path = format!("/visits/{}/end", citizen.visit);
    for _ in 0..2 {
        let _: Done = citizen.http.post_as("end", &path, json!({})).await.unwrap();
    }
    citizen
        .line
        .until("the sign-out", |f| {
            matches!(f, ServerFrame::SignedOut {}).then_some(())
        })
        .await;
    citizen.line.ended().await;
    let over = agent.line.session_state(SessionState::Ended).await;
    assert_eq!(over.end_reason.as_deref(), Some("wiped"));
    // The token is worth nothing any more.
    let dead = citizen
        .http
        .get::<SessionView>(&format!("/sessions/{session}"))
        .await
        .unwrap_err();
    assert_eq!((dead.status, dead.code.as_str()), (401, "visit_ended"));
    county.close(node).await;
});

both!(a_second_tab_takes_over_and_the_first_is_told, |county| {
    let node = county.start("a").await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&node).await;
    let (session, _) = call(&mut citizen, &mut agent).await;
    let mut tab = Line::open(&citizen.http).await;
    tab.join(&session, 0).await;
    let told = citizen
        .line
        .until("superseded", |f| match f {
            ServerFrame::Superseded { session, .. } => Some(session.clone()),
            _ => None,
        })
        .await;
    assert_eq!(told.as_deref(), Some(session.as_str()));
    // The agent keeps their place: they hear what the new tab says.
    tab.chat(&session, "from here").await;
    agent
        .line
        .event_where(|e| matches!(&e.body, EventBody::Chat { text } if text == "from here"))
        .await;
    let seat = agent.seat.clone();
    let mut desk = Line::open(&agent.http).await;
    desk.send(&ClientFrame::WatchSeat { seat: seat.clone() })
        .await;
    let told = agent
        .line
        .until("superseded", |f| match f {
            ServerFrame::Superseded { seat: Some(s), .. } => Some(s.clone()),
            _ => None,
        })
        .await;
    assert_eq!(told, seat);
    // The old tab's end is no one's drop: the session goes on, and the new one hears.
    citizen.line.close().await;
    agent.line.chat(&session, "still here").await;
    tab.event_where(|e| matches!(&e.body, EventBody::Chat { text } if text == "still here"))
        .await;
    let now: SessionView = citizen
        .http
        .get(&format!("/sessions/{session}"))
        .await
        .unwrap();
    assert_eq!(now.state, SessionState::Active);
    county.close(node).await;
});
