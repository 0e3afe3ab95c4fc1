// @vitest-environment jsdom
import { flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { reactive } from "vue";
import type { RecordingView, SessionView as Session } from "@cloud-booth/api";
import { setUpLanguages } from "@cloud-booth/i18n";
import booth from "../messages/booth.json";
import talk from "../messages/talk.json";
import type { Call, CallState } from "../model/call.ts";
import Stage from "../parts/Stage.vue";
import SessionView from "./SessionView.vue";

const plugins = [setUpLanguages({ surface: "booth", messages: [booth, talk] }).i18n];
const both = (text: string) => ({ zh: text, en: text });
const script: RecordingView["script"] = [{ id: "will", text: both("是您本人的意愿吗？"), asks: "yes_no", read_ms: 4_000, answered_ms: null, answer: null, answered_by: null }];
const recording = (state: RecordingView["state"]): RecordingView => ({
  id: `rec_${state}`, state, version: 1, notice: { text: both("要录音录像"), policy_version: "1", days_routine: 180, days_case: 3650 }, asked_at: "", answered_at: null,
  started_at: null, proven_at: null, interrupted: null, ended_at: null, end_reason: state === "sealed" ? "disk" : null, script,
}) as RecordingView;
const signing = { digest: "d1", declaration: both("以上属实"), signed_at: null };

function talking(more: Partial<Session>, state: Partial<CallState> = {}): Call {
  const session = { id: "ses_1", state: "active", version: 1, mode: "video", me: "mem_c", members: [], consents: [], materials: [], case: null, sign: signing, recording: null, recording_rule: null, ...more } as unknown as Session;
  const local = { mic_on: true, camera_on: true, has_microphone: true, has_camera: true, problem: null };
  const paper = { on: false, opening: false, problem: null, there: true };
  return {
    state: reactive({ connection: "online", peer: "connected", session, form: null, chat: [], sending: [], mine: "good", theirs: "good", agentTyping: false, local, paper, voiceOnly: "", caseNumber: null, superseded: false, ...state }),
    media: { members: [], self: null }, agent: null, agentStream: null, shown: null, setPaper: vi.fn(async () => true),
  } as unknown as Call;
}
const rule = (open: boolean): Session["recording_rule"] => ({ required: true, steps: [{ step: "sign", open }] }) as Session["recording_rule"];

beforeEach(() => {
  vi.stubGlobal("ResizeObserver", class { observe(): void {} disconnect(): void {} });
  HTMLDialogElement.prototype.show ??= function (this: HTMLDialogElement) { this.open = true; };
  HTMLDialogElement.prototype.close ??= function (this: HTMLDialogElement) { this.open = false; };
});
afterEach(() => {
  document.body.innerHTML = "";
  vi.unstubAllGlobals();
});

describe("a signature that is asked for", () => {
  const stubs = { Stage: true, Paper: true, PhotoPanel: true, CallBar: true, MoreSheet: true, SignaturePad: true, FootBar: true };
  async function show(more: Partial<Session>) {
    mount(SessionView, { props: { call: talking(more) }, global: { plugins, stubs }, attachTo: document.body });
    await flushPromises();
    const sheet = (inside: string): HTMLDialogElement | null => document.querySelector(`[data-testid="${inside}"]`)?.closest("dialog") ?? null;
    /** Sheets fill the same place: the later one in the page is the one that is seen. */
    const top = (): HTMLDialogElement | undefined => [...document.querySelectorAll<HTMLDialogElement>(".table dialog")].filter((one) => one.open).at(-1);
    return { sheet, top };
  }

  it("lies beneath the question of a new recording, and cannot be reached through it", async () => {
    const { sheet, top } = await show({ recording: recording("asked"), recording_rule: rule(false) });
    expect(top()).toBe(sheet("recording-agree"));
    expect(sheet("sign-sheet")?.open).toBe(true);
    expect(sheet("sign-sheet")?.hasAttribute("inert")).toBe(true);
  });

  it("lets the prompts of the new recording through while it is held", async () => {
    const { sheet, top } = await show({ recording: recording("live"), recording_rule: rule(false) });
    expect(top()).toBe(sheet("prompt-text"));
    // Put away, it comes back from where one looks.
    document.querySelector<HTMLButtonElement>('[data-testid="prompt-sheet"] .close')?.click();
    await flushPromises();
    expect(top()).toBe(sheet("sign-sheet"));
    document.querySelector<HTMLButtonElement>('[data-testid="sign-locked"] button')?.click();
    await flushPromises();
    expect(top()).toBe(sheet("prompt-text"));
  });

  it("is on top, and alone, once it can be given", async () => {
    const { sheet, top } = await show({ recording: recording("live"), recording_rule: rule(true) });
    expect(top()).toBe(sheet("sign-sheet"));
    expect(sheet("sign-sheet")?.hasAttribute("inert")).toBe(false);
    expect(sheet("prompt-text")).toBeNull();
  });
});

it("where there is only sound the button for papers says that nobody would see them", async () => {
  const call = talking({ sign: null }, { voiceOnly: "H.264" });
  const page = mount(Stage, { props: { call, showSelf: false, short: false }, global: { plugins, stubs: { VideoTile: true, ShownBeside: true } } });
  const button = page.get('[data-testid="paper"] button');
  expect(button.attributes("aria-disabled")).toBe("true");
  expect(page.get('[data-testid="paper"]').text()).toContain("对方看不到");
  await button.trigger("click");
  expect(call.setPaper).not.toHaveBeenCalled();
  call.state.voiceOnly = "";
  await flushPromises();
  await button.trigger("click");
  expect(call.setPaper).toHaveBeenCalledWith(true);
});
