//! What a seat and an offer look like to whoever may see them.

use super::{
    super::{
        App, auth,
        hall_now::{self, Fresh, HallNow},
        invites, ladder, lanes,
    },
    moves::Forced,
};
use crate::problem::{AppError, no};
use domain::{
    id::{HallId, Id as _, SeatId},
    pairing as rule,
    routing::is_reserved,
    seat as seat_rule, ticket as ticket_rule,
    time::Timestamp,
};
use protocol::{
    AccessNeed, Bilingual, Channel, LaneView, OfferView, PriorityClass, SeatState, SeatView,
};
use serde_json::json;
use store::{Tx, catalogue, pairing, seat, session, ticket, visit};

pub(in crate::app) const fn class_view(c: ticket_rule::Class) -> PriorityClass {
    match c {
        ticket_rule::Class::Appointment => PriorityClass::Appointment,
        ticket_rule::Class::Returned => PriorityClass::Returned,
        ticket_rule::Class::Priority => PriorityClass::Priority,
        ticket_rule::Class::Normal => PriorityClass::Normal,
    }
}

pub(in crate::app) fn needs_view(words: &[String]) -> Vec<AccessNeed> {
    words
        .iter()
        .filter_map(|w| serde_json::from_value(json!(w)).ok())
        .collect()
}

pub(in crate::app) const fn state_view(s: seat_rule::State) -> SeatState {
    match s {
        seat_rule::State::Offline => SeatState::Offline,
        seat_rule::State::Ready => SeatState::Ready,
        seat_rule::State::Ringing => SeatState::Ringing,
        seat_rule::State::Busy => SeatState::Busy,
        seat_rule::State::WrapUp => SeatState::WrapUp,
        seat_rule::State::Away => SeatState::Away,
    }
}

async fn offer_view(app: &App, tx: &mut Tx, p: &pairing::Pairing) -> Result<OfferView, AppError> {
    let t = ticket::get(tx, &p.ticket_id)
        .await?
        .ok_or_else(|| no("not_found"))?;
    let v = visit::get(tx, &t.visit_id)
        .await?
        .ok_or_else(|| no("not_found"))?;
    let identity = auth::identity_of(app, tx, &v).await?;
    let kept = store::callback::get(tx, &t.id).await?;
    let item_title = match &t.item {
        Some(i) => catalogue::get_published(tx, i)
            .await?
            .and_then(|d| serde_json::from_str::<domain::catalogue::Item>(&d.doc).ok())
            .map(|i| Bilingual {
                zh: i.name.zh,
                en: i.name.en,
            }),
        None => None,
    };
    Ok(OfferView {
        pairing: p.id.to_string(),
        ticket: t.id.to_string(),
        number: t.number,
        item: t.item,
        item_title,
        channel: if t.channel == "booth" {
            Channel::Booth
        } else {
            Channel::Phone
        },
        identity: identity.map(|i| i.view()),
        class: class_view(t.class),
        needs: needs_view(&t.needs),
        waited_s: u32::try_from(p.offered_at.seconds_since(t.enqueued_at)).unwrap_or(0),
        offered_at: p.offered_at.rfc3339(),
        due_at: p.due_at.rfc3339(),
        mode: ladder::ticket_view(t.mode),
        call_back: kept.is_some(),
        calling_until: kept
            .filter(|k| k.call_back.state == domain::callback::State::Ringing)
            .and_then(|k| k.call_back.due_at)
            .map(Timestamp::rfc3339),
    })
}

/// A seat without its view of the queues: see [`with_queues`].
pub(super) async fn view_in(app: &App, tx: &mut Tx, s: seat::Seat) -> Result<SeatView, AppError> {
    let live = pairing::live_of_seat(tx, &s.id).await?;
    let offer = match live.as_ref().filter(|p| p.state == rule::State::Offered) {
        Some(p) => Some(offer_view(app, tx, p).await?),
        None => None,
    };
    let session = session::live_of_seat(tx, &s.id).await?;
    let forced = Forced::of(&s).and_then(|f| f.view());
    let mut open = vec![];
    if s.takes_text {
        open = lanes::open_of(tx, &s.id).await?;
    }
    Ok(SeatView {
        id: s.id.to_string(),
        name: Bilingual {
            zh: s.name_zh,
            en: s.name_en,
        },
        hall: s.hall_id.to_string(),
        state: state_view(s.state),
        away_reason: s.away_reason,
        since: s.since.rfc3339(),
        version: s.version,
        staff: s.staff_id.map(|i| i.to_string()),
        // The mode of a lane is the desk's own mark, not a skill of anybody's.
        skills: {
            let mut codes = s.skills.codes();
            codes.retain(|c| !is_reserved(c));
            codes
        },
        offer,
        invite: invites::at_seat(tx, &s.id).await?,
        session: session.map(|s| s.id.to_string()),
        wrap_up_until: s.due_at.map(domain::time::Timestamp::rfc3339),
        wrap_up_session: s.wrap_up_session.map(|i| i.to_string()),
        wrap_up_extended: s.extended,
        auto_answer: s.auto_answer,
        text: s.takes_text,
        lane: u8::try_from(s.lane).unwrap_or(0),
        main: s.main_seat.map(|i| i.to_string()),
        lanes: open
            .into_iter()
            .map(|l| LaneView {
                seat: l.id.to_string(),
                lane: u8::try_from(l.lane).unwrap_or(0),
            })
            .collect(),
        forced,
        waiting: 0,
        longest_wait_s: 0,
    })
}

/// How many wait for one of the seat's skills, and how long the first has waited.
pub(super) fn with_queues(mut v: SeatView, hall: &HallNow, now: Timestamp) -> SeatView {
    let line = hall.for_skills(&v.skills);
    v.waiting = line.waiting;
    v.longest_wait_s = if line.waiting == 0 {
        0
    } else {
        u32::try_from(now.seconds_since(line.oldest)).unwrap_or(0)
    };
    v
}

/// The same seat after its hall moved: nothing of the seat itself is read again.
pub(crate) async fn again(app: &App, last: &SeatView, fresh: Fresh) -> Result<SeatView, AppError> {
    let hall = HallId::parse(&last.hall).ok_or_else(|| no("not_found"))?;
    let now = hall_now::get(app, &hall, fresh).await?;
    Ok(with_queues(last.clone(), &now, app.now()))
}

pub async fn view(app: &App, id: SeatId) -> Result<SeatView, AppError> {
    let a = app.clone();
    let v = app
        .read(|tx| {
            Box::pin(async move {
                let s = seat::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
                view_in(&a, tx, s).await
            })
        })
        .await?;
    // An offer is not held up by a count of the others.
    again(app, &v, Fresh::AsSeen).await
}

/// The seats of a hall.
pub async fn list(app: &App, hall: HallId) -> Result<Vec<SeatView>, AppError> {
    let (a, h) = (app.clone(), hall.clone());
    let seats = app
        .read(|tx| {
            Box::pin(async move {
                let mut out = vec![];
                for s in seat::of_hall(tx, &h).await? {
                    out.push(view_in(&a, tx, s).await?);
                }
                Ok(out)
            })
        })
        .await?;
    let hall = hall_now::get(app, &hall, Fresh::Now).await?;
    let now = app.now();
    Ok(seats
        .into_iter()
        .map(|v| with_queues(v, &hall, now))
        .collect())
}
