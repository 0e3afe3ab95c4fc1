//! What a ticket asks of a seat, and how that relaxes while it waits (bullseye routing).
//!
//! Owns the queue's rule (data, checked when it is kept), the demand of a ticket at a moment, and when it changes next.
//! Never picks a seat (`pairing` does) and never looks at a clock: waiting times come in. A later stage never asks more
//! than an earlier one, and an access need goes only where the rule names it.
//!
//! `routing/demand.rs` the demand and its canonical text · `routing/rule.rs` the rule and its faults.

mod demand;
mod rule;

pub use demand::{
    DEMAND_SKILLS_MAX, Demand, KEY_BYTES, ONLY_MAX, SKILL_CODE_BYTES, TEXT_SKILL, is_reserved,
    is_skill_code,
};
pub use rule::{
    HOURS_MAX, PREFER_MAX_S, Prefer, REQUIRED_MAX, Rule, STEP_MAX_S, STEPS_MAX, SkillLevel, Step,
};

use crate::{error::Rejected, time::Span};
use std::collections::BTreeMap;

/// Access needs that one ticket may carry.
pub const NEEDS_MAX: usize = 4;
/// Levels of a skill: 1 knows it, 5 masters it.
pub const LEVEL_MAX: u8 = 5;

/// Who should serve this citizen first, as staff ids. Hand in only staff who are on duty: a hold for somebody who went
/// home keeps the citizen waiting for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preferred {
    /// Who served this citizen or case last.
    pub last_agent: Option<String>,
    /// AB seats (主办, 协办) in order: B is offered the ticket at once when A is not ready.
    pub pair: Vec<String>,
}

/// What holds after a wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    pub demand: Demand,
    /// Another hall that may serve it from now on too (its consent is the server's business).
    pub overflow: Option<String>,
    /// The wait, counted from the enqueue time, at which the next stage begins; `None`: this is the last.
    pub next_after: Option<Span>,
}

/// A ticket's way through the stages of its queue's rule.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    rule: &'a Rule,
    base: BTreeMap<String, u8>,
    /// Windows for preferred staff: until when (wait) only these.
    windows: Vec<(Span, Vec<String>)>,
}

impl<'a> Plan<'a> {
    /// `needs` are the ticket's access needs (`sign_language` or `need:sign_language`) that have to be met by a skill of
    /// the seat; `language` is `en`, `lang:en` or `dialect:yiyang`. The rule is one that passed [`Rule::check`].
    ///
    /// # Errors
    /// `demand_invalid`: a malformed code, too many needs, an id that is no staff id, or a pair of more than two.
    pub fn new(
        rule: &'a Rule,
        needs: &[String],
        language: Option<&str>,
        preferred: &Preferred,
    ) -> Result<Self, Rejected> {
        let bad = || Rejected::new("demand_invalid");
        if needs.len() > NEEDS_MAX || preferred.pair.len() > 2 {
            return Err(bad());
        }
        let mut base: BTreeMap<String, u8> = BTreeMap::new();
        let asked = rule
            .required
            .iter()
            .map(|s| (s.code.clone(), s.level))
            .chain(needs.iter().map(|n| (coded("need", n), 1)))
            .chain(language.map(|l| (coded("lang", l), 1)));
        for (code, level) in asked {
            let had = base.entry(code).or_insert(level);
            *had = level.max(*had);
        }
        let windows = windows(rule, preferred);
        // Every stage asks for a part of this, so what is well formed here is so later.
        Demand::new(
            base.clone(),
            windows.last().map(|w| w.1.clone()).unwrap_or_default(),
        )?;
        Ok(Self {
            rule,
            base,
            windows,
        })
    }

    /// What holds after waiting so long. A pure function of the wait: the same at every look.
    #[must_use]
    pub fn at(&self, waited: Span) -> Stage {
        let (demand, overflow) = self.holds(waited);
        // The next boundary where something really changes: a step that changes nothing for this ticket wakes nobody.
        let mut marks: Vec<Span> = self
            .windows
            .iter()
            .map(|w| w.0)
            .chain(self.rule.steps.iter().map(Step::after))
            .filter(|m| *m > waited)
            .collect();
        marks.sort();
        let next_after = marks
            .into_iter()
            .find(|m| self.holds(*m) != (demand.clone(), overflow.clone()));
        Stage {
            demand,
            overflow,
            next_after,
        }
    }

    fn holds(&self, waited: Span) -> (Demand, Option<String>) {
        let mut skills = self.base.clone();
        let mut overflow = None;
        for s in self.rule.steps.iter().filter(|s| s.after() <= waited) {
            skills.retain(|code, _| !s.drop.contains(code));
            if let Some(min) = s.min_level {
                skills.values_mut().for_each(|l| *l = min.min(*l));
            }
            // Once open to another hall, it stays open to it.
            overflow = overflow.or_else(|| s.overflow.clone());
        }
        let only = self
            .windows
            .iter()
            .find(|w| waited < w.0)
            .map(|w| w.1.clone())
            .unwrap_or_default();
        (Demand::unchecked(skills, only), overflow)
    }
}

/// First the last agent alone, then the last agent and the pair, then everybody: each window holds whom the one before
/// held, so nobody who could have been offered the ticket loses it by the passing of time.
fn windows(rule: &Rule, preferred: &Preferred) -> Vec<(Span, Vec<String>)> {
    let mut out: Vec<(Span, Vec<String>)> = vec![];
    let mut until = 0;
    let mut only: Vec<String> = vec![];
    if let Some(last) = &preferred.last_agent
        && rule.prefer.last_agent_s > 0
    {
        until += i64::from(rule.prefer.last_agent_s);
        only.push(last.clone());
        out.push((Span::seconds(until), only.clone()));
    }
    if !preferred.pair.is_empty() && rule.prefer.pair_s > 0 {
        until += i64::from(rule.prefer.pair_s);
        only.extend(preferred.pair.iter().cloned());
        let mut seen = std::collections::BTreeSet::new();
        only.retain(|o| seen.insert(o.clone()));
        out.push((Span::seconds(until), only));
    }
    out
}

/// A bare word as a skill code of its kind; a code that names its kind already stays.
fn coded(kind: &str, word: &str) -> String {
    if word.contains(':') {
        word.to_owned()
    } else {
        format!("{kind}:{word}")
    }
}

#[cfg(test)]
mod tests;
