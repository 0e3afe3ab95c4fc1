/** Time for pages: a clock that ticks while it is looked at, and questions that repeat while the page is seen. */
import { onBeforeUnmount, onMounted, ref, type Ref } from "vue";

export function useNow(every_ms: number): Ref<number> {
  const now = ref(Date.now());
  const timer = setInterval(() => (now.value = Date.now()), every_ms);
  onBeforeUnmount(() => clearInterval(timer));
  return now;
}

/** Calls `ask` now, then again at this pace, when the page comes back to the eye and when the network returns. */
export function usePoll(ask: () => unknown, every_ms: number): void {
  let timer: ReturnType<typeof setInterval> | undefined;
  const look = (): void => {
    if (document.visibilityState === "visible") void ask();
  };
  onMounted(() => {
    void ask();
    timer = setInterval(look, every_ms);
    document.addEventListener("visibilitychange", look);
    window.addEventListener("focus", look);
    window.addEventListener("online", look);
  });
  onBeforeUnmount(() => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", look);
    window.removeEventListener("focus", look);
    window.removeEventListener("online", look);
  });
}
