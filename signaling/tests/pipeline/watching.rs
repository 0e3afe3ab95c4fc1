//! Who of the department may look at a case's recording, and for how long: whose duty it is now, and nobody of the front.

use super::*;
use domain::{
    id::{KeyId, RecordingId},
    recording::{Policy, State},
};
use protocol::OpenReplay;
use signaling::app::replay::{lines, opening};
use store::recording::{self as kept, Recording};

/// A signed recording of the call, without files: whether somebody may open it does not ask for them.
async fn recorded(c: &Call) -> RecordingId {
    let (id, app, session) = (c.app.id::<RecordingId>(), c.app.clone(), c.id.clone());
    let made = id.clone();
    c.app
        .write("test", move |tx, w| {
            let (id, app, session) = (id.clone(), app.clone(), session.clone());
            Box::pin(async move {
                let s = store::session::get(tx, &session).await?.unwrap();
                let asked_by = store::session::members(tx, &session).await?.remove(0).id;
                let key_id: KeyId = w.id();
                let (_, wrapped) = app.vault.make(key_id.clone());
                store::keys::insert(tx, &key_id, wrapped, w.now).await?;
                let media = json!({"format": 1, "recording": id.as_str(), "started_at_ms": w.now.millis(), "duration_ms": 1_000,
                    "ended": "finished", "legs": [], "events": []});
                let row = Recording {
                    id,
                    session_id: session,
                    hall_id: s.hall_id,
                    visit_id: s.visit_id,
                    key_id,
                    state: State::Sealed,
                    version: 1,
                    notice: serde_json::to_string(&Policy::default().notice(0)).unwrap(),
                    policy_version: "2026-11".into(),
                    asked_by,
                    asked_at: w.now,
                    answered_at: Some(w.now),
                    granted: Some(true),
                    started_at: Some(w.now),
                    proven_at: Some(w.now),
                    interrupted: None,
                    ended_at: Some(w.now),
                    end_reason: Some("finished".into()),
                    node: None,
                    manifest: Some(json!({"media": media}).to_string()),
                    signature: Some("00".repeat(64)),
                    public_key: Some("04".repeat(65)),
                    sealed_at: Some(w.now),
                    duration_ms: Some(1_000),
                    gaps: Some(0),
                    bytes: Some(0),
                    delete_at: None,
                    hold: None,
                    deleted_at: None,
                };
                kept::insert(tx, &row).await?;
                assert!(kept::save(tx, &row).await?);
                Ok(())
            })
        })
        .await
        .unwrap();
    made
}

async fn open(app: &App, who: &Principal, id: &RecordingId) -> String {
    let body = OpenReplay {
        purpose: "审查".into(),
    };
    match opening::open(app, &by(who), id.clone(), body).await {
        Ok(o) => o.view.integrity,
        Err(e) => e.code().to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_is_seen_by_whose_duty_it_is_and_while_it_is() {
    const NOT: &str = "recording_not_found";
    let (c, case, view) = handed_in().await;
    let id = recorded(&c).await;
    let (reviewer, issuer) = (
        staff("reviewer1", &[Role::Reviewer]),
        staff("issuer1", &[Role::Issuer]),
    );
    let app = &c.app;
    let of_case = || lines::Asked {
        case: Some(case.to_string()),
        ..lines::Asked::default()
    };
    // Not before it is theirs; never for who guided, whatever else they are.
    for who in [&reviewer, &issuer, &c.agent] {
        assert_eq!(open(app, who, &id).await, NOT);
        assert_eq!(code(lines::list(app, who, of_case()).await), "role_missing");
    }
    assert_eq!(open(app, &c.citizen, &id).await, "role_missing");
    let v = cases::claim(app, &by(&reviewer), case.clone(), view.card.version)
        .await
        .unwrap();
    // Its signature is none of this installation's: it is shown, and said to be broken.
    assert_eq!(open(app, &reviewer, &id).await, "broken");
    let page = lines::list(app, &reviewer, of_case()).await.unwrap();
    assert_eq!(page.items.len(), 1);
    assert_eq!(page.items[0].case.as_deref(), Some(case.as_str()));
    assert_eq!(
        page.items[0].case_number.as_deref(),
        Some(v.card.number.as_str())
    );
    for who in [&issuer, &c.agent, &staff("reviewer2", &[Role::Reviewer])] {
        assert_eq!(open(app, who, &id).await, NOT);
    }
    // A reviewer keeps no hall: neither the hold nor who else has looked is theirs.
    assert_eq!(
        code(lines::replays(app, &reviewer, id.clone()).await),
        "role_missing"
    );
    let o = opening::open(
        app,
        &by(&reviewer),
        id.clone(),
        OpenReplay {
            purpose: "复核".into(),
        },
    )
    .await
    .unwrap();
    let mine = domain::id::ReplayId::parse(&o.view.id).unwrap();
    assert!(opening::get(app, &reviewer, mine.clone()).await.is_ok());
    assert_eq!(
        code(opening::get(app, &issuer, mine.clone()).await),
        "not_found"
    );

    let grant = Grant {
        version: v.card.version,
        opinion: "经查询未发现犯罪记录，准予开具。".into(),
    };
    let v = cases::grant(app, &by(&reviewer), case.clone(), grant)
        .await
        .unwrap();
    // Decided: it is the issuer's now, and the reviewer's open page is refused at its next word.
    assert_eq!(open(app, &reviewer, &id).await, NOT);
    assert_eq!(code(opening::get(app, &reviewer, mine).await), NOT);
    assert_eq!(open(app, &issuer, &id).await, "broken");
    issue::issue(app, &by(&issuer), case.clone(), v.card.version)
        .await
        .unwrap();
    assert_eq!(open(app, &issuer, &id).await, NOT);
}
