//! What the engine tells its owner, and the outbox that loses no lifecycle event.
//!
//! Never blocks the media path: pushing is a short lock. Limits: [`EVENT_CHANNEL`], [`EVENT_BACKLOG`]; quality is dropped first.

use crate::config::{EVENT_BACKLOG, EVENT_CHANNEL};
use crate::record::{GapReason, Manifest};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Notify, mpsc};

/// Audio or video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Opus, 48 kHz clock.
    Audio,
    /// VP8 or H.264, 90 kHz clock.
    Video,
}

impl Kind {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }

    /// RTP clock (Hz): RFC 7587 for Opus, RFC 7741 for VP8, RFC 6184 for H.264.
    #[must_use]
    pub fn clock_rate(self) -> u32 {
        match self {
            Self::Audio => 48_000,
            Self::Video => 90_000,
        }
    }
}

/// Which of a member's scenes a track belongs to: audio and video of one source play together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The person: camera and microphone.
    #[default]
    Camera,
    /// What lies under a second camera 高拍仪.
    Document,
    /// A screen or a window that is shared 共享屏幕.
    Screen,
}

impl Source {
    /// Whether this is the person, and nothing that is shown beside them.
    #[must_use]
    pub fn is_person(&self) -> bool {
        *self == Self::Camera
    }

    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Document => "document",
            Self::Screen => "screen",
        }
    }
}

/// One m-line of a receiving page and the member it carries now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Media id of the m-line in the receiver's offer (`a=mid`).
    pub mid: String,
    /// Whose media.
    pub member: String,
    /// Audio or video.
    pub kind: Kind,
    /// Which of the member's scenes.
    pub source: Source,
    /// The receiver's network is too weak for it now: the last picture stands still, sound goes on.
    pub paused: bool,
}

/// What a member sends now; the server drops the rest even if a page sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentMedia {
    /// Microphone on.
    pub mic: bool,
    /// Camera on.
    pub camera: bool,
}

impl Default for SentMedia {
    fn default() -> Self {
        Self {
            mic: true,
            camera: true,
        }
    }
}

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// [`crate::Engine::leave`] or the room was closed.
    Left,
    /// The same member came with a new peer connection; `Connected` follows.
    Replaced,
    /// The page closed its connection (DTLS close_notify).
    Closed,
    /// No packet for the configured silence.
    Silent,
    /// ICE or DTLS failed.
    Failed,
    /// It never came up.
    NeverConnected,
}

/// What happened to a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum RecordingEvent {
    /// Sound of every required member, and pictures where they are carried, are synced to disk.
    Proven,
    /// A required member's media is no longer written.
    Interrupted {
        /// Leg, from 1; 0 if the whole recording failed.
        leg: u16,
        /// Member id.
        member: String,
        /// Why.
        reason: GapReason,
    },
    /// All that is required is on disk again.
    Resumed,
    /// Nothing is written any more: the manifest is to be signed and kept.
    Stopped {
        /// What there is and what is missing.
        manifest: Arc<Manifest>,
    },
}

/// What happened. All but `Quality` are never lost; of `Slots`, of `Renegotiate` and of the pair `Quiet`, `Heard` only
/// the newest of a member is kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum MediaEvent {
    /// ICE and DTLS are up.
    Connected {
        /// Room id.
        room: String,
        /// Member id.
        member: String,
    },
    /// The connection ended; the member stays in the room (and keeps its slots) unless the reason is `left`.
    Disconnected {
        /// Room id.
        room: String,
        /// Member id.
        member: String,
        /// Why.
        reason: EndReason,
    },
    /// Nothing has come from the member for [`QUIET`](crate::config::QUIET), so its picture stands still with the others: its network
    /// is down. `Heard`, `Disconnected` or, after `Disconnected` by `replaced`, `Connected` follows.
    Quiet {
        /// Room id.
        room: String,
        /// Member id.
        member: String,
    },
    /// Something comes again from a member that was quiet, over the same connection.
    Heard {
        /// Room id.
        room: String,
        /// Member id.
        member: String,
    },
    /// The full map of what the member receives; tell its page.
    Slots {
        /// Room id.
        room: String,
        /// The receiving member.
        member: String,
        /// Every slot in use.
        slots: Vec<Slot>,
    },
    /// The room has another video codec: the member's page is to make a new offer of the same peer connection. The answer prefers
    /// the new codec, so that the page publishes it from then on.
    Renegotiate {
        /// Room id.
        room: String,
        /// Member id.
        member: String,
    },
    /// Network quality of one member over the last period: the worse of the two directions.
    Quality {
        /// Room id.
        room: String,
        /// Member id.
        member: String,
        /// Lost packets (per cent, 0 to 100).
        loss_pct: f32,
        /// Interarrival jitter (ms, RFC 3550 §6.4.1).
        jitter_ms: f32,
        /// Round trip (ms); none until the page has reported on something that it received.
        rtt_ms: Option<f32>,
    },
    /// A room's recording changed its state.
    Recording {
        /// Room id.
        room: String,
        /// The recording's id.
        recording: String,
        /// When (ms since the recording's start).
        at_ms: u64,
        /// What.
        event: RecordingEvent,
    },
}

/// Events between the media path and the reader.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: Mutex<VecDeque<MediaEvent>>,
    filled: Notify,
}

impl Outbox {
    /// Keeps a lifecycle event until the reader takes it.
    pub(crate) fn push(&self, event: MediaEvent) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        match &event {
            // The map is whole each time: an older one that nobody read says nothing.
            MediaEvent::Slots { room, member, .. } => queue.retain(|e| !matches!(e, MediaEvent::Slots { room: r, member: m, .. } if r == room && m == member)),
            MediaEvent::Renegotiate { .. } => queue.retain(|e| *e != event),
            MediaEvent::Quiet { room, member } | MediaEvent::Heard { room, member } => queue.retain(|e| !matches!(e, MediaEvent::Quiet { room: r, member: m } | MediaEvent::Heard { room: r, member: m } if r == room && m == member)),
            _ => {}
        }
        queue.push_back(event);
        drop(queue);
        self.filled.notify_one();
    }

    /// Keeps an event only while the reader keeps up.
    pub(crate) fn push_lossy(&self, event: MediaEvent) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.len() < EVENT_CHANNEL {
            queue.push_back(event);
            drop(queue);
            self.filled.notify_one();
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    /// At the cap nobody may join: that bounds the queue, since only members make lifecycle events.
    pub(crate) fn is_full(&self) -> bool {
        self.len() >= EVENT_BACKLOG
    }

    fn pop(&self) -> Option<MediaEvent> {
        self.queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    }

    /// Moves events into the reader's channel in order; ends when the reader is gone.
    pub(crate) async fn pump(self: Arc<Self>, reader: mpsc::Sender<MediaEvent>) {
        loop {
            // A place first, then the event: one that is taken out is always delivered.
            let Ok(place) = reader.reserve().await else {
                return;
            };
            match self.pop() {
                Some(event) => place.send(event),
                None => {
                    drop(place);
                    self.filled.notified().await;
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn connected(n: usize) -> MediaEvent {
        MediaEvent::Connected {
            room: "r".into(),
            member: n.to_string(),
        }
    }

    fn slots(member: &str, n: usize) -> MediaEvent {
        let slot = |i: usize| Slot {
            mid: i.to_string(),
            member: "x".into(),
            kind: Kind::Audio,
            source: Source::Camera,
            paused: false,
        };
        MediaEvent::Slots {
            room: "r".into(),
            member: member.into(),
            slots: (0..n).map(slot).collect(),
        }
    }

    #[tokio::test]
    async fn a_slow_reader_gets_every_lifecycle_event_in_order() {
        let outbox = Arc::new(Outbox::default());
        let (tx, mut rx) = mpsc::channel(2);
        let pump = tokio::spawn(outbox.clone().pump(tx));
        for n in 0..500 {
            outbox.push(connected(n));
        }
        for n in 0..500 {
            assert_eq!(rx.recv().await.unwrap(), connected(n));
        }
        drop(rx);
        outbox.push(connected(0));
        pump.await.unwrap();
    }

    #[test]
    fn only_the_newest_slot_map_of_a_member_waits_and_quality_is_bounded() {
        let outbox = Outbox::default();
        outbox.push(slots("a", 1));
        outbox.push(slots("b", 1));
        outbox.push(slots("a", 2));
        assert_eq!(outbox.pop(), Some(slots("b", 1)));
        assert_eq!(outbox.pop(), Some(slots("a", 2)));
        for _ in 0..EVENT_CHANNEL + 10 {
            outbox.push_lossy(connected(0));
        }
        assert_eq!(outbox.len(), EVENT_CHANNEL);
        outbox.push(connected(1));
        assert_eq!(outbox.len(), EVENT_CHANNEL + 1);
    }
}
