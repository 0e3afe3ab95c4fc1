//! What is recorded is not lost and does not go on unseen, whatever fails beside it: the database, the disk, the word of a death.

use crate::{
    cluster::enter,
    death::{kill, mortal},
    peer::Client,
    recording::{Scene, key_of, length, row, scene, sealed, sound, until},
    shared::{ask, end, rung, seat, step},
};
use domain::id::{HallId, Id as _, RecordingId};
use it::{
    PATIENCE,
    county::{County, Node, Target, named},
    people::{Agent, hall},
};
use media::record::{Ended, GapReason, Happening, Manifest, recover};
use protocol::{Command, EventBody, MemberRole, RecordingState as State};
use signaling::app::recording;
use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

fn folder(node: &Node, id: &str) -> PathBuf {
    recording::folder(node.app(), &RecordingId::parse(id).unwrap())
}

/// What the files say once they say enough.
async fn on_disk(node: &Node, id: &str, enough: impl Fn(&Manifest) -> bool) -> Manifest {
    let key = key_of(node, &row(node, id).await).await;
    let start = Instant::now();
    loop {
        let found = recover(&folder(node, id), &key).unwrap();
        if let Some(m) = found.filter(|m| enough(m)) {
            return m;
        }
        assert!(start.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn member(s: &mut Scene, role: MemberRole) -> String {
    let seen = s.citizen.line.join(&s.session, 0).await.session;
    let of = seen.members.iter().find(|m| m.role == role);
    of.unwrap().id.clone()
}

/// A word about somebody's media, in the journal.
async fn lost(s: &mut Scene, of: &str) {
    let is = |b: &EventBody| matches!(b, EventBody::MediaLost { member } if member == of);
    s.citizen.line.event_where(|e| is(&e.body)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_database_refused_is_kept_once_it_takes_it() {
    let county = County::new(Target::Sqlite).await;
    let node = county.start("a").await;
    let mut s = Box::pin(scene(&node)).await;
    let r = s.live().await;
    let mine = member(&mut s, MemberRole::Citizen).await;
    let theirs = member(&mut s, MemberRole::Agent).await;
    node.sql(
        "CREATE TRIGGER refuses BEFORE UPDATE ON recordings WHEN NEW.state = 'interrupted'
         BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    )
    .await;
    let client = std::mem::replace(&mut s.mine, Client::new(3, false).await);
    client.close().await;
    lost(&mut s, &mine).await;
    let broken = |m: &Manifest| {
        let is = |w: &Happening| matches!(w, Happening::Interrupted { .. });
        m.events.iter().any(|e| is(&e.what))
    };
    on_disk(&node, &r.id, broken).await;
    // Words come in their order: the one of the interruption was tried before this one.
    let client = std::mem::replace(&mut s.theirs, Client::new(4, false).await);
    client.close().await;
    lost(&mut s, &theirs).await;
    let now = row(&node, &r.id).await;
    assert_eq!(now.state, domain::recording::State::Live, "it was not kept");
    node.sql("DROP TRIGGER refuses").await;
    let shown = until(&mut s.citizen.line, State::Interrupted).await;
    assert_eq!(shown.interrupted.as_deref(), Some("leg_down"));

    // The end is lost in the same way, and is no crash for that.
    node.sql(
        "CREATE TRIGGER refuses BEFORE UPDATE ON recordings WHEN NEW.manifest IS NOT NULL
         BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    )
    .await;
    end(&s.agent.http, &s.session, "finished").await;
    let whole = |m: &Manifest| m.legs.iter().all(|l| l.segments.iter().all(|s| s.complete));
    on_disk(&node, &r.id, whole).await;
    recording::due(node.app()).await.unwrap();
    assert!(row(&node, &r.id).await.manifest.is_none());
    node.sql("DROP TRIGGER refuses").await;
    let kept = sealed(&node, &r.id).await;
    let (_, manifest) = sound(&node, &kept).await;
    assert_eq!(
        (kept.end_reason.as_deref(), manifest.ended),
        (Some("finished"), Ended::Finished)
    );
    let mut gaps = manifest.legs.iter().flat_map(|l| &l.gaps);
    assert!(gaps.all(|g| g.reason != GapReason::Crash));
    county.close(node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_not_there_is_waited_for_and_nobody_signs_that_there_was_nothing() {
    let county = County::new(Target::Sqlite).await;
    let first = mortal(&county, "a").await;
    let mut s = Box::pin(scene(&first.1)).await;
    let r = s.live().await;
    let place = folder(&first.1, &r.id);
    let away = place.with_extension("away");
    kill(first);
    fs::rename(&place, &away).unwrap();
    let node = county.start("a").await;
    // The place is not there; it is there and empty, as a disk that was not mounted leaves it.
    for empty in [false, true] {
        if empty {
            fs::create_dir(&place).unwrap();
        }
        recording::recover_gone(node.app(), true).await.unwrap();
        recording::due(node.app()).await.unwrap();
        let waits = row(&node, &r.id).await;
        assert_eq!(waits.state, domain::recording::State::Sealing);
        assert_eq!(waits.end_reason.as_deref(), Some("crash"));
        assert!(waits.manifest.is_none() && waits.signature.is_none());
    }
    fs::remove_dir(&place).unwrap();
    fs::rename(&away, &place).unwrap();
    recording::recover_gone(node.app(), true).await.unwrap();
    let (_, manifest) = sound(&node, &sealed(&node, &r.id).await).await;
    assert_eq!((manifest.legs.len(), manifest.ended), (2, Ended::Crash));
    assert!(manifest.legs.iter().all(|l| !l.segments.is_empty()));
    county.close(node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_taken_for_dead_stops_writing_what_others_have_sealed() {
    let county = County::new(Target::Sqlite).await;
    let node = county.start("a").await;
    let mut s = Box::pin(scene(&node)).await;
    let r = s.live().await;
    let start = Instant::now();
    while row(&node, &r.id).await.manifest.is_none() {
        assert!(start.elapsed() < PATIENCE);
        // Its heartbeat looks old for a moment, to whoever looks then.
        node.sql("UPDATE nodes SET heartbeat = heartbeat - 3600000000")
            .await;
        recording::recover_gone(node.app(), true).await.unwrap();
        node.sql("UPDATE nodes SET heartbeat = heartbeat + 3600000000")
            .await;
    }
    let kept = sealed(&node, &r.id).await;
    assert_eq!(kept.end_reason.as_deref(), Some("crash"));
    // Two seconds of a talk are bytes, as long as somebody writes.
    loop {
        let before = length(&node, &r.id);
        s.theirs.forget();
        s.theirs.hears(1, 100).await;
        if length(&node, &r.id) == before {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "it is written on");
    }
    sound(&node, &kept).await;
    assert_eq!(row(&node, &r.id).await.manifest, kept.manifest);
    // The citizen may be asked again, and stop it again.
    let next = s.live().await;
    assert_ne!(next.id, r.id);
    end(&s.agent.http, &s.session, "finished").await;
    let (_, manifest) = sound(&node, &sealed(&node, &next.id).await).await;
    assert_eq!(manifest.ended, Ended::Finished);
    county.close(node).await;
}

both!(in_another_hall_a_recording_is_that_hall_s_own, |county| {
    let node = county.start("a").await;
    let mut s = Box::pin(scene(&node)).await;
    let first = s.live().await;
    let mut far = Agent::sit(&node, "agent5", "nanxian-1").await;
    ask(&s.agent, &s.session, "transfer_warm", seat("nanxian-1"))
        .await
        .unwrap();
    let ring = rung(&mut far).await;
    let taken = step(&far.http, &ring, "accept").await.unwrap();
    far.line.join(&s.session, 0).await;
    let mut third = Client::new(3, false).await;
    enter(&mut far.line, &mut third, &s.ticket).await;
    let shown = step(&s.agent.http, &taken, "introduce").await.unwrap();
    assert!(row(&node, &first.id).await.state.is_running());
    step(&s.agent.http, &shown, "finish").await.unwrap();
    let stopped = |b: &EventBody| matches!(b, EventBody::RecordingStopped { reason, .. } if reason == "moved");
    s.citizen.line.event_where(|e| stopped(&e.body)).await;
    let kept = sealed(&node, &first.id).await;
    assert_eq!(kept.hall_id.as_str(), hall());
    sound(&node, &kept).await;
    // The citizen is asked by the hall that serves them now.
    let session = s.session.clone();
    far.line
        .command(Command::RecordingAsk { session })
        .await
        .unwrap();
    let next = until(&mut s.citizen.line, State::Asked).await;
    let yes = s.answer(&next, true);
    s.citizen.line.command(yes).await.unwrap();
    until(&mut far.line, State::Live).await;
    end(&far.http, &s.session, "finished").await;
    let theirs = sealed(&node, &next.id).await;
    assert_eq!(theirs.hall_id.as_str(), named::<HallId>("hall", "nanxian"));
    sound(&node, &theirs).await;
    third.close().await;
    county.close(node).await;
});
