//! Where a recording stands, for whoever missed what was told of it: an event is told once, and its reader may fail to keep it.

use super::manifest::{GapReason, Manifest};
use std::sync::Arc;
use tokio::sync::watch;

/// Where a recording stands. Times are milliseconds since its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Not everything that is required has been on disk yet.
    Proving,
    /// It is.
    Proven {
        /// Since when, this time.
        since_ms: u64,
    },
    /// Something that is required is not written.
    Interrupted {
        /// Since when.
        since_ms: u64,
        /// Why.
        reason: GapReason,
        /// When it was first proven, if it ever was.
        proven_ms: Option<u64>,
    },
    /// Nothing is written any more.
    Stopped {
        /// What there is and what is missing.
        manifest: Arc<Manifest>,
    },
    /// Its thread is gone: nothing is written any more, and only the files say what there is.
    Failed,
}

impl Standing {
    /// Whether nothing is written any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match self {
            Self::Stopped { .. } | Self::Failed => true,
            Self::Proving | Self::Proven { .. } | Self::Interrupted { .. } => false,
        }
    }
}

/// Answers where a recording stands, also when its room is closed.
#[derive(Debug, Clone)]
pub struct RecordingWatch(pub(crate) watch::Receiver<Standing>);

impl RecordingWatch {
    /// Where it stands now.
    #[must_use]
    pub fn now(&self) -> Standing {
        self.0.borrow().clone()
    }
}
