/** What the strip of conversations says of a seat's line. Pure. */
import type { SeatState, SeatView } from "@cloud-booth/api";

/** Words that are waited for longer than this are marked, seconds. */
export const LATE_S = 60;

const MARK: Record<SeatState, string> = { ready: "✓", away: "▲", wrap_up: "i", busy: "●", ringing: "●", offline: "■" };
/** A state is a shape and a word, never a colour alone. */
export function markOf(state: SeatState): string {
  return MARK[state];
}

const OWN = new Set(["no_answer", "declined"]);
/** A lane that went away for a reason of its own comes back by the agent's word alone; for the others its seat decides. */
export function isKept(seat: SeatView | null): boolean {
  return seat !== null && seat.lane > 0 && seat.state === "away" && OWN.has(seat.away_reason ?? "");
}
