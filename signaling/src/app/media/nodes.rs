//! The node that holds a room does what is asked of it: a lease says which one it is, the cluster key who may ask.

use super::{LEASE, MediaPlane, lock};
use crate::{
    app::App,
    app::media::events::{announce, renegotiate},
    problem::{AppError, no},
};
use domain::{error::Rejected, id::RecordingId};
use media::{Engine as _, MemberRole, SentTrack, record::Ended};
use serde::{Deserialize, Serialize};
use store::{lease, node};

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

pub(in crate::app) fn refused(e: &media::MediaError) -> AppError {
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
    /// Does it here, or on the node that holds the room.
    pub(super) async fn ask(
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

    pub(super) async fn there(
        &self,
        url: &str,
        command: &NodeCommand,
    ) -> Result<Option<String>, AppError> {
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
}
