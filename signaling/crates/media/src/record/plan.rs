//! What a recording is told at its start: which members, under which key, where the bytes go.
//!
//! Never logs the key; never makes an id or a time: the application gives both.

use super::sink::SegmentSink;
use crate::config::ID_BYTES;
use crate::error::MediaError;
use crate::forward::MemberRole;
use std::fmt;
use zeroize::Zeroizing;

/// The envelope key of a case (AES-256, NIST SP 800-38D). Every segment has a key of its own derived from it (RFC 5869, expand).
#[derive(Clone)]
pub struct RecordingKey(Zeroizing<[u8; 32]>);

impl RecordingKey {
    /// Takes 32 bytes of full entropy; the caller wipes its own copy.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for RecordingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordingKey(…)")
    }
}

/// What is recorded, and how.
pub struct RecordingPlan {
    /// The recording's id (1 to 64 bytes): bound into every segment.
    pub recording: String,
    /// Members without whose media the recording is not proven: usually the citizen and the agent. They need not be in the room yet.
    pub required: Vec<String>,
    /// Members in these parts are recorded, also those who join later, each on a leg of its own. A member whose part changes to
    /// another one (on hold, consulted in private) is paused, and so is one whom no other of these parts may hear; the gap says so.
    pub roles: Vec<MemberRole>,
    /// The case's key.
    pub key: RecordingKey,
    /// Where the segments go.
    pub sink: Box<dyn SegmentSink>,
    /// Wall clock at the start (ms since 1970, UTC): zero of all times within the recording.
    pub started_at_ms: i64,
}

/// The parts that a recording of a counter covers: those whom everybody hears.
pub const RECORDED_ROLES: [MemberRole; 4] = [
    MemberRole::Citizen,
    MemberRole::Agent,
    MemberRole::Colleague,
    MemberRole::Guest,
];

impl RecordingPlan {
    pub(crate) fn check(&self) -> Result<(), MediaError> {
        let fits = |id: &String| !id.is_empty() && id.len() <= ID_BYTES;
        if !fits(&self.recording) || !self.required.iter().all(fits) || self.required.is_empty() {
            return Err(MediaError::Unavailable(
                "a recording without an id or a required member".into(),
            ));
        }
        Ok(())
    }
}

impl fmt::Debug for RecordingPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordingPlan")
            .field("recording", &self.recording)
            .field("required", &self.required)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}
