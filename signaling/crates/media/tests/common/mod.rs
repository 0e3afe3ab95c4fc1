//! A real WebRTC client in process: full ICE, sends VP8 and Opus at a steady pace, notes what it receives, can vanish.
#![allow(clippy::unwrap_used, dead_code)]

use async_trait::async_trait;
use bytes::Bytes;
use media::{Engine, Kind, MediaConfig, MediaEngine, MediaEvent, MemberRole, Slot};
use rtc::ice::mdns::MulticastDnsMode;
use rtc::ice::network_type::NetworkType;
use rtc::interceptor::Slot as ChainSlot;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::RTCOfferOptions;
use rtc::rtp::{Header, Packet};
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
    RtpCodecKind,
};
use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::*;
use webrtc::runtime::TokioRuntime;

mod net;
use net::{CutRuntime, PliCounter};

/// Longest that any step may take on a busy box.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub async fn start(config: MediaConfig) -> (Arc<MediaEngine>, Events) {
    let engine = MediaEngine::start(config).await.unwrap();
    let rx = engine.events().unwrap();
    (
        engine,
        Events {
            rx,
            seen: Vec::new(),
        },
    )
}

/// The event stream; skipped events stay to be asked for.
pub struct Events {
    rx: mpsc::Receiver<MediaEvent>,
    pub seen: Vec<MediaEvent>,
}

impl Events {
    pub async fn wait(&mut self, what: impl Fn(&MediaEvent) -> bool) -> MediaEvent {
        if let Some(at) = self.seen.iter().position(&what) {
            return self.seen.remove(at);
        }
        tokio::time::timeout(PATIENCE, async {
            loop {
                let event = self.rx.recv().await.unwrap();
                if what(&event) {
                    return event;
                }
                self.seen.push(event);
            }
        })
        .await
        .unwrap_or_else(|_| panic!("event did not come; seen {:?}", self.seen))
    }

    pub async fn connected(&mut self, who: &str) {
        self.wait(|e| matches!(e, MediaEvent::Connected { member, .. } if member == who))
            .await;
    }

    pub async fn ended(&mut self, who: &str) -> media::EndReason {
        match self
            .wait(|e| matches!(e, MediaEvent::Disconnected { member, .. } if member == who))
            .await
        {
            MediaEvent::Disconnected { reason, .. } => reason,
            other => panic!("{other:?}"),
        }
    }

    /// The map of a member once it names somebody.
    pub async fn slots(&mut self, who: &str, of: &str) -> Vec<Slot> {
        let event = self
            .wait(|e| matches!(e, MediaEvent::Slots { member, slots, .. } if member == who && slots.iter().any(|s| s.member == of)))
            .await;
        match event {
            MediaEvent::Slots { slots, .. } => slots,
            other => panic!("{other:?}"),
        }
    }
}

/// One packet that arrived.
#[derive(Clone)]
pub struct Got {
    pub mid: String,
    pub kind: Kind,
    pub packet: Packet,
}

#[derive(Default)]
struct Inbox {
    got: Mutex<Vec<Got>>,
    arrived: Notify,
    mids: Mutex<HashMap<u32, String>>,
}

pub struct Client {
    pub pc: Arc<dyn PeerConnection>,
    inbox: Arc<Inbox>,
    gathered: watch::Receiver<bool>,
    pub state: watch::Receiver<RTCPeerConnectionState>,
    pub plis: Arc<AtomicUsize>,
    pub cut: Arc<AtomicBool>,
    pub lose_every: Arc<AtomicUsize>,
    pub sending: Arc<AtomicBool>,
    /// An encoder that gives a keyframe when asked; off: it never does.
    pub keyframes: Arc<AtomicBool>,
    /// Bytes added to each video packet.
    pub padding: Arc<AtomicUsize>,
    sender: Option<tokio::task::JoinHandle<()>>,
    mark: u8,
    tcp: bool,
}

struct Handler {
    gathered: watch::Sender<bool>,
    state: watch::Sender<RTCPeerConnectionState>,
    inbox: Arc<Inbox>,
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
    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let inbox = self.inbox.clone();
        tokio::spawn(async move {
            let kind = if track.kind().await == RtpCodecKind::Audio {
                Kind::Audio
            } else {
                Kind::Video
            };
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(packet) = event {
                    let mid = inbox
                        .mids
                        .lock()
                        .unwrap()
                        .get(&packet.header.ssrc)
                        .cloned()
                        .unwrap_or_default();
                    inbox.got.lock().unwrap().push(Got { mid, kind, packet });
                    inbox.arrived.notify_waiters();
                }
            }
        });
    }
}

fn codec(kind: RtpCodecKind) -> RTCRtpCodec {
    let (mime, clock_rate, channels) = if kind == RtpCodecKind::Audio {
        ("audio/opus", 48_000, 2)
    } else {
        ("video/VP8", 90_000, 0)
    };
    RTCRtpCodec {
        mime_type: mime.into(),
        clock_rate,
        channels,
        sdp_fmtp_line: String::new(),
        rtcp_feedback: vec![],
    }
}

fn track(kind: RtpCodecKind, ssrc: u32) -> Arc<TrackLocalStaticRTP> {
    let coding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters {
            ssrc: Some(ssrc),
            ..Default::default()
        },
        codec: codec(kind),
        ..Default::default()
    };
    let id = format!("{kind}-{ssrc}");
    Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
        "me".into(),
        id.clone(),
        id,
        kind,
        vec![coding],
    )))
}

impl Client {
    /// `mark` is written into every payload so that receivers can tell whose it is.
    pub async fn new(mark: u8, tcp: bool) -> Self {
        Box::pin(Self::with_addr(mark, tcp, "127.0.0.1:0")).await
    }

    pub async fn with_addr(mark: u8, tcp: bool, bind: &str) -> Self {
        let mut codecs = webrtc::peer_connection::MediaEngine::default();
        // Other payload types than the server's own: they are rewritten per connection.
        for (kind, payload_type) in [
            (RtpCodecKind::Audio, 100 + mark % 4),
            (RtpCodecKind::Video, 120 + mark % 4),
        ] {
            codecs
                .register_codec(
                    RTCRtpCodecParameters {
                        rtp_codec: codec(kind),
                        payload_type,
                    },
                    kind,
                )
                .unwrap();
        }
        let plis = Arc::new(AtomicUsize::new(0));
        let chain = configure_nack(Registry::new(), &mut codecs);
        let chain = configure_rtcp_reports(chain);
        let chain = chain.with(ChainSlot::from(14_000), PliCounter::new(plis.clone()));
        let settings = SettingEngineBuilder::new()
            .with_include_loopback_candidate(true)
            .with_multicast_dns_mode(MulticastDnsMode::Disabled)
            .with_network_types(vec![NetworkType::Udp4, NetworkType::Tcp4])
            .build();
        let inbox = Arc::<Inbox>::default();
        let (gathered_tx, gathered) = watch::channel(false);
        let (state_tx, state) = watch::channel(RTCPeerConnectionState::New);
        let cut = Arc::new(AtomicBool::new(false));
        let lose_every = Arc::<AtomicUsize>::default();
        let mut builder = PeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_media_engine(codecs)
            .with_setting_engine(settings)
            .with_interceptor_registry(chain)
            .with_handler(Arc::new(Handler {
                gathered: gathered_tx,
                state: state_tx,
                inbox: inbox.clone(),
            }))
            .with_runtime(Arc::new(CutRuntime {
                inner: TokioRuntime,
                cut: cut.clone(),
                lose_every: lose_every.clone(),
            }))
            .with_udp_addrs(vec![bind.to_owned()]);
        if tcp {
            builder = builder.with_tcp_addrs(vec![bind.to_owned()]);
        }
        let pc: Arc<dyn PeerConnection> = Arc::new(Box::pin(builder.build()).await.unwrap());
        let seed = u32::from(mark) * 1_000 + rand::random_range(1..1_000);
        let (audio, video) = (
            track(RtpCodecKind::Audio, seed),
            track(RtpCodecKind::Video, seed + 500_000),
        );
        for track in [&audio, &video] {
            pc.add_transceiver_from_track(track.clone() as Arc<dyn TrackLocal>, None)
                .await
                .unwrap();
        }
        for _ in 0..4 {
            for kind in [RtpCodecKind::Audio, RtpCodecKind::Video] {
                let init = RTCRtpTransceiverInit {
                    direction: RTCRtpTransceiverDirection::Recvonly,
                    streams: vec![],
                    send_encodings: vec![],
                };
                pc.add_transceiver_from_kind(kind, Some(init))
                    .await
                    .unwrap();
            }
        }
        let sending = Arc::new(AtomicBool::new(true));
        let keyframes = Arc::new(AtomicBool::new(true));
        let padding = Arc::<AtomicUsize>::default();
        let mut client = Self {
            pc,
            inbox,
            gathered,
            state,
            plis,
            cut,
            lose_every,
            sending: sending.clone(),
            keyframes: keyframes.clone(),
            padding: padding.clone(),
            sender: None,
            mark,
            tcp,
        };
        client.sender = Some(tokio::spawn(send(
            audio,
            video,
            seed,
            mark,
            Source {
                plis: client.plis.clone(),
                sending,
                keyframes,
                padding,
            },
        )));
        client
    }

    pub async fn offer_sdp(&mut self, restart: bool) -> String {
        let options = restart.then_some(RTCOfferOptions { ice_restart: true });
        let offer = self.pc.create_offer(options).await.unwrap();
        self.pc.set_local_description(offer).await.unwrap();
        tokio::time::timeout(PATIENCE, self.gathered.wait_for(|done| *done))
            .await
            .unwrap()
            .unwrap();
        self.pc.local_description().await.unwrap().sdp
    }

    pub async fn join(&mut self, engine: &MediaEngine, room: &str, member: &str, role: MemberRole) {
        self.negotiate(engine, room, member, role, false).await;
    }

    pub async fn negotiate(
        &mut self,
        engine: &MediaEngine,
        room: &str,
        member: &str,
        role: MemberRole,
        restart: bool,
    ) {
        let sdp = self.offer_sdp(restart).await;
        let answer = engine.offer(room, member, role, &sdp).await.unwrap();
        self.accept(&answer).await;
    }

    /// Takes the server's answer.
    pub async fn accept(&mut self, answer: &str) {
        let mut mid = String::new();
        for line in answer.lines() {
            if let Some(m) = line.strip_prefix("a=mid:") {
                mid = m.to_owned();
            } else if let Some(rest) = line.strip_prefix("a=ssrc:") {
                let ssrc = rest.split(' ').next().unwrap().parse().unwrap();
                self.inbox.mids.lock().unwrap().insert(ssrc, mid.clone());
            }
        }
        let passive: Vec<&str> = answer
            .lines()
            .filter_map(|l| {
                l.strip_prefix("a=")
                    .filter(|c| c.contains("tcptype passive"))
            })
            .collect();
        let description: String = answer
            .lines()
            .filter(|l| !l.contains(" tcp "))
            .map(|l| format!("{l}\r\n"))
            .collect();
        self.pc
            .set_remote_description(RTCSessionDescription::answer(description).unwrap())
            .await
            .unwrap();
        if self.tcp {
            // The library connects to passive candidates only when they are trickled.
            let candidate = passive.first().expect("a TCP candidate").to_string();
            let init = RTCIceCandidateInit {
                candidate,
                sdp_mid: Some("0".into()),
                ..Default::default()
            };
            self.pc.add_ice_candidate(init).await.unwrap();
        }
    }

    pub fn received(&self) -> Vec<Got> {
        self.inbox.got.lock().unwrap().clone()
    }

    pub fn forget(&self) {
        self.inbox.got.lock().unwrap().clear();
    }

    /// Waits until `enough` holds for what has arrived.
    pub async fn until(&self, what: &str, enough: impl Fn(&[Got]) -> bool) -> Vec<Got> {
        tokio::time::timeout(PATIENCE, async {
            loop {
                let arrived = self.inbox.arrived.notified();
                tokio::pin!(arrived);
                arrived.as_mut().enable();
                let got = self.received();
                if enough(&got) {
                    return got;
                }
                arrived.await;
            }
        })
        .await
        .unwrap_or_else(|_| {
            panic!(
                "{what}: {} packets, state {}",
                self.received().len(),
                *self.state.borrow()
            )
        })
    }

    /// Waits for `n` packets of each kind from the sender with this mark.
    pub async fn hears(&self, mark: u8, n: usize) -> Vec<Got> {
        let of = move |g: &Got, kind| g.kind == kind && g.packet.payload.last() == Some(&mark);
        self.until(&format!("media of {mark} at {}", self.mark), move |got| {
            [Kind::Audio, Kind::Video]
                .iter()
                .all(|k| got.iter().filter(|g| of(g, *k)).count() >= n)
        })
        .await
    }

    /// Goodbye as a page says it.
    pub async fn close(mut self) {
        if let Some(task) = self.sender.take() {
            task.abort();
        }
        self.pc.close().await.unwrap();
    }

    /// The network is gone: nothing leaves, nothing arrives, no goodbye.
    pub fn vanish(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(task) = self.sender.take() {
            task.abort();
        }
    }
}

/// How the encoder behaves.
struct Source {
    plis: Arc<AtomicUsize>,
    sending: Arc<AtomicBool>,
    keyframes: Arc<AtomicBool>,
    padding: Arc<AtomicUsize>,
}

/// Audio every 20 ms, a video packet every 33 ms; a keyframe first and whenever one was asked for.
async fn send(
    audio: Arc<TrackLocalStaticRTP>,
    video: Arc<TrackLocalStaticRTP>,
    ssrc: u32,
    mark: u8,
    of: Source,
) {
    let (mut n, mut served) = (0u16, usize::MAX);
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let began = std::time::Instant::now();
    loop {
        pace.tick().await;
        // Timestamps of the moment of capture, as an encoder's: sender reports say nothing true of others.
        let ms = began.elapsed().as_millis() as u32;
        if !of.sending.load(Ordering::SeqCst) {
            continue;
        }
        n = n.wrapping_add(1);
        let number = n.to_be_bytes();
        let header = |payload_type, ssrc, timestamp| Header {
            version: 2,
            payload_type,
            ssrc,
            timestamp,
            sequence_number: n,
            marker: true,
            ..Header::default()
        };
        let opus = Packet {
            header: header(100 + mark % 4, ssrc, ms * 48),
            payload: Bytes::from(vec![0xfc, number[0], number[1], mark]),
        };
        let _ = audio.write_rtp(opus).await;
        let asked = of.plis.load(Ordering::SeqCst);
        // Headers as an encoder writes them (RFC 7741, RFC 6386 §9.1): the descriptor, then a keyframe of 640×480 or not.
        let mut payload = if asked != served && of.keyframes.load(Ordering::SeqCst) {
            vec![0x10, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01]
        } else {
            vec![0x10, 0x11, 0, 0]
        };
        payload.resize(payload.len() + of.padding.load(Ordering::SeqCst), 0);
        payload.extend([number[0], number[1], mark]);
        served = asked;
        let vp8 = Packet {
            header: header(120 + mark % 4, ssrc + 500_000, ms * 90),
            payload: Bytes::from(payload),
        };
        let _ = video.write_rtp(vp8).await;
    }
}
