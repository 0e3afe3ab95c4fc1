/** The device check: camera, microphone, loudspeaker, network, and one word for the whole. Plain: the view shows `state` after each
 * `change`. Owns what it opens and closes it in `dispose()`, unless a call took it; remembers its last result in this page's memory
 * alone. */
import { Emitter } from "@cloud-booth/signal";
import { isDark, isSpeech, LevelProbe, measureLight } from "./check.ts";
import { listDevices, LocalMedia, type DeviceProblem, type MediaChoice } from "./local.ts";
import { mediaWay, NetworkCheck, networkLevel, type CheckApi, type NetworkState } from "./netcheck.ts";

const LOOK_MS = 200;

/** How one can talk with what was found. */
export type Verdict = "video" | "audio" | "text" | "none";

export interface DeviceState {
  stage: "idle" | "opening" | "open";
  /** For a call by voice: no camera is opened. */
  voice: boolean;
  camera: "unknown" | "ok" | "dark" | "none";
  microphone: "unknown" | "listening" | "ok" | "none";
  speaker: "unknown" | "asked" | "ok" | "no";
  /** What kept camera or microphone shut. */
  problem: DeviceProblem | null;
  /** Loudness now, 0 to 1. */
  level: number;
  cameras: MediaDeviceInfo[];
  microphones: MediaDeviceInfo[];
  /** The ones in use; empty without one. While another is opened, that other. */
  camera_id: string;
  microphone_id: string;
  /** Another device was chosen and did not open: the one before goes on. */
  refused: "audio" | "video" | null;
  network: NetworkState;
}

export interface CheckOptions {
  /** `asked`: the network is tried by `again()` alone. */
  network?: "always" | "asked";
}

export interface CheckResult {
  /** Milliseconds since 1970. */
  at: number;
  verdict: Verdict;
  /** The network was not tried: the server had no room for it. */
  untested?: boolean;
}

/** The network was not tried, and nothing is under way: the devices alone decide. */
export function isUntested({ network }: DeviceState): boolean {
  return network.stage === "busy" || network.stage === "idle";
}

/** How to talk with these devices on this network; null until both are known. */
export function verdictOf(state: DeviceState): Verdict | null {
  const { network } = state;
  if (network.stage === "offline") return "none";
  if (state.stage !== "open" || network.stage === "running") return null;
  if (isUntested(state)) return state.microphone === "none" ? "text" : state.camera === "none" ? "audio" : "video";
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
  readonly #network: NetworkCheck;
  readonly #asksNetwork: boolean;
  #media = new LocalMedia();
  #stopMedia: (() => void) | null = null;
  /** Chosen devices outlive a second look. */
  #choice: MediaChoice = {};
  #state: DeviceState;
  #probe: LevelProbe | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #video: (() => HTMLVideoElement | undefined) | null = null;
  #speaker: AudioContext | null = null;
  #isTaken = false;
  #isDisposed = false;

  constructor(api: CheckApi, options: CheckOptions = {}, network: NetworkCheck = new NetworkCheck(api)) {
    this.#network = network;
    this.#asksNetwork = options.network === "asked";
    this.#state = {
      stage: "idle", voice: false, camera: "unknown", microphone: "unknown", speaker: "unknown", problem: null, level: 0, cameras: [], microphones: [],
      camera_id: "", microphone_id: "", refused: null, network: network.state,
    };
    network.events.on("change", (state) => this.#set({ network: state }));
  }
  get state(): DeviceState {
    return this.#state;
  }
  /** What is open now; another one after each start. */
  get media(): LocalMedia {
    return this.#media;
  }

  /** Where the own picture is shown: its light is measured there. */
  watch(video: () => HTMLVideoElement | undefined): void {
    this.#video = video;
  }

  /** In a tap: browsers ask for the devices, and make sound, only then. */
  async start({ voice = false } = {}): Promise<void> {
    if (this.#isDisposed || (this.#state.stage === "opening" && this.#state.voice === voice)) return;
    this.#close();
    const media = (this.#media = new LocalMedia());
    this.#set({ stage: "opening", voice, problem: null, camera: "unknown", microphone: "unknown", refused: null });
    const network = this.#asksNetwork ? null : this.#network.run();
    await media.open({ ...this.#choice, no_camera: voice });
    const { cameras, microphones } = await listDevices().catch(() => ({ cameras: [], microphones: [] }));
    // The page is gone, or another way of talking was chosen while the browser asked.
    if (this.#isDisposed || media !== this.#media) return;
    this.#stopMedia = media.events.on("change", () => this.#took());
    this.#set({ stage: "open", cameras, microphones });
    this.#took();
    await network;
    if (network) this.#tell();
  }

  /** Hands camera and microphone over: from now on whoever took them closes them. Null: nothing is open. */
  take(): LocalMedia | null {
    if (this.#state.stage !== "open") return null;
    this.#look(false);
    this.#isTaken = true;
    return this.#media;
  }

  /** The network alone, again. */
  async again(): Promise<void> {
    await this.#network.run();
    this.#tell();
  }

  async choose(kind: "audio" | "video", device: string): Promise<void> {
    const media = this.#media;
    // Shown at once, and taken back where it does not open.
    this.#set({ refused: null, ...(kind === "audio" ? { microphone_id: device } : { camera_id: device }) });
    const isOpen = await media.replace(kind, device);
    if (this.#isDisposed || media !== this.#media) return;
    if (!isOpen) this.#set({ refused: kind });
    else if (kind === "audio") this.#choice.microphone = device;
    else this.#choice.camera = device;
    this.#took(isOpen ? kind : undefined);
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
    this.#close();
    this.#network.dispose();
    void this.#speaker?.close().catch(() => undefined);
    this.events.clear();
  }

  #took(changed?: "audio" | "video"): void {
    const { has_camera, has_microphone, problem } = this.#media.state;
    const id = (track: MediaStreamTrack | null): string => track?.getSettings().deviceId ?? "";
    const wasHeard = changed !== "audio" && this.#state.microphone === "ok";
    const wasDark = changed !== "video" && this.#state.camera === "dark";
    this.#set({
      problem, camera_id: id(this.#media.video), microphone_id: id(this.#media.audio), camera: !has_camera ? "none" : wasDark ? "dark" : "ok",
      microphone: !has_microphone ? "none" : wasHeard ? "ok" : "listening",
    });
    this.#look(true);
  }

  /** Light and loudness, looked at again and again. */
  #look(on: boolean): void {
    clearInterval(this.#timer);
    this.#probe?.dispose();
    this.#probe = null;
    if (!on) return;
    if (this.#media.audio) this.#probe = new LevelProbe(this.#media.stream);
    this.#probe?.resume();
    this.#timer = setInterval(() => this.#glance(), LOOK_MS);
  }
  #glance(): void {
    const level = this.#probe?.level() ?? 0;
    const next: Partial<DeviceState> = { level };
    if (isSpeech(level) && this.#state.microphone === "listening") next.microphone = "ok";
    const video = this.#video?.();
    const light = video && this.#state.camera !== "none" ? measureLight(video) : null;
    if (light !== null) next.camera = isDark(light) ? "dark" : "ok";
    this.#set(next);
  }

  #close(): void {
    this.#look(false);
    this.#stopMedia?.();
    this.#stopMedia = null;
    if (!this.#isTaken) this.#media.dispose();
    this.#isTaken = false;
  }

  #tell(): void {
    const verdict = verdictOf(this.#state);
    if (this.#isDisposed || !verdict) return;
    last = { at: Date.now(), verdict, ...(isUntested(this.#state) ? { untested: true } : {}) };
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
