//! Which legal steps are open: the pure rule behind every lock (录制门).

use super::State;
use crate::{
    catalogue::{Asks, LegalStep, RecordingRule},
    error::Rejected,
};

/// A prompt that was read in the newest recording, and its answer if there is one (`true`: yes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read<'a> {
    pub prompt: &'a str,
    pub answer: Option<bool>,
}

/// Whether a step may be done now. A step that the item does not name is open.
///
/// # Errors
/// `recording_not_live`: the newest recording is not proven live; `prompts_unread`: the signature comes after the prompts that
/// the item puts before it, with a yes where one is asked for.
pub fn check(
    rule: Option<&RecordingRule>,
    step: LegalStep,
    newest: Option<State>,
    read: &[Read<'_>],
) -> Result<(), Rejected> {
    let Some(rule) = rule else { return Ok(()) };
    if rule.steps.contains(&step) && newest != Some(State::Live) {
        return Err(Rejected::new("recording_not_live"));
    }
    let before_signing = step == LegalStep::Sign && !prompts_done(rule, read);
    if before_signing {
        return Err(Rejected::new("prompts_unread"));
    }
    Ok(())
}

/// Whether a card that was read may count. `recorded`: while a recording of the session was proven live that was not taken back.
#[must_use]
pub fn card_counts(rule: Option<&RecordingRule>, recorded: bool) -> bool {
    recorded || rule.is_none_or(|r| !r.steps.contains(&LegalStep::Identify))
}

/// Every prompt that stands before the signature is read, with a yes where one is asked for.
#[must_use]
pub fn prompts_done(rule: &RecordingRule, read: &[Read<'_>]) -> bool {
    rule.script.iter().filter(|p| p.gate).all(|p| {
        read.iter().any(|r| {
            r.prompt == p.id
                && match p.asks {
                    Asks::None => true,
                    Asks::YesNo => r.answer == Some(true),
                }
        })
    })
}
