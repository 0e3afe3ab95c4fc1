//! A real WebRTC client in process: full ICE, sends VP8 or H.264 and Opus at a steady pace, a second picture on demand, notes what it
//! receives, can vanish.
#![allow(clippy::unwrap_used, dead_code)]

use async_trait::async_trait;
use bytes::Bytes;
use media::record::Codec;
use media::{
    Engine, Kind, MediaConfig, MediaEngine, MediaError, MediaEvent, MemberRole, SentTrack, Slot,
};
use rtc::ice::mdns::MulticastDnsMode;
use rtc::ice::network_type::NetworkType;
use rtc::interceptor::Slot as ChainSlot;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::RTCOfferOptions;
use rtc::rtp::{Header, Packet};
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
    RTCRtpRtxParameters, RtpCodecKind,
};
use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::*;
use webrtc::rtp_transceiver::RtpTransceiver;
use webrtc::runtime::TokioRuntime;

pub mod link;
mod net;
use net::{CutRuntime, PliCounter, Plis};

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

    /// What has happened is of no interest. The engine takes no offers while too much of it waits.
    pub fn forget(&mut self) {
        self.seen.clear();
        while self.rx.try_recv().is_ok() {}
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
    /// The most that the engine last asked for (bit/s); 0: it never did.
    pub cap: Arc<AtomicUsize>,
    /// Packets that came on streams of repetitions.
    pub repeated: Arc<AtomicUsize>,
    by_ssrc: Plis,
    pub cut: Arc<AtomicBool>,
    pub lose_every: Arc<AtomicUsize>,
    pub sending: Arc<AtomicBool>,
    /// An encoder that gives a keyframe when asked; off: it never does.
    pub keyframes: Arc<AtomicBool>,
    /// Bytes added to each packet of the picture.
    pub weight: Arc<AtomicUsize>,
    /// Port of a relay to reach the engine by, and the engine's own.
    pub via: Option<(u16, u16)>,
    sender: Option<tokio::task::JoinHandle<()>>,
    /// The second picture: its line and the task that sends it.
    document: Option<(Arc<dyn RtpTransceiver>, tokio::task::JoinHandle<()>)>,
    /// Payload type of the picture: what the last answer named first.
    number: Arc<AtomicU8>,
    seed: u32,
    video: Vec<RTCRtpCodecParameters>,
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

fn codec(codec: Codec) -> RTCRtpCodec {
    let (mime, clock_rate, channels) = match codec {
        Codec::Opus => ("audio/opus", 48_000, 2),
        Codec::Vp8 => ("video/VP8", 90_000, 0),
        Codec::H264 => ("video/H264", 90_000, 0),
    };
    let parameters = match codec {
        Codec::H264 => "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
        Codec::Opus | Codec::Vp8 => "",
    };
    RTCRtpCodec {
        mime_type: mime.into(),
        clock_rate,
        channels,
        sdp_fmtp_line: parameters.into(),
        rtcp_feedback: vec![],
    }
}

/// Other payload types than the server's own, and than other clients': they are rewritten per connection.
pub fn number_of(of: Codec, mark: u8) -> u8 {
    mark % 4
        + match of {
            Codec::Opus => 100,
            Codec::Vp8 => 120,
            Codec::H264 => 108,
        }
}

fn track(of: Codec, ssrc: u32, modern: bool) -> Arc<TrackLocalStaticRTP> {
    let kind = match of {
        Codec::Opus => RtpCodecKind::Audio,
        Codec::Vp8 | Codec::H264 => RtpCodecKind::Video,
    };
    let repeated = modern && kind == RtpCodecKind::Video;
    let coding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters {
            ssrc: Some(ssrc),
            rtx: repeated.then_some(RTCRtpRtxParameters { ssrc: ssrc + 1 }),
            ..Default::default()
        },
        codec: codec(of),
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

    /// One that knows repetitions on their own stream (RFC 4588) and reports packet by packet, as browsers do.
    pub async fn modern(mark: u8) -> Self {
        Box::pin(Self::with(mark, false, "127.0.0.1:0", &[Codec::Vp8], true)).await
    }

    pub async fn with_addr(mark: u8, tcp: bool, bind: &str) -> Self {
        Box::pin(Self::with(mark, tcp, bind, &[Codec::Vp8], false)).await
    }

    /// One that knows these codecs for pictures, the preferred first.
    pub async fn knowing(mark: u8, video: &[Codec]) -> Self {
        Box::pin(Self::with(mark, false, "127.0.0.1:0", video, false)).await
    }

    async fn with(mark: u8, tcp: bool, bind: &str, video: &[Codec], modern: bool) -> Self {
        let mut codecs = webrtc::peer_connection::MediaEngine::default();
        let parameters = |of: &Codec| RTCRtpCodecParameters {
            rtp_codec: codec(*of),
            payload_type: number_of(*of, mark),
        };
        codecs
            .register_codec(parameters(&Codec::Opus), RtpCodecKind::Audio)
            .unwrap();
        for of in video {
            codecs
                .register_codec(parameters(of), RtpCodecKind::Video)
                .unwrap();
        }
        if modern {
            let rtx = RTCRtpCodec {
                mime_type: "video/rtx".into(),
                sdp_fmtp_line: format!("apt={}", number_of(Codec::Vp8, mark)),
                ..codec(Codec::Vp8)
            };
            let parameters = RTCRtpCodecParameters {
                rtp_codec: rtx,
                payload_type: 124 + mark % 4,
            };
            codecs
                .register_codec(parameters, RtpCodecKind::Video)
                .unwrap();
        }
        let plis = Plis::default();
        let cap = Arc::<AtomicUsize>::default();
        let repeated = Arc::<AtomicUsize>::default();
        let mut chain = configure_nack(Registry::new(), &mut codecs);
        if modern {
            chain = configure_twcc(chain, &mut codecs).unwrap();
        }
        let chain = configure_rtcp_reports(chain);
        let chain = chain.with(
            ChainSlot::from(14_000),
            PliCounter::new(plis.clone(), cap.clone(), repeated.clone()),
        );
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
        let all: Vec<RTCRtpCodecParameters> = video.iter().map(parameters).collect();
        let number = Arc::new(AtomicU8::new(number_of(video[0], mark)));
        let (audio, video) = (
            track(Codec::Opus, seed, modern),
            track(video[0], seed + 500_000, modern),
        );
        for track in [&audio, &video] {
            let transceiver = pc
                .add_transceiver_from_track(track.clone() as Arc<dyn TrackLocal>, None)
                .await
                .unwrap();
            if Arc::ptr_eq(track, &video) {
                transceiver
                    .set_codec_preferences(all.clone())
                    .await
                    .unwrap();
            }
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
        let weight = Arc::<AtomicUsize>::default();
        let mut client = Self {
            pc,
            inbox,
            gathered,
            state,
            plis: plis.all.clone(),
            by_ssrc: plis,
            cap,
            repeated,
            cut,
            lose_every,
            sending: sending.clone(),
            keyframes: keyframes.clone(),
            weight: weight.clone(),
            via: None,
            sender: None,
            document: None,
            number,
            seed,
            video: all,
            mark,
            tcp,
        };
        client.sender = Some(tokio::spawn(send(
            audio,
            video,
            seed,
            mark,
            Encoder {
                plis: client.by_ssrc.clone(),
                sending,
                number: client.number.clone(),
                keyframes,
                weight,
            },
        )));
        client
    }

    /// Sends its picture in this codec from now on.
    pub fn send_as(&self, codec: Codec) {
        let number = number_of(codec, self.mark);
        self.number.store(number, Ordering::SeqCst);
    }

    /// From the next offer on a second picture is sent, on a line of its own; its packets are marked with `mark`.
    pub async fn add_document(&mut self, mark: u8) {
        let ssrc = self.seed + 700_000;
        let video = track(Codec::Vp8, ssrc, false);
        let init = RTCRtpTransceiverInit {
            direction: RTCRtpTransceiverDirection::Sendonly,
            streams: vec![],
            send_encodings: vec![],
        };
        let transceiver = self
            .pc
            .add_transceiver_from_track(video.clone() as Arc<dyn TrackLocal>, Some(init))
            .await
            .unwrap();
        transceiver
            .set_codec_preferences(self.video.clone())
            .await
            .unwrap();
        let (plis, number) = (self.by_ssrc.clone(), number_of(Codec::Vp8, self.mark));
        let task = tokio::spawn(async move {
            let (mut n, mut served) = (0u16, usize::MAX);
            let mut pace = tokio::time::interval(Duration::from_millis(50));
            loop {
                pace.tick().await;
                n = n.wrapping_add(1);
                let asked = plis.of(ssrc);
                let payload = picture(Codec::Vp8, asked != served, n, mark);
                served = asked;
                let header = Header {
                    version: 2,
                    payload_type: number,
                    ssrc,
                    timestamp: u32::from(n) * 4_500,
                    sequence_number: n,
                    marker: true,
                    ..Header::default()
                };
                let _ = video.write_rtp(Packet { header, payload }).await;
            }
        });
        self.document = Some((transceiver, task));
    }

    /// The line of the second picture, once it was offered.
    pub async fn document_line(&self) -> String {
        let (transceiver, _) = self.document.as_ref().unwrap();
        transceiver.mid().await.unwrap().unwrap()
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

    /// An offer that says what its lines show, or is refused.
    pub async fn offer_showing(
        &mut self,
        engine: &MediaEngine,
        room: &str,
        member: &str,
        role: MemberRole,
        tracks: impl AsyncFn(&Self) -> Vec<SentTrack>,
    ) -> Result<(), MediaError> {
        let sdp = self.offer_sdp(false).await;
        let tracks = tracks(self).await;
        let answer = engine
            .offer_tracks(room, member, role, &sdp, &tracks)
            .await?;
        self.accept(&answer).await;
        Ok(())
    }

    /// Takes the server's answer.
    pub async fn accept(&mut self, answer: &str) {
        let mut answer = answer.to_owned();
        if let Some((port, engine)) = self.via {
            let direct = format!(" {engine} typ host");
            answer = answer.replace(&direct, &format!(" {port} typ host"));
        }
        let first = answer
            .lines()
            .find_map(|l| l.strip_prefix("m=video "))
            .and_then(|l| l.split(' ').nth(2)?.parse().ok());
        if let Some(first) = first {
            self.number.store(first, Ordering::SeqCst);
        }
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
        self.stop();
        self.pc.close().await.unwrap();
    }

    fn stop(&mut self) {
        let document = self.document.take().map(|(_, task)| task);
        for task in self.sender.take().into_iter().chain(document) {
            task.abort();
        }
    }

    /// The network is gone: nothing leaves, nothing arrives, no goodbye.
    pub fn vanish(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.stop();
    }
}

/// One packet that is a whole picture, with headers as an encoder writes them.
fn picture(codec: Codec, key: bool, n: u16, mark: u8) -> Bytes {
    let number = n.to_be_bytes();
    let mut payload = match (codec, key) {
        // RFC 7741, RFC 6386 §9.1: the descriptor, then a keyframe of 640×480 or not.
        (Codec::Vp8 | Codec::Opus, true) => {
            vec![0x10, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01]
        }
        (Codec::Vp8 | Codec::Opus, false) => vec![0x10, 0x11, 0, 0],
        // RFC 6184 §5.7.1: both parameter sets and the IDR picture in one packet; §5.6: another picture alone.
        (Codec::H264, true) => vec![
            0x78, 0, 4, 0x67, 0x42, 0xe0, 0x1f, 0, 2, 0x68, 0xce, 0, 4, 0x65,
        ],
        (Codec::H264, false) => vec![0x61, 0x9a],
    };
    payload.extend([number[0], number[1], mark]);
    Bytes::from(payload)
}

/// The same with so many bytes more, before the number and the mark.
fn heavier(payload: Bytes, by: usize) -> Bytes {
    let (head, tail) = payload.split_at(payload.len() - 3);
    [head, &vec![0; by], tail].concat().into()
}

/// How the encoder behaves.
struct Encoder {
    plis: Plis,
    sending: Arc<AtomicBool>,
    /// Payload type of the picture.
    number: Arc<AtomicU8>,
    keyframes: Arc<AtomicBool>,
    weight: Arc<AtomicUsize>,
}

/// Audio every 20 ms, a video packet every 33 ms; a keyframe first and whenever one was asked for.
async fn send(
    audio: Arc<TrackLocalStaticRTP>,
    video: Arc<TrackLocalStaticRTP>,
    ssrc: u32,
    mark: u8,
    of: Encoder,
) {
    let (mut n, mut served, mut coded) = (0u16, usize::MAX, Codec::Opus);
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
        let asked = of.plis.of(ssrc + 500_000);
        let payload_type = of.number.load(Ordering::SeqCst);
        let codec = if payload_type == number_of(Codec::H264, mark) {
            Codec::H264
        } else {
            Codec::Vp8
        };
        // An encoder that is new begins with a keyframe, as one that was asked for it.
        let key = (asked != served || codec != coded) && of.keyframes.load(Ordering::SeqCst);
        (served, coded) = (asked, codec);
        let image = Packet {
            header: header(payload_type, ssrc + 500_000, ms * 90),
            payload: heavier(
                picture(codec, key, n, mark),
                of.weight.load(Ordering::SeqCst),
            ),
        };
        let _ = video.write_rtp(image).await;
    }
}
