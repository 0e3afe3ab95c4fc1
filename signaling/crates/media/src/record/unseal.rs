//! An encrypted segment read back, as far as it is whole and genuine.

use super::plan::RecordingKey;
use super::segment::{HASH, Link, MAGIC, Meta, Note, SALT, Span, cipher, nonce};
use super::sink::SegmentName;
use aes_gcm::Nonce;
use aes_gcm::aead::{Aead as _, Payload};

/// What was read of a segment.
#[derive(Debug, Default)]
pub(crate) struct Opened {
    pub recording: String,
    pub previous: Link,
    pub notes: Vec<Note>,
    pub webm: Vec<u8>,
    pub spans: Vec<Span>,
    /// The end was there and nothing after it.
    pub complete: bool,
    /// Bytes of the file that are whole and genuine.
    pub good_bytes: u64,
    /// Where its records end (bytes).
    pub ends: Vec<u64>,
}

/// Reads a segment as far as its records are whole and genuine. None if not even the header is one of this name.
pub(crate) fn open(file: &[u8], name: SegmentName, key: &RecordingKey) -> Option<Opened> {
    let rest = file.strip_prefix(MAGIC)?;
    let rest = rest.get(SALT..)?;
    let (leg, rest) = rest.split_first_chunk()?;
    let (index, rest) = rest.split_first_chunk()?;
    if (u16::from_be_bytes(*leg), u32::from_be_bytes(*index)) != (name.leg, name.index) {
        return None;
    }
    let (length, rest) = rest.split_first()?;
    let (recording, rest) = rest.split_at_checked(usize::from(*length))?;
    let (previous, mut rest) = rest.split_first_chunk::<HASH>()?;
    let header = &file[..file.len() - rest.len()];
    let cipher = cipher(key, header);
    let mut aad = header.to_vec();
    aad.push(0);
    let at = aad.len() - 1;
    let mut out = Opened {
        recording: std::str::from_utf8(recording).ok()?.to_owned(),
        previous: *previous,
        good_bytes: header.len() as u64,
        ..Opened::default()
    };
    for number in 0.. {
        let Some((head, more)) = rest.split_first_chunk() else {
            break;
        };
        let head = u32::from_be_bytes(*head);
        let Some((sealed, more)) = more.split_at_checked((head & 0xff_ffff) as usize) else {
            break;
        };
        aad[at] = (head >> 24) as u8;
        let payload = Payload {
            msg: sealed,
            aad: &aad,
        };
        let Ok(clear) = cipher.decrypt(&Nonce::from(nonce(number)), payload) else {
            break;
        };
        match head >> 24 {
            1 => {
                let Some((span, webm)) = read_span(&clear) else {
                    break;
                };
                out.spans.push(span);
                out.webm.extend_from_slice(webm);
            }
            2 => match serde_json::from_slice::<Vec<Note>>(&clear) {
                Ok(notes) => out.notes.extend(notes),
                Err(_) => break,
            },
            3 => {
                out.complete = more.is_empty();
                out.good_bytes += 4 + sealed.len() as u64;
                out.ends.push(out.good_bytes);
                break;
            }
            _ => break,
        }
        rest = more;
        out.good_bytes += 4 + sealed.len() as u64;
        out.ends.push(out.good_bytes);
    }
    Some(out)
}

fn read_span(clear: &[u8]) -> Option<(Span, &[u8])> {
    let (first, rest) = clear.split_first_chunk()?;
    let (last, rest) = rest.split_first_chunk()?;
    let (audio, rest) = rest.split_first_chunk()?;
    let (video, rest) = rest.split_first_chunk()?;
    let span = Span {
        first_ms: u64::from_be_bytes(*first),
        last_ms: u64::from_be_bytes(*last),
        frames: [u32::from_be_bytes(*audio), u32::from_be_bytes(*video)],
    };
    Some((span, rest))
}

impl Opened {
    pub(crate) fn meta(&self) -> Option<&Meta> {
        self.notes.iter().find_map(|n| match n {
            Note::Meta(meta) => Some(meta),
            _ => None,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::segment::{Writer, first_link, hash_of};
    use super::*;
    use crate::record::tests::{MemorySink, key};

    const NAME: SegmentName = SegmentName { leg: 2, index: 7 };

    fn written(finish: bool) -> (Vec<u8>, Vec<usize>) {
        let mut sink = MemorySink::default();
        let previous = first_link("rec_1", 2);
        let mut w = Writer::create(&mut sink, &key(), "rec_1", NAME, &previous).unwrap();
        let mut ends = vec![w.bytes as usize];
        for n in 0..5u8 {
            let span = Span {
                first_ms: u64::from(n) * 10,
                last_ms: u64::from(n) * 10 + 9,
                frames: [1, 2],
            };
            w.media(span, &[n; 50]).unwrap();
            ends.push(w.bytes as usize);
        }
        w.notes(&[]).unwrap();
        ends.push(w.bytes as usize);
        if finish {
            let (hash, bytes) = w.finish().unwrap();
            let file = sink.file(NAME);
            assert_eq!((hash, bytes as usize), (hash_of(&file), file.len()));
        }
        (sink.file(NAME), ends)
    }

    #[test]
    fn a_whole_segment_is_read_back() {
        let (file, _) = written(true);
        let opened = open(&file, NAME, &key()).unwrap();
        assert!(opened.complete);
        assert_eq!(opened.recording, "rec_1");
        assert_eq!(opened.previous, first_link("rec_1", 2));
        let expected: Vec<u8> = (0..5u8).flat_map(|n| [n; 50]).collect();
        assert_eq!(opened.webm, expected);
        assert_eq!(
            (opened.spans[4].first_ms, opened.spans[4].frames),
            (40, [1, 2])
        );
        assert_eq!(opened.good_bytes as usize, file.len());
        assert!(!file.windows(20).any(|w| w == [3u8; 20]), "it is encrypted");
    }

    #[test]
    fn torn_at_every_byte_it_gives_the_whole_records_before() {
        let (file, ends) = written(true);
        for cut in 0..file.len() {
            let opened = open(&file[..cut], NAME, &key());
            let Some(opened) = opened else {
                assert!(cut < ends[0], "{cut}");
                continue;
            };
            assert!(!opened.complete);
            let whole = ends.iter().filter(|e| **e <= cut).count() - 1;
            assert_eq!(opened.spans.len(), whole.min(5), "{cut}");
            assert_eq!(opened.webm.len(), whole.min(5) * 50);
            assert_eq!(opened.good_bytes as usize, ends[whole]);
        }
    }

    #[test]
    fn no_byte_can_be_changed_unnoticed() {
        let (file, _) = written(true);
        for at in 0..file.len() {
            let mut bad = file.clone();
            bad[at] ^= 0x10;
            let opened = open(&bad, NAME, &key());
            assert!(opened.is_none_or(|o| !o.complete), "{at}");
        }
    }

    #[test]
    fn it_belongs_to_its_name_key_and_place() {
        let (file, ends) = written(true);
        let other = SegmentName { leg: 2, index: 8 };
        assert!(open(&file, other, &key()).is_none());
        let opened = open(&file, NAME, &RecordingKey::new([9; 32])).unwrap();
        assert_eq!((opened.webm.len(), opened.complete), (0, false));
        // Records in another order are not genuine.
        let mut swapped = file[..ends[0]].to_vec();
        swapped.extend_from_slice(&file[ends[1]..ends[2]]);
        swapped.extend_from_slice(&file[ends[0]..ends[1]]);
        assert!(open(&swapped, NAME, &key()).unwrap().webm.is_empty());
        // Something behind the end is noticed.
        let mut longer = file.clone();
        longer.push(0);
        assert!(!open(&longer, NAME, &key()).unwrap().complete);
        assert!(!open(&written(false).0, NAME, &key()).unwrap().complete);
    }
}
