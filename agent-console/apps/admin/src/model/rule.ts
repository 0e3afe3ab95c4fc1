/** A queue's rule as it is edited: whole, with the defaults that the server adds. The server checks all of it and names each fault. */
import type { FieldProblem, QueueRule, QueueStep } from "@cloud-booth/api";
import { copyOf, numberFault } from "./edit.ts";

export type Step = Required<QueueStep>;
export type RuleDraft = Required<Omit<QueueRule, "steps">> & { steps: Step[] };

export const REQUIRED_MAX = 5;
export const STEPS_MAX = 8;
export const HOURS_MAX = 14;
export const LEVELS = [1, 2, 3, 4, 5];
export const TEXT_SLOTS_MAX = 8;
const STEP_GAP_S = 30;

export function draftOf(rule: QueueRule): RuleDraft {
  const { required, steps = [], prefer = { last_agent_s: 0, pair_s: 0 }, hours = [], wrap_up_s = 90, ring_s = 30, text_slots = 1 } = copyOf(rule);
  return { required, steps: steps.map((step) => ({ drop: [], min_level: null, overflow: null, ...step })), prefer, hours, wrap_up_s, ring_s, text_slots };
}

/** The next step comes later than the last. */
export function stepAfter(steps: readonly Step[]): Step {
  return { after_s: (steps.at(-1)?.after_s ?? 0) + STEP_GAP_S, drop: [], min_level: null, overflow: null };
}

/** Numbers that are none, or out of what the server takes. */
export function numberFaults(rule: RuleDraft, say: (min: number, max: number) => string): FieldProblem[] {
  const at = (pointer: string, value: unknown, min: number, max: number): FieldProblem[] => numberFault(`/rule${pointer}`, value, min, max, say);
  return [
    ...rule.steps.flatMap((step, index) => at(`/steps/${index}/after_s`, step.after_s, 1, 3600)),
    ...at("/prefer/last_agent_s", rule.prefer.last_agent_s, 0, 600),
    ...at("/prefer/pair_s", rule.prefer.pair_s, 0, 600),
    ...at("/ring_s", rule.ring_s, 10, 120),
    ...at("/wrap_up_s", rule.wrap_up_s, 0, 900),
    ...at("/text_slots", rule.text_slots, 1, TEXT_SLOTS_MAX),
  ];
}
