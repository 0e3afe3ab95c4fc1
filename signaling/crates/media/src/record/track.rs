//! One kind of media of one member: packets in, frames in order out, and what is missing of it.

use super::clock::{LegClock, Report};
use super::frames::{Assembler, Config, Frame};
use super::jitter::{InPacket, Jitter, Ordered};
use super::limits::{HEAD_WAIT_MS, INTERLEAVE_MS, SILENT_MS};
use super::manifest::{Codec, Gap, GapReason};
use crate::event::Kind;

/// What begins this soon after its member came is no gap (ms): the part says when it begins.
const PROMPT_MS: u64 = 1_000;
/// What ends this soon before its recording is whole (ms): the network's delay, and a pause of Opus DTX, which lasts 400.
const TAIL_MS: u64 = 700;

/// A frame with its place in the recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Timed {
    pub kind: Kind,
    pub ms: u64,
    pub frame: Frame,
    pub config: Config,
    /// Something between the frame before and this one is missing.
    pub after_loss: bool,
}

#[derive(Debug)]
pub(crate) struct Track {
    pub kind: Kind,
    /// Why nothing should flow; none if it should.
    pub off: Option<GapReason>,
    jitter: Jitter,
    assembler: Assembler,
    ssrc: Option<u32>,
    lossy: bool,
    /// What is missing now, and since when.
    pub gap: Option<(GapReason, u64)>,
    fresh: bool,
    /// Whether the gap before the first frame stands in the notes.
    noted: bool,
    /// End of the last frame written.
    pub end_ms: u64,
    /// The same, and what was missing, at the last sync.
    safe_end_ms: u64,
    safe_gap: Option<(GapReason, u64)>,
    /// Last frame, or when it should have begun to flow.
    heard_ms: u64,
    /// Since the last gap: written, synced.
    pub written: bool,
    pub synced: bool,
}

impl Track {
    pub(crate) fn new(kind: Kind, off: Option<GapReason>, now_ms: u64) -> Self {
        let codec = match kind {
            Kind::Audio => Codec::Opus,
            Kind::Video => Codec::Vp8,
        };
        Self {
            kind,
            off,
            jitter: Jitter::default(),
            assembler: Assembler::new(codec),
            ssrc: None,
            lossy: false,
            gap: Some((off.unwrap_or(GapReason::LegDown), now_ms)),
            fresh: true,
            noted: false,
            end_ms: now_ms,
            safe_end_ms: now_ms,
            safe_gap: Some((off.unwrap_or(GapReason::LegDown), now_ms)),
            heard_ms: now_ms,
            written: false,
            synced: false,
        }
    }

    pub(crate) fn push(&mut self, codec: Codec, packet: InPacket) {
        if codec != self.assembler.codec() {
            self.assembler = Assembler::new(codec);
            self.lossy |= self.ssrc.is_some();
        }
        self.ssrc = Some(packet.ssrc);
        self.jitter.push(packet);
    }

    pub(crate) fn is_of(&self, report: &Report) -> bool {
        self.ssrc == Some(report.ssrc)
    }

    /// The frames that are complete by now.
    pub(crate) fn pop(&mut self, clock: &mut LegClock, now_ms: u64, out: &mut Vec<Timed>) {
        while let Some(ordered) = self.jitter.pop(now_ms) {
            match ordered {
                Ordered::Lost => self.lost(),
                Ordered::Restarted => {
                    self.lost();
                    clock.restart(self.kind);
                }
                Ordered::Packet(packet) => {
                    let awaited = self.assembler.awaits_key();
                    let frame = self.assembler.push(&packet);
                    // The assembler knows of losses that numbers do not show.
                    self.lossy |= !awaited && self.assembler.awaits_key();
                    let Some((frame, config)) = frame.zip(self.assembler.config()) else {
                        continue;
                    };
                    self.heard_ms = frame.at_ms;
                    out.push(Timed {
                        kind: self.kind,
                        ms: clock.time(self.kind, frame.timestamp, frame.at_ms),
                        frame,
                        config,
                        after_loss: std::mem::take(&mut self.lossy),
                    });
                }
            }
        }
    }

    /// What follows is not joined to what was: pictures begin again at a keyframe.
    pub(crate) fn lost(&mut self) {
        self.assembler.lost();
        self.lossy = true;
    }

    /// Only a keyframe of the member brings the picture back.
    pub(crate) fn wants_key(&self) -> bool {
        self.kind == Kind::Video && self.off.is_none() && self.assembler.awaits_key()
    }

    /// It should flow from now on.
    pub(crate) fn expect(&mut self, now_ms: u64) {
        self.off = None;
        self.heard_ms = now_ms;
        self.lost();
    }

    /// Nothing came for too long, and why.
    pub(crate) fn silent(&self, now_ms: u64) -> Option<GapReason> {
        let known = !matches!(
            self.gap,
            None | Some((GapReason::Mode | GapReason::Paused, _))
        );
        let silent =
            self.off.is_none() && !known && now_ms.saturating_sub(self.heard_ms) > SILENT_MS;
        silent.then_some(self.reason())
    }

    /// At the end: what flowed has not reached it, and why. Too short to be told of while there may be more to come.
    pub(crate) fn broke_off(&self, now_ms: u64) -> Option<GapReason> {
        let short = self.off.is_none() && self.gap.is_none() && now_ms > self.end_ms + TAIL_MS;
        short.then_some(self.reason())
    }

    const fn reason(&self) -> GapReason {
        if self.lossy {
            GapReason::Loss
        } else {
            GapReason::LegDown
        }
    }

    /// The gap before the first frame, once, when it is certain that it is one.
    pub(crate) fn unnoted(&mut self, now_ms: u64) -> Option<Gap> {
        let (reason, from) = self.gap.filter(|_| self.fresh && !self.noted)?;
        self.noted = now_ms > from + PROMPT_MS + HEAD_WAIT_MS + INTERLEAVE_MS;
        self.noted.then(|| self.gap_of(reason, from, None))
    }

    /// Nothing is written from now on; gives the gaps to note: the one that ends here and the one that begins.
    pub(crate) fn fail(&mut self, reason: GapReason, now_ms: u64) -> Vec<Gap> {
        (self.written, self.synced) = (false, false);
        let mut notes = Vec::new();
        let since = match self.gap {
            None => self.end_ms,
            Some((present, _)) if present == reason => return notes,
            Some((present, from)) => {
                // What it was for so far stays said, unless it lasted no time.
                let to_ms = now_ms.max(from);
                if to_ms > from {
                    notes.push(self.gap_of(present, from, Some(to_ms)));
                }
                to_ms
            }
        };
        self.gap = Some((reason, since));
        notes.push(self.gap_of(reason, since, None));
        notes
    }

    /// What was written since the last sync is lost.
    pub(crate) fn unwind(&mut self) {
        self.end_ms = self.safe_end_ms;
        self.gap = match self.gap {
            None => self.safe_gap,
            Some((reason, from)) => Some((reason, from.min(self.safe_end_ms))),
        };
    }

    /// A frame was written; gives the gap that it ends.
    pub(crate) fn wrote(&mut self, ms: u64, end_ms: u64, after_loss: bool) -> Option<Gap> {
        let gap = match self.gap.take() {
            Some((_, from)) if self.fresh && ms < from + PROMPT_MS => None,
            Some((reason, from)) => Some(self.gap_of(reason, from, Some(ms.max(from)))),
            None if after_loss && ms > self.end_ms => {
                Some(self.gap_of(GapReason::Loss, self.end_ms, Some(ms)))
            }
            None => None,
        };
        self.fresh = false;
        self.end_ms = self.end_ms.max(end_ms);
        self.written = true;
        gap
    }

    pub(crate) fn synced(&mut self) {
        self.synced |= self.written;
        self.safe_end_ms = self.end_ms;
        self.safe_gap = self.gap;
    }

    /// What is missing to the end.
    pub(crate) fn tail(&self) -> Option<Gap> {
        match self.gap {
            Some((reason, from)) => Some(self.gap_of(reason, from, None)),
            None if self.lossy && self.off.is_none() => {
                Some(self.gap_of(GapReason::Loss, self.end_ms, None))
            }
            None => None,
        }
    }

    fn gap_of(&self, reason: GapReason, from_ms: u64, to_ms: Option<u64>) -> Gap {
        Gap {
            kind: Some(self.kind),
            from_ms,
            to_ms,
            reason,
        }
    }
}

/// How long an Opus packet sounds (ms, rounded down; RFC 6716 §3.1).
pub(crate) fn opus_ms(packet: &[u8]) -> u64 {
    let Some(toc) = packet.first() else { return 0 };
    let frame_us = match toc >> 3 {
        n @ 0..=11 => [10_000, 20_000, 40_000, 60_000][usize::from(n % 4)],
        n @ 12..=15 => [10_000, 20_000][usize::from(n % 2)],
        n => [2_500, 5_000, 10_000, 20_000][usize::from(n % 4)],
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u64::from(packet.get(1).map_or(0, |n| n & 0x3f)),
    };
    (frame_us * frames / 1_000).min(120)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_change_their_reason_and_end_with_a_frame() {
        let mut t = Track::new(Kind::Audio, None, 0);
        assert_eq!(t.wrote(300, 320, false), None, "prompt");
        assert_eq!(
            t.wrote(360, 380, true),
            Some(t.gap_of(GapReason::Loss, 320, Some(360)))
        );
        let open = |r, from| vec![t_gap(r, from, None)];
        assert_eq!(
            t.fail(GapReason::LegDown, 500),
            open(GapReason::LegDown, 380)
        );
        assert_eq!(t.fail(GapReason::LegDown, 600), []);
        assert_eq!(
            t.fail(GapReason::Disk, 700),
            [
                t_gap(GapReason::LegDown, 380, Some(700)),
                t_gap(GapReason::Disk, 700, None)
            ]
        );
        assert_eq!(t.tail(), Some(t_gap(GapReason::Disk, 700, None)));
        assert_eq!(
            t.wrote(900, 920, true),
            Some(t_gap(GapReason::Disk, 700, Some(900)))
        );
        assert_eq!(t.tail(), None);
    }

    fn t_gap(reason: GapReason, from_ms: u64, to_ms: Option<u64>) -> Gap {
        Gap {
            kind: Some(Kind::Audio),
            from_ms,
            to_ms,
            reason,
        }
    }

    #[test]
    fn a_slow_start_is_a_gap() {
        let mut t = Track::new(Kind::Audio, None, 100);
        assert_eq!(
            t.wrote(1_200, 1_220, false),
            Some(t_gap(GapReason::LegDown, 100, Some(1_200)))
        );
    }

    #[test]
    fn opus_packets_say_how_long_they_are() {
        assert_eq!(opus_ms(&[0xfc, 1]), 20); // CELT, 20 ms
        assert_eq!(opus_ms(&[0x08]), 20); // SILK, 20 ms
        assert_eq!(opus_ms(&[0x19]), 120); // SILK, two of 60 ms
        assert_eq!(opus_ms(&[0xfb, 3]), 60); // three of 20 ms
        assert_eq!(opus_ms(&[]), 0);
    }
}
