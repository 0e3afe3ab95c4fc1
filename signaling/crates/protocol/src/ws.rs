//! The WebSocket at `/ws`: JSON text frames, one tagged object each. See `docs/protocol.md`.

use crate::{
    Bilingual, CallBackView, CallMode, CardRead, FormView, InviteKind, InviteState, Language,
    NoticeView, Problem, SeatView, SessionView, SupervisionMode, TicketView, Wallboard,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Client → server.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    /// First frame, within 10 s.
    Hello {
        versions: Vec<u32>,
        #[serde(default)]
        language: Language,
        /// `booth`, `phone`, `console`, …: for the log alone.
        #[serde(default)]
        client: String,
    },
    /// Be sent the `ticket` frames of this ticket (the visit's own).
    WatchTicket {
        ticket: String,
    },
    /// Be sent the `seat` frames of this seat (the agent's own). The newest watcher holds the seat.
    WatchSeat {
        seat: String,
    },
    /// Be sent the `wallboard` frames of this hall; for its supervisors and administrators.
    WatchHall {
        hall: String,
    },
    /// A command with its idempotency key; a retry with the same `id` gives the same answer.
    Command {
        id: String,
        command: Command,
    },
    /// Never stored, dropped when full.
    Ephemeral {
        session: String,
        body: Ephemeral,
    },
    Ping {
        n: u64,
    },
    Pong {
        n: u64,
    },
}

/// Server → client.
// One frame at a time is made and sent at once: a box around the largest would buy nothing.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    Welcome {
        version: u32,
        connection: String,
        now: String,
        limits: WsLimits,
    },
    Reply {
        id: String,
        #[serde(flatten)]
        result: ReplyResult,
    },
    /// One entry of a session's journal, in order of `seq`, for members of the session.
    Event {
        session: String,
        event: SessionEvent,
    },
    /// Snapshots; `version` inside only grows.
    Ticket {
        ticket: TicketView,
    },
    /// The call-back of a watched ticket: the page rings while its state is `ringing`.
    CallBack {
        call_back: CallBackView,
    },
    Seat {
        seat: SeatView,
    },
    Session {
        session: SessionView,
    },
    Form {
        session: String,
        form: FormView,
    },
    Slots {
        session: String,
        slots: Vec<SlotView>,
    },
    Ephemeral {
        session: String,
        /// Member id of the sender; absent: the server.
        from: Option<String>,
        body: Ephemeral,
    },
    Wallboard {
        wallboard: Box<Wallboard>,
    },
    /// A supervisor's words to the watched seat; what is unread comes again with the next `watch_seat`.
    Notice {
        notice: NoticeView,
    },
    /// This seat or session was opened elsewhere; the connection gets no more of it.
    Superseded {
        seat: Option<String>,
        session: Option<String>,
    },
    /// The token behind this connection ended (sign-out, visit wiped).
    SignedOut {},
    /// A frame that could not be understood; the connection stays.
    Error {
        problem: Problem,
    },
    Ping {
        n: u64,
    },
    Pong {
        n: u64,
    },
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ReplyResult {
    Problem { problem: Problem },
    Ok { ok: CommandReply },
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub struct WsLimits {
    pub message_bytes: u32,
    pub commands_per_s: u32,
    /// The server pings this often; silence of `dead_s` ends the connection.
    pub ping_s: u32,
    pub dead_s: u32,
}

/// Commands inside a live session. Everything else goes by HTTP.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Command {
    /// Enter or come back; the answer holds the snapshot and the journal after `after_seq` (0: from the start).
    Join {
        session: String,
        #[serde(default)]
        after_seq: i64,
    },
    /// SDP offer into a room (a ticket's id). The ticket's citizen may offer while waiting, the rung seat while ringing; nothing is forwarded before the accept.
    MediaOffer {
        room: String,
        sdp: String,
    },
    /// What the member sends now.
    MediaState {
        session: String,
        mic_on: bool,
        camera_on: bool,
    },
    Chat {
        session: String,
        text: String,
    },
    /// By the agent: open an item's form on both screens.
    FormOpen {
        session: String,
        item: String,
    },
    /// `base_version` is the field's version that the writer saw (0: empty).
    FormSet {
        session: String,
        path: String,
        base_version: i64,
        #[schema(value_type = Option<Object>)]
        value: serde_json::Value,
    },
    /// By the citizen: 都对, with the form version that was on the screen.
    FormConfirm {
        session: String,
        group: String,
        form_version: i64,
    },
    /// By the citizen: one deciding fact.
    FormConfirmField {
        session: String,
        path: String,
        field_version: i64,
    },
    /// By the citizen: 有不对的.
    FormDispute {
        session: String,
        group: String,
    },
    /// By the agent.
    ConsentAsk {
        session: String,
        licence_type: String,
        /// Unified social credit code, where the licence is a company's.
        #[serde(default)]
        company: Option<String>,
    },
    /// By the citizen on their own screen.
    ConsentAnswer {
        session: String,
        consent: String,
        grant: bool,
    },
    ConsentWithdraw {
        session: String,
        consent: String,
    },
    /// By the citizen: a card read within the session.
    Identify {
        session: String,
        read: CardRead,
    },
    /// By the agent: ask the citizen for their consent to a recording.
    RecordingAsk {
        session: String,
    },
    /// By the citizen on their own screen. `policy_version`: of the notice that was on it; another one refuses the answer.
    RecordingAnswer {
        session: String,
        recording: String,
        grant: bool,
        policy_version: String,
    },
    /// By the citizen: nothing is written any more within 1 s.
    RecordingWithdraw {
        session: String,
        recording: String,
    },
    /// By the agent: this prompt has been read out.
    PromptRead {
        session: String,
        recording: String,
        prompt: String,
    },
    /// By the citizen on their own screen, or by the agent who heard it. A new answer replaces the last one until the signature.
    PromptAnswer {
        session: String,
        recording: String,
        prompt: String,
        answer: crate::PromptAnswer,
    },
    /// By the agent: show the signature pad.
    SignAsk {
        session: String,
    },
    /// By the citizen: strokes (each a list of x, y, ms triples in pad pixels) and the picture of them.
    Sign {
        session: String,
        /// The digest that was on the screen; a changed form refuses it.
        digest: String,
        strokes: Vec<Vec<[i32; 3]>>,
        /// PNG, base64, at most 120 KiB.
        image: String,
    },
    /// By the citizen: not now; the pad closes.
    SignDecline {
        session: String,
    },
    MaterialRemove {
        session: String,
        material: String,
    },
    /// Another rung of the ladder: the citizen moves at once, the agent lowers at once and asks for the rest.
    Mode {
        session: String,
        to: CallMode,
    },
    /// By the citizen, to what was asked.
    ModeAgree {
        session: String,
    },
    ModeRefuse {
        session: String,
    },
}

/// Answers to [`Command`]; most are empty.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CommandReply {
    Done {},
    Joined {
        session: Box<SessionView>,
        form: Option<Box<FormView>>,
        events: Vec<SessionEvent>,
    },
    MediaAnswer {
        sdp: String,
    },
    FieldVersion {
        path: String,
        version: i64,
    },
    Consent {
        consent: String,
    },
}

/// Which media line carries whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SlotView {
    pub mid: String,
    pub member: String,
    /// `audio`, `video`
    pub media: String,
    /// `camera`, `document`, `screen`
    pub source: String,
}

/// One entry of the journal, as this viewer may see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SessionEvent {
    pub seq: i64,
    pub at: String,
    /// Member id; absent: the server.
    pub actor: Option<String>,
    pub body: EventBody,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EventBody {
    MemberJoined {
        member: String,
    },
    MemberDropped {
        member: String,
        grace_until: String,
    },
    MemberBack {
        member: String,
    },
    MemberLeft {
        member: String,
        /// Who that was, for those who never saw them; the citizen has none here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Bilingual>,
    },
    MediaConnected {
        member: String,
    },
    MediaLost {
        member: String,
    },
    Chat {
        text: String,
    },
    FormOpened {
        item: String,
    },
    FieldSet {
        path: String,
        version: i64,
    },
    Prefilled {
        consent: String,
        paths: Vec<String>,
    },
    GroupConfirmed {
        group: String,
    },
    FieldConfirmed {
        path: String,
    },
    GroupDisputed {
        group: String,
    },
    ConsentAsked {
        consent: String,
    },
    ConsentGranted {
        consent: String,
    },
    ConsentRefused {
        consent: String,
    },
    ConsentWithdrawn {
        consent: String,
    },
    Identified {},
    MaterialAdded {
        material: String,
    },
    MaterialRemoved {
        material: String,
    },
    /// The agent took a picture (抓拍) of this member.
    SnapshotTaken {
        snapshot: String,
        member: String,
    },
    /// The citizen is asked for their consent to a recording.
    RecordingAsked {
        recording: String,
    },
    RecordingAnswered {
        recording: String,
        grant: bool,
    },
    /// Proven: bytes of both sides are on disk.
    RecordingStarted {
        recording: String,
    },
    RecordingInterrupted {
        recording: String,
        /// `loss`, `leg_down`, `disk`, `queue`, `crash`, `mode`, `paused`.
        reason: String,
    },
    RecordingResumed {
        recording: String,
    },
    /// Nothing is written any more.
    RecordingStopped {
        recording: String,
        /// As [`crate::RecordingView::end_reason`].
        reason: String,
    },
    /// The manifest is signed.
    RecordingSealed {
        recording: String,
    },
    PromptRead {
        recording: String,
        prompt: String,
    },
    PromptAnswered {
        recording: String,
        prompt: String,
        answer: crate::PromptAnswer,
    },
    SignAsked {},
    SignDeclined {},
    Signed {},
    HandedOff {
        case: String,
        number: String,
    },
    Invited {
        invite: String,
        invite_kind: InviteKind,
    },
    InviteChanged {
        invite: String,
        state: InviteState,
    },
    /// The citizen is on hold, or heard again.
    Hold {
        on: bool,
    },
    /// Another agent serves.
    Transferred {
        member: String,
    },
    ModeChanged {
        mode: CallMode,
    },
    ModeAsked {
        mode: CallMode,
    },
    ModeRefused {},
    /// A supervisor came in; for whom the hall's policy tells, then and later.
    SupervisionStarted {
        member: String,
        mode: SupervisionMode,
    },
    SupervisionChanged {
        member: String,
        mode: SupervisionMode,
    },
    SupervisionEnded {
        member: String,
        /// `left`, `lost`, `other_hall`.
        reason: String,
        /// Who that was, for those who never saw them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Bilingual>,
    },
    Noted {
        note: String,
    },
    /// An entry that is not for this viewer; it keeps its number.
    Hidden {},
    Ended {
        reason: String,
    },
}

/// Live hints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Ephemeral {
    /// The sender is in this field (absent: in none).
    Focus { path: Option<String> },
    /// The sender types; `path` absent: in the chat.
    Typing { path: Option<String>, on: bool },
    /// Of `member`, as the server measured it: `good`, `slow`, `bad`.
    Quality {
        member: String,
        level: String,
        loss_pct: f32,
        rtt_ms: u32,
    },
}
