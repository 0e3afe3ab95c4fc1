//! Opus in Ogg (RFC 3533, RFC 7845): pages, their checksums, packets over pages, and how long each packet lasts.
//! Reads files from strangers: bounded, and a page that does not add up ends it.

use super::clip::{Audio, BadFile, Sound, bad};
use bytes::Bytes;
use std::time::Duration;

const PAGE_HEADER: usize = 27;
/// Largest packet that fits one datagram; Opus at 510 kbit/s and 20 ms has 1,275 bytes.
const PACKET_MAX: usize = 1_150;
/// Longest header packet (comments may hold a picture), bytes.
const HEADER_MAX: usize = 1 << 20;
/// Forty minutes at 20 ms.
const PACKETS_MAX: usize = 120_000;
/// Continues a packet of the page before.
const CONTINUED: u8 = 1;

/// The packets of the first Opus stream in a file; other streams beside it are passed over.
///
/// # Errors
/// Not Ogg, no Opus in it, cut short, a damaged page, or over a limit.
pub fn read(file: &[u8]) -> Result<Audio, BadFile> {
    if !file.starts_with(b"OggS") {
        return Err(bad("不是Ogg文件", "not an Ogg file"));
    }
    let mut reader = Reader::default();
    let mut rest = file;
    let mut n = 0;
    while !rest.is_empty() {
        n += 1;
        let page = Page::read(rest).ok_or_else(|| {
            bad(
                format!("第{n}页断了或损坏"),
                format!("page {n} is cut or damaged"),
            )
        })?;
        rest = &rest[page.length..];
        reader.page(&page)?;
    }
    if reader.serial.is_none() {
        return Err(bad("文件里没有Opus", "there is no Opus in it"));
    }
    if reader.packets.is_empty() {
        return Err(bad("没有一段声音", "there is no sound in it"));
    }
    Ok(Audio {
        packets: reader.packets,
    })
}

struct Page<'a> {
    flags: u8,
    serial: u32,
    /// Lengths of the pieces of packets; 255 goes on.
    lacing: &'a [u8],
    body: &'a [u8],
    length: usize,
}

impl<'a> Page<'a> {
    fn read(b: &'a [u8]) -> Option<Self> {
        let head = b.get(..PAGE_HEADER)?;
        if !head.starts_with(b"OggS") || head[4] != 0 {
            return None;
        }
        let body_at = PAGE_HEADER + usize::from(head[26]);
        let lacing = b.get(PAGE_HEADER..body_at)?;
        let length = body_at + lacing.iter().map(|&l| usize::from(l)).sum::<usize>();
        let whole = b.get(..length)?;
        let u32_at = |at: usize| u32::from_le_bytes([b[at], b[at + 1], b[at + 2], b[at + 3]]);
        (checksum(whole) == u32_at(22)).then_some(Self {
            flags: head[5],
            serial: u32_at(14),
            lacing,
            body: &whole[body_at..],
            length,
        })
    }
}

/// CRC-32 of RFC 3533 §6: polynomial 0x04c11db7, from zero, not reflected, the checksum's own bytes as zero.
pub(super) fn checksum(page: &[u8]) -> u32 {
    page.iter().enumerate().fold(0, |crc, (at, &byte)| {
        let byte = if (22..26).contains(&at) { 0 } else { byte };
        (0..8).fold(crc ^ u32::from(byte) << 24, |c, _| {
            if c & 0x8000_0000 == 0 {
                c << 1
            } else {
                c << 1 ^ 0x04c1_1db7
            }
        })
    })
}

#[derive(Default)]
struct Reader {
    serial: Option<u32>,
    /// Of the two headers.
    headers: u8,
    open: Vec<u8>,
    packets: Vec<Sound>,
}

impl Reader {
    fn page(&mut self, page: &Page<'_>) -> Result<(), BadFile> {
        match self.serial {
            None if page.body.starts_with(b"OpusHead") => self.serial = Some(page.serial),
            Some(serial) if serial == page.serial => {}
            _ => return Ok(()),
        }
        let mut pieces = page.lacing.iter();
        let mut at = 0;
        if page.flags & CONTINUED == 0 {
            self.open.clear();
        } else if self.open.is_empty() {
            // Its beginning is missing: it is passed over.
            for &l in pieces.by_ref() {
                at += usize::from(l);
                if l < 255 {
                    break;
                }
            }
        }
        for &l in pieces {
            self.open
                .extend_from_slice(&page.body[at..at + usize::from(l)]);
            at += usize::from(l);
            if self.open.len() > HEADER_MAX {
                return Err(bad("有一个包太长", "a packet is too long"));
            }
            if l < 255 {
                let packet = std::mem::take(&mut self.open);
                self.packet(packet)?;
            }
        }
        Ok(())
    }

    fn packet(&mut self, data: Vec<u8>) -> Result<(), BadFile> {
        if self.headers < 2 {
            self.headers += 1;
            return if self.headers == 1 {
                head(&data)
            } else if data.starts_with(b"OpusTags") {
                Ok(())
            } else {
                Err(bad("缺少OpusTags", "OpusTags is missing"))
            };
        }
        let n = self.packets.len() + 1;
        if n > PACKETS_MAX {
            return Err(bad("声音太长", "the sound is too long"));
        }
        if data.len() > PACKET_MAX {
            return Err(bad(
                format!("第{n}个声音包超过{PACKET_MAX}字节，请降低码率"),
                format!("sound packet {n} is larger than {PACKET_MAX} bytes; use a lower bit rate"),
            ));
        }
        let lasts = duration(&data).ok_or_else(|| {
            bad(
                format!("第{n}个声音包不是Opus"),
                format!("sound packet {n} is not Opus"),
            )
        })?;
        self.packets.push(Sound {
            data: Bytes::from(data),
            lasts,
        });
        Ok(())
    }
}

/// RFC 7845 §5.1: version 1, one or two channels without a mapping table.
fn head(b: &[u8]) -> Result<(), BadFile> {
    if b.len() < 19 || b[8] >> 4 != 0 {
        return Err(bad("OpusHead不对", "OpusHead is wrong"));
    }
    if !(1..=2).contains(&b[9]) || b[18] != 0 {
        return Err(bad(
            "只支持单声道或立体声",
            "only mono and stereo can be sent",
        ));
    }
    Ok(())
}

/// From the first byte, RFC 6716 §3.1 and §3.2; at most 120 ms.
fn duration(packet: &[u8]) -> Option<Duration> {
    let toc = *packet.first()?;
    let frame_us: u64 = match toc >> 3 {
        c @ 0..12 => [10_000, 20_000, 40_000, 60_000][usize::from(c & 3)],
        c @ 12..16 => [10_000, 20_000][usize::from(c & 1)],
        c => [2_500, 5_000, 10_000, 20_000][usize::from(c & 3)],
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u64::from(*packet.get(1)? & 0x3f),
    };
    let all = Duration::from_micros(frame_us * frames);
    (Duration::from_micros(2_500)..=Duration::from_millis(120))
        .contains(&all)
        .then_some(all)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEAD: &[u8] = b"OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0";
    const TAGS: &[u8] = b"OpusTags\x01\0\0\0x\0\0\0\0";
    /// SILK, 20 ms, one frame.
    const SPEECH: &[u8] = &[0x08, 1, 2, 3];

    fn page(flags: u8, serial: u32, lacing: &[u8], body: &[u8]) -> Vec<u8> {
        let mut p = b"OggS\0".to_vec();
        p.push(flags);
        p.extend([0; 8]);
        p.extend(serial.to_le_bytes());
        p.extend([0; 8]);
        p.push(lacing.len() as u8);
        p.extend(lacing);
        p.extend(body);
        let crc = checksum(&p);
        p[22..26].copy_from_slice(&crc.to_le_bytes());
        p
    }
    fn whole(serial: u32, packet: &[u8]) -> Vec<u8> {
        page(0, serial, &[packet.len() as u8], packet)
    }
    fn opus(rest: &[Vec<u8>]) -> Vec<u8> {
        [vec![whole(7, HEAD), whole(7, TAGS)], rest.to_vec()]
            .concat()
            .concat()
    }
    fn refused(f: &[u8]) -> String {
        read(f).unwrap_err().en
    }

    #[test]
    fn the_checksum_is_the_one_of_the_format() {
        // RFC 3533 names the polynomial; this is CRC-32/MPEG-2 from zero over "123456789".
        let mut page = [0u8; 35];
        page[26..].copy_from_slice(b"123456789");
        assert_eq!(checksum(&page), 0x89a1_897f);
    }

    #[test]
    fn packets_go_over_pages_and_other_streams_are_passed_over() {
        let mut long = vec![0x0a; 300];
        long[0] = 0x19; // SILK wide band, 60 ms, two frames
        let f = opus(&[
            whole(7, SPEECH),
            page(0, 7, &[255], &long[..255]),
            whole(9, b"something else"),
            page(CONTINUED, 7, &[45, 4], &[&long[255..], SPEECH].concat()),
        ]);
        let a = read(&f).unwrap();
        let ms: Vec<u128> = a.packets.iter().map(|p| p.lasts.as_millis()).collect();
        assert_eq!(ms, [20, 120, 20]);
        assert_eq!(a.packets[1].data, long);
    }

    #[test]
    fn durations_follow_the_first_byte() {
        for (packet, us) in [
            (&[0x00][..], 10_000),
            (&[0x18], 60_000),
            (&[0x78], 20_000),
            (&[0x80], 2_500),
            (&[0xfc, 1], 20_000),
            (&[0xfd, 1], 40_000),
            (&[0xff, 3], 60_000),
        ] {
            assert_eq!(
                duration(packet),
                Some(Duration::from_micros(us)),
                "{packet:?}"
            );
        }
        for wrong in [&[][..], &[0xff], &[0xff, 0], &[0xff, 63]] {
            assert_eq!(duration(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(refused(b"RIFF"), "not an Ogg file");
        assert!(refused(&whole(1, b"\x01vorbis")).contains("no Opus"));
        assert!(refused(&opus(&[])).contains("no sound"));
        let mut wide = HEAD.to_vec();
        wide[9] = 6;
        assert!(refused(&whole(7, &wide)).contains("stereo"));
        let tagless = [whole(7, HEAD), whole(7, SPEECH)].concat();
        assert!(refused(&tagless).contains("OpusTags"));
        assert!(refused(&opus(&[whole(7, &[0xff])])).contains("not Opus"));
        let mut flipped = opus(&[whole(7, SPEECH)]);
        *flipped.last_mut().unwrap() ^= 1;
        assert!(refused(&flipped).contains("page 3"));
        let fat = page(0, 7, &[255, 255, 255, 255, 255, 0], &[0x08; 1275]);
        assert!(refused(&opus(&[fat])).contains("bit rate"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fall_over(cut in 0usize..400, spoil in proptest::collection::vec((0usize..400, any::<u8>()), 0..6)) {
            // Pages are sealed anew after the damage, so that it gets past the checksum.
            let mut f = opus(&[whole(7, SPEECH), page(CONTINUED, 7, &[2, 255], &[3; 257]), page(CONTINUED, 7, &[9], &[4; 9])]);
            for (at, to) in spoil {
                let n = f.len();
                f[at % n] = to;
            }
            f.truncate(cut.min(f.len()));
            let mut at = 0;
            while let Some(head) = f.get(at..at + PAGE_HEADER) {
                let body = at + PAGE_HEADER + usize::from(head[26]);
                let Some(lacing) = f.get(at + PAGE_HEADER..body) else { break };
                let end = body + lacing.iter().map(|&l| usize::from(l)).sum::<usize>();
                let Some(page) = f.get(at..end) else { break };
                let crc = checksum(page);
                f[at + 22..at + 26].copy_from_slice(&crc.to_le_bytes());
                at = end;
            }
            if let Ok(a) = read(&f) {
                prop_assert!(a.packets.iter().all(|p| p.data.len() <= PACKET_MAX && !p.lasts.is_zero()));
            }
        }
    }
}
