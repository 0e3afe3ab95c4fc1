//! What an item asks of a recording (双录): whether there must be one, which steps wait for it, and the script (双录话术).

use super::Text;
use serde::{Deserialize, Serialize};

/// Prompts of one script.
pub const PROMPTS_MAX: usize = 20;
/// A prompt, each language (characters): read out in one breath.
pub const PROMPT_CHARS: usize = 300;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordingRule {
    /// The case is not handed off without a proven recording.
    #[serde(default)]
    pub required: bool,
    /// These stay locked until the recording is proven live.
    #[serde(default)]
    pub steps: Vec<LegalStep>,
    #[serde(default)]
    pub script: Vec<Prompt>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    pub id: String,
    pub text: Text,
    #[serde(default)]
    pub asks: Asks,
    /// Read, and answered yes where it asks, before the signature.
    #[serde(default)]
    pub gate: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegalStep {
    /// The citizen's card is read in the session.
    Identify,
    /// The prompts are read out.
    Prompts,
    /// The citizen signs.
    Sign,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asks {
    /// Read out; nothing is asked.
    #[default]
    None,
    /// 是 or 否.
    YesNo,
}

impl Asks {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::YesNo => "yes_no",
        }
    }
}

impl RecordingRule {
    #[must_use]
    pub fn prompt(&self, id: &str) -> Option<&Prompt> {
        self.script.iter().find(|p| p.id == id)
    }
}
