import { describe, expect, it } from "vitest";
import { networkProblem, ProblemError } from "@cloud-booth/api";
import { useAct } from "@cloud-booth/staff";
import { isStale } from "./board.ts";
import { clockOf } from "./clock.ts";
import { oneAtATime } from "./live.ts";
import { viewOf } from "./place.ts";

describe("asking after each snapshot", () => {
  it("has one question on its way, and asks once more when something changed meanwhile", async () => {
    const answers: (() => void)[] = [];
    let running = 0;
    let most = 0;
    const ask = oneAtATime(async () => {
      most = Math.max(most, ++running);
      await new Promise<void>((done) => answers.push(done));
      running -= 1;
    });
    const first = ask();
    void ask();
    const last = ask();
    answers[0]?.();
    await Promise.resolve();
    await Promise.resolve();
    answers[1]?.();
    await Promise.all([first, last]);
    expect([answers.length, most]).toEqual([2, 1]);
  });
});

describe("an act", () => {
  const t = (key: string): string => key;
  it("keeps its key while nobody knows whether it arrived, and takes a new one after an answer", async () => {
    const keys: string[] = [];
    const { run, error } = useAct(t);
    const fails = (problem: ProblemError) => (key: string) => (keys.push(key), Promise.reject(problem));
    expect(await run(fails(networkProblem("network")))).toBe(false);
    expect(error.value).toBe("error.network");
    await run(fails(networkProblem("seat_state", 409)));
    await run((key) => Promise.resolve(keys.push(key)));
    expect(keys[1]).toBe(keys[0]);
    expect(keys[2]).not.toBe(keys[1]);
    expect(error.value).toBe("");
  });
});

describe("belief", () => {
  it("ends after five silent seconds, and not before anything was heard", () => {
    expect([isStale(null, 9_000), isStale(4_000, 9_000), isStale(3_999, 9_000)]).toEqual([false, false, true]);
  });
  it("names the moment by China's clock", () => {
    expect(clockOf(Date.parse("2026-11-23T06:30:05Z"))).toBe("14:30:05");
  });
  it("opens the supervisor's view by the address", () => {
    expect([viewOf("#live"), viewOf(""), viewOf("#other")]).toEqual(["live", "board", "board"]);
  });
});
