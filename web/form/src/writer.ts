/** Writes of one page into the shared form. For each field at most one write is under way; a newer value waits and goes out with
 * the version that the answer brought, so fast typing never conflicts with itself. A stale base is a conflict: the loser chooses. */
import { shallowReactive } from "vue";
import { ProblemError, type FieldCurrent, type Json } from "@cloud-booth/api";

/** Sends one write; resolves with the new version, rejects with `ProblemError` (stale: `problem.current` is a `FieldCurrent`). */
export type SendField = (path: string, base_version: number, value: Json) => Promise<number>;

export interface FieldWrite {
  state: "saving" | "saved" | "conflict" | "failed";
  /** What this page wants. */
  value: Json;
  /** The version of the last write that was answered; 0 before any. */
  version: number;
  /** What the others have, in a conflict. */
  current: FieldCurrent | null;
  /** Why it failed. */
  error: ProblemError | null;
}

export class FormWriter {
  /** By path; for the renderer. */
  readonly fields = shallowReactive(new Map<string, FieldWrite>());
  readonly #send: SendField;
  readonly #next = new Map<string, { base: number; value: Json }>();

  constructor(send: SendField) {
    this.#send = send;
  }

  /** `version` is the field's version on the screen where the value was typed. */
  set(path: string, value: Json, version: number): void {
    const write = this.fields.get(path);
    if (write?.state === "saving") {
      this.#next.set(path, { base: version, value });
      return;
    }
    void this.#write(path, value, Math.max(version, write?.state === "saved" ? write.version : 0));
  }

  useMine(path: string): void {
    const write = this.fields.get(path);
    if (write?.state === "conflict" && write.current) void this.#write(path, write.value, write.current.version);
  }
  useTheirs(path: string): void {
    if (this.fields.get(path)?.state === "conflict") this.fields.delete(path);
  }
  retry(path: string, version: number): void {
    const write = this.fields.get(path);
    if (write?.state === "failed") void this.#write(path, write.value, version);
  }
  clear(): void {
    this.fields.clear();
    this.#next.clear();
  }

  async #write(path: string, value: Json, base: number): Promise<void> {
    this.fields.set(path, { state: "saving", value, version: base, current: null, error: null });
    try {
      const version = await this.#send(path, base, value);
      const next = this.#next.get(path);
      this.#next.delete(path);
      if (next) {
        await this.#write(path, next.value, Math.max(version, next.base));
        return;
      }
      this.fields.set(path, { state: "saved", value, version, current: null, error: null });
    } catch (error) {
      const wanted = this.#next.get(path)?.value ?? value;
      this.#next.delete(path);
      const problem = error instanceof ProblemError ? error : null;
      const current = readCurrent(problem);
      // The same value from both sides is no conflict worth a question.
      if (current && JSON.stringify(current.value) === JSON.stringify(wanted)) this.fields.set(path, { state: "saved", value: wanted, version: current.version, current: null, error: null });
      else this.fields.set(path, { state: current ? "conflict" : "failed", value: wanted, version: base, current, error: problem });
    }
  }
}

function readCurrent(error: ProblemError | null): FieldCurrent | null {
  const current = error?.problem.current as Partial<FieldCurrent> | null | undefined;
  if (!current || typeof current !== "object" || Array.isArray(current) || typeof current.version !== "number" || !("value" in current)) return null;
  return current as FieldCurrent;
}
