//! Calls between real clients, recorded: what is on disk is what was sent.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "../src/record/tests/matroska.rs"]
mod matroska;

use common::{Client, Events, PATIENCE, start};
use matroska::{File, of};
use media::MemberRole::{Agent, Citizen, Guest, Listener};
use media::record::{
    Ended, FileSink, FileSource, GapReason, Manifest, PartReader, RECORDED_ROLES, RecordingKey,
    RecordingPlan, recover, verify,
};
use media::{Engine, MediaConfig, MediaEngine, MediaEvent, RecordingEvent};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn key() -> RecordingKey {
    RecordingKey::new([3; 32])
}

fn plan(dir: &Path) -> RecordingPlan {
    RecordingPlan {
        recording: "rec_0001".into(),
        required: vec!["c".into(), "a".into()],
        roles: RECORDED_ROLES.to_vec(),
        key: key(),
        sink: Box::new(FileSink::new(dir).unwrap()),
        started_at_ms: 1_795_300_000_000,
    }
}

async fn recording(events: &mut Events, what: impl Fn(&RecordingEvent) -> bool) -> RecordingEvent {
    let event = events
        .wait(|e| matches!(e, MediaEvent::Recording { event, .. } if what(event)))
        .await;
    match event {
        MediaEvent::Recording { event, .. } => event,
        other => panic!("{other:?}"),
    }
}

async fn proven(events: &mut Events) {
    recording(events, |e| *e == RecordingEvent::Proven).await;
}

/// A live call of a citizen and an agent.
async fn call() -> (Arc<MediaEngine>, Events, Client, Client) {
    let (engine, mut events) = start(MediaConfig::default()).await;
    engine.set_forwarding("room", true).await.unwrap();
    let mut citizen = Client::new(1, false).await;
    let mut agent = Client::new(2, false).await;
    citizen.join(&engine, "room", "c", Citizen).await;
    agent.join(&engine, "room", "a", Agent).await;
    events.connected("c").await;
    events.connected("a").await;
    (engine, events, citizen, agent)
}

fn read(dir: &Path, manifest: &Manifest, leg: u16, part: u32) -> File {
    let source = FileSource::new(dir);
    let mut reader = PartReader::open(source, &key(), manifest, leg, part).unwrap();
    matroska::read(&reader.read_range(0, u64::MAX).unwrap()).unwrap()
}

/// The sender's number of a frame: sound and picture of one number left at the same moment.
fn number(data: &[u8]) -> u16 {
    u16::from_be_bytes([data[data.len() - 3], data[data.len() - 2]])
}

fn check(file: &File, mark: u8) {
    let (video, audio) = (of(file, 1), of(file, 2));
    assert!(video[0].key, "begins at a keyframe");
    for blocks in [&video, &audio] {
        assert!(blocks.windows(2).all(|w| w[0].ms < w[1].ms));
        assert!(
            blocks
                .windows(2)
                .all(|w| number(&w[0].data) < number(&w[1].data))
        );
        assert!(blocks.iter().all(|b| b.data.last() == Some(&mark)));
    }
    let mut pairs = 0;
    for v in &video {
        let Some(a) = audio.iter().find(|a| number(&a.data) == number(&v.data)) else {
            continue;
        };
        assert!((v.ms - a.ms).abs() <= 100, "{} {}", v.ms, a.ms);
        pairs += 1;
    }
    assert!(pairs > 50, "{pairs}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_recorded_once_it_is_live_and_proven_by_what_is_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, mut events, citizen, agent) = call().await;
    engine.set_forwarding("room", false).await.unwrap();
    engine
        .start_recording("room", plan(dir.path()))
        .await
        .unwrap();
    let error = engine.start_recording("room", plan(dir.path())).await;
    assert_eq!(error.unwrap_err().code(), "recording_running");
    let seen = engine.stats().rtp_in;
    tokio::time::timeout(PATIENCE, async {
        while engine.stats().rtp_in < seen + 150 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
    let files = || std::fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(files(), 0, "what nobody may hear is not recorded");

    engine.set_forwarding("room", true).await.unwrap();
    proven(&mut events).await;
    assert_eq!(files(), 2, "bytes of both are on disk when it is said");
    let found = recover(dir.path(), &key()).unwrap().unwrap();
    for leg in &found.legs {
        assert!(leg.parts[0].tracks.iter().all(|t| t.frames > 0));
    }
    agent.forget();
    agent.hears(1, 120).await;

    let asked = Instant::now();
    let manifest = engine
        .stop_recording("room", Ended::Withdrawn)
        .await
        .unwrap()
        .unwrap();
    assert!(asked.elapsed() < Duration::from_secs(1));
    let length = || -> u64 {
        let files = std::fs::read_dir(dir.path()).unwrap();
        files.map(|f| f.unwrap().metadata().unwrap().len()).sum()
    };
    let bytes = length();
    agent.forget();
    agent.hears(1, 60).await; // the call goes on
    assert_eq!(length(), bytes);
    let stopped = recording(&mut events, |e| matches!(e, RecordingEvent::Stopped { .. })).await;
    assert_eq!(
        stopped,
        RecordingEvent::Stopped {
            manifest: manifest.clone()
        }
    );
    assert_eq!(
        engine
            .stop_recording("room", Ended::Finished)
            .await
            .unwrap(),
        None
    );

    assert_eq!(manifest.ended, Ended::Withdrawn);
    verify(&FileSource::new(dir.path()), &key(), &manifest).unwrap();
    for leg in &manifest.legs {
        assert!(leg.required && leg.parts.len() == 1);
        assert!(
            leg.gaps.iter().all(|g| g.reason == GapReason::Paused),
            "{:?}",
            leg.gaps
        );
        let mark = if leg.member == "c" { 1 } else { 2 };
        let file = read(dir.path(), &manifest, leg.leg, 1);
        assert_eq!(file.tracks[0], (1, "V_VP8".into(), Some((640, 480))));
        check(&file, mark);
    }
    drop(citizen);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_later_has_a_leg_and_who_comes_back_goes_on_with_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, mut events, citizen, agent) = call().await;
    engine
        .start_recording("room", plan(dir.path()))
        .await
        .unwrap();
    proven(&mut events).await;
    let mut guest = Client::new(3, false).await;
    let mut listener = Client::new(4, false).await;
    guest.join(&engine, "room", "g", Guest).await;
    listener.join(&engine, "room", "l", Listener).await;
    agent.hears(3, 50).await;

    citizen.close().await;
    events.ended("c").await;
    let broken = recording(&mut events, |e| {
        matches!(e, RecordingEvent::Interrupted { .. })
    })
    .await;
    let leg = 1;
    let expected = RecordingEvent::Interrupted {
        leg,
        member: "c".into(),
        reason: GapReason::LegDown,
    };
    assert_eq!(broken, expected);
    let mut again = Client::new(5, false).await;
    again.join(&engine, "room", "c", Citizen).await;
    recording(&mut events, |e| *e == RecordingEvent::Resumed).await;
    agent.hears(5, 60).await;

    engine.close_room("room").await;
    let stopped = recording(&mut events, |e| matches!(e, RecordingEvent::Stopped { .. })).await;
    let RecordingEvent::Stopped { manifest } = stopped else {
        unreachable!()
    };
    assert_eq!(manifest.ended, Ended::Closed);
    verify(&FileSource::new(dir.path()), &key(), &manifest).unwrap();
    let members: Vec<&str> = manifest.legs.iter().map(|l| l.member.as_str()).collect();
    assert_eq!(members, ["c", "a", "g"], "a listener is not recorded");
    let down = |g: &&media::record::Gap| g.reason == GapReason::LegDown && g.to_ms.is_some();
    let citizen = &manifest.legs[0];
    assert_eq!(
        citizen.gaps.iter().filter(down).count(),
        2,
        "{:?}",
        citizen.gaps
    );
    let file = read(dir.path(), &manifest, 1, 1);
    let video = of(&file, 1);
    let first = video.iter().find(|b| b.data.last() == Some(&5)).unwrap();
    assert!(first.key, "the new connection begins at a keyframe");
    assert!(
        video.windows(2).all(|w| w[0].ms < w[1].ms),
        "on the same clock"
    );
    check(&read(dir.path(), &manifest, 2, 1), 2);
}

/// Set for the process that will be killed: where it records to.
const DOOMED: &str = "CLOUD_BOOTH_TEST_RECORD_DIR";

/// Not a test by itself: the process that the next one kills.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doomed() {
    let Some(dir) = std::env::var_os(DOOMED) else {
        return;
    };
    let (engine, mut events, _citizen, agent) = call().await;
    engine
        .start_recording("room", plan(Path::new(&dir)))
        .await
        .unwrap();
    proven(&mut events).await;
    agent.forget();
    agent.hears(1, 100).await;
    println!("recorded");
    tokio::time::sleep(Duration::from_secs(60)).await; // killed long before
}

#[test]
fn killed_in_the_middle_what_was_on_disk_plays_and_the_rest_is_said_to_be_missing() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "doomed", "--nocapture"])
        .env(DOOMED, dir.path())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .any(|line| line.contains("recorded"));
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
    assert!(said);

    let manifest = recover(dir.path(), &key()).unwrap().unwrap();
    assert_eq!(manifest.ended, Ended::Crash);
    verify(&FileSource::new(dir.path()), &key(), &manifest).unwrap();
    assert_eq!(manifest.legs.len(), 2);
    for leg in &manifest.legs {
        let mark = if leg.member == "c" { 1 } else { 2 };
        check(&read(dir.path(), &manifest, leg.leg, 1), mark);
        let last = leg.gaps.last().unwrap();
        assert_eq!((last.reason, last.to_ms), (GapReason::Crash, None));
        assert_eq!(last.from_ms, leg.segments.last().unwrap().last_ms);
    }
}
