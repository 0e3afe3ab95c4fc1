/** Which cases of a list are shown and in what order. Pure. */
import type { CaseCard } from "@cloud-booth/api";

export type Tab = "all" | "mine" | "free" | "soon" | "corrected";
export type SortKey = "days_left" | "received_at";

export interface Filter {
  tab: Tab;
  item: string;
  /** Number or masked name, as typed. */
  words: string;
  sort: SortKey;
  descending: boolean;
}

/** Working days left from which a case is soon due. */
export const SOON_DAYS = 3;

export const NO_FILTER: Filter = { tab: "all", item: "", words: "", sort: "days_left", descending: false };

const CLAIMABLE = new Set(["accepted", "in_review", "extended"]);
/** Nobody holds it and its state lets a reviewer take it; whether this reviewer may is the server's word. */
export const isClaimable = (card: CaseCard): boolean => card.claimed_by === null && CLAIMABLE.has(card.state);

export const isSoon = (card: CaseCard): boolean => card.days_left !== null && card.days_left <= SOON_DAYS;

export function inTab(card: CaseCard, tab: Tab, isMine: (who: string | null) => boolean): boolean {
  switch (tab) {
    case "all":
      return true;
    case "mine":
      return isMine(card.claimed_by);
    case "free":
      return isClaimable(card);
    case "soon":
      return isSoon(card);
    case "corrected":
      return card.corrected;
  }
}

export function isFiltered(filter: Filter): boolean {
  return filter.tab !== "all" || filter.item !== "" || filter.words.trim() !== "";
}

/** Cases without a clock come after those with one, whichever way the days are sorted. */
function compare(a: CaseCard, b: CaseCard, filter: Filter): number {
  const sign = filter.descending ? -1 : 1;
  if (filter.sort === "days_left") {
    if (a.days_left === null || b.days_left === null) {
      if (a.days_left !== b.days_left) return a.days_left === null ? 1 : -1;
    } else if (a.days_left !== b.days_left) return sign * (a.days_left - b.days_left);
  } else if (a.received_at !== b.received_at) return sign * (a.received_at < b.received_at ? -1 : 1);
  return a.number < b.number ? -1 : a.number > b.number ? 1 : 0;
}

export function choose(cards: readonly CaseCard[], filter: Filter, isMine: (who: string | null) => boolean): CaseCard[] {
  const words = filter.words.trim().toLowerCase();
  return cards
    .filter((card) => inTab(card, filter.tab, isMine))
    .filter((card) => filter.item === "" || card.item === filter.item)
    .filter((card) => words === "" || card.number.toLowerCase().includes(words) || card.applicant_masked.toLowerCase().includes(words))
    .sort((a, b) => compare(a, b, filter));
}
