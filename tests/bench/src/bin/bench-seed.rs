//! Writes the rows that a bench starts from into a database whose server does not run yet.

use anyhow::Result;
use clap::Parser;
use domain::time::Timestamp;
use std::{path::PathBuf, time::SystemTime};
use store::Target;

#[derive(Parser)]
struct Args {
    /// The server's `data_dir`; its SQLite database unless another is named.
    #[arg(long)]
    data_dir: PathBuf,
    /// `postgres://…`, an empty database.
    #[arg(long)]
    database_url: Option<String>,
    /// Seats, and agents to sit there.
    #[arg(long, default_value_t = 0)]
    seats: usize,
}

#[tokio::main]
async fn main() -> Result<()> {
    let a = Args::parse();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let now = Timestamp(i64::try_from(now.as_micros())?);
    let target = match a.database_url {
        Some(url) => Target::Postgres(url),
        None => Target::Sqlite(a.data_dir.join("cloud-booth.sqlite")),
    };
    bench::seed::rows(&target, a.seats, now).await
}
