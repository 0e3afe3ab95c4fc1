/** Small undoable successes, five seconds. Never for errors, never for legal results. */
import { reactive } from "vue";

export interface ToastEntry {
  id: number;
  text: string;
  undo?: () => void;
}

const SHOWN_MS = 5000;
const SHOWN_MAX = 3;
let last = 0;

export const toasts = reactive<ToastEntry[]>([]);

export function dismiss(id: number): void {
  const at = toasts.findIndex((entry) => entry.id === id);
  if (at >= 0) toasts.splice(at, 1);
}

export function toast(text: string, options: { undo?: () => void } = {}): void {
  const id = ++last;
  toasts.push({ id, text, undo: options.undo });
  if (toasts.length > SHOWN_MAX) toasts.shift();
  setTimeout(() => dismiss(id), SHOWN_MS);
}
