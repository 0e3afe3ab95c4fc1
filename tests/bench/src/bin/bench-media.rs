//! One publisher to many viewers: ours, Janus, and the floor, in turn. Figures on standard output, runs on standard error.

use anyhow::{Result, bail, ensure};
use bench::media::media_run::{Run, Times, Who, run};
use bench::media::net::Net;
use bench::media::report;
use bench::say;
use clap::{Parser, ValueEnum};
use std::path::PathBuf;

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Only {
    Ours,
    Janus,
    Floor,
}

#[derive(Parser)]
struct Args {
    #[arg(long, value_delimiter = ',', default_value = "50,100,200,300")]
    viewers: Vec<usize>,
    /// Of the steady window.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Of each server at each number of viewers, in turn.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// One server alone.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Only>,
    /// Ours once more, with viewers that send congestion feedback as browsers do.
    #[arg(long)]
    feedback: bool,
    /// Numbers of Janus's event loops that are tried; the best counts.
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    event_loops: Vec<usize>,
    /// Where Debian's Janus was unpacked; `/` if it is installed.
    #[arg(long, default_value = "/")]
    janus: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    ensure!(
        args.viewers.iter().all(|n| *n > 0) && args.runs > 0 && args.seconds > 0,
        "viewers, runs and seconds are at least one"
    );
    let wanted = |what| args.only.is_empty() || args.only.contains(&what);
    let mut cast = vec![];
    if wanted(Only::Ours) {
        cast.push(Who::Ours);
        cast.extend(args.feedback.then_some(Who::Fed));
    }
    if wanted(Only::Janus) {
        cast.extend(args.event_loops.iter().map(|n| Who::Janus(*n)));
    }
    if wanted(Only::Floor) {
        cast.push(Who::Floor);
    }
    let net = Net::new()?;
    let mut whole = true;
    for viewers in args.viewers {
        let mut runs: Vec<Run> = vec![];
        for _ in 0..args.runs {
            for who in &cast {
                match run(
                    *who,
                    viewers,
                    Times::steady(args.seconds),
                    &net,
                    &args.janus,
                ) {
                    Ok(run) => {
                        say(&run.to_string());
                        runs.push(run);
                    }
                    // A server that cannot even serve so many: the others' figures still count.
                    Err(error) => {
                        say(&format!("{who} at {viewers}: {error:#}"));
                        whole = false;
                    }
                }
            }
        }
        whole &= report::complete(&runs);
        for figure in report::figures(viewers, &runs) {
            figure.print()?;
        }
    }
    if !whole {
        bail!("not every server had a run that counts");
    }
    Ok(())
}
