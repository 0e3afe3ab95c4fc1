/** The call's course with a played server: queue, turn, dialogue, hang-up, return after a closed page. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Emitter } from "@cloud-booth/signal";
import type { ApiClient, Command, SessionView, TicketView } from "@cloud-booth/api";
import type { CallPeer, CallPeerOptions, LocalMedia } from "@cloud-booth/rtc";
import type { SignalClient, SignalEvents } from "@cloud-booth/signal";
import { Call, LEAVE_MS, type StartOptions } from "./call.ts";
import type { Shelf } from "./store.ts";

const ticket = (more: Partial<TicketView> = {}): TicketView => ({ id: "tkt_1", number: "A023", state: "waiting", version: 1, item: null, class: "normal", ahead: 2, waiting: 3, seats_on_duty: 1, estimate: null, enqueued_at: "", session: null, next_ticket: null, reason: null, ...more });
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
  const answers: Record<string, unknown> = { "/visits": { access_token: "vt", visit: { id: "vis_1" } }, "/tickets": ticket(), "/visits/vis_1": { id: "vis_1", ticket: "tkt_1", session: null }, "/tickets/tkt_1": ticket() };
  const api = {
    post: async (path: string) => {
      calls.push(path);
      if (answers[path] instanceof Error) throw answers[path];
      return answers[path] ?? {};
    },
    get: async (path: string) => {
      if (answers[path] instanceof Error) throw answers[path];
      return answers[path];
    },
  } as unknown as ApiClient;
  const signal = new FakeSignal();
  const peers: FakePeer[] = [];
  let rings = 0;
  const call = new Call({
    open: api, client: () => api, phone, canTalk: () => true, name: () => "李工", ring: () => (rings += 1),
    signal: () => signal as unknown as SignalClient,
    peer: (options) => {
      peers.push(new FakePeer(options));
      return peers[peers.length - 1] as unknown as CallPeer;
    },
  });
  const media = { state: { mic_on: true, camera_on: true }, events: new Emitter(), mics: [] as boolean[], disposed: false, setMic(on: boolean) { this.mics.push(on); }, dispose() { this.disposed = true; } };
  const options: StartOptions = { hall: "hal_1", item: null, mode: "video", needs: [], priority: false, elder: false, language: "zh-CN", media: media as unknown as LocalMedia };
  return { call, signal, peers, media, options, kept, calls, answers, rings: () => rings };
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
    expect(await peers[0]?.options.negotiate("offer")).toBe("answer");
    expect(signal.commands).toContainEqual({ kind: "media_offer", room: "tkt_1", sdp: "offer" });
    signal.events.emit("ticket", ticket({ version: 2, state: "paired", session: "ses_1" }));
    await settle();
    expect(call.state.stage).toBe("talking");
    expect(peers[0]?.live).toBe(media);
    expect(rings()).toBe(1);
    expect(signal.commands).toContainEqual({ kind: "media_state", session: "ses_1", mic_on: true, camera_on: true });
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
