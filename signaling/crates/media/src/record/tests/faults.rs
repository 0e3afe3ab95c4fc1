//! What goes wrong while it is recorded: every gap is listed.

use super::matroska::of;
use super::*;
use crate::event::Kind;
use crate::forward::MemberRole;
use crate::record::{FileSource, GapReason, Happening, PartReader, recover, verify};
use proptest::prelude::*;
use std::sync::atomic::Ordering;

#[test]
fn lost_packets_leave_a_gap_and_pictures_go_on_at_a_keyframe() {
    let mut scene = Scene::call();
    scene.run(2_000);
    scene.sources[0].lose = [5, 1];
    scene.run(4_000);
    let manifest = scene.stop();
    check(&scene, &manifest);
    assert_eq!(
        happened(&scene),
        [Happening::Proven, STOPPED],
        "not an interruption"
    );
    let leg = &manifest.legs[0];
    let [(GapReason::Loss, from, Some(to))] = gaps(leg, Kind::Audio)[..] else {
        panic!("{:?}", leg.gaps)
    };
    assert_eq!(to - from, 100, "five packets of sound");
    let [(GapReason::Loss, from, Some(to))] = gaps(leg, Kind::Video)[..] else {
        panic!("{:?}", leg.gaps)
    };
    assert!((200..1_500).contains(&(to - from)), "{from} {to}");
    let file = file(&scene, &manifest, 1, 1);
    let part = leg.parts[0].from_ms;
    let after: Vec<_> = of(&file, 1)
        .into_iter()
        .filter(|b| b.ms as u64 + part >= to)
        .collect();
    assert!(after[0].key, "the first after the gap");
    assert_eq!(manifest.legs[1].gaps, []);
}

#[test]
fn a_member_that_is_gone_interrupts_and_resumes_on_its_leg() {
    let mut scene = Scene::call();
    scene.run(3_000);
    scene.sources[0].sends = [false, false];
    scene.flow(1, DOWN);
    scene.run(4_000);
    scene.sources[0].sends = [true, true];
    scene.reconnect(1);
    scene.run(4_000);
    let manifest = scene.stop();
    check(&scene, &manifest);
    check_nothing_is_hidden(&scene, &manifest);
    let interrupted = Happening::Interrupted {
        leg: 1,
        reason: GapReason::LegDown,
    };
    let expected = [Happening::Proven, interrupted, Happening::Resumed, STOPPED];
    assert_eq!(happened(&scene), expected);
    let leg = &manifest.legs[0];
    assert_eq!(
        leg.parts.len(),
        1,
        "the same codecs go on in the same stream"
    );
    for kind in [Kind::Audio, Kind::Video] {
        let [(GapReason::LegDown, from, Some(to))] = gaps(leg, kind)[..] else {
            panic!("{:?}", leg.gaps)
        };
        assert!((3_900..5_500).contains(&(to - from)), "{from} {to}");
    }
}

#[test]
fn silence_is_noticed_without_anybody_saying_so() {
    let mut scene = Scene::call();
    scene.run(3_000);
    scene.sources[1].sends = [false, true];
    scene.run(5_000);
    let manifest = scene.stop();
    check(&scene, &manifest);
    check_nothing_is_hidden(&scene, &manifest);
    let reason = GapReason::LegDown;
    assert!(happened(&scene).contains(&Happening::Interrupted { leg: 2, reason }));
    let [(GapReason::LegDown, from, None)] = gaps(&manifest.legs[1], Kind::Audio)[..] else {
        panic!("{:?}", manifest.legs[1].gaps)
    };
    assert!((2_900..3_100).contains(&from), "{from}");
}

#[test]
fn a_full_disk_is_a_visible_gap_and_recording_goes_on_when_there_is_room() {
    let mut scene = Scene::call();
    scene.run(4_000);
    scene.sink.full.store(true, Ordering::SeqCst);
    scene.run(7_000);
    scene.sink.full.store(false, Ordering::SeqCst);
    scene.run(9_000);
    let manifest = scene.stop();
    check(&scene, &manifest);
    check_nothing_is_hidden(&scene, &manifest);
    let told = happened(&scene);
    assert!(
        matches!(
            told[..],
            [
                Happening::Proven,
                Happening::Interrupted {
                    reason: GapReason::Disk,
                    ..
                },
                Happening::Resumed,
                STOPPED
            ]
        ),
        "{told:?}"
    );
    for leg in &manifest.legs {
        assert_eq!(leg.parts.len(), 2);
        assert!(!leg.segments[0].complete && leg.segments.iter().skip(1).all(|s| s.complete));
        for kind in [Kind::Audio, Kind::Video] {
            let [(GapReason::Disk, from, Some(to))] = gaps(leg, kind)[..] else {
                panic!("{:?}", leg.gaps)
            };
            assert!((2_500..=4_000).contains(&from) && (11_000..17_000).contains(&to));
        }
    }
}

#[test]
fn a_disk_that_is_full_from_the_start_is_told_once_and_before_any_proof() {
    let mut scene = Scene::new(&["citizen", "agent"]);
    scene.sink.full.store(true, Ordering::SeqCst);
    // The agent is still on the way: that hides nothing.
    scene.join("citizen", MemberRole::Citizen, ON);
    scene.run(12_000);
    let interrupted = Happening::Interrupted {
        leg: 1,
        reason: GapReason::Disk,
    };
    assert_eq!(happened(&scene), [interrupted]);
    scene.join("agent", MemberRole::Agent, ON);
    scene.sink.full.store(false, Ordering::SeqCst);
    scene.run(12_000);
    assert_eq!(happened(&scene), [interrupted, Happening::Proven]);
    let manifest = scene.stop();
    check(&scene, &manifest);
    for kind in [Kind::Audio, Kind::Video] {
        let all = gaps(&manifest.legs[0], kind);
        let disk = all.iter().find(|(reason, ..)| *reason == GapReason::Disk);
        let Some((_, from, Some(to))) = disk else {
            panic!("{all:?}")
        };
        assert!(*from < 4_000 && *to > 12_000, "{all:?}");
    }
}

#[test]
fn a_thread_that_could_not_keep_up_says_so() {
    let mut scene = Scene::call();
    scene.run(2_000);
    scene.core.overflow(1, Kind::Video, scene.now);
    scene.sources[0].lose[1] = 20;
    scene.run(3_000);
    let manifest = scene.stop();
    check(&scene, &manifest);
    let reason = GapReason::Queue;
    let told = happened(&scene);
    let expected = [
        Happening::Proven,
        Happening::Interrupted { leg: 1, reason },
        Happening::Resumed,
        STOPPED,
    ];
    assert_eq!(told, expected);
    assert_eq!(gaps(&manifest.legs[0], Kind::Video)[0].0, GapReason::Queue);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn any_range_is_that_part_of_the_whole(ranges in prop::collection::vec((0u64..200_000, 0u64..60_000), 1..20)) {
        let mut scene = Scene::call();
        scene.run(11_000);
        let manifest = scene.stop();
        let mut reader = PartReader::open(scene.sink.clone(), &key(), &manifest, 1, 1).unwrap();
        let whole = reader.read_range(0, u64::MAX).unwrap();
        for (from, length) in ranges {
            let got = reader.read_range(from, from + length).unwrap();
            let a = (from as usize).min(whole.len());
            let b = ((from + length) as usize).min(whole.len());
            prop_assert_eq!(&got[..], &whole[a..b]);
        }
    }

    #[test]
    fn whatever_happens_it_can_be_read_and_nothing_is_hidden(
        steps in prop::collection::vec((0u8..10, 0usize..2, 100u64..4_000), 1..14),
    ) {
        happens(steps);
    }
}

/// A picture that stops just before the end, found by the test above.
#[test]
fn what_breaks_off_just_before_the_end_is_said() {
    happens(vec![(7, 0, 1_023)]);
}

fn happens(steps: Vec<(u8, usize, u64)>) {
    let mut scene = Scene::call();
    scene.run(1_000);
    for (what, n, ms) in steps {
        let leg = n as u16 + 1;
        match what {
            0 => scene.sources[n].lose[0] = (ms / 50) as u32,
            1 => scene.sources[n].lose[1] = (ms / 50) as u32,
            2 => scene.flow(leg, DOWN),
            3 => scene.reconnect(leg),
            4 => scene.flow(leg, SOUND_ONLY),
            5 => scene.sink.full.store(true, Ordering::SeqCst),
            6 => scene.sink.full.store(false, Ordering::SeqCst),
            7 => scene.sources[n].sends[ms as usize % 2] = ms % 3 > 0,
            8 => scene.core.overflow(leg, Kind::Video, scene.now),
            _ => scene.sources[n].video_delay = ms % 150,
        }
        scene.run(ms);
    }
    let manifest = scene.stop();
    check(&scene, &manifest);
    check_nothing_is_hidden(&scene, &manifest);
    // Whoever comes after a crash at the end finds the same.
    let dir = tempfile::tempdir().unwrap();
    scene.sink.power_cut(dir.path());
    if let Some(found) = recover(dir.path(), &key()).unwrap() {
        verify(&FileSource::new(dir.path()), &key(), &found).unwrap();
        let mut gaps = found.legs.iter().flat_map(|l| &l.gaps);
        assert!(
            gaps.all(|g| g.reason != GapReason::Damaged),
            "nobody touched the files"
        );
    }
}
