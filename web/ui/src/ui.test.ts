// @vitest-environment jsdom
import { mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { nextTick } from "vue";
import { preferences, setUpLanguages } from "@cloud-booth/i18n";
import { announce, BATCH_MS, spoken } from "./announce.ts";
import { candidates } from "./pinyin.ts";
import { toPoint } from "./signature.ts";
import BigButton from "./BigButton.vue";
import ChatBox from "./ChatBox.vue";
import ConsentSheet from "./ConsentSheet.vue";
import PadHost from "./PadHost.vue";
import QrCode from "./QrCode.vue";

const global = { plugins: [setUpLanguages({ surface: "booth" }).i18n] };

beforeEach(() => {
  vi.useFakeTimers();
  HTMLDialogElement.prototype.show ??= function (this: HTMLDialogElement) { this.open = true; };
  HTMLDialogElement.prototype.showModal ??= HTMLDialogElement.prototype.show;
  HTMLDialogElement.prototype.close ??= function (this: HTMLDialogElement) { this.open = false; };
});
afterEach(() => {
  vi.runOnlyPendingTimers();
  vi.useRealTimers();
  document.body.innerHTML = "";
});

describe("announce", () => {
  it("joins what is said within two seconds, and says urgent things at once", () => {
    announce("已恢复");
    announce("前面还有2位");
    expect(spoken.polite).toBe("");
    vi.advanceTimersByTime(BATCH_MS);
    expect(spoken.polite).toBe("已恢复。前面还有2位");
    announce("通话已结束", "assertive");
    expect(spoken.assertive).toBe("通话已结束");
  });
});

describe("BigButton", () => {
  it("stays readable and silent where it may not be pressed", async () => {
    const page = mount(BigButton, { props: { reason: "您受理了此件，不能审查" }, slots: { default: "准予" }, global });
    await page.find("button").trigger("click");
    expect(page.emitted("click")).toBeUndefined();
    expect(page.find(`#${page.find("button").attributes("aria-describedby")}`).text()).toBe("您受理了此件，不能审查");
  });
});

describe("ConsentSheet", () => {
  it("names licence, fields, purpose; both answers are given by the citizen alone and Esc is no answer", async () => {
    const consent = {
      id: "con_1", state: "asked", licence_type: "id", licence_name: { zh: "居民身份证", en: "Identity card" }, fields: [{ zh: "姓名", en: "name" }, { zh: "住址", en: "address" }],
      item: "x", item_title: { zh: "无犯罪记录证明", en: "Certificate" }, purpose: { zh: "", en: "" }, asked_at: "", decided_at: null, outcome: null, company: null,
    } as const;
    const page = mount(ConsentSheet, { props: { consent: { ...consent, fields: [...consent.fields] } }, global, attachTo: document.body });
    await nextTick();
    await nextTick();
    expect(page.text()).toContain("《居民身份证》里的2项：姓名、住址");
    expect(page.text()).toContain("无犯罪记录证明");
    await page.find("dialog").trigger("keydown", { key: "Escape" });
    expect(page.emitted("answer")).toBeUndefined();
    await page.findAll("button")[1]?.trigger("click");
    expect(page.emitted("answer")).toEqual([["con_1", false]]);
  });
});

describe("ChatBox", () => {
  it("sends on Enter, but not half a pinyin word", async () => {
    const page = mount(ChatBox, { props: { messages: [] }, global });
    const box = page.find("textarea");
    await box.setValue("您好");
    await box.trigger("keydown", { key: "Enter", isComposing: true });
    expect(page.emitted("send")).toBeUndefined();
    await box.trigger("keydown", { key: "Enter" });
    expect(page.emitted("send")).toEqual([["您好"]]);
  });
});

describe("pads", () => {
  it("finds characters by pinyin, words first", () => {
    expect(candidates("wang")[0]).toBe("王");
    expect(candidates("hukou")[0]).toBe("户口");
    expect(candidates("lv")).toContain("吕");
    expect(candidates("qqq")).toEqual([]);
  });
  it("writes into the field that has the focus as typing would", async () => {
    const input = document.createElement("input");
    input.dataset.pad = "digits";
    input.maxLength = 3;
    document.body.append(input);
    const heard = vi.fn();
    input.addEventListener("input", heard);
    const page = mount(PadHost, { global, attachTo: document.body });
    input.focus();
    input.dispatchEvent(new FocusEvent("focusin", { bubbles: true }));
    await nextTick();
    const key = (word: string) => page.findAll("button").find((one) => one.text() === word)!;
    for (const digit of ["1", "2", "X", "4"]) await key(digit).trigger("click");
    expect(input.value).toBe("12X");
    await key("删一个").trigger("click");
    expect(input.value).toBe("12");
    expect(heard).toHaveBeenCalledTimes(4);
  });
});

describe("signature points", () => {
  it("stay inside the pad", () => {
    expect(toPoint(-5, 1000, -1)).toEqual([0, 420, 0]);
  });
});

describe("QrCode", () => {
  it("draws one path", () => {
    const page = mount(QrCode, { props: { text: "https://example.gov.cn/phone/#c=abc", label: "二维码" }, global });
    expect(page.find("path").attributes("d")?.length).toBeGreaterThan(500);
  });
});

describe("preferences on a booth", () => {
  it("are never stored and are forgotten with the visit", async () => {
    preferences.setElder(true);
    preferences.setLocale("en");
    await nextTick();
    expect(document.documentElement.hasAttribute("data-elder")).toBe(true);
    expect(localStorage.length).toBe(0);
    preferences.forget();
    await nextTick();
    expect(document.documentElement.lang).toBe("zh-CN");
    expect(document.documentElement.hasAttribute("data-elder")).toBe(false);
  });
});
