//! The newest recording and its rule, for a member of the session.

use super::{gate, gate::Card, notice_of};
use crate::{app::catalogue::bilingual, problem::AppError};
use domain::{
    catalogue::{Asks, LegalStep as Step},
    invite::Member as Part,
    recording::{State, gate as rule},
    time::Timestamp,
};
use protocol::{
    AnswerKind, Bilingual, LegalStep, PromptAnswer, PromptView, RecordingNotice, RecordingRuleView,
    RecordingState, RecordingView, StepGate,
};
use store::{
    Tx,
    recording::{self as kept, Prompt, Recording},
    session,
};

/// Whether somebody with this part sees that the talk is recorded: everybody whom it could hold, and who listens to it. Who is
/// asked in private is in another talk.
pub(in crate::app) const fn sees(part: Part) -> bool {
    match part {
        Part::Citizen
        | Part::Agent
        | Part::Colleague
        | Part::Interpreter
        | Part::Guest
        | Part::Supervisor => true,
        Part::Consulted => false,
    }
}

#[must_use]
pub const fn state_view(s: State) -> RecordingState {
    match s {
        State::Asked => RecordingState::Asked,
        State::Refused => RecordingState::Refused,
        State::Starting => RecordingState::Starting,
        State::Live => RecordingState::Live,
        State::Interrupted => RecordingState::Interrupted,
        State::Sealing => RecordingState::Sealing,
        State::Sealed => RecordingState::Sealed,
        State::Deleted => RecordingState::Deleted,
    }
}

const fn step_view(s: Step) -> LegalStep {
    match s {
        Step::Identify => LegalStep::Identify,
        Step::Prompts => LegalStep::Prompts,
        Step::Sign => LegalStep::Sign,
    }
}

fn answer_view(word: &str) -> Option<PromptAnswer> {
    match word {
        "yes" => Some(PromptAnswer::Yes),
        "no" => Some(PromptAnswer::No),
        _ => None,
    }
}

fn prompt_view(id: &str, text: Bilingual, asks: AnswerKind, row: Option<&Prompt>) -> PromptView {
    let answer = row.and_then(|r| r.answer.as_ref());
    PromptView {
        id: id.to_owned(),
        text,
        asks,
        read_ms: row.map(|r| r.again_ms.unwrap_or(r.read_ms)),
        answered_ms: answer.map(|a| a.ms),
        answer: answer.and_then(|a| answer_view(&a.answer)),
        answered_by: answer.map(|a| a.by.clone()),
    }
}

fn view(r: &Recording, script: Vec<PromptView>) -> Result<RecordingView, AppError> {
    let n = notice_of(r)?;
    Ok(RecordingView {
        id: r.id.to_string(),
        state: state_view(r.state),
        version: r.version,
        notice: RecordingNotice {
            text: Bilingual {
                zh: n.text_zh,
                en: n.text_en,
            },
            policy_version: n.policy_version,
            days_routine: n.days_routine,
            days_case: n.days_case,
        },
        asked_at: r.asked_at.rfc3339(),
        answered_at: r.answered_at.map(Timestamp::rfc3339),
        started_at: r.started_at.map(Timestamp::rfc3339),
        proven_at: r.proven_at.map(Timestamp::rfc3339),
        interrupted: r.interrupted.clone(),
        ended_at: r.ended_at.map(Timestamp::rfc3339),
        end_reason: r.end_reason.clone(),
        script,
    })
}

/// The newest recording, and what the item asks for.
pub(in crate::app) async fn views(
    tx: &mut Tx,
    s: &session::Session,
    me: Part,
) -> Result<(Option<RecordingView>, Option<RecordingRuleView>), AppError> {
    if !sees(me) {
        return Ok((None, None));
    }
    let newest = kept::newest(tx, &s.id).await?;
    let asked = gate::rule_of(tx, s).await?;
    let rows = match &newest {
        Some(r) => kept::prompts(tx, &r.id).await?,
        None => vec![],
    };
    let state = newest.as_ref().map(|r| r.state);
    let (script, steps) = match &asked {
        None => (vec![], None),
        Some((asks, item)) => {
            let read = gate::reads(&rows, item);
            let open = |step| rule::check(Some(asks), step, state, &read).is_ok();
            let steps = asks.steps.iter().map(|step| StepGate {
                step: step_view(*step),
                open: open(*step),
            });
            let script = asks.script.iter().map(|p| {
                let kind = match p.asks {
                    Asks::None => AnswerKind::None,
                    Asks::YesNo => AnswerKind::YesNo,
                };
                let row = rows.iter().find(|r| r.item == *item && r.prompt == p.id);
                prompt_view(&p.id, bilingual(&p.text), kind, row)
            });
            let steps = RecordingRuleView {
                required: asks.required,
                steps: steps.collect(),
                identify_again: s.case_id.is_none() && gate::card(tx, s).await? == Card::Unrecorded,
            };
            (script.collect(), Some(steps))
        }
    };
    let view = match &newest {
        Some(r) => Some(view(r, script)?),
        None => None,
    };
    Ok((view, steps))
}
