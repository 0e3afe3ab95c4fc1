/** From figures to a word: 良好 / 较慢 / 很差. Pure. */
export type QualityLevel = "good" | "slow" | "bad";

export interface QualitySample {
  /** Lost of what was sent in the last interval, percent. */
  loss_pct: number;
  rtt_ms: number;
  jitter_ms: number;
}

/** Speech stays easy below the first line and hard to follow above the second. */
export function judge({ loss_pct, rtt_ms, jitter_ms }: QualitySample): QualityLevel {
  if (loss_pct > 10 || rtt_ms > 800 || jitter_ms > 150) return "bad";
  if (loss_pct > 3 || rtt_ms > 300 || jitter_ms > 50) return "slow";
  return "good";
}

/** Changes the word only after it was the same `needed` times: a chip that flickers tells nothing. */
export class Steady {
  #shown: QualityLevel | "unknown" = "unknown";
  #next: QualityLevel | "unknown" = "unknown";
  #count = 0;
  readonly #needed: number;

  constructor(needed = 2) {
    this.#needed = needed;
  }
  get level(): QualityLevel | "unknown" {
    return this.#shown;
  }
  /** Returns true where the shown word changed. */
  take(level: QualityLevel): boolean {
    if (level === this.#next) this.#count += 1;
    else {
      this.#next = level;
      this.#count = 1;
    }
    const isFirst = this.#shown === "unknown";
    if (level === this.#shown || (!isFirst && this.#count < this.#needed)) return false;
    this.#shown = level;
    return true;
  }
}
