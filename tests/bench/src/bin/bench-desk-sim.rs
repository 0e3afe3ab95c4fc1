//! The desk in virtual time against Erlang C: how far off, how far the shown range misses, whether anybody is left waiting
//! beside a ready seat. Needs no server.

use anyhow::{Result, ensure};
use bench::{
    desk_sim::{Desk, Recent, run},
    figure::Figure,
    say,
};
use clap::Parser;

#[derive(Parser)]
struct Args {
    #[arg(long, default_value_t = 40)]
    seats: u32,
    /// Mean handling time (seconds).
    #[arg(long, default_value_t = 300.0)]
    handling_s: f64,
    #[arg(long, default_value_t = 0.85)]
    occupancy: f64,
    #[arg(long, default_value_t = 3_000_000)]
    arrivals: usize,
    #[arg(long, default_value_t = 33_358)]
    seed: u64,
    /// Which tickets an estimate looks back at: as the server does.
    #[arg(long, value_enum, default_value = "ended")]
    recent: Recent,
}

fn main() -> Result<()> {
    let a = Args::parse();
    ensure!(
        a.seats > 0 && a.handling_s > 0.0 && (0.01..1.0).contains(&a.occupancy),
        "a desk needs seats, and an occupancy below 1"
    );
    let desk = Desk {
        seats: a.seats,
        handling_s: a.handling_s,
        occupancy: a.occupancy,
        arrivals: a.arrivals,
        seed: a.seed,
        recent: a.recent,
    };
    let o = run(desk).map_err(|e| anyhow::anyhow!("{e:?}"))?;
    say(&format!(
        "answered within 15 s: {:.2} %, Erlang C {:.2} %; {} of {} had to wait, {:.1} s on average",
        o.answered_pct(),
        desk.erlang_pct(),
        o.waited,
        o.arrivals,
        o.waited_s / o.waited.max(1) as f64
    ));
    let gap = (o.answered_pct() - desk.erlang_pct()).abs();
    Figure::new("desk_gap_to_erlang_points", gap, "points", o.arrivals, 0)
        .against("limit", 2.0)
        .print()?;
    let error = o.estimate_error_pct();
    Figure::new("desk_wait_estimate_error_pct", error, "%", o.waited, 0).print()?;
    Figure::new("desk_wait_outside_pct", o.outside_pct(), "%", o.waited, 0)
        .against("a range from the 20th to the 80th percentile", 40.0)
        .print()?;
    let idle = o.idle_while_matchable as f64;
    Figure::new("desk_idle_while_matchable", idle, "moments", o.arrivals, 0)
        .against("limit", 0.0)
        .print()
}
