//! The honest wait: a range from recent service times and the seats on duty, and how far such ranges missed lately.
//!
//! Owns the estimate. Never promises without a seat on duty, and claims no error without enough samples. Model: the
//! ticket's turn comes with the k-th time that one of n seats becomes free; the sum of service times is taken as a gamma
//! variable from their mean and spread, and the range is its 20th to 80th percentile (Wilson–Hilferty).

use crate::time::Span;

/// Handling time of a conversation while there is no history (seconds).
pub const DEFAULT_SERVICE_S: f64 = 300.0;
/// Samples below which the spread is taken as exponential and no error is claimed.
pub const SAMPLES_MIN: usize = 5;
/// Recent samples that are looked at; older ones are ignored.
pub const SAMPLES_MAX: usize = 200;
/// Longest wait that is told (seconds): a day.
pub const TOLD_MAX_S: u32 = 86_400;
/// Upper end told to the one whose turn it is (seconds): a seat rings and is answered.
pub const TURN_S: u32 = 30;
/// 80th percentile of the standard normal; the 20th is its negative.
const Z: f64 = 0.841_621_233_572_914_3;

/// How one recent ticket fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// The range that it was told first (seconds).
    pub told_s: Option<(u32, u32)>,
    pub waited: Span,
    /// How long it was served; `None` while it lasts.
    pub served: Option<Span>,
}

/// What the estimate is made of.
#[derive(Debug, Clone, Copy)]
pub struct Queue<'a> {
    /// Tickets before this one in order of service that ask for the same seats.
    pub ahead: u32,
    /// Seats on duty that fit: ready, ringing, busy, in wrap-up.
    pub seats: u32,
    /// For each of those that is not ready: since how long.
    pub in_service: &'a [Span],
    /// Latest first.
    pub recent: &'a [Sample],
    /// What a seat needs between two conversations: ring and wrap-up, on average.
    pub between: Span,
}

/// Seconds, and how wrong such ranges have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    pub low_s: u32,
    pub high_s: u32,
    pub miss: Option<Miss>,
}

/// How far the ranges that were told missed what came: zero for a wait inside its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Miss {
    /// Mean distance from the nearer end (seconds).
    pub mean_s: u32,
    /// Waits outside their range, in percent.
    pub outside_pct: u8,
    pub samples: u32,
}

/// Mean and squared coefficient of variation of service times.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Service {
    mean_s: f64,
    cv2: f64,
}

/// `None`: nobody on duty fits, and no estimate would be honest.
#[must_use]
pub fn estimate(q: &Queue<'_>) -> Option<Estimate> {
    if q.seats == 0 {
        return None;
    }
    let recent = &q.recent[..q.recent.len().min(SAMPLES_MAX)];
    let s = service(recent, q.between);
    let busy = u32::try_from(q.in_service.len())
        .unwrap_or(u32::MAX)
        .min(q.seats);
    let free = q.seats - busy;
    let (low_s, high_s) = match (q.ahead.saturating_add(1)).saturating_sub(free) {
        0 => (0, TURN_S),
        turns => range(turns, q.seats, &s, first_free(q.in_service, &s)),
    };
    Some(Estimate {
        low_s,
        high_s,
        miss: miss(recent),
    })
}

/// How far the ranges told lately missed; `None` below [`SAMPLES_MIN`] samples with a range.
#[must_use]
pub fn miss(recent: &[Sample]) -> Option<Miss> {
    let misses: Vec<i64> = recent
        .iter()
        .take(SAMPLES_MAX)
        .filter_map(|s| s.told_s.map(|(lo, hi)| (lo, hi, s.waited.0 / 1_000_000)))
        .map(|(lo, hi, w)| (i64::from(lo) - w).max(w - i64::from(hi)).max(0))
        .collect();
    let n = i64::try_from(misses.len()).ok()?;
    (misses.len() >= SAMPLES_MIN).then(|| Miss {
        mean_s: u32::try_from(misses.iter().sum::<i64>() / n).unwrap_or(u32::MAX),
        outside_pct: u8::try_from(misses.iter().filter(|m| **m > 0).count() as i64 * 100 / n)
            .unwrap_or(100),
        samples: u32::try_from(n).unwrap_or(u32::MAX),
    })
}

fn service(recent: &[Sample], between: Span) -> Service {
    let gap = (between.0 as f64 / 1e6).clamp(0.0, 3_600.0);
    let times: Vec<f64> = recent
        .iter()
        .filter_map(|s| s.served)
        // One conversation that was forgotten open must not move the whole hall's estimate.
        .map(|t| (t.0 as f64 / 1e6).clamp(1.0, 7_200.0))
        .collect();
    if times.len() < SAMPLES_MIN {
        // A few are better than none for the mean, drawn towards the default; nothing is known of the spread.
        let known: f64 = times.iter().sum();
        let missing = (SAMPLES_MIN - times.len()) as f64;
        let mean = (known + missing * DEFAULT_SERVICE_S) / SAMPLES_MIN as f64;
        return Service {
            mean_s: mean + gap,
            cv2: 1.0,
        };
    }
    let n = times.len() as f64;
    let mean = times.iter().sum::<f64>() / n;
    let var = times.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let mean_s = (mean + gap).max(1.0);
    Service {
        mean_s,
        // Bounded: a spread from a few calls is itself uncertain, and below a half several seats mix to a wider one anyway.
        cv2: (var / mean_s.powi(2)).clamp(0.25, 2.0),
    }
}

/// Mean rest of a conversation under way, in mean service times (0.2 to 1). Without memory (cv 1) it is a whole one however
/// long it has lasted; the more regular the service, the more its age says.
fn first_free(ages: &[Span], s: &Service) -> f64 {
    let c = s.cv2.min(1.0);
    if ages.is_empty() {
        return f64::midpoint(1.0, c);
    }
    let rest = |age: &Span| {
        let age = (age.0 as f64 / 1e6 / s.mean_s).max(0.0);
        (c + (1.0 - c) * (1.0 - age).max(0.0)).clamp(0.2, 1.0)
    };
    ages.iter().map(rest).sum::<f64>() / ages.len() as f64
}

/// 20th and 80th percentile of the time until `turns` seats have become free, in whole seconds.
fn range(turns: u32, seats: u32, s: &Service, first: f64) -> (u32, u32) {
    let (k, each) = (f64::from(turns), s.mean_s / f64::from(seats));
    let mean = (k - 1.0 + first) * each;
    let shape = (k - 1.0 + first).powi(2) / (k * s.cv2);
    let at = |z: f64| {
        let x = 1.0 - 1.0 / (9.0 * shape) + z / (3.0 * shape.sqrt());
        mean * x.max(0.0).powi(3)
    };
    let whole = |v: f64| (v.clamp(0.0, f64::from(TOLD_MAX_S))) as u32;
    let low = whole(at(-Z).floor());
    // One whose turn comes soon still has to be rung.
    (low, whole(at(Z).ceil()).max(TURN_S).max(low))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
