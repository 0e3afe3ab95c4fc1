// @vitest-environment jsdom
import { mount } from "@vue/test-utils";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { defineComponent, nextTick, ref } from "vue";
import { preferences } from "@cloud-booth/i18n";

class Words {
  text: string;
  voice: unknown = null;
  lang = "";
  rate = 1;
  constructor(text: string) {
    this.text = text;
  }
}
class Machine extends EventTarget {
  voices: { lang: string; localService: boolean }[] = [];
  said: string[] = [];
  cancels = 0;
  getVoices = () => this.voices;
  speak = (words: Words) => void this.said.push(`${words.lang} ${words.text}`);
  cancel = () => void (this.cancels += 1);
}
let machine: Machine;
beforeEach(() => {
  vi.resetModules();
  machine = new Machine();
  vi.stubGlobal("speechSynthesis", machine);
  vi.stubGlobal("SpeechSynthesisUtterance", Words);
});
afterEach(() => {
  vi.unstubAllGlobals();
  preferences.setLocale("zh-CN");
});

it("offers the reading once the browser has named its voices, and never one over the network", async () => {
  const { canRead, readAloud } = await import("./aloud.ts");
  expect(canRead.value).toBe(false);
  machine.voices = [{ lang: "zh-CN", localService: false }];
  machine.dispatchEvent(new Event("voiceschanged"));
  expect(canRead.value).toBe(false);
  machine.voices = [...machine.voices, { lang: "zh-TW", localService: true }];
  machine.dispatchEvent(new Event("voiceschanged"));
  expect(canRead.value).toBe(true);
  readAloud("您好");
  expect(machine.said).toEqual(["zh-TW 您好"]);
});

it("falls silent when what is shown changes, and with the part of the page", async () => {
  machine.voices = [{ lang: "zh-CN", localService: true }];
  const { readAloud, silentAfter } = await import("./aloud.ts");
  const shown = ref("question");
  const part = mount(defineComponent({ setup: () => (silentAfter(shown), () => null) }));
  readAloud("这次通话要录音录像");
  const before = machine.cancels;
  shown.value = "nothing";
  await nextTick();
  expect(machine.cancels).toBe(before + 1);
  part.unmount();
  expect(machine.cancels).toBe(before + 2);
});
