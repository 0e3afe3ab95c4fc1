//! The container: Matroska (RFC 9559) on EBML (RFC 8794), written once from front to back.
//!
//! Segment and clusters have unknown sizes, so that every prefix that ends with a block is a whole file. Pure: bytes out. H.264 makes it
//! Matroska in name; VP8 and Opus are WebM.

use super::frames::Config;
use super::manifest::{Codec, Cue};
use crate::event::Kind;

/// Track numbers: pictures first, as players expect.
pub(crate) fn number(kind: Kind) -> u8 {
    match kind {
        Kind::Video => 1,
        Kind::Audio => 2,
    }
}

/// One track of the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrackHead {
    pub kind: Kind,
    pub config: Config,
    /// Of the first picture.
    pub size: (u32, u32),
}

/// A size that fills eight bytes, so that a header's length does not depend on what is in it.
fn size(n: u64) -> [u8; 8] {
    (0x0100_0000_0000_0000 | n).to_be_bytes()
}

fn element(id: u32, body: &[u8]) -> Vec<u8> {
    let bytes = id.to_be_bytes();
    let skip = (id.leading_zeros() / 8) as usize;
    let mut out = bytes[skip..].to_vec();
    out.extend_from_slice(&size(body.len() as u64));
    out.extend_from_slice(body);
    out
}

/// Always eight bytes, for the same reason.
fn uint(id: u32, n: u64) -> Vec<u8> {
    element(id, &n.to_be_bytes())
}

fn float(id: u32, n: f64) -> Vec<u8> {
    element(id, &n.to_be_bytes())
}

const UNKNOWN: [u8; 8] = [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
const SEEK_HEAD: u32 = 0x114D_9B74;
const INFO: u32 = 0x1549_A966;
const TRACKS: u32 = 0x1654_AE6B;
const CUES: u32 = 0x1C53_BB6B;

fn ebml(tracks: &[TrackHead]) -> Vec<u8> {
    let webm = tracks.iter().all(|t| t.config.codec != Codec::H264);
    let name: &[u8] = if webm { b"webm" } else { b"matroska" };
    let body = [
        uint(0x4286, 1),
        uint(0x42F7, 1),
        uint(0x42F2, 4),
        uint(0x42F3, 8),
        element(0x4282, name),
        uint(0x4287, 4),
        uint(0x4285, 2),
    ];
    element(0x1A45_DFA3, &body.concat())
}

fn info(duration_ms: Option<u64>) -> Vec<u8> {
    let mut body = [
        uint(0x2A_D7B1, 1_000_000), // ns: one tick is a millisecond
        element(0x4D80, b"cloud-booth"),
        element(0x5741, b"cloud-booth"),
    ]
    .concat();
    if let Some(ms) = duration_ms {
        body.extend(float(0x4489, ms as f64));
    }
    element(INFO, &body)
}

fn tracks(tracks: &[TrackHead]) -> Vec<u8> {
    let entry = |t: &TrackHead| {
        let codec: &[u8] = match t.config.codec {
            Codec::Opus => b"A_OPUS",
            Codec::Vp8 => b"V_VP8",
            Codec::H264 => b"V_MPEG4/ISO/AVC",
        };
        let n = u64::from(number(t.kind));
        let mut body = [
            uint(0xD7, n),
            uint(0x73C5, n),
            uint(0x83, if t.kind == Kind::Video { 1 } else { 2 }),
            uint(0x9C, 0), // no lacing
            element(0x86, codec),
        ]
        .concat();
        if !t.config.private.is_empty() {
            body.extend(element(0x63A2, &t.config.private));
        }
        match t.kind {
            Kind::Video => {
                let sides = [
                    uint(0xB0, u64::from(t.size.0)),
                    uint(0xBA, u64::from(t.size.1)),
                ];
                body.extend(element(0xE0, &sides.concat()));
            }
            Kind::Audio => {
                body.extend(uint(0x56AA, 0)); // codec delay
                body.extend(uint(0x56BB, 80_000_000)); // seek pre-roll (ns, RFC 7845 §4.6)
                body.extend(element(
                    0xE1,
                    &[float(0xB5, 48_000.0), uint(0x9F, 2)].concat(),
                ));
            }
        }
        element(0xAE, &body)
    };
    element(
        TRACKS,
        &tracks.iter().map(entry).collect::<Vec<_>>().concat(),
    )
}

/// What a stream begins with while it is being written: no duration, no index.
pub(crate) fn head(list: &[TrackHead]) -> Vec<u8> {
    let mut out = ebml(list);
    out.extend_from_slice(&[0x18, 0x53, 0x80, 0x67]);
    out.extend_from_slice(&UNKNOWN);
    out.extend(info(None));
    out.extend(tracks(list));
    out
}

/// What a finished stream is played with instead: duration and index in front, so that a player can seek over HTTP.
/// `written` is the length of the head that it replaces, `clusters` the length of what follows (bytes).
pub(crate) fn indexed_head(
    list: &[TrackHead],
    duration_ms: u64,
    cues: &[Cue],
    written: u64,
    clusters: u64,
) -> Vec<u8> {
    let main = if list.iter().any(|t| t.kind == Kind::Video) {
        Kind::Video
    } else {
        Kind::Audio
    };
    let (info, tracks) = (info(Some(duration_ms)), tracks(list));
    let index = |first_cluster: u64| {
        let point = |cue: &Cue| {
            let at = first_cluster + cue.at.saturating_sub(written);
            let place = [uint(0xF7, u64::from(number(main))), uint(0xF1, at)];
            element(
                0xBB,
                &[uint(0xB3, cue.ms), element(0xB7, &place.concat())].concat(),
            )
        };
        element(CUES, &cues.iter().map(point).collect::<Vec<_>>().concat())
    };
    let seek = |at: [u64; 3]| {
        let entry = |id: u32, at: u64| {
            let body = [element(0x53AB, &id.to_be_bytes()), uint(0x53AC, at)];
            element(0x4DBB, &body.concat())
        };
        let entries = [entry(INFO, at[0]), entry(TRACKS, at[1]), entry(CUES, at[2])];
        element(SEEK_HEAD, &entries.concat())
    };
    // All lengths are fixed by now: places are counted from the beginning of the segment's data.
    let info_at = seek([0; 3]).len() as u64;
    let tracks_at = info_at + info.len() as u64;
    let cues_at = tracks_at + tracks.len() as u64;
    let first_cluster = cues_at + index(0).len() as u64;

    let mut out = ebml(list);
    out.extend_from_slice(&[0x18, 0x53, 0x80, 0x67]);
    out.extend_from_slice(&size(first_cluster + clusters));
    out.extend(seek([info_at, tracks_at, cues_at]));
    out.extend(info);
    out.extend(tracks);
    out.extend(index(first_cluster));
    out
}

/// Begins a cluster.
pub(crate) fn cluster(out: &mut Vec<u8>, ms: u64) {
    out.extend_from_slice(&[0x1F, 0x43, 0xB6, 0x75]);
    out.extend_from_slice(&UNKNOWN);
    out.extend(uint(0xE7, ms));
}

/// One frame; `relative_ms` counts from its cluster.
pub(crate) fn block(out: &mut Vec<u8>, kind: Kind, relative_ms: i16, key: bool, data: &[u8]) {
    out.push(0xA3);
    out.extend_from_slice(&size(data.len() as u64 + 4));
    out.push(0x80 | number(kind));
    out.extend_from_slice(&relative_ms.to_be_bytes());
    out.push(if key { 0x80 } else { 0 });
    out.extend_from_slice(data);
}

/// The CodecPrivate of each track of a head that [`head`] wrote, empty where there is none.
pub(crate) fn privates(written: &[u8]) -> Option<Vec<Vec<u8>>> {
    let tracks = children(written.get(12 + first(written)?..)?)
        .find(|(id, _)| *id == TRACKS)?
        .1;
    let private = |entry: &[u8]| {
        let found = children(entry).find(|(id, _)| *id == 0x63A2);
        found.map_or_else(Vec::new, |(_, body)| body.to_vec())
    };
    Some(children(tracks).map(|(_, entry)| private(entry)).collect())
}

/// Length of the first element.
fn first(bytes: &[u8]) -> Option<usize> {
    let (_, body) = children(bytes).next()?;
    Some(4 + 8 + body.len())
}

/// Elements of our own making: sizes have eight bytes.
fn children(mut bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    std::iter::from_fn(move || {
        let id_bytes = bytes.first()?.leading_zeros() as usize + 1;
        let (id, rest) = bytes.split_at_checked(id_bytes)?;
        let id = id.iter().fold(0u32, |n, b| n << 8 | u32::from(*b));
        let (size, rest) = rest.split_first_chunk()?;
        let size = usize::try_from(u64::from_be_bytes(*size) & 0x00ff_ffff_ffff_ffff).ok()?;
        let (body, rest) = rest.split_at_checked(size)?;
        bytes = rest;
        Some((id, body))
    })
}

/// The type that a browser is told.
pub(crate) fn content_type(list: &[TrackHead]) -> &'static str {
    if list.iter().any(|t| t.config.codec == Codec::H264) {
        "video/x-matroska"
    } else if list.iter().any(|t| t.kind == Kind::Video) {
        "video/webm"
    } else {
        "audio/webm"
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::record::tests::matroska;

    fn heads() -> Vec<TrackHead> {
        let config = |codec, private: &[u8]| Config {
            codec,
            private: private.to_vec(),
        };
        vec![
            TrackHead {
                kind: Kind::Video,
                config: config(Codec::Vp8, &[]),
                size: (640, 480),
            },
            TrackHead {
                kind: Kind::Audio,
                config: config(Codec::Opus, b"OpusHead"),
                size: (0, 0),
            },
        ]
    }

    #[test]
    fn a_stream_is_read_back_by_an_independent_reader() {
        let mut out = head(&heads());
        cluster(&mut out, 0);
        block(&mut out, Kind::Video, 0, true, b"key");
        block(&mut out, Kind::Audio, 7, true, b"sound");
        cluster(&mut out, 5_000);
        block(&mut out, Kind::Video, -3, false, b"delta");
        let file = matroska::read(&out).unwrap();
        assert_eq!(file.doc_type, "webm");
        assert_eq!(
            file.tracks,
            [
                (1, "V_VP8".to_owned(), Some((640, 480))),
                (2, "A_OPUS".to_owned(), None)
            ]
        );
        let blocks: Vec<_> = file
            .blocks
            .iter()
            .map(|b| (b.track, b.ms, b.key, b.data.as_slice()))
            .collect();
        assert_eq!(
            blocks,
            [
                (1, 0, true, &b"key"[..]),
                (2, 7, true, b"sound"),
                (1, 4_997, false, b"delta")
            ]
        );
        assert_eq!(file.duration_ms, None);
    }

    #[test]
    fn the_index_points_at_clusters_and_the_length_is_right() {
        let written = head(&heads());
        let mut clusters = Vec::new();
        let mut cues = Vec::new();
        for n in 0..5u64 {
            cues.push(Cue {
                ms: n * 5_000,
                at: (written.len() + clusters.len()) as u64,
            });
            cluster(&mut clusters, n * 5_000);
            block(&mut clusters, Kind::Video, 0, true, &[n as u8; 100]);
        }
        let mut out = indexed_head(
            &heads(),
            20_033,
            &cues,
            written.len() as u64,
            clusters.len() as u64,
        );
        out.extend(clusters);
        let file = matroska::read(&out).unwrap();
        assert_eq!(file.duration_ms, Some(20_033));
        assert_eq!(file.segment_end, Some(out.len()));
        assert_eq!(file.cues.len(), 5);
        for (ms, at) in &file.cues {
            assert_eq!(out[*at..*at + 4], [0x1F, 0x43, 0xB6, 0x75], "{ms}");
        }
        assert_eq!(file.seeks.len(), 3);
        for (id, at) in &file.seeks {
            assert_eq!(out[*at..*at + 4], id.to_be_bytes());
        }
    }
}
