// @vitest-environment jsdom
/** The script as the agent leads through it: what was answered with no is talked over, read again and answered again. */
import { mount } from "@vue/test-utils";
import { afterEach, expect, test, vi } from "vitest";
import { nextTick, ref, shallowRef } from "vue";
import type { PromptView, SessionView } from "@cloud-booth/api";
import { setUpLanguages } from "@cloud-booth/i18n";
import messages from "../messages/record.json";
import type { LiveSession } from "../model/session.ts";
import { DeskUi, UI } from "../model/ui.ts";
import ScriptPane from "./ScriptPane.vue";

const { i18n } = setUpLanguages({ surface: "console", messages });
const prompt = (id: string, more: Partial<PromptView> = {}): PromptView => ({ id, text: { zh: `第${id}条`, en: id }, asks: "yes_no", read_ms: 1_000, answered_ms: null, answer: null, answered_by: null, ...more });
const YES = { answer: "yes", answered_ms: 2_000, answered_by: "citizen" } as const;
const NO = { answer: "no", answered_ms: 3_000, answered_by: "citizen" } as const;
const key = (code: string): void => void window.dispatchEvent(new KeyboardEvent("keydown", { code, key: code.slice(3).toLowerCase(), ctrlKey: true, altKey: true, cancelable: true }));

afterEach(() => {
  document.body.innerHTML = "";
});

function begin(first: PromptView[]) {
  const script = ref(first);
  const view = shallowRef<SessionView | null>(null);
  const show = async (next: PromptView[]): Promise<void> => {
    script.value = next;
    view.value = { recording: { id: "rec_1", state: "live", script: next }, recording_rule: { required: true, steps: [] }, case: null, sign: null } as unknown as SessionView;
    await nextTick();
  };
  void show(first);
  const record = { read: vi.fn(() => Promise.resolve()), answer: vi.fn(() => Promise.resolve()) };
  const session = { view, isHelper: ref(false), may: () => true, record } as unknown as LiveSession;
  const page = mount(ScriptPane, { props: { session }, global: { plugins: [i18n], provide: { [UI as symbol]: new DeskUi() } }, attachTo: document.body });
  const at = (id: string) => page.find(`[data-testid="${id}"]`);
  const now = (): string | undefined => (at("script-now").exists() ? at("script-now").attributes("data-prompt") : undefined);
  return { page, record, show, at, now };
}

test("what was answered with no is read again, and the citizen's new answer opens the way", async () => {
  const { page, record, show, at, now } = begin([prompt("a", YES), prompt("b", NO)]);
  expect([now(), at("script-done").text()]).toEqual([undefined, expect.stringContaining("第2条答了“否”")]);
  await at("script-again-b").trigger("click");
  expect([now(), at("script-given").text()]).toEqual(["b", expect.stringContaining("否")]);
  await at("script-read").trigger("click");
  expect(record.read).toHaveBeenCalledWith("rec_1", "b");
  // Read again, the old answer stands until another is given; the pane stays where it is.
  await show([prompt("a", YES), prompt("b", { ...NO, read_ms: 9_000 })]);
  expect(now()).toBe("b");
  await show([prompt("a", YES), prompt("b", { ...YES, read_ms: 9_000, answered_ms: 12_000 })]);
  expect([now(), at("script-done").text()]).toEqual([undefined, expect.stringContaining("都念完、都答了")]);
  page.unmount();
});

test("the agent marks another spoken answer, by press and by key, also the same one again", async () => {
  const { page, record, show, at, now } = begin([prompt("a", NO)]);
  await at("script-again-a").trigger("click");
  await at("script-yes").trigger("click");
  expect(record.answer).toHaveBeenLastCalledWith("rec_1", "a", "yes");
  await nextTick();
  key("KeyN");
  expect(record.answer).toHaveBeenLastCalledWith("rec_1", "a", "no");
  expect(now()).toBe("a");
  await show([prompt("a", { ...NO, answered_ms: 15_000, answered_by: "agent" })]);
  expect([now(), at("script-done").exists()]).toEqual([undefined, true]);
  page.unmount();
});

test("an answer to another prompt, or nothing new at all, takes nothing away that was chosen", async () => {
  const { page, show, at, now } = begin([prompt("a", NO), prompt("b")]);
  await at("script-all").trigger("click");
  await at("script-choose-a").trigger("click");
  expect(now()).toBe("a");
  await show([prompt("a", NO), prompt("b", YES)]);
  expect(now()).toBe("a");
  await show([prompt("a", NO), prompt("b", YES)]);
  expect(now()).toBe("a");
  page.unmount();
});

test("without a question a prompt that is chosen is left when it is read again", async () => {
  const { page, show, at, now } = begin([prompt("a", { asks: "none" })]);
  await at("script-all").trigger("click");
  await at("script-choose-a").trigger("click");
  await show([prompt("a", { asks: "none" })]);
  expect(now()).toBe("a");
  await show([prompt("a", { asks: "none", read_ms: 8_000 })]);
  expect(now()).toBeUndefined();
  page.unmount();
});
