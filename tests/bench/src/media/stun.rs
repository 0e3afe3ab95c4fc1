//! Binding requests and answers (RFC 8489) as ICE and consent use them (RFC 8445 §7, RFC 7675).

use rtc::crypto::RTCCrypto;
use rtc::shared::error::Result;
use rtc::stun::attributes::{
    ATTR_ICE_CONTROLLING, ATTR_PRIORITY, ATTR_USE_CANDIDATE, ATTR_USERNAME, AttrType, RawAttribute,
};
use rtc::stun::fingerprint::FINGERPRINT;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Message, TransactionId};
use rtc::stun::textattrs::TextAttribute;
use rtc::stun::xoraddr::XorMappedAddress;
use std::net::SocketAddr;

/// ICE credentials of one side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    pub ufrag: String,
    pub pwd: String,
}

/// Priority of a peer-reflexive host candidate (RFC 8445 §5.1.2).
const PRIORITY: u32 = (110 << 24) | (65_535 << 8) | 255;

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming {
    /// Answer it.
    Request(TransactionId),
    Success,
    Other,
}

fn attribute(typ: AttrType, value: &[u8]) -> Box<RawAttribute> {
    Box::new(RawAttribute {
        typ,
        length: value.len() as u16,
        value: value.to_vec(),
    })
}

/// A controlling agent's check that nominates at once.
pub fn request(
    local: &Credentials,
    remote: &Credentials,
    crypto: &dyn RTCCrypto,
) -> Result<Vec<u8>> {
    let mut m = Message::new();
    let username = format!("{}:{}", remote.ufrag, local.ufrag);
    m.build(&[
        Box::new(BINDING_REQUEST),
        Box::new(TransactionId::new()),
        Box::new(TextAttribute::new(ATTR_USERNAME, username)),
        attribute(ATTR_PRIORITY, &PRIORITY.to_be_bytes()),
        attribute(ATTR_ICE_CONTROLLING, &1u64.to_be_bytes()),
        attribute(ATTR_USE_CANDIDATE, &[]),
        Box::new(MessageIntegrity::new_short_term_integrity_with_provider(
            remote.pwd.clone(),
            crypto,
        )),
        Box::new(FINGERPRINT),
    ])?;
    Ok(m.raw)
}

/// The answer to a check of the other side.
pub fn success(
    id: TransactionId,
    from: SocketAddr,
    local: &Credentials,
    crypto: &dyn RTCCrypto,
) -> Result<Vec<u8>> {
    let mut m = Message::new();
    m.build(&[
        Box::new(BINDING_SUCCESS),
        Box::new(id),
        Box::new(XorMappedAddress {
            ip: from.ip(),
            port: from.port(),
        }),
        Box::new(MessageIntegrity::new_short_term_integrity_with_provider(
            local.pwd.clone(),
            crypto,
        )),
        Box::new(FINGERPRINT),
    ])?;
    Ok(m.raw)
}

/// Says what a message is. The bench's wire is its own: integrity is not checked.
#[must_use]
pub fn read(packet: &[u8]) -> Incoming {
    let mut m = Message::new();
    if m.unmarshal_binary(packet).is_err() {
        return Incoming::Other;
    }
    if m.typ == BINDING_REQUEST {
        Incoming::Request(m.transaction_id)
    } else if m.typ == BINDING_SUCCESS {
        Incoming::Success
    } else {
        Incoming::Other
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_check_carries_the_users_and_is_answered_under_the_same_id() {
        let provider = rtc::crypto::default_provider().unwrap();
        let side = |c: char| Credentials {
            ufrag: c.to_string().repeat(4),
            pwd: c.to_string().repeat(22),
        };
        let (ours, theirs) = (side('o'), side('t'));
        let raw = request(&ours, &theirs, provider.crypto()).unwrap();
        let mut m = Message::new();
        m.unmarshal_binary(&raw).unwrap();
        assert_eq!(m.get(ATTR_USERNAME).unwrap(), b"tttt:oooo");
        MessageIntegrity::check(&mut m, theirs.pwd.as_bytes(), provider.crypto()).unwrap();
        FINGERPRINT.check(&m).unwrap();
        let Incoming::Request(id) = read(&raw) else {
            panic!("a request")
        };
        let answer = success(
            id,
            "10.0.0.1:9".parse().unwrap(),
            &theirs,
            provider.crypto(),
        )
        .unwrap();
        assert_eq!(read(&answer), Incoming::Success);
        assert_eq!(answer[8..20], raw[8..20]);
        assert_eq!(read(&[0, 1, 0, 9]), Incoming::Other);
    }
}
