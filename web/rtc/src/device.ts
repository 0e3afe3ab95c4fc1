/** The device check: camera, microphone, loudspeaker, network, and one word for the whole. Plain: the view shows `state` after each
 * `change`. Owns what it opens and closes it in `dispose()`; remembers its last result in this page's memory alone. */
import { Emitter } from "@cloud-booth/signal";
import { LevelProbe, measureLight } from "./check.ts";
import { listDevices, LocalMedia, type DeviceProblem } from "./local.ts";
import { mediaWay, NetworkCheck, networkLevel, type CheckApi, type NetworkState } from "./netcheck.ts";

/** Below this mean brightness a face is hard to see. */
const DARK = 0.18;
/** Louder than this is speech, not the room. */
const HEARD = 0.25;
const LOOK_MS = 200;

/** How one can talk with what was found. */
export type Verdict = "video" | "audio" | "text" | "none";

export interface DeviceState {
  stage: "idle" | "opening" | "open";
  camera: "unknown" | "ok" | "dark" | "none";
  microphone: "unknown" | "listening" | "ok" | "none";
  speaker: "unknown" | "asked" | "ok" | "no";
  /** What kept camera or microphone shut. */
  problem: DeviceProblem | null;
  /** Loudness now, 0 to 1. */
  level: number;
  cameras: MediaDeviceInfo[];
  microphones: MediaDeviceInfo[];
  network: NetworkState;
}

export interface CheckResult {
  /** Milliseconds since 1970. */
  at: number;
  verdict: Verdict;
}

/** How to talk with these devices on this network; null until both are known. */
export function verdictOf(state: DeviceState): Verdict | null {
  const { network } = state;
  if (network.stage === "offline") return "none";
  if (state.stage !== "open" || network.stage !== "done") return null;
  if (network.ways.socket.state !== "ok") return "none";
  if (!mediaWay(network) || state.microphone === "none") return "text";
  return state.camera === "none" || networkLevel(network) === "poor" ? "audio" : "video";
}

let last: CheckResult | null = null;

/** The newest result of this page; another person's is forgotten with the page, never kept by this package. */
export function lastCheck(): CheckResult | null {
  return last;
}
/** A page that was loaded again within one visit. */
export function rememberCheck(result: CheckResult): void {
  last ??= result;
}

export class DeviceCheck {
  readonly events = new Emitter<{ change: DeviceState; done: CheckResult }>();
  readonly media = new LocalMedia();
  readonly #network: NetworkCheck;
  #state: DeviceState;
  #probe: LevelProbe | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #video: (() => HTMLVideoElement | undefined) | null = null;
  #speaker: AudioContext | null = null;
  #isDisposed = false;

  constructor(api: CheckApi, network: NetworkCheck = new NetworkCheck(api)) {
    this.#network = network;
    this.#state = {
      stage: "idle", camera: "unknown", microphone: "unknown", speaker: "unknown", problem: null, level: 0, cameras: [], microphones: [], network: network.state,
    };
    network.events.on("change", (state) => this.#set({ network: state }));
    this.media.events.on("change", () => {
      // Pulled out in the middle of the check.
      if (this.#state.stage === "open") this.#took();
    });
  }
  get state(): DeviceState {
    return this.#state;
  }

  /** Where the own picture is shown: its light is measured there. */
  watch(video: () => HTMLVideoElement | undefined): void {
    this.#video = video;
  }

  /** In a tap: browsers ask for the devices, and make sound, only then. */
  async start(): Promise<void> {
    if (this.#state.stage === "opening") return;
    this.#set({ stage: "opening", problem: null, camera: "unknown", microphone: "unknown" });
    const network = this.#network.run();
    await this.media.open();
    const { cameras, microphones } = await listDevices().catch(() => ({ cameras: [], microphones: [] }));
    if (this.#isDisposed) return;
    this.#set({ stage: "open", cameras, microphones });
    this.#took();
    await network;
    this.#tell();
  }

  /** The network alone, again. */
  async again(): Promise<void> {
    await this.#network.run();
    this.#tell();
  }

  async choose(kind: "audio" | "video", device: string): Promise<void> {
    if (device) await this.media.replace(kind, device);
    if (!this.#isDisposed) this.#took(kind);
  }

  /** Three notes; then the person is asked whether they came. In a tap. */
  play(): void {
    try {
      const context = (this.#speaker ??= new AudioContext());
      void context.resume().catch(() => undefined);
      [523, 659, 784].forEach((hertz, nth) => note(context, hertz, nth * 0.35));
    } catch {
      // No sound machine: the answer to the question will be no.
    }
    this.#set({ speaker: "asked" });
  }
  heard(is: boolean): void {
    this.#set({ speaker: is ? "ok" : "no" });
  }

  dispose(): void {
    this.#isDisposed = true;
    clearInterval(this.#timer);
    this.#probe?.dispose();
    this.media.dispose();
    this.#network.dispose();
    void this.#speaker?.close().catch(() => undefined);
    this.events.clear();
  }

  #took(changed?: "audio" | "video"): void {
    const { has_camera, has_microphone, problem } = this.media.state;
    const wasHeard = changed !== "audio" && this.#state.microphone === "ok";
    const isDark = changed !== "video" && this.#state.camera === "dark";
    this.#set({
      problem, camera: !has_camera ? "none" : isDark ? "dark" : "ok", microphone: !has_microphone ? "none" : wasHeard ? "ok" : "listening",
    });
    clearInterval(this.#timer);
    this.#probe?.dispose();
    this.#probe = has_microphone ? new LevelProbe(this.media.stream) : null;
    this.#probe?.resume();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  #look(): void {
    const level = this.#probe?.level() ?? 0;
    const next: Partial<DeviceState> = { level };
    if (level > HEARD && this.#state.microphone === "listening") next.microphone = "ok";
    const video = this.#video?.();
    const light = video && this.#state.camera !== "none" ? measureLight(video) : null;
    if (light !== null) next.camera = light < DARK ? "dark" : "ok";
    this.#set(next);
  }

  #tell(): void {
    const verdict = verdictOf(this.#state);
    if (this.#isDisposed || !verdict) return;
    last = { at: Date.now(), verdict };
    this.events.emit("done", last);
  }

  #set(change: Partial<DeviceState>): void {
    if (this.#isDisposed) return;
    this.#state = { ...this.#state, ...change };
    this.events.emit("change", this.#state);
  }
}

function note(context: AudioContext, hertz: number, after_s: number): void {
  const start = context.currentTime + after_s;
  const source = context.createOscillator();
  const gain = context.createGain();
  source.frequency.value = hertz;
  gain.gain.setValueAtTime(0.0001, start);
  gain.gain.exponentialRampToValueAtTime(0.25, start + 0.03);
  gain.gain.exponentialRampToValueAtTime(0.0001, start + 0.35);
  source.connect(gain).connect(context.destination);
  source.start(start);
  source.stop(start + 0.35);
}
