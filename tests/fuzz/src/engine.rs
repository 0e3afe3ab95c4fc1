//! The loop: take something that is known, change it, run it; keep it if its outcome is new. Stable Rust gives no coverage, so the
//! outcome that each reader answers stands in for it.
//!
//! A thread beside it watches the clock: an input that takes longer than [`SLOW`] is written down before anything else happens.

use crate::mutate::{mutate, mutate_lines};
use crate::targets::Target;
use anyhow::{Context as _, Result};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::collections::HashSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// No reader may take this long for one input.
const SLOW: Duration = Duration::from_secs(2);
/// Inputs that are worked on; beyond it the youngest half goes.
const KEPT: usize = 4_096;
/// Findings of one target; more of them say nothing new.
const FOUND: usize = 8;

/// What became of a target.
pub struct Report {
    target: &'static str,
    runs: u64,
    outcomes: usize,
    corpus: usize,
    seconds: f64,
    slowest_us: u64,
    pub found: Vec<PathBuf>,
}

impl Report {
    pub fn line(&self, seed: u64) -> String {
        serde_json::json!({
            "target": self.target,
            "runs": self.runs,
            "runs_per_s": (self.runs as f64 / self.seconds.max(1e-9)).round(),
            "outcomes": self.outcomes,
            "corpus": self.corpus,
            "slowest_us": self.slowest_us,
            "seconds": (self.seconds * 10.0).round() / 10.0,
            "found": self.found.len(),
            "seed": seed,
        })
        .to_string()
    }
}

/// What was written down earlier, and what is well-formed.
pub fn corpus(target: &Target, root: &Path) -> Result<Vec<Vec<u8>>> {
    let mut all = (target.seeds)();
    let dir = root.join("corpus").join(target.name);
    if let Ok(entries) = fs::read_dir(&dir) {
        let mut paths: Vec<_> = entries.flatten().map(|e| e.path()).collect();
        paths.sort();
        for path in paths {
            all.push(fs::read(&path).with_context(|| path.display().to_string())?);
        }
    }
    Ok(all)
}

fn write_down(root: &Path, target: &str, input: &[u8]) -> Result<PathBuf> {
    let dir = root.join("found").join(target);
    fs::create_dir_all(&dir)?;
    // FNV-1a: a name that is the same for the same input.
    let hash = input.iter().fold(0xcbf2_9ce4_8422_2325u64, |h, b| {
        (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3)
    });
    let path = dir.join(format!("{hash:016x}"));
    fs::write(&path, input)?;
    Ok(path)
}

/// The input under way and since when, for the thread that watches.
#[derive(Default)]
struct Watch {
    input: Mutex<Vec<u8>>,
    /// Microseconds since the start; 0: nothing runs.
    since: AtomicU64,
    done: AtomicBool,
}

/// Runs one target for a while.
///
/// # Errors
/// The corpus cannot be read or a finding not be written.
pub fn run(target: &'static Target, root: &Path, time: Duration, seed: u64) -> Result<Report> {
    let started = Instant::now();
    let watch = Arc::<Watch>::default();
    let watching = watcher(watch.clone(), target.name, root.to_owned(), started);
    let hook = take_hook();
    set_hook(Box::new(|_| ()));
    let result = search(target, root, time, seed, started, &watch);
    set_hook(hook);
    watch.done.store(true, Ordering::SeqCst);
    let _ = watching.join();
    result
}

fn watcher(
    watch: Arc<Watch>,
    target: &'static str,
    root: PathBuf,
    started: Instant,
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        while !watch.done.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(50));
            let since = watch.since.load(Ordering::SeqCst);
            let now = started.elapsed().as_micros() as u64;
            if since > 0 && now.saturating_sub(since) > SLOW.as_micros() as u64 {
                let input = watch.input.lock().unwrap_or_else(PoisonError::into_inner);
                let path = write_down(&root, target, &input);
                eprintln!("{target}: an input takes longer than {SLOW:?}: {path:?}");
                std::process::exit(1);
            }
        }
    })
}

fn search(
    target: &'static Target,
    root: &Path,
    time: Duration,
    seed: u64,
    started: Instant,
    watch: &Watch,
) -> Result<Report> {
    let mut rng =
        StdRng::seed_from_u64(seed ^ target.name.bytes().fold(0, |h, b| (h << 5) ^ u64::from(b)));
    let mut pool = corpus(target, root)?;
    let first = pool.len();
    let mut seen = HashSet::new();
    let mut report = Report {
        target: target.name,
        runs: 0,
        outcomes: 0,
        corpus: first,
        seconds: 0.0,
        slowest_us: 0,
        found: vec![],
    };
    while started.elapsed() < time || (report.runs as usize) < first {
        let n = report.runs as usize;
        let input = if n < first {
            pool[n].clone()
        } else {
            let other = &pool[rng.random_range(0..pool.len())];
            let mut input = pool[rng.random_range(0..pool.len())].clone();
            if input.contains(&b'\n') && rng.random_bool(0.5) {
                mutate_lines(&mut rng, &mut input, other);
            } else {
                mutate(&mut rng, &mut input, other, target.longest);
            }
            input
        };
        watch
            .input
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone_from(&input);
        let at = started.elapsed().as_micros() as u64;
        watch.since.store(at.max(1), Ordering::SeqCst);
        let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(&input)));
        watch.since.store(0, Ordering::SeqCst);
        let took = started.elapsed().as_micros() as u64 - at;
        report.slowest_us = report.slowest_us.max(took);
        report.runs += 1;
        match outcome {
            Ok(outcome) => {
                if seen.insert(outcome) && n >= first {
                    pool.push(input);
                }
            }
            Err(_) => {
                report.found.push(write_down(root, target.name, &input)?);
                if report.found.len() == FOUND {
                    break;
                }
            }
        }
        if pool.len() > KEPT {
            pool.truncate(KEPT / 2);
        }
    }
    report.outcomes = seen.len();
    report.corpus = pool.len();
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{here, targets};

    /// What was found once stays found; and each well-formed input is understood as one.
    #[test]
    fn every_reader_takes_its_corpus() {
        for target in targets::ALL {
            let inputs = corpus(target, &here()).unwrap();
            assert!(!inputs.is_empty(), "{}: no seeds", target.name);
            let outcomes: HashSet<u64> = inputs.iter().map(|i| (target.run)(i)).collect();
            let noise = (target.run)(&[0xa5; 7]);
            assert!(
                outcomes.iter().any(|o| *o != noise),
                "{}: what is well-formed is taken for noise",
                target.name
            );
        }
    }

    /// The loop notices: a reader that stumbles is told from one that does not.
    #[test]
    fn an_input_that_is_stumbled_over_is_found_and_written_down() {
        fn stumbles(bytes: &[u8]) -> u64 {
            assert!(!bytes.starts_with(b"ab") || bytes.len() < 5, "stumbled");
            u64::from(bytes.starts_with(b"a")) * 2 + u64::from(bytes.starts_with(b"ab"))
        }
        static BAD: Target = Target {
            name: "stumbles",
            run: stumbles,
            seeds: || vec![b"ab".to_vec(), b"xyz".to_vec()],
            longest: 64,
        };
        let dir = std::env::temp_dir().join(format!("cloud-booth-fuzz-{}", std::process::id()));
        let report = run(&BAD, &dir, Duration::from_secs(20), 7).unwrap();
        assert!(!report.found.is_empty(), "after {} runs", report.runs);
        let input = fs::read(&report.found[0]).unwrap();
        assert!(input.starts_with(b"ab") && input.len() >= 5, "{input:?}");
        fs::remove_dir_all(dir).unwrap();
    }
}
