//! Supervision of a live session: listen 旁听, whisper 耳语, barge in 插话, take over 接管.

use crate::Bilingual;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SupervisionMode {
    /// Hears and sees; nobody hears them.
    Listen,
    /// The agents alone hear them.
    Whisper,
    /// Everybody hears and sees them.
    Barge,
    /// They are the session's agent.
    TakeOver,
}

/// Where the agent goes whose session is taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FormerAgent {
    /// Into wrap-up.
    #[default]
    Leaves,
    /// Stays as a colleague; of a text lane they leave all the same.
    Stays,
}

/// `POST /api/v1/sessions/{id}/supervision`: begins, or goes on in another mode.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSupervision {
    pub mode: SupervisionMode,
    /// For `take_over` alone.
    #[serde(default)]
    pub former: FormerAgent,
}

/// Whose pages show it while it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupervisionTold {
    /// The agent and who helps them.
    pub agent: bool,
    /// The citizen, their guests and interpreters.
    pub citizen: bool,
}

/// A supervisor in a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SupervisionView {
    pub id: String,
    pub session: String,
    /// The media room: where `media_offer` goes.
    pub room: String,
    /// Who they are in the session.
    pub member: String,
    pub name: Bilingual,
    pub mode: SupervisionMode,
    pub told: SupervisionTold,
    pub since: String,
    /// In this mode since.
    pub changed_at: String,
    pub ended_at: Option<String>,
    /// `left`, `lost`, `session_ended`, `other_hall`, `joined` (they came in as somebody else), `took_over`.
    pub end_reason: Option<String>,
}

/// What a hall tells of supervision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupervisionPolicy {
    /// Every call begins with `text`, on the citizen's page.
    pub standing: bool,
    /// At most 60 characters a language.
    pub text: Bilingual,
    pub listen: SupervisionTold,
    /// The agent is always told.
    pub whisper: SupervisionTold,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SupervisionPolicyView {
    pub hall: String,
    /// 0: nobody has kept one; the default holds.
    pub version: i64,
    pub policy: SupervisionPolicy,
}

/// `PUT /api/v1/halls/{id}/supervision-policy`, over the version that was on the screen.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutSupervisionPolicy {
    pub policy: SupervisionPolicy,
    pub version: i64,
}
