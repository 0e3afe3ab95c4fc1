//! The media benches: one generator that is every page at once, and three servers that fan the same stream out to it.
//!
//! The generator runs on CPU 1 and each server, one at a time, on CPU 0 of the same machine, behind a veth pair in a network namespace
//! of its own, so that ours, Janus and the floor cross the same wire. A page here ([`peer`]) speaks ICE and DTLS, then only counts: RTP
//! headers are clear under SRTP, so no packet is decrypted. Arrival is the kernel's own timestamp; the generator looks at its sockets
//! every few milliseconds and is never woken by a packet, as a remote page would never wake anything on the server's machine.

pub mod child;
pub mod feedback;
pub mod floor;
pub mod identity;
pub mod janus;
pub mod media_run;
pub mod net;
pub mod ours;
pub mod peer;
pub mod report;
pub mod rtcp;
pub mod script;
pub mod sdp;
pub mod stun;
pub mod tally;
pub mod world;

/// Where the servers run.
pub const SERVER_CPU: usize = 0;
/// Where the generator runs.
pub const GENERATOR_CPU: usize = 1;
/// More lost packets than this (per cent) and a run says nothing.
pub const LOSS_PCT: f64 = 0.1;
/// A generator that is busier than this (share of its CPU) measures itself.
pub const GENERATOR_BUSY: f64 = 0.9;

/// Audio or video; the value is the place in arrays of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Audio = 0,
    Video = 1,
}

impl Kind {
    pub const BOTH: [Self; 2] = [Self::Audio, Self::Video];

    /// The payload type that the whole bench uses.
    #[must_use]
    pub fn payload_type(self) -> u8 {
        match self {
            Self::Audio => 111,
            Self::Video => 96,
        }
    }

    #[must_use]
    pub fn of(payload_type: u8) -> Option<Self> {
        Self::BOTH
            .into_iter()
            .find(|k| k.payload_type() == payload_type)
    }
}

/// Nanoseconds since 1970: the clock of the kernel's packet timestamps.
#[must_use]
pub fn now_ns() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| u64::try_from(d.as_nanos()).unwrap_or(u64::MAX))
}
