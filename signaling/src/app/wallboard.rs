//! The wallboard (大屏): queues, seats and the day so far, read once for all who look.
//!
//! Never decides what counts (`domain::level`).

use super::{
    App,
    hall_now::{self, Fresh},
    supervise,
    token::Principal,
};
use crate::problem::{AppError, no};
use domain::{
    id::HallId,
    level::{self, Level},
    seat::State,
};
use protocol::{Bilingual, HourView, LevelView, QueueNow, SeatNow, Targets, Wallboard};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use store::{hall, queue, wallboard};

/// Waits go on while nothing happens: a look is this old at most.
const STALE: Duration = Duration::from_secs(5);

/// For supervisors and administrators of the hall.
pub fn may_look(who: &Principal, hall: &HallId) -> Result<(), AppError> {
    supervise::keeper(who, hall).map(|_| ())
}

pub async fn get(app: &App, hall: &HallId) -> Result<Arc<Wallboard>, AppError> {
    let slot = app.halls.slot(hall);
    let version = || app.bus.hub().version(hall);
    let look = Box::pin(look(app, hall));
    slot.board.get(Fresh::Now, STALE, version, look).await
}

fn level_view(l: &Level) -> LevelView {
    LevelView {
        offered: l.offered(),
        answered: l.answered,
        answered_in_time: l.answered_in_time,
        abandoned: l.abandoned,
        abandoned_short: l.abandoned_short,
        lost: l.lost,
        open: l.open,
        service_level_permille: l.service_level().per_mille(),
        connection_permille: l.connection_rate().per_mille(),
        abandoned_permille: l.abandon_rate().per_mille(),
        mean_wait_s: l.mean_wait_s(),
        longest_wait_s: u32::try_from(l.longest.0 / 1_000_000).unwrap_or(0),
    }
}

fn seat_view(s: wallboard::Seat) -> SeatNow {
    let forced = s
        .forced
        .as_deref()
        .and_then(|f| serde_json::from_str::<super::desk::Forced>(f).ok())
        .filter(|f| f.after_session)
        .and_then(|f| f.next())
        .map(super::desk::state_view);
    let (staff, staff_name) = s
        .staff
        .filter(|_| s.state != State::Offline)
        .map_or((None, None), |(id, name)| {
            (Some(id.to_string()), Some(name))
        });
    SeatNow {
        id: s.id.to_string(),
        name: Bilingual {
            zh: s.name_zh,
            en: s.name_en,
        },
        state: super::desk::state_view(s.state),
        since: s.since.rfc3339(),
        reason: s.reason,
        staff,
        staff_name,
        session: s.session.map(|i| i.to_string()),
        texts: s.texts,
        forced_next: forced,
    }
}

async fn look(app: &App, id: &HallId) -> Result<Wallboard, AppError> {
    let line = hall_now::get(app, id, Fresh::Now).await?;
    let now = app.now();
    let date = now.beijing_date().to_string();
    let (from, to) = supervise::day_of(&date)?;
    let h = id.clone();
    let (home, skills, seats, fared, over) = app
        .read(move |tx| {
            Box::pin(async move {
                let home = hall::get(tx, &h).await?.ok_or_else(|| no("not_found"))?;
                let skills = hall::skills(tx).await?;
                let seats = wallboard::seats(tx, &h).await?;
                let fared = wallboard::day(tx, &h, from, to, now).await?;
                let mut over = BTreeMap::new();
                for s in skills.iter().filter(|s| !s.code.contains(':')) {
                    if let Some(to) = queue::overflow_now(tx, &h, &s.code).await? {
                        over.insert(s.code.clone(), to.to_string());
                    }
                }
                Ok((home, skills, seats, fared, over))
            })
        })
        .await?;
    let mut day = Level::default();
    let mut by_queue: BTreeMap<String, Level> = BTreeMap::new();
    let mut by_hour: BTreeMap<u8, Level> = BTreeMap::new();
    for f in fared {
        let one = Level::from(f.row);
        day = day + one;
        let q = by_queue.entry(f.queue).or_default();
        *q = *q + one;
        let h = by_hour.entry(f.enqueued_at.beijing().hour()).or_default();
        *h = *h + one;
    }
    let queues = skills
        .into_iter()
        .filter(|s| !s.code.contains(':'))
        .map(|s| {
            let waits = line.line(&s.code);
            QueueNow {
                waiting: waits.map_or(0, |l| l.waiting),
                longest_since: waits.map(|l| l.oldest.rfc3339()),
                seats_on_duty: line
                    .on_duty
                    .iter()
                    .filter(|o| o.lane == 0 && o.skills.has(&s.code))
                    .count() as u32,
                overflow_now: over.get(&s.code).cloned(),
                level: level_view(by_queue.get(&s.code).unwrap_or(&Level::default())),
                name: Bilingual { zh: s.zh, en: s.en },
                code: s.code,
            }
        })
        .collect();
    Ok(Wallboard {
        hall: id.to_string(),
        name: Bilingual {
            zh: home.name_zh,
            en: home.name_en,
        },
        at: now.rfc3339(),
        date,
        targets: Targets {
            answer_within_s: (level::ANSWER_WITHIN.0 / 1_000_000) as u32,
            connection_pct: level::CONNECTION_TARGET_PCT as u32,
            short_abandon_s: (level::SHORT_ABANDON.0 / 1_000_000) as u32,
        },
        waiting: line.waiting(),
        longest_since: line
            .lines
            .values()
            .map(|l| l.oldest)
            .min()
            .map(|t| t.rfc3339()),
        queues,
        seats: seats.into_iter().map(seat_view).collect(),
        day: level_view(&day),
        hours: by_hour
            .into_iter()
            .map(|(hour, l)| HourView {
                hour,
                level: level_view(&l),
            })
            .collect(),
    })
}
