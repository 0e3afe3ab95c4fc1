/** The citizen's cases on this phone. Owns their tokens and last views. A token lives in this tab; it stays on the phone only
 * after 记住在这台手机上. Views (they hold personal data) are never stored. At most ten cases. */
import { reactive } from "vue";
import { ProblemError } from "@cloud-booth/api";
import type { ApiClient, CaseToken, CaseView } from "@cloud-booth/api";
import type { Arrival } from "./arrival.ts";
import type { Shelf } from "./store.ts";

interface Kept {
  id: string;
  token: string;
  expires_at: string;
}

export interface CaseEntry extends Kept {
  view: CaseView | null;
  remembered: boolean;
  /** What the last reading met; null when it was fine. */
  error: unknown;
  /** The token is no longer accepted: only a new QR code helps. */
  is_over: boolean;
}

export interface CasesOptions {
  tab: Shelf;
  phone: Shelf;
  open: ApiClient;
  client: (token: () => string | null) => ApiClient;
  now?: () => number;
}

const KEY = "cloud-booth.cases";
const CASES_MAX = 10;

export class Cases {
  readonly entries = reactive<CaseEntry[]>([]);
  readonly #options: CasesOptions;
  readonly #clients = new Map<string, ApiClient>();

  constructor(options: CasesOptions) {
    this.#options = options;
    for (const [shelf, remembered] of [[options.phone, true], [options.tab, false]] as const) {
      const kept = shelf.read<Kept[]>(KEY);
      for (const one of Array.isArray(kept) ? kept.slice(0, CASES_MAX) : []) {
        if (typeof one?.id === "string" && typeof one.token === "string" && !this.find(one.id) && this.#isFresh(one)) this.#add(one, remembered, null);
      }
    }
    this.#save();
  }

  find(id: string): CaseEntry | undefined {
    return this.entries.find((entry) => entry.id === id);
  }

  /** The client that speaks with this case's token. */
  client(id: string): ApiClient {
    const known = this.#clients.get(id);
    if (known) return known;
    const made = this.#options.client(() => this.find(id)?.token ?? null);
    this.#clients.set(id, made);
    return made;
  }

  /** Exchanges the QR code for a case token. The same arrival may be tried again: its key makes it happen once. */
  async exchange(arrival: Pick<Arrival, "code" | "key">): Promise<CaseEntry> {
    const answer = await this.#options.open.post<CaseToken>("/handover-codes/exchange", { code: arrival.code }, { key: arrival.key });
    const known = this.find(answer.case.id);
    if (known) this.entries.splice(this.entries.indexOf(known), 1);
    const entry = this.#add({ id: answer.case.id, token: answer.access_token, expires_at: answer.expires_at }, known?.remembered ?? false, answer.case);
    this.#save();
    return entry;
  }

  /** Reads the case again. Never throws: what went wrong stands in the entry, the old view stays. */
  async refresh(id: string): Promise<void> {
    const entry = this.find(id);
    if (!entry || entry.is_over) return;
    try {
      this.put(await this.client(id).get<CaseView>(`/cases/${id}`));
    } catch (error) {
      entry.error = error;
      if (error instanceof ProblemError && [401, 403, 404].includes(error.status)) entry.is_over = true;
    }
  }

  /** A newer view, for example the answer of a command. An older one never replaces it. */
  put(view: CaseView): void {
    const entry = this.find(view.id);
    if (!entry) return;
    entry.error = null;
    if (!entry.view || view.version >= entry.view.version) entry.view = view;
  }

  remember(id: string, on: boolean): void {
    const entry = this.find(id);
    if (!entry) return;
    entry.remembered = on;
    this.#save();
  }

  /** Takes the case off this phone. The case itself goes on. */
  forget(id: string): void {
    const at = this.entries.findIndex((entry) => entry.id === id);
    if (at >= 0) this.entries.splice(at, 1);
    this.#clients.delete(id);
    this.#save();
  }

  #isFresh(kept: Kept): boolean {
    return !(Date.parse(kept.expires_at) <= (this.#options.now ?? Date.now)());
  }
  #add(kept: Kept, remembered: boolean, view: CaseView | null): CaseEntry {
    const { id, token, expires_at } = kept;
    this.entries.unshift({ id, token, expires_at, view, remembered, error: null, is_over: false });
    if (this.entries.length > CASES_MAX) this.entries.pop();
    return this.entries[0] as CaseEntry;
  }
  #save(): void {
    const kept = (remembered: boolean): Kept[] => this.entries.filter((entry) => entry.remembered === remembered && !entry.is_over).map(({ id, token, expires_at }) => ({ id, token, expires_at }));
    for (const [shelf, list] of [[this.#options.phone, kept(true)], [this.#options.tab, kept(false)]] as const) {
      if (list.length > 0) shelf.write(KEY, list);
      else shelf.remove(KEY);
    }
  }
}

/** Whose turn it is: what the first line of a case card says. */
export function turnOf(view: CaseView): "you" | "them" | "over" {
  if (view.actions.includes("reply")) return "you";
  if (["issued", "delivered", "archived", "refused", "withdrawn", "returned", "not_accepted"].includes(view.state)) return "over";
  return "them";
}
