//! How much a page's network takes (bit/s): by the delays and losses that it reports packet by packet, or, where it cannot,
//! by the losses of its receiver reports (RFC 3550 §6.4).
//!
//! After draft-ietf-rmcat-gcc-02, §5.5 and §6. Pure: the caller says the time (µs). What is sent here does not follow the estimate
//! (others' cameras make it), so two rules differ: what arrives without a queue is proof that there is room for it, and a loss that
//! stays when less is asked for is the way's own, not congestion. Limits: [`ESTIMATE_LEAST`], [`ESTIMATE_MOST`], [`ESTIMATE_START`].

use crate::config::{ESTIMATE_LEAST, ESTIMATE_MOST, ESTIMATE_START};
use crate::loss::{Loss, Verdict};
use crate::trend::{Trend, Usage};
use std::collections::VecDeque;

/// What a page said of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub sent_us: u64,
    /// On the page's clock; none: lost.
    pub arrived_us: Option<u64>,
    /// Bytes.
    pub size: u32,
}

/// For whoever shares out what there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Estimate {
    /// bit/s.
    pub bitrate: u32,
    /// A queue grows or packets are lost right now.
    pub congested: bool,
    /// Since the last sign of congestion (µs).
    pub calm_us: u64,
}

impl Estimate {
    /// Where nothing was ever too much the estimate is only what has been tried: no sender is held to it.
    pub(crate) fn is_limit(&self) -> bool {
        self.calm_us < u64::MAX
    }
}

/// Of what arrived while a queue grew, this much is asked for next (§5.5).
const DECREASE: f64 = 0.85;
/// Growth a second before the first congestion, and after it.
const GROWTH_FIRST: f64 = 1.5;
const GROWTH: f64 = 1.2;
/// No more than this beyond what has been tried: an idle connection proves nothing.
const BEYOND: f64 = 2.0;
const BEYOND_BITS: f64 = 300_000.0;
/// Around what last was too much, growth is slow.
const NEAR: std::ops::Range<f64> = 0.9..1.15;
/// Time for a change to show, besides the round trip (µs).
const RESPONSE_US: u64 = 100_000;
/// After a decrease the estimate rests.
const REST_US: u64 = 300_000;
/// A page that reports nothing this long is drowned; one that says nothing at all is cut off (µs).
pub(crate) const UNHEARD_US: u64 = 1_000_000;
/// Receiver reports within this (µs) are judged as one: a page sends one for each of its streams, together or just after each other.
const REPORTS_US: u64 = 500_000;
/// And reports on fewer packets than this say nothing yet: of a few sounds one may always be lost.
const REPORTED_LEAST: u32 = 20;
/// Congestion is over when none was seen for this long (µs).
const FRESH_US: u64 = 500_000;

#[derive(Debug)]
pub(crate) struct Estimator {
    target: f64,
    trend: Trend,
    came: Came,
    loss: Loss,
    round_trip_us: u64,
    /// What last was too much.
    capacity: Option<f64>,
    known: bool,
    by_packet: bool,
    reports: Reports,
    /// Since when packets wait to be told of.
    waiting_us: Option<u64>,
    /// Nothing comes from the page; and when it was back: what left before is no word on the network as it is now.
    cut: bool,
    back_us: u64,
    changed_us: u64,
    decreased_us: Option<u64>,
    congested_us: Option<u64>,
}

/// Receiver reports that are not judged yet.
#[derive(Debug, Default)]
struct Reports {
    /// When the last ones were judged (µs), and what had been sent by then (bytes).
    at: u64,
    octets: u64,
    lost: f64,
    of: u32,
}

/// What arrived of late.
#[derive(Debug, Default)]
struct Came {
    packets: VecDeque<(u64, u32)>,
    bytes: u64,
}

impl Came {
    const WINDOW_US: u64 = 400_000;
    /// Less than this is too short to say a rate.
    const LEAST_US: u64 = 150_000;
    /// Farther back than this is no packet that was overtaken: the page's clock was set, or has come round (24 bits of 64 ms).
    const STEP_US: u64 = 10_000_000;
    /// Packets, at most: the page's clock may stand still.
    const PACKETS: usize = 2_048;

    fn add(&mut self, at: u64, size: u32) {
        let back = self
            .packets
            .back()
            .map_or(0, |(last, _)| last.saturating_sub(at));
        if back > Self::STEP_US {
            *self = Self::default();
        } else if back > 0 {
            return;
        }
        self.packets.push_back((at, size));
        self.bytes += u64::from(size);
        while let Some((first, size)) = self.packets.front().copied() {
            if at - first <= Self::WINDOW_US && self.packets.len() <= Self::PACKETS {
                break;
            }
            self.bytes -= u64::from(size);
            self.packets.pop_front();
        }
    }

    /// bit/s.
    fn rate(&self) -> Option<f64> {
        let (first, size) = self.packets.front()?;
        let span = self.packets.back()?.0 - first;
        // The first packet came at the beginning of the span, not in it.
        let bytes = self.bytes - u64::from(*size);
        (span >= Self::LEAST_US).then(|| bytes as f64 * 8e6 / span as f64)
    }
}

impl Default for Estimator {
    fn default() -> Self {
        Self {
            target: ESTIMATE_START,
            trend: Trend::default(),
            came: Came::default(),
            loss: Loss::default(),
            round_trip_us: RESPONSE_US,
            capacity: None,
            known: false,
            by_packet: false,
            reports: Reports::default(),
            waiting_us: None,
            cut: false,
            back_us: 0,
            changed_us: 0,
            decreased_us: None,
            congested_us: None,
        }
    }
}

impl Estimator {
    /// None until the page has said anything that tells.
    pub(crate) fn estimate(&self, now: u64) -> Option<Estimate> {
        let calm_us = self
            .congested_us
            .map_or(u64::MAX, |at| now.saturating_sub(at));
        self.known.then_some(Estimate {
            bitrate: self.target as u32,
            congested: calm_us < FRESH_US,
            calm_us,
        })
    }

    /// A page told of packets, in the order in which they left.
    pub(crate) fn heard(&mut self, now: u64, packets: &[Arrival]) {
        if self.cut {
            self.back(now);
        }
        // In the order in which they left.
        let packets = &packets[packets.partition_point(|p| p.sent_us < self.back_us)..];
        if packets.is_empty() {
            return;
        }
        if !self.known {
            (self.known, self.changed_us) = (true, now);
        }
        self.by_packet = true;
        self.waiting_us = None;
        for packet in packets {
            if let Some(arrived) = packet.arrived_us {
                self.trend.add(packet.sent_us, arrived);
                self.came.add(arrived, packet.size);
            }
            self.loss.add(packet.arrived_us.is_none());
        }
        if let Some(last) = packets.iter().rev().find(|p| p.arrived_us.is_some()) {
            let round_trip = now.saturating_sub(last.sent_us).min(2_000_000);
            self.round_trip_us = (self.round_trip_us * 7 + round_trip) / 8;
        }
        let came = self.came.rate();
        match self.loss.judge(now, self.round_trip_us) {
            Verdict::Congested(lost) => {
                self.congested_us = Some(now);
                let fallen = self.target * (1.0 - 0.5 * lost);
                // Half is lost: what comes through is what there is.
                let through = came.filter(|_| lost > 0.5).unwrap_or(fallen);
                self.fall(now, fallen.min(through));
            }
            Verdict::Wait => self.changed_us = now,
            Verdict::Fine => {}
        }
        match self.trend.usage() {
            Usage::Over => {
                self.congested_us = Some(now);
                let due = self.decreased_us.is_none_or(|at| {
                    now.saturating_sub(at) >= self.round_trip_us.min(400_000) + RESPONSE_US
                });
                if due {
                    let came = came.unwrap_or(self.target * DECREASE);
                    self.capacity = Some(came);
                    self.fall(now, came * DECREASE);
                }
            }
            Usage::Under => self.changed_us = now,
            Usage::Normal => self.grow(now, came),
        }
    }

    /// A receiver report of a page that tells nothing of single packets: what it lost, of how many, and all that the page was ever sent
    /// (bytes).
    pub(crate) fn reported(&mut self, now: u64, lost: f64, of: u32, octets: u64) {
        if self.cut {
            self.reports = Reports {
                at: now,
                octets,
                ..Reports::default()
            };
            return self.back(now);
        }
        let reports = &mut self.reports;
        reports.lost += lost;
        reports.of = reports.of.saturating_add(of);
        let span = now.saturating_sub(reports.at);
        if span < REPORTS_US || reports.of < REPORTED_LEAST {
            return;
        }
        let loss = reports.lost / f64::from(reports.of);
        let sent = octets.saturating_sub(reports.octets) as f64 * 8e6 / span as f64;
        *reports = Reports {
            at: now,
            octets,
            ..Reports::default()
        };
        let (before, known) = (self.target, self.known);
        match self.loss.reported(loss) {
            Verdict::Congested(_) => {
                // The first time the target was never more than a guess.
                let base = if known { before } else { sent };
                self.known = true;
                self.congested_us = Some(now);
                self.fall(now, base.min(sent) * DECREASE);
            }
            Verdict::Fine if known => self.grow(now, Some(sent)),
            Verdict::Fine | Verdict::Wait => self.changed_us = now,
        }
    }

    /// Now and then; `waiting`: packets have left since the page was last heard of; `silent`: nothing of any kind comes from it for
    /// [`UNHEARD_US`], so its network is gone, which says nothing of how wide it is.
    pub(crate) fn tick(&mut self, now: u64, waiting: bool, silent: bool) {
        self.cut |= silent;
        if !self.by_packet || !waiting || silent {
            self.waiting_us = None;
            return;
        }
        let since = *self.waiting_us.get_or_insert(now);
        if now.saturating_sub(since) > UNHEARD_US {
            self.congested_us = Some(now);
            self.fall(now, self.target * 0.7);
        }
    }

    fn back(&mut self, now: u64) {
        (self.cut, self.back_us, self.changed_us) = (false, now, now);
        self.trend = Trend::default();
        self.came = Came::default();
        self.loss = Loss::default();
    }

    fn fall(&mut self, now: u64, to: f64) {
        self.target = self.target.min(to).max(ESTIMATE_LEAST);
        self.decreased_us = Some(now);
        self.changed_us = now;
    }

    fn grow(&mut self, now: u64, came: Option<f64>) {
        let elapsed = now.saturating_sub(self.changed_us).min(1_000_000) as f64 / 1e6;
        self.changed_us = now;
        let Some(came) = came else { return };
        let resting = self
            .decreased_us
            .is_some_and(|at| now.saturating_sub(at) < REST_US);
        if resting {
            return;
        }
        if self.capacity.is_some_and(|c| came > c * NEAR.end) {
            self.capacity = None;
        }
        let near = self
            .capacity
            .is_some_and(|c| NEAR.contains(&(self.target / c)));
        let grown = if near {
            // A packet every two response times (§5.5).
            let packet = (self.target / 30.0).clamp(1_000.0, 9_600.0);
            let response = (self.round_trip_us + RESPONSE_US) as f64 / 1e6;
            self.target + packet / (2.0 * response) * elapsed
        } else if self.decreased_us.is_none() {
            self.target * GROWTH_FIRST.powf(elapsed)
        } else {
            self.target * GROWTH.powf(elapsed)
        };
        let tried = came * BEYOND + BEYOND_BITS;
        self.target = grown
            .min(tried)
            .max(self.target)
            .max(came)
            .clamp(ESTIMATE_LEAST, ESTIMATE_MOST);
    }
}

#[cfg(test)]
#[path = "estimate_tests.rs"]
mod tests;
