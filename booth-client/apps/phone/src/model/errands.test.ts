/** Appointments and messages: what is kept on the phone, one visit for all of it, one booking however often it is pressed. */
import { describe, expect, it } from "vitest";
import { networkProblem, type ApiClient, type AppointmentView, type CallBackView } from "@cloud-booth/api";
import { isBetween, isLast, ringEnds, secondsLeft } from "./callback.ts";
import { cleanCode, Errands, isMobile } from "./errands.ts";
import { shelf } from "./store.ts";

const later = new Date(Date.now() + 3_600_000).toISOString();
const view = (more: Partial<AppointmentView> = {}): AppointmentView => ({ id: "apt_1", hall: "hal_1", queue: "general", item: null, starts_at: later, ends_at: later, state: "booked", check_in_from: later, check_in_until: later, ticket: null, ...more });

function world(answer: (path: string, body: unknown) => unknown) {
  const map = new Map<string, string>();
  const phone = shelf(() => ({ getItem: (key: string) => map.get(key) ?? null, setItem: (key: string, value: string) => void map.set(key, value), removeItem: (key: string) => void map.delete(key) }) as unknown as Storage);
  const calls: string[] = [];
  const tokens: (string | null)[] = [];
  let visits = 0;
  const open = { post: async () => ({ visit: { id: `vis_${++visits}` }, access_token: `token-${visits}`, expires_at: later }) } as unknown as ApiClient;
  const client = (token: () => string | null): ApiClient =>
    ({
      post: async (path: string, body: unknown) => {
        calls.push(path);
        tokens.push(token());
        return answer(path, body);
      },
      get: async (path: string) => answer(path, null),
    }) as unknown as ApiClient;
  const make = (): Errands => new Errands({ open, client, phone, language: () => "zh-CN", elder: () => false });
  return { map, calls, tokens, make, visits: () => visits };
}

describe("errands", () => {
  it("opens one visit for several errands and finds it again after a reload", async () => {
    const { make, visits, tokens } = world(() => ({ appointment: view(), code: "7K2M9XQD", url: "/phone/#a=7K2M9XQD", qr_svg: "" }));
    const errands = make();
    await errands.book("hal_1", null, later, []);
    await errands.book("hal_1", null, later, []);
    expect(visits()).toBe(1);
    const again = make();
    expect(again.state.appointments).toEqual([{ code: "7K2M9XQD", view: view() }]);
    await again.book("hal_1", null, later, []);
    expect(visits()).toBe(1);
    expect(new Set(tokens)).toEqual(new Set(["token-1"]));
  });
  it("begins a new visit where the old one has ended, and in another hall", async () => {
    let isOver = true;
    const { make, visits } = world(() => {
      if (isOver) {
        isOver = false;
        throw networkProblem("token_expired", 401);
      }
      return view();
    });
    const errands = make();
    await errands.find("hal_1", "7k2m 9xqd");
    expect(visits()).toBe(2);
    await errands.find("hal_2", "7K2M9XQD");
    expect(visits()).toBe(3);
  });
  it("a refusal is handed on and nothing is kept", async () => {
    const { make, map } = world(() => {
      throw networkProblem("slot_full", 409);
    });
    const errands = make();
    await expect(errands.book("hal_1", null, later, [])).rejects.toMatchObject({ code: "slot_full" });
    expect(errands.state.appointments).toEqual([]);
    expect(map.has("cloud-booth.appointments")).toBe(false);
  });
  it("a cancelled appointment stays to be read until it is taken off the phone", async () => {
    const { make, calls } = world((path) => (path.endsWith("/cancel") ? view({ state: "cancelled" }) : { appointment: view(), code: "7K2M9XQD", url: "", qr_svg: "" }));
    const errands = make();
    await errands.cancel(await errands.book("hal_1", null, later, []));
    expect(calls.at(-1)).toBe("/appointments/apt_1/cancel");
    expect(errands.state.appointments[0]?.view.state).toBe("cancelled");
    errands.forget("apt_1");
    expect(make().state.appointments).toEqual([]);
  });
  it("looking at messages opens no visit", async () => {
    const { make, visits } = world(() => ({ items: [] }));
    await make().readRequests();
    expect(visits()).toBe(0);
  });
  it("knows codes and mobile numbers as people type them", () => {
    expect(cleanCode(" 7k2m-9xqd ")).toBe("7K2M9XQD");
    expect(isMobile("138 1234 5678")).toBe(true);
    expect(isMobile("1381234567")).toBe(false);
    expect(isMobile("0737123456")).toBe(false);
  });
});

describe("a call-back", () => {
  const back = (more: Partial<CallBackView>): CallBackView => ({ ticket: "tkt_2", state: "waiting", tries: 0, tries_max: 2, ring_until: null, next_try_at: null, session: null, ...more });
  const now = Date.parse("2026-11-23T02:00:00Z");
  const ringing = (until: string): CallBackView => back({ state: "ringing", tries: 1, ring_until: until });
  it("rings until its end, and counts whole seconds down from sixty", () => {
    const ends = ringEnds(ringing("2026-11-23T02:00:30Z"), now);
    expect(ends).toBe(now + 30_000);
    expect(secondsLeft(ends, now)).toBe(30);
    expect(secondsLeft(ends, now + 40_000)).toBe(0);
    expect(ringEnds(back({}), now)).toBeNull();
    expect(ringEnds(null, now)).toBeNull();
    // The way here took no time, the clocks differ by a little: never more than the ring is long.
    expect(secondsLeft(ringEnds(ringing("2026-11-23T02:01:00.900Z"), now), now)).toBe(60);
  });
  it("rings on a phone whose clock is wrong, for no longer than a ring", () => {
    expect(ringEnds(ringing("2026-11-23T01:10:00Z"), now)).toBe(now + 60_000);
    expect(ringEnds(ringing("2026-11-23T09:00:00Z"), now)).toBe(now + 60_000);
  });
  it("tells a missed try from the last one", () => {
    expect(isBetween(back({ tries: 1 }))).toBe(true);
    expect(isBetween(back({ tries: 0 }))).toBe(false);
    expect(isBetween(back({ tries: 2, state: "closed" }))).toBe(false);
    expect(isLast(back({ tries: 1, state: "ringing" }))).toBe(false);
    expect(isLast(back({ tries: 2, state: "ringing" }))).toBe(true);
  });
});
