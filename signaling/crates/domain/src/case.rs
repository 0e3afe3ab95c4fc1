//! 办件: what a case is and may become, from the applicant's draft to the delivered result.
//!
//! Owns the state machine ([`Case::apply`]), its clock and the separation of duties. Never sends, renders or stores
//! anything: it answers effects that the application carries out in the same transaction. Every change of a case is a
//! call of `apply`. Law: 行政许可法 §32 (one complete correction notice), §38 (reasons and remedies), §42 (20 days + 10),
//! §44 (delivery), §45 (excluded periods), §82 (working days).
//!
//! `case/state.rs` states and terms · `case/command.rs` commands, context, effects · `case/duties.rs` who may do what ·
//! `case/machine.rs` the transitions (the longer ones in `case/machine/steps.rs`).

mod command;
mod duties;
mod machine;
mod state;
#[cfg(test)]
mod tests;

pub use command::{Actor, Cmd, CmdKind, Ctx, Effect, Notice, Receipt};
pub use duties::{Duties, Duty, DutyEntry, DutySet, Person};
pub use state::{
    Case, Correction, CorrectionItem, Decision, Extension, Remedies, Rules, State, SuspendKind,
    Suspension, Term, case_number,
};
