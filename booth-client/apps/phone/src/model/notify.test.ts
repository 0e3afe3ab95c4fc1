// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it, vi } from "vitest";

const shown: string[] = [];
const registration = { showNotification: async (title: string) => void shown.push(title), getNotifications: async () => [] };
let ready: Promise<unknown>;

beforeEach(() => {
  vi.useFakeTimers();
  vi.resetModules();
  shown.length = 0;
  vi.stubGlobal("Notification", { permission: "granted" });
  Object.defineProperty(navigator, "serviceWorker", { configurable: true, value: { register: async () => undefined, get ready() { return ready; } } });
  Object.defineProperty(document, "visibilityState", { configurable: true, value: "hidden" });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("a worker that never comes costs one ring its notification, not those after it", async () => {
  const { notifyRing } = await import("./notify.ts");
  ready = new Promise(() => undefined);
  const first = notifyRing("first", "");
  await vi.advanceTimersByTimeAsync(0);
  ready = Promise.resolve(registration);
  const second = notifyRing("second", "");
  await vi.advanceTimersByTimeAsync(4_000);
  expect(shown).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_000);
  await Promise.all([first, second]);
  expect(shown).toEqual(["second"]);
});

it("rings and their ends come in order", async () => {
  const { notifyOver, notifyRing } = await import("./notify.ts");
  ready = Promise.resolve(registration);
  const order: string[] = [];
  await Promise.all([notifyRing("first", "").then(() => order.push("first")), notifyOver().then(() => order.push("over")), notifyRing("second", "").then(() => order.push("second"))]);
  expect([order, shown]).toEqual([["first", "over", "second"], ["first", "second"]]);
});
