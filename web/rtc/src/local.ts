/** Own camera and microphone: opening, choosing, muting, turning off. Owns its tracks and stops every one of them.
 * Mute and camera-off are states of this object, so they outlive a rejoin. */
import { Emitter } from "@cloud-booth/signal";

export type DeviceProblem = "denied" | "missing" | "busy" | "insecure" | "failed";

export interface MediaChoice {
  /** Device ids; null: the system's default. */
  microphone?: string | null;
  camera?: string | null;
  /** Do not open a camera at all. */
  no_camera?: boolean;
}

export interface LocalMediaState {
  mic_on: boolean;
  camera_on: boolean;
  has_microphone: boolean;
  has_camera: boolean;
  /** What kept the camera or the microphone shut. */
  problem: DeviceProblem | null;
}

type Events = { change: LocalMediaState; tracks: { audio: MediaStreamTrack | null; video: MediaStreamTrack | null } };

const VIDEO = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 24, max: 30 } } as const;
const AUDIO = { echoCancellation: true, noiseSuppression: true, autoGainControl: true } as const;

export class LocalMedia {
  readonly events = new Emitter<Events>();
  /** For the self-view; the same object for life, its tracks change. */
  readonly stream = new MediaStream();
  #choice: MediaChoice = {};
  #micOn = true;
  #cameraOn = true;
  #problem: DeviceProblem | null = null;
  #isDisposed = false;

  get audio(): MediaStreamTrack | null {
    return this.stream.getAudioTracks()[0] ?? null;
  }
  get video(): MediaStreamTrack | null {
    return this.stream.getVideoTracks()[0] ?? null;
  }
  get state(): LocalMediaState {
    return { mic_on: this.#micOn && this.audio !== null, camera_on: this.#cameraOn && this.video !== null, has_microphone: this.audio !== null, has_camera: this.video !== null, problem: this.#problem };
  }

  /** Opens what is there: both, or the one that works. Never throws; `state.problem` says what failed. Call it in a tap. */
  async open(choice: MediaChoice = {}): Promise<LocalMediaState> {
    this.#choice = { ...this.#choice, ...choice };
    this.#problem = null;
    if (!globalThis.navigator?.mediaDevices?.getUserMedia) {
      this.#problem = "insecure";
      return this.#changed();
    }
    const audio = { ...AUDIO, ...(this.#choice.microphone ? { deviceId: { exact: this.#choice.microphone } } : {}) };
    const video = this.#choice.no_camera || !this.#cameraOn ? false : this.#videoWish();
    const both = await this.#get({ audio, video });
    if (both) this.#adopt(both);
    else if (video !== false) {
      // One broken device must not cost the other: people can go on by voice, or by picture and text.
      const problem = this.#problem;
      for (const wish of [{ audio }, { video }]) {
        const one = await this.#get(wish);
        if (one) this.#adopt(one);
      }
      this.#problem = problem;
    }
    return this.#changed();
  }

  /** Mute keeps the device open (unmuting must be instant) and sends silence. */
  setMic(on: boolean): void {
    this.#micOn = on;
    if (this.audio) this.audio.enabled = on;
    this.#changed();
  }

  /** Off closes the camera: its lamp goes out. */
  async setCamera(on: boolean): Promise<void> {
    this.#cameraOn = on;
    if (!on) this.#remove("video");
    else if (!this.video) {
      const got = await this.#get({ video: this.#videoWish() });
      if (got && this.#cameraOn) this.#adopt(got);
      else got?.getTracks().forEach((track) => track.stop());
    }
    this.#changed();
  }

  /** Another device, in the middle of a call as well. The old one stays where the new one does not open. */
  async replace(kind: "audio" | "video", device: string): Promise<boolean> {
    const wish = kind === "audio" ? { audio: { ...AUDIO, deviceId: { exact: device } } } : { video: { ...VIDEO, deviceId: { exact: device } } };
    const got = await this.#get(wish);
    if (!got) {
      this.#changed();
      return false;
    }
    if (kind === "audio") this.#choice.microphone = device;
    else this.#choice.camera = device;
    this.#adopt(got);
    this.#changed();
    return true;
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#remove("audio");
    this.#remove("video");
    this.events.clear();
  }

  #videoWish(): MediaTrackConstraints {
    return { ...VIDEO, ...(this.#choice.camera ? { deviceId: { exact: this.#choice.camera } } : { facingMode: "user" }) };
  }

  async #get(wish: MediaStreamConstraints): Promise<MediaStream | null> {
    try {
      const got = await navigator.mediaDevices.getUserMedia(wish);
      if (!this.#isDisposed) return got;
      // The page moved on while the question was open: nothing may stay on.
      got.getTracks().forEach((track) => track.stop());
      return null;
    } catch (error) {
      this.#problem = nameProblem(error);
      return null;
    }
  }

  #adopt(got: MediaStream): void {
    for (const track of got.getTracks()) {
      const kind = track.kind === "audio" ? "audio" : "video";
      this.#remove(kind, false);
      if (kind === "audio") track.enabled = this.#micOn;
      else track.contentHint = "motion";
      this.stream.addTrack(track);
      track.addEventListener("ended", () => {
        if (!this.stream.getTracks().includes(track)) return;
        // Pulled out or taken away by the system.
        this.#problem = "missing";
        this.#remove(kind);
        this.#changed();
      });
    }
    this.#tracks();
  }

  #remove(kind: "audio" | "video", tell = true): void {
    for (const track of kind === "audio" ? this.stream.getAudioTracks() : this.stream.getVideoTracks()) {
      this.stream.removeTrack(track);
      track.stop();
    }
    if (tell) this.#tracks();
  }
  #tracks(): void {
    this.events.emit("tracks", { audio: this.audio, video: this.video });
  }
  #changed(): LocalMediaState {
    this.events.emit("change", this.state);
    return this.state;
  }
}

export function nameProblem(error: unknown): DeviceProblem {
  switch (error instanceof DOMException ? error.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return "denied";
    case "NotFoundError":
    case "OverconstrainedError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
      return "busy";
    default:
      return "failed";
  }
}

/** Devices to choose from; names are empty before the first permission. */
export async function listDevices(): Promise<{ cameras: MediaDeviceInfo[]; microphones: MediaDeviceInfo[]; speakers: MediaDeviceInfo[] }> {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const of = (kind: MediaDeviceKind): MediaDeviceInfo[] => all.filter((device) => device.kind === kind);
  return { cameras: of("videoinput"), microphones: of("audioinput"), speakers: of("audiooutput") };
}
