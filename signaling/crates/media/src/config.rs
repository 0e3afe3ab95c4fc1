//! What the engine is started with, and every limit of the crate: name, unit, reason.
//!
//! Never reads files or the environment: the caller fills [`MediaConfig`].

use crate::event::Kind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Members of one room: citizen, agent, guest, a second agent at hand-over, a listening supervisor, one spare.
pub const MEMBERS_PER_ROOM: usize = 6;
/// Rooms of one node; beyond it offers are refused as unavailable.
pub const ROOMS_MAX: usize = 2_000;
/// Slots of sound on one connection: every other member of a full room.
pub const AUDIO_SLOTS: usize = MEMBERS_PER_ROOM - 1;
/// Slots of pictures: the same, and three that are shown beside the people (document camera, a screen, one spare).
pub const VIDEO_SLOTS: usize = MEMBERS_PER_ROOM + 2;
/// Room and member ids (bytes).
pub const ID_BYTES: usize = 64;
/// One offer (bytes); Chromium's with five pairs and two lines for more pictures is about 40 KiB.
pub const SDP_BYTES: usize = 64 * 1024;
/// m-lines in one offer: five pairs, a data channel, some that were rejected earlier.
pub const SDP_SECTIONS: usize = 24;
/// Datagrams waiting for one connection's driver; then the newest is dropped, as a router would.
pub const INBOX_PACKETS: usize = 1_024;
/// Remote addresses remembered for one connection (every interface of a client, both networks of a hand-over).
pub const ADDRS_PER_CONNECTION: usize = 16;
/// New remote addresses of one connection in a minute. The library keeps each for the connection's life and searches through all.
pub const ADDRS_PER_MIN: usize = 64;
/// ICE user fragments of one connection: the present one and those of recent restarts.
pub const UFRAGS_PER_CONNECTION: usize = 4;
/// Streams of one page by which it is known when its address changes: sound, three pictures, and what they were before.
pub const STREAMS_PER_CONNECTION: usize = 8;
/// Largest datagram or TCP frame (bytes); DTLS and SRTP stay under the Ethernet MTU.
pub const DATAGRAM_BYTES: usize = 2_048;
/// Kernel buffers of the shared port (bytes): bursts to and from hundreds of clients.
pub const SEND_BUFFER: usize = 4 << 20;
pub const RECEIVE_BUFFER: usize = 4 << 20;
/// Packets waiting for one TCP client: five seconds of sound, and then its stream is cut anyway.
pub const TCP_QUEUE: usize = 256;
/// With so many waiting no picture is added: sound does not wait behind seconds of it.
pub const TCP_QUEUE_PICTURES: usize = 32;
/// TCP connections that have not yet said whose they are, of all clients and of one address; then the longest silent one gives way.
pub const TCP_PENDING: usize = 256;
pub const TCP_PENDING_PER_IP: usize = 16;
/// Time to send the first frame on a TCP connection.
pub const TCP_FIRST_FRAME: Duration = Duration::from_secs(5);
/// A TCP client that takes no bytes this long has its stream cut.
pub const TCP_WRITE: Duration = Duration::from_secs(5);
/// TCP streams of one connection: one a network, and those of a network that is gone until their silence is noticed.
pub const TCP_STREAMS: usize = 4;
/// Packets of a picture kept for repetition: five seconds at 1 Mbit/s, two at 3.
pub const HISTORY: usize = 512;
/// What of a stream may come late and is still told from what came before (packets, RFC 3711 §3.3.2): a page may repeat a picture's packet
/// under its own number, three seconds later at 3 Mbit/s; a report it never repeats. Multiples of 64: the library counts in words.
pub const REPLAY_SRTP: usize = 1_024;
pub const REPLAY_SRTCP: usize = 128;
/// Bytes that one slot repeats beyond half of what it sends: a burst as long as one request.
pub const REPEATED_BURST: usize = LOST_MOST * 1_200;
/// Repetitions asked for in one packet; a page that misses more needs a keyframe.
pub const LOST_MOST: usize = 64;
/// What a page's network takes (bit/s), before it has said anything: enough for a good picture, and no flood on a phone's.
pub const ESTIMATE_START: f64 = 800_000.0;
/// Sound alone.
pub const ESTIMATE_LEAST: f64 = 30_000.0;
/// More than any page sends.
pub const ESTIMATE_MOST: f64 = 3_000_000.0;
/// A picture below this (bit/s) is not worth having, nor recording: no sender is told to make less.
pub const PICTURE_LEAST: u32 = 150_000;
/// A picture of which packets were lost and nothing came for this long begins anew: its sender's network was away.
pub const HOLE: Duration = Duration::from_millis(300);
/// Least time between two keyframe requests to one publisher.
pub const KEYFRAME_GAP: Duration = Duration::from_millis(300);
/// A leg whose queue was full gets no video for this long, then restarts at a keyframe.
pub const CONGESTED: Duration = Duration::from_secs(1);
/// Nothing from a member for this long is told. A page sends sound or reports many times in it, and asks whether the way is still
/// there (RFC 7675) every 2.5 s even where it sends nothing.
pub const QUIET: Duration = Duration::from_secs(3);
/// What a page said by RTCP and was not yet acted on; it says it again.
pub const HEARD_INBOX: usize = 64;
/// Events handed to the reader and not yet taken.
pub const EVENT_CHANNEL: usize = 1_024;
/// Lifecycle events kept for a reader that is behind; when reached, new offers are refused rather than events lost.
pub const EVENT_BACKLOG: usize = 16_384;
/// Offers of one connection that were refused; then the next one builds a new connection. The library keeps what each left behind.
pub const REFUSED_MOST: u32 = 20;
/// Candidate gathering is local; longer means that the driver died.
pub const GATHER: Duration = Duration::from_secs(3);

/// Slots of a kind on one connection.
pub(crate) fn slots_of(kind: Kind) -> usize {
    match kind {
        Kind::Audio => AUDIO_SLOTS,
        Kind::Video => VIDEO_SLOTS,
    }
}

/// Start values of the engine.
#[derive(Debug, Clone)]
pub struct MediaConfig {
    /// The shared UDP port (IPv4). Port 0 takes a free one; ICE-TCP listens on the same number if it is free.
    pub udp_bind: SocketAddr,
    /// Addresses written into candidates: what clients can reach. Empty: the bind address, or the primary address when bound to 0.0.0.0.
    pub public_ips: Vec<IpAddr>,
    /// Offer ICE-TCP passive candidates for networks that drop UDP.
    pub tcp: bool,
    /// Offer UDP candidates. Off only to test the fallback.
    pub udp: bool,
    /// No packet at all (media, RTCP, STUN consent, RFC 7675) for this long: the member is gone.
    pub silence: Duration,
    /// A connection that never comes up is closed after this.
    pub connect_timeout: Duration,
    /// Period of [`crate::MediaEvent::Quality`].
    pub quality_every: Duration,
    /// Members of one room; beyond it offers are refused. More than [`MEMBERS_PER_ROOM`] is for rooms that many only watch: a page
    /// still has no more than [`AUDIO_SLOTS`] and [`VIDEO_SLOTS`].
    pub members_per_room: usize,
}

impl MediaConfig {
    /// Defaults for one bind address: UDP and TCP, 10 s of silence, 30 s to connect, quality every 5 s, six members a room.
    #[must_use]
    pub fn new(udp_bind: SocketAddr) -> Self {
        Self {
            udp_bind,
            public_ips: Vec::new(),
            tcp: true,
            udp: true,
            silence: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(30),
            quality_every: Duration::from_secs(5),
            members_per_room: MEMBERS_PER_ROOM,
        }
    }
}

impl Default for MediaConfig {
    fn default() -> Self {
        Self::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
    }
}
