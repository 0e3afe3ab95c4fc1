//! The way out of one connection: packets are protected into one buffer and leave together.
//!
//! Beside the WebRTC library's driver, which spends several times the cost of encrypting and sending on each packet; for what a
//! room fans out that is nearly all of the work. The driver keeps the connection itself: ICE, DTLS, RTCP and what comes in.
//! Never waits: what the network does not take at once is lost, as on any router. Limits: [`BATCH_BYTES`].

use crate::keys::KeyTap;
use crate::leg::Sent;
use crate::mux::{Mux, Path, Port};
use crate::protect::Protector;
use rtc::rtp::Header;
use rtc_crypto::RTCCryptoProvider as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A batch leaves when it has grown to this (bytes): what one call to the kernel takes.
const BATCH_BYTES: usize = 60_000;
/// Packets of one call with segmentation offload (Linux: UDP_MAX_SEGMENTS is 64 on older kernels).
const SEGMENTS: usize = 64;

pub(crate) struct Egress {
    mux: Arc<Mux>,
    port: Arc<Port>,
    keys: Arc<KeyTap>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    protector: Option<Protector>,
    buffer: Vec<u8>,
    /// Of the packets in the buffer, in order.
    sizes: Vec<usize>,
}

impl Egress {
    pub(crate) fn new(mux: Arc<Mux>, port: Arc<Port>, keys: Arc<KeyTap>) -> Self {
        Self {
            mux,
            port,
            keys,
            state: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a packet to the batch. Nothing is sent before DTLS has agreed on keys.
    pub(crate) fn add(&self, header: &Header, payload: &[u8]) -> Sent {
        let mut state = self.lock();
        if state.protector.is_none() {
            state.protector = self
                .keys
                .take()
                .and_then(|master| Protector::new(self.keys.crypto(), &master));
        }
        let state = &mut *state;
        let Some(protector) = &mut state.protector else {
            return Sent::Gone;
        };
        if self.port.is_choked() {
            return Sent::Full;
        }
        let Some(size) = protector.append(header, payload, &mut state.buffer) else {
            return Sent::Gone;
        };
        state.sizes.push(size);
        if state.buffer.len() >= BATCH_BYTES {
            self.send(state);
        }
        Sent::Queued
    }

    /// Sends the batch.
    pub(crate) fn flush(&self) {
        self.send(&mut self.lock());
    }

    fn send(&self, state: &mut State) {
        if state.sizes.is_empty() {
            return;
        }
        match self.port.path() {
            Some(Path::Udp(to)) => self.datagrams(state, to),
            Some(Path::Tcp(stream)) => {
                let mut rest = state.buffer.as_slice();
                for size in &state.sizes {
                    let (packet, after) = rest.split_at(*size);
                    stream.send(packet);
                    rest = after;
                }
            }
            None => {}
        }
        state.buffer.clear();
        state.sizes.clear();
    }

    /// Runs of packets of one size go to the kernel at once (UDP_SEGMENT); the last of a run may be shorter.
    fn datagrams(&self, state: &State, to: std::net::SocketAddr) {
        let most = self.mux.segments().min(SEGMENTS);
        let (mut at, mut next) = (0, 0);
        while let Some(&size) = state.sizes.get(next) {
            let (from, mut count) = (at, 0);
            while let Some(&this) = state.sizes.get(next) {
                if this > size || count == most || (count > 0 && at - from + this > BATCH_BYTES) {
                    break;
                }
                at += this;
                next += 1;
                count += 1;
                if this < size {
                    break;
                }
            }
            self.mux.send_run(&state.buffer[from..at], size, to);
        }
    }
}
