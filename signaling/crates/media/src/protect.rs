//! SRTP protection of what we send (RFC 3711; AES-GCM: RFC 7714), one packet in place at the end of a buffer.
//!
//! Owns the session keys and the numbers of one connection's outgoing streams. Never sends, and never protects two texts under one
//! number (see [`Once`]). No SSRC is ever protected here and by the WebRTC library too: with AES-GCM one nonce twice gives the key away.

use crate::keys::Master;
use crate::once::{Once, Round};
use rtc::rtp::Header;
use rtc::shared::marshal::{Marshal as _, MarshalSize as _};
use rtc_crypto::{AeadAlgorithm, AeadCipher, BlockCipherAlgorithm, CryptoError, RTCCrypto};
use rtc_srtp::{context::Context, protection_profile::ProtectionProfile};

/// Authentication tag of AES-GCM (bytes).
const TAG: usize = 16;
/// Labels of RFC 3711 §4.3.2.
const LABEL_KEY: u8 = 0;
const LABEL_SALT: u8 = 2;

/// A packet before protection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plain<'a> {
    /// Without extensions of its own.
    pub header: &'a Header,
    /// Header extension (its id) with the packet's number on the whole connection.
    pub numbered: Option<(u8, u16)>,
    /// Of a repetition: the number of the original (RFC 4588 §4).
    pub original: Option<u16>,
    pub round: Round,
    pub payload: &'a [u8],
}

pub(crate) struct Protector {
    cipher: Cipher,
    /// By SSRC. Few streams: a list is faster than a map.
    streams: Vec<(u32, Once)>,
}

enum Cipher {
    Gcm(Gcm),
    /// Counter mode with HMAC: peers that do not know GCM. The library's own code, with a copy more.
    CounterMode(Box<Context>),
}

struct Gcm {
    cipher: Box<dyn AeadCipher>,
    salt: [u8; 12],
}

/// AES-CM key derivation with a rate of zero (RFC 3711 §4.3.3; 256 bits: RFC 6188 §3).
fn derive(
    crypto: &dyn RTCCrypto,
    master: &Master,
    label: u8,
    length: usize,
) -> Result<Vec<u8>, CryptoError> {
    let algorithm = if master.key.as_ref().len() == 32 {
        BlockCipherAlgorithm::Aes256
    } else {
        BlockCipherAlgorithm::Aes128
    };
    let mut out = Vec::with_capacity(length + 16);
    for n in 0u8.. {
        if out.len() >= length {
            break;
        }
        let mut block = [0; 16];
        block[..12].copy_from_slice(&master.salt[..12]);
        block[7] ^= label;
        block[15] = n;
        crypto.block_encrypt(algorithm, master.key.as_ref(), &mut block)?;
        out.extend_from_slice(&block);
    }
    out.truncate(length);
    Ok(out)
}

impl Protector {
    pub(crate) fn new(crypto: &dyn RTCCrypto, master: &Master) -> Option<Self> {
        Some(Self {
            cipher: Cipher::new(crypto, master)?,
            streams: Vec::new(),
        })
    }

    /// Appends the protected packet to the buffer; its size, or none (and nothing appended) if it cannot be protected, or another
    /// text was under its number.
    pub(crate) fn append(&mut self, packet: &Plain<'_>, buffer: &mut Vec<u8>) -> Option<usize> {
        let header = packet.header;
        let once = stream(&mut self.streams, header.ssrc);
        let rollovers = once.claim(header.sequence_number, packet.round)?;
        let start = buffer.len();
        let sealed = self.cipher.seal(packet, rollovers, buffer)
            && once.sealed(header.sequence_number, packet.round, &buffer[start..]);
        if !sealed {
            buffer.truncate(start);
            return None;
        }
        Some(buffer.len() - start)
    }
}

fn stream(streams: &mut Vec<(u32, Once)>, ssrc: u32) -> &mut Once {
    let at = streams.iter().position(|(s, _)| *s == ssrc);
    let at = at.unwrap_or_else(|| {
        streams.push((ssrc, Once::default()));
        streams.len() - 1
    });
    &mut streams[at].1
}

impl Cipher {
    fn new(crypto: &dyn RTCCrypto, master: &Master) -> Option<Self> {
        if !master.gcm {
            let profile = ProtectionProfile::Aes128CmHmacSha1_80;
            let context = Context::new(
                master.key.as_ref(),
                &master.salt,
                profile,
                None,
                None,
                crypto,
            );
            return Some(Self::CounterMode(Box::new(context.ok()?)));
        }
        let key = derive(crypto, master, LABEL_KEY, master.key.as_ref().len()).ok()?;
        let salt = derive(crypto, master, LABEL_SALT, 12).ok()?;
        let algorithm = if key.len() == 32 {
            AeadAlgorithm::Aes256Gcm
        } else {
            AeadAlgorithm::Aes128Gcm
        };
        Some(Self::Gcm(Gcm {
            cipher: crypto.new_aead(algorithm, &key).ok()?,
            salt: *salt.first_chunk()?,
        }))
    }

    /// Writes the packet behind what is in the buffer and protects it there; `false`: something is left there that is not to be sent.
    fn seal(&mut self, packet: &Plain<'_>, rollovers: u32, buffer: &mut Vec<u8>) -> bool {
        let header = packet.header;
        let start = buffer.len();
        let mut head = header.marshal_size();
        buffer.resize(start + head, 0);
        let written = header
            .marshal_to(&mut buffer[start..])
            .is_ok_and(|n| n == head);
        let numbered = packet.numbered.filter(|_| !header.extension);
        if let Some((id, number)) = numbered {
            // The X bit; one extension of two bytes in the one-byte form, filled up to a word (RFC 8285 §4.2).
            buffer[start] |= 0x10;
            let [high, low] = number.to_be_bytes();
            let extension = [0xbe, 0xde, 0, 1, id << 4 | 1, high, low, 0];
            buffer.extend_from_slice(&extension);
            head += extension.len();
        }
        if let Some(original) = packet.original {
            buffer.extend_from_slice(&original.to_be_bytes());
        }
        buffer.extend_from_slice(packet.payload);
        written
            && match self {
                Self::Gcm(gcm) => gcm.seal(header, rollovers, start, head, buffer),
                // The library finds the end of the header and counts the rollovers by itself.
                Self::CounterMode(context) => match context.encrypt_rtp(&buffer[start..]) {
                    Ok(whole) => {
                        buffer.truncate(start);
                        buffer.extend_from_slice(&whole);
                        true
                    }
                    Err(_) => false,
                },
            }
    }
}

impl Gcm {
    fn seal(
        &mut self,
        header: &Header,
        rollovers: u32,
        start: usize,
        head: usize,
        buffer: &mut Vec<u8>,
    ) -> bool {
        // 00 00 | SSRC | ROC | SEQ, exclusive-or the salt (RFC 7714 §8.1).
        let mut nonce = [0; 12];
        nonce[2..6].copy_from_slice(&header.ssrc.to_be_bytes());
        nonce[6..10].copy_from_slice(&rollovers.to_be_bytes());
        nonce[10..].copy_from_slice(&header.sequence_number.to_be_bytes());
        for (n, s) in nonce.iter_mut().zip(self.salt) {
            *n ^= s;
        }
        let (aad, text) = buffer[start..].split_at_mut(head);
        let mut tag = [0; TAG];
        let sealed = self.cipher.seal_in_place(&nonce, aad, text, &mut tag);
        buffer.extend_from_slice(&tag);
        sealed.is_ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::config::REPLAY_SRTP;
    use rtc::shared::marshal::Unmarshal as _;
    use rtc_crypto::SecretVec;

    fn master(gcm: bool) -> Master {
        Master {
            key: SecretVec::new((0..16).collect()),
            salt: std::array::from_fn(|n| 100 + n as u8),
            gcm,
        }
    }

    /// The library's own other end.
    fn receiver(gcm: bool) -> Context {
        let (profile, salt) = if gcm {
            (ProtectionProfile::AeadAes128Gcm, 12)
        } else {
            (ProtectionProfile::Aes128CmHmacSha1_80, 14)
        };
        let provider = rtc_crypto::default_provider().unwrap();
        let m = master(gcm);
        Context::new(
            m.key.as_ref(),
            &m.salt[..salt],
            profile,
            None,
            None,
            provider.crypto(),
        )
        .unwrap()
    }

    fn header(ssrc: u32, sequence_number: u16) -> Header {
        Header {
            version: 2,
            payload_type: 96,
            ssrc,
            sequence_number,
            timestamp: 7,
            ..Header::default()
        }
    }

    fn plain<'a>(header: &'a Header, payload: &'a [u8]) -> Plain<'a> {
        Plain {
            header,
            numbered: None,
            original: None,
            round: Round::First,
            payload,
        }
    }

    #[test]
    fn numbers_and_originals_are_read_there() {
        for gcm in [true, false] {
            let provider = rtc_crypto::default_provider().unwrap();
            let mut ours = Protector::new(provider.crypto(), &master(gcm)).unwrap();
            let mut theirs = receiver(gcm);
            for sequence in 0..5 {
                let header = header(9, sequence);
                let packet = Plain {
                    numbered: Some((3, 0x1234)),
                    original: Some(0x5678),
                    ..plain(&header, b"text")
                };
                let mut buffer = Vec::new();
                ours.append(&packet, &mut buffer).unwrap();
                let mut read = &theirs.decrypt_rtp(&buffer).unwrap()[..];
                let header = Header::unmarshal(&mut read).unwrap();
                assert_eq!(&header.get_extension(3).unwrap()[..], [0x12, 0x34]);
                assert_eq!(read, b"\x56\x78text");
            }
        }
    }

    #[test]
    fn no_number_is_used_for_two_texts() {
        for gcm in [true, false] {
            let provider = rtc_crypto::default_provider().unwrap();
            let mut ours = Protector::new(provider.crypto(), &master(gcm)).unwrap();
            let header = header(9, 77);
            let mut send = |number: Option<u16>, round, payload: &[u8]| {
                let packet = Plain {
                    numbered: number.map(|n| (3, n)),
                    round,
                    ..plain(&header, payload)
                };
                let mut buffer = b"before".to_vec();
                let sent = ours.append(&packet, &mut buffer).is_some();
                assert!(buffer.starts_with(b"before"));
                assert_eq!(buffer.len() > 6, sent, "nothing is left behind");
                sent.then_some(buffer)
            };
            let first = send(None, Round::First, b"text").unwrap();
            assert_eq!(send(None, Round::First, b"text"), None);
            assert_eq!(send(Some(1), Round::Only, b"text"), None);
            // Asked for again: what was sent, and nothing else.
            assert_eq!(send(None, Round::Again, b"more"), None);
            assert_eq!(send(Some(1), Round::Again, b"text"), None);
            assert_eq!(send(None, Round::Again, b"text"), Some(first));
        }
    }

    /// What the library's own sliding window makes of late, repeated and old packets, through the wraps of the numbers.
    #[test]
    fn the_receiving_side_takes_each_packet_once_through_the_wrap() {
        let provider = rtc_crypto::default_provider().unwrap();
        let mut theirs = Protector::new(provider.crypto(), &master(true)).unwrap();
        let master = master(true);
        let mut ours = Context::new(
            master.key.as_ref(),
            &master.salt[..12],
            ProtectionProfile::AeadAes128Gcm,
            Some(rtc_srtp::option::srtp_replay_protection(REPLAY_SRTP)),
            None,
            provider.crypto(),
        )
        .unwrap();
        let mut recent = std::collections::VecDeque::new();
        let (mut first, mut held) = (None, None);
        for n in 60_000..200_000u32 {
            let header = header(9, n as u16);
            let mut packet = Vec::new();
            theirs.append(&plain(&header, b"text"), &mut packet);
            if n % 997 == 5 {
                held = Some(packet);
                continue;
            }
            assert!(ours.decrypt_rtp(&packet).is_ok(), "{n}");
            assert!(ours.decrypt_rtp(&packet).is_err(), "{n} twice");
            if n % 997 == 900
                && let Some(late) = held.take()
            {
                assert!(ours.decrypt_rtp(&late).is_ok(), "late at {n}");
                assert!(ours.decrypt_rtp(&late).is_err(), "late and twice at {n}");
            }
            // From before the window, also of an earlier turn.
            let first = first.get_or_insert_with(|| packet.clone());
            assert!(n % 5_000 != 0 || ours.decrypt_rtp(first).is_err(), "{n}");
            recent.push_back(packet);
            if recent.len() == REPLAY_SRTP - 50
                && let Some(old) = recent.pop_front()
            {
                assert!(ours.decrypt_rtp(&old).is_err(), "in the window at {n}");
            }
        }
    }

    #[test]
    fn what_is_protected_here_is_read_there() {
        for gcm in [true, false] {
            let provider = rtc_crypto::default_provider().unwrap();
            let mut ours = Protector::new(provider.crypto(), &master(gcm)).unwrap();
            let mut theirs = receiver(gcm);
            // Two streams, through the wrap of the numbers, with one packet late and one repeated.
            let order = (65_530..65_540u32).filter(|n| *n != 65_534);
            let order = order.map(|n| (n, Round::First));
            let order = order.chain([(65_534, Round::First), (65_538, Round::Again)]);
            for (sequence, round) in order.map(|(n, round)| (n as u16, round)) {
                for ssrc in [1, 0xdead_beef] {
                    let mut buffer = b"what was there".to_vec();
                    let payload = sequence.to_be_bytes();
                    let header = header(ssrc, sequence);
                    let packet = Plain {
                        round,
                        ..plain(&header, &payload)
                    };
                    let size = ours.append(&packet, &mut buffer).unwrap();
                    assert_eq!(&buffer[..14], b"what was there");
                    assert_eq!(buffer.len(), 14 + size);
                    let mut plain = &theirs.decrypt_rtp(&buffer[14..]).unwrap()[..];
                    let read = Header::unmarshal(&mut plain).unwrap();
                    assert_eq!((read.ssrc, read.sequence_number), (ssrc, sequence));
                    assert_eq!(plain, payload);
                }
            }
        }
    }
}
