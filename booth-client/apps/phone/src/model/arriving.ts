/** The code that this page was opened with, until it is exchanged. In memory: the address and the page's props forget it. */
import { ref } from "vue";
import type { Arrival } from "./arrival.ts";

export const arriving = ref<Arrival | null>(null);

export function provideArrival(arrival: Arrival | null): void {
  arriving.value = arrival;
}
