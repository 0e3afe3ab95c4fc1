/** Wire types: the same names and shapes as the server's `protocol` crate. Ids are prefixed text, times RFC 3339 UTC.
 * An absent answer is null; `?` marks what a request may leave out. */

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

// common.rs

/** A text in both languages; Chinese first. */
export interface Bilingual {
  zh: string;
  en: string;
}

/** A language of the interface. */
export type Language =
  | "zh-CN"
  | "en";

/** RFC 9457 problem. `code` is stable and listed in `docs/errors.md`; `title` and `detail` are in the caller's language. */
export interface Problem {
  /** `https://cloud-booth.example/problems/<code>` */
  type: string;
  title: string;
  status: number;
  code: string;
  detail?: string | null;
  /** One entry a field that is to blame. */
  errors?: FieldProblem[];
  /** Seconds after which a retry makes sense. */
  retry_after?: number | null;
  /** The current state, where the caller lost a race (for example `{version, value}` of a field). */
  current?: Json | null;
}

/** What is wrong with one field: a JSON pointer, a stable code, a message in the caller's language. */
export interface FieldProblem {
  pointer: string;
  code: string;
  detail: string;
}

/** Where a person is: booth, phone or console. */
export type Channel =
  | "booth"
  | "phone";

/** The empty answer of a command that has nothing to say but yes. */
export type Done = Record<string, never>;

// auth.rs

/** `POST /api/v1/auth/login`. The refresh token comes as an HttpOnly cookie. */
export interface Login {
  account: string;
  password: string;
  /** Six digits, for accounts with two factors. */
  totp?: string | null;
}

/** Answer of log-in and `POST /api/v1/auth/refresh`. */
export interface StaffToken {
  /** JWT, for `Authorization: Bearer`. */
  access_token: string;
  expires_at: string;
  staff: StaffView;
}

/** What a member of staff may do. */
export type Role =
  | "agent"
  | "supervisor"
  | "reviewer"
  | "issuer"
  | "presenter"
  | "admin";

export interface StaffView {
  id: string;
  account: string;
  name: string;
  roles: Role[];
  hall: string;
  department: string | null;
  /** Skill codes that this person may serve. */
  skills: string[];
}

/** `POST /api/v1/auth/booth/challenge` */
export interface BoothChallenge {
  booth: string;
}

export interface BoothNonce {
  /** 43 base64url characters, valid 60 s, once. */
  nonce: string;
}

/** `POST /api/v1/auth/booth`: the booth host signed the nonce with its device key. */
export interface BoothLogin {
  booth: string;
  nonce: string;
  /** SM2 signature, base64url, over `booth_login_bytes`. */
  signature: string;
}

export interface BoothToken {
  access_token: string;
  expires_at: string;
  booth: BoothView;
}

export interface BoothView {
  id: string;
  name: Bilingual;
  hall: string;
}

/** `POST /api/v1/visits`: a citizen begins. At a booth with the booth's token, on a phone without any. */
export interface OpenVisit {
  channel: Channel;
  hall: string;
  language?: Language;
  /** 长辈版 */
  elder?: boolean;
}

export interface VisitToken {
  access_token: string;
  expires_at: string;
  visit: VisitView;
}

export interface VisitView {
  id: string;
  channel: Channel;
  hall: string;
  /** Set after a card read: masked name and number. */
  identity: IdentityView | null;
  /** To hand to the booth host, which signs the next card read over it. Single use. */
  card_nonce: string | null;
  /** Open ticket or session, so that a page that reloads finds its place. */
  ticket: string | null;
  session: string | null;
}

/** Who the citizen is, as far as a page needs it: never the full number. */
export interface IdentityView {
  /** 王*某 */
  name_masked: string;
  /** 4290**********1513 */
  number_masked: string;
  /** How sure: `card` (read at a booth). */
  assurance: string;
}

/** `POST /api/v1/visits/{id}/identity` */
export interface Identify {
  read: CardRead;
}

/** `POST /api/v1/ws-tickets`: with any bearer token; used once within 30 s. */
export interface WsTicket {
  ticket: string;
  expires_at: string;
}

// device.rs

/** One read of an identity card, signed by the booth's device. */
export interface CardRead {
  /** The visit's `card_nonce`. */
  nonce: string;
  name: string;
  /** 公民身份号码, 18 characters. */
  number: string;
  /** RFC 3339. */
  read_at: string;
  booth: string;
  /** SM2 over `card_read_bytes`, base64url. */
  signature: string;
}

// catalogue.rs

/** `GET /api/v1/items?q=` */
export interface ItemList {
  items: ItemCard[];
}

export interface ItemCard {
  id: string;
  title: Bilingual;
  department: Bilingual;
  skill: string;
  /** `person` or `company` */
  subject: string;
  popular: boolean;
}

/** `GET /api/v1/items/{id}`: the guide. */
export interface ItemView {
  id: string;
  version: number;
  /** 31 digits. */
  code: string;
  title: Bilingual;
  summary: Bilingual;
  department: Bilingual;
  skill: string;
  subject: string;
  statutory_days: number;
  promise_days: number;
  fee: Bilingual;
  conditions: Bilingual[];
  materials: ItemMaterialView[];
  /** What to have at hand while waiting. */
  papers: Bilingual[];
  steps: Bilingual[];
  legal_basis: Bilingual[];
  result_name: Bilingual;
  /** Reviewer's templates. */
  opinions: Bilingual[];
  correction_reasons: Bilingual[];
  refusal_reasons: Bilingual[];
}

export interface ItemMaterialView {
  code: string;
  name: Bilingual;
  /** `required`, `optional`, `later` (容缺) */
  necessity: string;
  /** A licence of this type replaces the paper (免证). */
  licence_type: string | null;
  camera_ok: boolean;
  help: Bilingual | null;
}

// ticket.rs

/** `GET /api/v1/halls`, `GET /api/v1/halls/{id}`: public. */
export interface HallView {
  id: string;
  name: Bilingual;
  skills: SkillView[];
  /** Seats that are ready, ringing, busy or in wrap-up. */
  seats_on_duty: number;
  waiting: number;
  /** What a ticket taken now would be told. */
  estimate: WaitEstimate | null;
  open_now: boolean;
  /** `09:00`, Beijing time. */
  opens: string;
  closes: string;
  telephone: string;
  /** Nearest window, for when the service is away. */
  address: Bilingual;
}

export interface SkillView {
  code: string;
  name: Bilingual;
}

/** A range, not a promise, and how wrong it has been lately. */
export interface WaitEstimate {
  low_s: number;
  high_s: number;
  /** Mean distance of recent waits from the range shown, in seconds; absent while there are too few. */
  recent_error_s: number | null;
}

export type TicketState =
  | "waiting"
  | "offered"
  | "paired"
  | "closed"
  | "abandoned"
  | "expired"
  | "called_back";

/** Order of service; FIFO inside a class. */
export type PriorityClass =
  | "appointment"
  | "returned"
  | "priority"
  | "normal";

/** What eases the talk; shown to the agent before answering. */
export type AccessNeed =
  | "large_text"
  | "slow_speech"
  | "sign_language"
  | "text_only";

/** `POST /api/v1/tickets`: the visit queues. */
export interface TakeTicket {
  /** Item slug; absent: "I don't know, ask someone". */
  item?: string | null;
  needs?: AccessNeed[];
  /** 老、弱、病、残、孕: self-declared. */
  priority?: boolean;
}

/** Snapshot for the citizen: HTTP answers and the `ticket` frame. */
export interface TicketView {
  id: string;
  /** What is called out: `A023`. */
  number: string;
  state: TicketState;
  version: number;
  item: string | null;
  class: PriorityClass;
  /** People ahead who wait for the same skill; 0 = next. */
  ahead: number;
  waiting: number;
  seats_on_duty: number;
  estimate: WaitEstimate | null;
  enqueued_at: string;
  /** Set once paired. */
  session: string | null;
  /** Set when the ticket was re-opened as a new one (`called_back`). */
  next_ticket: string | null;
  /** Why a terminal state, as a stable word: `cancelled`, `grace_over`, `served`, … */
  reason: string | null;
}

export type SeatState =
  | "offline"
  | "ready"
  | "ringing"
  | "busy"
  | "wrap_up"
  | "away";

/** Snapshot for the agent: HTTP answers and the `seat` frame. */
export interface SeatView {
  id: string;
  /** `3号席` */
  name: Bilingual;
  hall: string;
  state: SeatState;
  /** `break`, `meal`, `no_answer`, `page_closed`, … while away. */
  away_reason: string | null;
  since: string;
  version: number;
  staff: string | null;
  skills: string[];
  offer: OfferView | null;
  session: string | null;
  /** End of wrap-up. */
  wrap_up_until: string | null;
  wrap_up_session: string | null;
  /** People who wait for one of this seat's skills, and the longest wait. */
  waiting: number;
  longest_wait_s: number;
}

/** What rings. */
export interface OfferView {
  pairing: string;
  ticket: string;
  number: string;
  item: string | null;
  item_title: Bilingual | null;
  channel: Channel;
  identity: IdentityView | null;
  class: PriorityClass;
  needs: AccessNeed[];
  waited_s: number;
  offered_at: string;
  /** The ring ends here. */
  due_at: string;
}

/** `POST /api/v1/seats/{id}/open` */
export interface OpenSeat {
  /** Subset of what the person may serve. */
  skills: string[];
  /** Move here a seat that is open in another tab or at another desk. */
  take_over?: boolean;
}

/** `POST /api/v1/seats/{id}/away` */
export interface GoAway {
  reason: string;
}

/** `POST /api/v1/pairings/{id}/decline` */
export interface Decline {
  reason: string;
}

/** Answer of `POST /api/v1/pairings/{id}/accept`. */
export interface Accepted {
  session: string;
}

// form.rs

/** Snapshot: the `form` frame and `GET /api/v1/sessions/{id}/form`. Values are masked for the viewer before they leave the server. */
export interface FormView {
  item: string;
  item_version: number;
  title: Bilingual;
  /** Grows with every change. */
  version: number;
  groups: GroupView[];
  /** Counts over the visible fields. */
  filled: number;
  confirmed: number;
  total: number;
  errors: number;
  /** Everything required is filled, right and confirmed. */
  ready_to_sign: boolean;
  /** The licences that could prefill this item: what the item maps, never what the citizen holds. */
  prefills: PrefillView[];
  signed: boolean;
}

export interface PrefillView {
  licence_type: string;
  licence_name: Bilingual;
  /** Paths that it would fill. */
  fields: string[];
  /** Needs the company's credit code before it can be asked. */
  needs_company: boolean;
}

export interface GroupView {
  id: string;
  title: Bilingual;
  fields: FieldView[];
  confirmed: boolean;
  /** The citizen pressed 有不对的 here. */
  disputed: boolean;
}

export type FieldKind =
  | "text"
  | "name"
  | "id_number"
  | "uscc"
  | "mobile"
  | "date"
  | "select"
  | "multiline"
  | "integer"
  | "boolean"
  | "address"
  | "region";

export interface OptionView {
  value: string;
  label: Bilingual;
}

export interface FieldView {
  /** JSON pointer within the form: `/applicant/name`. */
  path: string;
  kind: FieldKind;
  label: Bilingual;
  help: Bilingual | null;
  options: OptionView[];
  max_chars: number;
  visible: boolean;
  required: boolean;
  /** The viewer may write it. */
  writable: boolean;
  /** Only the citizen may fill it. */
  citizen_only: boolean;
  /** A deciding fact: confirmed by itself, not with its group. */
  confirm_single: boolean;
  /** Text, integer, boolean or null; masked text where `masked`. */
  value: Json;
  masked: boolean;
  version: number;
  origin: OriginView | null;
  confirmed: boolean;
  /** Changed by another since it was confirmed: 已改，请再看. */
  changed_since_confirm: boolean;
  /** What is wrong with the value, in both languages. */
  error: FieldErrorView | null;
}

export interface FieldErrorView {
  code: string;
  message: Bilingual;
}

/** Where a value comes from. */
export type OriginView =
  | { kind: "typed"; by: MemberRole; name: Bilingual; at: string }
  | { kind: "licence"; licence_type: string; licence_name: Bilingual; licence: string; version: number; consent: string; at: string }
  | { kind: "earlier_case"; case: string; at: string }
  | { kind: "computed"; at: string };

/** Answer of `form_set` where the base version was stale: `Problem.current` has this shape. */
export interface FieldCurrent {
  path: string;
  value: Json;
  version: number;
  by: MemberRole;
}

/** Values that a citizen sends from the phone for a correction. */
export interface FieldValue {
  path: string;
  value: Json;
}

/** Reported for a refused bulk of values. */
export type FieldProblems = FieldProblem[];

// session.rs

export type SessionState =
  | "connecting"
  | "active"
  | "reconnecting"
  | "ended";

export type MemberRole =
  | "citizen"
  | "agent"
  | "guest"
  | "supervisor";

export interface MemberView {
  id: string;
  role: MemberRole;
  /** Staff: full name; a citizen: masked, or 「匿名」 / "Anonymous". */
  name: Bilingual;
  /** False while dropped and within grace. */
  present: boolean;
  mic_on: boolean;
  camera_on: boolean;
}

/** Snapshot for one viewer, already masked for them: HTTP answers and the `session` frame. */
export interface SessionView {
  id: string;
  /** The media room (the ticket's id): where `media_offer` goes. */
  room: string;
  state: SessionState;
  end_reason: string | null;
  /** Highest journal number. */
  seq: number;
  version: number;
  started_at: string;
  ended_at: string | null;
  /** While someone is gone: until when they may return. */
  grace_until: string | null;
  /** Which member the viewer is. */
  me: string | null;
  members: MemberView[];
  channel: Channel;
  needs: AccessNeed[];
  /** The citizen, once a card was read. */
  identity: IdentityView | null;
  /** To arm the card reader within the session; for the citizen alone. */
  card_nonce: string | null;
  /** The item chosen at the start or opened by the agent. */
  item: string | null;
  form_open: boolean;
  consents: ConsentView[];
  sign: SignView | null;
  materials: MaterialView[];
  case: string | null;
  /** For the agent: what hand-off still lacks (stable words: `identity`, `form`, `confirm`, `signature`, `material:<code>`). */
  missing: string[];
}

export type ConsentState =
  | "asked"
  | "granted"
  | "refused"
  | "withdrawn"
  | "used"
  | "expired";

/** One question to the citizen: which licence, which fields, for what, once. */
export interface ConsentView {
  id: string;
  state: ConsentState;
  licence_type: string;
  licence_name: Bilingual;
  fields: Bilingual[];
  item: string;
  item_title: Bilingual;
  purpose: Bilingual;
  asked_at: string;
  decided_at: string | null;
  /** After the grant: `filled`, `nothing_found`, `not_entitled`, `library_unavailable`; nothing before the citizen agreed. */
  outcome: string | null;
  /** The company whose licence is asked for (unified social credit code), where the licence is a company's. */
  company: string | null;
}

/** The signature step: what is signed, and whether it is. */
export interface SignView {
  declaration: Bilingual;
  /** SM3 (hex) over the RFC 8785 form of {values, ledger, materials, declaration, language}. */
  digest: string;
  requested_at: string;
  signed_at: string | null;
}

export interface MaterialView {
  id: string;
  /** Which material of the item (`code`), or `still` for a free picture. */
  code: string;
  name: Bilingual;
  /** `licence_copy`, `camera`, `upload`. */
  source: string;
  media_type: string;
  bytes: number;
  sm3: string;
  at: string;
}

/** `POST /api/v1/sessions/{id}/end` */
export interface EndSession {
  /** `finished`, `citizen_left`, `wiped`, `abuse`, … */
  reason: string;
}

/** `POST /api/v1/sessions/{id}/wrap-up` */
export interface WrapUp {
  /** `case_submitted`, `answered`, `follow_up`, `wrong_desk`, `dropped`, `other` */
  disposition: string;
  item?: string | null;
  note?: string;
  /** What the knowledge base did not answer. */
  knowledge_gap?: string;
  /** Go away instead of ready. */
  then_away?: boolean;
}

/** Answer of `POST /api/v1/sessions/{id}/hand-off`. */
export interface HandOff {
  case: CaseView;
}

/** One-time code for the QR on the booth's last screen: `/phone/#c=<code>`. For the citizen alone. */
export interface HandoverCode {
  code: string;
  url: string;
  /** The URL as a QR code, SVG. */
  qr_svg: string;
  expires_at: string;
}

export interface ExchangeCode {
  code: string;
}

/** Case-scoped citizen token. */
export interface CaseToken {
  access_token: string;
  expires_at: string;
  case: CaseView;
}

// ws.rs

/** Client → server. */
export type ClientFrame =
  /** First frame, within 10 s. */
  | { type: "hello"; versions: number[]; language?: Language; client?: string }
  /** Be sent the `ticket` frames of this ticket (the visit's own). */
  | { type: "watch_ticket"; ticket: string }
  /** Be sent the `seat` frames of this seat (the agent's own). The newest watcher holds the seat. */
  | { type: "watch_seat"; seat: string }
  /** A command with its idempotency key; a retry with the same `id` gives the same answer. */
  | { type: "command"; id: string; command: Command }
  /** Never stored, dropped when full. */
  | { type: "ephemeral"; session: string; body: Ephemeral }
  | { type: "ping"; n: number }
  | { type: "pong"; n: number };

/** Server → client. */
export type ServerFrame =
  | { type: "welcome"; version: number; connection: string; now: string; limits: WsLimits }
  | ({ type: "reply"; id: string } & ReplyResult)
  /** One entry of a session's journal, in order of `seq`, for members of the session. */
  | { type: "event"; session: string; event: SessionEvent }
  /** Snapshots; `version` inside only grows. */
  | { type: "ticket"; ticket: TicketView }
  | { type: "seat"; seat: SeatView }
  | { type: "session"; session: SessionView }
  | { type: "form"; session: string; form: FormView }
  | { type: "slots"; session: string; slots: SlotView[] }
  | { type: "ephemeral"; session: string; from: string | null; body: Ephemeral }
  /** This seat or session was opened elsewhere; the connection gets no more of it. */
  | { type: "superseded"; seat: string | null; session: string | null }
  /** The token behind this connection ended (sign-out, visit wiped). */
  | { type: "signed_out" }
  /** A frame that could not be understood; the connection stays. */
  | { type: "error"; problem: Problem }
  | { type: "ping"; n: number }
  | { type: "pong"; n: number };

export type ReplyResult =
  | { problem: Problem }
  | { ok: CommandReply };

export interface WsLimits {
  message_bytes: number;
  commands_per_s: number;
  /** The server pings this often; silence of `dead_s` ends the connection. */
  ping_s: number;
  dead_s: number;
}

/** Commands inside a live session. Everything else goes by HTTP. */
export type Command =
  /** Enter or come back; the answer holds the snapshot and the journal after `after_seq` (0: from the start). */
  | { kind: "join"; session: string; after_seq?: number }
  /** SDP offer into a room (a ticket's id). The ticket's citizen may offer while waiting, the rung seat while ringing; nothing is forwarded before the accept. */
  | { kind: "media_offer"; room: string; sdp: string }
  /** What the member sends now. */
  | { kind: "media_state"; session: string; mic_on: boolean; camera_on: boolean }
  | { kind: "chat"; session: string; text: string }
  /** By the agent: open an item's form on both screens. */
  | { kind: "form_open"; session: string; item: string }
  /** `base_version` is the field's version that the writer saw (0: empty). */
  | { kind: "form_set"; session: string; path: string; base_version: number; value: Json }
  /** By the citizen: 都对, with the form version that was on the screen. */
  | { kind: "form_confirm"; session: string; group: string; form_version: number }
  /** By the citizen: one deciding fact. */
  | { kind: "form_confirm_field"; session: string; path: string; field_version: number }
  /** By the citizen: 有不对的. */
  | { kind: "form_dispute"; session: string; group: string }
  /** By the agent. */
  | { kind: "consent_ask"; session: string; licence_type: string; company?: string | null }
  /** By the citizen on their own screen. */
  | { kind: "consent_answer"; session: string; consent: string; grant: boolean }
  | { kind: "consent_withdraw"; session: string; consent: string }
  /** By the citizen: a card read within the session. */
  | { kind: "identify"; session: string; read: CardRead }
  /** By the agent: show the signature pad. */
  | { kind: "sign_ask"; session: string }
  /** By the citizen: strokes (each a list of x, y, ms triples in pad pixels) and the picture of them. */
  | { kind: "sign"; session: string; digest: string; strokes: [number, number, number][][]; image: string }
  /** By the citizen: not now; the pad closes. */
  | { kind: "sign_decline"; session: string }
  | { kind: "material_remove"; session: string; material: string };

/** Answers to `Command`; most are empty. */
export type CommandReply =
  | { kind: "done" }
  | { kind: "joined"; session: SessionView; form: FormView | null; events: SessionEvent[] }
  | { kind: "media_answer"; sdp: string }
  | { kind: "field_version"; path: string; version: number }
  | { kind: "consent"; consent: string };

/** Which media line carries whom. */
export interface SlotView {
  mid: string;
  member: string;
  /** `audio`, `video` */
  media: string;
  /** `camera`, `document`, `screen` */
  source: string;
}

/** One entry of the journal, as this viewer may see it. */
export interface SessionEvent {
  seq: number;
  at: string;
  /** Member id; absent: the server. */
  actor: string | null;
  body: EventBody;
}

export type EventBody =
  | { kind: "member_joined"; member: string }
  | { kind: "member_dropped"; member: string; grace_until: string }
  | { kind: "member_back"; member: string }
  | { kind: "member_left"; member: string }
  | { kind: "media_connected"; member: string }
  | { kind: "media_lost"; member: string }
  | { kind: "chat"; text: string }
  | { kind: "form_opened"; item: string }
  | { kind: "field_set"; path: string; version: number }
  | { kind: "prefilled"; consent: string; paths: string[] }
  | { kind: "group_confirmed"; group: string }
  | { kind: "field_confirmed"; path: string }
  | { kind: "group_disputed"; group: string }
  | { kind: "consent_asked"; consent: string }
  | { kind: "consent_granted"; consent: string }
  | { kind: "consent_refused"; consent: string }
  | { kind: "consent_withdrawn"; consent: string }
  | { kind: "identified" }
  | { kind: "material_added"; material: string }
  | { kind: "material_removed"; material: string }
  | { kind: "sign_asked" }
  | { kind: "sign_declined" }
  | { kind: "signed" }
  | { kind: "handed_off"; case: string; number: string }
  | { kind: "ended"; reason: string };

/** Live hints. */
export type Ephemeral =
  /** The sender is in this field (absent: in none). */
  | { kind: "focus"; path: string | null }
  /** The sender types; `path` absent: in the chat. */
  | { kind: "typing"; path: string | null; on: boolean }
  /** Of `member`, as the server measured it: `good`, `slow`, `bad`. */
  | { kind: "quality"; member: string; level: string; loss_pct: number; rtt_ms: number };

// case.rs

export type CaseState =
  | "draft"
  | "received"
  | "pre_check"
  | "correction"
  | "not_accepted"
  | "transferred"
  | "accepted"
  | "in_review"
  | "extended"
  | "suspended"
  | "granted"
  | "refused"
  | "issuing"
  | "issued"
  | "delivered"
  | "archived"
  | "withdrawn"
  | "returned";

/** `GET /api/v1/cases?queue=review|issue|mine&limit&after` */
export interface CaseList {
  items: CaseCard[];
  next: string | null;
}

export interface CaseCard {
  id: string;
  number: string;
  item: string;
  item_title: Bilingual;
  applicant_masked: string;
  state: CaseState;
  version: number;
  received_at: string;
  /** Beijing calendar day, `2026-10-21`. */
  due_on: string | null;
  /** Working days left; negative when overdue; absent when no clock runs. */
  days_left: number | null;
  /** Who has it open to work on. */
  claimed_by: string | null;
  /** Sent back by the citizen after a correction. */
  corrected: boolean;
}

/** One case for one viewer. Staff see `form`, `materials`, `consents`; the citizen sees their own, masked. */
export interface CaseView extends CaseCard {
  accepted_at: string | null;
  hall: Bilingual;
  department: Bilingual;
  /** Names of those who did each duty: `guided`, `filled`, `accepted`, `reviewed`, `decided`, `issued`. */
  duties: DutyView[];
  steps: StepView[];
  timeline: CaseEventView[];
  materials: MaterialView[];
  form: FormView | null;
  consents: ConsentView[];
  signature: SignatureView | null;
  /** The one-time notice that is open or was answered. */
  correction: CorrectionView | null;
  decision: DecisionView | null;
  certificate: CertificateView | null;
  rating: RatingView | null;
  /** What the viewer may do now: `claim`, `correct`, `refuse`, `grant`, `issue`, `withdraw`, `reply`, `rate`. */
  actions: string[];
  /** Why an action of the viewer's role is not there: code → action. */
  blocked: BlockedAction[];
  /** What a reviewer should look at first: paths that were typed, changed or uploaded. */
  look_first: LookFirst[];
  /** Who opened this citizen's licences, when and what for (谁看过我的证照). */
  licence_accesses: LicenceAccessView[];
}

export interface BlockedAction {
  action: string;
  code: string;
  message: Bilingual;
}

export interface LookFirst {
  /** A field's path or a material's id. */
  target: string;
  /** `typed`, `changed`, `uploaded` */
  why: string;
  label: Bilingual;
}

export interface LicenceAccessView {
  licence_name: Bilingual;
  at: string;
  by: Bilingual;
  purpose: Bilingual;
}

export interface DutyView {
  duty: string;
  staff: string;
  name: string;
  at: string;
}

/** 收件 受理 审查 出证 送达 */
export interface StepView {
  id: string;
  label: Bilingual;
  /** `done`, `current`, `next`, `stopped` */
  status: string;
  at: string | null;
}

export interface CaseEventView {
  at: string;
  kind: string;
  text: Bilingual;
  by: Bilingual | null;
}

export interface SignatureView {
  signed_at: string;
  digest: string;
  language: Language;
  /** `GET` this for the picture (PNG), with the bearer token. */
  image_url: string;
}

/** 一次性告知: all corrections at one time. */
export interface CorrectionView {
  at: string;
  due_on: string;
  points: CorrectionPoint[];
  answered_at: string | null;
}

export interface CorrectionPoint {
  /** A field's path, a material's code, or absent for a general point. */
  target?: string | null;
  text: Bilingual;
}

export interface DecisionView {
  /** `granted`, `refused` */
  kind: string;
  at: string;
  by: string;
  opinion: string;
  reasons: Bilingual[];
  /** 复议, 诉讼 */
  remedies: Bilingual[];
}

export interface CertificateView {
  number: string;
  licence_identifier: string;
  title: Bilingual;
  issued_at: string;
  valid_until: string | null;
  sm3: string;
  pdf_url: string;
  /** `/verify/#n=…&v=…` */
  verify_url: string;
}

/** `POST /api/v1/cases/{id}/correction` */
export interface AskCorrection {
  version: number;
  points: CorrectionPoint[];
  /** Days that the citizen has, working days. */
  days: number;
}

/** `POST /api/v1/cases/{id}/correction-reply`, by the citizen. */
export interface ReplyCorrection {
  version: number;
  values?: FieldValue[];
  note?: string;
}

/** `POST /api/v1/cases/{id}/refuse` */
export interface Refuse {
  version: number;
  reasons: Bilingual[];
  opinion: string;
}

/** `POST /api/v1/cases/{id}/grant` */
export interface Grant {
  version: number;
  opinion: string;
}

/** Bodies of `claim`, `issue`, `withdraw`. */
export interface AtVersion {
  version: number;
}

/** `POST /api/v1/cases/{id}/rating` */
export interface Rate {
  /** National `starLevel`: 5 best … 1 worst. */
  stars: number;
  /** National tag numbers of that level. */
  tags?: number[];
  comment?: string;
}

export interface RatingView {
  stars: number;
  tags: number[];
  comment: string;
  at: string;
  /** Given by the system after the waiting time, never counted as active. */
  is_default: boolean;
}

/** `GET /api/v1/rating-tags` */
export interface RatingScale {
  levels: RatingLevel[];
}

export interface RatingLevel {
  stars: number;
  label: Bilingual;
  tags: RatingTag[];
}

export interface RatingTag {
  code: number;
  label: Bilingual;
}

/** `POST /api/v1/verifications`: public. */
export interface Verify {
  /** Certificate number or licence identifier. */
  number: string;
  /** The code printed beside the QR code (8 characters). */
  code: string;
  /** SM3 (hex) of a file to compare, computed by `POST /api/v1/verifications/file-digest` or by the caller. */
  file_sm3?: string | null;
}

export type VerifyOutcome =
  | "valid"
  | "revoked"
  | "altered"
  | "reissued"
  | "unknown"
  | "expired";

export interface Verification {
  outcome: VerifyOutcome;
  checked_at: string;
  title: Bilingual | null;
  number: string | null;
  holder_masked: string | null;
  issuer: Bilingual | null;
  issued_on: string | null;
  valid_until: string | null;
  /** The detached SM2 signature fits the file that the server holds. */
  seal_ok: boolean;
  /** A file was given and is byte for byte the issued one. */
  file_matches: boolean | null;
}

/** Answer of `POST /api/v1/verifications/file-digest` (body: the file). */
export interface FileDigest {
  sm3: string;
  bytes: number;
}

/** WebSocket subprotocol and version. */
export const SUBPROTOCOL = "cloud-booth.v1";
export const PROTOCOL_VERSION = 1;

// admin.rs

/** `GET /api/v1/admin/overview` */
export interface AdminOverview {
  staff: StaffView[];
  seats: SeatView[];
  booths: BoothView[];
  items: ItemCard[];
  audit: AuditHead;
}

/** Newest signed checkpoint of the Merkle log. */
export interface AuditHead {
  size: number;
  /** SHA-256, hex. */
  root: string;
  signed_at: string | null;
  /** Entries that are not yet numbered (merge delay: 1 s). */
  pending: number;
}

/** `GET /api/v1/admin/audit?object=` */
export interface AuditList {
  items: AuditView[];
}

export interface AuditView {
  seq: number | null;
  at: string;
  /** An id; never a name. */
  actor: string;
  action: string;
  object: string;
}
