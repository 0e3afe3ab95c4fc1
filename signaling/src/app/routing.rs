//! What a ticket asks of a seat: the queue's rule, the citizen's needs, who should serve them first. Rules are data of the
//! hall; how they relax is `domain::routing`'s business.

use super::{App, Work, transfer};
use crate::problem::{AppError, no};
use domain::{
    id::{HallId, Id as _, SessionId},
    ladder::Mode,
    limits, pairing as pairing_rule,
    routing::{Plan, Preferred, Rule, Stage},
    seat as seat_rule,
    ticket::Class,
    time::Span,
};
use std::collections::{BTreeMap, BTreeSet};
use store::{Tx, hall, pairing, queue, seat, session, ticket, ticket::Ticket, visit::Visit};

/// Batches of changed demands that one look of the timers carries out.
const ROUNDS: usize = 32;

/// The queue's rule; one that nobody has written asks for the queue's own skill.
pub(super) async fn rule(tx: &mut Tx, hall: &HallId, code: &str) -> Result<Rule, AppError> {
    let Some(q) = queue::get(tx, hall, code).await? else {
        return Ok(Rule::of_skill(code));
    };
    serde_json::from_str(&q.rule)
        .map_err(|e| store::StoreError::Corrupt(format!("queue {code}: {e}")).into())
}

/// How long the seat has for its notes after this session.
pub(super) async fn wrap_up(tx: &mut Tx, id: &SessionId) -> Result<Span, AppError> {
    let Some(s) = session::get(tx, id).await? else {
        return Ok(limits::WRAP_UP);
    };
    let Some(t) = ticket::get(tx, &s.ticket_id).await? else {
        return Ok(limits::WRAP_UP);
    };
    let rule = rule(tx, &t.hall_id, &t.skill).await?;
    Ok(Span::seconds(i64::from(rule.wrap_up_s)))
}

/// Access needs and the language that some skill of the county answers to. What nobody could ever have must not keep a
/// citizen waiting for ever: it is shown to the agent instead.
pub(super) async fn answerable(
    tx: &mut Tx,
    needs: &[String],
    language: Option<&str>,
) -> Result<(Vec<String>, Option<String>), AppError> {
    if needs.is_empty() && language.is_none() {
        return Ok((vec![], None));
    }
    let known: BTreeSet<String> = hall::skills(tx)
        .await?
        .into_iter()
        .map(|s| s.code)
        .collect();
    let needs = needs
        .iter()
        .map(|n| format!("need:{n}"))
        .filter(|n| known.contains(n))
        .collect();
    let language = language
        .map(|l| format!("lang:{l}"))
        .filter(|l| known.contains(l));
    Ok((needs, language))
}

/// Who served this citizen last and the item's AB seats, as far as they are on duty here.
async fn preferred(tx: &mut Tx, rule: &Rule, t: &Ticket, v: &Visit) -> Result<Preferred, AppError> {
    let (keeps_last, keeps_pair) = (rule.prefer.last_agent_s > 0, rule.prefer.pair_s > 0);
    let last = match v.citizen_index.as_ref().filter(|_| keeps_last) {
        Some(index) => session::last_agent_of(tx, &t.hall_id, index).await?,
        None => None,
    };
    let pair = match t.item.as_ref().filter(|_| keeps_pair) {
        Some(item) => queue::pair(tx, &t.hall_id, item).await?,
        None => None,
    };
    if last.is_none() && pair.is_none() {
        return Ok(Preferred::default());
    }
    let on_duty = seat::on_duty(tx, &t.hall_id).await?;
    // A text waits for nobody who takes calls alone, and the other way round.
    let by_text = t.mode == Mode::Text;
    let here = |id: &domain::id::StaffId| {
        on_duty
            .iter()
            .any(|s| s.staff_id.as_ref() == Some(id) && (s.lane > 0) == by_text)
    };
    let pair = pair.map(|p| [p.a, p.b]);
    Ok(Preferred {
        last_agent: last.filter(here).map(|l| l.to_string()),
        pair: pair
            .into_iter()
            .flatten()
            .filter(here)
            .map(|id| id.to_string())
            .collect(),
    })
}

/// What the ticket asks now, and when that changes. A newcomer is refused while the queue's own hours say closed.
///
/// # Errors
/// `queue_closed`.
pub(super) async fn stage(tx: &mut Tx, w: &Work, t: &Ticket, v: &Visit) -> Result<Stage, AppError> {
    if let Some(kept) = transfer::on_the_way(tx, w, t).await? {
        return Ok(kept);
    }
    let rule = rule(tx, &t.hall_id, &t.skill).await?;
    // Not in line yet. Who has an appointment comes at its time; a year whose calendar is missing turns nobody away.
    let newcomer = t.demand.is_empty() && t.class != Class::Appointment;
    if newcomer && matches!(rule.open_at(&w.app.calendar, w.now), Ok(Some(false))) {
        return Err(no("queue_closed"));
    }
    let (needs, language) = answerable(tx, &t.needs, t.language.as_deref()).await?;
    let preferred = preferred(tx, &rule, t, v).await?;
    let plan = Plan::new(&rule, &needs, language.as_deref(), &preferred)?;
    let mut stage = plan.at(w.now.since(t.enqueued_at));
    if t.mode == Mode::Text {
        stage.demand = stage.demand.by_text();
    }
    // A supervisor's word goes before the rule's own hall, until switched off.
    if let Some(to) = queue::overflow_now(tx, &t.hall_id, &t.skill).await? {
        stage.overflow = Some(to.to_string());
    }
    // A rule may name a hall that has taken its word back since.
    if let Some(to) = stage.overflow.take().and_then(|h| HallId::parse(&h))
        && hall::accepts_from(tx, &to, &t.hall_id).await?
    {
        stage.overflow = Some(to.to_string());
    }
    Ok(stage)
}

/// Puts the stage into the ticket; the caller keeps it.
pub(super) fn enter(t: &mut Ticket, s: Stage) {
    t.demand = s.demand.key();
    t.overflow_hall = s.overflow.as_deref().and_then(HallId::parse);
    t.stage_at = s.next_after.map(|a| t.enqueued_at + a);
}

/// Looks for seats wherever the ticket may be served: its own hall first.
pub(super) async fn match_for(tx: &mut Tx, w: &mut Work, t: &Ticket) -> Result<(), AppError> {
    for h in std::iter::once(&t.hall_id).chain(&t.overflow_hall) {
        w.wake(h);
        super::desk::match_hall(tx, w, h).await?;
    }
    Ok(())
}

/// Tickets whose demand changes: they ask less, or other halls may serve them too, or the rule is another. One transaction
/// a hall and batch.
pub async fn due(app: &App) -> Result<(), AppError> {
    let now = app.now();
    let mut failed = Ok(());
    for _ in 0..ROUNDS {
        let over = app
            .read(move |tx| Box::pin(async move { Ok(ticket::stage_over(tx, now).await?) }))
            .await?;
        let more = over.len() >= 64;
        let mut halls: BTreeMap<HallId, Vec<Ticket>> = BTreeMap::new();
        for t in over {
            halls.entry(t.hall_id.clone()).or_default().push(t);
        }
        for (hall, tickets) in halls {
            let r = app
                .write("server", move |tx, w| {
                    let (hall, tickets) = (hall.clone(), tickets.clone());
                    Box::pin(async move { restage(tx, w, &hall, tickets).await })
                })
                .await;
            // One hall's trouble is not the others'.
            if let Err(e) = super::desk::lost_race_is_fine(r) {
                failed = Err(e);
            }
        }
        if !more || failed.is_err() {
            break;
        }
    }
    failed
}

/// `there` serves `home`'s people no longer: nobody in line at home stands there any more, and what rings there goes back.
/// In the transaction of the withdrawal, under the locks of both halls.
pub(super) async fn withdrawn(
    tx: &mut Tx,
    w: &mut Work,
    there: &HallId,
    home: &HallId,
) -> Result<(), AppError> {
    ticket::leave_overflow(tx, home, there, w.now).await?;
    for mut p in pairing::offered_between(tx, there, home).await? {
        super::desk::unoffer(
            tx,
            w,
            &mut p,
            pairing_rule::Cmd::Cancel,
            seat_rule::Cmd::RingCancelled,
            "consent_withdrawn",
        )
        .await?;
    }
    super::invites::withdrawn(tx, w, there, home).await
}

async fn restage(
    tx: &mut Tx,
    w: &mut Work,
    hall: &HallId,
    tickets: Vec<Ticket>,
) -> Result<(), AppError> {
    store::dialect::lock_hall(tx, hall).await?;
    let mut touched = BTreeSet::from([hall.clone()]);
    for mut t in tickets {
        // A call-back between two tries asks for nobody, whatever the rule says by now.
        if let Some(k) = store::callback::get(tx, &t.id).await?
            && super::callbacks::hold(tx, &k, w.now).await?
        {
            continue;
        }
        let Some(v) = store::visit::get(tx, &t.visit_id).await? else {
            continue;
        };
        touched.extend(t.overflow_hall.clone());
        let s = stage(tx, w, &t, &v).await?;
        enter(&mut t, s);
        touched.extend(t.overflow_hall.clone());
        // Another was first: the next look sees what has become of it.
        if ticket::save_stage(tx, &t).await? {
            w.wake(&t.id);
        }
    }
    for h in touched {
        w.wake(&h);
        super::desk::match_hall(tx, w, &h).await?;
    }
    Ok(())
}
