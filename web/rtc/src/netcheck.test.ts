import { afterEach, describe, expect, it, vi } from "vitest";
import type { CheckAnswer, IceServers } from "@cloud-booth/api";
import { mediaWay, NetworkCheck, networkLevel, type CheckApi, type NetworkState, type NetworkTools } from "./netcheck.ts";
import { NO_ROUTE, onlyRoute, probeRoute, probeSocket, type RouteResult } from "./route.ts";
import { isUntested, verdictOf, type DeviceState } from "./device.ts";
import { browserKind } from "./browser.ts";

const ANSWER = ["v=0", "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0", "a=candidate:1 1 udp 2130706431 203.0.113.7 8443 typ host", "a=candidate:2 1 tcp 1518214911 203.0.113.7 8443 typ host tcptype passive", "a=end-of-candidates", ""].join("\r\n");
const OK: RouteResult = { state: "ok", level: "good", rtt_ms: 12, loss_pct: 0 };
const BAD: RouteResult = { ...OK, level: "poor" };
const FAILED: RouteResult = { ...NO_ROUTE, state: "failed" };
const relays: IceServers = { ice_servers: [{ urls: ["turn:r:3478"], username: "1:a", credential: "c" }], expires_at: "", ttl_s: 60 };
const refusal = (code: string): Error => Object.assign(new Error(code), { code });

function check(results: Partial<Record<"socket" | "udp" | "tcp" | "relay", RouteResult>>, servers: IceServers | Error = relays, answer: CheckAnswer | Error = { sdp: ANSWER, expires_at: "" }) {
  const tried: string[] = [];
  const give = async <T>(value: unknown): Promise<T> => {
    if (value instanceof Error) throw value;
    return value as T;
  };
  const api: CheckApi = { get: () => give(servers), post: () => give(answer) };
  const tools: NetworkTools = {
    route: async (route, _servers, ask) => {
      tried.push(route);
      await ask("offer");
      return results[route] ?? OK;
    },
    socket: async () => results.socket ?? OK,
    address: () => "ws://here/ws/check",
  };
  return { check: new NetworkCheck(api, tools), tried };
}

describe("the ways", () => {
  it("keeps the candidates of one way, and says when there are none", () => {
    expect(onlyRoute(ANSWER, "udp")).toContain(" udp ");
    expect(onlyRoute(ANSWER, "udp")).not.toContain(" tcp ");
    expect(onlyRoute(ANSWER, "tcp")).not.toContain(" udp ");
    expect(onlyRoute(ANSWER, "relay")).toBe(onlyRoute(ANSWER, "udp"));
    expect(onlyRoute(ANSWER.replace(/.* udp .*\r\n/, ""), "udp")).toBeNull();
  });

  it("a call takes the first that works", async () => {
    const { check: all } = check({});
    expect(mediaWay(await all.run())).toBe("udp");
    const { check: noUdp } = check({ udp: FAILED, tcp: { ...OK, level: "fair" } });
    const state = await noUdp.run();
    expect([mediaWay(state), networkLevel(state), state.stage]).toEqual(["tcp", "fair", "done"]);
    const { check: none } = check({ udp: FAILED, tcp: FAILED, relay: FAILED });
    expect(mediaWay(await none.run())).toBeNull();
  });

  it("without a relay none is tried, and that is no fault", async () => {
    const { check: one, tried } = check({}, { ice_servers: [], expires_at: "", ttl_s: 60 });
    const state = await one.run();
    expect(tried).toEqual(["udp", "tcp"]);
    expect(state.ways.relay.state).toBe("none");
  });

  it("a server that is away or has no room is not taken for a blocked network", async () => {
    expect((await check({}, new Error("gone")).check.run()).stage).toBe("offline");
    expect((await check({}, refusal("slow_down")).check.run()).stage).toBe("busy");
    expect((await check({}, relays, refusal("slow_down")).check.run()).stage).toBe("busy");
    expect((await check({}, relays, refusal("media_unavailable")).check.run()).ways.udp.state).toBe("failed");
  });

  it("tells each result as it comes, and nothing after dispose", async () => {
    const { check: one } = check({});
    const seen: NetworkState[] = [];
    one.events.on("change", (state) => seen.push(state));
    const running = one.run();
    expect(seen[0]?.ways.tcp.state).toBe("running");
    one.dispose();
    const before = seen.length;
    await running;
    expect(seen.length).toBe(before);
  });
});

describe("one way", () => {
  class Peer {
    static last: Peer;
    connectionState = "new";
    localDescription = { sdp: "mine" };
    onconnectionstatechange: (() => void) | null = null;
    closed = false;
    remote = "";
    report = new Map<string, Record<string, unknown>>();
    configuration: RTCConfiguration;
    constructor(configuration: RTCConfiguration) {
      this.configuration = configuration;
      Peer.last = this;
    }
    addTransceiver = () => ({ sender: { replaceTrack: async () => undefined } });
    createOffer = async () => ({ type: "offer", sdp: "mine" });
    setLocalDescription = async () => undefined;
    setRemoteDescription = async ({ sdp }: { sdp: string }) => void (this.remote = sdp);
    getStats = async () => this.report;
    close(): void {
      this.closed = true;
    }
    become(state: string): void {
      this.connectionState = state;
      this.onconnectionstatechange?.();
    }
  }
  let stopped = 0;
  const tools = { createPeer: (c: RTCConfiguration) => new Peer(c) as unknown as RTCPeerConnection, silence: () => ({ track: {} as MediaStreamTrack, stop: () => void (stopped += 1) }) };
  const go = (route: "udp" | "tcp" | "relay", signal = new AbortController().signal) => probeRoute(route, [{ urls: "turn:r" }], async () => ANSWER, signal, tools);
  afterEach(() => vi.useRealTimers());

  it("measures, judges and closes", async () => {
    vi.useFakeTimers();
    const result = go("udp");
    await vi.advanceTimersByTimeAsync(0);
    Peer.last.report.set("pair", { type: "candidate-pair", nominated: true, currentRoundTripTime: 0.04 });
    Peer.last.report.set("in", { type: "remote-inbound-rtp", fractionLost: 0.06, jitter: 0.002 });
    Peer.last.become("connected");
    await vi.advanceTimersByTimeAsync(4_000);
    expect(await result).toEqual({ state: "ok", level: "fair", rtt_ms: 40, loss_pct: 6 });
    expect([Peer.last.closed, Peer.last.configuration.iceTransportPolicy, Peer.last.configuration.iceServers]).toEqual([true, "all", []]);
    expect(stopped).toBe(1);
  });

  it("gives up in time, and the relay's way takes the relay alone", async () => {
    vi.useFakeTimers();
    const result = go("relay");
    await vi.advanceTimersByTimeAsync(8_000);
    expect(await result).toMatchObject({ state: "failed" });
    expect([Peer.last.closed, Peer.last.configuration.iceTransportPolicy]).toEqual([true, "relay"]);
  });

  it("ends at once when the page goes", async () => {
    const abort = new AbortController();
    const result = go("tcp", abort.signal);
    await Promise.resolve();
    abort.abort();
    expect(await result).toMatchObject({ state: "failed" });
    expect(Peer.last.closed).toBe(true);
  });

  it("a WebSocket counts when its echo comes back", async () => {
    const made: { onopen: (() => void) | null; onmessage: (() => void) | null; onclose: (() => void) | null; send: () => void; close: () => void }[] = [];
    const create = () => {
      const socket = { onopen: null, onmessage: null, onclose: null, send: () => queueMicrotask(() => made[0]?.onmessage?.()), close: () => undefined };
      made.push(socket);
      return socket as unknown as WebSocket;
    };
    const result = probeSocket("ws://here", new AbortController().signal, create);
    made[0]?.onopen?.();
    expect(await result).toMatchObject({ state: "ok", level: "good" });
    const refused = probeSocket("ws://here", new AbortController().signal, create);
    made[1]?.onclose?.();
    expect(await refused).toMatchObject({ state: "failed" });
  });
});

describe("the word for the whole", () => {
  const state = (change: Partial<DeviceState>, ways: Partial<NetworkState["ways"]> = {}): DeviceState => ({
    stage: "open", voice: false, camera: "ok", microphone: "ok", speaker: "unknown", problem: null, level: 0, cameras: [], microphones: [],
    camera_id: "", microphone_id: "", refused: null,
    network: { stage: "done", ways: { socket: OK, udp: OK, tcp: OK, relay: NO_ROUTE, ...ways } }, ...change,
  });

  it("follows what works", () => {
    expect(verdictOf(state({}))).toBe("video");
    expect(verdictOf(state({ camera: "dark", microphone: "listening" }))).toBe("video");
    expect(verdictOf(state({ camera: "none" }))).toBe("audio");
    expect(verdictOf(state({}, { udp: BAD }))).toBe("audio");
    expect(verdictOf(state({ microphone: "none" }))).toBe("text");
    expect(verdictOf(state({}, { udp: FAILED, tcp: FAILED }))).toBe("text");
    expect(verdictOf(state({}, { socket: FAILED }))).toBe("none");
    expect(verdictOf(state({ stage: "opening" }))).toBeNull();
    expect(verdictOf({ ...state({}), network: { ...state({}).network, stage: "running" } })).toBeNull();
  });

  it("is the devices' alone where the network was not tried: a full server keeps nobody", () => {
    for (const stage of ["busy", "idle"] as const) {
      const untested = (change: Partial<DeviceState>): DeviceState => ({ ...state(change, { socket: FAILED }), network: { ...state({}).network, stage } });
      expect(isUntested(untested({}))).toBe(true);
      expect(verdictOf(untested({}))).toBe("video");
      expect(verdictOf(untested({ camera: "none" }))).toBe("audio");
      expect(verdictOf(untested({ microphone: "none" }))).toBe("text");
      expect(verdictOf(untested({ stage: "opening" }))).toBeNull();
    }
    expect(isUntested(state({}))).toBe(false);
  });

  it("knows in which browser it gives advice", () => {
    expect(browserKind("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) MicroMessenger/8.0", 5)).toBe("wechat");
    expect(browserKind("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)", 5)).toBe("ios");
    expect(browserKind("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", 5)).toBe("ios");
    expect(browserKind("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", 0)).toBe("desktop");
    expect(browserKind("Mozilla/5.0 (Linux; Android 14)", 5)).toBe("android");
    expect(browserKind("Mozilla/5.0 (Phone; OpenHarmony 5.0)", 5)).toBe("android");
  });
});
