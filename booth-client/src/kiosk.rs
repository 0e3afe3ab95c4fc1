//! The kiosk window: Chromium with a profile of its own that lives as long as one citizen's visit. Owns the process and the
//! profile's folder; after a crash, and after a wipe, both are made anew. Nothing of a profile outlives its window; what a
//! power cut left behind goes at the next start.

use crate::host::Host;
use anyhow::{Context, Result};
use clap::Args;
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::process::{Child, Command};

const PREFIX: &str = "cloud-booth-kiosk-";
/// After a wipe the page still hears its answer before the window closes.
const LAST_WORD: Duration = Duration::from_millis(1500);
/// A window that lived this long did not crash at start.
const LIVED: Duration = Duration::from_secs(30);
const BACKOFF_MAX: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Args)]
pub struct KioskArgs {
    /// Page to show [default: the server's /booth/].
    #[arg(long)]
    pub url: Option<String>,
    /// The browser.
    #[arg(long, default_value = "/usr/bin/chromium")]
    pub chromium: PathBuf,
    /// One more flag for the browser; may be repeated.
    #[arg(long = "chromium-arg", allow_hyphen_values = true)]
    pub chromium_args: Vec<String>,
}

/// The browser's flags: full screen, no dialogs, camera and microphone without a question (a booth has nobody to ask),
/// nothing phoned home, and loopback reachable from the server's page.
fn flags(profile: &Path, url: &str, more: &[String]) -> Vec<String> {
    let mut all: Vec<String> = [
        "--kiosk",
        // Receipts go straight to the booth's printer: a print dialog would stand above the reach line.
        "--kiosk-printing",
        "--no-first-run",
        "--no-default-browser-check",
        "--noerrdialogs",
        "--disable-session-crashed-bubble",
        "--disable-pinch",
        "--overscroll-history-navigation=0",
        "--autoplay-policy=no-user-gesture-required",
        "--auto-accept-camera-and-microphone-capture",
        "--password-store=basic",
        "--disable-sync",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-domain-reliability",
        "--disable-features=Translate,AutofillServerCommunication,LocalNetworkAccessChecks",
        "--force-device-scale-factor=1",
        "--lang=zh-CN",
    ]
    .map(str::to_owned)
    .to_vec();
    all.push(format!("--user-data-dir={}", profile.display()));
    all.extend(more.iter().cloned());
    all.push(url.to_owned());
    all
}

fn fresh_profile(base: &Path) -> Result<TempDir> {
    tempfile::Builder::new()
        .prefix(&format!("{PREFIX}{}-", std::process::id()))
        .tempdir_in(base)
        .context("cannot make a profile")
}

/// Removes profiles whose host no longer runs.
pub fn sweep(base: &Path) {
    let Ok(entries) = std::fs::read_dir(base) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let owner = name
            .to_str()
            .and_then(|n| n.strip_prefix(PREFIX))
            .and_then(|n| n.split_once('-'))
            .and_then(|(pid, _)| pid.parse::<u32>().ok());
        if owner.is_some_and(|pid| {
            pid != std::process::id() && !Path::new(&format!("/proc/{pid}")).exists()
        }) {
            tracing::warn!("a profile was left behind; removed");
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

fn start(args: &KioskArgs, url: &str, profile: &Path) -> Result<Child> {
    Command::new(&args.chromium)
        .args(flags(profile, url, &args.chromium_args))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        // The browser's own log may name addresses and inputs.
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {}", args.chromium.display()))
}

/// Stops the browser and removes its profile. Its helpers write for a moment after it is gone, so removal is tried again.
async fn finish(mut child: Child, profile: TempDir) {
    let _ = child.kill().await;
    let path = profile.keep();
    for _ in 0..20 {
        if std::fs::remove_dir_all(&path).is_ok() || !path.exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tracing::error!("a profile could not be removed; the next start tries again");
}

/// Shows the page until the host stops.
pub async fn run(host: Arc<Host>, args: KioskArgs, url: String, base: PathBuf) -> Result<()> {
    sweep(&base);
    let mut backoff = Duration::from_secs(1);
    loop {
        let profile = fresh_profile(&base)?;
        let mut child = start(&args, &url, profile.path())?;
        let began = Instant::now();
        tokio::select! {
            () = host.stop.cancelled() => {
                finish(child, profile).await;
                return Ok(());
            }
            () = host.wiped.notified() => {
                tokio::time::sleep(LAST_WORD).await;
                finish(child, profile).await;
                continue;
            }
            ended = child.wait() => tracing::warn!(code = ended.ok().and_then(|s| s.code()), "the window closed; it is opened again"),
        }
        finish(child, profile).await;
        backoff = if began.elapsed() > LIVED {
            Duration::from_secs(1)
        } else {
            (backoff * 2).min(BACKOFF_MAX)
        };
        tokio::select! {
            () = host.stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(backoff) => {}
        }
    }
}
