// @vitest-environment jsdom
import { flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { nextTick } from "vue";
import { networkProblem, type ApiClient, type RecordingLine, type ReplayLeg as Leg, type ReplayView } from "@cloud-booth/api";
import { setUpLanguages } from "@cloud-booth/i18n";
import messages from "./messages.json";
import RecordingsDesk from "./RecordingsDesk.vue";
import { TYPING_MS } from "./recordings.model.ts";
import ReplayLeg from "./ReplayLeg.vue";

const global = { plugins: [setUpLanguages({ surface: "console", messages }).i18n] };
const line = (id: string, more: Partial<RecordingLine> = {}): RecordingLine => ({
  id, session: "ses_1", hall: "hal_1", case: null, case_number: null, item_title: { zh: "异地就医备案", en: "Off-site" }, agent: { zh: "李工", en: "Li" }, state: "sealed", started_at: "2026-11-22T01:00:00Z", ended_at: "2026-11-22T01:10:00Z",
  end_reason: "finished", duration_ms: 600_000, gaps: 2, held: false, hold_reason: null, delete_at: "2027-02-20T01:10:00Z", version: 3, ...more,
});
const replay: ReplayView = { id: "rpl_1", expires_at: "2026-11-22T04:00:00Z", recording: line("rec_1"), started_at: "2026-11-22T01:00:00Z", duration_ms: 600_000, legs: [], timeline: [], integrity: "valid", can_export: false, export: null };

beforeEach(() => {
  HTMLDialogElement.prototype.show ??= function (this: HTMLDialogElement) { this.open = true; };
  HTMLDialogElement.prototype.showModal ??= HTMLDialogElement.prototype.show;
  HTMLDialogElement.prototype.close ??= function (this: HTMLDialogElement) { this.open = false; };
});
afterEach(() => {
  document.body.innerHTML = "";
  vi.restoreAllMocks();
});

function desk(items: RecordingLine[] | Error, props: Record<string, unknown> = {}) {
  const sent: [string, unknown][] = [];
  const asked: Record<string, unknown>[] = [];
  const api = {
    get: async (path: string, options?: { query?: Record<string, unknown> }) => {
      if (path !== "/recordings") return replay;
      asked.push(options?.query ?? {});
      if (items instanceof Error) throw items;
      return { items, next: null };
    },
    post: async (path: string, body: unknown) => (sent.push([path, body]), replay),
    put: async (path: string, body: unknown) => (sent.push([path, body]), items),
  } as unknown as ApiClient;
  return { page: mount(RecordingsDesk, { props: { api, hall: "hal_1", mayHold: true, ...props }, global, attachTo: document.body }), sent, asked };
}
const id = (page: ReturnType<typeof desk>["page"], name: string) => page.find(`[data-testid="${name}"]`);

describe("the list", () => {
  it("says what each is: gaps, until when it is kept, and why one cannot be replayed", async () => {
    const { page } = desk([line("rec_1"), line("rec_2", { state: "deleted" }), line("rec_3", { held: true, hold_reason: "有人投诉" }), line("rec_4", { state: "live", ended_at: null, duration_ms: null, gaps: null, delete_at: null })]);
    await flushPromises();
    expect(id(page, "recording-rec_1").text()).toContain("2027年2月20日删除");
    expect(id(page, "replay-rec_1").attributes("disabled")).toBeUndefined();
    expect(id(page, "recording-rec_2").text()).toContain("已删除，密钥已销毁");
    expect(id(page, "replay-rec_2").attributes("disabled")).toBeDefined();
    expect(id(page, "recording-rec_3").text()).toContain("有人投诉");
    expect(id(page, "recording-rec_4").text()).toContain("还在录");
  });
  it("empty, narrowed to nothing, and failed are three things", async () => {
    const { page, asked } = desk([]);
    await flushPromises();
    expect(id(page, "recordings-empty").text()).toBe("还没有录像");
    await id(page, "filter-held").setValue(true);
    await flushPromises();
    expect(asked.at(-1)).toMatchObject({ hall: "hal_1", held: true });
    expect(id(page, "recordings-empty").text()).toContain("没有符合的");
    const failed = desk(networkProblem("network"));
    await flushPromises();
    expect(id(failed.page, "recordings-error").text()).toContain("网络断了");
  });
  it("looks for a case's number among all, once it is typed", async () => {
    vi.useFakeTimers();
    const { page, asked } = desk([line("rec_1")]);
    await flushPromises();
    for (const typed of ["0", "00", "0007 "]) await id(page, "filter-number").setValue(typed);
    vi.advanceTimersByTime(TYPING_MS - 1);
    expect(asked).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(asked.slice(1)).toMatchObject([{ hall: "hal_1", number: "0007", before: null }]);
    // What the server found is shown as it is, and Enter waits for nothing.
    await flushPromises();
    expect(id(page, "recording-rec_1").exists()).toBe(true);
    await id(page, "filter-number").setValue("0008");
    await page.find("form.filters").trigger("submit");
    expect(asked.at(-1)).toMatchObject({ number: "0008" });
    vi.advanceTimersByTime(TYPING_MS);
    expect(asked).toHaveLength(3);
    await id(page, "filter-number").setValue("");
    expect(asked.at(-1)).toMatchObject({ number: null });
    page.unmount();
    vi.useRealTimers();
  });
  it("of a case asks for the case alone", async () => {
    const { page, asked } = desk([], { caseId: "cas_1", plain: true, mayHold: false });
    await flushPromises();
    expect(asked[0]).toMatchObject({ hall: null, case: "cas_1" });
    expect(id(page, "recordings-empty").text()).toBe("这一件没有录像");
    expect(id(page, "filter-from").exists()).toBe(false);
  });
});

describe("a replay", () => {
  it("is not opened without a purpose, and is opened with it", async () => {
    const { page, sent } = desk([line("rec_1")]);
    await flushPromises();
    await id(page, "replay-rec_1").trigger("click");
    await nextTick();
    await id(page, "act-do").trigger("submit");
    await flushPromises();
    expect(sent).toEqual([]);
    expect(id(page, "act-sheet").text()).toContain("请先写用途");
    await id(page, "purpose").setValue("  复核本件 ");
    await page.find("form#act").trigger("submit");
    await flushPromises();
    expect(sent).toEqual([["/recordings/rec_1/replays", { purpose: "复核本件" }]]);
    expect(id(page, "replay-room").attributes("data-integrity")).toBe("valid");
    expect(page.text()).toContain("没有装转换程序");
    page.unmount();
  });
  it("is held over the version that was seen, with a reason", async () => {
    const { page, sent } = desk([line("rec_1")]);
    await flushPromises();
    await id(page, "hold-rec_1").trigger("click");
    await nextTick();
    await page.find("form#act").trigger("submit");
    expect(sent).toEqual([]);
    await id(page, "hold-reason").setValue("有人投诉");
    await page.find("form#act").trigger("submit");
    await flushPromises();
    expect(sent).toEqual([["/recordings/rec_1/hold", { on: true, reason: "有人投诉", version: 3 }]]);
  });
});

describe("one leg", () => {
  const part = (from_ms: number, to_ms: number, video = true) => ({ src: `/p/${from_ms}`, content_type: "video/webm", from_ms, to_ms, video, width: 640, height: 480 });
  const leg: Leg = { leg: 1, member: "mem_1", name: { zh: "李工", en: "Li" }, role: "agent", source: "camera", parts: [part(0, 5_000), part(5_000, 20_000)], gaps: [{ media: null, from_ms: 10_000, to_ms: 12_000, reason: "loss" }] };
  function begin() {
    const play = vi.spyOn(HTMLMediaElement.prototype, "play").mockResolvedValue();
    const pause = vi.spyOn(HTMLMediaElement.prototype, "pause").mockReturnValue();
    const reload = vi.spyOn(HTMLMediaElement.prototype, "load").mockReturnValue();
    let ready = 0;
    let isPaused = true;
    vi.spyOn(HTMLMediaElement.prototype, "readyState", "get").mockImplementation(() => ready);
    vi.spyOn(HTMLMediaElement.prototype, "paused", "get").mockImplementation(() => isPaused);
    vi.spyOn(HTMLMediaElement.prototype, "duration", "get").mockReturnValue(5.01);
    const page = mount(ReplayLeg, { props: { leg, duration: 20_000 }, global });
    const { sync } = page.vm as unknown as { sync: (at: number, running: boolean, rate: number) => boolean };
    return { page, sync, play, pause, reload, load: () => (ready = 4), runs: (now: boolean) => (isPaused = !now) };
  }
  it("is not ready before its bytes are there; then it plays where the clock is", async () => {
    const { page, sync, play, load } = begin();
    expect(sync(1_000, true, 1)).toBe(false);
    await nextTick();
    expect(sync(1_000, true, 1)).toBe(false);
    load();
    expect(sync(3_000, true, 1.5)).toBe(true);
    const [video] = page.findAll("video");
    expect([video?.attributes("src"), video?.element.currentTime, video?.element.playbackRate, play.mock.calls.length]).toEqual(["/p/0", 3, 1.5, 1]);
  });
  it("stops and goes to its place in the last moment of a part as well, and does not begin it anew", async () => {
    const { page, sync, play, pause, load, runs } = begin();
    load();
    sync(1_000, true, 1);
    await nextTick();
    const [video] = page.findAll("video");
    if (video) video.element.currentTime = 1;
    runs(true);
    // Stopped: nothing goes on behind the clock.
    expect(sync(4_990, false, 1)).toBe(true);
    expect([pause.mock.contexts.includes(video?.element), video?.element.currentTime]).toEqual([true, 4.99]);
    // A jump there while it plays.
    if (video) video.element.currentTime = 1;
    expect(sync(4_970, true, 1)).toBe(true);
    expect(video?.element.currentTime).toBe(4.97);
    // Ended by itself: played again it would begin at its start.
    runs(false);
    play.mockClear();
    expect(sync(4_995, true, 1)).toBe(true);
    expect(play).not.toHaveBeenCalled();
  });
  it("a part that failed while it warmed up says so when it is its turn, and can be tried again", async () => {
    const { page, sync, reload, load } = begin();
    load();
    sync(2_000, false, 1);
    await nextTick();
    await page.findAll("video")[1]?.trigger("error");
    expect([page.emitted("failed"), page.find("[data-testid=leg-card]").exists()]).toEqual([undefined, false]);
    // The others are not held up by it.
    expect(sync(6_000, true, 1)).toBe(true);
    await nextTick();
    expect(page.emitted("failed")).toHaveLength(1);
    expect(page.find("[data-testid=leg-card]").text()).toContain("没有取到");
    const failed = page.find("video").element;
    expect([failed.getAttribute("src"), failed.style.display]).toEqual(["/p/5000", "none"]);
    await page.find("[data-testid=again-1]").trigger("click");
    expect([reload.mock.contexts.at(-1) === failed, page.find("[data-testid=leg-card]").exists()]).toEqual([true, false]);
    await page.find("video").trigger("error");
    expect(page.find("[data-testid=leg-card]").exists()).toBe(true);
  });
  it("warms the next part up before it comes, and says what is missing", async () => {
    const { page, sync, load } = begin();
    load();
    sync(2_000, false, 1);
    await nextTick();
    expect(page.findAll("video").map((one) => one.attributes("src"))).toEqual(["/p/0", "/p/5000"]);
    sync(11_000, false, 1);
    await nextTick();
    expect([page.find("figure").attributes("data-shown"), page.find("[data-testid=leg-card]").text()]).toEqual(["gap", "▲ 这里没有录上：网络丢包"]);
    sync(25_000, false, 1);
    await nextTick();
    expect(page.find("[data-testid=leg-card]").text()).toContain("已经离开");
  });
});
