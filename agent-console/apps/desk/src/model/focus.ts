/** Moves the keyboard to a field of the form. */
import { nextTick } from "vue";

export async function focusField(path: string | undefined): Promise<void> {
  if (!path) return;
  await nextTick();
  const row = document.querySelector<HTMLElement>(`[data-path="${CSS.escape(path)}"]`);
  row?.scrollIntoView({ block: "center" });
  row?.querySelector<HTMLElement>("input, select, textarea, [role=radio], button")?.focus();
}
