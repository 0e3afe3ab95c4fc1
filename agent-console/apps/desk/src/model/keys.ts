/** Keyboard of the console. Owns one listener on the window; each act registers under the name of its key. A key never acts
 * while an input method composes (pinyin), and no key ends a call or decides anything. */
import { inject, onBeforeUnmount, reactive } from "vue";
import { SHOWN } from "./inject.ts";

/** Whether shortcuts are on: some readers and input methods need the keys themselves. */
export const keys = reactive({ enabled: true });

type Handler = () => boolean | void;
const handlers = new Map<string, Handler[]>();
let isListening = false;

/** `Ctrl+Alt+1`, `Shift+F9`, `Ctrl+/`. Letters by their place on the keyboard, since Alt may change what they type. */
export function keyName(event: KeyboardEvent): string {
  let name = event.key;
  if (event.code.startsWith("Digit")) name = event.code.slice(5);
  else if (event.code.startsWith("Key")) name = event.code.slice(3);
  else if (event.code === "Slash") name = "/";
  const modifiers = [event.ctrlKey || event.metaKey ? "Ctrl" : "", event.altKey ? "Alt" : "", event.shiftKey ? "Shift" : ""].filter(Boolean);
  return [...modifiers, name].join("+");
}

export function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229;
}

function press(event: KeyboardEvent): void {
  if (!keys.enabled || isComposing(event) || event.repeat) return;
  const name = keyName(event);
  // The newest first; one that has nothing to do with it leaves the key to the older ones.
  if (!(handlers.get(name) ?? []).toReversed().some((handler) => handler() !== false)) return;
  event.preventDefault();
  event.stopPropagation();
}

/** Registers for the life of the component. The newest handler of a key wins; returning false lets the key pass. What lies in a line
 * that is not on the screen hears no key. */
export function useKeys(map: Record<string, Handler>): void {
  const shown = inject(SHOWN, null);
  const own = Object.entries(map).map(([name, handler]): [string, Handler] => [name, () => (shown && !shown.value ? false : handler())]);
  if (!isListening) {
    window.addEventListener("keydown", press, { capture: true });
    isListening = true;
  }
  for (const [name, handler] of own) handlers.set(name, [...(handlers.get(name) ?? []), handler]);
  onBeforeUnmount(() => {
    for (const [name, handler] of own) handlers.set(name, (handlers.get(name) ?? []).filter((entry) => entry !== handler));
  });
}
