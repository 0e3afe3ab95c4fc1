/** How views reach the one model, and the line that they belong to. */
import { computed, inject, type InjectionKey, type Ref } from "vue";
import type { Desk } from "./desk.ts";
import type { SeatLine } from "./line.ts";

export const DESK: InjectionKey<Desk> = Symbol("desk");
export const LINE: InjectionKey<SeatLine> = Symbol("line");
/** Whether the line is the one on the screen. The others stay as they are, out of sight. */
export const SHOWN: InjectionKey<Readonly<Ref<boolean>>> = Symbol("shown");

export function useDesk(): Desk {
  const desk = inject(DESK);
  if (!desk) throw new Error("a view outside the desk");
  return desk;
}

export function useLine(): SeatLine {
  const line = inject(LINE);
  if (!line) throw new Error("a part outside a line");
  return line;
}

/** True outside a line. */
export function useShown(): Readonly<Ref<boolean>> {
  return inject(SHOWN, () => computed(() => true), true);
}
