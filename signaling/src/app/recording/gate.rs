//! The recording gate (录制门): what the item binds to a recording stays locked until the recording is proven live. The rule is
//! the domain's (`recording::gate`); for the signature the database holds it as well.

use crate::{
    app::catalogue,
    problem::{AppError, no},
};
use domain::{
    catalogue::{LegalStep, RecordingRule},
    id::RecordingId,
    recording::{
        End, State,
        gate::{self, Read},
    },
};
use store::{
    Tx,
    recording::{self as kept, Prompt, Recording},
    session, visit,
};

/// What the open item asks for, or the one that was chosen while none is open; and the item's name.
pub(super) async fn rule_of(
    tx: &mut Tx,
    s: &session::Session,
) -> Result<Option<(RecordingRule, String)>, AppError> {
    let Some(name) = &s.item else { return Ok(None) };
    let item = match s.item_version {
        Some(version) => catalogue::item_at(tx, name, version).await?,
        None => match catalogue::item_in(tx, name).await {
            Ok((item, _)) => item,
            // Withdrawn from the catalogue since it was chosen: nothing can be opened of it.
            Err(e) if e.code() == "item_unknown" => return Ok(None),
            Err(e) => return Err(e),
        },
    };
    Ok(item.recording.clone().map(|rule| (rule, name.clone())))
}

/// Prompts of the item, as the domain reads them.
pub(super) fn reads<'a>(rows: &'a [Prompt], item: &'a str) -> Vec<Read<'a>> {
    rows.iter()
        .filter(|p| p.item == item)
        .map(|p| Read {
            prompt: &p.prompt,
            answer: p.answer.as_ref().map(|a| a.answer == "yes"),
        })
        .collect()
}

/// Refuses a step that is locked.
///
/// # Errors
/// `recording_not_live`, `prompts_unread`.
pub(in crate::app) async fn check(
    tx: &mut Tx,
    s: &session::Session,
    step: LegalStep,
) -> Result<(), AppError> {
    let Some((rule, item)) = rule_of(tx, s).await? else {
        return Ok(());
    };
    let newest = kept::newest(tx, &s.id).await?;
    let rows = match &newest {
        Some(r) => kept::prompts(tx, &r.id).await?,
        None => vec![],
    };
    let state = newest.map(|r| r.state);
    gate::check(Some(&rule), step, state, &reads(&rows, &item)).map_err(Into::into)
}

/// Before a card is read in the session: the recording in which it is read, if one is live.
///
/// # Errors
/// `recording_not_live`, where the item binds the card to one.
pub(in crate::app) async fn card_read(
    tx: &mut Tx,
    s: &session::Session,
) -> Result<Option<RecordingId>, AppError> {
    check(tx, s, LegalStep::Identify).await?;
    let newest = kept::newest(tx, &s.id).await?;
    Ok(newest.filter(|r| r.state == State::Live).map(|r| r.id))
}

/// What is known of the citizen's card.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::app) enum Card {
    Unread,
    /// Read before the recording to which the item binds it, or in one that was taken back: it has to be read again.
    Unrecorded,
    Read,
}

/// As the item wants it now, whenever it was chosen.
pub(in crate::app) async fn card(tx: &mut Tx, s: &session::Session) -> Result<Card, AppError> {
    let v = visit::get(tx, &s.visit_id).await?;
    let Some(v) = v.filter(|v| v.citizen_index.is_some()) else {
        return Ok(Card::Unread);
    };
    let mut recorded = false;
    if let Some(id) = &v.identified_in {
        let all = kept::of_session(tx, &s.id).await?;
        recorded = all.iter().any(|r| r.id == *id && counts(r));
    }
    let rule = rule_of(tx, s).await?.map(|(rule, _)| rule);
    Ok(match gate::card_counts(rule.as_ref(), recorded) {
        true => Card::Read,
        false => Card::Unrecorded,
    })
}

/// Codes: `identity_required`, `identity_unrecorded`.
pub(in crate::app) async fn check_card(tx: &mut Tx, s: &session::Session) -> Result<(), AppError> {
    match card(tx, s).await? {
        Card::Read => Ok(()),
        Card::Unread => Err(no("identity_required")),
        Card::Unrecorded => Err(no("identity_unrecorded")),
    }
}

/// Proven, and not taken back by the citizen.
fn counts(r: &Recording) -> bool {
    r.proven_at.is_some() && r.end_reason.as_deref() != Some(End::Withdrawn.as_str())
}

/// What a hand-off still lacks of it: `recording`, `prompts`. What the citizen took back does not count.
pub(in crate::app) async fn missing(
    tx: &mut Tx,
    s: &session::Session,
) -> Result<Vec<String>, AppError> {
    let Some((rule, item)) = rule_of(tx, s).await? else {
        return Ok(vec![]);
    };
    let (mut proven, mut done) = (false, false);
    for r in kept::of_session(tx, &s.id).await? {
        if counts(&r) {
            proven = true;
            let rows = kept::prompts(tx, &r.id).await?;
            done = done || gate::prompts_done(&rule, &reads(&rows, &item));
        }
    }
    let mut out = vec![];
    if rule.required && !proven {
        out.push("recording".to_owned());
    }
    if rule.script.iter().any(|p| p.gate) && !done {
        out.push("prompts".to_owned());
    }
    Ok(out)
}

/// The refusal of a hand-off for one of these words.
pub(in crate::app) fn lacking(word: &str) -> Option<AppError> {
    match word {
        "recording" => Some(no("recording_required")),
        "prompts" => Some(no("prompts_unread")),
        _ => None,
    }
}
