//! Whether a recording is proven live: one machine, one function.

use super::manifest::{Ended, GapReason, Happening};

/// Where a recording stands. Legal steps need [`Phase::Proven`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Not everything that is required has been on disk yet.
    Proving,
    /// The same, and the disk refuses: nobody may wait unknowing for a proof that cannot come.
    Refused,
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
    /// Whether it has never been proven.
    pub(crate) fn is_unproven(self) -> bool {
        matches!(self, Self::Proving | Self::Refused)
    }

    pub(crate) fn apply(self, input: Input) -> (Self, Option<Happening>) {
        match (self, input) {
            (Self::Proving | Self::Refused, Input::Well) => (Self::Proven, Some(Happening::Proven)),
            (
                Self::Proving,
                Input::Broken {
                    leg,
                    reason: reason @ GapReason::Disk,
                },
            ) => (Self::Refused, Some(Happening::Interrupted { leg, reason })),
            // Members are still on their way.
            (Self::Proving, Input::Broken { .. }) => (Self::Proving, None),
            (Self::Refused, Input::Broken { .. }) => (Self::Refused, None),
            (Self::Proven, Input::Well) => (Self::Proven, None),
            (Self::Proven, Input::Broken { leg, reason }) => (
                Self::Interrupted,
                Some(Happening::Interrupted { leg, reason }),
            ),
            (Self::Interrupted, Input::Well) => (Self::Proven, Some(Happening::Resumed)),
            (Self::Interrupted, Input::Broken { .. }) => (Self::Interrupted, None),
            (
                Self::Proving | Self::Refused | Self::Proven | Self::Interrupted,
                Input::Stop { reason },
            ) => (Self::Stopped, Some(Happening::Stopped { reason })),
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
            inputs in prop::collection::vec(0u8..4, 0..40),
        ) {
            let mut phase = Phase::Proving;
            let mut told = Vec::new();
            for n in inputs {
                let input = match n {
                    0 => Input::Well,
                    1 => Input::Broken { leg: 1, reason: GapReason::Disk },
                    2 => Input::Broken { leg: 1, reason: GapReason::LegDown },
                    _ => Input::Stop { reason: Ended::Finished },
                };
                let (next, what) = phase.apply(input);
                prop_assert_eq!(next != phase, what.is_some(), "a move is told, nothing else");
                told.extend(what);
                phase = next;
            }
            let stopped = told.iter().position(|t| matches!(t, Happening::Stopped { .. }));
            prop_assert!(stopped.is_none_or(|at| at + 1 == told.len()));
            let (mut proven, mut broken) = (false, false);
            for what in told.iter().filter(|t| !matches!(t, Happening::Stopped { .. })) {
                let right = match what {
                    Happening::Proven => !proven,
                    // Before the proof only a disk is worth a word.
                    Happening::Interrupted { reason, .. } => {
                        !broken && (proven || *reason == GapReason::Disk)
                    }
                    Happening::Resumed => proven && broken,
                    Happening::Stopped { .. } => false,
                };
                prop_assert!(right, "{told:?}");
                broken = matches!(what, Happening::Interrupted { .. });
                proven |= *what == Happening::Proven;
            }
        }
    }
}
