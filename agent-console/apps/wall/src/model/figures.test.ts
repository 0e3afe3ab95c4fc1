import { describe, expect, it } from "vitest";
import { figuresOf, forceEffect, hoursOf, minutesAndSeconds, needsOf, percent, queuesThatFit, seatsThatFit, secondsSince, statesToForce, wordOf } from "./figures.ts";
import type { LevelView, QueueNow, SeatNow, Wallboard } from "@cloud-booth/api";

const NOW = Date.parse("2026-11-23T06:30:00Z");
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();

function level(answered: number, inTime: number, abandoned = 0, lost = 0): LevelView {
  const offered = answered + abandoned + lost;
  const share = (of: number): number | null => (offered ? Math.round((of * 1000) / offered) : null);
  return {
    offered, answered, answered_in_time: inTime, abandoned, abandoned_short: 0, lost, open: 0, longest_wait_s: 0, mean_wait_s: null,
    service_level_permille: share(inTime), connection_permille: share(answered), abandoned_permille: share(abandoned),
  };
}
const queue = (code: string, over: Partial<QueueNow> = {}): QueueNow => ({ code, name: { zh: code, en: code }, waiting: 0, longest_since: null, seats_on_duty: 1, overflow_now: null, level: level(0, 0), ...over });
const seat = (id: string, state: SeatNow["state"], since = 60, reason: string | null = null): SeatNow => ({ id, name: { zh: id, en: id }, state, since: ago(since), reason, staff: null, staff_name: null, session: null, texts: 0, forced_next: null });
const board = (over: Partial<Wallboard> = {}): Wallboard => ({
  hall: "h", name: { zh: "h", en: "h" }, at: ago(0), date: "2026-11-23", targets: { answer_within_s: 15, connection_pct: 95, short_abandon_s: 5 },
  waiting: 0, longest_since: null, queues: [], seats: [], day: level(0, 0), hours: [], ...over,
});
const kinds = (one: Wallboard): Record<string, string> => Object.fromEntries(figuresOf(one, NOW).map((figure) => [figure.id, figure.kind]));

describe("figures", () => {
  it("are at most six, each with a target", () => {
    const figures = figuresOf(board(), NOW);
    expect(figures).toHaveLength(6);
    expect(figures.every((figure) => figure.target.key)).toBe(true);
  });

  it("judge whole counts: 94.96 % is shown as 95 % and is not enough", () => {
    const under = board({ day: level(9496, 9496, 504) });
    expect(figuresOf(under, NOW).find((figure) => figure.id === "connection")).toMatchObject({ value: "95%", kind: "warn" });
    expect(kinds(board({ day: level(95, 95, 5) }))).toMatchObject({ connection: "ok", service: "ok", abandoned: "ok" });
  });

  it("say nothing good or bad of a day on which nobody came", () => {
    expect(kinds(board())).toMatchObject({ service: "info", connection: "info", abandoned: "info" });
    expect(percent(null)).toBe("–");
  });

  it("call people who wait for a queue without a seat a danger", () => {
    const queues = [queue("a", { waiting: 2, longest_since: ago(20), seats_on_duty: 0 }), queue("b")];
    expect(kinds(board({ queues, waiting: 2, longest_since: ago(20), seats: [seat("1", "busy")] }))).toMatchObject({ duty: "danger", waiting: "warn", longest: "warn" });
    expect(kinds(board({ queues: [queue("a", { seats_on_duty: 0 })] })).duty).toBe("warn");
  });

  it("count away and offline seats as not on duty", () => {
    const one = board({ seats: [seat("1", "away"), seat("2", "offline"), seat("3", "wrap_up"), seat("4", "ready")] });
    expect(figuresOf(one, NOW).find((figure) => figure.id === "duty")?.value).toBe("2");
  });
});

describe("queues that fit", () => {
  it("show those with people first, keep the hall's order, and count the rest with who waits there", () => {
    const queues = ["a", "b", "c", "d"].map((code) => queue(code, code === "d" ? { waiting: 3 } : code === "c" ? { level: level(1, 1) } : {}));
    const { shown, more, waitingMore } = queuesThatFit(queues, 2);
    expect([shown.map((one) => one.code), more, waitingMore]).toEqual([["c", "d"], 2, 0]);
    const busy = queues.map((one) => ({ ...one, waiting: 1 }));
    expect(queuesThatFit(busy, 3)).toMatchObject({ more: 1, waitingMore: 1 });
  });
});

describe("seats that fit", () => {
  it("leave out who is not there, and count everybody", () => {
    const { shown, more, counts } = seatsThatFit([seat("1", "offline"), seat("2", "ready"), seat("3", "busy"), seat("4", "away")], 2);
    expect([shown.map((one) => one.id), more, counts.offline, counts.away]).toEqual([["2", "3"], 1, 1, 1]);
  });
});

describe("needs", () => {
  it("put people without a seat before a long break, each with the act that helps", () => {
    const needs = needsOf(board({
      queues: [queue("a", { waiting: 1, longest_since: ago(10), seats_on_duty: 0 }), queue("b", { waiting: 1, longest_since: ago(301), overflow_now: "h2" }), queue("c", { waiting: 1, longest_since: ago(200) })],
      seats: [seat("1", "away", 901, "meal"), seat("2", "away", 121, "no_answer"), seat("3", "away", 121, "meal"), seat("4", "wrap_up", 301)],
    }), NOW);
    expect(needs.map((need) => [need.id, need.key, need.act?.kind ?? null])).toEqual([
      ["q-a", "stranded", "overflow"], ["q-b", "long", null], ["s-1", "away", "force"], ["s-2", "away", "force"], ["s-4", "wrapUp", "notice"],
    ]);
  });
});

describe("the day by the hour", () => {
  it("has no gaps, ends with the hour of now, and does not judge an hour in which nobody came", () => {
    const rows = hoursOf(board({ hours: [{ hour: 9, level: level(4, 3, 1) }, { hour: 11, level: level(2, 2) }] }), NOW);
    expect(rows.map((row) => row.hour)).toEqual([8, 9, 10, 11, 12, 13, 14]);
    expect(rows[1]).toEqual({ hour: 9, inTime: 3, late: 1, lost: 1, rate: 80 });
    expect(rows[2]?.rate).toBeNull();
  });
});

describe("forcing a seat", () => {
  it("offers what the seat may become and says what happens to the person in it", () => {
    expect(statesToForce("offline")).toEqual([]);
    expect(statesToForce("ringing")).toEqual(["away", "offline"]);
    expect([forceEffect("busy"), forceEffect("ringing"), forceEffect("wrap_up")]).toEqual(["afterSession", "requeue", "now"]);
  });
});

describe("time", () => {
  it("is never less than nothing, whichever clock is ahead", () => {
    expect(secondsSince(ago(-5), NOW)).toBe(0);
    expect([minutesAndSeconds(65), minutesAndSeconds(3725)]).toEqual(["1:05", "1:02:05"]);
  });
});

describe("a seat's word", () => {
  it("who holds texts alone is not shown as in a call", () => {
    expect([wordOf(seat("a", "busy", 60, "text")), wordOf(seat("b", "busy")), wordOf(seat("c", "away", 60, "meal"))]).toEqual(["text", "busy", "away"]);
  });
});
