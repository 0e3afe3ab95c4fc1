import { expect, test } from "vitest";
import { moveTo } from "./ladder.ts";

test("down to sound or typing at once; up, and to the telephone, only when they agree", () => {
  expect(moveTo("video", null, "audio")).toBe("now");
  expect(moveTo("video", null, "text")).toBe("now");
  expect(moveTo("video", null, "phone")).toBe("ask");
  expect(moveTo("text", null, "audio")).toBe("ask");
  expect(moveTo("phone", null, "text")).toBe("ask");
});

test("neither the rung of now nor one that is being asked for can be chosen", () => {
  expect(moveTo("audio", "video", "video")).toBe("asked");
  expect(moveTo("audio", "video", "audio")).toBe("here");
  expect(moveTo("audio", "video", "text")).toBe("now");
});
