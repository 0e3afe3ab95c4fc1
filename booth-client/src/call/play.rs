//! Plays the files into a connection in real time, around and around. Silent until the call is live, and again on hold of the
//! own side (a rung of the ladder). A request for a keyframe is answered with the next one of the file.

use super::{
    clip::{Audio, Video},
    measure::{AUDIO_CLOCK, VIDEO_CLOCK},
    peer::Outgoing,
    vp8,
};
use bytes::Bytes;
use rtc::rtp::{Header, Packet};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use webrtc::media_stream::track_local::TrackLocal as _;

/// What may be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Live {
    pub audio: bool,
    pub video: bool,
}

/// Packets sent over all connections of the call.
#[derive(Debug, Default)]
pub struct Sent {
    pub audio: AtomicU64,
    pub video: AtomicU64,
}

/// Behind by more than this (the machine slept), what was missed is left out instead of sent in a burst.
const BEHIND: Duration = Duration::from_millis(500);

/// Times and numbers of one outgoing stream.
struct Pace {
    to: Arc<Outgoing>,
    sequence: u16,
    clock: u32,
    base: u32,
    began: Instant,
    due: Instant,
}

impl Pace {
    fn new(to: Arc<Outgoing>, clock: u32) -> Self {
        let now = Instant::now();
        Self {
            to,
            sequence: rand::random(),
            clock,
            base: rand::random(),
            began: now,
            due: now,
        }
    }

    /// Waits for the moment of the next piece.
    async fn wait(&mut self) {
        let now = Instant::now();
        if now > self.due + BEHIND {
            self.due = now;
        }
        sleep_until(self.due).await;
    }

    async fn send(&mut self, payload: Bytes, marker: bool) {
        let since = self.due.duration_since(self.began).as_nanos();
        let ticks = since * u128::from(self.clock) / 1_000_000_000;
        let header = Header {
            version: 2,
            marker,
            payload_type: self.to.payload_type,
            sequence_number: self.sequence,
            timestamp: self.base.wrapping_add(ticks as u32),
            ssrc: self.to.ssrc,
            ..Header::default()
        };
        self.sequence = self.sequence.wrapping_add(1);
        // A connection that is not up loses it, as a network does.
        let _ = self.to.track.write_rtp(Packet { header, payload }).await;
    }
}

/// Sends sound until the connection is given up; the caller ends the task.
pub async fn audio(
    clip: Arc<Audio>,
    to: Arc<Outgoing>,
    mut live: watch::Receiver<Live>,
    sent: Arc<Sent>,
) {
    let mut pace = Pace::new(to, AUDIO_CLOCK);
    loop {
        if live.wait_for(|l| l.audio).await.is_err() {
            return;
        }
        let mut begins = true;
        for packet in clip.packets.iter().cycle() {
            pace.wait().await;
            if !live.borrow().audio {
                break;
            }
            // The marker says that a stretch of talk begins (RFC 3551 §4.1).
            pace.send(packet.data.clone(), begins).await;
            sent.audio.fetch_add(1, Ordering::Relaxed);
            begins = false;
            pace.due += packet.lasts;
        }
    }
}

/// Sends the picture; `wanted` counts requests for a keyframe.
pub async fn video(
    clip: Arc<Video>,
    to: Arc<Outgoing>,
    mut live: watch::Receiver<Live>,
    mut wanted: watch::Receiver<u64>,
    sent: Arc<Sent>,
) {
    let mut pace = Pace::new(to, VIDEO_CLOCK);
    let mut picture: u16 = rand::random();
    loop {
        if live.wait_for(|l| l.video).await.is_err() {
            return;
        }
        // Whoever begins to look needs a keyframe; the first frame is one.
        let mut at = 0;
        wanted.mark_unchanged();
        loop {
            pace.wait().await;
            if !live.borrow().video {
                break;
            }
            if wanted.has_changed().unwrap_or(false) {
                wanted.mark_unchanged();
                at = clip.next_key(at);
            }
            let frame = &clip.frames[at];
            let parts = vp8::payloads(&frame.data, picture);
            let last = parts.len() - 1;
            for (i, part) in parts.into_iter().enumerate() {
                pace.send(part, i == last).await;
                sent.video.fetch_add(1, Ordering::Relaxed);
            }
            picture = picture.wrapping_add(1);
            pace.due += frame.lasts;
            at = (at + 1) % clip.frames.len();
        }
    }
}
