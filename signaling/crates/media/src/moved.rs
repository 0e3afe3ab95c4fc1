//! Whether a stranger's address is where a client of ours has moved to: its sound comes from there, and it answers a question that only
//! it can answer. A check with the page's own password (RFC 8445 §7.2) is the question, as in RFC 9000 §8.2, so a network that gives a
//! page another address costs one round trip, not the seconds until the page's own next check.
//!
//! Pure: builds and reads messages. Never believes an address that was not asked.

use rtc::stun::attributes::{ATTR_ICE_CONTROLLED, ATTR_PRIORITY, ATTR_USERNAME};
use rtc::stun::fingerprint::FINGERPRINT;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Message, Setter, TransactionId};
use rtc_crypto::RTCCryptoProvider;

pub(crate) type Transaction = [u8; 12];

/// Of a peer-reflexive candidate (RFC 8445 §5.1.2.1); the page makes nothing of it.
const PRIORITY: u32 = (110 << 24) | (65_535 << 8) | 255;

/// How the page and we know each other; an ICE restart brings new ones.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    /// `page:ours`.
    username: String,
    /// The page's.
    password: String,
}

impl Credentials {
    /// From the page's offer; all lines of a bundle share them.
    pub(crate) fn of(offer: &str, ours: &str) -> Option<Self> {
        let first = |name| offer.lines().find_map(|l| l.trim_end().strip_prefix(name));
        Some(Self {
            username: format!("{}:{ours}", first("a=ice-ufrag:")?),
            password: first("a=ice-pwd:")?.to_owned(),
        })
    }

    fn integrity<'a>(&self, crypto: &'a dyn RTCCryptoProvider) -> MessageIntegrity<'a> {
        let password = self.password.clone();
        MessageIntegrity::new_short_term_integrity_with_provider(password, crypto.crypto())
    }

    /// A question and the number by which its answer is known.
    pub(crate) fn ask(&self, crypto: &dyn RTCCryptoProvider) -> Option<(Transaction, Vec<u8>)> {
        let transaction: Transaction = rand::random();
        let mut message = Message::new();
        message
            .build(&[
                Box::new(BINDING_REQUEST),
                Box::new(TransactionId(transaction)),
            ])
            .ok()?;
        message.add(ATTR_USERNAME, self.username.as_bytes());
        // The page controls (RFC 8445 §6.1.1): it offered, and we are lite.
        message.add(ATTR_ICE_CONTROLLED, &rand::random::<[u8; 8]>());
        message.add(ATTR_PRIORITY, &PRIORITY.to_be_bytes());
        self.integrity(crypto).add_to(&mut message).ok()?;
        FINGERPRINT.add_to(&mut message).ok()?;
        Some((transaction, message.raw))
    }

    /// Whether this answers a question of ours and was written by somebody who has the page's password.
    pub(crate) fn is_answer(&self, packet: &[u8], crypto: &dyn RTCCryptoProvider) -> bool {
        let mut message = Message::new();
        message.unmarshal_binary(packet).is_ok()
            && message.typ == BINDING_SUCCESS
            && MessageIntegrity::check(&mut message, self.password.as_bytes(), crypto.crypto())
                .is_ok()
    }
}

/// The number of an answer to a check.
pub(crate) fn answer_to(packet: &[u8]) -> Option<Transaction> {
    packet.starts_with(&BINDING_SUCCESS_BYTES).then_some(())?;
    packet.get(8..20)?.try_into().ok()
}

const BINDING_SUCCESS_BYTES: [u8; 2] = [0x01, 0x01];

/// The sender's stream in a packet of RTP or RTCP (RFC 3550 §5.1, §6.4); neither is encrypted there.
pub(crate) fn stream_of(packet: &[u8]) -> Option<u32> {
    let (first, second) = (*packet.first()?, *packet.get(1)?);
    if !(128..=191).contains(&first) {
        return None;
    }
    let at = if (192..=223).contains(&second) { 4 } else { 8 };
    let bytes = packet.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(bytes))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;
    use crate::stun::{Check, CheckKey};

    /// What a page answers.
    pub(crate) fn answer(
        question: &[u8],
        password: &str,
        crypto: &dyn RTCCryptoProvider,
    ) -> Vec<u8> {
        let id = TransactionId(question[8..20].try_into().unwrap());
        let mut message = Message::new();
        message
            .build(&[Box::new(BINDING_SUCCESS), Box::new(id)])
            .unwrap();
        MessageIntegrity::new_short_term_integrity_with_provider(password.into(), crypto.crypto())
            .add_to(&mut message)
            .unwrap();
        message.raw
    }

    #[test]
    fn only_who_has_the_password_answers() {
        let crypto = rtc_crypto::default_provider().unwrap();
        let offer = "v=0\r\na=ice-ufrag:page\r\na=ice-pwd:secret of the page\r\n";
        let known = Credentials::of(offer, "ours").unwrap();
        let (transaction, question) = known.ask(crypto.as_ref()).unwrap();
        let as_the_page_reads_it = Check::read(&question).unwrap();
        assert_eq!(as_the_page_reads_it.ufrag, "page");
        assert!(as_the_page_reads_it.is_signed_with(&CheckKey::new("secret of the page")));
        let good = answer(&question, "secret of the page", crypto.as_ref());
        assert_eq!(answer_to(&good), Some(transaction));
        assert!(known.is_answer(&good, crypto.as_ref()));
        let bad = answer(&question, "a guess", crypto.as_ref());
        assert!(!known.is_answer(&bad, crypto.as_ref()));
        assert!(!known.is_answer(&question, crypto.as_ref()), "an echo");
        for cut in 0..good.len() {
            assert!(!known.is_answer(&good[..cut], crypto.as_ref()));
        }
        assert!(Credentials::of("v=0\r\na=ice-ufrag:page\r\n", "ours").is_none());
    }

    #[test]
    fn the_stream_stands_in_the_header() {
        let rtp = [0x80, 111, 0, 1, 0, 0, 0, 2, 0, 0, 0, 7, 1];
        let rtcp = [0x80, 201, 0, 1, 0, 0, 0, 9];
        assert_eq!((stream_of(&rtp), stream_of(&rtcp)), (Some(7), Some(9)));
        for n in 0..8 {
            assert_eq!(stream_of(&rtp[..n]), None);
        }
        assert_eq!(stream_of(&[20, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0]), None);
    }
}
