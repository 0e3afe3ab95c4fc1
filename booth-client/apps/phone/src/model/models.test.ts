/** The small models: arrival by QR code, kept cases, dialogue, queue words, corrections. */
import { describe, expect, it } from "vitest";
import { networkProblem, ProblemError, type ApiClient, type CaseView, type FieldView, type SessionEvent, type TicketView } from "@cloud-booth/api";
import { arrive, arrived, codeOf } from "./arrival.ts";
import { Cases, turnOf } from "./cases.ts";
import { addEvent, addOwn, mark, type ChatLine } from "./chat.ts";
import { isAnswered, openPoints, planOf, samePath, valuesOf, type Draft } from "./correction.ts";
import { shelf, type Shelf } from "./store.ts";
import { ESTIMATE_EVERY_MS, isOverdue, nextEstimate } from "./wait.ts";

function memory(): Shelf & { map: Map<string, string> } {
  const map = new Map<string, string>();
  const storage = { getItem: (key: string) => map.get(key) ?? null, setItem: (key: string, value: string) => void map.set(key, value), removeItem: (key: string) => void map.delete(key) };
  return { ...shelf(() => storage as unknown as Storage), map };
}
const caseView = (more: Partial<CaseView> = {}): CaseView => ({ id: "cas_1", version: 1, state: "in_review", actions: [], materials: [], form: null, correction: null, ...more }) as CaseView;

describe("arrival", () => {
  it("takes the code out of the address at once and keeps it for a reload", () => {
    const tab = memory();
    const seen: string[] = [];
    const history = { replaceState: (_data: unknown, _title: string, url?: string | URL | null) => void seen.push(String(url)) };
    const first = arrive(tab, { hash: "#c=Ab-9_x", pathname: "/phone/", search: "" }, history);
    expect(first?.code).toBe("Ab-9_x");
    expect(seen).toEqual(["/phone/"]);
    const again = arrive(tab, { hash: "", pathname: "/phone/", search: "" }, history);
    expect(again).toEqual(first);
    arrived(tab);
    expect(arrive(tab, { hash: "", pathname: "/phone/", search: "" }, history)).toBeNull();
  });
  it("knows what kind of code it is", () => {
    expect(codeOf("#t=abc")).toEqual({ kind: "ticket", code: "abc" });
    expect(codeOf("#a=7K2M9XQD")).toEqual({ kind: "appointment", code: "7K2M9XQD" });
    expect(codeOf("#g=abc")).toEqual({ kind: "guest", code: "abc" });
    expect(codeOf("#h=hal_1")).toEqual({ kind: "hall", code: "hal_1" });
  });
  it("takes nothing that is no code", () => {
    expect(codeOf("#main")).toBeNull();
    expect(codeOf("#c=")).toBeNull();
    expect(codeOf("#c=<script>")).toBeNull();
    expect(codeOf(`#c=${"a".repeat(300)}`)).toBeNull();
  });
});

describe("cases", () => {
  const later = new Date(Date.now() + 60_000).toISOString();
  function set(answers: Record<string, unknown> = {}) {
    const tab = memory();
    const phone = memory();
    const api = {
      post: async () => ({ access_token: "secret-token", expires_at: later, case: caseView() }),
      get: async () => {
        if (answers.get instanceof Error) throw answers.get;
        return answers.get;
      },
    } as unknown as ApiClient;
    const make = (): Cases => new Cases({ tab, phone, open: api, client: () => api });
    return { tab, phone, make };
  }
  it("keeps a token in the tab, and on the phone only when asked", async () => {
    const { tab, phone, make } = set();
    const cases = make();
    await cases.exchange({ code: "c", key: "k" });
    expect([...tab.map.values()].join()).toContain("secret-token");
    expect(phone.map.size).toBe(0);
    cases.remember("cas_1", true);
    expect([...phone.map.values()].join()).toContain("secret-token");
    expect(tab.map.size).toBe(0);
    expect(make().find("cas_1")?.remembered).toBe(true);
    cases.forget("cas_1");
    expect(phone.map.size + tab.map.size).toBe(0);
  });
  it("stores no view: those hold personal data", async () => {
    const { tab, phone, make } = set();
    const cases = make();
    await cases.exchange({ code: "c", key: "k" });
    cases.put(caseView({ version: 2, applicant_masked: "王*某" }));
    cases.remember("cas_1", true);
    expect(JSON.stringify([...tab.map, ...phone.map])).not.toContain("王*某");
  });
  it("never replaces a newer view by an older one", async () => {
    const { make } = set();
    const cases = make();
    await cases.exchange({ code: "c", key: "k" });
    cases.put(caseView({ version: 5, state: "issued" }));
    cases.put(caseView({ version: 4, state: "in_review" }));
    expect(cases.find("cas_1")?.view?.state).toBe("issued");
  });
  it("says that a pass is over only when the server says so", async () => {
    const lost = set({ get: networkProblem("network") });
    const one = lost.make();
    await one.exchange({ code: "c", key: "k" });
    await one.refresh("cas_1");
    expect(one.find("cas_1")?.is_over).toBe(false);
    expect(one.find("cas_1")?.view).not.toBeNull();
    const ended = set({ get: new ProblemError({ type: "", title: "", status: 401, code: "token_expired" }) });
    const two = ended.make();
    await two.exchange({ code: "c", key: "k" });
    await two.refresh("cas_1");
    expect(two.find("cas_1")?.is_over).toBe(true);
  });
  it("drops passes that ran out while the page was closed", () => {
    const { phone, make } = set();
    phone.write("cloud-booth.cases", [{ id: "cas_1", token: "t", expires_at: "2020-01-01T00:00:00Z" }]);
    expect(make().entries).toHaveLength(0);
    expect(phone.map.size).toBe(0);
  });
  it("knows whose turn it is", () => {
    expect(turnOf(caseView({ state: "correction", actions: ["reply"] }))).toBe("you");
    expect(turnOf(caseView())).toBe("them");
    expect(turnOf(caseView({ state: "refused" }))).toBe("over");
  });
});

describe("chat", () => {
  const event = (seq: number, actor: string, text: string): SessionEvent & { body: { kind: "chat"; text: string } } => ({ seq, at: "2026-11-21T01:00:00Z", actor, body: { kind: "chat", text } });
  it("shows an own message once, whichever of entry and answer comes first", () => {
    let lines: ChatLine[] = addOwn([], "own-1", "您好", "2026-11-21T01:00:00Z");
    lines = mark(lines, "own-1", "sent");
    lines = addEvent(lines, event(4, "me", "您好"), "me");
    expect(lines).toHaveLength(1);
    expect(lines[0]?.id).toBe("seq-4");
    expect(addEvent(lines, event(4, "me", "您好"), "me")).toHaveLength(1);
  });
  it("keeps what is on its way below what has arrived", () => {
    let lines = addOwn([], "own-1", "在吗", "2026-11-21T01:00:00Z");
    lines = addEvent(lines, event(2, "agent", "请讲"), "me");
    expect(lines.map((line) => line.id)).toEqual(["seq-2", "own-1"]);
  });
});

describe("queue", () => {
  it("changes the estimate at most once in thirty seconds", () => {
    const a = { low_s: 60, high_s: 120, recent_error_s: null };
    const b = { low_s: 120, high_s: 300, recent_error_s: null };
    const first = nextEstimate(null, a, 0);
    expect(nextEstimate(first, b, ESTIMATE_EVERY_MS - 1).estimate).toEqual(a);
    expect(nextEstimate(first, b, ESTIMATE_EVERY_MS).estimate).toEqual(b);
  });
  it("admits when it takes longer", () => {
    const ticket = { enqueued_at: "2026-11-21T01:00:00Z" } as TicketView;
    const at = Date.parse(ticket.enqueued_at);
    expect(isOverdue(ticket, 300, at + 299_000)).toBe(false);
    expect(isOverdue(ticket, 300, at + 301_000)).toBe(true);
    expect(isOverdue(ticket, null, at + 9_999_000)).toBe(false);
  });
});

describe("correction", () => {
  const field = { path: "/contact/mobile", value: "138****5678", masked: true, writable: false, visible: true, error: null } as unknown as FieldView;
  const view = caseView({
    form: { groups: [{ fields: [field] }] } as unknown as CaseView["form"],
    correction: { at: "", due_on: "2026-10-12", answered_at: null, points: [{ target: "/contact/mobile", text: { zh: "a", en: "a" } }, { target: "purpose-proof", text: { zh: "b", en: "b" } }, { text: { zh: "c", en: "c" } }] },
  });
  it("tells fields, papers and general points apart; masked stars are no value", () => {
    const plans = planOf(view);
    expect(plans.map((plan) => plan.kind)).toEqual(["field", "material", "general"]);
    expect(plans[0]?.kind === "field" && plans[0].field.value).toBeNull();
  });
  it("is answered only by a change, a paper, a word", () => {
    const plans = planOf(view);
    const draft: Draft = { values: new Map(), sent: new Set(), note: "" };
    expect(plans.filter((plan) => isAnswered(plan, draft))).toHaveLength(0);
    draft.values.set("/contact/mobile", "13800001234").set("/applicant/name", "别人");
    draft.sent.add("purpose-proof");
    draft.note = "已补";
    expect(openPoints(plans, { values: new Map(), sent: new Set(), note: "" })).toHaveLength(3);
    expect(openPoints(plans, { values: new Map(), sent: new Set(), note: "暂时没有" })).toHaveLength(0);
    expect(samePath("contact.mobile", "/contact/mobile")).toBe(true);
    expect(samePath("contact.mobile", "/contact/mobile2")).toBe(false);
    expect(plans.every((plan) => isAnswered(plan, draft))).toBe(true);
    expect(valuesOf(plans, draft)).toEqual([{ path: "/contact/mobile", value: "13800001234" }]);
  });
});
