//! The task beside one peer connection: takes its tracks, notices its end, reports its quality.
//!
//! Ends with the connection or when it is closed; reports an end exactly once. Limits: [`MediaConfig::silence`],
//! [`MediaConfig::connect_timeout`].

use crate::config::MediaConfig;
use crate::event::{EndReason, Kind};
use crate::leg::LegSink;
use crate::peer::{VideoIn, WebRtcLeg};
use crate::tap::{Heard, Receptions};
use futures::FutureExt as _;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{RTCPeerConnectionState, RTCStatsReportEntry, StatsSelector};

/// Watches one connection until it ends or is closed.
pub(crate) struct Watcher {
    pub leg: Weak<WebRtcLeg>,
    pub sink: Arc<dyn LegSink>,
    pub config: MediaConfig,
    pub receptions: Receptions,
    /// Received and lost packets per SSRC at the last report.
    pub counts: HashMap<u32, (u64, i64)>,
}

/// Packets of one track that are passed on at once.
const TOGETHER: usize = 32;

impl Watcher {
    pub(crate) async fn run(
        mut self,
        mut state: watch::Receiver<RTCPeerConnectionState>,
        mut tracks: mpsc::Receiver<Arc<dyn TrackRemote>>,
        mut heard: mpsc::Receiver<Heard>,
        mut closing: watch::Receiver<bool>,
    ) {
        let mut readers = JoinSet::new();
        let mut current: [Option<AbortHandle>; 2] = [None, None];
        let mut tick =
            tokio::time::interval(Duration::from_millis(500).min(self.config.silence / 4));
        let mut quality = tokio::time::interval(self.config.quality_every);
        let born = Instant::now();
        let mut connected = false;
        let reason = loop {
            tokio::select! {
                biased;
                _ = closing.changed() => return, // closed, or dropped without it
                changed = state.changed() => {
                    if changed.is_err() {
                        break EndReason::Failed; // the driver is gone
                    }
                    let now = *state.borrow_and_update();
                    match now {
                        RTCPeerConnectionState::Connected if !connected => {
                            connected = true;
                            self.sink.on_connected();
                        }
                        RTCPeerConnectionState::Failed => break EndReason::Failed,
                        RTCPeerConnectionState::Closed => break EndReason::Closed,
                        // Disconnected is the library's five seconds of silence; ours decides.
                        _ => {}
                    }
                }
                Some(track) = tracks.recv() => self.adopt(track, &mut readers, &mut current).await,
                Some(heard) = heard.recv() => {
                    let Some(leg) = self.leg.upgrade() else { return };
                    self.act(&leg, heard);
                }
                _ = tick.tick() => {
                    let Some(leg) = self.leg.upgrade() else { return };
                    if connected {
                        self.sink.on_report_due();
                    }
                    if !leg.port.port.is_driven() {
                        tracing::error!("a connection's driver ended by itself");
                        break EndReason::Failed;
                    }
                    if connected && leg.port.port.silence() >= self.config.silence {
                        break EndReason::Silent;
                    }
                    if connected && leg.dtls_closed().await {
                        break EndReason::Closed;
                    }
                    if !connected && born.elapsed() >= self.config.connect_timeout {
                        break EndReason::NeverConnected;
                    }
                }
                _ = quality.tick(), if connected => self.report_quality().await,
            }
        };
        self.sink.on_ended(reason);
    }

    fn act(&self, leg: &WebRtcLeg, heard: Heard) {
        let slot = |ssrc: u32| leg.read_slots(|slots| slots.iter().position(|s| s.ssrc == ssrc));
        match heard {
            Heard::Keyframe(ssrc) => {
                if let Some(slot) = slot(ssrc) {
                    self.sink.on_keyframe_wanted(slot);
                }
            }
            Heard::Lost(ssrc, sequences) => {
                if let Some(slot) = slot(ssrc) {
                    self.sink.on_lost(slot, &sequences);
                }
            }
            Heard::SenderReport { ssrc, ntp, rtp, at } => {
                self.sink.on_sender_report(ssrc, ntp, rtp, at);
            }
        }
    }

    /// Reads a new incoming track. One per kind: a newer one (after renegotiation) takes the place of the older.
    async fn adopt(
        &self,
        track: Arc<dyn TrackRemote>,
        readers: &mut JoinSet<()>,
        current: &mut [Option<AbortHandle>; 2],
    ) {
        let Some(leg) = self.leg.upgrade() else {
            return;
        };
        let kind = match track.kind().await {
            RtpCodecKind::Audio => Kind::Audio,
            RtpCodecKind::Video => Kind::Video,
            _ => return,
        };
        let ssrc = track.ssrcs().await.first().copied().unwrap_or_default();
        let video = Arc::new(VideoIn {
            track: track.clone(),
            ssrc: AtomicU32::new(ssrc),
        });
        if kind == Kind::Video {
            *leg.video.write().unwrap_or_else(PoisonError::into_inner) = Some(video.clone());
        }
        let sink = self.sink.clone();
        let reader = readers.spawn(async move {
            let mut together = Vec::with_capacity(TOGETHER);
            while let Some(event) = track.poll().await {
                let mut next = Some(event);
                // What has come already leaves together: a frame is several packets.
                while let Some(event) = next.take() {
                    if let TrackRemoteEvent::OnRtpPacket(packet) = event {
                        together.push(packet);
                    }
                    if together.len() < TOGETHER {
                        next = track.poll().now_or_never().flatten();
                    }
                }
                if let Some(last) = together.last() {
                    let ssrc = last.header.ssrc;
                    if video.ssrc.load(Ordering::Relaxed) != ssrc {
                        video.ssrc.store(ssrc, Ordering::Relaxed);
                    }
                    sink.on_rtp(kind, &together);
                    together.clear();
                }
            }
        });
        if let Some(older) = current[kind as usize].replace(reader) {
            older.abort();
        }
    }

    async fn report_quality(&mut self) {
        let Some(leg) = self.leg.upgrade() else {
            return;
        };
        let report = leg.pc.get_stats(Instant::now(), StatsSelector::None).await;
        let mut worst = Worst::default();
        for entry in report.iter() {
            let RTCStatsReportEntry::InboundRtp(inbound) = entry else {
                continue;
            };
            let s = &inbound.received_rtp_stream_stats;
            let now = (s.packets_received, s.packets_lost);
            let before = self
                .counts
                .insert(s.rtp_stream_stats.ssrc, now)
                .unwrap_or_default();
            let received = now.0.saturating_sub(before.0) as f64;
            let lost = (now.1 - before.1).max(0) as f64;
            if received + lost > 0.0 {
                let kind = if s.rtp_stream_stats.kind == RtpCodecKind::Audio {
                    Kind::Audio
                } else {
                    Kind::Video
                };
                // The library reports jitter in units of the RTP clock, not in seconds.
                worst.add(lost / (received + lost), s.jitter, kind);
            }
        }
        let receptions = std::mem::take(
            &mut *self
                .receptions
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for reception in receptions {
            let kind = leg.read_slots(|slots| {
                slots
                    .iter()
                    .find(|s| s.ssrc == reception.ssrc)
                    .map(|s| s.kind)
            });
            if let Some(kind) = kind {
                worst.add(reception.loss, f64::from(reception.jitter), kind);
                worst.rtt_ms = reception
                    .rtt_ms
                    .into_iter()
                    .chain(worst.rtt_ms)
                    .reduce(f64::max);
            }
        }
        if worst.any {
            let (loss_pct, jitter_ms) = ((worst.loss * 100.0).clamp(0.0, 100.0), worst.jitter_ms);
            self.sink.on_quality(
                loss_pct as f32,
                jitter_ms as f32,
                worst.rtt_ms.map(|rtt| rtt as f32),
            );
        }
    }
}

/// The worst of both directions over one period.
#[derive(Default)]
struct Worst {
    any: bool,
    loss: f64,
    jitter_ms: f64,
    rtt_ms: Option<f64>,
}

impl Worst {
    fn add(&mut self, loss: f64, jitter: f64, kind: Kind) {
        self.any = true;
        self.loss = self.loss.max(loss);
        self.jitter_ms = self
            .jitter_ms
            .max(jitter * 1_000.0 / f64::from(kind.clock_rate()));
    }
}
