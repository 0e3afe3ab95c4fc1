//! Who gets how much of a page's network: sound first and untouched, then the main picture, then the others.
//!
//! Pure: time (µs) and rates come in, levels go out. Down at once when the network is congested, else after a patience in which the
//! senders may follow the cap that they are told ([`Budget::share`]); up slowly and with room to spare. A picture that no camera can
//! make small enough is tried again after a while, each time later.

use crate::config::PICTURE_LEAST;
use crate::estimate::Estimate;

/// What of a picture's stream is forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Level {
    Paused,
    /// The base layer: fewer pictures a second.
    Thin,
    #[default]
    Full,
}

/// A picture that could be forwarded; the first of a list is the main one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Picture {
    /// The slot.
    pub id: usize,
    /// What its sender makes (bit/s).
    pub full: u32,
    /// Its base layer (bit/s); none: there are no layers.
    pub thin: Option<u32>,
}

/// More than what is there by this factor is borne for a while.
const BORNE: f64 = 1.1;
/// For that long: a sender that is told of less follows within this (µs).
const PATIENCE_US: u64 = 1_500_000;
/// More by this factor while the network is congested: now.
const SEVERE: f64 = 1.5;
/// To go up, this much room, for this long (µs).
const ROOM: f64 = 1.25;
const ROOM_US: u64 = 4_000_000;
/// For a paused picture whose sender has followed: it makes half of what it made (µs).
const FOLLOWED_US: u64 = 1_000_000;
/// A paused picture is tried again after this (µs), when the network has been calm for the last part of it.
const TRIAL_US: u64 = 10_000_000;
const TRIAL_MOST_US: u64 = 60_000_000;
const CALM_US: u64 = 5_000_000;
/// A trial that lasted so long has succeeded (µs).
const LASTED_US: u64 = 20_000_000;
/// Others' part of what there is, at most.
const OTHERS: f64 = 0.4;
/// A sender is told of a little less than there is.
const TOLD: f64 = 0.95;

/// What a slot has.
#[derive(Debug)]
struct Given {
    id: usize,
    level: Level,
    /// What its sender made when it was paused (bit/s).
    was: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Budget {
    levels: Vec<Given>,
    over_since: Option<u64>,
    room_since: Option<u64>,
    paused_at: u64,
    resumed_at: Option<u64>,
    trial_us: u64,
}

fn cost(picture: &Picture, level: Level) -> f64 {
    match level {
        Level::Paused => 0.0,
        Level::Thin => f64::from(picture.thin.unwrap_or(picture.full)),
        Level::Full => f64::from(picture.full),
    }
}

impl Budget {
    pub(crate) fn level(&self, id: usize) -> Level {
        let found = self.levels.iter().find(|g| g.id == id);
        found.map_or(Level::default(), |g| g.level)
    }

    fn set(&mut self, id: usize, level: Level, was: u32) {
        self.levels.retain(|g| g.id != id);
        self.levels.push(Given { id, level, was });
    }

    fn need(&self, pictures: &[Picture]) -> f64 {
        pictures.iter().map(|p| cost(p, self.level(p.id))).sum()
    }

    /// The next step down: others before the main picture, smaller before none, the last one first.
    fn down(&self, pictures: &[Picture]) -> Option<(usize, Level)> {
        let (main, others) = pictures.split_first()?;
        let thin = |p: &&Picture| p.thin.is_some() && self.level(p.id) == Level::Full;
        let shown = |p: &&Picture| self.level(p.id) != Level::Paused;
        let last = others.iter().rev();
        let thinner = last.clone().find(thin).map(|p| (p.id, Level::Thin));
        let paused = last.clone().find(shown).map(|p| (p.id, Level::Paused));
        thinner
            .or(paused)
            .or_else(|| thin(&main).then_some((main.id, Level::Thin)))
            .or_else(|| shown(&main).then_some((main.id, Level::Paused)))
    }

    /// The next step up: the way down, back.
    fn up(&self, pictures: &[Picture]) -> Option<(usize, Level)> {
        let (main, others) = pictures.split_first()?;
        let next = |p: &Picture| match self.level(p.id) {
            Level::Paused if p.thin.is_some() => Some((p.id, Level::Thin)),
            Level::Paused | Level::Thin => Some((p.id, Level::Full)),
            Level::Full => None,
        };
        let paused = others.iter().find(|p| self.level(p.id) == Level::Paused);
        next(main)
            .or_else(|| paused.and_then(next))
            .or_else(|| others.iter().find_map(next))
    }

    /// Takes in what is known now; `true` if a level changed. `sound` is what the page's sounds take (bit/s).
    pub(crate) fn decide(
        &mut self,
        now: u64,
        estimate: Estimate,
        sound: u32,
        pictures: &[Picture],
    ) -> bool {
        self.levels
            .retain(|g| pictures.iter().any(|p| p.id == g.id));
        let there = f64::from(estimate.bitrate.saturating_sub(sound));
        let need = self.need(pictures);
        if need > there * BORNE {
            self.room_since = None;
            let since = *self.over_since.get_or_insert(now);
            let severe = estimate.congested && need > there * SEVERE;
            if !severe && now.saturating_sub(since) < PATIENCE_US {
                return false;
            }
            self.over_since = None;
            return self.step_down(now, there, severe, pictures);
        }
        self.over_since = None;
        self.step_up(now, there, estimate, pictures)
    }

    fn step_down(&mut self, now: u64, there: f64, severe: bool, pictures: &[Picture]) -> bool {
        let mut changed = false;
        while self.need(pictures) > there
            && let Some((id, level)) = self.down(pictures)
        {
            let was = pictures.iter().find(|p| p.id == id).map_or(0, |p| p.full);
            self.set(id, level, was);
            changed = true;
            if level == Level::Paused {
                let failed = self
                    .resumed_at
                    .take()
                    .is_some_and(|at| now.saturating_sub(at) < LASTED_US);
                self.trial_us = if failed {
                    (self.trial_us * 2).min(TRIAL_MOST_US)
                } else {
                    TRIAL_US
                };
                self.paused_at = now;
            }
            if !severe {
                break;
            }
        }
        changed
    }

    fn step_up(&mut self, now: u64, there: f64, estimate: Estimate, pictures: &[Picture]) -> bool {
        let Some((id, level)) = self.up(pictures) else {
            self.room_since = None;
            return false;
        };
        let Some(picture) = pictures.iter().find(|p| p.id == id) else {
            return false;
        };
        let present = self.level(id);
        let after = self.need(pictures) - cost(picture, present) + cost(picture, level);
        let after = after.max(f64::from(PICTURE_LEAST));
        let roomy = after * ROOM <= there && !estimate.congested;
        if !roomy {
            self.room_since = None;
        }
        let since = roomy.then(|| *self.room_since.get_or_insert(now));
        let was = self.levels.iter().find(|g| g.id == id).map_or(0, |g| g.was);
        let followed = present == Level::Paused && picture.full <= was / 2;
        let wait = if followed { FOLLOWED_US } else { ROOM_US };
        let trial = present == Level::Paused
            && now.saturating_sub(self.paused_at) >= self.trial_us
            && estimate.calm_us >= CALM_US;
        if since.is_none_or(|s| now.saturating_sub(s) < wait) && !trial {
            return false;
        }
        if present == Level::Paused {
            self.resumed_at = Some(now);
            // Another that waits gets its own time.
            self.paused_at = now;
        }
        self.room_since = None;
        self.set(id, level, 0);
        true
    }

    /// The most that the sender of a picture should make (bit/s) as far as this page is concerned.
    pub(crate) fn share(
        &self,
        id: usize,
        estimate: Estimate,
        sound: u32,
        pictures: &[Picture],
    ) -> u32 {
        let told = match self.level(id) {
            // Small enough for the whole of it to come back: a slower picture serves better than half of a finer one.
            Level::Thin => TOLD / ROOM,
            Level::Paused | Level::Full => TOLD,
        };
        let there = f64::from(estimate.bitrate.saturating_sub(sound)) * told;
        let shown = |p: &&Picture| self.level(p.id) != Level::Paused;
        let others = pictures.iter().skip(1).filter(shown).count();
        let main = pictures.first().is_some_and(|p| p.id == id);
        let share = if self.level(id) == Level::Paused {
            0.0
        } else if main {
            let taken: f64 = pictures[1..]
                .iter()
                .map(|p| cost(p, self.level(p.id)))
                .sum();
            (there - taken).max(there * (1.0 - OTHERS))
        } else {
            there * OTHERS / others.max(1) as f64
        };
        (share as u32).max(PICTURE_LEAST)
    }
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;
