import { expect, it, vi } from "vitest";
import type { IceServers } from "@cloud-booth/api";
import { hasRelay, IceSource, toServers } from "./ice.ts";

const wire = (name: string, ttl_s = 600): IceServers => ({
  ice_servers: [
    { urls: ["stun:relay.example:3478"], username: null, credential: null },
    { urls: ["turn:relay.example:3478?transport=udp"], username: name, credential: "secret" },
  ],
  expires_at: "2026-11-22T09:00:00Z", ttl_s,
});

it("asks once for all connections, and again before the credentials end", async () => {
  let now = 0;
  const fetch = vi.fn(async () => wire(`n${fetch.mock.calls.length}`));
  const ice = new IceSource(fetch, () => now);
  const [one, two] = await Promise.all([ice.get(), ice.get()]);
  expect(fetch).toHaveBeenCalledTimes(1);
  expect(two).toBe(one);
  now = 449_000;
  expect(await ice.get()).toBe(one);
  now = 451_000;
  const next = await ice.get();
  expect(next).not.toBe(one);
  expect(next[1]).toMatchObject({ username: "n2" });
});

it("another person's answer that is still on its way is never used, nor its failure", async () => {
  const answers: { give: (wire: IceServers) => void; fail: (error: Error) => void }[] = [];
  const ice = new IceSource(() => new Promise((give, fail) => answers.push({ give, fail })), () => 0);
  const first = ice.get();
  ice.forget();
  const second = ice.get();
  expect(answers).toHaveLength(2);
  answers[1]!.give(wire("second"));
  expect((await second)[1]).toMatchObject({ username: "second" });
  answers[0]!.give(wire("first"));
  await first;
  expect((await ice.get())[1]).toMatchObject({ username: "second" });
  ice.forget();
  const third = ice.get();
  ice.forget();
  answers[2]!.fail(new Error("away"));
  await third;
  // The failure was theirs: the next one need not wait.
  const fourth = ice.get();
  expect(answers).toHaveLength(4);
  answers[3]!.give(wire("fourth"));
  expect((await fourth)[1]).toMatchObject({ username: "fourth" });
});

it("gives what is still good when the server is away, nothing once it has ended, and does not press it", async () => {
  let now = 0;
  const fetch = vi.fn(async () => wire("n"));
  const ice = new IceSource(fetch, () => now);
  const first = await ice.get();
  fetch.mockRejectedValue(new Error("away"));
  now = 500_000;
  expect(await ice.get()).toBe(first);
  expect(await ice.get()).toBe(first);
  expect(fetch).toHaveBeenCalledTimes(2);
  now = 600_001;
  expect(await ice.get()).toEqual([]);
  fetch.mockResolvedValue(wire("back"));
  now = 620_000;
  expect(hasRelay(await ice.get())).toBe(true);
});

it("a server that does not answer holds up no call", async () => {
  vi.useFakeTimers();
  const ice = new IceSource(() => new Promise(() => undefined), () => 0);
  const got = ice.get();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(await got).toEqual([]);
  vi.useRealTimers();
});

it("another person's credentials are not used on", async () => {
  const fetch = vi.fn(async () => wire(`n${fetch.mock.calls.length}`));
  const ice = new IceSource(fetch, () => 0);
  await ice.get();
  ice.forget();
  expect((await ice.get())[1]).toMatchObject({ username: "n2" });
});

it("STUN has no name, and is no relay", () => {
  const servers = toServers(wire("n"));
  expect(servers[0]).toEqual({ urls: ["stun:relay.example:3478"] });
  expect(hasRelay(servers)).toBe(true);
  expect(hasRelay(servers.slice(0, 1))).toBe(false);
});
