/** What a page makes of the recording of its session: the sign, the current prompt, which steps are locked. Pure. */
import type { LegalStep, PromptView, RecordingRuleView, RecordingView } from "@cloud-booth/api";

/** What the sign shows: `off` nothing is or was recorded, `asked` the citizen decides, `ended` nothing is written any more. */
export type SignState = "off" | "asked" | "refused" | "starting" | "live" | "interrupted" | "ended";

export function signOf(recording: Pick<RecordingView, "state"> | null | undefined): SignState {
  switch (recording?.state) {
    case "asked":
    case "refused":
    case "starting":
    case "live":
    case "interrupted":
      return recording.state;
    case "sealing":
    case "sealed":
    case "deleted":
      return "ended";
    default:
      return "off";
  }
}

/** Bytes are, or should be, written: it can be stopped. */
export const isRunning = (recording: Pick<RecordingView, "state"> | null | undefined): boolean => ["starting", "live", "interrupted"].includes(signOf(recording));

/** Seconds on the recording's clock; after the end, its length. */
export function recordedSeconds(recording: Pick<RecordingView, "started_at" | "ended_at"> | null | undefined, now_ms: number): number {
  if (!recording?.started_at) return 0;
  const end = recording.ended_at ? Date.parse(recording.ended_at) : now_ms;
  return Math.max(0, (end - Date.parse(recording.started_at)) / 1000);
}

/** A step that the item binds to a recording, and that may not be done now. */
export const isLocked = (rule: RecordingRuleView | null | undefined, step: LegalStep): boolean => rule?.steps.some((one) => one.step === step && !one.open) ?? false;

/** Why a locked step is locked, as the end of a message's name: a recording must be asked for, be answered, begin, or come back; or it
 * runs, and the script is not done. */
export function lockReason(recording: Pick<RecordingView, "state"> | null | undefined): "needed" | "asked" | "refused" | "starting" | "interrupted" | "prompts" {
  const sign = signOf(recording);
  if (sign === "live") return "prompts";
  return sign === "asked" || sign === "refused" || sign === "starting" || sign === "interrupted" ? sign : "needed";
}

/** Read out, and answered where it asks. */
export const isDone = (prompt: PromptView): boolean => prompt.read_ms !== null && (prompt.asks === "none" || prompt.answer !== null);

/** The agent reads the first that is not done. */
export const nextPrompt = (script: readonly PromptView[]): PromptView | null => script.find((one) => !isDone(one)) ?? null;

/** The citizen looks at what was read last. */
export function currentPrompt(script: readonly PromptView[]): PromptView | null {
  let last: PromptView | null = null;
  for (const one of script) if (one.read_ms !== null && (last === null || one.read_ms >= (last.read_ms ?? 0))) last = one;
  return last;
}

export const countDone = (script: readonly PromptView[]): number => script.filter(isDone).length;

/** A length of keeping in the unit that people say: years, months of thirty days, days. */
export function keptFor(days: number): { n: number; unit: "years" | "months" | "days" } {
  if (days >= 365 && days % 365 === 0) return { n: days / 365, unit: "years" };
  if (days >= 60 && days % 30 === 0) return { n: days / 30, unit: "months" };
  return { n: days, unit: "days" };
}
