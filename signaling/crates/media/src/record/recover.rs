//! After the process ended without a word: what is on disk, and a manifest that says what is not.
//!
//! Reads every segment once. Nothing on disk is changed.

use super::core::add_unrecorded;
use super::leg::count_bytes;
use super::manifest::{
    Cue, Ended, EventEntry, FORMAT, Gap, GapReason, LegEntry, Manifest, PartEntry, SegmentEntry,
};
use super::plan::RecordingKey;
use super::read::ReadError;
use super::segment::{LeftOut, Link, Meta, Note, first_link, hash_of, hex, links};
use super::sink::SegmentName;
use super::unseal::{self, Opened};
use crate::event::Kind;
use std::collections::BTreeMap;
use std::path::Path;

/// Makes the manifest of a recording that was never sealed. None if the directory holds no segment of this key.
///
/// A leg ends at its last whole record; the gap from there on has the reason `crash` and no end. Where a file before that is missing or
/// is not what was written, the leg ends there, and the reason is `damaged`: what comes behind hangs on nothing.
///
/// # Errors
/// The directory or a file in it cannot be read, or it holds segments of several recordings.
pub fn recover(dir: &Path, key: &RecordingKey) -> Result<Option<Manifest>, ReadError> {
    let storage = |error| ReadError::Storage {
        leg: 0,
        segment: 0,
        error,
    };
    let mut names: BTreeMap<u16, Vec<SegmentName>> = BTreeMap::new();
    for entry in std::fs::read_dir(dir).map_err(storage)? {
        let name = entry.map_err(storage)?.file_name();
        if let Some(name) = name.to_str().and_then(SegmentName::parse) {
            names.entry(name.leg).or_default().push(name);
        }
    }
    let mut found = Found::default();
    for list in names.values_mut() {
        list.sort_unstable();
        found.leg(&Shelf { dir, key }, list)?;
    }
    Ok(found.manifest())
}

/// Where segments lie, and what opens them.
struct Shelf<'a> {
    dir: &'a Path,
    key: &'a RecordingKey,
}

impl Shelf<'_> {
    fn read(&self, name: SegmentName) -> Result<Vec<u8>, ReadError> {
        std::fs::read(self.dir.join(name.file_name())).map_err(|error| ReadError::Storage {
            leg: name.leg,
            segment: name.index,
            error,
        })
    }

    /// None if not even the header is of this name.
    fn open(&self, name: SegmentName, file: &[u8]) -> Option<Opened> {
        unseal::open(file, name, self.key)
    }
}

#[derive(Default)]
struct Found {
    recording: Option<String>,
    started_at_ms: i64,
    required: Vec<String>,
    legs: Vec<LegEntry>,
    left_out: Vec<LeftOut>,
    events: Vec<EventEntry>,
    last_ms: u64,
}

impl Found {
    fn leg(&mut self, shelf: &Shelf<'_>, names: &[SegmentName]) -> Result<(), ReadError> {
        let mut leg: Option<LegEntry> = None;
        let mut link: Option<Link> = None;
        let mut gaps: Vec<Gap> = Vec::new();
        let mut until = GapReason::Crash;
        for (n, name) in names.iter().enumerate() {
            let file = shelf.read(*name)?;
            // Not even its header was whole, or nothing behind it.
            let Some(opened) = shelf.open(*name, &file) else {
                continue;
            };
            let Some(meta) = opened.meta().cloned() else {
                continue;
            };
            let recording = self
                .recording
                .get_or_insert_with(|| opened.recording.clone());
            if *recording != opened.recording {
                return Err(ReadError::Mixed);
            }
            let previous = link.unwrap_or_else(|| first_link(recording, name.leg));
            self.started_at_ms = meta.started_at_ms;
            self.required.clone_from(&meta.required);
            let leg = leg.get_or_insert_with(|| begun(*name, &meta, &previous));
            if until == GapReason::Damaged || opened.previous != previous {
                until = GapReason::Damaged;
                // It is no part of the list, and says how long the recording went on.
                let last_ms = opened.spans.iter().map(|s| s.last_ms).max();
                self.last_ms = self.last_ms.max(last_ms.unwrap_or(0));
                continue;
            }
            let later = names[n + 1..].iter().filter_map(|next| {
                let file = shelf.read(*next).ok()?;
                shelf.open(*next, &file)
            });
            let settled = settle(&opened, &file, &previous, later);
            if settled.broken {
                until = GapReason::Damaged;
            }
            let Some((length, next)) = settled.kept else {
                continue; // given up before anything was safe: the chain passes it by
            };
            let kept = if length < file.len() {
                // Something lies behind what counts, be it the file's end.
                let cut = shelf.open(*name, &file[..length]).unwrap_or_default();
                Opened {
                    complete: false,
                    ..cut
                }
            } else {
                opened
            };
            link = Some(next);
            leg.chain = hex(&next);
            enter(leg, &meta, &kept, *name, &file[..length], &next);
            self.notes(&kept.notes, &mut gaps, leg);
        }
        let Some(mut leg) = leg else { return Ok(()) };
        count_bytes(&mut leg);
        // Of nothing nobody can say when it should have begun.
        let end = leg.segments.iter().map(|s| s.last_ms).max().unwrap_or(0);
        self.last_ms = self.last_ms.max(end);
        leg.gaps = with_end(gaps, end, until);
        self.legs.push(leg);
        Ok(())
    }

    fn notes(&mut self, notes: &[Note], gaps: &mut Vec<Gap>, leg: &mut LegEntry) {
        for note in notes {
            match note {
                Note::Meta(_) => {}
                Note::Cue(number, cue) => {
                    let part = leg.parts.iter_mut().find(|p| p.part == *number);
                    if let Some(part) = part {
                        part.cues.push(*cue);
                    }
                }
                // Papers and screens have no sound that could be missing.
                Note::Gap(gap) if gap.kind == Some(Kind::Audio) && !leg.source.is_person() => {}
                Note::Gap(gap) => {
                    let same = |g: &Gap| {
                        (g.kind, g.from_ms, g.reason) == (gap.kind, gap.from_ms, gap.reason)
                    };
                    // Said again with its end, or changed into another reason that began there.
                    gaps.retain(|g| !same(g));
                    gaps.push(*gap);
                }
                Note::Event(event) => {
                    if !self.events.contains(event) {
                        self.events.push(*event);
                    }
                }
                Note::LeftOut(who) => {
                    if !self.left_out.contains(who) {
                        self.left_out.push(who.clone());
                    }
                }
            }
        }
    }

    fn manifest(mut self) -> Option<Manifest> {
        let recording = self.recording.take()?;
        add_unrecorded(&mut self.legs, &recording, &self.required, &self.left_out);
        self.events.sort_by_key(|e| e.at_ms);
        Some(Manifest {
            format: FORMAT,
            recording,
            started_at_ms: self.started_at_ms,
            duration_ms: self.last_ms,
            ended: Ended::Crash,
            legs: self.legs,
            events: self.events,
        })
    }
}

/// A leg of which nothing is listed yet.
fn begun(name: SegmentName, meta: &Meta, previous: &Link) -> LegEntry {
    LegEntry {
        leg: name.leg,
        member: meta.member.clone(),
        role: Some(meta.role),
        source: meta.source,
        required: meta.source.is_person() && meta.required.contains(&meta.member),
        parts: Vec::new(),
        segments: Vec::new(),
        gaps: Vec::new(),
        chain: hex(previous),
    }
}

/// What counts of a segment.
struct Settled {
    /// How many bytes, and the link that they make. None where it was given up before anything was safe.
    kept: Option<(usize, Link)>,
    /// What follows hangs on something else: this file is not what was written, or one between is missing.
    broken: bool,
}

/// All that is genuine counts, unless a follower was linked to less.
fn settle(
    opened: &Opened,
    file: &[u8],
    previous: &Link,
    later: impl Iterator<Item = Opened>,
) -> Settled {
    let ends = links(previous, file, &opened.ends);
    let all = ends.last().copied().filter(|_| !opened.spans.is_empty());
    let settled = |kept, broken| Settled { kept, broken };
    for next in later {
        if let Some(linked) = ends.iter().rev().find(|(_, link)| *link == next.previous) {
            return settled(Some(*linked), false);
        }
        if next.previous == *previous {
            return settled(None, false);
        }
        // A header without a record behind it is not known to be genuine.
        if next.meta().is_some() {
            return settled(all, true);
        }
    }
    settled(all, false)
}

/// Adds a segment and what it says of its part.
fn enter(
    leg: &mut LegEntry,
    meta: &Meta,
    opened: &Opened,
    name: SegmentName,
    file: &[u8],
    link: &Link,
) {
    let first_ms = opened.spans.first().map_or(0, |s| s.first_ms);
    let last_ms = opened.spans.last().map_or(first_ms, |s| s.last_ms);
    if leg.parts.last().is_none_or(|p| p.part != meta.part) {
        leg.parts.push(PartEntry {
            part: meta.part,
            from_ms: meta.part_from_ms,
            to_ms: meta.part_from_ms,
            bytes: 0,
            head_bytes: meta.head_bytes,
            tracks: meta.tracks.clone(),
            cues: Vec::<Cue>::new(),
        });
    }
    if let Some(part) = leg.parts.last_mut() {
        part.to_ms = part.to_ms.max(last_ms);
        for track in &mut part.tracks {
            let of_kind = opened.spans.iter().map(|s| s.frames[track.kind as usize]);
            track.frames += of_kind.map(u64::from).sum::<u64>();
        }
    }
    leg.segments.push(SegmentEntry {
        index: name.index,
        part: meta.part,
        first_ms,
        last_ms,
        bytes: file.len() as u64,
        clear_bytes: opened.webm.len() as u64,
        sha256: hex(&hash_of(file)),
        chain: hex(link),
        complete: opened.complete,
    });
}

/// Gaps as they were noted, then the end. A kind that was missing already stays missing for its own reason.
fn with_end(mut gaps: Vec<Gap>, end_ms: u64, reason: GapReason) -> Vec<Gap> {
    for kind in [Kind::Audio, Kind::Video] {
        // An open gap that was followed by another of the same kind ended where that began.
        let mut of_kind: Vec<Gap> = Vec::new();
        gaps.retain(|g| {
            if g.kind == Some(kind) {
                of_kind.push(*g);
            }
            g.kind != Some(kind)
        });
        of_kind.sort_by_key(|g| g.from_ms);
        for n in 1..of_kind.len() {
            if of_kind[n - 1].to_ms.is_none() {
                of_kind[n - 1].to_ms = Some(of_kind[n].from_ms);
            }
        }
        gaps.extend(of_kind);
    }
    gaps.push(Gap {
        kind: None,
        from_ms: end_ms,
        to_ms: None,
        reason,
    });
    gaps.sort_by_key(|g| (g.from_ms, g.kind));
    gaps
}
