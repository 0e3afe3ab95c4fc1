import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { judge, ownLine, type QualityLevel } from "./quality.ts";
import { ReceptionMeter } from "./reception.ts";

interface Case {
  loss_pct: number;
  jitter_ms: number;
  rtt_ms: number | null;
  freeze_pct: number | null;
  state: QualityLevel;
}

describe("the word for a line", () => {
  it("is the server's word for the same figures", () => {
    const table = new URL("../../../signaling/crates/domain/src/quality/cases.json", import.meta.url);
    const cases = JSON.parse(readFileSync(table, "utf8")) as Case[];
    expect(cases.length).toBeGreaterThan(10);
    for (const { state, ...figures } of cases) expect(judge(figures), JSON.stringify(figures)).toBe(state);
  });
  it("is lost for a page whose own connection is gone, whatever was said before", () => {
    expect(ownLine("good", "connected")).toBe("good");
    expect(ownLine("good", "reconnecting")).toBe("lost");
    expect(ownLine("unknown", "failed")).toBe("lost");
    expect(ownLine("good", "connecting")).toBe("unknown");
    expect(ownLine("lost", "connected"), "the browser has not noticed yet").toBe("lost");
  });
});

describe("the picture that stands still", () => {
  const line = (packets: number, frames: number, frozen: number, id = "v1") => ({ type: "inbound-rtp", kind: "video", id, packetsReceived: packets, framesDecoded: frames, totalFreezesDuration: frozen });
  it("counts freezes that ended, as far as they belong to the period", () => {
    const meter = new ReceptionMeter();
    expect(meter.take([line(10, 10, 0)], 0)).toBeNull();
    expect(meter.take([line(100, 90, 0)], 5_000), "the first period of a line").toBeNull();
    expect(meter.take([line(200, 190, 0.4)], 10_000)).toEqual({ freeze_ms: 400, period_ms: 5_000 });
    expect(meter.take([line(300, 290, 40)], 15_000)).toEqual({ freeze_ms: 5_000, period_ms: 5_000 });
  });
  it("sees a freeze that lasts: packets come and no picture", () => {
    const meter = new ReceptionMeter();
    meter.take([line(10, 10, 0)], 0);
    meter.take([line(100, 90, 0)], 5_000);
    expect(meter.take([line(200, 90, 0)], 10_000)).toEqual({ freeze_ms: 5_000, period_ms: 5_000 });
  });
  it("says nothing of a camera that is off, nor of its return", () => {
    const meter = new ReceptionMeter();
    meter.take([line(10, 10, 0)], 0);
    meter.take([line(100, 90, 0)], 5_000);
    expect(meter.take([line(100, 90, 0)], 10_000)).toBeNull();
    expect(meter.take([line(200, 180, 9)], 15_000), "the gap is counted as a freeze by the browser").toBeNull();
    expect(meter.take([line(300, 280, 9.1)], 20_000)).toEqual({ freeze_ms: 100, period_ms: 5_000 });
  });
  it("takes the worst of several pictures, no sound, and no period that the server would refuse", () => {
    const meter = new ReceptionMeter();
    const both = (n: number, frozen: number) => [line(n, n, 0), line(n, n, frozen, "v2"), { type: "inbound-rtp", kind: "audio", id: "a", packetsReceived: n }];
    meter.take(both(1, 0), 0);
    meter.take(both(2, 0), 5_000);
    expect(meter.take(both(3, 0.2), 10_000)).toEqual({ freeze_ms: 200, period_ms: 5_000 });
    expect(meter.take(both(4, 1), 40_000), "the page slept").toBeNull();
    expect(meter.take([], 45_000)).toBeNull();
  });
});
