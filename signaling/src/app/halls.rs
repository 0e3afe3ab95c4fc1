//! What is public of a hall, and the honest wait.

use super::{
    App,
    hall_now::{self, Fresh},
    queue,
};
use crate::problem::{AppError, no};
use domain::{id::HallId, routing::Demand, time::Timestamp, wait};
use protocol::{Bilingual, HallView, SkillView, WaitEstimate};
use store::hall;

/// A range as it goes out.
#[must_use]
pub(super) fn told(e: wait::Estimate) -> WaitEstimate {
    WaitEstimate {
        low_s: e.low_s,
        high_s: e.high_s,
        recent_error_s: e.miss.map(|m| m.mean_s),
    }
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

async fn view(app: &App, h: &hall::Hall, skills: Vec<hall::Named>) -> Result<HallView, AppError> {
    let now = app.now();
    let seen = hall_now::get(app, &h.id, Fresh::Now).await?;
    // A newcomer who knows nothing yet is served by the general desk.
    let general = Demand::new([(queue::GENERAL_SKILL.to_owned(), 1)].into(), vec![])?;
    let ahead = seen.line(queue::GENERAL_SKILL).map_or(0, |l| l.waiting);
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
        seats_on_duty: seen.on_duty.iter().filter(|s| s.lane == 0).count() as u32,
        waiting: seen.waiting(),
        estimate: seen.estimate(&general, ahead, now).map(told),
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
    let (halls, skills) = app
        .read(|tx| Box::pin(async move { Ok((hall::all(tx).await?, hall::skills(tx).await?)) }))
        .await?;
    let mut out = vec![];
    for h in halls {
        out.push(view(app, &h, skills.clone()).await?);
    }
    Ok(out)
}

pub async fn get(app: &App, id: HallId) -> Result<HallView, AppError> {
    let (h, skills) = app
        .read(|tx| {
            Box::pin(async move {
                let h = hall::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
                Ok((h, hall::skills(tx).await?))
            })
        })
        .await?;
    view(app, &h, skills).await
}

/// Halls that consent to serve this one's people (跨域通办).
pub async fn others(app: &App, id: HallId) -> Result<Vec<HallView>, AppError> {
    let (halls, skills) = app
        .read(|tx| {
            Box::pin(async move {
                hall::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
                Ok((hall::accepted_by(tx, &id).await?, hall::skills(tx).await?))
            })
        })
        .await?;
    let mut out = vec![];
    for h in halls {
        out.push(view(app, &h, skills.clone()).await?);
    }
    Ok(out)
}
