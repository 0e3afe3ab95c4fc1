//! Runs to figures. Void runs are counted as errors and are no samples.

use super::media_run::{Run, Who};
use crate::figure::{Figure, percentile};

/// The middle of what was measured; of an even number the lower.
fn median(runs: &[&Run], of: impl Fn(&Run) -> f64) -> Option<f64> {
    percentile(&runs.iter().map(|r| of(r)).collect::<Vec<_>>(), 50.0)
}

fn split(runs: &[Run], who: Who) -> (Vec<&Run>, usize) {
    let (valid, void): (Vec<&Run>, Vec<&Run>) = runs
        .iter()
        .filter(|r| r.who == who)
        .partition(|r| r.valid());
    (valid, void.len())
}

/// Janus with the number of event loops that costs it least.
fn best_janus(runs: &[Run]) -> Option<Who> {
    let mut tuned: Vec<(Who, f64)> = vec![];
    for run in runs.iter().filter(|r| matches!(r.who, Who::Janus(_))) {
        if !tuned.iter().any(|(who, _)| *who == run.who)
            && let Some(cost) = median(&split(runs, run.who).0, Run::us_per_packet)
        {
            tuned.push((run.who, cost));
        }
    }
    tuned
        .into_iter()
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(who, _)| who)
}

/// The figures of one number of viewers. What has no valid run is left out, and [`complete`] says so.
#[must_use]
pub fn figures(viewers: usize, runs: &[Run]) -> Vec<Figure> {
    let mut out = vec![];
    let (ours, void) = split(runs, Who::Ours);
    let janus = best_janus(runs).map(|who| split(runs, who));
    let (floor, floor_void) = split(runs, Who::Floor);
    let mut add =
        |name: &str, value: Option<f64>, unit, errors: usize, against: Option<(&str, f64)>| {
            // A window too short for a tick of CPU time says nothing.
            let Some(value) = value.filter(|v| v.is_finite()) else {
                return;
            };
            let mut figure = Figure::new(
                &format!("{name}_at_{viewers}"),
                value,
                unit,
                ours.len(),
                errors,
            );
            if let Some((name, value)) = against {
                figure = figure.against(name, value);
            }
            out.push(figure);
        };
    let cost = median(&ours, Run::us_per_packet);
    if let Some((valid, janus_void)) = &janus {
        let theirs = median(valid, Run::us_per_packet);
        let ratio = cost.zip(theirs).map(|(a, b)| a / b);
        add(
            "media_cpu_vs_janus_ratio",
            ratio,
            "ratio",
            void + janus_void,
            Some(("goal", 0.5)),
        );
    }
    let bare = median(&floor, Run::us_per_packet);
    let ratio = cost.zip(bare).map(|(a, b)| a / b);
    add(
        "media_cpu_vs_floor_ratio",
        ratio,
        "ratio",
        void + floor_void,
        Some(("goal", 2.5)),
    );
    let (fed, fed_void) = split(runs, Who::Fed);
    let ratio = median(&fed, Run::us_per_packet).zip(cost);
    add(
        "media_cpu_feedback_ratio",
        ratio.map(|(fed, cost)| fed / cost),
        "ratio",
        void + fed_void,
        None,
    );
    type Of = fn(&Run) -> f64;
    let beside: [(&str, &str, Of); 4] = [
        ("media_kpps_per_core", "kpkt/s", |r| 1e3 / r.us_per_packet()),
        ("media_rss_per_viewer_kib", "KiB", |r| r.rss_per_viewer_kib),
        ("media_latency_p50_ms", "ms", |r| r.p50_ms),
        ("media_latency_p99_ms", "ms", |r| r.p99_ms),
    ];
    for (name, unit, of) in beside {
        let theirs = janus.as_ref().and_then(|(valid, _)| median(valid, of));
        add(
            name,
            median(&ours, of),
            unit,
            void,
            theirs.map(|v| ("Janus", v)),
        );
    }
    // The one figure that void runs are in: it says why they are void.
    let all: Vec<&Run> = runs.iter().filter(|r| r.who == Who::Ours).collect();
    if let Some(loss) = median(&all, Run::loss_pct) {
        out.push(Figure::new(
            &format!("media_loss_pct_at_{viewers}"),
            loss,
            "%",
            all.len(),
            void,
        ));
    }
    out
}

/// Whether each server that ran has a run that counts.
#[must_use]
pub fn complete(runs: &[Run]) -> bool {
    runs.iter().all(|r| match r.who {
        Who::Janus(_) => best_janus(runs).is_some(),
        who => !split(runs, who).0.is_empty(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn run(who: Who, us: f64, lost: u64) -> Run {
        Run {
            who,
            viewers: 50,
            cpu_s: us,
            wall_s: 20.0,
            received: 1_000_000 - lost,
            expected: 1_000_000,
            rss_per_viewer_kib: 400.0,
            p50_ms: 0.4,
            p99_ms: 2.0,
            generator: 0.2,
        }
    }

    fn value(figures: &[Figure], name: &str) -> Option<(f64, usize)> {
        let f = figures.iter().find(|f| f.figure == name)?;
        Some((f.value, f.errors))
    }

    #[test]
    fn ratios_are_of_medians_and_of_janus_at_its_best() {
        let runs = [
            run(Who::Ours, 9.0, 0),
            run(Who::Janus(1), 21.0, 0),
            run(Who::Janus(2), 20.0, 0),
            run(Who::Floor, 4.0, 0),
            run(Who::Ours, 10.0, 0),
            run(Who::Janus(1), 23.0, 0),
            run(Who::Janus(2), 20.0, 0),
            run(Who::Ours, 16.0, 0),
        ];
        let figures = figures(50, &runs);
        assert_eq!(
            value(&figures, "media_cpu_vs_janus_ratio_at_50"),
            Some((0.5, 0))
        );
        assert_eq!(
            value(&figures, "media_cpu_vs_floor_ratio_at_50"),
            Some((2.5, 0))
        );
        assert_eq!(
            value(&figures, "media_kpps_per_core_at_50"),
            Some((100.0, 0))
        );
        assert_eq!(value(&figures, "media_loss_pct_at_50"), Some((0.0, 0)));
        assert_eq!(figures.len(), 7);
        assert!(complete(&runs));
    }

    #[test]
    fn what_feedback_costs_is_held_against_the_same_run_without() {
        let runs = [
            run(Who::Ours, 10.0, 0),
            run(Who::Fed, 12.0, 0),
            run(Who::Fed, 90.0, 5_000),
        ];
        let figures = figures(50, &runs);
        let ratio = value(&figures, "media_cpu_feedback_ratio_at_50");
        assert_eq!(ratio, Some((1.2, 1)));
        let (kpps, _) = value(&figures, "media_kpps_per_core_at_50").unwrap();
        assert!((kpps - 100.0).abs() < 0.2, "of the run without: {kpps}");
        assert!(complete(&runs));
    }

    #[test]
    fn a_run_that_lost_packets_is_an_error_and_no_sample() {
        let runs = [
            run(Who::Ours, 1.0, 2_000),
            run(Who::Ours, 10.0, 900),
            run(Who::Floor, 5.0, 5_000),
        ];
        let figures = figures(50, &runs);
        let (kpps, errors) = value(&figures, "media_kpps_per_core_at_50").unwrap();
        assert!((kpps - 100.0).abs() < 0.2, "{kpps}");
        assert_eq!(errors, 1);
        assert_eq!(value(&figures, "media_cpu_vs_floor_ratio_at_50"), None);
        assert!(!complete(&runs));
        let mut busy = run(Who::Ours, 1.0, 0);
        busy.generator = 0.95;
        assert!(!busy.valid());
    }
}
