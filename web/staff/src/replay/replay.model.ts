/** How several recorded legs are played as one: one clock, and for each leg the part that runs, where in it, and what is missing.
 * Times are milliseconds on the recording's clock. Pure: moments are given. */
import type { ReplayGap, ReplayLeg, ReplayMark, ReplayPart } from "@cloud-booth/api";

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2] as const;

/** Smaller than this nobody sees or hears. */
export const DRIFT_MS = 45;
/** Beyond this a jump is shorter than a chase. */
export const JUMP_MS = 800;
/** At most this much faster or slower while it catches up: pitch and lips stay. */
const CHASE = 0.08;
/** A part's last block ends a moment after `to_ms`. */
const TAIL_MS = 40;
/** Looks ahead this far for the part that comes next. */
export const AHEAD_MS = 4_000;

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

/** One clock for all legs. It runs on the moments that it is given, stands while a leg has nothing to show yet, and stops at the end. */
export class ReplayClock {
  readonly duration: number;
  #at = 0;
  /** The moment at which `#at` was true; null: it stands. */
  #since: number | null = null;
  #rate = 1;
  /** Wanted by the person; `#since` says whether it really runs. */
  #isPlaying = false;
  #isHeld = false;

  constructor(duration: number) {
    this.duration = Math.max(0, duration);
  }
  get rate(): number {
    return this.#rate;
  }
  get isPlaying(): boolean {
    return this.#isPlaying;
  }
  /** Playing, and waiting for bytes. */
  get isHeld(): boolean {
    return this.#isPlaying && this.#isHeld;
  }
  at(moment: number): number {
    return this.#since === null ? this.#at : clamp(this.#at + (moment - this.#since) * this.#rate, 0, this.duration);
  }
  play(moment: number): void {
    if (this.#isPlaying) return;
    // From the end it begins anew.
    if (this.#at >= this.duration) this.#at = 0;
    this.#isPlaying = true;
    this.#settle(moment);
  }
  pause(moment: number): void {
    this.#at = this.at(moment);
    this.#isPlaying = false;
    this.#since = null;
  }
  seek(to: number, moment: number): void {
    this.#at = clamp(to, 0, this.duration);
    this.#since = null;
    this.#settle(moment);
  }
  setRate(rate: number, moment: number): void {
    this.#at = this.at(moment);
    this.#rate = rate;
    this.#since = null;
    this.#settle(moment);
  }
  /** Time stands while somebody's picture is still on its way. */
  hold(on: boolean, moment: number): void {
    if (on === this.#isHeld) return;
    this.#at = this.at(moment);
    this.#isHeld = on;
    this.#since = null;
    this.#settle(moment);
  }
  /** Called at each frame; true when the end was reached just now. */
  tick(moment: number): boolean {
    if (!this.#isPlaying || this.at(moment) < this.duration) return false;
    this.pause(moment);
    return true;
  }
  #settle(moment: number): void {
    if (this.#isPlaying && !this.#isHeld && this.#since === null) this.#since = moment;
  }
}

/** The part that runs at this time; none: nothing of this leg was written then. */
export function partAt(leg: Pick<ReplayLeg, "parts">, at: number): ReplayPart | null {
  let found: ReplayPart | null = null;
  // Of two that touch, the later one.
  for (const part of leg.parts) if (part.from_ms <= at && at < part.to_ms + TAIL_MS && (!found || part.from_ms >= found.from_ms)) found = part;
  return found;
}

/** The next part that begins within `AHEAD_MS`. */
export function comingPart(leg: Pick<ReplayLeg, "parts">, at: number): ReplayPart | null {
  let next: ReplayPart | null = null;
  for (const part of leg.parts) if (part.from_ms > at && part.from_ms <= at + AHEAD_MS && (!next || part.from_ms < next.from_ms)) next = part;
  return next;
}

/** Seconds within the part. */
export const withinPart = (part: Pick<ReplayPart, "from_ms">, at: number): number => Math.max(0, at - part.from_ms) / 1000;

export const gapEnd = (gap: Pick<ReplayGap, "to_ms">, duration: number): number => gap.to_ms ?? duration;

const covers = (gap: ReplayGap, at: number, duration: number): boolean => gap.from_ms <= at && at < gapEnd(gap, duration);

/** What is missing of this leg now: of both, of the picture, of the sound. A gap of all hides the ones of a track. */
export function gapsAt(leg: Pick<ReplayLeg, "gaps">, at: number, duration: number): { all: ReplayGap | null; video: ReplayGap | null; audio: ReplayGap | null } {
  const now = leg.gaps.filter((gap) => covers(gap, at, duration));
  const of = (media: string | null): ReplayGap | null => now.find((gap) => gap.media === media) ?? null;
  return { all: of(null), video: of("video"), audio: of("audio") };
}

export type Shown =
  /** Pictures, or sound alone, of this part. */
  | { kind: "part"; part: ReplayPart; video: boolean; missing: ReplayGap | null }
  /** Nothing was written: the reason, where it is known. */
  | { kind: "gap"; gap: ReplayGap | null }
  /** Before the leg's first part: they were not there yet; after the last: no longer. */
  | { kind: "absent"; when: "before" | "after" };

export function shownAt(leg: Pick<ReplayLeg, "parts" | "gaps">, at: number, duration: number): Shown {
  const gaps = gapsAt(leg, at, duration);
  const part = partAt(leg, at);
  if (part && !gaps.all) return { kind: "part", part, video: part.video && !gaps.video, missing: gaps.video ?? gaps.audio };
  if (gaps.all) return { kind: "gap", gap: gaps.all };
  if (!leg.parts.length || at < Math.min(...leg.parts.map((one) => one.from_ms))) return { kind: "absent", when: "before" };
  if (at >= Math.max(...leg.parts.map((one) => one.to_ms))) return { kind: "absent", when: "after" };
  return { kind: "gap", gap: gaps.video ?? gaps.audio };
}

/** What a video element does to be where the clock is: nothing, a little faster or slower, or a jump. `drift`: clock minus element. */
export function correct(drift: number, rate: number): { jump: boolean; rate: number } {
  const size = Math.abs(drift);
  if (size > JUMP_MS) return { jump: true, rate };
  if (size <= DRIFT_MS) return { jump: false, rate };
  const chase = clamp(size / 4000, 0.01, CHASE);
  return { jump: false, rate: rate * (drift > 0 ? 1 + chase : 1 - chase) };
}

// The timeline.

/** Kinds that are on the timeline, in the order of their first mark. */
export function kindsOf(marks: readonly ReplayMark[]): string[] {
  return [...new Set(marks.map((one) => one.kind))];
}

/** 0 to 100; what was before the start stands at the start. */
export const percentOf = (at: number, duration: number): number => (duration <= 0 ? 0 : (clamp(at, 0, duration) / duration) * 100);

/** A stretch of the timeline that somebody's recording lacks, in percent. */
export interface Stretch {
  leg: number;
  gap: ReplayGap;
  from: number;
  width: number;
}
export function stretchesOf(legs: readonly ReplayLeg[], duration: number): Stretch[] {
  return legs.flatMap((leg) => leg.gaps.map((gap) => {
    const from = percentOf(gap.from_ms, duration);
    // What is short is drawn still.
    return { leg: leg.leg, gap, from, width: Math.max(0.2, percentOf(gapEnd(gap, duration), duration) - from) };
  }));
}

/** The last mark that is not later than now: the one that the list shows as current. */
export function currentMark(marks: readonly ReplayMark[], at: number): number {
  let last = -1;
  for (const [index, mark] of marks.entries()) if (mark.at_ms <= at + 1) last = index;
  return last;
}

/** The mark before or after now; a mark that is just being played counts as now. */
export function stepMark(marks: readonly ReplayMark[], at: number, by: 1 | -1): ReplayMark | null {
  const near = 400;
  return (by > 0 ? marks.find((one) => one.at_ms > at + near) : marks.findLast((one) => one.at_ms >= 0 && one.at_ms < at - near)) ?? null;
}

// The keyboard.

export type KeyAct = { act: "toggle" } | { act: "pause" } | { act: "by"; ms: number } | { act: "to"; share: number } | { act: "faster" | "slower" } | { act: "mark"; by: 1 | -1 };

const STEP_MS = 5_000;
const LEAP_MS = 10_000;

/** Space, arrows, J K L as in editing, comma and full stop for the marks, minus and plus for the speed. */
export function keyAct(key: string, shift = false): KeyAct | null {
  switch (key) {
    case " ":
      return { act: "toggle" };
    case "k":
    case "K":
      return { act: "pause" };
    case "j":
    case "J":
      return { act: "by", ms: -LEAP_MS };
    case "l":
    case "L":
      return { act: "by", ms: LEAP_MS };
    case "ArrowLeft":
      return { act: "by", ms: shift ? -1_000 : -STEP_MS };
    case "ArrowRight":
      return { act: "by", ms: shift ? 1_000 : STEP_MS };
    case "Home":
      return { act: "to", share: 0 };
    case "End":
      return { act: "to", share: 1 };
    case ",":
      return { act: "mark", by: -1 };
    case ".":
      return { act: "mark", by: 1 };
    case "-":
      return { act: "slower" };
    case "+":
    case "=":
      return { act: "faster" };
    default:
      return null;
  }
}

export function nextSpeed(rate: number, by: 1 | -1): number {
  const at = SPEEDS.findIndex((one) => one >= rate);
  return SPEEDS[clamp((at < 0 ? SPEEDS.length - 1 : at) + by, 0, SPEEDS.length - 1)] ?? 1;
}
