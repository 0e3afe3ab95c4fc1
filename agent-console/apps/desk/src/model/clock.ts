/** The one ticking clock of the console, corrected to the server's time as far as frames tell it. Owns the timer; views read `now`. */
import { computed, readonly, ref } from "vue";

const TICK_MS = 500;
/** A frame older than this on arrival says nothing about the clocks (a snapshot after a reconnect). */
const FRESH_MS = 5 * 60_000;

const local = ref(Date.now());
const skew = ref(0);
let timer: ReturnType<typeof setInterval> | undefined;

export const clock = {
  /** Server time of now, milliseconds; moves twice a second. */
  now: computed(() => local.value - skew.value),
  skew: readonly(skew),
  start(): void {
    timer ??= setInterval(() => {
      local.value = Date.now();
    }, TICK_MS);
  },
  stop(): void {
    clearInterval(timer);
    timer = undefined;
  },
  /** A frame that the server made just now carries this time. */
  heard(at: string): void {
    const difference = Date.now() - Date.parse(at);
    local.value = Date.now();
    if (Math.abs(difference) < FRESH_MS) skew.value = difference;
  },
};

/** Whole seconds from `at` until now, never negative. */
export function secondsSince(at: string | null | undefined): number {
  return at ? Math.max(0, Math.floor((clock.now.value - Date.parse(at)) / 1000)) : 0;
}

/** Whole seconds until `at`, rounded up, never negative. */
export function secondsUntil(at: string | null | undefined): number {
  return at ? Math.max(0, Math.ceil((Date.parse(at) - clock.now.value) / 1000)) : 0;
}
