//! What is counted of the streams: received as RFC 3550 A.3 and A.8 say, sent as the other side reports it.
//! Pure: times and packets come in.

use super::vp8;
use rtc::rtcp::reception_report::ReceptionReport;
use serde::Serialize;
use std::{
    collections::HashMap,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Streams of one kind that are counted: four slots and what follows a reconnect.
const STREAMS_MAX: usize = 32;
pub const AUDIO_CLOCK: u32 = 48_000;
pub const VIDEO_CLOCK: u32 = 90_000;

/// One stream that arrives.
#[derive(Debug)]
struct Stream {
    clock: f64,
    first: u16,
    /// Highest sequence number, the wraps above it.
    highest: u32,
    received: u64,
    jitter: f64,
    last: (Instant, u32),
    frames: vp8::Frames,
}

impl Stream {
    fn new(clock: u32, at: Instant, sequence: u16, timestamp: u32) -> Self {
        Self {
            clock: f64::from(clock),
            first: sequence,
            highest: u32::from(sequence),
            received: 0,
            jitter: 0.0,
            last: (at, timestamp),
            frames: vp8::Frames::default(),
        }
    }

    fn packet(&mut self, at: Instant, sequence: u16, timestamp: u32) {
        self.received += 1;
        let ahead = sequence.wrapping_sub(self.highest as u16) as i16;
        if ahead > 0 {
            self.highest = self.highest.wrapping_add(ahead as u32);
        }
        let (then, stamp) = self.last;
        let arrived = at.saturating_duration_since(then).as_secs_f64() * self.clock;
        let d = (arrived - f64::from(timestamp.wrapping_sub(stamp) as i32)).abs();
        // A pause or another source is no jitter.
        if d < self.clock {
            self.jitter += (d - self.jitter) / 16.0;
        }
        self.last = (at, timestamp);
    }

    fn expected(&self) -> u64 {
        u64::from(self.highest - u32::from(self.first)) + 1
    }
}

/// What one kind of media did in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Figures {
    pub packets: u64,
    pub lost: u64,
    pub loss_pct: f64,
    pub jitter_ms: f64,
    /// Whole frames; received video alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frames: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyframes: Option<u64>,
}

fn rounded(x: f64) -> f64 {
    (x * 100.0).round() / 100.0
}

fn percent(lost: u64, of: u64) -> f64 {
    if of == 0 {
        0.0
    } else {
        rounded(lost as f64 * 100.0 / of as f64)
    }
}

/// Everything that arrives.
#[derive(Debug, Default)]
pub struct Ears {
    audio: HashMap<u32, Stream>,
    video: HashMap<u32, Stream>,
    pub first_audio: Option<Instant>,
    /// When the first keyframe was whole.
    pub first_keyframe: Option<Instant>,
    pub last_audio: Option<Instant>,
    pub last_video: Option<Instant>,
}

impl Ears {
    pub fn audio(&mut self, at: Instant, ssrc: u32, sequence: u16, timestamp: u32) {
        self.first_audio.get_or_insert(at);
        self.last_audio = Some(at);
        if let Some(s) = stream(&mut self.audio, AUDIO_CLOCK, at, ssrc, sequence, timestamp) {
            s.packet(at, sequence, timestamp);
        }
    }

    pub fn video(
        &mut self,
        at: Instant,
        ssrc: u32,
        (sequence, timestamp, marker): (u16, u32, bool),
        payload: &[u8],
    ) {
        self.last_video = Some(at);
        let Some(s) = stream(&mut self.video, VIDEO_CLOCK, at, ssrc, sequence, timestamp) else {
            return;
        };
        s.packet(at, sequence, timestamp);
        if s.frames.packet(sequence, timestamp, marker, payload) {
            self.first_keyframe.get_or_insert(at);
        }
    }

    #[must_use]
    pub fn audio_figures(&self) -> Figures {
        figures(&self.audio)
    }
    #[must_use]
    pub fn video_figures(&self) -> Figures {
        Figures {
            frames: Some(self.video.values().map(|s| s.frames.whole).sum()),
            keyframes: Some(self.video.values().map(|s| s.frames.keyframes).sum()),
            ..figures(&self.video)
        }
    }
}

fn stream(
    all: &mut HashMap<u32, Stream>,
    clock: u32,
    at: Instant,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
) -> Option<&mut Stream> {
    if all.len() >= STREAMS_MAX && !all.contains_key(&ssrc) {
        return None;
    }
    let new = || Stream::new(clock, at, sequence, timestamp);
    Some(all.entry(ssrc).or_insert_with(new))
}

fn figures(all: &HashMap<u32, Stream>) -> Figures {
    let packets = all.values().map(|s| s.received).sum();
    let expected: u64 = all.values().map(Stream::expected).sum();
    // Packets that came twice can hide a loss; they cannot make it negative.
    let lost: u64 = all
        .values()
        .map(|s| s.expected().saturating_sub(s.received))
        .sum();
    let jitter = all
        .values()
        .map(|s| s.jitter / s.clock * 1_000.0)
        .fold(0.0, f64::max);
    Figures {
        packets,
        lost,
        loss_pct: percent(lost, expected),
        jitter_ms: rounded(jitter),
        frames: None,
        keyframes: None,
    }
}

/// What the server reports about one stream of ours.
#[derive(Debug, Default, Clone, Copy)]
pub struct Reported {
    pub reports: u32,
    pub lost: u32,
    /// In units of the RTP clock.
    pub jitter: u32,
    /// The highest number that arrived there, and when a report first said so.
    pub newest: Option<(u32, Instant)>,
}

/// Reports of the server, by stream, and the round trips read from them.
#[derive(Debug, Default)]
pub struct Feedback {
    pub by_ssrc: HashMap<u32, Reported>,
    trips: Vec<f64>,
}

/// Round trips kept; one a second and stream.
const TRIPS_MAX: usize = 8_192;

impl Feedback {
    /// `ours`: streams that this side sends; reports about others are not looked at.
    pub fn report(&mut self, ours: &[u32], r: &ReceptionReport, now: SystemTime, at: Instant) {
        if !ours.contains(&r.ssrc) {
            return;
        }
        let to = self.by_ssrc.entry(r.ssrc).or_default();
        // A report that has seen nothing of the stream proves nothing.
        if r.last_sequence_number == 0 && r.jitter == 0 && r.last_sender_report == 0 {
            return;
        }
        to.reports += 1;
        if to.newest.is_none_or(|(n, _)| n != r.last_sequence_number) {
            to.newest = Some((r.last_sequence_number, at));
        }
        to.lost = r.total_lost;
        to.jitter = r.jitter;
        if let Some(ms) = round_trip_ms(ntp_middle(now), r.last_sender_report, r.delay)
            && self.trips.len() < TRIPS_MAX
        {
            self.trips.push(ms);
        }
    }

    /// The median; none: no report answered a report of ours.
    #[must_use]
    pub fn round_trip_ms(&self) -> Option<f64> {
        let mut all = self.trips.clone();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().map(rounded)
    }

    /// When the server last reported that more of these streams had arrived.
    #[must_use]
    pub fn last_heard(&self, ssrcs: &[u32]) -> Option<Instant> {
        ssrcs
            .iter()
            .filter_map(|s| Some(self.by_ssrc.get(s)?.newest?.1))
            .max()
    }

    /// Figures of what was sent on these streams.
    #[must_use]
    pub fn figures(&self, ssrcs: &[u32], packets: u64, clock: u32) -> Figures {
        let of = || ssrcs.iter().filter_map(|s| self.by_ssrc.get(s));
        let lost = of().map(|r| u64::from(r.lost)).sum::<u64>().min(packets);
        let jitter = of().map(|r| r.jitter).max().unwrap_or(0);
        Figures {
            packets,
            lost,
            loss_pct: percent(lost, packets),
            jitter_ms: rounded(f64::from(jitter) / f64::from(clock) * 1_000.0),
            frames: None,
            keyframes: None,
        }
    }
}

/// The middle 32 bits of an NTP time: units of 1/65536 s (RFC 3550 §4).
fn ntp_middle(at: SystemTime) -> u32 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let seconds = since.as_secs().wrapping_add(2_208_988_800) as u32;
    seconds << 16 | ((u64::from(since.subsec_nanos()) << 16) / 1_000_000_000) as u32
}

/// RFC 3550 §6.4.1; a clock that was set meanwhile gives nonsense, which is dropped.
fn round_trip_ms(now: u32, last_sender_report: u32, delay: u32) -> Option<f64> {
    if last_sender_report == 0 {
        return None;
    }
    let units = now.wrapping_sub(last_sender_report).wrapping_sub(delay) as i32;
    (-655..655_360)
        .contains(&units)
        .then(|| f64::from(units.max(0)) / 65.536)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn loss_and_jitter_are_those_of_the_stream() {
        let t0 = Instant::now();
        let mut ears = Ears::default();
        // 20 ms apart over the wrap; each tenth is lost, one comes late, each odd one 4 ms after its time.
        for n in 0..200u32 {
            if n % 10 == 9 {
                continue;
            }
            let n = match n {
                50 => 51,
                51 => 50,
                n => n,
            };
            let late = u64::from(n % 2) * 4;
            let at = t0 + Duration::from_millis(u64::from(n) * 20 + late);
            ears.audio(at, 1, (65_500 + n) as u16, n * 960);
        }
        let f = ears.audio_figures();
        // The very last one is not known to be missing.
        assert_eq!((f.packets, f.lost, f.loss_pct), (180, 19, 9.55));
        assert!((2.0..6.0).contains(&f.jitter_ms), "{f:?}");
        assert_eq!(ears.first_audio, Some(t0));
        // A pause of a minute is no jitter.
        ears.audio(
            t0 + Duration::from_secs(64),
            1,
            (65_500 + 200) as u16,
            200 * 960,
        );
        assert!(ears.audio_figures().jitter_ms <= f.jitter_ms);
    }

    #[test]
    fn streams_are_bounded() {
        let mut ears = Ears::default();
        for ssrc in 0..1_000 {
            ears.audio(Instant::now(), ssrc, 0, 0);
        }
        assert_eq!(ears.audio_figures().packets, STREAMS_MAX as u64);
    }

    #[test]
    fn reports_tell_what_arrived_and_how_long_a_round_takes() {
        let sent = UNIX_EPOCH + Duration::from_millis(1_795_300_868_250);
        let mut seen = Feedback::default();
        let mut r = ReceptionReport {
            ssrc: 5,
            total_lost: 3,
            jitter: 96,
            last_sequence_number: 900,
            last_sender_report: ntp_middle(sent),
            delay: 65_536 / 4,
            ..ReceptionReport::default()
        };
        let t0 = Instant::now();
        let t1 = t0 + Duration::from_secs(1);
        assert_eq!(seen.last_heard(&[5]), None);
        seen.report(&[5], &r, sent + Duration::from_millis(330), t0);
        // A report that tells of nothing new does not say that anything arrives.
        seen.report(&[5], &r, sent + Duration::from_millis(330), t1);
        assert_eq!(seen.last_heard(&[5]), Some(t0));
        r.last_sequence_number += 1;
        seen.report(&[5], &r, sent + Duration::from_millis(330), t1);
        assert_eq!(seen.last_heard(&[5]), Some(t1));
        let ms = seen.round_trip_ms().unwrap();
        assert!((ms - 80.0).abs() < 0.1, "{ms}");
        let f = seen.figures(&[5], 300, AUDIO_CLOCK);
        assert_eq!(
            (f.packets, f.lost, f.loss_pct, f.jitter_ms),
            (300, 3, 1.0, 2.0)
        );
        // Somebody else's stream, and a report that saw nothing.
        r.ssrc = 6;
        seen.report(&[5], &r, sent, t1);
        seen.report(
            &[7],
            &ReceptionReport {
                ssrc: 7,
                ..ReceptionReport::default()
            },
            sent,
            t1,
        );
        assert_eq!(seen.last_heard(&[6, 7]), None);
    }
}
