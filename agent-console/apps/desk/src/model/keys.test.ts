// @vitest-environment jsdom
import { mount } from "@vue/test-utils";
import { afterEach, expect, test, vi } from "vitest";
import { defineComponent, h } from "vue";
import { keyName, keys, useKeys } from "./keys.ts";

function page(map: Record<string, () => boolean | void>) {
  return mount(defineComponent({ setup: () => (useKeys(map), () => h("input")) }), { attachTo: document.body });
}
const press = (init: KeyboardEventInit): KeyboardEvent => {
  const event = new KeyboardEvent("keydown", { bubbles: true, cancelable: true, ...init });
  window.dispatchEvent(event);
  return event;
};
afterEach(() => {
  keys.enabled = true;
});

test("names do not depend on what Alt or Shift makes of the letter", () => {
  expect(keyName(new KeyboardEvent("keydown", { key: "¡", code: "Digit1", ctrlKey: true, altKey: true }))).toBe("Ctrl+Alt+1");
  expect(keyName(new KeyboardEvent("keydown", { key: "F9", code: "F9", shiftKey: true }))).toBe("Shift+F9");
  expect(keyName(new KeyboardEvent("keydown", { key: "/", code: "Slash", ctrlKey: true }))).toBe("Ctrl+/");
});

test("a key under way in an input method acts on nothing", () => {
  const accept = vi.fn();
  const view = page({ F2: accept });
  press({ key: "F2", code: "F2", isComposing: true });
  press({ key: "Process", code: "F2", keyCode: 229 } as KeyboardEventInit);
  expect(accept).not.toHaveBeenCalled();
  expect(press({ key: "F2", code: "F2" }).defaultPrevented).toBe(true);
  expect(accept).toHaveBeenCalledOnce();
  view.unmount();
});

test("false lets the key pass, the newest handler wins, unmounting gives the older one back", () => {
  const older = vi.fn(() => false);
  const newer = vi.fn();
  const below = page({ F2: older });
  const above = page({ F2: newer });
  press({ key: "F2", code: "F2" });
  above.unmount();
  const event = press({ key: "F2", code: "F2" });
  expect(newer).toHaveBeenCalledOnce();
  expect(older).toHaveBeenCalledOnce();
  expect(event.defaultPrevented).toBe(false);
  below.unmount();
});

test("switched off, no key acts; a held key acts once", () => {
  const mute = vi.fn();
  const view = page({ F9: mute });
  keys.enabled = false;
  press({ key: "F9", code: "F9" });
  keys.enabled = true;
  press({ key: "F9", code: "F9", repeat: true });
  expect(mute).not.toHaveBeenCalled();
  view.unmount();
});
