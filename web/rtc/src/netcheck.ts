/** All ways to the server, tried side by side, and what they are good for. Plain: the view shows `state` after each `change`. */
import type { CheckAnswer, IceServers } from "@cloud-booth/api";
import { Emitter } from "@cloud-booth/signal";
import { hasRelay, toServers } from "./ice.ts";
import { NO_ROUTE, probeRoute, probeSocket, type Route, type RouteResult } from "./route.ts";
import type { QualityLevel } from "./quality.ts";

export type Way = "socket" | Route;
export const WAYS: readonly Way[] = ["socket", "udp", "tcp", "relay"];
const ROUTES: readonly Route[] = ["udp", "tcp", "relay"];

export interface WayState extends Omit<RouteResult, "state"> {
  state: "idle" | "running" | RouteResult["state"];
}

export interface NetworkState {
  /** `busy`: the server takes no more checks now. `offline`: it did not answer at all. */
  stage: "idle" | "running" | "done" | "busy" | "offline";
  ways: Record<Way, WayState>;
}

/** What a check asks the server; `ApiClient` is one. */
export interface CheckApi {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
}

export interface NetworkTools {
  route: typeof probeRoute;
  socket: typeof probeSocket;
  /** Address of the echo. */
  address: () => string;
}

const IDLE: WayState = { state: "idle", level: null, rtt_ms: null, loss_pct: null };
const all = (way: WayState): Record<Way, WayState> => ({ socket: way, udp: way, tcp: way, relay: way });

export const browserNetwork: NetworkTools = {
  route: probeRoute,
  socket: probeSocket,
  address: () => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/check`,
};

/** Sound and picture go by the first of these that works. */
export function mediaWay({ ways }: NetworkState): Route | null {
  return ROUTES.find((route) => ways[route].state === "ok") ?? null;
}

/** The word for the whole: that of the way which a call would take; null without one. */
export function networkLevel(state: NetworkState): QualityLevel | null {
  const way = mediaWay(state);
  return way && state.ways[way].level;
}

export class NetworkCheck {
  readonly events = new Emitter<{ change: NetworkState }>();
  readonly #api: CheckApi;
  readonly #tools: NetworkTools;
  #state: NetworkState = { stage: "idle", ways: all(IDLE) };
  #abort: AbortController | null = null;

  constructor(api: CheckApi, tools: NetworkTools = browserNetwork) {
    this.#api = api;
    this.#tools = tools;
  }
  get state(): NetworkState {
    return this.#state;
  }

  /** From a tap, since the silence that is sent needs a sound machine. Runs once at a time; never rejects. */
  async run(): Promise<NetworkState> {
    this.#abort?.abort();
    const abort = (this.#abort = new AbortController());
    const { signal } = abort;
    this.#set({ stage: "running", ways: all({ ...IDLE, state: "running" }) });
    let servers: RTCIceServer[];
    try {
      servers = toServers(await this.#api.get<IceServers>("/media/check"));
    } catch (error) {
      if (!signal.aborted) this.#set({ stage: isBusy(error) ? "busy" : "offline", ways: all(IDLE) });
      return this.#state;
    }
    let isRefused = false;
    const answer = async (sdp: string): Promise<string> => {
      try {
        return (await this.#api.post<CheckAnswer>("/media/check", { sdp })).sdp;
      } catch (error) {
        isRefused ||= isBusy(error);
        throw error;
      }
    };
    const failed = { ...NO_ROUTE, state: "failed" as const };
    const note = async (way: Way, work: Promise<RouteResult>): Promise<void> => {
      const result = await work.catch(() => failed);
      if (!signal.aborted) this.#set({ ...this.#state, ways: { ...this.#state.ways, [way]: result } });
    };
    await Promise.all([
      note("socket", this.#tools.socket(this.#tools.address(), signal)),
      ...ROUTES.map((route) => note(route, route === "relay" && !hasRelay(servers) ? Promise.resolve(NO_ROUTE) : this.#tools.route(route, servers, answer, signal))),
    ]);
    // A refusal says nothing about the network.
    if (!signal.aborted) this.#set(isRefused && !mediaWay(this.#state) ? { stage: "busy", ways: all(IDLE) } : { ...this.#state, stage: "done" });
    return this.#state;
  }

  dispose(): void {
    this.#abort?.abort();
    this.events.clear();
  }

  #set(state: NetworkState): void {
    this.#state = state;
    this.events.emit("change", state);
  }
}

function isBusy(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === "slow_down";
}
