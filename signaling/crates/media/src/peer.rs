//! A [`Leg`] on the WebRTC library: one ICE-lite peer connection behind the shared ports.
//!
//! Owns the peer connection, its outgoing tracks and the task that watches over it. The library's callbacks run on its driver's task:
//! they only post; the watcher works. Never waits for a slow client: a full queue loses the packet.

use crate::codec::{self, Payloads};
use crate::config::{GATHER, HEARD_INBOX, MediaConfig, REPLAY_SRTCP, REPLAY_SRTP};
use crate::egress::{Egress, Marks};
use crate::error::MediaError;
use crate::event::Kind;
use crate::formats;
use crate::incoming::Incoming;
use crate::keys::KeyTap;
use crate::lane::Lane;
use crate::leg::{Answer, Leg, LegSink, LegSlot, Sent, SlotReport};
use crate::moved::Credentials;
use crate::mux::{Mux, PortGuard};
use crate::negotiated::{self, Terms};
use crate::once::Round;
use crate::record::Codec;
use crate::room::Connector;
use crate::rtx::{RtxIn, RtxOut};
use crate::runtime::PortRuntime;
use crate::sdp::{self, Offer, Section};
use crate::tap::{Receptions, RtcpTap};
use crate::watcher::{Network, Watcher};
use async_trait::async_trait;
use futures::FutureExt;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::ice::network_type::NetworkType;
use rtc::interceptor::{NackGeneratorBuilder, ReceiverReportBuilder, Slot as ChainSlot};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::transport::RTCDtlsTransportState;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtp::Header;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpRtxParameters,
};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder,
    RTCIceGatheringState, RTCPeerConnectionState, RTCSdpType, RTCSessionDescription, Registry,
    SettingEngineBuilder, SrtpProtectionProfile, configure_twcc_receiver_only,
};
use webrtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit, RtpTransceiver};
use webrtc::runtime::Runtime;

/// Tracks announced and not yet taken by the watcher: four are used.
const TRACK_INBOX: usize = 16;

/// A publisher is asked for what is missing this often, and so often at most.
const NACK_INTERVAL: Duration = Duration::from_millis(40);
const NACKS: u16 = 20;

/// Builds legs on one mux.
pub(crate) struct WebRtcConnector {
    pub mux: Arc<Mux>,
    pub config: MediaConfig,
    pub udp_candidates: Vec<SocketAddr>,
    pub tcp_candidates: Vec<SocketAddr>,
}

pub(crate) struct WebRtcLeg {
    pub pc: Arc<dyn PeerConnection>,
    pub port: PortGuard,
    pub egress: Egress,
    udp_candidates: Vec<SocketAddr>,
    tcp_candidates: Vec<SocketAddr>,
    gathered: watch::Receiver<bool>,
    slots: RwLock<Vec<Outgoing>>,
    pub incoming: Arc<Incoming>,
    closed: watch::Sender<bool>,
}

pub(crate) struct Outgoing {
    mid: String,
    pub kind: Kind,
    pub ssrc: u32,
    payloads: Payloads,
    repetitions: RtxOut,
    terms: Terms,
    track: Arc<TrackLocalStaticRTP>,
    transceiver: Arc<dyn RtpTransceiver>,
}

impl Outgoing {
    /// A picture's packet may be sent again: with a number on it, that would be another text, so it needs a stream of its own then.
    fn numbered(&self, payload_type: u8) -> Option<u8> {
        let repeated_apart = self.terms.repetition(payload_type).is_some();
        self.terms
            .numbered
            .filter(|_| self.kind == Kind::Audio || repeated_apart)
    }

    /// A picture's packets have no other numbers to be repeated under if the page knows no stream for that; sound is never repeated.
    fn round(&self, payload_type: u8) -> Round {
        match self.kind {
            Kind::Video if self.terms.repetition(payload_type).is_none() => Round::First,
            Kind::Audio | Kind::Video => Round::Only,
        }
    }
}

/// Posts what the driver says; never works in its callbacks.
struct Handler {
    state: watch::Sender<RTCPeerConnectionState>,
    gathered: watch::Sender<bool>,
    tracks: mpsc::Sender<Arc<dyn TrackRemote>>,
}

#[async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.gathered.send_replace(true);
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.state.send_replace(state);
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let _ = self.tracks.try_send(track);
    }
}

fn unavailable(what: &'static str) -> impl Fn(rtc::shared::error::Error) -> MediaError {
    move |error| MediaError::Unavailable(format!("{what}: {error}"))
}

#[async_trait]
impl Connector for WebRtcConnector {
    fn members_per_room(&self) -> usize {
        self.config.members_per_room
    }

    async fn connect(&self, sink: Arc<dyn LegSink>) -> Result<Arc<dyn Leg>, MediaError> {
        let mut codecs = codec::registered().map_err(unavailable("codecs"))?;
        let receptions = Receptions::default();
        let (heard_tx, heard) = mpsc::channel(HEARD_INBOX);
        let chain = Registry::new().with(ChainSlot::from(500), RtxIn::default());
        let nacks = NackGeneratorBuilder::new()
            .with_interval(NACK_INTERVAL)
            .with_max_nacks_per_packet(NACKS);
        let chain = chain.with(ChainSlot::NackGenerator, nacks.build());
        // Receiver reports alone: what is sent does not pass the library, ours tell of it.
        let chain = chain.with(
            ChainSlot::ReceiverReport,
            ReceiverReportBuilder::new().build(),
        );
        let chain =
            configure_twcc_receiver_only(chain, &mut codecs).map_err(unavailable("feedback"))?;
        let chain = chain.with(
            ChainSlot::from(14_000),
            RtcpTap::new(heard_tx, receptions.clone()),
        );

        let mut networks = vec![NetworkType::Udp4];
        if self.config.tcp {
            networks.push(NetworkType::Tcp4);
        }
        let keys = KeyTap::new().map_err(|e| MediaError::Unavailable(format!("keys: {e}")))?;
        let settings = SettingEngineBuilder::new()
            .with_crypto_provider(keys.clone())
            .with_srtp_protection_profiles(vec![
                SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
                SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
            ])
            .with_srtp_replay_protection_window(REPLAY_SRTP)
            .with_srtcp_replay_protection_window(REPLAY_SRTCP)
            .with_include_loopback_candidate(true)
            .with_lite(true)
            .with_multicast_dns_mode(MulticastDnsMode::Disabled)
            .with_network_types(networks)
            .build();

        let (state_tx, state) = watch::channel(RTCPeerConnectionState::New);
        let (gathered_tx, gathered) = watch::channel(false);
        let (tracks_tx, tracks) = mpsc::channel(TRACK_INBOX);
        let handler = Arc::new(Handler {
            state: state_tx,
            gathered: gathered_tx,
            tracks: tracks_tx,
        });
        let (port, streams) = self.mux.open();
        let runtime: Arc<dyn Runtime> = Arc::new(PortRuntime::new(
            self.mux.clone(),
            port.port.clone(),
            streams,
            self.config.silence,
        ));
        // Both are bound, closed at once and used as names only; see `runtime`.
        let throw_away = || vec!["127.0.0.1:0".to_owned()];
        let mut builder = PeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_media_engine(codecs)
            .with_setting_engine(settings)
            .with_interceptor_registry(chain)
            .with_handler(handler)
            .with_runtime(runtime)
            .with_udp_addrs(throw_away());
        if self.config.tcp {
            builder = builder.with_tcp_addrs(throw_away());
        }
        let pc: Arc<dyn PeerConnection> = Arc::new(
            Box::pin(builder.build())
                .await
                .map_err(unavailable("connection"))?,
        );
        let (closed, closing) = watch::channel(false);
        let egress = Egress::new(self.mux.clone(), port.port.clone(), keys);
        let leg = Arc::new(WebRtcLeg {
            pc,
            port,
            egress,
            udp_candidates: self.udp_candidates.clone(),
            tcp_candidates: self.tcp_candidates.clone(),
            gathered,
            slots: RwLock::default(),
            incoming: Arc::default(),
            closed,
        });
        let watcher = Watcher {
            leg: Arc::downgrade(&leg),
            sink,
            config: self.config.clone(),
            receptions,
            counts: HashMap::new(),
            network: Network::default(),
        };
        tokio::spawn(watcher.run(state, tracks, heard, closing));
        Ok(leg)
    }
}

impl WebRtcLeg {
    /// `added` are the new slots, also of an offer that fails half-way.
    async fn negotiate(
        &self,
        offer: &Offer,
        added: &mut Vec<Outgoing>,
    ) -> Result<Answer, MediaError> {
        let description = RTCSessionDescription::offer(offer.sdp.clone())
            .map_err(|_| MediaError::SdpInvalid("cannot be parsed"))?;
        // Before the library sees the lines: it takes the transceivers that fit each, in order. What is added afterwards would go to the
        // first line without a sender, also to one on which the page only sends.
        let known: Vec<String> =
            self.read_slots(|slots| slots.iter().map(|s| s.mid.clone()).collect());
        let new = |s: &&Section| s.receives && !known.contains(&s.mid);
        for section in offer.sections.iter().filter(new) {
            let pair = known.len() / 2 + added.len() / 2;
            added.push(self.add_slot(section, offer.prefer, pair).await?);
        }
        self.pc
            .set_remote_description(description)
            .await
            .map_err(|_| MediaError::SdpInvalid("cannot be applied"))?;
        for slot in added.iter() {
            let mid = slot.transceiver.mid().await.map_err(unavailable("slot"))?;
            if mid.as_ref() != Some(&slot.mid) {
                return Err(MediaError::SdpInvalid("lines that do not match"));
            }
        }

        let answer = self
            .pc
            .create_answer(None)
            .await
            .map_err(unavailable("answer"))?;
        let (credentials, sections) = sdp::read_answer(&answer.sdp)?;
        // Before the page can know it: its first STUN request must find us. An ICE restart brings a new one.
        self.port
            .register(&credentials.ufrag, &credentials.password);
        let page = Credentials::of(&offer.sdp, &credentials.ufrag);
        self.port.port.set_credentials(page);
        let payloads = |mid: &str| {
            let section = sections.iter().find(|s| s.mid == mid && s.receives);
            section.map(|s| s.payloads)
        };
        let mut terms = negotiated::terms(&answer.sdp);
        for slot in added.iter_mut() {
            slot.terms = terms.remove(&slot.mid).unwrap_or_default();
            slot.payloads = payloads(&slot.mid)
                .filter(|p| *p != Payloads::default())
                .ok_or(MediaError::CodecUnsupported("a receiving section"))?;
        }
        self.pc
            .set_local_description(answer)
            .await
            .map_err(unavailable("answer"))?;
        let mut gathered = self.gathered.clone();
        match tokio::time::timeout(GATHER, gathered.wait_for(|done| *done)).await {
            Ok(Ok(_)) => {}
            _ => return Err(MediaError::Unavailable("no candidates".into())),
        }
        let local = self
            .pc
            .local_description()
            .await
            .ok_or_else(|| MediaError::Unavailable("no answer".into()))?;

        self.incoming.set(&offer.lanes, &sections);
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        for slot in slots.iter_mut() {
            // A line that the page closed takes nothing any more.
            slot.payloads = payloads(&slot.mid).unwrap_or_default();
        }
        slots.append(added);
        let sdp = negotiated::with_silence(&formats::preferring(&local.sdp, offer.prefer));
        Ok(Answer {
            sdp: sdp::with_candidates(&sdp, &self.udp_candidates, &self.tcp_candidates),
            slots: slots
                .iter()
                .map(|s| LegSlot {
                    mid: s.mid.clone(),
                    kind: s.kind,
                    payloads: s.payloads,
                })
                .collect(),
        })
    }

    async fn add_slot(
        &self,
        section: &Section,
        prefer: Codec,
        pair: usize,
    ) -> Result<Outgoing, MediaError> {
        let kind = section.kind;
        let coded = match kind {
            Kind::Audio => Codec::Opus,
            Kind::Video => prefer,
        };
        let ssrc = rand::random_range(1..=u32::MAX);
        let repetitions = RtxOut::new();
        let rtx = RTCRtpRtxParameters {
            ssrc: repetitions.ssrc,
        };
        let coding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters {
                ssrc: Some(ssrc),
                rtx: (kind == Kind::Video).then_some(rtx),
                ..Default::default()
            },
            codec: codec::codec(coded),
            ..Default::default()
        };
        // Audio and video of a pair share a stream id: browsers keep such tracks in lip-sync.
        let id = format!("slot{pair}-{ssrc:08x}");
        let track = MediaStreamTrack::new(
            format!("slot{pair}"),
            id.clone(),
            id,
            codec::kind(kind),
            vec![coding],
        );
        let track = Arc::new(TrackLocalStaticRTP::new(track));
        let init = RTCRtpTransceiverInit {
            direction: if section.sends {
                RTCRtpTransceiverDirection::Sendrecv
            } else {
                RTCRtpTransceiverDirection::Sendonly
            },
            streams: vec![],
            send_encodings: vec![],
        };
        let transceiver = self
            .pc
            .add_transceiver_from_track(track.clone() as Arc<dyn TrackLocal>, Some(init))
            .await
            .map_err(unavailable("slot"))?;
        Ok(Outgoing {
            mid: section.mid.clone(),
            kind,
            ssrc,
            payloads: Payloads::default(),
            repetitions,
            terms: Terms::default(),
            track,
            transceiver,
        })
    }

    pub(crate) fn read_slots<T>(&self, f: impl FnOnce(&[Outgoing]) -> T) -> T {
        f(&self.slots.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the page said goodbye; the library reports that nowhere else for media-only connections.
    pub(crate) async fn dtls_closed(&self) -> bool {
        let Some(first) = self.read_slots(|s| s.first().map(|s| s.transceiver.clone())) else {
            return false;
        };
        let Ok(Some(sender)) = first.sender().await else {
            return false;
        };
        let Ok(Some(transport)) = sender.transport().await else {
            return false;
        };
        matches!(
            transport.state().await,
            Ok(RTCDtlsTransportState::Closed | RTCDtlsTransportState::Failed)
        )
    }
}

#[async_trait]
impl Leg for WebRtcLeg {
    async fn accept_offer(&self, offer: &Offer) -> Result<Answer, MediaError> {
        // The library parses text from strangers: a panic of its must cost this offer, not the server.
        let mut added = Vec::new();
        let result = AssertUnwindSafe(self.negotiate(offer, &mut added))
            .catch_unwind()
            .await;
        let result = result.unwrap_or(Err(MediaError::SdpInvalid("cannot be handled")));
        if result.is_err() {
            let mut rollback = RTCSessionDescription::default();
            rollback.sdp_type = RTCSdpType::Rollback;
            let _ = self.pc.set_remote_description(rollback).await;
            // A later offer's lines must not be given to them.
            for slot in added {
                let _ = slot.transceiver.stop().await;
            }
        }
        result
    }

    fn send_rtp(&self, slot: usize, mut header: Header, payload: &[u8]) -> Sent {
        let marks = self.read_slots(|slots| {
            let slot = slots.get(slot)?;
            header.ssrc = slot.ssrc;
            Some(Marks {
                kind: slot.kind,
                numbered: slot.numbered(header.payload_type),
                original: None,
                round: slot.round(header.payload_type),
            })
        });
        match marks {
            Some(marks) => self.egress.add(&header, marks, payload),
            None => Sent::Gone,
        }
    }

    fn repeat_rtp(&self, slot: usize, mut header: Header, payload: &[u8]) -> Sent {
        let marks = self.read_slots(|slots| {
            let slot = slots.get(slot)?;
            let Some(payload_type) = slot.terms.repetition(header.payload_type) else {
                header.ssrc = slot.ssrc;
                return Some(Marks {
                    kind: slot.kind,
                    numbered: None,
                    original: None,
                    round: Round::Again,
                });
            };
            let original =
                std::mem::replace(&mut header.sequence_number, slot.repetitions.number());
            let numbered = slot.numbered(header.payload_type);
            header.ssrc = slot.repetitions.ssrc;
            header.payload_type = payload_type;
            Some(Marks {
                kind: slot.kind,
                numbered,
                original: Some(original),
                round: Round::Only,
            })
        });
        match marks {
            Some(marks) => self.egress.add(&header, marks, payload),
            None => Sent::Gone,
        }
    }

    fn flush(&self) {
        self.egress.flush();
    }

    fn report(&self, slot: usize, report: SlotReport) {
        let Some((ssrc, track)) =
            self.read_slots(|slots| slots.get(slot).map(|s| (s.ssrc, s.track.clone())))
        else {
            return;
        };
        let packet = SenderReport {
            ssrc,
            ntp_time: report.ntp,
            rtp_time: report.rtp,
            packet_count: report.packets,
            octet_count: report.octets,
            ..SenderReport::default()
        };
        // Through the library: it alone counts this connection's RTCP. Polled once, as its queue may be full.
        let _ = track.write_rtcp(vec![Box::new(packet)]).now_or_never();
    }

    fn request_keyframe(&self, lane: Lane) -> bool {
        let Some((track, media_ssrc)) = self.incoming.picture(lane) else {
            return false;
        };
        tokio::spawn(async move {
            let pli = PictureLossIndication {
                sender_ssrc: 0,
                media_ssrc,
            };
            let _ = tokio::time::timeout(
                Duration::from_secs(1),
                track.write_rtcp(vec![Box::new(pli)]),
            )
            .await;
        });
        true
    }

    fn cap(&self, bitrate: u32) {
        let pictures = Lane::ALL.into_iter().filter(|l| l.kind() == Kind::Video);
        // It is about all that the page sends, whichever track carries it.
        let Some((track, ssrc)) = pictures.into_iter().find_map(|l| self.incoming.picture(l))
        else {
            return;
        };
        let remb = ReceiverEstimatedMaximumBitrate {
            sender_ssrc: 0,
            bitrate: bitrate as f32,
            ssrcs: vec![ssrc],
        };
        // Polled once, as the queue may be full: it is told again.
        let _ = track.write_rtcp(vec![Box::new(remb)]).now_or_never();
    }

    async fn close(&self) {
        if !self.closed.send_replace(true) {
            let _ = self.pc.close().await;
        }
    }
}

impl Drop for WebRtcLeg {
    fn drop(&mut self) {
        // The driver outlives a dropped connection; end it.
        if !*self.closed.borrow()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let pc = self.pc.clone();
            runtime.spawn(async move { pc.close().await });
        }
    }
}
