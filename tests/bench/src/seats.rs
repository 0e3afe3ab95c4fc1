//! Agents who answer by themselves: log in, open the seat, watch it, accept each offer, hold, end, wrap up.

use crate::{api::Api, seed, wire::Wire};
use anyhow::{Context as _, Result};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use protocol::{ClientFrame, ServerFrame};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::Notify, task::JoinHandle};

/// argon2id takes a core: more at once only wait for each other.
const LOGINS: usize = 2;

fn lock<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the seats saw, by ticket.
#[derive(Default)]
pub struct Seen {
    offers: Mutex<HashMap<String, Instant>>,
    accepted: AtomicUsize,
    finished: AtomicUsize,
    errors: AtomicUsize,
    first_errors: Mutex<Vec<String>>,
    hold_us: AtomicU64,
    changed: Notify,
}

impl Seen {
    /// When the offer of each ticket reached its seat.
    #[must_use]
    pub fn offers(&self) -> HashMap<String, Instant> {
        lock(&self.offers).clone()
    }
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }
    #[must_use]
    pub fn errors(&self) -> usize {
        self.errors.load(Ordering::Relaxed)
    }
    /// The first few, in words.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        lock(&self.first_errors).clone()
    }
    pub fn hold(&self, d: Duration) {
        self.hold_us.store(d.as_micros() as u64, Ordering::Relaxed);
    }
    pub fn error(&self, e: &anyhow::Error) {
        self.errors.fetch_add(1, Ordering::Relaxed);
        let mut words = lock(&self.first_errors);
        if words.len() < 5 {
            words.push(format!("{e:#}"));
        }
        self.changed.notify_waiters();
    }
    /// Forgets the counts, not the seats.
    pub fn reset(&self) {
        lock(&self.offers).clear();
        lock(&self.first_errors).clear();
        self.accepted.store(0, Ordering::Relaxed);
        self.finished.store(0, Ordering::Relaxed);
        self.errors.store(0, Ordering::Relaxed);
    }
    /// Until `n` sessions are over and wrapped up, at most `within`. True if they are.
    pub async fn finished(&self, n: usize, within: Duration) -> bool {
        let all = async {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if self.finished.load(Ordering::Relaxed) >= n {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(within, all).await.is_ok()
    }
}

/// Seats on duty; dropping them closes their pages.
pub struct Seats(Vec<JoinHandle<()>>);

impl Drop for Seats {
    fn drop(&mut self) {
        for t in &self.0 {
            t.abort();
        }
    }
}

impl Seats {
    /// All of them are ready and watched when this answers.
    pub async fn open(api: &Api, n: usize, seen: &Arc<Seen>) -> Result<Self> {
        let tasks = stream::iter(0..n)
            .map(|i| {
                let (api, seen) = (api.clone(), seen.clone());
                async move { sit(api, i, seen).await.with_context(|| format!("seat {i}")) }
            })
            .buffer_unordered(LOGINS)
            .try_collect()
            .await?;
        Ok(Self(tasks))
    }
}

async fn sit(api: Api, n: usize, seen: Arc<Seen>) -> Result<JoinHandle<()>> {
    let token = api
        .login(seed::account(n), seed::PASSWORD)
        .await?
        .access_token;
    let seat = seed::seat_id(n).to_string();
    api.open_seat(&token, &seat, seed::SKILL).await?;
    let mut wire = Wire::connect(&api, &token).await?;
    wire.send(&ClientFrame::WatchSeat { seat }).await?;
    // The first snapshot: the server knows that somebody is here.
    while !matches!(wire.next().await?, ServerFrame::Seat { .. }) {}
    let token: Arc<str> = token.into();
    Ok(tokio::spawn(async move {
        let mut last = String::new();
        loop {
            match wire.next().await {
                Ok(ServerFrame::Seat { seat }) => {
                    let now = Instant::now();
                    let Some(offer) = seat.offer.filter(|o| o.pairing != last) else {
                        continue;
                    };
                    last.clone_from(&offer.pairing);
                    lock(&seen.offers).entry(offer.ticket).or_insert(now);
                    tokio::spawn(serve(
                        api.clone(),
                        token.clone(),
                        offer.pairing,
                        seen.clone(),
                    ));
                }
                Ok(_) => {}
                Err(e) => return seen.error(&e.context("a seat's page")),
            }
        }
    }))
}

async fn serve(api: Api, token: Arc<str>, pairing: String, seen: Arc<Seen>) {
    let call = async {
        let session = api.accept(&token, &pairing).await?.session;
        seen.accepted.fetch_add(1, Ordering::Relaxed);
        let hold = Duration::from_micros(seen.hold_us.load(Ordering::Relaxed));
        if !hold.is_zero() {
            tokio::time::sleep(hold).await;
        }
        api.end(&token, &session).await?;
        api.wrap_up(&token, &session).await?;
        anyhow::Ok(())
    };
    match call.await {
        Ok(()) => {
            seen.finished.fetch_add(1, Ordering::Relaxed);
            seen.changed.notify_waiters();
        }
        Err(e) => seen.error(&e),
    }
}
