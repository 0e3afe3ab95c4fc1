//! The rules of a hall's queues as its supervisors keep them: rule, overflow, consent between halls, AB seats; and the
//! skills of staff. `domain::routing` says which rule is sound; after a change everybody in line enters their stage anew.

use super::{App, Caller, auth, routing, supervise, token::Principal};
use crate::problem::{AppError, no};
use domain::{
    calendar::TimeOfDay,
    error::Rejected,
    id::{HallId, Id as _, StaffId},
    routing::{LEVEL_MAX, Rule, is_reserved},
};
use protocol::{
    Bilingual, HallConsents, HallRef, HallStaff, ItemPair, PairSeen, PutHallConsent, PutItemPair,
    PutOverflow, PutQueue, PutStaffSkills, QueueView, Role, StaffSkills,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use store::{Tx, audit, catalogue, dialect, hall, queue, staff};

const KEPT: &str = "queue.rule_kept";
const PAIR_SET: &str = "queue.pair_set";
const SKILLS_SET: &str = "staff.skills_set";

/// The refusal of a change over something else than what was on the screen: what stands there now, and who put it there.
pub(super) async fn stale(
    tx: &mut Tx,
    mut current: Value,
    object: &str,
    action: &str,
) -> Result<AppError, AppError> {
    let last = audit::last(tx, object, action).await?;
    if let (Some(now), Some(last)) = (current.as_object_mut(), last) {
        let by = match StaffId::parse(&last.actor) {
            Some(id) => staff::get(tx, &id).await?.map(|s| s.name),
            None => None,
        };
        now.insert("changed_by".into(), json!(by));
        now.insert("changed_at".into(), json!(last.at.rfc3339()));
    }
    Ok(no("version_stale").with_current(current))
}

/// A queue is a skill without a kind; languages, dialects and needs are asked beside it.
fn is_queue(code: &str) -> bool {
    !code.contains(':')
}

async fn view(app: &App, tx: &mut Tx, id: &HallId, s: hall::Named) -> Result<QueueView, AppError> {
    let kept = queue::get(tx, id, &s.code).await?;
    let rule = routing::rule(tx, id, &s.code).await?;
    let shown = serde_json::to_value(&rule)
        .and_then(serde_json::from_value)
        .map_err(|_| no("internal"))?;
    Ok(QueueView {
        name: Bilingual { zh: s.zh, en: s.en },
        version: kept.map_or(0, |q| q.version),
        rule: shown,
        open_now: rule.open_at(&app.calendar, app.now()).unwrap_or(None),
        overflow_now: queue::overflow_now(tx, id, &s.code)
            .await?
            .map(|h| h.to_string()),
        code: s.code,
    })
}

async fn named(tx: &mut Tx, code: &str) -> Result<hall::Named, AppError> {
    hall::skills(tx)
        .await?
        .into_iter()
        .find(|s| s.code == code && is_queue(code))
        .ok_or_else(|| no("queue_unknown"))
}

pub async fn list(app: &App, who: &Principal, id: HallId) -> Result<Vec<QueueView>, AppError> {
    supervise::of_hall(who, &id, &[Role::Supervisor, Role::Admin, Role::Agent])?;
    let a = app.clone();
    app.read(move |tx| {
        Box::pin(async move {
            let mut out = vec![];
            for s in hall::skills(tx).await? {
                if is_queue(&s.code) {
                    out.push(view(&a, tx, &id, s).await?);
                }
            }
            Ok(out)
        })
    })
    .await
}

/// The rule as the domain knows it; times of day that are none are told one by one.
fn parse(rule: &protocol::QueueRule) -> Result<Rule, AppError> {
    let invalid = |faults| no("rule_invalid").with_fields(faults);
    let faults: Vec<Rejected> = rule
        .hours
        .iter()
        .enumerate()
        .filter(|(_, h)| TimeOfDay::parse(&h.from).is_none() || TimeOfDay::parse(&h.to).is_none())
        .map(|(i, _)| Rejected::at("hours_invalid", format!("/rule/hours/{i}")))
        .collect();
    if !faults.is_empty() {
        return Err(invalid(faults));
    }
    serde_json::to_value(rule)
        .and_then(serde_json::from_value)
        .map_err(|_| invalid(vec![Rejected::at("rule_invalid", "/rule")]))
}

/// The hall that an overflow names must have said that it serves this one: its seats are its own.
async fn consenting(tx: &mut Tx, to: &str, from: &HallId, at: &str) -> Result<HallId, AppError> {
    let refused = || no("overflow_refused").with_fields(vec![Rejected::at("overflow_refused", at)]);
    let to = HallId::parse(to).ok_or_else(refused)?;
    if hall::get(tx, &to).await?.is_none() || !hall::accepts_from(tx, &to, from).await? {
        return Err(refused());
    }
    Ok(to)
}

/// Keeps a rule over the version that was on the screen.
pub async fn save(
    app: &App,
    caller: &Caller,
    id: HallId,
    code: String,
    body: PutQueue,
) -> Result<QueueView, AppError> {
    supervise::keeper(&caller.who, &id)?;
    let rule = parse(&body.rule)?;
    let a = app.clone();
    let route = format!("queues.put:{id}:{code}");
    app.command(caller, &route, &body.clone(), move |tx, w| {
        let (a, id, code) = (a.clone(), id.clone(), code.clone());
        let (rule, version) = (rule.clone(), body.version);
        Box::pin(async move {
            let name = named(tx, &code).await?;
            let known: BTreeSet<String> = hall::skills(tx)
                .await?
                .into_iter()
                .map(|s| s.code)
                .collect();
            rule.check(&known, &id).map_err(|faults| {
                let at = |r: Rejected| {
                    Rejected::at(r.code, format!("/rule{}", r.pointer.unwrap_or_default()))
                };
                no("rule_invalid").with_fields(faults.into_iter().map(at).collect())
            })?;
            for (i, s) in rule.steps.iter().enumerate() {
                if let Some(to) = &s.overflow {
                    consenting(tx, to, &id, &format!("/rule/steps/{i}/overflow")).await?;
                }
            }
            let text = serde_json::to_string(&rule).map_err(|_| no("internal"))?;
            if !queue::save(tx, &id, &code, &text, version).await? {
                let now = json!(view(&a, tx, &id, name).await?);
                return Err(stale(tx, now, &format!("{id}/{code}"), KEPT).await?);
            }
            queue::restage(tx, &id, &code, w.now).await?;
            w.wake(&id);
            w.audit(
                tx,
                KEPT,
                &format!("{id}/{code}"),
                json!({"version": version + 1}),
            )
            .await?;
            view(&a, tx, &id, name).await
        })
    })
    .await
}

/// Lets a consenting hall serve the queue too, from now on and until it is taken back.
pub async fn overflow(
    app: &App,
    caller: &Caller,
    id: HallId,
    code: String,
    body: PutOverflow,
) -> Result<QueueView, AppError> {
    supervise::supervisor(&caller.who, &id)?;
    let a = app.clone();
    let route = format!("queues.overflow:{id}:{code}");
    app.command(caller, &route, &body.clone(), move |tx, w| {
        let (a, id, code, body) = (a.clone(), id.clone(), code.clone(), body.clone());
        Box::pin(async move {
            let name = named(tx, &code).await?;
            // A consent that is being withdrawn is waited for.
            dialect::lock_hall(tx, &id).await?;
            let to = match &body.hall {
                Some(to) => Some(consenting(tx, to, &id, "/hall").await?),
                None => None,
            };
            queue::set_overflow_now(tx, &id, &code, to.as_ref()).await?;
            queue::restage(tx, &id, &code, w.now).await?;
            w.wake(&id);
            w.audit(
                tx,
                "queue.overflow_set",
                &format!("{id}/{code}"),
                json!({"to": body.hall}),
            )
            .await?;
            view(&a, tx, &id, name).await
        })
    })
    .await
}

fn hall_ref(h: hall::Hall) -> HallRef {
    HallRef {
        id: h.id.to_string(),
        name: Bilingual {
            zh: h.name_zh,
            en: h.name_en,
        },
    }
}

async fn between(tx: &mut Tx, id: &HallId) -> Result<HallConsents, AppError> {
    let refs = |halls: Vec<hall::Hall>| halls.into_iter().map(hall_ref).collect();
    Ok(HallConsents {
        accepts: refs(hall::accepted(tx, id).await?),
        accepted_by: refs(hall::accepted_by(tx, id).await?),
    })
}

pub async fn consents(app: &App, who: &Principal, id: HallId) -> Result<HallConsents, AppError> {
    supervise::keeper(who, &id)?;
    app.read(move |tx| Box::pin(async move { between(tx, &id).await }))
        .await
}

/// The hall says whether it serves citizens of another. Taken back, nothing of the other overflows here from that moment:
/// neither by a rule nor by a supervisor's word, and what rings here for it goes back. Whom an agent serves already stays.
pub async fn consent(
    app: &App,
    caller: &Caller,
    id: HallId,
    from: HallId,
    body: PutHallConsent,
) -> Result<HallConsents, AppError> {
    supervise::keeper(&caller.who, &id)?;
    let route = format!("halls.consent:{id}:{from}");
    app.command(caller, &route, &body, move |tx, w| {
        let (id, from) = (id.clone(), from.clone());
        Box::pin(async move {
            if id == from || hall::get(tx, &from).await?.is_none() {
                return Err(no("not_found"));
            }
            // Neither hall is matched beside it.
            for h in [&from, &id] {
                dialect::lock_hall(tx, h).await?;
                w.wake(h);
            }
            // What a supervisor has opened by hand ends with the row.
            hall::set_accepts(tx, &id, &from, body.accept).await?;
            if body.accept {
                // A rule may name the hall already: all of the other's line looks anew.
                for s in hall::skills(tx)
                    .await?
                    .into_iter()
                    .filter(|s| is_queue(&s.code))
                {
                    queue::restage(tx, &from, &s.code, w.now).await?;
                }
            } else {
                routing::withdrawn(tx, w, &id, &from).await?;
            }
            w.audit(
                tx,
                "hall.consent_set",
                id.as_str(),
                json!({"from": from.as_str(), "accept": body.accept}),
            )
            .await?;
            between(tx, &id).await
        })
    })
    .await
}

async fn pair_views(tx: &mut Tx, id: &HallId) -> Result<Vec<ItemPair>, AppError> {
    let mut out = vec![];
    for p in queue::pairs(tx, id).await? {
        let (a, b) = (staff::get(tx, &p.a).await?, staff::get(tx, &p.b).await?);
        let name = |s: Option<staff::Staff>| s.map_or_else(String::new, |s| s.name);
        out.push(ItemPair {
            item: p.item,
            a_staff: p.a.to_string(),
            a_name: name(a),
            b_staff: p.b.to_string(),
            b_name: name(b),
        });
    }
    Ok(out)
}

pub async fn pairs(app: &App, who: &Principal, id: HallId) -> Result<Vec<ItemPair>, AppError> {
    supervise::keeper(who, &id)?;
    app.read(move |tx| Box::pin(async move { pair_views(tx, &id).await }))
        .await
}

/// Sets (`Some`) or removes the AB seats of an item: two agents of the hall.
pub async fn put_pair(
    app: &App,
    caller: &Caller,
    id: HallId,
    item: String,
    body: Option<PutItemPair>,
) -> Result<Vec<ItemPair>, AppError> {
    supervise::keeper(&caller.who, &id)?;
    let verb = if body.is_some() { "put" } else { "remove" };
    let route = format!("pairs.{verb}:{id}:{item}");
    app.command(caller, &route, &body.clone(), move |tx, w| {
        let (id, item, body) = (id.clone(), item.clone(), body.clone());
        Box::pin(async move {
            if let Some(body) = &body {
                let Some(doc) = catalogue::get_published(tx, &item).await? else {
                    return Err(no("item_unknown"));
                };
                let a = agent_of(tx, &id, &body.a_staff, "/a_staff").await?;
                let b = agent_of(tx, &id, &body.b_staff, "/b_staff").await?;
                if a == b {
                    return Err(Rejected::at("pair_invalid", "/b_staff").into());
                }
                unchanged_pair(tx, &id, &item, body.seen.as_ref()).await?;
                let item = item.clone();
                queue::save_pair(tx, &id, &queue::Pair { item, a, b }).await?;
                let skill =
                    serde_json::from_str::<domain::catalogue::Item>(&doc.doc).map(|i| i.skill);
                if let Ok(skill) = skill {
                    queue::restage(tx, &id, &skill, w.now).await?;
                }
            } else {
                queue::remove_pair(tx, &id, &item).await?;
            }
            let set = json!({"item": item, "set": body.is_some()});
            w.audit(tx, PAIR_SET, &format!("{id}/{item}"), set).await?;
            pair_views(tx, &id).await
        })
    })
    .await
}

/// The item's pair is still the one that was on the screen.
async fn unchanged_pair(
    tx: &mut Tx,
    id: &HallId,
    item: &str,
    seen: Option<&PairSeen>,
) -> Result<(), AppError> {
    let Some(seen) = seen else { return Ok(()) };
    let now = queue::pair(tx, id, item).await?;
    let now = PairSeen {
        a_staff: now.as_ref().map(|p| p.a.to_string()),
        b_staff: now.as_ref().map(|p| p.b.to_string()),
    };
    if now == *seen {
        return Ok(());
    }
    Err(stale(tx, json!(now), &format!("{id}/{item}"), PAIR_SET).await?)
}

async fn agent_of(tx: &mut Tx, id: &HallId, text: &str, at: &str) -> Result<StaffId, AppError> {
    let wrong = || AppError::from(Rejected::at("pair_invalid", at));
    let staff_id = StaffId::parse(text).ok_or_else(wrong)?;
    staff::get(tx, &staff_id)
        .await?
        .filter(|s| s.hall_id == *id && s.active && s.roles.iter().any(|r| r == "agent"))
        .map(|s| s.id)
        .ok_or_else(wrong)
}

/// Who works in the hall, with the level of each skill.
pub async fn staff(app: &App, who: &Principal, id: HallId) -> Result<Vec<HallStaff>, AppError> {
    supervise::keeper(who, &id)?;
    app.read(move |tx| {
        Box::pin(async move {
            let people = staff::of_hall(tx, &id).await?;
            Ok(people.into_iter().map(hall_staff).collect())
        })
    })
    .await
}

fn hall_staff(s: staff::Staff) -> HallStaff {
    let seen = auth::staff_view(&s);
    HallStaff {
        id: seen.id,
        account: seen.account,
        name: seen.name,
        roles: seen.roles,
        department: seen.department,
        active: s.active,
        skills: s.skills.0,
    }
}

/// The person, for an administrator of their hall.
async fn of_admin(tx: &mut Tx, who: &Principal, id: &StaffId) -> Result<staff::Staff, AppError> {
    let s = staff::get(tx, id).await?.ok_or_else(|| no("not_found"))?;
    supervise::of_hall(who, &s.hall_id, &[Role::Admin])?;
    Ok(s)
}

pub async fn skills(app: &App, who: &Principal, id: StaffId) -> Result<StaffSkills, AppError> {
    let who = who.clone();
    app.read(move |tx| {
        Box::pin(async move {
            let s = of_admin(tx, &who, &id).await?;
            Ok(StaffSkills { skills: s.skills.0 })
        })
    })
    .await
}

/// What a person may serve, and how well. It acts when they next sit down.
pub async fn put_skills(
    app: &App,
    caller: &Caller,
    id: StaffId,
    body: PutStaffSkills,
) -> Result<StaffSkills, AppError> {
    let who = caller.who.clone();
    let route = format!("staff.skills:{id}");
    app.command(caller, &route, &body.clone(), move |tx, w| {
        let (who, id, body) = (who.clone(), id.clone(), body.clone());
        Box::pin(async move {
            let now = of_admin(tx, &who, &id).await?.skills.0;
            let known: BTreeSet<String> = hall::skills(tx)
                .await?
                .into_iter()
                .map(|s| s.code)
                .collect();
            let mut faults = vec![];
            for (code, level) in &body.skills {
                if is_reserved(code) {
                    faults.push(Rejected::at("skill_reserved", format!("/skills/{code}")));
                } else if !known.contains(code) {
                    faults.push(Rejected::at(
                        "rule_skill_unknown",
                        format!("/skills/{code}"),
                    ));
                } else if !(1..=LEVEL_MAX).contains(level) {
                    faults.push(Rejected::at("rule_level", format!("/skills/{code}")));
                }
            }
            if !faults.is_empty() {
                return Err(no("skills_invalid").with_fields(faults));
            }
            if body.seen.as_ref().is_some_and(|seen| *seen != now) {
                let now = json!({"skills": now});
                return Err(stale(tx, now, id.as_str(), SKILLS_SET).await?);
            }
            staff::set_skills(tx, &id, &staff::Skills(body.skills.clone())).await?;
            let codes: Vec<&String> = body.skills.keys().collect();
            w.audit(tx, SKILLS_SET, id.as_str(), json!({"skills": codes}))
                .await?;
            Ok(StaffSkills {
                skills: body.skills,
            })
        })
    })
    .await
}
