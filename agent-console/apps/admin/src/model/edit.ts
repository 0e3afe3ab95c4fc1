/** One thing as it is edited: the copy on the screen, whether it differs from what the server has, and what the server said to it.
 * The server checks and decides; a newer version never takes away what was typed. */
import { computed, reactive, ref, shallowRef } from "vue";
import { fieldErrors, newKey, problemText, ProblemError, type FieldProblem } from "@cloud-booth/api";

export interface Stale {
  /** Empty: the server does not say who. */
  by: string;
  at: string;
}
export interface Editing<T> {
  /** What the page showed. */
  start: T;
  /** What the server has now. */
  read: () => Promise<T>;
  send: (draft: T, seen: T, key: string) => Promise<unknown>;
  /** Faults that need no server: a number that is none. */
  check?: (draft: T) => FieldProblem[];
}

/** A deep copy: what is on the screen never reaches into what the server said. */
export const copyOf = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** Id of the control that a JSON pointer names. */
export const idOf = (pointer: string): string => `field${pointer.replaceAll("/", "-")}`;

/** The pointer itself, or the nearest thing above it that is on the screen. */
export function nearest(pointer: string, isThere: (id: string) => boolean): string | null {
  for (let at = pointer; at !== ""; at = at.slice(0, at.lastIndexOf("/"))) if (isThere(idOf(at))) return idOf(at);
  return null;
}

/** An emptied number field holds an empty text. */
export function numberFault(pointer: string, value: unknown, min: number, max: number, say: (min: number, max: number) => string): FieldProblem[] {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max ? [] : [{ pointer, code: "number", detail: say(min, max) }];
}

function staleOf(problem: unknown): Stale | null {
  if (!(problem instanceof ProblemError) || problem.code !== "version_stale") return null;
  const current = (problem.problem.current ?? {}) as { changed_by?: unknown; changed_at?: unknown };
  return { by: typeof current.changed_by === "string" ? current.changed_by : "", at: typeof current.changed_at === "string" ? current.changed_at : "" };
}

export function useEdit<T extends object>({ start, read, send, check }: Editing<T>, t: (key: string) => string) {
  const draft = reactive(copyOf(start)) as T;
  const seen = shallowRef<T>(copyOf(start));
  const busy = ref(false);
  const error = ref("");
  const faults = shallowRef<ReadonlyMap<string, FieldProblem>>(new Map());
  const stale = shallowRef<Stale | null>(null);
  /** The same words are sent under the same key however often the network fails; other words are another command. */
  let sent = { key: newKey(), text: "" };

  const isDirty = computed(() => JSON.stringify(draft) !== JSON.stringify(seen.value));

  async function guarded(run: () => Promise<void>): Promise<boolean> {
    if (busy.value) return false;
    busy.value = true;
    error.value = "";
    try {
      await run();
      return true;
    } catch (problem) {
      if (problem instanceof ProblemError && problem.status > 0) sent = { key: newKey(), text: "" };
      stale.value = staleOf(problem);
      if (stale.value) return false;
      faults.value = fieldErrors(problem);
      error.value = problemText(problem, t);
      return false;
    } finally {
      busy.value = false;
    }
  }

  /** True when the server has it. */
  async function save(): Promise<boolean> {
    const found = check?.(draft) ?? [];
    faults.value = new Map(found.map((one) => [one.pointer, one]));
    if (found.length > 0) return false;
    return guarded(async () => {
      const text = JSON.stringify([draft, seen.value]);
      if (text !== sent.text) sent = { key: newKey(), text };
      await send(draft, seen.value, sent.key);
      seen.value = copyOf(draft);
    });
  }

  /** Shows what somebody else kept; what was typed here is gone. */
  async function takeTheirs(): Promise<boolean> {
    return guarded(async () => {
      const now = await read();
      seen.value = copyOf(now);
      Object.assign(draft, copyOf(now));
      stale.value = null;
      faults.value = new Map();
    });
  }

  /** Keeps what was typed here, knowingly over theirs. */
  async function keepMine(): Promise<boolean> {
    const isRead = await guarded(async () => {
      seen.value = copyOf(await read());
      stale.value = null;
    });
    return isRead && save();
  }

  return { draft, seen, busy, error, faults, stale, isDirty, save, takeTheirs, keepMine };
}

/** What the sheet around an editor needs of it. */
export type Edit = Omit<ReturnType<typeof useEdit>, "draft" | "seen">;
