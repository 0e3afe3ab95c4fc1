//! What an offer must be, checked before anything is built; and the answer's candidates.
//!
//! Reads only the lines that decide (RFC 8866, RFC 8829); the WebRTC library parses the whole. Never keeps addresses from the offer.

use crate::config::{SDP_BYTES, SDP_SECTIONS, SLOTS_PER_KIND};
use crate::error::MediaError;
use crate::event::Kind;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

/// A checked offer.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    /// The text as it came.
    pub sdp: String,
    /// Same value = same peer connection: session id of the origin line and DTLS fingerprints (one certificate per connection).
    pub identity: String,
    /// Audio and video sections in order, without rejected ones.
    pub sections: Vec<Section>,
}

/// One m-line of an offer or answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    pub mid: String,
    pub kind: Kind,
    /// The offerer receives here: a slot.
    pub receives: bool,
    /// Payload type of Opus or VP8.
    pub payload_type: u8,
}

#[derive(Default)]
struct Raw<'a> {
    media: &'a str,
    rejected: bool,
    mid: Option<&'a str>,
    sends_only: bool,
    receives_only: bool,
    inactive: bool,
    fingerprint: Option<&'a str>,
    ufrag: bool,
    pwd: bool,
    opus: Option<u8>,
    vp8: Option<u8>,
}

struct Parsed<'a> {
    origin: &'a str,
    session: Raw<'a>,
    bundled: bool,
    ufrag: Option<&'a str>,
    sections: Vec<Raw<'a>>,
}

fn parse(sdp: &str) -> Result<Parsed<'_>, MediaError> {
    if sdp.len() > SDP_BYTES {
        return Err(MediaError::SdpInvalid("too large"));
    }
    let mut parsed = Parsed {
        origin: "",
        session: Raw::default(),
        bundled: false,
        ufrag: None,
        sections: Vec::new(),
    };
    for (number, line) in sdp
        .lines()
        .map(str::trim_end)
        .filter(|l| !l.is_empty())
        .enumerate()
    {
        let Some((name, value)) = line.split_once('=') else {
            return Err(MediaError::SdpInvalid("a line without '='"));
        };
        if number == 0 && (name, value) != ("v", "0") {
            return Err(MediaError::SdpInvalid("does not start with v=0"));
        }
        match name {
            "o" => parsed.origin = value.split(' ').nth(1).unwrap_or_default(),
            "m" => {
                if parsed.sections.len() == SDP_SECTIONS {
                    return Err(MediaError::SdpInvalid("too many sections"));
                }
                let mut words = value.split(' ');
                let media = words.next().unwrap_or_default();
                let port = words
                    .next()
                    .ok_or(MediaError::SdpInvalid("a section without a port"))?;
                parsed.sections.push(Raw {
                    media,
                    rejected: port == "0",
                    ..Raw::default()
                });
            }
            "a" => attribute(&mut parsed, value),
            _ => {}
        }
    }
    if parsed.sections.is_empty() {
        return Err(MediaError::SdpInvalid("no media sections"));
    }
    Ok(parsed)
}

fn attribute<'a>(parsed: &mut Parsed<'a>, text: &'a str) {
    let (key, value) = text.split_once(':').unwrap_or((text, ""));
    match key {
        "group" => parsed.bundled |= value.starts_with("BUNDLE"),
        "ice-ufrag" => parsed.ufrag = parsed.ufrag.or(Some(value)),
        _ => {}
    }
    let raw = parsed.sections.last_mut().unwrap_or(&mut parsed.session);
    match key {
        "mid" => raw.mid = Some(value),
        "sendonly" => raw.sends_only = true,
        "recvonly" => raw.receives_only = true,
        "inactive" => raw.inactive = true,
        "fingerprint" => raw.fingerprint = Some(value),
        "ice-ufrag" => raw.ufrag = !value.is_empty(),
        "ice-pwd" => raw.pwd = !value.is_empty(),
        "rtpmap" => {
            let mut words = value.split(' ');
            if let (Some(Ok(pt)), Some(codec)) = (words.next().map(str::parse::<u8>), words.next())
            {
                // The first is the preferred one.
                if codec.eq_ignore_ascii_case("opus/48000/2") {
                    raw.opus = raw.opus.or(Some(pt));
                } else if codec.eq_ignore_ascii_case("VP8/90000") {
                    raw.vp8 = raw.vp8.or(Some(pt));
                }
            }
        }
        _ => {}
    }
}

impl Offer {
    /// Checks an offer.
    ///
    /// # Errors
    /// `sdp_invalid` or `codec_unsupported`; nothing has been built yet.
    pub(crate) fn parse(sdp: &str) -> Result<Self, MediaError> {
        let parsed = parse(sdp)?;
        let live: Vec<&Raw> = parsed.sections.iter().filter(|s| !s.rejected).collect();
        let mut identity = parsed.origin.to_owned();
        for raw in &live {
            let fingerprint = raw
                .fingerprint
                .or(parsed.session.fingerprint)
                .filter(|f| f.contains(' '));
            let Some(fingerprint) = fingerprint else {
                return Err(MediaError::SdpInvalid("no DTLS fingerprint"));
            };
            if !identity.contains(fingerprint) {
                identity.push(' ');
                identity.push_str(fingerprint);
            }
            if !(raw.ufrag || parsed.session.ufrag) || !(raw.pwd || parsed.session.pwd) {
                return Err(MediaError::SdpInvalid("no ICE credentials"));
            }
        }
        if live.len() > 1 && !parsed.bundled {
            return Err(MediaError::SdpInvalid("not bundled"));
        }
        let mut sections: Vec<Section> = Vec::new();
        for raw in &live {
            let kind = match raw.media {
                "audio" => Kind::Audio,
                "video" => Kind::Video,
                "application" => continue,
                _ => return Err(MediaError::SdpInvalid("an unknown kind of media")),
            };
            let mid = raw
                .mid
                .filter(|m| !m.is_empty())
                .ok_or(MediaError::SdpInvalid("a section without a mid"))?;
            if sections.iter().any(|s| s.mid == mid) {
                return Err(MediaError::SdpInvalid("a mid twice"));
            }
            let payload_type = match kind {
                Kind::Audio => raw
                    .opus
                    .ok_or(MediaError::CodecUnsupported("audio: Opus is needed"))?,
                Kind::Video => raw
                    .vp8
                    .ok_or(MediaError::CodecUnsupported("video: VP8 is needed"))?,
            };
            let receives = !raw.sends_only && !raw.inactive;
            if receives
                && sections
                    .iter()
                    .filter(|s| s.kind == kind && s.receives)
                    .count()
                    == SLOTS_PER_KIND
            {
                return Err(MediaError::SdpInvalid("too many receiving sections"));
            }
            sections.push(Section {
                mid: mid.to_owned(),
                kind,
                receives,
                payload_type,
            });
        }
        if sections.is_empty() {
            return Err(MediaError::SdpInvalid("neither audio nor video"));
        }
        Ok(Self {
            sdp: sdp.to_owned(),
            identity,
            sections,
        })
    }
}

/// What the leg needs from its own answer: the ICE user fragment and the payload types per mid.
pub(crate) fn read_answer(sdp: &str) -> Result<(String, Vec<Section>), MediaError> {
    let parsed = parse(sdp)?;
    let ufrag = parsed
        .ufrag
        .ok_or(MediaError::SdpInvalid("an answer without ICE credentials"))?
        .to_owned();
    let mut sections = Vec::new();
    for raw in parsed.sections.iter().filter(|s| !s.rejected) {
        let (kind, payload_type) = match (raw.media, raw.opus, raw.vp8) {
            ("audio", Some(pt), _) => (Kind::Audio, pt),
            ("video", _, Some(pt)) => (Kind::Video, pt),
            _ => continue,
        };
        let Some(mid) = raw.mid else { continue };
        sections.push(Section {
            mid: mid.to_owned(),
            kind,
            receives: !raw.receives_only && !raw.inactive,
            payload_type,
        });
    }
    Ok((ufrag, sections))
}

/// Replaces the answer's candidates (throw-away sockets of the library) with the shared ports, in every section that is alive.
pub(crate) fn with_candidates(sdp: &str, udp: &[SocketAddr], tcp: &[SocketAddr]) -> String {
    let mut candidates = String::new();
    // RFC 8445 §5.1.2.1: host type preference 126; UDP before TCP, earlier addresses before later ones (RFC 6544 §4.2 for TCP).
    for (n, addr) in udp.iter().enumerate() {
        let priority = (126u32 << 24) | ((65_535 - n as u32) << 8) | 255;
        let _ = write!(
            candidates,
            "a=candidate:{} 1 udp {priority} {} {} typ host\r\n",
            n + 1,
            ip(addr.ip()),
            addr.port()
        );
    }
    for (n, addr) in tcp.iter().enumerate() {
        let priority = (90u32 << 24) | ((65_535 - n as u32) << 8) | 255;
        let (n, ip, port) = (udp.len() + n + 1, ip(addr.ip()), addr.port());
        let _ = write!(
            candidates,
            "a=candidate:{n} 1 tcp {priority} {ip} {port} typ host tcptype passive\r\n"
        );
    }
    candidates.push_str("a=end-of-candidates\r\n");

    let mut out = String::with_capacity(sdp.len() + candidates.len() * 4);
    let mut alive = false;
    for line in sdp.lines().map(str::trim_end).filter(|l| !l.is_empty()) {
        if line.starts_with("a=candidate:") || line == "a=end-of-candidates" {
            continue;
        }
        if let Some(media) = line.strip_prefix("m=") {
            if alive {
                out.push_str(&candidates);
            }
            alive = media.split(' ').nth(1) != Some("0");
        }
        out.push_str(line);
        out.push_str("\r\n");
    }
    if alive {
        out.push_str(&candidates);
    }
    out
}

fn ip(ip: IpAddr) -> String {
    ip.to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const HEAD: &str = "v=0\r\no=- 42 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=fingerprint:sha-256 AA:BB\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n";

    fn offer() -> String {
        format!(
            "{HEAD}m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=sendrecv\r\na=rtpmap:111 opus/48000/2\r\n\
             m=video 9 UDP/TLS/RTP/SAVPF 100\r\na=mid:1\r\na=recvonly\r\na=rtpmap:100 VP8/90000\r\n"
        )
    }

    #[test]
    fn a_good_offer_is_read() {
        let o = Offer::parse(&offer()).unwrap();
        assert_eq!(o.identity, "42 sha-256 AA:BB");
        assert_eq!(o.sections.len(), 2);
        assert_eq!(
            o.sections[1],
            Section {
                mid: "1".into(),
                kind: Kind::Video,
                receives: true,
                payload_type: 100
            }
        );
    }

    #[test]
    fn bad_offers_have_their_codes() {
        let code = |sdp: &str| Offer::parse(sdp).err().map(|e| e.code());
        let good = offer();
        for (bad, want) in [
            (String::new(), "sdp_invalid"),
            ("hello".into(), "sdp_invalid"),
            ("{\"type\":\"offer\"}".into(), "sdp_invalid"),
            (HEAD.into(), "sdp_invalid"),
            (
                good.replace("a=fingerprint:sha-256 AA:BB\r\n", ""),
                "sdp_invalid",
            ),
            (good.replace("a=ice-ufrag:abcd\r\n", ""), "sdp_invalid"),
            (good.replace("a=group:BUNDLE 0 1\r\n", ""), "sdp_invalid"),
            (good.replace("a=mid:1", "a=mid:0"), "sdp_invalid"),
            (good.replace("a=mid:1\r\n", ""), "sdp_invalid"),
            (good.replace("m=video 9", "m=text 9"), "sdp_invalid"),
            (good.replace("VP8/90000", "H264/90000"), "codec_unsupported"),
            (
                good.replace("opus/48000/2", "PCMU/8000"),
                "codec_unsupported",
            ),
            (
                format!("{good}{}", "a=x:y\r\n".repeat(10_000)),
                "sdp_invalid",
            ),
            (
                format!("{good}{}", "m=audio 0 x 0\r\n".repeat(40)),
                "sdp_invalid",
            ),
        ] {
            assert_eq!(code(&bad), Some(want), "{}", &bad[..bad.len().min(80)]);
        }
        let mut many = good;
        for n in 2..8 {
            many += &format!(
                "m=audio 9 x 111\r\na=mid:{n}\r\na=recvonly\r\na=rtpmap:111 opus/48000/2\r\n"
            );
        }
        assert_eq!(code(&many), Some("sdp_invalid"));
    }

    #[test]
    fn rejected_sections_are_skipped() {
        let sdp = offer() + "m=video 0 UDP/TLS/RTP/SAVPF 99\r\na=mid:2\r\n";
        assert_eq!(Offer::parse(&sdp).unwrap().sections.len(), 2);
    }

    #[test]
    fn candidates_are_replaced_in_every_live_section() {
        let sdp = offer()
            + "a=candidate:1 1 udp 1 127.0.0.1 40000 typ host\r\nm=video 0 x 9\r\na=mid:2\r\n";
        let udp = ["10.0.0.1:7000".parse().unwrap()];
        let tcp = ["10.0.0.1:7001".parse().unwrap()];
        let out = with_candidates(&sdp, &udp, &tcp);
        assert!(!out.contains("40000"));
        assert_eq!(out.matches("10.0.0.1 7000 typ host").count(), 2);
        assert_eq!(
            out.matches("10.0.0.1 7001 typ host tcptype passive")
                .count(),
            2
        );
        assert!(out.trim_end().ends_with("a=mid:2"));
    }
}
