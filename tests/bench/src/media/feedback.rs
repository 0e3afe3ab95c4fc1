//! What browsers tell of every packet: when it came (draft-holmer-rmcat-transport-wide-cc-extensions-01), ten times a second.
//!
//! A server that asks for it numbers each packet on its connection, reads these reports, and works out what the page's network takes.

use rtc::rtcp::transport_feedbacks::transport_layer_cc::{
    PacketStatusChunk, RecvDelta, RunLengthChunk, StatusChunkTypeTcc, SymbolTypeTcc,
    TransportLayerCc,
};
use rtc::shared::marshal::Marshal as _;

/// The header extension's id that pages here offer.
pub const EXTENSION: u8 = 3;
/// Between two reports (ns), as Chromium sends them at some 100 kbit/s and more.
const EVERY_NS: u64 = 100_000_000;
/// A step of time in a report (ns), and how many of them a step of its reference time has.
const TICK_NS: u64 = 250_000;
const TICKS: u64 = 256;
/// A packet this far behind the first of a report is one that was overtaken.
const OVERTAKEN: u16 = 1_000;

/// One page's.
#[derive(Default)]
pub struct Feedback {
    /// Numbers and when they came (ns), since the last report.
    heard: Vec<(u16, u64)>,
    due: u64,
    count: u8,
}

/// The packet's number on the connection: the one element in the one-byte form (RFC 8285 §4.2).
fn number(packet: &[u8]) -> Option<u16> {
    let (first, extended) = (packet.first()?, packet.first()? & 0x10 != 0);
    let at = 12 + 4 * usize::from(first & 0x0f);
    match packet.get(at..)? {
        [0xbe, 0xde, 0, 1, head, high, low, ..] if extended && *head == EXTENSION << 4 | 1 => {
            Some(u16::from_be_bytes([*high, *low]))
        }
        _ => None,
    }
}

impl Feedback {
    /// An RTP packet came.
    pub fn note(&mut self, packet: &[u8], at: u64) {
        self.heard.extend(number(packet).map(|n| (n, at)));
    }

    /// The report that is due now, if there is anything to tell.
    pub fn report(&mut self, now: u64, sender_ssrc: u32, media_ssrc: u32) -> Option<Vec<u8>> {
        if now < self.due {
            return None;
        }
        self.due = now + EVERY_NS;
        let origin = self.heard.first()?.0.wrapping_sub(OVERTAKEN);
        let mut heard = std::mem::take(&mut self.heard);
        heard.sort_by_key(|(n, _)| n.wrapping_sub(origin));
        heard.dedup_by_key(|(n, _)| *n);
        let (base, began) = *heard.first()?;
        let reference = began / TICK_NS / TICKS;
        let (mut next, mut tick) = (base, reference * TICKS);
        let (mut chunks, mut recv_deltas) = (Runs::default(), vec![]);
        for (n, at) in heard {
            chunks.add(SymbolTypeTcc::PacketNotReceived, n.wrapping_sub(next));
            let delta = (at / TICK_NS) as i64 - tick as i64;
            let type_tcc_packet = if (0..256).contains(&delta) {
                SymbolTypeTcc::PacketReceivedSmallDelta
            } else {
                SymbolTypeTcc::PacketReceivedLargeDelta
            };
            chunks.add(type_tcc_packet, 1);
            recv_deltas.push(RecvDelta {
                type_tcc_packet,
                // The library's are in µs.
                delta: delta * 250,
            });
            (next, tick) = (n.wrapping_add(1), at / TICK_NS);
        }
        let report = TransportLayerCc {
            sender_ssrc,
            media_ssrc,
            base_sequence_number: base,
            packet_status_count: next.wrapping_sub(base),
            reference_time: (reference & 0xff_ffff) as u32,
            fb_pkt_count: self.count,
            packet_chunks: chunks.chunks(),
            recv_deltas,
        };
        self.count = self.count.wrapping_add(1);
        Some(report.marshal().ok()?.to_vec())
    }
}

/// Symbols, and how many of each in a row.
#[derive(Default)]
struct Runs(Vec<(SymbolTypeTcc, u16)>);

impl Runs {
    fn add(&mut self, symbol: SymbolTypeTcc, count: u16) {
        match self.0.last_mut() {
            Some((last, run)) if *last == symbol => *run += count,
            _ if count > 0 => self.0.push((symbol, count)),
            _ => {}
        }
    }

    fn chunks(self) -> Vec<PacketStatusChunk> {
        let chunk = |(packet_status_symbol, run_length)| {
            PacketStatusChunk::RunLengthChunk(RunLengthChunk {
                type_tcc: StatusChunkTypeTcc::RunLengthChunk,
                packet_status_symbol,
                run_length,
            })
        };
        self.0.into_iter().map(chunk).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use rtc::rtcp::packet::unmarshal;

    const MS: u64 = 1_000_000;

    fn packet(number: u16) -> Vec<u8> {
        let [high, low] = number.to_be_bytes();
        let mut packet = vec![0x90, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9];
        packet.extend([0xbe, 0xde, 0, 1, EXTENSION << 4 | 1, high, low, 0]);
        packet
    }

    #[test]
    fn a_report_says_what_came_when_and_what_did_not() {
        let mut feedback = Feedback::default();
        assert_eq!(feedback.report(MS, 1, 9), None, "nothing came");
        let t0 = 6_400 * MS;
        // One is missing, one was overtaken, one came twice; the numbers wrap.
        for (number, at) in [(65_534, 10), (0, 11), (65_535, 12), (0, 12), (2, 90)] {
            feedback.note(&packet(number), t0 + at * MS);
        }
        feedback.note(&[0x80, 96, 0, 1], t0);
        assert_eq!(feedback.report(50 * MS, 1, 9), None, "not yet");
        let raw = feedback.report(t0 + 100 * MS, 1, 9).unwrap();
        let packets = unmarshal(&mut &raw[..]).unwrap();
        let report = packets[0].as_any().downcast_ref::<TransportLayerCc>();
        let report = report.unwrap();
        assert_eq!((report.sender_ssrc, report.media_ssrc), (1, 9));
        assert_eq!(report.base_sequence_number, 65_534);
        assert_eq!(report.packet_status_count, 5);
        assert_eq!(report.reference_time, 100);
        let deltas: Vec<i64> = report.recv_deltas.iter().map(|d| d.delta / 1_000).collect();
        assert_eq!(deltas, [10, 2, -1, 79]);
        assert_eq!(feedback.report(t0 + 300 * MS, 1, 9), None, "all is told");
    }
}
