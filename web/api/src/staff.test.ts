import { describe, expect, it } from "vitest";
import { StaffSession } from "./staff.ts";
import type { StaffToken, StaffView } from "./schema.ts";

const person = (id: string): StaffView => ({ id, account: id, name: id, roles: ["reviewer"], hall: "h", department: null, skills: [] });
const json = (body: unknown, status = 200): Response => new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
const token = (id: string, access: string): StaffToken => ({ access_token: access, expires_at: "2026-11-21T10:00:00Z", staff: person(id) });

/** A server that knows one good token; `refresh` says whose cookie the browser holds. */
function set(refresh: () => Response) {
  const seen: (StaffView | null)[] = [];
  let expired = 0;
  let good = "t1";
  const fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const path = String(input);
    if (path.endsWith("/auth/login")) return json(token("one", "t1"));
    if (path.endsWith("/auth/refresh")) return refresh();
    const sent = new Headers(init?.headers).get("authorization");
    return sent === `Bearer ${good}` ? json({ ok: true }) : json({ type: "x", title: "", status: 401, code: "token_expired" }, 401);
  };
  const session = new StaffSession({ language: () => "en", onChange: (staff) => seen.push(staff), onExpired: () => (expired += 1), fetch: fetch as typeof globalThis.fetch });
  return { session, seen, expired: () => expired, expire: (next: string) => (good = next) };
}

describe("a staff session", () => {
  it("goes on with a fresh token when the old one has run out", async () => {
    const { session, expire, expired } = set(() => json(token("one", "t2")));
    await session.signIn({ account: "one", password: "p" });
    expire("t2");
    await expect(session.api.get("/cases")).resolves.toEqual({ ok: true });
    expect(expired()).toBe(0);
  });

  it("signs out rather than turn into the person whom another tab signed in", async () => {
    const { session, seen, expire, expired } = set(() => json(token("two", "t2")));
    await session.signIn({ account: "one", password: "p" });
    expire("t2");
    await expect(session.api.get("/cases")).rejects.toMatchObject({ code: "token_expired" });
    expect(expired()).toBe(1);
    expect(seen.at(-1)).toBeNull();
    expect(seen.some((staff) => staff?.id === "two")).toBe(false);
  });

  it("forgets the person when signing out cannot reach the server", async () => {
    const { session, seen, expire } = set(() => json({ type: "x", title: "", status: 401, code: "signed_out" }, 401));
    await session.signIn({ account: "one", password: "p" });
    expire("never");
    await session.signOut();
    expect(seen.at(-1)).toBeNull();
  });
});
