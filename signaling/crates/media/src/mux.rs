//! One UDP port for all connections: by ICE user fragment first, then by remote address; a known stream from an unknown address is asked
//! whether it is whose it seems.
//!
//! Owns the socket and the routing table. Never parses more than whose a STUN request is, never blocks a sender, never panics on input.
//! A request that proves its connection's password re-keys its address: the client moved, restarted ICE, or its port now belongs to
//! another. One that does not reaches nobody: the library would believe some of it. Limits: [`ADDRS_PER_CONNECTION`],
//! [`UFRAGS_PER_CONNECTION`], [`STREAMS_PER_CONNECTION`], [`DATAGRAM_BYTES`], [`crate::config::ADDRS_PER_MIN`].

use crate::config::{
    ADDRS_PER_CONNECTION, DATAGRAM_BYTES, RECEIVE_BUFFER, SEND_BUFFER, STREAMS_PER_CONNECTION,
    UFRAGS_PER_CONNECTION,
};
use crate::counters::{Counters, bump};
use crate::moved::{Transaction, answer_to, stream_of};
use crate::port::{Port, lock};
use crate::stun::{Check, CheckKey, is_check};
use crate::tcp::MuxStream;
use quinn_udp::{Transmit, UdpSockRef, UdpSocketState};
use rtc_crypto::RTCCryptoProvider;
use std::collections::HashMap;
use std::hash::Hash;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
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
    by_ufrag: HashMap<String, (Arc<Port>, CheckKey)>,
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

impl Table {
    /// Whose check this is, if its sender has that one's password.
    fn proven(&self, check: &Check<'_>) -> Option<Arc<Port>> {
        let (port, key) = self.by_ufrag.get(check.ufrag)?;
        check.is_signed_with(key).then(|| port.clone())
    }

    /// Notes that a connection's client is at an address; `false`: it was at too many of late.
    fn settle(&mut self, port: &Arc<Port>, at: SocketAddr) -> bool {
        if !port.learn() {
            return false;
        }
        let mut keys = lock(&port.keys);
        if keys.addrs.len() == ADDRS_PER_CONNECTION
            && let Some(oldest) = keys.addrs.pop_front()
        {
            remove_own(&mut self.by_addr, &oldest, port);
        }
        keys.addrs.push_back(at);
        drop(keys);
        self.by_addr.insert(at, port.clone());
        true
    }
}

impl std::fmt::Debug for Mux {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mux")
    }
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
        let (port, rx) = Port::new(self.started);
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
        if !is_check(packet) {
            return table.by_addr.get(&from).cloned();
        }
        // From a known address too: a few a second at most, and a forged one can change the library's part (RFC 8445 §7.3.1.1).
        let port = table.proven(&Check::read(packet)?)?;
        let owner = table.by_addr.get(&from);
        if !owner.is_some_and(|p| Arc::ptr_eq(p, &port)) {
            // Somebody who can put another's address on a datagram has a password of their own, perhaps.
            if owner.is_some_and(|p| p.is_at(from)) {
                return None;
            }
            if !table.settle(&port, from) {
                return None;
            }
        }
        drop(table);
        port.checked(from);
        Some(port)
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
                if table.settle(&port, from) {
                    drop(table);
                    port.move_to(from, at_ms);
                }
            }
        }
    }

    fn ask(&self, stream: u32, to: SocketAddr) {
        let mut table = lock(&self.table);
        let Some(port) = table.by_stream.get(&stream).cloned() else {
            return;
        };
        let Some((transaction, question, at_ms)) = port.question(self.crypto.as_ref()) else {
            return;
        };
        // One at a time: the newest.
        let before = lock(&port.keys).asked.replace(transaction);
        if let Some(before) = before {
            table.asked.remove(&before);
        }
        table.asked.insert(transaction, Asked { port, to, at_ms });
        drop(table);
        self.send_to(&question, to);
    }

    /// The connection whose password a check proves (for the TCP side).
    pub(crate) fn find(&self, check: &Check<'_>) -> Option<Arc<Port>> {
        lock(&self.table).proven(check)
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

fn remove_own<K: Eq + Hash>(map: &mut HashMap<K, Arc<Port>>, key: &K, port: &Arc<Port>) {
    if map.get(key).is_some_and(|p| Arc::ptr_eq(p, port)) {
        map.remove(key);
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

    /// Routes a user fragment's checks here; an ICE restart adds one and the old stays valid for packets under way.
    pub(crate) fn register(&self, ufrag: &str, password: &str) {
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
        let entry = (self.port.clone(), CheckKey::new(password));
        table.by_ufrag.insert(ufrag.to_owned(), entry);
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "mux_tests.rs"]
mod tests;
