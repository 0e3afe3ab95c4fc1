//! The door of the crate: rooms by id, commands in, events out.
//!
//! Owns the shared ports and the table of rooms. Never decides who may join: the caller has asked `policy` before.
//! Limits: [`ROOMS_MAX`], [`ID_BYTES`]; see [`crate::config`].

use crate::config::{EVENT_CHANNEL, ID_BYTES, MediaConfig, ROOMS_MAX};
use crate::counters::{Counters, EngineStats};
use crate::error::MediaError;
use crate::event::{MediaEvent, Outbox, SentMedia};
use crate::forward::MemberRole;
use crate::lane::SentTrack;
use crate::mux::Mux;
use crate::peer::WebRtcConnector;
use crate::record::{Ended, Manifest, RecordingPlan, RecordingWatch};
use crate::room::{Connector, Room};
use crate::sdp::Offer;
use crate::tcp;
use async_trait::async_trait;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// What the application asks of the media plane. Commands on unknown rooms or members do nothing: they may just have ended.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// Joins, rejoins or renegotiates (ICE restart, more m-lines, another picture, another codec), and returns the answer.
    ///
    /// `tracks` says which m-lines carry pictures and what they show: the camera, a document, a screen, each at most once. The sound is
    /// the first line of sound that the page sends on. What a picture may reach is [`crate::forwards`]' to say. Empty: the first
    /// line of pictures is the camera.
    ///
    /// The same peer connection (origin session id and DTLS fingerprint) is renegotiated; another one replaces the member's
    /// connection. The answer holds all candidates. On an error nothing has changed.
    ///
    /// # Errors
    /// `sdp_invalid`, `codec_unsupported`, `room_full`, `media_unavailable`.
    async fn offer_tracks(
        &self,
        room: &str,
        member: &str,
        role: MemberRole,
        sdp: &str,
        tracks: &[SentTrack],
    ) -> Result<String, MediaError>;
    /// [`Engine::offer_tracks`] of a page that sends one sound and one picture at most.
    ///
    /// # Errors
    /// The same.
    async fn offer(
        &self,
        room: &str,
        member: &str,
        role: MemberRole,
        sdp: &str,
    ) -> Result<String, MediaError> {
        self.offer_tracks(room, member, role, sdp, &[]).await
    }
    /// Takes a member out; its slots become free.
    async fn leave(&self, room: &str, member: &str);
    /// Ends the room and every connection in it.
    async fn close_room(&self, room: &str);
    /// Makes a room live or holds it. A new room is held. Going live asks every publisher for a keyframe at once; liveness outlasts
    /// the members, until [`Engine::close_room`].
    ///
    /// # Errors
    /// `media_unavailable` when the node has no place for a further room.
    async fn set_forwarding(&self, room: &str, on: bool) -> Result<(), MediaError>;
    /// What a member sends; the rest is dropped here even if its page sends it.
    async fn set_media(&self, room: &str, member: &str, sent: SentMedia);
    /// What of all members the room carries: pictures stop on the rung of sound, both on that of text. A room that is not there is
    /// not made.
    async fn set_carried(&self, room: &str, carried: SentMedia);
    /// Changes a member's part: a listener begins to whisper, say.
    async fn set_role(&self, room: &str, member: &str, role: MemberRole);
    /// Begins to record a room: who is there and who comes later, each on a leg of its own, before anything is forwarded. The room
    /// may be empty. [`MediaEvent::Recording`] says when it is proven, interrupted, resumed and stopped; the watch says where it stands,
    /// as often as it is asked.
    ///
    /// # Errors
    /// `recording_running`, `recording_failed`, `media_unavailable`.
    async fn start_recording(
        &self,
        room: &str,
        plan: RecordingPlan,
    ) -> Result<RecordingWatch, MediaError>;
    /// Whose media must be on disk for the recording to be proven, from now on: the session went to another agent.
    async fn require_in_recording(&self, room: &str, members: Vec<String>);
    /// Ends the recording: nothing that arrives later is written, and nothing at all once this returns. The same manifest comes with the
    /// event. `None` if the room was not being recorded, or if the recording's thread was gone.
    ///
    /// # Errors
    /// `recording_failed` if the disk did not confirm the end within a second; the event follows when it does.
    async fn stop_recording(
        &self,
        room: &str,
        reason: Ended,
    ) -> Result<Option<Arc<Manifest>>, MediaError>;
    /// Counters now.
    fn stats(&self) -> EngineStats;
}

/// The engine on this node's ports.
pub struct MediaEngine {
    connector: Arc<dyn Connector>,
    rooms: Mutex<HashMap<String, Arc<Room>>>,
    outbox: Arc<Outbox>,
    counters: Arc<Counters>,
    events: Mutex<Option<mpsc::Receiver<MediaEvent>>>,
    tasks: Vec<JoinHandle<()>>,
    udp: SocketAddr,
    tcp: Option<SocketAddr>,
}

impl MediaEngine {
    /// Binds the ports and starts. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// `media_unavailable`: the port is taken, the address is not ours or not IPv4.
    pub async fn start(config: MediaConfig) -> Result<Arc<Self>, MediaError> {
        if !config.udp_bind.is_ipv4() || config.public_ips.iter().any(|ip| !ip.is_ipv4()) {
            return Err(MediaError::Unavailable("addresses must be IPv4".into()));
        }
        if !config.udp && !config.tcp {
            return Err(MediaError::Unavailable("neither UDP nor TCP is on".into()));
        }
        let counters = Arc::<Counters>::default();
        let mux = Mux::bind(config.udp_bind, counters.clone())?;
        let udp = mux.local_addr()?;
        let mut tasks = vec![tokio::spawn(mux.clone().run())];
        let mut tcp = None;
        if config.tcp {
            // The same number is easier to open in a firewall; another process may hold it though.
            let listener = match TcpListener::bind(udp).await {
                Ok(listener) => listener,
                Err(_) if config.udp_bind.port() == 0 => TcpListener::bind(config.udp_bind).await?,
                Err(error) => return Err(error.into()),
            };
            tcp = Some(listener.local_addr()?);
            tasks.push(tokio::spawn(tcp::run(listener, mux.clone())));
        }

        let ips = if config.public_ips.is_empty() {
            vec![reachable_ip(udp.ip())]
        } else {
            config.public_ips.clone()
        };
        let at = |port: u16| {
            ips.iter()
                .map(|ip| SocketAddr::new(*ip, port))
                .collect::<Vec<_>>()
        };
        let connector = WebRtcConnector {
            mux,
            udp_candidates: if config.udp {
                at(udp.port())
            } else {
                Vec::new()
            },
            tcp_candidates: tcp.map_or_else(Vec::new, |addr| at(addr.port())),
            config,
        };
        let outbox = Arc::<Outbox>::default();
        let (events_tx, events) = mpsc::channel(EVENT_CHANNEL);
        tasks.push(tokio::spawn(outbox.clone().pump(events_tx)));
        tracing::info!(
            udp_port = udp.port(),
            tcp_port = tcp.map(|a| a.port()),
            "media plane is up"
        );
        Ok(Arc::new(Self {
            connector: Arc::new(connector),
            rooms: Mutex::default(),
            outbox,
            counters,
            events: Mutex::new(Some(events)),
            tasks,
            udp,
            tcp,
        }))
    }

    /// The event stream, once; later calls give `None`. Somebody must read it: a backlog refuses new offers.
    pub fn events(&self) -> Option<mpsc::Receiver<MediaEvent>> {
        self.events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// The bound UDP address.
    #[must_use]
    pub fn udp_addr(&self) -> SocketAddr {
        self.udp
    }

    /// The bound ICE-TCP address, if on.
    #[must_use]
    pub fn tcp_addr(&self) -> Option<SocketAddr> {
        self.tcp
    }

    fn room(&self, id: &str) -> Option<Arc<Room>> {
        self.rooms
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
            .cloned()
    }

    /// Does something with a room, made if need be, under the table's lock: no sweep comes between.
    fn with_room<T>(&self, id: &str, act: impl FnOnce(&Arc<Room>) -> T) -> Result<T, MediaError> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        if !rooms.contains_key(id) && rooms.len() >= ROOMS_MAX {
            return Err(MediaError::Unavailable("too many rooms".into()));
        }
        let make = || Room::new(id, self.outbox.clone(), self.counters.clone());
        Ok(act(rooms.entry(id.to_owned()).or_insert_with(make)))
    }

    /// Forgets a room that nobody is in and nobody made live. Under the table's lock, so that nobody joins it meanwhile unseen.
    fn sweep(&self, id: &str) {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        if rooms.get(id).is_some_and(|room| room.close_if_idle()) {
            rooms.remove(id);
        }
    }
}

fn check_id(id: &str) -> Result<(), MediaError> {
    if id.is_empty() || id.len() > ID_BYTES {
        return Err(MediaError::Unavailable(
            "a room or member id of a wrong length".into(),
        ));
    }
    Ok(())
}

/// The address that other machines see when bound to all of them: the one the default route would use. Nothing is sent.
fn reachable_ip(bound: IpAddr) -> IpAddr {
    if !bound.is_unspecified() {
        return bound;
    }
    let probe = || {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?; // TEST-NET-1, RFC 5737
        Some(socket.local_addr().ok()?.ip())
    };
    probe().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

#[async_trait]
impl Engine for MediaEngine {
    async fn offer_tracks(
        &self,
        room: &str,
        member: &str,
        role: MemberRole,
        sdp: &str,
        tracks: &[SentTrack],
    ) -> Result<String, MediaError> {
        check_id(room)?;
        check_id(member)?;
        let offer = Offer::parse(sdp)?.showing(tracks)?;
        if self.outbox.is_full() {
            return Err(MediaError::Unavailable("events are not being read".into()));
        }
        let found = self.with_room(room, Arc::clone)?;
        let result = found
            .offer(member, role, offer, self.connector.as_ref())
            .await;
        if let Err(error) = &result {
            tracing::warn!(room, member, code = error.code(), %error, "offer refused");
            self.sweep(room);
        }
        result
    }

    async fn leave(&self, room: &str, member: &str) {
        if let Some(found) = self.room(room) {
            found.leave(member);
            self.sweep(room);
        }
    }

    async fn close_room(&self, room: &str) {
        let found = self
            .rooms
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(room);
        if let Some(found) = found {
            found.close();
        }
    }

    async fn set_forwarding(&self, room: &str, on: bool) -> Result<(), MediaError> {
        check_id(room)?;
        if on {
            self.with_room(room, |found| found.set_live(true))?;
        } else if let Some(found) = self.room(room) {
            found.set_live(false);
            self.sweep(room);
        }
        Ok(())
    }

    async fn set_media(&self, room: &str, member: &str, sent: SentMedia) {
        if let Some(room) = self.room(room) {
            room.set_media(member, sent);
        }
    }

    async fn set_carried(&self, room: &str, carried: SentMedia) {
        if let Some(room) = self.room(room) {
            room.set_carried(carried);
        }
    }

    async fn set_role(&self, room: &str, member: &str, role: MemberRole) {
        if let Some(room) = self.room(room) {
            room.set_role(member, role);
        }
    }

    async fn start_recording(
        &self,
        room: &str,
        plan: RecordingPlan,
    ) -> Result<RecordingWatch, MediaError> {
        check_id(room)?;
        let result = self.with_room(room, |found| found.start_recording(plan))?;
        if result.is_err() {
            self.sweep(room);
        }
        result
    }

    async fn require_in_recording(&self, room: &str, members: Vec<String>) {
        if let Some(room) = self.room(room) {
            room.require_in_recording(members);
        }
    }

    async fn stop_recording(
        &self,
        room: &str,
        reason: Ended,
    ) -> Result<Option<Arc<Manifest>>, MediaError> {
        let Some(found) = self.room(room) else {
            return Ok(None);
        };
        let result = found.stop_recording(reason).await;
        self.sweep(room);
        result
    }

    fn stats(&self) -> EngineStats {
        let rooms: Vec<_> = self
            .rooms
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect();
        let mut stats = self.counters.snapshot();
        stats.rooms = rooms.len() as u64;
        stats.events_waiting = self.outbox.len() as u64;
        for (members, connected) in rooms.iter().map(|r| r.count()) {
            stats.members += members;
            stats.connected += connected;
        }
        stats
    }
}

impl Drop for MediaEngine {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
