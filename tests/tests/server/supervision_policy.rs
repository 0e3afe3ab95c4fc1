//! What a hall tells of supervision: who keeps it, what the law asks of it, and what it does to a call.

use crate::{
    shared::{look, put},
    supervision::{go, leave},
};
use it::{
    line::Line,
    people::{Agent, Citizen, call, hall, staff},
};
use protocol::{EventBody, SupervisionPolicyView};
use serde_json::{Value, json};

fn path() -> String {
    format!("/halls/{}/supervision-policy", hall())
}

both!(
    a_policy_is_the_administrator_s_and_never_hides_a_listener,
    |county| {
        let node = county.start("a").await;
        let admin = staff(&node, "admin").await;
        let boss = staff(&node, "supervisor").await;
        let first: SupervisionPolicyView = boss.get(&path()).await.unwrap();
        assert_eq!((first.version, first.policy.standing), (0, true));
        let mut policy = json!(first.policy);
        policy["listen"] = json!({"agent": false, "citizen": false});
        let body = json!({"policy": policy, "version": 0});
        let p = put::<Value>(&boss, &path(), &body).await.unwrap_err();
        assert_eq!(
            p.code, "role_missing",
            "who listens does not decide who is told"
        );
        let far = staff(&node, "supervisor2").await;
        assert_eq!(
            far.get::<Value>(&path()).await.unwrap_err().code,
            "role_missing"
        );

        let mut silent = policy.clone();
        silent["standing"] = json!(false);
        silent["whisper"]["agent"] = json!(false);
        silent["text"]["zh"] = json!("长".repeat(61));
        let p = put::<Value>(&admin, &path(), json!({"policy": silent, "version": 0}))
            .await
            .unwrap_err();
        assert_eq!((p.status, p.code.as_str()), (422, "policy_invalid"));
        let told: Vec<_> = p
            .errors
            .iter()
            .map(|e| (e.code.as_str(), e.pointer.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("policy_unannounced", "/policy/listen/citizen"),
                ("policy_unannounced", "/policy/whisper/citizen"),
                ("policy_whisper", "/policy/whisper/agent"),
                ("policy_text", "/policy/text/zh"),
            ]
        );
        let kept: SupervisionPolicyView = put(&admin, &path(), &body).await.unwrap();
        assert_eq!(kept.version, 1);
        let late = put::<Value>(&admin, &path(), &body).await.unwrap_err();
        assert_eq!(late.code, "version_stale");
        let current = late.current.unwrap();
        assert_eq!(
            (&current["version"], &current["changed_by"]),
            (&json!(1), &json!("朱琳"))
        );
        county.close(node).await;
    }
);

both!(a_call_tells_what_the_hall_decided, |county| {
    let node = county.start("a").await;
    let admin = staff(&node, "admin").await;
    let text = json!({"zh": "本次通话有质量监督", "en": "This call is supervised"});
    // Silent for the agent, told to the citizen.
    let policy = json!({"standing": false, "text": text, "listen": {"agent": false, "citizen": true}, "whisper": {"agent": true, "citizen": true}});
    let _: SupervisionPolicyView = put(&admin, &path(), json!({"policy": policy, "version": 0}))
        .await
        .unwrap();
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&node).await;
    let (session, _) = call(&mut citizen, &mut agent).await;
    assert_eq!(look(&citizen.http, &session).await.supervision_notice, None);
    let boss = staff(&node, "supervisor").await;
    let mut line = Line::open(&boss).await;
    go(&boss, &session, "listen").await.unwrap();
    line.join(&session, 0).await;
    let theirs = look(&citizen.http, &session).await;
    assert_eq!(theirs.supervision.map(|v| v.name.zh), Some("杨帆".into()));
    let agents = look(&agent.http, &session).await;
    assert!(agents.supervision.is_none() && agents.members.len() == 2);
    let about = |e: &protocol::SessionEvent| matches!(e.body, EventBody::SupervisionStarted { .. });
    assert!(!agent.line.join(&session, 0).await.events.iter().any(about));
    assert!(
        citizen
            .line
            .join(&session, 0)
            .await
            .events
            .iter()
            .any(about)
    );
    leave(&boss, &session).await.unwrap();

    // The standing notice, in the hall's own words.
    let policy = json!({"standing": true, "text": text, "listen": {"agent": true, "citizen": false}, "whisper": {"agent": true, "citizen": false}});
    let _: SupervisionPolicyView = put(&admin, &path(), json!({"policy": policy, "version": 1}))
        .await
        .unwrap();
    let theirs = look(&citizen.http, &session).await;
    assert_eq!(json!(theirs.supervision_notice), text);
    county.close(node).await;
});
