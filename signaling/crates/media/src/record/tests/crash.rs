//! Recordings that were cut off, torn or tampered with.

use super::*;
use crate::forward::MemberRole;
use crate::record::{
    Ended, FileSource, GapReason, PartReader, ReadError, RecordingKey, SegmentName, recover, verify,
};

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
