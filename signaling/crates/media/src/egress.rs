//! The way out of one connection: packets are protected into one buffer and leave together.
//!
//! Beside the WebRTC library's driver, which spends several times the cost of encrypting and sending on each packet; for what a
//! room fans out that is nearly all of the work. The driver keeps the connection itself: ICE, DTLS, RTCP and what comes in.
//! Never waits: what the network does not take at once is lost, as on any router. Limits: [`BATCH_BYTES`], [`TCP_QUEUE`],
//! [`TCP_QUEUE_PICTURES`].

use crate::config::{TCP_QUEUE, TCP_QUEUE_PICTURES};
use crate::counters::bump;
use crate::estimate::Arrival;
use crate::event::Kind;
use crate::keys::KeyTap;
use crate::leg::Sent;
use crate::mux::Mux;
use crate::once::Round;
use crate::port::{Path, Port};
use crate::protect::{Plain, Protector};
use crate::sent::SentLog;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use rtc::rtp::Header;
use rtc_crypto::RTCCryptoProvider as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A batch leaves when it has grown to this (bytes): what one call to the kernel takes.
const BATCH_BYTES: usize = 60_000;
/// Packets of one call with segmentation offload (Linux: UDP_MAX_SEGMENTS is 64 on older kernels).
const SEGMENTS: usize = 64;

pub(crate) struct Egress {
    mux: Arc<Mux>,
    port: Arc<Port>,
    keys: Arc<KeyTap>,
    began: Instant,
    state: Mutex<State>,
}

/// What a packet carries besides what it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Marks {
    pub kind: Kind,
    /// Header extension for its number on the connection.
    pub numbered: Option<u8>,
    /// Of a repetition: the original's number.
    pub original: Option<u16>,
    pub round: Round,
}

#[derive(Default)]
struct State {
    protector: Option<Protector>,
    buffer: Vec<u8>,
    /// Of the packets in the buffer, in order.
    sizes: Vec<usize>,
    /// When the batch was begun (µs): its packets leave together.
    batch_us: u64,
    log: SentLog,
    /// All that was sent (bytes).
    octets: u64,
}

impl Egress {
    pub(crate) fn new(mux: Arc<Mux>, port: Arc<Port>, keys: Arc<KeyTap>) -> Self {
        Self {
            mux,
            port,
            keys,
            began: Instant::now(),
            state: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a packet to the batch. Nothing is sent before DTLS has agreed on keys.
    pub(crate) fn add(&self, header: &Header, marks: Marks, payload: &[u8]) -> Sent {
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
        // Where a client is slow, pictures give way long before sound does.
        let waiting_most = match marks.kind {
            Kind::Audio => TCP_QUEUE,
            Kind::Video => TCP_QUEUE_PICTURES,
        };
        if self.port.is_choked(waiting_most) {
            return Sent::Full;
        }
        let packet = Plain {
            header,
            numbered: marks.numbered.map(|id| (id, state.log.next())),
            original: marks.original,
            round: marks.round,
            payload,
        };
        let Some(size) = protector.append(&packet, &mut state.buffer) else {
            return Sent::Gone;
        };
        if marks.numbered.is_some() {
            if state.sizes.is_empty() {
                state.batch_us = self.now_us();
            }
            state.log.note(state.batch_us, size);
        }
        state.octets += size as u64;
        state.sizes.push(size);
        if state.buffer.len() >= BATCH_BYTES {
            self.send(state);
        }
        Sent::Queued
    }

    /// This connection's clock for what leaves and comes (µs).
    pub(crate) fn now_us(&self) -> u64 {
        self.began.elapsed().as_micros() as u64
    }

    /// What the page's report says of packets that were sent.
    pub(crate) fn arrivals(&self, now_us: u64, report: &TransportLayerCc) -> Vec<Arrival> {
        self.lock().log.arrivals(now_us, report)
    }

    /// Bytes sent so far.
    pub(crate) fn octets(&self) -> u64 {
        self.lock().octets
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
                    if !stream.send(packet) {
                        bump(&self.mux.counters.send_failed);
                    }
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::tcp::tests::client;
    use rtc_crypto::{AeadAlgorithm, BlockCipherAlgorithm};

    /// As the library derives its first keys.
    fn agreed() -> Arc<KeyTap> {
        let keys = KeyTap::new().unwrap();
        let crypto = keys.crypto();
        crypto
            .block_encrypt(BlockCipherAlgorithm::Aes128, &[7; 16], &mut [0; 16])
            .unwrap();
        crypto.new_aead(AeadAlgorithm::Aes128Gcm, &[8; 16]).unwrap();
        keys
    }

    #[tokio::test]
    async fn over_tcp_pictures_give_way_to_sound() {
        let mux = Mux::bind("127.0.0.1:0".parse().unwrap(), Arc::default()).unwrap();
        let (guard, _streams) = mux.open();
        let (_client, out) = client().await;
        guard.port.set_path(Path::Tcp(out));
        let egress = Egress::new(mux.clone(), guard.port.clone(), agreed());
        let add = |kind, sequence_number| {
            let header = Header {
                version: 2,
                ssrc: 1 + kind as u32,
                sequence_number,
                ..Header::default()
            };
            let marks = Marks {
                kind,
                numbered: None,
                original: None,
                round: Round::Only,
            };
            egress.add(&header, marks, &[1; 100])
        };
        let send = |kind, n| {
            let sent = add(kind, n);
            egress.flush();
            sent == Sent::Queued
        };
        let pictures = (0..300).filter(|n| send(Kind::Video, *n)).count();
        assert_eq!(pictures, TCP_QUEUE_PICTURES);
        let sounds = (0..300).filter(|n| send(Kind::Audio, *n)).count();
        assert_eq!(sounds, TCP_QUEUE - TCP_QUEUE_PICTURES);

        // What was added together and found no room is counted.
        let (_client, out) = client().await;
        guard.port.set_path(Path::Tcp(out));
        let count = TCP_QUEUE as u16 + 3;
        assert!((300..300 + count).all(|n| add(Kind::Audio, n) == Sent::Queued));
        egress.flush();
        assert_eq!(mux.counters.snapshot().send_failed, 3);
    }
}
