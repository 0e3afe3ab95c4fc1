//! The check before a call: a page connects to the media port as a call would, in a room of one where nothing is forwarded.
//!
//! Owns the table of these rooms and their end. They have no lease and no row: they live on the node that answered, whose own
//! candidates the answer names. Limits: [`limits::CHECK_ROOMS`], [`limits::CHECK_LIFE`], and rates by caller; who has no token
//! shares one small budget and [`limits::STRANGERS_ROOMS`] with all others who have none, so that strangers never cost a caller theirs.

use super::{App, media::refused, rates::Rates, relay::Relay, token::Principal, vault};
use crate::problem::{AppError, no};
use domain::{limits, time::Timestamp};
use media::{Engine as _, MemberRole};
use protocol::{CheckAnswer, CheckOffer};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// No ticket's id begins so.
const PREFIX: &str = "check:";
/// The one member.
const MEMBER: &str = "page";

/// How pages reach this node's media, and who may try it how often.
#[derive(Default)]
pub struct Reach {
    pub relay: Relay,
    pub rates: Rates,
    rooms: Mutex<Vec<Room>>,
}

struct Room {
    name: String,
    until: Timestamp,
    /// Opened by somebody without a token.
    stranger: bool,
}

impl Reach {
    #[must_use]
    pub fn new(relay: Relay) -> Self {
        Self {
            relay,
            ..Self::default()
        }
    }
    fn rooms(&self) -> MutexGuard<'_, Vec<Room>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Sets a room aside; `None` when there are enough.
    fn open(&self, until: Timestamp, stranger: bool) -> Option<String> {
        let mut rooms = self.rooms();
        let strangers = rooms.iter().filter(|r| r.stranger).count();
        if rooms.len() >= limits::CHECK_ROOMS || stranger && strangers >= limits::STRANGERS_ROOMS {
            return None;
        }
        let name = format!("{PREFIX}{}", domain::audit::hex(&vault::random::<8>()));
        rooms.push(Room {
            name: name.clone(),
            until,
            stranger,
        });
        Some(name)
    }
    fn forget(&self, room: &str) {
        self.rooms().retain(|r| r.name != room);
    }
    fn past(&self, now: Timestamp) -> Vec<String> {
        let mut rooms = self.rooms();
        let (past, rest): (Vec<Room>, _) = rooms.drain(..).partition(|r| r.until <= now);
        *rooms = rest;
        past.into_iter().map(|r| r.name).collect()
    }
}

/// Whether a room of the media plane is a check's.
#[must_use]
pub fn owns(room: &str) -> bool {
    room.starts_with(PREFIX)
}

/// Answers one connection of a check. Codes: `too_large`, `sdp_invalid`, `codec_unsupported`, `slow_down`, `media_unavailable`.
pub async fn offer(
    app: &App,
    who: Option<&Principal>,
    body: CheckOffer,
) -> Result<CheckAnswer, AppError> {
    if body.sdp.len() > limits::WS_MESSAGE_BYTES / 2 {
        return Err(no("too_large"));
    }
    let engine = app
        .media
        .engine()
        .ok_or_else(|| no("media_unavailable"))?
        .clone();
    let now = app.now();
    match who {
        Some(w) => app
            .reach
            .rates
            .take("check", w.name(), limits::CHECKS_PER_MIN, now)?,
        None => app
            .reach
            .rates
            .take("check", "", limits::STRANGERS_PER_MIN, now)?,
    }
    let until = now + limits::CHECK_LIFE;
    let room = app.reach.open(until, who.is_none());
    let room = room.ok_or_else(|| no("slow_down"))?;
    match engine
        .offer(&room, MEMBER, MemberRole::Citizen, &body.sdp)
        .await
    {
        Ok(sdp) => Ok(CheckAnswer {
            sdp,
            expires_at: until.rfc3339(),
        }),
        Err(e) => {
            app.reach.forget(&room);
            Err(refused(&e))
        }
    }
}

async fn close(app: &App, room: &str) {
    if let Some(engine) = app.media.engine() {
        engine.close_room(room).await;
    }
}

/// The page is done with it: its place is free for the next.
pub async fn left(app: &App, room: &str) {
    app.reach.forget(room);
    close(app, room).await;
}

/// Closes the rooms whose time is over.
pub async fn due(app: &App) -> Result<(), AppError> {
    for room in app.reach.past(app.now()) {
        close(app, &room).await;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use domain::time::Span;

    #[test]
    fn rooms_are_few_and_end() {
        let (r, t) = (Reach::default(), Timestamp::from_millis(0));
        let until = t + limits::CHECK_LIFE;
        let strangers = |n| n < limits::STRANGERS_ROOMS;
        let all: Vec<String> = (0..limits::CHECK_ROOMS)
            .map(|n| r.open(until, strangers(n)).unwrap())
            .collect();
        assert!(all.iter().all(|room| owns(room)) && r.open(until, false).is_none());
        r.forget(&all[limits::STRANGERS_ROOMS]);
        assert!(
            r.open(until, true).is_none(),
            "a caller's place is no stranger's"
        );
        let free = r.open(until, false).unwrap();
        r.forget(&all[0]);
        r.forget(&free);
        let late = r.open(until + Span::seconds(1), true).unwrap();
        let past = r.past(until);
        assert_eq!(past.len(), limits::CHECK_ROOMS - 2);
        assert_eq!(r.past(until + Span::seconds(1)), [late]);
    }
}
