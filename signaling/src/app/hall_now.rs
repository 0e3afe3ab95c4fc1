//! A hall as it is now: who is on duty, who waits, how the last calls went. Read once for all who look, not once a viewer.
//!
//! Never decides anything: matching reads rows in its own transaction. A look costs a few queries over the whole hall, so
//! two looks are kept apart by a multiple of what the last one took; who must have the newest waits for the next.

use super::App;
use crate::problem::AppError;
use domain::{
    id::{HallId, TicketId},
    routing::Demand,
    seat::State,
    time::{Span, Timestamp},
    wait,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex as Lock, PoisonError},
    time::{Duration, Instant},
};
use store::{
    seat::{self, OnDuty},
    ticket,
};
use tokio::sync::Mutex;

/// Looking takes at most this part of the time.
const SHARE: u32 = 10;
/// A screen that shows a queue is this old at most.
const GLANCE: Duration = Duration::from_millis(300);
/// Another node's changes are seen at the latest after this, wake-up or not.
const STALE: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    pub waiting: u32,
    pub oldest: Timestamp,
}

#[derive(Debug, Default)]
pub struct HallNow {
    pub on_duty: Vec<OnDuty>,
    /// By queue.
    pub lines: HashMap<String, Line>,
    ahead: HashMap<TicketId, u32>,
    /// Latest first.
    pub recent: Vec<wait::Sample>,
}

impl HallNow {
    #[must_use]
    pub fn waiting(&self) -> u32 {
        self.lines.values().map(|l| l.waiting).sum()
    }
    #[must_use]
    pub fn line(&self, queue: &str) -> Option<Line> {
        self.lines.get(queue).copied()
    }
    /// People of the same queue before this ticket; None: it is not in line.
    #[must_use]
    pub fn ahead(&self, id: &TicketId) -> Option<u32> {
        self.ahead.get(id).copied()
    }
    /// Seats on duty that may serve what is asked.
    #[must_use]
    pub fn fitting(&self, demand: &Demand) -> u32 {
        self.fits(demand).count() as u32
    }
    fn fits<'a>(&'a self, demand: &'a Demand) -> impl Iterator<Item = &'a OnDuty> {
        self.on_duty.iter().filter(|s| {
            s.staff_id
                .as_ref()
                .is_some_and(|id| demand.fits(domain::id::Id::as_str(id), &s.skills.0))
        })
    }
    /// None: nobody on duty could serve it, so no estimate is honest.
    #[must_use]
    pub fn estimate(&self, demand: &Demand, ahead: u32, now: Timestamp) -> Option<wait::Estimate> {
        // A hold for one person passes: the wait is for whoever comes after it.
        let open = Demand::new(demand.skills().clone(), vec![]).ok()?;
        let busy: Vec<Span> = self
            .fits(&open)
            .filter(|s| s.state != State::Ready)
            .map(|s| now.since(s.since))
            .collect();
        wait::estimate(&wait::Queue {
            ahead,
            seats: self.fitting(&open),
            in_service: &busy,
            recent: &self.recent,
            between: Span::seconds(0),
        })
    }
    /// What an agent with these skills sees of the queues: how many, and since when the first has waited.
    #[must_use]
    pub fn for_skills(&self, skills: &[String]) -> Line {
        let mut out = Line {
            waiting: 0,
            oldest: Timestamp(i64::MAX),
        };
        for l in skills.iter().filter_map(|k| self.lines.get(k)) {
            out.waiting += l.waiting;
            out.oldest = out.oldest.min(l.oldest);
        }
        out
    }
}

#[derive(Default)]
pub struct Cache(Lock<HashMap<HallId, Arc<Slot>>>);

impl Cache {
    pub(super) fn slot(&self, hall: &HallId) -> Arc<Slot> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(hall.clone())
            .or_default()
            .clone()
    }
}

#[derive(Default)]
pub(super) struct Slot {
    last: Lock<Option<Seen>>,
    /// One looks at a time.
    looking: Mutex<()>,
    /// The supervisors' view: beside it, one look for all who watch.
    pub(super) board: Mutex<Option<super::wallboard::Seen>>,
}

#[derive(Clone)]
struct Seen {
    /// The hub's count of the hall's changes, just before the look began.
    version: u64,
    at: Instant,
    took: Duration,
    now: Arc<HallNow>,
}

impl Slot {
    fn last(&self) -> Option<Seen> {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

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

pub async fn get(app: &App, hall: &HallId, fresh: Fresh) -> Result<Arc<HallNow>, AppError> {
    let slot = app.halls.slot(hall);
    let good = |s: &Seen| {
        let age = s.at.elapsed();
        age < STALE
            && match fresh {
                Fresh::AsSeen => true,
                Fresh::Lately => age < GLANCE.max(s.took * SHARE),
                Fresh::Now => s.version == app.bus.hub().version(hall),
            }
    };
    if let Some(s) = slot.last().filter(&good) {
        return Ok(s.now);
    }
    let _one = slot.looking.lock().await;
    if let Some(s) = slot.last() {
        if good(&s) {
            return Ok(s.now);
        }
        tokio::time::sleep((s.took * SHARE).saturating_sub(s.at.elapsed())).await;
    }
    let (version, at) = (app.bus.hub().version(hall), Instant::now());
    let now = Arc::new(look(app, hall).await?);
    let seen = Seen {
        version,
        at,
        took: at.elapsed(),
        now: now.clone(),
    };
    *slot.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
    Ok(now)
}

async fn look(app: &App, hall: &HallId) -> Result<HallNow, AppError> {
    let h = hall.clone();
    let (on_duty, line, recent) = app
        .read(move |tx| {
            Box::pin(async move {
                Ok((
                    seat::on_duty(tx, &h).await?,
                    ticket::line(tx, &h).await?,
                    ticket::recent(tx, &h).await?,
                ))
            })
        })
        .await?;
    let mut out = HallNow {
        on_duty,
        ahead: HashMap::with_capacity(line.len()),
        recent: recent.into_iter().map(sample).collect(),
        ..HallNow::default()
    };
    for (id, queue, since) in line {
        let l = out.lines.entry(queue).or_insert(Line {
            waiting: 0,
            oldest: since,
        });
        out.ahead.insert(id, l.waiting);
        l.waiting += 1;
        l.oldest = l.oldest.min(since);
    }
    Ok(out)
}

fn sample(s: ticket::Sample) -> wait::Sample {
    wait::Sample {
        told_s: s
            .estimate
            .and_then(|(a, b)| Some((u32::try_from(a).ok()?, u32::try_from(b).ok()?))),
        waited: Span(s.waited_us),
        served: s.served_us.map(Span),
    }
}
