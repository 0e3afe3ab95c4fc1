//! What the kernel says of the server's process.

use anyhow::{Context as _, Result};

/// Resident memory in KiB (`VmRSS` of `/proc/<pid>/status`, proc(5)).
pub fn rss_kib(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    parse(&text).with_context(|| format!("{path} has no VmRSS"))
}

fn parse(status: &str) -> Option<u64> {
    status
        .lines()
        .find_map(|l| l.strip_prefix("VmRSS:"))?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

/// Ticks of a second in /proc (USER_HZ), whatever the kernel's own.
const TICKS_PER_S: f64 = 100.0;

/// CPU time that a process has used, all its threads, its own and the kernel's for it: utime + stime of `/proc/<pid>/stat` (s).
pub fn cpu_s(pid: u32) -> Result<f64> {
    let path = format!("/proc/{pid}/stat");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    ticks(&text)
        .map(|t| t as f64 / TICKS_PER_S)
        .with_context(|| format!("{path} is not as proc(5) says"))
}

/// Fields 14 and 15; the name in brackets may hold blanks and brackets itself.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_cpu_time() {
        let stat = "12 (a) b) S 1 2 3 4 5 6 7 8 9 10 250 31 0 0 20 0 1 0 99";
        assert_eq!(ticks(stat), Some(281));
        assert_eq!(ticks("12 (a"), None);
        assert!(cpu_s(std::process::id()).unwrap() >= 0.0);
    }

    #[test]
    fn reads_the_resident_size() {
        assert_eq!(
            parse("Name:\tx\nVmHWM:\t 999 kB\nVmRSS:\t  1234 kB\n"),
            Some(1234)
        );
        assert_eq!(parse("Name:\tx\n"), None);
        assert!(rss_kib(std::process::id()).unwrap() > 0);
    }
}
