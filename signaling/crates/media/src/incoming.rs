//! What comes in on one connection: which m-line carries which lane, which payload type is which codec, and whom to ask for keyframes.
//!
//! A renegotiation replaces the first two; tracks stay. Looked up for every run of packets, so the locks are short.

use crate::lane::Lane;
use crate::record::Codec;
use crate::sdp::Section;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use webrtc::media_stream::track_remote::TrackRemote;

/// A track that has begun to come.
pub(crate) struct Arrival {
    track: Arc<dyn TrackRemote>,
    /// Of its newest packet.
    ssrc: AtomicU32,
}

#[derive(Default)]
pub(crate) struct Incoming {
    table: RwLock<Table>,
    /// By m-line.
    arrivals: RwLock<Vec<(String, Arc<Arrival>)>>,
}

#[derive(Default)]
struct Table {
    lanes: Vec<(String, Lane)>,
    codecs: Vec<(u8, Codec)>,
}

impl Arrival {
    pub(crate) fn new(track: Arc<dyn TrackRemote>, ssrc: u32) -> Arc<Self> {
        Arc::new(Self {
            track,
            ssrc: AtomicU32::new(ssrc),
        })
    }

    pub(crate) fn note(&self, ssrc: u32) {
        if self.ssrc.load(Ordering::Relaxed) != ssrc {
            self.ssrc.store(ssrc, Ordering::Relaxed);
        }
    }
}

impl Incoming {
    /// After an offer was answered. Bundled lines share one space of payload types (RFC 9143 §9.1).
    pub(crate) fn set(&self, lanes: &[(String, Lane)], answer: &[Section]) {
        let mut codecs: Vec<(u8, Codec)> = Vec::new();
        for format in answer.iter().flat_map(|s| &s.formats) {
            if !codecs.contains(format) {
                codecs.push(*format);
            }
        }
        let lanes = lanes.to_vec();
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = Table { lanes, codecs };
    }

    /// A track came on this m-line; it takes the place of an older one.
    pub(crate) fn adopt(&self, mid: &str, arrival: Arc<Arrival>) {
        let mut arrivals = self
            .arrivals
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        arrivals.retain(|(m, _)| m != mid);
        arrivals.push((mid.to_owned(), arrival));
    }

    /// What a packet of this m-line and payload type is; none if nobody is to get it.
    pub(crate) fn lane(&self, mid: &str, payload_type: u8) -> Option<(Lane, Codec)> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let (_, lane) = table.lanes.iter().find(|(m, _)| m == mid)?;
        let (_, codec) = table.codecs.iter().find(|(pt, _)| *pt == payload_type)?;
        // Sound on a line of pictures is neither.
        let fits = (*lane == Lane::Sound) == (*codec == Codec::Opus);
        fits.then_some((*lane, *codec))
    }

    /// The track of a picture, and its SSRC.
    pub(crate) fn picture(&self, lane: Lane) -> Option<(Arc<dyn TrackRemote>, u32)> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let (mid, _) = table.lanes.iter().find(|(_, l)| *l == lane)?;
        let arrivals = self.arrivals.read().unwrap_or_else(PoisonError::into_inner);
        let (_, arrival) = arrivals.iter().find(|(m, _)| m == mid)?;
        Some((arrival.track.clone(), arrival.ssrc.load(Ordering::Relaxed)))
    }
}
