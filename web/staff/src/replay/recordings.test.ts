import { expect, it } from "vitest";
import type { ApiClient, RecordingLine, RecordingPage } from "@cloud-booth/api";
import { isFiltered, NO_FILTER, queryOf, useRecordings, whyNotOpen } from "./recordings.model.ts";

const line = (id: string, more: Partial<RecordingLine> = {}): RecordingLine => ({
  id, session: "ses_1", hall: "hal_1", case: null, case_number: null, item_title: null, agent: { zh: "李工", en: "Li" }, state: "sealed", started_at: "2026-11-22T01:00:00Z", ended_at: "2026-11-22T01:10:00Z", end_reason: "finished",
  duration_ms: 600_000, gaps: 0, held: false, hold_reason: null, delete_at: "2027-02-20T01:10:00Z", version: 3, ...more,
});

it("asks the server for what it narrows, a number without the blanks that were copied with it", () => {
  expect(queryOf({ hall: "hal_1" }, { ...NO_FILTER, from: "2026-11-01", held: true, number: " 20261121 000007 " }, "rec_9")).toEqual({ hall: "hal_1", case: null, number: "20261121000007", from: "2026-11-01", to: null, state: null, held: true, before: "rec_9", limit: 50 });
  expect(queryOf({ case: "cas_1" }, NO_FILTER, null)).toMatchObject({ hall: null, case: "cas_1", number: null, held: null, before: null });
  expect([isFiltered(NO_FILTER), isFiltered({ ...NO_FILTER, number: " " }), isFiltered({ ...NO_FILTER, state: "deleted" })]).toEqual([false, false, true]);
  expect([isFiltered({ ...NO_FILTER, number: "0007" }), String(queryOf({}, { ...NO_FILTER, number: "1".repeat(40) }, null).number).length]).toEqual([true, 20]);
});

it("says why a recording cannot be replayed", () => {
  expect(whyNotOpen(line("a"))).toBeNull();
  expect([whyNotOpen(line("a", { state: "live" })), whyNotOpen(line("a", { state: "deleted" })), whyNotOpen(line("a", { state: "refused", started_at: null }))]).toEqual(["running", "deleted", "never"]);
});

it("a slow answer to an older question never replaces the newer one; pages add up", async () => {
  const answers: ((page: RecordingPage) => void)[] = [];
  const asked: unknown[] = [];
  const api = { get: (_path: string, { query }: { query: unknown }) => (asked.push(query), new Promise<RecordingPage>((resolve) => answers.push(resolve))) } as unknown as ApiClient;
  const list = useRecordings(api, () => ({ hall: "hal_1" }));
  const old = list.load();
  const now = list.load();
  answers[1]?.({ items: [line("new")], next: "new" });
  await now;
  answers[0]?.({ items: [line("old")], next: null });
  await old;
  expect([list.items.value?.map((one) => one.id), list.next.value]).toEqual([["new"], "new"]);
  // A number that is being typed is no part of the list on the screen.
  list.filter.value.number = "0007";
  const more = list.load(true);
  expect(asked[2]).toMatchObject({ number: null, before: "new" });
  answers[2]?.({ items: [line("older")], next: null });
  await more;
  expect([list.items.value?.map((one) => one.id), list.next.value, list.isLoading.value]).toEqual([["new", "older"], null, false]);
  list.put(line("older", { held: true }));
  expect(list.items.value?.[1]?.held).toBe(true);
});
