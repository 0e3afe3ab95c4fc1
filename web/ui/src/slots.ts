/** Days and times of appointments as a person reads them: China's days, morning and afternoon apart. Pure. */
import type { Slot } from "@cloud-booth/api";

/** Days shown at a time, and how many such pages may be turned. */
export const DAYS = 7;
export const PAGES = 2;
const DAY_MS = 86_400_000;
const CHINA_MS = 8 * 3_600_000;

/** `2026-11-23`, the day in China. */
export function dayOf(when: number | string): string {
  return new Date((typeof when === "number" ? when : Date.parse(when)) + CHINA_MS).toISOString().slice(0, 10);
}
export function daysFrom(now: number, page: number): string[] {
  return Array.from({ length: DAYS }, (_, n) => dayOf(now + (page * DAYS + n) * DAY_MS));
}
/** 0 = Sunday. */
export function weekdayOf(date: string): number {
  return new Date(`${date}T00:00:00Z`).getUTCDay();
}
export interface Halves {
  morning: Slot[];
  afternoon: Slot[];
}
/** Noon in China divides. */
export function halvesOf(slots: readonly Slot[]): Halves {
  const isMorning = (slot: Slot): boolean => new Date(Date.parse(slot.from) + CHINA_MS).getUTCHours() < 12;
  return { morning: slots.filter(isMorning), afternoon: slots.filter((slot) => !isMorning(slot)) };
}
export const hasPlace = (slots: readonly Slot[]): boolean => slots.some((slot) => slot.left > 0);

/** The first day with a free place, looked for one after another so that few are asked; the first day when there is none. */
export async function firstFree(days: readonly string[], read: (date: string) => Promise<Slot[]>): Promise<{ date: string; slots: Slot[] }> {
  let first: { date: string; slots: Slot[] } | null = null;
  for (const date of days) {
    const slots = await read(date);
    first ??= { date, slots };
    if (hasPlace(slots)) return { date, slots };
  }
  return first ?? { date: "", slots: [] };
}
