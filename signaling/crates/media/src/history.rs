//! The last packets of a publisher's picture, for those who missed one (NACK, RFC 4585 §6.2.1). Pure; the payload is shared with
//! what was sent. Limit: [`HISTORY`].

use crate::config::HISTORY;
use rtc::rtp::Packet;

#[derive(Debug, Default)]
pub(crate) struct History {
    ring: Vec<Option<Packet>>,
}

impl History {
    pub(crate) fn keep(&mut self, packet: &Packet) {
        if self.ring.is_empty() {
            self.ring.resize(HISTORY, None);
        }
        let at = usize::from(packet.header.sequence_number) % HISTORY;
        self.ring[at] = Some(packet.clone());
    }

    /// The packet of that number and stream, unless it is too long ago.
    pub(crate) fn find(&self, ssrc: u32, sequence: u16) -> Option<&Packet> {
        let kept = self.ring.get(usize::from(sequence) % HISTORY)?.as_ref()?;
        (kept.header.ssrc == ssrc && kept.header.sequence_number == sequence).then_some(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtc::rtp::Header;

    fn packet(ssrc: u32, sequence_number: u16) -> Packet {
        let header = Header {
            ssrc,
            sequence_number,
            ..Header::default()
        };
        Packet {
            header,
            payload: vec![1].into(),
        }
    }

    #[test]
    fn only_the_newest_are_found() {
        let mut history = History::default();
        assert!(history.find(1, 0).is_none());
        for n in 65_000..66_000u32 {
            history.keep(&packet(1, n as u16));
        }
        let last = 65_999u32 as u16;
        assert!(history.find(1, last).is_some());
        assert!(history.find(2, last).is_none(), "another stream");
        assert!(
            history.find(1, last.wrapping_add(1)).is_none(),
            "not yet sent"
        );
        let oldest = last.wrapping_sub(HISTORY as u16 - 1);
        assert!(history.find(1, oldest).is_some());
        assert!(history.find(1, oldest.wrapping_sub(1)).is_none());
    }
}
