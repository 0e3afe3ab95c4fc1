//! The two codecs of the counter: Opus (RFC 7587) and VP8 (RFC 7741), as the WebRTC library wants them.

use crate::event::Kind;
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_OPUS, MIME_TYPE_RTX, MIME_TYPE_VP8,
};
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RtpCodecKind,
};
use webrtc::peer_connection::MediaEngine as Codecs;

/// The library's table with both codecs. Payload types are only the server's preference: an offer's own win.
pub(crate) fn registered() -> Result<Codecs, rtc::shared::error::Error> {
    let mut codecs = Codecs::default();
    for (k, payload_type) in [(Kind::Audio, 111), (Kind::Video, 96)] {
        codecs.register_codec(
            RTCRtpCodecParameters {
                rtp_codec: codec(k),
                payload_type,
            },
            kind(k),
        )?;
    }
    let repetitions = RTCRtpCodecParameters {
        rtp_codec: RTCRtpCodec {
            mime_type: MIME_TYPE_RTX.into(),
            clock_rate: Kind::Video.clock_rate(),
            channels: 0,
            sdp_fmtp_line: "apt=96".into(),
            rtcp_feedback: vec![],
        },
        payload_type: 97,
    };
    codecs.register_codec(repetitions, RtpCodecKind::Video)?;
    Ok(codecs)
}

fn feedback(typ: &str, parameter: &str) -> RTCPFeedback {
    RTCPFeedback {
        typ: typ.into(),
        parameter: parameter.into(),
    }
}

pub(crate) fn codec(kind: Kind) -> RTCRtpCodec {
    match kind {
        Kind::Audio => RTCRtpCodec {
            mime_type: MIME_TYPE_OPUS.into(),
            clock_rate: kind.clock_rate(),
            channels: 2,
            sdp_fmtp_line: "minptime=10;useinbandfec=1".into(),
            rtcp_feedback: vec![],
        },
        Kind::Video => RTCRtpCodec {
            mime_type: MIME_TYPE_VP8.into(),
            clock_rate: kind.clock_rate(),
            channels: 0,
            sdp_fmtp_line: String::new(),
            rtcp_feedback: vec![
                feedback("goog-remb", ""),
                feedback("ccm", "fir"),
                feedback("nack", ""),
                feedback("nack", "pli"),
            ],
        },
    }
}

pub(crate) fn kind(kind: Kind) -> RtpCodecKind {
    match kind {
        Kind::Audio => RtpCodecKind::Audio,
        Kind::Video => RtpCodecKind::Video,
    }
}
