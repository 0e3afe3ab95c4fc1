//! The server. `http`, `ws` and `jobs` decode and call `app`; `app` is the only code that touches two nouns;
//! `cluster` is the bus and the hub of live connections; only `main` and `serve` read `config`.

pub mod app;
pub mod cluster;
pub mod config;
pub mod demo;
pub mod http;
pub mod jobs;
pub mod problem;
pub mod serve;
pub mod ws;
