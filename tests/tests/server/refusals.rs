//! What HTTP refuses, and in which words. Nothing is half done.

use domain::id::{CaseId, Id as _, MaterialId, SeatId, SessionId};
use it::{
    county::{County, Node, Target, named},
    http::{Http, answer, key},
    people::{Agent, Citizen, call, hall, staff},
};
use protocol::{CaseList, CaseView, HallView, Problem, SeatView, SessionView, TicketView};
use reqwest::Method;
use serde_json::{Value, json};

async fn one() -> (County, Node) {
    let county = County::new(Target::Sqlite).await;
    let node = county.start("a").await;
    (county, node)
}

async fn refused(r: reqwest::RequestBuilder) -> Problem {
    answer::<Value>(r.send().await.unwrap()).await.unwrap_err()
}

fn said(p: &Problem) -> (u16, &str) {
    (p.status, p.code.as_str())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_gives_the_same_answer_and_no_second_ticket() {
    let (county, node) = one().await;
    let citizen = Citizen::arrive(&node).await;
    let key = key();
    let all = futures::future::join_all((0..8).map(|_| {
        citizen
            .http
            .post_as::<TicketView>(&key, "/tickets", json!({}))
    }))
    .await;
    let ids: Vec<String> = all.into_iter().map(|r| r.unwrap().id).collect();
    assert!(ids.iter().all(|i| *i == ids[0]), "{ids:?}");
    let other = citizen
        .http
        .post_as::<TicketView>(&key, "/tickets", json!({"priority": true}))
        .await
        .unwrap_err();
    assert_eq!(said(&other), (409, "key_reused"));
    let second = citizen
        .http
        .post::<TicketView>("/tickets", json!({}))
        .await
        .unwrap_err();
    assert_eq!(said(&second), (409, "ticket_open"));
    // Another person's key is another key.
    let other = Citizen::arrive(&node).await;
    let t: TicketView = other
        .http
        .post_as(&key, "/tickets", json!({}))
        .await
        .unwrap();
    assert_ne!(t.id, ids[0]);
    let bare = citizen
        .http
        .request(Method::POST, "/tickets")
        .json(&json!({}));
    assert_eq!(said(&refused(bare).await), (400, "key_required"));
    for bad in ["x".repeat(65), "with space".into()] {
        let r = citizen
            .http
            .post_as::<TicketView>(&bad, "/tickets", json!({}))
            .await;
        assert_eq!(said(&r.unwrap_err()), (400, "key_invalid"));
    }
    county.close(node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_are_wrong_are_told_how() {
    let (county, node) = one().await;
    let citizen = Citizen::arrive(&node).await;
    let post = |text: String| {
        citizen
            .http
            .request(Method::POST, "/tickets")
            .header("idempotency-key", key())
            .header("content-type", "application/json")
            .body(text)
    };
    for (body, want) in [
        (r#"{"colour": "red"}"#.to_owned(), (422, "field_invalid")),
        (r#"{"priority": "yes"}"#.to_owned(), (422, "field_invalid")),
        (
            r#"{"needs": ["rocket"]}"#.to_owned(),
            (422, "field_invalid"),
        ),
        ("{".to_owned(), (400, "body_invalid")),
        (String::new(), (400, "body_invalid")),
        ("\u{0}".to_owned(), (400, "body_invalid")),
        (
            format!(r#"{{"item": "{}"}}"#, "x".repeat(300_000)),
            (413, "too_large"),
        ),
        ("[".repeat(100_000), (422, "field_invalid")),
    ] {
        let p = refused(post(body.clone())).await;
        assert_eq!(said(&p), want, "{}", &body[..body.len().min(40)]);
    }
    let p = refused(post(r#"{"item": "no-such-item"}"#.into())).await;
    assert_eq!(p.code, "item_unknown");
    let plain = citizen
        .http
        .request(Method::POST, "/tickets")
        .header("idempotency-key", key())
        .body("{}");
    assert_eq!(refused(plain).await.code, "body_invalid");
    let route = refused(node.http().request(Method::GET, "/no/such/thing")).await;
    assert_eq!(said(&route), (404, "not_found"));
    let method = refused(node.http().request(Method::DELETE, "/tickets")).await;
    assert!(matches!(method.status, 404 | 405), "{method:?}");
    // None of it took a number.
    let t: TicketView = citizen.http.post("/tickets", json!({})).await.unwrap();
    assert!(t.number.ends_with("001"), "{}", t.number);
    county.close(node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn problems_speak_the_callers_language() {
    let (county, node) = one().await;
    let ask = |l: &str| {
        node.http()
            .request(Method::GET, "/tickets/tkt_x")
            .header("accept-language", l)
    };
    let (zh, en) = (
        refused(ask("zh-CN")).await,
        refused(ask("en-GB,en;q=0.9")).await,
    );
    assert_eq!(said(&zh), (401, "signed_out"));
    assert_eq!(en.title, "Please sign in");
    assert_eq!(zh.title, "请先登录");
    assert_eq!(refused(ask("fr")).await.title, zh.title);
    county.close(node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_anothers_is_not_found() {
    let (county, node) = one().await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&node).await;
    let (session, ticket) = call(&mut citizen, &mut agent).await;
    let stranger = Citizen::arrive(&node).await;
    let other = staff(&node, "agent2").await;
    let not_found = |r: Result<Value, Problem>| assert_eq!(r.unwrap_err().status, 404);
    for path in [
        format!("/tickets/{ticket}"),
        format!("/sessions/{session}"),
        format!("/sessions/{session}/form"),
        format!("/sessions/{session}/receipt.pdf"),
        format!("/sessions/{session}/materials/{}", MaterialId::make(1, 1)),
        format!("/visits/{}", citizen.visit),
        format!("/cases/{}", CaseId::make(1, 1)),
        format!("/cases/{}/receipt.pdf", CaseId::make(1, 1)),
    ] {
        not_found(stranger.http.get(&path).await);
    }
    not_found(other.get(&format!("/sessions/{session}")).await);
    let unknown = SessionId::make(1, 1);
    not_found(citizen.http.get(&format!("/sessions/{unknown}")).await);
    not_found(citizen.http.get("/sessions/%2e%2e").await);
    for path in [
        format!("/tickets/{ticket}/cancel"),
        format!("/visits/{}/end", citizen.visit),
    ] {
        not_found(stranger.http.post(&path, json!({})).await);
    }
    not_found(
        stranger
            .http
            .post(
                &format!("/sessions/{session}/end"),
                json!({"reason": "finished"}),
            )
            .await,
    );
    // The call goes on, and the person whose it is finds it.
    let s: SessionView = citizen
        .http
        .get(&format!("/sessions/{session}"))
        .await
        .unwrap();
    assert_eq!(s.state, protocol::SessionState::Active);
    county.close(node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_open_only_their_own_doors() {
    let (county, node) = one().await;
    let citizen = Citizen::arrive(&node).await;
    let (agent, reviewer) = (
        staff(&node, "agent1").await,
        staff(&node, "reviewer1").await,
    );
    let admin = staff(&node, "admin").await;
    let seat = format!("/seats/{}/open", named::<SeatId>("seat", "seat-1"));
    let sit = json!({"skills": ["general"]});
    let denied = |r: Result<Value, Problem>| assert_eq!(r.unwrap_err().status, 403);
    denied(citizen.http.get("/seats").await);
    denied(citizen.http.post(&seat, &sit).await);
    denied(reviewer.post(&seat, &sit).await);
    denied(agent.post("/tickets", json!({})).await);
    denied(agent.get("/admin/overview").await);
    denied(citizen.http.get("/admin/overview").await);
    denied(agent.get("/cases?queue=review").await);
    denied(citizen.http.get("/cases?queue=review").await);
    let _: CaseList = reviewer.get("/cases?queue=review").await.unwrap();
    let _: Value = admin.get("/admin/overview").await.unwrap();
    let skill = agent
        .post::<SeatView>(&seat, json!({"skills": ["astrology"]}))
        .await
        .unwrap_err();
    assert_eq!(skill.code, "skill_unknown");
    let nobody: Http = node.http();
    for r in [
        nobody
            .get::<CaseView>(&format!("/cases/{}", CaseId::make(1, 1)))
            .await
            .unwrap_err(),
        nobody
            .with("not.a.token")
            .get::<CaseView>("/cases")
            .await
            .unwrap_err(),
    ] {
        assert_eq!(r.status, 401, "{r:?}");
    }
    // What is public needs no one.
    let h: HallView = nobody.get(&format!("/halls/{}", hall())).await.unwrap();
    assert_eq!(h.seats_on_duty, 0);
    // A wrong password, an unknown account: the same words.
    let login = |account: &'static str| {
        let nobody = nobody.clone();
        async move {
            nobody
                .post::<Value>("/auth/login", json!({"account": account, "password": "x"}))
                .await
                .unwrap_err()
        }
    };
    let (known, unknown) = (login("agent2").await, login("nobody").await);
    assert_eq!(said(&known), said(&unknown));
    assert_eq!(known.code, "login_failed");
    county.close(node).await;
}
