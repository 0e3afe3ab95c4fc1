//! Which payload types of an m-line are codecs of the counter, and their order in an answer (RFC 8866 §5.14, §6.6, §6.15).
//!
//! Reads text; never touches candidates, keys or directions. What it does not know (RTX, FEC, other codecs) it leaves where it was.

use crate::codec::Payloads;
use crate::record::Codec;

/// What the lines of one section say about its formats.
#[derive(Debug, Default)]
pub(crate) struct Formats<'a> {
    /// In order of preference (the m-line's).
    order: Vec<&'a str>,
    names: Vec<(&'a str, &'a str)>,
    parameters: Vec<(&'a str, &'a str)>,
}

impl<'a> Formats<'a> {
    /// From the words after the protocol of an m-line.
    pub(crate) fn new(order: impl Iterator<Item = &'a str>) -> Self {
        Self {
            order: order.collect(),
            ..Self::default()
        }
    }

    /// `a=rtpmap:<value>`
    pub(crate) fn name(&mut self, value: &'a str) {
        self.names.extend(value.split_once(' '));
    }

    /// `a=fmtp:<value>`
    pub(crate) fn parameters(&mut self, value: &'a str) {
        self.parameters.extend(value.split_once(' '));
    }

    fn line(&mut self, line: &'a str) {
        if let Some(value) = line.strip_prefix("a=rtpmap:") {
            self.name(value);
        } else if let Some(value) = line.strip_prefix("a=fmtp:") {
            self.parameters(value);
        }
    }

    /// The usable ones, preferred first.
    pub(crate) fn usable(&self) -> Vec<(u8, Codec)> {
        let one = |format: &&'a str| Some((format.parse().ok()?, self.codec(format)?));
        self.order.iter().filter_map(one).collect()
    }

    fn codec(&self, format: &str) -> Option<Codec> {
        let (_, name) = self.names.iter().find(|(f, _)| *f == format)?;
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        if is("opus/48000/2") {
            return Some(Codec::Opus);
        }
        if is("VP8/90000") {
            return Some(Codec::Vp8);
        }
        let parameters = self.parameters.iter().find(|(f, _)| *f == format);
        (is("H264/90000") && fits(parameters.map_or("", |(_, p)| *p))).then_some(Codec::H264)
    }
}

/// H.264 that everybody decodes: (constrained) baseline in fragments (RFC 6184 §8.1; mode 0, the default, has none).
fn fits(parameters: &str) -> bool {
    let value = |name: &str| {
        parameters.split(';').find_map(|p| {
            let (key, value) = p.split_once('=')?;
            key.trim()
                .eq_ignore_ascii_case(name)
                .then(|| value.trim().to_ascii_lowercase())
        })
    };
    let profile = value("profile-level-id").unwrap_or_default();
    value("packetization-mode").as_deref() == Some("1")
        && profile.len() == 6
        && (profile.starts_with("42e0") || profile.starts_with("4200"))
}

/// The payload type of each codec.
pub(crate) fn payloads(usable: &[(u8, Codec)]) -> Payloads {
    let mut payloads = Payloads::default();
    for (payload_type, codec) in usable {
        payloads.add(*codec, *payload_type);
    }
    payloads
}

/// The answer with one codec first in each section of pictures: what an offerer sends is the first that the answer names
/// (RFC 8829 §5.3.1, RFC 3264 §6.1); it must still be ready to receive all of them.
pub(crate) fn preferring(sdp: &str, codec: Codec) -> String {
    let lines: Vec<&str> = sdp.lines().map(str::trim_end).collect();
    let mut out = String::with_capacity(sdp.len());
    for (number, line) in lines.iter().enumerate() {
        if line.starts_with("m=video ") {
            out.push_str(&reordered(line, &lines[number + 1..], codec));
        } else {
            out.push_str(line);
        }
        out.push_str("\r\n");
    }
    out
}

fn reordered(media: &str, after: &[&str], codec: Codec) -> String {
    let words: Vec<&str> = media.split(' ').collect();
    let (head, order) = words.split_at(words.len().min(3));
    let mut formats = Formats::new(order.iter().copied());
    for line in after.iter().take_while(|l| !l.starts_with("m=")) {
        formats.line(line);
    }
    let of_codec = formats.usable().into_iter().filter(|(_, c)| *c == codec);
    let first: Vec<String> = of_codec.map(|(pt, _)| pt.to_string()).collect();
    let (before, rest): (Vec<&str>, Vec<&str>) =
        order.iter().partition(|w| first.iter().any(|f| f == *w));
    [head, &before, &rest].concat().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use Codec::{H264, Opus, Vp8};

    /// As Chromium writes it.
    const VIDEO: &str = "m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 102 103 127 125 112\r\na=mid:1\r\n\
        a=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=rtpmap:98 VP9/90000\r\na=fmtp:98 profile-id=0\r\n\
        a=rtpmap:102 H264/90000\r\na=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f\r\n\
        a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\n\
        a=rtpmap:127 H264/90000\r\na=fmtp:127 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f\r\n\
        a=rtpmap:125 H264/90000\r\na=fmtp:125 profile-level-id=42E01F; packetization-mode=1; level-asymmetry-allowed=1\r\n\
        a=rtpmap:112 H264/90000\r\na=fmtp:112 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f\r\n";

    fn read(section: &str) -> Vec<(u8, Codec)> {
        let mut lines = section.lines();
        let mut formats = Formats::new(lines.next().unwrap_or_default().split(' ').skip(3));
        lines.for_each(|line| formats.line(line));
        formats.usable()
    }

    #[test]
    fn baseline_in_mode_one_is_taken_and_nothing_else_of_h264() {
        let usable = read(VIDEO);
        assert_eq!(usable, [(96, Vp8), (102, H264), (125, H264)]);
        let payloads = payloads(&usable);
        assert_eq!((payloads.of(Vp8), payloads.of(H264)), (Some(96), Some(102)));
        let audio = "m=audio 9 UDP/TLS/RTP/SAVPF 9 111\r\na=rtpmap:9 G722/8000\r\na=rtpmap:111 OPUS/48000/2\r\n";
        assert_eq!(read(audio), [(111, Opus)]);
        // A map for a format that the m-line does not name, and one without parameters.
        assert_eq!(
            read("m=video 9 x 5\r\na=rtpmap:5 H264/90000\r\na=rtpmap:6 VP8/90000\r\n"),
            []
        );
    }

    #[test]
    fn an_answer_puts_the_rooms_codec_first_and_keeps_the_rest() {
        let sdp = format!("v=0\r\nm=audio 9 x 111\r\na=rtpmap:111 opus/48000/2\r\n{VIDEO}");
        let out = preferring(&sdp, H264);
        assert!(out.contains("m=video 9 UDP/TLS/RTP/SAVPF 102 125 96 97 98 103 127 112\r\n"));
        assert!(out.contains("m=audio 9 x 111\r\n"));
        assert_eq!(out.lines().count(), sdp.lines().count());
        assert_eq!(preferring(&out, H264), out);
        assert_eq!(preferring(&sdp, Vp8), sdp);
    }
}
