// @vitest-environment jsdom
import { mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { effectScope, nextTick, ref, shallowRef } from "vue";
import { preferences, setUpLanguages } from "@cloud-booth/i18n";
import type { PromptView, RecordingView } from "@cloud-booth/api";
import { usePrompts } from "./prompts.ts";
import { countDone, currentPrompt, isLocked, isRunning, keptFor, lockReason, nextPrompt, recordedSeconds, signOf } from "./recording.ts";
import { wordOf } from "./told.ts";
import PromptSheet from "./PromptSheet.vue";
import RecordingBar from "./RecordingBar.vue";
import RecordingSheet from "./RecordingSheet.vue";
import RecordingSign from "./RecordingSign.vue";
import RecordingStop from "./RecordingStop.vue";

const global = { plugins: [setUpLanguages({ surface: "booth" }).i18n] };
const NOW = Date.parse("2026-11-22T01:03:12Z");
const prompt = (id: string, more: Partial<PromptView> = {}): PromptView => ({ id, text: { zh: `第${id}条`, en: id }, asks: "yes_no", read_ms: null, answered_ms: null, answer: null, answered_by: null, ...more });
const recording = (more: Partial<RecordingView> = {}): RecordingView => ({
  id: "rec_1", state: "live", version: 2, notice: { text: { zh: "为了证明办事过程，我们想录音录像。", en: "We would like to record." }, policy_version: "hall-3", days_routine: 180, days_case: 3650 },
  asked_at: "2026-11-22T00:59:00Z", answered_at: "2026-11-22T00:59:30Z", started_at: "2026-11-22T01:00:00Z", proven_at: "2026-11-22T01:00:01Z", interrupted: null, ended_at: null, end_reason: null, script: [], ...more,
});

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  HTMLDialogElement.prototype.show ??= function (this: HTMLDialogElement) { this.open = true; };
  HTMLDialogElement.prototype.showModal ??= HTMLDialogElement.prototype.show;
  HTMLDialogElement.prototype.close ??= function (this: HTMLDialogElement) { this.open = false; };
});
afterEach(() => {
  vi.useRealTimers();
  document.body.innerHTML = "";
  preferences.setLocale("zh-CN");
});

describe("what the recording means for a page", () => {
  it("has a sign for each state, and runs only while something is or should be written", () => {
    expect(signOf(null)).toBe("off");
    expect((["asked", "refused", "starting", "live", "interrupted", "sealing", "sealed", "deleted"] as const).map((state) => signOf({ state }))).toEqual(["asked", "refused", "starting", "live", "interrupted", "ended", "ended", "ended"]);
    expect((["asked", "starting", "interrupted", "sealed"] as const).map((state) => isRunning({ state }))).toEqual([false, true, true, false]);
  });
  it("counts from its own zero, and stands at its end", () => {
    expect(recordedSeconds(recording(), NOW)).toBe(192);
    expect(recordedSeconds(recording({ ended_at: "2026-11-22T01:01:00Z" }), NOW)).toBe(60);
    expect(recordedSeconds(recording({ started_at: null }), NOW)).toBe(0);
    expect(recordedSeconds(recording(), 0)).toBe(0);
  });
  it("a step is locked by the item's rule alone, and says why", () => {
    const rule = { required: true, identify_again: false, steps: [{ step: "sign", open: false }, { step: "identify", open: true }] } as const;
    expect([isLocked({ ...rule, steps: [...rule.steps] }, "sign"), isLocked({ ...rule, steps: [...rule.steps] }, "identify"), isLocked({ ...rule, steps: [...rule.steps] }, "prompts"), isLocked(null, "sign")]).toEqual([true, false, false, false]);
    expect([lockReason(null), lockReason({ state: "asked" }), lockReason({ state: "interrupted" }), lockReason({ state: "live" }), lockReason({ state: "sealed" })]).toEqual(["needed", "asked", "interrupted", "prompts", "needed"]);
  });
  it("the agent reads what is not done, the citizen sees what was read last", () => {
    const script = [prompt("a", { asks: "none", read_ms: 1_000 }), prompt("b", { read_ms: 3_000 }), prompt("c")];
    expect([nextPrompt(script)?.id, currentPrompt(script)?.id, countDone(script)]).toEqual(["b", "b", 1]);
    expect(currentPrompt([prompt("a", { read_ms: 9_000, answer: "yes" }), prompt("b", { read_ms: 3_000 })])?.id).toBe("a");
    expect([nextPrompt([]), currentPrompt([prompt("a")])]).toEqual([null, null]);
  });
  it("says how long it is kept as people say it", () => {
    expect([keptFor(180), keptFor(3650), keptFor(7), keptFor(30), keptFor(365)]).toEqual([{ n: 6, unit: "months" }, { n: 10, unit: "years" }, { n: 7, unit: "days" }, { n: 30, unit: "days" }, { n: 1, unit: "years" }]);
  });
  it("announces each change once: begun, broken off, back, over; never what was over before one came", () => {
    expect([wordOf("live", "starting", ""), wordOf("interrupted", "live", ""), wordOf("live", "interrupted", ""), wordOf("ended", "live", "withdrawn"), wordOf("ended", "live", "finished")]).toEqual(["live", "interrupted", "resumed", "withdrawn", "ended"]);
    expect([wordOf("ended", null, "finished"), wordOf("refused", null, ""), wordOf("asked", null, ""), wordOf("interrupted", null, "")]).toEqual([null, null, null, "interrupted"]);
  });
});

describe("RecordingSign", () => {
  it("shows shape, words and a running time that no reader is told of", async () => {
    const page = mount(RecordingSign, { props: { recording: recording() }, global });
    expect(page.text()).toBe("●正在录音录像03:12");
    expect(page.find("[aria-live], [role=status], [role=alert], [role=timer]").exists()).toBe(false);
    vi.advanceTimersByTime(2_000);
    await nextTick();
    expect(page.text()).toContain("03:14");
    await page.setProps({ recording: recording({ state: "sealing", ended_at: "2026-11-22T01:03:14Z", end_reason: "withdrawn" }), side: "staff" });
    vi.advanceTimersByTime(5_000);
    await nextTick();
    expect(page.text()).toBe("■录制已停止 · 对方停止了录制03:14");
  });
  it("interrupted says what not to do, and to staff why", async () => {
    const page = mount(RecordingSign, { props: { recording: recording({ state: "interrupted", interrupted: "disk" }) }, global });
    expect(page.text()).toContain("▲录制中断，正在恢复；先不签名");
    expect(page.text()).not.toContain("磁盘");
    await page.setProps({ side: "staff" });
    expect(page.text()).toContain("服务器磁盘满或坏");
  });
  it("nothing recorded is nothing to see, unless it is to be said", async () => {
    const page = mount(RecordingSign, { props: { recording: null }, global });
    expect(page.text()).toBe("");
    await page.setProps({ off: true });
    expect(page.text()).toContain("没有录音录像");
  });
});

describe("RecordingSheet", () => {
  it("tells the hall's words, how long, how to stop and what no means; no is as big as yes, and Esc is no answer", async () => {
    const page = mount(RecordingSheet, { props: { recording: recording({ state: "asked", started_at: null }) }, global, attachTo: document.body });
    await nextTick();
    await nextTick();
    for (const words of ["为了证明办事过程", "6个月", "10年", "随时能停", "不同意也可以只咨询，或去窗口办"]) expect(page.text()).toContain(words);
    const [yes, no] = page.findAll(".actions button");
    expect(yes?.attributes("class")).toBe(no?.attributes("class"));
    expect(document.activeElement?.tagName).toBe("H2");
    await page.find("dialog").trigger("keydown", { key: "Escape" });
    expect(page.emitted("answer")).toBeUndefined();
    await no?.trigger("click");
    // The words that were on the screen go along with the answer.
    expect(page.emitted("answer")).toEqual([["rec_1", false, "hall-3"]]);
    await page.setProps({ recording: recording() });
    expect(page.find(".actions").exists()).toBe(false);
  });
});

describe("RecordingBar and RecordingStop", () => {
  it("offers the way to stop while it runs, to the citizen alone, and says what follows", async () => {
    const page = mount(RecordingBar, { props: { recording: recording() }, global });
    await page.find("[data-testid=recording-stop] button").trigger("click");
    expect(page.emitted("stop")).toHaveLength(1);
    await page.setProps({ own: false });
    expect(page.find("[data-testid=recording-stop]").exists()).toBe(false);
    await page.setProps({ own: true, recording: recording({ state: "sealing", end_reason: "withdrawn", ended_at: "2026-11-22T01:03:00Z" }) });
    expect(page.find("[data-testid=recording-stop]").exists()).toBe(false);
    expect(page.text()).toContain("可以接着咨询，或去窗口办");
    await page.setProps({ recording: null });
    expect(page.find("[data-testid=recording-bar]").exists()).toBe(false);
  });
  it("stops only after the second press", async () => {
    const page = mount(RecordingStop, { props: { open: true, locks: true }, global, attachTo: document.body });
    await nextTick();
    expect(page.text()).toContain("重新同意录制");
    await page.find("[data-testid=recording-keep] button").trigger("click");
    expect([page.emitted("stop"), page.emitted("close")]).toEqual([undefined, [[]]]);
    await page.find("[data-testid=recording-stop-now] button").trigger("click");
    expect(page.emitted("stop")).toHaveLength(1);
  });
});

describe("prompts on the citizen's screen", () => {
  function begin(script: PromptView[]) {
    const now = shallowRef<RecordingView | null>(recording({ script }));
    const closed = ref(false);
    const noted: string[] = [];
    const scope = effectScope();
    const prompts = scope.run(() => usePrompts(() => now.value, { closed: () => closed.value, noted: (one) => noted.push(`${one.id}:${one.answer}`) }))!;
    const set = async (next: PromptView[]): Promise<void> => {
      now.value = recording({ script: next });
      await nextTick();
    };
    return { prompts, set, closed, noted, now };
  }
  it("shows what was read last until it is answered; the answer is noted", async () => {
    const { prompts, set, noted } = begin([prompt("a"), prompt("b")]);
    expect(prompts.shown.value).toBeNull();
    await set([prompt("a", { read_ms: 1_000 }), prompt("b")]);
    expect([prompts.shown.value?.id, prompts.number.value]).toEqual(["a", 1]);
    await set([prompt("a", { read_ms: 1_000, answer: "yes", answered_ms: 2_000, answered_by: "citizen" }), prompt("b")]);
    expect([prompts.shown.value, noted]).toEqual([null, ["a:yes"]]);
  });
  it("what is put away comes back by the citizen's wish, or when it is read again", async () => {
    const { prompts, set } = begin([prompt("a", { read_ms: 1_000 })]);
    prompts.close();
    expect([prompts.shown.value, prompts.waiting.value.length]).toEqual([null, 1]);
    prompts.openWaiting();
    expect(prompts.shown.value?.id).toBe("a");
    prompts.close();
    await set([prompt("a", { read_ms: 8_000 })]);
    expect(prompts.shown.value?.id).toBe("a");
  });
  it("an answered prompt that is read again is shown with its answer, until there is another", async () => {
    const no = { answer: "no", answered_ms: 2_000, answered_by: "citizen" } as const;
    const { prompts, set, noted } = begin([prompt("a", { read_ms: 1_000, ...no }), prompt("b", { read_ms: 3_000, asks: "none" })]);
    await set([prompt("a", { read_ms: 9_000, ...no }), prompt("b", { read_ms: 3_000, asks: "none" })]);
    expect([prompts.shown.value?.id, prompts.shown.value?.answer]).toEqual(["a", "no"]);
    await set([prompt("a", { read_ms: 9_000, answer: "yes", answered_ms: 9_900, answered_by: "citizen" }), prompt("b", { read_ms: 3_000, asks: "none" })]);
    expect([prompts.shown.value, noted]).toEqual([null, ["a:yes"]]);
  });
  it("an answer can be opened again until the signature", async () => {
    const { prompts, closed } = begin([prompt("a", { read_ms: 1_000, answer: "no", answered_ms: 2_000, answered_by: "agent" })]);
    expect(prompts.shown.value).toBeNull();
    prompts.open("a");
    expect(prompts.shown.value?.answer).toBe("no");
    closed.value = true;
    expect(prompts.shown.value).toBeNull();
  });
  it("nothing is asked where nothing is recorded any more", async () => {
    const { prompts, now } = begin([prompt("a", { read_ms: 1_000 })]);
    now.value = recording({ state: "sealing", script: [prompt("a", { read_ms: 1_000 })] });
    expect([prompts.shown.value, prompts.waiting.value]).toEqual([null, []]);
  });
  it("the sheet asks in the citizen's words, with answers of one size and none chosen", async () => {
    const page = mount(PromptSheet, { props: { prompt: prompt("a", { read_ms: 1_000 }), number: 2, total: 5 }, global, attachTo: document.body });
    await nextTick();
    expect(page.text()).toContain("第2条/共5条");
    const [yes, no] = page.findAll(".actions button");
    expect([yes?.attributes("class"), yes?.attributes("aria-pressed"), no?.attributes("aria-pressed")]).toEqual([no?.attributes("class"), "false", "false"]);
    await yes?.trigger("click");
    expect(page.emitted("answer")).toEqual([["a", "yes"]]);
    await page.setProps({ prompt: prompt("b", { asks: "none", read_ms: 2_000 }) });
    expect(page.findAll(".actions button")).toHaveLength(1);
  });
});
