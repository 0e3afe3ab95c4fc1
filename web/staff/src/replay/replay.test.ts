import { describe, expect, it } from "vitest";
import type { ReplayGap, ReplayLeg, ReplayMark, ReplayPart } from "@cloud-booth/api";
import { comingPart, correct, currentMark, DRIFT_MS, gapsAt, JUMP_MS, keyAct, kindsOf, nextSpeed, partAt, percentOf, ReplayClock, shownAt, stepMark, stretchesOf, withinPart } from "./replay.model.ts";

const part = (from_ms: number, to_ms: number, video = true): ReplayPart => ({ src: `/api/v1/replays/rpl_1/legs/1/parts/${from_ms}`, content_type: "video/webm", from_ms, to_ms, video, width: 640, height: 480 });
const gap = (from_ms: number, to_ms: number | null, media: string | null = null, reason = "loss"): ReplayGap => ({ media, from_ms, to_ms, reason });
const leg = (parts: ReplayPart[], gaps: ReplayGap[] = []): ReplayLeg => ({ leg: 1, member: "mem_1", name: { zh: "李工", en: "Li" }, role: "agent", source: "camera", parts, gaps });
const mark = (at_ms: number, kind = "chat"): ReplayMark => ({ at_ms, kind, actor: null, text: { zh: kind, en: kind }, object: null });

describe("the clock", () => {
  it("runs by the moments it is given, at its rate, and stops at the end once", () => {
    const clock = new ReplayClock(10_000);
    expect(clock.at(5_000)).toBe(0);
    clock.play(1_000);
    expect(clock.at(3_000)).toBe(2_000);
    clock.setRate(2, 3_000);
    expect(clock.at(4_000)).toBe(4_000);
    expect(clock.tick(6_000)).toBe(false);
    expect(clock.tick(7_000)).toBe(true);
    expect([clock.at(99_000), clock.isPlaying, clock.tick(99_000)]).toEqual([10_000, false, false]);
  });
  it("stands while a leg waits for bytes, and goes on from there", () => {
    const clock = new ReplayClock(10_000);
    clock.play(0);
    clock.hold(true, 1_000);
    expect([clock.at(5_000), clock.isHeld]).toEqual([1_000, true]);
    clock.hold(false, 5_000);
    expect(clock.at(5_500)).toBe(1_500);
  });
  it("seeks within its bounds, playing or not, held or not", () => {
    const clock = new ReplayClock(10_000);
    clock.seek(20_000, 0);
    expect(clock.at(0)).toBe(10_000);
    // Play at the end begins anew.
    clock.play(0);
    expect(clock.at(0)).toBe(0);
    clock.seek(-5, 100);
    expect(clock.at(600)).toBe(500);
    clock.hold(true, 600);
    clock.seek(4_000, 700);
    expect(clock.at(9_000)).toBe(4_000);
    clock.pause(9_000);
    clock.hold(false, 9_100);
    expect(clock.at(10_000)).toBe(4_000);
  });
});

describe("which part, and what is missing", () => {
  const two = leg([part(1_000, 5_000), part(5_000, 9_000, false)], [gap(2_000, 3_000), gap(6_000, 7_000, "audio", "mode"), gap(9_000, null, null, "leg_down")]);
  it("of two parts that touch the later one plays; times count from its own beginning", () => {
    expect(partAt(two, 999)).toBeNull();
    expect(partAt(two, 1_000)?.from_ms).toBe(1_000);
    expect(partAt(two, 5_000)?.from_ms).toBe(5_000);
    expect(withinPart(part(1_000, 5_000), 2_500)).toBe(1.5);
    expect(comingPart(two, 500)?.from_ms).toBe(1_000);
    expect(comingPart(two, 1_000)?.from_ms).toBe(5_000);
    expect(comingPart(two, 900_000)).toBeNull();
  });
  it("says what a leg shows: absent, part, gap with its reason, sound alone", () => {
    expect(shownAt(two, 0, 12_000)).toEqual({ kind: "absent", when: "before" });
    expect(shownAt(two, 1_500, 12_000)).toMatchObject({ kind: "part", video: true, missing: null });
    expect(shownAt(two, 2_500, 12_000)).toMatchObject({ kind: "gap", gap: { reason: "loss" } });
    expect(shownAt(two, 5_500, 12_000)).toMatchObject({ kind: "part", video: false, missing: null });
    expect(shownAt(two, 6_500, 12_000)).toMatchObject({ kind: "part", missing: { media: "audio", reason: "mode" } });
    // An open gap lasts to the end.
    expect(shownAt(two, 11_000, 12_000)).toMatchObject({ kind: "gap", gap: { reason: "leg_down" } });
    expect(shownAt(leg([part(0, 1_000)]), 5_000, 12_000)).toEqual({ kind: "absent", when: "after" });
    expect(shownAt(leg([part(0, 1_000), part(3_000, 4_000)]), 2_000, 12_000)).toEqual({ kind: "gap", gap: null });
  });
  it("a picture that is missing leaves the sound", () => {
    expect(shownAt(leg([part(0, 9_000)], [gap(1_000, 2_000, "video", "mode")]), 1_500, 9_000)).toMatchObject({ kind: "part", video: false, missing: { media: "video" } });
    expect(gapsAt(leg([], [gap(0, 10)]), 10, 100).all).toBeNull();
  });
});

describe("drift", () => {
  it("leaves what nobody notices, chases a little, jumps over much", () => {
    expect(correct(DRIFT_MS, 1)).toEqual({ jump: false, rate: 1 });
    const behind = correct(300, 1.5);
    expect(behind.jump).toBe(false);
    expect(behind.rate).toBeGreaterThan(1.5);
    expect(behind.rate).toBeLessThanOrEqual(1.5 * 1.08);
    expect(correct(-300, 1).rate).toBeLessThan(1);
    expect(correct(JUMP_MS + 1, 1)).toEqual({ jump: true, rate: 1 });
  });
});

describe("the timeline", () => {
  it("puts marks and gaps into percent; before the start stands at the start, an open gap reaches the end", () => {
    expect([percentOf(-500, 1_000), percentOf(250, 1_000), percentOf(5_000, 1_000), percentOf(1, 0)]).toEqual([0, 25, 100, 0]);
    expect(stretchesOf([leg([], [gap(500, null)])], 1_000)).toMatchObject([{ leg: 1, from: 50, width: 50 }]);
    expect(stretchesOf([leg([], [gap(500, 500)])], 1_000)[0]?.width).toBeGreaterThan(0);
  });
  it("knows the kinds, the current mark and its neighbours", () => {
    const marks = [mark(-100, "consent"), mark(1_000), mark(4_000, "signature"), mark(8_000)];
    expect(kindsOf(marks)).toEqual(["consent", "chat", "signature"]);
    expect([currentMark(marks, -200), currentMark(marks, 0), currentMark(marks, 4_000), currentMark(marks, 99_000)]).toEqual([-1, 0, 2, 3]);
    expect([stepMark(marks, 1_000, 1)?.at_ms, stepMark(marks, 4_100, -1)?.at_ms, stepMark(marks, 8_000, 1), stepMark(marks, 200, -1)]).toEqual([4_000, 1_000, null, null]);
  });
});

describe("the keyboard", () => {
  it("plays, leaps and changes the speed within its bounds", () => {
    expect(keyAct(" ")).toEqual({ act: "toggle" });
    expect([keyAct("j"), keyAct("L"), keyAct("ArrowRight", true)]).toEqual([{ act: "by", ms: -10_000 }, { act: "by", ms: 10_000 }, { act: "by", ms: 1_000 }]);
    expect(keyAct("x")).toBeNull();
    expect([nextSpeed(1, 1), nextSpeed(2, 1), nextSpeed(0.5, -1), nextSpeed(1.1, 1)]).toEqual([1.25, 2, 0.5, 1.5]);
  });
});
