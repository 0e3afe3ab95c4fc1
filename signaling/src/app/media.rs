//! Sound and picture of a session: which node holds the room, who may offer into it, and what its events mean.
//!
//! A room is a ticket's: the citizen's transport may warm up while waiting and the rung seat's while ringing; nothing is
//! forwarded before the accept. Within a room a member is named by the caller's id (visit or staff).

mod record;

use super::{App, call_flow, invites, netcheck, quality, token::Principal};
use crate::{
    cluster::Live,
    problem::{AppError, no},
};
use domain::{
    error::Rejected,
    id::{Id as _, RecordingId, SessionId, TicketId},
    invite::Member as Part,
    limits, pairing as pairing_rule,
    session::State,
    supervision::Mode,
    ticket as ticket_rule,
    time::Span,
};
use media::{Engine as _, MediaEngine, MediaEvent, MemberRole, SentTrack, Source, record::Ended};
use protocol::{CommandReply, EventBody, MediaLine, MediaSource, SlotView};
use serde::{Deserialize, Serialize};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use store::{Tx, lease, node, pairing, session, ticket};
use tokio::sync::mpsc;

/// A room stays with its node while this is renewed.
const LEASE: Span = Span::seconds(15);

/// The media plane as the use cases see it.
#[derive(Default)]
pub struct MediaPlane {
    engine: Option<Arc<MediaEngine>>,
    /// One at a time: what is older never comes last.
    shaping: tokio::sync::Mutex<()>,
    /// Newest slots of (room, member), for those who join later.
    slots: Mutex<HashMap<String, HashMap<String, Vec<media::Slot>>>>,
    /// (Room, member) whose page has not offered again yet although the room's codec changed.
    stale: Mutex<HashSet<(String, String)>>,
    recorded: record::Recorded,
    /// Calls to the other nodes, with the cluster key.
    peers: Option<(reqwest::Client, String)>,
}

/// What one node asks of another.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NodeCommand {
    Offer {
        room: String,
        member: String,
        role: MemberRole,
        sdp: String,
        #[serde(default)]
        tracks: Vec<SentTrack>,
    },
    Live {
        room: String,
    },
    /// Parts, hold and rung of the ladder have changed.
    Shape {
        room: String,
    },
    Close {
        room: String,
    },
    Announce {
        room: String,
    },
    Sent {
        room: String,
        member: String,
        mic: bool,
        camera: bool,
    },
    RecordStart {
        room: String,
        recording: RecordingId,
    },
    RecordStop {
        room: String,
        recording: RecordingId,
        reason: Ended,
    },
}

/// Its answer.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct NodeReply {
    pub sdp: Option<String>,
    pub error: Option<String>,
    /// What of the request is to blame: a code of its own at the offer.
    #[serde(default)]
    pub reason: Option<String>,
}

impl NodeReply {
    #[must_use]
    pub fn refused(e: &AppError) -> Self {
        let reason = match e {
            AppError::Rejected { fields, .. } => fields.first().map(|f| f.code.to_owned()),
            AppError::Store(_) => None,
        };
        Self {
            sdp: None,
            error: Some(e.code().to_owned()),
            reason,
        }
    }
}

/// A refusal that says more of its reason: `errors` of the problem points to the offer.
fn because(code: &'static str, reason: &'static str) -> AppError {
    no(code).with_fields(vec![Rejected::at(reason, "/sdp")])
}

fn lock<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn refused(e: &media::MediaError) -> AppError {
    tracing::info!(code = e.code(), "media offer refused");
    match e {
        media::MediaError::SdpInvalid(_) => no("sdp_invalid"),
        media::MediaError::CodecUnsupported(_) => no("codec_unsupported"),
        media::MediaError::CodecNeeded(media::record::Codec::H264) => {
            because("codec_unsupported", "codec_needs_h264")
        }
        media::MediaError::CodecNeeded(_) => because("codec_unsupported", "codec_needs_vp8"),
        media::MediaError::RoomFull => no("room_full"),
        media::MediaError::Unavailable(_) => no("media_unavailable"),
        media::MediaError::RecordingRunning => no("recording_open"),
        media::MediaError::RecordingFailed(_) => no("recording_failed"),
    }
}

impl MediaPlane {
    #[must_use]
    pub fn new(engine: Option<Arc<MediaEngine>>, peers: Option<(reqwest::Client, String)>) -> Self {
        Self {
            engine,
            shaping: tokio::sync::Mutex::default(),
            slots: Mutex::default(),
            stale: Mutex::default(),
            recorded: record::Recorded::default(),
            peers,
        }
    }

    #[must_use]
    pub fn engine(&self) -> Option<&Arc<MediaEngine>> {
        self.engine.as_ref()
    }

    /// Checks a call from another node.
    #[must_use]
    pub fn is_peer(&self, key: &str) -> bool {
        self.peers
            .as_ref()
            .is_some_and(|(_, k)| super::vault::same(k.as_bytes(), key.as_bytes()))
    }

    /// Does it here, or on the node that holds the room.
    async fn ask(
        &self,
        app: &App,
        command: NodeCommand,
        take: bool,
    ) -> Result<Option<String>, AppError> {
        let room = match &command {
            NodeCommand::Offer { room, .. }
            | NodeCommand::Live { room }
            | NodeCommand::Shape { room }
            | NodeCommand::Close { room }
            | NodeCommand::Announce { room }
            | NodeCommand::Sent { room, .. }
            | NodeCommand::RecordStart { room, .. }
            | NodeCommand::RecordStop { room, .. } => room.clone(),
        };
        let (name, me) = (format!("room:{room}"), app.bus.node().to_owned());
        let holder = app
            .write("server", move |tx, w| {
                let (name, me) = (name.clone(), me.clone());
                Box::pin(async move {
                    if take && let Some(l) = lease::take(tx, &name, &me, w.now, LEASE).await? {
                        return Ok(Some((l.holder, None)));
                    }
                    let Some(l) = lease::get(tx, &name)
                        .await?
                        .filter(|l| l.expires_at > w.now)
                    else {
                        return Ok(None);
                    };
                    let n = node::get(tx, &l.holder).await?;
                    if take && n.is_none() {
                        // The holder has left the cluster: nobody will renew or answer.
                        lease::release(tx, &name, &l.holder).await?;
                        if let Some(l) = lease::take(tx, &name, &me, w.now, LEASE).await? {
                            return Ok(Some((l.holder, None)));
                        }
                    }
                    Ok(Some((l.holder, n)))
                })
            })
            .await?;
        match holder {
            None => Ok(None),
            Some((h, _)) if h == app.bus.node() => self.here(app, command).await,
            Some((_, Some(n))) => self.there(&n.internal_url, &command).await,
            Some((_, None)) => Err(no("media_unavailable")),
        }
    }

    async fn there(&self, url: &str, command: &NodeCommand) -> Result<Option<String>, AppError> {
        let (client, key) = self.peers.as_ref().ok_or_else(|| no("media_unavailable"))?;
        let r = client
            .post(format!("{url}/internal/v1/media"))
            .header("x-cluster-key", key)
            .json(command)
            .send()
            .await;
        let reply: NodeReply = r
            .map_err(|_| no("media_unavailable"))?
            .json()
            .await
            .map_err(|_| no("media_unavailable"))?;
        match reply.error {
            Some(code) => {
                let code = crate::problem::kind_of(&code).code;
                Err(match reply.reason {
                    Some(reason) => because(code, crate::problem::kind_of(&reason).code),
                    None => no(code),
                })
            }
            None => Ok(reply.sdp),
        }
    }

    /// On the node that holds the room.
    pub async fn here(&self, app: &App, command: NodeCommand) -> Result<Option<String>, AppError> {
        let engine = self
            .engine
            .as_ref()
            .ok_or_else(|| no("media_unavailable"))?;
        match command {
            NodeCommand::Offer {
                room,
                member,
                role,
                sdp,
                tracks,
            } => {
                let answer = engine
                    .offer_tracks(&room, &member, role, &sdp, &tracks)
                    .await
                    .map_err(|e| refused(&e))?;
                lock(&self.stale).remove(&(room, member));
                Ok(Some(answer))
            }
            NodeCommand::Live { room } => {
                // First who hears whom, then that anything is heard.
                self.shape_here(app, engine, &room).await?;
                engine
                    .set_forwarding(&room, true)
                    .await
                    .map(|()| None)
                    .map_err(|e| refused(&e))
            }
            NodeCommand::Shape { room } => {
                self.shape_here(app, engine, &room).await?;
                Ok(None)
            }
            NodeCommand::RecordStart { room, recording } => {
                self.record_here(app, engine, &room, &recording).await?;
                Ok(None)
            }
            NodeCommand::RecordStop {
                room,
                recording,
                reason,
            } => {
                self.record_stop_here(app, engine, &room, Some(&recording), reason)
                    .await?;
                Ok(None)
            }
            NodeCommand::Close { room } => {
                self.record_close(app, engine, &room, Ended::Finished).await;
                engine.close_room(&room).await;
                lock(&self.slots).remove(&room);
                lock(&self.stale).retain(|(r, _)| *r != room);
                let (name, me) = (format!("room:{room}"), app.bus.node().to_owned());
                app.write("server", move |tx, _| {
                    let (name, me) = (name.clone(), me.clone());
                    Box::pin(async move { Ok(lease::release(tx, &name, &me).await?) })
                })
                .await?;
                Ok(None)
            }
            NodeCommand::Sent {
                room,
                member,
                mic,
                camera,
            } => {
                engine
                    .set_media(&room, &member, media::SentMedia { mic, camera })
                    .await;
                Ok(None)
            }
            NodeCommand::Announce { room } => {
                let known: Vec<_> = lock(&self.slots)
                    .get(&room)
                    .map(|m| m.iter().map(|(k, v)| (k.clone(), v.clone())).collect())
                    .unwrap_or_default();
                for (member, slots) in known {
                    announce(app, &room, &member, &slots).await?;
                }
                let stale = lock(&self.stale).clone();
                for (_, member) in stale.into_iter().filter(|(r, _)| *r == room) {
                    renegotiate(app, &room, &member).await?;
                }
                Ok(None)
            }
        }
    }

    /// Mute and camera off hold at the server too.
    pub async fn sent(
        &self,
        app: &App,
        session: &SessionId,
        member: &str,
        mic: bool,
        camera: bool,
    ) {
        let id = session.clone();
        let ticket = app
            .read(|tx| {
                Box::pin(async move { Ok(session::get(tx, &id).await?.map(|s| s.ticket_id)) })
            })
            .await;
        let Ok(Some(t)) = ticket else { return };
        let command = NodeCommand::Sent {
            room: t.to_string(),
            member: member.to_owned(),
            mic,
            camera,
        };
        if let Err(e) = self.ask(app, command, false).await {
            tracing::warn!(error = %e, "a mute did not reach the media room");
        }
    }

    /// Brings the room in line with the rows: who left, who hears whom, what the call carries.
    async fn shape_here(
        &self,
        app: &App,
        engine: &Arc<MediaEngine>,
        room: &str,
    ) -> Result<(), AppError> {
        let Some(id) = TicketId::parse(room) else {
            return Ok(());
        };
        let _shaping = self.shaping.lock().await;
        let found = app
            .read(|tx| {
                Box::pin(async move {
                    let Some(s) = session::by_ticket(tx, &id).await? else {
                        return Ok(None);
                    };
                    let hold = invites::on_hold(tx, &s).await?;
                    let mut members = vec![];
                    for m in session::members(tx, &s.id).await? {
                        let role = role_in(tx, &s, &m, hold).await?;
                        members.push((m, role));
                    }
                    Ok(Some((s, members)))
                })
            })
            .await?;
        let Some((s, members)) = found else {
            return Ok(());
        };
        if s.state == State::Ended {
            // Over without a word to the media plane: a citizen who left on the way to another seat.
            self.record_close(app, engine, room, Ended::Finished).await;
            engine.close_room(room).await;
            return Ok(());
        }
        let carried = media::SentMedia {
            mic: s.ladder.mode.has_audio(),
            camera: s.ladder.mode.has_video(),
        };
        engine.set_carried(room, carried).await;
        let all: Vec<_> = members.iter().map(|(m, _)| m.clone()).collect();
        engine
            .require_in_recording(room, super::recording::required(&all))
            .await;
        for (m, role) in members {
            let name = room_name(&m);
            if m.is_out() {
                engine.leave(room, &name).await;
            } else {
                engine.set_role(room, &name, role).await;
            }
        }
        Ok(())
    }

    /// Parts, hold or mode of a session have changed.
    pub async fn shape(&self, app: &App, session: &SessionId) {
        let id = session.clone();
        let ticket = app
            .read(|tx| {
                Box::pin(async move { Ok(session::get(tx, &id).await?.map(|s| s.ticket_id)) })
            })
            .await;
        let Ok(Some(t)) = ticket else { return };
        let command = NodeCommand::Shape {
            room: t.to_string(),
        };
        if let Err(e) = self.ask(app, command, false).await {
            tracing::warn!(error = %e, "a change of parts did not reach the media room");
        }
    }

    /// The accept: forwarding begins.
    pub async fn live(&self, app: &App, ticket: &TicketId) {
        if let Err(e) = self
            .ask(
                app,
                NodeCommand::Live {
                    room: ticket.to_string(),
                },
                true,
            )
            .await
        {
            tracing::warn!(error = %e, "the room could not be made live; the first offer will");
        }
    }

    /// Repeats who is on which slot to those who watch now.
    pub async fn announce(&self, app: &App, room: &str) {
        if let Err(e) = self
            .ask(
                app,
                NodeCommand::Announce {
                    room: room.to_owned(),
                },
                false,
            )
            .await
        {
            tracing::warn!(error = %e, "slots could not be repeated");
        }
    }

    /// After the session's end.
    pub async fn close(&self, app: &App, session: &SessionId) {
        let id = session.clone();
        let ticket = app
            .read(|tx| {
                Box::pin(async move { Ok(session::get(tx, &id).await?.map(|s| s.ticket_id)) })
            })
            .await;
        if let Ok(Some(t)) = ticket
            && let Err(e) = self
                .ask(
                    app,
                    NodeCommand::Close {
                        room: t.to_string(),
                    },
                    false,
                )
                .await
        {
            tracing::warn!(error = %e, "a media room was not closed; it ends with its members");
        }
    }

    /// At the server's stop: the rooms here end, and another node may open them at once.
    pub async fn stop(&self, app: &App) {
        if let Some(engine) = &self.engine {
            // All at once: each may take its second.
            let recorded = self.recorded.rooms();
            let ends = recorded
                .iter()
                .map(|room| self.record_close(app, engine, room, Ended::Closed));
            futures::future::join_all(ends).await;
        }
        let rooms: Vec<String> = lock(&self.slots).keys().cloned().collect();
        for room in rooms {
            if let Err(e) = self.here(app, NodeCommand::Close { room }).await {
                tracing::warn!(error = %e, "a media room was not closed at the stop");
            }
        }
    }

    /// Renews the leases of the rooms on this node.
    pub async fn renew(&self, app: &App) -> Result<(), AppError> {
        let rooms: Vec<String> = lock(&self.slots).keys().cloned().collect();
        if rooms.is_empty() {
            return Ok(());
        }
        let me = app.bus.node().to_owned();
        app.write("server", move |tx, w| {
            let (rooms, me) = (rooms.clone(), me.clone());
            Box::pin(async move {
                for r in &rooms {
                    lease::take(tx, &format!("room:{r}"), &me, w.now, LEASE).await?;
                }
                Ok(())
            })
        })
        .await
    }
}

/// A member's name in the room.
pub(super) fn room_name(m: &session::Member) -> String {
    m.visit_id
        .as_ref()
        .map(ToString::to_string)
        .or_else(|| m.staff_id.as_ref().map(ToString::to_string))
        .unwrap_or_else(|| m.id.to_string())
}

/// Their part in the room now.
const fn role_of(m: &session::Member, hold: bool) -> MemberRole {
    match m.part {
        Part::Agent => MemberRole::Agent,
        Part::Consulted => MemberRole::Consulted,
        // A private talk is of those who are asked into it.
        Part::Supervisor if hold => MemberRole::Aside,
        Part::Supervisor => MemberRole::Listener,
        Part::Citizen | Part::Colleague | Part::Interpreter | Part::Guest if hold => {
            MemberRole::Held
        }
        Part::Citizen => MemberRole::Citizen,
        Part::Colleague => MemberRole::Colleague,
        Part::Interpreter | Part::Guest => MemberRole::Guest,
    }
}

/// The same for those whose part does not say it: a supervisor is heard by the agents while they whisper.
async fn role_in(
    tx: &mut Tx,
    s: &session::Session,
    m: &session::Member,
    hold: bool,
) -> Result<MemberRole, AppError> {
    let role = role_of(m, hold);
    if role != MemberRole::Listener || m.is_out() {
        return Ok(role);
    }
    let live = store::supervision::live(tx, &s.id).await?;
    let whispers = live.is_some_and(|v| v.member_id == m.id && v.mode == Mode::Whisper);
    Ok(if whispers { MemberRole::Whisper } else { role })
}

/// Who the caller is in a ticket's room, if anyone.
async fn entitled(
    tx: &mut Tx,
    who: &Principal,
    id: &TicketId,
) -> Result<(MemberRole, bool), AppError> {
    let t = ticket::get(tx, id).await?.ok_or_else(|| no("not_found"))?;
    if let Some(s) = session::by_ticket(tx, id).await? {
        if s.state == State::Ended {
            return Err(no("room_closed"));
        }
        // The seat that is rung for a session on its way is no member yet, and warms up like any other.
        let rung = s.parked && matches!(who, Principal::Staff { .. });
        if !rung {
            let (s, _, me) = call_flow::membership(tx, who, &s.id).await?;
            let hold = invites::on_hold(tx, &s).await?;
            return Ok((role_in(tx, &s, &me, hold).await?, true));
        }
    }
    let queued = matches!(
        t.state,
        ticket_rule::State::Waiting | ticket_rule::State::Offered
    );
    match who {
        Principal::Citizen { visit } if t.visit_id == *visit && queued => {
            Ok((MemberRole::Citizen, false))
        }
        Principal::Staff { id: me, .. } => {
            let p = pairing::live_of_ticket(tx, id)
                .await?
                .filter(|p| p.state == pairing_rule::State::Offered)
                .ok_or_else(|| no("not_found"))?;
            let seat = store::seat::get(tx, &p.seat_id).await?;
            if seat.is_some_and(|s| s.staff_id.as_ref() == Some(me)) {
                Ok((MemberRole::Agent, false))
            } else {
                Err(no("not_found"))
            }
        }
        _ => Err(no("not_found")),
    }
}

fn sent(line: MediaLine) -> SentTrack {
    SentTrack {
        mid: line.mid,
        source: match line.source {
            MediaSource::Camera => Source::Camera,
            MediaSource::Document => Source::Document,
            MediaSource::Screen => Source::Screen,
        },
    }
}

/// One round trip: the answer holds all candidates.
pub async fn offer(
    app: &App,
    who: &Principal,
    room: TicketId,
    sdp: String,
    sources: Vec<MediaLine>,
) -> Result<CommandReply, AppError> {
    if sdp.len() > limits::WS_MESSAGE_BYTES / 2 {
        return Err(no("too_large"));
    }
    let (w, r) = (who.clone(), room.clone());
    let (role, live) = app
        .read(|tx| Box::pin(async move { entitled(tx, &w, &r).await }))
        .await?;
    let command = NodeCommand::Offer {
        room: room.to_string(),
        member: who.name().to_owned(),
        role,
        sdp,
        tracks: sources.into_iter().map(sent).collect(),
    };
    let answer = app
        .media
        .ask(app, command, true)
        .await?
        .ok_or_else(|| no("media_unavailable"))?;
    if live {
        app.media.live(app, &room).await;
    }
    Ok(CommandReply::MediaAnswer { sdp: answer })
}

/// The session of a room and its members by the name that they have in the room.
async fn members_of(
    app: &App,
    room: &str,
) -> Result<Option<(session::Session, HashMap<String, String>)>, AppError> {
    let Some(id) = TicketId::parse(room) else {
        return Ok(None);
    };
    app.read(|tx| {
        Box::pin(async move {
            let Some(s) = session::by_ticket(tx, &id).await? else {
                return Ok(None);
            };
            let names = session::members(tx, &s.id)
                .await?
                .into_iter()
                .map(|m| (room_name(&m), m.id.to_string()))
                .collect();
            Ok(Some((s, names)))
        })
    })
    .await
}

async fn announce(
    app: &App,
    room: &str,
    member: &str,
    slots: &[media::Slot],
) -> Result<(), AppError> {
    let Some((s, names)) = members_of(app, room).await? else {
        return Ok(());
    };
    let Some(to) = names.get(member) else {
        return Ok(());
    };
    let slots = slots
        .iter()
        .filter_map(|x| {
            let media = if x.kind == media::Kind::Audio {
                "audio"
            } else {
                "video"
            };
            Some(SlotView {
                mid: x.mid.clone(),
                member: names.get(&x.member)?.clone(),
                media: media.into(),
                source: x.source.as_str().into(),
                paused: x.paused,
            })
        })
        .collect();
    app.bus
        .live(Live::Slots {
            session: s.id.to_string(),
            member: to.clone(),
            slots,
        })
        .await;
    Ok(())
}

/// Asks a member's page to offer again, if there is a session to ask in; whoever joins later is asked then.
async fn renegotiate(app: &App, room: &str, member: &str) -> Result<(), AppError> {
    if let Some((s, names)) = members_of(app, room).await?
        && let Some(to) = names.get(member)
    {
        app.bus
            .live(Live::Renegotiate {
                session: s.id.to_string(),
                member: to.clone(),
            })
            .await;
    }
    Ok(())
}

async fn on_event(app: &App, quality: &quality::Intake, e: MediaEvent) -> Result<(), AppError> {
    match e {
        // A check has no lease to keep and nobody to tell.
        MediaEvent::Slots { room, .. }
        | MediaEvent::Connected { room, .. }
        | MediaEvent::Quiet { room, .. }
        | MediaEvent::Heard { room, .. }
            if netcheck::owns(&room) =>
        {
            Ok(())
        }
        MediaEvent::Disconnected { room, .. } if netcheck::owns(&room) => {
            netcheck::left(app, &room).await;
            Ok(())
        }
        MediaEvent::Slots {
            room,
            member,
            slots,
        } => {
            lock(&app.media.slots)
                .entry(room.clone())
                .or_default()
                .insert(member.clone(), slots.clone());
            announce(app, &room, &member, &slots).await
        }
        MediaEvent::Renegotiate { room, member } => {
            lock(&app.media.stale).insert((room.clone(), member.clone()));
            renegotiate(app, &room, &member).await
        }
        MediaEvent::Connected { room, member } => {
            lock(&app.media.slots).entry(room.clone()).or_default();
            quality.back(room.clone(), member.clone());
            note(app, &room, &member, |m| EventBody::MediaConnected {
                member: m,
            })
            .await
        }
        MediaEvent::Quiet { room, member } => {
            quality.ended(room, member);
            Ok(())
        }
        MediaEvent::Heard { room, member } => {
            quality.back(room, member);
            Ok(())
        }
        MediaEvent::Disconnected {
            room,
            member,
            reason,
        } => {
            tracing::info!(room, ?reason, "a member's media ended");
            // Another page took over: its own line is measured.
            if reason != media::EndReason::Replaced {
                quality.ended(room.clone(), member.clone());
            }
            note(app, &room, &member, |m| EventBody::MediaLost { member: m }).await
        }
        MediaEvent::Quality {
            room,
            member,
            loss_pct,
            jitter_ms,
            rtt_ms,
        } => {
            quality.measured(room, member, loss_pct, jitter_ms, rtt_ms);
            Ok(())
        }
        MediaEvent::Recording {
            room,
            recording,
            at_ms,
            event,
        } => record::on_event(app, &room, &recording, at_ms, event).await,
    }
}

/// Notes a change of a member's media in the journal of a live session.
async fn note(
    app: &App,
    room: &str,
    member: &str,
    body: impl Fn(String) -> EventBody,
) -> Result<(), AppError> {
    let Some((s, names)) = members_of(app, room).await? else {
        return Ok(());
    };
    let Some(m) = names.get(member).filter(|_| s.state != State::Ended) else {
        return Ok(());
    };
    let (id, of, body) = (s.id, m.clone(), body(m.clone()));
    app.write("server", move |tx, w| {
        let (id, of, body) = (id.clone(), of.clone(), body.clone());
        Box::pin(async move {
            store::dialect::lock_session(tx, &id).await?;
            let Some(s) = session::get(tx, &id)
                .await?
                .filter(|s| s.state != State::Ended)
            else {
                return Ok(());
            };
            // Who left needs no word about their line.
            let gone = session::members(tx, &id)
                .await?
                .iter()
                .any(|m| m.left_at.is_some() && m.id.as_str() == of);
            if !gone {
                call_flow::journal(tx, w, &s, None, &body).await?;
            }
            Ok(())
        })
    })
    .await
}

/// Carries the engine's events to the people, until the engine stops.
pub fn listen(app: App, mut events: mpsc::Receiver<MediaEvent>) -> tokio::task::JoinHandle<()> {
    let quality = quality::Intake::open(&app);
    tokio::spawn(async move {
        while let Some(e) = events.recv().await {
            if let Err(e) = on_event(&app, &quality, e).await {
                tracing::warn!(error = %e, "a media event was not kept");
            }
        }
    })
}
