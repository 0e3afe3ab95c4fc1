//! After the process ended without a word: what is on disk, and a manifest that says what is not.
//!
//! Reads every segment once. Nothing on disk is changed.

use super::core::add_absent;
use super::leg::count_bytes;
use super::manifest::{
    Cue, Ended, EventEntry, FORMAT, Gap, GapReason, LegEntry, Manifest, PartEntry, SegmentEntry,
};
use super::plan::RecordingKey;
use super::read::ReadError;
use super::segment::{Link, Meta, Note, first_link, hash_of, hex, next_link};
use super::sink::SegmentName;
use super::unseal::{self, Opened};
use crate::event::Kind;
use std::collections::BTreeMap;
use std::path::Path;

/// Makes the manifest of a recording that was never sealed. None if the directory holds no segment of this key.
///
/// A leg ends at its last whole record; the gap from there on has the reason `crash` and no end.
///
/// # Errors
/// The directory cannot be read, or holds segments of several recordings.
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
        found.leg(dir, key, list)?;
    }
    Ok(found.manifest())
}

#[derive(Default)]
struct Found {
    recording: Option<String>,
    started_at_ms: i64,
    required: Vec<String>,
    legs: Vec<LegEntry>,
    events: Vec<EventEntry>,
    last_ms: u64,
}

impl Found {
    fn leg(
        &mut self,
        dir: &Path,
        key: &RecordingKey,
        names: &[SegmentName],
    ) -> Result<(), ReadError> {
        let mut leg: Option<LegEntry> = None;
        let mut link: Option<Link> = None;
        let mut gaps: Vec<Gap> = Vec::new();
        for (n, name) in names.iter().enumerate() {
            let path = dir.join(name.file_name());
            let file = std::fs::read(path).map_err(|error| ReadError::Storage {
                leg: name.leg,
                segment: name.index,
                error,
            })?;
            let Some(opened) = unseal::open(&file, *name, key) else {
                continue; // not even its header was whole
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
            if opened.previous != previous {
                return Err(ReadError::NotGenuine {
                    leg: name.leg,
                    segment: name.index,
                });
            }
            let follower = names[n + 1..].iter().find_map(|next| {
                let file = std::fs::read(dir.join(next.file_name())).ok()?;
                unseal::open(&file, *next, key).map(|o| o.previous)
            });
            let Some((length, next)) = settled(&opened, &file, &previous, follower) else {
                continue; // given up before anything was safe: the chain passes it by
            };
            let trimmed = unseal::open(&file[..length], *name, key).unwrap_or_default();
            link = Some(next);
            let leg = leg.get_or_insert_with(|| LegEntry {
                leg: name.leg,
                member: meta.member.clone(),
                role: Some(meta.role),
                source: meta.source,
                required: meta.source.is_person() && meta.required.contains(&meta.member),
                parts: Vec::new(),
                segments: Vec::new(),
                gaps: Vec::new(),
                chain: String::new(),
            });
            leg.chain = hex(&next);
            self.started_at_ms = meta.started_at_ms;
            self.required.clone_from(&meta.required);
            enter(leg, &meta, &trimmed, *name, &file[..length], &next);
            self.notes(&trimmed.notes, &mut gaps, leg);
        }
        let Some(mut leg) = leg else { return Ok(()) };
        count_bytes(&mut leg);
        let end = leg.segments.iter().map(|s| s.last_ms).max().unwrap_or(0);
        self.last_ms = self.last_ms.max(end);
        leg.gaps = with_crash(gaps, end);
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
            }
        }
    }

    fn manifest(mut self) -> Option<Manifest> {
        let recording = self.recording.take()?;
        add_absent(&mut self.legs, &recording, &self.required);
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

/// How much of a segment counts, and the link that it makes: all that is genuine, unless its follower was linked to less.
/// None if it was linked to nothing of it.
fn settled(
    opened: &Opened,
    file: &[u8],
    previous: &Link,
    follower: Option<Link>,
) -> Option<(usize, Link)> {
    let whole = opened.good_bytes as usize;
    let linked = |length: usize| next_link(previous, &hash_of(&file[..length]));
    let Some(follower) = follower else {
        return (!opened.spans.is_empty()).then(|| (whole, linked(whole)));
    };
    opened
        .ends
        .iter()
        .rev()
        .map(|end| *end as usize)
        .map(|length| (length, linked(length)))
        .find(|(_, link)| *link == follower)
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

/// Gaps as they were noted, then the crash. A kind that was missing already stays missing for its own reason.
fn with_crash(mut gaps: Vec<Gap>, end_ms: u64) -> Vec<Gap> {
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
        reason: GapReason::Crash,
    });
    gaps.sort_by_key(|g| (g.from_ms, g.kind));
    gaps
}
