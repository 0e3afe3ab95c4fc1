/** What screen readers are told. Owns a queue that is spoken in batches, so that ten changes in two seconds are one sentence.
 * Captions and typing never come here. */
import { reactive } from "vue";

export type Urgency = "polite" | "assertive";

/** Announcements within this time are joined, milliseconds (design guide, accessibility). */
export const BATCH_MS = 2000;
const QUEUE_MAX = 20;

const waiting: Record<Urgency, string[]> = { polite: [], assertive: [] };
const timers: Partial<Record<Urgency, ReturnType<typeof setTimeout>>> = {};

/** What the regions show now. */
export const spoken = reactive<Record<Urgency, string>>({ polite: "", assertive: "" });

function flush(urgency: Urgency): void {
  delete timers[urgency];
  const texts = waiting[urgency].splice(0);
  if (texts.length === 0) return;
  const text = texts.join("。");
  // The same sentence twice must be heard twice: a no-break space makes it a change.
  spoken[urgency] = spoken[urgency] === text ? `${text}\u00a0` : text;
}

/** Says the text. Assertive speaks at once, then batches what follows; polite waits for the batch. */
export function announce(text: string, urgency: Urgency = "polite"): void {
  const queue = waiting[urgency];
  if (!text || queue.includes(text)) return;
  queue.push(text);
  if (queue.length > QUEUE_MAX) queue.shift();
  if (timers[urgency]) return;
  if (urgency === "assertive") flush(urgency);
  timers[urgency] = setTimeout(() => flush(urgency), BATCH_MS);
}
