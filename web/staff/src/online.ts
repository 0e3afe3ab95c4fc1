/** Whether this machine has a network at all. The browser knows it at once; what the server says comes with each call. */
import { onBeforeUnmount, ref } from "vue";

export function useOnline() {
  const isOnline = ref(navigator.onLine);
  const look = (): void => {
    isOnline.value = navigator.onLine;
  };
  window.addEventListener("online", look);
  window.addEventListener("offline", look);
  onBeforeUnmount(() => {
    window.removeEventListener("online", look);
    window.removeEventListener("offline", look);
  });
  return isOnline;
}
