//! Another place on the network: a namespace at the far end of a veth pair, and a runtime whose threads live in it. Gone with the
//! value.

use nix::sched::{CloneFlags, setns};
use std::fs::File;
use std::future::Future;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::runtime::{Builder, Runtime};

const PREFIX: &str = "cb-fault-";

pub struct Place {
    name: String,
    veth: String,
    /// This side's address on the wire.
    pub outside: Ipv4Addr,
    runtime: Option<Runtime>,
}

fn run(program: &str, args: &[&str], input: &str) -> Result<(), String> {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("{program}: {e}"))?;
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let out = child.wait_with_output().unwrap();
    if out.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&out.stderr).trim().to_owned();
    Err(format!("{program} {}: {said}", args.join(" ")))
}

fn ip(args: &[&str]) -> Result<(), String> {
    run("ip", args, "")
}

/// Namespaces of test runs that were killed.
fn sweep() {
    let Ok(out) = Command::new("ip").args(["netns", "list"]).output() else {
        return;
    };
    for line in String::from_utf8_lossy(&out.stdout).lines() {
        let name = line.split(' ').next().unwrap_or_default();
        let pid = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split('-').next());
        if pid.is_some_and(|pid| !std::path::Path::new("/proc").join(pid).exists()) {
            let _ = ip(&["netns", "del", name]);
        }
    }
}

impl Place {
    /// None where this machine cannot make one, said aloud: a run without these tests must be seen to be one. A run that is for
    /// them alone fails.
    pub fn new() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        sweep();
        let (pid, n) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let name = format!("{PREFIX}{pid}-{n}");
        if let Err(why) = ip(&["netns", "add", &name]) {
            assert!(
                std::env::var_os("CLOUD_BOOTH_FAULT_SECONDS").is_none(),
                "no network namespace can be made here (root is needed), so nothing of the network was tested: {why}"
            );
            // Behind the test harness's back: what a passing test prints is not shown.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED, no network namespace can be made here (root is needed): {why}"
            );
            return None;
        }
        // A /30 of the upper half of 198.18.0.0/15, which is set aside for tests of networks (RFC 2544).
        let base = u32::from(Ipv4Addr::new(198, 19, 0, 0)) + (pid * 16 + n) % 0x4000 * 4;
        let (outside, inside) = (Ipv4Addr::from(base + 1), Ipv4Addr::from(base + 2));
        let veth = format!("cbf{}x{n}", pid % 1_000_000);
        let made = || -> Result<(), String> {
            ip(&[
                "link", "add", &veth, "type", "veth", "peer", "name", "eth0", "netns", &name,
            ])?;
            ip(&["addr", "add", &format!("{outside}/30"), "dev", &veth])?;
            ip(&["link", "set", &veth, "up"])?;
            let inside = format!("{inside}/30");
            ip(&["-n", &name, "addr", "add", &inside, "dev", "eth0"])?;
            ip(&["-n", &name, "link", "set", "eth0", "up"])?;
            ip(&["-n", &name, "link", "set", "lo", "up"])
        };
        made().unwrap();
        let door = Arc::new(File::open(format!("/run/netns/{name}")).unwrap());
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .on_thread_start(move || setns(door.as_ref(), CloneFlags::CLONE_NEWNET).unwrap())
            .build()
            .unwrap();
        Some(Self {
            name,
            veth,
            outside,
            runtime: Some(runtime),
        })
    }

    /// Runs something there.
    pub async fn run<T: Send + 'static>(
        &self,
        what: impl Future<Output = T> + Send + 'static,
    ) -> T {
        self.runtime.as_ref().unwrap().spawn(what).await.unwrap()
    }

    /// Of so many UDP packets in a hundred each is lost, on the way in and on the way out.
    pub fn lose(&self, percent: u32) {
        let drop = format!("meta l4proto udp numgen random mod 100 < {percent} drop");
        let rules = format!(
            "flush ruleset\ntable inet loss {{\n chain in {{\n type filter hook input priority 0;\n {drop}\n }}\n chain out {{\n type filter hook output priority 0;\n {drop}\n }}\n}}\n"
        );
        let args = ["netns", "exec", &self.name, "nft", "-f", "-"];
        run("ip", &args, &rules).unwrap();
    }

    /// Plugs the cable in or pulls it out.
    pub fn plug(&self, on: bool) {
        let state = if on { "up" } else { "down" };
        ip(&["-n", &self.name, "link", "set", "eth0", state]).unwrap();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        let _ = ip(&["link", "del", &self.veth]);
        let _ = ip(&["netns", "del", &self.name]);
    }
}
