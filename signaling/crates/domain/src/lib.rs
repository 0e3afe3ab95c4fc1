//! The rules of the counter, pure: no clock, randomness, database, network or runtime in this crate.
//!
//! One file a noun. A noun imports only the shared basics (`id`, `time`, `pii`, `limits`, `error`, `identifiers`);
//! nouns react to each other through effect values that the application carries out.

// Shared basics
pub mod error;
pub mod id;
pub mod limits;
pub mod pii;
pub mod time;

// The desk
pub mod audit;
pub mod pairing;
pub mod seat;
pub mod session;
pub mod ticket;

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
