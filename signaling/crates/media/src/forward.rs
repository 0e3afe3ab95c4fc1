//! Who hears and sees whom, and how one packet is rewritten for one slot. Pure: time and packets come in, decisions go out.
//!
//! ## Who gets what
//! The person (microphone and camera):
//!
//! | from ↓ to → | citizen | agent | colleague | guest | listener, whisper | consulted | held | aside |
//! |-|-|-|-|-|-|-|-|-|
//! | citizen, guest, colleague | yes | yes | yes | yes | yes | | | |
//! | agent | yes | yes | yes | yes | yes | yes | | |
//! | consulted, whisper | | yes | | | | | | |
//! | held | | | | | | | yes | |
//! | listener, aside | | | | | | | | |
//!
//! A document under the second camera, a shared screen: they show papers and forms, which are the citizen's and the office's business.
//! An interpreter or a relative (guest) does not see them, nor does who is merely asked for advice.
//!
//! | from ↓ to → | citizen | agent | colleague | guest | listener, whisper | consulted | held | aside |
//! |-|-|-|-|-|-|-|-|-|
//! | citizen | | yes | yes | | yes | | | |
//! | agent, colleague | yes | yes | yes | | yes | | | |
//! | all others | | | | | | | | |
//!
//! Never touches sockets or locks.

use crate::event::{Kind, Source};
use crate::picture::begins;
use crate::record::Codec;
use crate::seen::Seen;
use rtc::rtp::Header;
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// A member's part in the call; decides what is forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberRole {
    /// The person being served 群众.
    Citizen,
    /// The one who serves 坐席.
    Agent,
    /// Somebody of the office who serves with the agent 同事.
    Colleague,
    /// Somebody asked to join: family, interpreter 受邀人.
    Guest,
    /// A supervisor who hears everybody and whom nobody hears 旁听.
    Listener,
    /// A supervisor who hears everybody and is heard by agents alone 耳语.
    Whisper,
    /// In private talk with the agent, not before the citizen 咨询.
    Consulted,
    /// The citizen, or who is with them, while staff talk apart 保持.
    Held,
    /// A supervisor while staff talk in private without them: hears nobody, and nobody hears them.
    Aside,
}

/// Whether what `from` sends of `source` reaches `to`. Two different members are meant: nobody ever hears themselves.
///
/// Supervisors (`Listener`, `Whisper`) do not hear each other: their presence is nobody's business but their own.
#[must_use]
pub fn forwards(from: &MemberRole, to: &MemberRole, source: Source) -> bool {
    use MemberRole as R;
    match source {
        Source::Camera => match from {
            // Nothing of the citizen's reaches who is only consulted, and nothing at all who is on hold.
            R::Agent => !matches!(to, R::Held | R::Aside),
            R::Citizen | R::Colleague | R::Guest => {
                !matches!(to, R::Held | R::Consulted | R::Aside)
            }
            R::Consulted => matches!(to, R::Agent),
            // Family beside the citizen stays with them.
            R::Held => matches!(to, R::Held),
            R::Listener | R::Aside => false,
            R::Whisper => matches!(to, R::Agent),
        },
        Source::Document | Source::Screen => {
            let office = matches!(to, R::Agent | R::Colleague | R::Listener | R::Whisper);
            match from {
                R::Citizen => office,
                R::Agent | R::Colleague => office || matches!(to, R::Citizen),
                R::Guest | R::Listener | R::Whisper | R::Consulted | R::Held | R::Aside => false,
            }
        }
    }
}

/// What to do with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The header is rewritten: send it.
    Forward,
    /// Video that no decoder could start with: drop it and ask for a keyframe.
    AwaitKeyframe,
    /// From before the stream began here, sent twice, or too late to tell.
    Stale,
}

/// Keeps one slot's sequence numbers and timestamps continuous while its source changes (RFC 3550 §5.1).
#[derive(Debug)]
pub(crate) struct Rewriter {
    kind: Kind,
    last: Option<Last>,
    before_last: Option<Last>,
    map: Option<Map>,
    /// Numbers that were given away: each is one packet's, whatever its sender numbers twice.
    given: Seen,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    sequence: u16,
    timestamp: u32,
    at: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Map {
    first: u16,
    forwarded: u32,
    sequence_offset: u16,
    timestamp_offset: u32,
}

impl Map {
    fn apply(&self, header: &mut Header) {
        header.sequence_number = header.sequence_number.wrapping_add(self.sequence_offset);
        header.timestamp = header.timestamp.wrapping_add(self.timestamp_offset);
        header.extension = false;
        header.extensions.clear();
        header.extensions_padding = 0;
        header.csrc.clear();
        header.padding = false;
    }
}

/// Beyond this many packets a sequence number "before the first" is only the wrap.
const STALE_WINDOW: u32 = 10_000;

impl Rewriter {
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            kind,
            last: None,
            before_last: None,
            map: None,
            given: Seen::default(),
        }
    }

    /// The source changed, paused or lost packets: the next packet starts a new stretch, for video at a keyframe.
    pub(crate) fn resync(&mut self) {
        self.map = None;
    }

    /// The packet just rewritten to this number was never sent: the number is free, and what follows starts a new stretch.
    pub(crate) fn unsend(&mut self, sequence: u16) {
        self.given.forget(sequence);
        self.last = self.before_last;
        self.map = None;
    }

    /// What the present stretch added to numbers and timestamps, if one has begun.
    pub(crate) fn offsets(&self) -> Option<(u16, u32)> {
        self.map.map(|m| (m.sequence_offset, m.timestamp_offset))
    }

    /// Rewrites the header of a packet that is sent again, if it was sent in this stretch.
    pub(crate) fn again(&self, header: &mut Header) -> bool {
        let Some(map) = self.map else { return false };
        if map.forwarded < STALE_WINDOW
            && (header.sequence_number.wrapping_sub(map.first) as i16) < 0
        {
            return false;
        }
        map.apply(header);
        true
    }

    /// Rewrites sequence number and timestamp and strips header extensions, whose ids differ per connection.
    pub(crate) fn rewrite(
        &mut self,
        now: Instant,
        codec: Codec,
        header: &mut Header,
        payload: &[u8],
    ) -> Verdict {
        let map = match self.map {
            Some(map) => map,
            None => {
                if !begins(codec, payload) {
                    return Verdict::AwaitKeyframe;
                }
                self.start(now, header)
            }
        };
        if map.forwarded < STALE_WINDOW
            && (header.sequence_number.wrapping_sub(map.first) as i16) < 0
        {
            return Verdict::Stale;
        }
        if !self
            .given
            .note(header.sequence_number.wrapping_add(map.sequence_offset))
        {
            return Verdict::Stale;
        }
        self.map = Some(Map {
            forwarded: map.forwarded.saturating_add(1),
            ..map
        });

        map.apply(header);

        self.before_last = self.last;
        let newer = self
            .last
            .is_none_or(|l| (header.sequence_number.wrapping_sub(l.sequence) as i16) > 0);
        if newer {
            self.last = Some(Last {
                sequence: header.sequence_number,
                timestamp: header.timestamp,
                at: now,
            });
        }
        Verdict::Forward
    }

    fn start(&self, now: Instant, header: &Header) -> Map {
        let (sequence_offset, timestamp_offset) = match self.last {
            None => (0, 0),
            Some(last) => {
                let elapsed = now.saturating_duration_since(last.at).as_secs_f64();
                // At least one tick forward: two frames of one timestamp would be taken for one.
                let ticks = ((elapsed * f64::from(self.kind.clock_rate())) as u32).max(1);
                (
                    last.sequence
                        .wrapping_add(1)
                        .wrapping_sub(header.sequence_number),
                    last.timestamp
                        .wrapping_add(ticks)
                        .wrapping_sub(header.timestamp),
                )
            }
        };
        Map {
            first: header.sequence_number,
            forwarded: 0,
            sequence_offset,
            timestamp_offset,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::time::Duration;

    const KEY: &[u8] = &[0x10, 0x00, 0x9d];
    const DELTA: &[u8] = &[0x10, 0x01, 0x00];

    fn header(sequence_number: u16, timestamp: u32) -> Header {
        Header {
            version: 2,
            sequence_number,
            timestamp,
            ..Header::default()
        }
    }

    #[test]
    fn who_gets_what() {
        use MemberRole::*;
        let all = [
            Citizen, Agent, Colleague, Guest, Listener, Whisper, Consulted, Held, Aside,
        ];
        // One row a sender, one column a receiver, in the order above.
        let person = [
            (Citizen, "xxxxxx..."),
            (Agent, "xxxxxxx.."),
            (Colleague, "xxxxxx..."),
            (Guest, "xxxxxx..."),
            (Listener, "........."),
            (Whisper, ".x......."),
            (Consulted, ".x......."),
            (Held, ".......x."),
            (Aside, "........."),
        ];
        let shown = [
            (Citizen, ".xx.xx..."),
            (Agent, "xxx.xx..."),
            (Colleague, "xxx.xx..."),
            (Guest, "........."),
            (Listener, "........."),
            (Whisper, "........."),
            (Consulted, "........."),
            (Held, "........."),
            (Aside, "........."),
        ];
        for (source, table) in [
            (Source::Camera, person),
            (Source::Document, shown),
            (Source::Screen, shown),
        ] {
            for (from, row) in table {
                let reaches = |to| forwards(&from, to, source);
                let mark = |to| if reaches(to) { 'x' } else { '.' };
                let got: String = all.iter().map(mark).collect();
                assert_eq!(got, row, "{from:?} {source:?}");
            }
        }
    }

    #[test]
    fn video_starts_at_a_keyframe_and_drops_what_came_before() {
        let mut r = Rewriter::new(Kind::Video);
        let now = Instant::now();
        assert_eq!(
            r.rewrite(now, Codec::Vp8, &mut header(9, 100), DELTA),
            Verdict::AwaitKeyframe
        );
        assert_eq!(
            r.rewrite(now, Codec::Vp8, &mut header(10, 200), KEY),
            Verdict::Forward
        );
        assert_eq!(
            r.rewrite(now, Codec::Vp8, &mut header(9, 100), DELTA),
            Verdict::Stale
        );
        assert_eq!(
            r.rewrite(now, Codec::Vp8, &mut header(11, 200), DELTA),
            Verdict::Forward
        );
    }

    #[test]
    fn numbers_go_on_when_the_source_changes() {
        let mut r = Rewriter::new(Kind::Video);
        let t0 = Instant::now();
        let mut h = header(65_535, 1_000);
        r.rewrite(t0, Codec::Vp8, &mut h, KEY);
        assert_eq!((h.sequence_number, h.timestamp), (65_535, 1_000));
        r.resync();
        let mut h = header(700, 5);
        assert_eq!(
            r.rewrite(t0 + Duration::from_millis(100), Codec::Vp8, &mut h, KEY),
            Verdict::Forward
        );
        assert_eq!((h.sequence_number, h.timestamp), (0, 1_000 + 9_000));
        let mut h = header(702, 3_005);
        r.rewrite(t0 + Duration::from_millis(133), Codec::Vp8, &mut h, DELTA);
        assert_eq!((h.sequence_number, h.timestamp), (2, 13_000));
        // Out of order within the stretch keeps its place.
        let mut h = header(701, 5);
        assert_eq!(
            r.rewrite(t0 + Duration::from_millis(134), Codec::Vp8, &mut h, DELTA),
            Verdict::Forward
        );
        assert_eq!(h.sequence_number, 1);
    }

    #[test]
    fn a_change_at_the_same_instant_still_moves_the_timestamp() {
        let mut r = Rewriter::new(Kind::Audio);
        let now = Instant::now();
        let mut h = header(1, 10);
        r.rewrite(now, Codec::Opus, &mut h, &[1]);
        r.resync();
        let mut h = header(1, 10);
        r.rewrite(now, Codec::Opus, &mut h, &[1]);
        assert_eq!((h.sequence_number, h.timestamp), (2, 11));
    }

    #[test]
    fn a_number_goes_on_once_and_not_from_far_behind() {
        let mut r = Rewriter::new(Kind::Audio);
        let now = Instant::now();
        let mut send = |sequence| {
            let mut h = header(sequence, 960);
            r.rewrite(now, Codec::Opus, &mut h, &[1])
        };
        for n in 0..30_000 {
            assert_eq!(send(n), Verdict::Forward, "{n}");
        }
        assert_eq!(send(29_999), Verdict::Stale, "twice");
        assert_eq!(send(29_000), Verdict::Stale, "twice");
        assert_eq!(send(20_000), Verdict::Stale, "too late to tell");
        assert_eq!(send(30_001), Verdict::Forward);
        assert_eq!(send(30_000), Verdict::Forward, "late");
        assert_eq!(send(30_000), Verdict::Stale);
    }

    #[test]
    fn a_number_that_was_never_sent_is_the_next_stretchs_first() {
        let mut r = Rewriter::new(Kind::Video);
        let now = Instant::now();
        r.rewrite(now, Codec::Vp8, &mut header(7, 100), KEY);
        let mut full = header(8, 200);
        r.rewrite(now, Codec::Vp8, &mut full, DELTA);
        r.unsend(full.sequence_number);
        let mut key = header(60, 900);
        let verdict = r.rewrite(now, Codec::Vp8, &mut key, KEY);
        assert_eq!((verdict, key.sequence_number), (Verdict::Forward, 8));
    }

    #[test]
    fn long_streams_survive_the_wrap() {
        let mut r = Rewriter::new(Kind::Audio);
        let now = Instant::now();
        for n in 0..200_000u32 {
            let mut h = header(n as u16, n.wrapping_mul(960));
            assert_eq!(r.rewrite(now, Codec::Opus, &mut h, &[1]), Verdict::Forward);
            assert_eq!(h.sequence_number, n as u16);
        }
    }
}
