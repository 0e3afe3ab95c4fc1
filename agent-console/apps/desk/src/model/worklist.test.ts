import { expect, test, vi } from "vitest";
import { ProblemError, type ApiClient, type NoticeView, type RequestItem, type SlotList } from "@cloud-booth/api";
import { Notices } from "./notices.ts";
import { beijingDay, bookedOf, WorkList } from "./worklist.ts";

const slot = (from: string, capacity: number, left: number) => ({ from, to: from, capacity, left });
const item = (id: string): RequestItem => ({ id, state: "open", queue: "general", item: null, created_at: "2026-11-21T01:00:00Z", claimed_by: null });

test("only slots in which somebody is booked, in the order of the day", () => {
  const lists: SlotList[] = [
    { queue: "police", date: "", items: [slot("2026-11-21T03:00:00Z", 2, 1), slot("2026-11-21T04:00:00Z", 2, 2)] },
    { queue: "general", date: "", items: [slot("2026-11-21T02:00:00Z", 4, 0)] },
  ];
  expect(bookedOf(lists).map((one) => [one.queue, one.n])).toEqual([["general", 4], ["police", 1]]);
});

test("the day is Beijing's", () => {
  expect(beijingDay(Date.parse("2026-11-21T16:30:00Z"))).toBe("2026-11-22");
});

test("the answer under way survives a reload of the list; done or put back, nothing of the person stays", async () => {
  const get = vi.fn((path: string) => Promise.resolve(path === "/requests" ? { items: [item("req_2")] } : { queue: "general", date: "", items: [] }));
  const post = vi.fn((path: string) => Promise.resolve(path.endsWith("claim") ? { request: item("req_1"), text: "想问", contact: "13800000000" } : item("req_1")));
  const work = new WorkList(() => ({ get, post }) as unknown as ApiClient);
  await work.load("hal_1", ["general", "lang:en"], 0);
  await work.claim("req_1");
  work.answer.value = "写到一半";
  await work.load("hal_1", ["general"], 0);
  expect(work.held.value?.contact).toBe("13800000000");
  expect(work.answer.value).toBe("写到一半");
  await work.giveBack();
  expect(work.requests.value.map((one) => one.id)).toEqual(["req_1", "req_2"]);
  expect([work.held.value, work.answer.value]).toEqual([null, ""]);
  // A language is no queue: nothing is booked for it.
  expect(get.mock.calls.filter(([path]) => path.endsWith("/slots"))).toHaveLength(2);
});

test("a list that did not load says so and keeps what it had", async () => {
  const get = vi.fn((path: string) => (path === "/requests" ? Promise.reject(new ProblemError({ type: "x", title: "x", status: 500, code: "internal" } as never)) : Promise.resolve({ queue: "", date: "", items: [] })));
  const work = new WorkList(() => ({ get }) as unknown as ApiClient);
  work.requests.value = [item("req_1")];
  await work.load("hal_1", [], 0);
  expect([work.state.value, work.requests.value.length]).toEqual(["failed", 1]);
});

test("a notice that is sent again is told once; read ones are not told", async () => {
  const post = vi.fn(() => Promise.resolve({}));
  const notices = new Notices(() => ({ post }) as unknown as ApiClient);
  const notice: NoticeView = { id: "ntc_1", seat: "sea_1", from: "周宁", at: "2026-11-21T01:00:00Z", text: "请回到就绪", read_at: null };
  expect(notices.hear(notice)).toBe(true);
  expect(notices.hear(notice)).toBe(false);
  expect(notices.hear({ ...notice, id: "ntc_2", read_at: notice.at })).toBe(false);
  await notices.read("ntc_1");
  expect(notices.unread.value).toEqual([]);
  expect(post).toHaveBeenCalledWith("/notices/ntc_1/read");
});
