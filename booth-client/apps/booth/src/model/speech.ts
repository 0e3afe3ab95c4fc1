/** Every screen speaks, until somebody turns the sound off. */
import { reactive, watch } from "vue";
import { readAloud, stopReading } from "@cloud-booth/ui";

export const sound = reactive({ on: true });

export function speak(text: string): void {
  if (sound.on) readAloud(text);
}

watch(() => sound.on, (on) => !on && stopReading());
