//! What a finished recording must be, whatever happened to it.

use super::matroska::{self, of};
use super::*;
use crate::event::Kind;
use crate::record::{Ended, GapReason, Happening, LegEntry, Manifest, PartReader, verify};

pub(crate) fn file(scene: &Scene, manifest: &Manifest, leg: u16, part: u32) -> matroska::File {
    let mut reader = PartReader::open(scene.sink.clone(), &key(), manifest, leg, part).unwrap();
    let length = reader.len();
    let bytes = reader.read_range(0, u64::MAX).unwrap();
    assert_eq!(bytes.len() as u64, length);
    let file = matroska::read(&bytes).unwrap();
    assert_eq!((file.torn, file.segment_end), (0, Some(bytes.len())));
    for (ms, at) in &file.cues {
        assert_eq!(bytes[*at..*at + 4], [0x1F, 0x43, 0xB6, 0x75], "cue of {ms}");
    }
    file
}

/// What every part of every recording must be.
pub(crate) fn check(scene: &Scene, manifest: &Manifest) {
    verify(&scene.sink, &key(), manifest).unwrap();
    for leg in &manifest.legs {
        for part in &leg.parts {
            let file = file(scene, manifest, leg.leg, part.part);
            let mut last = 0;
            for block in &file.blocks {
                assert!(block.ms >= last, "in order of time");
                last = block.ms;
            }
            assert_eq!(last as u64, part.to_ms - part.from_ms);
            for (number, ..) in &file.tracks {
                let blocks = of(&file, *number);
                assert!(blocks[0].key, "begins at a keyframe");
                assert!(blocks.windows(2).all(|w| w[0].ms < w[1].ms), "increasing");
            }
            for block in of(&file, 1) {
                assert!(!block.key || block.opens_cluster, "a cluster a keyframe");
            }
            let frames: u64 = part.tracks.iter().map(|t| t.frames).sum();
            assert_eq!(frames, file.blocks.len() as u64);
        }
        for gap in &leg.gaps {
            assert!(gap.to_ms.is_none_or(|to| to >= gap.from_ms), "{gap:?}");
        }
    }
}

/// Every second in which a kind has no frame is in a gap: nothing is missing unsaid.
pub(crate) fn check_nothing_is_hidden(scene: &Scene, manifest: &Manifest) {
    for leg in &manifest.legs {
        for (kind, number) in [(Kind::Video, 1), (Kind::Audio, 2)] {
            let mut times = vec![0];
            for part in &leg.parts {
                let file = file(scene, manifest, leg.leg, part.part);
                times.extend(of(&file, number).iter().map(|b| b.ms as u64 + part.from_ms));
            }
            times.push(manifest.duration_ms);
            for pair in times.windows(2).filter(|w| w[1] > w[0] + 1_000) {
                let (from, to) = (pair[0] + 500, pair[1] - 500);
                let mut covered = from;
                for gap in &leg.gaps {
                    let mine = gap.kind.is_none_or(|k| k == kind);
                    if mine && gap.from_ms <= covered {
                        covered = covered.max(gap.to_ms.unwrap_or(u64::MAX));
                    }
                }
                assert!(
                    covered >= to,
                    "leg {} {kind:?}: nothing from {from} to {to}, said only to {covered}: {:?}",
                    leg.leg,
                    leg.gaps
                );
            }
        }
    }
}

pub(crate) fn gaps(leg: &LegEntry, kind: Kind) -> Vec<(GapReason, u64, Option<u64>)> {
    let of_kind = leg.gaps.iter().filter(|g| g.kind == Some(kind));
    of_kind.map(|g| (g.reason, g.from_ms, g.to_ms)).collect()
}

pub(crate) fn happened(scene: &Scene) -> Vec<Happening> {
    scene.events.iter().map(|e| e.what).collect()
}

/// The time that a frame was taken, as the source wrote it.
pub(crate) fn taken(data: &[u8]) -> i64 {
    i64::from_be_bytes(data[data.len() - 8..].try_into().unwrap())
}

pub(crate) const STOPPED: Happening = Happening::Stopped {
    reason: Ended::Finished,
};
