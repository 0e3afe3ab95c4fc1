import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { nextTick } from "vue";
import type { Command, SeatView } from "@cloud-booth/api";
import { Emitter, type SignalEvents } from "@cloud-booth/signal";
import { Desk } from "./desk.ts";
import type { SeatLine } from "./line.ts";
import { speakWith } from "./speak.ts";

/** One connection of the page, as the test drives it. */
const lines = new Map<string, InstanceType<typeof Fake>>();
const { Fake } = await vi.hoisted(async () => {
  const { Emitter } = await import("../../../../../web/signal/src/emitter.ts");
  class Fake {
    readonly events = new Emitter<SignalEvents>();
    readonly sent: Command[] = [];
    isDisposed = false;
    on<Name extends keyof SignalEvents>(name: Name, listener: (value: SignalEvents[Name]) => void) {
      return this.events.on(name, listener);
    }
    watchSeat(seat: string): void {
      lines.set(seat, this);
    }
    start(): void {}
    hint(): void {}
    forget(): void {}
    again(): Promise<void> {
      return Promise.resolve();
    }
    join(): Promise<void> {
      return Promise.resolve();
    }
    command(command: Command): Promise<unknown> {
      this.sent.push(command);
      return Promise.resolve({ kind: "done" });
    }
    dispose(): void {
      this.isDisposed = true;
    }
  }
  return { Fake };
});
vi.mock("@cloud-booth/signal", async (original) => ({ ...(await original<object>()), SignalClient: Fake }));

let version = 0;
const seat = (id: string, change: object = {}): SeatView =>
  ({ id, version: (version += 1), hall: "hal", name: { zh: id, en: id }, state: "ready", since: "2026-11-22T01:00:00Z", staff: "stf", skills: ["general"], away_reason: null, session: null, offer: null, invite: null, forced: null,
    waiting: 0, longest_wait_s: 0, wrap_up_session: null, wrap_up_until: null, auto_answer: false, wrap_up_extended: false, lane: 0, main: null, text: true, lanes: [], ...change }) as unknown as SeatView;
const LANES = [{ seat: "sea_t1", lane: 1 }, { seat: "sea_t2", lane: 2 }];
const main = (change: object = {}): SeatView => seat("sea", { lanes: LANES, ...change });
const lane = (n: number, change: object = {}): SeatView => seat(`sea_t${n}`, { lane: n, main: "sea", ...change });
const offer = (n: number) => ({ pairing: `pai_${n}`, ticket: `tic_${n}`, number: `A00${n}`, mode: "text", item: null, item_title: null, offered_at: `2026-11-22T01:00:0${n}Z`, due_at: "2026-11-22T01:00:30Z", call_back: false, calling_until: null });

let desk: Desk;
const answer = (path: string): Promise<unknown> => Promise.resolve(path.endsWith("/open") ? main() : {});
const post = vi.fn(answer);
const say = (id: string, view: SeatView): void => lines.get(id)?.events.emit("seat", view);
const laneOf = (n: number): SeatLine => desk.lines.value[n] as SeatLine;
const shown = (): number => desk.line.value?.lane ?? -1;

beforeEach(async () => {
  speakWith((key, values) => [key, ...Object.values(values ?? {})].join(" "));
  post.mockReset().mockImplementation(answer);
  desk = new Desk();
  vi.spyOn(desk, "media", "get").mockReturnValue({ state: { mic_on: true, camera_on: true }, events: new Emitter() } as never);
  vi.spyOn(desk.account.api, "post").mockImplementation(post as never);
  await desk.openSeat("sea", ["general"], false, { text: true });
});
afterEach(() => {
  desk.dispose();
  lines.clear();
});

test("each lane that the seat names has a connection of its own, and none when it is gone", () => {
  expect(post.mock.calls[0]).toEqual(["/seats/sea/open", { skills: ["general"], take_over: false, text: true }]);
  expect(desk.lines.value.map((line) => [line.id, line.lane])).toEqual([["sea", 0], ["sea_t1", 1], ["sea_t2", 2]]);
  const kept = laneOf(1);
  say("sea", main({ lanes: LANES.slice(0, 1) }));
  expect(desk.lines.value).toEqual([desk.main.value, kept]);
  expect([lines.get("sea_t1")?.isDisposed, lines.get("sea_t2")?.isDisposed]).toEqual([false, true]);
});

test("a ring takes nothing off the screen; the press that answers it brings it up", async () => {
  say("sea_t1", lane(1, { state: "ringing", offer: offer(1) }));
  say("sea", main({ state: "busy", away_reason: "text" }));
  await nextTick();
  expect([shown(), desk.isTexting.value, desk.bell.title.value]).toEqual([0, true, "● ring.textTitle A001 · lane.name 1"]);
  post.mockResolvedValueOnce({ session: "ses_1" });
  await laneOf(1).accept();
  expect([shown(), laneOf(1).session.value?.id, desk.bell.title.value]).toEqual([1, "ses_1", ""]);
  // The second waits in the strip until it is asked for.
  say("sea_t2", lane(2, { state: "ringing", offer: offer(2) }));
  expect([shown(), desk.ringing.value.map((line) => line.lane)]).toEqual([1, [2]]);
});

test("two that ring: the one that rang first is answered first, and the bell goes on for the other", () => {
  say("sea_t2", lane(2, { state: "ringing", offer: offer(1) }));
  say("sea_t1", lane(1, { state: "ringing", offer: offer(2) }));
  expect(desk.ringing.value.map((line) => line.lane)).toEqual([2, 1]);
  say("sea_t1", lane(1));
  expect([desk.bell.title.value, desk.ringing.value.length]).toEqual(["● ring.textTitle A001 · lane.name 2", 1]);
});

test("put through by itself, a conversation comes up only where nobody is served", async () => {
  post.mockResolvedValue({ session: "ses_1" });
  say("sea_t1", lane(1, { state: "ringing", offer: offer(1), auto_answer: true }));
  await vi.waitFor(() => expect(laneOf(1).session.value?.id).toBe("ses_1"));
  expect(shown()).toBe(1);
  post.mockResolvedValue({ session: "ses_2" });
  say("sea_t2", lane(2, { state: "ringing", offer: offer(2), auto_answer: true }));
  await vi.waitFor(() => expect(laneOf(2).session.value?.id).toBe("ses_2"));
  expect(shown()).toBe(1);
});

test("what is written and open stays with its conversation; the end of one brings up the other", async () => {
  say("sea_t1", lane(1, { state: "busy", session: "ses_1" }));
  say("sea_t2", lane(2, { state: "busy", session: "ses_2" }));
  await nextTick();
  const [first, second] = [laneOf(1), laneOf(2)];
  desk.choose(first);
  if (first.session.value) first.session.value.draft.value = "写到一半";
  first.ui.panel.value = 3;
  desk.choose(second);
  expect([second.ui.panel.value, second.session.value?.draft.value]).toEqual([1, ""]);
  desk.choose(first);
  expect([first.ui.panel.value, first.session.value?.draft.value]).toEqual([3, "写到一半"]);
  say("sea_t1", lane(1, { state: "wrap_up", wrap_up_session: "ses_1" }));
  expect(shown()).toBe(1);
  say("sea_t1", lane(1));
  expect([shown(), first.session.value, second.session.value?.id]).toEqual([2, null, "ses_2"]);
  say("sea_t2", lane(2));
  expect(shown()).toBe(0);
});

test("leaving while people write waits for the last of them; then the page goes back to the choice", async () => {
  vi.spyOn(desk, "loadSeats").mockResolvedValue();
  desk.account.staff.value = { id: "stf", name: "李工" } as never;
  const forced = { state: "offline", reason: "close", by: "李工", at: "2026-11-22T01:00:00Z", after_session: true };
  post.mockResolvedValueOnce(main({ state: "busy", away_reason: "text", forced }));
  await desk.close();
  expect(desk.phase.value).toBe("work");
  say("sea", main({ state: "offline", lanes: [], forced: null }));
  await vi.waitFor(() => expect(desk.phase.value).toBe("seat"));
  expect([...lines.values()].every((line) => line.isDisposed)).toBe(true);
});

test("only the seat's own connection says that the seat is held elsewhere", () => {
  lines.get("sea_t1")?.events.emit("superseded", { seat: "sea_t1", session: null });
  expect(desk.phase.value).toBe("work");
  lines.get("sea")?.events.emit("superseded", { seat: "sea", session: null });
  expect([desk.phase.value, desk.lines.value.length]).toEqual(["superseded", 0]);
});
