//! The journal: one order for all, no gap, nothing lost however long it is; and the log behind it.

use domain::id::{Id as _, SessionId, StaffId, VisitId};
use futures::future::join_all;
use it::{
    county::Node,
    http::key,
    line::Line,
    people::{Agent, Citizen, call},
};
use protocol::{Language, Role, SessionEvent, SessionView};
use signaling::{
    app::{Caller, audit_log, call_flow, token::Principal},
    demo,
};

fn speaker(who: &Principal) -> Caller {
    Caller {
        who: who.clone(),
        key: Some(key()),
        language: Language::Zh,
    }
}

fn both_of(citizen: &Citizen) -> [Principal; 2] {
    [
        Principal::Citizen {
            visit: VisitId::parse(&citizen.visit).unwrap(),
        },
        Principal::Staff {
            id: demo::stable::<StaffId>("staff", "agent1"),
            roles: vec![Role::Agent],
            hall: demo::stable("hall", "yuanjiang"),
            department: None,
        },
    ]
}

/// `n` messages at once, by both in turn, past the limit of a connection.
async fn talk(node: &Node, citizen: &Citizen, session: &str, n: usize, text: &str) {
    let id = SessionId::parse(session).unwrap();
    let who = both_of(citizen);
    let all = (0..n).map(|i| {
        let (app, caller, id) = (node.app().clone(), speaker(&who[i % 2]), id.clone());
        let text = format!("{i} {text}");
        tokio::spawn(async move { call_flow::chat(&app, &caller, id, text).await })
    });
    for r in join_all(all).await {
        r.unwrap().unwrap();
    }
}

async fn upto(line: &mut Line, mut seen: Vec<SessionEvent>, seq: i64) -> Vec<SessionEvent> {
    while seen.last().is_none_or(|e| e.seq < seq) {
        seen.push(line.event().await);
    }
    seen
}

both!(two_hundred_at_once_stand_in_one_order, |county| {
    let node = county.start("a").await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&node).await;
    let (session, _) = call(&mut citizen, &mut agent).await;
    talk(&node, &citizen, &session, 200, "句").await;
    let view: SessionView = citizen
        .http
        .get(&format!("/sessions/{session}"))
        .await
        .unwrap();
    assert!(view.seq > 200);
    // Live as it came.
    let mut live = vec![];
    for line in [&mut citizen.line, &mut agent.line] {
        let all = upto(line, vec![], view.seq).await;
        assert!(all.windows(2).all(|w| w[0].seq + 1 == w[1].seq));
        live.push(all);
    }
    let n = live[0].len().min(live[1].len());
    assert!(n >= 200);
    assert_eq!(live[0][live[0].len() - n..], live[1][live[1].len() - n..]);
    // And to somebody who comes back and has missed it all.
    citizen.reconnect(&node).await;
    let joined = citizen.line.join(&session, 0).await;
    let again = upto(&mut citizen.line, joined.events, view.seq).await;
    let seqs: Vec<i64> = again
        .iter()
        .map(|e| e.seq)
        .take_while(|s| *s <= view.seq)
        .collect();
    assert_eq!(seqs, (1..=view.seq).collect::<Vec<_>>());
    county.close(node).await;
});

both!(a_long_journal_comes_whole_to_who_returns, |county| {
    let node = county.start("a").await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&node).await;
    let (session, _) = call(&mut citizen, &mut agent).await;
    // More than fits into one answer.
    let text = "长".repeat(1_990);
    talk(&node, &citizen, &session, 420, &text).await;
    citizen.reconnect(&node).await;
    let joined = citizen.line.join(&session, 0).await;
    let last = joined.session.seq;
    let all = upto(&mut citizen.line, joined.events, last).await;
    let seqs: Vec<i64> = all.iter().map(|e| e.seq).collect();
    assert_eq!(seqs, (1..=last).collect::<Vec<_>>());
    county.close(node).await;
});

both!(a_forged_audit_entry_is_named, |county| {
    let node = county.start("a").await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&node).await;
    call(&mut citizen, &mut agent).await;
    node.settled().await;
    let whole = audit_log::verify(node.app()).await.unwrap();
    assert!(
        whole.ok() && whole.size > 5 && whole.checkpoints > 1,
        "{whole:?}"
    );
    assert_eq!(
        node.sql("UPDATE audit_entries SET action = 'session.forged' WHERE seq = 3")
            .await,
        1
    );
    let bad = audit_log::verify(node.app()).await.unwrap().bad.unwrap();
    assert_eq!((bad.seq, bad.what), (3, "changed"));
    assert!(bad.entry.is_some());
    node.stop().await;
    county.drop().await;
});
