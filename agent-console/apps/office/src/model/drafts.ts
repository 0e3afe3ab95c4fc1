/** What a reviewer has written and not yet submitted, a case each: it outlives a reload of the case, a lost race and a new sign-in
 * of the same person. In memory alone, because it speaks about people. */
import { reactive } from "vue";
import type { Bilingual, ItemView } from "@cloud-booth/api";

type Template = ItemView["correction_reasons"][number];

export interface PointDraft {
  key: number;
  /** A field's path, a material's code, or empty for a general point. */
  target: string;
  text: Bilingual;
}

export interface Draft {
  opinion: string;
  points: PointDraft[];
  days: number;
  /** Chosen templates, by their Chinese text, and reasons of one's own. */
  reasons: Bilingual[];
  ownReason: Bilingual;
  isOwnReasonUsed: boolean;
}

/** Working days that a citizen usually gets. */
const DAYS = 5;
/** Oldest drafts go first; nobody has this many open at once. */
const KEPT_MAX = 100;

const kept = reactive(new Map<string, Draft>());
let owner: string | null = null;
let lastKey = 0;

export const drafts = {
  of(id: string): Draft {
    const found = kept.get(id);
    if (found) return found;
    if (kept.size >= KEPT_MAX) {
      const oldest = kept.keys().next().value;
      if (oldest !== undefined) kept.delete(oldest);
    }
    kept.set(id, { opinion: "", points: [], days: DAYS, reasons: [], ownReason: { zh: "", en: "" }, isOwnReasonUsed: false });
    return kept.get(id)!;
  },
  point(target = "", text: Bilingual = { zh: "", en: "" }): PointDraft {
    return { key: ++lastKey, target, text: { zh: text.zh, en: text.en } };
  },
  /** From a template, about what the template is about: unless this case has no such field or material, then about the whole. */
  fromTemplate(template: Template, targets: readonly string[]): PointDraft {
    const target = template.target ?? "";
    return drafts.point(targets.includes(target) ? target : "", template);
  },
  forget(id: string): void {
    kept.delete(id);
  },
  clear(): void {
    kept.clear();
  },
  belongTo(person: string): void {
    if (owner !== person) kept.clear();
    owner = person;
  },
};

/** English may be left out; the reader then gets the Chinese rather than nothing. */
export function complete(text: Bilingual): Bilingual {
  const zh = text.zh.trim();
  const en = text.en.trim();
  return { zh: zh || en, en: en || zh };
}

export const isBlank = (text: Bilingual): boolean => text.zh.trim() === "" && text.en.trim() === "";
