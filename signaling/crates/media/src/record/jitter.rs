//! Puts the packets of one stream in order and says what is missing. Pure: arrival times come in.
//!
//! Limits: [`REORDER_MS`], [`REORDER_PACKETS`]; a repeated packet within them counts as arrived.

use super::limits::{REORDER_MS, REORDER_PACKETS, SEQUENCE_JUMP};
use bytes::Bytes;
use std::collections::BTreeMap;

/// What the recording needs of an RTP packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InPacket {
    pub ssrc: u32,
    pub sequence: u16,
    pub timestamp: u32,
    pub marker: bool,
    pub payload: Bytes,
    /// Arrival, in ms of the recording.
    pub at_ms: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ordered {
    Packet(InPacket),
    /// Something before the next packet never came.
    Lost,
    /// Another stream begins: nothing that comes is related to what was.
    Restarted,
}

#[derive(Debug, Default)]
pub(crate) struct Jitter {
    ssrc: Option<u32>,
    /// The highest number so far, unwrapped.
    newest: i64,
    next: Option<i64>,
    held: BTreeMap<i64, InPacket>,
    restarted: bool,
}

impl Jitter {
    pub(crate) fn push(&mut self, packet: InPacket) {
        let known = self.ssrc == Some(packet.ssrc);
        let step = i64::from(packet.sequence.wrapping_sub(self.newest as u16) as i16);
        if !known || step.abs() > SEQUENCE_JUMP {
            self.restarted |= self.ssrc.is_some();
            self.ssrc = Some(packet.ssrc);
            self.held.clear();
            // Far enough from zero that a packet out of order does not go below it.
            self.newest = (1 << 32) | i64::from(packet.sequence);
            self.next = Some(self.newest);
            self.held.insert(self.newest, packet);
            return;
        }
        let number = self.newest + step;
        self.newest = self.newest.max(number);
        if self.next.is_some_and(|next| number < next) {
            return; // given up already, or a copy
        }
        self.held.entry(number).or_insert(packet);
    }

    /// The next in order; none until more is there or `now_ms` is late enough to give up what is missing.
    pub(crate) fn pop(&mut self, now_ms: u64) -> Option<Ordered> {
        if std::mem::take(&mut self.restarted) {
            return Some(Ordered::Restarted);
        }
        let first = *self.held.keys().next()?;
        if self.next.is_some_and(|next| next < first) {
            let oldest = self.held.values().map(|p| p.at_ms).min().unwrap_or(now_ms);
            if self.held.len() < REORDER_PACKETS && now_ms.saturating_sub(oldest) < REORDER_MS {
                return None;
            }
            self.next = Some(first);
            return Some(Ordered::Lost);
        }
        self.next = Some(first + 1);
        self.held.remove(&first).map(Ordered::Packet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packet(sequence: u16, at_ms: u64) -> InPacket {
        InPacket {
            ssrc: 1,
            sequence,
            timestamp: 0,
            marker: false,
            payload: Bytes::new(),
            at_ms,
        }
    }

    fn drain(jitter: &mut Jitter, now: u64) -> Vec<Option<u16>> {
        std::iter::from_fn(|| jitter.pop(now))
            .map(|o| match o {
                Ordered::Packet(p) => Some(p.sequence),
                Ordered::Lost => None,
                Ordered::Restarted => Some(u16::MAX),
            })
            .collect()
    }

    #[test]
    fn order_is_restored_across_the_wrap_and_copies_are_dropped() {
        let mut j = Jitter::default();
        for n in [65_534, 0, 65_535, 0, 65_534, 1] {
            j.push(packet(n, 0));
        }
        assert_eq!(
            drain(&mut j, 0),
            [Some(65_534), Some(65_535), Some(0), Some(1)]
        );
    }

    #[test]
    fn a_missing_packet_is_waited_for_and_then_given_up() {
        let mut j = Jitter::default();
        j.push(packet(1, 0));
        j.push(packet(3, 20));
        assert_eq!(drain(&mut j, 20 + REORDER_MS - 1), [Some(1)]);
        assert_eq!(drain(&mut j, 20 + REORDER_MS), [None, Some(3)]);
        j.push(packet(2, 300)); // too late
        j.push(packet(4, 300));
        assert_eq!(drain(&mut j, 300), [Some(4)]);
    }

    #[test]
    fn what_is_held_is_bounded() {
        let mut j = Jitter::default();
        j.push(packet(0, 0));
        for n in 2..=REORDER_PACKETS as u16 + 1 {
            j.push(packet(n, 0));
        }
        assert_eq!(drain(&mut j, 0).len(), REORDER_PACKETS + 2);
    }

    #[test]
    fn another_source_or_a_far_jump_is_a_new_stream() {
        let mut j = Jitter::default();
        j.push(packet(10, 0));
        assert_eq!(drain(&mut j, 0), [Some(10)]);
        j.push(InPacket {
            ssrc: 2,
            ..packet(500, 0)
        });
        assert_eq!(drain(&mut j, 0), [Some(u16::MAX), Some(500)]);
        j.push(InPacket {
            ssrc: 2,
            ..packet(20_000, 0)
        });
        assert_eq!(drain(&mut j, 0), [Some(u16::MAX), Some(20_000)]);
    }

    proptest! {
        #[test]
        fn whatever_comes_goes_out_in_order_once_and_losses_are_told(
            start in any::<u16>(),
            fates in prop::collection::vec((any::<bool>(), 0u16..8), 1..200),
        ) {
            // Each packet is lost or delayed by up to eight places.
            let mut arrivals: Vec<(usize, u16)> = fates
                .iter()
                .enumerate()
                .skip(1)
                .filter(|(_, (lost, _))| !lost)
                .map(|(n, (_, delay))| (n + usize::from(*delay), n as u16))
                .collect();
            arrivals.sort();
            let mut j = Jitter::default();
            j.push(packet(start, 0));
            for (_, n) in &arrivals {
                j.push(packet(start.wrapping_add(*n), 0));
            }
            let out = drain(&mut j, u64::MAX);
            let mut expected = vec![Some(start)];
            let mut last = 0u16;
            let mut came: Vec<u16> = arrivals.iter().map(|(_, n)| *n).collect();
            came.sort_unstable();
            for n in came {
                if n != last + 1 {
                    expected.push(None);
                }
                expected.push(Some(start.wrapping_add(n)));
                last = n;
            }
            prop_assert_eq!(out, expected);
        }
    }
}
