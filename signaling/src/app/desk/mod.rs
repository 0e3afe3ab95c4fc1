//! Seats and offers: who sits where, who is rung, what happens when nobody answers.
//!
//! `desk/moves.rs` the one place that moves a seat · `desk/matching.rs` who is rung for whom · `desk/offers.rs` a ring and its
//! end · `desk/seats.rs` what an agent and their page do · `desk/timers.rs` what time does · `desk/views.rs` what is shown.
//!
//! Matching runs in the transaction that changed its input, so a pairing follows its cause at once.

mod matching;
mod moves;
mod offers;
mod seats;
mod timers;
mod views;

pub(super) use matching::match_hall;
pub(super) use moves::{Forced, move_seat, step};
pub use offers::{DECLINE_REASONS, accept, decline};
pub(super) use offers::{cancel_offer_of, unoffer};
pub(super) use seats::own_seat;
pub use seats::{AWAY_REASONS, Ask, ask, extend_wrap_up, hold, open, page_gone};
pub use timers::due;
pub(crate) use views::again;
pub(super) use views::{class_view, needs_view, state_view};
pub use views::{list, view};

use crate::problem::AppError;

/// Another node, or the person, was first.
pub(super) fn lost_race_is_fine(r: Result<(), AppError>) -> Result<(), AppError> {
    match r {
        Err(AppError::Rejected { .. }) | Ok(()) => Ok(()),
        Err(e) => Err(e),
    }
}
