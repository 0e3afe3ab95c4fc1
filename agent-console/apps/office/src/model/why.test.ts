import { describe, expect, it } from "vitest";
import type { CaseView } from "@cloud-booth/api";
import { ownCase, whyNot, type Viewer } from "./why.ts";

const view = (over: Partial<CaseView>): CaseView => ({ actions: [], blocked: [], claimed_by: null, correction: null, state: "accepted", ...over }) as CaseView;
const reviewer: Viewer = { isReviewer: true, isIssuer: false, isMe: (who) => who === "me" };
const message = { zh: "您受理了此件，不能审查", en: "You accepted this case" };

describe("why a decision cannot be taken", () => {
  it("says nothing where the server allows it", () => {
    expect(whyNot(view({ actions: ["grant"] }), "grant", reviewer)).toBeNull();
  });

  it("gives the server's reason before ours, also where it stands for the whole review", () => {
    const own = view({ actions: ["claim"], blocked: [{ action: "review", code: "duty_conflict", message }] });
    expect(whyNot(own, "refuse", reviewer)).toEqual({ text: message });
    expect(ownCase(own)).toEqual(message);
  });

  it("asks to claim first, names another holder, names the missing role", () => {
    expect(whyNot(view({ actions: ["claim"] }), "grant", reviewer)).toEqual({ key: "review.claimFirst" });
    expect(whyNot(view({ claimed_by: "郑工" }), "grant", reviewer)).toEqual({ key: "review.claimedByOther", values: { name: "郑工" } });
    expect(whyNot(view({ claimed_by: "me", correction: { at: "", due_on: "", points: [], answered_at: null } }), "correct", reviewer)).toEqual({ key: "review.correctUsed" });
    expect(whyNot(view({}), "issue", reviewer)).toEqual({ key: "review.noIssueRole" });
    expect(whyNot(view({ claimed_by: "me" }), "grant", reviewer)).toEqual({ key: "review.notNow" });
  });
});
