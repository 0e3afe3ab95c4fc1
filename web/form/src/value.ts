/** Values as people read them. */
import { formatDate, pick, type Locale } from "@cloud-booth/i18n";
import type { FieldView, Json } from "@cloud-booth/api";

export function isEmpty(value: Json | undefined): boolean {
  return value === null || value === undefined || value === "";
}

/** The text of a value; the empty text where there is none. `yes`/`no` are the words of a boolean. */
export function showValue(field: FieldView, value: Json, locale: Locale, words: { yes: string; no: string }): string {
  if (isEmpty(value)) return "";
  if (typeof value === "boolean") return value ? words.yes : words.no;
  if (field.kind === "select" || field.kind === "region") {
    const option = field.options.find((one) => one.value === value);
    return option ? pick(option.label, locale) : String(value);
  }
  if (field.kind === "date" && typeof value === "string" && /^\d{4}-\d{2}-\d{2}$/.test(value)) return formatDate(value, locale);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** What a native control gives, as the wire wants it. */
export function readValue(field: FieldView, text: string): Json {
  const trimmed = field.kind === "multiline" ? text : text.trim();
  if (trimmed === "") return null;
  if (field.kind === "integer") return /^-?\d{1,15}$/.test(trimmed) ? Number(trimmed) : trimmed;
  if (field.kind === "id_number" || field.kind === "uscc") return trimmed.toUpperCase().replace(/\s/g, "");
  if (field.kind === "date") return trimmed.replace(/^(\d{4})(\d{2})(\d{2})$/, "$1-$2-$3").replace(/^(\d{4})[年./](\d{1,2})[月./](\d{1,2})日?$/, (_all, y: string, m: string, d: string) => `${y}-${m.padStart(2, "0")}-${d.padStart(2, "0")}`);
  if (field.kind === "mobile") return trimmed.replace(/[\s-]/g, "");
  return trimmed;
}

/** The id of a field's control, for labels and error links. */
export function controlId(path: string): string {
  return `field${path.replace(/[^A-Za-z0-9_]/g, "-")}`;
}
