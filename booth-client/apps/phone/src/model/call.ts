/** One call of this phone, from the queue to the end. Owns the visit and its token, ticket, session, dialogue and media.
 * Pages come and go; the call stays (Back only shrinks it). While a place is held, the visit's token (anonymous) is kept on the
 * phone, so that a closed page finds its place again for ten minutes; it is removed when the call is over. */
import { shallowReactive } from "vue";
import { FormWriter, FormPresence } from "@cloud-booth/form";
import { networkProblem } from "@cloud-booth/api";
import type { AccessNeed, ApiClient, Command, CommandReply, HandoverCode, Language, MemberView, SessionView, TicketView, VisitToken, VisitView, WsTicket } from "@cloud-booth/api";
import type { LocalMedia, CallPeer, CallPeerOptions } from "@cloud-booth/rtc";
import type { SignalClient, SignalOptions } from "@cloud-booth/signal";
import type { NetworkLevel } from "@cloud-booth/ui";
import { addEvent, addOwn, mark } from "./chat.ts";
import { START, type CallMode, type CallState } from "./callstate.ts";
import type { Shelf } from "./store.ts";

export type { CallMode, CallState, Stage } from "./callstate.ts";

export interface StartOptions {
  hall: string;
  item: string | null;
  mode: CallMode;
  needs: AccessNeed[];
  priority: boolean;
  elder: boolean;
  language: Language;
  media: LocalMedia | null;
}

export interface CallOptions {
  open: ApiClient;
  client: (token: () => string | null) => ApiClient;
  phone: Shelf;
  signal: (options: SignalOptions) => SignalClient;
  peer: (options: CallPeerOptions) => CallPeer;
  /** The turn has come. */
  ring: () => void;
  /** The session made a case: this code opens it on the phone. */
  handover?: (code: string) => void;
  name: (member: MemberView) => string;
  canTalk?: () => boolean;
}

interface KeptVisit {
  id: string;
  token: string;
  mode: CallMode;
  item: string | null;
}

const KEY = "cloud-booth.visit";
/** 10 s to take back a hang-up (design guide, Irreversible). */
export const LEAVE_MS = 10_000;
const LIVE_TICKET = new Set(["waiting", "offered", "paired"]);

export class Call {
  readonly state = shallowReactive<CallState>({ ...START });
  readonly writer = new FormWriter(async (path, base_version, value) => {
    const reply = await this.#command<Extract<CommandReply, { kind: "field_version" }>>((session) => ({ kind: "form_set", session, path, base_version, value }));
    return reply.version;
  });
  readonly presence = new FormPresence((id) => {
    const member = this.member(id);
    return member ? { name: this.#options.name(member), role: member.role } : null;
  });
  readonly #options: CallOptions;
  readonly #api: ApiClient;
  #visit: KeptVisit | null = null;
  #signal: SignalClient | null = null;
  #peer: CallPeer | null = null;
  #media: LocalMedia | null = null;
  #stopMedia: (() => void) | null = null;
  #joined: string | null = null;
  #followed: string | null = null;
  #leave: ReturnType<typeof setTimeout> | undefined;
  #typing: ReturnType<typeof setTimeout> | undefined;
  #micBefore = true;

  constructor(options: CallOptions) {
    this.#options = options;
    this.#api = options.client(() => this.#visit?.token ?? null);
  }

  get isLive(): boolean {
    return this.state.stage === "waiting" || this.state.stage === "talking";
  }
  get media(): LocalMedia | null {
    return this.#media;
  }
  member(id: string | null): MemberView | undefined {
    return this.state.session?.members.find((one) => one.id === id);
  }
  /** Who serves: the one whose picture is large. */
  get agent(): MemberView | undefined {
    return this.state.session?.members.find((one) => one.role === "agent");
  }

  /** Opens a visit and takes a place in the queue. Throws nothing: `state.error` says what went wrong and the stage goes back. */
  async start(options: StartOptions): Promise<boolean> {
    if (this.state.stage === "opening" || this.isLive) return false;
    Object.assign(this.state, START, { stage: "opening", mode: options.mode, item: options.item });
    try {
      const opened = await this.#options.open.post<VisitToken>("/visits", { channel: "phone", hall: options.hall, language: options.language, elder: options.elder });
      this.#visit = { id: opened.visit.id, token: opened.access_token, mode: options.mode, item: options.item };
      const ticket = await this.#api.post<TicketView>("/tickets", { item: options.item, needs: options.needs, priority: options.priority });
      this.#options.phone.write(KEY, this.#visit);
      this.state.stage = "waiting";
      this.#connect(options.language);
      this.#takeTicket(ticket);
      this.setMedia(options.media);
      return true;
    } catch (error) {
      this.#endVisit();
      Object.assign(this.state, { stage: "none", error });
      return false;
    }
  }

  /** After a closed or reloaded page: back to the place in the queue or into the running session. */
  async resume(language: Language): Promise<boolean> {
    const kept = this.#options.phone.read<KeptVisit>(KEY);
    if (!kept || this.state.stage !== "none") return false;
    this.#visit = kept;
    try {
      const visit = await this.#api.get<VisitView>(`/visits/${kept.id}`);
      const ticket = visit.ticket ? await this.#api.get<TicketView>(`/tickets/${visit.ticket}`) : null;
      if (!visit.session && !(ticket && LIVE_TICKET.has(ticket.state))) throw networkProblem("over", 404);
      Object.assign(this.state, START, { stage: "waiting", mode: kept.mode, item: kept.item });
      this.#connect(language);
      if (ticket) this.#takeTicket(ticket);
      if (visit.session) this.#join(visit.session);
      return true;
    } catch (error) {
      // A weak network is no reason to give the place up: the next load tries again.
      const status = (error as { status?: number }).status ?? 0;
      if (status >= 400 && status < 500) this.#options.phone.remove(KEY);
      this.#visit = null;
      return false;
    }
  }

  /** Own camera and microphone; null: none (typing only). This object disposes of it. */
  setMedia(media: LocalMedia | null): void {
    if (media === this.#media) return;
    this.#stopMedia?.();
    this.#media?.dispose();
    this.#media = media;
    this.state.local = media?.state ?? null;
    this.#stopMedia = media?.events.on("change", (local) => {
      this.state.local = local;
      this.#tellMedia();
    }) ?? null;
    if (this.state.stage === "talking") this.#goLive();
  }

  async cancel(): Promise<void> {
    const ticket = this.state.ticket;
    if (!ticket) return;
    await this.#api.post<TicketView>(`/tickets/${ticket.id}/cancel`, {});
    this.#over("cancelled");
  }

  /** Asks to hang up: sound is off at once, the call ends ten seconds later unless `stay`. */
  hangUp(): void {
    if (this.state.stage !== "talking" || this.state.leaving_until !== null) return;
    this.#micBefore = this.state.local?.mic_on ?? true;
    this.#media?.setMic(false);
    this.state.leaving_until = Date.now() + LEAVE_MS;
    this.#leave = setTimeout(() => void this.leaveNow(), LEAVE_MS);
  }
  stay(): void {
    if (this.state.leaving_until === null) return;
    clearTimeout(this.#leave);
    this.state.leaving_until = null;
    this.#media?.setMic(this.#micBefore);
  }
  async leaveNow(): Promise<void> {
    clearTimeout(this.#leave);
    const session = this.state.session;
    if (!session) return;
    try {
      await this.#api.post(`/sessions/${session.id}/end`, { reason: "citizen_left" });
    } catch (error) {
      // The visit's end, sent next, ends the session as well.
      this.state.error = error;
    }
    this.#over("citizen_left");
  }
  /** Back to the start, after the end was read. */
  close(): void {
    if (this.isLive) return;
    Object.assign(this.state, START);
  }

  say(text: string, id = `own-${Date.now()}-${Math.random().toString(36).slice(2)}`): void {
    const isRetry = this.state.chat.some((line) => line.id === id);
    this.state.chat = isRetry ? mark(this.state.chat, id, "sending") : addOwn(this.state.chat, id, text, new Date().toISOString());
    this.#command((session) => ({ kind: "chat", session, text })).then(
      () => (this.state.chat = mark(this.state.chat, id, "sent")),
      () => (this.state.chat = mark(this.state.chat, id, "failed")),
    );
  }
  sayAgain(id: string): void {
    const line = this.state.chat.find((one) => one.id === id);
    if (line) this.say(line.text, id);
  }
  hintTyping(path: string | null, on: boolean): void {
    if (this.#joined) this.#signal?.hint(this.#joined, { kind: "typing", path, on });
  }
  hintFocus(path: string | null): void {
    if (this.#joined) this.#signal?.hint(this.#joined, { kind: "focus", path });
  }
  /** A command of the session; rejects with `ProblemError`. */
  send(make: (session: string) => Command): Promise<CommandReply> {
    return this.#command(make);
  }
  async uploadMaterial(code: string, name: string, file: Blob): Promise<void> {
    const session = this.state.session;
    if (session) await this.#api.upload(`/sessions/${session.id}/materials`, file, { query: { code, name } });
  }

  #command<Reply extends CommandReply>(make: (session: string) => Command): Promise<Reply> {
    if (!this.#signal || !this.#joined) return Promise.reject(networkProblem("closed"));
    return this.#signal.command<Reply>(make(this.#joined));
  }

  #connect(language: Language): void {
    const signal = this.#options.signal({
      ticket: async () => (await this.#api.post<WsTicket>("/ws-tickets", {})).ticket,
      language: () => language,
      client: "phone",
    });
    this.#signal = signal;
    signal.on("state", (connection) => {
      this.state.connection = connection;
      if (connection === "signed_out") this.#over("signed_out");
    });
    signal.on("ticket", (ticket) => this.#takeTicket(ticket));
    signal.on("session", (session) => this.#takeSession(session));
    signal.on("joined", (joined) => {
      this.#takeSession(joined.session);
      if (joined.form) this.state.form = joined.form;
      this.#tellMedia();
    });
    signal.on("form", ({ session, form }) => {
      if (session === this.#joined && (!this.state.form || form.version >= this.state.form.version || form.item !== this.state.form.item)) this.state.form = form;
    });
    signal.on("event", ({ event }) => {
      const { body } = event;
      if (body.kind === "chat") this.state.chat = addEvent(this.state.chat, { ...event, body }, this.state.session?.me ?? null);
      else if (body.kind === "member_left" || body.kind === "member_dropped") this.presence.leave(body.member);
    });
    signal.on("slots", ({ slots }) => this.#peer?.setSlots(slots));
    signal.on("ephemeral", ({ from, body }) => {
      if (body.kind === "quality") {
        if (body.member !== this.state.session?.me) this.state.theirs = body.level as NetworkLevel;
      } else if (body.kind === "typing" && !body.path) this.#showTyping(body.on ? from : null);
      else this.presence.receive(from, body);
    });
    signal.start();
  }

  #takeTicket(ticket: TicketView): void {
    const now = this.state.ticket;
    if (now?.id === ticket.id && ticket.version < now.version) return;
    if (now && now.id !== ticket.id && ticket.id !== now.next_ticket) return;
    this.state.ticket = ticket;
    if (ticket.next_ticket) this.#follow(ticket);
    else if (ticket.state === "paired" && ticket.session) this.#join(ticket.session);
    else if (LIVE_TICKET.has(ticket.state)) {
      this.#signal?.watchTicket(ticket.id);
      this.#warmUp(ticket.id);
    } else if (!this.#joined) this.#over(ticket.reason ?? ticket.state);
  }
  /** The agent was lost: the ticket was opened anew, first in its class. Go along; own camera and microphone stay open. */
  #follow(old: TicketView): void {
    const next = old.next_ticket;
    if (!next || next === this.#followed) return;
    this.#followed = next;
    this.#peer?.dispose();
    this.#peer = null;
    this.#signal?.forget(old.id);
    if (this.#joined) this.#signal?.forget(this.#joined);
    this.#joined = null;
    this.stay();
    this.writer.clear();
    // The next session's journal starts at one again.
    Object.assign(this.state, { stage: "waiting", session: null, form: null, chat: [], members: [], peer: "new", is_again: true });
    this.#signal?.watchTicket(next);
    void this.#api.get<TicketView>(`/tickets/${next}`).then((ticket) => this.#takeTicket(ticket), (error: unknown) => (this.state.error = error));
  }

  /** Connects the media while still waiting; nothing of this side is sent before the call is accepted. */
  #warmUp(room: string): void {
    if (this.#peer || !(this.#options.canTalk?.() ?? typeof RTCPeerConnection === "function")) return;
    const peer = this.#options.peer({
      negotiate: async (sdp) => {
        if (!this.#signal) throw networkProblem("closed");
        const answer = await this.#signal.command<Extract<CommandReply, { kind: "media_answer" }>>({ kind: "media_offer", room, sdp });
        return answer.sdp;
      },
    });
    this.#peer = peer;
    peer.on("state", (state) => (this.state.peer = state));
    peer.on("members", (members) => (this.state.members = members));
    peer.on("quality", ({ level }) => (this.state.mine = level));
    peer.connect();
  }

  #join(session: string): void {
    if (this.#joined === session || !this.#signal) return;
    this.#joined = session;
    this.#goLive();
    this.#signal.join(session).then(
      () => {
        if (this.state.stage !== "waiting" || this.#joined !== session) return;
        Object.assign(this.state, { stage: "talking", is_again: false });
        this.#goLive();
        this.#options.ring();
      },
      (error: { status?: number }) => {
        this.state.error = error;
        if (error.status === 404 || error.status === 409) this.#over("session_ended");
        else this.#joined = null;
      },
    );
  }
  #goLive(): void {
    if (this.state.ticket || this.state.session) this.#warmUp(this.state.session?.room ?? this.state.ticket?.id ?? "");
    if (this.#media) void this.#peer?.goLive(this.#media);
    else void this.#peer?.hold();
    this.#tellMedia();
  }
  #tellMedia(): void {
    if (this.state.stage !== "talking") return;
    const local = this.state.local;
    void this.#command((session) => ({ kind: "media_state", session, mic_on: local?.mic_on ?? false, camera_on: local?.camera_on ?? false })).catch(() => undefined);
  }

  #takeSession(session: SessionView): void {
    if (session.id !== this.#joined) return;
    const now = this.state.session;
    if (now && session.version < now.version) return;
    this.state.session = session;
    if (!now) this.#warmUp(session.room);
    if (session.state !== "ended") return;
    if (session.end_reason === "agent_lost") void this.#again();
    else this.#over(session.end_reason ?? "finished");
  }
  /** The ticket's frame may be late or lost: ask for it. */
  async #again(): Promise<void> {
    const id = this.state.ticket?.id;
    try {
      const ticket = id ? await this.#api.get<TicketView>(`/tickets/${id}`) : null;
      // Its frame may have come meanwhile.
      if (this.state.ticket?.id !== id) return;
      if (ticket?.next_ticket) this.#takeTicket(ticket);
      else this.#over("agent_lost");
    } catch (error) {
      this.state.error = error;
      this.#over("agent_lost");
    }
  }

  #showTyping(member: string | null): void {
    clearTimeout(this.#typing);
    this.state.typing = member;
    if (member) this.#typing = setTimeout(() => (this.state.typing = null), 4000);
  }

  /** Closes everything that was opened. The session's last snapshot stays for the last page. */
  #over(reason: string): void {
    if (!this.isLive) return;
    clearTimeout(this.#leave);
    Object.assign(this.state, { stage: reason === "cancelled" ? "none" : "ended", end_reason: reason, leaving_until: null, members: [], form: null });
    this.#peer?.dispose();
    this.#peer = null;
    this.setMedia(null);
    this.#signal?.dispose();
    this.#signal = null;
    this.writer.clear();
    this.presence.dispose();
    const session = this.state.session;
    this.#joined = null;
    if (session?.case) void this.#handOver(session.id);
    else this.#endVisit();
  }
  async #handOver(session: string): Promise<void> {
    try {
      const code = await this.#api.post<HandoverCode>(`/sessions/${session}/handover-code`, {});
      this.#options.handover?.(code.code);
    } catch (error) {
      this.state.error = error;
    }
    this.#endVisit();
  }
  #endVisit(): void {
    const visit = this.#visit;
    this.#options.phone.remove(KEY);
    if (!visit) return;
    // The token must live until the answer: it is what the call is signed with.
    void this.#options.client(() => visit.token).post(`/visits/${visit.id}/end`, {}).catch(() => undefined);
    this.#visit = null;
  }
}
