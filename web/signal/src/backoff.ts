const FIRST_MS = 250;
const LONGEST_MS = 8_000;

/** Wait before reconnecting: doubles up to eight seconds, with jitter so that a server's return is not a stampede. */
export function backoff(attempt: number, random: number): number {
  const whole = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return Math.round(whole * (0.5 + random / 2));
}
