//! Recording of a session (双录): the citizen's consent, what all screens show, the script of prompts (双录话术), replay, keeping.

use crate::Bilingual;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordingState {
    /// The citizen is asked.
    Asked,
    /// The citizen said no, or nobody answered.
    Refused,
    /// Agreed; bytes of both sides are not yet known to be on disk.
    Starting,
    /// Proven: bytes of both sides are on disk.
    Live,
    /// Agreed and running, but something that must be recorded is not.
    Interrupted,
    /// Nothing is written any more; the manifest is not signed yet.
    Sealing,
    /// The manifest is signed.
    Sealed,
    /// Its key is destroyed and its files are gone.
    Deleted,
}

/// Steps that an item may bind to a recording (`Item::recording.steps`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LegalStep {
    /// The citizen's card is read in the session.
    Identify,
    /// The prompts are read out.
    Prompts,
    /// The citizen signs.
    Sign,
}

/// A legal step and whether it may be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepGate {
    pub step: LegalStep,
    pub open: bool,
}

/// What the item asks for: part of [`crate::SessionView`]; none where it asks for nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecordingRuleView {
    /// The case is not handed off without a proven recording.
    pub required: bool,
    pub steps: Vec<StepGate>,
    /// The card was read, but not while a recording that counts was live: it has to be read again.
    pub identify_again: bool,
}

/// What the citizen is shown before they answer; kept with the recording word for word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordingNotice {
    pub text: Bilingual,
    pub policy_version: String,
    /// Days that it is kept when no case comes of it.
    pub days_routine: u32,
    /// Days that it is kept with a case.
    pub days_case: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnswerKind {
    /// Read out; nothing is asked.
    None,
    /// 是 or 否.
    YesNo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PromptAnswer {
    Yes,
    No,
}

/// One prompt of the item's script, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PromptView {
    pub id: String,
    pub text: Bilingual,
    pub asks: AnswerKind,
    /// Milliseconds since the recording's start; when it was read out last.
    pub read_ms: Option<i64>,
    pub answered_ms: Option<i64>,
    pub answer: Option<PromptAnswer>,
    /// `citizen`: tapped on their own screen; `agent`: spoken, marked by the agent.
    pub answered_by: Option<String>,
}

/// The newest recording of a session: part of [`crate::SessionView`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordingView {
    pub id: String,
    pub state: RecordingState,
    pub version: i64,
    pub notice: RecordingNotice,
    pub asked_at: String,
    pub answered_at: Option<String>,
    /// Zero of the recording's clock.
    pub started_at: Option<String>,
    pub proven_at: Option<String>,
    /// While interrupted: `loss`, `leg_down`, `disk`, `queue`, `crash`, `mode`, `paused`.
    pub interrupted: Option<String>,
    pub ended_at: Option<String>,
    /// `finished`, `withdrawn`, `closed`, `crash`, `disk`, `moved`, `refused`, `unanswered`.
    pub end_reason: Option<String>,
    /// In the item's order; empty where it has none.
    pub script: Vec<PromptView>,
}

/// What a hall tells and keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordingPolicy {
    /// At most 300 characters a language.
    pub text: Bilingual,
    /// 1 to 3,650.
    pub days_routine: u32,
    /// 1 to 36,500; never shorter than `days_routine`.
    pub days_case: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordingPolicyView {
    pub hall: String,
    /// 0: nobody has kept one; the default holds.
    pub version: i64,
    pub policy: RecordingPolicy,
}

/// `PUT /api/v1/halls/{id}/recording-policy`, over the version that was on the screen.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutRecordingPolicy {
    pub policy: RecordingPolicy,
    pub version: i64,
}

/// One line of `GET /api/v1/recordings?hall=&session=&case=&state=&held=&from=&to=&before=&limit=`, newest first: for the hall's supervisors and
/// administrators; with `case`, for those who review, decide or issue it. `from` and `to` are days in Beijing, both included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordingLine {
    pub id: String,
    pub session: String,
    pub hall: String,
    pub case: Option<String>,
    pub case_number: Option<String>,
    pub item_title: Option<Bilingual>,
    pub agent: Bilingual,
    pub state: RecordingState,
    pub started_at: Option<String>,
    pub ended_at: Option<String>,
    pub end_reason: Option<String>,
    pub duration_ms: Option<i64>,
    /// Gaps listed in the manifest.
    pub gaps: Option<i64>,
    pub held: bool,
    pub hold_reason: Option<String>,
    /// When it will be deleted, if nobody holds it.
    pub delete_at: Option<String>,
    pub version: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RecordingPage {
    pub items: Vec<RecordingLine>,
    /// For `before` of the next page.
    pub next: Option<String>,
}

/// `PUT /api/v1/recordings/{id}/hold` (封存): by the hall's administrators and supervisors, over a version.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutHold {
    pub on: bool,
    /// 1 to 200 characters when `on`.
    #[serde(default)]
    pub reason: String,
    pub version: i64,
}

/// `POST /api/v1/recordings/{id}/replays`: opens it for the caller; audited. The answer sets a cookie (`HttpOnly`, `SameSite=Strict`, path
/// `/api/v1/replays/{replay}/`) under which the player's `src` addresses work until `expires_at`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenReplay {
    /// Why: 2 to 200 characters; kept in the audit.
    pub purpose: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReplayView {
    pub id: String,
    pub expires_at: String,
    pub recording: RecordingLine,
    pub started_at: String,
    pub duration_ms: i64,
    pub legs: Vec<ReplayLeg>,
    /// In order of time.
    pub timeline: Vec<ReplayMark>,
    /// `valid`: every hash, link and the signature; `unchecked`: not yet; `broken`: something does not fit.
    pub integrity: String,
    /// Whether one file can be made here (`ffmpeg` is present).
    pub can_export: bool,
    /// The newest file of it that this person has asked for, under way or there: in this replay or in one before.
    pub export: Option<ExportView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplayLeg {
    pub leg: u32,
    /// Member id.
    pub member: String,
    pub name: Bilingual,
    /// `citizen`, `agent`, `guest`, …
    pub role: String,
    /// `camera`, `document`, `screen`.
    pub source: String,
    pub parts: Vec<ReplayPart>,
    pub gaps: Vec<ReplayGap>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplayPart {
    /// `GET`, with Range (RFC 9110 §14): `/api/v1/replays/{replay}/legs/{leg}/parts/{part}`.
    pub src: String,
    /// `video/webm; codecs="vp8,opus"` and the like.
    pub content_type: String,
    /// Of the recording's clock: the part's own time begins here.
    pub from_ms: i64,
    pub to_ms: i64,
    pub video: bool,
    pub width: Option<u32>,
    pub height: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplayGap {
    /// `audio`, `video`; none: both.
    pub media: Option<String>,
    pub from_ms: i64,
    pub to_ms: Option<i64>,
    /// `loss`, `leg_down`, `disk`, `queue`, `crash`, `damaged`, `no_leg`, `mode`, `paused`.
    pub reason: String,
}

/// One line of `GET /api/v1/recordings/{id}/replays`: who has opened it, newest first; for those who keep the hall.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplayNote {
    pub id: String,
    pub staff: String,
    pub name: String,
    /// None once the recording is deleted.
    pub purpose: Option<String>,
    pub opened_at: String,
    /// As [`ReplayView::integrity`].
    pub integrity: String,
}

/// Something on the timeline beneath the player.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplayMark {
    /// Of the recording's clock; negative: before its start.
    pub at_ms: i64,
    /// `chat`, `form`, `consent`, `prompt`, `answer`, `signature`, `material`, `snapshot`, `member`, `mode`, `supervision`, `recording`, `case`, `quality`.
    pub kind: String,
    /// Who: member id.
    pub actor: Option<String>,
    /// One line in words; masked as the viewer may see it.
    pub text: Bilingual,
    /// A snapshot's id, a prompt's id, a field's path.
    pub object: Option<String>,
}

/// `POST /api/v1/replays/{id}/exports`; then `GET …/exports/{export}` until `done`, then `GET …/exports/{export}/file`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExportView {
    pub id: String,
    /// `running`, `done`, `failed`.
    pub state: String,
    /// 0 to 100.
    pub percent: u8,
    pub bytes: Option<i64>,
    /// SM3 of the file.
    pub sm3: Option<String>,
    /// Relative address of the file once it is done.
    pub src: Option<String>,
}

/// `POST /api/v1/sessions/{id}/snapshots` (抓拍), by the agent: multipart, one JPEG or PNG (`image`, at most 2 MiB) and `member`. The server writes the
/// watermark, hashes and seals it; also under `GET /api/v1/sessions/{id}/snapshots`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SnapshotView {
    pub id: String,
    /// Whose picture.
    pub member: String,
    pub at: String,
    /// On the recording's clock, while one runs.
    pub at_ms: Option<i64>,
    /// SM3 of the watermarked picture.
    pub sm3: String,
    pub width: u32,
    pub height: u32,
    /// `GET` with the caller's token: `/api/v1/snapshots/{id}`.
    pub src: String,
}

/// `GET /api/v1/recordings/{id}/manifest`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SignedManifest {
    /// What was signed, as text: JSON in canonical form (RFC 8785) with the media manifest, the consent, the prompts and the snapshots' hashes.
    pub manifest: String,
    /// SM2 with SM3 (GB/T 32918), hexadecimal.
    pub signature: String,
    /// The server's public key, hexadecimal.
    pub public_key: String,
    pub signed_at: String,
}
