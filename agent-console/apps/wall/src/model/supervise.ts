/** A supervisor in one live session: what the server says of it, what is seen and heard, the own microphone. Owns its line, its media
 * connection and its devices, and lets go of all of them when it is over. Never decides who hears whom: the server does. */
import { computed, ref, shallowRef, watch } from "vue";
import { newKey, ProblemError, type ApiClient, type FormView, type IceServers, type LiveSession, type MemberView, type SessionEvent, type SessionView, type SupervisionMode, type SupervisionView, type WsTicket } from "@cloud-booth/api";
import { CallPeer, IceSource, LocalMedia, type CallPeerOptions, type LocalMediaState, type MemberMedia, type PeerState } from "@cloud-booth/rtc";
import { SignalClient } from "@cloud-booth/signal";
import { preferences } from "@cloud-booth/i18n";
import type { ConnectionState } from "@cloud-booth/ui";

export type Mode = SupervisionMode;
export type Former = "leaves" | "stays";
/** The modes in which one goes on; a take-over ends it. */
export const MODES = ["listen", "whisper", "barge"] as const satisfies readonly Mode[];
const CHAT_MAX = 200;

export interface Line {
  id: number;
  actor: string | null;
  at: string;
  text: string;
}

/** Whether a microphone is needed. */
export const speaks = (mode: Mode | undefined): boolean => mode === "whisper" || mode === "barge";

/** What is said of who hears me: the mode alone does not tell when the microphone is shut. */
export function hearsWord(mode: Mode, hasMic: boolean): "listen" | "whisper" | "barge" | "none" {
  if (mode === "whisper" || mode === "barge") return hasMic ? mode : "none";
  return "listen";
}

export function toldWord(told: { agent: boolean; citizen: boolean }): "both" | "agent" | "citizen" | "nobody" {
  if (told.agent) return told.citizen ? "both" : "agent";
  return told.citizen ? "citizen" : "nobody";
}

export interface Makes {
  signal: () => SignalClient;
  peer: (negotiate: CallPeerOptions["negotiate"]) => CallPeer;
  media: () => LocalMedia;
}

export function makes(api: ApiClient): Makes {
  return {
    signal: () => new SignalClient({ ticket: async () => (await api.post<WsTicket>("/ws-tickets")).ticket, language: () => preferences.state.locale, client: "wall" }),
    // Relays are given to whoever asks: the next one at this page asks anew.
    peer: (negotiate) => new CallPeer({ negotiate, ice: new IceSource(() => api.get<IceServers>("/media/ice-servers")) }),
    media: () => new LocalMedia(),
  };
}

export function useSupervision(api: ApiClient, make: Makes = makes(api)) {
  const target = shallowRef<LiveSession | null>(null);
  const own = shallowRef<SupervisionView | null>(null);
  const view = shallowRef<SessionView | null>(null);
  const form = shallowRef<FormView | null>(null);
  const chat = shallowRef<readonly Line[]>([]);
  const streams = shallowRef<readonly MemberMedia[]>([]);
  const peerState = ref<PeerState>("new");
  /** Why there is no picture although there is voice. */
  const voiceOnly = ref("");
  const connection = ref<ConnectionState>("idle");
  const local = shallowRef<LocalMediaState | null>(null);
  /** Why it is over, as a stable word; empty while it lasts. */
  const over = ref("");
  const busy = ref(false);
  const error = shallowRef<unknown>(null);
  let signal: SignalClient | null = null;
  let peer: CallPeer | null = null;
  let media: LocalMedia | null = null;
  /** The same command is sent under the same key however often the network fails. */
  let sent = { key: newKey(), what: "" };

  const mode = computed<Mode | null>(() => own.value?.mode ?? null);
  const me = computed(() => view.value?.me ?? own.value?.member ?? null);
  const people = computed<readonly MemberView[]>(() => (view.value?.members ?? []).filter((one) => one.id !== me.value && one.present));
  const streamOf = (member: string): MediaStream | null => streams.value.find((one) => one.member === member)?.sources.camera ?? null;
  /** Papers or a screen that they show: the papers first. */
  const shownOf = (member: string): { stream: MediaStream; source: "document" | "screen" } | null => {
    const sources = streams.value.find((one) => one.member === member)?.sources ?? {};
    for (const source of ["document", "screen"] as const) {
      const stream = sources[source];
      if (stream) return { stream, source };
    }
    return null;
  };
  const nameOf = (member: string | null): MemberView | null => view.value?.members.find((one) => one.id === member) ?? null;

  function keyOf(what: string): string {
    if (sent.what !== what) sent = { key: newKey(), what };
    return sent.key;
  }
  /** One at a time; what the server refuses is told in words beside the buttons. */
  async function guarded(run: () => Promise<void>): Promise<boolean> {
    if (busy.value) return false;
    busy.value = true;
    error.value = null;
    try {
      await run();
      sent = { key: newKey(), what: "" };
      return true;
    } catch (problem) {
      if (problem instanceof ProblemError && problem.status > 0) sent = { key: newKey(), what: "" };
      error.value = problem;
      return false;
    } finally {
      busy.value = false;
    }
  }

  function see(next: SessionView): void {
    if (view.value && next.version < view.value.version) return;
    view.value = next;
    if (next.supervision && next.supervision.member === next.me) own.value = next.supervision;
    if (next.state === "ended") finish("session_ended");
    else callWhenNeeded();
  }
  function hear(event: SessionEvent): void {
    if (event.body.kind !== "chat" || chat.value.some((one) => one.id === event.seq)) return;
    chat.value = [...chat.value, { id: event.seq, actor: event.actor ?? null, at: event.at, text: event.body.text }].slice(-CHAT_MAX);
  }

  /** A talk in writing has no room to connect to. */
  function callWhenNeeded(): void {
    const now = view.value;
    if (!now || !signal || now.mode === "text" || peer) return;
    const { room } = now;
    const line = signal;
    peer = make.peer(async (sdp, sources) => {
      const reply = await line.command({ kind: "media_offer", room, sdp, sources });
      if (reply.kind !== "media_answer") throw new Error("not an answer");
      return reply.sdp;
    });
    peer.on("state", (state) => (peerState.value = state));
    peer.on("members", (members) => (streams.value = [...members]));
    peer.on("voice", (why) => (voiceOnly.value = why ? (why.problem.errors?.[0]?.detail ?? why.problem.title) : ""));
    peer.connect();
    if (media) void peer.goLive(media);
  }

  async function enter(next: SupervisionView): Promise<void> {
    own.value = next;
    over.value = "";
    const line = make.signal();
    signal = line;
    const mine = <T,>(id: string, then: () => T): T | undefined => (id === next.session && signal === line ? then() : undefined);
    line.on("state", (state) => (connection.value = state as ConnectionState));
    line.on("session", (session) => mine(session.id, () => see(session)));
    line.on("form", ({ session, form: sheet }) => mine(session, () => (form.value = sheet)));
    line.on("event", ({ session, event }) => mine(session, () => hear(event)));
    line.on("slots", ({ session, slots }) => mine(session, () => peer?.setSlots(slots)));
    line.on("renegotiate", ({ session }) => mine(session, () => void peer?.renegotiate()));
    line.on("joined", (reply) => mine(reply.session.id, () => {
      if (reply.form) form.value = reply.form;
      see(reply.session);
      tellMedia();
    }));
    line.on("superseded", ({ session }) => session && mine(session, () => void outOf(session, line)));
    line.start();
    await line.join(next.session);
  }

  /** Until the command under way is answered. */
  function idle(): Promise<void> {
    if (!busy.value) return Promise.resolve();
    return new Promise((done) => {
      const stop = watch(busy, () => {
        stop();
        done();
      }, { flush: "sync" });
    });
  }

  /** No more of the session comes: the list says whether it is over, or only open elsewhere. */
  async function outOf(session: string, line: SignalClient): Promise<void> {
    // What is being asked for may be the reason, and says it better.
    await idle();
    const isPast = (): boolean => Boolean(over.value) || signal !== line;
    if (isPast()) return;
    let reason = "elsewhere";
    try {
      const now = await api.get<SessionView>(`/sessions/${session}`);
      const part = now.members.find((one) => one.id === now.me)?.part;
      if (now.state === "ended") reason = "session_ended";
      else if (part !== "supervisor" && !now.supervision) reason = "joined";
    } catch {
      reason = own.value?.end_reason ?? "lost";
    }
    if (!isPast()) finish(reason);
  }

  async function openMic(): Promise<void> {
    if (!media) {
      media = make.media();
      media.events.on("change", (state) => {
        local.value = state;
        tellMedia();
      });
      await media.setCamera(false);
    }
    if (!media.audio) await media.open({ no_camera: true });
    local.value = media.state;
  }
  function shutMic(): void {
    void peer?.hold();
    media?.dispose();
    media = null;
    local.value = null;
    tellMedia();
  }
  function tellMedia(): void {
    const id = own.value?.session;
    if (!id || !signal || over.value) return;
    void signal.command({ kind: "media_state", session: id, mic_on: local.value?.mic_on ?? false, camera_on: local.value?.camera_on ?? false }).catch(() => undefined);
  }

  /** Goes on in a mode: begins where nothing is under way, comes back where the server still counts one as here. */
  function set(session: LiveSession, to: Mode, former: Former = "leaves"): Promise<boolean> {
    return guarded(async () => {
      const path = `/sessions/${session.id}/supervision`;
      // In the press itself: browsers ask for the microphone there.
      if (speaks(to)) await openMic();
      if (!own.value || own.value.session !== session.id || over.value) {
        const before = session.supervision?.mine ? (await api.get<SessionView>(`/sessions/${session.id}`)).supervision : null;
        const next = before?.mode === to ? before : await api.post<SupervisionView>(path, { mode: to }, { key: keyOf(`${session.id}:${to}`) });
        reset();
        target.value = session;
        await enter(next);
      } else {
        const next = await api.post<SupervisionView>(path, to === "take_over" ? { mode: to, former } : { mode: to }, { key: keyOf(`${session.id}:${to}:${former}`) });
        own.value = next;
      }
      if (to === "take_over") finish("took_over");
      else if (!speaks(to)) shutMic();
      else {
        // Who whispers is heard: the picture is for those who come into the call.
        if (to !== "barge") await media?.setCamera(false);
        if (media && peer) await peer.goLive(media);
      }
      tellMedia();
    }).then((done) => {
      // Refused: a microphone that nobody hears stays shut.
      if (!done && !speaks(mode.value ?? undefined)) shutMic();
      return done;
    });
  }

  function leave(): Promise<boolean> {
    return guarded(async () => {
      const id = own.value?.session;
      if (!id) return;
      await api.delete(`/sessions/${id}/supervision`, { key: keyOf(`${id}:leave`) });
      finish("left");
    });
  }

  function finish(reason: string): void {
    if (over.value) return;
    over.value = reason;
    hangUp();
  }
  function hangUp(): void {
    peer?.dispose();
    peer = null;
    media?.dispose();
    media = null;
    signal?.dispose();
    signal = null;
    local.value = null;
    streams.value = [];
    connection.value = "idle";
    peerState.value = "new";
    voiceOnly.value = "";
  }
  /** Nothing of the session stays in the page. */
  function reset(): void {
    const kept = media;
    media = null;
    hangUp();
    media = kept;
    local.value = kept?.state ?? null;
    view.value = null;
    form.value = null;
    chat.value = [];
    own.value = null;
    over.value = "";
  }
  function close(): void {
    media?.dispose();
    media = null;
    reset();
    target.value = null;
    error.value = null;
  }

  return {
    target, own, view, form, chat, peerState, voiceOnly, connection, local, over, busy, error, mode, people, streamOf, shownOf, nameOf, set, leave, close, me,
    setMic: (on: boolean): void => media?.setMic(on),
    setCamera: async (on: boolean): Promise<void> => media?.setCamera(on),
    redial: (): void => (peer?.state === "failed" ? peer.connect() : peer?.rejoin()),
    say: async (text: string): Promise<boolean> => guarded(async () => {
      if (own.value) await signal?.command({ kind: "chat", session: own.value.session, text });
    }),
    tellAgent: (text: string): Promise<boolean> => guarded(async () => {
      if (target.value) await api.post(`/seats/${target.value.seat}/notices`, { text }, { key: keyOf(`notice:${text}`) });
    }),
  };
}

export type SupervisionStore = ReturnType<typeof useSupervision>;
