/** Slots, ladder, newcomers: the pure parts beside the queue's components. */
import { describe, expect, it } from "vitest";
import type { MemberView, Slot } from "@cloud-booth/api";
import { devicesAt, isLower, stepsFrom } from "./ladder.ts";
import { newcomers, shownTo, wordFor } from "./people.ts";
import { dayOf, daysFrom, firstFree, halvesOf, weekdayOf } from "./slots.ts";

const slot = (from: string, left: number): Slot => ({ from, to: from, capacity: 3, left });
const member = (id: string, present = true): MemberView => ({ id, role: "guest", name: { zh: id, en: id }, present, mic_on: true, camera_on: true }) as unknown as MemberView;

describe("slots", () => {
  it("a day is China's day, whatever the clock here says", () => {
    expect(dayOf("2026-11-22T15:59:59Z")).toBe("2026-11-22");
    expect(dayOf("2026-11-22T16:00:00Z")).toBe("2026-11-23");
    expect(daysFrom(Date.parse("2026-12-30T20:00:00Z"), 0).slice(0, 2)).toEqual(["2026-12-31", "2027-01-01"]);
    expect(weekdayOf("2026-11-22")).toBe(0);
  });
  it("noon in China divides the day", () => {
    const halves = halvesOf([slot("2026-11-23T03:30:00Z", 1), slot("2026-11-23T04:00:00Z", 1)]);
    expect(halves.morning).toHaveLength(1);
    expect(halves.afternoon).toHaveLength(1);
  });
  it("looks for the first day with a place and asks no further", async () => {
    const asked: string[] = [];
    const read = async (date: string): Promise<Slot[]> => {
      asked.push(date);
      return date === "b" ? [slot("x", 0)] : date === "c" ? [slot("y", 2)] : [];
    };
    expect((await firstFree(["a", "b", "c", "d"], read)).date).toBe("c");
    expect(asked).toEqual(["a", "b", "c"]);
    expect(await firstFree(["b", "a"], read)).toEqual({ date: "b", slots: [slot("x", 0)] });
  });
});

describe("the ladder", () => {
  it("the other side's step opens nothing, one's own opens what it needs", () => {
    expect(devicesAt("video", { mic: false, camera: false }, false)).toEqual({ mic: false, camera: false });
    expect(devicesAt("video", { mic: false, camera: false }, true)).toEqual({ mic: true, camera: true });
    expect(devicesAt("audio", { mic: true, camera: true }, false)).toEqual({ mic: true, camera: false });
    expect(devicesAt("audio", { mic: false, camera: true }, false)).toEqual({ mic: false, camera: false });
    expect(devicesAt("text", { mic: true, camera: true }, true)).toEqual({ mic: false, camera: false });
  });
  it("orders the steps", () => {
    expect(isLower("text", "video")).toBe(true);
    expect(isLower("video", "audio")).toBe(false);
    expect(stepsFrom("text")).toEqual(["video", "audio", "phone"]);
  });
});

describe("newcomers", () => {
  it("names who came, not oneself, nobody at the first look, nobody who only came back", () => {
    expect(newcomers(null, [member("a")], "me")).toEqual([]);
    expect(newcomers([member("me")], [member("me"), member("b")], "me").map((one) => one.id)).toEqual(["b"]);
    expect(newcomers([member("b", false)], [member("b")], "me")).toEqual([]);
    expect(newcomers([], [member("b", false)], "me")).toEqual([]);
  });
});

describe("whom the citizen is shown", () => {
  const citizen = { ...member("c"), part: "citizen" } as MemberView;
  const asked = { ...member("h"), part: "consulted" } as MemberView;
  it("nobody who is asked in private, until they are brought in", () => {
    expect(shownTo({ hold: true, me: "c", members: [citizen, asked] })).toEqual([citizen]);
    expect(shownTo({ hold: false, me: "c", members: [citizen, asked] })).toEqual([citizen, asked]);
    expect(shownTo(null)).toEqual([]);
  });
  it("no picture of a supervisor who only listens; one who talks with them is named as one", () => {
    const listens = { ...member("s"), role: "supervisor", part: "supervisor" } as MemberView;
    const talks = { ...listens, part: "colleague" } as MemberView;
    expect(shownTo({ hold: false, me: "c", members: [citizen, listens] })).toEqual([citizen]);
    expect(shownTo({ hold: false, me: "c", members: [citizen, talks] })).toEqual([citizen, talks]);
    expect([wordFor(talks), wordFor(citizen)]).toEqual(["supervisor", "citizen"]);
  });
  it("so they are named as newcomers at that moment, not before", () => {
    const before = shownTo({ hold: true, me: "c", members: [citizen, asked] });
    expect(newcomers(before, shownTo({ hold: false, me: "c", members: [citizen, asked] }), "c")).toEqual([asked]);
  });
});
