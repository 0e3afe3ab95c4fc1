/** A queue's rule as it is edited: a copy that is thrown away or sent whole. The server checks all of it and names each fault. */
import type { Bilingual, FieldProblem } from "@cloud-booth/api";

export interface SkillAsked {
  code: string;
  level: number;
}
export interface QueueStep {
  after_s: number;
  drop: string[];
  min_level: number | null;
  overflow: string | null;
}
export interface OpenHours {
  days: "workdays" | "weekend" | "all";
  from: string;
  to: string;
}
export interface QueueRule {
  required: SkillAsked[];
  steps: QueueStep[];
  prefer: { last_agent_s: number; pair_s: number };
  hours: OpenHours[];
  wrap_up_s: number;
  ring_s: number;
  text_slots: number;
}
export interface QueueView {
  code: string;
  name: Bilingual;
  /** 0: nobody has written a rule; the default is shown. */
  version: number;
  rule: QueueRule;
  open_now?: boolean | null;
  overflow_now?: string | null;
}
export interface HallRef {
  id: string;
  name: Bilingual;
}

export const REQUIRED_MAX = 5;
export const STEPS_MAX = 8;
export const HOURS_MAX = 14;
const STEP_GAP_S = 30;

/** A deep copy: what is on the screen never reaches into what the server said. */
export const draftOf = (rule: QueueRule): QueueRule => JSON.parse(JSON.stringify(rule)) as QueueRule;

/** The next step comes later than the last. */
export function stepAfter(steps: readonly QueueStep[]): QueueStep {
  return { after_s: (steps.at(-1)?.after_s ?? 0) + STEP_GAP_S, drop: [], min_level: null, overflow: null };
}

/** The fault of this place alone, in the server's words. */
export function faultsAt(errors: ReadonlyMap<string, FieldProblem>, pointer: string): string {
  return errors.get(`/rule${pointer}`)?.detail ?? "";
}
