//! One UDP port for all connections: by ICE user fragment first, then by remote address; a known stream from an unknown address is asked
//! whether it is whose it seems.
//!
//! Owns the socket, the routing table and each connection's inbox. Never parses more than STUN's USERNAME, never blocks a sender, never
//! panics on input. A STUN request always re-keys its address: the client moved, restarted ICE, or its port now belongs to another.
//! Limits: [`INBOX_PACKETS`], [`ADDRS_PER_CONNECTION`], [`UFRAGS_PER_CONNECTION`], [`STREAMS_PER_CONNECTION`],
//! [`DATAGRAM_BYTES`].

use crate::config::{
    ADDRS_PER_CONNECTION, DATAGRAM_BYTES, INBOX_PACKETS, RECEIVE_BUFFER, SEND_BUFFER,
    STREAMS_PER_CONNECTION, TCP_STREAMS, UFRAGS_PER_CONNECTION,
};
use crate::counters::{Counters, bump};
use crate::moved::{Credentials, Transaction, answer_to, stream_of};
use crate::tcp::{MuxStream, TcpOut};
use bytes::Bytes;
use quinn_udp::{Transmit, UdpSockRef, UdpSocketState};
use rtc_crypto::RTCCryptoProvider;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

/// The shared socket and who is behind which address.
pub(crate) struct Mux {
    receive: UdpSocket,
    /// The same socket for sending: a system call each, no shared waker that a second sender would overwrite.
    send: std::net::UdpSocket,
    /// What the kernel can do for it (segmentation offload).
    abilities: UdpSocketState,
    table: Mutex<Table>,
    crypto: Arc<dyn RTCCryptoProvider>,
    started: Instant,
    pub(crate) counters: Arc<Counters>,
}

#[derive(Default)]
struct Table {
    by_ufrag: HashMap<String, Arc<Port>>,
    by_addr: HashMap<SocketAddr, Arc<Port>>,
    by_stream: HashMap<u32, Arc<Port>>,
    asked: HashMap<Transaction, Asked>,
}

/// A question to an address from which a stream of a page seems to come.
struct Asked {
    port: Arc<Port>,
    to: SocketAddr,
    at_ms: u64,
}

/// One connection's end of the shared ports.
pub(crate) struct Port {
    inbox: Mutex<Inbox>,
    keys: Mutex<Keys>,
    heard_ms: AtomicU64,
    /// Tasks that drive the connection.
    drivers: AtomicUsize,
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

/// A connectivity check or the answer to one (RFC 8489 §5: request or success, binding). We are lite (RFC 8445 §2.5): the library sends
/// either only to an address from which a check with the right password has just come; the first such one it asks back, the next it
/// answers.
pub(crate) fn is_check(packet: &[u8]) -> bool {
    packet.starts_with(&[0x00, 0x01]) || packet.starts_with(&[0x01, 0x01])
}

/// A client that sends media is heard many times within this (ms).
const PATH_STALE_MS: u64 = 400;
/// Questions to strangers for one connection are so far apart (ms).
const ASK_EVERY_MS: u64 = 100;

#[derive(Default)]
struct Inbox {
    packets: VecDeque<(Bytes, SocketAddr)>,
    waker: Option<Waker>,
}

#[derive(Default)]
struct Keys {
    ufrags: VecDeque<String>,
    addrs: VecDeque<SocketAddr>,
    streams: VecDeque<u32>,
    asked: Option<Transaction>,
}

impl std::fmt::Debug for Mux {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mux")
    }
}

impl std::fmt::Debug for Port {
    // Addresses of citizens' networks stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Port")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Mux {
    /// Binds the port.
    ///
    /// # Errors
    /// The address is not free or not ours.
    pub(crate) fn bind(addr: SocketAddr, counters: Arc<Counters>) -> io::Result<Arc<Self>> {
        let socket = std::net::UdpSocket::bind(addr)?;
        socket.set_nonblocking(true)?;
        let send = socket.try_clone()?;
        let abilities = UdpSocketState::new(UdpSockRef::from(&send))?;
        // A keyframe for three hundred viewers leaves in one go. The system's own bound may be lower.
        let _ = abilities.set_send_buffer_size(UdpSockRef::from(&send), SEND_BUFFER);
        let _ = abilities.set_recv_buffer_size(UdpSockRef::from(&send), RECEIVE_BUFFER);
        Ok(Arc::new(Self {
            receive: UdpSocket::from_std(socket)?,
            send,
            abilities,
            table: Mutex::default(),
            crypto: rtc_crypto::default_provider().map_err(io::Error::other)?,
            started: Instant::now(),
            counters,
        }))
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.send.local_addr()
    }

    /// A new connection's port and the streams that the TCP side will hand it.
    pub(crate) fn open(self: &Arc<Self>) -> (PortGuard, mpsc::Receiver<MuxStream>) {
        bump(&self.counters.connections);
        let (streams, rx) = mpsc::channel(TCP_STREAMS);
        let port = Arc::new(Port {
            inbox: Mutex::default(),
            keys: Mutex::default(),
            heard_ms: AtomicU64::new(self.started.elapsed().as_millis() as u64),
            drivers: AtomicUsize::new(0),
            started: self.started,
            streams,
            path: Mutex::default(),
            path_key: AtomicU64::new(0),
            path_heard_ms: AtomicU64::new(0),
            chosen_key: AtomicU64::new(0),
            credentials: Mutex::default(),
            asked_ms: AtomicU64::new(0),
        });
        (
            PortGuard {
                mux: self.clone(),
                port,
            },
            rx,
        )
    }

    /// Receives until the task is aborted.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut buffer = vec![0u8; DATAGRAM_BYTES];
        loop {
            match self.receive.recv_from(&mut buffer).await {
                Ok((n, from)) => self.dispatch(&buffer[..n], from),
                // An ICMP error of some client's; a pause so that a lasting one does not spin.
                Err(_) => tokio::time::sleep(Duration::from_millis(2)).await,
            }
        }
    }

    fn dispatch(&self, packet: &[u8], from: SocketAddr) {
        bump(&self.counters.datagrams_in);
        let Some(port) = self.route(packet, from) else {
            self.stranger(packet, from);
            bump(&self.counters.datagrams_ignored);
            return;
        };
        if !port.deliver(packet, from) {
            bump(&self.counters.datagrams_dropped);
        }
    }

    fn route(&self, packet: &[u8], from: SocketAddr) -> Option<Arc<Port>> {
        let mut table = lock(&self.table);
        if let Some(port) = stun_request_ufrag(packet)
            .and_then(|u| table.by_ufrag.get(u))
            .cloned()
        {
            let known = table
                .by_addr
                .get(&from)
                .is_some_and(|p| Arc::ptr_eq(p, &port));
            if !known {
                table.settle(&port, from);
            }
            return Some(port);
        }
        table.by_addr.get(&from).cloned()
    }

    /// Somebody at an address that nobody is known by: a client whose address changed is asked, and believed once it answers.
    fn stranger(&self, packet: &[u8], from: SocketAddr) {
        if let Some(stream) = stream_of(packet) {
            self.ask(stream, from);
        } else if let Some(transaction) = answer_to(packet) {
            let mut table = lock(&self.table);
            let Some(asked) = table.asked.get(&transaction).filter(|a| a.to == from) else {
                return;
            };
            let (port, at_ms) = (asked.port.clone(), asked.at_ms);
            if port.is_answered(packet, self.crypto.as_ref()) {
                table.asked.remove(&transaction);
                table.settle(&port, from);
                drop(table);
                port.move_to(from, at_ms);
            }
        }
    }

    fn ask(&self, stream: u32, to: SocketAddr) {
        let mut table = lock(&self.table);
        let Some(port) = table.by_stream.get(&stream).cloned() else {
            return;
        };
        let Some((transaction, question)) = port.question(self.crypto.as_ref()) else {
            return;
        };
        // One at a time: the newest.
        let before = lock(&port.keys).asked.replace(transaction);
        if let Some(before) = before {
            table.asked.remove(&before);
        }
        let at_ms = port.asked_ms.load(Ordering::Relaxed);
        table.asked.insert(transaction, Asked { port, to, at_ms });
        drop(table);
        self.send_to(&question, to);
    }

    /// The connection that answers to a user fragment (for the TCP side).
    pub(crate) fn find(&self, ufrag: &str) -> Option<Arc<Port>> {
        lock(&self.table).by_ufrag.get(ufrag).cloned()
    }

    /// Sends one datagram. A full kernel buffer or an unreachable peer loses it, as UDP does: no leg waits for another's.
    pub(crate) fn send_to(&self, contents: &[u8], to: SocketAddr) {
        if self.send.send_to(contents, to).is_err() {
            bump(&self.counters.send_failed);
        }
    }
}

impl Mux {
    /// Datagrams that one call to the kernel takes.
    pub(crate) fn segments(&self) -> usize {
        self.abilities.max_gso_segments()
    }

    /// Sends datagrams of one size (the last may be shorter) to one client, in one call where the kernel can.
    pub(crate) fn send_run(&self, contents: &[u8], size: usize, to: SocketAddr) {
        let transmit = Transmit {
            destination: to,
            ecn: None,
            contents,
            segment_size: (contents.len() > size).then_some(size),
            src_ip: None,
        };
        if self
            .abilities
            .try_send(UdpSockRef::from(&self.send), &transmit)
            .is_err()
        {
            bump(&self.counters.send_failed);
        }
    }
}

impl Table {
    /// Notes that a connection's client is at an address.
    fn settle(&mut self, port: &Arc<Port>, at: SocketAddr) {
        let mut keys = lock(&port.keys);
        if keys.addrs.len() == ADDRS_PER_CONNECTION
            && let Some(oldest) = keys.addrs.pop_front()
        {
            remove_own(&mut self.by_addr, &oldest, port);
        }
        keys.addrs.push_back(at);
        drop(keys);
        self.by_addr.insert(at, port.clone());
    }
}

fn remove_own<K: Eq + Hash>(map: &mut HashMap<K, Arc<Port>>, key: &K, port: &Arc<Port>) {
    if map.get(key).is_some_and(|p| Arc::ptr_eq(p, port)) {
        map.remove(key);
    }
}

impl Port {
    fn deliver(&self, packet: &[u8], from: SocketAddr) -> bool {
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

    /// Hands over a TCP stream; `false` if the connection has too many waiting or is gone.
    pub(crate) fn deliver_stream(&self, stream: MuxStream) -> bool {
        self.hear();
        self.streams.try_send(stream).is_ok()
    }

    /// Notes that the client said something.
    pub(crate) fn hear(&self) {
        self.heard_ms
            .store(self.started.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// Whether a task drives the connection still: one that panicked leaves a client who talks to nobody.
    pub(crate) fn is_driven(&self) -> bool {
        self.drivers.load(Ordering::SeqCst) > 0
    }

    /// Time since the client's last packet.
    pub(crate) fn silence(&self) -> Duration {
        let now = self.started.elapsed().as_millis() as u64;
        Duration::from_millis(now.saturating_sub(self.heard_ms.load(Ordering::Relaxed)))
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
        let now = self.started.elapsed().as_millis() as u64;
        let heard = self.path_heard_ms.load(Ordering::Relaxed);
        if path != 0 && path != key(from) && now.saturating_sub(heard) >= PATH_STALE_MS {
            self.set_path(Path::Udp(from));
        }
    }

    /// How the page can be asked whether it is at an address.
    pub(crate) fn set_credentials(&self, credentials: Option<Credentials>) {
        *lock(&self.credentials) = credentials;
    }

    /// The question to an address from which a stream of this page seems to come; none where it was asked just now, or while the page
    /// is heard where it was.
    fn question(&self, crypto: &dyn RTCCryptoProvider) -> Option<(Transaction, Vec<u8>)> {
        let now = self.started.elapsed().as_millis() as u64;
        let lately = |at: &AtomicU64| now.saturating_sub(at.load(Ordering::Relaxed)) < ASK_EVERY_MS;
        if self.path_key.load(Ordering::Relaxed) == 0
            || lately(&self.path_heard_ms)
            || lately(&self.asked_ms)
        {
            return None;
        }
        self.asked_ms.store(now, Ordering::Relaxed);
        lock(&self.credentials).as_ref()?.ask(crypto)
    }

    fn is_answered(&self, packet: &[u8], crypto: &dyn RTCCryptoProvider) -> bool {
        let credentials = lock(&self.credentials);
        credentials
            .as_ref()
            .is_some_and(|c| c.is_answer(packet, crypto))
    }

    /// The client answered from there, unless it was heard where it was since it was asked.
    fn move_to(&self, at: SocketAddr, asked_ms: u64) {
        if self.path_heard_ms.load(Ordering::Relaxed) < asked_ms {
            self.hear();
            self.set_path(Path::Udp(at));
        }
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

/// Keeps a port in the table; dropping it forgets the connection's keys.
#[derive(Debug)]
pub(crate) struct PortGuard {
    pub(crate) mux: Arc<Mux>,
    pub(crate) port: Arc<Port>,
}

impl PortGuard {
    /// A stream that comes from this page.
    pub(crate) fn register_stream(&self, ssrc: u32) {
        let mut table = lock(&self.mux.table);
        let mut keys = lock(&self.port.keys);
        if keys.streams.contains(&ssrc) {
            return;
        }
        if keys.streams.len() == STREAMS_PER_CONNECTION
            && let Some(oldest) = keys.streams.pop_front()
        {
            remove_own(&mut table.by_stream, &oldest, &self.port);
        }
        keys.streams.push_back(ssrc);
        table.by_stream.insert(ssrc, self.port.clone());
    }

    /// Routes a user fragment here; an ICE restart adds one and the old stays valid for packets under way.
    pub(crate) fn register(&self, ufrag: &str) {
        let mut table = lock(&self.mux.table);
        let mut keys = lock(&self.port.keys);
        if keys.ufrags.iter().any(|u| u == ufrag) {
            return;
        }
        if keys.ufrags.len() == UFRAGS_PER_CONNECTION
            && let Some(oldest) = keys.ufrags.pop_front()
        {
            table.by_ufrag.remove(&oldest);
        }
        keys.ufrags.push_back(ufrag.to_owned());
        table.by_ufrag.insert(ufrag.to_owned(), self.port.clone());
    }
}

impl Drop for PortGuard {
    fn drop(&mut self) {
        self.mux
            .counters
            .connections
            .fetch_sub(1, Ordering::Relaxed);
        let mut table = lock(&self.mux.table);
        let mut keys = lock(&self.port.keys);
        for ufrag in keys.ufrags.drain(..) {
            table.by_ufrag.remove(&ufrag);
        }
        for addr in keys.addrs.drain(..) {
            remove_own(&mut table.by_addr, &addr, &self.port);
        }
        for stream in keys.streams.drain(..) {
            remove_own(&mut table.by_stream, &stream, &self.port);
        }
        if let Some(asked) = keys.asked.take() {
            table.asked.remove(&asked);
        }
    }
}

/// The server's user fragment in a STUN binding request (RFC 8489 §5, §14.3; RFC 8445 §7.2.2: `local:remote`).
pub(crate) fn stun_request_ufrag(packet: &[u8]) -> Option<&str> {
    const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
    const COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
    const USERNAME: u16 = 0x0006;
    if packet.get(..2)? != BINDING_REQUEST || packet.get(4..8)? != COOKIE {
        return None;
    }
    let mut attributes = packet.get(20..)?;
    while let [t0, t1, l0, l1, rest @ ..] = attributes {
        let length = usize::from(u16::from_be_bytes([*l0, *l1]));
        let value = rest.get(..length)?;
        if u16::from_be_bytes([*t0, *t1]) == USERNAME {
            return std::str::from_utf8(value).ok()?.split(':').next();
        }
        attributes = rest.get(length.next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
#[path = "mux_tests.rs"]
mod tests;
