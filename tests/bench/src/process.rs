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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

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
