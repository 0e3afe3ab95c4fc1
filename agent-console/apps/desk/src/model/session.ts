/** One live session as this console sees it. Owns the snapshots, the journal, the dialogue and the call's media; sends the agent's
 * commands. Never decides anything for the citizen, and holds nothing after `dispose()`. */
import { computed, ref, shallowReactive, shallowRef } from "vue";
import { newKey, type ApiClient, type Bilingual, type CaseView, type Command, type FormView, type HandOff, type MediaLine, type SessionEvent, type SessionView, type MemberView } from "@cloud-booth/api";
import { FormPresence, FormWriter } from "@cloud-booth/form";
import { CallPeer, ownLine, type IceSource, type LineState, type LocalMedia, type MemberMedia, type PeerState } from "@cloud-booth/rtc";
import type { SignalClient } from "@cloud-booth/signal";
import type { ChatMessage } from "@cloud-booth/ui";
import { announce } from "@cloud-booth/ui";
import { pick } from "@cloud-booth/i18n";
import { SessionHelp } from "./session_help.ts";
import { shownTo, whoIsCut, type Shown } from "./session_pictures.ts";
import { SessionRecord } from "./session_record.ts";
import { SessionShares } from "./session_shares.ts";
import { speakEvent } from "./speak.ts";

/** The journal kept in the page; the server has the whole. */
const EVENTS_MAX = 1000;
/** After this silence a typing mark goes out, milliseconds: its end may have been lost. */
const TYPING_LIFE_MS = 6000;

interface Outgoing {
  id: string;
  text: string;
  at: string;
  state: "sending" | "sent" | "failed";
}

export interface Needs {
  api: ApiClient;
  signal: SignalClient;
  media: LocalMedia;
  ice?: IceSource;
  /** What stands before an announcement: which conversation it is, where several could be meant. */
  prefix?: () => string;
  /** The citizen wrote. */
  onSaid?: () => void;
}

export class LiveSession {
  readonly id: string;
  readonly view = shallowRef<SessionView | null>(null);
  readonly form = shallowRef<FormView | null>(null);
  readonly events = shallowRef<readonly SessionEvent[]>([]);
  /** Who is in which field. */
  readonly presence = new FormPresence((member) => {
    const found = this.view.value?.members.find((entry) => entry.id === member);
    return found && found.id !== this.me.value ? { name: pick(found.name), role: found.role } : null;
  });
  readonly writer = new FormWriter(async (path, base_version, value) => {
    const reply = await this.#needs.signal.command({ kind: "form_set", session: this.id, path, base_version, value });
    return reply.kind === "field_version" ? reply.version : base_version + 1;
  });
  /** Members who type in the dialogue. */
  readonly typingInChat = shallowReactive(new Set<string>());
  /** The server's word for each member's line. */
  readonly quality = shallowReactive(new Map<string, LineState>());
  readonly members = shallowRef<readonly MemberMedia[]>([]);
  readonly peerState = ref<PeerState>("new");
  readonly ownQuality = computed<LineState>(() => ownLine(this.quality.get(this.me.value ?? "") ?? "unknown", this.peerState.value));
  readonly micOn = ref(true);
  readonly cameraOn = ref(true);
  readonly case = shallowRef<CaseView | null>(null);
  /** The agent's own words, for the wrap-up alone. */
  readonly note = ref("");
  /** The last sign of the citizen's picture: after a return the agent looks again whether it is the same person. */
  readonly hasReturned = ref(false);
  readonly unread = ref(0);
  /** Words under way in the dialogue: they stay while another conversation is looked at. */
  readonly draft = ref("");
  readonly isEnded = computed(() => this.view.value?.state === "ended");
  /** This page is no longer a member: helped and left, or handed over. */
  readonly isOut = ref(false);
  readonly help: SessionHelp;
  /** The own screen and papers. */
  readonly shares: SessionShares;
  /** Why there is no picture although there is voice. */
  readonly voiceOnly = ref("");
  readonly record: SessionRecord;
  readonly citizen = computed<MemberView | null>(() => this.view.value?.members.find((member) => member.role === "citizen") ?? null);
  readonly me = computed(() => this.view.value?.me ?? null);
  readonly cut = computed(() => whoIsCut(this));
  readonly citizenStream = computed<MediaStream | null>(() => this.streamOf(this.citizen.value?.id));
  readonly citizenPapers = computed<MediaStream | null>(() => this.members.value.find((entry) => this.isCitizen(entry.member))?.sources.document ?? null);
  /** Everybody who is heard but the citizen and me: a supervisor who only listens has no place among the pictures. */
  readonly others = computed<MemberView[]>(() => this.view.value?.members.filter((member) => member.id !== this.me.value && member.id !== this.citizen.value?.id && member.present && !this.#isSilent(member)) ?? []);
  /** The invitation that brought me in; null for the session's own agent. */
  readonly isHelper = computed(() => {
    const part = this.view.value?.members.find((member) => member.id === this.me.value)?.part;
    return part !== undefined && part !== "agent";
  });
  /** Number and due day of what was handed off; the journal knows the number before the case is read. */
  readonly handedOff = computed<{ number: string; due_on: string | null } | null>(() => {
    if (this.case.value) return { number: this.case.value.number, due_on: this.case.value.due_on };
    const event = this.events.value.findLast((one) => one.body.kind === "handed_off");
    return event?.body.kind === "handed_off" ? { number: event.body.number, due_on: null } : null;
  });
  readonly chat = computed<ChatMessage[]>(() => this.#chat());
  /** Since when the citizen waits for words: the first of theirs that nobody of staff answered. */
  readonly waitingSince = computed<string | null>(() => this.#waitingSince());
  /** Talked in writing alone: no picture, no sound, until somebody of staff joins or the ladder goes up. */
  readonly isText = computed(() => this.view.value?.mode === "text" && !this.others.value.length);

  /** Pictures go: what is shown reaches the others. */
  readonly mayShow = computed(() => this.view.value?.mode === "video" && !this.voiceOnly.value);

  readonly #outgoing = shallowRef<readonly Outgoing[]>([]);
  readonly #needs: Needs;
  readonly #stops: (() => void)[] = [];
  readonly #typing = new Map<string, ReturnType<typeof setTimeout>>();
  /** Everybody who was here: who left is named in the timeline still. */
  readonly #names = shallowReactive(new Map<string, Bilingual>());
  #peer: CallPeer | null = null;
  #isDisposed = false;
  #isReadingAgain = false;
  #isIn = false;

  constructor(id: string, needs: Needs) {
    this.id = id;
    this.#needs = needs;
    this.help = new SessionHelp(id, needs);
    this.shares = new SessionShares((source, track) => this.#peer?.share(source, track) ?? Promise.resolve());
    this.record = new SessionRecord(id, needs);
    const { signal, media } = needs;
    this.micOn.value = media.state.mic_on;
    this.cameraOn.value = media.state.camera_on;
    this.#stops.push(
      signal.on("session", (view) => view.id === id && this.#see(view)),
      signal.on("form", ({ session, form }) => session === id && this.#seeForm(form)),
      signal.on("event", ({ session, event, replayed }) => session === id && this.#hear(event, replayed)),
      signal.on("joined", (reply) => {
        if (reply.session.id !== id) return;
        if (this.#isReadingAgain) {
          this.#isReadingAgain = false;
          this.events.value = [];
        }
        this.#see(reply.session);
        if (reply.form) this.#seeForm(reply.form);
        this.#tellMedia();
      }),
      signal.on("slots", ({ session, slots }) => session === id && this.#peer?.setSlots(slots)),
      signal.on("renegotiate", ({ session }) => session === id && void this.#peer?.renegotiate()),
      signal.on("ephemeral", ({ session, from, body }) => {
        if (session !== id) return;
        if (body.kind === "quality") this.quality.set(body.member, body.state);
        else if (from && body.kind === "typing" && !body.path) this.#typeInChat(from, body.on);
        else this.presence.receive(from, body);
      }),
      media.events.on("change", (state) => {
        this.micOn.value = state.mic_on;
        this.cameraOn.value = state.camera_on;
        this.#tellMedia();
      }),
    );
  }

  /** Takes over the connection that warmed up while ringing, or dials one. */
  useCall(peer: CallPeer | null): void {
    const call = peer ?? new CallPeer({ negotiate: (sdp, sources) => this.#negotiate(sdp, sources), ice: this.#needs.ice });
    this.#peer = call;
    this.#stops.push(
      call.on("state", (state) => (this.peerState.value = state)),
      call.on("members", (members) => (this.members.value = [...members])),
      call.on("voice", (why) => {
        this.voiceOnly.value = why ? (why.problem.errors?.[0]?.detail ?? why.problem.title) : "";
        this.#endShares();
      }),
      call.on("reception", (seen) => this.#needs.signal.hint(this.id, { kind: "reception", ...seen })),
    );
    this.peerState.value = call.state;
    void call.goLive(this.#needs.media);
  }

  async enter(): Promise<void> {
    await this.#needs.signal.join(this.id);
    this.#isIn = true;
    this.#callWhenNeeded();
  }

  /** A page that came back has no warm connection, a conversation in writing none at all: it is dialled once somebody is to be heard. */
  #callWhenNeeded(): void {
    if (!this.#isIn || !this.view.value || this.isEnded.value || this.isOut.value || this.isText.value) return;
    if (!this.#peer) this.useCall(null);
    if (this.#peer?.state === "new") this.#peer.connect();
  }

  /** After a reload in wrap-up: what is left to read. */
  async load(): Promise<void> {
    this.#see(await this.#needs.api.get<SessionView>(`/sessions/${this.id}`));
    const view = this.view.value;
    if (view?.form_open) this.#seeForm(await this.#needs.api.get<FormView>(`/sessions/${this.id}/form`));
    if (view?.case) await this.#loadCase(view.case);
  }

  async setMic(on: boolean): Promise<void> {
    this.#needs.media.setMic(on);
  }
  async setCamera(on: boolean): Promise<void> {
    await this.#needs.media.setCamera(on);
  }
  redial(): void {
    if (this.#peer?.state === "failed") this.#peer.connect();
    else this.#peer?.rejoin();
  }

  command(command: Command): Promise<unknown> {
    return this.#needs.signal.command(command);
  }
  openForm(item: string): Promise<unknown> {
    return this.command({ kind: "form_open", session: this.id, item });
  }
  askConsent(licence_type: string, company: string | null): Promise<unknown> {
    return this.command({ kind: "consent_ask", session: this.id, licence_type, company });
  }
  askSign(): Promise<unknown> {
    return this.command({ kind: "sign_ask", session: this.id });
  }
  removeMaterial(material: string): Promise<unknown> {
    return this.command({ kind: "material_remove", session: this.id, material });
  }
  focus(path: string | null): void {
    this.#needs.signal.hint(this.id, { kind: "focus", path });
  }
  typing(path: string | null, on: boolean): void {
    this.#needs.signal.hint(this.id, { kind: "typing", path, on });
  }

  async handOff(): Promise<CaseView> {
    const { case: made } = await this.#needs.api.post<HandOff>(`/sessions/${this.id}/hand-off`);
    this.case.value = made;
    return made;
  }
  async end(reason: string): Promise<void> {
    this.#see(await this.#needs.api.post<SessionView>(`/sessions/${this.id}/end`, { reason }));
  }
  material(id: string): Promise<Blob> {
    return this.#needs.api.file(`/sessions/${this.id}/materials/${id}`);
  }
  receipt(): Promise<Blob> {
    return this.#needs.api.file(`/sessions/${this.id}/receipt.pdf`);
  }

  async say(text: string, id: string = newKey()): Promise<void> {
    const rest = this.#outgoing.value.filter((entry) => entry.id !== id);
    this.#outgoing.value = [...rest, { id, text, at: new Date().toISOString(), state: "sending" }];
    try {
      await this.#needs.signal.command({ kind: "chat", session: this.id, text }, id);
    } catch {
      this.#outgoing.value = this.#outgoing.value.map((entry) => (entry.id === id ? { ...entry, state: "failed" } : entry));
    }
  }
  sayAgain(id: string): void {
    const found = this.#outgoing.value.find((entry) => entry.id === id);
    if (found) void this.say(found.text, found.id);
  }

  markRead(): void {
    this.unread.value = 0;
  }
  /** The agent looked: it is still the same person. */
  markSame(): void {
    this.hasReturned.value = false;
  }

  /** Whether the server lets me; a server that does not say it lets the agent do all. */
  may(what: string): boolean {
    return this.view.value?.may?.includes(what) ?? true;
  }
  streamOf(member: string | undefined): MediaStream | null {
    return this.members.value.find((entry) => entry.member === member)?.sources.camera ?? null;
  }
  shownTo(): Shown | null {
    return shownTo(this);
  }

  nameOf(member: string | null): string {
    return member ? pick(this.#names.get(member)) : "";
  }
  isCitizen(member: string | null): boolean {
    return member !== null && this.citizen.value?.id === member;
  }

  #isSilent(member: MemberView): boolean {
    return member.part === "supervisor" && this.view.value?.supervision?.mode !== "whisper";
  }

  promptNumber(id: string): number {
    return (this.view.value?.recording?.script.findIndex((one) => one.id === id) ?? -1) + 1;
  }
  groupTitle(id: string): string {
    return pick(this.form.value?.groups.find((group) => group.id === id)?.title);
  }

  /** Taken out of the session, which goes on without this page. */
  leave(): void {
    this.isOut.value = true;
    this.hangUp();
  }

  /** The call is over; snapshots stay to be read in wrap-up. */
  hangUp(): void {
    this.shares.stop();
    this.#peer?.dispose();
    this.#peer = null;
    this.members.value = [];
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.hangUp();
    for (const stop of this.#stops.splice(0)) stop();
    for (const timer of this.#typing.values()) clearTimeout(timer);
    this.#typing.clear();
    this.shares.dispose();
    this.presence.dispose();
    this.writer.clear();
    this.#needs.signal.forget(this.id);
    this.note.value = "";
    this.draft.value = "";
    this.help.forget();
    this.record.forget();
    this.#names.clear();
  }

  async #negotiate(sdp: string, sources: MediaLine[]): Promise<string> {
    const reply = await this.#needs.signal.command({ kind: "media_offer", room: this.view.value?.room ?? "", sdp, sources });
    if (reply.kind !== "media_answer") throw new Error("not an answer");
    return reply.sdp;
  }

  #see(view: SessionView): void {
    const before = this.view.value;
    if (before && view.version < before.version) return;
    for (const member of view.members) if (this.#names.get(member.id)?.zh !== member.name.zh) this.#names.set(member.id, member.name);
    this.view.value = view;
    // Whoever may see more than before (the one who takes over) reads the journal again: what was hidden is there.
    if (before?.may && view.state !== "ended" && view.may?.some((one) => !before.may?.includes(one))) {
      this.#isReadingAgain = true;
      void this.#needs.signal.again(this.id).catch(() => (this.#isReadingAgain = false));
    }
    this.#endShares();
    if (view.state === "ended") this.hangUp();
    else this.#callWhenNeeded();
    if (view.case && view.case !== this.case.value?.id) void this.#loadCase(view.case);
  }
  #endShares(): void {
    if (!this.mayShow.value && !this.isEnded.value) this.shares.endWithPictures();
  }
  #seeForm(form: FormView): void {
    const before = this.form.value;
    if (before && before.item === form.item && form.version < before.version) return;
    this.form.value = form;
  }
  async #loadCase(id: string): Promise<void> {
    try {
      this.case.value = await this.#needs.api.get<CaseView>(`/cases/${id}`);
    } catch {
      // The journal has the number; the rest of the case is for the office.
    }
  }

  #hear(event: SessionEvent, replayed: boolean): void {
    this.events.value = [...this.events.value, event].slice(-EVENTS_MAX);
    const body = event.body;
    if (body.kind === "noted") this.help.heardNote(body.note);
    if (body.kind === "snapshot_taken") this.record.heard();
    if (body.kind === "chat") {
      const mine = event.actor === this.me.value;
      if (mine) this.#delivered(body.text);
      else this.unread.value += 1;
      if (!replayed && this.isCitizen(event.actor)) this.#needs.onSaid?.();
    }
    // Who came late never saw them: the entry itself says who left.
    if ((body.kind === "member_left" || body.kind === "supervision_ended") && body.name && !this.#names.has(body.member)) this.#names.set(body.member, body.name);
    if (body.kind === "member_dropped" || body.kind === "member_left" || body.kind === "supervision_ended") this.presence.leave(body.member);
    if (replayed) return;
    if (body.kind === "member_back" && this.isCitizen(body.member)) this.hasReturned.value = true;
    const words = speakEvent(event, this);
    if (words) announce((this.#needs.prefix?.() ?? "") + words.text, words.urgency);
  }

  #waitingSince(): string | null {
    if (this.isEnded.value) return null;
    let since: string | null = null;
    for (const event of this.events.value.toReversed()) {
      if (event.body.kind !== "chat") continue;
      if (!this.isCitizen(event.actor)) break;
      since = event.at;
    }
    return since;
  }

  #delivered(text: string): void {
    const at = this.#outgoing.value.findIndex((entry) => entry.text === text);
    if (at >= 0) this.#outgoing.value = this.#outgoing.value.filter((_entry, index) => index !== at);
  }

  #chat(): ChatMessage[] {
    const me = this.me.value;
    const said: ChatMessage[] = [];
    for (const event of this.events.value) {
      if (event.body.kind !== "chat") continue;
      said.push({ id: String(event.seq), who: this.nameOf(event.actor), mine: event.actor === me, at: event.at, text: event.body.text, state: "sent" });
    }
    return [...said, ...this.#outgoing.value.map((entry) => ({ ...entry, who: "", mine: true }))];
  }

  #typeInChat(member: string, on: boolean): void {
    clearTimeout(this.#typing.get(member));
    this.#typing.delete(member);
    if (!on) {
      this.typingInChat.delete(member);
      return;
    }
    this.typingInChat.add(member);
    this.#typing.set(member, setTimeout(() => this.typingInChat.delete(member), TYPING_LIFE_MS));
  }

  #tellMedia(): void {
    if (!this.view.value || this.isEnded.value) return;
    const { mic_on, camera_on } = this.#needs.media.state;
    void this.#needs.signal.command({ kind: "media_state", session: this.id, mic_on, camera_on }).catch(() => undefined);
  }
}
