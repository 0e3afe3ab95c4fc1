//! The task beside one peer connection: takes its tracks, notices its silence and its end, reports its quality.
//!
//! Ends with the connection or when it is closed; reports an end exactly once. Limits: [`QUIET`], [`MediaConfig::silence`],
//! [`MediaConfig::connect_timeout`].

use crate::config::{MediaConfig, QUIET};
use crate::estimate::{Estimator, UNHEARD_US};
use crate::event::{EndReason, Kind};
use crate::incoming::Arrival;
use crate::leg::LegSink;
use crate::peer::WebRtcLeg;
use crate::tap::{Heard, Receptions};
use futures::FutureExt as _;
use rtc::rtp::Packet;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::MissedTickBehavior;
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
    pub network: Network,
}

/// What is known of the page's network.
#[derive(Default)]
pub(crate) struct Network {
    estimator: Estimator,
    /// The page reports packet by packet.
    by_packet: bool,
    /// Bytes sent when the page was last heard of.
    octets: u64,
    /// When the room was last told (µs), and what (bit/s).
    told: (u64, u32),
}

/// The room is told at most so often (µs), unless there is much less.
const TELL_US: u64 = 200_000;

/// A return is noticed within this: whoever was gone shall see the others at once.
const LISTEN: Duration = Duration::from_millis(50);

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
        let mut current = HashMap::new();
        let mut tick =
            tokio::time::interval(Duration::from_millis(500).min(self.config.silence / 4));
        let mut quality = tokio::time::interval(self.config.quality_every);
        let mut ear = tokio::time::interval(LISTEN);
        ear.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let born = Instant::now();
        let mut connected = false;
        let mut quiet = false;
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
                        let now = leg.egress.now_us();
                        let waiting = leg.egress.octets() > self.network.octets;
                        let silence = leg.port.port.silence();
                        let silent = silence >= Duration::from_micros(UNHEARD_US);
                        self.network.estimator.tick(now, waiting, silent);
                        self.tell(now);
                        if !quiet && silence >= QUIET {
                            quiet = true;
                            self.sink.on_quiet(true);
                        }
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
                _ = ear.tick(), if quiet => {
                    let Some(leg) = self.leg.upgrade() else { return };
                    if leg.port.port.silence() < QUIET {
                        quiet = false;
                        self.sink.on_quiet(false);
                        // What was lost meanwhile says nothing of the line as it is again.
                        let _ = self.measure().await;
                        quality.reset();
                    }
                }
                // A silent line has no figures: what came before the silence is no word on it.
                _ = quality.tick(), if connected && !quiet => self.report_quality().await,
            }
        };
        self.sink.on_ended(reason);
    }

    fn act(&mut self, leg: &WebRtcLeg, heard: Heard) {
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
            Heard::Arrived(report) => {
                let now = leg.egress.now_us();
                let arrivals = leg.egress.arrivals(now, &report);
                self.network.by_packet = true;
                self.network.octets = leg.egress.octets();
                self.network.estimator.heard(now, &arrivals);
                self.tell(now);
            }
            Heard::Loss { lost, of } if !self.network.by_packet => {
                let now = leg.egress.now_us();
                let octets = leg.egress.octets();
                self.network.estimator.reported(now, lost, of, octets);
                self.tell(now);
            }
            Heard::Loss { .. } => {}
            Heard::SenderReport { ssrc, ntp, rtp, at } => {
                self.sink.on_sender_report(ssrc, ntp, rtp, at);
            }
        }
    }

    fn tell(&mut self, now: u64) {
        let Some(estimate) = self.network.estimator.estimate(now) else {
            return;
        };
        let (at, before) = self.network.told;
        let much_less = estimate.bitrate < before - before / 8;
        if much_less || now.saturating_sub(at) >= TELL_US {
            self.network.told = (now, estimate.bitrate);
            self.sink.on_estimate(estimate);
        }
    }

    /// Reads a new incoming track. One per m-line: a newer one (after renegotiation) takes the place of the older.
    async fn adopt(
        &self,
        track: Arc<dyn TrackRemote>,
        readers: &mut JoinSet<()>,
        current: &mut HashMap<String, AbortHandle>,
    ) {
        let Some(leg) = self.leg.upgrade() else {
            return;
        };
        let Some(mid) = line_of(&leg, &track).await else {
            return;
        };
        let ssrc = track.ssrcs().await.first().copied().unwrap_or_default();
        leg.port.register_stream(ssrc);
        let arrival = Arrival::new(track.clone(), ssrc);
        leg.incoming.adopt(&mid, arrival.clone());
        let (sink, incoming, line) = (self.sink.clone(), leg.incoming.clone(), mid.clone());
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
                    arrival.note(last.header.ssrc);
                    // A page that changes its codec does so between two packets.
                    let same =
                        |a: &Packet, b: &Packet| a.header.payload_type == b.header.payload_type;
                    for run in together.chunk_by(same) {
                        let number = run[0].header.payload_type;
                        // What the page has not named, or no longer sends on purpose, is nobody's.
                        if let Some((lane, codec)) = incoming.lane(&line, number) {
                            sink.on_rtp(lane, codec, run);
                        }
                    }
                    together.clear();
                }
            }
        });
        if let Some(older) = current.insert(mid, reader) {
            older.abort();
        }
    }

    async fn report_quality(&mut self) {
        let worst = self.measure().await;
        if worst.any {
            let (loss_pct, jitter_ms) = ((worst.loss * 100.0).clamp(0.0, 100.0), worst.jitter_ms);
            self.sink.on_quality(
                loss_pct as f32,
                jitter_ms as f32,
                worst.rtt_ms.map(|rtt| rtt as f32),
            );
        }
    }

    /// Of both directions since it was last asked for.
    async fn measure(&mut self) -> Worst {
        let mut worst = Worst::default();
        let Some(leg) = self.leg.upgrade() else {
            return worst;
        };
        let report = leg.pc.get_stats(Instant::now(), StatsSelector::None).await;
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
        worst
    }
}

/// The m-line on which a track comes in.
async fn line_of(leg: &WebRtcLeg, track: &Arc<dyn TrackRemote>) -> Option<String> {
    for transceiver in leg.pc.get_transceivers().await {
        if let Ok(Some(receiver)) = transceiver.receiver().await
            && Arc::ptr_eq(receiver.track(), track)
        {
            return transceiver.mid().await.ok().flatten();
        }
    }
    None
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
