//! How good a line is: said to those who see the member, kept for those who answer for the talk, and never a page's to decide.

use crate::{cluster::enter, peer::Client};
use it::{
    county::{County, Node, Target},
    http::Http,
    line::Line,
    people::{Agent, Citizen, call, staff},
};
use protocol::{
    ClientFrame, Ephemeral, EventBody, Problem, QualityState, QualityView, ServerFrame,
};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Readings come every five seconds, and two or three of them make a word.
const READINGS: Duration = Duration::from_secs(40);

/// Waits until something of this kind is said of a member's line.
async fn told(line: &mut Line, member: &str, is: impl Fn(QualityState) -> bool) {
    line.patience = READINGS;
    line.until(&format!("a word on {member}"), |f| match f {
        ServerFrame::Ephemeral {
            from: None,
            body: Ephemeral::Quality {
                member: m, state, ..
            },
            ..
        } => (m == member && is(*state)).then_some(()),
        _ => None,
    })
    .await;
}

fn lost(state: QualityState) -> bool {
    state == QualityState::Lost
}

/// Which word a good line has on a busy machine is not for a test to say.
fn alive(state: QualityState) -> bool {
    !lost(state)
}

async fn series(http: &Http, session: &str) -> Result<QualityView, Problem> {
    http.get(&format!("/sessions/{session}/quality")).await
}

/// Rows are written together, a few seconds later.
async fn kept(http: &Http, session: &str, enough: impl Fn(&QualityView) -> bool) -> QualityView {
    let since = Instant::now();
    loop {
        let view = series(http, session).await.unwrap();
        if enough(&view) {
            return view;
        }
        assert!(since.elapsed() < READINGS, "{view:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn states(view: &QualityView, member: &str) -> Vec<QualityState> {
    view.members
        .iter()
        .filter(|s| s.member == member)
        .flat_map(|s| s.samples.iter().map(|x| x.state))
        .collect()
}

struct Talk {
    county: County,
    node: Node,
    citizen: Citizen,
    agent: Agent,
    session: String,
    /// Member ids.
    c: String,
    a: String,
    peers: (Client, Client),
}

/// A talk with sound and picture both ways.
async fn talk() -> Talk {
    let county = County::new(Target::Sqlite).await;
    let node = county.start("a").await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&node).await;
    let (session, room) = call(&mut citizen, &mut agent).await;
    let c = citizen.line.join(&session, 0).await.session.me.unwrap();
    let a = agent.line.join(&session, 0).await.session.me.unwrap();
    let (mut one, mut two) = (Client::new(1, false).await, Client::new(2, false).await);
    enter(&mut citizen.line, &mut one, &room).await;
    enter(&mut agent.line, &mut two, &room).await;
    two.hears(1, 5).await;
    one.hears(2, 5).await;
    Talk {
        county,
        node,
        citizen,
        agent,
        session,
        c,
        a,
        peers: (one, two),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_is_told_until_it_is_gone_and_the_series_says_so() {
    let mut t = Box::pin(talk()).await;
    // Each hears of both, their own line too.
    for line in [&mut t.citizen.line, &mut t.agent.line] {
        for member in [&t.c, &t.a] {
            told(line, member, alive).await;
        }
    }
    t.peers.0.vanish();
    told(&mut t.agent.line, &t.c, lost).await;
    t.agent
        .line
        .event_where(|e| matches!(&e.body, EventBody::MediaLost { member } if *member == t.c))
        .await;
    // Who looks only now learns of it as well.
    told(&mut t.agent.line, &t.c, lost).await;

    let ends = |v: &QualityView| states(v, &t.c).last().copied().is_some_and(lost);
    let view = kept(&t.agent.http, &t.session, ends).await;
    assert!(alive(states(&view, &t.c)[0]));
    assert!(states(&view, &t.a).into_iter().any(alive));
    let sample = &view
        .members
        .iter()
        .find(|s| s.member == t.c)
        .unwrap()
        .samples[0];
    assert!(sample.loss_pct.unwrap() <= 100.0 && sample.jitter_ms.is_some());
    let gone = view.members.iter().find(|s| s.member == t.c).unwrap();
    assert_eq!(
        gone.samples.last().unwrap().loss_pct,
        None,
        "nothing was measured of it"
    );
    for s in &view.members {
        let times: Vec<_> = s.samples.iter().map(|x| x.at.clone()).collect();
        assert!(times.is_sorted(), "{times:?}");
    }

    // For the agent and the hall's supervisor; not for the citizen, another agent, another hall.
    let boss = staff(&t.node, "supervisor").await;
    assert_eq!(series(&boss, &t.session).await.unwrap().session, t.session);
    for (http, code) in [
        (t.citizen.http.clone(), "role_missing"),
        (staff(&t.node, "agent2").await, "not_a_member"),
        (staff(&t.node, "supervisor2").await, "not_a_member"),
    ] {
        assert_eq!(series(&http, &t.session).await.unwrap_err().code, code);
    }
    drop(t.peers);
    t.county.close(t.node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silence_is_told_before_the_line_is_given_up_and_the_return_at_once() {
    let mut t = Box::pin(talk()).await;
    told(&mut t.agent.line, &t.c, alive).await;
    let cut = t.peers.0.cut.clone();
    let since = Instant::now();
    cut.store(true, Ordering::SeqCst);
    // Both sides: whoever is cut off may still hear by the WebSocket.
    told(&mut t.agent.line, &t.c, lost).await;
    told(&mut t.citizen.line, &t.c, lost).await;
    assert!(since.elapsed() < media::MediaConfig::default().silence);
    cut.store(false, Ordering::SeqCst);
    let since = Instant::now();
    told(&mut t.agent.line, &t.c, alive).await;
    // Sooner than the next reading.
    assert!(since.elapsed() < Duration::from_secs(4));
    drop(t.peers);
    t.county.close(t.node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_can_say_that_its_picture_stands_still_and_nothing_else() {
    let mut t = Box::pin(talk()).await;
    told(&mut t.citizen.line, &t.c, alive).await;
    let say = |body| ClientFrame::Ephemeral {
        session: t.session.clone(),
        body,
    };
    // Its own word for itself, figures that cannot be: nobody hears of them.
    let boast = Ephemeral::Quality {
        member: t.a.clone(),
        state: QualityState::Lost,
        loss_pct: None,
        jitter_ms: None,
        rtt_ms: None,
    };
    t.citizen.line.send(&say(boast)).await;
    for (freeze_ms, period_ms) in [(6_000, 5_000), (1, 1), (0, 60_000)] {
        let body = Ephemeral::Reception {
            freeze_ms,
            period_ms,
        };
        t.citizen.line.send(&say(body)).await;
    }
    // A picture that stands still all the time makes the line weak, though every packet arrives.
    let still = Ephemeral::Reception {
        freeze_ms: 5_000,
        period_ms: 5_000,
    };
    let since = Instant::now();
    let view = loop {
        t.citizen.line.send(&say(still.clone())).await;
        let view = series(&t.agent.http, &t.session).await.unwrap();
        if states(&view, &t.c).last() == Some(&QualityState::Poor) {
            break view;
        }
        assert!(since.elapsed() < READINGS, "{view:?}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    let last = view.members.iter().find(|s| s.member == t.c).unwrap();
    assert_eq!(last.samples.last().unwrap().freeze_ms, Some(5_000));
    told(&mut t.agent.line, &t.c, |s| s == QualityState::Poor).await;
    // Nothing of it is the agent's, and what the page said went to nobody.
    let others = view.members.iter().filter(|s| s.member != t.c);
    assert!(
        others
            .flat_map(|s| &s.samples)
            .all(|x| x.freeze_ms.is_none())
    );
    t.agent.line.chat(&t.session, "在吗").await;
    let heard = t
        .agent
        .line
        .until("the end of what was heard", |f| match f {
            ServerFrame::Ephemeral {
                body: Ephemeral::Reception { .. },
                ..
            } => Some(true),
            ServerFrame::Event { event, .. } => {
                matches!(&event.body, EventBody::Chat { text } if text == "在吗").then_some(false)
            }
            _ => None,
        });
    assert!(!heard.await);
    drop(t.peers);
    t.county.close(t.node).await;
}
