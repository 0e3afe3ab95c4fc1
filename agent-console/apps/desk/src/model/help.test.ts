import { expect, test } from "vitest";
import type { Colleague, Colleagues, InviteKind, InviteState, InviteView, SkillView } from "@cloud-booth/api";
import { agentSteps, choicesFor, clashes, guestSteps, isApart, kindOf, stepWord } from "./help.ts";

const person = (id: string, state: Colleague["state"], skills: string[], own = true): Colleague => ({ staff: `stf_${id}`, seat: id, name: id, own, state, skills, hall: { id: own ? "hal" : "hal_2", name: { zh: own ? "本厅" : "邻厅", en: "" } } }) as unknown as Colleague;
const SKILLS: SkillView[] = ["general", "police", "need:sign_language"].map((code) => ({ code, name: { zh: code, en: code } }));
const queue = (code: string, on_duty: number) => ({ code, name: { zh: code, en: code }, on_duty });
const AROUND: Colleagues = {
  items: [person("talks", "busy", ["police"]), person("free", "ready", ["general"]), person("far", "ready", ["police"], false)],
  halls: [{ id: "hal", name: { zh: "本厅", en: "" }, own: true, queues: [queue("general", 1)] }, { id: "hal_2", name: { zh: "邻厅", en: "" }, own: false, queues: [queue("police", 1)] }],
};
const invite = (kind: InviteKind, state: InviteState): InviteView =>
  ({ id: "inv_1", version: 1, kind, state, session: "ses_1", target: { to: "link" }, from: "李工", interpreter: false, asked_at: "2026-11-21T01:00:00Z" }) as unknown as InviteView;
const keys = (kind: InviteKind): string[] => choicesFor(kind, AROUND, SKILLS).map((one) => `${one.key}${one.blocked ? ` (${one.blocked})` : ""}`);

test("who is free comes first, who is not says why; a skill is that of one's own hall", () => {
  expect(keys("consult")).toEqual(["seat:free", "seat:far", "seat:talks (busy)", "skill:general", "skill:police (none_free)", "skill:need:sign_language (none_free)"]);
});

test("a colleague is asked by name, wherever they sit; another hall's names itself", () => {
  const [free, far] = choicesFor("join", AROUND, SKILLS);
  expect([free?.target, free?.hall]).toEqual([{ to: "staff", id: "stf_free" }, null]);
  expect([far?.target, far?.hall?.zh]).toEqual([{ to: "staff", id: "stf_far" }, "邻厅"]);
});

test("queues take a transfer without a word, and nothing else; another hall's goes there", () => {
  const queues = choicesFor("transfer_cold", AROUND, SKILLS).filter((one) => one.group === "queue");
  expect(queues.map((one) => [one.key, one.target])).toEqual([["queue:general", { to: "queue", skill: "general", hall: null }], ["queue:hal_2:police", { to: "queue", skill: "police", hall: "hal_2" }]]);
  expect(keys("transfer_warm").some((key) => key.startsWith("queue"))).toBe(false);
  expect(keys("guest")).toEqual([]);
  expect(kindOf("transfer", "cold")).toBe("transfer_cold");
});

test("a warm transfer is introduced before it is finished, and can be taken back until then", () => {
  expect(agentSteps(invite("transfer_warm", "ringing"))).toEqual(["cancel"]);
  expect(agentSteps(invite("transfer_warm", "accepted"))).toEqual(["introduce", "return"]);
  expect(agentSteps(invite("transfer_warm", "introduced"))).toEqual(["finish", "return"]);
  expect(guestSteps(invite("transfer_warm", "introduced"))).toEqual([]);
});

test("what is over allows nothing", () => {
  for (const state of ["done", "declined", "timed_out", "cancelled", "returned"] as const) {
    expect(agentSteps(invite("consult", state))).toEqual([]);
    expect(guestSteps(invite("consult", state))).toEqual([]);
  }
});

test("the same step is named by what it does to the citizen", () => {
  expect(stepWord(invite("consult", "accepted"), "finish")).toBe("help.step.takeBack");
  expect(stepWord(invite("consult", "introduced"), "finish")).toBe("help.step.letGo");
  expect(stepWord(invite("transfer_warm", "introduced"), "finish")).toBe("help.step.handOver");
  expect(stepWord(invite("transfer_warm", "accepted"), "return")).toBe("help.step.takeBack");
});

test("a transfer waits until whoever was brought in has left, and nobody is brought in during one", () => {
  expect(clashes("transfer_warm", [invite("guest", "accepted")])).toBe(true);
  expect(clashes("join", [invite("transfer_cold", "ringing")])).toBe(true);
  expect(clashes("join", [invite("guest", "accepted")])).toBe(false);
  expect(clashes("transfer_cold", [])).toBe(false);
});

test("only a private talk puts the citizen on hold", () => {
  expect(isApart(invite("consult", "accepted"))).toBe(true);
  expect(isApart(invite("consult", "introduced"))).toBe(false);
  expect(isApart(invite("join", "accepted"))).toBe(false);
});
