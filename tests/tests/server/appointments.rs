//! Booking, checking in, not coming.

use it::{
    booth::Booth,
    county::{County, Node},
    http::{Http, answer, key},
    people::{Agent, Citizen, hall, staff},
};
use protocol::{
    AppointmentState, AppointmentView, Booked, PriorityClass, Problem, SlotList, SlotRuleView,
    SlotTime, TicketState, TicketView, VisitView,
};
use reqwest::Method;
use serde_json::{Value, json};

#[derive(serde::Deserialize)]
struct Items<T> {
    items: Vec<T>,
}

/// Round the clock in slots of five minutes: there is always one whose check-in is open.
async fn open_slots(node: &Node, capacity: u32) {
    let boss = staff(node, "supervisor").await;
    let body = json!({"hours": [{"days": "all", "from": "00:00", "to": "24:00"}],
        "slot_minutes": 5, "capacity": capacity, "version": version(&boss).await});
    let path = format!("/halls/{}/slot-rules/general", hall());
    put(&boss, &path, body).await.unwrap();
}

async fn version(boss: &Http) -> i64 {
    let rules: Items<SlotRuleView> = boss
        .get(&format!("/halls/{}/slot-rules", hall()))
        .await
        .unwrap();
    let of_general = rules.items.iter().find(|r| r.queue == "general");
    of_general.map_or(0, |r| r.version)
}

async fn put(who: &Http, path: &str, body: Value) -> Result<SlotRuleView, Problem> {
    let r = who
        .request(Method::PUT, path)
        .header("idempotency-key", key())
        .json(&body);
    answer(r.send().await.unwrap()).await
}

/// Slots of today and tomorrow that have not begun.
async fn slots(node: &Node) -> Vec<SlotTime> {
    let today = node.app().now().beijing_date();
    let mut all = vec![];
    for date in [today, today.next_day().unwrap()] {
        let path = format!("/halls/{}/slots?queue=general&date={date}", hall());
        let list: SlotList = node.http().get(&path).await.unwrap();
        all.extend(list.items);
    }
    all
}

async fn book(who: &Http, slot: &SlotTime) -> Result<Booked, Problem> {
    who.post("/appointments", json!({"starts_at": slot.from}))
        .await
}

/// At a booth, with a card that was read there.
async fn with_card(county: &County, node: &Node, name: &str, number: &str) -> Http {
    let booth = Booth::of(county, "booth-1");
    let (me, nonce) = booth.arrive(node).await;
    let read = booth.read(node, &nonce, name, number);
    let path = format!("/visits/{}/identity", me.visit);
    let _: VisitView = me.http.post(&path, json!({"read": read})).await.unwrap();
    me.http
}

both!(from_the_booking_to_the_end_of_the_call, |county| {
    let node = county.start("a").await;
    open_slots(&node, 2).await;
    let next = &slots(&node).await[0];
    assert_eq!((next.capacity, next.left), (2, 2));
    let citizen = Citizen::arrive(&node).await;
    let body = json!({"starts_at": next.from});
    let booked: Booked = citizen
        .http
        .post_as("book", "/appointments", &body)
        .await
        .unwrap();
    let again: Booked = citizen
        .http
        .post_as("book", "/appointments", &body)
        .await
        .unwrap();
    assert_eq!(
        (&again.code, &again.appointment.id),
        (&booked.code, &booked.appointment.id)
    );
    assert!(booked.url.ends_with(&format!("#a={}", booked.code)));
    assert_eq!(slots(&node).await[0].left, 1);
    // On another phone, which knows the code alone, typed as people type. A walk-in is there before.
    let mut walk_in = Citizen::arrive(&node).await;
    walk_in.queue().await;
    let mut phone = Citizen::arrive(&node).await;
    let typed = json!({"code": format!(" {} ", booked.code.to_lowercase())});
    let found: AppointmentView = phone.http.post("/appointments/find", &typed).await.unwrap();
    assert_eq!(found.state, AppointmentState::Booked);
    let ticket: TicketView = phone
        .http
        .post("/appointments/check-in", &typed)
        .await
        .unwrap();
    assert_eq!(
        (ticket.class, ticket.ahead),
        (PriorityClass::Appointment, 0)
    );
    let twice = phone
        .http
        .post::<TicketView>("/appointments/check-in", &typed)
        .await
        .unwrap_err();
    assert_eq!(twice.code, "appointment_state");
    phone.watch(&ticket.id).await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let offer = agent.rung().await;
    assert_eq!(offer.ticket, ticket.id, "before who walked in");
    let session = agent.accept(&offer).await;
    phone.ticket(TicketState::Paired).await;
    let _: protocol::SessionView = agent
        .http
        .post(
            &format!("/sessions/{session}/end"),
            json!({"reason": "finished"}),
        )
        .await
        .unwrap();
    settled(&node, &citizen.http, AppointmentState::Served).await;
    drop(citizen.line);
    county.close(node).await;
});

/// My only appointment is in this state once the timer has looked: this one, or the server's own, which was first.
async fn settled(node: &Node, who: &Http, state: AppointmentState) {
    signaling::app::appointments::due(node.app()).await.unwrap();
    let mine: Items<AppointmentView> = who.get("/appointments").await.unwrap();
    assert_eq!(mine.items[0].state, state, "{:?}", mine.items[0]);
}

both!(the_last_place_goes_to_one_of_two, |county| {
    let node = county.start("a").await;
    open_slots(&node, 1).await;
    let all = slots(&node).await;
    let people: Vec<Citizen> = [
        Citizen::arrive(&node).await,
        Citizen::arrive(&node).await,
        Citizen::arrive(&node).await,
    ]
    .into();
    let raced = futures::future::join_all(people.iter().map(|p| book(&p.http, &all[1]))).await;
    let (won, lost): (Vec<_>, Vec<_>) = raced.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 2));
    assert!(
        lost.iter()
            .all(|l| l.as_ref().err().unwrap().code == "slot_full")
    );
    assert_eq!(slots(&node).await[1].left, 0);
    // Twice by one person: refused, another slot or not; after a cancel the place is free again.
    let winner = won.into_iter().next().unwrap().unwrap();
    let mut of_winner = None;
    for p in &people {
        let mine: Items<AppointmentView> = p.http.get("/appointments").await.unwrap();
        if mine.items.iter().any(|a| a.id == winner.appointment.id) {
            of_winner = Some(p);
        }
    }
    let p = of_winner.unwrap();
    let twice = book(&p.http, &all[2]).await.err().unwrap();
    assert_eq!(
        (twice.status, twice.code.as_str()),
        (409, "appointment_twice")
    );
    let path = format!("/appointments/{}/cancel", winner.appointment.id);
    let other = people.iter().find(|o| o.visit != p.visit).unwrap();
    let stranger = other.http.post::<AppointmentView>(&path, json!({})).await;
    assert_eq!(stranger.unwrap_err().code, "not_found");
    let gone: AppointmentView = p.http.post(&path, json!({})).await.unwrap();
    assert_eq!(gone.state, AppointmentState::Cancelled);
    assert_eq!(slots(&node).await[1].left, 1);
    let over = p.http.post::<AppointmentView>(&path, json!({})).await;
    assert_eq!(over.unwrap_err().code, "appointment_state");
    book(&other.http, &all[1]).await.unwrap();
    county.close(node).await;
});

both!(what_cannot_be_booked_is_refused_by_name, |county| {
    let node = county.start("a").await;
    open_slots(&node, 1).await;
    let citizen = Citizen::arrive(&node).await;
    let next = slots(&node).await.remove(0);
    let from = domain::time::Timestamp::parse_rfc3339(&next.from).unwrap();
    let at = |s: i64| (from + domain::time::Span::seconds(s)).rfc3339();
    for (body, code) in [
        (json!({"starts_at": at(-300)}), "slot_past"),
        (json!({"starts_at": at(1)}), "slot_unknown"),
        (json!({"starts_at": at(31 * 86_400)}), "slot_far"),
        (json!({"starts_at": "tomorrow"}), "field_invalid"),
        (
            json!({"starts_at": at(0), "queue": "magic"}),
            "queue_unknown",
        ),
        (json!({"starts_at": at(0), "item": "magic"}), "item_unknown"),
        // Nobody has written what can be booked there.
        (
            json!({"starts_at": at(0), "queue": "business"}),
            "slot_unknown",
        ),
    ] {
        let e = citizen.http.post::<Booked>("/appointments", &body).await;
        assert_eq!(e.err().unwrap().code, code, "{body}");
    }
    let day = |q: &str, d: &str| format!("/halls/{}/slots?queue={q}&date={d}", hall());
    for (path, code) in [
        (day("magic", "2026-12-01"), "queue_unknown"),
        (day("general", "1.12.2026"), "date_format"),
        (day("general", "2099-12-01"), "slot_far"),
    ] {
        let e = node.http().get::<SlotList>(&path).await.unwrap_err();
        assert_eq!(e.code, code, "{path}");
    }
    // The rule itself: whose it is, what it may say, over which version.
    let boss = staff(&node, "supervisor").await;
    let path = format!("/halls/{}/slot-rules/general", hall());
    let rule = |hours: Value, minutes: u16, version: i64| json!({"hours": hours, "slot_minutes": minutes, "capacity": 1, "version": version});
    let line = |from: &str, to: &str| json!({"days": "workdays", "from": from, "to": to});
    let v = version(&boss).await;
    for (hours, minutes, version, code) in [
        (json!([line("9:00", "12:00")]), 15, v, "hours_invalid"),
        (json!([line("12:00", "09:00")]), 15, v, "hours_invalid"),
        (
            json!([line("09:00", "12:00"), line("11:00", "13:00")]),
            15,
            v,
            "hours_invalid",
        ),
        (json!([line("09:00", "12:00")]), 4, v, "slot_shape"),
        (json!([line("09:00", "12:00")]), 15, v - 1, "version_stale"),
    ] {
        let e = put(&boss, &path, rule(hours, minutes, version)).await;
        assert_eq!(e.unwrap_err().code, code);
    }
    let agent = staff(&node, "agent1").await;
    let e = put(&agent, &path, rule(json!([]), 15, v))
        .await
        .unwrap_err();
    assert_eq!((e.status, e.code.as_str()), (403, "role_missing"));
    assert_eq!(version(&boss).await, v, "nothing changed");
    county.close(node).await;
});

both!(a_check_in_has_its_time, |county| {
    let node = county.start("a").await;
    open_slots(&node, 3).await;
    let all = slots(&node).await;
    let (soon, late) = (&all[0], &all[20]);
    let (early, missing) = (Citizen::arrive(&node).await, Citizen::arrive(&node).await);
    let check_in = |who: &Http, code: Option<String>| {
        let who = who.clone();
        async move {
            who.post::<TicketView>("/appointments/check-in", json!({"code": code}))
                .await
                .map_err(|e| e.code)
        }
    };
    let b = book(&early.http, late).await.unwrap();
    assert_eq!(
        check_in(&early.http, Some(b.code)).await.unwrap_err(),
        "appointment_early"
    );
    assert_eq!(
        check_in(&early.http, None).await.unwrap_err(),
        "identity_required"
    );
    assert_eq!(
        check_in(&early.http, Some("00000000".into()))
            .await
            .unwrap_err(),
        "code_invalid"
    );
    // Who does not come loses the place by itself.
    let b = book(&missing.http, soon).await.unwrap();
    // Forty minutes later.
    let n = node
        .sql("UPDATE appointments SET starts_at = starts_at - 2400000000 WHERE state = 'booked'")
        .await;
    assert_eq!(n, 2);
    settled(&node, &missing.http, AppointmentState::NoShow).await;
    assert_eq!(
        check_in(&missing.http, Some(b.code)).await.unwrap_err(),
        "appointment_late"
    );
    county.close(node).await;
});

both!(a_card_checks_in_what_a_card_has_booked, |county| {
    let node = county.start("a").await;
    open_slots(&node, 3).await;
    let soon = slots(&node).await.remove(0);
    let person = "43230219490312926X";
    let first = with_card(&county, &node, "张桂兰", person).await;
    book(&first, &soon).await.unwrap();
    // Another visit of the same person: one appointment.
    let second = with_card(&county, &node, "张桂兰", person).await;
    let twice = book(&second, &soon).await.err().unwrap();
    assert_eq!(twice.code, "appointment_twice");
    let stranger = with_card(&county, &node, "王建国", "43098119560521917X").await;
    let none = stranger
        .post::<TicketView>("/appointments/check-in", json!({}))
        .await
        .unwrap_err();
    assert_eq!(none.code, "appointment_none");
    let ticket: TicketView = second
        .post("/appointments/check-in", json!({}))
        .await
        .unwrap();
    assert_eq!(ticket.class, PriorityClass::Appointment);
    county.close(node).await;
});
