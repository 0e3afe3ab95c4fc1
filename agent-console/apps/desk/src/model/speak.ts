/** Words for the journal: the timeline's line and what the screen reader says. Pure but for the language. */
import type { EventBody, SessionEvent } from "@cloud-booth/api";

export interface Speaker {
  nameOf(member: string | null): string;
  isCitizen(member: string | null): boolean;
  groupTitle(group: string): string;
  /** Place in the script, from 1; 0: not in the one that is known. */
  promptNumber(prompt: string): number;
}
type Translate = (key: string, values?: Record<string, unknown>) => string;
let translate: Translate = (key) => key;

/** Given once by the page, so that the models need no component. */
export function speakWith(t: Translate): void {
  translate = t;
}
export function say(key: string, values?: Record<string, unknown>): string {
  return translate(key, values);
}

/** Nothing said for what only fills the journal (each field, each mark), nor for what a note of its own says. */
const SILENT = new Set(["field_set", "field_confirmed", "media_connected", "form_opened", "consent_asked", "sign_asked", "recording_asked", "recording_started", "recording_interrupted", "recording_resumed", "recording_stopped", "recording_sealed", "prompt_read", "prompt_answered", "chat", "noted", "hidden", "supervision_started", "supervision_changed", "supervision_ended"]);
const URGENT = new Set(["member_dropped", "consent_refused", "ended"]);

/** One line of the timeline; empty for entries that would only crowd it. */
export function lineOf(event: SessionEvent, who: Speaker): string {
  const body = event.body;
  switch (body.kind) {
    case "hidden":
      return "";
    case "invited":
      return say("event.invited", { who: who.nameOf(event.actor), kind: say(`help.kind.${body.invite_kind}`) });
    case "invite_changed":
      return body.state === "ringing" ? "" : say(`event.invite_${body.state}`);
    case "hold":
      return say(body.on ? "event.hold_on" : "event.hold_off");
    case "transferred":
      return say("event.transferred", { who: who.nameOf(body.member) });
    case "mode_changed":
    case "mode_asked":
      return say(`event.${body.kind}`, { mode: say(`rung.mode.${body.mode}`) });
    case "supervision_started":
    case "supervision_changed":
      return say(`event.supervision_${body.mode}`, { who: who.nameOf(body.member) });
    case "supervision_ended":
      return say(`event.supervision_${body.reason === "lost" ? "lost" : "ended"}`, { who: who.nameOf(body.member) });
    case "chat":
    case "field_set":
    case "field_confirmed":
    case "media_connected":
      return "";
    case "member_joined":
    case "member_dropped":
    case "member_back":
    case "member_left":
    case "media_lost":
      return say(`event.${body.kind}`, { who: who.nameOf(body.member) });
    case "group_confirmed":
    case "group_disputed":
      return say(`event.${body.kind}`, { who: who.nameOf(event.actor), group: who.groupTitle(body.group) });
    case "recording_answered":
      return say(`event.recording_${body.grant ? "agreed" : "refused"}`, { who: who.nameOf(event.actor) });
    case "recording_interrupted":
      return say("event.recording_interrupted", { reason: say(`recording.gap.${body.reason}`) });
    case "recording_stopped":
      return say("event.recording_stopped", { reason: say(`recording.end.${body.reason}`) });
    case "prompt_read":
      return say("event.prompt_read", { n: who.promptNumber(body.prompt) });
    case "prompt_answered":
      return say("event.prompt_answered", { n: who.promptNumber(body.prompt), answer: say(`common.${body.answer}`) });
    case "prefilled":
      return say("event.prefilled", { n: body.paths.length });
    case "handed_off":
      return say("event.handed_off", { number: body.number });
    case "ended":
      return say("event.ended", { reason: reasonOf(body.reason) });
    default:
      return say(`event.${body.kind}`, { who: who.nameOf(event.actor) });
  }
}

export function speakEvent(event: SessionEvent, who: Speaker): { text: string; urgency: "polite" | "assertive" } | null {
  if (SILENT.has(event.body.kind)) return null;
  const text = lineOf(event, who);
  return text ? { text, urgency: isUrgent(event.body) ? "assertive" : "polite" } : null;
}
/** Help that did not come is told at once: somebody waits for it. */
function isUrgent(body: EventBody): boolean {
  if (body.kind === "invite_changed") return body.state === "declined" || body.state === "timed_out" || body.state === "returned";
  return body.kind === "hold" || body.kind === "mode_refused" || (body.kind === "recording_answered" && !body.grant) || URGENT.has(body.kind);
}

const REASONS = new Set(["finished", "citizen_left", "wiped", "abuse", "technical", "agent_lost", "citizen_lost"]);
export function reasonOf(reason: string): string {
  return say(REASONS.has(reason) ? `endReason.${reason}` : "endReason.other");
}
