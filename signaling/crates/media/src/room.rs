//! A room: its members and which slot carries whom.
//!
//! Owns the map and recomputes it after every change; the packet path only reads what was computed. Never waits in the packet path,
//! never forwards while the room is held. Limit: [`MEMBERS_PER_ROOM`].

use crate::codec::{Able, agree};
use crate::config::{MEMBERS_PER_ROOM, REFUSED_MOST};
use crate::counters::Counters;
use crate::error::MediaError;
use crate::event::{EndReason, Kind, MediaEvent, Outbox, SentMedia, Slot, Source};
use crate::forward::MemberRole;
use crate::lane::Lane;
use crate::leg::{Leg, LegSink, LegSlot};
use crate::publish::Publisher;
use crate::record::{
    Codec, Ended, GapReason, Manifest, Present, Recorder, RecordingPlan, RecordingWatch,
};
use crate::sdp::{Digest, Offer};
use crate::sink::MemberSink;
use crate::slots::{self, Assigned, Cast};
use async_trait::async_trait;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

mod allot;

const KINDS: [Kind; 2] = [Kind::Audio, Kind::Video];

/// Makes the connection for a member's first offer.
#[async_trait]
pub(crate) trait Connector: Send + Sync {
    async fn connect(&self, sink: Arc<dyn LegSink>) -> Result<Arc<dyn Leg>, MediaError>;

    fn members_per_room(&self) -> usize {
        MEMBERS_PER_ROOM
    }
}

pub(crate) struct Room {
    id: String,
    outbox: Arc<Outbox>,
    counters: Arc<Counters>,
    state: Mutex<State>,
    /// One offer at a time: two of one member must not build two connections.
    joining: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    live: bool,
    /// What the call carries on its rung of the ladder.
    carried: SentMedia,
    closed: bool,
    epoch: u64,
    recorder: Option<Arc<Recorder>>,
    /// Of everybody's pictures; none before the first offer that has any.
    codec: Option<Codec>,
    /// In order of joining: earlier members get earlier slots.
    members: Vec<Member>,
}

struct Member {
    id: String,
    role: MemberRole,
    sent: SentMedia,
    /// What they show beside themselves; kept while they are away.
    shares: Vec<Source>,
    conn: Option<Conn>,
}

struct Conn {
    epoch: u64,
    identity: String,
    passwords: Vec<Digest>,
    /// Offers of it that the leg could not take.
    refused: u32,
    leg: Arc<dyn Leg>,
    publisher: Arc<Publisher>,
    slots: Vec<Assigned>,
    connected: bool,
    told: Option<Vec<Slot>>,
    allot: allot::Allot,
    pictures: Pictures,
}

/// What a connection's last offer and answer said of pictures.
#[derive(Clone)]
struct Pictures {
    /// What the page can use; none if it has no pictures at all.
    able: Option<Able>,
    /// What the answer put first: the page sends it.
    codec: Codec,
    shares: Vec<Source>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The part of an offer's identity that its session id is not; empty where there is none.
fn certificates(identity: &str) -> &str {
    identity.split_once(' ').map_or(identity, |(_, rest)| rest)
}

impl State {
    fn member(&mut self, id: &str) -> Option<&mut Member> {
        self.members.iter_mut().find(|m| m.id == id)
    }

    fn conn(&mut self, id: &str, epoch: u64) -> Option<&mut Conn> {
        self.member(id)?.conn.as_mut().filter(|c| c.epoch == epoch)
    }
}

impl Conn {
    /// The codec of its pictures, if it has any.
    fn agreed(&self) -> Option<Codec> {
        self.pictures.able.map(|_| self.pictures.codec)
    }
}

impl Room {
    pub(crate) fn new(id: &str, outbox: Arc<Outbox>, counters: Arc<Counters>) -> Arc<Self> {
        Arc::new(Self {
            id: id.to_owned(),
            outbox,
            counters,
            state: Mutex::default(),
            joining: tokio::sync::Mutex::default(),
        })
    }

    /// Joins, rejoins or renegotiates. On an error nothing has changed.
    pub(crate) async fn offer(
        self: &Arc<Self>,
        member: &str,
        role: MemberRole,
        mut offer: Offer,
        connector: &dyn Connector,
    ) -> Result<String, MediaError> {
        let _joining = self.joining.lock().await;
        let able = offer.able();
        let (present, codec) = {
            let mut state = lock(&self.state);
            if state.closed {
                return Err(MediaError::Unavailable("the room was closed".into()));
            }
            if state.member(member).is_none() && state.members.len() >= connector.members_per_room()
            {
                return Err(MediaError::RoomFull);
            }
            let others = state.members.iter().filter(|m| m.id != member);
            let others = others.filter_map(|m| m.conn.as_ref()?.pictures.able);
            let codec = agree(state.codec, others, able).map_err(MediaError::CodecNeeded)?;
            // One certificate, one person: what somebody else sent is no offer of this member's.
            let others = state.members.iter().filter(|m| m.id != member);
            for theirs in others.filter_map(|m| m.conn.as_ref()) {
                if certificates(&theirs.identity) == certificates(&offer.identity) {
                    return Err(MediaError::SdpInvalid("another member's certificate"));
                }
                if theirs.passwords.iter().any(|p| offer.passwords.contains(p)) {
                    return Err(MediaError::SdpInvalid("another member's ICE credentials"));
                }
            }
            let conn = state.member(member).and_then(|m| m.conn.as_ref());
            let same = |c: &&Conn| c.identity == offer.identity && c.refused < REFUSED_MOST;
            let conn = conn.filter(same);
            (conn.map(|c| (c.leg.clone(), c.epoch)), codec)
        };
        offer.prefer = codec.unwrap_or(Codec::Vp8);
        let pictures = Pictures {
            able,
            codec: offer.prefer,
            shares: offer.shares(),
        };
        if let Some((leg, epoch)) = present {
            let answer = match leg.accept_offer(&offer).await {
                Ok(answer) => answer,
                Err(error) => {
                    if let Some(conn) = lock(&self.state).conn(member, epoch) {
                        conn.refused += 1;
                    }
                    return Err(error);
                }
            };
            let passwords = offer.passwords;
            self.renegotiated(member, epoch, role, passwords, &answer.slots, pictures);
            return Ok(answer.sdp);
        }

        let epoch = {
            let mut state = lock(&self.state);
            state.epoch += 1;
            state.epoch
        };
        let publisher = Publisher::new(self.counters.clone());
        let sink = MemberSink {
            room: Arc::downgrade(self),
            member: member.to_owned(),
            epoch,
            publisher: publisher.clone(),
        };
        let leg = connector.connect(Arc::new(sink)).await?;
        publisher.set_leg(&leg);
        let answer = match leg.accept_offer(&offer).await {
            Ok(answer) => answer,
            Err(error) => {
                leg.close().await;
                return Err(error);
            }
        };
        let conn = Conn {
            epoch,
            identity: offer.identity,
            passwords: offer.passwords,
            refused: 0,
            slots: Vec::new(),
            leg: leg.clone(),
            publisher,
            connected: false,
            told: None,
            allot: allot::Allot::default(),
            pictures,
        };
        if !self.attach(member, role, conn, &answer.slots) {
            leg.close().await;
            return Err(MediaError::Unavailable("the room was closed".into()));
        }
        Ok(answer.sdp)
    }

    fn attach(&self, member: &str, role: MemberRole, mut conn: Conn, slots: &[LegSlot]) -> bool {
        slots::append(&mut conn.slots, &conn.leg, slots);
        let mut state = lock(&self.state);
        if state.closed {
            return false;
        }
        let (codec, shares) = (conn.agreed(), conn.pictures.shares.clone());
        let old = match state.member(member) {
            Some(present) => {
                present.role = role;
                present.shares = shares;
                present.conn.replace(conn)
            }
            None => {
                state.members.push(Member {
                    id: member.to_owned(),
                    role,
                    sent: SentMedia::default(),
                    shares,
                    conn: Some(conn),
                });
                None
            }
        };
        if let Some(old) = old {
            self.tell_end(member, EndReason::Replaced);
            retire(old);
        }
        self.agreed(&mut state, codec);
        self.recompute(&mut state);
        true
    }

    fn renegotiated(
        &self,
        member: &str,
        epoch: u64,
        role: MemberRole,
        passwords: Vec<Digest>,
        slots: &[LegSlot],
        pictures: Pictures,
    ) {
        let mut state = lock(&self.state);
        let Some(present) = state.member(member) else {
            return;
        };
        present.role = role;
        let mut codec = None;
        if let Some(conn) = present.conn.as_mut().filter(|c| c.epoch == epoch) {
            conn.passwords = passwords;
            slots::append(&mut conn.slots, &conn.leg, slots);
            conn.told = None; // the page rebuilt its view: tell it again
            present.shares = pictures.shares.clone();
            conn.pictures = pictures;
            codec = conn.agreed();
        }
        self.agreed(&mut state, codec);
        self.recompute(&mut state);
    }

    /// An offer was answered with this codec first: the room has it, and whose answer had another offers again.
    fn agreed(&self, state: &mut State, codec: Option<Codec>) {
        let Some(codec) = codec else { return };
        if state.codec.replace(codec) == Some(codec) {
            return;
        }
        for member in &state.members {
            let conn = member.conn.as_ref();
            if conn.and_then(Conn::agreed).is_some_and(|c| c != codec) {
                self.outbox.push(MediaEvent::Renegotiate {
                    room: self.id.clone(),
                    member: member.id.clone(),
                });
            }
        }
    }

    pub(crate) fn leave(&self, member: &str) {
        let mut state = lock(&self.state);
        let Some(at) = state.members.iter().position(|m| m.id == member) else {
            return;
        };
        if let Some(conn) = state.members.remove(at).conn {
            self.tell_end(member, EndReason::Left);
            retire(conn);
        }
        self.recompute(&mut state);
    }

    /// Ends every connection; the room accepts nobody afterwards.
    pub(crate) fn close(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        if let Some(recorder) = state.recorder.take() {
            recorder.close(Ended::Closed);
        }
        for member in std::mem::take(&mut state.members) {
            if let Some(conn) = member.conn {
                self.tell_end(&member.id, EndReason::Left);
                retire(conn);
            }
        }
    }

    /// Closes the room if nobody is in it and it is not live; `true` if it is closed now.
    pub(crate) fn close_if_idle(&self) -> bool {
        // Somebody whose offer is being answered is not in the list yet.
        let Ok(_joining) = self.joining.try_lock() else {
            return false;
        };
        let mut state = lock(&self.state);
        let used = !state.members.is_empty() || state.live || state.recorder.is_some();
        state.closed |= !used;
        state.closed
    }

    pub(crate) fn set_live(&self, live: bool) {
        let mut state = lock(&self.state);
        if state.live != live {
            state.live = live;
            self.recompute(&mut state);
        }
    }

    pub(crate) fn set_media(&self, member: &str, sent: SentMedia) {
        let mut state = lock(&self.state);
        if let Some(present) = state.member(member) {
            present.sent = sent;
            self.recompute(&mut state);
        }
    }

    /// What of all members is forwarded at all.
    pub(crate) fn set_carried(&self, carried: SentMedia) {
        let mut state = lock(&self.state);
        if state.carried != carried {
            state.carried = carried;
            self.recompute(&mut state);
        }
    }

    pub(crate) fn set_role(&self, member: &str, role: MemberRole) {
        let mut state = lock(&self.state);
        if let Some(present) = state.member(member)
            && present.role != role
        {
            present.role = role;
            self.recompute(&mut state);
        }
    }

    /// Begins to record whoever is here and whoever comes.
    pub(crate) fn start_recording(
        &self,
        plan: RecordingPlan,
    ) -> Result<RecordingWatch, MediaError> {
        let mut state = lock(&self.state);
        if state.closed {
            return Err(MediaError::Unavailable("the room was closed".into()));
        }
        if state.recorder.is_some() {
            return Err(MediaError::RecordingRunning);
        }
        let recorder = Recorder::start(&self.id, plan, self.outbox.clone())?;
        let watch = recorder.watch();
        state.recorder = Some(recorder);
        record(&state);
        Ok(watch)
    }

    /// Whose media must be on disk for the recording to be proven.
    pub(crate) fn require_in_recording(&self, members: Vec<String>) {
        if let Some(recorder) = &lock(&self.state).recorder {
            recorder.require(members);
        }
    }

    /// Ends the recording; nothing is written any more once this returns.
    pub(crate) async fn stop_recording(
        &self,
        reason: Ended,
    ) -> Result<Option<Arc<Manifest>>, MediaError> {
        let recorder = {
            let mut state = lock(&self.state);
            for conn in state.members.iter().filter_map(|m| m.conn.as_ref()) {
                conn.publisher.stop_recording();
            }
            state.recorder.take()
        };
        match recorder {
            Some(recorder) => recorder.stop(reason).await,
            None => Ok(None),
        }
    }

    /// Members, connected members.
    pub(crate) fn count(&self) -> (u64, u64) {
        let state = lock(&self.state);
        let connected = state
            .members
            .iter()
            .filter(|m| m.conn.as_ref().is_some_and(|c| c.connected))
            .count();
        (state.members.len() as u64, connected as u64)
    }

    pub(crate) fn connected(&self, member: &str, epoch: u64) {
        let mut state = lock(&self.state);
        let Some(conn) = state.conn(member, epoch) else {
            return;
        };
        conn.connected = true;
        self.outbox.push(MediaEvent::Connected {
            room: self.id.clone(),
            member: member.to_owned(),
        });
        self.recompute(&mut state);
    }

    /// A connection ended by itself; the member stays.
    pub(crate) fn ended(&self, member: &str, epoch: u64, reason: EndReason) {
        let mut state = lock(&self.state);
        let Some(present) = state.member(member) else {
            return;
        };
        if let Some(conn) = present.conn.take_if(|c| c.epoch == epoch) {
            self.tell_end(member, reason);
            retire(conn);
            self.recompute(&mut state);
        }
    }

    pub(crate) fn quality(&self, member: &str, loss_pct: f32, jitter_ms: f32, rtt_ms: Option<f32>) {
        let (room, member) = (self.id.clone(), member.to_owned());
        self.outbox.push_lossy(MediaEvent::Quality {
            room,
            member,
            loss_pct,
            jitter_ms,
            rtt_ms,
        });
    }

    /// Nothing comes from a member any more, or something comes again.
    pub(crate) fn quiet(&self, member: &str, epoch: u64, quiet: bool) {
        let mut state = lock(&self.state);
        let Some(conn) = state.conn(member, epoch) else {
            return;
        };
        allot::quiet(conn, quiet);
        if !quiet {
            self.tell_slots(member, conn);
        }
        let (room, member) = (self.id.clone(), member.to_owned());
        self.outbox.push(if quiet {
            MediaEvent::Quiet { room, member }
        } else {
            MediaEvent::Heard { room, member }
        });
    }

    pub(crate) fn keyframe_wanted(&self, member: &str, epoch: u64, slot: usize) {
        let publisher = {
            let mut state = lock(&self.state);
            if !state.live {
                return;
            }
            let Some(conn) = state.conn(member, epoch) else {
                return;
            };
            let Some((source, lane)) = conn.slots.get(slot).and_then(|s| s.carries.clone()) else {
                return;
            };
            let of = state.member(&source).and_then(|m| m.conn.as_ref());
            of.map(|c| (c.publisher.clone(), lane))
        };
        if let Some((publisher, lane)) = publisher {
            publisher.wish_keyframe(lane);
        }
    }

    /// A page misses packets of what a slot carries.
    pub(crate) fn lost(&self, member: &str, epoch: u64, slot: usize, sequences: &[u16]) {
        let (publisher, slot) = {
            let mut state = lock(&self.state);
            if !state.live {
                return;
            }
            let Some(conn) = state.conn(member, epoch) else {
                return;
            };
            let Some(assigned) = conn.slots.get(slot) else {
                return;
            };
            let (source, slot) = (assigned.carries.clone(), assigned.slot.clone());
            let publisher = source.and_then(|(id, lane)| {
                let conn = state.member(&id)?.conn.as_ref()?;
                Some((conn.publisher.clone(), lane))
            });
            (publisher, slot)
        };
        if let Some((publisher, lane)) = publisher {
            publisher.resend(lane, &slot, sequences);
        }
    }

    /// Each accepted connection ends in exactly one such event, so that whoever waits for it knows.
    fn tell_end(&self, member: &str, reason: EndReason) {
        self.outbox.push(MediaEvent::Disconnected {
            room: self.id.clone(),
            member: member.to_owned(),
            reason,
        });
    }

    /// Tells a page what its slots carry, if that is new to it.
    fn tell_slots(&self, member: &str, conn: &mut Conn) {
        let map = slots::map(&conn.slots);
        if conn.told.as_ref() != Some(&map) {
            self.outbox.push(MediaEvent::Slots {
                room: self.id.clone(),
                member: member.to_owned(),
                slots: map.clone(),
            });
            conn.told = Some(map);
        }
    }

    /// Brings slots, fan-out and what pages know in line with members, roles and liveness.
    fn recompute(&self, state: &mut State) {
        record(state);
        let cast = |m: &Member| Cast {
            member: m.id.clone(),
            role: m.role,
            shares: m.shares.clone(),
        };
        let cast: Vec<Cast> = state.members.iter().map(cast).collect();
        for receiver in &mut state.members {
            let (id, role) = (&receiver.id, receiver.role);
            let Some(conn) = &mut receiver.conn else {
                continue;
            };
            for kind in KINDS {
                let wanted = slots::wanted(&cast, (id, role), kind);
                slots::assign(&mut conn.slots, kind, wanted);
            }
            self.tell_slots(id, conn);
        }
        for sender in &state.members {
            let Some(conn) = &sender.conn else { continue };
            for lane in Lane::ALL {
                let on = state.live
                    && match lane {
                        Lane::Sound => sender.sent.mic && state.carried.mic,
                        Lane::Camera => sender.sent.camera && state.carried.camera,
                        Lane::Document | Lane::Screen => state.carried.camera,
                    };
                let receivers = state
                    .members
                    .iter()
                    .filter(|_| on)
                    .filter_map(|m| m.conn.as_ref())
                    .filter(|c| c.connected);
                let slots = receivers
                    .flat_map(|c| &c.slots)
                    .filter(|s| s.is_of(&sender.id, lane))
                    .map(|s| s.slot.clone())
                    .collect();
                if conn.publisher.set_fan(lane, slots) && lane.kind() == Kind::Video {
                    conn.publisher.wish_keyframe(lane);
                }
            }
        }
    }
}

/// Tells the recording who is there and what of them is forwarded: what nobody may hear is not recorded either.
fn record(state: &State) {
    let Some(recorder) = &state.recorder else {
        return;
    };
    let off = |on: bool| match (state.live, on) {
        (false, _) => Some(GapReason::Paused),
        (true, false) => Some(GapReason::Mode),
        (true, true) => None,
    };
    let mut cast: Vec<Present<'_>> = Vec::new();
    for m in &state.members {
        let conn = m.conn.as_ref().filter(|c| c.connected);
        let present = |source, off| Present {
            member: &m.id,
            source,
            role: m.role,
            publisher: conn.map(|c| &c.publisher),
            off,
        };
        let sound = off(m.sent.mic && state.carried.mic);
        let pictures = off(m.sent.camera && state.carried.camera);
        cast.push(present(Source::Camera, [sound, pictures]));
        // What is shown has no sound, and does not go with the camera.
        let shown = [Some(GapReason::Paused), off(state.carried.camera)];
        cast.extend(m.shares.iter().map(|s| present(*s, shown)));
    }
    recorder.cast(&cast);
}

/// Closing waits for the driver; nobody else should.
fn retire(conn: Conn) {
    for lane in Lane::ALL {
        conn.publisher.set_fan(lane, Vec::new());
    }
    conn.publisher.stop_recording();
    tokio::spawn(async move { conn.leg.close().await });
}
