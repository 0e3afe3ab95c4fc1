//! The last packets of a publisher's picture, for those who missed one (NACK, RFC 4585 §6.2.1). Pure; the payload is shared with
//! what was sent. Limit: [`HISTORY`].

use crate::config::{HISTORY, HOLE};
use rtc::rtp::Packet;
use std::time::Instant;

#[derive(Debug, Default)]
pub(crate) struct History {
    ring: Vec<Option<Packet>>,
    last: Option<Last>,
}

/// What came last, by its stream's numbers.
#[derive(Debug, Clone, Copy)]
struct Last {
    at: Instant,
    ssrc: u32,
    sequence: u16,
}

impl History {
    /// Whether these come after a time in which packets of the stream were lost and none came: more than repetitions will fill, and a
    /// page waits seconds before it says so itself.
    pub(crate) fn has_hole(&mut self, now: Instant, packets: &[Packet]) -> bool {
        let mut hole = false;
        for header in packets.iter().map(|p| &p.header) {
            let before = self.last.filter(|l| l.ssrc == header.ssrc);
            let step = before.map_or(1, |l| header.sequence_number.wrapping_sub(l.sequence));
            // An older one, sent again, moves nothing.
            if step >= 0x8000 {
                continue;
            }
            hole |= step > 1 && before.is_some_and(|l| now.duration_since(l.at) >= HOLE);
            self.last = Some(Last {
                at: now,
                ssrc: header.ssrc,
                sequence: header.sequence_number,
            });
        }
        hole
    }

    pub(crate) fn keep(&mut self, packet: &Packet) {
        if self.ring.is_empty() {
            self.ring.resize(HISTORY, None);
        }
        let at = usize::from(packet.header.sequence_number) % HISTORY;
        self.ring[at] = Some(packet.clone());
    }

    /// The packet of that number and stream, unless it is too long ago.
    pub(crate) fn find(&self, ssrc: u32, sequence: u16) -> Option<&Packet> {
        let kept = self.ring.get(usize::from(sequence) % HISTORY)?.as_ref()?;
        (kept.header.ssrc == ssrc && kept.header.sequence_number == sequence).then_some(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtc::rtp::Header;

    fn packet(ssrc: u32, sequence_number: u16) -> Packet {
        let header = Header {
            ssrc,
            sequence_number,
            ..Header::default()
        };
        Packet {
            header,
            payload: vec![1].into(),
        }
    }

    #[test]
    fn a_hole_is_what_was_lost_while_nothing_came() {
        let mut history = History::default();
        let start = Instant::now();
        let mut at = |ms: u64, ssrc: u32, numbers: &[u16]| {
            let packets: Vec<Packet> = numbers.iter().map(|n| packet(ssrc, *n)).collect();
            history.has_hole(start + std::time::Duration::from_millis(ms), &packets)
        };
        assert!(!at(0, 1, &[65_534, 65_535]), "the first");
        assert!(!at(900, 1, &[0]), "a camera that was off");
        assert!(!at(930, 1, &[5]), "lost, and will be repeated");
        assert!(!at(960, 1, &[3]), "repeated");
        assert!(at(1_500, 1, &[40, 41]));
        assert!(!at(1_530, 1, &[42]), "said once");
        assert!(!at(2_500, 2, &[900]), "another stream");
    }

    #[test]
    fn only_the_newest_are_found() {
        let mut history = History::default();
        assert!(history.find(1, 0).is_none());
        for n in 65_000..66_000u32 {
            history.keep(&packet(1, n as u16));
        }
        let last = 65_999u32 as u16;
        assert!(history.find(1, last).is_some());
        assert!(history.find(2, last).is_none(), "another stream");
        assert!(
            history.find(1, last.wrapping_add(1)).is_none(),
            "not yet sent"
        );
        let oldest = last.wrapping_sub(HISTORY as u16 - 1);
        assert!(history.find(1, oldest).is_some());
        assert!(history.find(1, oldest.wrapping_sub(1)).is_none());
    }
}
