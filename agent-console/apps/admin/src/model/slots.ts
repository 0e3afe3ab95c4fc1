/** What a slot rule comes to, for the person who writes it. The server cuts the real slots. */
import type { FieldProblem, SetSlotRule, SlotRuleView } from "@cloud-booth/api";
import { copyOf, numberFault } from "./edit.ts";

export const SLOT_MINUTES = { min: 5, max: 240 };
export const CAPACITY = { min: 1, max: 500 };

/** A queue without a rule: nothing can be booked. */
export const NO_RULE: SetSlotRule = { hours: [], slot_minutes: 15, capacity: 1, version: 0 };

export function draftOf(rule: SlotRuleView | undefined): SetSlotRule {
  if (!rule) return copyOf(NO_RULE);
  const { hours, slot_minutes, capacity, version } = copyOf(rule);
  return { hours, slot_minutes, capacity, version };
}

/** Minutes since midnight; null: no time of day. */
export function minutesOf(time: string): number | null {
  const found = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time);
  if (found) return Number(found[1]) * 60 + Number(found[2]);
  return time === "24:00" ? 1440 : null;
}

/** Slots and places of a working day, or of a day off. A rest that is too short for a slot stays for people who walk in. */
export function dayOf(rule: SetSlotRule, kind: "workdays" | "weekend"): { slots: number; places: number } {
  if (!(rule.slot_minutes >= SLOT_MINUTES.min) || !(rule.capacity >= CAPACITY.min)) return { slots: 0, places: 0 };
  let slots = 0;
  for (const line of rule.hours) {
    const [from, to] = [minutesOf(line.from), minutesOf(line.to)];
    if (from === null || to === null || to <= from || (line.days !== "all" && line.days !== kind)) continue;
    slots += Math.floor((to - from) / rule.slot_minutes);
  }
  return { slots, places: slots * rule.capacity };
}

export function numberFaults(rule: SetSlotRule, say: (min: number, max: number) => string): FieldProblem[] {
  return [
    ...numberFault("/slot_minutes", rule.slot_minutes, SLOT_MINUTES.min, SLOT_MINUTES.max, say),
    ...numberFault("/capacity", rule.capacity, CAPACITY.min, CAPACITY.max, say),
  ];
}
