//! Rules of queues through the doors: kept after a check, acting at once and in time.

pub use crate::shared::{Items, delete, put};
use domain::id::{HallId, StaffId};
use it::{
    county::named,
    http::Http,
    people::{Agent, Citizen, hall, staff},
};
use protocol::{
    HallConsents, HallView, ItemPair, Problem, QueueView, SeatState, SeatView, ServerFrame,
    SessionView, StaffSkills, TicketLine, TicketState, TicketView,
};
use serde_json::{Value, json};

fn queue(code: &str) -> String {
    format!("/halls/{}/queues/{code}", hall())
}

async fn kept(http: &Http, code: &str) -> QueueView {
    let all: Items<QueueView> = http
        .get(&format!("/halls/{}/queues", hall()))
        .await
        .unwrap();
    all.items.into_iter().find(|q| q.code == code).unwrap()
}

/// Keeps a rule over whatever there is.
pub async fn rule(http: &Http, code: &str, rule: Value) -> QueueView {
    let version = kept(http, code).await.version;
    put(
        http,
        &queue(code),
        json!({"version": version, "rule": rule}),
    )
    .await
    .unwrap()
}

async fn skilled(agent: &Agent, skills: &[&str]) {
    let body = json!({"skills": skills, "take_over": true});
    let _: SeatView = agent
        .http
        .post(&format!("/seats/{}/open", agent.seat), body)
        .await
        .unwrap();
}

pub fn general(extra: Value) -> Value {
    let mut rule = json!({"required": [{"code": "general", "level": 1}]});
    rule.as_object_mut()
        .unwrap()
        .extend(extra.as_object().unwrap().clone());
    rule
}

both!(a_rule_with_faults_is_refused_whole, |county| {
    let node = county.start("a").await;
    let boss = staff(&node, "supervisor").await;
    let before = kept(&boss, "general").await;
    let bad = general(json!({
        "required": [{"code": "flying", "level": 9}],
        "hours": [{"days": "workdays", "from": "09:00", "to": "12:00"}, {"days": "all", "from": "11:00", "to": "13:00"}],
        "ring_s": 1,
    }));
    let refused = put::<QueueView>(
        &boss,
        &queue("general"),
        json!({"version": before.version, "rule": bad}),
    )
    .await
    .unwrap_err();
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (422, "rule_invalid")
    );
    let told: Vec<_> = refused
        .errors
        .iter()
        .map(|e| (e.pointer.as_str(), e.code.as_str()))
        .collect();
    for fault in [
        ("/rule/required/0/code", "rule_skill_unknown"),
        ("/rule/required/0/level", "rule_level"),
        ("/rule/hours/1", "hours_overlap"),
        ("/rule/ring_s", "rule_seconds"),
    ] {
        assert!(told.contains(&fault), "{fault:?} in {told:?}");
    }
    let sound = general(json!({"ring_s": 20}));
    let stale = put::<QueueView>(
        &boss,
        &queue("general"),
        json!({"version": 99, "rule": sound}),
    )
    .await;
    assert_eq!(stale.unwrap_err().code, "version_stale");
    let agent = staff(&node, "agent1").await;
    let body = json!({"version": before.version, "rule": sound});
    let refused = put::<QueueView>(&agent, &queue("general"), &body)
        .await
        .unwrap_err();
    assert_eq!(refused.code, "role_missing");
    let far =
        general(json!({"steps": [{"after_s": 5, "overflow": "hal_00000000000000000000000002"}]}));
    let refused = put::<QueueView>(
        &boss,
        &queue("general"),
        json!({"version": before.version, "rule": far}),
    )
    .await;
    assert_eq!(refused.unwrap_err().code, "overflow_refused");
    assert_eq!(kept(&boss, "general").await, before, "nothing changed");
    county.close(node).await;
});

both!(ring_wrap_up_and_hours_are_the_rule_s, |county| {
    let node = county.start("a").await;
    let boss = staff(&node, "supervisor").await;
    rule(
        &boss,
        "general",
        general(json!({"ring_s": 12, "wrap_up_s": 0})),
    )
    .await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&node).await;
    let ticket = citizen.queue().await;
    let offer = agent.rung().await;
    let at = |s: &str| domain::time::Timestamp::parse_rfc3339(s).unwrap();
    assert_eq!(at(&offer.due_at).seconds_since(at(&offer.offered_at)), 12);
    let session = agent.accept(&offer).await;
    let _: SessionView = agent
        .http
        .post(
            &format!("/sessions/{session}/end"),
            json!({"reason": "finished"}),
        )
        .await
        .unwrap();
    // No time for notes: ready again by itself.
    agent.seat(SeatState::Ready).await;
    assert_eq!(citizen.ticket(TicketState::Closed).await.id, ticket.id);

    let closed = general(json!({"hours": [{"days": "all", "from": "00:00", "to": "00:01"}]}));
    let view = rule(&boss, "general", closed).await;
    assert_eq!(view.open_now, Some(false));
    let late = Citizen::arrive(&node).await;
    let refused = late
        .http
        .post::<TicketView>("/tickets", json!({}))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (409, "queue_closed")
    );
    county.close(node).await;
});

both!(a_changed_rule_and_a_step_of_time_make_a_match, |county| {
    let node = county.start("a").await;
    let boss = staff(&node, "supervisor").await;
    rule(&boss, "general", general(json!({}))).await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&node).await;
    let t: TicketView = citizen
        .http
        .post("/tickets", json!({"needs": ["sign_language"]}))
        .await
        .unwrap();
    citizen.watch(&t.id).await;
    assert_eq!(citizen.ticket(TicketState::Waiting).await.id, t.id);
    assert_eq!(agent.look().await.state, SeatState::Ready);
    // The rule gives in after a second; who waits already is asked anew.
    let soon = general(json!({"steps": [{"after_s": 1, "drop": ["need:sign_language"]}]}));
    rule(&boss, "general", soon).await;
    let offer = agent.rung().await;
    assert_eq!(offer.ticket, t.id);
    let later: TicketView = citizen
        .http
        .get(&format!("/tickets/{}", t.id))
        .await
        .unwrap();
    assert_eq!(later.state, TicketState::Offered);
    county.close(node).await;
});

both!(the_second_rings_when_the_first_is_away, |county| {
    let node = county.start("a").await;
    let boss = staff(&node, "supervisor").await;
    let admin = staff(&node, "admin").await;
    let id = |account: &str| named::<StaffId>("staff", account);
    let more = json!({"skills": {"general": 3, "police": 3}});
    let _: StaffSkills = put(&admin, &format!("/staff/{}/skills", id("agent3")), more)
        .await
        .unwrap();
    let police = json!({"required": [{"code": "police", "level": 1}], "prefer": {"last_agent_s": 0, "pair_s": 60}});
    rule(&boss, "police", police).await;
    let pairs = format!("/halls/{}/item-pairs/no-criminal-record", hall());
    let alone = json!({"a_staff": id("agent1"), "b_staff": id("agent1")});
    let refused = put::<Items<ItemPair>>(&boss, &pairs, alone)
        .await
        .unwrap_err();
    assert_eq!(refused.code, "pair_invalid");
    let both = json!({"a_staff": id("agent1"), "b_staff": id("agent2")});
    let set: Items<ItemPair> = put(&boss, &pairs, both).await.unwrap();
    assert_eq!(set.items.len(), 1);

    // The third has been ready longest and knows the matter, too.
    let third = Agent::sit(&node, "agent3", "seat-3").await;
    let mut a = Agent::sit(&node, "agent1", "seat-1").await;
    let mut b = Agent::sit(&node, "agent2", "seat-2").await;
    for agent in [&third, &a, &b] {
        skilled(agent, &["general", "police"]).await;
    }
    let away = format!("/seats/{}/away", a.seat);
    let _: SeatView = a
        .http
        .post(&away, json!({"reason": "break"}))
        .await
        .unwrap();
    let first = Citizen::arrive(&node).await;
    let body = json!({"item": "no-criminal-record"});
    let t: TicketView = first.http.post("/tickets", &body).await.unwrap();
    assert_eq!(b.rung().await.ticket, t.id);
    // The first is back and free, the second rings: the next one is the first's.
    let _: SeatView = a
        .http
        .post(&format!("/seats/{}/ready", a.seat), json!({}))
        .await
        .unwrap();
    let second = Citizen::arrive(&node).await;
    let t: TicketView = second.http.post("/tickets", &body).await.unwrap();
    assert_eq!(a.rung().await.ticket, t.id);
    assert_eq!(third.look().await.state, SeatState::Ready);
    let none: Items<ItemPair> = delete(&boss, &pairs).await.unwrap();
    assert!(none.items.is_empty());
    county.close(node).await;
});

both!(who_served_last_is_rung_first, |county| {
    let node = county.start("a").await;
    let boss = staff(&node, "supervisor").await;
    rule(
        &boss,
        "general",
        general(json!({"prefer": {"last_agent_s": 60, "pair_s": 0}, "wrap_up_s": 0})),
    )
    .await;
    let mut known = Agent::sit(&node, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&node).await;
    node.sql("UPDATE visits SET citizen_index = 'the same person'")
        .await;
    let (session, _) = it::people::call(&mut citizen, &mut known).await;
    let longer = Agent::sit(&node, "agent2", "seat-2").await;
    let _: SessionView = known
        .http
        .post(
            &format!("/sessions/{session}/end"),
            json!({"reason": "finished"}),
        )
        .await
        .unwrap();
    known.seat(SeatState::Ready).await;
    let mut again = Citizen::arrive(&node).await;
    node.sql("UPDATE visits SET citizen_index = 'the same person'")
        .await;
    let t = again.queue().await;
    assert_eq!(known.rung().await.ticket, t.id);
    assert_eq!(
        longer.look().await.state,
        SeatState::Ready,
        "ready for longer, and left alone"
    );
    county.close(node).await;
});

both!(a_consenting_hall_serves_too, |county| {
    let node = county.start("a").await;
    node.sql(
        "INSERT INTO halls (id, name_zh, name_en, opens, closes, telephone, address_zh, address_en)
         VALUES ('hal_00000000000000000000000002', '邻县大厅', 'The next county', '09:00', '17:00', '', '', '')",
    )
    .await;
    let there = "hal_00000000000000000000000002";
    let seat = named::<domain::id::SeatId>("seat", "seat-2");
    assert!(seat.starts_with("sea_"));
    node.sql("UPDATE staff SET hall_id = 'hal_00000000000000000000000002' WHERE account IN ('agent2', 'reviewer3')").await;
    node.sql("UPDATE staff SET roles = '[\"supervisor\"]' WHERE account = 'reviewer3'")
        .await;
    node.sql(
        "UPDATE seats SET hall_id = 'hal_00000000000000000000000002' WHERE name_en = 'Seat 2'",
    )
    .await;
    let boss = staff(&node, "supervisor").await;
    let neighbour = staff(&node, "reviewer3").await;
    let mut agent = Agent::sit(&node, "agent2", "seat-2").await;
    let mut citizen = Citizen::arrive(&node).await;
    let t = citizen.queue().await;
    let overflow = format!("{}/overflow", queue("general"));
    let refused = put::<QueueView>(&boss, &overflow, json!({"hall": there}))
        .await
        .unwrap_err();
    assert_eq!(refused.code, "overflow_refused");
    let consent = format!("/halls/{there}/consents/{}", hall());
    let refused = put::<HallConsents>(&boss, &consent, json!({"accept": true}))
        .await
        .unwrap_err();
    assert_eq!(
        refused.code, "role_missing",
        "the other hall's word is its own"
    );
    let now: HallConsents = put(&neighbour, &consent, json!({"accept": true}))
        .await
        .unwrap();
    assert_eq!(now.accepts[0].id, hall());
    assert_eq!(agent.look().await.state, SeatState::Ready);
    let view: QueueView = put(&boss, &overflow, json!({"hall": there})).await.unwrap();
    assert_eq!(view.overflow_now.as_deref(), Some(there));
    // Who waits already, and who comes later.
    let offer = agent.rung().await;
    assert_eq!(offer.ticket, t.id);
    let path = format!("/pairings/{}/decline", offer.pairing);
    let _: SeatView = agent
        .http
        .post(&path, json!({"reason": "busy"}))
        .await
        .unwrap();
    assert_eq!(citizen.ticket(TicketState::Waiting).await.ahead, 0);
    let mut home = Agent::sit(&node, "agent1", "seat-1").await;
    assert_eq!(home.rung().await.ticket, t.id);
    let _: SeatView = agent
        .http
        .post(&format!("/seats/{}/ready", agent.seat), json!({}))
        .await
        .unwrap();
    let mut next = Citizen::arrive(&node).await;
    let next = next.queue().await;
    assert_eq!(agent.rung().await.ticket, next.id);
    county.close(node).await;
});

/// The hall next door, which serves this one's people as the county is loaded.
fn next_door() -> String {
    named::<HallId>("hall", "nanxian")
}

/// The word of the hall next door about this one's people.
async fn word(http: &Http, accept: bool) -> HallConsents {
    let consent = format!("/halls/{}/consents/{}", next_door(), hall());
    put(http, &consent, json!({"accept": accept}))
        .await
        .unwrap()
}

async fn by_hand(boss: &Http, to: Option<&str>) -> Result<QueueView, Problem> {
    let path = format!("{}/overflow", queue("general"));
    put(boss, &path, json!({"hall": to})).await
}

/// Away and ready again: the seat looks for tickets anew.
async fn again(agent: &Agent) -> SeatView {
    let away = format!("/seats/{}/away", agent.seat);
    let _: SeatView = agent
        .http
        .post(&away, json!({"reason": "break"}))
        .await
        .unwrap();
    let ready = format!("/seats/{}/ready", agent.seat);
    agent.http.post(&ready, json!({})).await.unwrap()
}

both!(a_word_that_is_taken_back_ends_every_use_at_once, |county| {
    let node = county.start("a").await;
    let boss = staff(&node, "supervisor").await;
    let neighbour = staff(&node, "supervisor2").await;
    let there = next_door();
    let by_rule = general(json!({"steps": [{"after_s": 1, "overflow": there}]}));
    let kept = rule(&boss, "general", by_rule.clone()).await;
    let mut agent = Agent::sit(&node, "agent5", "nanxian-1").await;
    let mut citizen = Citizen::arrive(&node).await;
    let t = citizen.queue().await;
    assert_eq!(agent.rung().await.ticket, t.id, "by the rule's step");
    by_hand(&boss, Some(&there)).await.unwrap();

    word(&neighbour, false).await;
    // In the same transaction: nothing rings, nothing is open by hand, nobody in line stands there.
    let seat = agent.look().await;
    assert_eq!((seat.state, seat.offer), (SeatState::Ready, None));
    agent.seat(SeatState::Ready).await;
    citizen.ticket(TicketState::Waiting).await;
    assert_eq!(self::kept(&boss, "general").await.overflow_now, None);
    let lines: Items<TicketLine> = boss
        .get(&format!("/halls/{}/tickets", hall()))
        .await
        .unwrap();
    assert_eq!(lines.items[0].overflow_hall, None);
    // Nor later, though the rule names the hall still: not at the next step of time, not when the seat looks anew.
    signaling::app::routing::due(node.app()).await.unwrap();
    assert_eq!(again(&agent).await.state, SeatState::Ready);
    let mut second = Citizen::arrive(&node).await;
    second.queue().await;
    node.sql("UPDATE tickets SET enqueued_at = enqueued_at - 5000000, stage_at = 1")
        .await;
    signaling::app::routing::due(node.app()).await.unwrap();
    assert_eq!(again(&agent).await.state, SeatState::Ready);
    // A rule or a supervisor that names it is refused.
    let body = json!({"version": kept.version, "rule": by_rule});
    let refused = put::<QueueView>(&boss, &queue("general"), &body)
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code.as_str(), refused.errors[0].pointer.as_str()),
        ("overflow_refused", "/rule/steps/0/overflow")
    );
    let refused = by_hand(&boss, Some(&there)).await.unwrap_err();
    assert_eq!(refused.code, "overflow_refused");

    // Given again, the rule that was kept acts for who waits already.
    word(&neighbour, true).await;
    let rings = |f: &ServerFrame| match f {
        ServerFrame::Seat { seat } => seat.offer.clone(),
        _ => None,
    };
    assert_eq!(agent.line.until("a ring", rings).await.ticket, t.id);
    // Who is served already stays served.
    let offer = agent.look().await.offer.unwrap();
    let session = agent.accept(&offer).await;
    word(&neighbour, false).await;
    let live: SessionView = agent
        .http
        .get(&format!("/sessions/{session}"))
        .await
        .unwrap();
    assert_eq!(live.state, protocol::SessionState::Connecting);
    county.close(node).await;
});

both!(between_two_matches_a_word_is_taken_back, |county| {
    let node = county.start("a").await;
    let boss = staff(&node, "supervisor").await;
    let neighbour = staff(&node, "supervisor2").await;
    let agent = Agent::sit(&node, "agent5", "nanxian-1").await;
    let mut people = vec![];
    for _ in 0..8 {
        let body = json!({"channel": "phone", "hall": hall()});
        let v: protocol::VisitToken = node.http().post("/visits", body).await.unwrap();
        people.push(node.http().with(&v.access_token));
    }
    for pair in people.chunks(2) {
        word(&neighbour, true).await;
        by_hand(&boss, Some(&next_door())).await.unwrap();
        let comes = |p: Http| async move {
            let _: TicketView = p.post("/tickets", json!({})).await.unwrap();
        };
        // All at once: whoever is matched before loses the ring, nobody is matched after.
        tokio::join!(
            comes(pair[0].clone()),
            word(&neighbour, false),
            comes(pair[1].clone()),
        );
        let rings = node
            .sql("UPDATE pairings SET reason = reason WHERE state = 'offered'")
            .await;
        assert_eq!(rings, 0);
        assert_eq!(again(&agent).await.state, SeatState::Ready);
    }
    county.close(node).await;
});

both!(other_halls_are_those_that_have_said_so, |county| {
    let node = county.start("a").await;
    let neighbour = staff(&node, "supervisor2").await;
    let path = format!("/halls/{}/others", hall());
    let others = || async {
        let all: Items<HallView> = node.http().get(&path).await.unwrap();
        all.items
    };
    let all = others().await;
    assert_eq!(all.len(), 1);
    assert_eq!(
        (all[0].id.as_str(), all[0].seats_on_duty),
        (next_door().as_str(), 0)
    );
    let agent = Agent::sit(&node, "agent5", "nanxian-1").await;
    assert_eq!(others().await[0].seats_on_duty, 1, "what is true there now");
    word(&neighbour, false).await;
    assert!(others().await.is_empty());
    let nowhere = "/halls/hal_00000000000000000000000009/others";
    let refused = node.http().get::<Items<HallView>>(nowhere).await;
    assert_eq!(refused.err().unwrap().code, "not_found");
    drop(agent);
    county.close(node).await;
});

both!(
    a_head_start_is_bounded_and_inside_a_class_it_is_first_come,
    |county| {
        let node = county.start("a").await;
        let (mut a, mut b, mut c) = (
            Citizen::arrive(&node).await,
            Citizen::arrive(&node).await,
            Citizen::arrive(&node).await,
        );
        let (a, b) = (a.queue().await, b.queue().await);
        let elder: TicketView = c
            .http
            .post("/tickets", json!({"priority": true}))
            .await
            .unwrap();
        c.watch(&elder.id).await;
        assert_eq!(c.ticket(TicketState::Waiting).await.ahead, 0);
        let mut got = vec![];
        for (account, seat) in [
            ("agent1", "seat-1"),
            ("agent2", "seat-2"),
            ("agent3", "seat-3"),
        ] {
            got.push(Agent::sit(&node, account, seat).await.rung().await.ticket);
        }
        assert_eq!(got, [elder.id, a.id, b.id]);
        county.close(node).await;
    }
);
