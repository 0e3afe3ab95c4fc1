//! What each page's network takes, shared out: levels for its slots, caps for those who send to it.
//!
//! Runs when a page has reported, a few times a second; the packet path only reads each slot's level.

use super::{Conn, Room, lock};
use crate::budget::{Budget, Level, Picture};
use crate::estimate::Estimate;
use crate::event::Kind;
use crate::publish::Publisher;
use std::sync::Arc;
use std::time::Instant;

/// Of one connection.
pub(super) struct Allot {
    began: Instant,
    budget: Budget,
    /// Nothing comes from the page: no picture is sent to it.
    quiet: bool,
}

impl Default for Allot {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            budget: Budget::default(),
            quiet: false,
        }
    }
}

/// Room for sounds even while nobody speaks (bit/s each).
const SOUND_LEAST: u32 = 24_000;

impl Room {
    /// A member's page has told what its network takes.
    pub(crate) fn estimated(&self, member: &str, epoch: u64, estimate: Estimate) {
        self.estimated_at(member, epoch, None, estimate);
    }

    /// `at`: on the clock of the connection's allotment (µs); none: now.
    pub(crate) fn estimated_at(
        &self,
        member: &str,
        epoch: u64,
        at: Option<u64>,
        estimate: Estimate,
    ) {
        let tighter: Vec<Arc<Publisher>> = {
            let mut state = lock(&self.state);
            if !state.live {
                return;
            }
            let Some(conn) = state.conn(member, epoch) else {
                return;
            };
            let (changed, tighter) = allot(conn, at, estimate);
            if changed {
                self.tell_slots(member, conn);
            }
            let of = |id: &String| Some(state.member(id)?.conn.as_ref()?.publisher.clone());
            tighter.iter().filter_map(of).collect()
        };
        // Less is told at once; more can wait for the next round.
        for publisher in tighter {
            publisher.cap();
        }
    }
}

/// A page from which nothing comes gets no pictures, so that none are in the way when it is back; then they go on as before, each from a
/// keyframe on.
pub(super) fn quiet(conn: &mut Conn, quiet: bool) {
    conn.allot.quiet = quiet;
    for assigned in conn.slots.iter().filter(|s| s.slot.kind == Kind::Video) {
        let level = if quiet {
            Level::Paused
        } else {
            conn.allot.budget.level(assigned.slot.index)
        };
        assigned.slot.set_level(level);
    }
}

/// Sets levels and shares; whether a level changed, and whose share fell.
fn allot(conn: &mut Conn, at: Option<u64>, estimate: Estimate) -> (bool, Vec<String>) {
    let now = at.unwrap_or_else(|| conn.allot.began.elapsed().as_micros() as u64);
    let (mut sound, mut pictures) = (0u32, Vec::new());
    for assigned in conn.slots.iter().filter(|s| s.carries.is_some()) {
        let rates = assigned.slot.gate(|gate| gate.rates(now));
        match assigned.slot.kind {
            Kind::Audio => sound = sound.saturating_add(rates.full.max(SOUND_LEAST)),
            Kind::Video if rates.full > 0 => pictures.push(Picture {
                id: assigned.slot.index,
                full: rates.full,
                thin: rates.thin,
            }),
            Kind::Video => {}
        }
    }
    let budget = &mut conn.allot.budget;
    let changed = budget.decide(now, estimate, sound, &pictures);
    let mut tighter = Vec::new();
    for assigned in conn.slots.iter().filter(|s| s.slot.kind == Kind::Video) {
        let id = assigned.slot.index;
        let used = pictures.iter().any(|p| p.id == id);
        let level = match (conn.allot.quiet, used) {
            (true, _) => Level::Paused,
            (false, true) => budget.level(id),
            (false, false) => Level::default(),
        };
        let limited = estimate.is_limit() && assigned.carries.is_some();
        // Who makes no picture now takes nothing from the sender's others, but lifts no limit of theirs either.
        let share = limited.then(|| match used {
            true => budget.share(id, estimate, sound, &pictures),
            false => 0,
        });
        let before = assigned.slot.allot(level, share);
        let fell = match (before, share) {
            (Some(before), Some(share)) => share < before - before / 8,
            (None, Some(_)) => true,
            _ => false,
        };
        if fell && let Some((member, _)) = &assigned.carries {
            tighter.push(member.clone());
        }
    }
    (changed, tighter)
}
