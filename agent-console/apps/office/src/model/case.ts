/** One case at this desk: its view, its item's templates, and the acts upon it. Owns versions and retries: an act is sent once, a lost
 * race fetches the case again and says so; what was typed is never touched here. */
import { computed, ref, shallowRef } from "vue";
import { newKey, ProblemError, type ApiClient, type AskCorrection, type CaseView, type Grant, type ItemView, type Refuse } from "@cloud-booth/api";

export type Act = "claim" | "release" | "correction" | "refuse" | "grant" | "issue";
type Body = Record<string, never> | Omit<AskCorrection, "version"> | Omit<Refuse, "version"> | Omit<Grant, "version">;

/** The server may have done the act although its answer was lost: the same key then tells. */
const UNSURE = new Set(["network", "timeout", "unreadable", "aborted"]);
/** The case moved on without this page. */
const OVERTAKEN = new Set(["version_stale", "illegal_transition", "duty_conflict", "own_case", "case_claimed", "claim_first", "correction_used"]);

export class OpenCase {
  readonly view = shallowRef<CaseView | null>(null);
  readonly item = shallowRef<ItemView | null>(null);
  readonly isLoading = ref(false);
  readonly error = shallowRef<unknown>(null);
  readonly acting = ref<Act | null>(null);
  /** Why the last act failed. */
  readonly problem = shallowRef<unknown>(null);
  /** Version that took the place of the one on the screen when an act was sent. */
  readonly overtakenBy = ref<number | null>(null);
  /** The act that the server confirmed last. */
  readonly done = ref<Act | null>(null);
  readonly version = computed(() => this.view.value?.version ?? 0);
  readonly #api: ApiClient;
  readonly #onChange: (view: CaseView) => void;
  #keys = new Map<string, string>();
  #id = "";

  constructor(api: ApiClient, onChange: (view: CaseView) => void = () => {}) {
    this.#api = api;
    this.#onChange = onChange;
  }

  async open(id: string): Promise<void> {
    this.#id = id;
    this.done.value = null;
    this.problem.value = null;
    this.overtakenBy.value = null;
    this.#keys.clear();
    if (this.view.value?.id !== id) this.view.value = null;
    await this.reload();
  }

  close(): void {
    this.#id = "";
    this.view.value = null;
    this.error.value = null;
  }

  async reload(): Promise<void> {
    const id = this.#id;
    if (id === "") return;
    this.isLoading.value = true;
    try {
      const view = await this.#api.get<CaseView>(`/cases/${encodeURIComponent(id)}`);
      if (this.#id !== id) return;
      this.#show(view);
      this.error.value = null;
      if (this.item.value?.id !== view.item) this.item.value = await this.#api.get<ItemView>(`/items/${encodeURIComponent(view.item)}`).catch(() => null);
    } catch (error) {
      if (this.#id === id) this.error.value = error;
    } finally {
      if (this.#id === id) this.isLoading.value = false;
    }
  }

  may(act: string): boolean {
    return this.view.value?.actions.includes(act) ?? false;
  }

  /** True when the server said so. */
  async act(act: Act, body: Body = {}): Promise<boolean> {
    const view = this.view.value;
    if (!view || this.acting.value) return false;
    const id = view.id;
    const whole = { version: view.version, ...body };
    const print = JSON.stringify([act, whole]);
    const key = this.#keys.get(print) ?? newKey();
    this.#keys.set(print, key);
    this.acting.value = act;
    this.problem.value = null;
    this.overtakenBy.value = null;
    try {
      const next = await this.#api.post<CaseView>(`/cases/${encodeURIComponent(id)}/${act}`, whole, { key });
      this.#keys.delete(print);
      if (this.#id === id) {
        this.#show(next);
        this.done.value = act;
      }
      return true;
    } catch (error) {
      const code = error instanceof ProblemError ? error.code : "";
      if (!UNSURE.has(code)) this.#keys.delete(print);
      if (this.#id !== id) return false;
      this.problem.value = error;
      if (act === "issue") {
        // A failed attempt leaves its trace in the case, and a lost answer may have been a yes: the case itself tells.
        await this.reload();
        if (this.#id === id && this.view.value?.certificate) {
          this.problem.value = null;
          this.done.value = act;
          return true;
        }
      }
      if (OVERTAKEN.has(code)) {
        if (act !== "issue") await this.reload();
        if (this.#id === id) this.overtakenBy.value = this.version.value;
      }
      return false;
    } finally {
      this.acting.value = null;
    }
  }

  #show(view: CaseView): void {
    this.view.value = view;
    this.#onChange(view);
  }
}
