//! A supervisor in a live session: who may, who learns of it, and how it ends.

use crate::shared::{Items, ask, delete, end, look, out, rung, seat, session_where, step, three};
use it::{
    county::Node,
    http::Http,
    line::Line,
    people::{Agent, Citizen, call, hall, staff},
};
use protocol::{
    Command, EventBody, LiveSession, MemberPart, MemberRole, Problem, SessionEvent, SessionView,
    SupervisionMode as Mode, SupervisionView,
};
use serde_json::json;

pub async fn go(by: &Http, session: &str, mode: &str) -> Result<SupervisionView, Problem> {
    let path = format!("/sessions/{session}/supervision");
    by.post(&path, json!({"mode": mode})).await
}

pub async fn leave(by: &Http, session: &str) -> Result<SupervisionView, Problem> {
    delete(by, &format!("/sessions/{session}/supervision")).await
}

pub async fn code(by: &Http, session: &str, mode: &str) -> String {
    go(by, session, mode).await.unwrap_err().code
}

/// A citizen with agent1, and the supervisor with a line of their own.
async fn talk(node: &Node) -> (Citizen, Agent, Http, Line, String) {
    let mut agent = Agent::sit(node, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(node).await;
    let (session, _) = call(&mut citizen, &mut agent).await;
    let boss = staff(node, "supervisor").await;
    let line = Line::open(&boss).await;
    (citizen, agent, boss, line, session)
}

fn sees_boss(s: &SessionView) -> bool {
    s.members.iter().any(|m| m.role == MemberRole::Supervisor)
}

/// What the journal says of supervisors to this member.
async fn told(line: &mut Line, session: &str) -> Vec<EventBody> {
    let events = line.join(session, 0).await.events;
    let about = |e: SessionEvent| match e.body {
        b @ (EventBody::SupervisionStarted { .. }
        | EventBody::SupervisionChanged { .. }
        | EventBody::SupervisionEnded { .. }) => Some(b),
        _ => None,
    };
    events.into_iter().filter_map(about).collect()
}

fn hidden(events: &[SessionEvent]) -> usize {
    let body = |e: &&SessionEvent| e.body == EventBody::Hidden {};
    let all: Vec<_> = events.iter().filter(body).collect();
    assert!(all.iter().all(|e| e.actor.is_none()));
    all.len()
}

both!(
    who_listens_is_the_agent_s_to_know_and_not_the_citizen_s,
    |county| {
        let node = county.start("a").await;
        let (mut citizen, mut agent, boss, mut line, session) = Box::pin(talk(&node)).await;
        let v = go(&boss, &session, "listen").await.unwrap();
        assert_eq!(
            (v.mode, v.told.agent, v.told.citizen),
            (Mode::Listen, true, false)
        );
        let j = line.join(&session, 0).await;
        let me = j.session.me.clone().unwrap();
        assert_eq!(
            (me.as_str(), j.session.room.as_str()),
            (v.member.as_str(), v.room.as_str())
        );
        assert_eq!(
            j.session.supervision.as_ref().map(|v| v.mode),
            Some(Mode::Listen)
        );
        assert!(j.session.may.iter().any(|m| m == "read_chat"));
        assert!(
            !j.session
                .may
                .iter()
                .any(|m| m == "write_chat" || m == "end_session")
        );
        // Nothing of theirs is heard, and nothing but looking is theirs.
        let text = "您好".to_owned();
        let says = Command::Chat {
            session: session.clone(),
            text,
        };
        assert_eq!(line.command(says).await.unwrap_err().code, "role_missing");

        let agents = session_where(&mut agent.line, "the supervisor", |s| {
            s.supervision.is_some()
        })
        .await;
        assert!(sees_boss(&agents));
        assert_eq!(agents.supervision.unwrap().name.zh, "杨帆");
        assert!(agents.supervision_notice.is_none());
        let theirs = look(&citizen.http, &session).await;
        assert!(!sees_boss(&theirs) && theirs.supervision.is_none());
        let notice = theirs.supervision_notice.unwrap();
        assert_eq!(notice.zh, "通话可能被旁听以保证服务质量");
        let events = citizen.line.join(&session, 0).await.events;
        assert_eq!(hidden(&events), 2, "begun and joined: {events:?}");
        assert_eq!(told(&mut agent.line, &session).await.len(), 1);

        // A whisper is shown to who hears it; barging in to everybody, and stays shown.
        let v = go(&boss, &session, "whisper").await.unwrap();
        assert_eq!((v.mode, v.told.citizen), (Mode::Whisper, false));
        assert!(!sees_boss(&look(&citizen.http, &session).await));
        go(&boss, &session, "barge").await.unwrap();
        let theirs = session_where(&mut citizen.line, "the supervisor", sees_boss).await;
        let there = theirs
            .members
            .iter()
            .find(|m| m.role == MemberRole::Supervisor)
            .unwrap();
        assert_eq!(
            (there.name.zh.as_str(), there.part),
            ("杨帆", MemberPart::Colleague)
        );
        line.chat(&session, "我来说明").await;
        let heard =
            |e: &SessionEvent| matches!(&e.body, EventBody::Chat { text } if text == "我来说明");
        citizen.line.event_where(heard).await;
        let v = go(&boss, &session, "listen").await.unwrap();
        assert!(v.told.citizen, "nobody vanishes and goes on listening");
        let theirs = session_where(&mut citizen.line, "listening", |s| {
            s.supervision
                .as_ref()
                .is_some_and(|v| v.mode == Mode::Listen)
        })
        .await;
        assert!(sees_boss(&theirs));

        let v = leave(&boss, &session).await.unwrap();
        assert_eq!(v.end_reason.as_deref(), Some("left"));
        out(&mut line, &session).await;
        session_where(&mut citizen.line, "nobody", |s| !sees_boss(s)).await;
        // The citizen knows what happened before them, and nothing of what came before that.
        let mut told_citizen = vec![];
        for b in told(&mut citizen.line, &session).await {
            told_citizen.push(match b {
                EventBody::SupervisionStarted { .. } => "started",
                EventBody::SupervisionChanged {
                    mode: Mode::Barge, ..
                } => "barge",
                EventBody::SupervisionChanged {
                    mode: Mode::Listen, ..
                } => "listen",
                EventBody::SupervisionEnded { name, .. } => {
                    assert_eq!(name.unwrap().zh, "杨帆");
                    "ended"
                }
                _ => "other",
            });
        }
        assert_eq!(told_citizen, ["barge", "listen", "ended"]);
        assert_eq!(told(&mut agent.line, &session).await.len(), 5);
        end(&agent.http, &session, "finished").await;
        county.close(node).await;
    }
);

both!(
    only_a_supervisor_of_the_hall_who_is_no_part_of_it,
    |county| {
        let node = county.start("a").await;
        let (_citizen, agent, boss, mut line, session) = Box::pin(talk(&node)).await;
        assert_eq!(code(&agent.http, &session, "listen").await, "role_missing");
        let admin = staff(&node, "admin").await;
        assert_eq!(code(&admin, &session, "listen").await, "role_missing");
        // Of another hall's sessions nobody learns, not even that they are there.
        let far = staff(&node, "supervisor2").await;
        assert_eq!(code(&far, &session, "listen").await, "not_found");
        assert_eq!(
            leave(&boss, &session).await.unwrap_err().code,
            "supervision_over"
        );
        assert_eq!(
            code(&boss, &session, "take_over").await,
            "supervision_unheard"
        );
        let before = boss
            .get::<SessionView>(&format!("/sessions/{session}"))
            .await;
        assert_eq!(before.unwrap_err().code, "not_a_member");

        // The same command again is the same answer; another under its key is refused.
        let path = format!("/sessions/{session}/supervision");
        let body = json!({"mode": "listen"});
        let a: SupervisionView = boss.post_as("k1", &path, &body).await.unwrap();
        let b: SupervisionView = boss.post_as("k1", &path, &body).await.unwrap();
        assert_eq!(a, b);
        let other = json!({"mode": "barge"});
        let p = boss.post_as::<SupervisionView>("k1", &path, &other).await;
        assert_eq!(p.unwrap_err().code, "key_reused");
        assert_eq!(code(&boss, &session, "listen").await, "supervision_same");
        line.join(&session, 0).await;
        let list: Items<LiveSession> = boss
            .get(&format!("/halls/{}/sessions", hall()))
            .await
            .unwrap();
        let seen = list.items[0].supervision.clone().unwrap();
        assert_eq!(
            (seen.name.as_str(), seen.mode, seen.mine),
            ("杨帆", Mode::Listen, true)
        );

        // One supervisor a session.
        assert_eq!(
            node.sql(
                "UPDATE staff SET roles = '[\"agent\",\"supervisor\"]' WHERE account = 'agent3'"
            )
            .await,
            1
        );
        let second = staff(&node, "agent3").await;
        assert_eq!(code(&second, &session, "listen").await, "supervision_taken");
        leave(&boss, &session).await.unwrap();
        go(&second, &session, "whisper").await.unwrap();
        assert_eq!(code(&boss, &session, "listen").await, "supervision_taken");
        county.close(node).await;
    }
);

both!(nobody_supervises_two_talks_or_their_own, |county| {
    let node = county.start("a").await;
    let (_citizen, _agent, boss, _line, session) = Box::pin(talk(&node)).await;
    go(&boss, &session, "listen").await.unwrap();
    let mut own = Agent::sit(&node, "supervisor", "seat-3").await;
    let mut other = Citizen::arrive(&node).await;
    let (theirs, _) = call(&mut other, &mut own).await;
    assert_eq!(code(&boss, &theirs, "listen").await, "supervision_own");
    leave(&boss, &session).await.unwrap();
    assert_eq!(code(&boss, &theirs, "listen").await, "supervision_own");
    end(&own.http, &theirs, "finished").await;
    assert_eq!(code(&boss, &theirs, "listen").await, "session_ended");

    let mut third = Citizen::arrive(&node).await;
    let mut b = Agent::sit(&node, "agent2", "seat-2").await;
    let (second, _) = call(&mut third, &mut b).await;
    go(&boss, &second, "listen").await.unwrap();
    assert_eq!(
        code(&boss, &session, "listen").await,
        "supervision_elsewhere"
    );
    county.close(node).await;
});

both!(a_private_talk_has_no_supervisor, |county| {
    let node = county.start("a").await;
    let (mut citizen, a, mut b, session, _) = Box::pin(three(&node)).await;
    let boss = staff(&node, "supervisor").await;
    ask(&a, &session, "consult", seat("seat-2")).await.unwrap();
    let ring = rung(&mut b).await;
    step(&b.http, &ring, "accept").await.unwrap();
    session_where(&mut citizen.line, "the hold", |s| s.hold).await;
    assert_eq!(code(&boss, &session, "listen").await, "supervision_private");
    let now = look(&a.http, &session).await;
    step(&a.http, &now.invites[0], "finish").await.unwrap();
    session_where(&mut citizen.line, "the end of the hold", |s| !s.hold).await;
    go(&boss, &session, "listen").await.unwrap();
    // Whoever listens already is not asked to leave, and goes no further meanwhile.
    ask(&a, &session, "consult", seat("seat-2")).await.unwrap();
    let ring = rung(&mut b).await;
    step(&b.http, &ring, "accept").await.unwrap();
    assert_eq!(code(&boss, &session, "barge").await, "supervision_private");
    leave(&boss, &session).await.unwrap();
    county.close(node).await;
});

both!(
    who_is_lost_is_out_after_a_grace_and_the_end_ends_it,
    |county| {
        let node = county.start("a").await;
        let (mut citizen, mut agent, boss, line, session) = Box::pin(talk(&node)).await;
        let mut line = line;
        go(&boss, &session, "listen").await.unwrap();
        line.join(&session, 0).await;
        drop(line);
        let gone = |e: &SessionEvent| matches!(e.body, EventBody::MemberDropped { .. });
        agent.line.event_where(gone).await;
        let due =
            "UPDATE supervisions SET due_at = 1 WHERE ended_at IS NULL AND due_at IS NOT NULL";
        assert_eq!(node.sql(due).await, 1);
        let lost = |e: &SessionEvent| matches!(&e.body, EventBody::SupervisionEnded { reason, .. } if reason == "lost");
        agent.line.event_where(lost).await;
        let s = look(&citizen.http, &session).await;
        assert_eq!(s.state, protocol::SessionState::Active, "the talk goes on");

        // Back again as the same member; the session's end is theirs, too.
        let mut line = Line::open(&boss).await;
        let again = go(&boss, &session, "listen").await.unwrap();
        let j = line.join(&session, 0).await;
        assert_eq!(j.session.me.as_deref(), Some(again.member.as_str()));
        end(&agent.http, &session, "finished").await;
        session_where(&mut line, "the end", |s| {
            s.state == protocol::SessionState::Ended
        })
        .await;
        assert_eq!(code(&boss, &session, "listen").await, "session_ended");
        // Afterwards too the citizen was alone with the agent.
        let s = look(&citizen.http, &session).await;
        assert!(!sees_boss(&s) && s.supervision.is_none());
        assert!(sees_boss(&look(&agent.http, &session).await));
        let told = told_of_audit(&node).await;
        assert!(told >= 4, "{told}");
        citizen.ticket(protocol::TicketState::Closed).await;
        county.close(node).await;
    }
);

/// Audit entries about supervision.
async fn told_of_audit(node: &Node) -> u64 {
    node.sql("UPDATE audit_entries SET detail = detail WHERE action LIKE 'supervision.%'")
        .await
}

both!(a_transfer_within_the_hall_keeps_the_listener, |county| {
    let node = county.start("a").await;
    let (mut citizen, mut a, mut b, session, _) = Box::pin(three(&node)).await;
    let boss = staff(&node, "supervisor").await;
    let mut line = Line::open(&boss).await;
    go(&boss, &session, "listen").await.unwrap();
    line.join(&session, 0).await;
    ask(&a, &session, "transfer_cold", seat("seat-2"))
        .await
        .unwrap();
    out(&mut a.line, &session).await;
    let offer = b.rung().await;
    b.accept(&offer).await;
    b.line.join(&session, 0).await;
    session_where(&mut citizen.line, "the new agent", |s| !s.hold).await;
    let s = look(&b.http, &session).await;
    assert_eq!(s.supervision.map(|v| v.mode), Some(Mode::Listen));
    // Asked in by the agent, they are a colleague, and no listener any more.
    let mut own = Agent::sit(&node, "supervisor", "seat-3").await;
    ask(&b, &session, "join", seat("seat-3")).await.unwrap();
    let ring = rung(&mut own).await;
    step(&own.http, &ring, "accept").await.unwrap();
    let s = look(&citizen.http, &session).await;
    assert!(s.supervision.is_none());
    let mine = look(&boss, &session).await;
    let me = mine
        .members
        .iter()
        .find(|m| Some(&m.id) == mine.me.as_ref())
        .unwrap();
    assert_eq!(
        (me.role, me.part),
        (MemberRole::Guest, MemberPart::Colleague)
    );
    assert_eq!(
        leave(&boss, &session).await.unwrap_err().code,
        "supervision_over"
    );
    county.close(node).await;
});
