//! A thing that many watch and that costs to read: read once for all of them, and not too often. Never says what is read.
//!
//! Two looks are kept apart by a multiple of what the last one took, so looking has a bounded share of the machine however
//! many changes there are; who must have the newest waits for the next.

use crate::problem::AppError;
use std::{
    sync::{Arc, Mutex as Lock, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Mutex;

/// Looking takes at most this part of the time.
const SHARE: u32 = 10;
/// A screen that shows a queue is this old at most.
const GLANCE: Duration = Duration::from_millis(300);

/// How new a look must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fresh {
    /// Nothing that this node knows of happened since.
    Now,
    /// As new as a screen that moves a few times a second needs it.
    Lately,
    /// Whatever the last look saw: nobody waits.
    AsSeen,
}

struct Seen<T> {
    /// The count of changes just before the look began.
    version: u64,
    at: Instant,
    took: Duration,
    what: Arc<T>,
}

impl<T> Clone for Seen<T> {
    fn clone(&self) -> Self {
        Self {
            what: self.what.clone(),
            ..*self
        }
    }
}

/// The last look at one thing.
pub struct Looks<T> {
    last: Lock<Option<Seen<T>>>,
    /// One looks at a time.
    looking: Mutex<()>,
}

impl<T> Default for Looks<T> {
    fn default() -> Self {
        Self {
            last: Lock::new(None),
            looking: Mutex::default(),
        }
    }
}

impl<T> Looks<T> {
    fn last(&self) -> Option<Seen<T>> {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// `version` counts the thing's changes that this node knows of; `stale`: what others changed is seen after this at the
    /// latest.
    pub async fn get(
        &self,
        fresh: Fresh,
        stale: Duration,
        version: impl Fn() -> u64,
        look: impl Future<Output = Result<T, AppError>>,
    ) -> Result<Arc<T>, AppError> {
        let good = |s: &Seen<T>| {
            let age = s.at.elapsed();
            age < stale
                && match fresh {
                    Fresh::AsSeen => true,
                    Fresh::Lately => age < GLANCE.max(s.took * SHARE),
                    Fresh::Now => s.version == version(),
                }
        };
        if let Some(s) = self.last().filter(&good) {
            return Ok(s.what);
        }
        let _one = self.looking.lock().await;
        if let Some(s) = self.last() {
            if good(&s) {
                return Ok(s.what);
            }
            tokio::time::sleep((s.took * SHARE).saturating_sub(s.at.elapsed())).await;
        }
        let (version, at) = (version(), Instant::now());
        let what = Arc::new(look.await?);
        let seen = Seen {
            version,
            at,
            took: at.elapsed(),
            what: what.clone(),
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
        Ok(what)
    }
}
