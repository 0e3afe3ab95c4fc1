//! Whom an invitation may go to: the words of the wire as the domain's, the halls that serve this citizen, the seat that can
//! be rung now. Never rings.

use crate::problem::{AppError, no};
use domain::{
    id::{HallId, Id as _, SeatId, StaffId},
    invite::Target,
    seat as seat_rule,
};
use protocol::InviteTarget;
use serde_json::json;
use store::{Tx, hall, seat, session, ticket};

/// In the domain's words; a skill or queue without a hall is of the session's own.
pub(super) fn target_of(t: &InviteTarget, s: &session::Session) -> Result<Target, AppError> {
    let bad = || no("invite_target");
    let of = |hall: &Option<String>| match hall {
        Some(h) => HallId::parse(h).ok_or_else(bad),
        None => Ok(s.hall_id.clone()),
    };
    Ok(match t {
        InviteTarget::Staff { id } => Target::Staff(StaffId::parse(id).ok_or_else(bad)?),
        InviteTarget::Seat { id } => Target::Seat(SeatId::parse(id).ok_or_else(bad)?),
        InviteTarget::Skill { code, hall } => Target::Skill {
            hall: of(hall)?,
            code: code.clone(),
        },
        InviteTarget::Queue { skill, hall } => Target::Queue {
            hall: of(hall)?,
            skill: skill.clone(),
        },
        InviteTarget::Link {} => Target::Link,
    })
}

pub(super) fn is_interpreter(t: &Target) -> bool {
    matches!(t, Target::Skill { code, .. } if code.starts_with("lang:") || code.starts_with("dialect:") || code == "need:sign_language")
}

/// The hall where the citizen took the number: what it may ask of other halls holds wherever they are served now.
async fn home(tx: &mut Tx, s: &session::Session) -> Result<HallId, AppError> {
    Ok(ticket::get(tx, &s.ticket_id)
        .await?
        .ok_or_else(|| no("not_found"))?
        .hall_id)
}

/// Seats of `there` may serve this citizen: it is where they are, or their home, or serves their home's people.
///
/// # Errors
/// `hall_consent_missing`.
pub(in crate::app) async fn consenting(
    tx: &mut Tx,
    s: &session::Session,
    there: &HallId,
) -> Result<(), AppError> {
    if *there == s.hall_id {
        return Ok(());
    }
    let home = home(tx, s).await?;
    if *there == home || hall::accepts_from(tx, there, &home).await? {
        Ok(())
    } else {
        Err(no("hall_consent_missing"))
    }
}

/// The seat that can be rung now, never that of who asks.
///
/// # Errors
/// `seat_not_ready`, `hall_consent_missing`, `not_found`.
pub(in crate::app) async fn ready_seat(
    tx: &mut Tx,
    s: &session::Session,
    target: &Target,
) -> Result<seat::Seat, AppError> {
    let free = |x: &seat::Seat| x.state == seat_rule::State::Ready && x.silent_since.is_none();
    let found = match target {
        Target::Staff(id) => seat::of_staff(tx, id).await?,
        // A text lane is no place for a colleague's ring.
        Target::Seat(id) => Some(
            seat::get(tx, id)
                .await?
                .filter(|x| x.lane == 0)
                .ok_or_else(|| no("not_found"))?,
        ),
        Target::Skill { hall, code } => {
            consenting(tx, s, hall).await?;
            seat::of_hall(tx, hall)
                .await?
                .into_iter()
                .filter(|x| {
                    free(x) && x.skills.has(code) && x.staff_id.as_ref() != Some(&s.staff_id)
                })
                .min_by_key(|x| (x.since, x.id.clone()))
        }
        Target::Queue { .. } | Target::Link => None,
    };
    let Some(x) = found else {
        return Err(no("seat_not_ready"));
    };
    consenting(tx, s, &x.hall_id).await?;
    if x.staff_id.as_ref() == Some(&s.staff_id) {
        return Err(no("transfer_self"));
    }
    if free(&x) {
        Ok(x)
    } else {
        Err(no("seat_not_ready").with_current(json!({"state": x.state.as_str()})))
    }
}
