//! Connectivity checks as they arrive (RFC 8489, RFC 8445 §7.3): whom one is for, and whether its sender has that one's password.
//!
//! Reads no more than that. Never panics on input. The library reads a check again; what is not proven here does not reach it.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

const HEADER: usize = 20;
/// Type, length and value of MESSAGE-INTEGRITY.
const INTEGRITY: usize = 4 + 20;

/// What proves checks to one user fragment: its password, worked into a key once.
#[derive(Clone)]
pub(crate) struct CheckKey(Hmac<Sha1>);

impl CheckKey {
    /// Of a short-term credential (RFC 8489 §9.1.1).
    pub(crate) fn new(password: &str) -> Self {
        #[allow(clippy::expect_used, reason = "HMAC takes keys of any length")]
        Self(Hmac::new_from_slice(password.as_bytes()).expect("any length is a key"))
    }
}

/// A check with an integrity that has not been verified yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Check<'a> {
    /// The server's user fragment (RFC 8445 §7.2.2: `local:remote`).
    pub ufrag: &'a str,
    signed: &'a [u8],
    tag: &'a [u8],
}

/// A check, well-formed or not: the one kind of datagram that may come from an address that nobody knows.
pub(crate) fn is_check(packet: &[u8]) -> bool {
    packet.starts_with(&[0x00, 0x01])
}

/// An answer to a check (RFC 8489 §5: success, binding).
pub(crate) fn is_check_answer(packet: &[u8]) -> bool {
    packet.starts_with(&[0x01, 0x01])
}

impl<'a> Check<'a> {
    pub(crate) fn read(packet: &'a [u8]) -> Option<Self> {
        const COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
        const USERNAME: u16 = 0x0006;
        const MESSAGE_INTEGRITY: u16 = 0x0008;
        if !is_check(packet) || packet.get(4..8)? != COOKIE {
            return None;
        }
        let (mut ufrag, mut at) = (None, HEADER);
        loop {
            let [t0, t1, l0, l1] = *packet.get(at..)?.first_chunk()?;
            let length = usize::from(u16::from_be_bytes([l0, l1]));
            let value = packet.get(at + 4..at + 4 + length)?;
            match u16::from_be_bytes([t0, t1]) {
                USERNAME if ufrag.is_none() => {
                    ufrag = Some(std::str::from_utf8(value).ok()?.split(':').next()?);
                }
                // What follows is not covered by it and says nothing (RFC 8489 §14.5).
                MESSAGE_INTEGRITY => {
                    return Some(Self {
                        ufrag: ufrag?,
                        signed: packet.get(..at)?,
                        tag: value,
                    });
                }
                _ => {}
            }
            at += 4 + length.next_multiple_of(4);
        }
    }

    /// Whether the sender has the password (RFC 8489 §14.5). Takes the same time wherever the difference is.
    pub(crate) fn is_signed_with(&self, key: &CheckKey) -> bool {
        // The length that is signed ends with the integrity itself.
        let Ok(length) = u16::try_from(self.signed.len() - HEADER + INTEGRITY) else {
            return false;
        };
        let mut mac = key.0.clone();
        mac.update(&self.signed[..2]);
        mac.update(&length.to_be_bytes());
        mac.update(&self.signed[4..]);
        mac.verify_slice(self.tag).is_ok()
    }
}

/// A signed check, as a client sends it.
#[cfg(test)]
pub(crate) fn signed(username: &str, password: &str) -> Vec<u8> {
    let mut p = vec![0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42];
    p.extend([0; 12]);
    p.extend([0x80, 0x22, 0, 3, b'a', b'b', b'c', 0]);
    p.extend(6u16.to_be_bytes());
    p.extend((username.len() as u16).to_be_bytes());
    p.extend(username.as_bytes());
    p.resize(p.len().next_multiple_of(4), 0);
    let length = (p.len() - HEADER + INTEGRITY) as u16;
    p[2..4].copy_from_slice(&length.to_be_bytes());
    let mut mac = CheckKey::new(password).0;
    mac.update(&p);
    p.extend([0, 8, 0, 20]);
    p.extend(mac.finalize().into_bytes());
    p
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// RFC 5769 §2.1.
    const SAMPLE: &[u8] = b"\x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
        \x80\x22\x00\x10STUN test client\x00\x24\x00\x04\x6e\x00\x01\xff\x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36\
        \x00\x06\x00\x09\x65\x76\x74\x6a\x3a\x68\x36\x76\x59\x20\x20\x20\
        \x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71\xa2\
        \x80\x28\x00\x04\xe5\x7a\x3b\xcf";
    const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";

    #[test]
    fn the_standards_example_is_whose_it_says() {
        let check = Check::read(SAMPLE).unwrap();
        assert_eq!(check.ufrag, "evtj");
        assert!(check.is_signed_with(&CheckKey::new(PASSWORD)));
        assert!(!check.is_signed_with(&CheckKey::new("VOkJxbRl1RmTxUk/WvJxBu")));
        // Every bit of what is signed, and of the signature, counts; the length is that of the signed part in any case.
        for at in (0..100).filter(|at| !(2..4).contains(at)) {
            for bit in 0..8 {
                let mut other = SAMPLE.to_vec();
                other[at] ^= 1 << bit;
                let proven =
                    Check::read(&other).is_some_and(|c| c.is_signed_with(&CheckKey::new(PASSWORD)));
                assert!(!proven, "byte {at}, bit {bit}");
            }
        }
    }

    #[test]
    fn a_check_needs_a_name_and_a_signature_in_this_order() {
        let good = signed("local:remote", PASSWORD);
        let check = Check::read(&good).unwrap();
        assert_eq!(check.ufrag, "local");
        assert!(check.is_signed_with(&CheckKey::new(PASSWORD)));
        for cut in 0..good.len() {
            assert!(Check::read(&good[..cut]).is_none(), "cut at {cut}");
        }
        let mut short = good.clone();
        let tag = short.len() - 22;
        short[tag..tag + 2].copy_from_slice(&8u16.to_be_bytes());
        let proven =
            Check::read(&short).is_some_and(|c| c.is_signed_with(&CheckKey::new(PASSWORD)));
        assert!(!proven, "part of a signature is none");
        let (head, named) = (&good[..28], &good[28..good.len() - 24]);
        let name_last = [head, &good[good.len() - 24..], named].concat();
        assert!(Check::read(&name_last).is_none());
        let mut response = good.clone();
        response[0] = 1;
        assert!(Check::read(&response).is_none() && is_check_answer(&response));
    }

    #[test]
    fn junk_is_no_check() {
        let mut seed = 1u32;
        for length in 0..600usize {
            let mut junk = vec![0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42];
            junk.extend((0..length).map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 24) as u8
            }));
            let proven =
                Check::read(&junk).is_some_and(|c| c.is_signed_with(&CheckKey::new(PASSWORD)));
            assert!(!proven);
        }
    }
}
