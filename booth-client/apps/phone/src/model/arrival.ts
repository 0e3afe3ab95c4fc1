/** Coming from the booth's QR code: `/phone/#c=<code>`. The code works once, so it leaves the address bar at once and waits
 * (with its idempotency key) in this tab until the server has answered: a reload in between loses nothing. */
import { newKey } from "@cloud-booth/api";
import type { Shelf } from "./store.ts";

export interface Arrival {
  code: string;
  key: string;
}

const KEY = "cloud-booth.arrival";
const CODE_MAX = 200;

/** The code in a location's hash, or null. */
export function codeOf(hash: string): string | null {
  const code = new URLSearchParams(hash.replace(/^#/, "")).get("c");
  return code && code.length <= CODE_MAX && /^[\w.~-]+$/.test(code) ? code : null;
}

/** Takes the code out of the address (history included) or finds one that was not answered yet. */
export function arrive(tab: Shelf, place: Pick<Location, "hash" | "pathname" | "search">, history: Pick<History, "replaceState">): Arrival | null {
  const code = codeOf(place.hash);
  if (code) {
    history.replaceState(null, "", place.pathname + place.search);
    const arrival = { code, key: newKey() };
    tab.write(KEY, arrival);
    return arrival;
  }
  return tab.read<Arrival>(KEY);
}

export function arrived(tab: Shelf): void {
  tab.remove(KEY);
}
