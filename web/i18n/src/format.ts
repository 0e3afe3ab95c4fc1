/** Formats of dates, durations, ranges, money and masked values. Times are shown in China's time whatever the device says.
 * Every function takes the language; `preferences` gives the default, so templates that use it follow the switch. */
import { preferences, type Locale } from "./preferences.ts";

const ZONE = "Asia/Shanghai";
const current = (): Locale => preferences.state.locale;

type When = string | number | Date;

function parts(when: When): Record<string, string> {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: ZONE, year: "numeric", month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
  });
  return Object.fromEntries(format.formatToParts(asDate(when)).map((part) => [part.type, part.value]));
}

/** A bare date (`2026-10-08`) is that day in China, not midnight in Greenwich. */
function asDate(when: When): Date {
  if (typeof when === "string" && /^\d{4}-\d{2}-\d{2}$/.test(when)) return new Date(`${when}T00:00:00+08:00`);
  return new Date(when);
}

const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const month = (value: string | undefined): string => MONTHS[Number(value) - 1] ?? "";

/** 2026年10月8日 · 8 October 2026 */
export function formatDate(when: When, locale: Locale = current()): string {
  const p = parts(when);
  return locale === "en" ? `${Number(p.day)} ${month(p.month)} ${p.year}` : `${p.year}年${Number(p.month)}月${Number(p.day)}日`;
}

/** 10月8日 · 8 October */
export function formatDay(when: When, locale: Locale = current()): string {
  const p = parts(when);
  return locale === "en" ? `${Number(p.day)} ${month(p.month)}` : `${Number(p.month)}月${Number(p.day)}日`;
}

/** 14:30 */
export function formatTime(when: When): string {
  const p = parts(when);
  return `${p.hour}:${p.minute}`;
}

/** 2026年10月8日 14:30 · 8 October 2026, 14:30 */
export function formatDateTime(when: When, locale: Locale = current()): string {
  return `${formatDate(when, locale)}${locale === "en" ? "," : ""} ${formatTime(when)}`;
}

/** 03:12, or 1:03:12 from an hour on. Input in seconds. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number): string => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const rest = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

/** 4–7分钟 · 4–7 minutes; equal ends give one figure. Never less than one minute: a promise of nothing is not kept. */
export function formatMinutesRange(lowSeconds: number, highSeconds: number, locale: Locale = current()): string {
  const low = Math.max(1, Math.round(lowSeconds / 60));
  const high = Math.max(low, Math.ceil(highSeconds / 60));
  const range = low === high ? String(low) : `${low}–${high}`;
  return locale === "en" ? `${range} ${range === "1" ? "minute" : "minutes"}` : `${range}分钟`;
}

/** 3分钟 · 45秒, for one duration. Input in seconds. */
export function formatDuration(seconds: number, locale: Locale = current()): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return locale === "en" ? `${whole} s` : `${whole}秒`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return locale === "en" ? `${minutes} min` : `${minutes}分钟`;
  return locale === "en" ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${Math.floor(minutes / 60)}小时${minutes % 60}分`;
}

/** 还剩6个工作日（10月21日前） · 6 working days left (by 21 October); a passed date says so. */
export function formatWorkingDaysLeft(days: number, due: When, locale: Locale = current()): string {
  if (locale === "en") {
    if (days < 0) return `${-days} working ${days === -1 ? "day" : "days"} overdue (was due ${formatDay(due, locale)})`;
    return `${days} working ${days === 1 ? "day" : "days"} left (by ${formatDay(due, locale)})`;
  }
  return days < 0 ? `已超${-days}个工作日（应在${formatDay(due, locale)}前）` : `还剩${days}个工作日（${formatDay(due, locale)}前）`;
}

/** ¥1,234.50. Input in fen. */
export function formatMoney(fen: number): string {
  const sign = fen < 0 ? "-" : "";
  const whole = Math.abs(Math.round(fen));
  return `${sign}¥${Math.floor(whole / 100).toLocaleString("en-US")}.${String(whole % 100).padStart(2, "0")}`;
}

/** 12,000 */
export function formatNumber(value: number): string {
  return value.toLocaleString("en-US");
}

export type MaskKind = "id_number" | "mobile" | "name" | "address" | "none";

const digitsSpoken = (digits: string): string =>
  digits.replace(/./g, (d) => "零一二三四五六七八九"[Number(d)] ?? d);

/** What a screen reader says for a masked value: 身份证号，已隐藏，末四位一五一三. The value may already be masked. */
export function sayMasked(label: string, value: string, locale: Locale = current()): string {
  const tail = /[0-9Xx]{4}$/.exec(value)?.[0];
  if (locale === "en") return tail ? `${label}, hidden, ends in ${tail.split("").join(" ")}` : `${label}, hidden`;
  return tail ? `${label}，已隐藏，末四位${digitsSpoken(tail)}` : `${label}，已隐藏`;
}

/** Masks on the device, for a value that the person themself typed; the server masks what others may not see.
 * 4290**********1513 · 138****5678 · 王*某 */
export function mask(kind: MaskKind, value: string): string {
  const chars = Array.from(value);
  switch (kind) {
    case "none":
      return value;
    case "id_number":
      return chars.length < 9 ? "*".repeat(chars.length) : `${chars.slice(0, 4).join("")}${"*".repeat(chars.length - 8)}${chars.slice(-4).join("")}`;
    case "mobile":
      return chars.length < 8 ? "*".repeat(chars.length) : `${chars.slice(0, 3).join("")}${"*".repeat(chars.length - 7)}${chars.slice(-4).join("")}`;
    case "name":
      if (chars.length <= 1) return value;
      return chars.length === 2 ? `${chars[0]}*` : `${chars[0]}${"*".repeat(chars.length - 2)}${chars[chars.length - 1]}`;
    case "address":
      return `${chars.slice(0, 6).join("")}${"*".repeat(Math.max(0, chars.length - 6))}`;
  }
}
