//! What a hall tells of recording, and how long it keeps what was recorded. Data, kept by the hall's administrators.

use super::End;
use crate::{
    error::Rejected,
    time::{Span, Timestamp},
};
use serde::{Deserialize, Serialize};

/// The notice, each language (characters): it is read out before the answer.
pub const TEXT_CHARS: usize = 300;
/// Days that a recording without a case may be kept.
pub const ROUTINE_MAX: u32 = 3_650;
/// Days that a recording with a case may be kept.
pub const CASE_MAX: u32 = 36_500;
/// Version of the built-in notice; a hall's own are `hall-<n>`.
pub const DEFAULT_VERSION: &str = "2026-11";
/// After a withdrawal, what was recorded until then goes within this, unless a case or a hold keeps it (个人信息保护法 §15, §47).
pub const WITHDRAWN_LIFE: Span = Span::seconds(72 * 3600);

const DAY: i64 = 86_400;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    pub text_zh: String,
    pub text_en: String,
    /// Kept this long when no case comes of it (days).
    pub days_routine: u32,
    /// Kept this long with a case (days).
    pub days_case: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            text_zh: "为了证明办事过程、保护您的权益，我们想对这次通话录音录像。录下的内容加密保存，只用于核实这次办理，只有依职责需要的人\
                      能看，每次查看都会留下记录。您可以不同意，也可以随时停止：那样您仍可以咨询，需要录制的步骤请到窗口办理。"
                .into(),
            text_en: "To show how your matter was handled and to protect your rights, we would like to record this call. It is kept \
                      encrypted, for this matter alone; every viewing is noted. You may refuse, or stop at any time: you can still \
                      ask for advice, and do steps that need it at a service window."
                .into(),
            days_routine: 180,
            days_case: 3_650,
        }
    }
}

/// What the citizen is shown before they answer; kept with the recording word for word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    pub text_zh: String,
    pub text_en: String,
    pub policy_version: String,
    pub days_routine: u32,
    pub days_case: u32,
}

impl Policy {
    /// What is shown of it; `version` is the row's (0: nobody has kept one).
    #[must_use]
    pub fn notice(&self, version: i64) -> Notice {
        Notice {
            text_zh: self.text_zh.clone(),
            text_en: self.text_en.clone(),
            policy_version: if version == 0 {
                DEFAULT_VERSION.to_owned()
            } else {
                format!("hall-{version}")
            },
            days_routine: self.days_routine,
            days_case: self.days_case,
        }
    }

    /// Every fault with its pointer.
    ///
    /// # Errors
    /// `recording_text`: the notice is empty or too long; `recording_days`: out of range, or a case's is the shorter.
    pub fn check(&self) -> Result<(), Vec<Rejected>> {
        let mut faults = vec![];
        for (text, at) in [
            (&self.text_zh, "/policy/text/zh"),
            (&self.text_en, "/policy/text/en"),
        ] {
            if text.trim().is_empty() || text.chars().count() > TEXT_CHARS {
                faults.push(Rejected::at("recording_text", at));
            }
        }
        if !(1..=ROUTINE_MAX).contains(&self.days_routine) {
            faults.push(Rejected::at("recording_days", "/policy/days_routine"));
        }
        if !(1..=CASE_MAX).contains(&self.days_case) || self.days_case < self.days_routine {
            faults.push(Rejected::at("recording_days", "/policy/days_case"));
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }
}

impl Notice {
    /// When a recording that ended like this is deleted. What was promised when it was made counts, not what the hall tells now.
    #[must_use]
    pub fn delete_at(&self, ended_at: Timestamp, end: End, has_case: bool) -> Timestamp {
        let days = |n: u32| ended_at + Span::seconds(i64::from(n) * DAY);
        match (has_case, end) {
            (true, _) => days(self.days_case),
            (false, End::Withdrawn) => (ended_at + WITHDRAWN_LIFE).min(days(self.days_routine)),
            (
                false,
                End::Finished
                | End::Closed
                | End::Crash
                | End::Disk
                | End::Moved
                | End::Refused
                | End::Unanswered,
            ) => days(self.days_routine),
        }
    }
}
