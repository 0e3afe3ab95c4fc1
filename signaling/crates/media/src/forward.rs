//! Who hears whom, and how one packet is rewritten for one slot. Pure: time and packets come in, decisions go out.
//!
//! Never touches sockets or locks.

use crate::event::Kind;
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
    /// Somebody asked to join: family, interpreter, a second office 受邀人.
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

/// Whether media of `from` reaches `to`. Two different members are meant: nobody ever hears themselves.
///
/// Supervisors (`Listener`, `Whisper`) do not hear each other: their presence is nobody's business but their own.
#[must_use]
pub fn forwards(from: &MemberRole, to: &MemberRole) -> bool {
    match from {
        // Nothing of the citizen's reaches who is only consulted, and nothing at all who is on hold.
        MemberRole::Agent => !matches!(to, MemberRole::Held | MemberRole::Aside),
        MemberRole::Citizen | MemberRole::Guest => !matches!(
            to,
            MemberRole::Held | MemberRole::Consulted | MemberRole::Aside
        ),
        MemberRole::Consulted => matches!(to, MemberRole::Agent),
        // Family beside the citizen stays with them.
        MemberRole::Held => matches!(to, MemberRole::Held),
        MemberRole::Listener | MemberRole::Aside => false,
        MemberRole::Whisper => matches!(to, MemberRole::Agent),
    }
}

/// What to do with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The header is rewritten: send it.
    Forward,
    /// Video that no decoder could start with: drop it and ask for a keyframe.
    AwaitKeyframe,
    /// From before the stream began here.
    Stale,
}

/// Keeps one slot's sequence numbers and timestamps continuous while its source changes (RFC 3550 §5.1).
#[derive(Debug)]
pub(crate) struct Rewriter {
    kind: Kind,
    last: Option<Last>,
    before_last: Option<Last>,
    map: Option<Map>,
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
        }
    }

    /// The source changed, paused or lost packets: the next packet starts a new stretch, for video at a keyframe.
    pub(crate) fn resync(&mut self) {
        self.map = None;
    }

    /// The packet just rewritten was never sent: its number is free, and what follows starts a new stretch.
    pub(crate) fn unsend(&mut self) {
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
    pub(crate) fn rewrite(&mut self, now: Instant, header: &mut Header, payload: &[u8]) -> Verdict {
        let map = match self.map {
            Some(map) => map,
            None => {
                if self.kind == Kind::Video && !is_keyframe(payload) {
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

/// Whether a VP8 payload is the first packet of a keyframe (RFC 7741 §4.2, §4.3). Malformed input is not one.
pub(crate) fn is_keyframe(payload: &[u8]) -> bool {
    fn parse(p: &[u8]) -> Option<bool> {
        let first = *p.first()?;
        if first & 0x10 == 0 || first & 0x07 != 0 {
            return Some(false); // not the start of partition 0
        }
        let mut at = 1;
        if first & 0x80 != 0 {
            let extension = *p.get(at)?;
            at += 1;
            if extension & 0x80 != 0 {
                at += if *p.get(at)? & 0x80 != 0 { 2 } else { 1 };
            }
            if extension & 0x40 != 0 {
                at += 1;
            }
            if extension & 0x30 != 0 {
                at += 1;
            }
        }
        Some(*p.get(at)? & 0x01 == 0)
    }
    parse(payload).unwrap_or(false)
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
    fn who_hears_whom() {
        use MemberRole::*;
        let all = [
            Citizen, Agent, Guest, Listener, Whisper, Consulted, Held, Aside,
        ];
        let heard = |to: MemberRole| {
            all.iter()
                .filter(|f| forwards(f, &to))
                .copied()
                .collect::<Vec<_>>()
        };
        assert_eq!(heard(Citizen), [Citizen, Agent, Guest]);
        assert_eq!(heard(Guest), [Citizen, Agent, Guest]);
        assert_eq!(heard(Agent), [Citizen, Agent, Guest, Whisper, Consulted]);
        assert_eq!(heard(Consulted), [Agent]);
        assert_eq!(heard(Held), [Held]);
        assert_eq!(heard(Listener), [Citizen, Agent, Guest]);
        assert_eq!(heard(Whisper), [Citizen, Agent, Guest]);
        assert_eq!(heard(Aside), []);
    }

    #[test]
    fn video_starts_at_a_keyframe_and_drops_what_came_before() {
        let mut r = Rewriter::new(Kind::Video);
        let now = Instant::now();
        assert_eq!(
            r.rewrite(now, &mut header(9, 100), DELTA),
            Verdict::AwaitKeyframe
        );
        assert_eq!(r.rewrite(now, &mut header(10, 200), KEY), Verdict::Forward);
        assert_eq!(r.rewrite(now, &mut header(9, 100), DELTA), Verdict::Stale);
        assert_eq!(
            r.rewrite(now, &mut header(11, 200), DELTA),
            Verdict::Forward
        );
    }

    #[test]
    fn numbers_go_on_when_the_source_changes() {
        let mut r = Rewriter::new(Kind::Video);
        let t0 = Instant::now();
        let mut h = header(65_535, 1_000);
        r.rewrite(t0, &mut h, KEY);
        assert_eq!((h.sequence_number, h.timestamp), (65_535, 1_000));
        r.resync();
        let mut h = header(700, 5);
        assert_eq!(
            r.rewrite(t0 + Duration::from_millis(100), &mut h, KEY),
            Verdict::Forward
        );
        assert_eq!((h.sequence_number, h.timestamp), (0, 1_000 + 9_000));
        let mut h = header(702, 3_005);
        r.rewrite(t0 + Duration::from_millis(133), &mut h, DELTA);
        assert_eq!((h.sequence_number, h.timestamp), (2, 13_000));
        // Out of order within the stretch keeps its place.
        let mut h = header(701, 5);
        assert_eq!(
            r.rewrite(t0 + Duration::from_millis(134), &mut h, DELTA),
            Verdict::Forward
        );
        assert_eq!(h.sequence_number, 1);
    }

    #[test]
    fn a_change_at_the_same_instant_still_moves_the_timestamp() {
        let mut r = Rewriter::new(Kind::Audio);
        let now = Instant::now();
        let mut h = header(1, 10);
        r.rewrite(now, &mut h, &[1]);
        r.resync();
        let mut h = header(1, 10);
        r.rewrite(now, &mut h, &[1]);
        assert_eq!((h.sequence_number, h.timestamp), (2, 11));
    }

    #[test]
    fn long_streams_survive_the_wrap() {
        let mut r = Rewriter::new(Kind::Audio);
        let now = Instant::now();
        for n in 0..200_000u32 {
            let mut h = header(n as u16, n.wrapping_mul(960));
            assert_eq!(r.rewrite(now, &mut h, &[1]), Verdict::Forward);
            assert_eq!(h.sequence_number, n as u16);
        }
    }

    #[test]
    fn keyframes_are_told_from_the_descriptor() {
        assert!(is_keyframe(KEY));
        assert!(!is_keyframe(DELTA));
        assert!(!is_keyframe(&[0x00, 0x00])); // continuation
        assert!(!is_keyframe(&[0x11, 0x00])); // partition 1
        assert!(is_keyframe(&[0x90, 0xf0, 0x81, 0x02, 0x03, 0x04, 0x00])); // 15-bit picture id, TL0, TID
        assert!(is_keyframe(&[0x90, 0x80, 0x01, 0x00])); // 7-bit picture id
        assert!(!is_keyframe(&[0x90, 0x80, 0x01, 0x01]));
        for cut in 0..6 {
            assert!(!is_keyframe(
                &[0x90, 0xf0, 0x81, 0x02, 0x03, 0x04, 0x00][..cut]
            ));
        }
    }
}
