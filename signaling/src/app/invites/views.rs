//! An invitation as it is shown: to the seat that rings, to the session's agent, and the names of guests.
//!
//! Never decides: what it may become is the domain's.

use crate::{
    app::App,
    problem::{AppError, no},
};
use domain::{
    id::{InviteId, MemberId, SeatId},
    invite::{self as rule, Kind},
    time::Timestamp,
};
use protocol::{Bilingual, HallRef, InviteKind, InviteState, InviteView};
use std::collections::HashMap;
use store::{Tx, catalogue, hall, invite, seat, session, staff};

pub(super) const fn kind_of(k: InviteKind) -> Kind {
    match k {
        InviteKind::Consult => Kind::Consult,
        InviteKind::Join => Kind::Join,
        InviteKind::Guest => Kind::Guest,
        InviteKind::TransferWarm => Kind::TransferWarm,
        InviteKind::TransferCold => Kind::TransferCold,
    }
}

pub(super) const fn kind_view(k: Kind) -> InviteKind {
    match k {
        Kind::Consult => InviteKind::Consult,
        Kind::Join => InviteKind::Join,
        Kind::Guest => InviteKind::Guest,
        Kind::TransferWarm => InviteKind::TransferWarm,
        Kind::TransferCold => InviteKind::TransferCold,
    }
}

pub(super) const fn state_view(s: rule::State) -> InviteState {
    match s {
        rule::State::Ringing => InviteState::Ringing,
        rule::State::Accepted => InviteState::Accepted,
        rule::State::Introduced => InviteState::Introduced,
        rule::State::Done => InviteState::Done,
        rule::State::Declined => InviteState::Declined,
        rule::State::TimedOut => InviteState::TimedOut,
        rule::State::Cancelled => InviteState::Cancelled,
        rule::State::Returned => InviteState::Returned,
    }
}

async fn view_of(tx: &mut Tx, i: invite::Invite) -> Result<InviteView, AppError> {
    let s = session::get(tx, &i.session_id)
        .await?
        .ok_or_else(|| no("not_found"))?;
    let from = staff::get(tx, &i.by_staff).await?.map(|x| x.name);
    let there = match &i.seat_id {
        Some(id) => seat::get(tx, id).await?.map(|x| x.hall_id),
        None => None,
    };
    let here = seat::get(tx, &i.by_seat).await?.map(|x| x.hall_id);
    let from_hall = match here {
        Some(h) if there.is_some_and(|t| t != h) => hall::get(tx, &h).await?.map(hall_ref),
        _ => None,
    };
    let to = match &i.staff_id {
        Some(id) => staff::get(tx, id).await?.map(|x| x.name),
        None => None,
    };
    Ok(InviteView {
        id: i.id.to_string(),
        version: i.version,
        kind: kind_view(i.kind),
        state: state_view(i.state),
        session: i.session_id.to_string(),
        target: serde_json::from_str(&i.target).map_err(|_| no("internal"))?,
        from: from.unwrap_or_default(),
        from_hall,
        to,
        seat: i.seat_id.map(|x| x.to_string()),
        member: i.member_id.map(|m| m.to_string()),
        item_title: item_title(tx, s.item.as_deref()).await?,
        item: s.item,
        interpreter: i.interpreter,
        asked_at: i.asked_at.rfc3339(),
        until: i.due_at.map(Timestamp::rfc3339),
    })
}

pub(super) fn hall_ref(h: hall::Hall) -> HallRef {
    HallRef {
        id: h.id.to_string(),
        name: Bilingual {
            zh: h.name_zh,
            en: h.name_en,
        },
    }
}

/// The published item's name.
pub(in crate::app) async fn item_title(
    tx: &mut Tx,
    item: Option<&str>,
) -> Result<Option<Bilingual>, AppError> {
    let Some(item) = item else { return Ok(None) };
    Ok(catalogue::get_published(tx, item)
        .await?
        .and_then(|d| serde_json::from_str::<domain::catalogue::Item>(&d.doc).ok())
        .map(|i| Bilingual {
            zh: i.name.zh,
            en: i.name.en,
        }))
}

pub(super) async fn view(app: &App, id: InviteId) -> Result<InviteView, AppError> {
    app.read(|tx| {
        Box::pin(async move {
            let i = invite::get(tx, &id).await?.ok_or_else(|| no("not_found"))?;
            view_of(tx, i).await
        })
    })
    .await
}

/// What rings for help at a seat, or the help that it gives.
pub async fn at_seat(tx: &mut Tx, id: &SeatId) -> Result<Option<InviteView>, AppError> {
    match invite::live_of_seat(tx, id).await? {
        Some(i) => view_of(tx, i).await.map(Some),
        None => Ok(None),
    }
}

/// Those under way, for the session's agent.
pub async fn views(tx: &mut Tx, s: &session::Session) -> Result<Vec<InviteView>, AppError> {
    let mut out = vec![];
    for i in invite::live(tx, &s.id).await? {
        out.push(view_of(tx, i).await?);
    }
    Ok(out)
}

/// Names that guests typed, opened.
pub async fn guest_names(
    app: &App,
    tx: &mut Tx,
    s: &session::Session,
    members: &[session::Member],
) -> Result<HashMap<MemberId, String>, AppError> {
    let sealed: Vec<_> = members
        .iter()
        .filter_map(|m| Some((m.id.clone(), m.name_enc.as_ref()?)))
        .collect();
    if sealed.is_empty() {
        return Ok(HashMap::new());
    }
    let key = app.vault.key(tx, &s.key_id).await?;
    sealed
        .into_iter()
        .map(|(id, n)| Ok((id, key.open::<String>(n)?)))
        .collect()
}
