import { describe, expect, it } from "vitest";
import { draftOf, faultsAt, stepAfter, type QueueRule } from "./rule.ts";

const RULE: QueueRule = { required: [{ code: "general", level: 1 }], steps: [{ after_s: 20, drop: ["lang:en"], min_level: 1, overflow: null }], prefer: { last_agent_s: 20, pair_s: 0 }, hours: [], wrap_up_s: 90, ring_s: 30, text_slots: 1 };

describe("a rule's draft", () => {
  it("never reaches into what the server said", () => {
    const draft = draftOf(RULE);
    draft.steps[0]?.drop.push("need:sign_language");
    draft.required.pop();
    expect(RULE.steps[0]?.drop).toEqual(["lang:en"]);
    expect(RULE.required).toHaveLength(1);
  });
  it("adds a step that comes later than the last", () => {
    expect(stepAfter(RULE.steps).after_s).toBeGreaterThan(20);
    expect(stepAfter([]).after_s).toBeGreaterThan(0);
  });
  it("shows a fault at the place that the server named", () => {
    const errors = new Map([["/rule/steps/0/after_s", { pointer: "/rule/steps/0/after_s", code: "rule_steps_order", detail: "要递增" }]]);
    expect([faultsAt(errors, "/steps/0/after_s"), faultsAt(errors, "/steps/0")]).toEqual(["要递增", ""]);
  });
});
