/** Skills, slots and pairs: the pure parts of the editors. */
import { describe, expect, it } from "vitest";
import type { HallStaff, SkillView } from "@cloud-booth/api";
import { candidatesOf, draftOf, seenOf } from "./pairs.ts";
import { choose, kindOf, levelsOf, skillsOf } from "./skills.ts";
import { dayOf, minutesOf, numberFaults } from "./slots.ts";

const person = (account: string, name: string, more: Partial<HallStaff> = {}): HallStaff => ({ id: `stf_${account}`, account, name, roles: ["agent"], department: null, active: true, skills: {}, ...more });
const PEOPLE = [person("agent1", "李敏", { skills: { police: 3 } }), person("agent2", "赵磊"), person("agent3", "孙倩", { active: false, skills: { police: 5 } }), person("boss", "杨帆", { roles: ["supervisor"], skills: { police: 5 } })];
const SKILLS = ["general", "lang:en"].map((code) => ({ code, name: { zh: code, en: code } }) as unknown as SkillView);

describe("skills", () => {
  it("every skill of the hall has a level; one that the hall forgot is still seen", () => {
    const levels = levelsOf(SKILLS, { "lang:en": 4, old: 2 });
    expect(levels).toEqual([{ code: "general", level: 0 }, { code: "lang:en", level: 4 }, { code: "old", level: 2 }]);
    expect(skillsOf(levels)).toEqual({ "lang:en": 4, old: 2 });
  });
  it("are found by name, account and skill", () => {
    expect(choose(PEOPLE, "AGENT1", "").map((one) => one.name)).toEqual(["李敏"]);
    expect(choose(PEOPLE, "", "police").map((one) => one.account)).toEqual(["agent1", "agent3", "boss"]);
    expect(choose(PEOPLE, "赵", "police")).toEqual([]);
  });
  it("are of three kinds", () => {
    expect(["police", "dialect:yiyang", "need:sign_language"].map(kindOf)).toEqual(["work", "language", "need"]);
  });
});

describe("slots", () => {
  const rule = { hours: [{ days: "workdays" as const, from: "09:00", to: "12:00" }, { days: "all" as const, from: "13:30", to: "14:10" }], slot_minutes: 15, capacity: 4, version: 1 };
  it("a rest that is too short makes no slot; days off have their own", () => {
    expect(dayOf(rule, "workdays")).toEqual({ slots: 14, places: 56 });
    expect(dayOf(rule, "weekend")).toEqual({ slots: 2, places: 8 });
    expect(dayOf({ ...rule, slot_minutes: 0 }, "workdays")).toEqual({ slots: 0, places: 0 });
  });
  it("the day ends at 24:00, and no time is none", () => {
    expect(["24:00", "23:59", "24:01", "9:00", ""].map(minutesOf)).toEqual([1440, 1439, null, null, null]);
  });
  it("numbers out of bounds are named", () => {
    expect(numberFaults({ ...rule, slot_minutes: 4, capacity: 501 }, () => "?").map((one) => one.pointer)).toEqual(["/slot_minutes", "/capacity"]);
  });
});

describe("AB seats", () => {
  it("open agent accounts only, those who can serve it first", () => {
    expect(candidatesOf(PEOPLE, "police").map((one) => [one.name, one.isAble])).toEqual([["李敏", true], ["赵磊", false]]);
  });
  it("no pair on the screen is said as none", () => {
    expect(seenOf(draftOf(undefined))).toEqual({ a_staff: null, b_staff: null });
  });
});
