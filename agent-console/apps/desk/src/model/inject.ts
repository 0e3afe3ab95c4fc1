/** How views reach the one model. */
import { inject, type InjectionKey } from "vue";
import type { Desk } from "./desk.ts";

export const DESK: InjectionKey<Desk> = Symbol("desk");

export function useDesk(): Desk {
  const desk = inject(DESK);
  if (!desk) throw new Error("a view outside the desk");
  return desk;
}
