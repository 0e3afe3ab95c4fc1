//! From RTP timestamps to the recording's milliseconds, both tracks of a member on one clock.
//!
//! A track starts where its first packet arrived. Sender reports (RFC 3550 §6.4.1) then say which of its timestamps belong to one moment;
//! the clock is moved there gently, so that no frame jumps. Pure; nonsense from a sender moves nothing by more than [`FAR_MS`].

use crate::event::Kind;
use std::collections::VecDeque;

/// A clock that is further off than this has nothing to do with its stream any more: start again at the arrival.
const FAR_MS: f64 = 5_000.0;
/// Beyond this the clock jumps (ms).
const JUMP_MS: f64 = 1_000.0;
/// Otherwise it moves by so much of the time that passes.
const SLEW: f64 = 0.05;
/// Reports among which the quickest counts: about half a minute of a browser's.
const REPORTS: usize = 8;

/// One sender report, with its arrival in ms of the recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Report {
    pub ssrc: u32,
    /// NTP, 32.32 bits.
    pub ntp: u64,
    pub rtp: u32,
    pub at_ms: u64,
}

impl Report {
    fn ntp_ms(&self) -> f64 {
        self.ntp as f64 * 1_000.0 / 4_294_967_296.0
    }
}

#[derive(Debug)]
struct Track {
    rate: f64,
    /// The newest timestamp, as sent and unwrapped.
    newest: (u32, i64),
    /// This moment of the stream arrived then.
    anchor: Option<(i64, f64)>,
    correction: f64,
    target: f64,
    slewed_to: f64,
    report: Option<Report>,
}

impl Track {
    fn new(kind: Kind) -> Self {
        Self {
            rate: f64::from(kind.clock_rate()) / 1_000.0,
            newest: (0, 0),
            anchor: None,
            correction: 0.0,
            target: 0.0,
            slewed_to: 0.0,
            report: None,
        }
    }

    fn unwrap(&self, timestamp: u32) -> i64 {
        self.newest.1 + i64::from(timestamp.wrapping_sub(self.newest.0) as i32)
    }

    fn plain(&self, ticks: i64) -> Option<f64> {
        let (from, ms) = self.anchor?;
        Some(ms + (ticks - from) as f64 / self.rate)
    }

    fn start(&mut self, timestamp: u32, at_ms: f64) -> f64 {
        self.newest = (timestamp, i64::from(timestamp));
        self.anchor = Some((i64::from(timestamp), at_ms));
        (self.correction, self.target, self.slewed_to) = (0.0, 0.0, at_ms);
        self.report = None;
        at_ms
    }

    fn time(&mut self, timestamp: u32, at_ms: f64) -> f64 {
        let ticks = self.unwrap(timestamp);
        let Some(plain) = self.plain(ticks) else {
            return self.start(timestamp, at_ms);
        };
        if (plain + self.correction - at_ms).abs() > FAR_MS {
            return self.start(timestamp, at_ms);
        }
        if ticks > self.newest.1 {
            self.newest = (timestamp, ticks);
        }
        let off = self.target - self.correction;
        let passed = (plain - self.slewed_to).max(0.0);
        self.slewed_to = self.slewed_to.max(plain);
        self.correction += if off.abs() > JUMP_MS {
            off
        } else {
            off.clamp(-SLEW * passed, SLEW * passed)
        };
        plain + self.correction
    }
}

/// The clocks of one member's two tracks.
#[derive(Debug)]
pub(crate) struct LegClock {
    tracks: [Track; 2],
    /// Arrival minus the sender's clock, of recent reports: the least is nearest to the truth.
    offsets: VecDeque<f64>,
}

impl LegClock {
    pub(crate) fn new() -> Self {
        Self {
            tracks: [Track::new(Kind::Audio), Track::new(Kind::Video)],
            offsets: VecDeque::new(),
        }
    }

    /// The stream of this kind begins anew.
    pub(crate) fn restart(&mut self, kind: Kind) {
        self.tracks[kind as usize] = Track::new(kind);
        self.offsets.clear(); // another page may have another clock
    }

    /// When a frame belongs.
    pub(crate) fn time(&mut self, kind: Kind, timestamp: u32, at_ms: u64) -> u64 {
        let ms = self.tracks[kind as usize].time(timestamp, at_ms as f64);
        ms.max(0.0).round() as u64
    }

    pub(crate) fn report(&mut self, kind: Kind, report: Report) {
        let offset = report.at_ms as f64 - report.ntp_ms();
        let least = |o: &VecDeque<f64>| o.iter().copied().reduce(f64::min);
        if least(&self.offsets).is_some_and(|l| (offset - l).abs() > FAR_MS) {
            self.offsets.clear(); // the sender's clock was set
        }
        if self.offsets.len() == REPORTS {
            self.offsets.pop_front();
        }
        self.offsets.push_back(offset);
        let offset = least(&self.offsets).unwrap_or(offset);
        self.tracks[kind as usize].report = Some(report);
        for track in &mut self.tracks {
            let Some(report) = track.report else { continue };
            let Some(plain) = track.plain(track.unwrap(report.rtp)) else {
                continue;
            };
            let target = report.ntp_ms() + offset - plain;
            if target.abs() < FAR_MS {
                track.target = target;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ntp(ms: u64) -> u64 {
        ((3_900_000_000_000u128 + u128::from(ms)) * 4_294_967_296 / 1_000) as u64
    }

    /// A sender whose pictures come 180 ms later than its sound although both were taken at the same time.
    fn run(reports: bool) -> (u64, u64) {
        let mut clock = LegClock::new();
        let (mut audio, mut video) = (0, 0);
        for n in 0..600u32 {
            let ms = u64::from(n) * 20;
            audio = clock.time(Kind::Audio, 4_000_000_000u32.wrapping_add(n * 960), ms + 20);
            video = clock.time(Kind::Video, 77 + n * 1_800, ms + 200);
            if reports && n % 50 == 10 {
                let sent = Report {
                    ssrc: 0,
                    ntp: ntp(ms),
                    rtp: 4_000_000_000u32.wrapping_add(n * 960),
                    at_ms: ms + 20,
                };
                clock.report(Kind::Audio, sent);
                let sent = Report {
                    rtp: 77 + n * 1_800,
                    at_ms: ms + 35,
                    ..sent
                };
                clock.report(Kind::Video, sent);
            }
        }
        (audio, video)
    }

    #[test]
    fn sender_reports_bring_both_tracks_together() {
        let (audio, video) = run(false);
        assert_eq!(video - audio, 180);
        let (audio, video) = run(true);
        assert!(audio.abs_diff(video) <= 1, "{audio} {video}");
    }

    #[test]
    fn time_never_runs_backwards_while_it_is_corrected() {
        let mut clock = LegClock::new();
        let mut last = 0;
        for n in 0..1_000u32 {
            let ms = clock.time(Kind::Video, n * 3_000, 500 + u64::from(n) * 100 / 3);
            assert!(n == 0 || ms > last, "{n}: {last} {ms}");
            last = ms;
            if n == 5 {
                let report = Report {
                    ssrc: 0,
                    ntp: ntp(0),
                    rtp: 5 * 3_000,
                    at_ms: 300,
                };
                clock.report(Kind::Video, report);
            }
        }
        // The report said: what came at 667 ms was of 300 ms.
        let plain = 500 + 999 * 100 / 3;
        assert!(
            (plain - 368..=plain - 365).contains(&last),
            "{last} {plain}"
        );
    }

    #[test]
    fn a_timestamp_from_nowhere_starts_again_at_its_arrival() {
        let mut clock = LegClock::new();
        clock.time(Kind::Audio, 100, 0);
        assert_eq!(clock.time(Kind::Audio, 100 + 960, 20), 20);
        assert_eq!(clock.time(Kind::Audio, 3_000_000_000, 40), 40);
        assert_eq!(clock.time(Kind::Audio, 3_000_000_960, 60), 60);
        let nonsense = Report {
            ssrc: 0,
            ntp: u64::MAX,
            rtp: 7,
            at_ms: 60,
        };
        clock.report(Kind::Audio, nonsense);
        let at = clock.time(Kind::Audio, 3_000_001_920, 80);
        assert!(at.abs_diff(80) <= 5_000, "{at}");
    }
}
