//! What tests of the recording share, and those of the whole without a network.
#![allow(clippy::unwrap_used)]

mod crash;
mod faults;
mod look;
pub(crate) mod matroska;
mod scene;
mod whole;

pub(crate) use look::*;
pub(crate) use scene::*;
