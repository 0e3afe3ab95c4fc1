//! When each packet of a connection left, until the page says when it came (draft-holmer-rmcat-transport-wide-cc-extensions-01).
//!
//! Pure: the caller says the time. One number for all streams of the connection. Limit: [`LOG`].

use crate::estimate::Arrival;
use rtc::interceptor::convert_twcc;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;

/// Packets remembered: three seconds at 3 Mbit/s. Divides 65,536.
const LOG: usize = 1_024;
/// A report on more packets than this is nonsense.
const REPORTED: u16 = 4 * LOG as u16;

/// Eight bytes, as there is one log for each viewer.
#[derive(Debug, Clone, Copy, Default)]
struct Left {
    /// Low half of the time (µs).
    at: u32,
    /// On the wire without UDP and IP (bytes); 0: never sent, or told of already.
    size: u16,
    number: u16,
}

#[derive(Debug, Default)]
pub(crate) struct SentLog {
    next: u16,
    /// Empty until the first packet.
    ring: Vec<Left>,
}

impl SentLog {
    /// The number for the next packet.
    pub(crate) fn next(&self) -> u16 {
        self.next
    }

    /// It left.
    pub(crate) fn note(&mut self, now_us: u64, size: usize) {
        if self.ring.is_empty() {
            self.ring.resize(LOG, Left::default());
        }
        self.ring[usize::from(self.next) % LOG] = Left {
            at: now_us as u32,
            size: u16::try_from(size).unwrap_or(u16::MAX),
            number: self.next,
        };
        self.next = self.next.wrapping_add(1);
    }

    /// What a report says about packets that were not told of before, in the order of sending.
    pub(crate) fn arrivals(&mut self, now_us: u64, report: &TransportLayerCc) -> Vec<Arrival> {
        if self.ring.is_empty() || report.packet_status_count > REPORTED {
            return Vec::new();
        }
        let told = convert_twcc(report);
        let mut arrivals = Vec::with_capacity(told.len().min(LOG));
        // The last chunk may say more than there is: padding, not losses.
        for one in told.iter().take(usize::from(report.packet_status_count)) {
            let left = &mut self.ring[usize::from(one.sequence_number) % LOG];
            if left.number != one.sequence_number || left.size == 0 {
                continue;
            }
            arrivals.push(Arrival {
                sent_us: now_us.saturating_sub(u64::from((now_us as u32).wrapping_sub(left.at))),
                arrived_us: one
                    .arrival
                    .filter(|_| one.arrived)
                    .map(|at| at.as_micros() as u64),
                size: u32::from(left.size),
            });
            left.size = 0;
        }
        arrivals
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtc::rtcp::transport_feedbacks::transport_layer_cc::{
        PacketStatusChunk, RecvDelta, StatusVectorChunk, SymbolTypeTcc,
    };

    fn report(base: u16, came: &[bool], padding: usize) -> TransportLayerCc {
        let symbol = |came: &bool| {
            if *came {
                SymbolTypeTcc::PacketReceivedSmallDelta
            } else {
                SymbolTypeTcc::PacketNotReceived
            }
        };
        let mut symbol_list: Vec<_> = came.iter().map(symbol).collect();
        symbol_list.resize(came.len() + padding, SymbolTypeTcc::PacketNotReceived);
        let vector = StatusVectorChunk {
            symbol_list,
            ..StatusVectorChunk::default()
        };
        let delta = |_: &bool| RecvDelta {
            type_tcc_packet: SymbolTypeTcc::PacketReceivedSmallDelta,
            delta: 1_000,
        };
        TransportLayerCc {
            base_sequence_number: base,
            packet_status_count: came.len() as u16,
            reference_time: 10,
            packet_chunks: vec![PacketStatusChunk::StatusVectorChunk(vector)],
            recv_deltas: came.iter().filter(|c| **c).map(delta).collect(),
            ..TransportLayerCc::default()
        }
    }

    #[test]
    fn a_report_is_joined_with_what_was_sent_once() {
        let mut log = SentLog::default();
        // The clock's low half and the numbers wrap on the way.
        let start = u64::from(u32::MAX) - 2_500;
        for _ in 0..65_534u32 {
            log.note(0, 9);
        }
        for n in 0..4u64 {
            log.note(start + n * 1_000, 100 + n as usize);
        }
        assert_eq!(log.next(), 2);
        let told = report(65_534, &[true, false, true, true], 10);
        let now = start + 50_000;
        let arrivals = log.arrivals(now, &told);
        let sent: Vec<u64> = arrivals.iter().map(|a| a.sent_us - start).collect();
        assert_eq!(sent, [0, 1_000, 2_000, 3_000]);
        let came: Vec<_> = arrivals.iter().map(|a| a.arrived_us).collect();
        assert_eq!(
            came,
            [Some(641_000), None, Some(642_000), Some(643_000)],
            "and the padding of the chunk is no loss"
        );
        assert_eq!(arrivals[3].size, 103);
        assert!(log.arrivals(now, &told).is_empty(), "told once");
    }

    #[test]
    fn what_was_never_sent_or_is_nonsense_says_nothing() {
        let mut log = SentLog::default();
        assert!(log.arrivals(5, &report(0, &[true; 4], 0)).is_empty());
        log.note(1, 100);
        assert!(log.arrivals(5, &report(1, &[true; 4], 0)).is_empty());
        let mut mad = report(0, &[true], 0);
        mad.packet_status_count = u16::MAX;
        assert!(log.arrivals(5, &mad).is_empty());
        assert_eq!(log.arrivals(5, &report(0, &[true], 0)).len(), 1);
    }
}
