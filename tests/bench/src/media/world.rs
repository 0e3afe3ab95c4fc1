//! The generator's one thread: sends each source's bursts when they are due, looks at every page's socket, keeps connections alive.
//!
//! It sleeps between looks instead of waiting for packets: a packet wakes nobody, and its arrival is the kernel's timestamp anyway.

use super::identity::Identity;
use super::peer::Peer;
use super::script::Script;
use super::tally::{Histogram, Tally};
use super::{Kind, now_ns};
use anyhow::{Result, bail};
use nix::cmsg_space;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use nix::sys::time::TimeSpec;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::IoSliceMut;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::Duration;

/// Between two looks at the sockets while connections come up, and while measuring (ns).
const LOOK_SETUP_NS: u64 = 500_000;
const LOOK_NS: u64 = 4_000_000;
/// Between two rounds of what pages owe: checks, reports (ns).
const KEEP_NS: u64 = 10_000_000;
/// Longest DTLS flight.
const DATAGRAM: usize = 2_048;

/// Where a source's packets go.
pub enum Out {
    /// Plain RTP to one socket each: audio, video.
    Plain([UdpSocket; 2]),
    /// Under the keys of a page.
    Page(usize),
}

/// One publisher.
pub struct Source {
    script: Script,
    out: Out,
    /// Beginning of the stream on the clock, pauses left out.
    begun: u64,
    /// When each packet left: audio, video.
    sent: [Vec<u64>; 2],
    /// First packets of the window.
    from: [usize; 2],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Learning,
    Measuring,
}

/// One page and what it hears.
struct Seat {
    peer: Peer,
    hears: Option<usize>,
    tally: [Tally; 2],
}

/// Packets of a window.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counted {
    pub expected: u64,
    pub received: u64,
    pub twice: u64,
}

pub struct World {
    ip: Ipv4Addr,
    seats: Vec<Seat>,
    sources: Vec<Source>,
    due: BinaryHeap<Reverse<(u64, usize)>>,
    epoll: Epoll,
    phase: Phase,
    playing: bool,
    look_ns: u64,
    next_look: u64,
    next_keep: u64,
    pub latency: Histogram,
}

impl World {
    /// `ip`: the generator's side of the wire.
    pub fn new(ip: Ipv4Addr) -> Result<Self> {
        Ok(Self {
            ip,
            seats: vec![],
            sources: vec![],
            due: BinaryHeap::new(),
            epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?,
            phase: Phase::Idle,
            playing: true,
            look_ns: LOOK_SETUP_NS,
            next_look: 0,
            next_keep: 0,
            latency: Histogram::default(),
        })
    }

    #[must_use]
    pub fn ip(&self) -> Ipv4Addr {
        self.ip
    }

    /// A page; `hears`: the source whose packets it counts.
    pub fn add_peer(&mut self, hears: Option<usize>) -> Result<usize> {
        let at = self.seats.len();
        let peer = Peer::new(at as u64, self.ip, Identity::new()?)?;
        self.epoll.add(
            &peer.socket,
            EpollEvent::new(EpollFlags::EPOLLIN, at as u64),
        )?;
        self.seats.push(Seat {
            peer,
            hears,
            tally: [Tally::default(), Tally::default()],
        });
        Ok(at)
    }

    /// Takes the last page out: it was refused.
    pub fn forget_last(&mut self) {
        if let Some(seat) = self.seats.pop() {
            let _ = self.epoll.delete(&seat.peer.socket);
        }
    }

    pub fn peer(&mut self, at: usize) -> &mut Peer {
        &mut self.seats[at].peer
    }

    /// A publisher that begins `phase_ns` from now.
    pub fn add_source(&mut self, out: Out, phase_ns: u64) -> usize {
        let at = self.sources.len();
        let n = at as u32;
        let begun = now_ns() + phase_ns;
        self.sources.push(Source {
            script: Script::new([10_001 + 2 * n, 10_002 + 2 * n]),
            out,
            begun,
            sent: [Vec::with_capacity(1 << 12), Vec::with_capacity(1 << 13)],
            from: [0; 2],
        });
        self.due.push(Reverse((begun, at)));
        at
    }

    /// SSRCs of the next source to be added: audio, video.
    #[must_use]
    pub fn next_ssrc(&self) -> [u32; 2] {
        let n = self.sources.len() as u32;
        [10_001 + 2 * n, 10_002 + 2 * n]
    }

    /// Runs until `done` holds for all pages, or fails.
    pub fn run_until_connected(&mut self, patience: Duration) -> Result<()> {
        self.look_ns = LOOK_SETUP_NS;
        let end = now_ns() + patience.as_nanos() as u64;
        loop {
            let missing = self.seats.iter().filter(|s| !s.peer.connected()).count();
            if missing == 0 {
                return Ok(());
            }
            if let Some(at) = self.seats.iter().position(|s| s.peer.failed()) {
                bail!("page {at}: the handshake failed");
            }
            if now_ns() >= end {
                bail!("{missing} pages did not connect");
            }
            self.run_for(Duration::from_millis(2));
        }
    }

    /// Runs for a while.
    pub fn run_for(&mut self, time: Duration) {
        let end = now_ns() + time.as_nanos() as u64;
        loop {
            let now = now_ns();
            self.send_due(now);
            if now >= self.next_look {
                self.next_look = now + self.look_ns;
                self.look();
            }
            if now >= self.next_keep {
                self.next_keep = now + KEEP_NS;
                for seat in &mut self.seats {
                    let highest = [seat.tally[0].highest(), seat.tally[1].highest()];
                    seat.peer.tick(now, highest);
                }
            }
            if now >= end {
                return;
            }
            let mut wake = end.min(self.next_look).min(self.next_keep);
            if let (true, Some(Reverse((at, _)))) = (self.playing, self.due.peek()) {
                wake = wake.min(*at);
            }
            let wait = wake.saturating_sub(now_ns());
            if wait > 0 {
                std::thread::sleep(Duration::from_nanos(wait));
            }
        }
    }

    fn send_due(&mut self, now: u64) {
        while self.playing {
            match self.due.peek() {
                Some(Reverse((at, _))) if *at <= now => {}
                _ => return,
            }
            let Some(Reverse((_, source))) = self.due.pop() else {
                return;
            };
            let Source {
                script,
                out,
                begun,
                sent,
                ..
            } = &mut self.sources[source];
            let seats = &mut self.seats;
            script.burst(|kind, packet| {
                sent[kind as usize].push(now_ns());
                match out {
                    // Lost here is lost: it will be missing at the pages.
                    Out::Plain(sockets) => {
                        let _ = sockets[kind as usize].send(packet);
                    }
                    Out::Page(page) => seats[*page].peer.publish(packet),
                }
            });
            self.due.push(Reverse((*begun + script.due(), source)));
        }
    }

    /// Takes what has arrived at every socket.
    fn look(&mut self) {
        let mut ready = [EpollEvent::empty(); 256];
        let mut buffer = [0u8; DATAGRAM];
        let mut control = cmsg_space!(TimeSpec);
        control.resize(control.capacity(), 0);
        // A round takes one datagram of each; more rounds until nothing is left, but not for ever.
        for _ in 0..4_096 {
            let n = self.epoll.wait(&mut ready, EpollTimeout::ZERO).unwrap_or(0);
            for event in &ready[..n] {
                let seat = &mut self.seats[event.data() as usize];
                let mut parts = [IoSliceMut::new(&mut buffer)];
                let fd = seat.peer.socket.as_raw_fd();
                let Ok(message) = recvmsg::<()>(
                    fd,
                    &mut parts,
                    Some(control.as_mut_slice()),
                    MsgFlags::MSG_DONTWAIT,
                ) else {
                    continue; // an ICMP error: the server is not there yet, or no more
                };
                let stamp = message.cmsgs().ok().and_then(|mut all| {
                    all.find_map(|c| match c {
                        ControlMessageOwned::ScmTimestampns(t) => {
                            Some(t.tv_sec() as u64 * 1_000_000_000 + t.tv_nsec() as u64)
                        }
                        _ => None,
                    })
                });
                let length = message.bytes;
                let at = stamp.unwrap_or_else(now_ns);
                let Some(arrived) = seat.peer.handle(&buffer[..length], at) else {
                    continue;
                };
                let Some(source) = seat.hears.and_then(|s| self.sources.get(s)) else {
                    continue;
                };
                let kind = arrived.kind as usize;
                let tally = &mut seat.tally[kind];
                if self.phase == Phase::Measuring {
                    let from = source.from[kind];
                    if let Some(late) = tally.count(arrived.sequence, at, &source.sent[kind], from)
                    {
                        self.latency.add(late);
                    }
                } else {
                    tally.learn(arrived.sequence, at, &source.sent[kind]);
                }
            }
            if n == 0 {
                return;
            }
        }
    }

    /// Before a window: every page learns how the server numbers packets.
    pub fn learn(&mut self, time: Duration) {
        self.look_ns = LOOK_NS;
        for tally in self.seats.iter_mut().flat_map(|s| &mut s.tally) {
            tally.restart();
        }
        self.phase = Phase::Learning;
        self.run_for(time);
    }

    /// The window opens with the next packet of every source.
    pub fn open_window(&mut self) {
        self.look();
        self.latency.clear();
        for source in &mut self.sources {
            source.from = [source.sent[0].len(), source.sent[1].len()];
        }
        self.phase = Phase::Measuring;
    }

    /// The sources fall silent, what is under way arrives, and the window is counted. The sources go on afterwards.
    pub fn close_window(&mut self, drain: Duration) -> Counted {
        let silent = now_ns();
        self.playing = false;
        self.run_for(drain);
        self.playing = true;
        let pause = now_ns() - silent;
        let mut counted = Counted::default();
        for seat in &self.seats {
            let Some(source) = seat.hears.map(|s| &self.sources[s]) else {
                continue;
            };
            for kind in Kind::BOTH.map(|k| k as usize) {
                counted.expected += (source.sent[kind].len() - source.from[kind]) as u64;
                counted.received += seat.tally[kind].received;
                counted.twice += seat.tally[kind].twice;
            }
        }
        self.phase = Phase::Idle;
        let due = std::mem::take(&mut self.due);
        for Reverse((at, source)) in due {
            self.sources[source].begun += pause;
            self.due.push(Reverse((at + pause, source)));
        }
        counted
    }
}
