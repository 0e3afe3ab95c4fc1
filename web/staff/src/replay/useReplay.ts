/** One replay from the purpose to its end: opened, its integrity told when it is known, its export made. Owns its timers. */
import { computed, onScopeDispose, ref, shallowRef } from "vue";
import { newKey, ProblemError, type ApiClient, type ExportView, type ReplayView, type SignedManifest } from "@cloud-booth/api";

/** The hash chain is checked behind the answer; asked for so often, milliseconds. */
const CHECK_MS = 2_000;
const EXPORT_MS = 1_000;

export function useReplay(api: ApiClient) {
  const view = shallowRef<ReplayView | null>(null);
  const exported = shallowRef<ExportView | null>(null);
  const exportError = shallowRef<unknown>(null);
  /** Why the replay is over: the server's word, or nothing. */
  const over = shallowRef<unknown>(null);
  const isExporting = ref(false);
  const timers = new Set<ReturnType<typeof setTimeout>>();
  /** Grows with each replay: what an older one still waits for is dropped. */
  let round = 0;

  function later(ms: number, work: () => Promise<void>): void {
    const mine = round;
    const timer = setTimeout(() => {
      timers.delete(timer);
      if (mine === round) void work();
    }, ms);
    timers.add(timer);
  }

  async function open(recording: string, purpose: string, key: string): Promise<void> {
    const made = await api.post<ReplayView>(`/recordings/${recording}/replays`, { purpose }, { key });
    close();
    view.value = made;
    watchIntegrity();
    // One that was asked for before is there for a day, or goes on.
    exported.value = made.export;
    isExporting.value = made.export?.state === "running";
    followExport();
  }
  function watchIntegrity(): void {
    if (view.value?.integrity === "unchecked") later(CHECK_MS, look);
  }
  async function look(): Promise<void> {
    const now = view.value;
    if (!now) return;
    try {
      const next = await api.get<ReplayView>(`/replays/${now.id}`);
      // The same legs and addresses: what plays is not built anew.
      if (view.value?.id === next.id) view.value = { ...view.value, integrity: next.integrity, can_export: next.can_export, recording: next.recording, expires_at: next.expires_at };
      watchIntegrity();
    } catch (error) {
      if (error instanceof ProblemError && error.status >= 400 && error.status < 500 && error.status !== 429) over.value = error;
      else watchIntegrity();
    }
  }

  async function startExport(): Promise<void> {
    const now = view.value;
    if (!now || isExporting.value) return;
    isExporting.value = true;
    exportError.value = null;
    try {
      exported.value = await api.post<ExportView>(`/replays/${now.id}/exports`, {}, { key: newKey() });
      followExport();
    } catch (error) {
      exportError.value = error;
      isExporting.value = false;
    }
  }
  function followExport(): void {
    const now = exported.value;
    const replay = view.value;
    if (!now || !replay || now.state !== "running") {
      isExporting.value = false;
      return;
    }
    later(EXPORT_MS, async () => {
      try {
        exported.value = await api.get<ExportView>(`/replays/${replay.id}/exports/${now.id}`);
      } catch (error) {
        // A network that is away for a moment ends nothing.
        if (error instanceof ProblemError && error.status >= 400 && error.status < 500 && error.status !== 429) {
          exportError.value = error;
          exported.value = null;
        }
      }
      followExport();
    });
  }

  const manifest = async (): Promise<SignedManifest> => api.get<SignedManifest>(`/recordings/${view.value?.recording.id ?? ""}/manifest`);

  function close(): void {
    round += 1;
    for (const timer of timers) clearTimeout(timer);
    timers.clear();
    view.value = null;
    exported.value = null;
    exportError.value = null;
    over.value = null;
    isExporting.value = false;
  }
  onScopeDispose(close);

  return { view, exported, exportError, isExporting, over, open, look, startExport, manifest, close, isOpen: computed(() => view.value !== null) };
}

export type ReplayStore = ReturnType<typeof useReplay>;
