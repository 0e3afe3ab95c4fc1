//! Wall clocks and RTP clocks: what a publisher's sender reports say, carried over to what we send.
//!
//! Sound and picture of one member stay together because both are told on one clock: the publisher's, moved by one constant
//! to ours. Pure.

use crate::lane::Lane;
use std::time::{SystemTime, UNIX_EPOCH};

/// From 1900, where NTP begins, to 1970 (s).
const NTP_TO_UNIX: u64 = 2_208_988_800;

/// NTP's 32.32 format (RFC 5905 §6).
pub(crate) fn ntp(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    ((since.as_secs() + NTP_TO_UNIX) << 32)
        | ((u64::from(since.subsec_nanos()) << 32) / 1_000_000_000)
}

/// A publisher's clocks.
#[derive(Debug, Default)]
pub(crate) struct Clocks {
    /// Ours less the publisher's, in NTP's format; taken once, for all lanes.
    ahead: Option<u64>,
    seen: [Option<(u64, u32)>; Lane::ALL.len()],
}

impl Clocks {
    /// A sender report came: at `theirs` (NTP) the RTP clock stood at `rtp`. A report without a wall clock says nothing.
    pub(crate) fn note(&mut self, lane: Lane, now: u64, theirs: u64, rtp: u32) {
        if theirs == 0 {
            return;
        }
        self.ahead.get_or_insert(now.wrapping_sub(theirs));
        self.seen[lane as usize] = Some((theirs, rtp));
    }

    /// The publisher's RTP clock now.
    pub(crate) fn rtp(&self, lane: Lane, now: u64) -> Option<u32> {
        let (theirs, rtp) = self.seen[lane as usize]?;
        let since = now.wrapping_sub(self.ahead?).wrapping_sub(theirs) as i64;
        let ticks = (i128::from(since) * i128::from(lane.kind().clock_rate())) >> 32;
        Some(rtp.wrapping_add(ticks as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(ms: u64) -> u64 {
        ntp(UNIX_EPOCH + Duration::from_millis(1_795_300_868_000 + ms))
    }

    #[test]
    fn all_lanes_move_by_one_constant() {
        let mut clocks = Clocks::default();
        assert_eq!(clocks.rtp(Lane::Sound, at(0)), None);
        // The publisher's clock is 3 s behind ours; the picture's report took 200 ms longer than the sound's.
        clocks.note(Lane::Sound, at(5_000), at(2_000), 48_000);
        clocks.note(Lane::Camera, at(5_300), at(2_100), 9_000);
        assert_eq!(clocks.rtp(Lane::Sound, at(6_000)), Some(96_000));
        // At the publisher's 3,000 ms: 900 ms after its report.
        assert_eq!(clocks.rtp(Lane::Camera, at(6_000)), Some(9_000 + 81_000));
        // Before the report, and through the wrap.
        assert_eq!(clocks.rtp(Lane::Camera, at(5_000)), Some(0));
        clocks.note(Lane::Camera, at(7_000), at(4_000), u32::MAX);
        assert_eq!(clocks.rtp(Lane::Camera, at(8_000)), Some(89_999));
        // Nothing is learned from an empty wall clock.
        clocks.note(Lane::Sound, at(9_000), 0, 7);
        assert_eq!(clocks.rtp(Lane::Sound, at(6_000)), Some(96_000));
    }
}
