//! Recording of a session (双录): asked → starting → live ↔ interrupted → sealing → sealed → deleted; or refused.
//!
//! Owns what a recording may become ([`State::apply`]), which legal steps it opens ([`gate`]) and what a hall tells and how long it
//! keeps ([`policy`]). Never starts or stops media, never sees a key.

pub mod gate;
pub mod policy;
#[cfg(test)]
mod tests;

pub use policy::{Notice, Policy};

use crate::{error::Rejected, time::Span};

/// How long a question stays open; then nobody has answered.
pub const UNANSWERED_AFTER: Span = Span::seconds(300);
/// Recordings of one session: consent may be withdrawn and given again, but not without end.
pub const PER_SESSION: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The citizen is asked.
    Asked,
    /// They said no, or nobody answered.
    Refused,
    /// Agreed; not yet known that bytes of both sides are on disk.
    Starting,
    /// Proven.
    Live,
    /// Agreed and running, but something that must be recorded is not.
    Interrupted,
    /// Nothing is written any more; not signed yet.
    Sealing,
    /// The manifest is signed.
    Sealed,
    /// Key and files are gone.
    Deleted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cmd {
    /// A new recording, after the session's newest.
    Ask,
    Grant,
    Refuse,
    /// Nobody answered, or the session ended before.
    Lapse,
    /// Bytes of all required sides are synced.
    Prove,
    Interrupt,
    Resume,
    /// The citizen takes the consent back.
    Withdraw,
    Stop,
    Seal,
    Delete,
}

impl State {
    pub const ALL: [Self; 8] = [
        Self::Asked,
        Self::Refused,
        Self::Starting,
        Self::Live,
        Self::Interrupted,
        Self::Sealing,
        Self::Sealed,
        Self::Deleted,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Refused => "refused",
            Self::Starting => "starting",
            Self::Live => "live",
            Self::Interrupted => "interrupted",
            Self::Sealing => "sealing",
            Self::Sealed => "sealed",
            Self::Deleted => "deleted",
        }
    }
    #[must_use]
    pub fn parse(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.as_str() == s)
    }

    /// Asked or running: a session has one such at most.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::Asked | Self::Starting | Self::Live | Self::Interrupted => true,
            Self::Refused | Self::Sealing | Self::Sealed | Self::Deleted => false,
        }
    }

    /// Agreed to, and not over.
    #[must_use]
    pub const fn is_running(self) -> bool {
        match self {
            Self::Starting | Self::Live | Self::Interrupted => true,
            Self::Asked | Self::Refused | Self::Sealing | Self::Sealed | Self::Deleted => false,
        }
    }

    /// The one place that says what a recording may become; `now` is the session's newest for [`Cmd::Ask`], else the one meant.
    ///
    /// # Errors
    /// `recording_open`: one is asked for or runs; `recording_consent_needed`: nothing runs without a yes; `recording_state`:
    /// it is past that.
    pub const fn apply(now: Option<Self>, cmd: Cmd) -> Result<Self, Rejected> {
        use {Cmd as C, State as S};
        match (now, cmd) {
            (None | Some(S::Refused | S::Sealing | S::Sealed | S::Deleted), C::Ask) => Ok(S::Asked),
            (Some(S::Asked | S::Starting | S::Live | S::Interrupted), C::Ask) => {
                Err(Rejected::new("recording_open"))
            }
            (Some(S::Asked), C::Grant) => Ok(S::Starting),
            (Some(S::Asked), C::Refuse | C::Lapse) => Ok(S::Refused),
            (Some(S::Starting | S::Interrupted), C::Prove) | (Some(S::Interrupted), C::Resume) => {
                Ok(S::Live)
            }
            (Some(S::Starting | S::Live), C::Interrupt) => Ok(S::Interrupted),
            (Some(S::Starting | S::Live | S::Interrupted), C::Withdraw | C::Stop) => Ok(S::Sealing),
            (Some(S::Sealing), C::Seal) => Ok(S::Sealed),
            (Some(S::Sealed), C::Delete) => Ok(S::Deleted),
            (
                None | Some(S::Asked | S::Refused),
                C::Prove | C::Interrupt | C::Resume | C::Withdraw | C::Stop | C::Seal | C::Delete,
            )
            | (None, C::Grant | C::Refuse | C::Lapse) => {
                Err(Rejected::new("recording_consent_needed"))
            }
            (
                Some(
                    S::Refused
                    | S::Starting
                    | S::Live
                    | S::Interrupted
                    | S::Sealing
                    | S::Sealed
                    | S::Deleted,
                ),
                C::Grant | C::Refuse | C::Lapse,
            )
            | (
                Some(S::Starting | S::Live | S::Interrupted | S::Sealing | S::Sealed | S::Deleted),
                C::Prove | C::Interrupt | C::Resume | C::Withdraw | C::Stop | C::Seal | C::Delete,
            ) => Err(Rejected::new("recording_state")),
        }
    }
}

/// Why a recording is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// The session was over.
    Finished,
    /// The citizen took the consent back.
    Withdrawn,
    /// The server shut down in order.
    Closed,
    /// The process ended without a word, or could not go on.
    Crash,
    /// Nothing could be written.
    Disk,
    /// The session went to another hall: whoever serves there asks anew.
    Moved,
    Refused,
    Unanswered,
}

impl End {
    pub const ALL: [Self; 8] = [
        Self::Finished,
        Self::Withdrawn,
        Self::Closed,
        Self::Crash,
        Self::Disk,
        Self::Moved,
        Self::Refused,
        Self::Unanswered,
    ];

    /// The word on the wire and in the row.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Withdrawn => "withdrawn",
            Self::Closed => "closed",
            Self::Crash => "crash",
            Self::Disk => "disk",
            Self::Moved => "moved",
            Self::Refused => "refused",
            Self::Unanswered => "unanswered",
        }
    }
    #[must_use]
    pub fn parse(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.as_str() == s)
    }
}
