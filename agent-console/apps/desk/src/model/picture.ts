/** Whether a picture that is shown moves now. What stands still is from an earlier moment: kept, it would bear the time of the press. */
import { computed, ref, watch, type ComputedRef } from "vue";
import { isWeak, onWeak } from "@cloud-booth/rtc";
import type { LiveSession } from "./session.ts";

/** `none`: there is no such picture; `stands`: it is an old one. */
export type WhyNoPicture = "" | "none" | "stands";

/** Of the citizen: their face or their papers. */
export function useWhyNoPicture(read: () => LiveSession, which: "camera" | "document"): ComputedRef<WhyNoPicture> {
  const stream = computed<MediaStream | null>(() => (which === "camera" ? read().citizenStream.value : read().citizenPapers.value));
  const rests = ref(false);
  watch(stream, (now, _, stop) => {
    rests.value = isWeak(now);
    if (now) stop(onWeak(now, () => (rests.value = isWeak(now))));
  }, { immediate: true });
  return computed(() => {
    const session = read();
    const view = session.view.value;
    const citizen = session.citizen.value;
    if (!stream.value || view?.mode !== "video" || view.hold || (which === "camera" && citizen?.camera_on === false)) return "none";
    return session.peerState.value !== "connected" || session.cut.value !== null || citizen?.present !== true || rests.value ? "stands" : "";
  });
}
