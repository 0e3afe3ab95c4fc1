//! A queue's rule: data that an administrator edits, checked as a whole before it is kept.

use super::{
    LEVEL_MAX,
    demand::{is_reserved, is_skill_code},
};
use crate::{
    calendar::{Calendar, Hours, hours_overlap, open_at},
    error::Rejected,
    id::{HallId, Id as _},
    time::{Span, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Skills that a queue may require.
pub const REQUIRED_MAX: usize = 5;
/// Steps of relaxation.
pub const STEPS_MAX: usize = 8;
/// Lines of opening hours.
pub const HOURS_MAX: usize = 14;
/// Latest step (seconds of waiting).
pub const STEP_MAX_S: u32 = 3_600;
/// Longest hold for a preferred agent or pair (seconds): a longer one would cost the citizen more than it gives.
pub const PREFER_MAX_S: u32 = 600;

/// A skill and how well it must be mastered, 1 to 5.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkillLevel {
    pub code: String,
    pub level: u8,
}

/// What is eased after a wait; steps add up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Seconds since the ticket was enqueued.
    pub after_s: u32,
    /// Skills no longer asked for; an access need goes only when it is named here.
    #[serde(default)]
    pub drop: Vec<String>,
    /// Higher levels come down to this one.
    #[serde(default)]
    pub min_level: Option<u8>,
    /// A hall (id) that may serve it too (跨域通办).
    #[serde(default)]
    pub overflow: Option<String>,
}

impl Step {
    #[must_use]
    pub fn after(&self) -> Span {
        Span::seconds(i64::from(self.after_s))
    }
}

/// Holds for people who know the matter; zero: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Prefer {
    /// Seconds for the agent who served this citizen last.
    pub last_agent_s: u32,
    /// Seconds for the AB pair, after that hold; B at once when A is not ready.
    pub pair_s: u32,
}

const fn ring_s() -> u32 {
    30
}
const fn wrap_up_s() -> u32 {
    90
}
const fn text_slots() -> u8 {
    1
}

/// One queue's rule, kept as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub required: Vec<SkillLevel>,
    #[serde(default)]
    pub steps: Vec<Step>,
    #[serde(default)]
    pub prefer: Prefer,
    /// Empty: the hall's own hours.
    #[serde(default)]
    pub hours: Vec<Hours>,
    #[serde(default = "wrap_up_s")]
    pub wrap_up_s: u32,
    #[serde(default = "ring_s")]
    pub ring_s: u32,
    /// Text sessions that one agent may hold at once.
    #[serde(default = "text_slots")]
    pub text_slots: u8,
}

impl Rule {
    /// A queue that asks for one skill and never relaxes.
    #[must_use]
    pub fn of_skill(code: &str) -> Self {
        Self {
            required: vec![SkillLevel {
                code: code.to_owned(),
                level: 1,
            }],
            steps: vec![],
            prefer: Prefer::default(),
            hours: vec![],
            wrap_up_s: wrap_up_s(),
            ring_s: ring_s(),
            text_slots: text_slots(),
        }
    }

    /// Whether this queue is open; `None` when it has no hours of its own and the hall's count.
    ///
    /// # Errors
    /// `calendar_missing`.
    pub fn open_at(&self, calendar: &Calendar, now: Timestamp) -> Result<Option<bool>, Rejected> {
        if self.hours.is_empty() {
            return Ok(None);
        }
        open_at(&self.hours, calendar, now).map(Some)
    }

    /// Every fault at once, each with a JSON pointer into the rule. `known`: the skills of the catalogue; `hall`: the hall
    /// whose queue this is.
    ///
    /// # Errors
    /// `rule_too_large`, `rule_skill_unknown`, `rule_skill_reserved`, `rule_skill_twice`, `rule_level`, `rule_steps_order`, `rule_step_empty`,
    /// `rule_drop_unasked`, `rule_overflow_self`, `rule_overflow_invalid`, `rule_overflow_twice`, `hours_invalid`,
    /// `hours_overlap`, `rule_seconds`.
    pub fn check(&self, known: &BTreeSet<String>, hall: &HallId) -> Result<(), Vec<Rejected>> {
        let mut faults = vec![];
        // First of all the counts: what is too large is not looked at further.
        for (name, n, max) in [
            ("required", self.required.len(), REQUIRED_MAX),
            ("steps", self.steps.len(), STEPS_MAX),
            ("hours", self.hours.len(), HOURS_MAX),
        ] {
            if n > max {
                faults.push(Rejected::at("rule_too_large", format!("/{name}")));
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        self.check_required(known, &mut faults);
        self.check_steps(known, hall, &mut faults);
        self.check_hours(&mut faults);
        let seconds = [
            (
                "/prefer/last_agent_s",
                self.prefer.last_agent_s,
                0,
                PREFER_MAX_S,
            ),
            ("/prefer/pair_s", self.prefer.pair_s, 0, PREFER_MAX_S),
            ("/wrap_up_s", self.wrap_up_s, 0, 900),
            ("/ring_s", self.ring_s, 10, 120),
            ("/text_slots", u32::from(self.text_slots), 1, 8),
        ];
        for (at, v, min, max) in seconds {
            if !(min..=max).contains(&v) {
                faults.push(Rejected::at("rule_seconds", at));
            }
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }

    fn check_required(&self, known: &BTreeSet<String>, faults: &mut Vec<Rejected>) {
        for (i, s) in self.required.iter().enumerate() {
            if is_reserved(&s.code) {
                faults.push(Rejected::at(
                    "rule_skill_reserved",
                    format!("/required/{i}/code"),
                ));
            } else if !is_skill_code(&s.code) || !known.contains(&s.code) {
                faults.push(Rejected::at(
                    "rule_skill_unknown",
                    format!("/required/{i}/code"),
                ));
            }
            if self.required[..i].iter().any(|o| o.code == s.code) {
                faults.push(Rejected::at(
                    "rule_skill_twice",
                    format!("/required/{i}/code"),
                ));
            }
            if !(1..=LEVEL_MAX).contains(&s.level) {
                faults.push(Rejected::at("rule_level", format!("/required/{i}/level")));
            }
        }
    }

    fn check_steps(&self, known: &BTreeSet<String>, hall: &HallId, faults: &mut Vec<Rejected>) {
        let mut before = 0;
        let mut overflows = 0;
        for (i, s) in self.steps.iter().enumerate() {
            let mut fault = |code, at: &str| {
                faults.push(Rejected::at(code, format!("/steps/{i}{at}")));
            };
            if s.after_s <= before || s.after_s > STEP_MAX_S {
                fault("rule_steps_order", "/after_s");
            }
            before = s.after_s;
            if s.drop.is_empty() && s.min_level.is_none() && s.overflow.is_none() {
                fault("rule_step_empty", "");
            }
            if s.drop.len() > super::DEMAND_SKILLS_MAX {
                fault("rule_too_large", "/drop");
                continue;
            }
            for (j, code) in s.drop.iter().enumerate() {
                if is_reserved(code) {
                    fault("rule_skill_reserved", &format!("/drop/{j}"));
                } else if !known.contains(code) {
                    fault("rule_skill_unknown", &format!("/drop/{j}"));
                } else if !code.contains(':') && !self.required.iter().any(|r| r.code == *code) {
                    // A need or a language comes with the ticket; a plain skill only with the rule.
                    fault("rule_drop_unasked", &format!("/drop/{j}"));
                }
            }
            if s.min_level.is_some_and(|l| !(1..=LEVEL_MAX).contains(&l)) {
                fault("rule_level", "/min_level");
            }
            if let Some(to) = &s.overflow {
                overflows += 1;
                if HallId::parse(to).is_none() {
                    fault("rule_overflow_invalid", "/overflow");
                } else if to == hall.as_str() {
                    fault("rule_overflow_self", "/overflow");
                } else if overflows > 1 {
                    // One other hall: a second would take the ticket away from the first.
                    fault("rule_overflow_twice", "/overflow");
                }
            }
        }
    }

    fn check_hours(&self, faults: &mut Vec<Rejected>) {
        for (i, h) in self.hours.iter().enumerate() {
            if h.from >= h.to {
                faults.push(Rejected::at("hours_invalid", format!("/hours/{i}")));
            } else if self.hours[..i].iter().any(|o| hours_overlap(o, h)) {
                faults.push(Rejected::at("hours_overlap", format!("/hours/{i}")));
            }
        }
    }
}
