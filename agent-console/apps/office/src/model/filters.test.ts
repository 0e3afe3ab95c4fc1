import { describe, expect, it } from "vitest";
import type { CaseCard } from "@cloud-booth/api";
import { choose, NO_FILTER } from "./filters.ts";

const card = (number: string, over: Partial<CaseCard> = {}): CaseCard => ({
  id: `c${number}`, number, item: "a", item_title: { zh: "甲", en: "A" }, applicant_masked: "王*", state: "accepted", version: 1,
  received_at: `2026-11-0${number}T01:00:00Z`, due_on: "2026-11-30", days_left: 5, claimed_by: null, corrected: false, ...over,
});
const isMine = (who: string | null): boolean => who === "me";
const numbers = (cards: CaseCard[]): string[] => cards.map((one) => one.number);

describe("the work list", () => {
  const cards = [card("1", { days_left: 9 }), card("2", { days_left: null }), card("3", { days_left: -1, claimed_by: "me" }), card("4", { days_left: 3, corrected: true, item: "b" })];

  it("puts the least time left first and cases without a clock last", () => {
    expect(numbers(choose(cards, NO_FILTER, isMine))).toEqual(["3", "4", "1", "2"]);
    expect(numbers(choose(cards, { ...NO_FILTER, descending: true }, isMine))).toEqual(["1", "4", "3", "2"]);
  });

  it("sorts by arrival", () => {
    expect(numbers(choose(cards, { ...NO_FILTER, sort: "received_at", descending: true }, isMine))).toEqual(["4", "3", "2", "1"]);
  });

  it("counts an overdue case as soon due, one without a clock not", () => {
    expect(numbers(choose(cards, { ...NO_FILTER, tab: "soon" }, isMine))).toEqual(["3", "4"]);
  });

  it("finds mine, free, corrected, by item and by number", () => {
    expect(numbers(choose(cards, { ...NO_FILTER, tab: "mine" }, isMine))).toEqual(["3"]);
    expect(numbers(choose(cards, { ...NO_FILTER, tab: "free" }, isMine))).toEqual(["4", "1", "2"]);
    expect(numbers(choose([card("5", { state: "correction" })], { ...NO_FILTER, tab: "free" }, isMine))).toEqual([]);
    expect(numbers(choose(cards, { ...NO_FILTER, tab: "corrected" }, isMine))).toEqual(["4"]);
    expect(numbers(choose(cards, { ...NO_FILTER, item: "b" }, isMine))).toEqual(["4"]);
    expect(numbers(choose(cards, { ...NO_FILTER, words: " 2 " }, isMine))).toEqual(["2"]);
  });
});
