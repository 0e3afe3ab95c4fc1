/** Turns a model's key and arguments into a sentence; names in both languages are put in the reader's. */
import { useI18n } from "vue-i18n";
import { useBilingual } from "@cloud-booth/i18n";
import type { Said } from "./figures.ts";

export function useSaid(): (area: string, what: Said) => string {
  const { t } = useI18n();
  const b = useBilingual();
  return (area, what) => t(`${area}.${what.key}`, Object.fromEntries(Object.entries(what.args ?? {}).map(([name, value]) => [name, typeof value === "object" ? b(value) : value])));
}
