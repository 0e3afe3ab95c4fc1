/** Which view is open: `#live` the supervisor's, `#recordings` what was recorded, anything else the wallboard. Survives a reload by the address alone. */
import { onBeforeUnmount, ref } from "vue";

export type View = "board" | "live" | "recordings";

export const viewOf = (hash: string): View => (hash === "#live" || hash === "#recordings" ? (hash.slice(1) as View) : "board");

export function useView() {
  const view = ref<View>(viewOf(location.hash));
  const follow = (): void => {
    view.value = viewOf(location.hash);
  };
  window.addEventListener("hashchange", follow);
  onBeforeUnmount(() => window.removeEventListener("hashchange", follow));
  return view;
}
