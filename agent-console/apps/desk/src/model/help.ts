/** Help within a session: whom one may ask, what an invitation allows next, what it says. Pure; the server decides. */
import type { SkillView } from "@cloud-booth/api";
import type { DeskSeat, InviteKind, InviteStep, InviteTarget, InviteView } from "./wire.ts";

export const HELP_TABS = ["consult", "join", "guest", "transfer"] as const;
export type HelpTab = (typeof HELP_TABS)[number];
export type TransferWay = "warm" | "cold";

export function kindOf(tab: HelpTab, way: TransferWay): InviteKind {
  return tab === "transfer" ? `transfer_${way}` : tab;
}

/** Languages, dialects and needs are asked beside a queue; they are none. */
export const isQueue = (code: string): boolean => !code.includes(":");

export interface Choice {
  key: string;
  group: "seat" | "skill" | "queue";
  target: InviteTarget;
  /** Seat name or skill code, for the page to word. */
  seat: DeskSeat | null;
  skill: SkillView | null;
  /** Ready seats with the skill. */
  free: number;
  /** Why it cannot be chosen now; empty: it can. */
  blocked: "" | "busy" | "none_free";
}

/** Whom this kind of help may go to: ready seats first, then skills, and for a transfer without a word the queues. */
export function choicesFor(kind: InviteKind, seats: readonly DeskSeat[], skills: readonly SkillView[], mine: string): Choice[] {
  if (kind === "guest") return [];
  const others = seats.filter((seat) => seat.id !== mine && seat.state !== "offline");
  const bySeat = others.map((seat): Choice => ({ key: `seat:${seat.id}`, group: "seat", target: { to: "seat", id: seat.id }, seat, skill: null, free: 0, blocked: seat.state === "ready" ? "" : "busy" }));
  const bySkill = skills.map((skill): Choice => {
    const free = others.filter((seat) => seat.state === "ready" && seat.skills.includes(skill.code)).length;
    return { key: `skill:${skill.code}`, group: "skill", target: { to: "skill", code: skill.code }, seat: null, skill, free, blocked: free ? "" : "none_free" };
  });
  const byQueue = kind === "transfer_cold" ? skills.filter((skill) => isQueue(skill.code)).map((skill): Choice => ({ key: `queue:${skill.code}`, group: "queue", target: { to: "queue", skill: skill.code }, seat: null, skill, free: 0, blocked: "" })) : [];
  const firstFree = (one: Choice, other: Choice): number => Number(one.blocked !== "") - Number(other.blocked !== "");
  // A queue takes everybody at any time: without a word it comes first.
  return [...byQueue, ...bySeat.sort(firstFree), ...bySkill.sort(firstFree)];
}

/** A transfer is alone: who would belong to which agent while another invitation hangs? */
export function clashes(kind: InviteKind, live: readonly InviteView[]): boolean {
  const isTransfer = (one: InviteKind): boolean => one === "transfer_warm" || one === "transfer_cold";
  return live.some((invite) => isTransfer(invite.kind) || isTransfer(kind));
}

/** What the session's agent may do next, the likeliest first. */
export function agentSteps(invite: InviteView): InviteStep[] {
  const { kind, state } = invite;
  if (state === "ringing") return ["cancel"];
  if (state === "accepted" && kind === "consult") return ["finish", "introduce"];
  if (state === "accepted" && kind === "transfer_warm") return ["introduce", "return"];
  if (state === "introduced" && kind === "transfer_warm") return ["finish", "return"];
  if (state === "accepted" || state === "introduced") return ["finish"];
  return [];
}

/** What whoever was asked may do next. A warm transfer is the first agent's to finish. */
export function guestSteps(invite: InviteView): InviteStep[] {
  if (invite.state === "ringing") return ["accept", "decline"];
  if ((invite.state === "accepted" || invite.state === "introduced") && (invite.kind === "consult" || invite.kind === "join")) return ["finish"];
  return [];
}

/** Staff talk apart: the citizen hears neither of both. */
export function isApart(invite: InviteView): boolean {
  return invite.state === "accepted" && (invite.kind === "consult" || invite.kind === "transfer_warm");
}

/** The message key of a step's button; what it does depends on the kind. */
export function stepWord(invite: InviteView, step: InviteStep): string {
  if (step === "finish" && invite.kind === "transfer_warm") return "help.step.handOver";
  if (step === "finish" && invite.kind === "consult" && invite.state === "accepted") return "help.step.takeBack";
  if (step === "finish") return "help.step.letGo";
  if (step === "introduce") return invite.kind === "consult" ? "help.step.together" : "help.step.introduce";
  if (step === "return") return invite.state === "introduced" ? "help.step.keep" : "help.step.takeBack";
  return `help.step.${step}`;
}
