//! Films that are there: who reaches them and from where, and that they go with their recording. The making of one is in `film.rs`.

use crate::replay::{Opened, fetch, open, recorded};
use domain::id::{Id as _, KeyId, RecordingId, ReplayExportId, ReplayId};
use it::{
    county::Node,
    http::{Http, answer},
    people::staff,
};
use protocol::{ExportView, Problem};
use reqwest::Method;
use serde_json::Value;
use store::replay::{self as kept, Export};

const FILM: &[u8] = b"the bytes of a film, as long as they need to be";

/// A film of the replay: under way, or there with its file.
async fn film(node: &Node, o: &Opened, done: bool) -> ReplayExportId {
    let (app, sm3) = (node.app().clone(), domain::digest::sm3_hex(FILM));
    let (id, key_id): (ReplayExportId, KeyId) = (app.id(), app.id());
    let (key, wrapped) = app.vault.make(key_id.clone());
    if done {
        // Its first piece, which is its last.
        let clear = [&0_u64.to_be_bytes()[..], &[1], FILM].concat();
        let folder = app.files_dir.join(&sm3[..2]);
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{sm3}-{}", key_id.as_str()));
        std::fs::write(path, key.seal_bytes(&clear)).unwrap();
    }
    let (made, now) = (id.clone(), app.now());
    let row = Export {
        id,
        replay_id: ReplayId::parse(&o.view.id).unwrap(),
        recording_id: RecordingId::parse(&o.view.recording.id).unwrap(),
        key_id,
        state: "running".into(),
        percent: 0,
        bytes: None,
        sm3: None,
        node: app.bus.node().to_owned(),
        started_at: now,
        expires_at: now + domain::limits::EXPORT_TIME,
    };
    app.write("test", move |tx, _| {
        let (row, sm3, wrapped) = (row.clone(), sm3.clone(), wrapped.clone());
        Box::pin(async move {
            store::keys::insert(tx, &row.key_id, wrapped, now).await?;
            kept::insert_export(tx, &row).await?;
            if done {
                let bytes = i64::try_from(FILM.len()).unwrap();
                let file = store::file::File {
                    sm3: sm3.clone(),
                    key_id: row.key_id.clone(),
                    bytes,
                    media_type: "video/mp4".into(),
                    created_at: now,
                };
                store::file::insert(tx, &file).await?;
                let until = now + domain::limits::EXPORT_LIFE;
                assert!(kept::export_done(tx, &row.id, bytes, &sm3, until).await?);
            }
            Ok(())
        })
    })
    .await
    .unwrap();
    made
}

async fn look(http: &Http, replay: &str, id: &ReplayExportId) -> Result<ExportView, Problem> {
    http.get(&format!("/replays/{replay}/exports/{id}")).await
}

async fn refused(node: &Node, o: &Opened, id: &ReplayExportId) -> String {
    let src = format!("/api/v1/replays/{}/exports/{id}/file", o.view.id);
    let r = fetch(node, Method::GET, &src, &o.cookie, None).await;
    answer::<Value>(r).await.unwrap_err().code
}

both!(
    a_film_is_reached_from_any_replay_of_who_asked_for_it,
    |county| {
        let node = county.start("a").await;
        let (_s, id) = Box::pin(recorded(&node)).await;
        let boss = staff(&node, "supervisor").await;
        let first = open(&boss, &id).await.unwrap();
        assert_eq!(first.view.export, None);
        let made = film(&node, &first, true).await;
        node.sql("UPDATE replays SET opened_at = 1, expires_at = 2")
            .await;
        assert_eq!(refused(&node, &first, &made).await, "replay_over");

        let again = open(&boss, &id).await.unwrap();
        let found = again.view.export.clone().unwrap();
        assert_eq!(
            (found.id.as_str(), found.state.as_str()),
            (made.as_str(), "done")
        );
        let src = found.src.clone().unwrap();
        assert!(src.contains(&again.view.id), "the new cookie's path: {src}");
        assert_eq!(look(&boss, &again.view.id, &made).await.unwrap(), found);
        let r = fetch(&node, Method::GET, &src, &again.cookie, None).await;
        assert_eq!(r.bytes().await.unwrap(), FILM);

        // Another's replay of the same recording reaches another's film not.
        let other = open(&staff(&node, "admin").await, &id).await.unwrap();
        assert_eq!(other.view.export, None);
        assert_eq!(refused(&node, &other, &made).await, "not_found");
        county.close(node).await;
    }
);

both!(with_a_recording_go_its_films, |county| {
    let node = county.start("a").await;
    let (_s, id) = Box::pin(recorded(&node)).await;
    let boss = staff(&node, "supervisor").await;
    let o = open(&boss, &id).await.unwrap();
    let (done, running) = (film(&node, &o, true).await, film(&node, &o, false).await);
    node.sql("UPDATE recordings SET ended_at = 2, delete_at = 1")
        .await;
    // The files of dead keys go with the next round.
    for _ in 0..2 {
        signaling::jobs::sweep(node.app()).await.unwrap();
    }
    assert_eq!(refused(&node, &o, &done).await, "recording_deleted");
    let row = |id: ReplayExportId| {
        let app = node.app().clone();
        async move {
            app.read(move |tx| {
                Box::pin(async move {
                    let e = kept::export(tx, &id).await?.unwrap();
                    let key = store::keys::wrapped(tx, &e.key_id).await?;
                    Ok((e, key))
                })
            })
            .await
            .unwrap()
        }
    };
    let (e, key) = row(done).await;
    assert_eq!((e.state.as_str(), key), ("expired", None));
    let sm3 = e.sm3.unwrap();
    let file = node.app().files_dir.join(&sm3[..2]);
    assert!(!file.join(format!("{sm3}-{}", e.key_id.as_str())).exists());
    // Whoever makes one comes too late, and has no key to seal it with.
    let (e, key) = row(running.clone()).await;
    assert_eq!((e.state.as_str(), key), ("failed", None));
    let late = node
        .app()
        .write("test", move |tx, w| {
            let (id, sm3, now) = (running.clone(), "ab".repeat(32), w.now);
            Box::pin(async move { Ok(kept::export_done(tx, &id, 1, &sm3, now).await?) })
        })
        .await;
    assert!(!late.unwrap());
    county.close(node).await;
});
