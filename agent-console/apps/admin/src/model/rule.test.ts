import { describe, expect, it } from "vitest";
import type { QueueRule } from "@cloud-booth/api";
import { draftOf, numberFaults, stepAfter } from "./rule.ts";

const RULE: QueueRule = { required: [{ code: "general", level: 1 }], steps: [{ after_s: 20, drop: ["lang:en"] }] };
const say = (min: number, max: number): string => `${min}–${max}`;

describe("a rule's draft", () => {
  it("never reaches into what the server said, and has what the server leaves out", () => {
    const draft = draftOf(RULE);
    expect(draft.steps[0]).toEqual({ after_s: 20, drop: ["lang:en"], min_level: null, overflow: null });
    expect([draft.ring_s, draft.text_slots, draft.hours]).toEqual([30, 1, []]);
    draft.steps[0]?.drop.push("need:sign_language");
    draft.required.pop();
    expect(RULE.steps?.[0]?.drop).toEqual(["lang:en"]);
    expect(RULE.required).toHaveLength(1);
  });
  it("adds a step that comes later than the last", () => {
    expect(stepAfter(draftOf(RULE).steps).after_s).toBeGreaterThan(20);
    expect(stepAfter([]).after_s).toBeGreaterThan(0);
  });
  it("names each number that is none or out of bounds", () => {
    const draft = { ...draftOf(RULE), ring_s: 5, text_slots: 9, wrap_up_s: "" as unknown as number };
    expect(numberFaults(draft, say).map((one) => one.pointer)).toEqual(["/rule/ring_s", "/rule/wrap_up_s", "/rule/text_slots"]);
    expect(numberFaults(draftOf(RULE), say)).toEqual([]);
  });
});
