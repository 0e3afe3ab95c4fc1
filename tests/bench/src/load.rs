//! An open loop: when a command is due does not depend on how long the last one took.

use rand::Rng as _;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Times of arrival of a Poisson process at `rate` a second within `length`: gaps are exponential.
#[must_use]
pub fn poisson(rate: f64, length: Duration) -> Vec<Duration> {
    let (mut rng, mut at, mut out) = (rand::rng(), 0.0, vec![]);
    loop {
        let u: f64 = rng.random();
        at -= (1.0 - u).ln() / rate;
        if at >= length.as_secs_f64() {
            return out;
        }
        out.push(Duration::from_secs_f64(at));
    }
}

/// `rate` a second, evenly.
#[must_use]
pub fn even(rate: u32, length: Duration) -> Vec<Duration> {
    let n = (f64::from(rate) * length.as_secs_f64()) as u32;
    (0..n)
        .map(|i| Duration::from_secs_f64(f64::from(i) / f64::from(rate)))
        .collect()
}

/// Says each scheduled time when it has come. A thread of its own: the runtime's timer knows whole milliseconds alone.
#[must_use]
pub fn play(start: Instant, times: Vec<Duration>) -> mpsc::UnboundedReceiver<Instant> {
    // As long as the list at most.
    let (tx, rx) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for t in times {
            let due = start + t;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            if tx.send(due).is_err() {
                return;
            }
        }
    });
    rx
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_have_the_rate_and_the_spread_of_poisson() {
        let t = poisson(100.0, Duration::from_secs(100));
        // Ten thousand, give or take six deviations.
        assert!((9_400..=10_600).contains(&t.len()), "{}", t.len());
        assert!(t.windows(2).all(|w| w[0] <= w[1]));
        let gaps: Vec<f64> = t.windows(2).map(|w| (w[1] - w[0]).as_secs_f64()).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((variance.sqrt() / mean - 1.0).abs() < 0.1);
    }

    #[tokio::test]
    async fn nothing_is_said_early_and_nothing_is_left_out() {
        let start = Instant::now();
        let mut rx = play(start, even(500, Duration::from_millis(40)));
        let mut n = 0;
        while let Some(due) = rx.recv().await {
            assert!(Instant::now() >= due);
            n += 1;
        }
        assert_eq!(n, 20);
    }
}
