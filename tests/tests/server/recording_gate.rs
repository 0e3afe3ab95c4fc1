//! The recording gate: what the item binds to a recording waits until it is proven live, and is locked again when it is not.

use crate::{
    recording::{Scene, scene, scene_of, until},
    shared::{look, session_where},
};
use it::{booth::Booth, line::Line};
use protocol::{
    Command, CommandReply, EventBody, LegalStep as Step, Problem, PromptAnswer,
    RecordingState as State, SessionView, VisitView,
};
use serde_json::{Value, json};

/// The demonstration's item with a rule: identity, prompts and signature wait.
const ITEM: &str = "medical-offsite";
/// A picture of one pixel (PNG, base64).
const DOT: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

fn open(s: &SessionView) -> Vec<Step> {
    let rule = s.recording_rule.as_ref().unwrap();
    assert!(rule.required && rule.steps.len() == 3);
    rule.steps
        .iter()
        .filter(|g| g.open)
        .map(|g| g.step)
        .collect()
}

async fn sign_ask(s: &mut Scene) -> String {
    let session = s.session.clone();
    let asks = Command::SignAsk { session };
    s.agent.line.command(asks).await.unwrap_err().code
}

async fn read(
    line: &mut Line,
    session: &str,
    recording: &str,
    prompt: &str,
) -> Result<CommandReply, Problem> {
    line.command(Command::PromptRead {
        session: session.to_owned(),
        recording: recording.to_owned(),
        prompt: prompt.to_owned(),
    })
    .await
}

async fn answer(
    line: &mut Line,
    session: &str,
    recording: &str,
    prompt: &str,
    answer: PromptAnswer,
) -> Result<CommandReply, Problem> {
    line.command(Command::PromptAnswer {
        session: session.to_owned(),
        recording: recording.to_owned(),
        prompt: prompt.to_owned(),
        answer,
    })
    .await
}

both!(
    legal_steps_wait_for_a_live_recording_and_the_signature_for_its_prompts,
    |county| {
        let node = county.start("a").await;
        let mut s = Box::pin(scene(&node)).await;
        let session = s.session.clone();
        assert_eq!(
            sign_ask(&mut s).await,
            "form_not_open",
            "an item that asks for nothing locks nothing"
        );
        let opens = Command::FormOpen {
            session: session.clone(),
            item: ITEM.into(),
        };
        s.agent.line.command(opens).await.unwrap();
        let v = look(&s.agent.http, &session).await;
        assert!(open(&v).is_empty());
        for word in ["recording", "prompts", "signature"] {
            assert!(
                v.missing.iter().any(|m| m == word),
                "{word}: {:?}",
                v.missing
            );
        }
        assert_eq!(sign_ask(&mut s).await, "recording_not_live");
        let signs = Command::Sign {
            session: session.clone(),
            digest: "d".repeat(64),
            strokes: vec![vec![[0, 0, 0], [80, 30, 40]]],
            image: DOT.into(),
        };
        let p = s.citizen.line.command(signs.clone()).await.unwrap_err();
        assert_eq!(p.code, "recording_not_live");

        s.ask().await.unwrap();
        let r = until(&mut s.citizen.line, State::Asked).await;
        assert_eq!(r.script.len(), 5);
        let p = read(&mut s.agent.line, &session, &r.id, "name").await;
        assert_eq!(p.unwrap_err().code, "recording_not_live");
        let yes = s.answer(&r, true);
        s.citizen.line.command(yes).await.unwrap();
        until(&mut s.agent.line, State::Live).await;
        let v = look(&s.citizen.http, &session).await;
        assert_eq!(open(&v), [Step::Identify, Step::Prompts]);
        assert_eq!(sign_ask(&mut s).await, "prompts_unread");

        let p = read(&mut s.agent.line, &session, &r.id, "weather").await;
        assert_eq!(p.unwrap_err().code, "prompt_unknown");
        let p = read(&mut s.citizen.line, &session, &r.id, "name").await;
        assert_eq!(p.unwrap_err().code, "agent_only");
        let p = answer(
            &mut s.citizen.line,
            &session,
            &r.id,
            "will",
            PromptAnswer::Yes,
        )
        .await;
        assert_eq!(p.unwrap_err().code, "prompt_not_read");
        for prompt in ["name", "will", "effect", "truth"] {
            read(&mut s.agent.line, &session, &r.id, prompt)
                .await
                .unwrap();
            s.citizen
                .line
                .event_where(
                    |e| matches!(&e.body, EventBody::PromptRead { prompt: p, .. } if p == prompt),
                )
                .await;
        }
        let p = answer(
            &mut s.citizen.line,
            &session,
            &r.id,
            "name",
            PromptAnswer::Yes,
        )
        .await;
        assert_eq!(p.unwrap_err().code, "prompt_unknown", "it asks nothing");
        for prompt in ["will", "effect"] {
            answer(
                &mut s.citizen.line,
                &session,
                &r.id,
                prompt,
                PromptAnswer::Yes,
            )
            .await
            .unwrap();
        }
        // Heard and marked by the agent; a no keeps the signature locked.
        answer(
            &mut s.agent.line,
            &session,
            &r.id,
            "truth",
            PromptAnswer::No,
        )
        .await
        .unwrap();
        assert_eq!(sign_ask(&mut s).await, "prompts_unread");
        // Explained and read again: the citizen's page hears of it.
        read(&mut s.agent.line, &session, &r.id, "truth")
            .await
            .unwrap();
        s.citizen
            .line
            .event_where(
                |e| matches!(&e.body, EventBody::PromptRead { prompt, .. } if prompt == "truth"),
            )
            .await;
        answer(
            &mut s.agent.line,
            &session,
            &r.id,
            "truth",
            PromptAnswer::Yes,
        )
        .await
        .unwrap();
        let v = session_where(&mut s.citizen.line, "the script", |v| {
            open(v).contains(&Step::Sign)
        })
        .await;
        let script = v.recording.unwrap().script;
        let truth = script.iter().find(|p| p.id == "truth").unwrap();
        assert_eq!(
            (truth.answer, truth.answered_by.as_deref()),
            (Some(PromptAnswer::Yes), Some("agent"))
        );
        assert!(truth.read_ms.unwrap() <= truth.answered_ms.unwrap());
        assert!(script.last().unwrap().read_ms.is_none());
        assert_eq!(
            sign_ask(&mut s).await,
            "identity_required",
            "the gate is open: what is next is asked for"
        );
        assert!(
            !look(&s.agent.http, &session)
                .await
                .missing
                .iter()
                .any(|m| m == "prompts")
        );

        // The citizen's picture and sound are gone: everything is locked again, until they are back.
        let Scene {
            citizen,
            mut agent,
            mine,
            theirs,
            session,
            ..
        } = s;
        mine.close().await;
        let broken = until(&mut agent.line, State::Interrupted).await;
        assert_eq!(broken.interrupted.as_deref(), Some("leg_down"));
        let v = look(&agent.http, &session).await;
        assert!(open(&v).is_empty());
        let asks = Command::SignAsk {
            session: session.clone(),
        };
        assert_eq!(
            agent.line.command(asks).await.unwrap_err().code,
            "recording_not_live"
        );
        let mut citizen = citizen;
        let mut back = crate::peer::Client::new(3, false).await;
        let room = look(&citizen.http, &session).await.room;
        crate::cluster::enter(&mut citizen.line, &mut back, &room).await;
        until(&mut agent.line, State::Live).await;

        // Taken back: nothing of it counts for the hand-off.
        let takes_back = Command::RecordingWithdraw {
            session: session.clone(),
            recording: r.id.clone(),
        };
        citizen.line.command(takes_back).await.unwrap();
        let v = look(&agent.http, &session).await;
        for word in ["recording", "prompts"] {
            assert!(
                v.missing.iter().any(|m| m == word),
                "{word}: {:?}",
                v.missing
            );
        }
        back.close().await;
        theirs.close().await;
        county.close(node).await;
    }
);

/// The item is opened.
pub async fn form(s: &mut Scene) {
    let opens = Command::FormOpen {
        session: s.session.clone(),
        item: ITEM.into(),
    };
    s.agent.line.command(opens).await.unwrap();
}

/// Everything is read out, and answered yes.
pub async fn prompts(s: &mut Scene, recording: &str) {
    for prompt in ["name", "will", "effect", "truth", "thanks"] {
        let read = read(&mut s.agent.line, &s.session, recording, prompt).await;
        read.unwrap();
        if ["will", "effect", "truth"].contains(&prompt) {
            let line = &mut s.citizen.line;
            let yes = answer(line, &s.session, recording, prompt, PromptAnswer::Yes);
            yes.await.unwrap();
        }
    }
}

both!(
    a_card_that_was_read_beside_the_recording_is_read_again,
    |county| {
        const NAME: &str = "刘洋";
        const NUMBER: &str = "430981199802279647";
        let node = county.start("a").await;
        let booth = Booth::of(&county, "booth-1");
        let (citizen, nonce) = booth.arrive(&node).await;
        let read = booth.read(&node, &nonce, NAME, NUMBER);
        let path = format!("/visits/{}/identity", citizen.visit);
        let known: VisitView = citizen
            .http
            .post(&path, json!({"read": read}))
            .await
            .unwrap();
        assert!(known.identity.is_some());
        let mut s = Box::pin(scene_of(&node, citizen)).await;
        let session = s.session.clone();
        let lacks = |v: &SessionView| v.missing.iter().any(|m| m == "identity");
        let v = look(&s.agent.http, &session).await;
        assert!(!lacks(&v), "no item asks for more: {:?}", v.missing);

        // The item is chosen after the card was read: it does not count for it.
        form(&mut s).await;
        let r = s.live().await;
        prompts(&mut s, &r.id).await;
        for http in [&s.agent.http, &s.citizen.http] {
            let v = look(http, &session).await;
            assert!(v.recording_rule.unwrap().identify_again);
        }
        let v = look(&s.agent.http, &session).await;
        assert!(lacks(&v) && v.identity.is_some(), "{:?}", v.missing);
        assert_eq!(sign_ask(&mut s).await, "identity_unrecorded");
        let path = format!("/sessions/{session}/hand-off");
        let p = s.agent.http.post::<Value>(&path, json!({})).await;
        assert_eq!(p.unwrap_err().code, "identity_unrecorded");

        // Read again before the camera.
        let again = |s: &Scene, nonce: Option<String>| Command::Identify {
            session: s.session.clone(),
            read: booth.read(&node, &nonce.unwrap(), NAME, NUMBER),
        };
        let nonce = look(&s.citizen.http, &session).await.card_nonce;
        let reads = again(&s, nonce);
        s.citizen.line.command(reads).await.unwrap();
        let v = look(&s.agent.http, &session).await;
        assert!(!lacks(&v) && !v.recording_rule.unwrap().identify_again);
        assert_eq!(sign_ask(&mut s).await, "form_not_ready");

        // Taken back: with the recording goes the card that was read in it, until it is read in the next.
        let takes_back = Command::RecordingWithdraw {
            session: session.clone(),
            recording: r.id.clone(),
        };
        s.citizen.line.command(takes_back).await.unwrap();
        let v = look(&s.agent.http, &session).await;
        assert!(lacks(&v) && v.recording_rule.unwrap().identify_again);
        let nonce = look(&s.citizen.http, &session).await.card_nonce;
        let reads = again(&s, nonce);
        let p = s.citizen.line.command(reads.clone()).await.unwrap_err();
        assert_eq!(p.code, "recording_not_live");
        until(&mut s.agent.line, State::Sealed).await;
        s.live().await;
        s.citizen.line.command(reads).await.unwrap();
        assert!(!lacks(&look(&s.agent.http, &session).await));
        s.mine.close().await;
        s.theirs.close().await;
        county.close(node).await;
    }
);
