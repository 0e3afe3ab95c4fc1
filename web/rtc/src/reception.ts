/** How long the pictures that a page receives stood still, for the server's word on the line. Pure: statistics in, milliseconds out.
 * A picture that nobody sends (a camera that is off) stands still without a fault, so only a line on which packets came counts. */

export interface Reception {
  freeze_ms: number;
  period_ms: number;
}

interface Seen {
  packets: number;
  frames: number;
  /** Seconds, from the start of the line. */
  frozen: number;
  /** Packets came in the period before. */
  flowed: boolean;
}

/** The server takes no shorter and no longer periods. */
const SHORTEST_MS = 1_000;
const LONGEST_MS = 15_000;

export class ReceptionMeter {
  readonly #seen = new Map<string, Seen>();
  #at: number | null = null;

  /** `report`: entries of `getStats`; `now`: milliseconds of one clock. Null where there is nothing to say. */
  take(report: Iterable<Record<string, unknown>>, now: number): Reception | null {
    const period_ms = this.#at === null ? 0 : Math.round(now - this.#at);
    this.#at = now;
    const counts = period_ms >= SHORTEST_MS && period_ms <= LONGEST_MS;
    let worst: number | null = null;
    const alive = new Set<string>();
    for (const entry of report) {
      if (entry.type !== "inbound-rtp" || entry.kind !== "video") continue;
      const id = String(entry.id);
      alive.add(id);
      const before = this.#seen.get(id);
      const next = { packets: Number(entry.packetsReceived ?? 0), frames: Number(entry.framesDecoded ?? 0), frozen: Number(entry.totalFreezesDuration ?? 0) };
      const flowed = before !== undefined && next.packets > before.packets;
      this.#seen.set(id, { ...next, flowed });
      // The first packets after a silence end what looks like one long freeze, and was nobody's picture.
      if (!before || !counts || !flowed || !before.flowed) continue;
      // A freeze is counted when it ends: one that lasts shows as packets without a frame.
      const still = next.frames === before.frames ? period_ms : (next.frozen - before.frozen) * 1000;
      worst = Math.max(worst ?? 0, Math.min(period_ms, Math.max(0, Math.round(still))));
    }
    for (const id of this.#seen.keys()) if (!alive.has(id)) this.#seen.delete(id);
    return worst === null ? null : { freeze_ms: worst, period_ms };
  }
}
