//! Writes the rows that a bench starts from into a data directory whose server does not run yet.

use anyhow::Result;
use clap::Parser;
use domain::time::Timestamp;
use std::{path::PathBuf, time::SystemTime};

#[derive(Parser)]
struct Args {
    /// The server's `data_dir`.
    #[arg(long)]
    data_dir: PathBuf,
    /// Seats, and agents to sit there.
    #[arg(long, default_value_t = 0)]
    seats: usize,
}

#[tokio::main]
async fn main() -> Result<()> {
    let a = Args::parse();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let now = Timestamp(i64::try_from(now.as_micros())?);
    bench::seed::sqlite(&a.data_dir, a.seats, now).await
}
