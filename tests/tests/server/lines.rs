//! The WebSocket's manners: who gets in, what is ignored, what is refused, who is cut.

use it::{
    PATIENCE,
    county::{County, Node, Target},
    http::key,
    line::{Line, request, ticket},
    people::{Agent, Citizen, call},
};
use protocol::{ClientFrame, Command, EventBody, Language, ReplyResult, ServerFrame, SessionState};
use std::time::Instant;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};
use tokio_tungstenite::{
    client_async,
    tungstenite::{Message, http::HeaderValue},
};

async fn one() -> (County, Node) {
    let county = County::new(Target::Sqlite).await;
    let node = county.start("a").await;
    (county, node)
}

fn chat(session: &str, text: &str) -> Command {
    Command::Chat {
        session: session.into(),
        text: text.into(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_lets_in_once_and_from_our_own_pages_alone() {
    let (county, node) = one().await;
    let citizen = Citizen::arrive(&node).await;
    let why = |r: Result<Line, _>| r.err().unwrap();
    let none = Line::connect(request(&node.base, None)).await;
    assert_eq!(why(none), (401, "signed_out".into()));
    let wrong = Line::connect(request(&node.base, Some("guess"))).await;
    assert_eq!(why(wrong), (401, "signed_out".into()));
    let t = ticket(&citizen.http).await;
    // A foreign page does not even use the ticket up.
    let mut foreign = request(&node.base, Some(&t));
    foreign
        .headers_mut()
        .insert("origin", HeaderValue::from_static("https://evil.example"));
    assert_eq!(
        why(Line::connect(foreign).await),
        (403, "origin_refused".into())
    );
    let mut ours = request(&node.base, Some(&t));
    ours.headers_mut()
        .insert("origin", HeaderValue::from_str(&node.base).unwrap());
    let first = Line::connect(ours).await;
    assert!(first.is_ok());
    let again = Line::connect(request(&node.base, Some(&t))).await;
    assert_eq!(why(again), (401, "signed_out".into()));
    county.close(node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hello_comes_first_in_a_version_that_both_speak() {
    let (county, node) = one().await;
    let citizen = Citizen::arrive(&node).await;
    let connect = || async {
        let t = ticket(&citizen.http).await;
        Line::connect(request(&node.base, Some(&t))).await.unwrap()
    };
    let mut silent = connect().await;
    silent.send(&ClientFrame::Ping { n: 1 }).await;
    assert_eq!(silent.problem().await.code, "hello_expected");
    silent.ended().await;
    let mut old = connect().await;
    old.hello(vec![0, 7]).await;
    assert_eq!(old.problem().await.code, "version_unsupported");
    old.ended().await;
    let mut good = connect().await;
    good.hello(vec![9, 1]).await;
    let (version, limits) = good
        .until("welcome", |f| match f {
            ServerFrame::Welcome {
                version, limits, ..
            } => Some((*version, *limits)),
            _ => None,
        })
        .await;
    assert_eq!((version, limits.message_bytes), (1, 256 * 1024));
    county.close(node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_answered_and_the_line_stays() {
    let (county, node) = one().await;
    let mut line = Citizen::arrive(&node).await.line;
    for text in [
        r#"{"type": "dance"}"#,
        "{",
        "",
        "[]",
        r#"{"type": "command", "id": "a", "command": {"kind": "fly"}}"#,
        r#"{"type": "hello", "versions": [1]}"#,
    ] {
        line.text(text).await;
        let p = line.problem().await;
        assert_eq!(
            (p.status, p.code.as_str()),
            (400, "frame_unknown"),
            "{text}"
        );
        assert_eq!(p.title, "Unknown message");
    }
    line.message(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(line.problem().await.code, "frame_unknown");
    // A field of a later version is ignored.
    line.text(r#"{"type": "ping", "n": 5, "colour": "red"}"#)
        .await;
    line.until("pong", |f| {
        matches!(f, ServerFrame::Pong { n: 5 }).then_some(())
    })
    .await;
    // Objects that are another's, or nobody's.
    line.send(&ClientFrame::WatchTicket {
        ticket: "tkt_00000000000000000000000000".into(),
    })
    .await;
    assert_eq!(line.problem().await.code, "not_found");
    let p = line.command(chat("ses_nowhere", "hi")).await.unwrap_err();
    assert_eq!(p.code, "not_a_member");
    line.message(Message::text("x".repeat(300 * 1024)))
        .await
        .unwrap();
    line.ended().await;
    county.close(node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_language_of_hello_is_that_of_the_problems() {
    let (county, node) = one().await;
    let citizen = Citizen::arrive(&node).await;
    let t = ticket(&citizen.http).await;
    let mut line = Line::connect(request(&node.base, Some(&t))).await.unwrap();
    line.send(&ClientFrame::Hello {
        versions: vec![1],
        language: Language::Zh,
        client: String::new(),
    })
    .await;
    line.text("{}").await;
    assert_eq!(line.problem().await.title, "不认识的消息");
    county.close(node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_commands_are_slowed_down() {
    let (county, node) = one().await;
    let mut line = Citizen::arrive(&node).await.line;
    // In one burst, so that it falls into a second or two.
    for i in 0..200 {
        let command = chat("ses_nowhere", "hi");
        line.send(&ClientFrame::Command {
            id: format!("c{i}"),
            command,
        })
        .await;
    }
    let mut codes = vec![];
    for i in 0..200 {
        codes.push(line.reply(&format!("c{i}")).await.unwrap_err().code);
    }
    assert!(codes[..50].iter().all(|c| c == "not_a_member"));
    assert!(codes.iter().any(|c| c == "slow_down"));
    // And it passes.
    let start = Instant::now();
    while line
        .command(chat("ses_nowhere", "hi"))
        .await
        .unwrap_err()
        .code
        == "slow_down"
    {
        assert!(start.elapsed() < PATIENCE);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    county.close(node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commands_key_works_once() {
    let (county, node) = one().await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&node).await;
    let (session, _) = call(&mut citizen, &mut agent).await;
    let id = key();
    for _ in 0..3 {
        citizen
            .line
            .command_as(&id, chat(&session, "once"))
            .await
            .unwrap();
    }
    let other = citizen.line.command_as(&id, chat(&session, "twice")).await;
    assert_eq!(other.unwrap_err().code, "key_reused");
    // Another connection of the same person knows the key as well.
    citizen.reconnect(&node).await;
    let all = citizen.line.join(&session, 0).await;
    citizen
        .line
        .command_as(&id, chat(&session, "once"))
        .await
        .unwrap();
    let said: Vec<_> = all
        .events
        .iter()
        .filter(|e| matches!(e.body, EventBody::Chat { .. }))
        .collect();
    assert_eq!(said.len(), 1);
    // A refused command may be tried again under its id.
    let long = "x".repeat(2_001);
    let id = key();
    let r = citizen.line.command_as(&id, chat(&session, &long)).await;
    assert_eq!(r.unwrap_err().code, "field_too_long");
    citizen
        .line
        .command_as(&id, chat(&session, "short"))
        .await
        .unwrap();
    let bad = citizen
        .line
        .command_as(&"k".repeat(65), chat(&session, "x"))
        .await;
    assert_eq!(bad.unwrap_err().code, "key_invalid");
    county.close(node).await;
}

/// A reader that never reads: the server holds one frame and the socket's buffers for it, then lets go.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_does_not_read_is_cut() {
    let (county, node) = one().await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&node).await;
    let (session, _) = call(&mut citizen, &mut agent).await;
    for _ in 0..45 {
        agent.line.chat(&session, &"长".repeat(2_000)).await;
    }
    let small = TcpSocket::new_v4().unwrap();
    small.set_recv_buffer_size(4_096).unwrap();
    let stream = small
        .connect(node.base["http://".len()..].parse().unwrap())
        .await
        .unwrap();
    let t = ticket(&citizen.http).await;
    let (mut socket, _) = client_async(request(&node.base, Some(&t)), stream)
        .await
        .unwrap();
    use futures::SinkExt as _;
    let hello = r#"{"type": "hello", "versions": [1]}"#;
    socket.send(Message::text(hello)).await.unwrap();
    // Each answer holds the whole journal, 270 KB; the kernel's buffers take some megabytes.
    for i in 0..45 {
        let join = format!(
            r#"{{"type": "command", "id": "j{i}", "command": {{"kind": "join", "session": "{session}"}}}}"#
        );
        // The server has stopped reading, or has cut the line already: both are what is wanted.
        if socket.send(Message::text(join)).await.is_err() {
            break;
        }
    }
    // Until the buffers are full, and ten seconds more.
    agent.line.patience = 2 * PATIENCE;
    agent
        .line
        .event_where(|e| matches!(e.body, EventBody::MemberDropped { .. }))
        .await;
    agent.line.session_state(SessionState::Reconnecting).await;
    drop(socket);
    county.close(node).await;
}

/// Half a header, and then nothing (slow loris).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_header_is_not_waited_for() {
    let (county, node) = one().await;
    let mut s = TcpStream::connect(&node.base["http://".len()..])
        .await
        .unwrap();
    s.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        .await
        .unwrap();
    let start = Instant::now();
    let mut rest = vec![];
    tokio::time::timeout(PATIENCE, s.read_to_end(&mut rest))
        .await
        .expect("the connection stays open")
        .unwrap();
    assert!(start.elapsed().as_secs() >= 5, "the limit is ten seconds");
    assert!(!rest.starts_with(b"HTTP/1.1 200"));
    county.close(node).await;
}

/// The server's stop is told, and noted as a drop and not as an end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_ends_the_lines_and_keeps_the_session() {
    let (county, node) = one().await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&node).await;
    let (session, _) = call(&mut citizen, &mut agent).await;
    node.stop().await;
    assert_eq!(citizen.line.ended().await, 1012);
    assert_eq!(agent.line.ended().await, 1012);
    let node = county.start("a").await;
    citizen.reconnect(&node).await;
    let back = citizen.line.join(&session, 0).await;
    assert_eq!(back.session.state, SessionState::Reconnecting);
    agent.http = agent.http.at(&node.base);
    agent.line = Line::open(&agent.http).await;
    agent.line.join(&session, 0).await;
    citizen.line.session_state(SessionState::Active).await;
    let r = citizen.line.command(chat(&session, "back")).await;
    assert!(r.is_ok());
    let dropped = back
        .events
        .iter()
        .filter(|e| matches!(e.body, EventBody::MemberDropped { .. }))
        .count();
    assert_eq!(dropped, 2);
    county.close(node).await;
}

/// So that the enum's shape on the wire stays what the documents say.
#[test]
fn a_reply_is_either_ok_or_a_problem() {
    let ok: ReplyResult = serde_json::from_str(r#"{"ok": {"kind": "done"}}"#).unwrap();
    assert!(matches!(ok, ReplyResult::Ok { .. }));
}
