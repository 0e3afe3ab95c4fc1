// @vitest-environment jsdom
import { mount } from "@vue/test-utils";
import { afterEach, describe, expect, it, vi } from "vitest";
import { nextTick } from "vue";
import { Emitter } from "@cloud-booth/signal";
import type { DeviceCheck as Check, DeviceState, NetworkState } from "@cloud-booth/rtc";
import { preferences, setUpLanguages } from "@cloud-booth/i18n";
import DeviceCheck from "./DeviceCheck.vue";
import RecordingSheet from "./RecordingSheet.vue";
import ShownBeside from "./ShownBeside.vue";

const global = { plugins: [setUpLanguages({ surface: "booth" }).i18n], stubs: { VideoTile: true } };
const way = { state: "idle" as const, level: null, rtt_ms: null, loss_pct: null };
const network = (stage: NetworkState["stage"]): NetworkState => ({ stage, ways: { socket: way, udp: way, tcp: way, relay: way } });
const device = (kind: MediaDeviceKind, deviceId: string) => ({ kind, deviceId, label: deviceId }) as MediaDeviceInfo;

function show(more: Partial<DeviceState>, props: { voice?: boolean } = {}) {
  const state: DeviceState = {
    stage: "open", voice: false, camera: "ok", microphone: "ok", speaker: "unknown", problem: null, level: 0, cameras: [device("videoinput", "cam-1"), device("videoinput", "cam-2")],
    microphones: [device("audioinput", "mic-1"), device("audioinput", "mic-2")], camera_id: "cam-2", microphone_id: "mic-1", refused: null, network: network("idle"), ...more,
  };
  const check = { state, events: new Emitter<{ change: DeviceState; done: unknown }>(), media: { stream: null }, watch: () => undefined, choose: vi.fn(), start: vi.fn(async () => undefined), dispose: vi.fn() };
  const page = mount(DeviceCheck, { props: { check: check as unknown as Check, ...props }, global, attachTo: document.body });
  const set = async (change: Partial<DeviceState>): Promise<void> => {
    check.state = { ...check.state, ...change };
    check.events.emit("change", check.state);
    await nextTick();
  };
  const chosen = (id: string): string => (page.get(`[data-testid="${id}"]`).element as HTMLSelectElement).value;
  return { page, check, set, chosen, said: () => page.get('[data-testid="device-verdict"]').text() };
}
afterEach(() => {
  document.body.innerHTML = "";
  preferences.setLocale("zh-CN");
});

describe("the check before a call", () => {
  it("shows the devices in use, and says when another one did not open", async () => {
    const { page, check, set, chosen } = show({});
    expect([chosen("choose-camera"), chosen("choose-microphone")]).toEqual(["cam-2", "mic-1"]);
    expect(page.find('[role="alert"]').exists()).toBe(false);
    await page.get('[data-testid="choose-microphone"]').setValue("mic-2");
    expect(check.choose).toHaveBeenCalledWith("audio", "mic-2");
    await set({ refused: "audio" });
    expect(chosen("choose-microphone")).toBe("mic-1");
    expect(page.get('[data-testid="refused-microphone"]').text()).toContain("还用原来的");
    expect(page.find('[data-testid="refused-camera"]').exists()).toBe(false);
  });

  it("says what the devices are worth when the server has no room to try the network", async () => {
    const { page, set, said } = show({ network: network("busy") });
    expect(page.get('[data-testid="device-check"]').attributes("data-verdict")).toBe("video");
    expect(said()).toContain("网络没有测，画面和声音可以");
    await set({ camera: "none" });
    expect(said()).toContain("网络没有测，声音可以");
    // Not asked for yet: nobody is worried with it.
    await set({ camera: "ok", network: network("idle") });
    expect(said()).toContain("画面和声音可以");
    expect(said()).not.toContain("网络");
  });

  it("speaks of no camera for a call by voice, and helps with a microphone that is missing", async () => {
    const { page, check } = show({ stage: "idle" }, { voice: true });
    await page.get('[data-testid="device-start"] button').trigger("click");
    expect(check.start).toHaveBeenCalledWith({ voice: true });
    const voice = show({ voice: true, camera: "none", microphone: "none", problem: "denied" }, { voice: true });
    expect(voice.page.find('[data-testid="part-camera"]').exists()).toBe(false);
    expect(voice.page.get('[data-testid="device-advice"]').attributes("data-lacks")).toBe("microphone");
    voice.page.unmount();
    expect(voice.check.dispose).toHaveBeenCalled();
  });
});

it.each([["screen", "看屏幕", "Screen"], ["document", "看材料", "Papers"]] as const)("the way back to a shown %s has its own word", async (source, zh, en) => {
  HTMLDialogElement.prototype.close ??= () => undefined;
  const page = mount(ShownBeside, { props: { stream: {} as MediaStream, source }, global });
  const swap = page.get('[data-testid="swap-shown"]');
  await swap.trigger("click");
  expect(swap.text()).toBe(zh);
  preferences.setLocale("en");
  await nextTick();
  expect(swap.text()).toBe(en);
});

it("English sentences are read with a space between them", async () => {
  HTMLDialogElement.prototype.show ??= function (this: HTMLDialogElement) { this.open = true; };
  preferences.setLocale("en");
  const recording = { id: "rec_1", state: "asked", version: 1, notice: { text: { zh: "录。", en: "We record." }, policy_version: "1", days_routine: 180, days_case: 3650 }, script: [] };
  const page = mount(RecordingSheet, { props: { recording: recording as never, canListen: true }, global, attachTo: document.body });
  await nextTick();
  await page.get('[data-testid="recording-listen"] button').trigger("click");
  expect(String(page.emitted("listen")?.[0]?.[0])).toMatch(/^We record\. \S/);
});
