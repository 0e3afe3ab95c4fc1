/** What a person in the queue is told. The estimate changes at most once in thirty seconds: a figure that jumps is not believed. */
import type { TicketView, WaitEstimate } from "@cloud-booth/api";

export const ESTIMATE_EVERY_MS = 30_000;

export interface ShownEstimate {
  estimate: WaitEstimate | null;
  at: number;
}

export function nextEstimate(shown: ShownEstimate | null, fresh: WaitEstimate | null, now: number): ShownEstimate {
  if (shown?.estimate && fresh && now - shown.at < ESTIMATE_EVERY_MS) return shown;
  if (shown && JSON.stringify(shown.estimate) === JSON.stringify(fresh)) return shown;
  return { estimate: fresh, at: now };
}

/** Longer than the first range that was shown. `first_high_s` is its upper end, in seconds. */
export function isOverdue(ticket: TicketView, first_high_s: number | null, now: number): boolean {
  return first_high_s !== null && (now - Date.parse(ticket.enqueued_at)) / 1000 > Math.max(60, first_high_s);
}
