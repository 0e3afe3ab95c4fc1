import { expect, test } from "vitest";
import { findCommands, type PaletteCommand } from "./commands.ts";

const command = (id: string, label: string, initials: string): PaletteCommand => ({ id, label, initials, run: () => undefined });
const ALL = [command("mute", "静音/开声音", "jy"), command("hand-off", "交件", "jj"), command("keys", "快捷键表", "kjj"), command("accept", "接听", "jt")];
const ids = (query: string): string[] => findCommands(ALL, query).map((one) => one.id);

test("initials that fit wholly come before those that only contain them", () => {
  expect(ids("jj")).toEqual(["hand-off", "keys"]);
});

test("initials, Chinese words and capitals all find", () => {
  expect(ids("JT")).toEqual(["accept"]);
  expect(ids("声音")).toEqual(["mute"]);
  expect(ids("  ")).toHaveLength(ALL.length);
});

test("what fits nothing finds nothing", () => {
  expect(ids("zzz")).toEqual([]);
});
