/** What a call-back's page says and whether it rings now. Pure. */
import type { CallBackView } from "@cloud-booth/api";

/** Between two rings, milliseconds. */
export const RING_EVERY_MS = 3_000;

/** Rings until its end; a ring whose end has passed is silent even if the server's word is late. */
export function isRinging(view: CallBackView | null, now: number): boolean {
  return view?.state === "ringing" && (!view.ring_until || Date.parse(view.ring_until) > now);
}
export function secondsLeft(view: CallBackView | null, now: number): number {
  return view?.ring_until ? Math.max(0, Math.ceil((Date.parse(view.ring_until) - now) / 1000)) : 0;
}
/** A try was missed and another follows. */
export function isBetween(view: CallBackView | null): boolean {
  return view?.state === "waiting" && view.tries > 0 && view.tries < view.tries_max;
}
