//! Counters of the whole engine. Numbers only: no ids, no addresses.

use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub connections: AtomicU64,
    pub rtp_in: AtomicU64,
    pub rtp_out: AtomicU64,
    pub rtp_dropped: AtomicU64,
    pub rtp_repeated: AtomicU64,
    pub keyframes_wanted: AtomicU64,
    pub keyframes_asked: AtomicU64,
    pub datagrams_in: AtomicU64,
    pub datagrams_ignored: AtomicU64,
    pub datagrams_dropped: AtomicU64,
    pub send_failed: AtomicU64,
    pub tcp_accepted: AtomicU64,
    pub tcp_refused: AtomicU64,
}

/// Adds one; counters need no ordering.
pub(crate) fn bump(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// A snapshot for metrics. All counts are since the start of the engine, except the first five.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct EngineStats {
    /// Rooms now.
    pub rooms: u64,
    /// Members now, connected or away.
    pub members: u64,
    /// Connected members now.
    pub connected: u64,
    /// Peer connections now, also those that are coming up or closing.
    pub connections: u64,
    /// Lifecycle events that the reader has not taken.
    pub events_waiting: u64,
    /// RTP packets from members.
    pub rtp_in: u64,
    /// RTP packets queued to members.
    pub rtp_out: u64,
    /// RTP packets not sent because a member's leg was full or gone.
    pub rtp_dropped: u64,
    /// RTP packets sent again because a member missed them.
    pub rtp_repeated: u64,
    /// Keyframes that receivers wanted.
    pub keyframes_wanted: u64,
    /// Keyframe requests sent to publishers (fewer: coalesced).
    pub keyframes_asked: u64,
    /// UDP datagrams received.
    pub datagrams_in: u64,
    /// UDP datagrams of nobody: malformed, unknown, late.
    pub datagrams_ignored: u64,
    /// UDP datagrams dropped because a connection's inbox was full.
    pub datagrams_dropped: u64,
    /// Packets that the kernel, or a TCP client's queue, did not take.
    pub send_failed: u64,
    /// TCP streams matched to a connection.
    pub tcp_accepted: u64,
    /// TCP streams cut: too many, too slow, or not ours.
    pub tcp_refused: u64,
}

impl Counters {
    pub(crate) fn snapshot(&self) -> EngineStats {
        let read = |c: &AtomicU64| c.load(Ordering::Relaxed);
        EngineStats {
            connections: read(&self.connections),
            rtp_in: read(&self.rtp_in),
            rtp_out: read(&self.rtp_out),
            rtp_dropped: read(&self.rtp_dropped),
            rtp_repeated: read(&self.rtp_repeated),
            keyframes_wanted: read(&self.keyframes_wanted),
            keyframes_asked: read(&self.keyframes_asked),
            datagrams_in: read(&self.datagrams_in),
            datagrams_ignored: read(&self.datagrams_ignored),
            datagrams_dropped: read(&self.datagrams_dropped),
            send_failed: read(&self.send_failed),
            tcp_accepted: read(&self.tcp_accepted),
            tcp_refused: read(&self.tcp_refused),
            ..EngineStats::default()
        }
    }
}
