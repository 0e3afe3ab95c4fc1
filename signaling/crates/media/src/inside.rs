//! What tests reach of this crate from inside. The readers of strangers' bytes, for the fuzz targets (`tests/fuzz`): each takes anything and
//! answers a number that stands for what came of it, so that the driver can tell a new outcome from an old one; none may panic or hang.
//! And a way to end the drivers of connections, as a panic would.

use crate::event::Kind;
use crate::forward::Rewriter;
use crate::history::History;
use crate::picture::begins;
use crate::port::is_of_the_chosen_pair;
use crate::record::Codec;
use crate::record::inside as record;
use crate::sdp;
use crate::stun::{Check, CheckKey};
use bytes::Bytes;
use futures::future::{AbortHandle, abortable};
use rtc::dtls::record_layer::RecordLayer;
use rtc::rtcp;
use rtc::rtp::Packet;
use rtc::shared::marshal::Unmarshal as _;
use rtc::stun::message::Message;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

fn outcome(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// What an error says without its figures: numbers in it would make each one new.
fn words(error: &impl std::fmt::Display) -> String {
    let mut text = error.to_string();
    text.retain(|c| !c.is_ascii_digit());
    text.truncate(60);
    text
}

/// Lengths by their magnitude.
fn size(n: usize) -> u32 {
    n.checked_ilog2().map_or(0, |l| l + 1)
}

/// STUN: our look at whose it is and at its integrity, and the library's reading.
#[must_use]
pub fn stun(bytes: &[u8]) -> u64 {
    let ours = Check::read(bytes).map(|c| {
        let proven = c.is_signed_with(&CheckKey::new("a password of nobody's"));
        (size(c.ufrag.len()), proven)
    });
    let mut message = Message::new();
    let theirs = match message.unmarshal_binary(bytes) {
        Ok(()) => Ok(message
            .attributes
            .0
            .iter()
            .take(4)
            .map(|a| a.typ.value())
            .collect::<Vec<_>>()),
        Err(e) => Err(words(&e)),
    };
    outcome((ours, theirs))
}

/// Which of the kinds that share the port a datagram is (RFC 7983), and what each reader then makes of it.
#[must_use]
pub fn datagram(bytes: &[u8]) -> u64 {
    match (bytes.first(), bytes.get(1)) {
        (Some(0..=3), _) => stun(bytes),
        (Some(20..=63), _) => dtls(bytes),
        (Some(128..=191), Some(192..=223)) => rtcp(bytes),
        (Some(128..=191), _) => rtp(bytes),
        _ => outcome(is_of_the_chosen_pair(bytes)),
    }
}

/// DTLS: every record of a datagram.
#[must_use]
pub fn dtls(bytes: &[u8]) -> u64 {
    let mut rest = bytes;
    let mut seen = vec![];
    while rest.len() > 13 && seen.len() < 8 {
        let length = 13 + usize::from(u16::from_be_bytes([rest[11], rest[12]]));
        let (mut record, more) = rest.split_at(length.min(rest.len()));
        seen.push(match RecordLayer::unmarshal(&mut record) {
            Ok(r) => Ok(std::mem::discriminant(&r.content)),
            Err(e) => Err(words(&e)),
        });
        rest = more;
    }
    outcome(seen)
}

/// RTP: the library's reading, our rewriting, repetition and recording of it.
#[must_use]
pub fn rtp(bytes: &[u8]) -> u64 {
    let packet = match Packet::unmarshal(&mut Bytes::copy_from_slice(bytes)) {
        Ok(packet) => packet,
        Err(e) => return outcome(words(&e)),
    };
    let now = Instant::now();
    let kinds = [
        (Kind::Audio, Codec::Opus),
        (Kind::Video, Codec::Vp8),
        (Kind::Video, Codec::H264),
    ];
    let verdicts = kinds.map(|(kind, codec)| {
        let mut rewriter = Rewriter::new(kind);
        let mut first = packet.header.clone();
        let one = rewriter.rewrite(now, codec, &mut first, &packet.payload);
        let mut second = packet.header.clone();
        second.sequence_number = second.sequence_number.wrapping_sub(3);
        let two = rewriter.rewrite(now, codec, &mut second, &packet.payload);
        let mut again = packet.header.clone();
        format!("{one:?}{two:?}{}", rewriter.again(&mut again))
    });
    let mut history = History::default();
    history.keep(&packet);
    let h = &packet.header;
    let kept = history.find(h.ssrc, h.sequence_number).is_some();
    let frames = payload(&packet.payload);
    outcome((verdicts, kept, h.extensions.len(), h.csrc.len(), frames))
}

/// What an RTP payload's readers make of it: VP8's descriptor, H.264's units and parameter sets, frames put together.
#[must_use]
pub fn payload(bytes: &[u8]) -> u64 {
    let first = [Codec::Vp8, Codec::H264].map(|codec| begins(codec, bytes));
    outcome((
        first,
        crate::layers::layer(bytes).is_some(),
        record::frames(bytes),
    ))
}

/// RTCP: a compound packet.
#[must_use]
pub fn rtcp(bytes: &[u8]) -> u64 {
    match rtcp::packet::unmarshal(&mut Bytes::copy_from_slice(bytes)) {
        Ok(packets) => outcome(
            packets
                .iter()
                .take(4)
                .map(|p| {
                    (
                        p.header().packet_type as u8,
                        p.header().count,
                        size(p.destination_ssrc().len()),
                    )
                })
                .collect::<Vec<_>>(),
        ),
        Err(e) => outcome(words(&e)),
    }
}

/// SDP: an offer as the engine checks it, an answer as it reads its own, and the library's reading of either.
#[must_use]
pub fn sdp(bytes: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(bytes);
    let offer = sdp::Offer::parse(&text);
    let answer = sdp::read_answer(&text).map(|(_, sections)| sections.len());
    let at = ["203.0.113.9:7000".parse().ok()]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>();
    let with = sdp::with_candidates(&text, &at, &at).len();
    let theirs = rtc::sdp::description::session::SessionDescription::unmarshal(
        &mut std::io::Cursor::new(bytes),
    );
    let ours = match &offer {
        Ok(o) => Ok(o.sections.len()),
        Err(e) => Err(words(e)),
    };
    outcome((
        ours,
        answer.map_err(|e| words(&e)),
        size(with),
        theirs
            .map(|d| d.media_descriptions.len())
            .map_err(|e| words(&e)),
    ))
}

/// TCP framing (RFC 4571): the first frame, as it decides whose a stream is.
#[must_use]
pub fn tcp(bytes: &[u8]) -> u64 {
    let Some((length, rest)) = bytes.split_first_chunk::<2>() else {
        return outcome(0);
    };
    let length = usize::from(u16::from_be_bytes(*length));
    if length > crate::config::DATAGRAM_BYTES {
        return outcome(1);
    }
    match rest.split_at_checked(length) {
        Some((frame, more)) => outcome((datagram(frame), size(more.len()))),
        None => outcome(2),
    }
}

pub use crate::record::inside::{container, manifest, segment};

/// Handles to the tasks that drive connections.
static DRIVERS: Mutex<Vec<AbortHandle>> = Mutex::new(Vec::new());

/// A driver's task that [`kill_drivers`] can end.
pub(crate) fn mortal(
    driver: Pin<Box<dyn Future<Output = ()> + Send>>,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let (driver, handle) = abortable(driver);
    let mut all = DRIVERS.lock().unwrap_or_else(PoisonError::into_inner);
    all.push(handle);
    Box::pin(async move {
        let _ = driver.await;
    })
}

/// Ends every driver of this process, as a panic in it would; how many there were.
pub fn kill_drivers() -> usize {
    let all = std::mem::take(&mut *DRIVERS.lock().unwrap_or_else(PoisonError::into_inner));
    all.iter().for_each(AbortHandle::abort);
    all.len()
}
