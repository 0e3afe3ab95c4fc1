/** The live session of this visit: signalling, media, form, chat. Owns all three clients and closes them; decides nothing that
 * the server decides. While the citizen waits it is connected already, but no track leaves the page before the pairing. */
import { reactive, shallowReactive } from "vue";
import type { CardRead, Command, CommandReply, EventBody, FormView, IceServers, Json, MaterialView, MemberView, PromptAnswer, SessionEvent, SessionView, TalkMode, TicketView } from "@cloud-booth/api";
import { pick, preferences } from "@cloud-booth/i18n";
import { FormPresence, FormWriter } from "@cloud-booth/form";
import { CallPeer, documentCamera, IceSource, listDevices, LocalMedia, Share, type LocalMediaState, type MemberMedia, type PeerState, type ShareState } from "@cloud-booth/rtc";
import { SignalClient, type SignalState } from "@cloud-booth/signal";
import type { ChatMessage, NetworkLevel, Signature } from "@cloud-booth/ui";
import type { CallMode, Visit } from "./visit.ts";

/** Chat lines kept on the screen. */
const CHAT_MAX = 300;
/** After all tries for media failed, the next ones come this much later, milliseconds. */
const RETRY_MS = 8_000;

export interface CallState {
  connection: SignalState;
  peer: PeerState;
  session: SessionView | null;
  form: FormView | null;
  chat: ChatMessage[];
  sending: ChatMessage[];
  mine: NetworkLevel;
  theirs: NetworkLevel;
  agentTyping: boolean;
  local: LocalMediaState;
  /** The second camera over papers. */
  paper: ShareState & { there: boolean };
  /** Why there is no picture although there is voice. */
  voiceOnly: string;
  /** Number of the case, once handed off. */
  caseNumber: string | null;
  /** The session went on in another window. */
  superseded: boolean;
}

export interface CallEvents {
  ticket: (ticket: TicketView) => void;
  event: (body: EventBody, who: MemberView | null, replayed: boolean) => void;
  joined: () => void;
  /** The server says that the session is over. */
  ended: () => void;
  signedOut: () => void;
}

export class Call {
  readonly state: CallState;
  /** Streams must not be wrapped: the browser checks what they are. */
  readonly media = shallowReactive<{ members: MemberMedia[]; self: MediaStream }>({ members: [], self: new MediaStream() });
  readonly local = new LocalMedia();
  readonly paper: Share;
  readonly writer: FormWriter;
  readonly presence: FormPresence;
  readonly #visit: Visit;
  readonly #on: CallEvents;
  readonly #signal: SignalClient;
  readonly #peer: CallPeer;
  #room: string;
  #session: string | null = null;
  #paperCamera: string | null = null;
  readonly #onDevices = (): void => void this.#lookForPaper();
  #typingTimer: ReturnType<typeof setTimeout> | undefined;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(visit: Visit, room: string, on: CallEvents) {
    this.#visit = visit;
    this.#room = room;
    this.#on = on;
    this.media.self = this.local.stream;
    this.state = reactive<CallState>({
      connection: "idle", peer: "new", session: null, form: null, chat: [], sending: [], mine: "unknown", theirs: "unknown", agentTyping: false,
      local: this.local.state, paper: { on: false, opening: false, problem: null, there: false }, voiceOnly: "", caseNumber: null, superseded: false,
    });
    this.#signal = new SignalClient({ ticket: () => visit.wsTicket(), language: () => preferences.state.locale, client: "booth" });
    this.#peer = new CallPeer({
      ice: new IceSource(() => visit.api.get<IceServers>("/media/ice-servers")),
      negotiate: async (sdp, sources) => {
        const answer = await this.#signal.command<Extract<CommandReply, { kind: "media_answer" }>>({ kind: "media_offer", room: this.#room, sdp, sources });
        return answer.sdp;
      },
    });
    this.paper = new Share("document", (track) => this.#peer.share("document", track));
    this.writer = new FormWriter(async (path, base_version, value) => this.#set(path, base_version, value));
    this.presence = new FormPresence((id) => {
      const member = this.#member(id);
      return member ? { name: pick(member.name), role: member.role } : null;
    });
    this.#listen();
  }

  get agent(): MemberView | null {
    return this.state.session?.members.find((member) => member.role === "agent") ?? null;
  }
  get agentStream(): MediaStream | null {
    const agent = this.agent;
    return this.media.members.find((one) => one.member === agent?.id)?.sources.camera ?? null;
  }
  /** A screen or papers that somebody of the office shows: the newest kind first. */
  get shown(): { member: string; source: "document" | "screen"; stream: MediaStream } | null {
    for (const source of ["screen", "document"] as const) {
      const found = this.media.members.find((one) => one.sources[source]);
      if (found?.sources[source]) return { member: found.member, source, stream: found.sources[source] };
    }
    return null;
  }

  /** Queue updates, a warm connection, and the own picture for the check. */
  async start(mode: CallMode): Promise<void> {
    this.#signal.start();
    this.#signal.watchTicket(this.#room);
    this.#peer.connect();
    await this.prepare(mode);
  }
  /** Opens what this way of talking needs and closes the rest: who types is neither filmed nor heard. */
  async prepare(mode: CallMode): Promise<void> {
    this.local.setMic(mode !== "text");
    if (mode !== "video") void this.paper.stop();
    if (mode !== "video") await this.local.setCamera(false);
    if (mode === "text") return;
    if (!this.local.audio) await this.local.open({ no_camera: mode === "audio" });
    if (mode === "video" && !this.local.video) await this.local.setCamera(true);
    // Names of cameras are told only once one is open.
    await this.#lookForPaper();
  }

  /** The ticket was opened again as another one. */
  follow(ticket: string): void {
    this.#signal.forget(this.#room);
    this.#room = ticket;
    this.#leave();
    this.#signal.watchTicket(ticket);
    void this.paper.stop();
    void this.#peer.hold();
    this.#peer.rejoin();
  }

  async join(session: string): Promise<void> {
    if (this.#session === session) return;
    this.#session = session;
    // The pairing is made: media may flow while the join is still on its way.
    void this.#peer.goLive(this.local);
    this.#peer.connect();
    await this.#signal.join(session);
  }

  setMic(on: boolean): void {
    // A microphone that was never opened is opened by the first press.
    if (on && !this.local.audio) void this.local.open().then(() => this.local.setMic(true));
    this.local.setMic(on);
  }
  setCamera(on: boolean): Promise<void> {
    return this.local.setCamera(on);
  }
  /** 放到高拍仪上, or away again. */
  async setPaper(on: boolean): Promise<boolean> {
    if (!on || !this.#paperCamera) {
      await this.paper.stop();
      return !on;
    }
    return this.paper.start(this.#paperCamera);
  }
  /** Camera, microphone and papers, for good: the talk is over. */
  closeDevices(): void {
    navigator.mediaDevices?.removeEventListener("devicechange", this.#onDevices);
    this.paper.dispose();
    this.local.dispose();
  }
  chooseDevice(kind: "audio" | "video", device: string): Promise<boolean> {
    return this.local.replace(kind, device);
  }

  /** Sends a line; it stands as "sending" until the server has it. */
  async chat(text: string, retried?: string): Promise<void> {
    const id = retried ?? `own-${Date.now()}-${this.state.sending.length}`;
    const line: ChatMessage = { id, who: "", mine: true, at: new Date().toISOString(), text, state: "sending" };
    this.state.sending = [...this.state.sending.filter((one) => one.id !== id), line];
    try {
      await this.#command((session) => ({ kind: "chat", session, text }));
      this.state.sending = this.state.sending.filter((one) => one.id !== id);
    } catch {
      this.state.sending = this.state.sending.map((one) => (one.id === id ? { ...one, state: "failed" } : one));
    }
  }
  retryChat(id: string): void {
    const line = this.state.sending.find((one) => one.id === id);
    if (line) void this.chat(line.text, id);
  }

  confirm(group: string, form_version: number): Promise<unknown> {
    return this.#command((session) => ({ kind: "form_confirm", session, group, form_version }));
  }
  confirmField(path: string, field_version: number): Promise<unknown> {
    return this.#command((session) => ({ kind: "form_confirm_field", session, path, field_version }));
  }
  dispute(group: string): Promise<unknown> {
    return this.#command((session) => ({ kind: "form_dispute", session, group }));
  }
  answerConsent(consent: string, grant: boolean): Promise<unknown> {
    return this.#command((session) => ({ kind: "consent_answer", session, consent, grant }));
  }
  withdrawConsent(consent: string): Promise<unknown> {
    return this.#command((session) => ({ kind: "consent_withdraw", session, consent }));
  }
  answerRecording(recording: string, grant: boolean, policy_version: string): Promise<unknown> {
    return this.#command((session) => ({ kind: "recording_answer", session, recording, grant, policy_version }));
  }
  stopRecording(recording: string): Promise<unknown> {
    return this.#command((session) => ({ kind: "recording_withdraw", session, recording }));
  }
  answerPrompt(recording: string, prompt: string, answer: PromptAnswer): Promise<unknown> {
    return this.#command((session) => ({ kind: "prompt_answer", session, recording, prompt, answer }));
  }
  identify(read: CardRead): Promise<unknown> {
    return this.#command((session) => ({ kind: "identify", session, read }));
  }
  sign(digest: string, signature: Signature): Promise<unknown> {
    return this.#command((session) => ({ kind: "sign", session, digest, strokes: signature.strokes, image: signature.image }));
  }
  declineSign(): Promise<unknown> {
    return this.#command((session) => ({ kind: "sign_decline", session }));
  }
  removeMaterial(material: string): Promise<unknown> {
    return this.#command((session) => ({ kind: "material_remove", session, material }));
  }
  addMaterial(code: string, name: string, picture: Blob): Promise<MaterialView> {
    return this.#visit.api.upload<MaterialView>(`/sessions/${this.#session}/materials`, picture, { query: { code, name } });
  }
  /** A step on the ladder: at once for this side's own, or as the answer to the agent's question. */
  mode(to: TalkMode): Promise<unknown> {
    return this.#command((session) => ({ kind: "mode", session, to }));
  }
  answerMode(agree: boolean): Promise<unknown> {
    return this.#command((session) => ({ kind: agree ? "mode_agree" : "mode_refuse", session }));
  }
  async end(reason: string): Promise<void> {
    if (this.#session) this.#setSession(await this.#visit.api.post<SessionView>(`/sessions/${this.#session}/end`, { reason }));
  }

  focus(path: string | null): void {
    if (this.#session) this.#signal.hint(this.#session, { kind: "focus", path });
  }
  typing(path: string | null, on: boolean): void {
    if (this.#session) this.#signal.hint(this.#session, { kind: "typing", path, on });
  }

  dispose(): void {
    clearTimeout(this.#typingTimer);
    clearTimeout(this.#retryTimer);
    this.closeDevices();
    this.#peer.dispose();
    this.#signal.dispose();
    this.presence.dispose();
    this.writer.clear();
    this.media.members = [];
    this.state.session = null;
    this.state.form = null;
    this.state.chat = [];
    this.state.sending = [];
  }

  #leave(): void {
    if (this.#session) this.#signal.forget(this.#session);
    this.#session = null;
    this.state.session = null;
    this.state.form = null;
    this.writer.clear();
    this.presence.dispose();
    this.media.members = [];
  }
  #member(id: string | null): MemberView | null {
    return this.state.session?.members.find((member) => member.id === id) ?? null;
  }
  #command(make: (session: string) => Command): Promise<CommandReply> {
    return this.#session ? this.#signal.command(make(this.#session)) : Promise.reject(new Error("no session"));
  }
  async #set(path: string, base_version: number, value: Json): Promise<number> {
    const reply = await this.#command((session) => ({ kind: "form_set", session, path, base_version, value }));
    return reply.kind === "field_version" ? reply.version : base_version;
  }
  #tellMedia(): void {
    const { mic_on, camera_on } = this.local.state;
    if (this.#session && this.state.session?.state !== "ended") void this.#command((session) => ({ kind: "media_state", session, mic_on, camera_on })).catch(() => undefined);
  }

  async #lookForPaper(): Promise<void> {
    const { cameras } = await listDevices().catch(() => ({ cameras: [] }));
    const own = this.local.video?.getSettings().deviceId ?? null;
    // Without an own picture nobody knows which camera is the person's.
    this.#paperCamera = own ? (documentCamera(cameras, own)?.deviceId ?? null) : this.#paperCamera;
    this.state.paper = { ...this.paper.state, there: this.#paperCamera !== null };
  }

  #listen(): void {
    const signal = this.#signal;
    navigator.mediaDevices?.addEventListener("devicechange", this.#onDevices);
    this.paper.events.on("change", (state) => (this.state.paper = { ...state, there: this.#paperCamera !== null }));
    signal.on("renegotiate", ({ session }) => session === this.#session && void this.#peer.renegotiate());
    signal.on("state", (state) => {
      this.state.connection = state;
      if (state === "signed_out") this.#on.signedOut();
    });
    signal.on("ticket", (ticket) => this.#on.ticket(ticket));
    signal.on("session", (session) => this.#setSession(session));
    signal.on("joined", ({ session, form }) => {
      this.#setSession(session);
      if (form) this.#setForm(form);
      this.#on.joined();
      this.#tellMedia();
    });
    signal.on("form", ({ session, form }) => session === this.#session && this.#setForm(form));
    signal.on("slots", ({ session, slots }) => session === this.#session && this.#peer.setSlots(slots));
    signal.on("event", ({ event, replayed }) => this.#event(event, replayed));
    signal.on("ephemeral", ({ from, body }) => {
      if (body.kind === "quality") {
        if (body.member === this.state.session?.me) this.state.mine = body.state;
        else if (body.member === this.agent?.id) this.state.theirs = body.state;
      } else if (body.kind === "typing" && !body.path) this.#agentTypes(body.on);
      else this.presence.receive(from, body);
    });
    signal.on("superseded", ({ session }) => {
      if (session === this.#session) this.state.superseded = true;
    });
    this.#peer.on("state", (state) => {
      this.state.peer = state;
      clearTimeout(this.#retryTimer);
      // All tries in a row failed; the talk goes on by text, and media is tried again from time to time.
      if (state === "failed") this.#retryTimer = setTimeout(() => this.#peer.connect(), RETRY_MS);
    });
    this.#peer.on("members", (members) => {
      this.media.members = members;
    });
    this.#peer.on("voice", (why) => {
      if (why) void this.paper.stop();
      this.state.voiceOnly = why ? (why.problem.errors?.[0]?.detail ?? why.problem.title) : "";
    });
    this.#peer.on("reception", (seen) => {
      if (this.#session) this.#signal.hint(this.#session, { kind: "reception", ...seen });
    });
    this.local.events.on("change", (state) => {
      this.state.local = state;
      if (this.#session && state.has_camera && this.#paperCamera === null) void this.#lookForPaper();
      this.#tellMedia();
    });
  }

  #agentTypes(on: boolean): void {
    clearTimeout(this.#typingTimer);
    this.state.agentTyping = on;
    if (on) this.#typingTimer = setTimeout(() => (this.state.agentTyping = false), 4000);
  }
  #setSession(session: SessionView): void {
    const now = this.state.session;
    if (this.#session !== session.id || (now && now.version > session.version)) return;
    this.state.session = session;
    // Papers are a picture: they go with it, whoever took the step.
    if (session.mode !== "video" && (this.paper.state.on || this.paper.state.opening)) void this.paper.stop();
    if (session.state === "ended" && now?.state !== "ended") this.#on.ended();
  }
  #setForm(form: FormView): void {
    const now = this.state.form;
    if (now && now.item === form.item && now.version > form.version) return;
    if (now && now.item !== form.item) this.writer.clear();
    this.state.form = form;
  }

  #event({ seq, at, actor, body }: SessionEvent, replayed: boolean): void {
    const who = this.#member(actor);
    if (body.kind === "chat") {
      const mine = actor !== null && actor === this.state.session?.me;
      if (!mine) this.state.agentTyping = false;
      this.state.chat = [...this.state.chat, { id: `seq-${seq}`, who: who ? pick(who.name) : "", mine, at, text: body.text }].slice(-CHAT_MAX);
    } else if (body.kind === "handed_off") this.state.caseNumber = body.number;
    else if ((body.kind === "member_dropped" || body.kind === "member_left") && body.member) this.presence.leave(body.member);
    this.#on.event(body, who, replayed);
  }
}
