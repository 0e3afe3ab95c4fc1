//! What an offer must be, checked before anything is built; and the answer's candidates.
//!
//! Reads only the lines that decide (RFC 8866, RFC 8829); the WebRTC library parses the whole. Never keeps addresses from the offer.

use crate::codec::{Able, Payloads};
use crate::config::{SDP_BYTES, SDP_SECTIONS, slots_of};
use crate::error::MediaError;
use crate::event::{Kind, Source};
use crate::formats::{Formats, payloads};
use crate::lane::{Lane, SentTrack};
use crate::record::Codec;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

/// SHA-256.
pub(crate) type Digest = [u8; 32];

/// What the server's own checks are addressed and proven with.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub ufrag: String,
    pub password: String,
}

/// A checked offer.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    /// The text as it came.
    pub sdp: String,
    /// Same value = same peer connection: session id of the origin line and DTLS fingerprints (one certificate per connection).
    pub identity: String,
    /// Digests of its ICE passwords (RFC 8839 §5.4: at least 128 random bits): one page's are no other page's.
    pub passwords: Vec<Digest>,
    /// Audio and video sections in order, without rejected ones.
    pub sections: Vec<Section>,
    /// What comes on which m-line.
    pub lanes: Vec<(String, Lane)>,
    /// The codec that the answer puts first: the room's.
    pub prefer: Codec,
}

/// One m-line of an offer or answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    pub mid: String,
    pub kind: Kind,
    /// The offerer receives here: a slot.
    pub receives: bool,
    /// The offerer may send here.
    pub sends: bool,
    /// What may be sent to a slot.
    pub payloads: Payloads,
    /// Every payload type that may come.
    pub formats: Vec<(u8, Codec)>,
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
    pwd: Option<&'a str>,
    formats: Formats<'a>,
}

struct Parsed<'a> {
    origin: &'a str,
    session: Raw<'a>,
    bundled: bool,
    ufrag: Option<&'a str>,
    pwd: Option<&'a str>,
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
        pwd: None,
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
                    formats: Formats::new(words.skip(1)),
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
        "ice-pwd" => parsed.pwd = parsed.pwd.or(Some(value)),
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
        "ice-pwd" => raw.pwd = Some(value).filter(|v| !v.is_empty()),
        "rtpmap" => raw.formats.name(value),
        "fmtp" => raw.formats.parameters(value),
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
        let mut passwords: Vec<Digest> = Vec::new();
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
            let password = raw.pwd.or(parsed.session.pwd);
            let (true, Some(password)) = (raw.ufrag || parsed.session.ufrag, password) else {
                return Err(MediaError::SdpInvalid("no ICE credentials"));
            };
            let digest = Sha256::digest(password).into();
            if !passwords.contains(&digest) {
                passwords.push(digest);
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
            let formats = raw.formats.usable();
            let payloads = payloads(&formats);
            match kind {
                Kind::Audio if payloads.of(Codec::Opus).is_none() => {
                    return Err(MediaError::CodecUnsupported("audio: Opus is needed"));
                }
                Kind::Video if payloads.able() == Able::NONE => {
                    return Err(MediaError::CodecUnsupported(
                        "video: VP8 or H.264 (baseline, packetization mode 1) is needed",
                    ));
                }
                Kind::Audio | Kind::Video => {}
            }
            let receives = !raw.sends_only && !raw.inactive;
            if receives
                && sections
                    .iter()
                    .filter(|s| s.kind == kind && s.receives)
                    .count()
                    == slots_of(kind)
            {
                return Err(MediaError::SdpInvalid("too many receiving sections"));
            }
            sections.push(Section {
                mid: mid.to_owned(),
                kind,
                receives,
                sends: raw.sends(),
                payloads,
                formats,
            });
        }
        if sections.is_empty() {
            return Err(MediaError::SdpInvalid("neither audio nor video"));
        }
        let first = |kind| sections.iter().find(|s| s.kind == kind && s.sends);
        let lane = |(kind, lane)| first(kind).map(|s| (s.mid.clone(), lane));
        let lanes = [(Kind::Audio, Lane::Sound), (Kind::Video, Lane::Camera)];
        let lanes = lanes.into_iter().filter_map(lane).collect();
        Ok(Self {
            sdp: sdp.to_owned(),
            identity,
            passwords,
            sections,
            lanes,
            prefer: Codec::Vp8,
        })
    }

    /// What the page says its lines of pictures show. Nothing said: the first is the camera. A line that is not named is not
    /// published, although it may be there for later.
    ///
    /// # Errors
    /// `sdp_invalid`: a line that is not there or sends no pictures, or a line or source twice.
    pub(crate) fn showing(mut self, tracks: &[SentTrack]) -> Result<Self, MediaError> {
        if tracks.is_empty() {
            return Ok(self);
        }
        self.lanes.retain(|(_, lane)| *lane == Lane::Sound);
        for track in tracks {
            let sends = |s: &&Section| s.mid == track.mid && s.kind == Kind::Video && s.sends;
            let lane = Lane::of(track.source);
            let twice = |(m, l): &(String, Lane)| *m == track.mid || *l == lane;
            if self.sections.iter().find(sends).is_none() || self.lanes.iter().any(twice) {
                return Err(MediaError::SdpInvalid("a source without a line of its own"));
            }
            self.lanes.push((track.mid.clone(), lane));
        }
        Ok(self)
    }

    /// The codecs for pictures that the page can use on all its lines; none if it has no pictures at all.
    pub(crate) fn able(&self) -> Option<Able> {
        let video = self.sections.iter().filter(|s| s.kind == Kind::Video);
        video.map(|s| s.payloads.able()).reduce(Able::and)
    }

    /// What is shown beside the person.
    pub(crate) fn shares(&self) -> Vec<Source> {
        let lanes = self.lanes.iter().map(|(_, lane)| lane);
        lanes.filter(|l| l.is_share()).map(|l| l.source()).collect()
    }
}

impl Raw<'_> {
    fn sends(&self) -> bool {
        !self.receives_only && !self.inactive
    }
}

/// What the leg needs from its own answer: the ICE credentials and the payload types per mid.
pub(crate) fn read_answer(sdp: &str) -> Result<(Credentials, Vec<Section>), MediaError> {
    let parsed = parse(sdp)?;
    let (Some(ufrag), Some(password)) = (parsed.ufrag, parsed.pwd) else {
        return Err(MediaError::SdpInvalid("an answer without ICE credentials"));
    };
    let credentials = Credentials {
        ufrag: ufrag.to_owned(),
        password: password.to_owned(),
    };
    let mut sections = Vec::new();
    for raw in parsed.sections.iter().filter(|s| !s.rejected) {
        let kind = match raw.media {
            "audio" => Kind::Audio,
            "video" => Kind::Video,
            _ => continue,
        };
        let Some(mid) = raw.mid else { continue };
        let formats = raw.formats.usable();
        sections.push(Section {
            mid: mid.to_owned(),
            kind,
            receives: raw.sends(),
            sends: !raw.sends_only && !raw.inactive,
            payloads: payloads(&formats),
            formats,
        });
    }
    Ok((credentials, sections))
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
        // Of the session, and of a line that has its own.
        let own = "a=mid:1\r\na=ice-pwd:another-password-of-22-or-more\r\n";
        let two = Offer::parse(&offer().replace("a=mid:1\r\n", own)).unwrap();
        assert!(two.passwords.len() == 2 && two.passwords.contains(&o.passwords[0]));
        assert_eq!(o.sections.len(), 2);
        assert_eq!(
            o.sections[1],
            Section {
                mid: "1".into(),
                kind: Kind::Video,
                receives: true,
                sends: false,
                payloads: payloads(&[(100, Codec::Vp8)]),
                formats: vec![(100, Codec::Vp8)],
            }
        );
        assert_eq!(o.lanes, [("0".to_owned(), Lane::Sound)]);
    }

    #[test]
    fn a_page_says_what_its_lines_show() {
        let line = |mid: u8, direction: &str| {
            format!(
                "m=video 9 UDP/TLS/RTP/SAVPF 100\r\na=mid:{mid}\r\na={direction}\r\na=rtpmap:100 VP8/90000\r\n"
            )
        };
        let sdp = offer() + &line(2, "sendrecv") + &line(3, "sendonly") + &line(4, "inactive");
        let parse = || Offer::parse(&sdp).unwrap();
        let lane = |mid: &str, lane| (mid.to_owned(), lane);
        assert_eq!(
            parse().lanes,
            [lane("0", Lane::Sound), lane("2", Lane::Camera)]
        );
        let track = |mid: &str, source| SentTrack {
            mid: mid.into(),
            source,
        };
        let named = parse()
            .showing(&[track("3", Source::Camera), track("2", Source::Document)])
            .unwrap();
        assert_eq!(
            named.lanes,
            [
                lane("0", Lane::Sound),
                lane("3", Lane::Camera),
                lane("2", Lane::Document)
            ]
        );
        assert_eq!(named.shares(), [Source::Document]);
        let receives: Vec<&str> = named
            .sections
            .iter()
            .filter(|s| s.receives)
            .map(|s| s.mid.as_str())
            .collect();
        assert_eq!(receives, ["0", "1", "2"]);
        for bad in [
            vec![track("9", Source::Camera)],
            vec![track("0", Source::Camera)],
            vec![track("1", Source::Camera)],
            vec![track("4", Source::Camera)],
            vec![track("2", Source::Camera), track("2", Source::Screen)],
            vec![track("2", Source::Screen), track("3", Source::Screen)],
        ] {
            let refused = parse().showing(&bad).err().map(|e| e.code());
            assert_eq!(refused, Some("sdp_invalid"), "{bad:?}");
        }
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
