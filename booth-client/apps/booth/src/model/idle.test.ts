// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it, vi } from "vitest";

const app = vi.hoisted(() => ({ screen: "item", asking: false }));
const wipe = vi.hoisted(() => vi.fn());
vi.mock("./app.ts", () => ({ app, wipe, isVisiting: { value: true } }));
import { ASK_MS, touched, watchIdle, WIPE_MS } from "./idle.ts";

let stop = (): void => undefined;
beforeEach(() => {
  vi.useFakeTimers();
  Object.assign(app, { screen: "item", asking: false });
  wipe.mockReset();
  stop = watchIdle();
});
afterEach(() => {
  stop();
  vi.useRealTimers();
});

it("asks after a minute, wipes a minute later", () => {
  vi.advanceTimersByTime(ASK_MS - 1);
  expect(app.asking).toBe(false);
  vi.advanceTimersByTime(1);
  expect(app.asking).toBe(true);
  vi.advanceTimersByTime(WIPE_MS - 1);
  expect(wipe).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(wipe).toHaveBeenCalledTimes(1);
});
it("begins anew with a touch, and with the answer", () => {
  vi.advanceTimersByTime(ASK_MS - 1);
  window.dispatchEvent(new Event("pointerdown"));
  vi.advanceTimersByTime(ASK_MS - 1);
  expect(app.asking).toBe(false);
  vi.advanceTimersByTime(1);
  expect(app.asking).toBe(true);
  window.dispatchEvent(new Event("pointerdown"));
  expect(app.asking, "a touch meant for something else is no answer").toBe(true);
  touched();
  vi.advanceTimersByTime(WIPE_MS);
  expect(wipe).not.toHaveBeenCalled();
});
it("never asks in a call or in the queue", () => {
  for (const screen of ["wait", "session"]) {
    app.screen = screen;
    vi.advanceTimersByTime(ASK_MS * 5);
    expect(app.asking).toBe(false);
  }
});
