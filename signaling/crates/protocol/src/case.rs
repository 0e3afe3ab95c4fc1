//! Cases (办件): the pipeline after hand-off, verification and rating.

use crate::{Bilingual, FieldValue, FormView, MaterialView};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    Draft,
    Received,
    PreCheck,
    Correction,
    NotAccepted,
    Transferred,
    Accepted,
    InReview,
    Extended,
    Suspended,
    Granted,
    Refused,
    Issuing,
    Issued,
    Delivered,
    Archived,
    Withdrawn,
    Returned,
}

/// `GET /api/v1/cases?queue=review|issue|mine&limit&after`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CaseList {
    pub items: Vec<CaseCard>,
    pub next: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CaseCard {
    pub id: String,
    pub number: String,
    pub item: String,
    pub item_title: Bilingual,
    pub applicant_masked: String,
    pub state: CaseState,
    pub version: i64,
    pub received_at: String,
    /// Beijing calendar day, `2026-10-21`.
    pub due_on: Option<String>,
    /// Working days left; negative when overdue; absent when no clock runs.
    pub days_left: Option<i32>,
    /// Who has it open to work on.
    pub claimed_by: Option<String>,
    /// Sent back by the citizen after a correction.
    pub corrected: bool,
}

/// One case for one viewer. Staff see `form`, `materials`, `consents`; the citizen sees their own, masked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CaseView {
    #[serde(flatten)]
    pub card: CaseCard,
    pub accepted_at: Option<String>,
    pub hall: Bilingual,
    pub department: Bilingual,
    /// Names of those who did each duty: `guided`, `filled`, `accepted`, `reviewed`, `decided`, `issued`.
    pub duties: Vec<DutyView>,
    pub steps: Vec<StepView>,
    pub timeline: Vec<CaseEventView>,
    pub materials: Vec<MaterialView>,
    pub form: Option<FormView>,
    pub consents: Vec<crate::ConsentView>,
    pub signature: Option<SignatureView>,
    /// The one-time notice that is open or was answered.
    pub correction: Option<CorrectionView>,
    pub decision: Option<DecisionView>,
    pub certificate: Option<CertificateView>,
    pub rating: Option<RatingView>,
    /// What the viewer may do now: `claim`, `correct`, `refuse`, `grant`, `issue`, `withdraw`, `reply`, `rate`.
    pub actions: Vec<String>,
    /// Why an action of the viewer's role is not there: code → action.
    pub blocked: Vec<BlockedAction>,
    /// What a reviewer should look at first: paths that were typed, changed or uploaded.
    pub look_first: Vec<LookFirst>,
    /// Who opened this citizen's licences, when and what for (谁看过我的证照).
    pub licence_accesses: Vec<LicenceAccessView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockedAction {
    pub action: String,
    pub code: String,
    pub message: Bilingual,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LookFirst {
    /// A field's path or a material's id.
    pub target: String,
    /// `typed`, `changed`, `uploaded`
    pub why: String,
    pub label: Bilingual,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LicenceAccessView {
    pub licence_name: Bilingual,
    pub at: String,
    pub by: Bilingual,
    pub purpose: Bilingual,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DutyView {
    pub duty: String,
    pub staff: String,
    pub name: String,
    pub at: String,
}

/// 收件 受理 审查 出证 送达
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepView {
    pub id: String,
    pub label: Bilingual,
    /// `done`, `current`, `next`, `stopped`
    pub status: String,
    pub at: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaseEventView {
    pub at: String,
    pub kind: String,
    pub text: Bilingual,
    pub by: Option<Bilingual>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignatureView {
    pub signed_at: String,
    pub digest: String,
    pub language: crate::Language,
    /// `GET` this for the picture (PNG), with the bearer token.
    pub image_url: String,
}

/// 一次性告知: all corrections at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CorrectionView {
    pub at: String,
    pub due_on: String,
    pub points: Vec<CorrectionPoint>,
    pub answered_at: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrectionPoint {
    /// A field's path, a material's code, or absent for a general point.
    #[serde(default)]
    pub target: Option<String>,
    pub text: Bilingual,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DecisionView {
    /// `granted`, `refused`
    pub kind: String,
    pub at: String,
    pub by: String,
    pub opinion: String,
    pub reasons: Vec<Bilingual>,
    /// 复议, 诉讼
    pub remedies: Vec<Bilingual>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CertificateView {
    pub number: String,
    pub licence_identifier: String,
    pub title: Bilingual,
    pub issued_at: String,
    pub valid_until: Option<String>,
    pub sm3: String,
    pub pdf_url: String,
    /// `/verify/#n=…&v=…`
    pub verify_url: String,
}

/// `POST /api/v1/cases/{id}/correction`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskCorrection {
    pub version: i64,
    pub points: Vec<CorrectionPoint>,
    /// Days that the citizen has, working days.
    pub days: u32,
}

/// `POST /api/v1/cases/{id}/correction-reply`, by the citizen.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplyCorrection {
    pub version: i64,
    #[serde(default)]
    pub values: Vec<FieldValue>,
    #[serde(default)]
    pub note: String,
}

/// `POST /api/v1/cases/{id}/refuse`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refuse {
    pub version: i64,
    pub reasons: Vec<Bilingual>,
    pub opinion: String,
}

/// `POST /api/v1/cases/{id}/grant`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    pub version: i64,
    pub opinion: String,
}

/// Bodies of `claim`, `issue`, `withdraw`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AtVersion {
    pub version: i64,
}

/// `POST /api/v1/cases/{id}/rating`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// National `starLevel`: 5 best … 1 worst.
    pub stars: u8,
    /// National tag numbers of that level.
    #[serde(default)]
    pub tags: Vec<u16>,
    #[serde(default)]
    pub comment: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RatingView {
    pub stars: u8,
    pub tags: Vec<u16>,
    pub comment: String,
    pub at: String,
    /// Given by the system after the waiting time, never counted as active.
    pub is_default: bool,
}

/// `GET /api/v1/rating-tags`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RatingScale {
    pub levels: Vec<RatingLevel>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RatingLevel {
    pub stars: u8,
    pub label: Bilingual,
    pub tags: Vec<RatingTag>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RatingTag {
    pub code: u16,
    pub label: Bilingual,
}

/// `POST /api/v1/verifications`: public.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// Certificate number or licence identifier.
    pub number: String,
    /// The code printed beside the QR code (8 characters).
    pub code: String,
    /// SM3 (hex) of a file to compare, computed by `POST /api/v1/verifications/file-digest` or by the caller.
    #[serde(default)]
    pub file_sm3: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerifyOutcome {
    Valid,
    Revoked,
    Altered,
    Reissued,
    Unknown,
    Expired,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Verification {
    pub outcome: VerifyOutcome,
    pub checked_at: String,
    pub title: Option<Bilingual>,
    pub number: Option<String>,
    pub holder_masked: Option<String>,
    pub issuer: Option<Bilingual>,
    pub issued_on: Option<String>,
    pub valid_until: Option<String>,
    /// The detached SM2 signature fits the file that the server holds.
    pub seal_ok: bool,
    /// A file was given and is byte for byte the issued one.
    pub file_matches: Option<bool>,
}

/// Answer of `POST /api/v1/verifications/file-digest` (body: the file).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FileDigest {
    pub sm3: String,
    pub bytes: i64,
}
