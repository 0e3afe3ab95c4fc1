//! Proof of the desk, below HTTP: the use cases of the server on a held clock, on SQLite and PostgreSQL.
//!
//! `world` a hall and its `App`, which a crash replaces · `calls` what people and timers do · `look` the rows and what must
//! hold of them · `random` random commands · `day` a day in virtual time. Failing inputs are kept beside (`regressions.txt`,
//! `seeds.txt`) and played first. `times` what time alone brings about. Never reaches into the server: what it asks is what a route would ask.
#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod calls;
mod day;
mod history;
mod look;
mod random;
mod times;
mod world;
