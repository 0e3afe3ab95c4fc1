/** What the supervisor's view asks beside the wallboard: who is in line, which sessions run, what items are called. It is asked
 * anew after each snapshot that the server sends, never by the clock, and one question of a kind is on its way at a time. */
import { ref, shallowRef } from "vue";
import type { ApiClient, Bilingual, HallConsents, ItemList, LiveSession, TicketLine } from "@cloud-booth/api";

interface Items<T> {
  items: T[];
}

/** Runs one at a time; what was asked meanwhile is done once, afterwards. */
export function oneAtATime(run: () => Promise<void>): () => Promise<void> {
  let current: Promise<void> | null = null;
  let isAskedAgain = false;
  return function ask(): Promise<void> {
    if (current) {
      isAskedAgain = true;
      return current;
    }
    current = (async () => {
      do {
        isAskedAgain = false;
        await run();
      } while (isAskedAgain);
    })().finally(() => {
      current = null;
    });
    return current;
  };
}

export function useLive(api: ApiClient, hall: () => string) {
  const tickets = shallowRef<TicketLine[] | null>(null);
  const sessions = shallowRef<LiveSession[] | null>(null);
  const titles = shallowRef<Map<string, Bilingual>>(new Map());
  const halls = shallowRef<Map<string, Bilingual>>(new Map());
  const error = shallowRef<unknown>(null);
  const isLoading = ref(false);

  const load = oneAtATime(async () => {
    isLoading.value = true;
    try {
      const [line, running] = await Promise.all([
        api.get<Items<TicketLine>>(`/halls/${hall()}/tickets`),
        api.get<Items<LiveSession>>(`/halls/${hall()}/sessions`),
      ]);
      tickets.value = line.items;
      sessions.value = running.items;
      error.value = null;
    } catch (problem) {
      error.value = problem;
    } finally {
      isLoading.value = false;
    }
  });

  /** Names of items change with a release of the catalogue, not during a shift. */
  async function loadTitles(): Promise<void> {
    try {
      const list = await api.get<ItemList>("/items");
      titles.value = new Map(list.items.map((item) => [item.id, item.title]));
    } catch {
      // The item's own code is shown then.
    }
  }

  /** Halls that agreed to serve this one's people, by id. */
  async function loadHalls(): Promise<void> {
    try {
      const consents = await api.get<HallConsents>(`/halls/${hall()}/consents`);
      halls.value = new Map(consents.accepted_by.map((one) => [one.id, one.name]));
    } catch {
      // The hall's id is shown then.
    }
  }

  return { halls, loadHalls, tickets, sessions, titles, error, isLoading, load, loadTitles };
}
