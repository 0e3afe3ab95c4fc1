//! One film of a recording: made by ffmpeg where it is installed, sealed, gone after a day.

use crate::replay::{Opened, audited, fetch, open, recorded};
use it::{
    PATIENCE,
    county::Node,
    http::{Http, answer, key},
    people::staff,
};
use protocol::{ExportView, Problem};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use signaling::app::replay;
use std::{
    process::{Command, Stdio},
    time::Instant,
};

async fn begin(http: &Http, replay: &str, key: &str) -> Result<ExportView, Problem> {
    let path = format!("/replays/{replay}/exports");
    http.post_as(key, &path, json!({})).await
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

/// What ffprobe says of a film: kinds of its streams, and its length in seconds.
fn probe(film: &[u8]) -> (Vec<String>, f64) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("film.mp4");
    std::fs::write(&path, film).unwrap();
    let out = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-show_entries",
            "stream=codec_name:format=duration",
            "-of",
            "json",
        ])
        .arg(&path)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let v: Value = serde_json::from_slice(&out.stdout).unwrap();
    let names = v["streams"].as_array().unwrap().iter();
    let names = names.map(|s| s["codec_name"].as_str().unwrap().to_owned());
    (
        names.collect(),
        v["format"]["duration"].as_str().unwrap().parse().unwrap(),
    )
}

both!(a_film_of_all_legs_where_ffmpeg_is, |county| {
    let node = county.start("a").await;
    let (_s, id) = recorded(&node).await;
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
    let e = begin(&boss, &o.view.id, &k).await.unwrap();
    assert_eq!(begin(&boss, &o.view.id, &k).await.unwrap().id, e.id);
    let e = done(&boss, &o, &e.id).await;
    assert_eq!((e.state.as_str(), e.percent), ("done", 100));
    let src = e.src.unwrap();
    let r = fetch(&node, Method::GET, &src, &o.cookie, None).await;
    assert_eq!(r.status(), StatusCode::OK);
    assert_eq!(r.headers()[header::CONTENT_TYPE], "video/mp4");
    let film = r.bytes().await.unwrap();
    assert_eq!(Some(film.len() as i64), e.bytes);
    assert_eq!(Some(domain::digest::sm3_hex(&film)), e.sm3);
    let (mut kinds, seconds) = probe(&film);
    kinds.sort();
    assert_eq!(kinds, ["aac", "h264"]);
    let told = o.view.duration_ms as f64 / 1_000.0;
    assert!((seconds - told).abs() < 0.5, "{seconds} {told}");
    let r = fetch(&node, Method::GET, &src, &o.cookie, Some("bytes=4-7")).await;
    assert_eq!(r.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(r.bytes().await.unwrap(), "ftyp");
    assert_eq!(code(&node, &src, "").await, "signed_out");
    let all = audited(&node, &id).await;
    assert!(all.iter().any(|(a, _)| a == "recording.exported"));
    // Sealed on disk under its own key; a day later it is gone.
    let files = || {
        let dirs = std::fs::read_dir(&node.app().files_dir)
            .into_iter()
            .flatten();
        dirs.flatten()
            .filter(|d| d.path().is_dir())
            .flat_map(|d| std::fs::read_dir(d.path()).unwrap().flatten())
            .filter(|f| {
                f.file_name()
                    .to_string_lossy()
                    .starts_with(e.sm3.as_ref().unwrap().as_str())
            })
            .map(|f| std::fs::read(f.path()).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(files().len(), 1);
    assert!(!files()[0].windows(8).any(|w| w == &film[..8]));
    node.sql("UPDATE replay_exports SET expires_at = 1").await;
    signaling::jobs::sweep(node.app()).await.unwrap();
    assert!(files().is_empty());
    assert_eq!(code(&node, &src, &o.cookie).await, "export_over");
    county.close(node).await;
});
