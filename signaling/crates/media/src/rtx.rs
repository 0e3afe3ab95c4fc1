//! Repetitions on a stream of their own (RFC 4588): unwrapped as they come in, numbered as they go out.
//!
//! The WebRTC library unwraps too, but behind its NACK generator, which would ask for a repaired packet until it is forgotten.
//! Runs on the driver's task, closest to the wire: whoever counts arrivals still sees every packet. A repetition of what has come
//! already (browsers probe the network with such) goes no further than the counting.

use crate::seen::Seen;
use bytes::Bytes;
use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtp;
use rtc::sansio::Protocol;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Instant;

/// No stream has this SSRC: a packet under it is counted and dropped.
const NOBODY: u32 = 0;
/// Incoming streams with repetitions: three pictures in three sizes.
const STREAMS: usize = 16;

/// One incoming stream that may be repaired.
struct Repaired {
    ssrc: u32,
    repair: u32,
    payload_type: u8,
    seen: Seen,
}

/// Unwraps what a page sends again.
#[derive(Default)]
pub(crate) struct RtxIn {
    streams: Vec<Repaired>,
    inbound: VecDeque<TaggedPacket>,
    outbound: VecDeque<TaggedPacket>,
}

impl RtxIn {
    fn unwrap(&mut self, packet: &mut rtp::Packet) {
        let header = &mut packet.header;
        let of = |s: &&mut Repaired| s.ssrc == header.ssrc || s.repair == header.ssrc;
        let Some(stream) = self.streams.iter_mut().find(of) else {
            return;
        };
        if stream.ssrc == header.ssrc {
            stream.payload_type = header.payload_type;
            stream.seen.note(header.sequence_number);
            return;
        }
        // Original sequence number, then the original payload (§4). Shorter: padding, to probe the network.
        let original = packet.payload.first_chunk().map(|n| u16::from_be_bytes(*n));
        match original {
            Some(original) if stream.seen.note(original) => {
                header.ssrc = stream.ssrc;
                header.payload_type = stream.payload_type;
                header.sequence_number = original;
                header.padding = false;
                packet.payload = packet.payload.slice(2..);
            }
            _ => {
                header.ssrc = NOBODY;
                packet.payload = Bytes::new();
            }
        }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for RtxIn {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = rtc::shared::error::Error;
    type Time = Instant;

    fn handle_read(&mut self, mut message: TaggedPacket) -> Result<(), Self::Error> {
        if !self.streams.is_empty()
            && let Packet::Rtp(packet) = &mut message.message.packet
        {
            self.unwrap(packet);
        }
        self.inbound.push_back(message);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.inbound.pop_front()
    }

    fn handle_write(&mut self, message: TaggedPacket) -> Result<(), Self::Error> {
        self.outbound.push_back(message);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.outbound.pop_front()
    }
}

impl Interceptor for RtxIn {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}

    fn bind_remote_stream(&mut self, info: &StreamInfo) {
        self.unbind_remote_stream(info);
        if let Some(repair) = info.ssrc_rtx
            && self.streams.len() < STREAMS
        {
            self.streams.push(Repaired {
                ssrc: info.ssrc,
                repair,
                payload_type: info.payload_type,
                seen: Seen::default(),
            });
        }
    }

    fn unbind_remote_stream(&mut self, info: &StreamInfo) {
        self.streams.retain(|s| s.ssrc != info.ssrc);
    }
}

/// The stream on which a slot's packets are repeated.
pub(crate) struct RtxOut {
    pub ssrc: u32,
    next: AtomicU16,
}

impl RtxOut {
    pub(crate) fn new() -> Self {
        Self {
            ssrc: rand::random_range(1..=u32::MAX),
            next: AtomicU16::new(rand::random()),
        }
    }

    /// The number of the next repetition: a stream of its own (§4).
    pub(crate) fn number(&self) -> u16 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const MEDIA: u32 = 7;
    const REPAIR: u32 = 8;

    fn unwrapped() -> RtxIn {
        let mut rtx = RtxIn::default();
        rtx.bind_remote_stream(&StreamInfo {
            ssrc: MEDIA,
            ssrc_rtx: Some(REPAIR),
            payload_type: 96,
            ..StreamInfo::default()
        });
        rtx
    }

    fn pass(rtx: &mut RtxIn, ssrc: u32, sequence_number: u16, payload: &[u8]) -> rtp::Packet {
        let mut packet = rtp::Packet {
            header: rtp::Header {
                ssrc,
                sequence_number,
                payload_type: if ssrc == MEDIA { 96 } else { 97 },
                timestamp: 3_000,
                marker: true,
                ..rtp::Header::default()
            },
            payload: Bytes::copy_from_slice(payload),
        };
        rtx.unwrap(&mut packet);
        packet
    }

    #[test]
    fn a_repetition_becomes_the_packet_that_was_lost() {
        let mut rtx = unwrapped();
        pass(&mut rtx, MEDIA, 258, &[1]);
        pass(&mut rtx, MEDIA, 260, &[3]);
        let repaired = pass(&mut rtx, REPAIR, 60_000, &[1, 3, 2]);
        let header = &repaired.header;
        assert_eq!(
            (header.ssrc, header.sequence_number, header.payload_type),
            (MEDIA, 259, 96)
        );
        assert_eq!((header.timestamp, header.marker), (3_000, true));
        assert_eq!(&repaired.payload[..], [2]);
    }

    #[test]
    fn what_has_come_and_padding_reach_nobody() {
        let mut rtx = unwrapped();
        pass(&mut rtx, MEDIA, 258, &[1]);
        for payload in [&[1, 2, 9][..], &[0], &[]] {
            let dropped = pass(&mut rtx, REPAIR, 1, payload);
            assert_eq!((dropped.header.ssrc, dropped.payload.len()), (NOBODY, 0));
        }
        // Others pass untouched.
        assert_eq!(pass(&mut rtx, 99, 4, &[1, 2, 3]).payload.len(), 3);
    }

    #[test]
    fn repetitions_are_numbered_in_a_row() {
        let out = RtxOut::new();
        let first = out.number();
        assert_eq!(out.number(), first.wrapping_add(1));
    }
}
