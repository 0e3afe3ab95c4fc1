/** A file that needs the bearer token, as an address that a frame or picture can show. Revoked when another takes its place. */
import { onBeforeUnmount, ref, shallowRef, watch } from "vue";
import type { ApiClient } from "@cloud-booth/api";

export function useFile(api: ApiClient, path: () => string | null) {
  const url = ref<string | null>(null);
  const type = ref("");
  const isLoading = ref(false);
  const error = shallowRef<unknown>(null);
  let abort: AbortController | null = null;

  function drop(): void {
    abort?.abort();
    abort = null;
    if (url.value) URL.revokeObjectURL(url.value);
    url.value = null;
  }

  async function load(): Promise<void> {
    drop();
    error.value = null;
    const wanted = path();
    isLoading.value = wanted !== null;
    if (wanted === null) return;
    const own = (abort = new AbortController());
    try {
      const blob = await api.file(wanted, { signal: own.signal });
      if (own.signal.aborted) return;
      type.value = blob.type.split(";")[0] ?? "";
      url.value = URL.createObjectURL(blob);
    } catch (problem) {
      if (!own.signal.aborted) error.value = problem;
    } finally {
      if (!own.signal.aborted) isLoading.value = false;
    }
  }

  watch(path, () => void load(), { immediate: true });
  onBeforeUnmount(drop);
  return { url, type, isLoading, error, reload: load };
}

/** A PDF in the browser's own viewer: whole width, no list of pages beside it. */
export const pdfAddress = (url: string): string => `${url}#navpanes=0&view=FitH`;
