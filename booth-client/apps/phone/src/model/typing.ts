/** Whether the on-screen keyboard is up: fixed bars then make room, and the page fits what is left of the screen. */
import { onBeforeUnmount, onMounted, ref, type Ref } from "vue";

/** A keyboard takes at least this much, CSS px; browser bars take less. */
const KEYBOARD_MIN = 150;

export function useKeyboard(): { isUp: Ref<boolean>; height: Ref<number> } {
  const isUp = ref(false);
  const height = ref(window.innerHeight);
  const look = (): void => {
    const view = window.visualViewport;
    height.value = view?.height ?? window.innerHeight;
    isUp.value = view !== null && view !== undefined && view.scale === 1 && window.innerHeight - view.height > KEYBOARD_MIN;
  };
  onMounted(() => {
    look();
    window.visualViewport?.addEventListener("resize", look);
    window.addEventListener("resize", look);
  });
  onBeforeUnmount(() => {
    window.visualViewport?.removeEventListener("resize", look);
    window.removeEventListener("resize", look);
  });
  return { isUp, height };
}
