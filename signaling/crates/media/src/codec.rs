//! The codecs of the counter as the WebRTC library wants them: Opus (RFC 7587), VP8 (RFC 7741), H.264 (RFC 6184, constrained
//! baseline, packetization mode 1); and which of the two for pictures a room has.
//!
//! A room has one video codec, so that everybody can decode what anybody sends without transcoding: see [`agree`].

use crate::event::Kind;
use crate::record::Codec;
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_H264, MIME_TYPE_OPUS, MIME_TYPE_RTX, MIME_TYPE_VP8,
};
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RtpCodecKind,
};
use webrtc::peer_connection::MediaEngine as Codecs;

/// Constrained baseline, and baseline as some browsers call it: level 3.1, not interleaved.
const H264_PROFILES: [&str; 2] = ["42e01f", "42001f"];

/// Payload types by codec, as one m-line has them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Payloads([Option<u8>; 3]);

impl Payloads {
    pub(crate) fn of(&self, codec: Codec) -> Option<u8> {
        self.0[codec as usize]
    }

    /// The first of a codec counts: it is the preferred one.
    pub(crate) fn add(&mut self, codec: Codec, payload_type: u8) {
        self.0[codec as usize].get_or_insert(payload_type);
    }

    pub(crate) fn able(&self) -> Able {
        Able {
            vp8: self.of(Codec::Vp8).is_some(),
            h264: self.of(Codec::H264).is_some(),
        }
    }
}

/// The video codecs that a page can use, both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Able {
    pub vp8: bool,
    pub h264: bool,
}

impl Able {
    pub(crate) const NONE: Self = Self {
        vp8: false,
        h264: false,
    };

    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            vp8: self.vp8 && other.vp8,
            h264: self.h264 && other.h264,
        }
    }

    pub(crate) fn can(self, codec: Codec) -> bool {
        match codec {
            Codec::Opus => false,
            Codec::Vp8 => self.vp8,
            Codec::H264 => self.h264,
        }
    }

    /// VP8 before H.264: every browser encodes it, in software and alike.
    fn best(self) -> Option<Codec> {
        [Codec::Vp8, Codec::H264].into_iter().find(|c| self.can(*c))
    }
}

/// The room's codec once somebody with these abilities is in it: the present one while all can use it, else one that all can.
/// Who sends and sees no pictures has no say.
///
/// # Errors
/// What the room needs, where there is none in common.
pub(crate) fn agree(
    now: Option<Codec>,
    others: impl Iterator<Item = Able>,
    joiner: Option<Able>,
) -> Result<Option<Codec>, Codec> {
    let Some(joiner) = joiner else {
        return Ok(now);
    };
    let there = others.reduce(Able::and);
    let all = there.map_or(joiner, |there| there.and(joiner));
    match (now.filter(|c| all.can(*c)), all.best()) {
        (Some(codec), _) | (None, Some(codec)) => Ok(Some(codec)),
        (None, None) => Err(now
            .or_else(|| there.and_then(Able::best))
            .unwrap_or(Codec::Vp8)),
    }
}

/// The library's table with all codecs. Payload types are only the server's preference: an offer's own win.
pub(crate) fn registered() -> Result<Codecs, rtc::shared::error::Error> {
    let mut codecs = Codecs::default();
    let mut register = |rtp_codec, payload_type, of: Kind| {
        codecs.register_codec(
            RTCRtpCodecParameters {
                rtp_codec,
                payload_type,
            },
            kind(of),
        )
    };
    register(codec(Codec::Opus), 111, Kind::Audio)?;
    register(codec(Codec::Vp8), 96, Kind::Video)?;
    for (profile, payload_type) in H264_PROFILES.into_iter().zip([102, 104]) {
        register(h264(profile), payload_type, Kind::Video)?;
    }
    for of in [96, 102, 104] {
        register(repetitions(of), of + 1, Kind::Video)?;
    }
    Ok(codecs)
}

fn feedback(typ: &str, parameter: &str) -> RTCPFeedback {
    RTCPFeedback {
        typ: typ.into(),
        parameter: parameter.into(),
    }
}

fn video(mime_type: &str, sdp_fmtp_line: String) -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: mime_type.into(),
        clock_rate: Kind::Video.clock_rate(),
        channels: 0,
        sdp_fmtp_line,
        rtcp_feedback: vec![
            feedback("goog-remb", ""),
            feedback("ccm", "fir"),
            feedback("nack", ""),
            feedback("nack", "pli"),
        ],
    }
}

/// Of a payload type (RFC 4588 §8.6).
fn repetitions(of: u8) -> RTCRtpCodec {
    RTCRtpCodec {
        rtcp_feedback: vec![],
        ..video(MIME_TYPE_RTX, format!("apt={of}"))
    }
}

fn h264(profile: &str) -> RTCRtpCodec {
    let parameters =
        format!("level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={profile}");
    video(MIME_TYPE_H264, parameters)
}

pub(crate) fn codec(codec: Codec) -> RTCRtpCodec {
    match codec {
        Codec::Opus => RTCRtpCodec {
            mime_type: MIME_TYPE_OPUS.into(),
            clock_rate: Kind::Audio.clock_rate(),
            channels: 2,
            sdp_fmtp_line: "minptime=10;useinbandfec=1".into(),
            rtcp_feedback: vec![],
        },
        Codec::Vp8 => video(MIME_TYPE_VP8, String::new()),
        Codec::H264 => h264(H264_PROFILES[0]),
    }
}

pub(crate) fn kind(kind: Kind) -> RtpCodecKind {
    match kind {
        Kind::Audio => RtpCodecKind::Audio,
        Kind::Video => RtpCodecKind::Video,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Codec::{H264, Vp8};

    const BOTH: Able = Able {
        vp8: true,
        h264: true,
    };
    const ONLY_VP8: Able = Able {
        vp8: true,
        h264: false,
    };
    const ONLY_H264: Able = Able {
        vp8: false,
        h264: true,
    };

    #[test]
    fn a_room_has_one_codec_that_all_can_use() {
        let room = |now, others: &[Able], joiner| agree(now, others.iter().copied(), Some(joiner));
        for (now, others, joiner, want) in [
            (None, &[][..], BOTH, Ok(Vp8)),
            (None, &[], ONLY_VP8, Ok(Vp8)),
            (None, &[], ONLY_H264, Ok(H264)),
            (Some(Vp8), &[BOTH], BOTH, Ok(Vp8)),
            (Some(Vp8), &[BOTH], ONLY_H264, Ok(H264)),
            (Some(Vp8), &[BOTH, BOTH], ONLY_H264, Ok(H264)),
            // It stays while all can use it: nobody renegotiates for taste.
            (Some(H264), &[BOTH], BOTH, Ok(H264)),
            (Some(H264), &[], BOTH, Ok(H264)),
            (Some(H264), &[BOTH], ONLY_VP8, Ok(Vp8)),
            (Some(Vp8), &[ONLY_VP8], ONLY_H264, Err(Vp8)),
            (Some(Vp8), &[BOTH, ONLY_VP8], ONLY_H264, Err(Vp8)),
            (Some(H264), &[BOTH, ONLY_H264], ONLY_VP8, Err(H264)),
            // Alone, coming back with another browser.
            (Some(Vp8), &[], ONLY_H264, Ok(H264)),
        ] {
            let got = room(now, others, joiner);
            assert_eq!(got, want.map(Some), "{now:?} {others:?} {joiner:?}");
        }
        let silent = agree(Some(H264), [ONLY_H264].into_iter(), None);
        assert_eq!(silent, Ok(Some(H264)), "voice alone has no say");
        assert_eq!(agree(None, std::iter::empty(), None), Ok(None));
    }

    #[test]
    fn the_first_payload_type_of_a_codec_is_the_one_used() {
        let mut payloads = Payloads::default();
        payloads.add(H264, 125);
        payloads.add(H264, 102);
        assert_eq!(payloads.of(H264), Some(125));
        assert_eq!(payloads.able(), ONLY_H264);
    }
}
