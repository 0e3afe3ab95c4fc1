//! Moves a seat by the rule, and keeps it with the record of its time. Never decides what a seat may become
//! (`domain::seat`).

use super::{
    super::{Work, lanes, routing},
    views::state_view,
};
use crate::problem::AppError;
use domain::{seat as seat_rule, time::Timestamp};
use protocol::ForcedView;
use serde::{Deserialize, Serialize};
use store::{Tx, seat, seat_state};

/// A supervisor's word about a seat, as its row keeps it until the agent moves on; or the agent's own, which waits for the end
/// of their texts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::app) struct Forced {
    pub state: String,
    pub reason: String,
    /// Whose word it is: a name.
    pub by: String,
    /// Microseconds.
    pub at: i64,
    pub after_session: bool,
    /// The agent's.
    #[serde(default)]
    pub own: bool,
}

impl Forced {
    pub(in crate::app) fn of(s: &seat::Seat) -> Option<Self> {
        serde_json::from_str(s.forced.as_deref()?).ok()
    }
    pub(in crate::app) fn next(&self) -> Option<seat_rule::State> {
        seat_rule::State::parse(&self.state)
    }
    pub(in crate::app) fn text(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }
    pub(super) fn view(&self) -> Option<ForcedView> {
        Some(ForcedView {
            state: state_view(self.next()?),
            reason: self.reason.clone(),
            by: self.by.clone(),
            own: self.own,
            at: Timestamp(self.at).rfc3339(),
            after_session: self.after_session,
        })
    }
}

/// What a supervisor wanted of a busy seat comes true when the wrap-up ends, whoever ends it; of one that was busy with texts
/// alone when the last is over.
fn after_wrap_up(s: &mut seat::Seat, cmd: seat_rule::Cmd) -> (seat_rule::Cmd, Option<String>) {
    let ends = matches!(cmd, seat_rule::Cmd::Ready | seat_rule::Cmd::Away);
    let held = Forced::of(s).filter(|f| f.after_session);
    match (s.state, held) {
        (seat_rule::State::WrapUp, Some(mut f)) if ends => {
            let next = seat_rule::State::after_wrap_up(f.next());
            f.after_session = false;
            s.forced = f.text();
            let reason = (next != seat_rule::State::Ready).then(|| f.reason.clone());
            (seat_rule::Cmd::Force(next), reason)
        }
        (_, Some(mut f)) if matches!(cmd, seat_rule::Cmd::TextOver(_)) => {
            f.after_session = false;
            s.forced = f.text().filter(|_| !f.own);
            (cmd, None)
        }
        _ => (cmd, None),
    }
}

/// Moves a seat by the rule and keeps it, with the record of its time, and whatever it drags along (`lanes`); the watchers
/// are woken. What has become of the seat then is in `s`.
pub(in crate::app) async fn move_seat(
    tx: &mut Tx,
    w: &mut Work,
    s: &mut seat::Seat,
    cmd: seat_rule::Cmd,
    reason: Option<&str>,
) -> Result<(), AppError> {
    let coupled = s.lane > 0 || s.takes_text;
    step(tx, w, s, cmd, reason).await?;
    if coupled {
        let unanswered = matches!(cmd, seat_rule::Cmd::RingUnanswered);
        let why = reason.unwrap_or("no_answer");
        lanes::settle(tx, w, s, unanswered.then_some(why)).await?;
    }
    Ok(())
}

/// Moves this seat or lane alone.
pub(in crate::app) async fn step(
    tx: &mut Tx,
    w: &mut Work,
    s: &mut seat::Seat,
    cmd: seat_rule::Cmd,
    reason: Option<&str>,
) -> Result<(), AppError> {
    let (cmd, forced) = after_wrap_up(s, cmd);
    s.state = s.state.apply(cmd)?;
    s.since = w.now;
    s.away_reason = forced.or_else(|| reason.map(str::to_owned));
    if !matches!(cmd, seat_rule::Cmd::Force(_) | seat_rule::Cmd::TextOver(_)) {
        let waits = matches!(s.state, seat_rule::State::Busy | seat_rule::State::WrapUp)
            && Forced::of(s).is_some_and(|f| f.after_session);
        s.forced = s.forced.take().filter(|_| waits);
    }
    if s.state == seat_rule::State::WrapUp {
        if let Some(session) = &s.wrap_up_session {
            s.due_at = Some(w.now + routing::wrap_up(tx, session).await?);
        }
    } else {
        s.due_at = None;
        s.wrap_up_session = None;
        s.extended = false;
    }
    if s.state == seat_rule::State::Offline {
        s.staff_id = None;
        s.auto_answer = false;
        s.takes_text = false;
    }
    // A day adds up by seats: their texts are the seat's time.
    if s.lane == 0 {
        seat_state::moved(
            tx,
            &s.id,
            s.state,
            s.away_reason.as_deref(),
            s.staff_id.as_ref(),
            w.now,
        )
        .await?;
    }
    if !seat::save(tx, s).await? {
        return Err(store::StoreError::Retry.into());
    }
    s.version += 1;
    w.wake(&s.id);
    w.wake(&s.hall_id);
    Ok(())
}
