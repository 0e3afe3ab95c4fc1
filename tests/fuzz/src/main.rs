//! Fuzzing on the stable toolchain: malformed STUN, DTLS, RTP, RTCP, SDP and the rest against their readers.
//!
//! Each target runs for a bounded time and prints one line of JSON. What ends with a new outcome is worked on further (`engine`);
//! what panics or takes too long is written to `tests/fuzz/found/` and makes the whole run fail. An input found once belongs into
//! `tests/fuzz/corpus/<target>/`: from there it is run first, each time, and by the gate (`cargo test -p fuzz`).

mod engine;
mod mutate;
mod seeds;
mod targets;

use anyhow::{Result, bail};
use clap::Parser;
use rand::Rng as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// 畸形输入测试 · Malformed input against every reader of strangers' bytes.
#[derive(Parser)]
struct Args {
    /// Targets by name; all without one.
    targets: Vec<String>,
    /// Seconds for each target.
    #[arg(long, env = "CLOUD_BOOTH_FUZZ_SECONDS", default_value_t = 60)]
    seconds: u64,
    /// Repeats an earlier run.
    #[arg(long, env = "CLOUD_BOOTH_FUZZ_SEED")]
    seed: Option<u64>,
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn main() -> Result<()> {
    let args = Args::parse();
    let seed = args.seed.unwrap_or_else(|| rand::rng().random());
    eprintln!("CLOUD_BOOTH_FUZZ_SEED={seed}");
    if let Some(unknown) = args.targets.iter().find(|t| targets::find(t).is_none()) {
        bail!("no target {unknown}; there are {:?}", targets::names());
    }
    let mut failed = 0;
    for target in targets::ALL {
        if !args.targets.is_empty() && !args.targets.iter().any(|t| t == target.name) {
            continue;
        }
        let report = engine::run(target, &here(), Duration::from_secs(args.seconds), seed)?;
        println!("{}", report.line(seed));
        failed += report.found.len();
    }
    if failed > 0 {
        bail!("{failed} inputs that no reader should stumble over: see tests/fuzz/found");
    }
    Ok(())
}
