//! What a connection reports, brought to its room.
//!
//! Holds the room weakly: a connection never keeps a closed room alive.

use crate::estimate::Estimate;
use crate::event::EndReason;
use crate::lane::Lane;
use crate::leg::LegSink;
use crate::publish::Publisher;
use crate::record::Codec;
use crate::room::Room;
use rtc::rtp::Packet;
use std::sync::{Arc, Weak};
use std::time::Instant;

/// One connection of one member; the epoch tells a replaced connection from the present one.
pub(crate) struct MemberSink {
    pub room: Weak<Room>,
    pub member: String,
    pub epoch: u64,
    pub publisher: Arc<Publisher>,
}

impl LegSink for MemberSink {
    fn on_connected(&self) {
        if let Some(room) = self.room.upgrade() {
            room.connected(&self.member, self.epoch);
        }
    }

    fn on_rtp(&self, lane: Lane, codec: Codec, packets: &[Packet]) {
        self.publisher.publish(lane, codec, packets);
    }

    fn on_lost(&self, slot: usize, sequences: &[u16]) {
        if let Some(room) = self.room.upgrade() {
            room.lost(&self.member, self.epoch, slot, sequences);
        }
    }

    fn on_report_due(&self) {
        self.publisher.report();
        self.publisher.cap();
    }

    fn on_sender_report(&self, ssrc: u32, ntp: u64, rtp: u32, at: Instant) {
        self.publisher.sender_report(ssrc, ntp, rtp, at);
    }

    fn on_keyframe_wanted(&self, slot: usize) {
        if let Some(room) = self.room.upgrade() {
            room.keyframe_wanted(&self.member, self.epoch, slot);
        }
    }

    fn on_estimate(&self, estimate: Estimate) {
        if let Some(room) = self.room.upgrade() {
            room.estimated(&self.member, self.epoch, estimate);
        }
    }

    fn on_quality(&self, loss_pct: f32, jitter_ms: f32, rtt_ms: Option<f32>) {
        if let Some(room) = self.room.upgrade() {
            room.quality(&self.member, loss_pct, jitter_ms, rtt_ms);
        }
    }

    fn on_quiet(&self, quiet: bool) {
        if let Some(room) = self.room.upgrade() {
            room.quiet(&self.member, self.epoch, quiet);
        }
    }

    fn on_ended(&self, reason: EndReason) {
        if let Some(room) = self.room.upgrade() {
            room.ended(&self.member, self.epoch, reason);
        }
    }
}
