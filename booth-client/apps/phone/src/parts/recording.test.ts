// @vitest-environment jsdom
import { flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { shallowReactive } from "vue";
import type { RecordingView, SessionView } from "@cloud-booth/api";
import { setUpLanguages } from "@cloud-booth/i18n";
import device from "../messages/device.json";
import phone from "../messages/phone.json";
import talk from "../messages/talk.json";
import { START, type CallState } from "../model/callstate.ts";
import RecordingParts from "./RecordingParts.vue";
import TalkView from "./TalkView.vue";

// Before the components come: the page asks for voices as it begins.
const { machine, call } = vi.hoisted(() => {
  const machine = Object.assign(new EventTarget(), { getVoices: () => [{ lang: "zh-CN", localService: true }], speak: vi.fn(), cancel: vi.fn() });
  vi.stubGlobal("speechSynthesis", machine);
  vi.stubGlobal("SpeechSynthesisUtterance", class {});
  return { machine, call: { state: {} as CallState, send: vi.fn(), member: () => undefined, media: null, setMedia: () => undefined } };
});
vi.mock("../model/app.ts", () => ({ call }));
vi.mock("vue-router", async (original) => ({ ...(await original<object>()), useRouter: () => ({ push: vi.fn() }) }));

const global = { plugins: [setUpLanguages({ surface: "phone", messages: [phone, device, talk] }).i18n] };
const both = (text: string) => ({ zh: text, en: text });
const script: RecordingView["script"] = [{ id: "will", text: both("是您本人的意愿吗？"), asks: "yes_no", read_ms: 4_000, answered_ms: null, answer: null, answered_by: null }];
const recording = (state: RecordingView["state"]): RecordingView => ({
  id: "rec_1", state, version: 1, notice: { text: both("要录音录像"), policy_version: "1", days_routine: 180, days_case: 3650 }, asked_at: "", answered_at: null,
  started_at: null, proven_at: null, interrupted: null, ended_at: null, end_reason: null, script,
}) as RecordingView;
function session(more: Partial<SessionView>): SessionView {
  return { id: "ses_1", room: "tkt_1", state: "active", version: 1, seq: 1, mode: "video", mode_asked: null, hold: false, me: "mem_c", members: [], consents: [], materials: [], case: null, sign: null, recording: null, recording_rule: null, supervision: null, started_at: "2026-11-22T01:00:00Z", ...more } as unknown as SessionView;
}

beforeEach(() => {
  machine.cancel.mockClear();
  HTMLDialogElement.prototype.show ??= function (this: HTMLDialogElement) { this.open = true; };
  HTMLDialogElement.prototype.showModal ??= HTMLDialogElement.prototype.show;
  HTMLDialogElement.prototype.close ??= function (this: HTMLDialogElement) { this.open = false; };
  call.send.mockReset().mockResolvedValue({ kind: "done" });
  call.state = shallowReactive<CallState>({ ...START, stage: "talking" });
});
afterEach(() => {
  document.body.innerHTML = "";
});
/** By what stands in an open sheet. */
const isOpen = (inside: string): boolean => document.querySelector(`[data-testid="${inside}"]`)?.closest("dialog")?.open ?? false;

describe("reading aloud", () => {
  async function show(state: RecordingView["state"]) {
    call.state.session = session({ recording: recording(state) });
    const page = mount(RecordingParts, { props: { paused: false, frame: document.body }, global, attachTo: document.body });
    await flushPromises();
    [...document.querySelectorAll<HTMLButtonElement>("dialog button")].find((one) => one.textContent?.includes("念给我听"))?.click();
    expect(machine.speak).toHaveBeenCalled();
    machine.cancel.mockClear();
    return page;
  }

  it("ends with the answer, before the server has it", async () => {
    await show("asked");
    call.send.mockReturnValue(new Promise(() => undefined));
    document.querySelector<HTMLButtonElement>('[data-testid="recording-agree"] button')?.click();
    expect(call.send).toHaveBeenCalled();
    expect(machine.cancel).toHaveBeenCalled();
  });

  it("ends when a prompt is put away", async () => {
    await show("live");
    document.querySelector<HTMLButtonElement>('[data-testid="prompt-sheet"] .close')?.click();
    await flushPromises();
    expect(machine.cancel).toHaveBeenCalled();
  });

  it("ends when one hangs up, and with the page", async () => {
    const page = await show("live");
    call.state.leaving_until = Date.now() + 10_000;
    await flushPromises();
    expect(machine.cancel).toHaveBeenCalledTimes(1);
    page.unmount();
    expect(machine.cancel).toHaveBeenCalledTimes(2);
  });
});

describe("a signature that is asked for", () => {
  const signing = { digest: "d1", declaration: both("以上属实"), signed_at: null } as unknown as SessionView["sign"];
  const rule = (open: boolean): SessionView["recording_rule"] => ({ required: true, steps: [{ step: "sign", open }] }) as SessionView["recording_rule"];
  async function show(more: Partial<SessionView>) {
    call.state.session = session({ sign: signing, ...more });
    mount(TalkView, { global: { ...global, stubs: { VideoTile: true, CallBar: true, MoreSheet: true, FormRenderer: true } }, attachTo: document.body });
    await flushPromises();
  }

  it("waits behind the question and the prompts of a new recording while it is held", async () => {
    await show({ recording: recording("asked"), recording_rule: rule(false) });
    expect([isOpen("recording-agree"), isOpen("card-needed")]).toEqual([true, false]);
    call.state.session = session({ version: 2, sign: signing, recording: recording("live"), recording_rule: rule(false) });
    await flushPromises();
    expect([isOpen("prompt-text"), isOpen("card-needed")]).toEqual([true, false]);
  });

  it("is told of when nothing of the recording is on the screen, and when it can be given", async () => {
    await show({ recording: recording("refused"), recording_rule: rule(false) });
    expect(isOpen("card-needed")).toBe(true);
    call.state.session = session({ version: 2, sign: signing, recording: recording("live"), recording_rule: rule(true) });
    await flushPromises();
    expect([isOpen("prompt-text"), isOpen("card-needed")]).toEqual([false, true]);
  });
});
