import { describe, expect, it } from "vitest";
import { drafts } from "./drafts.ts";

describe("a point from a template", () => {
  const template = { zh: "请补一份通知", en: "Please add the notice", target: "purpose-proof" };

  it("is about what the template is about", () => {
    const point = drafts.fromTemplate(template, ["identity-card", "purpose-proof", "purpose.recipient"]);
    expect(point).toMatchObject({ target: "purpose-proof", text: { zh: template.zh, en: template.en } });
    expect(Object.keys(point.text)).toEqual(["zh", "en"]);
  });

  it("is about the whole where the case has no such field or material, or the template names none", () => {
    expect(drafts.fromTemplate(template, ["identity-card"]).target).toBe("");
    expect(drafts.fromTemplate({ ...template, target: null }, ["identity-card"]).target).toBe("");
  });

  it("leaves the template as it was when the point is edited", () => {
    const point = drafts.fromTemplate(template, []);
    point.text.zh = "另一句";
    expect(template.zh).toBe("请补一份通知");
  });
});
