/** Canned replies: the hall's and one's own. Owns the list of this shift; finds by shortcut, pinyin initials or words. */
import { ref, shallowRef } from "vue";
import { newKey, type ApiClient, type PhraseView } from "@cloud-booth/api";
import { initialsOf } from "./initials.ts";

export interface Entry {
  phrase: PhraseView;
  initials: string;
}
export const SHOWN_MAX = 8;
export const SHORTCUT_MAX = 16;

export function entryOf(phrase: PhraseView): Entry {
  return { phrase, initials: initialsOf(phrase.text.zh) };
}

/** The best first: the shortcut itself, what begins with it, then initials, then words. */
export function findPhrases(entries: readonly Entry[], query: string, max = SHOWN_MAX): PhraseView[] {
  const wanted = query.trim().toLowerCase();
  const rank = ({ phrase, initials }: Entry): number => {
    const shortcut = phrase.shortcut.toLowerCase();
    if (!wanted || shortcut === wanted) return 0;
    if (shortcut.startsWith(wanted)) return 1;
    if (initials.startsWith(wanted)) return 2;
    if (phrase.text.zh.includes(wanted) || phrase.text.en.toLowerCase().includes(wanted)) return 3;
    return initials.includes(wanted) ? 4 : -1;
  };
  return entries.map((entry) => ({ entry, rank: rank(entry) })).filter((one) => one.rank >= 0).sort((one, other) => one.rank - other.rank).slice(0, max).map((one) => one.entry.phrase);
}

/** The words after a `/` that opens the list; null where the draft is no such question. */
export function queryOf(draft: string): string | null {
  return draft.startsWith("/") && !draft.includes("\n") && draft.length <= 40 ? draft.slice(1) : null;
}

export class Phrases {
  readonly entries = shallowRef<readonly Entry[]>([]);
  readonly hasFailed = ref(false);
  readonly isLoading = ref(false);
  #isLoaded = false;
  readonly #api: () => ApiClient;

  constructor(api: () => ApiClient) {
    this.#api = api;
  }

  /** Once a shift; a failure is tried again the next time somebody asks. */
  async load(): Promise<void> {
    if (this.#isLoaded || this.isLoading.value) return;
    this.isLoading.value = true;
    try {
      const { items } = await this.#api().get<{ items: PhraseView[] }>("/phrases");
      this.entries.value = items.map(entryOf);
      this.#isLoaded = true;
      this.hasFailed.value = false;
    } catch {
      this.hasFailed.value = true;
    } finally {
      this.isLoading.value = false;
    }
  }

  /** Keeps words as one's own; the shortcut is their initials, made unlike those that are there. */
  async keep(text: string): Promise<PhraseView> {
    const taken = new Set(this.entries.value.map((entry) => entry.phrase.shortcut));
    const base = initialsOf(text).slice(0, SHORTCUT_MAX - 2) || "p";
    let shortcut = base;
    for (let n = 2; taken.has(shortcut); n += 1) shortcut = `${base}${n}`;
    const made = await this.#api().post<PhraseView>("/phrases", { scope: "own", text: { zh: text, en: "" }, shortcut }, { key: newKey() });
    this.entries.value = [...this.entries.value, entryOf(made)];
    return made;
  }

  forget(): void {
    this.entries.value = [];
    this.#isLoaded = false;
  }
}
