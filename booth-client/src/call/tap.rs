//! Reads inbound RTCP: requests for a keyframe (PLI, RFC 4585 §6.3.1; FIR, RFC 5104 §4.3.1) and what the server says about the
//! streams that it receives. Runs on the connection's own task: it looks, notes and passes everything on untouched.

use super::measure::Feedback;
use rtc::{
    interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket},
    rtcp::{
        payload_feedbacks::{
            full_intra_request::FullIntraRequest, picture_loss_indication::PictureLossIndication,
        },
        receiver_report::ReceiverReport,
        sender_report::SenderReport,
    },
    sansio::Protocol,
};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::{Instant, SystemTime},
};
use tokio::sync::watch;

pub struct Tap {
    /// Counts requests for a keyframe.
    wanted: watch::Sender<u64>,
    feedback: Arc<Mutex<Feedback>>,
    ours: [u32; 2],
    inbound: VecDeque<TaggedPacket>,
    outbound: VecDeque<TaggedPacket>,
}

impl Tap {
    /// `ours`: the streams that this side sends.
    pub fn new(wanted: watch::Sender<u64>, feedback: Arc<Mutex<Feedback>>, ours: [u32; 2]) -> Self {
        Self {
            wanted,
            feedback,
            ours,
            inbound: VecDeque::new(),
            outbound: VecDeque::new(),
        }
    }

    fn look(&self, packet: &dyn std::any::Any) {
        let ours = &self.ours;
        let asks = if let Some(pli) = packet.downcast_ref::<PictureLossIndication>() {
            ours.contains(&pli.media_ssrc)
        } else if let Some(fir) = packet.downcast_ref::<FullIntraRequest>() {
            fir.fir.iter().any(|e| ours.contains(&e.ssrc))
        } else {
            false
        };
        if asks {
            self.wanted.send_modify(|n| *n += 1);
        }
        let reports = if let Some(r) = packet.downcast_ref::<SenderReport>() {
            &r.reports
        } else if let Some(r) = packet.downcast_ref::<ReceiverReport>() {
            &r.reports
        } else {
            return;
        };
        let mut feedback = self.feedback.lock().unwrap_or_else(PoisonError::into_inner);
        for r in reports {
            feedback.report(ours, r, SystemTime::now(), Instant::now());
        }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Tap {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = rtc::shared::error::Error;
    type Time = Instant;

    fn handle_read(&mut self, message: TaggedPacket) -> Result<(), Self::Error> {
        if let Packet::Rtcp(packets) = &message.message.packet {
            for packet in packets {
                self.look(packet.as_any());
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

impl Interceptor for Tap {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
