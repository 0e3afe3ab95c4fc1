// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { BoothIdentity } from "./identity.ts";
import type { Bridge } from "./bridge.ts";

const bridge = { state: { host: "ready", booth: "boo_1" as string | null, reader: "ready" }, login: vi.fn(async (nonce: string) => ({ booth: "boo_1", nonce, signature: "s" })) };
const answers = new Map<string, unknown>();
const calls: string[] = [];
let identity: BoothIdentity;

beforeEach(() => {
  vi.useFakeTimers();
  calls.length = 0;
  bridge.state.host = "ready";
  answers.clear();
  answers.set("/api/v1/auth/booth/challenge", { nonce: "n" });
  answers.set("/api/v1/auth/booth", { access_token: "t", expires_at: new Date(Date.now() + 3_600_000).toISOString(), booth: { id: "boo_1", name: { zh: "", en: "" }, hall: "h" } });
  answers.set("/api/v1/halls/h", { id: "h", seats_on_duty: 2 });
  answers.set("/api/v1/items", { items: [] });
  vi.stubGlobal("fetch", vi.fn(async (address: string) => {
    calls.push(address);
    const answer = answers.get(address);
    if (answer === undefined) throw new TypeError("network");
    if (answer instanceof Response) return answer.clone();
    return new Response(JSON.stringify(answer), { headers: { "content-type": "application/json" } });
  }));
  identity = new BoothIdentity(bridge as unknown as Bridge);
});
afterEach(() => {
  identity.dispose();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("logs in by the host's signature and shows the hall", async () => {
  identity.start();
  await vi.advanceTimersByTimeAsync(1);
  expect(bridge.login).toHaveBeenCalledWith("n");
  expect(identity.state.booth).toBe("ready");
  expect(identity.state.hall?.seats_on_duty).toBe(2);
  // The token serves the next rounds.
  await vi.advanceTimersByTimeAsync(25_000);
  expect(calls.filter((one) => one.endsWith("/auth/booth"))).toHaveLength(1);
});
it("tells a host that is away from one that was not heard yet", async () => {
  bridge.state.host = "looking";
  identity.start();
  await vi.advanceTimersByTimeAsync(1);
  expect(identity.state.booth).toBe("starting");
  bridge.state.host = "away";
  await vi.advanceTimersByTimeAsync(500);
  expect(identity.state.booth).toBe("host_away");
  bridge.state.host = "ready";
  await vi.advanceTimersByTimeAsync(4_000);
  expect(identity.state.booth).toBe("ready");
});
it("says that the server is away, keeps the hall it knew, and comes back", async () => {
  identity.start();
  await vi.advanceTimersByTimeAsync(1);
  answers.delete("/api/v1/halls/h");
  await vi.advanceTimersByTimeAsync(15_000);
  expect(identity.state.booth).toBe("server_away");
  expect(identity.state.hall).not.toBeNull();
  answers.set("/api/v1/halls/h", { id: "h", seats_on_duty: 1 });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(identity.state.booth).toBe("ready");
});
it("says that the device is not enrolled", async () => {
  answers.set("/api/v1/auth/booth", new Response(JSON.stringify({ type: "x", title: "", status: 403, code: "booth_unknown" }), { status: 403 }));
  identity.start();
  await vi.advanceTimersByTimeAsync(1);
  expect(identity.state.booth).toBe("refused");
});
