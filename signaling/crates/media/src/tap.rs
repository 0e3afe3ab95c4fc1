//! Reads a connection's inbound RTCP: keyframe requests (PLI, RFC 4585 §6.3.1; FIR, RFC 5104 §4.3.1), packets that the page misses
//! (generic NACK, RFC 4585 §6.2.1), when packets arrived there (transport-wide feedback), the page's clocks, and what it reports about the media that it receives (report blocks of SR and
//! RR, RFC 3550 §6.4; browsers that also send put them into the SR).
//!
//! Runs on the driver's task, so it only looks and posts. Every packet passes on untouched.

use crate::clock::ntp;
use crate::config::LOST_MOST;
use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;
use rtc::sansio::Protocol;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};
use tokio::sync::mpsc;

/// Report blocks kept between two readings; a page has ten slots.
const REPORTS: usize = 64;

/// What the page says about one stream that it receives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Reception {
    pub ssrc: u32,
    /// 0 to 1, since its last report.
    pub loss: f64,
    /// In units of the RTP clock.
    pub jitter: u32,
    /// Milliseconds; none until it has had a sender report of ours.
    pub rtt_ms: Option<f64>,
}

/// What the page wants or tells, for the watcher.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Heard {
    /// The picture of this SSRC of ours cannot be decoded.
    Keyframe(u32),
    /// These packets of this SSRC of ours did not arrive.
    Lost(u32, Vec<u16>),
    /// When packets of ours arrived.
    Arrived(Box<TransportLayerCc>),
    /// Of so many packets, of all the streams that a report names, so many were lost.
    Loss { lost: f64, of: u32 },
    /// The page's own clock (NTP) and that of one of its streams.
    SenderReport {
        ssrc: u32,
        ntp: u64,
        rtp: u32,
        at: Instant,
    },
}

/// Where the tap leaves reports for the watcher.
pub(crate) type Receptions = Arc<Mutex<Vec<Reception>>>;

pub(crate) struct RtcpTap {
    heard: mpsc::Sender<Heard>,
    receptions: Receptions,
    highest: Highest,
    inbound: VecDeque<TaggedPacket>,
    outbound: VecDeque<TaggedPacket>,
}

/// By SSRC the highest number that a report named: the next one's loss is of what came after it.
#[derive(Default)]
struct Highest(Vec<(u32, u32)>);

impl Highest {
    /// Packets of a stream since its report before; 0 if that is not known, or nonsense.
    fn since(&mut self, ssrc: u32, highest: u32) -> u32 {
        if let Some((_, before)) = self.0.iter_mut().find(|(s, _)| *s == ssrc) {
            let since = highest.wrapping_sub(std::mem::replace(before, highest));
            return if since < 0x8000 { since } else { 0 };
        }
        if self.0.len() < REPORTS {
            self.0.push((ssrc, highest));
        }
        0
    }
}

impl RtcpTap {
    /// A full channel loses little: the page asks again, and its next report comes.
    pub(crate) fn new(heard: mpsc::Sender<Heard>, receptions: Receptions) -> Self {
        Self {
            heard,
            receptions,
            highest: Highest::default(),
            inbound: VecDeque::new(),
            outbound: VecDeque::new(),
        }
    }
}

impl RtcpTap {
    fn note(&mut self, reports: &[ReceptionReport]) {
        let (mut lost, mut of) = (0.0, 0);
        for report in reports.iter().take(REPORTS) {
            let since = self.highest.since(report.ssrc, report.last_sequence_number);
            lost += f64::from(since) * f64::from(report.fraction_lost) / 256.0;
            of += since;
        }
        if of > 0 {
            let _ = self.heard.try_send(Heard::Loss { lost, of });
        }
        let now = ntp_middle(SystemTime::now());
        let mut receptions = self
            .receptions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for report in reports
            .iter()
            .take(REPORTS.saturating_sub(receptions.len()))
        {
            receptions.push(Reception {
                ssrc: report.ssrc,
                loss: f64::from(report.fraction_lost) / 256.0,
                jitter: report.jitter,
                rtt_ms: round_trip_ms(now, report.last_sender_report, report.delay),
            });
        }
    }
}

/// What a page misses, each once, the first [`LOST_MOST`]; so many pairs are looked at, whatever they name.
fn missing(nack: &TransportLayerNack) -> Vec<u16> {
    let mut lost = Vec::new();
    for pair in nack.nacks.iter().take(LOST_MOST) {
        for number in pair.packet_list() {
            if lost.len() < LOST_MOST && !lost.contains(&number) {
                lost.push(number);
            }
        }
    }
    lost
}

/// The middle 32 bits of an NTP timestamp: units of 1/65536 s (RFC 3550 §4).
fn ntp_middle(at: SystemTime) -> u32 {
    (ntp(at) >> 16) as u32
}

/// Now minus the time of our report minus the time that it lay there (RFC 3550 §6.4.1). A clock step gives nonsense: none.
fn round_trip_ms(now: u32, last_sender_report: u32, delay: u32) -> Option<f64> {
    if last_sender_report == 0 {
        return None;
    }
    let units = now.wrapping_sub(last_sender_report).wrapping_sub(delay) as i32;
    // A reading of just under zero is rounding on a fast network.
    (-655..655_360)
        .contains(&units)
        .then(|| f64::from(units.max(0)) / 65.536)
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for RtcpTap {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = rtc::shared::error::Error;
    type Time = Instant;

    fn handle_read(&mut self, message: TaggedPacket) -> Result<(), Self::Error> {
        if let Packet::Rtcp(packets) = &message.message.packet {
            for packet in packets {
                let packet = packet.as_any();
                if let Some(pli) = packet.downcast_ref::<PictureLossIndication>() {
                    let _ = self.heard.try_send(Heard::Keyframe(pli.media_ssrc));
                } else if let Some(fir) = packet.downcast_ref::<FullIntraRequest>() {
                    for entry in &fir.fir {
                        let _ = self.heard.try_send(Heard::Keyframe(entry.ssrc));
                    }
                } else if let Some(nack) = packet.downcast_ref::<TransportLayerNack>() {
                    let lost = Heard::Lost(nack.media_ssrc, missing(nack));
                    let _ = self.heard.try_send(lost);
                } else if let Some(report) = packet.downcast_ref::<TransportLayerCc>() {
                    let _ = self
                        .heard
                        .try_send(Heard::Arrived(Box::new(report.clone())));
                } else if let Some(report) = packet.downcast_ref::<SenderReport>() {
                    let _ = self.heard.try_send(Heard::SenderReport {
                        ssrc: report.ssrc,
                        ntp: report.ntp_time,
                        rtp: report.rtp_time,
                        at: Instant::now(),
                    });
                    self.note(&report.reports);
                } else if let Some(report) = packet.downcast_ref::<ReceiverReport>() {
                    self.note(&report.reports);
                }
            }
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

impl Interceptor for RtcpTap {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtc::rtcp::transport_feedbacks::transport_layer_nack::NackPair;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn a_loss_is_of_what_came_since_the_report_before() {
        let mut highest = Highest::default();
        assert_eq!(highest.since(1, 65_500), 0, "nothing to hold it against");
        assert_eq!(highest.since(2, 7), 0);
        assert_eq!(highest.since(1, 65_540), 40);
        assert_eq!(highest.since(1, 65_540), 0);
        assert_eq!(highest.since(1, 4), 0, "back");
        assert_eq!(highest.since(1, 54), 50);
        assert_eq!(highest.since(1, 1 << 20), 0, "nonsense");
        assert_eq!(highest.since(2, 8), 1);
        (3..200).for_each(|ssrc| assert_eq!(highest.since(ssrc, 0), 0));
        assert_eq!(highest.0.len(), REPORTS);
    }

    #[test]
    fn a_number_that_is_named_twice_is_missed_once() {
        let pair = |packet_id, lost_packets| NackPair {
            packet_id,
            lost_packets,
        };
        let missing = |nacks: Vec<NackPair>| {
            missing(&TransportLayerNack {
                nacks,
                ..TransportLayerNack::default()
            })
        };
        let twice = vec![pair(65_535, 0b101), pair(2, 0), pair(65_535, 0), pair(9, 0)];
        assert_eq!(missing(twice), [65_535, 0, 2, 9]);
        let many = (0..400).map(|n| pair(n * 20, 0xffff)).collect();
        assert_eq!(missing(many).len(), LOST_MOST);
    }

    #[test]
    fn round_trips_are_read_from_report_blocks() {
        let sent = UNIX_EPOCH + Duration::from_millis(1_795_300_868_250);
        let back = ntp_middle(sent + Duration::from_millis(330));
        let lay = 65_536 / 4; // 250 ms at the page
        let rtt = round_trip_ms(back, ntp_middle(sent), lay).unwrap_or_default();
        assert!((rtt - 80.0).abs() < 0.1, "{rtt}");
        assert_eq!(round_trip_ms(back, 0, 0), None);
        assert_eq!(round_trip_ms(ntp_middle(sent), back, 0), None);
        assert_eq!(
            round_trip_ms(ntp_middle(sent), ntp_middle(sent), 100),
            Some(0.0)
        );
    }
}
