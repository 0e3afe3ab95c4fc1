//! One peer connection as a page makes it: this side offers, audio and video both ways and four pairs to receive; the server is
//! ICE-lite and answers with its candidates. Over UDP, or over TCP alone (RFC 6544) where datagrams are dropped.

use super::{
    measure::{Ears, Feedback},
    tap::Tap,
};
use anyhow::{Context as _, Result, anyhow};
use async_trait::async_trait;
use rtc::{
    ice::{mdns::MulticastDnsMode, network_type::NetworkType},
    interceptor::Slot,
    media_stream::MediaStreamTrack,
    peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MIME_TYPE_VP8},
    rtp_transceiver::{
        RTCRtpTransceiverDirection, RTCRtpTransceiverInit,
        rtp_sender::{
            RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
            RtpCodecKind,
        },
    },
};
use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::watch;
use webrtc::{
    media_stream::{
        track_local::{TrackLocal, static_rtp::TrackLocalStaticRTP},
        track_remote::{TrackRemote, TrackRemoteEvent},
    },
    peer_connection::{
        MediaEngine as Codecs, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler,
        RTCConfigurationBuilder, RTCIceCandidateInit, RTCIceGatheringState, RTCPeerConnectionState,
        RTCSessionDescription, Registry, SettingEngineBuilder, configure_nack,
        configure_rtcp_reports,
    },
    runtime::TokioRuntime,
};

/// Pairs of lines for others; a room holds six members.
const RECEIVE_PAIRS: usize = 4;
/// Own addresses are found at once; nothing is asked of anybody.
const GATHER: Duration = Duration::from_secs(5);
pub const OPUS: u8 = 111;
pub const VP8: u8 = 96;
/// After the other parts of the chain.
const TAP: usize = 14_000;

/// What is shared with every connection of one call.
#[derive(Clone, Default)]
pub struct Shared {
    pub ears: Arc<Mutex<Ears>>,
    pub feedback: Arc<Mutex<Feedback>>,
}

/// One outgoing stream.
pub struct Outgoing {
    pub ssrc: u32,
    pub payload_type: u8,
    pub track: Arc<TrackLocalStaticRTP>,
}

pub struct Peer {
    pc: Arc<dyn PeerConnection>,
    gathered: watch::Receiver<bool>,
    pub state: watch::Receiver<RTCPeerConnectionState>,
    /// Requests for a keyframe so far.
    pub wanted: watch::Receiver<u64>,
    pub audio: Arc<Outgoing>,
    pub video: Arc<Outgoing>,
    tcp: bool,
}

struct Handler {
    gathered: watch::Sender<bool>,
    state: watch::Sender<RTCPeerConnectionState>,
    ears: Arc<Mutex<Ears>>,
}

#[async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        self.gathered
            .send_replace(state == RTCIceGatheringState::Complete);
    }
    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.state.send_replace(state);
    }
    /// Runs on the driver's task, so the work is done elsewhere; the task ends with the track.
    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        tokio::spawn(listen(track, self.ears.clone()));
    }
}

async fn listen(track: Arc<dyn TrackRemote>, ears: Arc<Mutex<Ears>>) {
    let is_audio = track.kind().await == RtpCodecKind::Audio;
    while let Some(event) = track.poll().await {
        let TrackRemoteEvent::OnRtpPacket(p) = event else {
            continue;
        };
        let (at, h) = (Instant::now(), &p.header);
        let mut ears = ears.lock().unwrap_or_else(PoisonError::into_inner);
        if is_audio {
            ears.audio(at, h.ssrc, h.sequence_number, h.timestamp);
        } else {
            let numbers = (h.sequence_number, h.timestamp, h.marker);
            ears.video(at, h.ssrc, numbers, &p.payload);
        }
    }
}

fn codec(kind: RtpCodecKind) -> RTCRtpCodec {
    let (mime, clock_rate, channels, fmtp) = if kind == RtpCodecKind::Audio {
        (MIME_TYPE_OPUS, 48_000, 2, "minptime=10;useinbandfec=1")
    } else {
        (MIME_TYPE_VP8, 90_000, 0, "")
    };
    RTCRtpCodec {
        mime_type: mime.into(),
        clock_rate,
        channels,
        sdp_fmtp_line: fmtp.into(),
        rtcp_feedback: vec![],
    }
}

fn outgoing(kind: RtpCodecKind, payload_type: u8) -> Arc<Outgoing> {
    let ssrc = rand::random_range(1..=u32::MAX);
    let coding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters {
            ssrc: Some(ssrc),
            ..Default::default()
        },
        codec: codec(kind),
        ..Default::default()
    };
    let id = format!("{kind}-{ssrc:08x}");
    let track = MediaStreamTrack::new("call".into(), id.clone(), id, kind, vec![coding]);
    Arc::new(Outgoing {
        ssrc,
        payload_type,
        track: Arc::new(TrackLocalStaticRTP::new(track)),
    })
}

impl Peer {
    /// `bind`: the own address that the server is reached from.
    pub async fn new(bind: IpAddr, tcp: bool, shared: &Shared) -> Result<Self> {
        let mut codecs = Codecs::default();
        for (kind, payload_type) in [(RtpCodecKind::Audio, OPUS), (RtpCodecKind::Video, VP8)] {
            let rtp_codec = codec(kind);
            codecs.register_codec(
                RTCRtpCodecParameters {
                    rtp_codec,
                    payload_type,
                },
                kind,
            )?;
        }
        let (audio, video) = (
            outgoing(RtpCodecKind::Audio, OPUS),
            outgoing(RtpCodecKind::Video, VP8),
        );
        let (wanted_tx, wanted) = watch::channel(0);
        let ours = [audio.ssrc, video.ssrc];
        let chain = configure_nack(Registry::new(), &mut codecs);
        let chain = configure_rtcp_reports(chain).with(
            Slot::from(TAP),
            Tap::new(wanted_tx, shared.feedback.clone(), ours),
        );
        let settings = SettingEngineBuilder::new()
            .with_include_loopback_candidate(true)
            .with_multicast_dns_mode(MulticastDnsMode::Disabled)
            .with_network_types(vec![NetworkType::Udp4, NetworkType::Tcp4])
            .build();
        let (gathered_tx, gathered) = watch::channel(false);
        let (state_tx, state) = watch::channel(RTCPeerConnectionState::New);
        let any_port = vec![format!("{bind}:0")];
        let mut builder = PeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_media_engine(codecs)
            .with_setting_engine(settings)
            .with_interceptor_registry(chain)
            .with_handler(Arc::new(Handler {
                gathered: gathered_tx,
                state: state_tx,
                ears: shared.ears.clone(),
            }))
            .with_runtime(Arc::new(TokioRuntime))
            .with_udp_addrs(any_port.clone());
        if tcp {
            builder = builder.with_tcp_addrs(any_port);
        }
        let pc: Arc<dyn PeerConnection> = Arc::new(Box::pin(builder.build()).await?);
        for one in [&audio, &video] {
            pc.add_transceiver_from_track(one.track.clone() as Arc<dyn TrackLocal>, None)
                .await?;
        }
        for _ in 0..RECEIVE_PAIRS {
            for kind in [RtpCodecKind::Audio, RtpCodecKind::Video] {
                let init = RTCRtpTransceiverInit {
                    direction: RTCRtpTransceiverDirection::Recvonly,
                    streams: vec![],
                    send_encodings: vec![],
                };
                pc.add_transceiver_from_kind(kind, Some(init)).await?;
            }
        }
        Ok(Self {
            pc,
            gathered,
            state,
            wanted,
            audio,
            video,
            tcp,
        })
    }

    /// The offer, with all own candidates in it.
    pub async fn offer(&mut self) -> Result<String> {
        let offer = self.pc.create_offer(None).await?;
        self.pc.set_local_description(offer).await?;
        tokio::time::timeout(GATHER, self.gathered.wait_for(|done| *done))
            .await
            .context("no own addresses were found")??;
        let whole = self.pc.local_description().await;
        Ok(whole.ok_or_else(|| anyhow!("no offer"))?.sdp)
    }

    /// Takes the server's answer; from here on it connects by itself.
    pub async fn answer(&self, sdp: &str) -> Result<()> {
        let (kept, trickled) = candidates(sdp, self.tcp);
        self.pc
            .set_remote_description(RTCSessionDescription::answer(kept)?)
            .await?;
        if self.tcp && trickled.is_empty() {
            return Err(anyhow!("the server offers no TCP"));
        }
        for candidate in trickled {
            let init = RTCIceCandidateInit {
                candidate,
                sdp_mid: Some("0".into()),
                ..Default::default()
            };
            self.pc.add_ice_candidate(init).await?;
        }
        Ok(())
    }

    /// Says goodbye.
    pub async fn close(&self) {
        let _ = self.pc.close().await;
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The driver outlives a dropped connection; closing twice is harmless.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let pc = self.pc.clone();
            runtime.spawn(async move { pc.close().await });
        }
    }
}

/// The answer without its TCP candidates, which the library connects to only when they are trickled; over TCP alone it is the
/// UDP candidates that go, and the others that are trickled.
fn candidates(sdp: &str, tcp: bool) -> (String, Vec<String>) {
    let (mut kept, mut trickled) = (String::new(), Vec::new());
    for line in sdp.lines().map(str::trim_end) {
        let of_tcp = line.strip_prefix("a=candidate:").map(|c| {
            c.split(' ')
                .nth(2)
                .is_some_and(|t| t.eq_ignore_ascii_case("tcp"))
        });
        match of_tcp {
            Some(true) => {
                let passive = line.contains("tcptype passive");
                let candidate = line.trim_start_matches("a=").to_owned();
                if tcp && passive && !trickled.contains(&candidate) {
                    trickled.push(candidate);
                }
            }
            Some(false) if tcp => {}
            _ => {
                kept.push_str(line);
                kept.push_str("\r\n");
            }
        }
    }
    (kept, trickled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_for_one_transport() {
        let sdp = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=candidate:1 1 udp 2130706431 127.0.0.1 8443 typ host\r\n\
                   a=candidate:2 1 tcp 1671430143 127.0.0.1 8443 typ host tcptype passive\r\na=mid:0\r\n\
                   m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=candidate:2 1 tcp 1671430143 127.0.0.1 8443 typ host tcptype passive\r\n";
        let (udp, none) = candidates(sdp, false);
        assert!(udp.contains(" udp ") && !udp.contains(" tcp ") && none.is_empty());
        let (tcp, trickled) = candidates(sdp, true);
        assert!(!tcp.contains(" udp ") && !tcp.contains(" tcp ") && tcp.contains("a=mid:0"));
        assert_eq!(trickled.len(), 1);
        assert!(trickled[0].starts_with("candidate:2 1 tcp"));
    }
}
