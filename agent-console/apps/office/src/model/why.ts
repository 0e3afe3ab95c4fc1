/** Why a decision cannot be taken now. Buttons stay where they are and say this. Pure. */
import type { Bilingual, CaseView } from "@cloud-booth/api";

export type Decision = "correct" | "refuse" | "grant" | "issue";

/** Null: it can be taken. A text of the server, or the key of one of ours with its values. */
export type Why = null | { text: Bilingual } | { key: string; values?: Record<string, string> };

export interface Viewer {
  isReviewer: boolean;
  isIssuer: boolean;
  isMe: (who: string | null) => boolean;
}

export function whyNot(view: CaseView, decision: Decision, viewer: Viewer): Why {
  if (view.actions.includes(decision)) return null;
  // A clash of duties is told for the whole review at once or for each act.
  const blocked = view.blocked.find((one) => one.action === decision) ?? (decision === "issue" ? undefined : view.blocked.find((one) => one.action === "review" || one.action === "claim"));
  if (blocked) return { text: blocked.message };
  if (decision === "issue" ? !viewer.isIssuer : !viewer.isReviewer) return { key: decision === "issue" ? "review.noIssueRole" : "review.noReviewRole" };
  if (decision === "correct" && view.correction !== null) return { key: "review.correctUsed" };
  if (view.actions.includes("claim")) return { key: "review.claimFirst" };
  if (decision !== "issue" && view.claimed_by !== null && !viewer.isMe(view.claimed_by)) return { key: "review.claimedByOther", values: { name: view.claimed_by } };
  return { key: "review.notNow" };
}

/** The server's word on the viewer's own case, for the heading. */
export function ownCase(view: CaseView): Bilingual | null {
  return view.blocked.find((one) => one.code === "duty_conflict" || one.code === "own_case")?.message ?? null;
}
