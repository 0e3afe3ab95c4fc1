//! # media: the WebRTC plane of the counter
//!
//! Owns: one UDP port (and one TCP port beside it, RFC 4571 framing) for every connection, the peer connections behind it,
//! rooms with their members, the rules by which one member's packets reach another, and their recording.
//! Never: opens a database, knows tickets, cases or people (a member is an opaque id), transcodes, or lets a packet of a room
//! that is not live reach anyone.
//!
//! ## How a call runs
//! 1. [`MediaEngine::start`] binds the ports; [`MediaEngine::events`] gives the one event stream.
//! 2. A member's page makes one offer: one line of sound and up to three of pictures to send on ([`SentTrack`] says which is the camera, the
//!    document camera, the screen), then lines to receive on. [`Engine::offer_tracks`] returns the answer with all candidates (ICE-lite,
//!    no trickle, RFC 8445): one round trip.
//! 3. Every m-line on which the page receives is a *slot*. [`MediaEvent::Slots`] says which mid carries which member; slots change
//!    without renegotiation and a member keeps its slot while it is away.
//! 4. A room starts *held*: transports may connect and warm up, nothing is forwarded. [`Engine::set_forwarding`] makes it live and
//!    asks every publisher for a keyframe at once.
//! 5. A new offer of the same peer connection renegotiates it (ICE restart, a picture more or less); of another one, it replaces the
//!    member's connection. A room has one video codec: when it changes, [`MediaEvent::Renegotiate`] says whose page is to offer again.
//! 6. A member's end is always noticed: DTLS close_notify, a failed connection, or silence ([`MediaConfig::silence`]). Long before that the
//!    silence itself is told ([`MediaEvent::Quiet`]), so that nobody takes a picture that stands still for a live one.
//! 7. [`Engine::start_recording`] writes each member's media to a [`record::SegmentSink`] before it is forwarded; [`MediaEvent::Recording`] says
//!    when that is proven, interrupted and stopped. What nobody may hear is not recorded.
//!
//! 8. What a page's network takes is measured from its reports and shared out: sound first, then the main picture. Who sends a picture is
//!    told the most that anybody can take of it; [`Slot::paused`] says that a picture rests.
//!
//! ## Where to look
//! [`forward`] who gets what and how a packet is rewritten · `lane` what one member sends · `codec` what a room agrees on · `formats`
//! payload types in SDP · `picture` where a stretch begins · `room` members, `slots` who is where · `publish` the packet path · `keyframe` PLI coalescing · `leg` the small
//! trait behind which the WebRTC library hides · `peer`, `watcher` that library · `rtx`, `history`, `repeats` what is sent again · `sent`, `trend`, `loss`,
//! `estimate` what a page's network takes · `budget`, `room/allot` who gets how much of it · `gate`, `layers` what of a stream goes on · `cap` what its
//! sender is told · `egress`, `protect`, `once` the way out · `mux`, `tcp`, `runtime` the shared ports, `port` one connection's end of them,
//! `stun` who may come in there, `moved` whose address changed · `sdp` what an
//! offer must be · [`record`] what is written to disk · [`config`] every limit.
//!
//! ## 中文
//! 媒体面：单一 UDP 端口（另有 ICE-TCP 备用），房间、成员与转发规则。不访问数据库，不转码，成员只是不透明的编号。
//! 房间先"保持"后"接通"：接通之前，任何一方的音视频都不会被转发。

pub mod config;
pub mod engine;
pub mod error;
pub mod event;
pub mod forward;
pub mod record;

mod budget;
mod cap;
mod clock;
mod codec;
mod counters;
mod egress;
mod estimate;
mod formats;
mod gate;
mod history;
mod incoming;
#[cfg(feature = "inside")]
#[doc(hidden)]
pub mod inside;
mod keyframe;
mod keys;
mod lane;
mod layers;
mod leg;
mod loss;
mod moved;
mod mux;
mod negotiated;
mod once;
mod peer;
mod picture;
mod port;
mod protect;
mod publish;
mod repeats;
mod room;
#[cfg(test)]
mod room_tests;
mod rtx;
mod runtime;
mod sdp;
mod seen;
mod sent;
mod sink;
mod slots;
mod stun;
mod tap;
mod tcp;
mod trend;
mod watcher;

pub use config::MediaConfig;
pub use counters::EngineStats;
pub use engine::{Engine, MediaEngine};
pub use error::MediaError;
pub use event::{EndReason, Kind, MediaEvent, RecordingEvent, SentMedia, Slot, Source};
pub use forward::{MemberRole, forwards};
pub use lane::SentTrack;
