/** The list of recordings as it is asked for and read: filters, pages, what a line may do. Pure but for the calls. */
import { ref, shallowRef } from "vue";
import type { ApiClient, RecordingLine, RecordingPage, RecordingState } from "@cloud-booth/api";

/** States that a list can be narrowed to: what never was recorded is not listed as one. */
export const STATES: readonly RecordingState[] = ["live", "interrupted", "sealing", "sealed", "deleted"];
const PAGE = 50;
/** A case's number has so many digits. */
export const NUMBER_MAX = 20;
/** Whoever types is asked for nothing yet, milliseconds. */
export const TYPING_MS = 300;

export interface Filter {
  /** Days in Beijing, `2026-11-22`; empty: any. */
  from: string;
  to: string;
  state: RecordingState | "";
  held: boolean;
  /** Part of a case's number. */
  number: string;
}
export const NO_FILTER: Filter = { from: "", to: "", state: "", held: false, number: "" };

/** As it is looked for: a number that was copied out of a paper has blanks in it. */
export const numberOf = (filter: Filter): string => filter.number.replaceAll(/\s/g, "").slice(0, NUMBER_MAX);

/** What the server narrows. */
export function queryOf(scope: { hall?: string; case?: string }, filter: Filter, before: string | null): Record<string, string | number | boolean | null> {
  return {
    hall: scope.hall ?? null, case: scope.case ?? null, number: numberOf(filter) || null, from: filter.from || null, to: filter.to || null, state: filter.state || null, held: filter.held || null, before, limit: PAGE,
  };
}

export const isFiltered = (filter: Filter): boolean => Boolean(filter.from || filter.to || filter.state || filter.held || numberOf(filter));

/** Why a line cannot be replayed, as the end of a message's name; null: it can. */
export function whyNotOpen(line: Pick<RecordingLine, "state" | "started_at">): "deleted" | "running" | "sealing" | "never" | null {
  if (line.state === "deleted") return "deleted";
  if (line.state === "sealed") return null;
  if (line.state === "sealing") return "sealing";
  return line.started_at === null ? "never" : "running";
}

export function useRecordings(api: ApiClient, scope: () => { hall?: string; case?: string }) {
  const filter = ref<Filter>({ ...NO_FILTER });
  const items = shallowRef<readonly RecordingLine[] | null>(null);
  const next = ref<string | null>(null);
  const isLoading = ref(false);
  const error = shallowRef<unknown>(null);
  let round = 0;
  let asked = queryOf({}, NO_FILTER, null);

  async function load(more = false): Promise<void> {
    const mine = ++round;
    isLoading.value = true;
    error.value = null;
    try {
      // Older ones of the same question: what was typed meanwhile begins a list of its own.
      if (!more) asked = queryOf(scope(), filter.value, null);
      const page = await api.get<RecordingPage>("/recordings", { query: more ? { ...asked, before: next.value } : asked });
      // A newer question was asked meanwhile.
      if (mine !== round) return;
      items.value = more ? [...(items.value ?? []), ...page.items] : page.items;
      next.value = page.next;
    } catch (problem) {
      if (mine === round) error.value = problem;
    } finally {
      if (mine === round) isLoading.value = false;
    }
  }
  function clear(): void {
    filter.value = { ...NO_FILTER };
  }
  /** One line as the server has it now. */
  function put(line: RecordingLine): void {
    items.value = items.value?.map((one) => (one.id === line.id ? line : one)) ?? null;
  }
  return { filter, items, next, isLoading, error, load, clear, put };
}

export type RecordingStore = ReturnType<typeof useRecordings>;
