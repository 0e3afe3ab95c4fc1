/** Keys of this page. A key never acts while an input method composes, and none decides a case. */
import { onBeforeUnmount } from "vue";

export const isComposing = (event: KeyboardEvent): boolean => event.isComposing || event.keyCode === 229;

/** The person is writing: bare letters belong to the text. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target;
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Listens on the window for as long as the component lives. */
export function useWindowKeys(press: (event: KeyboardEvent) => void): void {
  const listen = (event: KeyboardEvent): void => {
    if (!isComposing(event) && !event.repeat && !event.defaultPrevented) press(event);
  };
  window.addEventListener("keydown", listen);
  onBeforeUnmount(() => window.removeEventListener("keydown", listen));
}
