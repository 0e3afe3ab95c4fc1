//! A wire of one machine: a veth pair, one end here, the other in a network namespace where the server lives. Gone with the value.

use anyhow::{Context as _, Result, ensure};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, Stdio};

const PREFIX: &str = "cb-bench-";

pub struct Net {
    name: String,
    veth: String,
    /// The generator's address.
    pub outside: Ipv4Addr,
    /// The server's address.
    pub inside: Ipv4Addr,
}

fn ip(args: &[&str]) -> Result<()> {
    let out = Command::new("ip")
        .args(args)
        .stdin(Stdio::null())
        .output()
        .context("`ip` (iproute2) is missing")?;
    ensure!(
        out.status.success(),
        "ip {}: {}",
        args.join(" "),
        String::from_utf8_lossy(&out.stderr).trim()
    );
    Ok(())
}

/// Namespaces of benches that were killed.
fn sweep() {
    let Ok(out) = Command::new("ip").args(["netns", "list"]).output() else {
        return;
    };
    for line in String::from_utf8_lossy(&out.stdout).lines() {
        let name = line.split(' ').next().unwrap_or_default();
        if let Some(pid) = name.strip_prefix(PREFIX)
            && !Path::new("/proc").join(pid).exists()
        {
            let _ = ip(&["netns", "del", name]);
        }
    }
}

impl Net {
    /// Needs the right to make network namespaces (CAP_NET_ADMIN, CAP_SYS_ADMIN).
    pub fn new() -> Result<Self> {
        sweep();
        let pid = std::process::id();
        // A /30 of 198.18.0.0/15, which is set aside for benches (RFC 2544).
        let base = u32::from(Ipv4Addr::new(198, 18, 0, 0)) + pid % 0x4000 * 4;
        let net = Self {
            name: format!("{PREFIX}{pid}"),
            veth: format!("cbb{pid}"),
            outside: Ipv4Addr::from(base + 1),
            inside: Ipv4Addr::from(base + 2),
        };
        ip(&["netns", "add", &net.name])
            .context("the media benches need root for a network namespace")?;
        let (outside, inside) = (format!("{}/30", net.outside), format!("{}/30", net.inside));
        let (name, veth) = (net.name.as_str(), net.veth.as_str());
        ip(&[
            "link", "add", veth, "type", "veth", "peer", "name", "eth0", "netns", name,
        ])?;
        ip(&["addr", "add", &outside, "dev", veth])?;
        ip(&["link", "set", veth, "up"])?;
        ip(&["-n", name, "addr", "add", &inside, "dev", "eth0"])?;
        ip(&["-n", name, "link", "set", "eth0", "up"])?;
        ip(&["-n", name, "link", "set", "lo", "up"])?;
        Ok(net)
    }

    /// A command in the namespace, on one CPU, that dies with this process.
    #[must_use]
    pub fn command(&self, cpu: usize, program: &Path) -> Command {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.name])
            .args(["setpriv", "--pdeathsig", "KILL"])
            .args(["taskset", "-c", &cpu.to_string()])
            .arg(program);
        command
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        // The far end goes with the namespace; what still lives in it keeps that a moment longer.
        let _ = ip(&["link", "del", &self.veth]);
        let _ = ip(&["netns", "del", &self.name]);
    }
}
