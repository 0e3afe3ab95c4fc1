//! Recordings that were cut off, torn or tampered with.

use super::*;
use crate::event::Source as Shown;
use crate::forward::MemberRole;
use crate::record::segment::LeftOut;
use crate::record::{
    Ended, FileSource, Gap, GapReason, Happening, Manifest, PartReader, ReadError, RecordingKey,
    SegmentName, recover, verify,
};
use std::path::Path;

#[test]
fn after_a_power_cut_the_manifest_says_what_is_missing() {
    let mut scene = Scene::call();
    scene.run(3_000);
    scene.sources[0].sends = [false, false];
    scene.flow(1, DOWN);
    scene.run(2_000);
    scene.sources[0].sends = [true, true];
    scene.reconnect(1);
    scene.run(12_500);
    let dir = tempfile::tempdir().unwrap();
    scene.sink.power_cut(dir.path());
    let found = recover(dir.path(), &key()).unwrap().unwrap();
    assert_eq!(
        (found.ended, found.started_at_ms),
        (Ended::Crash, 1_795_300_000_000)
    );
    let source = FileSource::new(dir.path());
    verify(&source, &key(), &found).unwrap();
    let sealed = scene.stop();
    for (leg, whole) in found.legs.iter().zip(&sealed.legs) {
        assert_eq!(
            (&leg.member, leg.role, leg.required),
            (&whole.member, whole.role, whole.required)
        );
        assert_eq!(leg.segments[0], whole.segments[0]);
        let end = leg.segments.last().unwrap().last_ms;
        assert!(
            scene.now - end < 1_500,
            "at most a second and the interleaving is lost"
        );
        let crash = leg.gaps.last().unwrap();
        assert_eq!((crash.reason, crash.to_ms), (GapReason::Crash, None));
        assert_eq!(crash.from_ms, end);
        assert_eq!(leg.gaps[..leg.gaps.len() - 1], whole.gaps);
        assert_eq!(leg.parts[0].cues, {
            let cues = &whole.parts[0].cues;
            cues[..leg.parts[0].cues.len()].to_vec()
        });
        let mut reader = PartReader::open(source.clone(), &key(), &found, leg.leg, 1).unwrap();
        let bytes = reader.read_range(0, u64::MAX).unwrap();
        let file = matroska::read(&bytes).unwrap();
        assert_eq!(file.torn, 0);
        let frames: u64 = leg.parts[0].tracks.iter().map(|t| t.frames).sum();
        assert_eq!(frames, file.blocks.len() as u64);
    }
    let events: Vec<_> = found.events.iter().map(|e| e.what).collect();
    assert_eq!(events, happened(&scene)[..3]);
    assert!(
        recover(dir.path(), &RecordingKey::new([1; 32]))
            .unwrap()
            .is_none()
    );
}

#[test]
fn torn_anywhere_what_is_before_can_be_read() {
    let mut scene = Scene::new(&["citizen"]);
    scene.join("citizen", MemberRole::Citizen, ON);
    scene.run(12_000);
    scene.stop();
    let last = *scene.sink.names().last().unwrap();
    assert_eq!(last.index, 2);
    let whole = scene.sink.file(last);
    let dir = tempfile::tempdir().unwrap();
    let first = SegmentName { leg: 1, index: 1 };
    std::fs::write(dir.path().join(first.file_name()), scene.sink.file(first)).unwrap();
    let source = FileSource::new(dir.path());
    let mut before = 0;
    for cut in (0..=whole.len()).step_by(61) {
        std::fs::write(dir.path().join(last.file_name()), &whole[..cut]).unwrap();
        let found = recover(dir.path(), &key()).unwrap().unwrap();
        verify(&source, &key(), &found).unwrap();
        let mut reader = PartReader::open(source.clone(), &key(), &found, 1, 1).unwrap();
        let file = matroska::read(&reader.read_range(0, u64::MAX).unwrap()).unwrap();
        assert_eq!(file.torn, 0);
        assert!(file.blocks.len() >= before, "more bytes, more blocks");
        before = file.blocks.len();
    }
    assert!(before > 700, "{before}");
    // Rubbish behind the file's own end is no part of it.
    std::fs::write(
        dir.path().join(last.file_name()),
        [&whole[..], &[0; 99]].concat(),
    )
    .unwrap();
    let found = recover(dir.path(), &key()).unwrap().unwrap();
    verify(&source, &key(), &found).unwrap();
    let entry = &found.legs[0].segments[1];
    assert_eq!((entry.bytes, entry.complete), (whole.len() as u64, false));
}

#[test]
fn segments_of_two_recordings_are_told_apart() {
    let mut scene = Scene::call();
    scene.run(1_000);
    let manifest = scene.stop();
    let mut other = manifest.clone();
    other.recording = "rec_2".into();
    assert!(verify(&scene.sink, &key(), &other).is_err());
}

#[test]
fn what_was_changed_cut_exchanged_or_taken_away_is_noticed() {
    let mut scene = Scene::call();
    scene.run(25_000);
    let manifest = scene.stop();
    let name = SegmentName { leg: 1, index: 2 };
    let whole = scene.sink.file(name);
    let refused = |what: &str| {
        let error = verify(&scene.sink, &key(), &manifest).unwrap_err();
        assert!(
            matches!(error, ReadError::NotGenuine { leg: 1, segment: 2 }),
            "{what}: {error}"
        );
        assert_eq!(error.code(), "recording_not_genuine");
    };
    scene.sink.change(name, |f| f[300] ^= 1);
    refused("changed");
    scene
        .sink
        .change(name, |f| *f = whole[..whole.len() - 1].to_vec());
    refused("cut");
    let other = scene.sink.file(SegmentName { leg: 1, index: 3 });
    scene.sink.change(name, |f| *f = other);
    refused("exchanged");
    scene.sink.remove(name);
    let error = verify(&scene.sink, &key(), &manifest).unwrap_err();
    assert!(matches!(
        error,
        ReadError::Storage {
            leg: 1,
            segment: 2,
            ..
        }
    ));
    assert_eq!(error.code(), "recording_unreadable");
    // A manifest that leaves one out is not believed either.
    let mut shorter = manifest.clone();
    shorter.legs[0].segments.remove(1);
    assert!(verify(&scene.sink, &key(), &shorter).is_err());
    let wrong = RecordingKey::new([8; 32]);
    assert!(PartReader::open(scene.sink.clone(), &wrong, &manifest, 2, 1).is_err());
    let unknown = PartReader::open(scene.sink.clone(), &key(), &manifest, 2, 9);
    assert!(matches!(unknown.err(), Some(ReadError::NotFound)));
}

/// Two legs of three segments each, cut off, with something done to a file of the first; what was found.
fn damaged(act: impl FnOnce(&Path)) -> (Scene, Manifest) {
    let mut scene = Scene::call();
    scene.run(25_000);
    let dir = tempfile::tempdir().unwrap();
    scene.sink.power_cut(dir.path());
    act(dir.path());
    let found = recover(dir.path(), &key()).unwrap().unwrap();
    verify(&FileSource::new(dir.path()), &key(), &found).unwrap();
    for leg in &found.legs {
        for part in &leg.parts {
            let source = FileSource::new(dir.path());
            let mut reader = PartReader::open(source, &key(), &found, leg.leg, part.part).unwrap();
            let file = matroska::read(&reader.read_range(0, u64::MAX).unwrap()).unwrap();
            assert_eq!(file.torn, 0);
        }
    }
    (scene, found)
}

fn segment(dir: &Path, index: u32) -> std::path::PathBuf {
    dir.join(SegmentName { leg: 1, index }.file_name())
}

fn until(from_ms: u64, reason: GapReason) -> Gap {
    Gap {
        kind: None,
        from_ms,
        to_ms: None,
        reason,
    }
}

#[test]
fn a_damaged_file_ends_its_leg_and_the_others_go_on() {
    let flip = |dir: &Path, index, at: fn(usize) -> usize| {
        let path = segment(dir, index);
        let mut file = std::fs::read(&path).unwrap();
        let at = at(file.len());
        file[at] ^= 1;
        std::fs::write(path, file).unwrap();
    };
    type Case<'a> = (&'a str, &'a dyn Fn(&Path), std::ops::Range<u64>, usize);
    let cases: [Case<'_>; 5] = [
        ("in the middle", &|d| flip(d, 1, |n| n / 2), 3_000..7_000, 1),
        ("at its end", &|d| flip(d, 1, |n| n - 5), 9_000..11_500, 1),
        ("in its header", &|d| flip(d, 1, |_| 9), 0..200, 0),
        (
            "missing",
            &|d| std::fs::remove_file(segment(d, 2)).unwrap(),
            9_000..11_500,
            1,
        ),
        (
            "the first is missing",
            &|d| std::fs::remove_file(segment(d, 1)).unwrap(),
            0..200,
            0,
        ),
    ];
    for (what, act, ends, segments) in cases {
        let (scene, found) = damaged(act);
        let [hurt, whole] = &found.legs[..] else {
            panic!("{what}: {found:?}")
        };
        assert_eq!((hurt.member.as_str(), hurt.required), ("citizen", true));
        assert_eq!(hurt.segments.len(), segments, "{what}");
        let end = hurt.segments.last().map_or(0, |s| s.last_ms);
        assert!(ends.contains(&end), "{what}: {end}");
        assert_eq!(hurt.gaps, [until(end, GapReason::Damaged)], "{what}");
        assert_eq!(whole.segments.len(), 3);
        let end = whole.segments[2].last_ms;
        assert_eq!(whole.gaps, [until(end, GapReason::Crash)], "{what}");
        assert!(scene.now - found.duration_ms < 1_500, "{what}");
        let proven = |e: &&_| matches!(e, Happening::Proven);
        assert_eq!(
            found.events.iter().map(|e| &e.what).filter(proven).count(),
            1
        );
    }
}

#[test]
fn how_long_it_went_on_is_known_although_every_leg_is_damaged() {
    let (scene, found) = damaged(|dir| {
        for leg in 1..=2 {
            let name = SegmentName { leg, index: 1 };
            std::fs::remove_file(dir.join(name.file_name())).unwrap();
        }
    });
    assert!(found.legs.iter().all(|l| l.segments.is_empty()));
    assert!(
        scene.now - found.duration_ms < 1_500,
        "{}",
        found.duration_ms
    );
}

#[test]
fn who_is_on_no_leg_is_listed_after_a_crash_too() {
    let mut scene = Scene::call();
    scene.run(2_000);
    let guest = LeftOut {
        member: "guest".into(),
        source: Shown::Camera,
        role: MemberRole::Guest,
        from_ms: scene.now,
    };
    scene.core.left_out(guest);
    scene.run(3_000);
    let dir = tempfile::tempdir().unwrap();
    scene.sink.power_cut(dir.path());
    let found = recover(dir.path(), &key()).unwrap().unwrap();
    let manifest = scene.stop();
    for list in [&found, &manifest] {
        let [_, _, guest] = &list.legs[..] else {
            panic!("{list:?}")
        };
        assert_eq!(
            (guest.leg, guest.member.as_str(), guest.role),
            (3, "guest", Some(MemberRole::Guest))
        );
        assert_eq!(guest.gaps, [until(2_000, GapReason::NoLeg)]);
    }
    verify(&scene.sink, &key(), &manifest).unwrap();
}
