/** What the administrator's two views fetch: how a seat's state looks, and a loader that keeps the old content while it asks. */
import { ref, shallowRef } from "vue";
import type { SeatState } from "@cloud-booth/api";
import type { StatusKind } from "@cloud-booth/ui";

export const SEAT_KINDS: Record<SeatState, StatusKind> = { offline: "info", ready: "ok", ringing: "warn", busy: "ok", wrap_up: "info", away: "warn" };

/** Only the newest question's answer is shown. */
export function useLoad<T>(fetch: () => Promise<T>) {
  const value = shallowRef<T | null>(null);
  const isLoading = ref(false);
  const error = shallowRef<unknown>(null);
  let asked = 0;
  async function load(): Promise<void> {
    const mine = ++asked;
    isLoading.value = true;
    try {
      const answer = await fetch();
      if (mine !== asked) return;
      value.value = answer;
      error.value = null;
    } catch (problem) {
      if (mine === asked) error.value = problem;
    } finally {
      if (mine === asked) isLoading.value = false;
    }
  }
  return { value, isLoading, error, load };
}
