//! What can go wrong on the way in, with codes that never change.
//!
//! The text is for logs: it never repeats the offer, which holds addresses of the citizen's network.

use crate::record::Codec;
use thiserror::Error;

/// Why an offer or command was refused. Nothing has changed when one is returned.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MediaError {
    /// Not an offer that this server can answer: malformed, oversize, no DTLS fingerprint, no ICE credentials, not bundled.
    #[error("the offer cannot be used: {0}")]
    SdpInvalid(&'static str),
    /// An audio section without Opus, or a video section with neither VP8 nor H.264 (constrained baseline, packetization mode 1).
    #[error("no common codec for {0}")]
    CodecUnsupported(&'static str),
    /// The people in the room have no video codec in common with this page. An offer without pictures is taken.
    #[error("the room needs {0:?}")]
    CodecNeeded(Codec),
    /// The room has all its members.
    #[error("the room is full")]
    RoomFull,
    /// The media plane cannot serve now (limits reached, port not bound, connection lost while answering).
    #[error("media is unavailable: {0}")]
    Unavailable(String),
    /// The room is being recorded already.
    #[error("the room is being recorded already")]
    RecordingRunning,
    /// A recording could not begin, or its end could not be confirmed.
    #[error("the recording failed: {0}")]
    RecordingFailed(&'static str),
}

impl MediaError {
    /// Stable code for problem documents and protocol errors.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::SdpInvalid(_) => "sdp_invalid",
            Self::CodecUnsupported(_) | Self::CodecNeeded(_) => "codec_unsupported",
            Self::RoomFull => "room_full",
            Self::Unavailable(_) => "media_unavailable",
            Self::RecordingRunning => "recording_running",
            Self::RecordingFailed(_) => "recording_failed",
        }
    }
}

impl From<std::io::Error> for MediaError {
    fn from(error: std::io::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_stable() {
        assert_eq!(MediaError::SdpInvalid("x").code(), "sdp_invalid");
        assert_eq!(
            MediaError::CodecUnsupported("x").code(),
            "codec_unsupported"
        );
        assert_eq!(
            MediaError::CodecNeeded(Codec::H264).code(),
            "codec_unsupported"
        );
        assert_eq!(MediaError::RoomFull.code(), "room_full");
        assert_eq!(
            MediaError::Unavailable(String::new()).code(),
            "media_unavailable"
        );
    }
}
