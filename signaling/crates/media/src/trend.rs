//! Whether a queue grows on the way to a page: the delay gradient of Google's congestion control
//! (draft-ietf-rmcat-gcc-02 §5.3 to §5.4, with a line fitted through the delays in place of its Kalman filter, as browsers do).
//!
//! Pure: times of leaving on our clock, of arriving on the page's; only differences count.

use std::collections::VecDeque;

/// Packets that left together count as one (§5.2).
const BURST_US: u64 = 5_000;
/// A group that arrives at once after a halt of the network is not longer than this.
const GROUP_US: u64 = 100_000;
/// Groups through which the line is fitted.
const POINTS: usize = 20;
/// Weight of what was known of the delay.
const SMOOTHING: f64 = 0.9;
/// From a slope to milliseconds that can be held against the threshold: groups counted, at most, and a factor.
const DELTAS_MOST: u32 = 60;
const GAIN: f64 = 4.0;
/// The threshold (ms, §5.4): where it begins, its limits, and how fast it follows, up and down.
const THRESHOLD_MS: f64 = 12.5;
const THRESHOLD_LIMITS: (f64, f64) = (6.0, 600.0);
const THRESHOLD_UP: f64 = 0.0087;
const THRESHOLD_DOWN: f64 = 0.039;
/// A trend beyond the threshold must last this long (ms of sending).
const OVER_MS: f64 = 10.0;
/// A queue this long is one too many, however slowly it grew (µs).
const QUEUE_US: i64 = 300_000;
/// A delay that stays so much longer without growing is another route, not a queue.
const ROUTE_US: u64 = 2_000_000;
/// The shortest delay is of the last one or two of these (µs).
const BASE_US: u64 = 10_000_000;
/// Beyond this the page's clock has jumped.
const JUMP_US: i64 = 10_000_000;

/// What the delays say of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Usage {
    #[default]
    Normal,
    /// A queue grows.
    Over,
    /// A queue drains.
    Under,
}

#[derive(Debug, Clone, Copy)]
struct Group {
    first_sent: u64,
    sent: u64,
    first_arrived: u64,
    arrived: u64,
}

#[derive(Debug)]
pub(crate) struct Trend {
    group: Option<Group>,
    before: Option<Group>,
    deltas: u32,
    accumulated_ms: f64,
    smoothed_ms: f64,
    /// Arrival and smoothed delay (ms).
    points: VecDeque<(f64, f64)>,
    first_arrival: u64,
    threshold_ms: f64,
    over_ms: f64,
    over_count: u32,
    last_trend: f64,
    usage: Usage,
    base: Base,
    long_since: Option<u64>,
}

/// The shortest delay of late.
#[derive(Debug, Default)]
struct Base {
    began: u64,
    before: Option<i64>,
    now: Option<i64>,
}

impl Base {
    fn note(&mut self, sent: u64, delay: i64) -> i64 {
        if sent.saturating_sub(self.began) > BASE_US {
            (self.began, self.before, self.now) = (sent, self.now, None);
        }
        let now = self.now.map_or(delay, |least| least.min(delay));
        self.now = Some(now);
        self.before.map_or(now, |least| least.min(now))
    }
}

impl Default for Trend {
    fn default() -> Self {
        Self {
            group: None,
            before: None,
            deltas: 0,
            accumulated_ms: 0.0,
            smoothed_ms: 0.0,
            points: VecDeque::with_capacity(POINTS),
            first_arrival: 0,
            threshold_ms: THRESHOLD_MS,
            over_ms: 0.0,
            over_count: 0,
            last_trend: 0.0,
            usage: Usage::Normal,
            base: Base::default(),
            long_since: None,
        }
    }
}

impl Trend {
    pub(crate) fn usage(&self) -> Usage {
        self.usage
    }

    /// A packet left and arrived (µs); in the order of leaving.
    pub(crate) fn add(&mut self, sent: u64, arrived: u64) {
        let Some(group) = &mut self.group else {
            self.first_arrival = arrived;
            self.group = Some(alone(sent, arrived));
            return;
        };
        let jump = delta(arrived, group.arrived) - delta(sent, group.sent);
        if jump.abs() > JUMP_US {
            *self = Self::default();
            return;
        }
        if sent < group.first_sent {
            return; // late: its group has been judged
        }
        let burst = sent - group.first_sent <= BURST_US
            || (jump < 0
                && arrived.saturating_sub(group.arrived) <= BURST_US
                && arrived.saturating_sub(group.first_arrived) < GROUP_US);
        if burst {
            group.sent = group.sent.max(sent);
            group.arrived = group.arrived.max(arrived);
            return;
        }
        let closed = *group;
        self.group = Some(alone(sent, arrived));
        if let Some(before) = self.before.replace(closed) {
            self.measure(&before, &closed);
        }
    }

    fn measure(&mut self, before: &Group, group: &Group) {
        let sent_ms = delta(group.sent, before.sent) as f64 / 1_000.0;
        let arrived_ms = delta(group.arrived, before.arrived) as f64 / 1_000.0;
        self.deltas = (self.deltas + 1).min(DELTAS_MOST);
        self.accumulated_ms += arrived_ms - sent_ms;
        self.smoothed_ms = SMOOTHING * self.smoothed_ms + (1.0 - SMOOTHING) * self.accumulated_ms;
        if self.points.len() == POINTS {
            self.points.pop_front();
        }
        let at = delta(group.arrived, self.first_arrival) as f64 / 1_000.0;
        self.points.push_back((at, self.smoothed_ms));
        let slope = if self.points.len() == POINTS {
            slope(&self.points)
        } else {
            0.0
        };
        self.judge(slope * f64::from(self.deltas) * GAIN, sent_ms);
        self.watch_queue(group);
    }

    /// §5.4.
    fn judge(&mut self, trend: f64, sent_ms: f64) {
        self.usage = if trend > self.threshold_ms {
            self.over_ms += if self.over_count == 0 {
                sent_ms / 2.0
            } else {
                sent_ms
            };
            self.over_count += 1;
            if self.over_ms > OVER_MS && self.over_count > 1 && trend >= self.last_trend {
                self.over_ms = 0.0;
                self.over_count = 0;
                Usage::Over
            } else {
                self.usage
            }
        } else {
            self.over_ms = 0.0;
            self.over_count = 0;
            if trend < -self.threshold_ms {
                Usage::Under
            } else {
                Usage::Normal
            }
        };
        self.last_trend = trend;
        let beyond = trend.abs() - self.threshold_ms;
        // A leap says nothing about how noisy the way is.
        if beyond <= 15.0 {
            let gain = if beyond > 0.0 {
                THRESHOLD_UP
            } else {
                THRESHOLD_DOWN
            };
            let (least, most) = THRESHOLD_LIMITS;
            let moved = self.threshold_ms + gain * beyond * sent_ms.clamp(0.0, 100.0);
            self.threshold_ms = moved.clamp(least, most);
        }
    }

    fn watch_queue(&mut self, group: &Group) {
        let delay = delta(group.arrived, group.sent);
        let queue = delay - self.base.note(group.sent, delay);
        if queue < QUEUE_US || self.usage == Usage::Under {
            self.long_since = None;
            return;
        }
        let since = *self.long_since.get_or_insert(group.sent);
        if self.usage == Usage::Normal && group.sent.saturating_sub(since) > ROUTE_US {
            self.base = Base {
                began: group.sent,
                before: None,
                now: Some(delay),
            };
            self.long_since = None;
        } else {
            self.usage = Usage::Over;
        }
    }
}

fn alone(sent: u64, arrived: u64) -> Group {
    Group {
        first_sent: sent,
        sent,
        first_arrived: arrived,
        arrived,
    }
}

fn delta(to: u64, from: u64) -> i64 {
    to.wrapping_sub(from) as i64
}

/// Of the line with the least squares.
fn slope(points: &VecDeque<(f64, f64)>) -> f64 {
    let n = points.len() as f64;
    let (x, y) = points
        .iter()
        .fold((0.0, 0.0), |(x, y), p| (x + p.0, y + p.1));
    let (x, y) = (x / n, y / n);
    let (above, below) = points.iter().fold((0.0, 0.0), |(a, b), p| {
        (a + (p.0 - x) * (p.1 - y), b + (p.0 - x) * (p.0 - x))
    });
    if below == 0.0 { 0.0 } else { above / below }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet every 20 ms whose delay is as `delay` says (µs); how often each usage was seen.
    fn run(packets: u64, delay: impl Fn(u64) -> u64) -> (u32, u32) {
        let mut trend = Trend::default();
        let (mut over, mut under) = (0, 0);
        for n in 0..packets {
            let sent = n * 20_000;
            trend.add(sent, 5_000_000 + sent + delay(n));
            over += u32::from(trend.usage() == Usage::Over);
            under += u32::from(trend.usage() == Usage::Under);
        }
        (over, under)
    }

    #[test]
    fn a_steady_way_and_a_jittery_one_are_normal() {
        assert_eq!(run(500, |_| 30_000), (0, 0));
        let (over, under) = run(1_000, |n| 30_000 + (n * 7_919) % 8_000);
        assert!(over + under < 20, "{over} {under}");
    }

    #[test]
    fn a_growing_queue_is_seen_also_a_gentle_one() {
        assert!(run(200, |n| n * 6_000).0 > 50);
        assert!(run(500, |n| n * 1_000).0 > 20, "five per cent too much");
    }

    #[test]
    fn a_draining_queue_is_under_use() {
        assert!(run(100, |n| 2_000_000 - n * 8_000).1 > 20);
    }

    #[test]
    fn another_route_is_not_a_queue_for_long() {
        let mut trend = Trend::default();
        let mut last_over = 0;
        for n in 0..1_500u64 {
            let sent = n * 20_000;
            let delay = if n < 300 { 20_000 } else { 500_000 };
            trend.add(sent, sent + delay);
            if trend.usage() == Usage::Over {
                last_over = n;
            }
        }
        assert!((301..600).contains(&last_over), "{last_over}");
    }

    #[test]
    fn a_clock_that_jumps_begins_anew() {
        let mut trend = Trend::default();
        for n in 0..100u64 {
            let jump = if n < 50 { 0 } else { 1 << 40 };
            trend.add(n * 20_000, n * 20_000 + jump);
            assert_ne!(trend.usage(), Usage::Over);
        }
    }
}
