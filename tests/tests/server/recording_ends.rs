//! How recordings end or go on when something else does: another agent, the server's stop, a node's death, a full disk.

use crate::{
    cluster::enter,
    death::{kill, mortal},
    peer::Client,
    recording::{Scene, key_of, length, row, scene, sealed, sound, until},
    shared::{end, look},
    supervision::go,
};
use domain::id::{Id as _, RecordingId};
use it::{
    county::{County, Target},
    line::Line,
    people::{Agent, Citizen, call, staff},
    services::Nats,
};
use media::record::{Ended, GapReason, RecordingKey, recover};
use protocol::{EventBody, RecordingState as State};
use signaling::app::recording;
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_take_over_the_new_agent_is_who_must_be_recorded() {
    let county = County::new(Target::Sqlite).await;
    let node = county.start("a").await;
    let mut s = Box::pin(scene(&node)).await;
    let r = s.live().await;
    let boss = staff(&node, "supervisor").await;
    go(&boss, &s.session, "listen").await.unwrap();
    let mut line = Line::open(&boss).await;
    line.join(&s.session, 0).await;
    let _own = Agent::sit(&node, "supervisor", "seat-3").await;
    go(&boss, &s.session, "take_over").await.unwrap();
    // Nothing of the new agent is on disk yet.
    let gone = until(&mut s.citizen.line, State::Interrupted).await;
    assert_eq!(gone.id, r.id);
    let mut third = Client::new(3, false).await;
    enter(&mut line, &mut third, &s.ticket).await;
    let back = until(&mut s.citizen.line, State::Live).await;
    assert_eq!(back.id, r.id, "the same recording goes on");
    end(&boss, &s.session, "finished").await;
    let (_, manifest) = sound(&node, &sealed(&node, &r.id).await).await;
    let required = manifest.legs.iter().filter(|l| l.required).count();
    assert_eq!((manifest.legs.len(), required), (3, 2));
    third.close().await;
    county.close(node).await;
}

both!(a_server_that_stops_signs_what_it_has, |county| {
    let node = county.start("a").await;
    let mut s = Box::pin(scene(&node)).await;
    let r = s.live().await;
    node.stop().await;
    let node = county.start("a").await;
    let kept = sealed(&node, &r.id).await;
    let (_, manifest) = sound(&node, &kept).await;
    assert_eq!(
        (kept.end_reason.as_deref(), manifest.ended),
        (Some("closed"), Ended::Closed)
    );
    // The talk goes on there, and may be recorded again.
    s.citizen.reconnect(&node).await;
    let seen = s
        .citizen
        .line
        .join(&s.session, 0)
        .await
        .session
        .recording
        .unwrap();
    assert_eq!(
        (seen.state, seen.end_reason.as_deref()),
        (State::Sealed, Some("closed"))
    );
    county.close(node).await;
});

/// What a power cut makes of files: the end of one leg's last is gone in the middle of a record, behind the other's there is rubbish.
/// The process that wrote them ended in order, since it is this one: once it has.
async fn tear(place: &Path, key: &RecordingKey) {
    let start = Instant::now();
    let ended = || {
        let legs = recover(place, key).unwrap().unwrap().legs;
        legs.iter().all(|l| l.segments.iter().all(|s| s.complete))
    };
    while !ended() {
        assert!(start.elapsed() < it::PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for (leg, cut) in [(1, true), (2, false)] {
        let names = fs::read_dir(place).unwrap().map(|f| f.unwrap().path());
        let of_leg = |p: &PathBuf| p.to_str().unwrap().contains(&format!("leg-0{leg}-"));
        let last = names.filter(of_leg).max().unwrap();
        let mut file = fs::read(&last).unwrap();
        if cut {
            file.truncate(file.len() - 60);
        } else {
            file.extend([0xa5; 999]);
        }
        fs::write(last, file).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_node_left_is_made_good_and_says_what_is_missing() {
    let county = County::new(Target::Sqlite).await;
    let first = mortal(&county, "a").await;
    let mut s = Box::pin(scene(&first.1)).await;
    let r = s.live().await;
    s.theirs.forget();
    s.theirs.hears(1, 80).await;
    let on_disk = length(&first.1, &r.id);
    let key = key_of(&first.1, &row(&first.1, &r.id).await).await;
    let place = recording::folder(first.1.app(), &RecordingId::parse(&r.id).unwrap());
    kill(first);
    tear(&place, &key).await;
    let node = county.start("a").await;
    let kept = sealed(&node, &r.id).await;
    let (_, manifest) = sound(&node, &kept).await;
    let last: Vec<_> = manifest.legs.iter().map(|l| l.segments.last()).collect();
    assert!(last.iter().all(|s| s.is_some_and(|s| !s.complete)), "torn");
    assert_eq!(
        (kept.end_reason.as_deref(), manifest.ended),
        (Some("crash"), Ended::Crash)
    );
    assert!(
        kept.bytes.unwrap() as u64 >= on_disk / 2,
        "{} of {on_disk}",
        kept.bytes.unwrap()
    );
    for leg in &manifest.legs {
        let crash = |g: &media::record::Gap| g.reason == GapReason::Crash && g.to_ms.is_none();
        assert!(leg.gaps.iter().any(crash), "{:?}", leg.gaps);
        assert!(
            leg.parts
                .iter()
                .all(|p| p.tracks.iter().all(|t| t.frames > 0))
        );
    }
    s.citizen.reconnect(&node).await;
    let back = s.citizen.line.join(&s.session, 0).await;
    let crash = |b: &EventBody| matches!(b, EventBody::RecordingInterrupted { reason, .. } if reason == "crash");
    assert!(back.events.iter().any(|e| crash(&e.body)));
    county.close(node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_refuses_is_shown_and_the_call_goes_on() {
    let county = County::new(Target::Sqlite).await;
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("recordings");
    // A file where the directory should be.
    std::fs::write(&dir, b"full").unwrap();
    let path = dir.clone();
    let node = county
        .start_with("a", |c| c.recordings_dir = Some(path))
        .await;
    let mut s = Box::pin(scene(&node)).await;
    s.ask().await.unwrap();
    let r = until(&mut s.citizen.line, State::Asked).await;
    let yes = s.answer(&r, true);
    s.citizen.line.command(yes).await.unwrap();
    let shown = until(&mut s.citizen.line, State::Interrupted).await;
    assert_eq!(shown.interrupted.as_deref(), Some("disk"));
    s.theirs.forget();
    s.theirs.hears(1, 40).await;
    s.citizen.line.chat(&s.session, "听得见吗").await;
    // Room again: it begins by itself.
    std::fs::remove_file(&dir).unwrap();
    let live = until(&mut s.citizen.line, State::Live).await;
    assert_eq!(live.id, r.id);
    end(&s.agent.http, &s.session, "finished").await;
    sound(&node, &sealed(&node, &r.id).await).await;
    county.close(node).await;
}

/// A file system with little room; gone with the value.
struct Tiny(tempfile::TempDir);

impl Tiny {
    /// None where there is no right to mount one, said aloud: a run without these tests must be seen to be one.
    fn mount(room: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", room, "tmpfs"])
            .arg(dir.path())
            .output();
        if done.is_ok_and(|o| o.status.success()) {
            return Some(Self(dir));
        }
        // Behind the test harness's back: what a passing test prints is not shown.
        let said = "SKIPPED, no small file system can be mounted here (root is needed)";
        let _ = writeln!(std::io::stderr(), "{said}");
        None
    }
    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Tiny {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).output();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fills_up_interrupts_the_recording_alone() {
    let Some(tiny) = Tiny::mount("size=24k") else {
        return;
    };
    let county = County::new(Target::Sqlite).await;
    let dir = tiny.path().to_owned();
    let node = county
        .start_with("a", |c| c.recordings_dir = Some(dir))
        .await;
    let mut s = Box::pin(scene(&node)).await;
    let r = s.live().await;
    s.citizen.line.patience = it::PATIENCE * 2;
    let shown = until(&mut s.citizen.line, State::Interrupted).await;
    assert_eq!(shown.interrupted.as_deref(), Some("disk"));
    s.theirs.forget();
    s.theirs.hears(1, 40).await;
    end(&s.agent.http, &s.session, "finished").await;
    let (_, manifest) = sound(&node, &sealed(&node, &r.id).await).await;
    let disk = manifest
        .legs
        .iter()
        .flat_map(|l| &l.gaps)
        .any(|g| g.reason == GapReason::Disk);
    assert!(disk, "what is missing is said");
    assert_eq!(
        look(&s.citizen.http, &s.session)
            .await
            .recording
            .unwrap()
            .state,
        State::Sealed
    );
    county.close(node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_full_from_the_start_is_shown_and_is_why_it_ended() {
    // Room for the recording's directory, and for no file in it.
    let Some(tiny) = Tiny::mount("nr_inodes=2") else {
        return;
    };
    let county = County::new(Target::Sqlite).await;
    let dir = tiny.path().to_owned();
    let node = county
        .start_with("a", |c| c.recordings_dir = Some(dir))
        .await;
    let mut s = Box::pin(scene(&node)).await;
    s.ask().await.unwrap();
    let r = until(&mut s.citizen.line, State::Asked).await;
    let yes = s.answer(&r, true);
    s.citizen.line.command(yes).await.unwrap();
    let shown = until(&mut s.citizen.line, State::Interrupted).await;
    assert_eq!(shown.interrupted.as_deref(), Some("disk"));
    assert!(shown.proven_at.is_none());
    end(&s.agent.http, &s.session, "finished").await;
    let kept = sealed(&node, &r.id).await;
    assert_eq!(kept.end_reason.as_deref(), Some("disk"));
    let (_, manifest) = sound(&node, &kept).await;
    for leg in &manifest.legs {
        assert!(leg.gaps.iter().any(|g| g.reason == GapReason::Disk));
    }
    county.close(node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_withdrawal_on_one_node_stops_the_writing_on_another() {
    let nats = Nats::any().await;
    let county = County::with_nats(Target::Postgres, &nats.url).await;
    let (a, b) = (county.start("a").await, county.start("b").await);
    let mut agent = Agent::sit(&b, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&a).await;
    let (session, ticket) = call(&mut citizen, &mut agent).await;
    let (mut mine, mut theirs) = (Client::new(1, false).await, Client::new(2, false).await);
    enter(&mut agent.line, &mut theirs, &ticket).await;
    enter(&mut citizen.line, &mut mine, &ticket).await;
    theirs.hears(1, 20).await;
    let mut s = Scene {
        citizen,
        agent,
        session,
        ticket,
        mine,
        theirs,
    };
    let r = s.live().await;
    let writes = row(&a, &r.id).await.node;
    assert_eq!(
        writes.as_deref(),
        Some(b.app().bus.node()),
        "where the room is"
    );
    let takes_back = protocol::Command::RecordingWithdraw {
        session: s.session.clone(),
        recording: r.id.clone(),
    };
    s.citizen.line.command(takes_back).await.unwrap();
    let bytes = length(&b, &r.id);
    s.theirs.forget();
    s.theirs.hears(1, 80).await;
    assert_eq!(length(&b, &r.id), bytes);
    // Any node can check and play it.
    let (_, manifest) = sound(&a, &sealed(&a, &r.id).await).await;
    assert_eq!(manifest.ended, Ended::Withdrawn);
    s.mine.close().await;
    s.theirs.close().await;
    a.stop().await;
    county.close(b).await;
}
