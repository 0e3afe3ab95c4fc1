//! What the integration tests share: a county with its database, servers in this process, and clients that speak to them
//! as pages do, over HTTP and WebSocket. Never reaches past the doors except where a test says so (a timer, a changed row).
#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

pub mod booth;
pub mod county;
pub mod http;
pub mod line;
pub mod people;
pub mod services;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Longest that any step may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
