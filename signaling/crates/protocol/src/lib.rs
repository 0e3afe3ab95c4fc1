//! Every message on the wire between the server, the pages and the booth host: shapes only, no behaviour but the
//! signature of a card read, which both ends must compute alike.
//!
//! Ids are prefixed text (`tkt_…`), times RFC 3339 UTC, files bytes. Requests refuse unknown fields; replies may grow.

mod admin;
mod appointment;
mod auth;
mod callback;
mod case;
mod catalogue;
mod common;
mod desk_rules;
mod device;
mod form;
mod invite;
mod media;
mod quality;
mod recording;
mod session;
mod supervision;
mod ticket;
mod wallboard;
mod ws;

pub use admin::*;
pub use appointment::*;
pub use auth::*;
pub use callback::*;
pub use case::*;
pub use catalogue::*;
pub use common::*;
pub use desk_rules::*;
pub use device::*;
pub use form::*;
pub use invite::*;
pub use media::*;
pub use quality::*;
pub use recording::*;
pub use session::*;
pub use supervision::*;
pub use ticket::*;
pub use wallboard::*;
pub use ws::*;

/// The one version of the signaling protocol so far; `hello` lists what a client speaks.
pub const PROTOCOL_VERSION: u32 = 1;
/// WebSocket subprotocol; the single-use ticket travels as a second one, `ticket.<secret>`, so that it stays out of URLs.
pub const SUBPROTOCOL: &str = "cloud-booth.v1";
