//! Whole recordings in virtual time.

use super::matroska::of;
use super::*;
use crate::event::Kind;
use crate::forward::MemberRole;
use crate::record::{Codec, GapReason, Happening, Manifest, PartReader};

#[test]
fn a_call_is_proven_within_a_second_and_read_back_in_lip_sync() {
    let mut scene = Scene::call();
    scene.sources[1].video_delay = 160;
    scene.run(30_000);
    let manifest = scene.stop();
    assert_eq!(happened(&scene), [Happening::Proven, STOPPED]);
    assert!(scene.events[0].at_ms <= 1_000, "{:?}", scene.events);
    check(&scene, &manifest);
    check_nothing_is_hidden(&scene, &manifest);
    assert_eq!(manifest.legs.len(), 2);
    for leg in &manifest.legs {
        assert_eq!(leg.gaps, []);
        assert_eq!(leg.parts.len(), 1);
        assert!(leg.segments.len() >= 3, "one in ten seconds");
        assert!(leg.segments.iter().all(|s| s.complete));
        let file = file(&scene, &manifest, leg.leg, 1);
        assert_eq!(file.doc_type, "webm");
        assert_eq!(
            file.tracks,
            [
                (1, "V_VP8".into(), Some((64, 48))),
                (2, "A_OPUS".into(), None)
            ]
        );
        assert!(file.duration_ms.is_some_and(|d| d > 29_000));
        // Once the sender has reported, both tracks are where they were taken.
        let from = leg.parts[0].from_ms as i64;
        let off = |number| {
            let blocks = of(&file, number);
            let late = blocks.iter().filter(|b| b.ms > 15_000);
            let off: Vec<i64> = late.map(|b| b.ms + from - taken(&b.data)).collect();
            (*off.iter().min().unwrap(), *off.iter().max().unwrap())
        };
        let (video, audio) = (off(1), off(2));
        assert!(
            video.1 - audio.0 <= 5 && audio.1 - video.0 <= 5,
            "{video:?} {audio:?}"
        );
    }
}

#[test]
fn nothing_is_written_after_the_end() {
    let mut scene = Scene::call();
    scene.run(3_000);
    let manifest = scene.stop();
    let bytes = scene.sink.bytes();
    scene.run(3_000);
    assert_eq!(scene.sink.bytes(), bytes);
    assert_eq!(manifest.duration_ms, 3_000);
    check(&scene, &manifest);
}

#[test]
fn a_camera_that_goes_off_and_on_makes_parts_and_no_interruption() {
    let mut scene = Scene::call();
    scene.run(3_000);
    scene.flow(1, SOUND_ONLY);
    scene.sources[0].sends[1] = false;
    scene.run(6_000);
    scene.flow(1, ON);
    scene.sources[0].sends[1] = true;
    scene.run(3_000);
    let manifest = scene.stop();
    check(&scene, &manifest);
    check_nothing_is_hidden(&scene, &manifest);
    assert_eq!(happened(&scene), [Happening::Proven, STOPPED]);
    let leg = &manifest.legs[0];
    let kinds: Vec<bool> = leg.parts.iter().map(|p| p.has_video()).collect();
    assert_eq!(kinds, [true, false, true]);
    let reader = PartReader::open(scene.sink.clone(), &key(), &manifest, 1, 2).unwrap();
    assert_eq!(reader.content_type(), "audio/webm");
    let cues = file(&scene, &manifest, 1, 2).cues;
    assert!(cues.len() >= 2, "sound alone can be sought too");
    let [(GapReason::Mode, from, Some(to))] = gaps(leg, Kind::Video)[..] else {
        panic!("{:?}", leg.gaps)
    };
    assert!((5_900..7_200).contains(&(to - from)), "{from} {to}");
    assert_eq!(gaps(leg, Kind::Audio), []);
}

#[test]
fn a_call_of_sound_alone_is_proven_by_sound() {
    let mut scene = Scene::new(&["citizen", "agent"]);
    scene.join("citizen", MemberRole::Citizen, SOUND_ONLY);
    scene.join("agent", MemberRole::Agent, SOUND_ONLY);
    for source in &mut scene.sources {
        source.sends[1] = false;
    }
    scene.run(2_000);
    let manifest = scene.stop();
    check(&scene, &manifest);
    assert_eq!(happened(&scene), [Happening::Proven, STOPPED]);
}

#[test]
fn without_a_required_member_or_its_picture_nothing_is_proven() {
    let mut scene = Scene::new(&["citizen", "agent"]);
    scene.join("agent", MemberRole::Agent, ON);
    scene.run(5_000);
    let manifest = scene.stop();
    assert_eq!(happened(&scene), [STOPPED]);
    let absent = &manifest.legs[1];
    assert_eq!(
        (absent.member.as_str(), absent.role, absent.required),
        ("citizen", None, true)
    );
    assert_eq!(absent.gaps[0].reason, GapReason::LegDown);
    check(&scene, &manifest);

    let mut scene = Scene::call();
    scene.sources[0].sends[1] = false;
    scene.run(5_000);
    assert_eq!(happened(&scene), []);
    // The rung of sound needs no pictures.
    scene.flow(1, SOUND_ONLY);
    scene.run(1_000);
    assert_eq!(happened(&scene), [Happening::Proven]);
}

#[test]
fn another_agent_can_become_required() {
    let mut scene = Scene::call();
    scene.run(2_000);
    scene.join("second", MemberRole::Agent, ON);
    scene.run(2_000);
    scene
        .core
        .require(vec!["citizen".to_owned(), "second".to_owned()]);
    scene.flow(2, DOWN);
    scene.run(2_000);
    let manifest = scene.stop();
    assert_eq!(happened(&scene), [Happening::Proven, STOPPED]);
    let required: Vec<bool> = manifest.legs.iter().map(|l| l.required).collect();
    assert_eq!(required, [true, false, true]);
    check(&scene, &manifest);
}

#[test]
fn an_agent_who_is_required_and_not_there_interrupts_until_they_are_on_disk() {
    let mut scene = Scene::call();
    scene.run(2_000);
    scene
        .core
        .require(vec!["citizen".to_owned(), "second".to_owned()]);
    scene.run(1_000);
    let leg_down = Happening::Interrupted {
        leg: 3,
        reason: GapReason::LegDown,
    };
    assert_eq!(happened(&scene), [Happening::Proven, leg_down]);
    assert_eq!(scene.core.member_of(3), "second");
    scene.join("second", MemberRole::Agent, ON);
    scene.run(2_000);
    let manifest = scene.stop();
    let expected = [Happening::Proven, leg_down, Happening::Resumed, STOPPED];
    assert_eq!(happened(&scene), expected);
    check(&scene, &manifest);
}

#[test]
fn h264_is_kept_with_its_parameter_sets_and_a_change_makes_a_part() {
    let mut scene = Scene::call();
    scene.sources[0].codec = Codec::H264;
    scene.run(3_000);
    scene.sources[0].level = 40;
    scene.sources[0].lose[1] = 1; // a keyframe will be asked for
    scene.run(3_000);
    let manifest = scene.stop();
    check(&scene, &manifest);
    let leg = &manifest.legs[0];
    assert_eq!(leg.parts.len(), 2);
    for (part, level) in leg.parts.iter().zip([31, 40]) {
        assert_eq!(part.video_codec(), Some(Codec::H264));
        let file = file(&scene, &manifest, 1, part.part);
        assert_eq!(file.doc_type, "matroska");
        assert_eq!(
            file.tracks[0],
            (1, "V_MPEG4/ISO/AVC".into(), Some((640, 480)))
        );
        assert_eq!(file.private[0][3], level);
        let first = &of(&file, 1)[0].data;
        assert_eq!(first[..5], [0, 0, 0, 9, 0x65], "a length before the unit");
    }
    let reader = PartReader::open(scene.sink.clone(), &key(), &manifest, 1, 1).unwrap();
    assert_eq!(reader.content_type(), "video/x-matroska");
}

#[test]
fn the_canonical_form_is_stable() {
    let mut scene = Scene::call();
    scene.run(1_000);
    let manifest = scene.stop();
    let bytes = manifest.canonical().unwrap();
    let read: Manifest = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(read, manifest);
    assert_eq!(read.canonical().unwrap(), bytes);
    assert!(bytes.starts_with(br#"{"duration_ms":1000,"ended":"finished","events":["#));
}
