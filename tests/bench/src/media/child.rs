//! A server's process: killed with the value, its lines, what the kernel says of it.

use crate::process;
use anyhow::{Context as _, Result};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

pub struct Server {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Server {
    pub fn start(mut command: Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the server")?;
        let to = child.stdin.take();
        let from = BufReader::new(child.stdout.take().context("no standard output")?);
        Ok(Self { child, to, from })
    }

    /// Every command before the last replaces itself, so this is the server's own.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// One line there, one back.
    pub fn ask(&mut self, line: &str) -> Result<String> {
        let to = self.to.as_mut().context("no standard input")?;
        writeln!(to, "{line}")?;
        to.flush()?;
        self.line()
    }

    /// The next line that the server says.
    pub fn line(&mut self) -> Result<String> {
        let mut answer = String::new();
        let n = self.from.read_line(&mut answer)?;
        anyhow::ensure!(n > 0, "the server ended");
        Ok(answer.trim_end().to_owned())
    }

    pub fn usage(&self) -> Result<Usage> {
        let pid = self.pid();
        Ok(Usage {
            cpu_s: process::cpu_s(pid)?,
            rss_kib: process::rss_kib(pid)?,
        })
    }
}

/// CPU time used so far, memory now.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    pub cpu_s: f64,
    pub rss_kib: u64,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
