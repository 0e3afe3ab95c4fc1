//! What can be booked: the rule of a hall's queue, and the slots of a day with the places left.
//!
//! Never books (`appointments` does) and never decides what a slot is (`domain::appointment` does).

use super::{App, Caller, queue, queues, token::Principal};
use crate::problem::{AppError, no};
use domain::{
    appointment::{self as rule, Slot},
    calendar::{Hours, hours_overlap},
    error::Rejected,
    id::HallId,
    identifiers::parse_date,
    time::Span,
};
use protocol::{Role, SetSlotRule, SlotList, SlotRuleView, SlotTime};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Tx, appointment, dialect, hall};
use time::Date;

const SET: &str = "slots.set";
/// Lines of hours in one rule: two a day, and no need for more than a week of them.
const HOURS_MAX: usize = 14;

/// As it is kept: JSON text of a row.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rule {
    pub hours: Vec<Hours>,
    pub slot_minutes: u16,
    pub capacity: u32,
}

impl Rule {
    /// From a page or a file.
    ///
    /// # Errors
    /// `hours_invalid` at the line that is to blame; `slot_shape`.
    pub fn check(body: &SetSlotRule) -> Result<Self, AppError> {
        let bad = |i: usize| Rejected::at("hours_invalid", format!("/hours/{i}"));
        if body.hours.len() > HOURS_MAX {
            return Err(bad(HOURS_MAX).into());
        }
        let mut hours: Vec<Hours> = vec![];
        for (i, h) in body.hours.iter().enumerate() {
            let h: Hours = serde_json::to_value(h)
                .and_then(serde_json::from_value)
                .map_err(|_| bad(i))?;
            if h.from >= h.to || hours.iter().any(|o| hours_overlap(o, &h)) {
                return Err(bad(i).into());
            }
            hours.push(h);
        }
        if !(rule::SLOT_MIN_MINUTES..=rule::SLOT_MAX_MINUTES).contains(&body.slot_minutes)
            || !(1..=rule::CAPACITY_MAX).contains(&body.capacity)
        {
            return Err(no("slot_shape"));
        }
        Ok(Self {
            hours,
            slot_minutes: body.slot_minutes,
            capacity: body.capacity,
        })
    }

    /// As a row keeps it.
    ///
    /// # Errors
    /// `internal`.
    pub fn text(&self) -> Result<String, AppError> {
        serde_json::to_string(self).map_err(|_| no("internal"))
    }
}

fn parse(r: &appointment::SlotRule) -> Result<Rule, AppError> {
    serde_json::from_str(&r.rule)
        .map_err(|e| store::StoreError::Corrupt(format!("slots of {}: {e}", r.queue)).into())
}

fn view(r: &appointment::SlotRule) -> Result<SlotRuleView, AppError> {
    let rule = parse(r)?;
    Ok(SlotRuleView {
        queue: r.queue.clone(),
        hours: serde_json::to_value(&rule.hours)
            .and_then(serde_json::from_value)
            .map_err(|_| no("internal"))?,
        slot_minutes: rule.slot_minutes,
        capacity: rule.capacity,
        version: r.version,
    })
}

/// Supervisors and administrators of this hall.
fn may_rule(who: &Principal, hall: &HallId) -> Result<(), AppError> {
    match who {
        Principal::Staff { roles, hall: h, .. }
            if h == hall
                && roles
                    .iter()
                    .any(|r| matches!(r, Role::Supervisor | Role::Admin)) =>
        {
            Ok(())
        }
        _ => Err(no("role_missing")),
    }
}

/// Codes: `role_missing`.
pub async fn rules(
    app: &App,
    who: &Principal,
    hall: HallId,
) -> Result<Vec<SlotRuleView>, AppError> {
    may_rule(who, &hall)?;
    app.read(|tx| {
        Box::pin(async move {
            let rules = appointment::rules(tx, &hall).await?;
            rules.iter().map(view).collect()
        })
    })
    .await
}

/// Bookings that were made keep their slots.
///
/// Codes: `role_missing`, `queue_unknown`, `hours_invalid`, `slot_shape`, `version_stale`.
pub async fn set(
    app: &App,
    caller: &Caller,
    hall: HallId,
    queue: String,
    body: SetSlotRule,
) -> Result<SlotRuleView, AppError> {
    may_rule(&caller.who, &hall)?;
    let text = Rule::check(&body)?.text()?;
    let route = format!("slot_rules.set:{hall}:{queue}");
    let kept = app
        .command(caller, &route, &body.clone(), move |tx, w| {
            let (hall, queue, text, version) =
                (hall.clone(), queue.clone(), text.clone(), body.version);
            Box::pin(async move {
                queue::queue_of(tx, None, Some(&queue)).await?;
                dialect::lock_hall(tx, &hall).await?;
                if !appointment::save_rule(tx, &hall, &queue, &text, version).await? {
                    let now = appointment::rule(tx, &hall, &queue).await?;
                    let now = json!({"version": now.map_or(0, |r| r.version)});
                    return Err(queues::stale(tx, now, &format!("{hall}/{queue}"), SET).await?);
                }
                w.audit(tx, SET, &format!("{hall}/{queue}"), json!({"queue": queue}))
                    .await?;
                let kept = appointment::rule(tx, &hall, &queue).await?;
                view(&kept.ok_or_else(|| no("internal"))?)
            })
        })
        .await?;
    Ok(kept)
}

/// All slots of a day; none without a rule.
pub(super) async fn of_day(
    app: &App,
    tx: &mut Tx,
    hall: &HallId,
    queue: &str,
    date: Date,
) -> Result<Vec<Slot>, AppError> {
    let Some(r) = appointment::rule(tx, hall, queue).await? else {
        return Ok(vec![]);
    };
    let r = parse(&r)?;
    let slots = rule::slots(&r.hours, &app.calendar, r.capacity, date, r.slot_minutes)?;
    Ok(slots)
}

/// The slots of a day that have not begun.
///
/// Codes: `not_found`, `queue_unknown`, `date_format`, `slot_far`, `calendar_missing`.
pub async fn list(
    app: &App,
    hall: HallId,
    queue: String,
    date: String,
) -> Result<SlotList, AppError> {
    let day = parse_date(&date).ok_or_else(|| no("date_format"))?;
    let now = app.now();
    let last = (now + Span::seconds(rule::BOOK_AHEAD_DAYS * 86_400)).beijing_date();
    if day > last {
        return Err(no("slot_far"));
    }
    let a = app.clone();
    app.read(move |tx| {
        Box::pin(async move {
            if hall::get(tx, &hall).await?.is_none() {
                return Err(no("not_found"));
            }
            let queue = queue::queue_of(tx, None, Some(&queue)).await?;
            let mut slots = of_day(&a, tx, &hall, &queue, day).await?;
            slots.retain(|s| s.from > now);
            let taken = match (slots.first(), slots.last()) {
                (Some(f), Some(l)) => appointment::taken(tx, &hall, &queue, f.from, l.to).await?,
                _ => vec![],
            };
            let left = |s: &Slot| {
                let n = taken.iter().find(|t| t.0 == s.from).map_or(0, |t| t.1);
                s.capacity
                    .saturating_sub(u32::try_from(n).unwrap_or(u32::MAX))
            };
            let items = slots
                .iter()
                .map(|s| SlotTime {
                    from: s.from.rfc3339(),
                    to: s.to.rfc3339(),
                    capacity: s.capacity,
                    left: left(s),
                })
                .collect();
            Ok(SlotList { queue, date, items })
        })
    })
    .await
}
