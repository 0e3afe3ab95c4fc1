/** The live view of one hall: one line to the server, the newest snapshot, and whether it can still be believed.
 * Never decides anything and never asks again by itself: the server sends a snapshot after each change. */
import { computed, ref, shallowRef } from "vue";
import type { ConnectionState } from "@cloud-booth/ui";
import type { Problem, Wallboard, WsTicket } from "@cloud-booth/api";
import { SignalClient } from "@cloud-booth/signal";
import { preferences } from "@cloud-booth/i18n";
import { api } from "./account.ts";

/** A line that is silent for this long shows figures that may be wrong. */
export const STALE_MS = 5_000;
/** Quiet halls send nothing, so the page asks the line itself. */
const PROBE_MS = 1_500;
const TICK_MS = 1_000;

/** Whether what is shown may be older than the law of the page allows. */
export function isStale(heardAt: number | null, now: number): boolean {
  return heardAt !== null && now - heardAt > STALE_MS;
}

export function useBoard() {
  const board = shallowRef<Wallboard | null>(null);
  const state = ref<ConnectionState>("idle");
  const problem = shallowRef<Problem | null>(null);
  const heardAt = ref<number | null>(null);
  /** This machine's clock, and how far the server's is ahead of it: minutes are counted on by the server's. */
  const tick = ref(Date.now());
  let ahead = 0;
  let client: SignalClient | null = null;
  let timer: ReturnType<typeof setInterval> | undefined;

  function start(hall: string): void {
    stop();
    timer = setInterval(() => {
      tick.value = Date.now();
    }, TICK_MS);
    client = new SignalClient({
      ticket: async () => (await api.post<WsTicket>("/ws-tickets")).ticket,
      language: () => preferences.state.locale,
      client: "wall",
      probe_ms: PROBE_MS,
    });
    client.on("state", (next) => {
      state.value = next;
    });
    client.on("heard", (at) => {
      heardAt.value = at;
    });
    client.on("frame", (frame) => {
      if (frame.type !== "wallboard") return;
      const next = (frame as { type: string; wallboard: Wallboard }).wallboard;
      if (next.hall !== hall) return;
      ahead = Date.parse(next.at) - Date.now();
      board.value = next;
      problem.value = null;
    });
    client.on("problem", (next) => {
      problem.value = next;
    });
    client.watchHall(hall);
    client.start();
  }

  function stop(): void {
    clearInterval(timer);
    client?.dispose();
    client = null;
    board.value = null;
    heardAt.value = null;
    state.value = "idle";
    problem.value = null;
  }

  return {
    board, state, problem, start, stop,
    now: computed(() => tick.value + ahead),
    stale: computed(() => isStale(heardAt.value, tick.value)),
    /** When the server was last heard, by its clock. */
    seenAt: computed(() => (heardAt.value === null ? null : heardAt.value + ahead)),
  };
}

export type BoardStore = ReturnType<typeof useBoard>;
