/** The call's course with a played server: queue, turn, dialogue, hang-up, return after a closed page. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Emitter } from "@cloud-booth/signal";
import type { ApiClient, Command, SessionView, TicketView } from "@cloud-booth/api";
import type { CallPeer, CallPeerOptions, LocalMedia } from "@cloud-booth/rtc";
import type { SignalClient, SignalEvents } from "@cloud-booth/signal";
import { Call, LEAVE_MS, type StartOptions } from "./call.ts";
import type { Shelf } from "./store.ts";

const ticket = (more: Partial<TicketView> = {}): TicketView => ({ id: "tkt_1", number: "A023", state: "waiting", version: 1, item: null, class: "normal", ahead: 2, waiting: 3, seats_on_duty: 1, estimate: null, enqueued_at: "", session: null, next_ticket: null, reason: null, mode: "video", ...more });
const session = (more: Partial<SessionView> = {}): SessionView => ({ id: "ses_1", room: "tkt_1", state: "active", version: 1, seq: 1, me: "mem_c", members: [], consents: [], case: null, end_reason: null, ...more }) as unknown as SessionView;

class FakeSignal {
  events = new Emitter<SignalEvents>();
  commands: Command[] = [];
  watched: string[] = [];
  disposed = false;
  on = this.events.on.bind(this.events);
  start(): void {}
  forget(): void {}
  watchTicket(id: string): void {
    this.watched.push(id);
  }
  async join(id: string): Promise<unknown> {
    this.commands.push({ kind: "join", session: id });
    const reply = { kind: "joined" as const, session: session(), form: null, events: [] };
    this.events.emit("joined", reply);
    return reply;
  }
  async command(command: Command): Promise<unknown> {
    this.commands.push(command);
    return command.kind === "media_offer" ? { kind: "media_answer", sdp: "answer" } : { kind: "done" };
  }
  hint(): void {}
  dispose(): void {
    this.disposed = true;
  }
}
class FakePeer {
  live: unknown = "never";
  connected = 0;
  disposed = false;
  options: CallPeerOptions;
  constructor(options: CallPeerOptions) {
    this.options = options;
  }
  on(): void {}
  connect(): void {
    this.connected += 1;
  }
  async goLive(media: unknown): Promise<void> {
    this.live = media;
  }
  async hold(): Promise<void> {
    this.live = null;
  }
  setSlots(): void {}
  dispose(): void {
    this.disposed = true;
  }
}
function stage() {
  const kept = new Map<string, unknown>();
  const phone: Shelf = { read: <T>(key: string) => (kept.get(key) as T) ?? null, write: (key, value) => void kept.set(key, value), remove: (key) => void kept.delete(key) };
  const calls: string[] = [];
  const bodies: Record<string, unknown> = {};
  const answers: Record<string, unknown> = { "/visits": { access_token: "vt", visit: { id: "vis_1" } }, "/tickets": ticket(), "/visits/vis_1": { id: "vis_1", ticket: "tkt_1", session: null }, "/tickets/tkt_1": ticket() };
  const api = {
    post: async (path: string, body: unknown) => {
      calls.push(path);
      bodies[path] = body;
      if (answers[path] instanceof Error) throw answers[path];
      return answers[path] ?? {};
    },
    put: async (path: string, body: unknown) => {
      calls.push(path);
      bodies[path] = body;
      if (answers[path] instanceof Error) throw answers[path];
      return answers[path];
    },
    get: async (path: string) => {
      if (answers[path] instanceof Error) throw answers[path];
      return answers[path];
    },
  } as unknown as ApiClient;
  const signal = new FakeSignal();
  const peers: FakePeer[] = [];
  let rings = 0;
  const made: string[] = [];
  const call = new Call({
    open: api, client: () => api, phone, begun: () => made.push("begun"), canTalk: () => true, name: () => "李工", ring: () => (rings += 1),
    signal: () => signal as unknown as SignalClient,
    peer: (options) => {
      made.push("peer");
      peers.push(new FakePeer(options));
      return peers[peers.length - 1] as unknown as CallPeer;
    },
  });
  const media = { state: { mic_on: true, camera_on: true }, events: new Emitter(), mics: [] as boolean[], disposed: false, setMic(on: boolean) { this.mics.push(on); }, cameras: [] as boolean[], async setCamera(on: boolean) { this.cameras.push(on); }, dispose() { this.disposed = true; } };
  const options: StartOptions = { hall: "hal_1", item: null, mode: "video", needs: [], priority: false, elder: false, language: "zh-CN", media: media as unknown as LocalMedia };
  return { call, signal, peers, media, options, kept, calls, bodies, answers, made, rings: () => rings };
}
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
};

describe("call", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("connects while waiting, but sends nothing before the call is accepted", async () => {
    const { call, signal, peers, options, media, rings } = stage();
    expect(await call.start(options)).toBe(true);
    expect(call.state.stage).toBe("waiting");
    expect(signal.watched).toEqual(["tkt_1"]);
    expect(peers[0]?.connected).toBe(1);
    expect(peers[0]?.live).toBe("never");
    expect(await peers[0]?.options.negotiate("offer", [])).toBe("answer");
    expect(signal.commands).toContainEqual({ kind: "media_offer", room: "tkt_1", sdp: "offer", sources: [] });
    signal.events.emit("ticket", ticket({ version: 2, state: "paired", session: "ses_1" }));
    await settle();
    expect(call.state.stage).toBe("talking");
    expect(peers[0]?.live).toBe(media);
    expect(rings()).toBe(1);
    expect(signal.commands).toContainEqual({ kind: "media_state", session: "ses_1", mic_on: true, camera_on: true });
  });

  it("says that a visit begins before anything is fetched for it, each time", async () => {
    const { call, options, made } = stage();
    await call.start(options);
    await call.cancel();
    await call.start(options);
    expect(made).toEqual(["begun", "peer", "begun", "peer"]);
  });

  it("ignores a snapshot that is older than what is shown", async () => {
    const { call, signal, options } = stage();
    await call.start(options);
    signal.events.emit("ticket", ticket({ version: 5, ahead: 1 }));
    signal.events.emit("ticket", ticket({ version: 4, ahead: 9 }));
    expect(call.state.ticket?.ahead).toBe(1);
  });

  it("keeps the place on the phone while it is held, and nothing after the end", async () => {
    const { call, signal, options, kept, media, peers, calls } = stage();
    await call.start(options);
    expect(kept.size).toBe(1);
    signal.events.emit("ticket", ticket({ version: 2, state: "paired", session: "ses_1" }));
    await settle();
    signal.events.emit("session", session({ version: 2, state: "ended", end_reason: "finished" }));
    await settle();
    expect(call.state.stage).toBe("ended");
    expect(call.state.end_reason).toBe("finished");
    expect(kept.size).toBe(0);
    expect(media.disposed && peers[0]?.disposed && signal.disposed).toBe(true);
    expect(calls).toContain("/visits/vis_1/end");
  });

  it("hangs up after ten seconds, in which it can be taken back", async () => {
    const { call, signal, options, media, calls } = stage();
    await call.start(options);
    signal.events.emit("ticket", ticket({ version: 2, state: "paired", session: "ses_1" }));
    await settle();
    call.hangUp();
    expect(media.mics).toEqual([false]);
    call.stay();
    expect(media.mics).toEqual([false, true]);
    await vi.advanceTimersByTimeAsync(LEAVE_MS * 2);
    expect(call.state.stage).toBe("talking");
    call.hangUp();
    await vi.advanceTimersByTimeAsync(LEAVE_MS);
    expect(call.state.stage).toBe("ended");
    expect(calls).toContain("/sessions/ses_1/end");
  });

  it("comes back to its place after the page was closed", async () => {
    const { call, kept, signal, peers } = stage();
    kept.set("cloud-booth.visit", { id: "vis_1", token: "vt", mode: "video", item: null });
    expect(await call.resume("zh-CN")).toBe(true);
    expect(call.state.stage).toBe("waiting");
    expect(signal.watched).toEqual(["tkt_1"]);
    expect(peers).toHaveLength(1);
  });

  it("forgets a place that the server no longer has, but not for a weak network", async () => {
    const gone = stage();
    gone.kept.set("cloud-booth.visit", { id: "vis_1", token: "vt", mode: "video", item: null });
    gone.answers["/visits/vis_1"] = Object.assign(new Error(), { status: 401 });
    expect(await gone.call.resume("zh-CN")).toBe(false);
    expect(gone.kept.size).toBe(0);
    const weak = stage();
    weak.kept.set("cloud-booth.visit", { id: "vis_1", token: "vt", mode: "video", item: null });
    weak.answers["/visits/vis_1"] = Object.assign(new Error(), { status: 0 });
    expect(await weak.call.resume("zh-CN")).toBe(false);
    expect(weak.kept.size).toBe(1);
  });

  it("stands in the queue again, camera open, when the agent was lost", async () => {
    const { call, signal, options, answers, peers, media } = stage();
    await call.start(options);
    answers["/tickets/tkt_2"] = ticket({ id: "tkt_2", ahead: 0 });
    signal.events.emit("ticket", ticket({ version: 2, state: "paired", session: "ses_1" }));
    await settle();
    // The session's end comes first, the ticket's frame not at all.
    answers["/tickets/tkt_1"] = ticket({ version: 3, state: "closed", reason: "agent_lost", next_ticket: "tkt_2" });
    signal.events.emit("session", session({ version: 2, state: "ended", end_reason: "agent_lost" }));
    await settle();
    await settle();
    expect(call.state.stage).toBe("waiting");
    expect(call.state.is_again).toBe(true);
    expect(media.disposed).toBe(false);
    expect(call.state.ticket?.id).toBe("tkt_2");
    expect(signal.watched).toContain("tkt_2");
    expect(peers[0]?.disposed).toBe(true);
    expect(peers).toHaveLength(2);
  });

  const back = (more: Record<string, unknown> = {}): Record<string, unknown> => ({ ticket: "tkt_2", state: "waiting", tries: 0, tries_max: 2, ...more });
  async function waitingForCallBack() {
    const all = stage();
    all.answers["/tickets/tkt_1/call-back"] = { ticket: ticket({ id: "tkt_2" }), call_back: back(), access_token: "long", expires_at: "" };
    await all.call.start({ ...all.options, call_back: true, media: null });
    return all;
  }

  it("keeps the place for a call-back without camera, and joins only when the ring is answered", async () => {
    const { call, signal, kept, answers, peers } = await waitingForCallBack();
    expect(call.state.stage).toBe("waiting");
    expect(call.state.ticket?.id).toBe("tkt_2");
    expect(kept.get("cloud-booth.visit")).toMatchObject({ token: "long", call_back: "tkt_2" });
    expect(peers).toHaveLength(0);
    signal.events.emit("frame", { type: "call_back", call_back: back({ state: "ringing", tries: 1, ring_until: "2099-01-01T00:00:00Z" }) } as { type: string });
    expect(call.state.call_back?.state).toBe("ringing");
    signal.events.emit("ticket", ticket({ id: "tkt_2", version: 2, state: "paired", session: "ses_1" }));
    await settle();
    expect(call.state.stage).toBe("waiting");
    answers["/call-backs/tkt_2/answer"] = { session: "ses_1" };
    await call.answerBack();
    await settle();
    expect(call.state.stage).toBe("talking");
    expect(call.state.call_back).toBeNull();
  });

  it("says that two tries went by, now or at the next opening of the page", async () => {
    const { call, signal, kept } = await waitingForCallBack();
    signal.events.emit("frame", { type: "call_back", call_back: back({ state: "closed", tries: 2 }) } as { type: string });
    expect(call.state.end_reason).toBe("call_back_unanswered");
    expect(kept.size).toBe(0);
    const later = stage();
    later.kept.set("cloud-booth.visit", { id: "vis_1", token: "long", mode: "video", item: null, call_back: "tkt_2" });
    later.answers["/tickets/tkt_2"] = ticket({ id: "tkt_2", state: "expired", reason: "call_back_unanswered" });
    later.answers["/call-backs/tkt_2"] = back({ state: "closed", tries: 2 });
    expect(await later.call.resume("zh-CN")).toBe(true);
    expect(later.call.state).toMatchObject({ stage: "ended", end_reason: "call_back_unanswered" });
  });

  it("tells the server that it is not now, and waits for the next try", async () => {
    const { call, signal, answers, bodies } = await waitingForCallBack();
    signal.events.emit("frame", { type: "call_back", call_back: back({ state: "ringing", tries: 1, ring_until: new Date(Date.now() + 60_000).toISOString() }) } as { type: string });
    expect(call.state.ring_ends).toBe(Date.now() + 60_000);
    answers["/call-backs/tkt_2/decline"] = back({ tries: 1, next_try_at: "2099-01-01T00:00:00Z" });
    await call.declineBack("later");
    expect(bodies["/call-backs/tkt_2/decline"]).toEqual({ answer: "later" });
    expect(call.state).toMatchObject({ stage: "waiting", ring_ends: null });
    expect(call.state.call_back?.next_try_at).toBe("2099-01-01T00:00:00Z");
  });

  it("gives the place back when nobody wants to be called, and says so; the other open page just ends", async () => {
    const { call, answers, kept } = await waitingForCallBack();
    answers["/call-backs/tkt_2/decline"] = back({ state: "cancelled", tries: 1 });
    await call.declineBack("no_more");
    expect(call.state).toMatchObject({ stage: "ended", end_reason: "call_back_declined" });
    expect(kept.size).toBe(0);
    const other = await waitingForCallBack();
    other.signal.events.emit("frame", { type: "call_back", call_back: back({ state: "cancelled", tries: 1 }) } as { type: string });
    expect(other.call.state.stage).toBe("none");
  });

  it("returns to a ring that is still on, and to the time of the next try", async () => {
    const { call, kept, answers } = stage();
    kept.set("cloud-booth.visit", { id: "vis_1", token: "long", mode: "video", item: null, call_back: "tkt_2" });
    answers["/tickets/tkt_2"] = ticket({ id: "tkt_2", state: "offered" });
    answers["/call-backs/tkt_2"] = back({ state: "ringing", tries: 1, ring_until: new Date(Date.now() + 20_000).toISOString() });
    expect(await call.resume("zh-CN")).toBe(true);
    expect(call.state.ring_ends).toBe(Date.now() + 20_000);
    const later = stage();
    later.kept.set("cloud-booth.visit", { id: "vis_1", token: "long", mode: "video", item: null, call_back: "tkt_2" });
    later.answers["/tickets/tkt_2"] = ticket({ id: "tkt_2" });
    later.answers["/call-backs/tkt_2"] = back({ tries: 1, next_try_at: "2099-01-01T00:00:00Z" });
    expect(await later.call.resume("zh-CN")).toBe(true);
    expect(later.call.state).toMatchObject({ stage: "waiting", ring_ends: null, call_back: { tries: 1 } });
  });

  it("takes a place for typing without any device, and changes its mind while it waits", async () => {
    const { call, answers, bodies, options, media, kept } = stage();
    answers["/tickets"] = ticket({ mode: "text" });
    await call.start({ ...options, mode: "text", media: null });
    expect(bodies["/tickets"]).toMatchObject({ mode: "text" });
    expect(call.state.mode).toBe("text");
    answers["/tickets/tkt_1/mode"] = ticket({ mode: "video", version: 2 });
    await call.changeMode("video");
    expect(bodies["/tickets/tkt_1/mode"]).toEqual({ mode: "video" });
    expect(call.state).toMatchObject({ stage: "waiting", mode: "video" });
    expect(kept.get("cloud-booth.visit")).toMatchObject({ mode: "video" });
    call.setMedia(media as unknown as LocalMedia);
    answers["/tickets/tkt_1/mode"] = ticket({ mode: "audio", version: 3 });
    await call.changeMode("audio");
    expect(media.cameras).toEqual([false]);
    answers["/tickets/tkt_1/mode"] = ticket({ mode: "text", version: 4 });
    await call.changeMode("text");
    expect(media.disposed).toBe(true);
  });

  it("an appointment that rings at once keeps its way; the ladder is there", async () => {
    const { call, answers, calls, options } = stage();
    answers["/appointments/check-in"] = ticket({ mode: "video" });
    answers["/tickets/tkt_1/mode"] = Object.assign(new Error("ticket_state"), { status: 409 });
    expect(await call.start({ ...options, mode: "text", media: null, appointment: "CODE" })).toBe(true);
    expect(calls).toContain("/tickets/tkt_1/mode");
    expect(call.state).toMatchObject({ stage: "waiting", mode: "video" });
  });

  it("finds a call-back again after a closed page", async () => {
    const { call, kept, answers, signal } = stage();
    kept.set("cloud-booth.visit", { id: "vis_1", token: "long", mode: "video", item: null, call_back: "tkt_2" });
    answers["/tickets/tkt_2"] = ticket({ id: "tkt_2" });
    answers["/call-backs/tkt_2"] = back();
    expect(await call.resume("zh-CN")).toBe(true);
    expect(call.state.call_back?.ticket).toBe("tkt_2");
    expect(signal.watched).toEqual(["tkt_2"]);
  });

  it("takes over the ticket that was carried from a booth", async () => {
    const { call, answers, signal, kept } = stage();
    answers["/tickets/carry"] = { access_token: "vt2", visit: { id: "vis_1" } };
    expect(await call.carry("code", "key", "zh-CN")).toBe(true);
    expect(call.state.ticket?.id).toBe("tkt_1");
    expect(signal.watched).toEqual(["tkt_1"]);
    expect(kept.size).toBe(1);
  });

  it("a guest goes without ending the talk, and goes when asked to", async () => {
    const { call, answers, calls, kept } = stage();
    answers["/guests"] = { access_token: "gt", session: "ses_1", member: "mem_g" };
    await call.joinAsGuest("code", "家人", "key", "zh-CN", null);
    await settle();
    expect(call.state).toMatchObject({ stage: "talking", is_guest: true });
    await call.leaveNow();
    expect(call.state.end_reason).toBe("guest_left");
    expect(calls.some((path) => path.endsWith("/end"))).toBe(false);
    expect(kept.size).toBe(0);
    const other = stage();
    other.answers["/guests"] = answers["/guests"];
    await other.call.joinAsGuest("code", "家人", "key", "zh-CN", null);
    await settle();
    other.signal.events.emit("superseded", { seat: null, session: "ses_1" });
    expect(other.call.state.end_reason).toBe("guest_out");
  });
});
