/** What waits beside the calls: requests that people left (留言), and who is booked today. Owns the list, the one request that this
 * agent holds, and the answer under way: a call in between loses no word. */
import { ref, shallowRef } from "vue";
import type { ApiClient, RequestFull, RequestItem, SlotList } from "@cloud-booth/api";
import { isQueue } from "./help.ts";

/** Queues asked for bookings; a seat rarely serves more. */
const QUEUES_MAX = 6;
const BOOKED_MAX = 8;

export interface Booked {
  queue: string;
  from: string;
  to: string;
  /** People booked. */
  n: number;
}

/** Slots in which somebody is booked, by time. */
export function bookedOf(lists: readonly SlotList[]): Booked[] {
  return lists
    .flatMap((list) => list.items.map((slot) => ({ queue: list.queue, from: slot.from, to: slot.to, n: slot.capacity - slot.left })))
    .filter((one) => one.n > 0)
    .sort((one, other) => Date.parse(one.from) - Date.parse(other.from) || one.queue.localeCompare(other.queue))
    .slice(0, BOOKED_MAX);
}

/** `2026-11-23` in Beijing, where the halls are. */
export function beijingDay(at: number): string {
  return new Date(at + 8 * 3_600_000).toISOString().slice(0, 10);
}

export class WorkList {
  readonly requests = shallowRef<readonly RequestItem[]>([]);
  readonly booked = shallowRef<readonly Booked[]>([]);
  readonly held = shallowRef<RequestFull | null>(null);
  readonly answer = ref("");
  readonly state = ref<"loading" | "ready" | "failed">("loading");
  readonly #api: () => ApiClient;

  constructor(api: () => ApiClient) {
    this.#api = api;
  }

  async load(hall: string, skills: readonly string[], now: number): Promise<void> {
    const queues = skills.filter(isQueue).slice(0, QUEUES_MAX);
    const date = beijingDay(now);
    const slots = Promise.all(queues.map((queue) => this.#api().get<SlotList>(`/halls/${hall}/slots`, { query: { queue, date } }).catch((): SlotList => ({ queue, date, items: [] }))));
    try {
      const { items } = await this.#api().get<{ items: RequestItem[] }>("/requests", { query: { state: "open" } });
      this.requests.value = items;
      this.state.value = "ready";
    } catch {
      this.state.value = "failed";
    }
    this.booked.value = bookedOf(await slots);
  }

  async claim(id: string): Promise<void> {
    this.held.value = await this.#api().post<RequestFull>(`/requests/${id}/claim`);
    this.answer.value = "";
    this.requests.value = this.requests.value.filter((one) => one.id !== id);
  }
  async giveBack(): Promise<void> {
    const held = this.held.value;
    if (!held) return;
    const back = await this.#api().post<RequestItem>(`/requests/${held.request.id}/release`);
    this.requests.value = [back, ...this.requests.value];
    this.#putDown();
  }
  async done(): Promise<void> {
    const held = this.held.value;
    if (!held) return;
    await this.#api().post(`/requests/${held.request.id}/done`, { answer: this.answer.value.trim() });
    this.#putDown();
  }

  /** Nothing of anybody stays when the seat is left. */
  forget(): void {
    this.requests.value = [];
    this.booked.value = [];
    this.state.value = "loading";
    this.#putDown();
  }
  #putDown(): void {
    this.held.value = null;
    this.answer.value = "";
  }
}
