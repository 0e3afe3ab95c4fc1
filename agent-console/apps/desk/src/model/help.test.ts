import { expect, test } from "vitest";
import type { SkillView } from "@cloud-booth/api";
import { agentSteps, choicesFor, clashes, guestSteps, isApart, kindOf, stepWord } from "./help.ts";
import type { DeskSeat, InviteKind, InviteState, InviteView } from "./wire.ts";

const seat = (id: string, state: DeskSeat["state"], skills: string[]): DeskSeat => ({ id, state, skills, name: { zh: id, en: id } }) as unknown as DeskSeat;
const SKILLS: SkillView[] = ["general", "police", "need:sign_language"].map((code) => ({ code, name: { zh: code, en: code } }));
const SEATS = [seat("me", "busy", ["general"]), seat("off", "offline", ["police"]), seat("talks", "busy", ["police"]), seat("free", "ready", ["general"])];
const invite = (kind: InviteKind, state: InviteState): InviteView => ({ id: "inv_1", version: 1, kind, state, session: "ses_1", target: { to: "link" }, from: "李工", interpreter: false, asked_at: "2026-11-21T01:00:00Z" });
const keys = (kind: InviteKind): string[] => choicesFor(kind, SEATS, SKILLS, "me").map((one) => `${one.key}${one.blocked ? ` (${one.blocked})` : ""}`);

test("nobody asks themselves or an empty seat; who is free comes first, who is not says why", () => {
  expect(keys("consult")).toEqual(["seat:free", "seat:talks (busy)", "skill:general", "skill:police (none_free)", "skill:need:sign_language (none_free)"]);
});

test("queues take a transfer without a word, and nothing else; a need is no queue", () => {
  expect(keys("transfer_cold").slice(0, 2)).toEqual(["queue:general", "queue:police"]);
  expect(keys("transfer_warm").some((key) => key.startsWith("queue"))).toBe(false);
  expect(keys("transfer_cold")).not.toContain("queue:need:sign_language");
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
