/** The look at this phone before a call: picture, microphone, loudspeaker, network. Owns the opened media until the call takes it. */
import { onBeforeUnmount, reactive, shallowRef } from "vue";
import { LevelProbe, LocalMedia, measureLight, type DeviceProblem } from "@cloud-booth/rtc";
import type { NetworkLevel } from "@cloud-booth/ui";
import { measureNetwork } from "./hall.ts";
import { tone, unlockSound } from "./ring.ts";

/** Below this mean brightness a face is hard to see. */
const DARK = 0.18;
/** Louder than this is speech, not the room. */
const HEARD = 0.25;
const LOOK_MS = 200;

export type Wish = "video" | "audio";

/** From the median time of a small question: what a call will be like. */
export function networkLevel(ms: number | null): NetworkLevel {
  if (ms === null) return "lost";
  return ms > 800 ? "fair" : "good";
}

export function inWeChat(agent: string = navigator.userAgent): boolean {
  return /MicroMessenger/i.test(agent);
}

export function useDeviceCheck() {
  const media = shallowRef<LocalMedia | null>(null);
  const state = reactive({
    stage: "idle" as "idle" | "opening" | "open",
    has_camera: false, has_microphone: false, problem: null as DeviceProblem | null,
    light: null as number | null, level: 0, heard: false, speaker: "idle" as "idle" | "asked" | "yes", network: "unknown" as NetworkLevel,
  });
  let probe: LevelProbe | null = null;
  let timer: ReturnType<typeof setInterval> | undefined;

  void measureNetwork().then((ms) => (state.network = networkLevel(ms)));

  function close(): void {
    clearInterval(timer);
    probe?.dispose();
    probe = null;
  }
  /** In a tap: browsers ask only then. */
  async function open(wish: Wish = "video"): Promise<void> {
    unlockSound();
    state.stage = "opening";
    close();
    media.value?.dispose();
    const opened = new LocalMedia();
    media.value = opened;
    const got = await opened.open({ no_camera: wish === "audio" });
    if (media.value !== opened) return;
    Object.assign(state, { stage: "open", has_camera: got.has_camera, has_microphone: got.has_microphone, problem: got.problem, heard: false, light: null });
    if (got.has_microphone) {
      probe = new LevelProbe(opened.stream);
      probe.resume();
    }
    timer = setInterval(() => {
      state.level = probe?.level() ?? 0;
      if (state.level > HEARD) state.heard = true;
    }, LOOK_MS);
  }
  function look(video: HTMLVideoElement | undefined): void {
    if (video) state.light = measureLight(video);
  }
  function playSound(): void {
    unlockSound();
    for (const [at, hertz] of [[0, 523], [0.35, 659], [0.7, 784]] as const) tone(hertz, at);
    state.speaker = "asked";
  }
  /** Another way of talking was chosen: what was opened is closed. */
  function stop(): void {
    close();
    media.value?.dispose();
    media.value = null;
    Object.assign(state, { stage: "idle", has_camera: false, has_microphone: false, problem: null, light: null });
  }
  /** Hands the media over: from now on the call closes it. */
  function take(): LocalMedia | null {
    close();
    const taken = media.value;
    media.value = null;
    return taken;
  }
  onBeforeUnmount(() => {
    close();
    media.value?.dispose();
  });
  return { media, state, open, stop, look, playSound, take, isDark: () => state.light !== null && state.light < DARK };
}
