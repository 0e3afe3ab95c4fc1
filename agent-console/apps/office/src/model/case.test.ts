import { describe, expect, it } from "vitest";
import { ApiClient, type CaseView } from "@cloud-booth/api";
import { OpenCase } from "./case.ts";
import { drafts } from "./drafts.ts";

const json = (body: unknown, status = 200): Response => new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
const problem = (code: string, status: number): Response => json({ type: "x", title: code, status, code }, status);
const view = (version: number): CaseView => ({ id: "c1", item: "i1", version, state: "in_review", actions: ["grant"] }) as unknown as CaseView;

function set(post: (call: { version: number; key: string }) => Response | Error) {
  const calls: { path: string; version: number; key: string }[] = [];
  let version = 7;
  const fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const path = String(input);
    if (init?.method === "POST") {
      const call = { path, version: (JSON.parse(String(init.body)) as { version: number }).version, key: new Headers(init.headers).get("idempotency-key") ?? "" };
      calls.push(call);
      const answer = post(call);
      if (answer instanceof Error) throw answer;
      return answer;
    }
    return path.includes("/items/") ? json({ id: "i1" }) : json(view(version));
  };
  return { open: new OpenCase(new ApiClient({ fetch: fetch as typeof globalThis.fetch })), calls, move: (next: number) => (version = next) };
}

describe("a case at the desk", () => {
  it("sends the version it shows", async () => {
    const { open, calls } = set(() => json(view(8)));
    await open.open("c1");
    await expect(open.act("grant", { opinion: "好" })).resolves.toBe(true);
    expect(calls.map((call) => [call.path, call.version])).toEqual([["/api/v1/cases/c1/grant", 7]]);
    expect([open.version.value, open.done.value]).toEqual([8, "grant"]);
  });

  it("fetches the case again after a lost race and leaves the draft alone", async () => {
    const { open, move } = set(() => problem("version_stale", 409));
    await open.open("c1");
    drafts.of("c1").opinion = "材料齐全";
    move(9);
    await expect(open.act("grant", { opinion: "材料齐全" })).resolves.toBe(false);
    expect([open.version.value, open.overtakenBy.value, open.done.value]).toEqual([9, 9, null]);
    expect(drafts.of("c1").opinion).toBe("材料齐全");
  });

  it("repeats an act whose answer was lost with the same key, a refused one with a new key", async () => {
    let answers: (Response | Error)[] = [];
    const { open, calls } = set(() => answers.shift() ?? problem("seal_failed", 500));
    await open.open("c1");
    answers = [new TypeError("lost"), new TypeError("lost"), new TypeError("lost")];
    await open.act("grant", { opinion: "好" });
    await open.act("grant", { opinion: "好" });
    await open.act("grant", { opinion: "好" });
    expect(new Set(calls.slice(0, 4).map((call) => call.key)).size).toBe(1);
    expect(calls).toHaveLength(5);
    expect(calls[4]?.key).not.toBe(calls[3]?.key);
  });

  it("tries an issue again at the version that a failed attempt left, and says nothing of a lost race", async () => {
    const { open, calls, move } = set((call) => {
      if (call.version === 7) {
        move(9);
        return problem("seal_failed", 500);
      }
      return json(view(11));
    });
    await open.open("c1");
    await expect(open.act("issue")).resolves.toBe(false);
    expect(open.overtakenBy.value).toBeNull();
    await expect(open.act("issue")).resolves.toBe(true);
    expect(calls.map((call) => call.version)).toEqual([7, 9]);
  });

  it("does not send a second act while one is on its way", async () => {
    const { open, calls } = set(() => json(view(8)));
    await open.open("c1");
    await Promise.all([open.act("grant", { opinion: "a" }), open.act("grant", { opinion: "a" })]);
    expect(calls).toHaveLength(1);
  });
});

describe("drafts", () => {
  it("are dropped when another person signs in, kept for the same one", () => {
    drafts.belongTo("one");
    drafts.of("c2").opinion = "x";
    drafts.belongTo("one");
    expect(drafts.of("c2").opinion).toBe("x");
    drafts.belongTo("two");
    expect(drafts.of("c2").opinion).toBe("");
  });
});
