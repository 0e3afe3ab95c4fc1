//! Picks keyframe requests (PLI, RFC 4585 §6.3.1; FIR, RFC 5104 §4.3.1) out of a connection's inbound RTCP.
//!
//! Runs on the driver's task, so it only looks and posts. Everything else passes on untouched.

use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::sansio::Protocol;
use std::collections::VecDeque;
use std::time::Instant;
use tokio::sync::mpsc;

pub(crate) struct KeyframeTap {
    wanted: mpsc::Sender<u32>,
    inbound: VecDeque<TaggedPacket>,
    outbound: VecDeque<TaggedPacket>,
}

impl KeyframeTap {
    /// Posts the SSRC whose picture was lost. A full channel loses nothing: more of the same is in it.
    pub(crate) fn new(wanted: mpsc::Sender<u32>) -> Self {
        Self {
            wanted,
            inbound: VecDeque::new(),
            outbound: VecDeque::new(),
        }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for KeyframeTap {
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
                    let _ = self.wanted.try_send(pli.media_ssrc);
                } else if let Some(fir) = packet.downcast_ref::<FullIntraRequest>() {
                    for entry in &fir.fir {
                        let _ = self.wanted.try_send(entry.ssrc);
                    }
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

impl Interceptor for KeyframeTap {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
