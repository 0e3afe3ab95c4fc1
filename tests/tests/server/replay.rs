//! Replay: who may, what bytes they get, what the timeline says, and that it is noted.

use crate::{
    recording::{Scene, row, scene, sealed},
    shared::{Items, end, put},
    snapshots::snap,
};
use domain::id::{Id as _, RecordingId, ReplayId};
use futures::StreamExt as _;
use it::{
    PATIENCE,
    county::{Node, named},
    http::{Http, answer, key},
    people::{hall, staff},
};
use media::record::{FileSource, Manifest, PartReader};
use protocol::{
    Problem, RecordingLine, RecordingPage, RecordingState, ReplayMark, ReplayNote, ReplayPart,
    ReplayView, SignedManifest,
};
use reqwest::{Method, Response, StatusCode, header};
use serde_json::{Value, json};
use signaling::app::{recording, replay::parts};
use std::time::Instant;

const PURPOSE: &str = "核对投诉 2026-118";

/// A replay as its player has it.
pub struct Opened {
    pub view: ReplayView,
    /// `name=value`
    pub cookie: String,
    /// The rest of it.
    pub attributes: String,
}

pub async fn open_as(http: &Http, key: &str, id: &str, purpose: &str) -> Result<Opened, Problem> {
    let r = http
        .request(Method::POST, &format!("/recordings/{id}/replays"))
        .header("idempotency-key", key)
        .json(&json!({"purpose": purpose}))
        .send()
        .await
        .unwrap();
    let set = r.headers().get(header::SET_COOKIE).cloned();
    let view = answer(r).await?;
    let set = set.unwrap().to_str().unwrap().to_owned();
    let (cookie, attributes) = set.split_once(';').unwrap();
    Ok(Opened {
        view,
        cookie: cookie.to_owned(),
        attributes: attributes.to_owned(),
    })
}

pub async fn open(http: &Http, id: &str) -> Result<Opened, Problem> {
    open_as(http, &key(), id, PURPOSE).await
}

/// As a player asks: by the address that it was given, with the cookie alone.
pub async fn fetch(
    node: &Node,
    method: Method,
    src: &str,
    cookie: &str,
    range: Option<&str>,
) -> Response {
    let path = src.strip_prefix("/api/v1").unwrap();
    let mut r = node.http().request(method, path);
    if !cookie.is_empty() {
        r = r.header(header::COOKIE, cookie);
    }
    if let Some(range) = range {
        r = r.header(header::RANGE, range);
    }
    r.send().await.unwrap()
}

async fn refused(node: &Node, src: &str, cookie: &str) -> (u16, String) {
    let r = fetch(node, Method::GET, src, cookie, None).await;
    let p = answer::<Value>(r).await.unwrap_err();
    (p.status, p.code)
}

fn value(r: &Response, name: header::HeaderName) -> String {
    let v = r.headers().get(name);
    v.map(|v| v.to_str().unwrap().to_owned())
        .unwrap_or_default()
}

/// A recording of a call with a few words in it, signed.
pub async fn recorded(node: &Node) -> (Scene, String) {
    let mut s = Box::pin(scene(node)).await;
    s.citizen.line.chat(&s.session, "您好").await;
    let r = s.live().await;
    s.theirs.forget();
    s.theirs.hears(1, 60).await;
    s.agent.line.chat(&s.session, "请看镜头").await;
    end(&s.agent.http, &s.session, "finished").await;
    sealed(node, &r.id).await;
    (s, r.id)
}

pub async fn lines(http: &Http, query: &str) -> Result<RecordingPage, Problem> {
    http.get(&format!("/recordings{query}")).await
}

/// The bytes of a part as the recording's own reader gives them.
async fn original(node: &Node, id: &str, leg: u16, part: u32) -> (Vec<u8>, &'static str) {
    let r = row(node, id).await;
    let doc: Value = serde_json::from_str(r.manifest.as_ref().unwrap()).unwrap();
    let manifest: Manifest = serde_json::from_value(doc["media"].clone()).unwrap();
    let (app, key_id) = (node.app().clone(), r.key_id.clone());
    let key = node
        .app()
        .read(move |tx| Box::pin(async move { app.vault.recording_key(tx, &key_id).await }))
        .await
        .unwrap();
    let files = FileSource::new(recording::folder(node.app(), &r.id));
    let mut reader = PartReader::open(files, &key, &manifest, leg, part).unwrap();
    let kind = reader.content_type();
    (reader.read_range(0, u64::MAX).unwrap(), kind)
}

/// What the audit says of an object: what was done, and its detail.
pub async fn audited(node: &Node, object: &str) -> Vec<(String, Value)> {
    let object = object.to_owned();
    let all = node
        .app()
        .read(move |tx| Box::pin(async move { Ok(store::audit::of_object(tx, &object).await?) }))
        .await
        .unwrap();
    all.into_iter()
        .map(|e| (e.action, serde_json::from_str(&e.detail).unwrap()))
        .collect()
}

/// The replay once its chain has been read.
async fn checked(http: &Http, id: &str) -> ReplayView {
    let start = Instant::now();
    loop {
        let v: ReplayView = http.get(&format!("/replays/{id}")).await.unwrap();
        if v.integrity != "unchecked" {
            return v;
        }
        assert!(start.elapsed() < PATIENCE, "nobody has checked it");
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    }
}

both!(who_keeps_the_hall_replays_byte_by_byte, |county| {
    let node = county.start("a").await;
    let (s, id) = Box::pin(recorded(&node)).await;
    let boss = staff(&node, "supervisor").await;
    let page = lines(&boss, "").await.unwrap();
    assert_eq!((page.items.len(), page.next), (1, None));
    let line: &RecordingLine = &page.items[0];
    assert_eq!(
        (line.id.as_str(), line.state),
        (id.as_str(), RecordingState::Sealed)
    );
    assert_eq!(
        (line.session.as_str(), line.hall.as_str()),
        (s.session.as_str(), hall().as_str())
    );
    assert!(!line.held && line.delete_at.is_some() && line.agent.zh == "李敏");

    // By a part of its case's number: this one has none.
    assert_eq!(lines(&boss, "?number=").await.unwrap().items.len(), 1);
    assert_eq!(lines(&boss, "?number=4309").await.unwrap().items.len(), 0);
    let long = lines(&boss, "?number=123456789012345678901").await;
    assert_eq!(long.unwrap_err().code, "body_invalid");

    for (purpose, code) in [(" x ", "purpose_invalid"), ("", "purpose_invalid")] {
        let r = open_as(&boss, &key(), &id, purpose).await;
        assert_eq!(r.err().unwrap().code, code);
    }
    let o = open(&boss, &id).await.unwrap();
    let v = &o.view;
    let path = format!("Path=/api/v1/replays/{}/", v.id);
    for a in ["HttpOnly", "SameSite=Strict", path.as_str(), "Max-Age=7200"] {
        assert!(o.attributes.contains(a), "{}", o.attributes);
    }
    assert!(
        !o.attributes.contains("Secure"),
        "a county of the tests is on loopback"
    );
    let roles: Vec<_> = v.legs.iter().map(|l| l.role.as_str()).collect();
    assert_eq!(roles, ["citizen", "agent"]);
    assert_eq!(
        (v.legs[0].name.zh.as_str(), v.legs[1].name.zh.as_str()),
        ("办事人", "李敏")
    );
    assert!(v.duration_ms > 0 && v.legs.iter().all(|l| l.parts.len() == 1));

    let part: &ReplayPart = &v.legs[0].parts[0];
    assert_eq!(part.content_type, "video/webm; codecs=\"vp8,opus\"");
    assert_eq!(
        (part.video, part.width, part.height),
        (true, Some(640), Some(480))
    );
    let (bytes, kind) = original(&node, &id, 1, 1).await;
    let length = bytes.len();
    let whole = fetch(&node, Method::GET, &part.src, &o.cookie, None).await;
    assert_eq!(whole.status(), StatusCode::OK);
    assert_eq!(value(&whole, header::CONTENT_TYPE), kind);
    assert_eq!(value(&whole, header::CONTENT_LENGTH), length.to_string());
    assert_eq!(value(&whole, header::ACCEPT_RANGES), "bytes");
    assert_eq!(value(&whole, header::CACHE_CONTROL), "no-store");
    assert!(whole.headers().get(header::ETAG).is_none());
    assert_eq!(whole.bytes().await.unwrap(), bytes, "byte by byte");
    for (range, from, to) in [
        ("bytes=0-0".to_owned(), 0, 1),
        ("bytes=100-1099".to_owned(), 100, 1_100),
        (format!("bytes={}-", length - 7), length - 7, length),
        ("bytes=-33".to_owned(), length - 33, length),
        (format!("bytes=5-{}", length + 500), 5, length),
    ] {
        let r = fetch(&node, Method::GET, &part.src, &o.cookie, Some(&range)).await;
        assert_eq!(r.status(), StatusCode::PARTIAL_CONTENT, "{range}");
        let told = format!("bytes {from}-{}/{length}", to - 1);
        assert_eq!(value(&r, header::CONTENT_RANGE), told);
        assert_eq!(r.bytes().await.unwrap(), bytes[from..to], "{range}");
    }
    let beyond = format!("bytes={length}-");
    let r = fetch(&node, Method::GET, &part.src, &o.cookie, Some(&beyond)).await;
    assert_eq!(r.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(
        value(&r, header::CONTENT_RANGE),
        format!("bytes */{length}")
    );
    let r = fetch(&node, Method::HEAD, &part.src, &o.cookie, None).await;
    assert_eq!(
        (r.status(), value(&r, header::CONTENT_LENGTH)),
        (StatusCode::OK, length.to_string())
    );
    assert!(r.bytes().await.unwrap().is_empty());
    let none = format!("/api/v1/replays/{}/legs/1/parts/9", v.id);
    assert_eq!(
        refused(&node, &none, &o.cookie).await,
        (404, "recording_part_unknown".into())
    );

    // The cookie is for this replay alone, and a token is no cookie.
    assert_eq!(
        refused(&node, &part.src, "").await,
        (401, "signed_out".into())
    );
    let second = open(&boss, &id).await.unwrap();
    assert_eq!(
        refused(&node, &part.src, &second.cookie).await,
        (404, "not_found".into())
    );
    let path = part.src.strip_prefix("/api/v1").unwrap();
    let by_token: Problem = boss.get::<Value>(path).await.unwrap_err();
    assert_eq!(by_token.code, "signed_out");
    // The same command again: the same replay, and a new secret instead of the old one.
    let k = key();
    let first = open_as(&boss, &k, &id, PURPOSE).await.unwrap();
    let again = open_as(&boss, &k, &id, PURPOSE).await.unwrap();
    assert_eq!(first.view.id, again.view.id);
    let src = &first.view.legs[0].parts[0].src;
    assert_eq!(refused(&node, src, &first.cookie).await.0, 404);
    let r = fetch(&node, Method::HEAD, src, &again.cookie, None).await;
    assert_eq!(r.status(), StatusCode::OK);

    // Every replay is noted, and its reason is the keepers' to read.
    let all = audited(&node, &id).await;
    let replays: Vec<_> = all
        .iter()
        .filter(|(a, _)| a == "recording.replayed")
        .collect();
    assert_eq!(replays.len(), 3);
    let text = serde_json::to_string(&all).unwrap();
    assert!(!text.contains("投诉"), "no words of people in the audit");
    let notes: Items<ReplayNote> = boss
        .get(&format!("/recordings/{id}/replays"))
        .await
        .unwrap();
    let told: Vec<_> = notes
        .items
        .iter()
        .map(|n| (n.purpose.as_deref(), n.name.as_str()))
        .collect();
    assert_eq!(told, [(Some(PURPOSE), "杨帆"); 3]);

    // Two hours, then no more.
    assert_eq!(checked(&boss, &v.id).await.integrity, "valid");
    node.sql("UPDATE replays SET opened_at = 1, expires_at = 2")
        .await;
    assert_eq!(
        refused(&node, &part.src, &o.cookie).await,
        (401, "replay_over".into())
    );
    let p = boss
        .get::<Value>(&format!("/replays/{}", v.id))
        .await
        .unwrap_err();
    assert_eq!(p.code, "replay_over");
    county.close(node).await;
});

both!(nobody_else_learns_that_it_is_there, |county| {
    let node = county.start("a").await;
    let (s, id) = Box::pin(recorded(&node)).await;
    // The agent who guided, another hall's supervisor, a reviewer without the case, the citizen.
    let far = staff(&node, "supervisor2").await;
    for http in [&s.agent.http, &far, &staff(&node, "reviewer1").await] {
        assert_eq!(
            open(http, &id).await.err().unwrap().code,
            "recording_not_found"
        );
        let p = http
            .get::<Value>(&format!("/recordings/{id}/manifest"))
            .await;
        assert_eq!(p.unwrap_err().code, "recording_not_found");
    }
    assert_eq!(
        open(&s.citizen.http, &id).await.err().unwrap().code,
        "role_missing"
    );
    assert_eq!(
        lines(&s.agent.http, "").await.unwrap_err().code,
        "role_missing"
    );
    assert_eq!(
        lines(&s.citizen.http, "").await.unwrap_err().code,
        "role_missing"
    );
    let here = format!("?hall={}", hall());
    assert_eq!(lines(&far, &here).await.unwrap_err().code, "role_missing");
    assert!(lines(&far, "").await.unwrap().items.is_empty());
    let body = json!({"on": true, "reason": "x", "version": 1});
    let p = put::<Value>(&far, &format!("/recordings/{id}/hold"), &body).await;
    assert_eq!(p.unwrap_err().code, "recording_not_found");
    let unknown = RecordingId::make(1, 1);
    let boss = staff(&node, "supervisor").await;
    assert_eq!(
        open(&boss, unknown.as_str()).await.err().unwrap().code,
        "recording_not_found"
    );
    // Who goes to another hall while they look sees no more, token or not.
    let o = open(&boss, &id).await.unwrap();
    let moved = node
        .app()
        .write("test", |tx, _| {
            Box::pin(async move {
                let far =
                    domain::id::HallId::parse(&named::<domain::id::HallId>("hall", "nanxian"));
                let mut s = store::staff::by_account(tx, "supervisor").await?.unwrap();
                s.hall_id = far.unwrap();
                Ok(store::staff::upsert(tx, &s).await?)
            })
        })
        .await;
    moved.unwrap();
    let src = &o.view.legs[0].parts[0].src;
    assert_eq!(
        refused(&node, src, &o.cookie).await,
        (404, "recording_not_found".into())
    );
    let p = boss.get::<Value>(&format!("/replays/{}", o.view.id)).await;
    assert_eq!(p.unwrap_err().code, "recording_not_found");
    county.close(node).await;
});

fn at<'a>(marks: &'a [ReplayMark], zh: &str) -> &'a ReplayMark {
    let found = marks.iter().find(|m| m.text.zh.contains(zh));
    found.unwrap_or_else(|| panic!("{zh}: {marks:#?}"))
}

both!(the_timeline_is_in_order_and_masked, |county| {
    let node = county.start("a").await;
    let mut s = Box::pin(scene(&node)).await;
    s.citizen.line.chat(&s.session, "您好").await;
    let r = s.live().await;
    let path = format!("/sessions/{}/notes", s.session);
    let note = json!({"text": "内部备注的内容"});
    let _: Value = s.agent.http.post(&path, note).await.unwrap();
    s.agent.line.chat(&s.session, "请看镜头").await;
    let picture = snap(&s, 1).await.unwrap();
    s.theirs.forget();
    s.theirs.hears(1, 60).await;
    end(&s.agent.http, &s.session, "finished").await;
    sealed(&node, &r.id).await;
    let boss = staff(&node, "supervisor").await;
    let v = open(&boss, &r.id).await.unwrap().view;
    let marks = &v.timeline;
    assert!(marks.windows(2).all(|w| w[0].at_ms <= w[1].at_ms));
    let (hello, look) = (at(marks, "您好"), at(marks, "请看镜头"));
    assert!(hello.at_ms < 0 && look.at_ms >= 0, "{hello:?} {look:?}");
    assert_eq!(
        (hello.kind.as_str(), hello.actor.as_deref()),
        ("chat", Some(v.legs[0].member.as_str()))
    );
    assert_eq!(look.actor.as_deref(), Some(v.legs[1].member.as_str()));
    let (asked, agreed) = (at(marks, "请办事人同意"), at(marks, "办事人同意录音录像"));
    assert!(asked.at_ms <= agreed.at_ms && agreed.at_ms <= 0 && agreed.kind == "consent");
    let proven = at(marks, "已写入磁盘");
    assert!(proven.at_ms >= 0 && proven.at_ms <= look.at_ms && proven.kind == "recording");
    let taken = at(marks, "抓拍");
    assert_eq!(
        (taken.kind.as_str(), taken.object.as_deref()),
        ("snapshot", Some(picture.id.as_str()))
    );
    assert_eq!(Some(taken.at_ms), picture.at_ms);
    assert_eq!(at(marks, "内部备注").kind, "chat");
    assert!(at(marks, "通话结束").at_ms >= taken.at_ms);
    let text = serde_json::to_string(marks).unwrap();
    assert!(
        !text.contains("内部备注的内容"),
        "a note's words are not on it"
    );
    assert!(
        marks
            .iter()
            .all(|m| !m.text.zh.is_empty() && !m.text.en.is_empty())
    );

    // What was signed names the picture, and can be checked by whoever has it.
    let signed: SignedManifest = boss
        .get(&format!("/recordings/{}/manifest", r.id))
        .await
        .unwrap();
    let doc: Value = serde_json::from_str(&signed.manifest).unwrap();
    assert_eq!(doc["snapshots"][0]["sm3"], json!(picture.sm3));
    assert_eq!(
        (signed.signature.len(), signed.public_key.len()),
        (128, 130)
    );

    // The visit's data is erased: words are gone, the recording and its own marks stay.
    node.sql("UPDATE visits SET state = 'ended', ended_at = 1, erase_at = 2")
        .await;
    signaling::jobs::sweep(node.app()).await.unwrap();
    let v: ReplayView = open(&boss, &r.id).await.unwrap().view;
    let text = serde_json::to_string(&v.timeline).unwrap();
    assert!(!text.contains("您好") && !text.contains("请看镜头"));
    assert!(at(&v.timeline, "已随到访数据删除").kind == "recording");
    assert_eq!(at(&v.timeline, "已写入磁盘").at_ms, proven.at_ms);
    county.close(node).await;
});

/// The next piece of a part whose first byte is long out.
async fn next(node: &Node, part: parts::Part) -> std::io::Result<usize> {
    let length = part.length();
    let mut pieces = Box::pin(part.bytes(node.app().clone(), 0..length));
    let piece = pieces.next().await.expect("a part is not empty");
    piece.map(|p| p.len())
}

both!(
    an_answer_ends_where_the_right_to_it_ends_and_where_the_recording_does,
    |county| {
        let node = county.start("a").await;
        let (_s, id) = Box::pin(recorded(&node)).await;
        let boss = staff(&node, "supervisor").await;
        let o = open(&boss, &id).await.unwrap();
        let (_, secret) = o.cookie.split_once('=').unwrap();
        let replay = ReplayId::parse(&o.view.id).unwrap();
        let begun = async || {
            parts::open(node.app(), secret, replay.clone(), 1, 1)
                .await
                .unwrap()
        };
        let (fine, moved, gone) = (begun().await, begun().await, begun().await);
        assert!(next(&node, fine).await.unwrap() > 0);
        let away = "UPDATE staff SET roles = '[]' WHERE account = 'supervisor'";
        let back = "UPDATE staff SET roles = '[\"supervisor\"]' WHERE account = 'supervisor'";
        assert_eq!(node.sql(away).await, 1);
        let e = next(&node, moved).await.unwrap_err();
        assert_eq!(e.to_string(), "recording_not_found");
        node.sql(back).await;
        node.sql("UPDATE recordings SET ended_at = 2, delete_at = 1")
            .await;
        signaling::jobs::sweep(node.app()).await.unwrap();
        let e = next(&node, gone).await.unwrap_err();
        assert_eq!(e.to_string(), "recording_deleted");
        county.close(node).await;
    }
);

both!(what_was_changed_on_disk_is_not_played, |county| {
    let node = county.start("a").await;
    let (_s, id) = Box::pin(recorded(&node)).await;
    let dir = recording::folder(node.app(), &RecordingId::parse(&id).unwrap());
    let file = dir.join("leg-01-000001.seg");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let boss = staff(&node, "supervisor").await;
    let o = open(&boss, &id).await.unwrap();
    assert_eq!(checked(&boss, &o.view.id).await.integrity, "broken");
    let src = |leg: usize| &o.view.legs[leg].parts[0].src;
    assert_eq!(
        refused(&node, src(0), &o.cookie).await,
        (500, "recording_not_genuine".into())
    );
    let r = fetch(&node, Method::GET, src(1), &o.cookie, None).await;
    assert_eq!(r.status(), StatusCode::OK, "the other leg is whole");
    county.close(node).await;
});
