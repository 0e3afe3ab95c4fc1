import { describe, expect, it } from "vitest";
import { useLoad } from "./overview.ts";

describe("loading", () => {
  it("shows the answer of the newest question, whichever comes first", async () => {
    const answers: ((value: string) => void)[] = [];
    const { value, isLoading, load } = useLoad(() => new Promise<string>((resolve) => answers.push(resolve)));
    const first = load();
    const second = load();
    answers[1]?.("new");
    await second;
    answers[0]?.("old");
    await first;
    expect([value.value, isLoading.value]).toEqual(["new", false]);
  });

  it("keeps the old content when a later question fails", async () => {
    let fails = false;
    const { value, error, load } = useLoad(async () => {
      if (fails) throw new Error("down");
      return "old";
    });
    await load();
    fails = true;
    await load();
    expect(value.value).toBe("old");
    expect(error.value).toBeInstanceOf(Error);
  });
});
