/** What a call-back's page says and whether it rings now. Pure. */
import type { CallBackView } from "@cloud-booth/api";

/** Between two rings, milliseconds. */
export const RING_EVERY_MS = 3_000;
/** The whole ring, milliseconds (`domain::callback::RING`). */
export const RING_MS = 60_000;

/** When this ring ends by the phone's own clock; null: it does not ring. That clock may be wrong: what came as ringing rings, and
 * never for longer than a ring. */
export function ringEnds(view: CallBackView | null, came_at: number): number | null {
  if (view?.state !== "ringing") return null;
  const left = view.ring_until ? Date.parse(view.ring_until) - came_at : RING_MS;
  return came_at + (left > 0 ? Math.min(left, RING_MS) : RING_MS);
}
export function secondsLeft(ends: number | null, now: number): number {
  return ends === null ? 0 : Math.min(RING_MS / 1000, Math.max(0, Math.round((ends - now) / 1000)));
}
/** A try was missed and another follows. */
export function isBetween(view: CallBackView | null): boolean {
  return view?.state === "waiting" && view.tries > 0 && view.tries < view.tries_max;
}
/** No other try follows this one. */
export function isLast(view: CallBackView | null): boolean {
  return (view?.tries ?? 0) >= (view?.tries_max ?? 0);
}
