//! What is public of a hall, and the honest wait.

use super::App;
use crate::problem::{AppError, no};
use domain::{id::HallId, time::Timestamp};
use protocol::{Bilingual, HallView, SkillView, WaitEstimate};
use store::{Tx, hall, seat, ticket};

/// Handling time of a call while there is no history: five minutes.
const DEFAULT_SERVICE_S: i64 = 300;
/// Recent calls below which no error is claimed.
const MIN_SAMPLES: usize = 5;

/// From the recent service times and the seats on duty; None: nobody is on duty, so no estimate is honest.
#[must_use]
pub fn estimate(ahead: i64, seats: i64, recent: &[ticket::Sample]) -> Option<WaitEstimate> {
    if seats == 0 {
        return None;
    }
    let served: Vec<i64> = recent
        .iter()
        .filter_map(|s| s.served_us)
        .map(|us| us / 1_000_000)
        .collect();
    let mean = if served.is_empty() {
        DEFAULT_SERVICE_S
    } else {
        (served.iter().sum::<i64>() / served.len() as i64).clamp(30, 3600)
    };
    // Each seat frees up once a mean service time; a person already in service is half done on average.
    let middle = mean * (2 * ahead + 1) / (2 * seats);
    let (low, high) = if ahead == 0 {
        (0, middle.max(30))
    } else {
        (middle * 6 / 10, middle * 14 / 10 + 30)
    };
    let misses: Vec<i64> = recent
        .iter()
        .filter_map(|s| s.estimate.map(|(lo, hi)| (lo, hi, s.waited_us / 1_000_000)))
        .map(|(lo, hi, w)| if w < lo { lo - w } else { (w - hi).max(0) })
        .collect();
    let error = (misses.len() >= MIN_SAMPLES)
        .then(|| u32::try_from(misses.iter().sum::<i64>() / misses.len() as i64).unwrap_or(0));
    Some(WaitEstimate {
        low_s: u32::try_from(low).unwrap_or(0),
        high_s: u32::try_from(high).unwrap_or(u32::MAX),
        recent_error_s: error,
    })
}

fn minutes(t: &str) -> Option<u16> {
    let (h, m) = t.split_once(':')?;
    Some(h.parse::<u16>().ok()? * 60 + m.parse::<u16>().ok()?)
}

fn open_now(h: &hall::Hall, now: Timestamp) -> bool {
    let t = now.beijing();
    let at = u16::from(t.hour()) * 60 + u16::from(t.minute());
    minutes(&h.opens)
        .zip(minutes(&h.closes))
        .is_some_and(|(a, b)| (a..b).contains(&at))
}

pub(super) async fn view(
    tx: &mut Tx,
    h: &hall::Hall,
    now: Timestamp,
) -> Result<HallView, AppError> {
    let seats = seat::on_duty(tx, &h.id).await?;
    let waiting: i64 = ticket::waiting(tx, &h.id).await?.iter().map(|w| w.1).sum();
    let recent = ticket::recent(tx, &h.id).await?;
    let skills = hall::skills(tx).await?;
    Ok(HallView {
        id: h.id.to_string(),
        name: Bilingual {
            zh: h.name_zh.clone(),
            en: h.name_en.clone(),
        },
        skills: skills
            .into_iter()
            .map(|s| SkillView {
                code: s.code,
                name: Bilingual { zh: s.zh, en: s.en },
            })
            .collect(),
        seats_on_duty: u32::try_from(seats).unwrap_or(0),
        waiting: u32::try_from(waiting).unwrap_or(0),
        estimate: estimate(waiting, seats, &recent),
        open_now: open_now(h, now),
        opens: h.opens.clone(),
        closes: h.closes.clone(),
        telephone: h.telephone.clone(),
        address: Bilingual {
            zh: h.address_zh.clone(),
            en: h.address_en.clone(),
        },
    })
}

pub async fn list(app: &App) -> Result<Vec<HallView>, AppError> {
    let now = app.now();
    app.read(move |tx| {
        Box::pin(async move {
            let mut out = vec![];
            for h in hall::all(tx).await? {
                out.push(view(tx, &h, now).await?);
            }
            Ok(out)
        })
    })
    .await
}

pub async fn get(app: &App, id: HallId) -> Result<HallView, AppError> {
    let now = app.now();
    app.read(move |tx| {
        Box::pin(async move {
            let h = hall::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
            view(tx, &h, now).await
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_on_duty_is_not_estimated_and_more_people_wait_longer() {
        assert_eq!(estimate(3, 0, &[]), None);
        let one = estimate(1, 1, &[]);
        let five = estimate(5, 1, &[]);
        assert!(
            one.zip(five)
                .is_some_and(|(a, b)| a.high_s < b.low_s + b.high_s && a.low_s < b.low_s)
        );
        assert_eq!(estimate(1, 1, &[]).and_then(|e| e.recent_error_s), None);
    }

    #[test]
    fn the_error_is_the_distance_from_the_range() {
        let s = ticket::Sample {
            estimate: Some((60, 120)),
            waited_us: 180_000_000,
            served_us: Some(100_000_000),
        };
        assert_eq!(
            estimate(0, 1, &[s; 6]).and_then(|e| e.recent_error_s),
            Some(60)
        );
    }
}
