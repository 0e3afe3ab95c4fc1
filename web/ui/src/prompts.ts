/** Which prompt the citizen's page shows: what was read last, until it is answered or put away; or one that they open again. */
import { computed, ref, shallowReactive, watch } from "vue";
import type { PromptView, RecordingView } from "@cloud-booth/api";
import { currentPrompt, isRunning } from "./recording.ts";

export interface PromptUse {
  /** Nothing may be changed any more: signed, or handed in. */
  closed: () => boolean;
  /** An answer stands, whoever gave it. */
  noted: (prompt: PromptView) => void;
}

export function usePrompts(read: () => RecordingView | null | undefined, use: PromptUse) {
  /** Put away by the citizen: they come back by their own wish alone. */
  const away = shallowReactive(new Set<string>());
  const opened = ref<string | null>(null);
  const script = computed<readonly PromptView[]>(() => read()?.script ?? []);
  const isOpen = computed(() => isRunning(read()) && !use.closed());
  const shown = computed<PromptView | null>(() => {
    if (!isOpen.value) return null;
    const again = script.value.find((one) => one.id === opened.value && one.read_ms !== null);
    if (again) return again;
    const now = currentPrompt(script.value);
    return now && !away.has(now.id) && now.answer === null ? now : null;
  });
  const number = computed(() => (shown.value ? script.value.findIndex((one) => one.id === shown.value?.id) + 1 : 0));
  /** Asked, not answered, and not on the screen. */
  const waiting = computed(() => (isOpen.value ? script.value.filter((one) => one.read_ms !== null && one.asks === "yes_no" && one.answer === null && one.id !== shown.value?.id) : []));

  watch(() => read()?.id, () => {
    away.clear();
    opened.value = null;
  });
  // A prompt that is read again is asked again; one that stands answered is shown with its answer, for it may be another now.
  watch(script, (now, before) => {
    const were = new Map(before.map((one) => [one.id, one.read_ms]));
    for (const one of now) {
      const was = were.get(one.id) ?? null;
      if (one.read_ms === null || one.read_ms === was) continue;
      away.delete(one.id);
      opened.value = was !== null && one.answer !== null ? one.id : null;
    }
  });
  watch(() => script.value.map((one) => `${one.id}:${one.answered_ms ?? ""}:${one.answer ?? ""}`), (now, before) => {
    for (const [at, one] of script.value.entries()) {
      if (before?.length !== now.length || now[at] === before[at] || one.answer === null) continue;
      if (opened.value === one.id) opened.value = null;
      use.noted(one);
    }
  });

  return {
    script, shown, number, waiting,
    close(): void {
      if (shown.value) away.add(shown.value.id);
      opened.value = null;
    },
    open(prompt: string): void {
      opened.value = prompt;
    },
    /** The oldest that waits. */
    openWaiting(): void {
      opened.value = waiting.value[0]?.id ?? null;
    },
  };
}
