//! The packet path: one member's outgoing side and the slots that its packets go to.
//!
//! Never waits and never knows the room: [`crate::room`] computes the receivers, here they are only walked. A receiver that cannot take
//! a packet loses it alone. Limit: [`CONGESTED`].

use crate::config::CONGESTED;
use crate::counters::{Counters, bump};
use crate::event::Kind;
use crate::forward::{Rewriter, Verdict};
use crate::keyframe::{Ask, Coalescer};
use crate::leg::{Leg, Sent};
use crate::record::{Codec, Feed};
use rtc::rtp::Packet;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak};
use std::time::Instant;

/// One receiving m-line of one connection.
pub(crate) struct OutSlot {
    index: usize,
    pub mid: String,
    pub kind: Kind,
    leg: Arc<dyn Leg>,
    state: Mutex<OutState>,
}

struct OutState {
    rewriter: Rewriter,
    source_ssrc: u32,
    congested_until: Option<Instant>,
}

/// A member's outgoing side: where its packets go, and its keyframe requests.
pub(crate) struct Publisher {
    leg: OnceLock<Weak<dyn Leg>>,
    fan: [RwLock<Arc<[Arc<OutSlot>]>>; 2],
    keyframes: Mutex<Coalescer>,
    recording: RwLock<Option<Recorded>>,
    counters: Arc<Counters>,
}

/// Where a member's packets are recorded, and which kinds.
type Recorded = (Arc<Feed>, [bool; 2]);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl OutSlot {
    pub(crate) fn new(index: usize, mid: String, kind: Kind, leg: Arc<dyn Leg>) -> Arc<Self> {
        let rewriter = Rewriter::new(kind);
        let state = OutState {
            rewriter,
            source_ssrc: 0,
            congested_until: None,
        };
        Arc::new(Self {
            index,
            mid,
            kind,
            leg,
            state: Mutex::new(state),
        })
    }

    fn resync(&self) {
        lock(&self.state).rewriter.resync();
    }

    /// Sends one packet; `true` if a keyframe is needed to go on.
    fn forward(&self, now: Instant, packet: &Packet, counters: &Counters) -> bool {
        let mut state = lock(&self.state);
        if let Some(until) = state.congested_until {
            if now < until {
                bump(&counters.rtp_dropped);
                return false;
            }
            state.congested_until = None;
        }
        if state.source_ssrc != packet.header.ssrc {
            state.source_ssrc = packet.header.ssrc;
            state.rewriter.resync();
        }
        let mut packet = packet.clone(); // the payload is shared
        match state
            .rewriter
            .rewrite(now, &mut packet.header, &packet.payload)
        {
            Verdict::AwaitKeyframe => return true,
            Verdict::Stale => return false,
            Verdict::Forward => {}
        }
        match self.leg.send_rtp(self.index, packet) {
            Sent::Queued => bump(&counters.rtp_out),
            Sent::Gone => bump(&counters.rtp_dropped),
            Sent::Full => {
                bump(&counters.rtp_dropped);
                if self.kind == Kind::Video {
                    // A hole cannot be repaired (nothing was sent that could be sent again): pause, then start at a keyframe.
                    state.congested_until = Some(now + CONGESTED);
                    state.rewriter.unsend();
                }
            }
        }
        false
    }
}

impl Publisher {
    pub(crate) fn new(counters: Arc<Counters>) -> Arc<Self> {
        let none: Arc<[Arc<OutSlot>]> = Arc::new([]);
        let fan = [RwLock::new(none.clone()), RwLock::new(none)];
        Arc::new(Self {
            leg: OnceLock::new(),
            fan,
            keyframes: Mutex::default(),
            recording: RwLock::default(),
            counters,
        })
    }

    /// The member's connection, known only after the sink that holds this was made.
    pub(crate) fn set_leg(&self, leg: &Arc<dyn Leg>) {
        let _ = self.leg.set(Arc::downgrade(leg));
    }

    /// Records what comes from now on; `None` no longer.
    pub(crate) fn set_recording(&self, recorded: Option<Recorded>) {
        *self
            .recording
            .write()
            .unwrap_or_else(PoisonError::into_inner) = recorded;
    }

    fn record(&self, act: impl FnOnce(&Feed, &[bool; 2])) {
        let recorded = self
            .recording
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((feed, on)) = &*recorded {
            act(feed, on);
        }
    }

    /// The sender says which of its timestamps is which moment (RFC 3550 §6.4.1).
    pub(crate) fn sender_report(&self, ssrc: u32, ntp: u64, rtp: u32, at: Instant) {
        self.record(|feed, _| feed.report(ssrc, ntp, rtp, at));
    }

    /// Records one packet, then sends it to everybody who hears it.
    pub(crate) fn publish(self: &Arc<Self>, kind: Kind, packet: &Packet) {
        bump(&self.counters.rtp_in);
        let codec = match kind {
            Kind::Audio => Codec::Opus,
            Kind::Video => Codec::Vp8,
        };
        self.record(|feed, on| {
            if on[kind as usize] {
                feed.packet(kind, codec, packet, Instant::now());
            }
        });
        let fan = self.fan[kind as usize]
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let now = Instant::now();
        let mut wanted = false;
        for slot in fan.iter() {
            wanted |= slot.forward(now, packet, &self.counters);
        }
        if wanted {
            self.wish_keyframe();
        }
    }

    /// Replaces the receivers of a kind; `true` if one is new.
    pub(crate) fn set_fan(&self, kind: Kind, slots: Vec<Arc<OutSlot>>) -> bool {
        let mut fan = self.fan[kind as usize]
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let mut new = false;
        for slot in slots
            .iter()
            .filter(|s| !fan.iter().any(|old| Arc::ptr_eq(old, s)))
        {
            slot.resync();
            new = true;
        }
        *fan = slots.into();
        new
    }

    /// Asks for a keyframe now or, within the gap, once afterwards.
    pub(crate) fn wish_keyframe(self: &Arc<Self>) {
        bump(&self.counters.keyframes_wanted);
        let ask = lock(&self.keyframes).wish(Instant::now());
        match ask {
            Ask::Now => self.ask_keyframe(),
            Ask::Covered => {}
            Ask::After(wait) => {
                let publisher = self.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(wait).await;
                    lock(&publisher.keyframes).due(Instant::now());
                    publisher.ask_keyframe();
                });
            }
        }
    }

    fn ask_keyframe(&self) {
        if self
            .leg
            .get()
            .and_then(Weak::upgrade)
            .is_some_and(|leg| leg.request_keyframe())
        {
            bump(&self.counters.keyframes_asked);
        }
    }
}
