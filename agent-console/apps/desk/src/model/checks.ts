/** The check before serving: camera, microphone, ring. Owns the level probe and the chosen devices; the tracks belong to the desk. */
import { computed, ref, shallowRef } from "vue";
import { LevelProbe, listDevices, type DeviceProblem } from "@cloud-booth/rtc";
import type { Desk } from "./desk.ts";

const LEVEL_MS = 120;
/** Louder than this is a voice, not the room. */
const VOICE = 0.25;

export class DeviceChecks {
  readonly level = ref(0);
  readonly hasSpoken = ref(false);
  readonly cameras = shallowRef<MediaDeviceInfo[]>([]);
  readonly microphones = shallowRef<MediaDeviceInfo[]>([]);
  readonly camera = ref("");
  readonly microphone = ref("");
  /** Serve with sound and text alone, where there is no camera. */
  readonly isVoiceOnly = ref(false);
  readonly isOpening = ref(false);
  readonly problem = computed<DeviceProblem | null>(() => this.#desk.mediaState.value?.problem ?? null);
  readonly hasCamera = computed(() => this.#desk.mediaState.value?.has_camera ?? false);
  readonly hasMicrophone = computed(() => this.#desk.mediaState.value?.has_microphone ?? false);
  /** What still keeps the start button off: words of the checks. */
  readonly lacking = computed<("camera" | "microphone" | "ring")[]>(() => {
    const lacking: ("camera" | "microphone" | "ring")[] = [];
    if (!this.hasCamera.value && !this.isVoiceOnly.value) lacking.push("camera");
    if (!this.hasMicrophone.value) lacking.push("microphone");
    if (!this.#desk.bell.isUnlocked.value) lacking.push("ring");
    return lacking;
  });
  readonly #desk: Desk;
  #probe: LevelProbe | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  async open(): Promise<void> {
    this.isOpening.value = true;
    try {
      await this.#desk.media.open({ no_camera: this.isVoiceOnly.value });
      const { cameras, microphones } = await listDevices();
      this.cameras.value = cameras;
      this.microphones.value = microphones;
      this.#measure();
    } finally {
      this.isOpening.value = false;
    }
  }

  async choose(kind: "audio" | "video", device: string): Promise<void> {
    if (device) await this.#desk.media.replace(kind, device);
    if (kind === "audio") this.#measure();
  }

  /** In a press: the meter's sound machine starts with the ring's. */
  resume(): void {
    this.#probe?.resume();
  }

  #measure(): void {
    this.#stop();
    const track = this.#desk.media.audio;
    if (!track) return;
    this.#probe = new LevelProbe(new MediaStream([track]));
    this.#timer = setInterval(() => {
      this.level.value = this.#probe?.level() ?? 0;
      if (this.level.value > VOICE) this.hasSpoken.value = true;
    }, LEVEL_MS);
  }
  #stop(): void {
    clearInterval(this.#timer);
    this.#probe?.dispose();
    this.#probe = null;
    this.level.value = 0;
  }
  dispose(): void {
    this.#stop();
  }
}
