import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { effectScope } from "vue";
import type { ApiClient, ExportView, ReplayView } from "@cloud-booth/api";
import { useReplay } from "./useReplay.ts";

const film = (state: string): ExportView => ({ id: "exp_1", state, percent: state === "done" ? 100 : 40, bytes: 9, sm3: "ab", src: state === "done" ? "/f" : null });
const replay = (exported: ExportView | null): ReplayView => ({ id: "rpl_2", integrity: "valid", can_export: true, export: exported }) as ReplayView;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function opened(exported: ExportView | null) {
  const asked: string[] = [];
  const api = { post: async () => replay(exported), get: async (path: string) => (asked.push(path), film("done")) } as unknown as ApiClient;
  const scope = effectScope();
  const store = scope.run(() => useReplay(api));
  if (!store) throw new Error("no store");
  await store.open("rec_1", "复核本件", "k");
  return { store, asked, scope };
}

describe("a replay that is opened again", () => {
  it("has the file that was asked for in the one before", async () => {
    const { store, asked, scope } = await opened(film("done"));
    await vi.advanceTimersByTimeAsync(5_000);
    expect([store.exported.value?.src, store.isExporting.value, asked]).toEqual(["/f", false, []]);
    store.close();
    expect(store.exported.value).toBeNull();
    scope.stop();
  });
  it("goes on with one that is being made", async () => {
    const { store, asked, scope } = await opened(film("running"));
    expect(store.isExporting.value).toBe(true);
    await vi.advanceTimersByTimeAsync(1_000);
    expect([store.exported.value?.state, store.isExporting.value, asked]).toEqual(["done", false, ["/replays/rpl_2/exports/exp_1"]]);
    scope.stop();
  });
});
