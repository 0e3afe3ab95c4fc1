//! As much SDP as the bench's pages speak (RFC 8829): an offer with audio and video in one bundle, an answer to Janus's, and what the
//! other side's text says of where it is.

use super::Kind;
use super::feedback::EXTENSION;
use super::stun::Credentials;
use anyhow::{Context as _, Result};
use rtc::sdp::extmap::TRANSPORT_CC_URI;
use std::fmt::Write as _;
use std::net::SocketAddr;

/// Payload type of repeated pictures (RFC 4588).
const REPETITIONS: u8 = 97;

/// What a page does with both its sections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Receive,
    /// SSRCs of audio and video.
    Send([u32; 2]),
    Both([u32; 2]),
}

/// The other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    pub credentials: Credentials,
    pub addr: SocketAddr,
    /// It opens the DTLS handshake (`a=setup:active`, RFC 5763).
    pub active: bool,
    pub sections: Vec<Section>,
}

/// One m-line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    pub media: String,
    pub mid: String,
    pub payload_type: String,
}

/// Who writes.
pub struct Local<'a> {
    pub id: u64,
    pub credentials: &'a Credentials,
    pub fingerprint: &'a str,
    pub addr: SocketAddr,
    /// Tells of every packet when it came, as browsers do, and knows repetitions on a stream of their own.
    pub feedback: bool,
}

fn head(out: &mut String, local: &Local, mids: &str) {
    let _ = write!(
        out,
        "v=0\r\no=- {} 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {mids}\r\na=msid-semantic: WMS *\r\n",
        local.id + 1
    );
}

fn section(out: &mut String, local: &Local, kind: Kind, s: &Section, setup: &str, way: Direction) {
    let Section {
        media,
        mid,
        payload_type: pt,
    } = s;
    let Credentials { ufrag, pwd } = local.credentials;
    let (ip, port) = (local.addr.ip(), local.addr.port());
    let (direction, ssrc) = match way {
        Direction::Receive => ("recvonly", None),
        Direction::Send(ssrc) => ("sendonly", Some(ssrc[kind as usize])),
        Direction::Both(ssrc) => ("sendrecv", Some(ssrc[kind as usize])),
    };
    let repetitions = match kind {
        Kind::Video if local.feedback => format!(" {REPETITIONS}"),
        Kind::Audio | Kind::Video => String::new(),
    };
    let _ = write!(
        out,
        "m={media} 9 UDP/TLS/RTP/SAVPF {pt}{repetitions}\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\n\
         a=fingerprint:sha-256 {}\r\na=setup:{setup}\r\na=mid:{mid}\r\na={direction}\r\na=rtcp-mux\r\n",
        local.fingerprint
    );
    // Else no congestion feedback: nothing is lost on this wire, and no server here shall adapt.
    if local.feedback {
        let _ = write!(
            out,
            "a=rtcp-fb:{pt} transport-cc\r\na=extmap:{EXTENSION} {TRANSPORT_CC_URI}\r\n"
        );
    }
    let _ = match kind {
        Kind::Audio => write!(
            out,
            "a=rtpmap:{pt} opus/48000/2\r\na=fmtp:{pt} minptime=10;useinbandfec=1\r\n"
        ),
        Kind::Video => write!(
            out,
            "a=rtpmap:{pt} VP8/90000\r\na=rtcp-fb:{pt} ccm fir\r\na=rtcp-fb:{pt} nack\r\na=rtcp-fb:{pt} nack pli\r\n"
        ),
    };
    if !repetitions.is_empty() {
        let _ = write!(
            out,
            "a=rtpmap:{REPETITIONS} rtx/90000\r\na=fmtp:{REPETITIONS} apt={pt}\r\n"
        );
    }
    if let Some(ssrc) = ssrc {
        let _ = write!(
            out,
            "a=msid:bench bench-{media}\r\na=ssrc:{ssrc} cname:bench\r\na=ssrc:{ssrc} msid:bench bench-{media}\r\n"
        );
    }
    let _ = write!(
        out,
        "a=candidate:1 1 udp 2130706431 {ip} {port} typ host\r\na=end-of-candidates\r\n"
    );
}

fn own_sections() -> [(Kind, Section); 2] {
    [(Kind::Audio, "audio", "0"), (Kind::Video, "video", "1")].map(|(kind, media, mid)| {
        let s = Section {
            media: media.into(),
            mid: mid.into(),
            payload_type: kind.payload_type().to_string(),
        };
        (kind, s)
    })
}

/// A page's offer.
#[must_use]
pub fn offer(local: &Local, way: Direction) -> String {
    let mut out = String::new();
    head(&mut out, local, "0 1");
    for (kind, s) in own_sections() {
        section(&mut out, local, kind, &s, "actpass", way);
    }
    out
}

/// A viewer's answer to an offer: it receives all, and opens the handshake.
#[must_use]
pub fn answer(local: &Local, offer: &Remote) -> String {
    let mut out = String::new();
    let mids: Vec<&str> = offer.sections.iter().map(|s| s.mid.as_str()).collect();
    head(&mut out, local, &mids.join(" "));
    for s in &offer.sections {
        let kind = if s.media == "audio" {
            Kind::Audio
        } else {
            Kind::Video
        };
        section(&mut out, local, kind, s, "active", Direction::Receive);
    }
    out
}

/// Reads an offer or answer: first credentials, first UDP candidate, every section.
pub fn read(sdp: &str) -> Result<Remote> {
    let value = |key: &str| {
        sdp.lines()
            .find_map(|l| l.trim_end().strip_prefix("a=")?.strip_prefix(key))
            .map(str::to_owned)
    };
    let candidate = sdp.lines().find_map(|l| {
        let words: Vec<&str> = l
            .trim_end()
            .strip_prefix("a=candidate:")?
            .split(' ')
            .collect();
        let [_, "1", transport, _, ip, port, ..] = words[..] else {
            return None;
        };
        if !transport.eq_ignore_ascii_case("udp") {
            return None;
        }
        format!("{ip}:{port}").parse().ok()
    });
    let mut sections: Vec<Section> = vec![];
    for line in sdp.lines().map(str::trim_end) {
        if let Some(m) = line.strip_prefix("m=") {
            let mut words = m.split(' ');
            sections.push(Section {
                media: words.next().unwrap_or_default().into(),
                mid: String::new(),
                payload_type: words.nth(2).unwrap_or_default().into(),
            });
        } else if let (Some(mid), Some(s)) = (line.strip_prefix("a=mid:"), sections.last_mut()) {
            s.mid = mid.into();
        }
    }
    Ok(Remote {
        credentials: Credentials {
            ufrag: value("ice-ufrag:").context("no ICE user fragment")?,
            pwd: value("ice-pwd:").context("no ICE password")?,
        },
        addr: candidate.context("no UDP candidate")?,
        active: value("setup:").context("no DTLS role")? == "active",
        sections,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn local(credentials: &Credentials) -> Local<'_> {
        Local {
            id: 4,
            credentials,
            fingerprint: "AA:BB",
            addr: "10.0.0.1:40000".parse().unwrap(),
            feedback: false,
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let credentials = Credentials {
            ufrag: "user".into(),
            pwd: "p".repeat(22),
        };
        let sdp = offer(&local(&credentials), Direction::Send([5, 6]));
        assert!(sdp.contains("a=ssrc:6 cname:bench") && sdp.contains("a=sendonly"));
        let read = read(&sdp).unwrap();
        assert_eq!(read.credentials, credentials);
        assert_eq!(read.addr, local(&credentials).addr);
        assert!(!read.active);
        let media: Vec<_> = read
            .sections
            .iter()
            .map(|s| (s.media.as_str(), s.mid.as_str(), s.payload_type.as_str()))
            .collect();
        assert_eq!(media, [("audio", "0", "111"), ("video", "1", "96")]);
    }

    #[test]
    fn congestion_feedback_is_offered_on_both_lines_where_it_is_wanted() {
        let credentials = Credentials::default();
        let mut local = local(&credentials);
        assert!(!offer(&local, Direction::Receive).contains("transport"));
        local.feedback = true;
        let sdp = offer(&local, Direction::Receive);
        assert_eq!(sdp.matches(" transport-cc\r\n").count(), 2);
        assert_eq!(sdp.matches("a=extmap:3 http").count(), 2);
        assert!(sdp.contains("SAVPF 96 97\r\n") && sdp.contains("a=fmtp:97 apt=96\r\n"));
        assert!(sdp.contains("SAVPF 111\r\n"));
    }

    #[test]
    fn an_answer_keeps_the_offers_names_and_takes_the_udp_candidate() {
        let sdp = "v=0\r\na=group:BUNDLE a v1\r\nm=video 9 UDP/TLS/RTP/SAVPF 100 101\r\na=mid:v1\r\na=ice-ufrag:x\r\na=ice-pwd:y\r\na=setup:actpass\r\n\
            a=candidate:1 1 tcp 1 10.0.0.2 9 typ host tcptype passive\r\na=candidate:2 1 UDP 1 10.0.0.2 500 typ host\r\n";
        let remote = read(sdp).unwrap();
        assert_eq!(remote.addr.to_string(), "10.0.0.2:500");
        let credentials = Credentials::default();
        let text = answer(&local(&credentials), &remote);
        assert!(
            text.contains("BUNDLE v1\r\n") && text.contains("m=video 9 UDP/TLS/RTP/SAVPF 100\r\n")
        );
        assert!(
            text.contains("a=mid:v1")
                && text.contains("a=setup:active")
                && text.contains("a=recvonly")
        );
    }
}
