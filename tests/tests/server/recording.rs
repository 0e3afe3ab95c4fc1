//! Recording of a session: the citizen is asked and answers, what is on disk is proven, and a withdrawal stops it at once.

use crate::{
    cluster::enter,
    peer::Client,
    shared::{ask, end, look, put, rung, seat, session_where, step, three},
    supervision::go,
};
use domain::id::{Id as _, RecordingId};
use it::{
    PATIENCE,
    county::Node,
    line::Line,
    people::{Agent, Citizen, call, hall, staff},
};
use media::record::{FileSource, Manifest, RecordingKey, verify};
use protocol::{
    Command, CommandReply, EventBody, Problem, RecordingPolicyView, RecordingState as State,
    RecordingView, SessionView,
};
use serde_json::{Value, json};
use signaling::app::{media::NodeCommand, recording};
use std::time::{Duration, Instant};
use store::recording::Recording;

/// A call with sound and picture of both.
pub struct Scene {
    pub citizen: Citizen,
    pub agent: Agent,
    pub session: String,
    pub ticket: String,
    /// The citizen's media, with mark 1.
    pub mine: Client,
    /// The agent's, with mark 2.
    pub theirs: Client,
}

pub async fn scene(node: &Node) -> Scene {
    Box::pin(scene_of(node, Citizen::arrive(node).await)).await
}

pub async fn scene_of(node: &Node, mut citizen: Citizen) -> Scene {
    let mut agent = Agent::sit(node, "agent1", "seat-1").await;
    let (session, ticket) = call(&mut citizen, &mut agent).await;
    let (mut mine, mut theirs) = (Client::new(1, false).await, Client::new(2, false).await);
    enter(&mut citizen.line, &mut mine, &ticket).await;
    enter(&mut agent.line, &mut theirs, &ticket).await;
    theirs.hears(1, 20).await;
    mine.hears(2, 20).await;
    Scene {
        citizen,
        agent,
        session,
        ticket,
        mine,
        theirs,
    }
}

/// The newest recording once it is in this state.
pub async fn until(line: &mut Line, state: State) -> RecordingView {
    let is = |s: &SessionView| s.recording.as_ref().is_some_and(|r| r.state == state);
    let s = session_where(line, &format!("a recording {state:?}"), is).await;
    s.recording.unwrap()
}

impl Scene {
    pub async fn ask(&mut self) -> Result<CommandReply, Problem> {
        let session = self.session.clone();
        self.agent
            .line
            .command(Command::RecordingAsk { session })
            .await
    }

    pub fn answer(&self, r: &RecordingView, grant: bool) -> Command {
        Command::RecordingAnswer {
            session: self.session.clone(),
            recording: r.id.clone(),
            grant,
            policy_version: r.notice.policy_version.clone(),
        }
    }

    /// Asked, agreed to, and proven.
    pub async fn live(&mut self) -> RecordingView {
        self.ask().await.unwrap();
        let r = until(&mut self.citizen.line, State::Asked).await;
        let yes = self.answer(&r, true);
        self.citizen.line.command(yes).await.unwrap();
        until(&mut self.agent.line, State::Live).await
    }
}

pub async fn row(node: &Node, id: &str) -> Recording {
    let id = RecordingId::parse(id).unwrap();
    node.app()
        .read(move |tx| Box::pin(async move { Ok(store::recording::get(tx, &id).await?) }))
        .await
        .unwrap()
        .unwrap()
}

/// The row once it is signed.
pub async fn sealed(node: &Node, id: &str) -> Recording {
    let start = Instant::now();
    loop {
        let r = row(node, id).await;
        if r.sealed_at.is_some() {
            return r;
        }
        assert!(start.elapsed() < PATIENCE, "not sealed: {r:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub async fn key_of(node: &Node, r: &Recording) -> RecordingKey {
    let (app, key_id) = (node.app().clone(), r.key_id.clone());
    node.app()
        .read(move |tx| Box::pin(async move { app.vault.recording_key(tx, &key_id).await }))
        .await
        .unwrap()
}

/// What was signed holds: the signature, every hash, link and tag of what is on disk. The document and the media's own list.
pub async fn sound(node: &Node, r: &Recording) -> (Value, Manifest) {
    assert!(recording::is_ours(node.app(), r));
    let mut bent = r.clone();
    bent.manifest = r.manifest.as_ref().map(|m| m.replace("rec_", "rec-"));
    assert!(!recording::is_ours(node.app(), &bent), "any change shows");
    let doc: Value = serde_json::from_str(r.manifest.as_ref().unwrap()).unwrap();
    let manifest: Manifest = serde_json::from_value(doc["media"].clone()).unwrap();
    let key = key_of(node, r).await;
    let files = FileSource::new(recording::folder(node.app(), &r.id));
    verify(&files, &key, &manifest).unwrap();
    (doc, manifest)
}

/// Bytes on disk of a recording.
pub fn length(node: &Node, id: &str) -> u64 {
    let dir = recording::folder(node.app(), &RecordingId::parse(id).unwrap());
    let files = std::fs::read_dir(dir).into_iter().flatten();
    files.map(|f| f.unwrap().metadata().unwrap().len()).sum()
}

both!(what_was_agreed_to_is_recorded_proven_and_signed, |county| {
    let node = county.start("a").await;
    let mut s = Box::pin(scene(&node)).await;
    let boss = staff(&node, "supervisor").await;
    go(&boss, &s.session, "listen").await.unwrap();
    let mut listener = Line::open(&boss).await;
    let before = listener.join(&s.session, 0).await.session;
    assert!(before.recording.is_none() && before.recording_rule.is_none());

    let session = s.session.clone();
    let theirs = Command::RecordingAsk { session };
    let p = s.citizen.line.command(theirs).await.unwrap_err();
    assert_eq!(p.code, "agent_only");
    s.ask().await.unwrap();
    assert_eq!(s.ask().await.unwrap_err().code, "recording_open");
    let asked = until(&mut s.citizen.line, State::Asked).await;
    assert!(asked.notice.days_routine == 180 && asked.started_at.is_none());
    // Only the citizen answers, and only to what was on the screen.
    let yes = s.answer(&asked, true);
    let p = s.agent.line.command(yes.clone()).await.unwrap_err();
    assert_eq!(p.code, "citizen_only");
    let mut other = asked.clone();
    other.notice.policy_version = "hall-9".into();
    let p = s.citizen.line.command(s.answer(&other, true)).await;
    assert_eq!(p.unwrap_err().code, "recording_policy_changed");
    s.citizen.line.command(yes).await.unwrap();
    for line in [&mut s.citizen.line, &mut s.agent.line, &mut listener] {
        let r = until(line, State::Live).await;
        assert!(r.proven_at.is_some() && r.id == asked.id);
    }
    assert!(
        length(&node, &asked.id) > 0,
        "bytes are on disk when it is said"
    );
    // Answered is answered.
    let p = s.citizen.line.command(s.answer(&asked, false)).await;
    assert_eq!(p.unwrap_err().code, "recording_state");
    s.theirs.forget();
    s.theirs.hears(1, 60).await;

    let told = s.citizen.line.join(&s.session, 0).await.events;
    let told = told.into_iter().filter_map(|e| match e.body {
        EventBody::RecordingAsked { .. } => Some("asked"),
        EventBody::RecordingAnswered { grant: true, .. } => Some("granted"),
        EventBody::RecordingStarted { .. } => Some("started"),
        _ => None,
    });
    let told: Vec<_> = told.collect();
    assert_eq!(told, ["asked", "granted", "started"]);

    let over = end(&s.agent.http, &s.session, "finished").await;
    let stopped = |b: &EventBody| matches!(b, EventBody::RecordingStopped { reason, .. } if reason == "finished");
    s.citizen.line.event_where(|e| stopped(&e.body)).await;
    let r = over.recording.unwrap();
    assert_eq!(r.end_reason.as_deref(), Some("finished"));
    let r = sealed(&node, &asked.id).await;
    let (doc, manifest) = sound(&node, &r).await;
    assert_eq!(doc["consent"]["granted"], json!(true));
    assert_eq!(doc["notice"]["policy_version"], json!("2026-11"));
    assert_eq!(
        doc["members"].as_array().unwrap().len(),
        2,
        "who listens is on no leg"
    );
    assert_eq!(manifest.legs.len(), 2);
    assert!(
        manifest
            .legs
            .iter()
            .all(|l| l.required && !l.segments.is_empty())
    );
    assert_eq!(r.bytes.unwrap() as u64, length(&node, &asked.id));
    let days = (r.delete_at.unwrap().micros() - r.ended_at.unwrap().micros()) / 86_400_000_000;
    assert_eq!(days, 180, "no case came of it");
    assert_eq!(
        look(&s.citizen.http, &s.session)
            .await
            .recording
            .unwrap()
            .state,
        State::Sealed
    );
    county.close(node).await;
});

both!(without_a_yes_nothing_is_recorded, |county| {
    let node = county.start("a").await;
    let mut s = Box::pin(scene(&node)).await;
    s.ask().await.unwrap();
    let r = until(&mut s.citizen.line, State::Asked).await;
    // Not even where another node, or whoever speaks for it, orders it.
    let orders = NodeCommand::RecordStart {
        room: s.ticket.clone(),
        recording: RecordingId::parse(&r.id).unwrap(),
    };
    node.app().media.here(node.app(), orders).await.unwrap();
    assert_eq!(row(&node, &r.id).await.node, None);
    let takes_back = Command::RecordingWithdraw {
        session: s.session.clone(),
        recording: r.id.clone(),
    };
    let p = s.citizen.line.command(takes_back).await.unwrap_err();
    assert_eq!(p.code, "recording_consent_needed");
    let no = s.answer(&r, false);
    s.citizen.line.command(no).await.unwrap();
    let r = until(&mut s.agent.line, State::Refused).await;
    assert_eq!(r.end_reason.as_deref(), Some("refused"));
    assert_eq!(length(&node, &r.id), 0);

    // Asked again; the talk ends before an answer.
    s.ask().await.unwrap();
    let again = until(&mut s.citizen.line, State::Asked).await;
    assert_ne!(again.id, r.id);
    let over = end(&s.citizen.http, &s.session, "citizen_left").await;
    let r = over.recording.unwrap();
    assert_eq!(
        (r.state, r.end_reason.as_deref()),
        (State::Refused, Some("unanswered"))
    );
    county.close(node).await;
});

both!(a_withdrawal_stops_the_writing_within_a_second, |county| {
    let node = county.start("a").await;
    let mut s = Box::pin(scene(&node)).await;
    let r = s.live().await;
    let takes_back = Command::RecordingWithdraw {
        session: s.session.clone(),
        recording: r.id.clone(),
    };
    let p = s.agent.line.command(takes_back.clone()).await.unwrap_err();
    assert_eq!(p.code, "citizen_only");
    let pressed = Instant::now();
    s.citizen.line.command(takes_back).await.unwrap();
    assert!(
        pressed.elapsed() < Duration::from_secs(1),
        "{:?}",
        pressed.elapsed()
    );
    let bytes = length(&node, &r.id);
    assert!(bytes > 0);
    s.theirs.forget();
    s.theirs.hears(1, 80).await; // the call goes on
    assert_eq!(length(&node, &r.id), bytes, "no byte more");
    let stopped = sealed(&node, &r.id).await;
    let (doc, _) = sound(&node, &stopped).await;
    assert_eq!(stopped.end_reason.as_deref(), Some("withdrawn"));
    assert!(doc["consent"]["withdrawn_at"].is_string());
    let kept = stopped.delete_at.unwrap().micros() - stopped.ended_at.unwrap().micros();
    assert_eq!(
        kept,
        72 * 3_600_000_000,
        "what was recorded until then goes"
    );
    // Consent anew is another recording.
    let next = s.live().await;
    assert_ne!(next.id, r.id);
    end(&s.agent.http, &s.session, "finished").await;
    sound(&node, &sealed(&node, &next.id).await).await;
    county.close(node).await;
});

both!(
    a_hall_s_notice_is_its_administrator_s_and_is_kept_as_it_was_shown,
    |county| {
        let node = county.start("a").await;
        let path = format!("/halls/{}/recording-policy", hall());
        let (admin, boss) = (
            staff(&node, "admin").await,
            staff(&node, "supervisor").await,
        );
        let first: RecordingPolicyView = boss.get(&path).await.unwrap();
        assert_eq!((first.version, first.policy.days_case), (0, 3_650));
        let far = staff(&node, "supervisor2").await;
        assert_eq!(
            far.get::<Value>(&path).await.unwrap_err().code,
            "role_missing"
        );
        let mut policy = first.policy.clone();
        policy.text.zh = "本厅录音录像，保存三十天。".into();
        policy.days_routine = 30;
        let body = json!({"policy": policy, "version": 0});
        let p = put::<Value>(&boss, &path, &body).await.unwrap_err();
        assert_eq!(p.code, "role_missing");
        let mut wrong = policy.clone();
        (wrong.days_case, wrong.text.en) = (29, String::new());
        let p = put::<Value>(&admin, &path, json!({"policy": wrong, "version": 0})).await;
        let p = p.unwrap_err();
        let faults: Vec<_> = p.errors.iter().map(|e| e.code.as_str()).collect();
        assert_eq!(
            (p.code.as_str(), faults.as_slice()),
            (
                "recording_policy_invalid",
                ["recording_text", "recording_days"].as_slice()
            )
        );

        let mut s = Box::pin(scene(&node)).await;
        s.ask().await.unwrap();
        let old = until(&mut s.citizen.line, State::Asked).await;
        let kept: RecordingPolicyView = put(&admin, &path, &body).await.unwrap();
        assert_eq!(kept.version, 1);
        let p = put::<Value>(&admin, &path, &body).await.unwrap_err();
        assert_eq!(
            (p.code.as_str(), &p.current.unwrap()["version"]),
            ("version_stale", &json!(1))
        );
        // The question that is on the screen stays what it was; the next one is the new notice.
        let now = look(&s.citizen.http, &s.session).await.recording.unwrap();
        assert_eq!(now.notice, old.notice);
        s.citizen.line.command(s.answer(&old, false)).await.unwrap();
        s.ask().await.unwrap();
        let new = until(&mut s.citizen.line, State::Asked).await;
        assert_eq!(
            (new.notice.text.zh.as_str(), new.notice.days_routine),
            ("本厅录音录像，保存三十天。", 30)
        );
        assert_eq!(new.notice.policy_version, "hall-1");
        county.close(node).await;
    }
);

both!(
    who_is_asked_in_private_learns_nothing_of_a_recording,
    |county| {
        let node = county.start("a").await;
        let (mut citizen, mut a, mut b, session, _) = Box::pin(three(&node)).await;
        let asks = Command::RecordingAsk {
            session: session.clone(),
        };
        a.line.command(asks).await.unwrap();
        until(&mut citizen.line, State::Asked).await;
        ask(&a, &session, "consult", seat("seat-2")).await.unwrap();
        let ring = rung(&mut b).await;
        step(&b.http, &ring, "accept").await.unwrap();
        let there = b.line.join(&session, 0).await;
        assert!(there.session.recording.is_none() && there.session.recording_rule.is_none());
        let told = |b: &EventBody| matches!(b, EventBody::RecordingAsked { .. });
        assert!(!there.events.iter().any(|e| told(&e.body)));
        let theirs = a.line.join(&session, 0).await;
        assert!(theirs.events.iter().any(|e| told(&e.body)));
        county.close(node).await;
    }
);
