/** Says aloud what becomes of the recording: once a change, never its running time. One call a page. */
import { computed, watch } from "vue";
import { useI18n } from "vue-i18n";
import type { RecordingView } from "@cloud-booth/api";
import { announce } from "./announce.ts";
import { signOf, type SignState } from "./recording.ts";

/** Not signing while it is interrupted cannot wait for the end of a sentence. */
const URGENT: readonly SignState[] = ["interrupted"];

export function useRecordingTold(read: () => RecordingView | null | undefined): void {
  const { t } = useI18n();
  const now = computed(() => ({ id: read()?.id ?? "", sign: signOf(read()), reason: read()?.end_reason ?? "" }));
  watch(now, (next, before) => {
    if (before && next.id === before.id && next.sign === before.sign) return;
    const word = wordOf(next.sign, next.id === before?.id ? before.sign : null, next.reason);
    if (word) announce(t(`recording.told.${word}`), URGENT.includes(next.sign) ? "assertive" : "polite");
  }, { immediate: true });
}

/** Null: nothing is said. `before` null: the page has not seen this recording. */
export function wordOf(sign: SignState, before: SignState | null, end_reason: string): string | null {
  switch (sign) {
    case "live":
      return before === "interrupted" ? "resumed" : "live";
    case "interrupted":
      return "interrupted";
    case "ended":
      // Who comes later needs no news of what is over.
      return before === null ? null : end_reason === "withdrawn" ? "withdrawn" : "ended";
    case "refused":
      return before === null ? null : "refused";
    default:
      return null;
  }
}
