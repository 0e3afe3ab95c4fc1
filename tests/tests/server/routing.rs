//! Rules of queues through the doors: kept after a check, acting at once and in time.

use domain::id::StaffId;
use it::{
    county::named,
    http::{Http, answer, key},
    people::{Agent, Citizen, hall, staff},
};
use protocol::{
    HallConsents, ItemPair, Problem, QueueView, SeatState, SeatView, SessionView, StaffSkills,
    TicketState, TicketView,
};
use reqwest::Method;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

#[derive(Deserialize, Debug)]
pub struct Items<T> {
    pub items: Vec<T>,
}

pub async fn put<T: DeserializeOwned>(
    http: &Http,
    path: &str,
    body: impl Serialize,
) -> Result<T, Problem> {
    let r = http
        .request(Method::PUT, path)
        .header("idempotency-key", key())
        .json(&body);
    answer(r.send().await.unwrap()).await
}

pub async fn delete<T: DeserializeOwned>(http: &Http, path: &str) -> Result<T, Problem> {
    let r = http
        .request(Method::DELETE, path)
        .header("idempotency-key", key());
    answer(r.send().await.unwrap()).await
}

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
async fn rule(http: &Http, code: &str, rule: Value) -> QueueView {
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

fn general(extra: Value) -> Value {
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
