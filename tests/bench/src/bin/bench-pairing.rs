//! From a citizen's ticket to the ring at a seat, durable: latency at a fixed Poisson load, then the highest rate that holds,
//! all beside a long line that no seat may serve; then from a seat's "ready" to its ring, beside a long line that it may.

use anyhow::{Context as _, Result, ensure};
use bench::{
    api::Api,
    disk,
    figure::{Figure, percentile},
    load, next, say,
    seats::{Seats, Seen},
    seed,
};
use clap::Parser;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use std::{
    collections::{HashMap, VecDeque},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

#[derive(Parser)]
struct Args {
    /// `http://127.0.0.1:<port>`
    #[arg(long)]
    url: String,
    /// The server's data directory: its disk is timed beside.
    #[arg(long)]
    data_dir: PathBuf,
    #[arg(long, default_value_t = 200)]
    seats: usize,
    /// Tickets a second.
    #[arg(long, default_value_t = 100.0)]
    rate: f64,
    #[arg(long, default_value_t = 10)]
    warm_up_s: u64,
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    #[arg(long, default_value_t = 50)]
    step: u32,
    #[arg(long, default_value_t = 20)]
    step_s: u64,
    /// Steps end here at the latest.
    #[arg(long, default_value_t = 2000)]
    max_rate: u32,
    /// Tickets that no seat may serve and that wait all the time.
    #[arg(long, default_value_t = 5000)]
    ballast: usize,
    /// Tickets that wait for the next seat in the last part.
    #[arg(long, default_value_t = 5000)]
    waiting: usize,
    /// How often a seat becomes ready then.
    #[arg(long, default_value_t = 1000)]
    next: usize,
    /// Of the figures' names: `_pg`.
    #[arg(long, default_value = "")]
    suffix: String,
}

const HOLD: Duration = Duration::from_secs(1);
/// Who still waits after this was not served.
const DRAIN: Duration = Duration::from_secs(15);
const FSYNCS: usize = 500;
/// Citizens who arrive at once.
const ARRIVING: usize = 64;

/// Tokens of citizens who are not in the queue, longest idle first.
type Pool = Arc<Mutex<VecDeque<String>>>;

/// Brings the pool to `n` citizens: each queues once in a phase, and again in the next.
async fn gather(api: &Api, pool: &Pool, n: usize) -> Result<()> {
    let missing = n.saturating_sub(lock(pool).len());
    if missing == 0 {
        return Ok(());
    }
    say(&format!("{missing} citizens arrive"));
    let hall = seed::hall_id().to_string();
    let new: Vec<String> = stream::iter(0..missing)
        .map(|_| async { anyhow::Ok(api.visit(&hall).await?.access_token) })
        .buffer_unordered(ARRIVING)
        .try_collect()
        .await?;
    lock(pool).extend(new);
    Ok(())
}

/// The pool's first `n` citizens take a ticket each and stay in line.
async fn queue(api: &Api, pool: &Pool, n: usize, item: Option<&str>) -> Result<()> {
    gather(api, pool, n).await?;
    say(&format!("{n} of them queue"));
    let tokens: Vec<String> = lock(pool).drain(..n).collect();
    stream::iter(tokens)
        .map(|t| async move { api.take_ticket(&t, item).await.map(|_| ()) })
        .buffer_unordered(ARRIVING)
        .try_collect()
        .await
}

fn lock<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One ticket: when it was due, and its id and owner once the server has answered.
struct Taken {
    due: Instant,
    ticket: String,
    token: String,
}

struct Phase {
    taken: Vec<Taken>,
    scheduled: usize,
    offers: HashMap<String, Instant>,
    accepted_in_time: usize,
    errors: usize,
}

/// Plays one schedule to its end and waits for the last session. Citizens go back to the pool.
async fn run(
    api: &Api,
    seen: &Arc<Seen>,
    pool: &Pool,
    times: Vec<Duration>,
    hold: Duration,
) -> Result<Phase> {
    seen.reset();
    seen.hold(hold);
    let scheduled = times.len();
    let start = Instant::now() + Duration::from_millis(50);
    let end = start + times.last().copied().unwrap_or_default();
    let mut due = load::play(start, times);
    let mut calls = JoinSet::new();
    while let Some(due) = due.recv().await {
        let token = lock(pool).pop_front();
        let (api, seen) = (api.clone(), seen.clone());
        calls.spawn(async move {
            let Some(token) = token else {
                seen.error(&anyhow::anyhow!("every citizen is in the queue already"));
                return None;
            };
            match api.take_ticket(&token, None).await {
                Ok(t) => Some(Taken {
                    due,
                    ticket: t.id,
                    token,
                }),
                Err(e) => {
                    seen.error(&e);
                    None
                }
            }
        });
    }
    // What was accepted when the last second was over: a queue that only grows is not a rate that holds.
    let tail = (end + Duration::from_secs(1)).saturating_duration_since(Instant::now());
    tokio::time::sleep(tail).await;
    let accepted_in_time = seen.accepted();
    let taken: Vec<Taken> = calls.join_all().await.into_iter().flatten().collect();
    let over = seen.finished(taken.len(), DRAIN + hold).await;
    let offers = seen.offers();
    let unserved = taken
        .iter()
        .filter(|t| !offers.contains_key(&t.ticket))
        .count();
    if !over {
        say("not every session came to its end");
    }
    for w in seen.words() {
        say(&w);
    }
    lock(pool).extend(taken.iter().map(|t| t.token.clone()));
    Ok(Phase {
        scheduled,
        offers,
        accepted_in_time,
        errors: seen.errors() + unserved + usize::from(!over),
        taken,
    })
}

/// Milliseconds from when a ticket was due to its offer at the seat, for those due after the warm-up.
fn latencies(p: &Phase, warm_up: Duration) -> Vec<f64> {
    let Some(first) = p.taken.iter().map(|t| t.due).min() else {
        return vec![];
    };
    p.taken
        .iter()
        .filter(|t| t.due >= first + warm_up)
        .filter_map(|t| Some(p.offers.get(&t.ticket)?.saturating_duration_since(t.due)))
        .map(|d| d.as_secs_f64() * 1000.0)
        .collect()
}

async fn fsyncs(dir: PathBuf) -> Result<Vec<f64>> {
    tokio::task::spawn_blocking(move || disk::fsyncs(&dir, FSYNCS)).await?
}

#[tokio::main]
async fn main() -> Result<()> {
    let a = Args::parse();
    let (api, seen) = (Api::new(&a.url)?, Arc::new(Seen::default()));
    let pool = Pool::default();
    let warm_up = Duration::from_secs(a.warm_up_s);
    let times = load::poisson(a.rate, warm_up + Duration::from_secs(a.seconds));
    queue(&api, &pool, a.ballast, Some(seed::BALLAST)).await?;
    gather(&api, &pool, times.len()).await?;
    say(&format!("{} agents sign in", a.seats));
    let seats = Seats::open(&api, a.seats, &seen).await?;

    let mut synced = fsyncs(a.data_dir.clone()).await?;
    say(&format!(
        "Poisson {}/s: {} s warm-up, {} s",
        a.rate, a.warm_up_s, a.seconds
    ));
    let p = run(&api, &seen, &pool, times, HOLD).await?;
    synced.extend(fsyncs(a.data_dir.clone()).await?);
    let ms = latencies(&p, warm_up);
    let p50 = percentile(&ms, 50.0).context("no offer came")?;
    let p99 = percentile(&ms, 99.0).context("no offer came")?;
    let fsync = percentile(&synced, 99.0).context("no fsync")?;
    let n = ms.len();
    let print = |f: Figure| f.suffix(&a.suffix).print();
    let floor = 10.0 + 6.0 * fsync;
    print(Figure::new("pairing_offer_p50_ms", p50, "ms", n, p.errors))?;
    print(
        Figure::new("pairing_offer_p99_ms", p99, "ms", n, p.errors)
            .against("10 + 6 × fsync_p99_ms", floor),
    )?;
    print(Figure::new("fsync_p99_ms", fsync, "ms", synced.len(), 0))?;

    drop(seats);
    let mut best = (0.0, 0);
    let mut rate = a.step;
    while rate <= a.max_rate {
        let times = load::even(rate, Duration::from_secs(a.step_s));
        gather(&api, &pool, times.len()).await?;
        // Signed in anew: an access token lives ten minutes, all steps together may take longer.
        let seats = Seats::open(&api, a.seats, &seen).await?;
        let p = run(&api, &seen, &pool, times, Duration::ZERO).await?;
        drop(seats);
        let share = p.accepted_in_time as f64 / p.scheduled as f64;
        let ms = latencies(&p, Duration::ZERO);
        say(&format!(
            "{rate}/s: {:.1} % achieved, {} errors, p99 {:.1} ms",
            share * 100.0,
            p.errors,
            percentile(&ms, 99.0).unwrap_or_default()
        ));
        if share < 0.99 || p.errors > 0 {
            break;
        }
        best = (f64::from(rate), p.scheduled);
        rate += a.step;
    }
    ensure!(best.1 > 0, "not even {} pairings/s", a.step);
    print(Figure::new("pairing_rate_per_s", best.0, "1/s", best.1, 0).against("floor", 300.0))?;

    if a.next == 0 {
        return Ok(());
    }
    // The pages of the last step are gone; so is nobody's seat until the server has seen that.
    next::nobody_on_duty(&api).await?;
    queue(&api, &pool, a.waiting, None).await?;
    say(&format!("a seat becomes ready {} times", a.next));
    let (ms, errors) = next::measure(&api, a.next).await?;
    let p99 = percentile(&ms, 99.0).context("no offer came")?;
    print(
        Figure::new("pairing_next_p99_ms", p99, "ms", ms.len(), errors)
            .against("10 + 6 × fsync_p99_ms", floor),
    )
}
