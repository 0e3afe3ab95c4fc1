//! From the media path to the recording's thread: a bounded queue that never makes anybody wait.
//!
//! Packets do not wake the thread (it looks every [`TICK_MS`](super::limits::TICK_MS)); commands do. A full queue loses packets and says
//! so in their place; commands always fit, since members and their changes are few.

use super::clock::Report;
use super::jitter::InPacket;
use super::leg::Flow;
use super::limits::{LEGS, QUEUE_PACKETS};
use super::manifest::{Codec, Ended};
use super::segment::LeftOut;
use crate::event::{Kind, Source};
use crate::forward::MemberRole;
use crate::publish::Publisher;
use rtc::rtp::Packet;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(crate) enum Message {
    Packet {
        leg: u16,
        kind: Kind,
        codec: Codec,
        packet: InPacket,
    },
    Report {
        leg: u16,
        report: Report,
    },
    /// Packets of this kind were lost here.
    Overflow {
        leg: u16,
        kind: Kind,
        at_ms: u64,
    },
    Join {
        member: String,
        source: Source,
        role: MemberRole,
        flow: Flow,
        at_ms: u64,
    },
    Flow {
        leg: u16,
        flow: Flow,
        at_ms: u64,
    },
    /// No leg was left for them.
    LeftOut(LeftOut),
    Require {
        members: Vec<String>,
    },
    Stop {
        reason: Ended,
        at_ms: u64,
    },
}

/// The queue of one recording.
pub(crate) struct Queue {
    started: Instant,
    inner: Mutex<Inner>,
    filled: Condvar,
}

struct Inner {
    messages: VecDeque<Message>,
    packets: usize,
    /// Legs and kinds whose loss is said already, until the thread looks.
    spilled: [[bool; 2]; LEGS],
    closed: bool,
}

impl Queue {
    pub(crate) fn new(started: Instant) -> Arc<Self> {
        Arc::new(Self {
            started,
            inner: Mutex::new(Inner {
                messages: VecDeque::new(),
                packets: 0,
                spilled: [[false; 2]; LEGS],
                closed: false,
            }),
            filled: Condvar::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since the recording's start.
    pub(crate) fn ms(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.started).as_millis() as u64
    }

    /// A command: never refused, except after the end.
    pub(crate) fn command(&self, message: Message) {
        let mut inner = self.lock();
        if !inner.closed {
            inner.messages.push_back(message);
            self.filled.notify_one();
        }
    }

    /// The last message; what comes after it is refused. `false` if it was said before.
    pub(crate) fn close(&self, reason: Ended, at: Instant) -> bool {
        let mut inner = self.lock();
        if inner.closed {
            return false;
        }
        inner.closed = true;
        let at_ms = self.ms(at);
        inner.messages.push_back(Message::Stop { reason, at_ms });
        self.filled.notify_one();
        true
    }

    fn packet(&self, leg: u16, kind: Kind, codec: Codec, packet: InPacket) {
        let mut inner = self.lock();
        if inner.closed {
            return;
        }
        if inner.packets < QUEUE_PACKETS {
            inner.packets += 1;
            inner.messages.push_back(Message::Packet {
                leg,
                kind,
                codec,
                packet,
            });
            return;
        }
        let Some(spilled) = inner.spilled.get_mut(usize::from(leg) - 1) else {
            return;
        };
        if !std::mem::replace(&mut spilled[kind as usize], true) {
            let at_ms = packet.at_ms;
            inner
                .messages
                .push_back(Message::Overflow { leg, kind, at_ms });
        }
    }

    fn report(&self, leg: u16, report: Report) {
        let mut inner = self.lock();
        if !inner.closed && inner.packets < QUEUE_PACKETS {
            inner.packets += 1;
            inner.messages.push_back(Message::Report { leg, report });
        }
    }

    /// Everything that waits; looks again after `wait`, or at once when a command comes.
    pub(crate) fn take(&self, wait: Duration) -> VecDeque<Message> {
        let mut inner = self.lock();
        let command = |m: &Message| !matches!(m, Message::Packet { .. } | Message::Report { .. });
        if !inner.messages.iter().any(command) {
            inner = self
                .filled
                .wait_timeout(inner, wait)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        inner.packets = 0;
        inner.spilled = [[false; 2]; LEGS];
        std::mem::take(&mut inner.messages)
    }
}

/// What a publisher holds: the way of one leg's packets into the recording.
pub(crate) struct Feed {
    pub leg: u16,
    queue: Arc<Queue>,
    publisher: Mutex<Weak<Publisher>>,
}

impl Feed {
    pub(crate) fn new(leg: u16, queue: Arc<Queue>) -> Arc<Self> {
        Arc::new(Self {
            leg,
            queue,
            publisher: Mutex::default(),
        })
    }

    /// Whom to ask for keyframes.
    pub(crate) fn set_publisher(&self, publisher: &Arc<Publisher>) {
        *self
            .publisher
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(publisher);
    }

    pub(crate) fn publisher(&self) -> Option<Arc<Publisher>> {
        self.publisher
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .upgrade()
    }

    /// One packet as it came in; never waits.
    pub(crate) fn packet(&self, kind: Kind, codec: Codec, packet: &Packet, at: Instant) {
        let header = &packet.header;
        let packet = InPacket {
            ssrc: header.ssrc,
            sequence: header.sequence_number,
            timestamp: header.timestamp,
            marker: header.marker,
            payload: packet.payload.clone(), // shared
            at_ms: self.queue.ms(at),
        };
        self.queue.packet(self.leg, kind, codec, packet);
    }

    /// One sender report.
    pub(crate) fn report(&self, ssrc: u32, ntp: u64, rtp: u32, at: Instant) {
        let report = Report {
            ssrc,
            ntp,
            rtp,
            at_ms: self.queue.ms(at),
        };
        self.queue.report(self.leg, report);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_loses_packets_says_so_once_and_takes_commands() {
        let started = Instant::now();
        let queue = Queue::new(started);
        let feed = Feed::new(1, queue.clone());
        let packet = Packet::default();
        for _ in 0..QUEUE_PACKETS + 100 {
            feed.packet(Kind::Video, Codec::Vp8, &packet, started);
        }
        feed.packet(Kind::Audio, Codec::Opus, &packet, started);
        assert!(queue.close(Ended::Finished, started));
        assert!(!queue.close(Ended::Closed, started));
        feed.packet(Kind::Audio, Codec::Opus, &packet, started);
        let got = queue.take(Duration::ZERO);
        assert_eq!(got.len(), QUEUE_PACKETS + 3);
        let rest: Vec<_> = got.iter().skip(QUEUE_PACKETS).collect();
        assert!(matches!(
            rest[..],
            [
                Message::Overflow {
                    leg: 1,
                    kind: Kind::Video,
                    ..
                },
                Message::Overflow {
                    leg: 1,
                    kind: Kind::Audio,
                    ..
                },
                Message::Stop {
                    reason: Ended::Finished,
                    ..
                }
            ]
        ));
        assert!(queue.take(Duration::ZERO).is_empty());
    }
}
