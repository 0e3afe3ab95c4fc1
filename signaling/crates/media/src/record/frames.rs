//! From packets in order to whole frames. After a loss pictures begin again at the next one that needs no other.

use super::h264::{AccessUnit, ParameterSets};
use super::jitter::InPacket;
use super::limits::FRAME_BYTES;
use super::manifest::Codec;
use super::vp8;
use bytes::Bytes;

/// What a container must know before the first frame. A change of it needs a new part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    pub codec: Codec,
    /// Matroska's CodecPrivate.
    pub private: Vec<u8>,
}

/// A whole frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub timestamp: u32,
    /// Arrival of its last packet, in ms of the recording.
    pub at_ms: u64,
    /// Needs no other frame.
    pub key: bool,
    /// Of pictures that need no other.
    pub size: Option<(u32, u32)>,
    pub data: Bytes,
}

#[derive(Debug)]
enum Partial {
    Vp8(Vec<u8>),
    H264(AccessUnit),
}

/// Puts frames of one stream together.
#[derive(Debug)]
pub(crate) struct Assembler {
    codec: Codec,
    sets: ParameterSets,
    open: Option<(u32, Partial)>,
    /// Only a keyframe helps.
    await_key: bool,
}

impl Assembler {
    pub(crate) fn new(codec: Codec) -> Self {
        Self {
            codec,
            sets: ParameterSets::default(),
            open: None,
            await_key: codec != Codec::Opus,
        }
    }

    pub(crate) fn codec(&self) -> Codec {
        self.codec
    }

    /// What came before is incomplete.
    pub(crate) fn lost(&mut self) {
        self.open = None;
        self.await_key = self.codec != Codec::Opus;
    }

    pub(crate) fn awaits_key(&self) -> bool {
        self.await_key
    }

    /// The container's header for the frames that come; for H.264 none before the parameter sets.
    pub(crate) fn config(&self) -> Option<Config> {
        let private = match self.codec {
            Codec::Opus => OPUS_HEAD.to_vec(),
            Codec::Vp8 => Vec::new(),
            Codec::H264 => self.sets.avcc()?,
        };
        Some(Config {
            codec: self.codec,
            private,
        })
    }

    /// Takes the next packet in order; gives at most one frame.
    pub(crate) fn push(&mut self, packet: &InPacket) -> Option<Frame> {
        if packet.payload.is_empty() {
            return None; // padding
        }
        if self.codec == Codec::Opus {
            return (packet.payload.len() <= FRAME_BYTES).then(|| Frame {
                timestamp: packet.timestamp,
                at_ms: packet.at_ms,
                key: true,
                size: None,
                data: packet.payload.clone(),
            });
        }
        if self
            .open
            .as_ref()
            .is_some_and(|(timestamp, _)| *timestamp != packet.timestamp)
        {
            self.lost(); // a picture without its last packet
        }
        if !self.add(packet) {
            self.lost();
            return None;
        }
        if packet.marker {
            self.finish(packet)
        } else {
            None
        }
    }

    fn add(&mut self, packet: &InPacket) -> bool {
        match self.codec {
            Codec::Vp8 => {
                let Some((begins, bytes)) = vp8::depacketize(&packet.payload) else {
                    return false;
                };
                match &mut self.open {
                    // Later partitions begin too, but with another number: `begins` is of the first alone.
                    Some((_, Partial::Vp8(data))) if !begins => {
                        data.extend_from_slice(bytes);
                        data.len() <= FRAME_BYTES
                    }
                    None if begins => {
                        self.open = Some((packet.timestamp, Partial::Vp8(bytes.to_vec())));
                        true
                    }
                    _ => false,
                }
            }
            Codec::H264 => {
                let (_, partial) = self.open.get_or_insert_with(|| {
                    (packet.timestamp, Partial::H264(AccessUnit::default()))
                });
                match partial {
                    Partial::H264(unit) => unit.push(&packet.payload, &mut self.sets),
                    Partial::Vp8(_) => false,
                }
            }
            Codec::Opus => false,
        }
    }

    fn finish(&mut self, packet: &InPacket) -> Option<Frame> {
        let (timestamp, partial) = self.open.take()?;
        let (data, key, size) = match partial {
            Partial::Vp8(data) => {
                let key = vp8::is_key(&data);
                let size = vp8::key_size(&data);
                if key && size.is_none() {
                    self.lost(); // says that it is one and is not
                    return None;
                }
                (data, key, size)
            }
            Partial::H264(unit) => {
                if !unit.is_whole() {
                    // Parameter sets may come in a packet of their own, marked as the end.
                    if !unit.data.is_empty() {
                        self.lost();
                    }
                    return None;
                }
                if unit.key && self.sets.avcc().is_none() {
                    return None;
                }
                let size = unit.key.then(|| self.sets.size()).flatten();
                (unit.data, unit.key, size)
            }
        };
        if self.await_key && !key {
            return None;
        }
        self.await_key = false;
        Some(Frame {
            timestamp,
            at_ms: packet.at_ms,
            key,
            size,
            data: data.into(),
        })
    }
}

/// OpusHead (RFC 7845 §5.1): two channels, 48 kHz, no pre-skip, since a call is joined in the middle of a stream.
const OPUS_HEAD: &[u8; 19] = b"OpusHead\x01\x02\x00\x00\x80\xbb\x00\x00\x00\x00\x00";

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(timestamp: u32, marker: bool, payload: &[u8]) -> InPacket {
        InPacket {
            ssrc: 1,
            sequence: 0,
            timestamp,
            marker,
            payload: Bytes::copy_from_slice(payload),
            at_ms: 5,
        }
    }

    const KEY: [u8; 11] = [0x10, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 64, 0, 48, 0];

    #[test]
    fn vp8_frames_are_joined_and_begin_at_a_keyframe() {
        let mut a = Assembler::new(Codec::Vp8);
        assert_eq!(a.push(&packet(1, true, &[0x10, 0x01, 9])), None);
        assert!(a.awaits_key());
        assert_eq!(a.push(&packet(2, false, &KEY)), None);
        let frame = a.push(&packet(2, true, &[0x00, 7, 7]));
        assert_eq!(
            frame.map(|f| (f.key, f.size, f.data.to_vec())),
            Some((true, Some((64, 48)), [&KEY[1..], &[7, 7]].concat()))
        );
        let frame = a.push(&packet(3, true, &[0x10, 0x01]));
        assert_eq!(frame.map(|f| f.key), Some(false));
    }

    #[test]
    fn after_a_loss_pictures_wait_for_the_next_keyframe() {
        let mut a = Assembler::new(Codec::Vp8);
        assert!(a.push(&packet(1, true, &KEY)).is_some());
        a.lost();
        assert_eq!(
            a.push(&packet(2, true, &[0x00, 7])),
            None,
            "its beginning is gone"
        );
        assert_eq!(a.push(&packet(3, true, &[0x10, 0x01])), None);
        assert!(a.push(&packet(4, true, &KEY)).is_some());
        // The last packet of a frame never came, the number of packets says nothing of it.
        assert_eq!(a.push(&packet(5, false, &[0x10, 0x01])), None);
        assert_eq!(a.push(&packet(6, true, &[0x10, 0x01])), None);
        assert!(a.awaits_key());
    }

    #[test]
    fn a_keyframe_in_name_only_is_dropped() {
        let mut a = Assembler::new(Codec::Vp8);
        assert_eq!(a.push(&packet(1, true, &[0x10, 0x00, 1, 2])), None);
        assert!(a.awaits_key());
    }

    #[test]
    fn h264_waits_for_its_parameter_sets() {
        use super::super::h264::tests::{PPS, SPS_640};
        let mut a = Assembler::new(Codec::H264);
        assert_eq!(a.push(&packet(1, true, &[0x65, 1])), None);
        assert_eq!(a.config(), None);
        assert_eq!(a.push(&packet(2, false, SPS_640)), None);
        assert_eq!(a.push(&packet(2, false, PPS)), None);
        let frame = a.push(&packet(2, true, &[0x65, 1, 2]));
        assert_eq!(
            frame.map(|f| (f.key, f.size, f.data.to_vec())),
            Some((true, Some((640, 480)), vec![0, 0, 0, 3, 0x65, 1, 2]))
        );
        assert!(a.config().is_some_and(|c| !c.private.is_empty()));
        assert!(a.push(&packet(3, true, &[0x41, 1])).is_some());
    }

    #[test]
    fn sound_needs_nothing_else() {
        let mut a = Assembler::new(Codec::Opus);
        a.lost();
        let frame = a.push(&packet(960, false, &[0xfc, 1]));
        assert_eq!(frame.map(|f| (f.key, f.timestamp)), Some((true, 960)));
        assert_eq!(a.push(&packet(960, false, &[])), None);
    }
}
