/** Coming by QR code or link: `/phone/#c=<code>` a case, `#t=` a ticket carried from a booth (`&back=1`: to be called back), `#a=` an appointment, `#g=` a session
 * as guest, `#h=` another hall. A code works once, so it leaves the address bar at once and waits (with its idempotency key) in
 * this tab until the server has answered: a reload in between loses nothing. */
import { newKey } from "@cloud-booth/api";
import type { Shelf } from "./store.ts";

export type ArrivalKind = "case" | "ticket" | "appointment" | "guest" | "hall";

export interface Arrival {
  kind: ArrivalKind;
  code: string;
  key: string;
  /** A call-back was asked for at the booth. */
  back?: boolean;
}

const KEY = "cloud-booth.arrival";
const CODE_MAX = 200;
const KINDS: readonly (readonly [string, ArrivalKind])[] = [["c", "case"], ["t", "ticket"], ["a", "appointment"], ["g", "guest"], ["h", "hall"]];

/** What a location's hash brings, or null. */
export function codeOf(hash: string): Omit<Arrival, "key"> | null {
  const words = new URLSearchParams(hash.replace(/^#/, ""));
  for (const [letter, kind] of KINDS) {
    const code = words.get(letter);
    if (code && code.length <= CODE_MAX && /^[\w.~-]+$/.test(code)) return { kind, code, ...(kind === "ticket" && words.get("back") === "1" ? { back: true } : {}) };
  }
  return null;
}

/** Takes the code out of the address (history included) or finds one that was not answered yet. */
export function arrive(tab: Shelf, place: Pick<Location, "hash" | "pathname" | "search">, history: Pick<History, "replaceState">): Arrival | null {
  const found = codeOf(place.hash);
  if (found) {
    history.replaceState(null, "", place.pathname + place.search);
    const arrival = { ...found, key: newKey() };
    tab.write(KEY, arrival);
    return arrival;
  }
  return tab.read<Arrival>(KEY);
}

export function arrived(tab: Shelf): void {
  tab.remove(KEY);
}
