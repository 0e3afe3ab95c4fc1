//! A page as far as a server can tell: ICE checks for the whole call, the DTLS handshake, receiver reports, and SRTP of its own if it
//! publishes. What arrives is only looked at: no packet is decrypted, decoded or kept.

use super::feedback::Feedback;
use super::identity::Identity;
use super::rtcp::receiver_report;
use super::sdp::{Local, Remote};
use super::stun::{self, Credentials, Incoming};
use super::{Kind, now_ns};
use anyhow::{Result, bail};
use nix::sys::socket::{setsockopt, sockopt};
use rtc::dtls::endpoint::{Endpoint, EndpointEvent};
use rtc::shared::TransportProtocol;
use rtc::srtp::context::Context;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Instant;

/// Between checks until one is answered (ns).
const CHECK_NS: u64 = 50_000_000;
/// Between checks of a connection that stands, as Chromium sends them (ns).
const CONSENT_NS: u64 = 2_500_000_000;
/// Between receiver reports (ns), as Chromium sends them for video.
const REPORT_NS: u64 = 1_000_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Knows nobody yet.
    New,
    Checking,
    Handshaking,
    Connected,
    Failed,
}

/// An RTP packet as far as its header is clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrived {
    pub kind: Kind,
    pub sequence: u16,
}

/// One page.
pub struct Peer {
    pub socket: UdpSocket,
    addr: SocketAddr,
    id: u64,
    identity: Identity,
    credentials: Credentials,
    remote: Option<Remote>,
    dtls: Endpoint,
    srtp: Option<Context>,
    state: State,
    next_check: u64,
    next_report: u64,
    /// If the page tells of every packet.
    feedback: Option<Feedback>,
    ssrc: [u32; 2],
}

impl Peer {
    /// A page at an address of the generator's side.
    pub fn new(id: u64, ip: Ipv4Addr, identity: Identity) -> Result<Self> {
        let socket = UdpSocket::bind((ip, 0))?;
        socket.set_nonblocking(true)?;
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        let addr = socket.local_addr()?;
        let credentials = Credentials {
            ufrag: format!("bench{id:05}"),
            pwd: format!("{id:024}"),
        };
        Ok(Self {
            dtls: Endpoint::new(addr, TransportProtocol::UDP, Some(identity.server.clone())),
            socket,
            addr,
            id,
            identity,
            credentials,
            remote: None,
            srtp: None,
            state: State::New,
            next_check: 0,
            next_report: 0,
            feedback: None,
            ssrc: [0; 2],
        })
    }

    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// For writing SDP.
    #[must_use]
    pub fn local(&self) -> Local<'_> {
        Local {
            id: self.id,
            credentials: &self.credentials,
            fingerprint: &self.identity.fingerprint,
            addr: self.addr,
            feedback: self.feedback.is_some(),
        }
    }

    /// From its offer on the page tells of every packet when it came.
    pub fn feed_back(&mut self) {
        self.feedback = Some(Feedback::default());
    }

    /// Goes to the other side. `first`: whoever answers an offer with `active`, or offered and was answered with it, speaks first.
    pub fn connect(&mut self, remote: Remote) -> Result<()> {
        self.socket.connect(remote.addr)?;
        self.remote = Some(remote);
        self.state = State::Checking;
        self.next_check = 0;
        Ok(())
    }

    /// Only a socket: no ICE, no DTLS, no reports. For the floor.
    pub fn connect_raw(&mut self, addr: SocketAddr) -> Result<()> {
        self.socket.connect(addr)?;
        self.state = State::Connected;
        self.next_report = u64::MAX;
        Ok(())
    }

    #[must_use]
    pub fn connected(&self) -> bool {
        self.state == State::Connected
    }

    #[must_use]
    pub fn failed(&self) -> bool {
        self.state == State::Failed
    }

    /// Looks at one datagram (RFC 7983) that came at a time (ns); an RTP packet's header comes back.
    pub fn handle(&mut self, packet: &[u8], at: u64) -> Option<Arrived> {
        match packet {
            [128..=191, second, high, low, ..] if !(192..=223).contains(second) => {
                if let Some(feedback) = &mut self.feedback {
                    feedback.note(packet, at);
                }
                let kind = Kind::of(second & 0x7f)?;
                let sequence = u16::from_be_bytes([*high, *low]);
                if packet.len() >= 12 {
                    self.ssrc[kind as usize] =
                        u32::from_be_bytes([packet[8], packet[9], packet[10], packet[11]]);
                }
                return Some(Arrived { kind, sequence });
            }
            [0..=3, ..] => self.stun(packet),
            [20..=63, ..] => self.dtls(packet),
            _ => {}
        }
        None
    }

    fn stun(&mut self, packet: &[u8]) {
        let crypto = self.identity.provider.crypto();
        match (stun::read(packet), &self.remote) {
            (Incoming::Request(id), Some(remote)) => {
                if let Ok(answer) = stun::success(id, remote.addr, &self.credentials, crypto) {
                    let _ = self.socket.send(&answer);
                }
            }
            (Incoming::Success, Some(remote)) if self.state == State::Checking => {
                self.state = State::Handshaking;
                self.next_check = now_ns() + CONSENT_NS;
                let addr = remote.addr;
                // The other side opens if it said so.
                if !remote.active {
                    let begun =
                        self.dtls
                            .connect(Instant::now(), addr, self.identity.client.clone(), None);
                    if begun.is_err() {
                        self.state = State::Failed;
                    }
                }
                self.flush();
            }
            _ => {}
        }
    }

    fn dtls(&mut self, packet: &[u8]) {
        if self.handshake(packet).is_err() {
            self.state = State::Failed;
        }
    }

    fn flush(&mut self) {
        while let Some(out) = self.dtls.poll_transmit() {
            let _ = self.socket.send(&out.message);
        }
    }

    fn handshake(&mut self, packet: &[u8]) -> Result<()> {
        let Some(addr) = self.remote.as_ref().map(|r| r.addr) else {
            return Ok(());
        };
        let events = self.dtls.read(Instant::now(), addr, None, packet.into());
        self.flush();
        for event in events? {
            match event {
                EndpointEvent::HandshakeComplete => {
                    let Some(state) = self.dtls.get_connection_state(addr) else {
                        bail!("no DTLS connection");
                    };
                    self.srtp = Some(self.identity.sender(state)?);
                    self.state = State::Connected;
                    // Spread over the second, as pages that came one after the other.
                    self.next_report = now_ns() + self.id.wrapping_mul(7_919_333) % REPORT_NS;
                }
                EndpointEvent::PeerClosed => bail!("the server hung up"),
                _ => {}
            }
        }
        Ok(())
    }

    /// Sends one RTP packet under this page's own keys.
    pub fn publish(&mut self, rtp: &[u8]) {
        if let Some(Ok(protected)) = self.srtp.as_mut().map(|s| s.encrypt_rtp(rtp)) {
            let _ = self.socket.send(&protected);
        }
    }

    /// Checks, retransmissions and reports that are due. `highest`: last sequence numbers heard, audio and video.
    pub fn tick(&mut self, now: u64, highest: [u32; 2]) {
        let Some(remote) = &self.remote else { return };
        if now >= self.next_check {
            let waiting = self.state == State::Checking;
            self.next_check = now + if waiting { CHECK_NS } else { CONSENT_NS };
            let crypto = self.identity.provider.crypto();
            if let Ok(check) = stun::request(&self.credentials, &remote.credentials, crypto) {
                let _ = self.socket.send(&check);
            }
        }
        if self.state == State::Handshaking {
            let addr = remote.addr;
            // Unknown until the other side has spoken; then there is nothing to send again.
            let _ = self.dtls.handle_timeout(addr, Instant::now());
            self.flush();
        }
        if self.state == State::Connected && now >= self.next_report {
            self.next_report = now + REPORT_NS;
            let report = receiver_report(self.me(), self.ssrc, highest);
            self.send_rtcp(&report);
        }
        let (me, ssrc) = (self.me(), self.ssrc[Kind::Video as usize]);
        if self.state == State::Connected
            && let Some(feedback) = &mut self.feedback
            && let Some(report) = feedback.report(now, me, ssrc)
        {
            self.send_rtcp(&report);
        }
    }

    /// The SSRC of its reports.
    fn me(&self) -> u32 {
        self.id as u32 + 1
    }

    fn send_rtcp(&mut self, report: &[u8]) {
        if let Some(Ok(protected)) = self.srtp.as_mut().map(|s| s.encrypt_rtcp(report)) {
            let _ = self.socket.send(&protected);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A page and a server's end in one process: ICE by hand, the handshake by the library, the same key at both ends.
    #[test]
    fn two_pages_shake_hands_and_one_publishes() {
        let own = || Identity::new().unwrap();
        let ip = Ipv4Addr::LOCALHOST;
        let mut a = Peer::new(1, ip, own()).unwrap();
        let mut b = Peer::new(2, ip, own()).unwrap();
        let seen = |p: &Peer, active| Remote {
            credentials: p.credentials.clone(),
            addr: p.addr(),
            active,
            sections: vec![],
        };
        let (to_a, to_b) = (seen(&a, true), seen(&b, false));
        a.connect(to_b).unwrap();
        b.connect(to_a).unwrap();
        let mut rtp = [0u8; 60];
        rtp[..4].copy_from_slice(&[0x80, 96, 0x12, 0x34]);
        let deadline = Instant::now() + std::time::Duration::from_secs(20);
        let mut got = None;
        while got.is_none() && Instant::now() < deadline {
            for p in [&mut a, &mut b] {
                p.tick(now_ns(), [0; 2]);
                let mut buffer = [0; 2_048];
                while let Ok(n) = p.socket.recv(&mut buffer) {
                    got = got.or(p.handle(&buffer[..n], now_ns()));
                }
            }
            if a.connected() && b.connected() {
                a.publish(&rtp);
            }
            std::thread::yield_now();
        }
        let sequence = 0x1234;
        assert_eq!(
            got,
            Some(Arrived {
                kind: Kind::Video,
                sequence
            })
        );
    }
}
