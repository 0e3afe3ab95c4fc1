/** One call of this phone, from the queue to the end. Owns the visit and its token (whose client is `api`), ticket, session, dialogue and media.
 * Pages come and go; the call stays (Back only shrinks it). While a place is held, the visit's token (anonymous) is kept on the
 * phone, so that a closed page finds its place again for ten minutes; it is removed when the call is over. */
import { shallowReactive } from "vue";
import { FormWriter, FormPresence } from "@cloud-booth/form";
import { networkProblem } from "@cloud-booth/api";
import type { Accepted, ApiClient, CallBackTaken, CallBackView, Command, CommandReply, Language, MemberView, SessionView, TicketView, VisitToken, WsTicket } from "@cloud-booth/api";
import type { LocalMedia, CallPeer } from "@cloud-booth/rtc";
import type { SignalClient } from "@cloud-booth/signal";
import { ringEnds } from "./callback.ts";
import { Dialogue } from "./chat.ts";
import { Keeping } from "./keeping.ts";
import { Leaving } from "./leaving.ts";
import { listen } from "./lines.ts";
import { carried, checkedIn, closeVisit, findPlace, invited, LIVE_TICKET } from "./place.ts";
import { START, type CallMode, type CallOptions, type CallState, type KeptVisit, type StartOptions } from "./callstate.ts";

export { LEAVE_MS } from "./leaving.ts";
export type { CallMode, CallState, Stage, StartOptions } from "./callstate.ts";

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
  readonly #dialogue = new Dialogue(this.state, (text) => this.#command((session) => ({ kind: "chat", session, text })));
  readonly #leaving = new Leaving(this.state, () => this.#media, () => void this.leaveNow());
  readonly #options: CallOptions;
  readonly api: ApiClient;
  readonly #kept: Keeping;
  #signal: SignalClient | null = null;
  #peer: CallPeer | null = null;
  #media: LocalMedia | null = null;
  #stopMedia: (() => void) | null = null;
  #joined: string | null = null;
  #followed: string | null = null;
  /** The old ticket's last frame may be faster than the answer that names the new one. */
  #isAskingBack = false;
  /** This page said that no call-back is wanted any more: that end is told otherwise than a cancelled place. */
  #isDeclining = false;

  constructor(options: CallOptions) {
    this.#options = options;
    this.#kept = new Keeping(options.phone, options.begun);
    this.api = options.client(() => this.#kept.token);
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
      const visit: KeptVisit = { id: opened.visit.id, token: opened.access_token, mode: options.mode, item: options.item };
      this.#kept.use(visit);
      const ticket = options.appointment
        ? await checkedIn(this.api, options.appointment, options.mode)
        : await this.api.post<TicketView>("/tickets", { item: options.item, needs: options.needs, priority: options.priority, mode: options.mode });
      this.#kept.keep(visit);
      if (options.call_back) {
        await this.#askBack(ticket, options.language);
        return true;
      }
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
    const kept = this.#kept.read();
    if (!kept || this.state.stage !== "none") return false;
    return this.#enter(kept, language);
  }
  /** Takes over the ticket that was carried here from a booth. Rejects with `ProblemError`. */
  async carry(code: string, key: string, language: Language): Promise<boolean> {
    if (this.isLive) return false;
    const kept = await carried(this.#options.open, code, key);
    this.#kept.keep(kept);
    return this.#enter(kept, language);
  }
  /** Joins a session as a guest. Rejects with `ProblemError`. */
  async joinAsGuest(code: string, name: string, key: string, language: Language, media: LocalMedia | null): Promise<void> {
    const kept = await invited(this.#options.open, { code, name }, key, media ? "video" : "text");
    this.#kept.keep(kept);
    await this.#enter(kept, language);
    this.setMedia(media);
  }

  async #enter(kept: KeptVisit, language: Language): Promise<boolean> {
    this.#kept.use(kept);
    try {
      if (kept.guest) {
        Object.assign(this.state, START, { stage: "waiting", mode: kept.mode, is_guest: true });
        this.#connect(language);
        this.#join(kept.guest);
        return true;
      }
      const { ticket, session, call_back } = await findPlace(this.api, kept);
      Object.assign(this.state, START, { stage: "waiting", mode: ticket?.mode ?? kept.mode, item: ticket?.item ?? kept.item, call_back, ring_ends: ringEnds(call_back, Date.now()) });
      // Two tries went by while the page was closed: that is said, not hidden.
      if (call_back?.state === "closed") {
        this.#over("call_back_unanswered");
        return true;
      }
      this.#connect(language);
      if (ticket) this.#takeTicket(ticket);
      if (session) this.#join(session);
      return true;
    } catch (error) {
      // A weak network is no reason to give the place up: the next load tries again.
      const status = (error as { status?: number }).status ?? 0;
      if (status >= 400 && status < 500) this.#kept.forget();
      else this.#kept.drop();
      return false;
    }
  }

  /** 请回电: the place stays, this page rings when it is their turn. Camera and microphone close until then. */
  async askBack(language: Language): Promise<void> {
    const ticket = this.state.ticket;
    if (ticket) await this.#askBack(ticket, language);
  }
  async #askBack(old: TicketView, language: Language): Promise<void> {
    this.#isAskingBack = true;
    const taken = await this.api.post<CallBackTaken>(`/tickets/${old.id}/call-back`, {}).finally(() => (this.#isAskingBack = false));
    if (!this.#kept.visit) return;
    this.#kept.change({ token: taken.access_token, call_back: taken.ticket.id });
    // The old token has done its part: the line is opened anew with the new one.
    this.#signal?.dispose();
    this.#peer?.dispose();
    this.#peer = null;
    this.setMedia(null);
    Object.assign(this.state, { stage: "waiting", call_back: taken.call_back, ring_ends: null, ticket: null, is_again: false, peer: "new" });
    this.#connect(language);
    this.#takeTicket(taken.ticket);
  }
  /** The phone rings and is answered; own media may be given before or after. Rejects with `ProblemError`. */
  async answerBack(): Promise<void> {
    const one = this.state.call_back;
    if (one) this.#join((await this.api.post<Accepted>(`/call-backs/${one.ticket}/answer`, {})).session);
  }
  /** `later`: counts as a try, another may follow. `no_more`: the place is given back. Rejects with `ProblemError`. */
  async declineBack(answer: "later" | "no_more"): Promise<void> {
    const one = this.state.call_back;
    if (!one) return;
    this.#isDeclining = answer === "no_more";
    try {
      this.#takeCallBack(await this.api.post<CallBackView>(`/call-backs/${one.ticket}/decline`, { answer }));
    } finally {
      this.#isDeclining = false;
    }
  }
  #takeCallBack(view: CallBackView): void {
    if (!this.state.call_back || view.ticket !== this.state.ticket?.id) return;
    const isSameRing = this.state.ring_ends !== null && view.state === "ringing" && view.ring_until === this.state.call_back.ring_until;
    if (!isSameRing) this.state.ring_ends = ringEnds(view, Date.now());
    this.state.call_back = view;
    if (view.state === "answered" && view.session) this.#join(view.session);
    else if (view.state === "closed") this.#over("call_back_unanswered");
    else if (view.state === "cancelled") this.#over(this.#isDeclining ? "call_back_declined" : "cancelled");
  }

  /** Another way of talking while one waits; the place stays. Own media follow: what is not needed is closed. Rejects with
   * `ProblemError` (`ticket_state`: it rings already). */
  async changeMode(mode: CallMode): Promise<void> {
    const ticket = this.state.ticket;
    if (!ticket) return;
    this.#takeTicket(await this.api.put<TicketView>(`/tickets/${ticket.id}/mode`, { mode }));
    if (mode === "text") this.setMedia(null);
    else if (mode === "audio") await this.#media?.setCamera(false);
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
    await this.api.post(this.state.call_back ? `/call-backs/${ticket.id}/cancel` : `/tickets/${ticket.id}/cancel`, {});
    this.#over("cancelled");
  }

  /** Asks to hang up: sound is off at once, the call ends ten seconds later unless `stay`. */
  hangUp(): void {
    if (this.state.stage === "talking") this.#leaving.begin();
  }
  stay(): void {
    this.#leaving.takeBack();
  }
  async leaveNow(): Promise<void> {
    this.#leaving.clear();
    const session = this.state.session;
    if (!session) return;
    // A guest goes; the talk of the others stays.
    if (this.state.is_guest) return this.#over("guest_left");
    try {
      await this.api.post(`/sessions/${session.id}/end`, { reason: "citizen_left" });
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

  readonly say = (text: string, id?: string): void => this.#dialogue.say(text, id);
  readonly sayAgain = (id: string): void => this.#dialogue.again(id);
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
    if (session) await this.api.upload(`/sessions/${session.id}/materials`, file, { query: { code, name } });
  }

  #command<Reply extends CommandReply>(make: (session: string) => Command): Promise<Reply> {
    if (!this.#signal || !this.#joined) return Promise.reject(networkProblem("closed"));
    return this.#signal.command<Reply>(make(this.#joined));
  }

  #connect(language: Language): void {
    const signal = this.#options.signal({
      ticket: async () => (await this.api.post<WsTicket>("/ws-tickets", {})).ticket,
      language: () => language,
      client: "phone",
    });
    this.#signal = signal;
    listen(signal, {
      state: this.state, presence: this.presence, dialogue: this.#dialogue, peer: () => this.#peer, joined: () => this.#joined,
      ticket: (ticket) => this.#takeTicket(ticket),
      callBack: (view) => this.#takeCallBack(view),
      session: (session) => this.#takeSession(session),
      entered: () => this.#tellMedia(),
      over: (reason) => this.#over(reason),
    });
    signal.start();
  }

  #takeTicket(ticket: TicketView): void {
    if (this.#isAskingBack) return;
    const now = this.state.ticket;
    if (now?.id === ticket.id && ticket.version < now.version) return;
    if (now && now.id !== ticket.id && ticket.id !== now.next_ticket) return;
    this.state.ticket = ticket;
    if (ticket.mode !== this.state.mode) {
      this.state.mode = ticket.mode;
      this.#kept.change({ mode: ticket.mode });
    }
    // A call-back's session begins with the answer, not with the pairing.
    if (ticket.next_ticket) this.#follow(ticket);
    else if (ticket.state === "paired" && ticket.session && !this.state.call_back) this.#join(ticket.session);
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
    if (this.#kept.visit?.call_back) this.#kept.change({ call_back: undefined });
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
    void this.api.get<TicketView>(`/tickets/${next}`).then((ticket) => this.#takeTicket(ticket), (error: unknown) => (this.state.error = error));
  }

  /** Connects the media while still waiting; nothing of this side is sent before the call is accepted. */
  #warmUp(room: string): void {
    if (this.#peer || (this.state.call_back && !this.#joined) || !(this.#options.canTalk?.() ?? typeof RTCPeerConnection === "function")) return;
    const peer = this.#options.peer({
      negotiate: async (sdp, sources) => {
        if (!this.#signal) throw networkProblem("closed");
        const answer = await this.#signal.command<Extract<CommandReply, { kind: "media_answer" }>>({ kind: "media_offer", room, sdp, sources });
        return answer.sdp;
      },
    });
    this.#peer = peer;
    peer.on("state", (state) => (this.state.peer = state));
    peer.on("members", (members) => (this.state.members = members));
    peer.on("voice", (why) => (this.state.voice_only = why ? (why.problem.errors?.[0]?.detail ?? why.problem.title) : ""));
    peer.on("reception", (seen) => this.#joined && this.#signal?.hint(this.#joined, { kind: "reception", ...seen }));
    peer.connect();
  }

  #join(session: string): void {
    if (this.#joined === session || !this.#signal) return;
    this.#joined = session;
    this.#goLive();
    this.#signal.join(session).then(
      () => {
        if (this.state.stage !== "waiting" || this.#joined !== session) return;
        Object.assign(this.state, { stage: "talking", is_again: false, call_back: null, ring_ends: null });
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
      const ticket = id ? await this.api.get<TicketView>(`/tickets/${id}`) : null;
      // Its frame may have come meanwhile.
      if (this.state.ticket?.id !== id) return;
      if (ticket?.next_ticket) this.#takeTicket(ticket);
      else this.#over("agent_lost");
    } catch (error) {
      this.state.error = error;
      this.#over("agent_lost");
    }
  }

  /** Closes everything that was opened. The session's last snapshot stays for the last page. */
  #over(reason: string): void {
    if (!this.isLive) return;
    this.#leaving.clear();
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
    this.#endVisit(session?.case && !this.state.is_guest ? session.id : null);
  }
  /** `session`: it made a case, whose code opens it here. */
  #endVisit(session: string | null = null): void {
    const visit = this.#kept.forget();
    // The token must live until the answer: it is what the calls are signed with.
    if (visit?.id) void closeVisit(this.#options.client(() => visit.token), visit.id, session, (code) => this.#options.handover?.(code));
  }
}
