/** The check of one document. Asks the server every time and keeps nothing. What it does not know it never calls valid:
 * without an answer there is no outcome at all. */
import { reactive } from "vue";
import { ProblemError } from "@cloud-booth/api";
import type { ApiClient, FileDigest, Verification } from "@cloud-booth/api";

export interface Asked {
  number: string;
  code: string;
}

export interface VerifyState {
  stage: "form" | "busy" | "done" | "cannot" | "refused";
  asked: Asked | null;
  answer: Verification | null;
  file: "none" | "busy" | "too_large" | "failed" | "done";
  error: unknown;
}

/** The server takes no more for a digest, bytes. */
export const FILE_MAX = 8 * 1024 * 1024;
const NUMBER_MAX = 128;
const CODE_MAX = 32;

/** `#n=<number>&v=<code>`, as the QR code has it; null where one is missing. */
export function askedOf(hash: string): Asked | null {
  const search = new URLSearchParams(hash.replace(/^#/, ""));
  return tidy(search.get("n") ?? "", search.get("v") ?? "");
}

/** What people type: spaces and full-width letters are forgiven. */
export function tidy(number: string, code: string): Asked | null {
  const clean = (text: string, max: number): string => text.normalize("NFKC").replace(/\s/g, "").slice(0, max);
  const asked = { number: clean(number, NUMBER_MAX), code: clean(code, CODE_MAX).toUpperCase() };
  return asked.number && asked.code ? asked : null;
}

export class Verifier {
  readonly state = reactive<VerifyState>({ stage: "form", asked: null, answer: null, file: "none", error: null });
  readonly #api: ApiClient;
  #round = 0;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  async check(asked: Asked): Promise<void> {
    await this.#run(asked, null);
  }

  /** Compares a file with the one that was issued. */
  async compare(file: Blob): Promise<void> {
    const { asked } = this.state;
    if (!asked) return;
    if (file.size > FILE_MAX) {
      this.state.file = "too_large";
      return;
    }
    this.state.file = "busy";
    await this.#run(asked, file);
  }

  /** Back to the empty form. */
  clear(): void {
    this.#round += 1;
    Object.assign(this.state, { stage: "form", asked: null, answer: null, file: "none", error: null });
  }

  /** The network went: an answer of before is not an answer of now. */
  offline(): void {
    if (this.state.stage === "form") return;
    this.#round += 1;
    Object.assign(this.state, { stage: "cannot", answer: null, file: "none" });
  }

  async #run(asked: Asked, file: Blob | null): Promise<void> {
    const round = ++this.#round;
    Object.assign(this.state, { asked, stage: "busy", error: null, ...(file ? {} : { answer: null, file: "none" }) });
    try {
      const file_sm3 = file ? (await this.#api.upload<FileDigest>("/verifications/file-digest", file)).sm3 : null;
      const answer = await this.#api.post<Verification>("/verifications", { number: asked.number, code: asked.code, ...(file_sm3 ? { file_sm3 } : {}) });
      if (round === this.#round) Object.assign(this.state, { stage: "done", answer, file: file ? "done" : "none" });
    } catch (error) {
      if (round !== this.#round) return;
      const status = error instanceof ProblemError ? error.status : 0;
      const isRefused = status >= 400 && status < 500;
      Object.assign(this.state, { stage: isRefused ? "refused" : "cannot", answer: null, file: file ? "failed" : "none", error });
    }
  }
}
