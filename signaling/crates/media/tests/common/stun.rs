//! Connectivity checks made by hand (RFC 8489), as a page sends them, or as a stranger would.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

/// What a page's checks are addressed and signed with.
#[derive(Clone)]
pub struct Credentials {
    /// The server's fragment, then the page's.
    username: String,
    password: String,
}

/// The value of an attribute's first line.
pub fn value<'a>(sdp: &'a str, name: &str) -> &'a str {
    sdp.lines()
        .find_map(|l| l.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':'))
        .unwrap()
}

impl Credentials {
    pub fn of(offer: &str, answer: &str) -> Self {
        let (server, page) = (value(answer, "ice-ufrag"), value(offer, "ice-ufrag"));
        Self {
            username: format!("{server}:{page}"),
            password: value(answer, "ice-pwd").to_owned(),
        }
    }

    /// A whole check but its signature.
    pub fn unsigned(&self) -> Vec<u8> {
        let mut packet = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        packet.extend(rand::random::<[u8; 12]>());
        packet.extend([0, 6]);
        packet.extend((self.username.len() as u16).to_be_bytes());
        packet.extend(self.username.as_bytes());
        packet.resize(packet.len().next_multiple_of(4), 0);
        packet.extend([0, 0x24, 0, 4, 0x6e, 0, 0, 1]); // PRIORITY
        packet.extend([0x80, 0x2a, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]); // ICE-CONTROLLING
        packet
    }

    /// Signs what there is (§14.5).
    pub fn sign(&self, packet: Vec<u8>) -> Vec<u8> {
        signed(packet, &self.password)
    }

    /// A check as the page sends it.
    pub fn check(&self) -> Vec<u8> {
        self.sign(self.unsigned())
    }

    /// A check by somebody who has seen the fragment and not the password.
    pub fn forged(&self) -> Vec<u8> {
        signed(self.unsigned(), "guessed-guessed-guessed")
    }
}

fn signed(mut packet: Vec<u8>, password: &str) -> Vec<u8> {
    if packet.len() < 20 {
        return packet;
    }
    let length = (packet.len() - 20 + 24) as u16;
    packet[2..4].copy_from_slice(&length.to_be_bytes());
    let mut mac = Hmac::<Sha1>::new_from_slice(password.as_bytes()).unwrap();
    mac.update(&packet);
    packet.extend([0, 8, 0, 20]);
    packet.extend(mac.finalize().into_bytes());
    packet
}
