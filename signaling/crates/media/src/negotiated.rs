//! What an answer of ours has settled about repetitions, the numbering of packets and silence. Pure; reads our own text only.

use rtc::sdp::extmap::TRANSPORT_CC_URI;
use std::collections::HashMap;

/// One section of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Payload type of the repetitions (RFC 4588) of a payload type.
    pub repetitions: Vec<(u8, u8)>,
    /// Header extension that carries the number of a packet on the whole connection (draft-holmer-rmcat-transport-wide-cc).
    pub numbered: Option<u8>,
}

impl Terms {
    /// Payload type under which packets of this one are repeated.
    pub(crate) fn repetition(&self, payload_type: u8) -> Option<u8> {
        let found = self.repetitions.iter().find(|(of, _)| *of == payload_type);
        found.map(|(_, repetition)| *repetition)
    }
}

/// By mid.
pub(crate) fn terms(answer: &str) -> HashMap<String, Terms> {
    let mut sections = HashMap::new();
    for section in answer.split("\nm=").skip(1) {
        let mut terms = Terms::default();
        let (mut mid, mut extension, mut reports) = (None, None, false);
        for line in section.lines().map(str::trim_end) {
            let Some((key, value)) = line.strip_prefix("a=").and_then(|a| a.split_once(':')) else {
                continue;
            };
            let (first, rest) = value.split_once(' ').unwrap_or((value, ""));
            match key {
                "mid" => mid = Some(value),
                "fmtp" => {
                    let apt = rest.split(';').find_map(|p| p.trim().strip_prefix("apt="));
                    let pair = (apt.and_then(|a| a.trim().parse().ok()), first.parse().ok());
                    if let (Some(of), Some(repetition)) = pair {
                        terms.repetitions.push((of, repetition));
                    }
                }
                "rtcp-fb" => reports |= rest == "transport-cc",
                // The one-byte form has ids 1 to 14 (RFC 8285 §4.2).
                "extmap" if rest == TRANSPORT_CC_URI => {
                    let id = first.split('/').next().and_then(|n| n.parse().ok());
                    extension = id.filter(|id| (1..=14).contains(id));
                }
                _ => {}
            }
        }
        terms.numbered = extension.filter(|_| reports);
        if let Some(mid) = mid {
            sections.insert(mid.to_owned(), terms);
        }
    }
    sections
}

/// Asks the page to send nothing but a breath now and then while nobody speaks (RFC 7587 §7.1): room for others' pictures.
pub(crate) fn with_silence(answer: &str) -> String {
    let mut out = String::with_capacity(answer.len() + 64);
    for line in answer.split_inclusive('\n') {
        let text = line.trim_end();
        out.push_str(text);
        if text.starts_with("a=fmtp:")
            && text.contains("useinbandfec=1")
            && !text.contains("usedtx=")
        {
            out.push_str(";usedtx=1");
        }
        out.push_str(&line[text.len()..]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n\
        a=rtcp-fb:111 transport-cc\r\na=extmap:3/sendonly http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 121\r\na=mid:v\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n\
        a=fmtp:102 packetization-mode=1\r\na=fmtp:121 rtx-time=3000; apt=102\r\na=extmap:4 urn:other\r\n";

    #[test]
    fn terms_are_read_by_section() {
        let terms = terms(ANSWER);
        assert_eq!(terms["0"].numbered, Some(3));
        assert_eq!(terms["0"].repetition(111), None);
        let video = &terms["v"];
        assert_eq!(video.numbered, None, "no extension there");
        assert_eq!(
            (video.repetition(96), video.repetition(102)),
            (Some(97), Some(121))
        );
        assert_eq!(video.repetition(97), None);
    }

    #[test]
    fn an_extension_without_reports_or_with_an_id_that_is_too_large_is_not_used() {
        let numbered = |sdp: String| terms(&sdp)["0"].numbered;
        assert_eq!(numbered(ANSWER.replace("transport-cc", "nack")), None);
        assert_eq!(numbered(ANSWER.replace("extmap:3/", "extmap:15/")), None);
        assert_eq!(numbered(ANSWER.replace("extmap:3/", "extmap:x/")), None);
    }

    #[test]
    fn silence_is_asked_for_once_and_of_opus_alone() {
        let asked = with_silence(ANSWER);
        assert!(asked.contains("useinbandfec=1;usedtx=1\r\n"));
        assert_eq!(asked.matches("usedtx=1").count(), 1);
        assert_eq!(with_silence(&asked), asked);
        assert_eq!(asked.replace(";usedtx=1", ""), ANSWER);
    }
}
