//! The packet path: one member's outgoing side and the slots that its packets go to.
//!
//! Never waits and never knows the room: [`crate::room`] computes the receivers, here they are only walked. A receiver that cannot take
//! a packet loses it alone. Limit: [`CONGESTED`].

use crate::budget::Level;
use crate::cap::Cap;
use crate::clock::{Clocks, ntp};
use crate::codec::Payloads;
use crate::config::{CONGESTED, LOST_MOST, PICTURE_LEAST};
use crate::counters::{Counters, bump};
use crate::event::{Kind, Source};
use crate::forward::{Rewriter, Verdict};
use crate::gate::Gate;
use crate::history::History;
use crate::keyframe::{Ask, Coalescer};
use crate::lane::Lane;
use crate::leg::{Leg, LegSlot, Sent, SlotReport};
use crate::record::{Codec, Feed};
use crate::repeats::Repeats;
use rtc::rtp::Packet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak};
use std::time::{Instant, SystemTime};

/// What a member may send.
const LANES: usize = Lane::ALL.len();

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
    repeats: Repeats,
    /// What the page takes here.
    payloads: Payloads,
    source_ssrc: u32,
    /// Of what came last: another codec begins at a keyframe of its own.
    codec: Codec,
    congested_until: Option<Instant>,
    packets: u32,
    octets: u32,
    /// Packets when the page was last told.
    reported: u32,
}

/// A member's outgoing side: where its packets go, and its keyframe requests.
pub(crate) struct Publisher {
    leg: OnceLock<Weak<dyn Leg>>,
    /// By lane, as the three that follow.
    fan: [RwLock<Arc<[Arc<OutSlot>]>>; LANES],
    keyframes: [Mutex<Coalescer>; LANES],
    /// Pictures alone: a repeated sound would come too late.
    history: [Mutex<History>; LANES],
    /// SSRC of what came last.
    sources: [AtomicU32; LANES],
    /// By source.
    recording: RwLock<[Option<Recorded>; 3]>,
    clocks: Mutex<Clocks>,
    cap: Mutex<Cap>,
    counters: Arc<Counters>,
}

/// Where sound and picture of one source are recorded, and which of them.
type Recorded = (Arc<Feed>, [bool; 2]);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl OutState {
    /// What comes next begins anew: it is numbered on from what was sent, whatever was numbered, or left out, before.
    fn restart(&mut self) {
        self.rewriter.resync();
        self.gate.restart();
    }
}

impl OutSlot {
    pub(crate) fn new(index: usize, slot: &LegSlot, leg: Arc<dyn Leg>) -> Arc<Self> {
        let kind = slot.kind;
        let state = OutState {
            rewriter: Rewriter::new(kind),
            gate: Gate::default(),
            repeats: Repeats::default(),
            payloads: slot.payloads,
            source_ssrc: 0,
            codec: Codec::Opus,
            congested_until: None,
            packets: 0,
            octets: 0,
            reported: 0,
        };
        Arc::new(Self {
            index,
            mid: slot.mid.clone(),
            kind,
            leg,
            state: Mutex::new(state),
        })
    }

    fn resync(&self) {
        lock(&self.state).restart();
    }

    pub(crate) fn gate<T>(&self, look: impl FnOnce(&mut Gate) -> T) -> T {
        look(&mut lock(&self.state).gate)
    }

    /// What of the source goes on from now, and what the page can take of it; gives what it could before.
    pub(crate) fn allot(&self, level: Level, share: Option<u32>) -> Option<u32> {
        self.set_level(level);
        std::mem::replace(&mut lock(&self.state).gate.share, share)
    }

    /// What of the source goes on from now.
    pub(crate) fn set_level(&self, level: Level) {
        let mut state = lock(&self.state);
        if state.gate.set(level) {
            state.restart();
        }
    }

    /// A renegotiation may number the codecs anew.
    pub(crate) fn set_payloads(&self, payloads: Payloads) {
        let mut state = lock(&self.state);
        if state.payloads != payloads {
            state.payloads = payloads;
            // A repetition under another payload type would be another text under the same number.
            state.restart();
        }
    }

    /// Whether the page takes anything here; a line that it has closed carries nobody.
    pub(crate) fn is_open(&self) -> bool {
        lock(&self.state).payloads != Payloads::default()
    }

    /// Sends packets that came together; `true` if a keyframe is needed to go on.
    fn forward(&self, now: Instant, codec: Codec, packets: &[Packet], counters: &Counters) -> bool {
        let mut state = lock(&self.state);
        // The page cannot decode it; the room is about to agree on a codec that it can.
        let Some(payload_type) = state.payloads.of(codec) else {
            return false;
        };
        if state.codec != codec {
            state.codec = codec;
            state.rewriter.resync();
            state.gate.forget();
        }
        let mut wanted = false;
        for packet in packets {
            wanted |= self.add(&mut state, now, payload_type, packet, counters);
        }
        drop(state);
        self.leg.flush();
        wanted
    }

    fn add(
        &self,
        state: &mut OutState,
        now: Instant,
        payload_type: u8,
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
        let vp8 = state.codec == Codec::Vp8;
        if !state.gate.pass(&mut header, &packet.payload, vp8) {
            return false;
        }
        let verdict = state
            .rewriter
            .rewrite(now, state.codec, &mut header, &packet.payload);
        match verdict {
            Verdict::AwaitKeyframe => return true,
            Verdict::Stale => return false,
            Verdict::Forward => {}
        }
        header.payload_type = payload_type;
        let sequence = header.sequence_number;
        match self.leg.send_rtp(self.index, header, &packet.payload) {
            Sent::Queued => {
                bump(&counters.rtp_out);
                state.repeats.sent(packet.payload.len());
                state.packets = state.packets.wrapping_add(1);
                state.octets = state.octets.wrapping_add(packet.payload.len() as u32);
            }
            Sent::Gone => bump(&counters.rtp_dropped),
            Sent::Full => {
                bump(&counters.rtp_dropped);
                if self.kind == Kind::Video {
                    // A hole cannot be repaired (nothing was sent that could be sent again): pause, then start at a keyframe.
                    state.congested_until = Some(now + CONGESTED);
                    state.rewriter.unsend(sequence);
                    state.gate.restart();
                }
            }
        }
        false
    }

    /// Sends again what the page misses and the history still has, as far as it may have more.
    fn resend(&self, history: &Mutex<History>, sequences: &[u16], counters: &Counters) {
        let mut state = lock(&self.state);
        let (Some((offset, _)), Some(payload_type)) =
            (state.rewriter.offsets(), state.payloads.of(state.codec))
        else {
            return;
        };
        let now = Instant::now();
        let source = |n: &u16| Some((*n, state.gate.source(n.wrapping_sub(offset))?));
        let sources = sequences.iter().take(LOST_MOST).filter_map(source);
        let sources: Vec<(u16, u16)> = sources.collect();
        // The publisher's next packets, for everybody, wait for the history: it is let go before anything is sent.
        let found: Vec<(u16, Packet)> = {
            let history = lock(history);
            let kept = |(n, source)| Some((n, history.find(state.source_ssrc, source)?.clone()));
            sources.into_iter().filter_map(kept).collect()
        };
        for (sequence, packet) in found {
            let mut header = packet.header;
            header.payload_type = payload_type;
            if state.gate.again(&mut header)
                && state.rewriter.again(&mut header)
                && state.repeats.allow(now, sequence, packet.payload.len())
                && self.leg.repeat_rtp(self.index, header, &packet.payload) == Sent::Queued
            {
                bump(&counters.rtp_repeated);
            }
        }
        drop(state);
        self.leg.flush();
    }

    /// Tells the page where the clocks stand, if anything was sent since it was last told.
    fn report(&self, lane: Lane, now: u64, clocks: &Clocks) {
        let mut state = lock(&self.state);
        let (Some((_, offset)), Some(rtp)) = (state.rewriter.offsets(), clocks.rtp(lane, now))
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
        Arc::new(Self {
            leg: OnceLock::new(),
            fan: Lane::ALL.map(|_| RwLock::new(none.clone())),
            keyframes: Default::default(),
            history: Default::default(),
            sources: Default::default(),
            recording: RwLock::default(),
            clocks: Mutex::default(),
            cap: Mutex::default(),
            counters,
        })
    }

    /// The member's connection, known only after the sink that holds this was made.
    pub(crate) fn set_leg(&self, leg: &Arc<dyn Leg>) {
        let _ = self.leg.set(Arc::downgrade(leg));
    }

    /// Records what comes of a source from now on; `None` no longer.
    pub(crate) fn set_recording(&self, source: Source, recorded: Option<Recorded>) {
        let mut recording = self
            .recording
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        recording[source as usize] = recorded;
    }

    /// Records nothing of this connection any more.
    pub(crate) fn stop_recording(&self) {
        *self
            .recording
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Default::default();
    }

    fn record(&self, lane: Lane, codec: Codec, packets: &[Packet], now: Instant) {
        let recording = self
            .recording
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let kind = lane.kind();
        if let Some((feed, on)) = &recording[lane.source() as usize]
            && on[kind as usize]
        {
            for packet in packets {
                feed.packet(kind, codec, packet, now);
            }
        }
    }

    /// The sender says which of its timestamps is which moment (RFC 3550 §6.4.1).
    pub(crate) fn sender_report(&self, ssrc: u32, theirs: u64, rtp: u32, at: Instant) {
        let recording = self
            .recording
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        // Each knows its own streams.
        for (feed, _) in recording.iter().flatten() {
            feed.report(ssrc, theirs, rtp, at);
        }
        drop(recording);
        let of = |lane: &Lane| self.sources[*lane as usize].load(Ordering::Relaxed) == ssrc;
        if let Some(lane) = Lane::ALL.into_iter().find(of) {
            lock(&self.clocks).note(lane, ntp(SystemTime::now()), theirs, rtp);
        }
    }

    fn fan(&self, lane: Lane) -> Arc<[Arc<OutSlot>]> {
        self.fan[lane as usize]
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Records packets that came together, then sends them to everybody who gets them.
    pub(crate) fn publish(self: &Arc<Self>, lane: Lane, codec: Codec, packets: &[Packet]) {
        let now = Instant::now();
        self.counters
            .rtp_in
            .fetch_add(packets.len() as u64, Ordering::Relaxed);
        if let Some(last) = packets.last() {
            self.sources[lane as usize].store(last.header.ssrc, Ordering::Relaxed);
        }
        self.record(lane, codec, packets, now);
        let fan = self.fan(lane);
        let mut wanted = false;
        if lane.kind() == Kind::Video && !fan.is_empty() {
            let mut history = lock(&self.history[lane as usize]);
            wanted = history.has_hole(now, packets);
            packets.iter().for_each(|packet| history.keep(packet));
        }
        for slot in fan.iter() {
            wanted |= slot.forward(now, codec, packets, &self.counters);
        }
        if wanted {
            self.wish_keyframe(lane);
        }
    }

    /// A receiver of this member misses packets of a slot.
    pub(crate) fn resend(&self, lane: Lane, slot: &OutSlot, sequences: &[u16]) {
        slot.resend(&self.history[lane as usize], sequences, &self.counters);
    }

    /// Sender reports to everybody who hears this member.
    pub(crate) fn report(&self) {
        let now = ntp(SystemTime::now());
        let clocks = lock(&self.clocks);
        for lane in Lane::ALL {
            for slot in self.fan(lane).iter() {
                slot.report(lane, now, &clocks);
            }
        }
    }

    /// Tells the member's page how much of its pictures anybody can take, when that is due.
    pub(crate) fn cap(&self) {
        let due = lock(&self.cap).due(Instant::now(), self.share());
        if let Some(bitrate) = due
            && let Some(leg) = self.leg.get().and_then(Weak::upgrade)
        {
            leg.cap(bitrate);
        }
    }

    /// Of each picture the most that anybody can take, together; none: somebody may take all, or nobody is there.
    fn share(&self) -> Option<u32> {
        let mut all = None;
        for lane in Lane::ALL.into_iter().filter(|l| l.kind() == Kind::Video) {
            let fan = self.fan(lane);
            let shares = fan.iter().map(|slot| slot.gate(|gate| gate.share));
            // One who has said nothing may take all.
            if let Some(most) = shares.reduce(|a, b| Some(a?.max(b?))) {
                all = Some(all.unwrap_or(0u32).saturating_add(most?));
            }
        }
        // Where nothing comes now nothing is shared out: enough that a picture may begin.
        all.map(|all| all.max(PICTURE_LEAST))
    }

    /// Replaces the receivers of a lane; `true` if one is new.
    pub(crate) fn set_fan(&self, lane: Lane, slots: Vec<Arc<OutSlot>>) -> bool {
        let mut fan = self.fan[lane as usize]
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

    /// Asks for a keyframe of a picture now or, within the gap, once afterwards.
    pub(crate) fn wish_keyframe(self: &Arc<Self>, lane: Lane) {
        bump(&self.counters.keyframes_wanted);
        let ask = lock(&self.keyframes[lane as usize]).wish(Instant::now());
        match ask {
            Ask::Now => self.ask_keyframe(lane),
            Ask::Covered => {}
            Ask::After(wait) => {
                let publisher = self.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(wait).await;
                    lock(&publisher.keyframes[lane as usize]).due(Instant::now());
                    publisher.ask_keyframe(lane);
                });
            }
        }
    }

    fn ask_keyframe(&self, lane: Lane) {
        if self
            .leg
            .get()
            .and_then(Weak::upgrade)
            .is_some_and(|leg| leg.request_keyframe(lane))
        {
            bump(&self.counters.keyframes_asked);
        }
    }
}
