/** What a page shows beside the person: the second camera over papers 高拍仪, or a screen 共享屏幕. Owns the one track that it opened
 * and stops it; knows no call: it hands the track to whoever sends it. Opens nothing before `start`, which is called in a tap. */
import { Emitter } from "@cloud-booth/signal";
import { nameProblem, type DeviceProblem } from "./local.ts";
import type { ShareSource } from "./peer.ts";

export interface ShareState {
  on: boolean;
  opening: boolean;
  /** What kept it shut; a screen that the person chose not to share is none. */
  problem: DeviceProblem | null;
}

export interface ShareTools {
  camera: (device: string) => Promise<MediaStream>;
  screen: () => Promise<MediaStream>;
}

/** Papers are read, not watched: many pixels, few pictures. */
const DOCUMENT = { width: { ideal: 1920 }, height: { ideal: 1080 }, frameRate: { ideal: 10, max: 15 } } as const;
const SCREEN = { width: { max: 1920 }, height: { max: 1080 }, frameRate: { ideal: 8, max: 15 } } as const;

const browserTools: ShareTools = {
  camera: (device) => navigator.mediaDevices.getUserMedia({ video: { ...DOCUMENT, deviceId: { exact: device } } }),
  screen: () => navigator.mediaDevices.getDisplayMedia({ video: SCREEN, audio: false }),
};

/** Whether this browser can share a screen at all: phones cannot. */
export function canShareScreen(): boolean {
  return typeof globalThis.navigator?.mediaDevices?.getDisplayMedia === "function";
}

export class Share {
  readonly events = new Emitter<{ change: ShareState }>();
  readonly source: ShareSource;
  #stream: MediaStream | null = null;
  readonly #send: (track: MediaStreamTrack | null) => Promise<void>;
  readonly #tools: ShareTools;
  #opening = false;
  #problem: DeviceProblem | null = null;
  #round = 0;

  constructor(source: ShareSource, send: (track: MediaStreamTrack | null) => Promise<void>, tools: ShareTools = browserTools) {
    this.source = source;
    this.#send = send;
    this.#tools = tools;
  }

  get state(): ShareState {
    return { on: this.#track !== null, opening: this.#opening, problem: this.#problem };
  }

  /** For the own view; the same object for life. */
  get stream(): MediaStream {
    return (this.#stream ??= new MediaStream());
  }

  /** Opens it and sends it; true if it is shown now. A call that cannot carry it closes it again. Never throws. */
  async start(device = ""): Promise<boolean> {
    const round = ++this.#round;
    this.#opening = true;
    this.#problem = null;
    this.#changed();
    let got: MediaStream | null = null;
    try {
      got = await (this.source === "screen" ? this.#tools.screen() : this.#tools.camera(device));
    } catch (error) {
      const problem = nameProblem(error);
      if (round === this.#round && !(this.source === "screen" && problem === "denied")) this.#problem = problem;
    }
    const track = got?.getVideoTracks()[0] ?? null;
    if (round !== this.#round) {
      // Stopped, or begun again, while the question was open: nothing may stay on.
      got?.getTracks().forEach((one) => one.stop());
      return false;
    }
    this.#opening = false;
    if (!track) {
      this.#changed();
      return false;
    }
    this.#drop();
    track.contentHint = "detail";
    this.stream.addTrack(track);
    // The browser's own bar ends a share, and a cable can be pulled.
    track.addEventListener("ended", () => {
      if (this.#track === track) void this.stop();
    });
    this.#changed();
    try {
      await this.#send(track);
    } catch {
      // Nobody would see it: then it is not open either.
      if (this.#track === track) this.#drop();
      this.#changed();
    }
    return this.#track === track;
  }

  async stop(): Promise<void> {
    this.#round += 1;
    this.#opening = false;
    const had = this.#track !== null;
    this.#drop();
    this.#changed();
    if (had) await this.#send(null).catch(() => undefined);
  }

  /** Without a word to anybody: the page goes away. */
  dispose(): void {
    this.#round += 1;
    this.#drop();
    this.events.clear();
  }

  get #track(): MediaStreamTrack | null {
    return this.#stream?.getVideoTracks()[0] ?? null;
  }
  #drop(): void {
    for (const track of this.#stream?.getTracks() ?? []) {
      this.#stream?.removeTrack(track);
      track.stop();
    }
  }
  #changed(): void {
    this.events.emit("change", this.state);
  }
}

const NO_DOCUMENT_CAMERA = "none";
/** Names under which document cameras are sold. */
const DOCUMENT_CAMERA = /高拍|文档|展台|实物|扫描|document|doc[ _-]?cam|visuali[sz]er|scanner|overhead/i;

/** The operator's choice, in the page's address (`?document=…`: a part of the camera's name, or `none`): a booth's own memory is wiped
 * with each visit. */
export const DOCUMENT_CHOICE: string | null = new URLSearchParams(globalThis.location?.search ?? "").get("document");

/** The camera over the papers: the one that the operator chose, else the one whose name says so, else the only other one. */
export function documentCamera(cameras: readonly MediaDeviceInfo[], own: string | null, chosen: string | null = DOCUMENT_CHOICE): MediaDeviceInfo | null {
  const others = cameras.filter((camera) => camera.deviceId !== "" && camera.deviceId !== own);
  if (chosen === NO_DOCUMENT_CAMERA) return null;
  const isChosen = (camera: MediaDeviceInfo): boolean => Boolean(chosen) && camera.label.toLowerCase().includes(chosen?.toLowerCase() ?? "");
  return others.find(isChosen) ?? others.find((camera) => DOCUMENT_CAMERA.test(camera.label)) ?? (others.length === 1 ? (others[0] ?? null) : null);
}
