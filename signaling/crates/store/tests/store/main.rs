//! Every store function on both databases: SQLite in a temporary directory, PostgreSQL in a database of its own.
//!
//! `harness` opens them, `world` fills in what a test stands on; the rest is one file a theme. `list` keeps the whole
//! honest: it fails where a function has no test or a query is not in its file's list.
#![allow(clippy::unwrap_used)]

#[macro_use]
mod harness;
mod world;

mod appointments;
mod cases;
mod desk;
mod evidence;
mod guards;
mod idempotency;
mod invites;
mod issued;
mod lanes;
mod list;
mod papers;
mod policies;
mod quality;
mod recordings;
mod replays;
mod rooms;
mod rules;
mod shared;
mod supervisions;
mod unit_of_work;
