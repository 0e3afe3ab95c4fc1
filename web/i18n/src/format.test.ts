import { describe, expect, it } from "vitest";
import { formatClock, formatDateTime, formatDay, formatMinutesRange, formatMoney, formatWorkingDaysLeft, mask, sayMasked } from "./format.ts";
import common from "./messages/common.json";
import form from "./messages/form.json";
import call from "./messages/call.json";

describe("formats", () => {
  it("shows times in China's zone", () => {
    expect(formatDateTime("2026-10-08T06:30:00Z", "zh-CN")).toBe("2026年10月8日 14:30");
    expect(formatDateTime("2026-10-08T16:30:00Z", "en")).toBe("9 October 2026, 00:30");
    expect(formatDay("2026-10-21", "zh-CN")).toBe("10月21日");
  });
  it("gives ranges, days, money, clocks", () => {
    expect(formatMinutesRange(240, 400, "zh-CN")).toBe("4–7分钟");
    expect(formatMinutesRange(5, 20, "en")).toBe("1 minute");
    expect(formatWorkingDaysLeft(6, "2026-10-21", "zh-CN")).toBe("还剩6个工作日（10月21日前）");
    expect(formatWorkingDaysLeft(-1, "2026-10-21", "en")).toBe("1 working day overdue (was due 21 October)");
    expect(formatMoney(123450)).toBe("¥1,234.50");
    expect([formatClock(192), formatClock(3792)]).toEqual(["03:12", "1:03:12"]);
  });
  it("masks and says masks", () => {
    expect(mask("id_number", "429006199003071513")).toBe("4290**********1513");
    expect(mask("mobile", "13812345678")).toBe("138****5678");
    expect([mask("name", "王小某"), mask("name", "王某"), mask("name", "𠮷某某")]).toEqual(["王*某", "王*", "𠮷*某"]);
    expect(sayMasked("身份证号", "4290**********1513", "zh-CN")).toBe("身份证号，已隐藏，末四位一五一三");
  });
});

describe("messages", () => {
  const keys = (value: unknown, path = ""): string[] => (typeof value === "object" && value !== null ? Object.entries(value).flatMap(([key, inner]) => keys(inner, `${path}.${key}`)) : [path]);
  it.each([["common", common], ["form", form], ["call", call]])("%s says the same in both languages", (_name, file) => {
    expect(keys(file.en)).toEqual(keys(file["zh-CN"]));
  });
});
