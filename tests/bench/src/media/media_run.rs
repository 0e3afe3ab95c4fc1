//! One run of one server with so many viewers: set up, warm, measure, count.

use super::child::Usage;
use super::floor::Floor;
use super::janus::Janus;
use super::net::Net;
use super::ours::Ours;
use super::sdp::Direction;
use super::world::World;
use super::{GENERATOR_BUSY, LOSS_PCT};
use crate::process::cpu_s;
use anyhow::Result;
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Who fans out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    Ours,
    /// The same for viewers that tell of every packet when it came, as browsers do.
    Fed,
    /// With so many event loops.
    Janus(usize),
    Floor,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours => f.write_str("ours"),
            Self::Fed => f.write_str("ours, with congestion feedback"),
            Self::Janus(loops) => write!(f, "Janus, event_loops={loops}"),
            Self::Floor => f.write_str("floor"),
        }
    }
}

/// What a run says.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    pub who: Who,
    pub viewers: usize,
    /// The server's CPU time over the window, and the window (s).
    pub cpu_s: f64,
    pub wall_s: f64,
    /// Packets that arrived at pages, and that should have.
    pub received: u64,
    pub expected: u64,
    /// Memory for one viewer (KiB).
    pub rss_per_viewer_kib: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// Share of its CPU that the generator used.
    pub generator: f64,
}

impl Run {
    #[must_use]
    pub fn loss_pct(&self) -> f64 {
        100.0 * (1.0 - self.received as f64 / self.expected.max(1) as f64)
    }

    /// CPU time of one packet (µs).
    #[must_use]
    pub fn us_per_packet(&self) -> f64 {
        self.cpu_s * 1e6 / self.received.max(1) as f64
    }

    /// Share of its CPU that the server used.
    #[must_use]
    pub fn busy(&self) -> f64 {
        self.cpu_s / self.wall_s
    }

    /// Whether it says anything: nothing lost, and the generator was not what was measured.
    #[must_use]
    pub fn valid(&self) -> bool {
        self.received > 0 && self.loss_pct() <= LOSS_PCT && self.generator <= GENERATOR_BUSY
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at {}: {:.2} µs a packet, CPU {:.1} %, {:.0} KiB a viewer, p50 {:.2} ms, p99 {:.2} ms, lost {:.3} %, generator {:.0} %{}",
            self.who,
            self.viewers,
            self.us_per_packet(),
            100.0 * self.busy(),
            self.rss_per_viewer_kib,
            self.p50_ms,
            self.p99_ms,
            self.loss_pct(),
            100.0 * self.generator,
            if self.valid() { "" } else { ": void" }
        )
    }
}

/// How long each part takes.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    pub warm: Duration,
    pub learn: Duration,
    pub steady: Duration,
    pub drain: Duration,
}

impl Times {
    #[must_use]
    pub fn steady(seconds: u64) -> Self {
        Self {
            warm: Duration::from_secs(3),
            learn: Duration::from_secs(2),
            steady: Duration::from_secs(seconds),
            drain: Duration::from_millis(500),
        }
    }
}

/// A window as measured.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    pub cpu_s: f64,
    pub wall_s: f64,
    pub generator: f64,
    pub received: u64,
    pub expected: u64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub rss_kib: u64,
}

/// Warm-up, window, drain.
pub fn measure(
    world: &mut World,
    times: Times,
    usage: impl Fn() -> Result<Usage>,
) -> Result<Window> {
    let me = std::process::id();
    world.run_for(times.warm);
    world.learn(times.learn);
    world.open_window();
    let (before, own, begun) = (usage()?, cpu_s(me)?, Instant::now());
    world.run_for(times.steady);
    let wall_s = begun.elapsed().as_secs_f64();
    let (after, own) = (usage()?, cpu_s(me)? - own);
    let counted = world.close_window(times.drain);
    Ok(Window {
        cpu_s: after.cpu_s - before.cpu_s,
        wall_s,
        generator: own / wall_s,
        received: counted.received,
        expected: counted.expected,
        p50_ms: world.latency.percentile_ms(50.0).unwrap_or_default(),
        p99_ms: world.latency.percentile_ms(99.0).unwrap_or_default(),
        rss_kib: after.rss_kib,
    })
}

enum Up {
    Ours(Ours),
    Janus(Box<Janus>),
    Floor(Floor),
}

impl Up {
    fn usage(&self) -> Result<Usage> {
        match self {
            Self::Ours(s) => s.usage(),
            Self::Janus(s) => s.usage(),
            Self::Floor(s) => s.usage(),
        }
    }
}

/// One run from start to end of a server.
pub fn run(who: Who, viewers: usize, times: Times, net: &Net, janus: &Path) -> Result<Run> {
    let mut world = World::new(net.outside)?;
    let (mut up, source) = match who {
        Who::Ours | Who::Fed => {
            let mut ours = Ours::start(net, viewers + 1)?;
            let source = ours.stage(&mut world)?;
            (Up::Ours(ours), source)
        }
        Who::Janus(loops) => {
            let mut server = Janus::start(net, janus, loops)?;
            let source = server.stage(net, &mut world)?;
            (Up::Janus(Box::new(server)), source)
        }
        Who::Floor => {
            let mut floor = Floor::start(net)?;
            let source = floor.stage(&mut world)?;
            (Up::Floor(floor), source)
        }
    };
    world.run_for(Duration::from_millis(500));
    let empty = up.usage()?;
    for _ in 0..viewers {
        let page = world.add_peer(Some(source))?;
        if who == Who::Fed {
            world.peer(page).feed_back();
        }
        match &mut up {
            Up::Ours(s) => s.join(&mut world, page, "hall", "listener", Direction::Receive)?,
            Up::Janus(s) => s.join(&mut world, page)?,
            Up::Floor(s) => s.join(&mut world, page)?,
        }
        world.run_for(Duration::from_millis(2));
    }
    if let Up::Floor(s) = &mut up {
        s.go()?;
    }
    world.run_until_connected(Duration::from_secs(60))?;
    let w = measure(&mut world, times, || up.usage())?;
    if let Up::Ours(s) = &mut up {
        crate::say(&format!("counters of the engine: {}", s.stats()?));
    }
    Ok(Run {
        who,
        viewers,
        cpu_s: w.cpu_s,
        wall_s: w.wall_s,
        received: w.received,
        expected: w.expected,
        rss_per_viewer_kib: (w.rss_kib as f64 - empty.rss_kib as f64) / viewers as f64,
        p50_ms: w.p50_ms,
        p99_ms: w.p99_ms,
        generator: w.generator,
    })
}
