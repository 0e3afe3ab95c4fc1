/** The case that a page is about, read again every ten seconds and whenever the page is looked at. */
import { computed, ref } from "vue";
import { useRoute } from "vue-router";
import type { CaseView } from "@cloud-booth/api";
import { cases } from "./app.ts";
import { usePoll } from "./ticks.ts";

const CASE_MS = 10_000;

export function useCase() {
  const route = useRoute();
  const id = String(route.params.id ?? "");
  const entry = computed(() => cases.find(id));
  const view = computed<CaseView | null>(() => entry.value?.view ?? null);
  const isLoading = ref(!view.value);
  const readAt = ref(Date.now());

  async function refresh(): Promise<void> {
    await cases.refresh(id);
    isLoading.value = false;
    if (!entry.value?.error) readAt.value = Date.now();
  }
  usePoll(refresh, CASE_MS);
  return { id, entry, view, isLoading, readAt, refresh };
}
