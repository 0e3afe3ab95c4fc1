/** A supervisor in a session: what is asked of the server, what is opened and what is let go. */
import { expect, test, vi } from "vitest";
import { ProblemError, type ApiClient, type LiveSession, type SessionView, type SupervisionView } from "@cloud-booth/api";
import { Emitter } from "@cloud-booth/signal";
import { hearsWord, makes, toldWord, useSupervision, type Makes } from "./supervise.ts";

const SESSION = { id: "ses_1", number: "A001", seat: "sea_1", supervision: null } as unknown as LiveSession;
const own = (over: Partial<SupervisionView> = {}): SupervisionView => ({
  id: "sup_1", session: "ses_1", room: "tkt_1", member: "mem_s", name: { zh: "杨帆", en: "Yang" }, mode: "listen", told: { agent: true, citizen: false },
  since: "", changed_at: "", ended_at: null, end_reason: null, ...over,
});
const view = (over: Partial<SessionView> = {}): SessionView =>
  ({ id: "ses_1", room: "tkt_1", state: "active", version: 1, me: "mem_s", mode: "video", hold: false, may: [], members: [], supervision: own(), ...over }) as SessionView;

function begin() {
  const signal = Object.assign(new Emitter<Record<string, unknown>>(), {
    start: vi.fn(), dispose: vi.fn(), join: vi.fn(() => Promise.resolve()), command: vi.fn(() => Promise.resolve({ kind: "done" })),
  });
  const peer = Object.assign(new Emitter<Record<string, unknown>>(), {
    state: "connected", connect: vi.fn(), dispose: vi.fn(), goLive: vi.fn(() => Promise.resolve()), hold: vi.fn(() => Promise.resolve()), setSlots: vi.fn(), rejoin: vi.fn(),
  });
  const media = {
    events: new Emitter<Record<string, unknown>>(), audio: null as object | null, state: { mic_on: true, camera_on: false, has_microphone: true, has_camera: false, problem: null },
    open: vi.fn(() => Promise.resolve()), setCamera: vi.fn((_on: boolean) => Promise.resolve()), setMic: vi.fn(), dispose: vi.fn(),
  };
  const posts: { path: string; body: unknown; key: string }[] = [];
  const api = {
    post: vi.fn((path: string, body: { mode: SupervisionView["mode"] }, options: { key: string }) => {
      posts.push({ path, body, key: options.key });
      return Promise.resolve(own(body.mode === "take_over" ? { mode: body.mode, ended_at: "now", end_reason: "took_over" } : { mode: body.mode }));
    }),
    get: vi.fn(() => Promise.resolve(view())),
    delete: vi.fn(() => Promise.resolve(own())),
  };
  const make = { signal: () => signal, peer: () => peer, media: () => media } as unknown as Makes;
  const sup = useSupervision(api as unknown as ApiClient, make);
  return { sup, signal, peer, media, api, posts };
}

test("who listens opens no microphone; who speaks does, and shuts it when they only listen again", async () => {
  const { sup, signal, peer, media, posts } = begin();
  expect(await sup.set(SESSION, "listen")).toBe(true);
  signal.emit("joined", { kind: "joined", session: view(), form: null, events: [] });
  expect([media.open.mock.calls.length, peer.connect.mock.calls.length, sup.mode.value]).toEqual([0, 1, "listen"]);
  await sup.set(SESSION, "whisper");
  expect([media.open.mock.calls.length, peer.goLive.mock.calls.length]).toEqual([1, 1]);
  await sup.set(SESSION, "listen");
  expect([media.dispose.mock.calls.length, peer.hold.mock.calls.length, sup.local.value]).toEqual([1, 1, null]);
  expect(posts.map((one) => one.body)).toEqual([{ mode: "listen" }, { mode: "whisper" }, { mode: "listen" }]);
});

test("a refusal changes nothing and leaves no microphone open", async () => {
  const { sup, media, api } = begin();
  api.post.mockRejectedValueOnce(new ProblemError({ type: "", title: "已经有班长", status: 409, code: "supervision_taken" }));
  expect(await sup.set(SESSION, "whisper")).toBe(false);
  expect([sup.own.value, sup.target.value, media.dispose.mock.calls.length]).toEqual([null, null, 1]);
  expect((sup.error.value as ProblemError).code).toBe("supervision_taken");
});

test("what may have arrived is repeated under its key", async () => {
  const { sup, api, posts } = begin();
  await sup.set(SESSION, "listen");
  api.post.mockImplementationOnce((path: string, body: unknown, options: { key: string }) => {
    posts.push({ path, body, key: options.key });
    return Promise.reject(new ProblemError({ type: "", title: "", status: 0, code: "network" }));
  });
  expect(await sup.set(SESSION, "barge")).toBe(false);
  await sup.set(SESSION, "barge");
  expect(posts[1]?.key).toBe(posts[2]?.key);
  expect(posts[0]?.key).not.toBe(posts[1]?.key);
});

test("a take-over, the end and leaving let go of line, media and devices", async () => {
  for (const how of ["take", "end", "leave"] as const) {
    const { sup, signal, peer } = begin();
    await sup.set(SESSION, "listen");
    signal.emit("session", view());
    if (how === "take") await sup.set(SESSION, "take_over", "stays");
    else if (how === "leave") await sup.leave();
    else signal.emit("session", view({ state: "ended", version: 2 }));
    expect(sup.over.value).toBe({ take: "took_over", end: "session_ended", leave: "left" }[how]);
    expect([peer.dispose.mock.calls.length, signal.dispose.mock.calls.length]).toEqual([1, 1]);
    sup.close();
    expect([sup.target.value, sup.view.value, sup.chat.value]).toEqual([null, null, []]);
  }
});

test("after a reload the server's own word is gone on with, not begun anew", async () => {
  const { sup, posts } = begin();
  await sup.set({ ...SESSION, supervision: { name: "杨帆", mode: "listen", mine: true } } as LiveSession, "listen");
  expect([posts.length, sup.mode.value]).toEqual([0, "listen"]);
});

test("a talk in writing connects nothing", async () => {
  const { sup, signal, peer } = begin();
  await sup.set(SESSION, "listen");
  signal.emit("session", view({ mode: "text" }));
  expect(peer.connect).not.toHaveBeenCalled();
});

test("the camera is for coming into the call: with the step back to whispering it goes off, and stays on where the server refused the step", async () => {
  const { sup, signal, media, peer, api } = begin();
  await sup.set(SESSION, "barge");
  signal.emit("session", view({ supervision: own({ mode: "barge" }) }));
  await sup.setCamera(true);
  api.post.mockRejectedValueOnce(new ProblemError({ type: "", title: "", status: 409, code: "supervision_taken" }));
  await sup.set(SESSION, "whisper");
  expect(media.setCamera.mock.calls.at(-1)).toEqual([true]);
  await sup.set(SESSION, "whisper");
  expect(media.setCamera.mock.calls.at(-1)).toEqual([false]);
  // Off before it is sent again, and the microphone goes on.
  expect(media.setCamera.mock.invocationCallOrder.at(-1)).toBeLessThan(peer.goLive.mock.invocationCallOrder.at(-1) ?? 0);
  expect([sup.mode.value, media.dispose.mock.calls.length]).toEqual(["whisper", 0]);
});

test("a page that is put out while it asks for something learns it after the answer", async () => {
  const { sup, signal, api } = begin();
  await sup.set(SESSION, "listen");
  signal.emit("session", view());
  let answer: (now: SupervisionView) => void = () => undefined;
  api.post.mockImplementationOnce(() => new Promise<SupervisionView>((resolve) => (answer = resolve)));
  const asked = sup.set(SESSION, "whisper");
  await vi.waitFor(() => expect(api.post).toHaveBeenCalledTimes(2));
  signal.emit("superseded", { session: "ses_1" });
  await Promise.resolve();
  expect([sup.over.value, api.get.mock.calls.length]).toEqual(["", 0]);
  answer(own({ mode: "whisper" }));
  await asked;
  await vi.waitFor(() => expect(sup.over.value).toBe("elsewhere"));
});

test("who takes over is put out as a supervisor by that alone", async () => {
  const { sup, signal, api } = begin();
  await sup.set(SESSION, "listen");
  signal.emit("session", view());
  api.post.mockImplementationOnce(() => {
    signal.emit("superseded", { session: "ses_1" });
    return Promise.resolve(own({ mode: "take_over", end_reason: "took_over" }));
  });
  await sup.set(SESSION, "take_over", "leaves");
  await Promise.resolve();
  expect([sup.over.value, api.get.mock.calls.length]).toEqual(["took_over", 0]);
});

test("without pictures in common the supervisor is told why, and no longer once there are", async () => {
  const { sup, signal, peer } = begin();
  await sup.set(SESSION, "listen");
  signal.emit("session", view());
  const why = new ProblemError({ type: "", title: "没有共同的视频编码", status: 422, code: "codec_unsupported", errors: [{ pointer: "", code: "codec_needs_vp8", detail: "对方只能用VP8" }] });
  peer.emit("voice", why);
  expect(sup.voiceOnly.value).toBe("对方只能用VP8");
  peer.emit("voice", null);
  expect(sup.voiceOnly.value).toBe("");
  peer.emit("voice", why);
  signal.emit("session", view({ state: "ended", version: 2 }));
  expect(sup.voiceOnly.value).toBe("");
});

test("the call dials with the relays that the server gives to this person", async () => {
  const made: RTCConfiguration[] = [];
  class Peer {
    localDescription = null;
    constructor(configuration: RTCConfiguration) {
      made.push(configuration);
    }
    addTransceiver(): object {
      return { sender: { replaceTrack: () => Promise.resolve() }, mid: null };
    }
    getTransceivers(): object[] {
      return [];
    }
    createOffer(): Promise<never> {
      return new Promise(() => undefined);
    }
    close(): void {}
  }
  vi.stubGlobal("RTCPeerConnection", Peer);
  const { signal, api } = begin();
  const get = vi.fn((path: string): Promise<unknown> =>
    Promise.resolve(path === "/media/ice-servers" ? { ice_servers: [{ urls: ["turn:relay.example"], username: "u", credential: "c" }], ttl_s: 600 } : view()));
  const real = { ...api, get } as unknown as ApiClient;
  const sup = useSupervision(real, { ...makes(real), signal: () => signal } as unknown as Makes);
  await sup.set(SESSION, "listen");
  signal.emit("session", view());
  await vi.waitFor(() => expect(made[0]?.iceServers).toEqual([{ urls: ["turn:relay.example"], username: "u", credential: "c" }]));
  sup.close();
  vi.unstubAllGlobals();
});

test("the words say what is true of the microphone and of who is told", () => {
  expect([hearsWord("listen", true), hearsWord("whisper", false), hearsWord("whisper", true), hearsWord("barge", true)]).toEqual(["listen", "none", "whisper", "barge"]);
  expect([toldWord({ agent: true, citizen: true }), toldWord({ agent: false, citizen: true }), toldWord({ agent: false, citizen: false })]).toEqual(["both", "citizen", "nobody"]);
});
