//! The readers of what lies on disk and of what is recorded, for the fuzz targets; see [`crate::inside`].

use super::frames::{Assembler, Config};
use super::jitter::InPacket;
use super::manifest::{Codec, Manifest};
use super::plan::RecordingKey;
use super::read::{PartReader, ReadError, SegmentSource, verify};
use super::segment::{Type, cipher, hash_of, hex, nonce};
use super::sink::SegmentName;
use super::sps::Sps;
use super::webm::TrackHead;
use super::{unseal, vp8, webm};
use crate::event::Kind;
use aes_gcm::Nonce;
use aes_gcm::aead::{Aead as _, Payload};
use bytes::Bytes;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::io;

const NAME: SegmentName = SegmentName { leg: 2, index: 7 };

fn outcome(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// Payloads, the first byte apart, as packets of one stream: cut in three, so that fragments come together.
pub(crate) fn frames(bytes: &[u8]) -> u64 {
    let third = bytes.len().div_ceil(3).max(1);
    let seen = [Codec::Vp8, Codec::H264, Codec::Opus].map(|codec| {
        let mut assembler = Assembler::new(codec);
        let mut whole = 0;
        let pieces = bytes.chunks(third).chain([bytes]);
        for (n, piece) in pieces.enumerate() {
            let packet = InPacket {
                ssrc: 1,
                sequence: n as u16,
                timestamp: 0,
                marker: n >= 2,
                payload: Bytes::copy_from_slice(piece),
                at_ms: 0,
            };
            whole += u8::from(assembler.push(&packet).is_some());
        }
        (whole, assembler.awaits_key(), assembler.config().is_some())
    });
    let sps =
        Sps::read(bytes).map(|s| (s.chroma, s.width.leading_zeros(), s.height.leading_zeros()));
    let start =
        vp8::depacketize(bytes).map(|(starts, frame)| (starts, vp8::key_size(frame).is_some()));
    outcome((seen, sps, start))
}

/// A container's head as it was written.
#[must_use]
pub fn container(bytes: &[u8]) -> u64 {
    outcome(webm::privates(bytes).map(|p| p.len()))
}

fn key() -> RecordingKey {
    RecordingKey::new([3; 32])
}

/// A segment of which everything is what the input says but the seal, which is right: its records reach their readers.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut file = b"CBR1".to_vec();
    file.extend([9; 16]);
    file.extend(NAME.leg.to_be_bytes());
    file.extend(NAME.index.to_be_bytes());
    file.push(5);
    file.extend(b"rec_1");
    file.extend([0; 32]);
    let cipher = cipher(&key(), &file);
    let mut aad = file.clone();
    aad.push(0);
    let at = aad.len() - 1;
    // A record: its type, its length, its content.
    let mut rest = bytes;
    for number in 0..16 {
        let Some((head, more)) = rest.split_first_chunk::<3>() else {
            break;
        };
        let length = usize::from(u16::from_be_bytes([head[1], head[2]])).min(more.len());
        let (clear, more) = more.split_at(length);
        aad[at] = head[0] % (Type::End as u8 + 2);
        let payload = Payload {
            msg: clear,
            aad: &aad,
        };
        let Ok(secret) = cipher.encrypt(&Nonce::from(nonce(number)), payload) else {
            break;
        };
        file.extend(((u32::from(aad[at]) << 24) | secret.len() as u32).to_be_bytes());
        file.extend(secret);
        rest = more;
    }
    file
}

/// A segment: as it is, and with its records sealed rightly.
#[must_use]
pub fn segment(bytes: &[u8]) -> u64 {
    let of = |file: &[u8]| {
        unseal::open(file, NAME, &key()).map(|o| {
            let fits = o.good_bytes as usize <= file.len() && o.ends.is_sorted();
            assert!(fits, "more is good than there is");
            (
                o.complete,
                o.spans.len(),
                o.notes.len().min(4),
                o.meta().is_some(),
            )
        })
    };
    outcome((of(bytes), of(&sealed(bytes))))
}

/// A segment with the head of a part with sound, and the end; and the length of that head.
fn with_head() -> (Vec<u8>, u64) {
    let sound = TrackHead {
        kind: Kind::Audio,
        config: Config {
            codec: Codec::Opus,
            private: b"OpusHead".to_vec(),
        },
        size: (0, 0),
    };
    let head = webm::head(&[sound]);
    let mut records = vec![1];
    records.extend((head.len() as u16 + 24).to_be_bytes());
    records.extend([0; 24]);
    records.extend(&head);
    records.extend([3, 0, 0]);
    (sealed(&records), head.len() as u64)
}

struct One(Vec<u8>);

impl SegmentSource for One {
    fn read(&self, _: SegmentName) -> io::Result<Vec<u8>> {
        Ok(self.0.clone())
    }
}

/// A manifest: read, held against segments, and played from.
#[must_use]
pub fn manifest(bytes: &[u8]) -> u64 {
    let mut read: Manifest = match serde_json::from_slice(bytes) {
        Ok(read) => read,
        Err(e) => return outcome((e.classify() as u8, e.column().min(64))),
    };
    let word = |r: Result<(), ReadError>| r.map_err(|e| e.code());
    let (file, head) = with_head();
    // An empty hash stands for the right one: else nothing would ever be opened.
    for entry in read.legs.iter_mut().flat_map(|l| &mut l.segments) {
        if entry.sha256.is_empty() {
            entry.sha256 = hex(&hash_of(&file));
            entry.bytes = file.len() as u64;
            entry.clear_bytes = head;
        }
    }
    let held = word(verify(&One(file.clone()), &key(), &read));
    let played = read.legs.iter().take(2).map(|leg| {
        let part = leg.parts.first().map_or(1, |p| p.part);
        let open = PartReader::open(One(file.clone()), &key(), &read, leg.leg, part);
        word(open.and_then(|mut r| {
            let len = r.len();
            r.read_range(0, len.min(1 << 20)).map(|_| ())
        }))
    });
    outcome((held, played.collect::<Vec<_>>(), read.canonical().is_ok()))
}
