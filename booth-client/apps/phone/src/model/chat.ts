/** The dialogue of a call, built from the journal. A message that is on its way is shown too, until its entry arrives. */
import type { EventBody, SessionEvent } from "@cloud-booth/api";

export interface ChatLine {
  id: string;
  /** Member id; null while on its way (it is mine). */
  actor: string | null;
  at: string;
  text: string;
  state: "sending" | "sent" | "failed";
}

const LINES_MAX = 500;
const TYPING_MS = 4_000;

/** Adds a journal entry; the sent line with the same words gives way to it. */
export function addEvent(lines: ChatLine[], event: SessionEvent & { body: Extract<EventBody, { kind: "chat" }> }, me: string | null): ChatLine[] {
  const id = `seq-${event.seq}`;
  if (lines.some((line) => line.id === id)) return lines;
  const next = [...lines];
  if (event.actor !== null && event.actor === me) {
    const own = next.findIndex((line) => line.actor === null && line.text === event.body.text);
    if (own >= 0) next.splice(own, 1);
  }
  // What is still on its way stays below what the server has.
  const at = next.findIndex((line) => line.actor === null);
  const line: ChatLine = { id, actor: event.actor ?? "", at: event.at, text: event.body.text, state: "sent" };
  next.splice(at < 0 ? next.length : at, 0, line);
  return next.slice(-LINES_MAX);
}

export function addOwn(lines: ChatLine[], id: string, text: string, at: string): ChatLine[] {
  return [...lines, { id, actor: null, at, text, state: "sending" }];
}

export function mark(lines: ChatLine[], id: string, state: ChatLine["state"]): ChatLine[] {
  return lines.map((line) => (line.id === id ? { ...line, state } : line));
}

/** What is said here: shown at once, marked by what becomes of it. */
export class Dialogue {
  readonly #state: { chat: ChatLine[]; typing: string | null };
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #send: (text: string) => Promise<unknown>;

  constructor(state: { chat: ChatLine[]; typing: string | null }, send: (text: string) => Promise<unknown>) {
    this.#state = state;
    this.#send = send;
  }
  say(text: string, id = `own-${Date.now()}-${Math.random().toString(36).slice(2)}`): void {
    const state = this.#state;
    state.chat = state.chat.some((line) => line.id === id) ? mark(state.chat, id, "sending") : addOwn(state.chat, id, text, new Date().toISOString());
    this.#send(text).then(
      () => (state.chat = mark(state.chat, id, "sent")),
      () => (state.chat = mark(state.chat, id, "failed")),
    );
  }
  /** Who types; a hint that does not come again fades by itself. */
  typing(member: string | null): void {
    clearTimeout(this.#timer);
    this.#state.typing = member;
    if (member) this.#timer = setTimeout(() => (this.#state.typing = null), TYPING_MS);
  }
  again(id: string): void {
    const line = this.#state.chat.find((one) => one.id === id);
    if (line) this.say(line.text, id);
  }
}
