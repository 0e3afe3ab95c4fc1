/** The ladder of one session as the agent sees it: video, sound, typing, telephone. Pure; the server decides and the citizen agrees. */
import type { TalkMode } from "@cloud-booth/api";

export const RUNGS: readonly TalkMode[] = ["video", "audio", "text", "phone"];

/** `now`: lowering to sound or text happens at once; `ask`: whatever opens the citizen's camera, microphone or telephone is theirs to give. */
export type Move = "here" | "asked" | "now" | "ask";

export function moveTo(mode: TalkMode, asked: TalkMode | null | undefined, to: TalkMode): Move {
  if (to === mode) return "here";
  if (to === asked) return "asked";
  return RUNGS.indexOf(to) > RUNGS.indexOf(mode) && to !== "phone" ? "now" : "ask";
}
