/** Texts that come from the server in both languages. */
import { useI18n } from "vue-i18n";
import { preferences, type Locale } from "./preferences.ts";

export interface Bilingual {
  zh: string;
  en: string;
}

/** The text in the wanted language; the other one when it is missing, so that nothing is ever blank. */
export function pick(text: Bilingual | null | undefined, locale: Locale = preferences.state.locale): string {
  if (!text) return "";
  return locale === "en" ? text.en || text.zh : text.zh || text.en;
}

/** `b(text)` in a template follows the language switch. */
export function useBilingual(): (text: Bilingual | null | undefined) => string {
  const { locale } = useI18n();
  return (text) => pick(text, locale.value === "en" ? "en" : "zh-CN");
}
