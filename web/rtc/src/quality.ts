/** From figures to one word: 良好 / 一般 / 较弱. Pure; the same bounds as the server's (`domain::quality`, held together by one table).
 * Within a call the server says the word; here it is judged before a call alone, by the check of the ways. */
export type QualityLevel = "good" | "fair" | "poor";

/** What is shown of a line: the server's word, or that it is gone, or that nothing is known yet. */
export type LineState = QualityLevel | "lost" | "unknown";

export interface QualitySample {
  /** Lost of what was sent in the last interval, percent. */
  loss_pct: number;
  rtt_ms: number | null;
  jitter_ms: number;
  /** Share of the time for which the picture stood still, percent. */
  freeze_pct?: number | null;
}

/** ITU-T G.1010 (loss), G.114 (delay, both ways), Y.1541 class 0 (jitter); where they come from stands in `domain::quality`. */
const GOOD = { loss_pct: 3, jitter_ms: 50, rtt_ms: 300, freeze_pct: 2 };
const FAIR = { loss_pct: 10, jitter_ms: 150, rtt_ms: 800, freeze_pct: 20 };

function within(sample: QualitySample, bounds: typeof GOOD): boolean {
  return sample.loss_pct <= bounds.loss_pct && sample.jitter_ms <= bounds.jitter_ms && (sample.rtt_ms ?? 0) <= bounds.rtt_ms && (sample.freeze_pct ?? 0) <= bounds.freeze_pct;
}

/** The worst figure decides. */
export function judge(sample: QualitySample): QualityLevel {
  if (within(sample, GOOD)) return "good";
  return within(sample, FAIR) ? "fair" : "poor";
}

/** The own line: what the server last said of it, but while this page has no connection it knows better. That nothing comes of this page
 * any more is the server's to say, long before the browser gives the connection up. */
export function ownLine(told: LineState, peer: "new" | "connecting" | "connected" | "reconnecting" | "failed" | "closed"): LineState {
  if (peer === "connected") return told;
  return peer === "reconnecting" || peer === "failed" ? "lost" : "unknown";
}
