import { describe, expect, it, vi } from "vitest";
import { ApiClient } from "./client.ts";
import { fieldErrors, problemText, ProblemError } from "./problem.ts";

type Call = { url: string; init: RequestInit & { headers: Record<string, string> } };

/** A fetch that gives the answers in turn and records the calls. */
function fake(...answers: (() => Response | Error)[]) {
  const calls: Call[] = [];
  const call = vi.fn(async (url: string, init: Call["init"]) => {
    calls.push({ url, init });
    const answer = answers.shift()?.() ?? new Response("{}");
    if (answer instanceof Error) throw answer;
    return answer;
  });
  return { calls, fetch: call as unknown as typeof fetch };
}
const json = (value: unknown, status = 200, headers: Record<string, string> = {}) => () => new Response(JSON.stringify(value), { status, headers });
const problem = (status: number, code: string, more: object = {}) => ({ type: "x", title: "标题", status, code, ...more });

describe("ApiClient", () => {
  it("repeats a command with the same key when the line broke", async () => {
    const { calls, fetch } = fake(() => new TypeError("broken"), json({ id: "tkt_1" }));
    await expect(new ApiClient({ fetch }).post("/tickets", { item: null })).resolves.toEqual({ id: "tkt_1" });
    expect(calls).toHaveLength(2);
    expect(calls[0]?.init.headers["idempotency-key"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(calls[1]?.init.headers["idempotency-key"]).toBe(calls[0]?.init.headers["idempotency-key"]);
  });

  it("refreshes the token once for all calls that met the 401", async () => {
    let token = "old";
    const refresh = vi.fn(async () => (token = "new"));
    const { calls, fetch } = fake(json(problem(401, "token_expired"), 401), json(problem(401, "token_expired"), 401), json({ n: 1 }), json({ n: 2 }));
    const api = new ApiClient({ fetch, token: { get: () => token, refresh } });
    await Promise.all([api.get("/a"), api.get("/b")]);
    expect(refresh).toHaveBeenCalledTimes(1);
    expect(calls.map((call) => call.init.headers.authorization)).toEqual(["Bearer old", "Bearer old", "Bearer new", "Bearer new"]);
  });

  it("tells the page when the refresh failed", async () => {
    const onSignedOut = vi.fn();
    const { fetch } = fake(json(problem(401, "token_expired"), 401));
    const api = new ApiClient({ fetch, onSignedOut, token: { get: () => "t", refresh: () => Promise.reject(new Error()) } });
    await expect(api.get("/a")).rejects.toMatchObject({ code: "token_expired" });
    expect(onSignedOut).toHaveBeenCalledOnce();
  });

  it("waits where the first try is still running, and gives up on a lost race", async () => {
    const busy = fake(json(problem(409, "in_flight"), 409, { "retry-after": "0" }), json({ ok: 1 }));
    await expect(new ApiClient({ fetch: busy.fetch }).post("/x")).resolves.toEqual({ ok: 1 });
    const raced = fake(json(problem(409, "stale_version"), 409), json({}));
    await expect(new ApiClient({ fetch: raced.fetch }).post("/x")).rejects.toMatchObject({ code: "stale_version" });
    expect(raced.calls).toHaveLength(1);
  });

  it("sends version, language and query, and keeps absolute addresses", async () => {
    const { calls, fetch } = fake();
    const api = new ApiClient({ fetch, language: () => "en" });
    await api.post("/cases/cas_1/grant", {}, { if_match: 8 });
    await api.get("/items", { query: { q: "无犯罪", limit: 5, after: null } });
    await api.file("/api/v1/cases/cas_1/receipt.pdf");
    expect(calls[0]?.init.headers).toMatchObject({ "if-match": '"8"', "accept-language": "en" });
    expect(calls.map((call) => call.url)).toEqual(["/api/v1/cases/cas_1/grant", "/api/v1/items?q=%E6%97%A0%E7%8A%AF%E7%BD%AA&limit=5", "/api/v1/cases/cas_1/receipt.pdf"]);
  });

  it("answers an unreadable error page with a problem of its own", async () => {
    const { fetch } = fake(() => new Response("<html>", { status: 500 }));
    await expect(new ApiClient({ fetch }).get("/a")).rejects.toMatchObject({ code: "unreadable", status: 500 });
  });
});

describe("problems", () => {
  const t = (key: string): string => key;
  it("prefers the server's words, then ours", () => {
    expect(problemText(new ProblemError(problem(422, "id_number_length", { detail: "身份证号应为18位" })), t)).toBe("身份证号应为18位");
    expect(problemText(new ProblemError({ ...problem(403, "x"), title: "" }), t)).toBe("error.forbidden");
    expect(problemText(new Error("x"), t)).toBe("error.generic");
  });
  it("names the fields to blame and never puts texts into the message", () => {
    const error = new ProblemError(problem(422, "invalid", { detail: "王某某", errors: [{ pointer: "/a", code: "c", detail: "d" }] }));
    expect(fieldErrors(error).get("/a")?.code).toBe("c");
    expect(error.message).toBe("invalid");
  });
});
