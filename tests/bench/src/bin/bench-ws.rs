//! Memory of an idle, authenticated WebSocket: resident size of the server with many connections, less that with few.

use anyhow::{Result, ensure};
use bench::{api::Api, figure::Figure, process::rss_kib, say, seed, wire::Wire};
use clap::Parser;
use futures::{StreamExt as _, stream};
use protocol::ServerFrame;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;

#[derive(Parser)]
struct Args {
    /// `http://127.0.0.1:<port>`
    #[arg(long)]
    url: String,
    /// The server's process.
    #[arg(long)]
    pid: u32,
    #[arg(long, default_value_t = 100)]
    few: usize,
    #[arg(long, default_value_t = 10_000)]
    many: usize,
    #[arg(long, default_value_t = 60)]
    idle_s: u64,
}

/// Handshakes at once.
const PARALLEL: usize = 48;
/// A server that pings every 20 s has done so by then.
const HEARTBEAT_WITHIN: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Counts {
    lost: AtomicUsize,
    refused: AtomicUsize,
}

/// A citizen's page that only waits; tells of its heartbeats.
async fn idle(api: Api, counts: Arc<Counts>, beat: watch::Sender<u64>) {
    let wire = async {
        let visit = api.visit(&seed::hall_id().to_string()).await?;
        Wire::connect(&api, &visit.access_token).await
    };
    let mut wire = match wire.await {
        Ok(w) => w,
        Err(e) => {
            if counts.refused.fetch_add(1, Ordering::Relaxed) < 5 {
                say(&format!("{e:#}"));
            }
            return;
        }
    };
    tokio::spawn(async move {
        loop {
            match wire.next().await {
                Ok(ServerFrame::Ping { .. }) => beat.send_modify(|n| *n += 1),
                Ok(_) => {}
                Err(_) => {
                    counts.lost.fetch_add(1, Ordering::Relaxed);
                    return;
                }
            }
        }
    });
}

async fn connect(api: &Api, n: usize, counts: &Arc<Counts>, beats: &mut Vec<watch::Receiver<u64>>) {
    let mut jobs = stream::iter(0..n)
        .map(|_| {
            let (tx, rx) = watch::channel(0);
            let job = idle(api.clone(), counts.clone(), tx);
            async move {
                job.await;
                rx
            }
        })
        .buffer_unordered(PARALLEL);
    while let Some(rx) = jobs.next().await {
        beats.push(rx);
        if beats.len().is_multiple_of(1000) {
            say(&format!("{} connections", beats.len()));
        }
    }
}

/// Idle for `idle`, then one more heartbeat of every connection; the server's size after that.
async fn settle(beats: &mut [watch::Receiver<u64>], idle: Duration, pid: u32) -> Result<u64> {
    tokio::time::sleep(idle).await;
    for b in beats.iter_mut() {
        b.mark_unchanged();
    }
    let all = async {
        for b in beats.iter_mut() {
            // An error: this one was lost, which is counted elsewhere.
            let _ = b.changed().await;
        }
    };
    ensure!(
        tokio::time::timeout(HEARTBEAT_WITHIN, all).await.is_ok(),
        "not every connection heard a heartbeat"
    );
    rss_kib(pid)
}

#[tokio::main]
async fn main() -> Result<()> {
    let a = Args::parse();
    ensure!(a.few < a.many, "--few must be below --many");
    let (api, counts) = (Api::new(&a.url)?, Arc::new(Counts::default()));
    let mut beats = vec![];
    connect(&api, a.few, &counts, &mut beats).await;
    say(&format!("{} connections, idle {} s", a.few, a.idle_s));
    let before = settle(&mut beats, Duration::from_secs(a.idle_s), a.pid).await?;
    say(&format!("VmRSS {before} KiB"));
    connect(&api, a.many - a.few, &counts, &mut beats).await;
    say(&format!("{} connections, idle {} s", a.many, a.idle_s));
    let after = settle(&mut beats, Duration::from_secs(a.idle_s), a.pid).await?;
    say(&format!("VmRSS {after} KiB"));
    let errors = counts.lost.load(Ordering::Relaxed) + counts.refused.load(Ordering::Relaxed);
    let n = a.many - a.few;
    let value = (after as f64 - before as f64) / n as f64;
    Figure::new("ws_rss_per_conn_kib", value, "KiB", n, errors).print()
}
