//! The live session: members, consents, signature, materials, wrap-up.

use crate::{AccessNeed, Bilingual, Channel, IdentityView};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    Connecting,
    Active,
    Reconnecting,
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemberRole {
    Citizen,
    Agent,
    Guest,
    Supervisor,
}

/// What a member may see and do follows from this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemberPart {
    Citizen,
    Agent,
    /// In private talk with the agent; nothing of the citizen's.
    Consulted,
    Colleague,
    Interpreter,
    Guest,
    Supervisor,
}

/// A rung of the degrade ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallMode {
    Video,
    Audio,
    Text,
    Phone,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberView {
    pub id: String,
    pub role: MemberRole,
    pub part: MemberPart,
    /// Staff: full name; a citizen: masked, or 「匿名」 / "Anonymous"; a guest: as typed.
    pub name: Bilingual,
    /// False while dropped and within grace.
    pub present: bool,
    pub mic_on: bool,
    pub camera_on: bool,
}

/// Snapshot for one viewer, already masked for them: HTTP answers and the `session` frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SessionView {
    pub id: String,
    /// The media room (the ticket's id): where `media_offer` goes.
    pub room: String,
    pub state: SessionState,
    pub end_reason: Option<String>,
    /// Highest journal number.
    pub seq: i64,
    pub version: i64,
    pub started_at: String,
    pub ended_at: Option<String>,
    /// While someone is gone: until when they may return.
    pub grace_until: Option<String>,
    /// Which member the viewer is.
    pub me: Option<String>,
    pub members: Vec<MemberView>,
    /// What the viewer may see and do here, as stable words (`read_form`, `invite`, …).
    pub may: Vec<String>,
    /// The citizen hears music or a message: staff talk apart, or another seat is being found.
    pub hold: bool,
    pub mode: CallMode,
    /// What the citizen is asked to agree to.
    pub mode_asked: Option<CallMode>,
    /// Invitations under way; for the agent alone.
    pub invites: Vec<crate::InviteView>,
    /// A supervisor who is here, for whom the hall's policy tells; the supervisor's own.
    pub supervision: Option<crate::SupervisionView>,
    /// For the citizen's side: what every call of this hall begins with.
    pub supervision_notice: Option<Bilingual>,
    pub channel: Channel,
    pub needs: Vec<AccessNeed>,
    /// The citizen, once a card was read.
    pub identity: Option<IdentityView>,
    /// To arm the card reader within the session; for the citizen alone.
    pub card_nonce: Option<String>,
    /// The item chosen at the start or opened by the agent.
    pub item: Option<String>,
    pub form_open: bool,
    pub consents: Vec<ConsentView>,
    /// The newest recording: for the citizen's side and the staff who are in the talk.
    pub recording: Option<crate::RecordingView>,
    /// What the open item asks for.
    pub recording_rule: Option<crate::RecordingRuleView>,
    pub sign: Option<SignView>,
    pub materials: Vec<MaterialView>,
    pub case: Option<String>,
    /// For the agent: what hand-off still lacks (stable words: `identity`, `form`, `confirm`, `signature`, `recording`, `prompts`, `material:<code>`).
    pub missing: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentState {
    Asked,
    Granted,
    Refused,
    Withdrawn,
    Used,
    Expired,
}

/// One question to the citizen: which licence, which fields, for what, once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConsentView {
    pub id: String,
    pub state: ConsentState,
    pub licence_type: String,
    pub licence_name: Bilingual,
    pub fields: Vec<Bilingual>,
    pub item: String,
    pub item_title: Bilingual,
    pub purpose: Bilingual,
    pub asked_at: String,
    pub decided_at: Option<String>,
    /// After the grant: `filled`, `nothing_found`, `not_entitled`, `library_unavailable`; nothing before the citizen agreed.
    pub outcome: Option<String>,
    /// The company whose licence is asked for (unified social credit code), where the licence is a company's.
    pub company: Option<String>,
}

/// The signature step: what is signed, and whether it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SignView {
    pub declaration: Bilingual,
    /// SM3 (hex) over the RFC 8785 form of {values, ledger, materials, declaration, language}.
    pub digest: String,
    pub requested_at: String,
    pub signed_at: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MaterialView {
    pub id: String,
    /// Which material of the item (`code`), or `still` for a free picture.
    pub code: String,
    pub name: Bilingual,
    /// `licence_copy`, `camera`, `upload`.
    pub source: String,
    pub media_type: String,
    pub bytes: i64,
    pub sm3: String,
    pub at: String,
}

/// `POST /api/v1/sessions/{id}/end`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndSession {
    /// `finished`, `citizen_left`, `wiped`, `abuse`, …
    pub reason: String,
}

/// `POST /api/v1/sessions/{id}/wrap-up`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WrapUp {
    /// `case_submitted`, `answered`, `follow_up`, `wrong_desk`, `dropped`, `other`
    pub disposition: String,
    #[serde(default)]
    pub item: Option<String>,
    #[serde(default)]
    pub note: String,
    /// What the knowledge base did not answer.
    #[serde(default)]
    pub knowledge_gap: String,
    /// Go away instead of ready.
    #[serde(default)]
    pub then_away: bool,
}

/// Answer of `POST /api/v1/sessions/{id}/hand-off`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct HandOff {
    pub case: crate::CaseView,
}

/// One-time code for the QR on the booth's last screen: `/phone/#c=<code>`. For the citizen alone.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct HandoverCode {
    pub code: String,
    pub url: String,
    /// The URL as a QR code, SVG.
    pub qr_svg: String,
    pub expires_at: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExchangeCode {
    pub code: String,
}

/// Case-scoped citizen token.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CaseToken {
    pub access_token: String,
    pub expires_at: String,
    pub case: crate::CaseView,
}
