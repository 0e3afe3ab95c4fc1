//! The rules of the counter, pure: no clock, randomness, database, network or runtime in this crate.
//!
//! One file a noun. A noun imports only the shared basics (`id`, `time`, `pii`, `limits`, `error`, `identifiers`,
//! `calendar`; `pairing` matches what `routing` demands, `recording` locks what `catalogue` binds to it);
//! nouns react to each other through effect values that the application carries out.

// Shared basics
pub mod error;
pub mod id;
pub mod limits;
pub mod pii;
pub mod time;

// The desk
pub mod appointment;
pub mod audit;
pub mod callback;
pub mod erlang;
pub mod invite;
pub mod ladder;
pub mod level;
pub mod pairing;
pub mod recording;
pub mod routing;
pub mod seat;
pub mod session;
pub mod supervision;
pub mod ticket;
pub mod wait;

// Nouns A
pub mod calendar;
pub mod case;
pub mod identifiers;
pub mod issuance;
pub mod licence;
pub mod material;
pub mod rating;

// Nouns B
pub mod catalogue;
pub mod cofill;
pub mod consent;
pub mod digest;
pub mod journal;
