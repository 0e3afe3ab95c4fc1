//! The packet path: one member's outgoing side and the slots that its packets go to.
//!
//! Never waits and never knows the room: [`crate::room`] computes the receivers, here they are only walked. A receiver that cannot take
//! a packet loses it alone. Limit: [`CONGESTED`].

use crate::budget::Level;
use crate::cap::Cap;
use crate::clock::{Clocks, ntp};
use crate::config::{CONGESTED, LOST_MOST};
use crate::counters::{Counters, bump};
use crate::event::Kind;
use crate::forward::{Rewriter, Verdict};
use crate::gate::Gate;
use crate::history::History;
use crate::keyframe::{Ask, Coalescer};
use crate::leg::{Leg, Sent, SlotReport};
use crate::record::{Codec, Feed};
use rtc::rtp::Packet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak};
use std::time::{Instant, SystemTime};

const KINDS: [Kind; 2] = [Kind::Audio, Kind::Video];

/// One receiving m-line of one connection.
pub(crate) struct OutSlot {
    pub index: usize,
    pub mid: String,
    pub kind: Kind,
    leg: Arc<dyn Leg>,
    state: Mutex<OutState>,
}

struct OutState {
    rewriter: Rewriter,
    gate: Gate,
    source_ssrc: u32,
    congested_until: Option<Instant>,
    packets: u32,
    octets: u32,
    /// Packets when the page was last told.
    reported: u32,
}

/// A member's outgoing side: where its packets go, and its keyframe requests.
pub(crate) struct Publisher {
    leg: OnceLock<Weak<dyn Leg>>,
    fan: [RwLock<Arc<[Arc<OutSlot>]>>; 2],
    keyframes: Mutex<Coalescer>,
    cap: Mutex<Cap>,
    recording: RwLock<Option<Recorded>>,
    /// Pictures alone: a repeated sound would come too late.
    history: Mutex<History>,
    clocks: Mutex<Clocks>,
    /// SSRC of what came last, by kind.
    sources: [AtomicU32; 2],
    counters: Arc<Counters>,
}

/// Where a member's packets are recorded, and which kinds.
type Recorded = (Arc<Feed>, [bool; 2]);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl OutSlot {
    pub(crate) fn new(index: usize, mid: String, kind: Kind, leg: Arc<dyn Leg>) -> Arc<Self> {
        let state = OutState {
            rewriter: Rewriter::new(kind),
            gate: Gate::default(),
            source_ssrc: 0,
            congested_until: None,
            packets: 0,
            octets: 0,
            reported: 0,
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

    pub(crate) fn gate<T>(&self, look: impl FnOnce(&mut Gate) -> T) -> T {
        look(&mut lock(&self.state).gate)
    }

    /// What of the source goes on from now, and what the page can take of it; gives what it could before.
    pub(crate) fn allot(&self, level: Level, share: Option<u32>) -> Option<u32> {
        let mut state = lock(&self.state);
        if state.gate.set(level) {
            state.rewriter.resync();
        }
        std::mem::replace(&mut state.gate.share, share)
    }

    /// Sends packets that came together; `true` if a keyframe is needed to go on.
    fn forward(&self, now: Instant, packets: &[Packet], counters: &Counters) -> bool {
        let mut state = lock(&self.state);
        let mut wanted = false;
        for packet in packets {
            wanted |= self.add(&mut state, now, packet, counters);
        }
        drop(state);
        self.leg.flush();
        wanted
    }

    fn add(
        &self,
        state: &mut OutState,
        now: Instant,
        packet: &Packet,
        counters: &Counters,
    ) -> bool {
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
            state.gate.forget();
        }
        let mut header = packet.header.clone();
        let vp8 = self.kind == Kind::Video;
        if !state.gate.pass(&mut header, &packet.payload, vp8) {
            return false;
        }
        match state.rewriter.rewrite(now, &mut header, &packet.payload) {
            Verdict::AwaitKeyframe => return true,
            Verdict::Stale => return false,
            Verdict::Forward => {}
        }
        match self.leg.send_rtp(self.index, header, &packet.payload) {
            Sent::Queued => {
                bump(&counters.rtp_out);
                state.packets = state.packets.wrapping_add(1);
                state.octets = state.octets.wrapping_add(packet.payload.len() as u32);
            }
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

    /// Sends again what the page misses and the history still has.
    fn resend(&self, history: &History, sequences: &[u16], counters: &Counters) {
        let mut state = lock(&self.state);
        let Some((offset, _)) = state.rewriter.offsets() else {
            return;
        };
        for sequence in sequences.iter().take(LOST_MOST) {
            let source = state.gate.source(sequence.wrapping_sub(offset));
            let kept = source.and_then(|n| history.find(state.source_ssrc, n));
            let Some(packet) = kept else { continue };
            let mut header = packet.header.clone();
            if state.gate.again(&mut header)
                && state.rewriter.again(&mut header)
                && self.leg.repeat_rtp(self.index, header, &packet.payload) == Sent::Queued
            {
                bump(&counters.rtp_repeated);
            }
        }
        drop(state);
        self.leg.flush();
    }

    /// Tells the page where the clocks stand, if anything was sent since it was last told.
    fn report(&self, now: u64, clocks: &Clocks) {
        let mut state = lock(&self.state);
        let (Some((_, offset)), Some(rtp)) = (state.rewriter.offsets(), clocks.rtp(self.kind, now))
        else {
            return;
        };
        if state.packets == state.reported {
            return;
        }
        state.reported = state.packets;
        let report = SlotReport {
            ntp: now,
            rtp: rtp.wrapping_add(offset),
            packets: state.packets,
            octets: state.octets,
        };
        drop(state);
        self.leg.report(self.index, report);
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
            cap: Mutex::default(),
            recording: RwLock::default(),
            history: Mutex::default(),
            clocks: Mutex::default(),
            sources: Default::default(),
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
    pub(crate) fn sender_report(&self, ssrc: u32, theirs: u64, rtp: u32, at: Instant) {
        self.record(|feed, _| feed.report(ssrc, theirs, rtp, at));
        let of = |kind: &Kind| self.sources[*kind as usize].load(Ordering::Relaxed) == ssrc;
        if let Some(kind) = KINDS.into_iter().find(of) {
            lock(&self.clocks).note(kind, ntp(SystemTime::now()), theirs, rtp);
        }
    }

    fn fan(&self, kind: Kind) -> Arc<[Arc<OutSlot>]> {
        self.fan[kind as usize]
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Records packets that came together, then sends them to everybody who hears them.
    pub(crate) fn publish(self: &Arc<Self>, kind: Kind, packets: &[Packet]) {
        let now = Instant::now();
        self.counters
            .rtp_in
            .fetch_add(packets.len() as u64, Ordering::Relaxed);
        if let Some(last) = packets.last() {
            self.sources[kind as usize].store(last.header.ssrc, Ordering::Relaxed);
        }
        let codec = match kind {
            Kind::Audio => Codec::Opus,
            Kind::Video => Codec::Vp8,
        };
        self.record(|feed, on| {
            if on[kind as usize] {
                for packet in packets {
                    feed.packet(kind, codec, packet, now);
                }
            }
        });
        let fan = self.fan(kind);
        if kind == Kind::Video && !fan.is_empty() {
            let mut history = lock(&self.history);
            packets.iter().for_each(|packet| history.keep(packet));
        }
        let mut wanted = false;
        for slot in fan.iter() {
            wanted |= slot.forward(now, packets, &self.counters);
        }
        if wanted {
            self.wish_keyframe();
        }
    }

    /// A receiver of this member misses packets of a slot.
    pub(crate) fn resend(&self, slot: &OutSlot, sequences: &[u16]) {
        slot.resend(&lock(&self.history), sequences, &self.counters);
    }

    /// Sender reports to everybody who hears this member.
    pub(crate) fn report(&self) {
        let now = ntp(SystemTime::now());
        let clocks = lock(&self.clocks);
        for kind in KINDS {
            for slot in self.fan(kind).iter() {
                slot.report(now, &clocks);
            }
        }
    }

    /// Tells the member's page how much of its pictures anybody can take, when that is due.
    pub(crate) fn cap(&self) {
        let fan = self.fan(Kind::Video);
        let shares = fan.iter().map(|slot| slot.gate(|gate| gate.share));
        // One who has said nothing may take all.
        let most = shares.reduce(|a, b| Some(a?.max(b?))).flatten();
        let due = lock(&self.cap).due(Instant::now(), most);
        if let Some(bitrate) = due
            && let Some(leg) = self.leg.get().and_then(Weak::upgrade)
        {
            leg.cap(bitrate);
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
