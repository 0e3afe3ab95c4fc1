//! The whole way from parts to a sealed film, with ffmpeg where it is installed.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::app::{
    replay::{ffmpeg, vessel::Reader},
    vault::Vault,
};
use domain::id::{Id as _, KeyId};
use media::record::{Manifest, PartEntry};
use serde_json::json;

/// Two members, three parts: who comes a second later, and sound alone at the end.
fn manifest() -> Manifest {
    let track = |kind: &str, codec: &str| json!({"kind": kind, "codec": codec, "frames": 1});
    let part = |n: u32, from: u64, tracks| json!({"part": n, "from_ms": from, "to_ms": from + 2_000, "bytes": 1, "head_bytes": 1, "tracks": tracks, "cues": []});
    let both = json!([track("video", "vp8"), track("audio", "opus")]);
    let leg = |n: u32, parts| json!({"leg": n, "member": "m", "role": null, "required": true, "parts": parts, "segments": [], "gaps": [], "chain": ""});
    let legs = json!([
        leg(
            1,
            json!([
                part(1, 0, both.clone()),
                part(2, 3_000, json!([track("audio", "opus")]))
            ])
        ),
        leg(2, json!([part(1, 1_000, both)])),
    ]);
    let all = json!({"format": 1, "recording": "rec", "started_at_ms": 0, "duration_ms": 5_000, "ended": "finished", "legs": legs, "events": []});
    serde_json::from_value(all).unwrap()
}

/// A part as a browser would have sent it.
fn webm(video: bool) -> Vec<u8> {
    let mut c = std::process::Command::new("ffmpeg");
    c.args([
        "-loglevel",
        "error",
        "-nostdin",
        "-f",
        "lavfi",
        "-i",
        "sine=f=440:d=2",
    ]);
    if video {
        c.args([
            "-f",
            "lavfi",
            "-i",
            "testsrc=s=320x240:r=10:d=2",
            "-c:v",
            "libvpx",
            "-deadline",
            "realtime",
            "-cpu-used",
            "8",
        ]);
    }
    c.args(["-c:a", "libopus", "-f", "webm", "pipe:1"]);
    c.output().unwrap().stdout
}

fn pours(m: &Manifest, bytes: impl Fn(&PartEntry) -> Vec<u8>) -> Vec<Pour> {
    let parts = m.legs.iter().flat_map(|l| &l.parts);
    parts
        .map(|p| -> Pour {
            let bytes = bytes(p);
            Box::new(move |pipe| {
                let mut out = OpenOptions::new().write(true).open(pipe).map_err(failed)?;
                // Whoever fails first does not leave the other waiting.
                let _ = out.write_all(&bytes);
                Ok(())
            })
        })
        .collect()
}

fn writer(dir: &Path) -> (Writer, DataKey) {
    let key = Vault::from_master(&[1; 32]).make(KeyId::make(1, 1)).0;
    (Writer::create(dir, "t", key.clone()).unwrap(), key)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_become_one_sealed_film() {
    if !ffmpeg::available().await {
        eprintln!("skipped: ffmpeg is not installed");
        return;
    }
    let (dir, m) = (tempfile::tempdir().unwrap(), manifest());
    let (w, key) = writer(dir.path());
    let (told, heard) = watch::channel(0);
    let pours = pours(&m, |p| webm(p.has_video()));
    let w = compose(Layout::of(&m), pours, w, told).await.unwrap();
    assert!(*heard.borrow() > 20, "{}", *heard.borrow());
    let (sm3, bytes) = w.finish().unwrap();
    let mut r = Reader::open(dir.path(), &sm3, bytes, key).unwrap();
    let film = r.read(0..bytes).unwrap();
    assert_eq!(&film[4..8], b"ftyp");
    let path = dir.path().join("film.mp4");
    std::fs::write(&path, &film).unwrap();
    let out = std::process::Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-show_entries",
            "stream=codec_name,width,height:format=duration",
            "-of",
            "json",
        ])
        .arg(&path)
        .output()
        .unwrap();
    let v: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let (picture, sound) = (&v["streams"][0], &v["streams"][1]);
    assert_eq!(
        (&picture["codec_name"], &sound["codec_name"]),
        (&json!("h264"), &json!("aac"))
    );
    assert_eq!(
        (&picture["width"], &picture["height"]),
        (&json!(1280), &json!(360))
    );
    let seconds: f64 = v["format"]["duration"].as_str().unwrap().parse().unwrap();
    assert!((seconds - 5.0).abs() < 0.3, "{seconds}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_media_fails_and_leaves_nothing() {
    if !ffmpeg::available().await {
        eprintln!("skipped: ffmpeg is not installed");
        return;
    }
    let (dir, m) = (tempfile::tempdir().unwrap(), manifest());
    let (w, _) = writer(dir.path());
    let pours = pours(&m, |_| vec![7; 100_000]);
    let (told, _heard) = watch::channel(0);
    let done = compose(Layout::of(&m), pours, w, told);
    let done = tokio::time::timeout(Duration::from_secs(20), done).await;
    assert_eq!(done.unwrap().err().unwrap().code(), "export_failed");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
