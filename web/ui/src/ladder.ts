/** The ladder of one talk: video, sound, typing, telephone. Says what a step means for this side's devices. Pure. */
import type { TalkMode } from "@cloud-booth/api";
import type { IconName } from "./icons.ts";

export const LADDER: readonly TalkMode[] = ["video", "audio", "text", "phone"];

export const MODE_ICONS: Record<TalkMode, IconName> = { video: "video", audio: "mic", text: "chat", phone: "call" };

export interface Devices {
  mic: boolean;
  camera: boolean;
}

/** What must be off at this step. Nothing is ever switched on by the other side's step: `mine` is a step of this side's own. */
export function devicesAt(mode: TalkMode, now: Devices, mine: boolean): Devices {
  const allowed: Devices = { mic: mode === "video" || mode === "audio", camera: mode === "video" };
  return mine ? allowed : { mic: now.mic && allowed.mic, camera: now.camera && allowed.camera };
}
export const isLower = (to: TalkMode, from: TalkMode): boolean => LADDER.indexOf(to) > LADDER.indexOf(from);
/** Where one may go from here. */
export const stepsFrom = (mode: TalkMode): TalkMode[] => LADDER.filter((one) => one !== mode);
