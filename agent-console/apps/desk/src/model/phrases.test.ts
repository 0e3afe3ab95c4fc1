import { expect, test, vi } from "vitest";
import type { ApiClient, PhraseView } from "@cloud-booth/api";
import { initialsOf } from "./initials.ts";
import { entryOf, findPhrases, Phrases, queryOf } from "./phrases.ts";

const phrase = (id: string, zh: string, shortcut: string, en = ""): PhraseView => ({ id, scope: "hall", text: { zh, en }, shortcut });
const ALL = [phrase("wait", "您好，请稍等", "dd"), phrase("card", "请把身份证对着镜头", "sfz", "Hold your card to the camera"), phrase("slow", "请说慢一点", "qsd")].map(entryOf);
const ids = (query: string): string[] => findPhrases(ALL, query).map((one) => one.id);

test("pinyin initials of Chinese words, marks left out, Latin letters kept", () => {
  expect(initialsOf("请稍等，我查一下")).toBe("qsdwcyx");
  expect(initialsOf("加微信VX2号")).toBe("jwxvx2h");
});

test("a shortcut comes before initials, initials before words", () => {
  expect(ids("qsd")).toEqual(["slow", "wait"]);
  expect(ids("sfz")).toEqual(["card"]);
  expect(ids("稍等")).toEqual(["wait"]);
  expect(ids("CAMERA")).toEqual(["card"]);
  expect(ids("")).toHaveLength(3);
  expect(ids("zzzz")).toEqual([]);
});

test("only a slash at the beginning asks for a reply", () => {
  expect(queryOf("/qs")).toBe("qs");
  expect(queryOf("和/或")).toBeNull();
  expect(queryOf("/第一行\n第二行")).toBeNull();
  expect(queryOf(`/${"长".repeat(60)}`)).toBeNull();
});

test("loaded once a shift; a failure is tried again; one's own gets a shortcut that nobody has", async () => {
  const get = vi.fn().mockRejectedValueOnce(new Error("down")).mockResolvedValue({ items: [phrase("a", "请稍等", "qsd")] });
  const post = vi.fn((_path: string, body: object) => Promise.resolve({ id: "new", ...body }));
  const phrases = new Phrases(() => ({ get, post }) as unknown as ApiClient);
  await phrases.load();
  expect(phrases.hasFailed.value).toBe(true);
  await phrases.load();
  await phrases.load();
  expect(get).toHaveBeenCalledTimes(2);
  expect((await phrases.keep("请稍等")).shortcut).toBe("qsd2");
  expect(findPhrases(phrases.entries.value, "qsd2").map((one) => one.id)).toEqual(["new"]);
});
