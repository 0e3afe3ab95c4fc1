//! A node that dies without a word: what its connections held is let go by the next run, or by the node that stays.

use it::{
    PATIENCE,
    county::{County, Node, Target},
    line::Line,
    people::{Agent, Citizen, call},
    services::Nats,
};
use protocol::{EventBody, MemberRole, SessionState, TicketState, TicketView};
use serde_json::json;
use signaling::app::nodes;
use tokio::{runtime::Runtime, task::block_in_place};

/// A node on a runtime of its own. When that goes, no task of the node runs on: nobody notes a drop, the row of the node stays.
pub async fn mortal(county: &County, name: &str) -> (Runtime, Node) {
    let rt = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let node = block_in_place(|| rt.block_on(county.start(name)));
    (rt, node)
}

pub fn kill((rt, node): (Runtime, Node)) {
    rt.shutdown_background();
    drop(node);
}

/// In the journal, before or after the join: a member of this role has dropped.
async fn dropped(line: &mut Line, session: &str, role: MemberRole) {
    let j = line.join(session, 0).await;
    let member = j
        .session
        .members
        .iter()
        .find(|m| m.role == role)
        .unwrap()
        .id
        .clone();
    let is =
        |b: &EventBody| matches!(b, EventBody::MemberDropped { member: m, .. } if *m == member);
    if !j.events.iter().any(|e| is(&e.body)) {
        line.event_where(|e| is(&e.body)).await;
    }
}

async fn store_ticket(node: &Node, id: &str) -> store::ticket::Ticket {
    let id = domain::id::Id::parse(id).unwrap();
    node.app()
        .read(move |tx| Box::pin(async move { Ok(store::ticket::get(tx, &id).await?) }))
        .await
        .unwrap()
        .unwrap()
}

async fn silent(node: &Node, seat: &str) -> bool {
    let seat = domain::id::Id::parse(seat).unwrap();
    node.app()
        .read(move |tx| Box::pin(async move { Ok(store::seat::get(tx, &seat).await?) }))
        .await
        .unwrap()
        .is_some_and(|s| s.silent_since.is_some())
}

both!(the_next_run_lets_go_of_what_the_last_one_held, |county| {
    let first = mortal(&county, "a").await;
    let mut agent = Agent::sit(&first.1, "agent1", "seat-1").await;
    let idle = Agent::sit(&first.1, "agent2", "seat-2").await;
    let mut citizen = Citizen::arrive(&first.1).await;
    let (session, _) = call(&mut citizen, &mut agent).await;
    assert!(!silent(&first.1, &idle.seat).await);
    let mut queued = Citizen::arrive(&first.1).await;
    let waiting: TicketView = queued
        .http
        .post("/tickets", json!({"item": "no-criminal-record"}))
        .await
        .unwrap();
    queued.watch(&waiting.id).await;
    queued.ticket(TicketState::Waiting).await;
    kill(first);
    citizen.line.ended().await;
    let node = county.start("a").await;
    // The citizen comes back at once; the agent's page does not, and nobody but the server can say so.
    citizen.reconnect(&node).await;
    dropped(&mut citizen.line, &session, MemberRole::Agent).await;
    // The same look at the dead let the seat go, or the next one does.
    nodes::release(node.app(), false).await.unwrap();
    assert!(
        silent(&node, &idle.seat).await,
        "nobody holds the seat any more"
    );
    // And a place in line: its page is gone, and has its grace.
    let t = store_ticket(&node, &waiting.id).await;
    assert!(t.holder.is_none() && t.grace_until.is_some(), "{t:?}");
    // Who comes back is there again, for all.
    agent.http = agent.http.at(&node.base);
    agent.line = Line::open(&agent.http).await;
    agent.line.join(&session, 0).await;
    citizen.line.session_state(SessionState::Active).await;
    county.close(node).await;
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_node_that_stays_lets_go_of_what_the_dead_one_held() {
    let nats = Nats::any().await;
    let county = County::with_nats(Target::Postgres, &nats.url).await;
    let (dies, stays) = (mortal(&county, "a").await, county.start("b").await);
    let mut agent = Agent::sit(&stays, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&dies.1).await;
    let (session, _) = call(&mut citizen, &mut agent).await;
    kill(dies);
    // Fifteen seconds of silence, seen by a node that itself has beaten as long.
    agent.line.patience = PATIENCE * 2;
    agent
        .line
        .event_where(|e| matches!(e.body, EventBody::MemberDropped { .. }))
        .await;
    let me = agent.line.join(&session, 0).await.session;
    let here: Vec<MemberRole> = me
        .members
        .iter()
        .filter(|m| m.present)
        .map(|m| m.role)
        .collect();
    assert_eq!(here, [MemberRole::Agent], "the living keep their places");
    county.close(stays).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_says_whose_it_is() {
    let county = County::new(Target::Sqlite).await;
    let node = county.start("a").await;
    let agent = Agent::sit(&node, "agent1", "seat-1").await;
    let seat = domain::id::Id::parse(&agent.seat).unwrap();
    let held = node
        .app()
        .read(move |tx| Box::pin(async move { Ok(store::seat::get(tx, &seat).await?) }))
        .await
        .unwrap()
        .unwrap()
        .holder
        .unwrap();
    let (home, secret) = held.split_once('.').unwrap();
    assert_eq!(home, node.app().bus.node());
    assert!(secret.len() >= 32);
    county.close(node).await;
}
