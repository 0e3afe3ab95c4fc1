//! One film of a recording: made by ffmpeg where it is installed, for who has opened the replay.

use crate::replay::{Opened, audited, fetch, open, recorded};
use it::{
    PATIENCE,
    county::Node,
    http::{Http, answer, key},
    people::staff,
};
use protocol::{ExportView, Problem};
use reqwest::Method;
use serde_json::{Value, json};
use signaling::app::replay;
use std::time::Instant;

async fn begin(http: &Http, replay: &str, key: &str) -> Result<ExportView, Problem> {
    let path = format!("/replays/{replay}/exports");
    http.post_as(key, &path, json!({})).await
}

/// The same, once nothing else is made here: a process makes one at a time, whoever asks.
async fn begun(http: &Http, replay: &str, key: &str) -> ExportView {
    let start = Instant::now();
    loop {
        match begin(http, replay, key).await {
            Err(p) if p.code == "export_running" && start.elapsed() < 3 * PATIENCE => {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            done => return done.unwrap(),
        }
    }
}

async fn done(http: &Http, o: &Opened, id: &str) -> ExportView {
    let start = Instant::now();
    let mut seen = 0;
    loop {
        let path = format!("/replays/{}/exports/{id}", o.view.id);
        let e: ExportView = http.get(&path).await.unwrap();
        assert!(e.percent >= seen, "never back");
        seen = e.percent;
        if e.state != "running" {
            return e;
        }
        assert!(start.elapsed() < 3 * PATIENCE, "{e:?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

async fn code(node: &Node, src: &str, cookie: &str) -> String {
    let r = fetch(node, Method::GET, src, cookie, None).await;
    answer::<Value>(r).await.unwrap_err().code
}

both!(
    a_film_is_made_where_ffmpeg_is_for_who_has_opened_the_replay,
    |county| {
        let node = county.start("a").await;
        let (_s, id) = Box::pin(recorded(&node)).await;
        let boss = staff(&node, "supervisor").await;
        let o = open(&boss, &id).await.unwrap();
        assert_eq!(o.view.can_export, replay::can_export().await);
        if !o.view.can_export {
            let p = begin(&boss, &o.view.id, &key()).await.unwrap_err();
            assert_eq!((p.status, p.code.as_str()), (503, "export_unavailable"));
            eprintln!("ffmpeg is not installed: no film was made");
            county.close(node).await;
            return;
        }
        let other = staff(&node, "admin").await;
        let p = begin(&other, &o.view.id, &key()).await.unwrap_err();
        assert_eq!(p.code, "not_found", "another's replay");
        let k = key();
        let e = begun(&boss, &o.view.id, &k).await;
        assert_eq!(begin(&boss, &o.view.id, &k).await.unwrap().id, e.id);
        let e = done(&boss, &o, &e.id).await;
        let src = format!("/api/v1/replays/{}/exports/{}/file", o.view.id, e.id);
        assert_eq!(code(&node, &src, "").await, "signed_out");
        // What the clients of these tests send has the shape of pictures and sound, and is none: some ffmpeg make a film of it, others
        // none, and then nothing is left of it. The making of a real one is tested beside its code (`app/replay/making`).
        let is_made = e.state == "done";
        if is_made {
            assert_eq!((e.percent, e.src.as_deref()), (100, Some(src.as_str())));
            let r = fetch(&node, Method::GET, &src, &o.cookie, None).await;
            let film = r.bytes().await.unwrap();
            assert_eq!(Some(film.len() as i64), e.bytes);
            assert_eq!(Some(documents::sm3_hex(&film)), e.sm3);
            // A day long, whatever becomes of the replay in which it was asked for.
            node.sql("UPDATE replays SET opened_at = 1, expires_at = 2")
                .await;
            assert_eq!(code(&node, &src, &o.cookie).await, "replay_over");
            let again = open(&boss, &id).await.unwrap();
            let found = again.view.export.unwrap();
            let r = fetch(&node, Method::GET, &found.src.unwrap(), &again.cookie, None).await;
            assert_eq!(r.bytes().await.unwrap(), film);
        } else {
            assert_eq!((e.state.as_str(), e.src, e.sm3), ("failed", None, None));
            assert_eq!(code(&node, &src, &o.cookie).await, "not_found");
        }
        let all = audited(&node, &id).await;
        assert!(all.iter().any(|(a, _)| a == "recording.exported"));
        let left = std::fs::read_dir(&node.app().files_dir)
            .into_iter()
            .flatten()
            .flatten();
        let left = left.filter(|f| f.file_name().to_string_lossy().starts_with(".export-"));
        assert_eq!(left.count(), 0);
        let keys = "UPDATE data_keys SET created_at = created_at WHERE destroyed_at IS NOT NULL";
        assert_eq!(node.sql(keys).await, u64::from(!is_made), "its key is dead");
        county.close(node).await;
    }
);
