//! Identifiers: a prefix that names the noun + a UUIDv7 in Crockford base32. Time and randomness are injected.

use serde::{Deserialize, Serialize};
use std::fmt;

const CROCKFORD: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// 128 bits of UUIDv7 (RFC 9562 §5.7) from milliseconds and 74 random bits, as 26 characters that sort by time.
#[must_use]
pub fn encode(millis: i64, random: u128) -> String {
    let ms = (millis as u128) & 0xffff_ffff_ffff;
    let rand_a = (random >> 62) & 0xfff;
    let rand_b = random & 0x3fff_ffff_ffff_ffff;
    let v: u128 = (ms << 80) | (0x7 << 76) | (rand_a << 64) | (0b10 << 62) | rand_b;
    let mut out = String::with_capacity(26);
    for i in (0..26).rev() {
        out.push(CROCKFORD[((v >> (i * 5)) & 31) as usize] as char);
    }
    out
}

fn well_formed(s: &str, prefix: &str) -> bool {
    s.strip_prefix(prefix)
        .and_then(|r| r.strip_prefix('_'))
        .is_some_and(|r| r.len() == 26 && r.bytes().all(is_crockford))
}

/// By ranges: every row that is read has its ids checked.
const fn is_crockford(b: u8) -> bool {
    matches!(b, b'0'..=b'9' | b'a'..=b'h' | b'j' | b'k' | b'm' | b'n' | b'p'..=b't' | b'v'..=b'z')
}

/// Makes ids of one noun apart from ids of another.
pub trait Id: Sized + Clone + fmt::Display {
    const PREFIX: &'static str;
    fn make(millis: i64, random: u128) -> Self;
    fn parse(s: &str) -> Option<Self>;
    fn as_str(&self) -> &str;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);
        impl Id for $name {
            const PREFIX: &'static str = $prefix;
            fn make(millis: i64, random: u128) -> Self { Self(format!("{}_{}", $prefix, encode(millis, random))) }
            fn parse(s: &str) -> Option<Self> { well_formed(s, $prefix).then(|| Self(s.to_owned())) }
            fn as_str(&self) -> &str { &self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl TryFrom<String> for $name {
            type Error = &'static str;
            fn try_from(s: String) -> Result<Self, Self::Error> { Self::parse(&s).ok_or(concat!("not a ", $prefix, " id")) }
        }
        impl From<$name> for String { fn from(v: $name) -> Self { v.0 } }
    )*};
}

ids! {
    /// A hall (大厅): queue, seats, opening hours.
    HallId = "hal";
    /// A booth (云晓屋).
    BoothId = "boo";
    /// A member of staff.
    StaffId = "stf";
    /// One citizen's presence at a booth or on a phone, from first touch to wipe.
    VisitId = "vis";
    /// A place in a queue (排队号).
    TicketId = "tkt";
    /// A desk where an agent serves (坐席).
    SeatId = "sea";
    /// One ticket offered to one seat (派单).
    PairingId = "par";
    /// A live conversation (会话).
    SessionId = "ses";
    /// One person in a session (成员).
    MemberId = "mem";
    /// A consent (授权).
    ConsentId = "con";
    /// A licence in the library (电子证照).
    LicenceId = "lic";
    /// A material (材料).
    MaterialId = "mat";
    /// A handwritten signature.
    SignatureId = "sig";
    /// A case (办件).
    CaseId = "cas";
    /// An issued result.
    CertificateId = "cer";
    /// A rating (好差评).
    RatingId = "rat";
    /// A data key that wraps one citizen's personal data.
    KeyId = "key";
    /// A row of the outbox.
    OutboxId = "out";
    /// An entry of the audit log.
    AuditId = "aud";
    /// A server node.
    NodeId = "nod";
    /// An invitation into a session (咨询、邀请、转接).
    InviteId = "inv";
    /// A note of staff within a session.
    NoteId = "nte";
    /// A message to a citizen or a member of staff.
    NoticeId = "ntc";
    /// A canned reply.
    PhraseId = "phr";
    /// An appointment (预约).
    AppointmentId = "apt";
    /// A request that was left (留言).
    RequestId = "req";
    /// A supervisor in a session (旁听、耳语、插话、接管).
    SupervisionId = "sup";
    /// A recording (双录).
    RecordingId = "rec";
    /// A recording opened for somebody (回放).
    ReplayId = "rpl";
    /// A recording as one file.
    ReplayExportId = "exp";
    /// A snapshot (抓拍).
    SnapshotId = "snp";
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_parse_back() {
        let a = TicketId::make(1_000, u128::MAX);
        let b = TicketId::make(1_001, 0);
        assert!(a < b);
        assert_eq!(TicketId::parse(a.as_str()), Some(a.clone()));
        assert_eq!(SeatId::parse(a.as_str()), None);
        assert_eq!(TicketId::parse("tkt_short"), None);
        for b in 0..=u8::MAX {
            assert_eq!(is_crockford(b), CROCKFORD.contains(&b), "{b}");
        }
    }

    #[test]
    fn version_and_variant_bits_are_set() {
        let s = encode(0, 0);
        let v = s.bytes().fold(0u128, |v, b| {
            (v << 5) | CROCKFORD.iter().position(|c| *c == b).unwrap() as u128
        });
        assert_eq!((v >> 76) & 0xf, 7);
        assert_eq!((v >> 62) & 0b11, 0b10);
    }
}
