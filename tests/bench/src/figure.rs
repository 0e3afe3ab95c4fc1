//! A measured number as one line of JSON, and how percentiles are taken.

use serde::Serialize;

/// A peer or floor that was measured, or is promised, beside the figure.
#[derive(Debug, Clone, Serialize)]
pub struct Against {
    pub name: String,
    pub value: f64,
}

#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    pub figure: String,
    pub value: f64,
    pub unit: &'static str,
    /// How many samples the value comes from.
    pub n: usize,
    /// What failed while it was measured; those are no samples.
    pub errors: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
}

impl Figure {
    #[must_use]
    pub fn new(figure: &str, value: f64, unit: &'static str, n: usize, errors: usize) -> Self {
        // Microseconds are as fine as the clocks here.
        Self {
            figure: figure.to_owned(),
            value: round(value),
            unit,
            n,
            errors,
            against: None,
        }
    }

    #[must_use]
    pub fn against(mut self, name: &str, value: f64) -> Self {
        self.against = Some(Against {
            name: name.to_owned(),
            value: round(value),
        });
        self
    }

    /// The same on another database: `_pg`.
    #[must_use]
    pub fn suffix(mut self, suffix: &str) -> Self {
        self.figure.push_str(suffix);
        self
    }

    /// The one thing that goes to standard output.
    pub fn print(&self) -> anyhow::Result<()> {
        println!("{}", serde_json::to_string(self)?);
        Ok(())
    }
}

fn round(v: f64) -> f64 {
    (v * 1000.0).round() / 1000.0
}

/// Nearest rank: the smallest sample that at least `p` percent of all are not above. `None` without samples.
#[must_use]
pub fn percentile(samples: &[f64], p: f64) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (p / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_rank() {
        // The textbook list: 30th percentile is the second of five, never a value between two.
        let s = [50.0, 15.0, 20.0, 35.0, 40.0];
        assert_eq!(percentile(&s, 5.0), Some(15.0));
        assert_eq!(percentile(&s, 30.0), Some(20.0));
        assert_eq!(percentile(&s, 40.0), Some(20.0));
        assert_eq!(percentile(&s, 50.0), Some(35.0));
        assert_eq!(percentile(&s, 100.0), Some(50.0));
        assert_eq!(percentile(&[], 50.0), None);
        let many: Vec<f64> = (1..=1000).map(f64::from).collect();
        assert_eq!(percentile(&many, 99.0), Some(990.0));
    }

    #[test]
    fn a_line_has_the_agreed_names() {
        let f = Figure::new("x_ms", 1.23456, "ms", 40, 0);
        assert_eq!(
            serde_json::to_string(&f).unwrap(),
            r#"{"figure":"x_ms","value":1.235,"unit":"ms","n":40,"errors":0}"#
        );
        let f = f.against("floor", 2.0).suffix("_pg");
        assert_eq!(f.figure, "x_ms_pg");
        assert!(
            serde_json::to_string(&f)
                .unwrap()
                .ends_with(r#""against":{"name":"floor","value":2.0}}"#)
        );
    }
}
