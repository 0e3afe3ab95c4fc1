//! SRTP protection of what we send (RFC 3711; AES-GCM: RFC 7714), one packet in place at the end of a buffer.
//!
//! Owns the session keys and the rollover counters of one connection's outgoing streams. Never sends.
//! No SSRC is ever protected here and by the WebRTC library too: with AES-GCM one nonce twice gives the key away.

use crate::keys::Master;
use crate::seen::Seen;
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
    pub payload: &'a [u8],
}

pub(crate) enum Protector {
    Gcm(Gcm),
    /// Counter mode with HMAC: peers that do not know GCM. The library's own code, with a copy more.
    CounterMode(Box<Context>),
}

pub(crate) struct Gcm {
    cipher: Box<dyn AeadCipher>,
    salt: [u8; 12],
    /// Few streams: a list is faster than a map.
    rollovers: Vec<(u32, Rollover)>,
}

/// Rollover counter of one stream (RFC 3711 §3.3.1), from the sender's view: the highest number sent so far.
#[derive(Debug, Clone, Default)]
struct Rollover {
    count: u32,
    highest: u16,
    sent: Seen,
}

impl Rollover {
    /// The counter that belongs to a sequence number; a repetition of an older packet gets the older one.
    fn of(&mut self, sequence: u16) -> u32 {
        let ahead = sequence.wrapping_sub(self.highest);
        if ahead < 0x8000 {
            if sequence < self.highest {
                self.count = self.count.wrapping_add(1);
            }
            self.highest = sequence;
            self.count
        } else if sequence > self.highest {
            self.count.wrapping_sub(1)
        } else {
            self.count
        }
    }
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
            rollovers: Vec::new(),
        }))
    }

    /// Appends the protected packet to the buffer; its size, or none (and nothing appended) if it cannot be protected.
    pub(crate) fn append(&mut self, packet: &Plain<'_>, buffer: &mut Vec<u8>) -> Option<usize> {
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
        let done = written
            && match self {
                Self::Gcm(gcm) => gcm.seal(packet, start, head, buffer),
                Self::CounterMode(context) => {
                    // The library finds the end of the header by itself.
                    match context.encrypt_rtp(&buffer[start..]) {
                        Ok(whole) => {
                            buffer.truncate(start);
                            buffer.extend_from_slice(&whole);
                            true
                        }
                        Err(_) => false,
                    }
                }
            };
        if !done {
            buffer.truncate(start);
            return None;
        }
        Some(buffer.len() - start)
    }
}

impl Gcm {
    fn seal(
        &mut self,
        packet: &Plain<'_>,
        start: usize,
        head: usize,
        buffer: &mut Vec<u8>,
    ) -> bool {
        let header = packet.header;
        let Some(count) = self.rollover(header, packet.numbered.is_some()) else {
            return false;
        };
        // 00 00 | SSRC | ROC | SEQ, exclusive-or the salt (RFC 7714 §8.1).
        let mut nonce = [0; 12];
        nonce[2..6].copy_from_slice(&header.ssrc.to_be_bytes());
        nonce[6..10].copy_from_slice(&count.to_be_bytes());
        nonce[10..].copy_from_slice(&header.sequence_number.to_be_bytes());
        for (n, s) in nonce.iter_mut().zip(self.salt) {
            *n ^= s;
        }
        let (aad, text) = buffer[start..].split_at_mut(head);
        let mut tag = [0; TAG];
        if self
            .cipher
            .seal_in_place(&nonce, aad, text, &mut tag)
            .is_err()
        {
            return false;
        }
        buffer.extend_from_slice(&tag);
        true
    }

    /// None: a packet of this number went out, and this one differs from it at least in its number on the connection. Two texts
    /// under one nonce would give the authentication key away.
    fn rollover(&mut self, header: &Header, numbered: bool) -> Option<u32> {
        let (ssrc, sequence) = (header.ssrc, header.sequence_number);
        let at = self.rollovers.iter().position(|(s, _)| *s == ssrc);
        let at = at.unwrap_or_else(|| {
            let first = Rollover {
                highest: sequence,
                ..Rollover::default()
            };
            self.rollovers.push((ssrc, first));
            self.rollovers.len() - 1
        });
        let (_, rollover) = &mut self.rollovers[at];
        if numbered && !rollover.sent.note(sequence) {
            return None;
        }
        Some(rollover.of(sequence))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
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
        let provider = rtc_crypto::default_provider().unwrap();
        let mut ours = Protector::new(provider.crypto(), &master(true)).unwrap();
        let header = header(9, 77);
        let mut send = |number| {
            let packet = Plain {
                numbered: Some((3, number)),
                ..plain(&header, b"text")
            };
            ours.append(&packet, &mut Vec::new())
        };
        assert!(send(1).is_some());
        assert_eq!(send(2), None);
    }

    #[test]
    fn what_is_protected_here_is_read_there() {
        for gcm in [true, false] {
            let provider = rtc_crypto::default_provider().unwrap();
            let mut ours = Protector::new(provider.crypto(), &master(gcm)).unwrap();
            let mut theirs = receiver(gcm);
            // Two streams, through the wrap of the numbers, with one packet late and one repeated.
            let order = (65_530..65_540u32)
                .chain([65_538, 65_533])
                .map(|n| n as u16);
            for sequence in order {
                for ssrc in [1, 0xdead_beef] {
                    let mut buffer = b"what was there".to_vec();
                    let payload = sequence.to_be_bytes();
                    let header = header(ssrc, sequence);
                    let size = ours.append(&plain(&header, &payload), &mut buffer).unwrap();
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

    #[test]
    fn the_rollover_counter_goes_with_the_number() {
        let mut r = Rollover {
            highest: 65_000,
            ..Rollover::default()
        };
        assert_eq!(r.of(65_535), 0);
        assert_eq!(r.of(0), 1);
        assert_eq!(r.of(65_535), 0, "late, from before the wrap");
        assert_eq!(r.of(1), 1);
        assert_eq!(
            r.of(40_000),
            0,
            "more than half a turn away: from before the wrap"
        );
        assert_eq!(r.highest, 1);
    }
}
