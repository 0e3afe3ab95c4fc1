//! Two nodes over PostgreSQL and NATS: people on either meet, with their media on whichever node holds the room.

use crate::peer::Client;
use it::{
    PATIENCE,
    county::{County, Node, Target},
    line::Line,
    people::{Agent, Citizen, call},
    services::Nats,
};
use media::Engine as _;
use protocol::{EventBody, ServerFrame, SessionState, TicketState};
use std::time::Instant;
use webrtc::peer_connection::RTCSessionDescription;

/// Offers into the room until a node has taken it; the answer is set.
pub async fn enter(line: &mut Line, peer: &mut Client, room: &str) {
    let sdp = peer.offer_sdp(false).await;
    let start = Instant::now();
    let answer = loop {
        match line.offer(room, sdp.clone()).await {
            Ok(a) => break a,
            Err(p) => {
                assert_eq!(p.code, "media_unavailable");
                assert!(start.elapsed() < PATIENCE, "no node took the room");
                // As seldom as a page: who asks more often is told to slow down.
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            }
        }
    };
    // The client library takes passive TCP candidates only when they are trickled.
    let udp: String = answer
        .lines()
        .filter(|l| !l.contains(" tcp "))
        .map(|l| format!("{l}\r\n"))
        .collect();
    peer.pc
        .set_remote_description(RTCSessionDescription::answer(udp).unwrap())
        .await
        .unwrap();
}

fn rooms(node: &Node) -> u64 {
    node.app().media.engine().unwrap().stats().rooms
}

async fn said(line: &mut Line, what: &str) {
    line.event_where(|e| matches!(&e.body, EventBody::Chat { text } if text == what))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_citizen_on_one_node_and_an_agent_on_another_meet_and_outlive_a_node() {
    let nats = Nats::any().await;
    let county = County::with_nats(Target::Postgres, &nats.url).await;
    let (a, b) = (county.start("a").await, county.start("b").await);
    let mut agent = Agent::sit(&b, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&a).await;
    // The citizen warms up while waiting: the room is on their node.
    let ticket = citizen.queue().await.id;
    let (mut mine, mut theirs) = (Client::new(1, false).await, Client::new(2, false).await);
    enter(&mut citizen.line, &mut mine, &ticket).await;
    let offer = agent.rung().await;
    assert_eq!(offer.ticket, ticket);
    enter(&mut agent.line, &mut theirs, &ticket).await;
    assert_eq!((rooms(&a), rooms(&b)), (1, 0), "one room, on one node");
    let session = agent.accept(&offer).await;
    let paired = citizen.ticket(TicketState::Paired).await;
    assert_eq!(paired.session.as_deref(), Some(session.as_str()));
    citizen.line.join(&session, 0).await;
    agent.line.join(&session, 0).await;
    citizen.line.session_state(SessionState::Active).await;
    theirs.hears(1, 20).await;
    mine.hears(2, 20).await;
    // The agent's page, on the other node, learns which line carries the citizen.
    agent
        .line
        .until("slots", |f| match f {
            ServerFrame::Slots { slots, .. } if slots.len() >= 2 => Some(()),
            _ => None,
        })
        .await;
    // Six messages in turn: by the slow poll alone they would take half a minute.
    let start = Instant::now();
    for i in 0..3 {
        citizen.line.chat(&session, &format!("citizen {i}")).await;
        said(&mut agent.line, &format!("citizen {i}")).await;
        agent.line.chat(&session, &format!("agent {i}")).await;
        said(&mut citizen.line, &format!("agent {i}")).await;
    }
    assert!(start.elapsed().as_secs() < 8, "{:?}", start.elapsed());

    // The node that holds the room goes; both find each other again on the one that stays.
    a.stop().await;
    citizen.line.ended().await;
    citizen.reconnect(&b).await;
    let back = citizen.line.join(&session, 0).await;
    let seqs: Vec<i64> = back.events.iter().map(|e| e.seq).collect();
    assert_eq!(seqs, (1..=back.session.seq).collect::<Vec<_>>());
    agent
        .line
        .event_where(|e| matches!(e.body, EventBody::MemberBack { .. }))
        .await;
    mine.close().await;
    theirs.close().await;
    let (mut mine, mut theirs) = (Client::new(3, false).await, Client::new(4, false).await);
    enter(&mut citizen.line, &mut mine, &ticket).await;
    enter(&mut agent.line, &mut theirs, &ticket).await;
    assert_eq!(rooms(&b), 1);
    theirs.hears(3, 20).await;
    mine.hears(4, 20).await;
    mine.close().await;
    theirs.close().await;
    county.close(b).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_broker_the_slow_poll_keeps_things_going() {
    let mut nats = Nats::own().await;
    let county = County::with_nats(Target::Postgres, &nats.url).await;
    let (a, b) = (county.start("a").await, county.start("b").await);
    let mut agent = Agent::sit(&b, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&a).await;
    let (session, _) = call(&mut citizen, &mut agent).await;
    nats.stop();
    citizen.line.chat(&session, "can you hear me?").await;
    said(&mut agent.line, "can you hear me?").await;
    agent.line.chat(&session, "later, but yes").await;
    said(&mut citizen.line, "later, but yes").await;
    // Commands do not queue up behind a broker that is not there: more wake-ups than its client would keep.
    let topic = [session.clone()];
    tokio::time::timeout(PATIENCE, async {
        for _ in 0..10_000 {
            a.app().bus.wake_all(&topic).await;
        }
    })
    .await
    .expect("wake-ups wait for the broker");
    citizen.line.chat(&session, "and still").await;
    said(&mut agent.line, "and still").await;
    a.stop().await;
    county.close(b).await;
}
