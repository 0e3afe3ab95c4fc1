//! A hall as it is now: who is on duty, who waits, how the last calls went. Read once for all who look, not once a viewer.
//!
//! Never decides anything: matching reads rows in its own transaction.

pub use super::look::Fresh;

use super::{App, look::Looks};
use crate::problem::AppError;
use domain::{
    id::{HallId, TicketId},
    routing::Demand,
    seat::State,
    time::{Span, Timestamp},
    wait,
};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex as Lock, PoisonError},
    time::Duration,
};
use store::{
    seat::{self, OnDuty},
    ticket,
};

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
    /// Seats on duty that may serve what is asked.
    #[must_use]
    pub fn fitting(&self, demand: &Demand) -> u32 {
        // One person's text lanes are one seat.
        let people: HashSet<_> = self.fits(demand).map(|s| &s.staff_id).collect();
        people.len() as u32
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
            seats: self.fits(&open).count() as u32,
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

/// People of the same queue, by text or by call, before each ticket that is in line.
pub type Places = HashMap<TicketId, u32>;

#[derive(Default)]
pub(super) struct Slot {
    now: Looks<HallNow>,
    places: Looks<Places>,
    /// The supervisors' view.
    pub(super) board: Looks<protocol::Wallboard>,
}

pub async fn get(app: &App, hall: &HallId, fresh: Fresh) -> Result<Arc<HallNow>, AppError> {
    let slot = app.halls.slot(hall);
    let version = || app.bus.hub().version(hall);
    slot.now.get(fresh, STALE, version, look(app, hall)).await
}

/// For screens: as old as a glance. A line of thousands is numbered once for all who stand in it.
pub async fn places(app: &App, hall: &HallId) -> Result<Arc<Places>, AppError> {
    let slot = app.halls.slot(hall);
    let version = || app.bus.hub().version(hall);
    let h = hall.clone();
    let look = async {
        let line = app
            .read(move |tx| Box::pin(async move { Ok(ticket::places(tx, &h).await?) }))
            .await?;
        let mut before: HashMap<(String, bool), u32> = HashMap::new();
        let mut out = Places::with_capacity(line.len());
        for (id, queue, by_text) in line {
            let n = before.entry((queue, by_text)).or_default();
            out.insert(id, *n);
            *n += 1;
        }
        Ok(out)
    };
    slot.places.get(Fresh::Lately, STALE, version, look).await
}

async fn look(app: &App, hall: &HallId) -> Result<HallNow, AppError> {
    let h = hall.clone();
    let (on_duty, lines, recent) = app
        .read(move |tx| {
            Box::pin(async move {
                Ok((
                    seat::on_duty(tx, &h).await?,
                    ticket::lines(tx, &h).await?,
                    ticket::recent(tx, &h).await?,
                ))
            })
        })
        .await?;
    let line = |(queue, waiting, oldest)| {
        let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
        (queue, Line { waiting, oldest })
    };
    Ok(HallNow {
        on_duty,
        lines: lines.into_iter().map(line).collect(),
        recent: recent.into_iter().map(sample).collect(),
    })
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
