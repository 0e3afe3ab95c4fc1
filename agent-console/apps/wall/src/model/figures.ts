/** What the wallboard says, made from one snapshot: at most six figures, each beside its target; the queues and seats that fit;
 * what needs a hand. Pure: keys and arguments for texts come out, never words. People are never compared with each other. */
import type { Bilingual, QueueNow, SeatNow, SeatState, Targets, Wallboard } from "@cloud-booth/api";
import type { StatusKind } from "@cloud-booth/ui";

/** A text's key and what stands in it; `name` values are in both languages. */
export interface Said {
  key: string;
  args?: Record<string, string | number | Bilingual>;
}
export interface Figure {
  id: "waiting" | "longest" | "service" | "connection" | "abandoned" | "duty";
  value: string;
  detail: Said;
  target: Said;
  kind: StatusKind;
}
export type Act =
  | { kind: "move"; ticket: string }
  | { kind: "force"; seat: string }
  | { kind: "notice"; seat: string }
  | { kind: "overflow"; queue: string };
export interface Need extends Said {
  id: string;
  kind: "warn" | "danger";
  act: Act | null;
}

export const QUEUES_MAX = 6;
export const SEATS_MAX = 12;
export const NEEDS_MAX = 3;
/** A wait beyond this is not merely late, seconds. */
const LONG_WAIT_S = 300;
/** Who left the page or let it ring is asked after this, seconds; a break after the longer one. */
const GONE_S = 120;
const BREAK_S = 900;
const GONE = new Set(["no_answer", "page_closed", "connection_lost"]);

/** Never less than nothing: clocks of two machines are not one. */
export function secondsSince(since: string | null | undefined, now: number): number {
  return since ? Math.max(0, Math.floor((now - Date.parse(since)) / 1000)) : 0;
}

/** 87.5% from tenths of a percent; a dash where there is nothing to judge. */
export function percent(permille: number | null | undefined): string {
  if (permille === null || permille === undefined) return "–";
  return permille % 10 === 0 ? `${permille / 10}%` : `${(permille / 10).toFixed(1)}%`;
}

/** Whole counts are compared, so that 94.96 % is not 95 %. */
function reaches(of: number, all: number, pct: number): StatusKind {
  if (all === 0) return "info";
  return of * 100 >= all * pct ? "ok" : "warn";
}
function staysUnder(of: number, all: number, pct: number): StatusKind {
  if (all === 0) return "info";
  return of * 100 <= all * pct ? "ok" : "warn";
}

export function waitKind(seconds: number, targets: Targets): StatusKind {
  if (seconds <= targets.answer_within_s) return "ok";
  return seconds > LONG_WAIT_S ? "danger" : "warn";
}
export const serviceKind = (queue: Pick<QueueNow, "level">, targets: Targets): StatusKind => reaches(queue.level.answered_in_time, queue.level.offered, targets.connection_pct);
export const abandonedKind = (queue: Pick<QueueNow, "level">, targets: Targets): StatusKind => staysUnder(queue.level.abandoned, queue.level.offered, 100 - targets.connection_pct);

const onDuty = (seat: SeatNow): boolean => seat.state !== "offline" && seat.state !== "away";

export function minutesAndSeconds(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const rest = String(whole % 60).padStart(2, "0");
  return whole < 3600 ? `${Math.floor(whole / 60)}:${rest}` : `${Math.floor(whole / 3600)}:${String(Math.floor(whole / 60) % 60).padStart(2, "0")}:${rest}`;
}

export function figuresOf(board: Wallboard, now: number): Figure[] {
  const { day, targets } = board;
  const duty = board.seats.filter(onDuty).length;
  const ready = board.seats.filter((seat) => seat.state === "ready").length;
  const longest = secondsSince(board.longest_since, now);
  const bare = board.queues.filter((queue) => queue.seats_on_duty === 0).length;
  const isStranded = board.queues.some((queue) => queue.seats_on_duty === 0 && queue.waiting > 0);
  const pct = targets.connection_pct;
  return [
    { id: "waiting", value: String(board.waiting), detail: { key: "ready", args: { n: ready } }, target: { key: "waiting", args: { n: duty } }, kind: board.waiting <= duty ? "ok" : duty === 0 ? "danger" : "warn" },
    { id: "longest", value: minutesAndSeconds(longest), detail: { key: "longestToday", args: { time: minutesAndSeconds(Math.max(day.longest_wait_s, longest)) } }, target: { key: "longest", args: { n: targets.answer_within_s } }, kind: waitKind(longest, targets) },
    { id: "service", value: percent(day.service_level_permille), detail: { key: "of", args: { of: day.answered_in_time, all: day.offered } }, target: { key: "service", args: { pct } }, kind: reaches(day.answered_in_time, day.offered, pct) },
    { id: "connection", value: percent(day.connection_permille), detail: { key: "of", args: { of: day.answered, all: day.offered } }, target: { key: "connection", args: { pct } }, kind: reaches(day.answered, day.offered, pct) },
    { id: "abandoned", value: percent(day.abandoned_permille), detail: { key: "of", args: { of: day.abandoned, all: day.offered } }, target: { key: "abandoned", args: { pct: 100 - pct } }, kind: staysUnder(day.abandoned, day.offered, 100 - pct) },
    { id: "duty", value: String(duty), detail: bare > 0 ? { key: "bare", args: { n: bare } } : { key: "covered" }, target: { key: "duty" }, kind: isStranded ? "danger" : bare > 0 ? "warn" : "ok" },
  ];
}

/** Queues with people, then those with a day behind them, are the ones shown, in the hall's own order; the rest is counted. */
export function queuesThatFit(queues: QueueNow[], most = QUEUES_MAX): { shown: QueueNow[]; more: number; waitingMore: number } {
  const isLively = (queue: QueueNow): boolean => queue.waiting > 0 || queue.level.open > 0 || queue.level.offered > 0;
  const weight = (queue: QueueNow): number => (queue.waiting > 0 ? 0 : isLively(queue) ? 1 : 2);
  const chosen = new Set([...queues].sort((a, b) => weight(a) - weight(b)).slice(0, most));
  const hidden = queues.filter((queue) => !chosen.has(queue));
  return { shown: queues.filter((queue) => chosen.has(queue)), more: hidden.length, waitingMore: hidden.reduce((sum, queue) => sum + queue.waiting, 0) };
}

/** Whoever holds texts alone is busy, but not with a call. */
export const wordOf = (seat: Pick<SeatNow, "state" | "reason">): SeatState | "text" => (seat.state === "busy" && seat.reason === "text" ? "text" : seat.state);

export const STATE_ORDER: SeatState[] = ["ready", "ringing", "busy", "wrap_up", "away", "offline"];

/** Seats that somebody sits at, in the hall's order; nobody's are only counted. */
export function seatsThatFit(seats: SeatNow[], most = SEATS_MAX): { shown: SeatNow[]; more: number; counts: Record<SeatState, number> } {
  const counts = Object.fromEntries(STATE_ORDER.map((state) => [state, 0])) as Record<SeatState, number>;
  for (const seat of seats) counts[seat.state] += 1;
  const there = seats.filter((seat) => seat.state !== "offline");
  return { shown: there.slice(0, most), more: Math.max(0, there.length - most), counts };
}

/** What a supervisor should look at, worst first. */
export function needsOf(board: Wallboard, now: number): Need[] {
  const needs: Need[] = [];
  for (const queue of board.queues) {
    if (queue.waiting === 0) continue;
    const longest = secondsSince(queue.longest_since, now);
    const act: Act | null = queue.overflow_now ? null : { kind: "overflow", queue: queue.code };
    if (queue.seats_on_duty === 0) needs.push({ id: `q-${queue.code}`, kind: "danger", key: "stranded", args: { name: queue.name, n: queue.waiting }, act });
    else if (longest > LONG_WAIT_S) needs.push({ id: `q-${queue.code}`, kind: "danger", key: "long", args: { name: queue.name, time: minutesAndSeconds(longest) }, act });
  }
  for (const seat of board.seats) {
    const since = secondsSince(seat.since, now);
    if (seat.state === "away" && since > (GONE.has(seat.reason ?? "") ? GONE_S : BREAK_S)) needs.push({ id: `s-${seat.id}`, kind: "warn", key: "away", args: { name: seat.name, n: Math.floor(since / 60) }, act: { kind: "force", seat: seat.id } });
    else if (seat.state === "wrap_up" && since > LONG_WAIT_S) needs.push({ id: `s-${seat.id}`, kind: "warn", key: "wrapUp", args: { name: seat.name, n: Math.floor(since / 60) }, act: { kind: "notice", seat: seat.id } });
  }
  return needs.sort((a, b) => Number(b.kind === "danger") - Number(a.kind === "danger"));
}

export interface HourRow {
  hour: number;
  inTime: number;
  late: number;
  lost: number;
  /** Percent answered of those offered; null: nobody came. */
  rate: number | null;
}
/** The day by the hour without gaps, so that a quiet hour is seen as quiet. */
export function hoursOf(board: Wallboard, now: number): HourRow[] {
  const byHour = new Map(board.hours.map((row) => [row.hour, row.level]));
  const here = Number(new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Shanghai", hour: "2-digit", hourCycle: "h23" }).format(now));
  const known = [...byHour.keys()];
  const first = Math.min(8, here, ...known);
  const last = Math.max(here, ...known);
  return Array.from({ length: last - first + 1 }, (_, at) => {
    const level = byHour.get(first + at);
    const offered = level?.offered ?? 0;
    return {
      hour: first + at,
      inTime: level?.answered_in_time ?? 0,
      late: level ? level.answered - level.answered_in_time : 0,
      lost: level ? level.abandoned + level.lost : 0,
      rate: level && offered > 0 ? (level.answered * 100) / offered : null,
    };
  });
}

/** States that a supervisor may put a seat into from where it is; the server decides again. */
export function statesToForce(state: SeatState): ("ready" | "away" | "offline")[] {
  switch (state) {
    case "busy":
    case "wrap_up":
      return ["ready", "away", "offline"];
    case "away":
      return ["ready", "offline"];
    case "ready":
    case "ringing":
      return ["away", "offline"];
    case "offline":
      return [];
  }
}
/** What the sheet says will happen. */
export function forceEffect(from: SeatState): "afterSession" | "requeue" | "now" {
  return from === "busy" ? "afterSession" : from === "ringing" ? "requeue" : "now";
}
