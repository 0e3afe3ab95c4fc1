//! Text sessions beside each other: lanes of a seat, and what they and the seat's calls mean to each other.

use crate::shared::{Items, put};
use it::{
    county::Node,
    http::Http,
    line::Line,
    people::{Agent, Citizen, hall, staff},
};
use protocol::{
    Accepted, CallMode, ClientFrame, Command, OfferView, Problem, QueueView, SeatState, SeatView,
    ServerFrame, SessionView, TicketMode, TicketState, TicketView,
};
use serde_json::{Value, json};

/// A lane with the line that holds it.
pub struct Lane {
    pub http: Http,
    pub seat: String,
    pub line: Line,
}

impl Lane {
    async fn state(&mut self, state: SeatState) -> SeatView {
        self.line
            .until(&format!("a lane {state:?}"), |f| match f {
                ServerFrame::Seat { seat } if seat.state == state => Some(seat.clone()),
                _ => None,
            })
            .await
    }
    pub async fn rung(&mut self) -> OfferView {
        let seat = self.state(SeatState::Ringing).await;
        seat.offer.unwrap()
    }
    pub async fn accept(&mut self, offer: &OfferView) -> String {
        let a: Accepted = self
            .http
            .post(&format!("/pairings/{}/accept", offer.pairing), json!({}))
            .await
            .unwrap();
        a.session
    }
    async fn ask(&self, what: &str) -> Result<SeatView, Problem> {
        let body = match what {
            "away" => json!({"reason": "meal"}),
            "open" => json!({"skills": ["general"]}),
            _ => json!({}),
        };
        self.http
            .post(&format!("/seats/{}/{what}", self.seat), body)
            .await
    }
}

/// Keeps how many texts one agent may have of a queue.
pub async fn slots(node: &Node, code: &str, n: u8) {
    let boss = staff(node, "supervisor").await;
    let all: Items<QueueView> = boss
        .get(&format!("/halls/{}/queues", hall()))
        .await
        .unwrap();
    let version = all.items.iter().find(|q| q.code == code).unwrap().version;
    let rule = json!({"required": [{"code": code, "level": 1}], "text_slots": n, "wrap_up_s": 90});
    let _: QueueView = put(
        &boss,
        &format!("/halls/{}/queues/{code}", hall()),
        json!({"version": version, "rule": rule}),
    )
    .await
    .unwrap();
}

/// Opens the agent's seat for texts too, and holds every lane.
pub async fn texts(agent: &Agent, skills: &[&str]) -> Vec<Lane> {
    let seat: SeatView = agent
        .http
        .post(
            &format!("/seats/{}/open", agent.seat),
            json!({"skills": skills, "text": true, "take_over": true}),
        )
        .await
        .unwrap();
    assert!(seat.text && seat.lane == 0);
    let mut out = vec![];
    for l in seat.lanes {
        let mut lane = Lane {
            line: Line::open(&agent.http).await,
            http: agent.http.clone(),
            seat: l.seat.clone(),
        };
        lane.line
            .send(&ClientFrame::WatchSeat { seat: l.seat })
            .await;
        let seen = lane.state(SeatState::Ready).await;
        assert_eq!((seen.lane, seen.main.as_ref()), (l.lane, Some(&agent.seat)));
        assert!(seen.lanes.is_empty() && !seen.skills.iter().any(|s| s.starts_with("mode:")));
        out.push(lane);
    }
    out
}

async fn takes(c: &mut Citizen, mode: &str) -> TicketView {
    let body = json!({"mode": mode});
    let t: TicketView = c.http.post("/tickets", body).await.unwrap();
    c.watch(&t.id).await;
    t
}

async fn set_mode(c: &Citizen, ticket: &str, mode: &str) -> Result<TicketView, Problem> {
    put(
        &c.http,
        &format!("/tickets/{ticket}/mode"),
        json!({"mode": mode}),
    )
    .await
}

async fn end(http: &Http, session: &str) {
    let body = json!({"reason": "finished"});
    let _: SessionView = http
        .post(&format!("/sessions/{session}/end"), body)
        .await
        .unwrap();
}

fn main_of(seat: &SeatView) -> (SeatState, Option<&str>) {
    (seat.state, seat.away_reason.as_deref())
}

both!(
    two_by_text_at_one_seat_a_third_waits_and_a_caller_comes_after,
    |county| {
        let node = county.start("a").await;
        slots(&node, "general", 2).await;
        let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
        let mut lanes = texts(&agent, &["general"]).await;
        assert_eq!(lanes.len(), 2);
        let seats: Items<SeatView> = agent.http.get("/seats").await.unwrap();
        assert!(seats.items.iter().all(|s| s.lane == 0));
        let (mut one, mut two, mut three) = (
            Citizen::arrive(&node).await,
            Citizen::arrive(&node).await,
            Citizen::arrive(&node).await,
        );
        let t = takes(&mut one, "text").await;
        assert_eq!((t.mode, t.seats_on_duty), (TicketMode::Text, 1));
        let first = lanes[0].rung().await;
        assert_eq!((&first.ticket, first.mode), (&t.id, TicketMode::Text));
        let main = agent.seat(SeatState::Busy).await;
        assert_eq!(main.away_reason.as_deref(), Some("text"));
        assert!(main.offer.is_none() && main.session.is_none());
        let session_one = lanes[0].accept(&first).await;
        takes(&mut two, "text").await;
        let second = lanes[1].rung().await;
        let session_two = lanes[1].accept(&second).await;
        let waits = takes(&mut three, "text").await;
        assert_eq!(waits.state, TicketState::Waiting);

        // Both talk, each in their own session, by text from the first moment.
        for (c, l, s) in [(&mut one, 0, &session_one), (&mut two, 1, &session_two)] {
            let joined = c.line.join(s, 0).await;
            assert_eq!(joined.session.mode, CallMode::Text);
            lanes[l].line.join(s, 0).await;
            lanes[l].line.chat(s, "您好").await;
        }
        assert_ne!(session_one, session_two);

        // A caller is not rung meanwhile.
        let mut caller = Citizen::arrive(&node).await;
        let call = takes(&mut caller, "video").await;
        assert_eq!(call.state, TicketState::Waiting);
        assert_eq!(
            main_of(&agent.look().await),
            (SeatState::Busy, Some("text"))
        );

        // One text ends: after the notes the third is rung on that lane; the seat goes on.
        end(&lanes[0].http, &session_one).await;
        lanes[0].state(SeatState::WrapUp).await;
        let wrap = json!({"disposition": "answered", "note": "问了开门时间"});
        let path = format!("/sessions/{session_one}/wrap-up");
        let _: SeatView = lanes[0].http.post(&path, &wrap).await.unwrap();
        let third = lanes[0].rung().await;
        assert_eq!(third.ticket, waits.id);
        let session_three = lanes[0].accept(&third).await;

        // Both over: the seat is ready, and rung for the caller at once.
        for (l, s) in [(1, &session_two), (0, &session_three)] {
            end(&lanes[l].http, s).await;
            lanes[l].state(SeatState::WrapUp).await;
            lanes[l].ask("ready").await.unwrap();
        }
        let offer = agent.rung().await;
        assert_eq!((offer.ticket, offer.mode), (call.id, TicketMode::Video));
        let held = lanes[0].state(SeatState::Away).await;
        assert_eq!(held.away_reason.as_deref(), Some("main"));
        county.close(node).await;
    }
);

both!(a_call_that_has_waited_is_not_overtaken_by_texts, |county| {
    let node = county.start("a").await;
    slots(&node, "general", 2).await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut lanes = texts(&agent, &["general"]).await;
    let (mut one, mut two) = (Citizen::arrive(&node).await, Citizen::arrive(&node).await);
    takes(&mut one, "text").await;
    let first = lanes[0].rung().await;
    let session = lanes[0].accept(&first).await;
    let mut caller = Citizen::arrive(&node).await;
    let call = takes(&mut caller, "video").await;
    let waited = "UPDATE tickets SET order_at = order_at - 61000000 WHERE mode = 'video'";
    assert_eq!(node.sql(waited).await, 1);
    // The second lane is free, and is left to the call.
    let text = takes(&mut two, "text").await;
    assert_eq!(text.state, TicketState::Waiting);
    // Who stood in line before the call is not held up by it.
    let before = "UPDATE tickets SET order_at = order_at - 62000000 WHERE mode = 'text' AND state = 'waiting'";
    assert_eq!(node.sql(before).await, 1);
    let mut three = Citizen::arrive(&node).await;
    let younger = takes(&mut three, "text").await;
    let second = lanes[1].rung().await;
    assert_eq!(second.ticket, text.id);
    assert_eq!(younger.state, TicketState::Waiting);
    let other = lanes[1].accept(&second).await;
    for (l, s) in [(0, &session), (1, &other)] {
        end(&lanes[l].http, s).await;
        lanes[l].state(SeatState::WrapUp).await;
        lanes[l].ask("ready").await.unwrap();
    }
    // The texts are over: the call, though a text has waited beside a free lane.
    let offer = agent.rung().await;
    assert_eq!(offer.ticket, call.id);
    // It leaves: now the text.
    let _: TicketView = caller
        .http
        .post(&format!("/tickets/{}/cancel", call.id), json!({}))
        .await
        .unwrap();
    let ticket = three.ticket(TicketState::Offered).await;
    assert_eq!(ticket.id, younger.id);
    county.close(node).await;
});

both!(
    a_queue_with_one_slot_is_served_on_the_first_lane_alone,
    |county| {
        let node = county.start("a").await;
        slots(&node, "general", 2).await;
        slots(&node, "police", 1).await;
        let agent = Agent::sit(&node, "agent1", "seat-1").await;
        let mine = agent.look().await;
        assert!(!mine.text && mine.lanes.is_empty());
        let mut lanes = texts(&agent, &["general", "police"]).await;
        assert_eq!(lanes.len(), 2);
        // A text holds the first lane; on the second there is no place for the other queue's.
        let (mut one, mut two, mut three) = (
            Citizen::arrive(&node).await,
            Citizen::arrive(&node).await,
            Citizen::arrive(&node).await,
        );
        takes(&mut one, "text").await;
        let offer = lanes[0].rung().await;
        lanes[0].accept(&offer).await;
        let body = json!({"mode": "text", "item": "no-criminal-record"});
        let t: TicketView = two.http.post("/tickets", body).await.unwrap();
        two.watch(&t.id).await;
        assert_eq!((t.state, t.seats_on_duty), (TicketState::Waiting, 1));
        let general = takes(&mut three, "text").await;
        assert_eq!(lanes[1].rung().await.ticket, general.id);
        assert_eq!(two.ticket(TicketState::Waiting).await.id, t.id);
        county.close(node).await;
    }
);

both!(
    what_a_lane_cannot_do_alone_and_what_nobody_may_name,
    |county| {
        let node = county.start("a").await;
        let boss = staff(&node, "supervisor").await;
        let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
        let lanes = texts(&agent, &["general"]).await;
        assert_eq!(lanes.len(), 1, "one text at a time is the default");
        for what in ["open", "away", "close", "ready"] {
            let refused = lanes[0].ask(what).await.unwrap_err();
            assert_eq!(
                (refused.status, refused.code.as_str()),
                (409, "seat_lane"),
                "{what}"
            );
        }
        let body = json!({"state": "away", "reason": "meal"});
        let refused = boss
            .post::<SeatView>(&format!("/seats/{}/force", lanes[0].seat), body)
            .await
            .unwrap_err();
        assert_eq!(refused.code, "seat_lane");

        let refused = agent
            .http
            .post::<SeatView>(
                &format!("/seats/{}/open", agent.seat),
                json!({"skills": ["general", "mode:text"], "take_over": true}),
            )
            .await
            .unwrap_err();
        assert_eq!(
            (refused.status, refused.code.as_str()),
            (422, "skill_reserved")
        );
        let rule = json!({"required": [{"code": "general", "level": 1}, {"code": "mode:text", "level": 1}],
        "steps": [{"after_s": 5, "drop": ["mode:text"]}]});
        let refused = put::<QueueView>(
            &boss,
            &format!("/halls/{}/queues/general", hall()),
            json!({"version": 0, "rule": rule}),
        )
        .await
        .unwrap_err();
        let told: Vec<_> = refused
            .errors
            .iter()
            .map(|e| (e.pointer.as_str(), e.code.as_str()))
            .collect();
        for at in ["/rule/required/1/code", "/rule/steps/0/drop/0"] {
            assert!(told.contains(&(at, "rule_skill_reserved")), "{told:?}");
        }

        // Closing the seat closes its lane.
        let closed: SeatView = agent
            .http
            .post(&format!("/seats/{}/close", agent.seat), json!({}))
            .await
            .unwrap();
        assert!(closed.lanes.is_empty() && closed.state == SeatState::Offline);
        agent.seat(SeatState::Offline).await;
        county.close(node).await;
    }
);

both!(
    who_is_sent_away_while_texting_goes_when_the_last_is_over,
    |county| {
        let node = county.start("a").await;
        slots(&node, "general", 2).await;
        let boss = staff(&node, "supervisor").await;
        let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
        let mut lanes = texts(&agent, &["general"]).await;
        let (mut one, mut two) = (Citizen::arrive(&node).await, Citizen::arrive(&node).await);
        takes(&mut one, "text").await;
        let offer = lanes[0].rung().await;
        let session = lanes[0].accept(&offer).await;

        // One's own word: no more texts; taken back, they come again.
        let path = format!("/seats/{}/away", agent.seat);
        let seat: SeatView = agent
            .http
            .post(&path, json!({"reason": "meal"}))
            .await
            .unwrap();
        assert_eq!(main_of(&seat), (SeatState::Busy, Some("text")));
        let word = seat.forced.unwrap();
        assert_eq!(
            (word.state, word.reason.as_str(), word.after_session),
            (SeatState::Away, "meal", true)
        );
        lanes[1].state(SeatState::Away).await;
        let waits = takes(&mut two, "text").await;
        assert_eq!(waits.state, TicketState::Waiting);
        let path = format!("/seats/{}/ready", agent.seat);
        let seat: SeatView = agent.http.post(&path, json!({})).await.unwrap();
        assert!(seat.forced.is_none());
        let second = lanes[1].rung().await;
        assert_eq!(second.ticket, waits.id);

        // The supervisor's: who is served is served to the end, and what rings may still be answered.
        let body = json!({"state": "away", "reason": "training"});
        let seat: SeatView = boss
            .post(&format!("/seats/{}/force", agent.seat), body)
            .await
            .unwrap();
        assert!(seat.state == SeatState::Busy && seat.forced.unwrap().after_session);
        let session_two = lanes[1].accept(&second).await;
        for (l, s) in [(0, &session), (1, &session_two)] {
            end(&lanes[l].http, s).await;
            lanes[l].state(SeatState::WrapUp).await;
            assert_eq!(agent.look().await.state, SeatState::Busy);
            let lane = lanes[l].ask("ready").await.unwrap();
            assert_eq!(main_of(&lane), (SeatState::Away, Some("main")));
        }
        let seat = agent.seat(SeatState::Away).await;
        assert_eq!(seat.away_reason.as_deref(), Some("training"));
        county.close(node).await;
    }
);

both!(a_text_that_nobody_answers, |county| {
    let node = county.start("a").await;
    slots(&node, "general", 2).await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut lanes = texts(&agent, &["general"]).await;
    let (mut one, mut two) = (Citizen::arrive(&node).await, Citizen::arrive(&node).await);
    takes(&mut one, "text").await;
    let offer = lanes[0].rung().await;
    let decline = |p: &str| format!("/pairings/{p}/decline");
    let body = json!({"reason": "busy"});
    let lane: SeatView = agent
        .http
        .post(&decline(&offer.pairing), &body)
        .await
        .unwrap();
    assert_eq!(main_of(&lane), (SeatState::Away, Some("declined")));
    let seat = agent.seat(SeatState::Away).await;
    assert_eq!(seat.away_reason.as_deref(), Some("declined"));
    lanes[1].state(SeatState::Away).await;
    // Back: the one who waits is rung.
    let path = format!("/seats/{}/ready", agent.seat);
    let _: SeatView = agent.http.post(&path, json!({})).await.unwrap();
    // The first ring may have been told twice.
    let offer = loop {
        let o = lanes[0].rung().await;
        if o.pairing != offer.pairing {
            break o;
        }
    };
    lanes[0].accept(&offer).await;
    // Beside a text only the lane rests, and `ready` at the lane ends that.
    let t = takes(&mut two, "text").await;
    let offer = lanes[1].rung().await;
    let lane: SeatView = agent
        .http
        .post(&decline(&offer.pairing), &body)
        .await
        .unwrap();
    assert_eq!(main_of(&lane), (SeatState::Away, Some("declined")));
    assert_eq!(
        main_of(&agent.look().await),
        (SeatState::Busy, Some("text"))
    );
    two.ticket(TicketState::Waiting).await;
    let rung = lanes[1].ask("ready").await.unwrap();
    assert_eq!(rung.offer.unwrap().ticket, t.id);
    county.close(node).await;
});

both!(
    the_mode_is_changed_while_waiting_and_the_place_kept,
    |county| {
        let node = county.start("a").await;
        let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
        let (mut one, mut two) = (Citizen::arrive(&node).await, Citizen::arrive(&node).await);
        // Nobody takes texts: said outright, and the agent for calls is not rung.
        let t = takes(&mut one, "text").await;
        assert_eq!((t.state, t.seats_on_duty), (TicketState::Waiting, 0));
        assert!(t.estimate.is_none());
        assert_eq!(agent.look().await.state, SeatState::Ready);
        let refused = set_mode(&two, &t.id, "video").await.unwrap_err();
        assert_eq!(refused.code, "not_found");
        let bad = set_mode(&one, &t.id, "phone").await.unwrap_err();
        assert_eq!(bad.status, 422);
        let same = set_mode(&one, &t.id, "text").await.unwrap();
        assert_eq!(same.version, t.version);
        let now = set_mode(&one, &t.id, "audio").await.unwrap();
        assert_eq!(now.mode, TicketMode::Audio);
        assert_eq!(now.number, t.number);
        let offer = agent.rung().await;
        assert_eq!((&offer.ticket, offer.mode), (&t.id, TicketMode::Audio));
        let refused = set_mode(&one, &t.id, "text").await.unwrap_err();
        assert_eq!(
            (refused.status, refused.code.as_str()),
            (409, "ticket_state")
        );
        let session = agent.accept(&offer).await;
        let joined = one.line.join(&session, 0).await;
        assert_eq!(joined.session.mode, CallMode::Audio);

        // The place: who came earlier goes first, whatever the mode was meanwhile.
        let early = takes(&mut two, "text").await;
        let mut three = Citizen::arrive(&node).await;
        let late = takes(&mut three, "video").await;
        let back = set_mode(&two, &early.id, "video").await.unwrap();
        assert_eq!(back.ahead, 0);
        end(&agent.http, &session).await;
        agent.seat(SeatState::WrapUp).await;
        let path = format!("/seats/{}/ready", agent.seat);
        let _: SeatView = agent.http.post(&path, json!({})).await.unwrap();
        let offer = agent.rung().await;
        assert_eq!(offer.ticket, early.id, "not {}", late.id);
        county.close(node).await;
    }
);

both!(the_closed_page_of_the_seat_sends_its_texts_back, |county| {
    let node = county.start("a").await;
    slots(&node, "general", 2).await;
    let agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut lanes = texts(&agent, &["general"]).await;
    let mut one = Citizen::arrive(&node).await;
    let t = takes(&mut one, "text").await;
    let offer = lanes[0].rung().await;
    assert_eq!(offer.ticket, t.id);
    one.ticket(TicketState::Offered).await;
    // The seat's page alone: its lanes' lines are there still.
    let Agent {
        http, seat, line, ..
    } = agent;
    line.close().await;
    one.ticket(TicketState::Waiting).await;
    let lane = lanes[0].state(SeatState::Away).await;
    assert!(lane.offer.is_none());
    let all: Items<SeatView> = http.get("/seats").await.unwrap();
    let main = all.items.into_iter().find(|s| s.id == seat).unwrap();
    assert_eq!(main_of(&main), (SeatState::Away, Some("page_closed")));
    lanes[1].state(SeatState::Away).await;
    county.close(node).await;
});

both!(a_text_that_becomes_a_call_takes_the_whole_agent, |county| {
    let node = county.start("a").await;
    slots(&node, "general", 2).await;
    let agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut lanes = texts(&agent, &["general"]).await;
    let (mut one, mut two) = (Citizen::arrive(&node).await, Citizen::arrive(&node).await);
    takes(&mut one, "text").await;
    let offer = lanes[0].rung().await;
    let session = lanes[0].accept(&offer).await;
    one.line.join(&session, 0).await;
    lanes[0].line.join(&session, 0).await;
    let go = |to| Command::Mode {
        session: session.clone(),
        to,
    };
    one.line.command(go(CallMode::Video)).await.unwrap();
    lanes[1].state(SeatState::Away).await;
    let waits = takes(&mut two, "text").await;
    assert_eq!(waits.state, TicketState::Waiting);
    lanes[0].line.command(go(CallMode::Text)).await.unwrap();
    let offer = lanes[1].rung().await;
    assert_eq!(offer.ticket, waits.id);
    county.close(node).await;
});

both!(
    an_agent_who_moves_to_another_seat_takes_no_text_along,
    |county| {
        let node = county.start("a").await;
        let agent = Agent::sit(&node, "agent1", "seat-1").await;
        let mut lanes = texts(&agent, &["general"]).await;
        let mut one = Citizen::arrive(&node).await;
        takes(&mut one, "text").await;
        let offer = lanes[0].rung().await;
        let there = it::county::named::<domain::id::SeatId>("seat", "seat-2");
        let moves = |body: Value| {
            let (http, path) = (agent.http.clone(), format!("/seats/{there}/open"));
            async move { http.post::<SeatView>(&path, body).await }
        };
        let body = json!({"skills": ["general"], "text": true, "take_over": true});
        // A ring goes back, a citizen who is served stays.
        let session = lanes[0].accept(&offer).await;
        let refused = moves(body.clone()).await.unwrap_err();
        assert_eq!(refused.code, "session_live");
        end(&lanes[0].http, &session).await;
        lanes[0].state(SeatState::WrapUp).await;
        let seat = moves(body).await.unwrap();
        assert_eq!((seat.state, seat.lanes.len()), (SeatState::Ready, 1));
        assert_eq!(agent.look().await.state, SeatState::Offline);
        lanes[0].state(SeatState::Offline).await;
        county.close(node).await;
    }
);
