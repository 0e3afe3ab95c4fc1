//! Erlang C: how long people wait for how many agents (Poisson arrivals, exponential service, nobody leaves).
//!
//! Owns the formulas for staffing and for checking the desk against theory (A. K. Erlang 1917; Cooper, Introduction to
//! Queueing Theory, §3.6). Never looks at real rows (`level` does). Stable for thousands of agents: no factorial or power is formed.

/// More agents than any hall has; a larger number is cut to it.
pub const AGENTS_MAX: u32 = 10_000;

/// Erlang B, the share of arrivals that find all agents busy when nobody may wait; from 0 to 1.
#[must_use]
pub fn blocking(offered: f64, agents: u32) -> f64 {
    if !usable(offered) {
        return if offered > 0.0 { 1.0 } else { 0.0 };
    }
    // B(n) = a·B(n−1) / (n + a·B(n−1)): every term lies in 0..=1.
    (1..=agents.min(AGENTS_MAX)).fold(1.0, |b, n| offered * b / (f64::from(n) + offered * b))
}

/// P(wait > 0). `offered` in erlangs (arrivals per second × mean handling seconds); 1 when agents do not suffice.
#[must_use]
pub fn p_wait(offered: f64, agents: u32) -> f64 {
    let n = f64::from(agents.min(AGENTS_MAX));
    if offered <= 0.0 {
        return 0.0;
    }
    if !usable(offered) || offered >= n {
        return 1.0;
    }
    let b = blocking(offered, agents);
    (n * b / (n - offered * (1.0 - b))).clamp(0.0, 1.0)
}

/// The share answered within `within_s` seconds, 0 to 1; `handling_s` is the mean handling time.
#[must_use]
pub fn service_level(offered: f64, agents: u32, handling_s: f64, within_s: f64) -> f64 {
    let spare = f64::from(agents.min(AGENTS_MAX)) - offered;
    if offered <= 0.0 {
        return 1.0;
    }
    if !usable(offered) || spare <= 0.0 || !usable(handling_s) {
        return 0.0;
    }
    (1.0 - p_wait(offered, agents) * (-spare * within_s.max(0.0) / handling_s).exp())
        .clamp(0.0, 1.0)
}

/// Mean wait over all arrivals, in seconds; `None` when the queue grows without end.
#[must_use]
pub fn mean_wait_s(offered: f64, agents: u32, handling_s: f64) -> Option<f64> {
    let spare = f64::from(agents.min(AGENTS_MAX)) - offered;
    if offered <= 0.0 {
        return Some(0.0);
    }
    (usable(offered) && spare > 0.0 && usable(handling_s))
        .then(|| p_wait(offered, agents) * handling_s / spare)
}

/// Fewest agents that answer the `target` share (0 to 1, exclusive) within `within_s`; `None` beyond [`AGENTS_MAX`].
#[must_use]
pub fn agents_for(offered: f64, handling_s: f64, within_s: f64, target: f64) -> Option<u32> {
    if offered <= 0.0 {
        return Some(0);
    }
    if !usable(offered) || offered >= f64::from(AGENTS_MAX) {
        return None;
    }
    // The level rises with agents: a binary search over one that fails and one that meets it.
    let meets = |n| service_level(offered, n, handling_s, within_s) >= target;
    let (mut fails, mut fits) = (offered.floor() as u32, AGENTS_MAX);
    if !meets(fits) {
        return None;
    }
    while fits - fails > 1 {
        let mid = fails + (fits - fails) / 2;
        if meets(mid) {
            fits = mid;
        } else {
            fails = mid;
        }
    }
    Some(fits)
}

fn usable(x: f64) -> bool {
    x.is_finite() && x > 0.0
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn near(a: f64, b: f64, by: f64) {
        assert!((a - b).abs() <= by, "{a} is not {b} ± {by}");
    }

    /// Reference values in exact rational arithmetic from the defining sum.
    #[test]
    fn probability_of_waiting() {
        for (a, n, want) in [
            (0.5, 1, 0.5),
            (1.0, 2, 1.0 / 3.0),
            (5.0, 8, 0.167_266_506_661_756_6),
            (10.0, 11, 0.682_118_204_689_332_4),
            (10.0, 12, 0.449_388_224_298_270_86),
            (10.0, 14, 0.174_131_933_595_049_83),
            (34.0, 40, 0.234_930_565_068_080_6),
            (480.0, 500, 0.266_512_519_962_364_14),
        ] {
            near(p_wait(a, n), want, 1e-12);
        }
    }

    /// The much-copied example of 360 calls in half an hour, 240 s each, 55 agents, answered within 15 s: P(wait) 23.9 %,
    /// service level 84.6 %, mean wait 8.2 s; and 200 calls an hour of 180 s with 14 agents: 88.8 % in 20 s, 7.8 s.
    #[test]
    fn examples_of_the_literature() {
        let a = 360.0 / 1800.0 * 240.0;
        near(p_wait(a, 55), 0.239, 5e-4);
        near(service_level(a, 55, 240.0, 15.0), 0.846, 5e-4);
        near(mean_wait_s(a, 55, 240.0).unwrap(), 8.2, 0.05);
        near(service_level(10.0, 14, 180.0, 20.0), 0.888, 5e-4);
        near(mean_wait_s(10.0, 14, 180.0).unwrap(), 7.8, 0.05);
        assert_eq!(agents_for(10.0, 180.0, 20.0, 0.8), Some(14));
    }

    /// Erlang B tables: 10 erlangs on 10 lines lose 21.5 %, 1 on 1 a half.
    #[test]
    fn blocking_of_the_tables() {
        near(blocking(10.0, 10), 0.2146, 5e-5);
        near(blocking(1.0, 1), 0.5, 1e-15);
        near(blocking(1.0, 0), 1.0, 0.0);
    }

    #[test]
    fn too_few_agents_and_senseless_input_are_said_not_computed() {
        assert_eq!(p_wait(10.0, 10), 1.0);
        assert_eq!(service_level(10.0, 9, 300.0, 15.0), 0.0);
        assert_eq!(mean_wait_s(10.0, 10, 300.0), None);
        assert_eq!(p_wait(0.0, 0), 0.0);
        assert_eq!(p_wait(f64::NAN, 5), 1.0);
        assert_eq!(p_wait(f64::INFINITY, 5), 1.0);
        assert_eq!(service_level(1.0, 5, 0.0, 15.0), 0.0);
        assert_eq!(agents_for(1e9, 300.0, 15.0, 0.8), None);
        assert_eq!(agents_for(5.0, 300.0, 15.0, 1.5), None);
    }

    proptest! {
        /// M/M/1 has closed forms: P(wait) = ρ.
        #[test]
        fn one_agent_waits_by_its_load(rho in 0.001f64..0.999) {
            prop_assert!((p_wait(rho, 1) - rho).abs() < 1e-12);
        }

        #[test]
        fn up_to_thousands_of_agents_all_stays_a_share_and_more_agents_never_hurt(load in 0.01f64..1.2, n in 1u32..3_000, t in 0.0f64..120.0) {
            let a = load * f64::from(n);
            let (p, q) = (p_wait(a, n), p_wait(a, n + 1));
            prop_assert!((0.0..=1.0).contains(&p) && q <= p);
            let (s, r) = (service_level(a, n, 300.0, t), service_level(a, n + 1, 300.0, t));
            prop_assert!((0.0..=1.0).contains(&s) && r >= s - 1e-12);
            prop_assert!(service_level(a, n, 300.0, t + 1.0) >= s);
        }

        #[test]
        fn the_fewest_agents_are_the_fewest(a in 0.1f64..600.0, target in 0.5f64..0.99) {
            let n = agents_for(a, 300.0, 15.0, target).unwrap();
            prop_assert!(service_level(a, n, 300.0, 15.0) >= target);
            prop_assert!(service_level(a, n - 1, 300.0, 15.0) < target);
        }
    }
}
