//! Supervision of a live session (监督): listen 旁听, whisper 耳语, barge in 插话, take over 接管.
//!
//! Owns what it may become, when it may begin, and who is told of it. Never moves media, seats or members.

use crate::error::Rejected;
use serde::{Deserialize, Serialize};

/// The standing notice, each language (characters): it stands beside the picture on a phone.
pub const TEXT_CHARS: usize = 60;

/// How far a supervisor has gone in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// Hears and sees; nobody hears them.
    Listen,
    /// The agents alone hear them.
    Whisper,
    /// Everybody hears and sees them.
    Barge,
    /// The session is theirs: they are its agent.
    TakeOver,
}

impl Mode {
    pub const ALL: [Self; 4] = [Self::Listen, Self::Whisper, Self::Barge, Self::TakeOver];
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Listen => "listen",
            Self::Whisper => "whisper",
            Self::Barge => "barge",
            Self::TakeOver => "take_over",
        }
    }
    #[must_use]
    pub fn parse(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.as_str() == s)
    }
    /// Whether what they send reaches anybody.
    #[must_use]
    pub const fn speaks(self) -> bool {
        match self {
            Self::Listen => false,
            Self::Whisper | Self::Barge | Self::TakeOver => true,
        }
    }
}

/// One supervisor in one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Not begun.
    Off,
    /// Under way; a take-over ends it.
    In(Mode),
    Over,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cmd {
    To(Mode),
    /// They leave, are lost, or the session ends or goes to another hall.
    End,
}

impl State {
    /// The one place that says what a supervision may become.
    ///
    /// # Errors
    /// `supervision_unheard`: nobody takes over what they have not been in; `supervision_same`: it is so already;
    /// `supervision_over`: none is under way.
    pub const fn apply(self, cmd: Cmd) -> Result<Self, Rejected> {
        use {Mode as M, State as S};
        match (self, cmd) {
            (S::Off, Cmd::To(M::TakeOver)) => Err(Rejected::new("supervision_unheard")),
            (S::Off, Cmd::To(m @ (M::Listen | M::Whisper | M::Barge))) => Ok(S::In(m)),
            (S::In(M::Listen), Cmd::To(M::Listen))
            | (S::In(M::Whisper), Cmd::To(M::Whisper))
            | (S::In(M::Barge), Cmd::To(M::Barge)) => Err(Rejected::new("supervision_same")),
            (S::In(M::Listen | M::Whisper | M::Barge), Cmd::To(m)) => Ok(S::In(m)),
            (S::In(M::Listen | M::Whisper | M::Barge | M::TakeOver), Cmd::End) => Ok(S::Over),
            (S::In(M::TakeOver), Cmd::To(_)) | (S::Off, Cmd::End) | (S::Over, _) => {
                Err(Rejected::new("supervision_over"))
            }
        }
    }
}

/// What a supervision meets when it begins or is changed. That the caller supervises the session's hall is checked before.
#[derive(Debug, Clone, Copy)]
pub struct Meets {
    /// They are in the session as somebody else: its agent, a colleague.
    pub inside: bool,
    /// Somebody else supervises this session.
    pub taken: bool,
    /// They supervise another session: nobody listens to two talks at once.
    pub elsewhere: bool,
    /// Staff talk apart, or the citizen is on the way to another seat: a talk in which a supervisor has no part.
    pub private: bool,
    /// All the lines of a page that could carry another voice are in use.
    pub full: bool,
}

impl Meets {
    /// # Errors
    /// `supervision_own`, `supervision_taken`, `supervision_elsewhere`, `supervision_private`, `room_full`.
    pub const fn check(self, to: Mode) -> Result<(), Rejected> {
        if self.inside {
            return Err(Rejected::new("supervision_own"));
        }
        if self.taken {
            return Err(Rejected::new("supervision_taken"));
        }
        if self.elsewhere {
            return Err(Rejected::new("supervision_elsewhere"));
        }
        if self.private {
            return Err(Rejected::new("supervision_private"));
        }
        // A take-over frees the place of the one who leaves.
        if self.full && matches!(to, Mode::Whisper | Mode::Barge) {
            return Err(Rejected::new("room_full"));
        }
        Ok(())
    }
}

/// Whose pages show a supervision while it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// The agent and who helps them.
    pub agent: bool,
    /// The citizen, their guests and interpreters.
    pub citizen: bool,
}

impl Told {
    pub const ALL: Self = Self {
        agent: true,
        citizen: true,
    };
    /// Who was told once is told until the end: nobody vanishes from a page and goes on listening.
    #[must_use]
    pub const fn and(self, more: Self) -> Self {
        Self {
            agent: self.agent || more.agent,
            citizen: self.citizen || more.citizen,
        }
    }
}

/// What a hall tells of supervision: data, kept by its administrators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Every call begins with the notice.
    pub standing: bool,
    pub text_zh: String,
    pub text_en: String,
    pub listen: Told,
    pub whisper: Told,
}

impl Default for Policy {
    fn default() -> Self {
        let agent_alone = Told {
            agent: true,
            citizen: false,
        };
        Self {
            standing: true,
            text_zh: "通话可能被旁听以保证服务质量".into(),
            text_en: "This call may be listened to for service quality".into(),
            listen: agent_alone,
            whisper: agent_alone,
        }
    }
}

impl Policy {
    /// Who is told of a mode. Barging in and taking over are before everybody: no policy hides them.
    #[must_use]
    pub const fn told(&self, mode: Mode) -> Told {
        match mode {
            Mode::Listen => self.listen,
            Mode::Whisper => self.whisper,
            Mode::Barge | Mode::TakeOver => Told::ALL,
        }
    }

    /// Every fault with its pointer.
    ///
    /// # Errors
    /// `policy_unannounced`: a citizen would be listened to without being told at the start or while it happens (个人信息保护法
    /// §7, §17); `policy_whisper`: whom the agent hears is shown to the agent; `policy_text`: the notice is empty or too long.
    pub fn check(&self) -> Result<(), Vec<Rejected>> {
        let mut faults = vec![];
        for (told, at) in [
            (self.listen, "/policy/listen/citizen"),
            (self.whisper, "/policy/whisper/citizen"),
        ] {
            if !self.standing && !told.citizen {
                faults.push(Rejected::at("policy_unannounced", at));
            }
        }
        if !self.whisper.agent {
            faults.push(Rejected::at("policy_whisper", "/policy/whisper/agent"));
        }
        for (text, at) in [
            (&self.text_zh, "/policy/text/zh"),
            (&self.text_en, "/policy/text/en"),
        ] {
            let long = text.chars().count();
            if (self.standing && text.trim().is_empty()) || long > TEXT_CHARS {
                faults.push(Rejected::at("policy_text", at));
            }
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
