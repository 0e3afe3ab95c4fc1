//! The headless caller as a process of its own: what it sends arrives, what it says is true, and its exit codes mean what is
//! written about them.

mod files;
mod proxy;

use crate::{
    cluster::enter,
    peer::Client,
    routing::{general, rule},
    shared::{end, session_where},
    text::{slots, texts},
};
use files::MARK;
use it::{
    PATIENCE,
    county::{County, Node, Target},
    line::Line,
    people::{Agent, hall, staff},
};
use media::Kind;
use protocol::{CallMode, Command as Do, EventBody, MemberRole, SeatState};
use serde_json::{Value, json};
use std::{path::PathBuf, process::Stdio, time::SystemTime};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// The program that this test run has built.
fn booth() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().unwrap().with_file_name("booth");
    let built = path.metadata().and_then(|m| m.modified());
    let newest = newest(&it::root().join("booth-client/src"));
    assert!(
        built.is_ok_and(|b| b >= newest),
        "{} is missing or older than its source: cargo build --workspace --bins",
        path.display()
    );
    path
}

fn newest(dir: &std::path::Path) -> SystemTime {
    let entries = std::fs::read_dir(dir).unwrap().flatten();
    let times = entries.map(|e| match e.path() {
        p if p.is_dir() => newest(&p),
        p => p.metadata().unwrap().modified().unwrap(),
    });
    times.max().unwrap_or(SystemTime::UNIX_EPOCH)
}

struct Call {
    child: Child,
    _files: TempDir,
}

/// Starts a call to this address; `more` goes after the files.
fn call_to(base: &str, more: &[&str]) -> Call {
    let dir = tempfile::tempdir().unwrap();
    let (video, audio) = files::write(dir.path());
    let child = Command::new(booth())
        .args(["call", "--json", "--server", base, "--hall", &hall()])
        .arg("--video")
        .arg(video)
        .arg("--audio")
        .arg(audio)
        .args(more)
        .env_remove("BOOTH_SERVER")
        .env_remove("BOOTH_HALL")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    Call { child, _files: dir }
}

fn place(node: &Node, more: &[&str]) -> Call {
    call_to(&node.base, more)
}

impl Call {
    /// Exit code and the line of figures; the two agree.
    async fn over(self) -> (i32, Value) {
        let out = tokio::time::timeout(PATIENCE * 2, self.child.wait_with_output())
            .await
            .expect("the call ends")
            .unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        let said: Value = serde_json::from_str(&text).unwrap();
        let code = out.status.code().unwrap();
        assert_eq!(said["exit"], code, "{said}");
        (code, said)
    }
}

async fn county() -> (County, Node) {
    let county = County::new(Target::Sqlite).await;
    let node = county.start("a").await;
    (county, node)
}

/// Rung, on the line with media of its own, accepted and joined.
async fn answer(agent: &mut Agent, peer: &mut Client) -> (String, String) {
    let offer = agent.rung().await;
    enter(&mut agent.line, peer, &offer.ticket).await;
    let session = agent.accept(&offer).await;
    agent.line.join(&session, 0).await;
    (session, offer.ticket)
}

async fn said_hello(line: &mut Line) {
    line.event_where(|e| matches!(&e.body, EventBody::Chat { text } if text.contains("监测")))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_works_is_measured_on_both_sides() {
    let (county, node) = county().await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let call = place(&node, &["--seconds", "6"]);
    let mut first = Client::new(2, false).await;
    let (session, ticket) = answer(&mut agent, &mut first).await;
    // The agent knows who that is.
    said_hello(&mut agent.line).await;
    session_where(&mut agent.line, "the caller's state", |s| {
        s.members
            .iter()
            .any(|m| m.role == MemberRole::Citizen && m.mic_on && m.camera_on)
    })
    .await;
    let got = first.hears(MARK, 40).await;
    let of = |kind| got.iter().filter(move |g| g.kind == kind);
    assert!(of(Kind::Audio).all(|g| g.packet.payload[0] == files::OPUS_TOC));
    // Frames as they are in the file: a keyframe of several packets, one timestamp, the marker on its last.
    let video: Vec<_> = of(Kind::Video).collect();
    let start = &video[0].packet;
    assert_eq!(start.payload[0], 0x90, "the picture begins with a frame");
    assert_eq!(start.payload[4..14], files::KEYFRAME_HEAD);
    let frame: Vec<_> = video
        .iter()
        .take_while(|g| g.packet.header.timestamp == start.header.timestamp)
        .collect();
    let bytes: usize = frame.iter().map(|g| g.packet.payload.len() - 4).sum();
    assert_eq!(bytes, files::KEYFRAME_BYTES);
    assert!(frame.last().unwrap().packet.header.marker && !start.header.marker);

    // The file's one keyframe is long past; who comes anew gets one within seconds, since it is asked for.
    let mut second = Client::new(3, false).await;
    enter(&mut agent.line, &mut second, &ticket).await;
    let anew = second.hears(MARK, 20).await;
    let start = anew.iter().find(|g| g.kind == Kind::Video).unwrap();
    assert_eq!(start.packet.payload[4..14], files::KEYFRAME_HEAD);

    let (code, said) = call.over().await;
    assert_eq!((code, &said["outcome"]), (0, &json!("ok")), "{said}");
    assert_eq!(said["session"], json!(session));
    let ms = |k: &str| said[k].as_u64().unwrap_or_else(|| panic!("{k}: {said}"));
    assert!(ms("ticket_ms") <= ms("accepted_ms") && ms("accepted_ms") <= ms("joined_ms"));
    for k in [
        "ring_ms",
        "connected_ms",
        "accept_to_audio_ms",
        "accept_to_keyframe_ms",
    ] {
        assert!(ms(k) < 20_000, "{k}: {said}");
    }
    assert_eq!(said["transport"], "udp");
    for k in ["audio_in", "video_in", "audio_out", "video_out"] {
        assert!(said[k]["packets"].as_u64().unwrap() > 50, "{k}: {said}");
        assert!(said[k]["loss_pct"].as_f64().unwrap() < 1.0, "{k}: {said}");
    }
    assert!(said["round_trip_ms"].as_f64().is_some(), "{said}");
    assert!(said["keyframes_asked"].as_u64().unwrap() >= 1, "{said}");
    // It said goodbye: the agent need not wait for silence.
    agent.seat(SeatState::WrapUp).await;
    county.close(node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_line_may_break_and_the_mode_may_change() {
    let (county, node) = county().await;
    let proxy = proxy::Proxy::before(&node.base).await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let call = call_to(&proxy.base, &["--seconds", "8"]);
    let mut peer = Client::new(2, false).await;
    let (session, _) = answer(&mut agent, &mut peer).await;
    said_hello(&mut agent.line).await;
    proxy.cut().await;
    agent
        .line
        .event_where(|e| matches!(e.body, EventBody::MemberDropped { .. }))
        .await;
    agent
        .line
        .event_where(|e| matches!(e.body, EventBody::MemberBack { .. }))
        .await;
    let go = |to| Do::Mode {
        session: session.clone(),
        to,
    };
    // Lowered by the agent: the camera closes. Asked for again: the caller agrees.
    agent.line.command(go(CallMode::Audio)).await.unwrap();
    session_where(&mut agent.line, "the closed camera", |s| {
        s.members
            .iter()
            .any(|m| m.role == MemberRole::Citizen && m.mic_on && !m.camera_on)
    })
    .await;
    agent.line.command(go(CallMode::Video)).await.unwrap();
    session_where(&mut agent.line, "the picture's return", |s| {
        s.mode == CallMode::Video
            && s.members
                .iter()
                .any(|m| m.role == MemberRole::Citizen && m.camera_on)
    })
    .await;
    let (code, said) = call.over().await;
    assert_eq!(code, 0, "{said}");
    assert!(said["reconnects"].as_u64().unwrap() >= 1, "{said}");
    assert_eq!(
        said["rejoins"], 0,
        "sound and picture do not run over the line"
    );
    county.close(node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn media_go_over_tcp_where_it_is_asked_for() {
    let (county, node) = county().await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let call = place(&node, &["--seconds", "4", "--network", "tcp"]);
    let mut peer = Client::new(2, false).await;
    answer(&mut agent, &mut peer).await;
    peer.hears(MARK, 20).await;
    let (code, said) = call.over().await;
    assert_eq!((code, &said["transport"]), (0, &json!("tcp")), "{said}");
    county.close(node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typing_alone_needs_no_media() {
    let (county, node) = county().await;
    slots(&node, "general", 2).await;
    let seat = Agent::sit(&node, "agent1", "seat-1").await;
    let mut lanes = texts(&seat, &["general"]).await;
    let agent = &mut lanes[0];
    let call = place(&node, &["--seconds", "3", "--mode", "text"]);
    let offer = agent.rung().await;
    let session = agent.accept(&offer).await;
    agent.line.join(&session, 0).await;
    said_hello(&mut agent.line).await;
    let (code, said) = call.over().await;
    assert_eq!((code, &said["transport"]), (0, &Value::Null), "{said}");
    county.close(node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_served_says_why() {
    let (county, node) = county().await;
    // Nobody is there; and the place in line is given back.
    let (code, said) = place(&node, &[]).over().await;
    assert_eq!((code, &said["outcome"]), (13, &json!("no_seat_on_duty")));

    // Somebody is there, and does not answer.
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let call = place(&node, &["--answer-within", "5"]);
    let offer = agent.rung().await;
    let (code, said) = call.over().await;
    assert_eq!((code, &said["outcome"]), (14, &json!("not_answered")));
    assert!(said["ring_ms"].is_u64() && said["accepted_ms"].is_null());
    // It rings for nobody any more.
    agent.seat(SeatState::Ready).await;
    let late = agent
        .http
        .post::<Value>(&format!("/pairings/{}/accept", offer.pairing), json!({}))
        .await
        .unwrap_err();
    assert_eq!(late.code, "offer_over");

    let boss = staff(&node, "supervisor").await;
    let closed = general(json!({"hours": [{"days": "all", "from": "00:00", "to": "00:01"}]}));
    rule(&boss, "general", closed).await;
    let (code, said) = place(&node, &[]).over().await;
    assert_eq!((code, &said["code"]), (12, &json!("queue_closed")));
    let (code, said) = place(&node, &["--item", "none-such"]).over().await;
    assert_eq!((code, &said["code"]), (11, &json!("item_unknown")));

    let base = node.base.clone();
    county.close(node).await;
    let (code, said) = call_to(&base, &[]).over().await;
    assert_eq!((code, &said["outcome"]), (10, &json!("server_unreachable")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_without_the_other_s_media_is_no_call() {
    let (county, node) = county().await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    // Accepted and entered by somebody whose microphone is on and from whom nothing comes.
    let call = place(&node, &["--seconds", "4"]);
    let offer = agent.rung().await;
    let session = agent.accept(&offer).await;
    agent.line.join(&session, 0).await;
    let (code, said) = call.over().await;
    assert_eq!((code, &said["outcome"]), (15, &json!("media_failed")));
    assert!(
        said["detail"].as_str().unwrap().contains("no sound"),
        "{said}"
    );
    agent.seat(SeatState::WrapUp).await;
    county.close(node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_talk_that_the_other_side_breaks_off() {
    let (county, node) = county().await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let call = place(&node, &["--seconds", "60"]);
    let mut peer = Client::new(2, false).await;
    let (session, _) = answer(&mut agent, &mut peer).await;
    said_hello(&mut agent.line).await;
    end(&agent.http, &session, "technical").await;
    let (code, said) = call.over().await;
    assert_eq!(
        (code, &said["outcome"], &said["end_reason"]),
        (16, &json!("broke_off"), &json!("technical"))
    );
    county.close(node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_are_not_right_are_refused_before_anybody_is_called() {
    let nobody = "http://127.0.0.1:9";
    let dir = tempfile::tempdir().unwrap();
    let wrong = dir.path().join("wrong.ivf");
    std::fs::write(&wrong, b"RIFF....WAVE").unwrap();
    let run = |args: &[&str]| Command::new(booth()).args(args).output();
    let out = run(&["call", "--server", nobody, "--mode", "audio"])
        .await
        .unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    assert_eq!(out.status.code(), Some(2));
    assert!(
        text.contains("--audio") && text.contains("参数或文件不对"),
        "{text}"
    );
    let path = wrong.to_str().unwrap();
    let out = run(&[
        "call", "--json", "--server", nobody, "--video", path, "--audio", path,
    ])
    .await
    .unwrap();
    let said: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!((out.status.code(), &said["exit"]), (Some(2), &json!(2)));
    assert!(
        said["detail"].as_str().unwrap().contains("not an IVF file"),
        "{said}"
    );
    // Help says that a real queue is joined, and what the codes mean.
    let help = run(&["call", "--help"]).await.unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for word in ["占用真实队列", "real queue", "Exit codes", "13"] {
        assert!(help.contains(word), "{word}: {help}");
    }
}
