//! One connection's end of the shared ports: its inbox, its TCP streams, and where its client is.
//!
//! Never parses a packet, never blocks a sender. Limits: [`INBOX_PACKETS`], [`TCP_STREAMS`], [`ADDRS_PER_MIN`].

use crate::config::{ADDRS_PER_MIN, INBOX_PACKETS, TCP_STREAMS};
use crate::moved::{Credentials, Transaction};
use crate::tcp::{MuxStream, TcpOut};
use bytes::Bytes;
use rtc_crypto::RTCCryptoProvider;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

pub(crate) struct Port {
    inbox: Mutex<Inbox>,
    pub(crate) keys: Mutex<Keys>,
    heard_ms: AtomicU64,
    /// Tasks that drive the connection.
    drivers: AtomicUsize,
    /// Its TCP streams now.
    open_streams: AtomicUsize,
    started: Instant,
    streams: mpsc::Sender<MuxStream>,
    path: Mutex<Option<Path>>,
    /// The same as a number (see [`key`]), when something last came from there (ms), and what the library itself last chose.
    path_key: AtomicU64,
    path_heard_ms: AtomicU64,
    chosen_key: AtomicU64,
    /// How the page is asked whether it is at an address, and when it last was (ms).
    credentials: Mutex<Option<Credentials>>,
    asked_ms: AtomicU64,
}

/// An address as one number; 0 is none. The ports are IPv4's alone.
fn key(addr: SocketAddr) -> u64 {
    match addr {
        SocketAddr::V4(v4) => (u64::from(u32::from(*v4.ip())) << 16) | u64::from(v4.port()),
        SocketAddr::V6(_) => 0,
    }
}

/// The address of such a number.
fn addr_of(key: u64) -> SocketAddr {
    let ip = std::net::Ipv4Addr::from((key >> 16) as u32);
    SocketAddr::from((ip, key as u16))
}

/// Where the library sends what is not a connectivity check: the pair that ICE has chosen.
#[derive(Clone)]
pub(crate) enum Path {
    Udp(SocketAddr),
    Tcp(TcpOut),
}

/// DTLS or RTP and RTCP, by the first byte (RFC 7983 §7); STUN goes to every address that asks.
pub(crate) fn is_of_the_chosen_pair(packet: &[u8]) -> bool {
    packet
        .first()
        .is_some_and(|b| (20..=63).contains(b) || (128..=191).contains(b))
}

/// A client that sends media is heard many times within this (ms).
const PATH_STALE_MS: u64 = 400;
/// Questions to strangers for one connection are so far apart (ms).
const ASK_EVERY_MS: u64 = 100;
/// A client that is connected is heard at least so often (ms), by its checks alone; its address is nobody else's till then.
const PRESENT_MS: u64 = 2_500;
/// New addresses are counted in stretches of this (ms).
const MINUTE_MS: u64 = 60_000;

#[derive(Default)]
struct Inbox {
    packets: VecDeque<(Bytes, SocketAddr)>,
    waker: Option<Waker>,
}

/// What the table knows of a connection.
#[derive(Default)]
pub(crate) struct Keys {
    pub ufrags: VecDeque<String>,
    pub addrs: VecDeque<SocketAddr>,
    pub streams: VecDeque<u32>,
    /// The question that is open.
    pub asked: Option<Transaction>,
    /// Addresses that were new in this minute, and when it began (ms).
    learned: (u64, usize),
}

impl Keys {
    /// Counts a new address; `false` when there were too many of late. The library keeps each for the life of the connection.
    pub(crate) fn learn(&mut self, now_ms: u64) -> bool {
        let (since, learned) = &mut self.learned;
        if now_ms.saturating_sub(*since) >= MINUTE_MS {
            (*since, *learned) = (now_ms, 0);
        }
        let room = *learned < ADDRS_PER_MIN;
        *learned += usize::from(room);
        room
    }
}

impl std::fmt::Debug for Port {
    // Addresses of citizens' networks stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Port")
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn ms_since(started: Instant) -> u64 {
    started.elapsed().as_millis() as u64
}

impl Port {
    /// `started` is where its clock begins; the other end of the channel takes its TCP streams.
    pub(crate) fn new(started: Instant) -> (Arc<Self>, mpsc::Receiver<MuxStream>) {
        let (streams, taken) = mpsc::channel(TCP_STREAMS);
        let port = Self {
            inbox: Mutex::default(),
            keys: Mutex::default(),
            heard_ms: AtomicU64::new(ms_since(started)),
            drivers: AtomicUsize::new(0),
            open_streams: AtomicUsize::new(0),
            started,
            streams,
            path: Mutex::default(),
            path_key: AtomicU64::new(0),
            path_heard_ms: AtomicU64::new(0),
            chosen_key: AtomicU64::new(0),
            credentials: Mutex::default(),
            asked_ms: AtomicU64::new(0),
        };
        (Arc::new(port), taken)
    }

    /// Puts a datagram into the inbox; `false` if that is full.
    pub(crate) fn deliver(&self, packet: &[u8], from: SocketAddr) -> bool {
        self.hear();
        if key(from) == self.path_key.load(Ordering::Relaxed) {
            let now = self.heard_ms.load(Ordering::Relaxed);
            self.path_heard_ms.store(now, Ordering::Relaxed);
        }
        // The library takes media from the pair that it has chosen; that the client has moved since is known here alone.
        let chosen = self.chosen_key.load(Ordering::Relaxed);
        let moved = chosen != 0
            && key(from) == self.path_key.load(Ordering::Relaxed)
            && is_of_the_chosen_pair(packet);
        let from = if moved { addr_of(chosen) } else { from };
        let mut inbox = lock(&self.inbox);
        if inbox.packets.len() >= INBOX_PACKETS {
            return false;
        }
        inbox
            .packets
            .push_back((Bytes::copy_from_slice(packet), from));
        let waker = inbox.waker.take();
        drop(inbox);
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// Hands over a TCP stream; `false` if the connection is gone.
    pub(crate) fn deliver_stream(&self, stream: MuxStream) -> bool {
        self.hear();
        self.streams.try_send(stream).is_ok()
    }

    /// Counts a new address; see [`Keys::learn`].
    pub(crate) fn learn(&self) -> bool {
        lock(&self.keys).learn(ms_since(self.started))
    }

    /// Notes that the client said something.
    pub(crate) fn hear(&self) {
        self.heard_ms
            .store(ms_since(self.started), Ordering::Relaxed);
    }

    /// Whether a task drives the connection still: one that panicked leaves a client who talks to nobody.
    pub(crate) fn is_driven(&self) -> bool {
        self.drivers.load(Ordering::SeqCst) > 0
    }

    /// Time since the client's last packet.
    pub(crate) fn silence(&self) -> Duration {
        let heard = self.heard_ms.load(Ordering::Relaxed);
        Duration::from_millis(ms_since(self.started).saturating_sub(heard))
    }

    /// The library sent something to the chosen pair.
    pub(crate) fn set_path(&self, now: Path) {
        let new = match &now {
            Path::Udp(addr) => key(*addr),
            Path::Tcp(_) => {
                // The next datagram to a chosen pair is a choice again.
                self.chosen_key.store(0, Ordering::Relaxed);
                0
            }
        };
        self.path_key.store(new, Ordering::Relaxed);
        let heard = self.heard_ms.load(Ordering::Relaxed);
        self.path_heard_ms.store(heard, Ordering::Relaxed);
        *lock(&self.path) = Some(now);
    }

    /// The library sends to a pair that it has chosen: the path follows when that is another than before. Answers where the client
    /// is now, which after a change of its address the library does not know.
    pub(crate) fn route(&self, to: SocketAddr) -> SocketAddr {
        if self.chosen_key.swap(key(to), Ordering::Relaxed) != key(to) {
            self.set_path(Path::Udp(to));
            return to;
        }
        match &*lock(&self.path) {
            Some(Path::Udp(now)) => *now,
            Some(Path::Tcp(_)) | None => to,
        }
    }

    /// A check from this address was found genuine: whoever sent it has the connection's password (RFC 8445 §7.3). If nothing comes
    /// from the present one any more, the client has moved: its network or an address translator gave it another.
    pub(crate) fn checked(&self, from: SocketAddr) {
        let path = self.path_key.load(Ordering::Relaxed);
        let now = ms_since(self.started);
        let heard = self.path_heard_ms.load(Ordering::Relaxed);
        if path != 0 && path != key(from) && now.saturating_sub(heard) >= PATH_STALE_MS {
            self.set_path(Path::Udp(from));
        }
    }

    /// How the page can be asked whether it is at an address.
    pub(crate) fn set_credentials(&self, credentials: Option<Credentials>) {
        *lock(&self.credentials) = credentials;
    }

    /// The question to an address from which a stream of this page seems to come, and when it is asked (ms); none where it was asked
    /// just now, or while the page is heard where it was.
    pub(crate) fn question(
        &self,
        crypto: &dyn RTCCryptoProvider,
    ) -> Option<(Transaction, Vec<u8>, u64)> {
        let now = ms_since(self.started);
        let lately = |at: &AtomicU64| now.saturating_sub(at.load(Ordering::Relaxed)) < ASK_EVERY_MS;
        if self.path_key.load(Ordering::Relaxed) == 0
            || lately(&self.path_heard_ms)
            || lately(&self.asked_ms)
        {
            return None;
        }
        self.asked_ms.store(now, Ordering::Relaxed);
        let (transaction, question) = lock(&self.credentials).as_ref()?.ask(crypto)?;
        Some((transaction, question, now))
    }

    pub(crate) fn is_answered(&self, packet: &[u8], crypto: &dyn RTCCryptoProvider) -> bool {
        let credentials = lock(&self.credentials);
        credentials
            .as_ref()
            .is_some_and(|c| c.is_answer(packet, crypto))
    }

    /// The client answered from there, unless it was heard where it was since it was asked.
    pub(crate) fn move_to(&self, at: SocketAddr, asked_ms: u64) {
        if self.path_heard_ms.load(Ordering::Relaxed) < asked_ms {
            self.hear();
            self.set_path(Path::Udp(at));
        }
    }

    /// Whether the client was at this address a moment ago: nobody else can be.
    pub(crate) fn is_at(&self, addr: SocketAddr) -> bool {
        let heard = self.path_heard_ms.load(Ordering::Relaxed);
        self.path_key.load(Ordering::Relaxed) == key(addr)
            && ms_since(self.started).saturating_sub(heard) < PRESENT_MS
    }

    pub(crate) fn tcp_path_is(&self, out: &TcpOut) -> bool {
        matches!(&*lock(&self.path), Some(Path::Tcp(now)) if now.is(out))
    }

    pub(crate) fn path(&self) -> Option<Path> {
        lock(&self.path).clone()
    }

    /// So many packets wait for the client already (TCP alone can say so).
    pub(crate) fn is_choked(&self, waiting_most: usize) -> bool {
        matches!(&*lock(&self.path), Some(Path::Tcp(stream)) if stream.waiting() >= waiting_most)
    }

    /// The next datagram, or registers the waker.
    pub(crate) fn poll_packet(&self, cx: &mut Context<'_>) -> Poll<(Bytes, SocketAddr)> {
        let mut inbox = lock(&self.inbox);
        match inbox.packets.pop_front() {
            Some(packet) => Poll::Ready(packet),
            None => {
                inbox.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn last_from(&self) -> Option<SocketAddr> {
        lock(&self.inbox).packets.back().map(|(_, from)| *from)
    }

    #[cfg(test)]
    pub(crate) fn queued(&self) -> usize {
        lock(&self.inbox).packets.len()
    }
}

/// Counts a task that drives a connection, until it ends in whatever way.
pub(crate) struct Driving(Arc<Port>);

impl Driving {
    pub(crate) fn of(port: &Arc<Port>) -> Self {
        port.drivers.fetch_add(1, Ordering::SeqCst);
        Self(port.clone())
    }
}

impl Drop for Driving {
    fn drop(&mut self) {
        self.0.drivers.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A TCP stream's place at its connection, until the stream ends in whatever way.
pub(crate) struct Streaming(pub(crate) Arc<Port>);

impl Streaming {
    /// None: the connection has as many streams as it may.
    pub(crate) fn at(port: Arc<Port>) -> Option<Self> {
        let one_more = |n| (n < TCP_STREAMS).then_some(n + 1);
        port.open_streams
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more)
            .ok()?;
        Some(Self(port))
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        self.0.open_streams.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_learned_so_many_a_minute() {
        let mut keys = Keys::default();
        let learned =
            |keys: &mut Keys, at| (0..ADDRS_PER_MIN * 3).filter(|_| keys.learn(at)).count();
        assert_eq!(learned(&mut keys, 5_000), ADDRS_PER_MIN);
        assert_eq!(learned(&mut keys, 59_999), 0);
        assert_eq!(learned(&mut keys, 60_000), ADDRS_PER_MIN);
        assert_eq!(learned(&mut keys, 119_999), 0);
    }

    #[test]
    fn a_stream_gives_its_place_back() {
        let (port, _taken) = Port::new(Instant::now());
        let mut open: Vec<_> = (0..TCP_STREAMS)
            .map(|_| Streaming::at(port.clone()).unwrap())
            .collect();
        assert!(Streaming::at(port.clone()).is_none());
        open.pop();
        open.push(Streaming::at(port.clone()).unwrap());
        assert!(Streaming::at(port.clone()).is_none());
        drop(open);
        assert!(Streaming::at(port).is_some());
    }
}
