// @vitest-environment jsdom
import { mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { nextTick } from "vue";
import { setUpLanguages } from "@cloud-booth/i18n";
import { ProblemError, type FieldView, type FormView, type Json } from "@cloud-booth/api";
import { FormPresence } from "./presence.ts";
import { FormWriter } from "./writer.ts";
import { readValue } from "./value.ts";
import FormRenderer from "./FormRenderer.vue";

const languages = setUpLanguages({ surface: "phone" });
const text = (zh: string) => ({ zh, en: zh });

function field(path: string, more: Partial<FieldView> = {}): FieldView {
  return {
    path, kind: "text", label: text(`标签${path}`), help: null, options: [], max_chars: 50, visible: true, required: true, writable: true, citizen_only: false,
    confirm_single: false, value: "值", masked: false, version: 1, origin: null, confirmed: false, changed_since_confirm: false, error: null, ...more,
  };
}
function form(fields: FieldView[][], more: Partial<FormView> = {}): FormView {
  return {
    item: "x", item_version: 1, title: text("事项"), version: 7, filled: 1, confirmed: 0, total: 2, errors: 0, ready_to_sign: false, prefills: [], signed: false,
    groups: fields.map((list, n) => ({ id: `g${n}`, title: text(`组${n}`), fields: list, confirmed: false, disputed: false })), ...more,
  };
}
const stale = (value: Json, version: number) => new ProblemError({ type: "x", title: "", status: 409, code: "stale_version", current: { path: "/a", value, version, by: "agent" } });
const show = (props: Record<string, unknown>) => mount(FormRenderer, { props: props as never, global: { plugins: [languages.i18n] }, attachTo: document.body });
const button = (page: ReturnType<typeof show>, word: string) => page.findAll("button").find((one) => one.text().includes(word))!;

beforeEach(() => {
  vi.useFakeTimers();
  globalThis.CSS ??= { escape: (value: string) => value } as typeof CSS;
});
afterEach(() => {
  vi.useRealTimers();
  document.body.innerHTML = "";
});

describe("FormWriter", () => {
  it("has one write under way a field, and the last value wins", async () => {
    const answers: ((version: number) => void)[] = [];
    const send = vi.fn(() => new Promise<number>((done) => answers.push(done)));
    const writer = new FormWriter(send);
    writer.set("/a", "一", 1);
    writer.set("/a", "一二", 1);
    writer.set("/a", "一二三", 1);
    expect(send).toHaveBeenCalledTimes(1);
    answers[0]?.(2);
    await vi.advanceTimersByTimeAsync(0);
    expect(send.mock.calls).toEqual([["/a", 1, "一"], ["/a", 2, "一二三"]]);
    answers[1]?.(3);
    await vi.advanceTimersByTimeAsync(0);
    expect(writer.fields.get("/a")).toMatchObject({ state: "saved", version: 3 });
  });

  it("lets the loser of a race choose", async () => {
    const send = vi.fn<(path: string, base: number, value: Json) => Promise<number>>().mockRejectedValueOnce(stale("他", 5)).mockResolvedValueOnce(6);
    const writer = new FormWriter(send);
    writer.set("/a", "我", 1);
    await vi.advanceTimersByTimeAsync(0);
    expect(writer.fields.get("/a")).toMatchObject({ state: "conflict", value: "我", current: { value: "他" } });
    writer.useMine("/a");
    await vi.advanceTimersByTimeAsync(0);
    expect(send).toHaveBeenLastCalledWith("/a", 5, "我");
    expect(writer.fields.get("/a")?.state).toBe("saved");
  });

  it("sees no conflict where both wrote the same", async () => {
    const writer = new FormWriter(() => Promise.reject(stale("同", 5)));
    writer.set("/a", "同", 1);
    await vi.advanceTimersByTimeAsync(0);
    expect(writer.fields.get("/a")).toMatchObject({ state: "saved", version: 5 });
  });
});

describe("FormPresence", () => {
  it("holds the soft lock three seconds after the last sign of typing", () => {
    const presence = new FormPresence(() => ({ name: "李工", role: "agent" }));
    presence.receive("mem_1", { kind: "typing", path: "/a", on: true });
    vi.advanceTimersByTime(2900);
    presence.receive("mem_1", { kind: "typing", path: "/a", on: true });
    vi.advanceTimersByTime(2900);
    expect(presence.fields.get("/a")?.typing).toBe(true);
    vi.advanceTimersByTime(200);
    expect(presence.fields.get("/a")).toMatchObject({ typing: false, name: "李工" });
    presence.receive("mem_1", { kind: "focus", path: "/b" });
    expect([...presence.fields.keys()]).toEqual(["/b"]);
    presence.leave("mem_1");
    expect(presence.fields.size).toBe(0);
  });
});

describe("FormRenderer", () => {
  it("shows the citizen one group, confirms with the version on the screen, and leads on once the server agrees", async () => {
    const view = form([[field("/a")], [field("/b")]]);
    const page = show({ form: view, mode: "citizen" });
    expect(page.text()).toContain("组0");
    expect(page.text()).not.toContain("组1");
    await button(page, "都对").trigger("click");
    expect(page.emitted("confirm")).toEqual([["g0", 7]]);
    expect(page.emitted("update:group")).toBeUndefined();
    await page.setProps({ form: { ...view, groups: view.groups.map((group, n) => ({ ...group, confirmed: n === 0 })) } });
    await nextTick();
    expect(page.emitted("update:group")).toEqual([[1]]);
  });

  it("does not let an empty required field be confirmed, and says why", async () => {
    const page = show({ form: form([[field("/a", { value: null })]]), mode: "citizen" });
    expect(button(page, "都对").attributes("aria-disabled")).toBe("true");
    await button(page, "都对").trigger("click");
    expect(page.emitted("confirm")).toBeUndefined();
  });

  it("opens the fields on 有不对的 and writes 400 ms after the last key against the version first seen", async () => {
    const send = vi.fn(async () => 9);
    const writer = new FormWriter(send);
    const view = form([[field("/a", { version: 3 })]]);
    const page = show({ form: view, mode: "citizen", writer });
    await button(page, "有不对的").trigger("click");
    expect(page.emitted("dispute")).toEqual([["g0"]]);
    const input = page.find("input");
    await input.trigger("focus");
    await input.setValue("新");
    // Another wrote meanwhile: the draft stays, and the base stays what the person saw.
    await page.setProps({ form: form([[field("/a", { version: 4, value: "他" })]]) });
    expect((input.element as HTMLInputElement).value).toBe("新");
    await vi.advanceTimersByTimeAsync(399);
    expect(send).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(send).toHaveBeenCalledWith("/a", 3, "新");
  });

  it("locks the agent while the citizen types, never the citizen", async () => {
    const presence = new FormPresence(() => ({ name: "王*某", role: "citizen" }));
    presence.receive("mem_2", { kind: "typing", path: "/a", on: true });
    const page = show({ form: form([[field("/a")]]), mode: "agent", presence, writer: new FormWriter(async () => 2) });
    expect(page.find("input").attributes("readonly")).toBeDefined();
    expect(page.text()).toContain("王*某正在填");
    await vi.advanceTimersByTimeAsync(3001);
    expect(page.find("input").attributes("readonly")).toBeUndefined();
  });

  it("names a wrong value at its field and hides what the server hides", () => {
    const page = show({
      form: form([[field("/a", { error: { code: "id_number_length", message: text("身份证号应为18位") } }), field("/b", { visible: false, label: text("看不见") }), field("/c", { masked: true, value: "4290**********1513" })]]),
      mode: "agent",
    });
    const input = page.find("#field-a");
    expect(page.find(`#${input.attributes("aria-describedby")}`).text()).toContain("身份证号应为18位");
    expect(page.text()).not.toContain("看不见");
    expect(page.text()).toContain("已隐藏，末四位一五一三");
  });
});

describe("readValue", () => {
  it("cleans what people type", () => {
    expect(readValue(field("/a", { kind: "id_number" }), " 11010519491231002x ")).toBe("11010519491231002X");
    expect(readValue(field("/a", { kind: "mobile" }), "138 1234-5678")).toBe("13812345678");
    expect(["19900307", "1990年3月7日", "1990-03-07"].map((text) => readValue(field("/a", { kind: "date" }), text))).toEqual(Array(3).fill("1990-03-07"));
    expect(readValue(field("/a", { kind: "integer" }), "12")).toBe(12);
    expect(readValue(field("/a"), "  ")).toBeNull();
  });
});
