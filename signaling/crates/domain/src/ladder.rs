//! The degrade ladder (降级): video → audio → text → phone within one session, and up again.
//!
//! Owns which rung holds and who may ask for another. Never touches the form: it knows nothing of it, so no rung can lose
//! it. A camera or a phone number is the citizen's to give: others may ask for those, the citizen decides.

use crate::error::Rejected;

/// A rung; a later one asks less of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    Video,
    Audio,
    Text,
    /// An ordinary telephone call, the pages stay connected where they can.
    Phone,
}

impl Mode {
    pub const ALL: [Self; 4] = [Self::Video, Self::Audio, Self::Text, Self::Phone];
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Text => "text",
            Self::Phone => "phone",
        }
    }
    #[must_use]
    pub fn parse(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.as_str() == s)
    }
    /// Whether the room carries pictures on this rung.
    #[must_use]
    pub const fn has_video(self) -> bool {
        matches!(self, Self::Video)
    }
    /// Whether the room carries sound on this rung.
    #[must_use]
    pub const fn has_audio(self) -> bool {
        matches!(self, Self::Video | Self::Audio)
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    Citizen,
    Agent,
    /// The measured quality of the line.
    Network,
    /// A guest, a colleague, a supervisor.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cmd {
    Go(Asker, Mode),
    /// The citizen's answer to what was asked.
    Agree,
    Refuse,
}

/// Where a session stands: the rung, and the one that the citizen is being asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ladder {
    pub mode: Mode,
    pub asked: Option<Mode>,
}

impl Default for Ladder {
    fn default() -> Self {
        Self::at(Mode::Video)
    }
}

impl Ladder {
    #[must_use]
    pub const fn at(mode: Mode) -> Self {
        Self { mode, asked: None }
    }

    /// The one place that says how a session moves on the ladder.
    ///
    /// The citizen goes anywhere at once. The agent lowers to sound or text at once, and asks for whatever opens the
    /// citizen's camera or microphone, or their telephone. The network lowers by one rung, never to the phone, and never raises: it would
    /// flap. Any move takes back what was asked.
    ///
    /// # Errors
    /// `ladder_same`: already there, or already asked; `ladder_not_yours`: not this asker's to move; `ladder_not_asked`.
    pub fn apply(self, cmd: Cmd) -> Result<Self, Rejected> {
        match (cmd, self.asked) {
            (Cmd::Go(Asker::Other, _), _) => Err(Rejected::new("ladder_not_yours")),
            (Cmd::Go(_, to), _) if to == self.mode => Err(Rejected::new("ladder_same")),
            (Cmd::Go(Asker::Citizen, to), _) => Ok(Self::at(to)),
            (Cmd::Go(Asker::Network, to), _) => {
                let next = match self.mode {
                    Mode::Video => Some(Mode::Audio),
                    Mode::Audio => Some(Mode::Text),
                    Mode::Text | Mode::Phone => None,
                };
                if next == Some(to) {
                    Ok(Self::at(to))
                } else {
                    Err(Rejected::new("ladder_not_yours"))
                }
            }
            (Cmd::Go(Asker::Agent, to), asked) => {
                if to > self.mode && to != Mode::Phone {
                    Ok(Self::at(to))
                } else if asked == Some(to) {
                    Err(Rejected::new("ladder_same"))
                } else {
                    Ok(Self {
                        mode: self.mode,
                        asked: Some(to),
                    })
                }
            }
            (Cmd::Agree, Some(to)) => Ok(Self::at(to)),
            (Cmd::Refuse, Some(_)) => Ok(Self::at(self.mode)),
            (Cmd::Agree | Cmd::Refuse, None) => Err(Rejected::new("ladder_not_asked")),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn go(l: Ladder, by: Asker, to: Mode) -> Result<Ladder, &'static str> {
        l.apply(Cmd::Go(by, to)).map_err(|e| e.code)
    }

    #[test]
    fn the_agent_lowers_at_once_and_asks_for_the_way_up_and_for_the_phone() {
        let video = Ladder::default();
        assert_eq!(
            go(video, Asker::Agent, Mode::Text),
            Ok(Ladder::at(Mode::Text))
        );
        let asked = go(Ladder::at(Mode::Text), Asker::Agent, Mode::Video).unwrap();
        assert_eq!((asked.mode, asked.asked), (Mode::Text, Some(Mode::Video)));
        assert_eq!(go(asked, Asker::Agent, Mode::Video), Err("ladder_same"));
        assert_eq!(asked.apply(Cmd::Agree), Ok(Ladder::at(Mode::Video)));
        assert_eq!(asked.apply(Cmd::Refuse), Ok(Ladder::at(Mode::Text)));
        assert_eq!(
            go(video, Asker::Agent, Mode::Phone).unwrap().asked,
            Some(Mode::Phone)
        );
        assert_eq!(
            video.apply(Cmd::Agree).unwrap_err().code,
            "ladder_not_asked"
        );
    }

    #[test]
    fn the_network_lowers_by_one_rung_and_nothing_else() {
        for from in Mode::ALL {
            for to in Mode::ALL {
                let allowed = matches!(
                    (from, to),
                    (Mode::Video, Mode::Audio) | (Mode::Audio, Mode::Text)
                );
                assert_eq!(
                    go(Ladder::at(from), Asker::Network, to).is_ok(),
                    allowed,
                    "{from:?} {to:?}"
                );
            }
        }
    }

    #[test]
    fn nobody_else_moves_it() {
        assert_eq!(
            go(Ladder::default(), Asker::Other, Mode::Text),
            Err("ladder_not_yours")
        );
    }

    proptest! {
        /// Whatever the others do, a camera, a microphone or a phone call comes only by the citizen's own move or yes.
        #[test]
        fn only_the_citizen_opens_their_camera_or_phone(
            cmds in prop::collection::vec(prop_oneof![
                (prop::sample::select(vec![Asker::Citizen, Asker::Agent, Asker::Network, Asker::Other]), prop::sample::select(Mode::ALL.to_vec())).prop_map(|(a, m)| Cmd::Go(a, m)),
                Just(Cmd::Agree), Just(Cmd::Refuse)], 0..30)
        ) {
            let mut l = Ladder::default();
            for c in cmds {
                let Ok(next) = l.apply(c) else { continue };
                let theirs = matches!(c, Cmd::Go(Asker::Citizen, _) | Cmd::Agree);
                prop_assert!(theirs || next.mode == l.mode || (next.mode > l.mode && next.mode != Mode::Phone));
                prop_assert!(next.asked != Some(next.mode));
                l = next;
            }
        }
    }
}
