//! How every noun is kept: SQLite (embedded default) and PostgreSQL behind one set of queries.
//!
//! One file a noun, with the names of `domain`. A function takes `&mut Tx`, runs SQL and nothing else: no rule, no clock,
//! no key, no network. SQL stands once, in the portable subset (`$1`, `RETURNING`, `ON CONFLICT`, text ids, 64-bit
//! microseconds, JSON as text); what must differ stands in [`dialect`]. Personal data arrives here as ciphertext.
//!
//! Architecture invariant: a state is changed only by a compare-and-set on its version or state; no row means a lost race.

pub mod appointment;
pub mod audit;
pub mod booth;
pub mod callback;
pub mod carry;
pub mod case;
pub mod catalogue;
pub mod certificate;
pub mod consent;
pub mod dialect;
mod error;
pub mod file;
pub mod form;
pub mod hall;
pub mod handover;
pub mod idempotency;
pub mod invite;
pub mod keys;
pub mod lease;
pub mod licence;
pub mod material;
mod migrate;
pub mod node;
pub mod notice;
pub mod outbox;
pub mod pairing;
mod pg;
pub mod phrase;
pub mod policy;
mod pool;
pub mod quality;
pub mod queue;
pub mod rating;
pub mod recording;
pub mod replay;
pub mod request;
pub mod seat;
pub mod seat_state;
pub mod session;
pub mod signature;
pub mod snapshot;
pub mod staff;
pub mod supervision;
pub mod ticket;
mod tx;
pub mod visit;
pub mod wallboard;

pub use error::{StoreError, TxError};
pub use migrate::schema_columns;
pub use pool::{Store, Target};
pub use tx::{Row, Tx, Value};
