//! Whether a recording is proven live: one machine, one function.

use super::manifest::{Ended, GapReason, Happening};

/// Where a recording stands. Legal steps need [`Phase::Proven`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Not everything that is required has been on disk yet.
    Proving,
    /// It is.
    Proven,
    /// It was; something required is no longer written.
    Interrupted,
    /// Nothing is written any more. Final.
    Stopped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    /// All that is required is synced.
    Well,
    Broken {
        leg: u16,
        reason: GapReason,
    },
    Stop {
        reason: Ended,
    },
}

impl Phase {
    pub(crate) fn apply(self, input: Input) -> (Self, Option<Happening>) {
        match (self, input) {
            (Self::Proving, Input::Well) => (Self::Proven, Some(Happening::Proven)),
            (Self::Proving, Input::Broken { .. }) => (Self::Proving, None),
            (Self::Proven, Input::Well) => (Self::Proven, None),
            (Self::Proven, Input::Broken { leg, reason }) => (
                Self::Interrupted,
                Some(Happening::Interrupted { leg, reason }),
            ),
            (Self::Interrupted, Input::Well) => (Self::Proven, Some(Happening::Resumed)),
            (Self::Interrupted, Input::Broken { .. }) => (Self::Interrupted, None),
            (Self::Proving | Self::Proven | Self::Interrupted, Input::Stop { reason }) => {
                (Self::Stopped, Some(Happening::Stopped { reason }))
            }
            (Self::Stopped, Input::Well | Input::Broken { .. } | Input::Stop { .. }) => {
                (Self::Stopped, None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_proven_once_interrupted_and_resumed_in_turns_and_stopped_once(
            inputs in prop::collection::vec(0u8..3, 0..40),
        ) {
            let mut phase = Phase::Proving;
            let mut told = Vec::new();
            for n in inputs {
                let input = match n {
                    0 => Input::Well,
                    1 => Input::Broken { leg: 1, reason: GapReason::Disk },
                    _ => Input::Stop { reason: Ended::Finished },
                };
                let (next, what) = phase.apply(input);
                prop_assert_eq!(next != phase, what.is_some(), "a move is told, nothing else");
                told.extend(what);
                phase = next;
            }
            let stopped = told.iter().position(|t| matches!(t, Happening::Stopped { .. }));
            prop_assert!(stopped.is_none_or(|at| at + 1 == told.len()));
            for (n, what) in told.iter().filter(|t| !matches!(t, Happening::Stopped { .. })).enumerate() {
                let right = match what {
                    Happening::Proven => n == 0,
                    Happening::Interrupted { .. } => n % 2 == 1,
                    Happening::Resumed => n % 2 == 0 && n > 0,
                    Happening::Stopped { .. } => false,
                };
                prop_assert!(right, "{n}: {what:?}");
            }
        }
    }
}
