//! One-to-one calls on one core: rooms are added until the core is busy or packets are late; the last step that held counts.

use anyhow::{Context as _, Result, ensure};
use bench::figure::{Figure, percentile};
use bench::media::GENERATOR_BUSY;
use bench::media::LOSS_PCT;
use bench::media::media_run::{Times, Window, measure};
use bench::media::net::Net;
use bench::media::ours::Ours;
use bench::media::sdp::Direction;
use bench::media::world::{Out, World};
use bench::say;
use clap::Parser;
use std::time::Duration;

#[derive(Parser)]
struct Args {
    /// Calls at the first step, and added at each further one.
    #[arg(long, default_value_t = 10)]
    from: usize,
    #[arg(long, default_value_t = 5)]
    step: usize,
    #[arg(long, default_value_t = 200)]
    most: usize,
    /// Of a step's window.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    #[arg(long, default_value_t = 3)]
    runs: usize,
}

/// Share of the core that a step may use.
const BUSY: f64 = 0.7;
/// Latency that forwarding may add (ms).
const LATE_MS: f64 = 5.0;
/// Frame period of a source (ns): bursts of different calls are spread over it.
const PERIOD_NS: u64 = 33_333_333;

/// A step that was measured.
#[derive(Clone, Copy)]
struct Step {
    calls: usize,
    window: Window,
}

impl Step {
    fn busy(&self) -> f64 {
        self.window.cpu_s / self.window.wall_s
    }

    fn lost_pct(&self) -> f64 {
        100.0 * (1.0 - self.window.received as f64 / self.window.expected.max(1) as f64)
    }

    fn holds(&self) -> bool {
        self.window.received > 0
            && self.lost_pct() <= LOSS_PCT
            && self.busy() <= BUSY
            && self.window.p99_ms <= LATE_MS
    }
}

/// Two pages that see and hear each other.
fn call(world: &mut World, ours: &mut Ours, n: usize) -> Result<()> {
    let room = format!("call{n}");
    for (side, role) in ["citizen", "agent"].into_iter().enumerate() {
        let mine = 2 * n + side;
        let page = world.add_peer(Some(mine ^ 1))?;
        let ssrc = world.next_ssrc();
        // By the golden section, so that any number of sources is spread evenly.
        let phase = (mine as f64 * 0.618_034).fract() * PERIOD_NS as f64;
        ours.join(world, page, &room, role, Direction::Both(ssrc))?;
        let source = world.add_source(Out::Page(page), phase as u64);
        ensure!(source == mine, "sources and sides are numbered alike");
        world.run_for(Duration::from_millis(2));
    }
    ours.live(&room)
}

/// The last step that held; an error if the generator and not the server was what gave way.
fn climb(args: &Args, net: &Net) -> Result<Option<Step>> {
    let mut ours = Ours::start(net, 6)?;
    let mut world = World::new(net.outside)?;
    let (mut calls, mut best) = (0, None);
    let mut target = args.from;
    while target <= args.most {
        while calls < target {
            call(&mut world, &mut ours, calls)?;
            calls += 1;
        }
        world.run_until_connected(Duration::from_secs(30))?;
        let window = measure(&mut world, Times::steady(args.seconds), || ours.usage())?;
        let step = Step { calls, window };
        say(&format!(
            "{calls} calls: CPU {:.1} %, p50 {:.2} ms, p99 {:.2} ms, lost {:.3} %, generator {:.0} %",
            100.0 * step.busy(),
            window.p50_ms,
            window.p99_ms,
            step.lost_pct(),
            100.0 * window.generator
        ));
        ensure!(
            window.generator <= GENERATOR_BUSY,
            "the generator is busier than what it measures"
        );
        if !step.holds() {
            break;
        }
        best = Some(step);
        target += args.step;
    }
    Ok(best)
}

fn main() -> Result<()> {
    let args = Args::parse();
    ensure!(
        args.from > 0 && args.step > 0 && args.runs > 0 && args.seconds > 0,
        "calls, runs and seconds are at least one"
    );
    let net = Net::new()?;
    let (mut steps, mut errors) = (vec![], 0);
    for _ in 0..args.runs {
        match climb(&args, &net) {
            Ok(Some(step)) => steps.push(step),
            Ok(None) => errors += 1,
            Err(error) => {
                say(&format!("{error:#}"));
                errors += 1;
            }
        }
    }
    let figure = |name: &str, unit, of: &dyn Fn(&Step) -> f64| -> Result<Figure> {
        let samples: Vec<f64> = steps.iter().map(of).collect();
        let value = percentile(&samples, 50.0).context("no step held: nothing to say")?;
        Ok(Figure::new(name, value, unit, steps.len(), errors))
    };
    figure("calls_per_core", "calls", &|s| s.calls as f64 / s.busy())?
        .against("goal", 60.0)
        .print()?;
    figure("calls_latency_p50_ms", "ms", &|s| s.window.p50_ms)?
        .against("at most", 1.0)
        .print()?;
    figure("calls_latency_p99_ms", "ms", &|s| s.window.p99_ms)?
        .against("at most", LATE_MS)
        .print()
}
