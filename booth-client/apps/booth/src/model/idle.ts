/** Is somebody still there? Asks after a minute without a touch, wipes a minute later; never in a call and never while waiting
 * for one (a person who waits touches nothing). Owns two timers. */
import { app, isVisiting, wipe } from "./app.ts";
import { preferences } from "@cloud-booth/i18n";

export const ASK_MS = 60_000;
export const WIPE_MS = 60_000;

let timer: ReturnType<typeof setTimeout> | undefined;

/** Screens on which silence means that the person left. The last screen counts down by itself. */
const WATCHED = new Set(["idle", "item", "needs", "book", "message", "mine", "others", "devices"]);

function hasSomething(): boolean {
  const { elder, locale, low } = preferences.state;
  return isVisiting.value || app.screen !== "idle" || elder || low || locale !== "zh-CN";
}

/** A sign of life. */
export function touched(): void {
  clearTimeout(timer);
  app.asking = false;
  timer = setTimeout(ask, ASK_MS);
}
function ask(): void {
  if (!WATCHED.has(app.screen) || !hasSomething()) {
    touched();
    return;
  }
  app.asking = true;
  timer = setTimeout(() => void wipe(), WIPE_MS);
}

export function watchIdle(): () => void {
  const events = ["pointerdown", "keydown"] as const;
  const listener = (): void => {
    // The question is answered by its buttons, not by a touch that was meant for something else.
    if (!app.asking) touched();
  };
  for (const name of events) addEventListener(name, listener, { passive: true });
  touched();
  return () => {
    clearTimeout(timer);
    for (const name of events) removeEventListener(name, listener);
  };
}
