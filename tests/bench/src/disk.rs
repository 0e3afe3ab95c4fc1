//! How long this disk takes to make a small write safe: the floor of every durable answer.

use anyhow::Result;
use std::{
    fs::File,
    io::{Seek as _, SeekFrom, Write as _},
    path::Path,
    time::Instant,
};

/// One commit's share of a write-ahead log: four pages of 4 KiB.
const WRITE: usize = 16 * 1024;
/// The file is written round and round, as a log between checkpoints is.
const FILE: u64 = 4 * 1024 * 1024;

/// Milliseconds of `n` writes, each with its fsync, to a file of its own in `dir`.
pub fn fsyncs(dir: &Path, n: usize) -> Result<Vec<f64>> {
    let path = dir.join("bench-fsync");
    let mut f = File::create(&path)?;
    let block = vec![0x5au8; WRITE];
    let mut out = Vec::with_capacity(n);
    let mut at = 0u64;
    for _ in 0..n {
        f.seek(SeekFrom::Start(at))?;
        at = (at + WRITE as u64) % FILE;
        let t = Instant::now();
        f.write_all(&block)?;
        // SQLite as built here has no fdatasync either.
        f.sync_all()?;
        out.push(t.elapsed().as_secs_f64() * 1000.0);
    }
    std::fs::remove_file(path)?;
    Ok(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_write_is_timed_and_nothing_stays() {
        let dir = tempfile::tempdir().unwrap();
        let times = fsyncs(dir.path(), 5).unwrap();
        assert_eq!(times.len(), 5);
        assert!(times.iter().all(|t| *t > 0.0));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
