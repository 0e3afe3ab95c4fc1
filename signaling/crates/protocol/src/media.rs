//! How a page reaches the media port: relay credentials, what its lines show, and the check before a call.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One entry of `RTCConfiguration.iceServers` (W3C WebRTC §4.2.4).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IceServer {
    /// `stun:host:3478`, `turn:host:3478?transport=udp`, `turns:host:443?transport=tcp` (RFC 7064, RFC 7065).
    pub urls: Vec<String>,
    /// `<expiry>:<opaque>`, seconds since 1970; null for STUN.
    pub username: Option<String>,
    /// base64(HMAC-SHA1(secret, username)); null for STUN.
    pub credential: Option<String>,
}

/// A credential is as good as a password while it lasts.
impl std::fmt::Debug for IceServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "IceServer {{ urls: {:?}, .. }}", self.urls)
    }
}

/// What a page puts into its peer connections until `expires_at`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IceServers {
    /// Empty where no relay and no STUN server is configured.
    pub ice_servers: Vec<IceServer>,
    /// RFC 3339. A running allocation goes on after it; a new one needs new credentials.
    pub expires_at: String,
    /// The same as seconds from now: clocks of phones are wrong.
    pub ttl_s: i64,
}

/// An offer into a room of one, where nothing is forwarded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckOffer {
    /// Audio alone is enough.
    pub sdp: String,
}

/// The answer with all candidates; the page keeps those of the way that it tries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckAnswer {
    pub sdp: String,
    /// RFC 3339: the server closes the room then.
    pub expires_at: String,
}

/// What a line of pictures shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MediaSource {
    /// The person.
    Camera,
    /// What lies under a second camera 高拍仪.
    Document,
    /// A screen or a window that is shared 共享屏幕.
    Screen,
}

/// One m-line of an offer on which pictures are sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MediaLine {
    /// `a=mid` of the line (RFC 5888).
    pub mid: String,
    pub source: MediaSource,
}
