/** One list of cases as the server pages it. Owns the rows, the poll, and the promise that nothing moves under a cursor: news waits
 * behind a count, and rows that left stay in place, dimmed, until the list is fetched anew. */
import { computed, reactive, ref, shallowRef } from "vue";
import type { ApiClient, CaseCard, CaseList } from "@cloud-booth/api";

export type QueueName = "review" | "issue" | "done";

const PAGE = 50;
const ROWS_MAX = 1000;

export class Queue {
  readonly name: QueueName;
  readonly rows = ref<CaseCard[]>([]);
  /** Ids of rows that somebody finished meanwhile. */
  readonly gone = reactive(new Set<string>());
  readonly waiting = ref<CaseCard[]>([]);
  readonly isLoading = ref(false);
  readonly hasLoaded = ref(false);
  readonly isOffline = ref(false);
  readonly error = shallowRef<unknown>(null);
  readonly next = ref<string | null>(null);
  readonly fresh = computed(() => this.waiting.value.length);
  readonly #api: ApiClient;
  #abort: AbortController | null = null;

  constructor(api: ApiClient, name: QueueName) {
    this.#api = api;
    this.name = name;
  }

  /** From the start; old rows stay until the new ones are there. */
  async load(): Promise<void> {
    this.#abort?.abort();
    const abort = (this.#abort = new AbortController());
    this.isLoading.value = true;
    try {
      const list = await this.#page(null, abort.signal);
      this.rows.value = list.items;
      this.next.value = list.next;
      this.gone.clear();
      this.waiting.value = [];
      this.error.value = null;
      this.isOffline.value = false;
      this.hasLoaded.value = true;
    } catch (error) {
      if (!abort.signal.aborted) this.error.value = error;
    } finally {
      if (this.#abort === abort) this.isLoading.value = false;
    }
  }

  async more(): Promise<void> {
    if (!this.next.value || this.isLoading.value || this.rows.value.length >= ROWS_MAX) return;
    this.isLoading.value = true;
    try {
      const list = await this.#page(this.next.value);
      const known = new Set(this.rows.value.map((row) => row.id));
      this.rows.value = [...this.rows.value, ...list.items.filter((row) => !known.has(row.id))];
      this.next.value = list.next;
    } catch (error) {
      this.error.value = error;
    } finally {
      this.isLoading.value = false;
    }
  }

  /** A quiet look: rows are updated in place, new ones wait, missing ones dim. */
  async poll(): Promise<void> {
    if (!this.hasLoaded.value || this.isLoading.value) return;
    try {
      const list = await this.#page(null);
      this.isOffline.value = false;
      const now = new Map(list.items.map((row) => [row.id, row]));
      const known = new Set(this.rows.value.map((row) => row.id));
      this.rows.value = this.rows.value.map((row) => now.get(row.id) ?? row);
      this.waiting.value = list.items.filter((row) => !known.has(row.id));
      // Only a list that fits one page tells for certain that a row has left.
      if (list.next === null && this.rows.value.length <= PAGE) {
        this.gone.clear();
        for (const row of this.rows.value) if (!now.has(row.id)) this.gone.add(row.id);
      }
    } catch {
      this.isOffline.value = true;
    }
  }

  /** A row changed by an act on this page. */
  put(card: CaseCard): void {
    this.rows.value = this.rows.value.map((row) => (row.id === card.id && row.version <= card.version ? card : row));
  }

  dispose(): void {
    this.#abort?.abort();
  }

  #page(after: string | null, signal?: AbortSignal): Promise<CaseList> {
    return this.#api.get<CaseList>("/cases", { query: { queue: this.name, limit: PAGE, after }, signal });
  }
}
