//! How long recordings are kept: by the notice's days, longer with a case, never while held; and how they go.

use crate::{
    recording::{length, row, scene, sealed, until},
    recording_gate::{form, prompts},
    replay::{audited, fetch, lines, open, recorded},
    shared::{end, put},
};
use domain::{id::Id as _, recording::State, time::Timestamp};
use it::{county::Node, people::staff};
use protocol::{Command, Problem, RecordingLine, RecordingState};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use store::recording::Recording;

/// The days go by: everything about the recording's time is that much longer ago.
async fn past(node: &Node, hours: i64) {
    let us = hours * 3_600_000_000;
    node.app()
        .write("test", move |tx, _| {
            Box::pin(async move {
                const BACK: &str =
                    "UPDATE recordings SET ended_at = ended_at - $1, delete_at = delete_at - $1";
                Ok(tx.exec(BACK, store::args![us]).await?)
            })
        })
        .await
        .unwrap();
}

async fn sweep(node: &Node) {
    signaling::jobs::sweep(node.app()).await.unwrap();
}

async fn key_lives(node: &Node, id: &domain::id::KeyId) -> bool {
    let id = id.clone();
    node.app()
        .read(move |tx| Box::pin(async move { Ok(store::keys::wrapped(tx, &id).await?) }))
        .await
        .unwrap()
        .is_some()
}

async fn hold(
    http: &it::http::Http,
    id: &str,
    on: bool,
    reason: &str,
    version: i64,
) -> Result<RecordingLine, Problem> {
    let body = json!({"on": on, "reason": reason, "version": version});
    put(http, &format!("/recordings/{id}/hold"), &body).await
}

both!(its_days_are_over_and_the_deletion_proves_itself, |county| {
    let node = county.start("a").await;
    let (_s, id) = Box::pin(recorded(&node)).await;
    let boss = staff(&node, "supervisor").await;
    let o = open(&boss, &id).await.unwrap();
    let src = &o.view.legs[0].parts[0].src;
    past(&node, 180 * 24 - 1).await;
    sweep(&node).await;
    let before = row(&node, &id).await;
    assert_eq!(before.state, State::Sealed, "an hour is left");
    let (bytes, files) = (length(&node, &id), {
        let dir = signaling::app::recording::folder(node.app(), &before.id);
        std::fs::read_dir(dir).unwrap().count()
    });
    assert!(bytes > 0);
    // An earlier try was stopped half-way: the proof says what there was, not what it left.
    let dir = signaling::app::recording::folder(node.app(), &before.id);
    std::fs::remove_file(dir.join("leg-01-000001.seg")).unwrap();
    past(&node, 2).await;
    sweep(&node).await;
    let after = row(&node, &id).await;
    assert_eq!(after.state, State::Deleted);
    assert!(after.deleted_at.is_some() && after.manifest.is_none());
    assert!(!key_lives(&node, &after.key_id).await);
    assert!(!signaling::app::recording::folder(node.app(), &after.id).exists());

    let all = audited(&node, &id).await;
    let (_, proof) = all.iter().find(|(a, _)| a == "recording.deleted").unwrap();
    let text = before.manifest.unwrap();
    assert_eq!(
        proof["manifest_sha256"],
        json!(domain::audit::hex(&Sha256::digest(text.as_bytes())))
    );
    assert_eq!(
        proof["manifest_sm3"],
        json!(domain::digest::sm3_hex(text.as_bytes()))
    );
    assert_eq!(
        (proof["files"].as_u64(), proof["bytes"].as_u64()),
        (Some(files as u64), Some(bytes))
    );
    assert_eq!(
        (proof["key"].as_str(), proof["why"].as_str()),
        (Some(after.key_id.as_str()), Some("routine"))
    );
    let key = audited(&node, after.key_id.as_str()).await;
    assert_eq!(key[0].0, "key.destroyed");

    // It is in the list still, and says that it is gone.
    let page = lines(&boss, "?state=deleted").await.unwrap();
    let line = &page.items[0];
    assert_eq!(
        (line.state, line.delete_at.as_deref()),
        (RecordingState::Deleted, None)
    );
    let r = fetch(&node, Method::GET, src, &o.cookie, None).await;
    let gone: Problem = it::http::answer::<Value>(r).await.unwrap_err();
    assert_eq!(
        (gone.status, gone.code.as_str()),
        (410, "recording_deleted")
    );
    assert_eq!(
        open(&boss, &id).await.err().unwrap().code,
        "recording_deleted"
    );
    let p = boss
        .get::<Value>(&format!("/recordings/{id}/manifest"))
        .await
        .unwrap_err();
    assert_eq!(p.code, "recording_deleted");
    sweep(&node).await;
    let again = audited(&node, &id).await;
    assert_eq!(again.len(), all.len(), "once is enough: {again:?}");
    county.close(node).await;
});

both!(
    what_the_citizen_answered_goes_with_the_recording,
    |county| {
        let node = county.start("a").await;
        let mut s = Box::pin(scene(&node)).await;
        form(&mut s).await;
        let r = s.live().await;
        prompts(&mut s, &r.id).await;
        end(&s.agent.http, &s.session, "finished").await;
        let id = sealed(&node, &r.id).await.id;
        let kept = async || {
            let id = id.clone();
            let all = node.app().read(move |tx| {
                Box::pin(async move { Ok(store::recording::prompts(tx, &id).await?) })
            });
            all.await.unwrap().len()
        };
        assert_eq!(kept().await, 5);
        past(&node, 181 * 24).await;
        sweep(&node).await;
        assert_eq!(row(&node, &r.id).await.state, State::Deleted);
        assert_eq!(kept().await, 0);
        let all = audited(&node, &r.id).await;
        let (_, proof) = all.iter().find(|(a, _)| a == "recording.deleted").unwrap();
        assert_eq!(proof["prompts"], json!(5));
        county.close(node).await;
    }
);

both!(those_that_cannot_go_hold_up_no_other, |county| {
    // More than one reading of the sweep.
    const STUCK: usize = 65;
    let node = county.start("a").await;
    let (_s, id) = Box::pin(recorded(&node)).await;
    past(&node, 181 * 24).await;
    let r = row(&node, &id).await;
    for n in 0..STUCK {
        let stuck = Recording {
            id: node.app().id(),
            key_id: node.app().id(),
            version: 1,
            // Each before the one that can go.
            delete_at: Some(Timestamp::from_millis(n as i64)),
            ..r.clone()
        };
        let folder = signaling::app::recording::folder(node.app(), &stuck.id);
        std::fs::write(folder, "no directory").unwrap();
        let (_, wrapped) = node.app().vault.make(stuck.key_id.clone());
        let made = node.app().write("test", move |tx, w| {
            let (r, wrapped) = (stuck.clone(), wrapped.clone());
            Box::pin(async move {
                store::keys::insert(tx, &r.key_id, wrapped, w.now).await?;
                store::recording::insert(tx, &r).await?;
                assert!(store::recording::save(tx, &r).await?);
                Ok(())
            })
        });
        made.await.unwrap();
    }
    sweep(&node).await;
    assert_eq!(row(&node, &id).await.state, State::Deleted);
    let left = "UPDATE recordings SET hold = hold WHERE state = 'sealed'";
    assert_eq!(node.sql(left).await, STUCK as u64, "they are tried again");
    county.close(node).await;
});

both!(what_is_held_stays_whatever_the_days_say, |county| {
    let node = county.start("a").await;
    let (_s, id) = Box::pin(recorded(&node)).await;
    let boss = staff(&node, "supervisor").await;
    let v = row(&node, &id).await.version;
    let p = hold(&boss, &id, true, " ", v).await.unwrap_err();
    assert_eq!(p.code, "reason_required");
    let p = hold(&boss, &id, true, "行政复议", v + 5).await.unwrap_err();
    assert_eq!(
        (p.code.as_str(), p.current.unwrap()["held"].as_bool()),
        ("version_stale", Some(false))
    );
    let line = hold(&boss, &id, true, "行政复议", v).await.unwrap();
    assert_eq!(
        (line.held, line.hold_reason.as_deref()),
        (true, Some("行政复议"))
    );
    let kept = row(&node, &id).await.hold.unwrap();
    let clear = "行政复议".as_bytes();
    let sealed = &kept.reason_enc;
    assert!(!sealed.windows(clear.len()).any(|w| w == clear));
    let stale = hold(&boss, &id, false, "", v).await.unwrap_err();
    assert_eq!(stale.code, "version_stale");
    past(&node, 400 * 24).await;
    sweep(&node).await;
    let r = row(&node, &id).await;
    assert!(r.state == State::Sealed && key_lives(&node, &r.key_id).await);
    // Not even by the server's own hand.
    for n in 0..2 {
        let r = row(&node, &id).await;
        let refused = node
            .app()
            .write("test", move |tx, w| {
                let r = r.clone();
                Box::pin(async move {
                    if n == 0 {
                        store::keys::destroy(tx, &r.key_id, w.now).await?;
                    } else {
                        let gone = store::recording::Recording {
                            state: State::Deleted,
                            deleted_at: Some(w.now),
                            hold: None,
                            ..r
                        };
                        store::recording::save(tx, &gone).await?;
                    }
                    Ok(())
                })
            })
            .await;
        assert_eq!(refused.unwrap_err().code(), "recording_held");
    }
    assert_eq!(lines(&boss, "?held=true").await.unwrap().items.len(), 1);
    let line = hold(&boss, &id, false, "", line.version).await.unwrap();
    assert!(!line.held);
    sweep(&node).await;
    assert_eq!(row(&node, &id).await.state, State::Deleted);
    let p = hold(&boss, &id, true, "太晚", line.version)
        .await
        .unwrap_err();
    assert_eq!(p.code, "recording_deleted");
    let all: Vec<_> = audited(&node, &id)
        .await
        .into_iter()
        .map(|(a, _)| a)
        .collect();
    for a in ["recording.held", "recording.released", "recording.deleted"] {
        assert_eq!(all.iter().filter(|x| *x == a).count(), 1, "{all:?}");
    }
    county.close(node).await;
});

both!(
    a_consent_taken_back_is_three_days_unless_a_case_came_of_it,
    |county| {
        let node = county.start("a").await;
        let mut s = Box::pin(scene(&node)).await;
        let mut ids = vec![];
        for _ in 0..2 {
            let r = s.live().await;
            let takes_back = Command::RecordingWithdraw {
                session: s.session.clone(),
                recording: r.id.clone(),
            };
            s.citizen.line.command(takes_back).await.unwrap();
            until(&mut s.agent.line, RecordingState::Sealed).await;
            sealed(&node, &r.id).await;
            ids.push(r.id);
        }
        past(&node, 71).await;
        sweep(&node).await;
        for id in &ids {
            assert_eq!(row(&node, id).await.state, State::Sealed);
        }
        past(&node, 2).await;
        // A case has come of the session: both are its papers now, whatever was said when they were dated.
        node.sql("UPDATE sessions SET case_id = 'cas_00000000000000000000000000'")
            .await;
        sweep(&node).await;
        let kept = row(&node, &ids[0]).await;
        assert_eq!(kept.state, State::Sealed);
        let days = kept.delete_at.unwrap().since(kept.ended_at.unwrap()).0 / 86_400_000_000;
        assert_eq!(days, 3_650);
        node.sql("UPDATE sessions SET case_id = NULL").await;
        node.sql("UPDATE recordings SET delete_at = 1").await;
        sweep(&node).await;
        for id in &ids {
            assert_eq!(row(&node, id).await.state, State::Deleted);
            let all = audited(&node, id).await;
            let (_, proof) = all.iter().find(|(a, _)| a == "recording.deleted").unwrap();
            assert_eq!(proof["why"], json!("withdrawn"));
        }
        county.close(node).await;
    }
);
