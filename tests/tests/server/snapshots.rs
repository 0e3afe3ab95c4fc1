//! Snapshots: who takes them, what is kept, what is refused.

use crate::{
    recording::{Scene, scene, sealed},
    replay::{audited, open},
    shared::{Items, end, look},
};
use it::{
    county::Node,
    http::{answer, key},
    people::staff,
};
use protocol::{Command, EventBody, MemberRole, Problem, SessionEvent, SnapshotView};
use reqwest::{
    Method, StatusCode, header,
    multipart::{Form, Part},
};
use serde_json::Value;
use std::io::Cursor;

fn png(w: u32, h: u32, grey: u8) -> Vec<u8> {
    let mut out = vec![];
    image::GrayImage::from_pixel(w, h, image::Luma([grey]))
        .write_to(&mut Cursor::new(&mut out), image::ImageFormat::Png)
        .unwrap();
    out
}

async fn post(
    http: &it::http::Http,
    session: &str,
    key: &str,
    member: &str,
    bytes: Vec<u8>,
) -> Result<SnapshotView, Problem> {
    let form = Form::new()
        .text("member", member.to_owned())
        .part("image", Part::bytes(bytes).file_name("still.png"));
    let r = http
        .request(Method::POST, &format!("/sessions/{session}/snapshots"))
        .header("idempotency-key", key)
        .multipart(form)
        .send()
        .await
        .unwrap();
    answer(r).await
}

async fn citizen(s: &Scene) -> String {
    let seen = look(&s.agent.http, &s.session).await;
    let found = seen
        .members
        .into_iter()
        .find(|m| m.role == MemberRole::Citizen);
    found.unwrap().id
}

/// The agent takes a picture of the citizen.
pub async fn snap(s: &Scene, n: u8) -> Result<SnapshotView, Problem> {
    post(
        &s.agent.http,
        &s.session,
        &key(),
        &citizen(s).await,
        png(640, 480, n),
    )
    .await
}

both!(
    the_agent_takes_a_picture_and_the_citizen_sees_that_it_was_taken,
    |county| {
        let node = county.start("a").await;
        let mut s = Box::pin(scene(&node)).await;
        let before = snap(&s, 200).await.unwrap();
        assert_eq!(
            (before.at_ms, before.width, before.height),
            (None, 640, 480)
        );
        let r = s.live().await;
        let k = key();
        let member = citizen(&s).await;
        let taken = post(&s.agent.http, &s.session, &k, &member, png(320, 240, 9))
            .await
            .unwrap();
        assert!(taken.at_ms.is_some_and(|ms| ms >= 0) && taken.member == member);
        let again = post(&s.agent.http, &s.session, &k, &member, png(320, 240, 9))
            .await
            .unwrap();
        assert_eq!(again, taken, "the same command is the same picture");
        let told = |e: &SessionEvent| matches!(&e.body, EventBody::SnapshotTaken { snapshot, .. } if *snapshot == taken.id);
        s.citizen.line.event_where(told).await;

        let path = format!("/sessions/{}/snapshots", s.session);
        for http in [&s.agent.http, &s.citizen.http] {
            let all: Items<SnapshotView> = http.get(&path).await.unwrap();
            assert_eq!(all.items, [before.clone(), taken.clone()]);
        }
        let src = taken.src.strip_prefix("/api/v1").unwrap();
        let got = s
            .citizen
            .http
            .request(Method::GET, src)
            .send()
            .await
            .unwrap();
        assert_eq!(got.status(), StatusCode::OK);
        assert_eq!(got.headers()[header::CONTENT_TYPE], "image/jpeg");
        assert_eq!(got.headers()[header::CACHE_CONTROL], "no-store");
        let bytes = got.bytes().await.unwrap();
        assert_eq!(domain::digest::sm3_hex(&bytes), taken.sm3);
        let picture = image::load_from_memory(&bytes).unwrap().to_luma8();
        let lit = picture.pixels().filter(|p| p.0[0] > 128).count();
        assert!(lit > 50, "the watermark is in it: {lit}");

        // Not for those who are not in it, nor for a supervisor beside a recording; on one, for who may replay it.
        let boss = staff(&node, "supervisor").await;
        let other = before.src.strip_prefix("/api/v1").unwrap();
        assert_eq!(
            boss.get::<Value>(other).await.unwrap_err().code,
            "not_found"
        );
        assert_eq!(
            boss.get::<Value>(&path).await.unwrap_err().code,
            "not_a_member"
        );
        let far = staff(&node, "supervisor2").await;
        assert_eq!(
            far.get::<Value>(src).await.unwrap_err().code,
            "recording_not_found"
        );
        let seen = async || boss.request(Method::GET, src).send().await.unwrap();
        let code = async || answer::<Value>(seen().await).await.unwrap_err().code;
        assert_eq!(code().await, "recording_not_sealed");
        end(&s.agent.http, &s.session, "finished").await;
        sealed(&node, &r.id).await;
        assert_eq!(code().await, "replay_needed", "who looks says why");
        open(&boss, &r.id).await.unwrap();
        assert_eq!(seen().await.bytes().await.unwrap(), bytes);
        let noted = audited(&node, &taken.id).await;
        let (_, detail) = noted.iter().find(|(a, _)| a == "snapshot.seen").unwrap();
        assert_eq!(detail["recording"], serde_json::json!(r.id));
        node.sql("UPDATE replays SET opened_at = 1, expires_at = 2")
            .await;
        assert_eq!(code().await, "replay_needed");
        let late = snap(&s, 3).await.unwrap_err();
        assert_eq!(late.code, "session_ended");

        // With the recording go the pictures that lie on it; one that was taken beside it stays with the session.
        open(&boss, &r.id).await.unwrap();
        node.sql("UPDATE recordings SET ended_at = 2, delete_at = 1")
            .await;
        signaling::jobs::sweep(node.app()).await.unwrap();
        assert_eq!(code().await, "recording_deleted");
        let mine = s.agent.http.get::<Value>(src).await.unwrap_err();
        assert_eq!(mine.code, "not_found");
        let all: Items<SnapshotView> = s.agent.http.get(&path).await.unwrap();
        assert_eq!(all.items, [before]);
        county.close(node).await;
    }
);

both!(what_was_taken_back_takes_its_pictures_along, |county| {
    let node = county.start("a").await;
    let mut s = Box::pin(scene(&node)).await;
    let r = s.live().await;
    let taken = snap(&s, 7).await.unwrap();
    let takes_back = Command::RecordingWithdraw {
        session: s.session.clone(),
        recording: r.id.clone(),
    };
    s.citizen.line.command(takes_back).await.unwrap();
    sealed(&node, &r.id).await;
    let src = taken.src.strip_prefix("/api/v1").unwrap();
    let boss = staff(&node, "supervisor").await;
    let o = open(&boss, &r.id).await.unwrap();
    for http in [&s.agent.http, &s.citizen.http, &boss] {
        let p = http.get::<Value>(src).await.unwrap_err();
        assert_eq!(p.code, "not_found");
    }
    let marks = o.view.timeline;
    let mark = marks.iter().find(|m| m.kind == "snapshot").unwrap();
    assert_eq!(mark.object, None, "that it was taken is said");
    county.close(node).await;
});

/// Files of the county that are sealed and lie there.
fn files(node: &Node) -> usize {
    let dirs = std::fs::read_dir(&node.app().files_dir)
        .into_iter()
        .flatten();
    let inside = |d: std::io::Result<std::fs::DirEntry>| std::fs::read_dir(d.unwrap().path()).ok();
    dirs.filter_map(inside).flatten().count()
}

both!(what_is_no_picture_or_too_much_of_one_is_refused, |county| {
    let node = county.start("a").await;
    let s = Box::pin(scene(&node)).await;
    let member = citizen(&s).await;
    let (a, c) = (&s.agent.http, &s.citizen.http);
    let code = |r: Result<SnapshotView, Problem>| {
        let p = r.unwrap_err();
        (p.status, p.code)
    };
    let fine = png(320, 240, 1);
    assert_eq!(
        code(post(c, &s.session, &key(), &member, fine.clone()).await),
        (403, "agent_only".into())
    );
    let gif = b"GIF89a".to_vec();
    assert_eq!(
        code(post(a, &s.session, &key(), &member, gif).await),
        (415, "snapshot_type".into())
    );
    // A few kilobytes that would be a picture of ten million pixels.
    let bomb = png(4_096, 2_400, 0);
    assert!(bomb.len() < 64 * 1024, "{}", bomb.len());
    assert_eq!(
        code(post(a, &s.session, &key(), &member, bomb).await),
        (413, "too_large".into())
    );
    let heavy = vec![0xff; 3 * 1024 * 1024];
    assert_eq!(
        code(post(a, &s.session, &key(), &member, heavy).await),
        (413, "too_large".into())
    );
    let nobody =
        domain::id::Id::as_str(&<domain::id::MemberId as domain::id::Id>::make(1, 1)).to_owned();
    assert_eq!(
        code(post(a, &s.session, &key(), &nobody, fine.clone()).await),
        (404, "not_found".into())
    );
    let boss = staff(&node, "supervisor").await;
    assert_eq!(
        code(post(&boss, &s.session, &key(), &member, fine).await),
        (404, "not_a_member".into())
    );
    let all: Items<SnapshotView> = a
        .get(&format!("/sessions/{}/snapshots", s.session))
        .await
        .unwrap();
    assert!(all.items.is_empty());
    // Refused when the picture is on the disk already: nothing of it stays there.
    let k = key();
    post(a, &s.session, &k, &member, png(320, 240, 1))
        .await
        .unwrap();
    let there = files(&node);
    assert!(there > 0);
    let other = post(a, &s.session, &k, &member, png(320, 240, 250)).await;
    assert_eq!(code(other), (409, "key_reused".into()));
    assert_eq!(files(&node), there);
    county.close(node).await;
});
