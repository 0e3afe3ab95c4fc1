/** AB seats of an item (主办, 协办): who may be chosen, and what was on the screen. */
import type { HallStaff, ItemPair, PairSeen } from "@cloud-booth/api";

export interface PairDraft {
  a_staff: string;
  b_staff: string;
}

export const draftOf = (pair: ItemPair | undefined): PairDraft => ({ a_staff: pair?.a_staff ?? "", b_staff: pair?.b_staff ?? "" });
export const seenOf = (draft: PairDraft): PairSeen => ({ a_staff: draft.a_staff || null, b_staff: draft.b_staff || null });

export interface Candidate {
  id: string;
  name: string;
  account: string;
  /** Has the skill that the item asks for: without it this person is not rung. */
  isAble: boolean;
}

/** Agents whose account is open; those who can serve the item first. */
export function candidatesOf(staff: readonly HallStaff[], skill: string): Candidate[] {
  return staff
    .filter((one) => one.active && one.roles.includes("agent"))
    .map(({ id, name, account, skills }) => ({ id, name, account, isAble: (skills[skill] ?? 0) > 0 }))
    .sort((a, b) => Number(b.isAble) - Number(a.isAble) || a.account.localeCompare(b.account));
}
