/** Help within a session: whom one may ask, what an invitation allows next, what it says. Pure; the server decides. */
import type { Bilingual, Colleague, Colleagues, InviteAct, InviteKind, InviteTarget, InviteView, SkillView } from "@cloud-booth/api";

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
  group: "person" | "skill" | "queue";
  target: InviteTarget;
  person: Colleague | null;
  /** Of a skill or a queue. */
  name: Bilingual | null;
  /** Another hall than one's own. */
  hall: Bilingual | null;
  /** Ready with the skill; on duty for the queue. */
  n: number;
  /** Why it cannot be chosen now; empty: it can. */
  blocked: "" | "busy" | "none_free";
}

/** Whom this kind of help may go to: who is free first, then skills, and for a transfer without a word the queues, also those of halls
 * that serve this hall's people. */
export function choicesFor(kind: InviteKind, { items, halls }: Colleagues, skills: readonly SkillView[]): Choice[] {
  if (kind === "guest") return [];
  const byPerson = items.map((person): Choice => ({
    key: `seat:${person.seat}`, group: "person", target: { to: "staff", id: person.staff }, person, name: null, hall: person.own ? null : person.hall.name, n: 0, blocked: person.state === "ready" ? "" : "busy",
  }));
  const bySkill = skills.map((skill): Choice => {
    const n = items.filter((person) => person.own && person.state === "ready" && person.skills.includes(skill.code)).length;
    return { key: `skill:${skill.code}`, group: "skill", target: { to: "skill", code: skill.code, hall: null }, person: null, name: skill.name, hall: null, n, blocked: n ? "" : "none_free" };
  });
  const byQueue = kind === "transfer_cold" ? halls.flatMap((hall) => hall.queues.map((queue): Choice => ({
    key: `queue:${hall.own ? "" : `${hall.id}:`}${queue.code}`, group: "queue", target: { to: "queue", skill: queue.code, hall: hall.own ? null : hall.id }, person: null, name: queue.name, hall: hall.own ? null : hall.name, n: queue.on_duty, blocked: "",
  }))) : [];
  const firstFree = (one: Choice, other: Choice): number => Number(one.blocked !== "") - Number(other.blocked !== "");
  // A queue takes everybody at any time: without a word it comes first.
  return [...byQueue, ...byPerson.sort(firstFree), ...bySkill.sort(firstFree)];
}

/** A transfer is alone: who would belong to which agent while another invitation hangs? */
export function clashes(kind: InviteKind, live: readonly InviteView[]): boolean {
  const isTransfer = (one: InviteKind): boolean => one === "transfer_warm" || one === "transfer_cold";
  return live.some((invite) => isTransfer(invite.kind) || isTransfer(kind));
}

/** What the session's agent may do next, the likeliest first. */
export function agentSteps(invite: InviteView): InviteAct[] {
  const { kind, state } = invite;
  if (state === "ringing") return ["cancel"];
  if (state === "accepted" && kind === "consult") return ["finish", "introduce"];
  if (state === "accepted" && kind === "transfer_warm") return ["introduce", "return"];
  if (state === "introduced" && kind === "transfer_warm") return ["finish", "return"];
  if (state === "accepted" || state === "introduced") return ["finish"];
  return [];
}

/** What whoever was asked may do next. A warm transfer is the first agent's to finish. */
export function guestSteps(invite: InviteView): InviteAct[] {
  if (invite.state === "ringing") return ["accept", "decline"];
  if ((invite.state === "accepted" || invite.state === "introduced") && (invite.kind === "consult" || invite.kind === "join")) return ["finish"];
  return [];
}

/** Staff talk apart: the citizen hears neither of both. */
export function isApart(invite: InviteView): boolean {
  return invite.state === "accepted" && (invite.kind === "consult" || invite.kind === "transfer_warm");
}

/** The message key of a step's button; what it does depends on the kind. */
export function stepWord(invite: InviteView, step: InviteAct): string {
  if (step === "finish" && invite.kind === "transfer_warm") return "help.step.handOver";
  if (step === "finish" && invite.kind === "consult" && invite.state === "accepted") return "help.step.takeBack";
  if (step === "finish") return "help.step.letGo";
  if (step === "introduce") return invite.kind === "consult" ? "help.step.together" : "help.step.introduce";
  if (step === "return") return invite.state === "introduced" ? "help.step.keep" : "help.step.takeBack";
  return `help.step.${step}`;
}
