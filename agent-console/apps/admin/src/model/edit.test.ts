/** What an editor keeps of a person's work when the server says no, when somebody else was faster, when the network fails. */
import { describe, expect, it } from "vitest";
import { networkProblem, ProblemError } from "@cloud-booth/api";
import { nearest, useEdit } from "./edit.ts";

interface Thing {
  version: number;
  n: number;
}
const t = (key: string): string => key;
const refused = (code: string, extra: object = {}): ProblemError => new ProblemError({ type: "", title: code, code, status: 409, ...extra });

function editor(send: (draft: Thing, seen: Thing, key: string) => Promise<unknown>, read = async (): Promise<Thing> => ({ version: 2, n: 50 })) {
  return useEdit<Thing>({ start: { version: 1, n: 1 }, read, send, check: (now) => (Number.isInteger(now.n) ? [] : [{ pointer: "/n", code: "number", detail: "?" }]) }, t);
}

describe("an editor", () => {
  it("knows what is not saved, and that it is after saving", async () => {
    const edit = editor(async () => undefined);
    expect(edit.isDirty.value).toBe(false);
    edit.draft.n = 7;
    expect(edit.isDirty.value).toBe(true);
    expect(await edit.save()).toBe(true);
    expect(edit.isDirty.value).toBe(false);
  });
  it("asks the server nothing while a number is none", async () => {
    let asked = 0;
    const edit = editor(async () => (asked += 1));
    edit.draft.n = "" as unknown as number;
    expect(await edit.save()).toBe(false);
    expect([asked, edit.faults.value.get("/n")?.detail]).toEqual([0, "?"]);
  });
  it("shows the server's fault at its place", async () => {
    const edit = editor(() => Promise.reject(refused("rule_invalid", { status: 422, errors: [{ pointer: "/n", code: "x", detail: "要小些" }] })));
    edit.draft.n = 7;
    expect(await edit.save()).toBe(false);
    expect([edit.faults.value.get("/n")?.detail, edit.draft.n]).toEqual(["要小些", 7]);
  });
  it("says who was faster; theirs is taken or mine put over it, by choice", async () => {
    const stale = refused("version_stale", { current: { changed_by: "朱琳", changed_at: "2026-11-22T05:00:00Z" } });
    const versions: number[] = [];
    const send = (_draft: Thing, seen: Thing): Promise<unknown> => {
      versions.push(seen.version);
      return seen.version === 2 ? Promise.resolve() : Promise.reject(stale);
    };
    const mine = editor(send);
    mine.draft.n = 7;
    expect(await mine.save()).toBe(false);
    expect(mine.stale.value).toEqual({ by: "朱琳", at: "2026-11-22T05:00:00Z" });
    expect(mine.draft.n).toBe(7);
    expect(await mine.keepMine()).toBe(true);
    expect([versions, mine.draft.n]).toEqual([[1, 2], 7]);

    const theirs = editor(send);
    theirs.draft.n = 7;
    await theirs.save();
    expect(await theirs.takeTheirs()).toBe(true);
    expect([theirs.draft.n, theirs.stale.value, theirs.isDirty.value]).toEqual([50, null, false]);
  });
  it("repeats the same words under the same key after a broken line, other words under another", async () => {
    const keys: string[] = [];
    const edit = editor((_draft, _seen, key) => {
      keys.push(key);
      return Promise.reject(networkProblem("network"));
    });
    edit.draft.n = 7;
    await edit.save();
    await edit.save();
    edit.draft.n = 8;
    await edit.save();
    expect(keys[0]).toBe(keys[1]);
    expect(keys[2]).not.toBe(keys[1]);
  });
  it("leads to the nearest control above a pointer", () => {
    const there = new Set(["field-rule-steps-0"]);
    expect(nearest("/rule/steps/0/after_s", (id) => there.has(id))).toBe("field-rule-steps-0");
    expect(nearest("/other", (id) => there.has(id))).toBeNull();
  });
});
