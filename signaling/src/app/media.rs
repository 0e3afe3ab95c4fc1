//! Sound and picture of a session: which node holds the room, who may offer into it, and what its events mean.
//!
//! A room is a ticket's: the citizen's transport may warm up while waiting and the rung seat's while ringing; nothing is
//! forwarded before the accept. Within a room a member is named by the caller's id (visit or staff).
//!
//! `media/nodes.rs` does it here or on the node that holds the room; `parts.rs` who may be in a room, and as what;
//! `events.rs` what the engine tells; `record.rs` the bytes of a recording.

mod events;
mod nodes;
mod parts;
mod record;

pub use events::listen;
pub(super) use nodes::refused;
pub use nodes::{NodeCommand, NodeReply};
pub(super) use parts::room_name;
pub(super) use record::Here;

use super::{App, token::Principal};
use crate::problem::{AppError, no};
use domain::{
    id::{SessionId, TicketId},
    limits,
    time::Span,
};
use media::{MediaEngine, SentTrack, Source, record::Ended};
use parts::entitled;
use protocol::{CommandReply, MediaLine, MediaSource};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use store::{lease, session};

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

fn lock<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Mute and camera off hold at the server too.
    pub async fn sent(
        &self,
        app: &App,
        session: &SessionId,
        member: &str,
        mic: bool,
        camera: bool,
    ) {
        let Some(room) = room_of(app, session).await else {
            return;
        };
        let command = NodeCommand::Sent {
            room,
            member: member.to_owned(),
            mic,
            camera,
        };
        if let Err(e) = self.ask(app, command, false).await {
            tracing::warn!(error = %e, "a mute did not reach the media room");
        }
    }

    /// Parts, hold or mode of a session have changed.
    pub async fn shape(&self, app: &App, session: &SessionId) {
        let Some(room) = room_of(app, session).await else {
            return;
        };
        let command = NodeCommand::Shape { room };
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
        let Some(room) = room_of(app, session).await else {
            return;
        };
        if let Err(e) = self.ask(app, NodeCommand::Close { room }, false).await {
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

/// The room of a session's ticket.
async fn room_of(app: &App, session: &SessionId) -> Option<String> {
    let id = session.clone();
    let found = app
        .read(|tx| Box::pin(async move { Ok(session::get(tx, &id).await?) }))
        .await;
    match found {
        Ok(s) => s.map(|s| s.ticket_id.to_string()),
        Err(e) => {
            tracing::warn!(error = %e, "the room of a session was not found");
            None
        }
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

/// One round trip: the answer holds all candidates. Codes: `slow_down`, `too_large`, `not_found`, `sdp_invalid`, `codec_unsupported`,
/// `room_full`, `media_unavailable`.
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
    // Each costs the node that holds the room keys, a certificate and the reading of a long text.
    app.reach
        .rates
        .take("offer", who.name(), limits::OFFERS_PER_MIN, app.now())?;
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
