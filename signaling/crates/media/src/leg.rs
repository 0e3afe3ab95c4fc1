//! The seam between rooms and the WebRTC library: what a room asks of a connection ([`Leg`]) and what it hears ([`LegSink`]).
//!
//! Rooms know nothing beyond these two traits, so that another library can stand behind them and tests can stand in for one.

use crate::codec::Payloads;
use crate::error::MediaError;
use crate::estimate::Estimate;
use crate::event::{EndReason, Kind};
use crate::lane::Lane;
use crate::record::Codec;
use crate::sdp::Offer;
use async_trait::async_trait;
use rtc::rtp::{Header, Packet};
use std::time::Instant;

/// One m-line on which the member receives; its place in the answer's list is its index in [`Leg::send_rtp`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LegSlot {
    pub mid: String,
    pub kind: Kind,
    /// The codecs that the page takes here, and their numbers.
    pub payloads: Payloads,
}

/// An answer and every slot of the connection so far; renegotiation only appends.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub sdp: String,
    pub slots: Vec<LegSlot>,
}

/// What a sender report says (RFC 3550 §6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SlotReport {
    /// Now, in NTP's 32.32 format.
    pub ntp: u64,
    /// The same instant on the slot's RTP clock.
    pub rtp: u32,
    pub packets: u32,
    pub octets: u32,
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    Queued,
    /// The leg is slow; the packet is lost.
    Full,
    /// The leg is closed.
    Gone,
}

/// One member's connection.
#[async_trait]
pub(crate) trait Leg: Send + Sync + 'static {
    /// Answers a first or a further offer of the same peer connection.
    async fn accept_offer(&self, offer: &Offer) -> Result<Answer, MediaError>;
    /// Adds a packet for a slot to the leg's batch; never waits. The leg sets the SSRC, the slot has set the payload type.
    fn send_rtp(&self, slot: usize, header: Header, payload: &[u8]) -> Sent;
    /// Adds a packet that was sent before, which the page misses.
    fn repeat_rtp(&self, slot: usize, header: Header, payload: &[u8]) -> Sent {
        self.send_rtp(slot, header, payload)
    }
    /// Sends the batch.
    fn flush(&self);
    /// Tells the page what has been sent in a slot (RTCP sender report); never waits.
    fn report(&self, slot: usize, report: SlotReport);
    /// Asks the member's page for a keyframe of one picture now; never waits. `false` if it does not send it yet.
    fn request_keyframe(&self, lane: Lane) -> bool;
    /// Tells the member's page to send no more than this (bit/s, all its streams); never waits.
    fn cap(&self, _bitrate: u32) {}
    /// Ends the connection; reports nothing. Idempotent.
    async fn close(&self);
}

/// Where a connection reports. Called from the leg's own tasks, never from the driver's; must not wait.
pub(crate) trait LegSink: Send + Sync + 'static {
    fn on_connected(&self);
    /// Packets of one codec that came together, in order.
    fn on_rtp(&self, lane: Lane, codec: Codec, packets: &[Packet]);
    /// The page says which of its timestamps is which moment (NTP, 32.32 bits; RFC 3550 §6.4.1).
    fn on_sender_report(&self, ssrc: u32, ntp: u64, rtp: u32, at: Instant);
    /// The page misses these packets of a slot.
    fn on_lost(&self, slot: usize, sequences: &[u16]);
    /// Time for sender reports.
    fn on_report_due(&self);
    /// The page cannot decode what the slot carries.
    fn on_keyframe_wanted(&self, slot: usize);
    /// What the page's network takes, by what it reported.
    fn on_estimate(&self, _estimate: Estimate) {}
    fn on_quality(&self, loss_pct: f32, jitter_ms: f32, rtt_ms: Option<f32>);
    /// Nothing has come from the page for [`QUIET`](crate::config::QUIET), or something comes again.
    fn on_quiet(&self, quiet: bool);
    /// Once, unless [`Leg::close`] came first.
    fn on_ended(&self, reason: EndReason);
}
